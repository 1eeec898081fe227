"""MusiCNN: its parts hold without its weights; with them it says what the original in TensorFlow says."""

import struct
from copy import deepcopy
from dataclasses import replace

import librosa
import numpy as np
import pytest
import torch
from golden.make_musicnn_golden import GOLDEN, MODELS, RATE, signals
from torch.nn import functional as F

from mer_companion.song_features import sources
from mer_core import paths, window_features
from mer_core.audio.features import FrontEndMaps, WindowFeatures, log_mel
from mer_core.frames import compute, store_name, windows
from mer_core.models import musicnn, musicnn_weights, pretrained, tensorflow_checkpoint
from mer_core.models.musicnn import (
    FEATURES,
    N_FEATURES,
    WINDOW_FRAMES,
    BatchNorm,
    Branch,
    MusiCNN,
)
from mer_core.models.musicnn_weights import WeightsError
from mer_core.models.tensorflow_checkpoint import CheckpointError

OUTPUTS = {"penultimate": slice(0, 200), "mean_pool": slice(250, 1003), "max_pool": slice(1003, 1756)}


def random_network():
    """Random weights, and batch norms whose statistics and scales, half of them negative, matter."""
    torch.manual_seed(0)
    network = MusiCNN().eval()
    for module in network.modules():
        if isinstance(module, BatchNorm):
            for value in (module.weight, module.bias, module.mean):
                torch.nn.init.normal_(value)
            torch.nn.init.uniform_(module.variance, 0.5, 2)
    return network


def levels(n, n_frames):
    return torch.randn(n, 96, n_frames, generator=torch.Generator().manual_seed(1)) * 15 - 30  # dB


@pytest.fixture(scope="module")
def network():
    return random_network().requires_grad_(False)


def test_every_part_has_the_published_size(network):
    assert sum(p.numel() for p in network.parameters()) == 787_159  # of the released one
    assert network(levels(2, 150)[:, None]).shape == (2, 50)
    assert MusiCNN(4)(levels(1, 50)[:, None]).shape == (1, 4)


def test_frames_are_those_that_it_was_trained_on():
    samples = next(iter(signals().values()))
    power = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=512, hop_length=256, n_mels=96)
    found = musicnn.compressed(log_mel(torch.from_numpy(samples)[None], FEATURES))[0]
    np.testing.assert_allclose(found, np.log10(10_000 * power + 1), atol=1e-5)
    assert found.shape == (96, 188) and 1 + (3 * RATE - 256) // 256 == WINDOW_FRAMES  # 3 s in the release


def test_a_branch_is_convolution_relu_norm_and_maximum_over_frequency(network):
    x = torch.randn(2, 1, 96, 40)
    for branch in network.branches:
        frames = branch.convolution.kernel_size[1]
        padded = F.pad(x, ((frames - 1) // 2, frames // 2))
        expected = branch.norm(F.relu(branch.convolution(padded))).amax(dim=2)
        torch.testing.assert_close(branch(x), expected, atol=1e-4, rtol=1e-4)
        assert (branch.norm.weight < 0).any() and (branch.norm.weight > 0).any()


def test_an_even_filter_reaches_one_frame_further_ahead():
    branch = Branch(1, 1, 4)
    with torch.no_grad():
        branch.convolution.weight.copy_(torch.tensor([1.0, 10.0, 100.0, 1000.0]).view(1, 1, 1, 4))
        branch.convolution.bias.zero_()
    impulse = torch.zeros(1, 1, 96, 6)
    impulse[..., 3] = (1 + musicnn.NORM_EPS) ** 0.5
    torch.testing.assert_close(branch(impulse)[0, 0], torch.tensor([0.0, 1000, 100, 10, 1, 0]))


def test_pooled_maxima_and_means_take_turns():
    found = torch.tensor([[[1.0, 3.0], [-4.0, 0.0]]])
    assert musicnn.pooled(found).tolist() == [[3.0, 2.0, 0.0, -2.0]]


def test_features_of_a_clip_of_one_window_are_those_of_the_window_alone(network):
    alone = levels(2, WINDOW_FRAMES)
    found = torch.cat([network.features(clip, torch.tensor([0])) for clip in alone])
    of_trunk = network.trunk(alone[:, None])
    assert found.shape == (2, N_FEATURES)
    torch.testing.assert_close(found[:, 200:250], network(alone[:, None]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[:, OUTPUTS["max_pool"]], of_trunk[:, 0::2], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[:, OUTPUTS["mean_pool"]], of_trunk[:, 1::2], atol=1e-4, rtol=1e-4)


def test_features_of_a_window_depend_on_its_surroundings_only(network, monkeypatch):
    monkeypatch.setattr(window_features, "WINDOWS_AT_ONCE", 1)  # each from a piece of the clip
    clip, first = levels(1, 900)[0], torch.tensor([0, 300, 713])
    settings = WindowFeatures(("MSD_musicnn",), statistics=True)
    found = window_features.of_levels(clip, first, settings, [network])
    torch.testing.assert_close(found[:, :N_FEATURES], network.features(clip, first), atol=1e-4, rtol=1e-4)
    windows = clip.unfold(1, WINDOW_FRAMES, 1)[:, first].transpose(0, 1)
    torch.testing.assert_close(found[:, N_FEATURES : N_FEATURES + 96], windows.mean(dim=2))
    torch.testing.assert_close(found[:, N_FEATURES + 96 :], windows.std(dim=2))
    assert found.shape[1] == settings.n_values


def test_training_leaves_the_statistics_of_pretraining():
    network = random_network().train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(levels(2, 40)[:, None]).sum().backward()
    assert before and all(torch.equal(value, before[name]) for name, value in network.named_buffers())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.temporal.parameters())


def varint(value):
    """An integer as protobuf and LevelDB write it."""
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + varint(value // 128)


def entry(shape, offset, size, kind=1):
    """A BundleEntryProto: field numbers times 8, plus 0 for integers and 2 for messages."""
    dimensions = b"".join(b"\x12" + varint(2) + b"\x08" + bytes([n]) for n in shape)
    return (
        b"\x08" + bytes([kind]) + b"\x12" + varint(len(dimensions)) + dimensions
        + (b"\x20" + varint(offset) if offset else b"") + b"\x28" + varint(size) + b"\x35abcd"
    )  # fmt: skip


def block(pairs):
    """Keys and values with the beginnings that they share left out, one restart point, uncompressed."""
    written, before = b"", b""
    for key, value in pairs:
        shared = next(i for i in range(len(key) + 1) if key[: i + 1] != before[: i + 1] or i == len(key))
        written += bytes([shared, len(key) - shared]) + varint(len(value)) + key[shared:] + value
        before = key
    return written + struct.pack("<II", 0, 1)


def table(*blocks):
    written, handles = b"", []
    for content in (*map(block, blocks), block([])):
        handles.append(varint(len(written)) + varint(len(content)))
        written += content + b"\x00crc_"
    index = block([(pairs[-1][0], handle) for pairs, handle in zip(blocks, handles, strict=False)])
    footer = (handles[-1] + varint(len(written)) + varint(len(index))).ljust(40, b"\x00")
    return written + index + b"\x00crc_" + footer + tensorflow_checkpoint.MAGIC


def test_a_checkpoint_written_by_hand_is_read():
    kernel, bias, step = np.arange(200, dtype="<f4"), np.array([-1.5, 2], "<f4"), np.array(7, "<i8")
    data = b"".join(value.tobytes() for value in (bias, kernel, step))
    index = table(
        [(b"", b"\x08\x01"), (b"dense/bias", entry([2], 0, 8)), (b"dense/kernel", entry([100, 2], 8, 800))],
        [(b"step", entry([], 808, 8, kind=9))],
    )
    found = tensorflow_checkpoint.read(index, data)
    assert list(found) == ["dense/bias", "dense/kernel", "step"]
    np.testing.assert_array_equal(found["dense/kernel"], kernel.reshape(100, 2))
    np.testing.assert_array_equal(found["dense/bias"], bias)
    assert found["step"] == 7 and found["step"].shape == ()


def test_what_is_no_checkpoint_is_refused():
    good = table([(b"a", entry([2], 0, 8))])
    compressed = bytearray(good)
    compressed[compressed.index(b"crc_") - 1] = 1
    cases = [
        (b"short", b"", "magic number"),
        (good[:-1], b"", "magic number"),
        (good, b"1234", "do not fill"),
        (bytes(compressed), b"12345678", "compressed"),
        (table([(b"a", entry([2], 0, 8, kind=7))]), b"12345678", "type 7"),
    ]
    for index, data, reason in cases:
        with pytest.raises(CheckpointError, match=reason):
            tensorflow_checkpoint.read(index, data)


def test_weights_that_are_not_here_or_not_the_released_ones_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(musicnn_weights.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(musicnn_weights.paths, "SHIPPED_MODEL", tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="pip install --no-deps musicnn==0.1.0"):
        musicnn_weights.load("MTT_musicnn", tmp_path)  # MSD comes with the model that ships
    with pytest.raises(WeightsError, match="MTT_musicnn"):
        musicnn_weights.load("musicnn", tmp_path)
    for file in musicnn_weights.CHECKPOINTS["MSD_musicnn"]:
        (tmp_path / "MSD_musicnn").mkdir(exist_ok=True)
        (tmp_path / "MSD_musicnn" / file).write_bytes(b"another")
    with pytest.raises(WeightsError, match="another SHA-256"):
        musicnn_weights.convert("MSD_musicnn", tmp_path, tmp_path / "weights.safetensors")
    assert not (tmp_path / "weights.safetensors").exists()


def test_every_logit_has_a_tag():
    assert {len(set(tags)) for tags in musicnn_weights.TAGS.values()} == {musicnn.N_TAGS}
    assert musicnn_weights.TAGS.keys() == musicnn_weights.CHECKPOINTS.keys() == set(MODELS)


@pytest.fixture(scope="module", params=MODELS)
def released(request):
    """A network with its released weights, and its name; from the cache or the installed package."""
    own = paths.DATA / "cache" / "pretrained"
    if not musicnn_weights.are_released(request.param, own):
        pytest.skip(musicnn_weights.HOW_TO_GET_IT)
    cache = own if musicnn_weights.kept_at(request.param, own).exists() else None
    return request.param, musicnn_weights.load(request.param, cache)


def test_stores_tell_released_weights_from_those_in_half_precision(monkeypatch):
    settings, found = WindowFeatures(("MTT_musicnn",)), set()
    for released in (True, False):
        monkeypatch.setattr(musicnn_weights, "are_released", lambda name, released=released: released)
        found.add(store_name(settings, ["a"]))
    assert len(found) == 2


def test_fine_tuning_changes_what_is_to_be_trained_and_nothing_else(network, monkeypatch):
    monkeypatch.setattr(musicnn_weights, "load", lambda name: deepcopy(network).requires_grad_(True))
    levels, labels = torch.randn(4, 1, 96, 64) * 10 - 30, torch.tensor([0, 1, 2, 3])
    for trained, parts in {"all": 5, "middle": 2, "head": 1}.items():
        tuned = pretrained.Settings(trained=trained).build(4, FEATURES).train()
        before = deepcopy(tuned)
        optimizer = torch.optim.SGD(tuned.parameters(), lr=0.1)
        F.cross_entropy(tuned(levels), labels).backward()
        optimizer.step()
        pairs = zip(tuned.named_parameters(), before.parameters(), strict=True)
        moved = {name.split(".")[0] for (name, now), then in pairs if not torch.equal(now, then)}
        assert len(moved) == parts and "head" in moved, trained


def test_answers_are_those_of_the_original(released):
    name, network = released
    samples = torch.from_numpy(np.stack(list(signals().values())))
    with torch.inference_mode():
        clips = log_mel(samples, FEATURES)[..., :WINDOW_FRAMES]
        found = torch.cat([network.features(clip, torch.tensor([0])) for clip in clips])
    with np.load(GOLDEN) as golden:
        np.testing.assert_allclose(found[:, 200:250].sigmoid(), golden[f"{name}_tags"], atol=1e-4)
        for output, columns in OUTPUTS.items():
            np.testing.assert_allclose(found[:, columns], golden[f"{name}_{output}"], atol=1e-3)


def test_song_features_are_the_mean_of_stored_windows(corpus, network, monkeypatch):
    monkeypatch.setattr(musicnn_weights, "load", lambda name: network)
    window_features.pretrained.cache_clear()
    settings = WindowFeatures(("MSD_musicnn", "MTT_musicnn"), statistics=True)
    frames = compute(corpus, settings, progress=False)
    found = sources.load("musicnn:MSD_musicnn", corpus, FEATURES)
    assert found.shape == (len(corpus), N_FEATURES) and len(np.unique(found[:, 0])) == len(corpus)
    own = frames.values[frames.offsets[3] : frames.offsets[4], :N_FEATURES]
    np.testing.assert_allclose(found[3], own.mean(axis=0, dtype=float))
    assert frames.values.shape[1] == settings.n_values == 2 * N_FEATURES + 192
    some = compute(corpus, replace(settings, layers=("tags", "maximum")), progress=False).values
    np.testing.assert_array_equal(some[:, :50], frames.values[:, 200:250])
    np.testing.assert_array_equal(some[:, 803:853], frames.values[:, N_FEATURES + 200 : N_FEATURES + 250])
    np.testing.assert_array_equal(some[:, -192:], frames.values[:, -192:])
    # a window of 3 s is one frame, of 5 s the three that lie within it
    short, longer = (windows(frames, seconds) for seconds in (3.0, 5.0))
    assert short.n_frames == 1 and longer.n_frames == 3
    assert len(short) == len(frames.values) and len(longer) == len(short) - 2 * len(corpus)
    window_features.pretrained.cache_clear()


def test_layers_behind_the_front_end_answer_alike_on_levels_and_on_stored_maps(network, monkeypatch):
    monkeypatch.setattr(musicnn_weights, "load", lambda name: deepcopy(network))
    middle = pretrained.Settings(trained="middle")
    whole, behind = (middle.build(4, features).eval() for features in (FEATURES, FrontEndMaps()))
    behind.head[-1].load_state_dict(whole.head[-1].state_dict())
    levels = torch.randn(96, 100) * 10 - 30
    maps = network.front_end_of_clip(levels)
    assert maps.shape == (1, FrontEndMaps.n_values, 100)
    torch.testing.assert_close(behind(maps[None]), whole(levels[None, None]), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="front end is not trained"):
        pretrained.Settings(trained="all").build(4, FrontEndMaps())
