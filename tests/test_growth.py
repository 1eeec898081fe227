"""What grows: nothing faster than linearly, by counts; the recorded table, its fits and its page."""

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mer_companion import folders
from mer_companion.analysis import gpu, growth
from mer_companion.book import scale
from mer_core import device, paths, segments
from mer_core.audio.features import LogMel
from mer_core.datasets import splits
from mer_core.datasets.splits import Folds
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import metrics, significance
from mer_core.segments import Segments, placed


class Elements(TorchDispatchMode):
    """Counts the elements of all that PyTorch computes, and the largest tensor."""

    def __init__(self):
        super().__init__()
        self.all = self.largest = 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        found = function(*arguments, **(named or {}))
        if isinstance(found, torch.Tensor) and not function.is_view:
            self.all, self.largest = self.all + found.numel(), max(self.largest, found.numel())
        return found


class Counted(np.ndarray):
    """An array that counts the elements that NumPy's functions are given of it, and of what is made of it."""

    elements = 0

    def __array_ufunc__(self, function, method, *inputs, **named):
        plain = [np.asarray(one) for one in inputs]
        Counted.elements += sum(one.size for one in plain)
        return getattr(function, method)(*plain, **named)


def windows(n_songs, of_each=20, n_frames=32):
    n = n_songs * of_each
    first = torch.arange(n) * 10
    return Segments(
        values=torch.zeros(n * 10 + n_frames, 8, dtype=torch.float16),
        first=first,
        label=torch.zeros(n, dtype=torch.long),
        track=np.repeat(np.arange(n_songs), of_each),
        second=np.tile(np.arange(of_each), n_songs),
        n_frames=n_frames,
        n_own=torch.full_like(first, n_frames),
        n_classes=4,
        features=LogMel(n_mels=8),
    )


def counted_evenly(n_songs):
    data = windows(n_songs)
    Counted.elements = 0
    object.__setattr__(data, "track", data.track.view(Counted))
    data.evenly(3)
    return Counted.elements


def counted_folds(n_songs, folder, monkeypatch):
    ids = [f"{i:05d}" for i in range(n_songs)]
    labels = [f"Q{i % 4 + 1}" for i in range(n_songs)]
    table = pd.DataFrame({"track_id": ids, "group": ids, "label": labels, "path": "x", "duration_s": 1.0})
    tracks = Tracks("x", ("Q1", "Q2", "Q3", "Q4"), table)
    groups = tracks.groups.astype(object).view(Counted)
    monkeypatch.setattr(splits, "kept_together", lambda *_: groups)
    splits.outer(tracks, Folds(n=2, by="artist"), folder / str(n_songs))  # writes the file
    Counted.elements = 0
    splits.outer(tracks, Folds(n=2, by="artist"), folder / str(n_songs))
    return Counted.elements


def counted_statistics(n_songs):
    data = windows(n_songs)
    with Elements() as counted:
        data.level_statistics()
    return counted.all


def test_twice_the_songs_are_at_most_twice_the_work(tmp_path, monkeypatch):
    for counted in (
        counted_evenly,
        counted_statistics,
        lambda n: counted_folds(n, tmp_path, monkeypatch),
    ):
        small, large = counted(100), counted(200)
        assert large <= 2.1 * small + 100


def test_evenly_takes_the_windows_that_it_always_took():
    data = windows(5)
    data = data.kept(np.random.default_rng(0).permutation(len(data))[:70])
    expected = []
    for track in np.unique(data.track):
        own = np.flatnonzero(data.track == track)
        expected.append(own[np.unique(np.linspace(0, len(own) - 1, 3).round().astype(int))])
    kept, chosen = data.evenly(3), np.concatenate(expected)
    assert (kept.track == data.track[chosen]).all() and (kept.second == data.second[chosen]).all()


def test_overlapping_windows_cost_no_memory_of_their_own():
    data = windows(50, n_frames=160)  # every frame lies in sixteen windows
    assert torch.equal(data.covered(), torch.unique(data.rows(torch.arange(len(data)))))
    with Elements() as counted:
        data.level_statistics()
    assert counted.largest <= 1.1 * data.values.numel() < data.rows(torch.arange(len(data))).numel()


def test_frames_are_not_copied_where_they_are_mapped(tmp_path, monkeypatch):
    np.save(tmp_path / "frames.npy", np.zeros((10, 4), np.float16))
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    assert placed(mapped, torch.device("cpu")).data_ptr() == mapped.ctypes.data
    monkeypatch.setenv(device.FRAMES_LIMIT, "0")
    assert placed(mapped, torch.device("meta")).device.type == "cpu"  # too large: they stay where they are
    monkeypatch.setenv(device.FRAMES_LIMIT, "1")
    assert placed(mapped, torch.device("meta")).device.type == "meta"


def test_batches_of_frames_that_stay_in_the_map_are_sent(monkeypatch):
    data = windows(3)
    elsewhere = torch.device("meta")
    sent = []
    monkeypatch.setattr(segments, "send", lambda values, where: sent.append((values.shape, where)))
    monkeypatch.setattr(Segments, "device", property(lambda self: elsewhere))
    data.__dict__["repeats"] = False
    data.spectrograms(torch.tensor([0, 7]))
    assert sent == [(torch.Size([2, 1, 8, 32]), elsewhere)]


def test_intervals_of_many_classes_fit_in_memory():
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(256, size=(2, 300))
    weights = significance.artist_weights(np.arange(300), 100)
    tracemalloc.start()
    found = significance.resampled(metrics.accuracy, truth, predicted, 256, weights)
    assert tracemalloc.get_traced_memory()[1] < 20 * significance.CELLS_AT_ONCE * 8
    tracemalloc.stop()
    np.testing.assert_allclose(found, (weights * (truth == predicted)).sum(axis=1) / weights.sum(axis=1))


def test_a_line_has_its_exponent_and_its_value_far_away():
    noise = np.array([1.02, 0.98, 1.01, 0.99])
    fit = growth.line([1, 2, 4, 8], 3 * np.array([1, 4, 16, 64]) * noise)
    assert fit.low < 2 < fit.high and fit.high - fit.low < 0.2
    middle, low, high = growth.extrapolated([1, 2, 4, 8], [5.1, 6.9, 11.1, 18.9], to=100)
    assert low < 203 < high and middle == pytest.approx(203, rel=0.05)


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    return growth.table()


def test_nothing_measured_grows_faster_than_linearly(recorded):
    found = growth.exponents(recorded)
    assert set(found["dimension"]) == set(growth.DIMENSIONS) and set(found["stage"]) == set(growth.STAGES)
    assert (found["low"] <= 1.05).all() and (found["between_largest"] <= growth.LINEAR).all()


def test_memory_of_training_is_that_of_its_frames(recorded):
    assert 0.5 < growth.memory_ratio(recorded) <= 1.3


def test_the_page_has_estimates_for_every_front_end_and_says_what_is_unknown(recorded):
    parts = scale.pages()
    assert all(f"| frames, {name} " in parts["growth.md"] for name in scale.FRONT_ENDS)
    assert growth.NOT_MEASURED in parts["growth.md"]
    page = (folders.BOOK / "scale.md").read_text(encoding="utf-8")
    assert all(f"generated/{name}" in page for name in parts)


def test_disk_of_frames_is_two_bytes_a_number():
    assert growth.gigabytes(128, 22050 / 512) == pytest.approx(149.2, abs=0.1)


def test_without_a_gpu_the_page_names_what_was_not_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(folders, "RESULTS", tmp_path)
    monkeypatch.syspath_prepend(paths.ROOT)
    from benchmarks.steps import CASES

    assert set(gpu.NETWORKS) == {case.name for case in CASES}
    assert gpu.page() == f"Not measured yet: {', '.join(gpu.NETWORKS)}.\n"
    row = {
        "name": "VGG16",
        "batch": 64,
        "method": "inherit",
        "processes": 1,
        "windows_per_s": 10.4,
        "share": 0.41,
    }
    agreement = [{"agrees": True}, {"agrees": False}]
    (tmp_path / "gpu.json").write_text(
        json.dumps({"environment": {"device": "a GPU"}, "agreement": agreement, "rows": [row]})
    )
    assert "| 41 % " in gpu.page() and "1 of 2 cases" in gpu.page()


def test_benchmark_and_page_mean_the_same_front_ends(monkeypatch):
    monkeypatch.syspath_prepend(paths.ROOT)
    from benchmarks import growth as benchmark

    assert benchmark.FRONT_ENDS == scale.FRONT_ENDS
    assert {(stage, of) for stage, of, *_ in benchmark.POINTS if stage in growth.STAGES} >= {
        ("training", name) for name in growth.DIMENSIONS if name != "runs"
    }
