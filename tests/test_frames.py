import json
import os
import time

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from conftest import RATE, tone, write

from mer_core import frames
from mer_core.audio import decoding
from mer_core.audio.features import LogMel, log_mel
from mer_core.datasets.tracks import DataError, measured

SETTINGS = LogMel(n_mels=32, pool_frames=2)


def tracks_of(folder, durations):
    paths = [write(folder / f"t{i:02d}.wav", tone(200 + 50 * i, d)) for i, d in enumerate(durations)]
    table = pd.DataFrame({"track_id": [p.stem for p in paths], "path": paths, "label": "a", "group": "g"})
    return measured("test", ("a",), table, skip_unreadable=False)


@pytest.mark.parametrize("window_s", [1.0, 2.0, 3.0])
def test_number_of_windows_is_floor_of_duration_less_window_plus_one(tmp_path, window_s):
    durations = [3.0, 3.99, 5.5, 7.0001]
    store = frames.compute(tracks_of(tmp_path, durations), SETTINGS, cache=tmp_path, progress=False)
    windows = frames.windows(store, window_s)
    expected = [int(np.floor(d - window_s)) + 1 for d in durations]
    assert np.bincount(windows.track).tolist() == expected


@pytest.mark.parametrize("pool", [1, 2, 4, 10])
def test_no_window_reaches_beyond_its_track(tmp_path, pool):
    store = frames.compute(
        tracks_of(tmp_path, [3.0, 3.02, 4.0, 5.97]), LogMel(n_mels=8, pool_frames=pool), cache=tmp_path
    )
    windows = frames.windows(store, 3.0)
    assert np.all(windows.first >= store.offsets[windows.track])
    assert np.all(windows.first + windows.n_frames <= store.offsets[windows.track + 1])


def test_a_window_holds_what_sounds_there(tmp_path):
    path = write(tmp_path / "step.wav", np.concatenate([tone(300, 4.0), tone(3000, 4.0)]))
    table = pd.DataFrame({"track_id": ["step"], "path": [path], "label": "a", "group": "g"})
    store = frames.compute(measured("t", ("a",), table, skip_unreadable=False), SETTINGS, cache=tmp_path)
    windows = frames.windows(store, 2.0)
    loudest = [store.values[f : f + windows.n_frames].mean(axis=0).argmax() for f in windows.first]
    assert loudest[0] == loudest[2] < loudest[4] == loudest[6]


def test_a_clip_shorter_than_a_window_is_named(tmp_path):
    store = frames.compute(tracks_of(tmp_path, [5.0, 2.5]), SETTINGS, cache=tmp_path)
    with pytest.raises(DataError, match=r"t01 \(2.50 s\)"):
        frames.windows(store, 3.0)


def test_levels_that_are_not_finite_are_refused_by_name(tmp_path):
    tracks = tracks_of(tmp_path, [3.0, 3.0])
    samples = tone(300, 3.0)
    samples[5000] = 1e20  # finite, but not its square
    soundfile.write(tmp_path / "t01.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(DataError, match=r"t01\.wav: levels of its sound are not finite .* Export it again"):
        frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False)


def test_a_killed_run_goes_on_and_gives_the_same_store(tmp_path, monkeypatch):
    tracks = tracks_of(tmp_path, [2.0] * 6)
    whole = frames.compute(tracks, SETTINGS, cache=tmp_path / "whole", progress=False)
    decoded, original = [], decoding.read

    def read_until_killed(path, rate):
        if len(decoded) == 3:
            raise KeyboardInterrupt
        decoded.append(path)
        return original(path, rate)

    monkeypatch.setattr(decoding, "read", read_until_killed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one decoder, so that the kill comes at a known track
    try:
        with pytest.raises(KeyboardInterrupt):
            frames.compute(tracks, SETTINGS, cache=tmp_path / "killed", progress=False)
    finally:
        torch.set_num_threads(threads)
    partial = next((tmp_path / "killed").glob("*.partial"))
    assert not list((tmp_path / "killed").glob("*.json"))
    journal = partial.with_suffix(".journal")
    assert len(journal.read_text().splitlines()) == 3
    with partial.open("ab") as file:  # half a track that no journal row vouches for
        file.write(b"garbage")
    decoded.clear()
    monkeypatch.setattr(decoding, "read", lambda path, rate: decoded.append(path) or original(path, rate))
    again = frames.compute(tracks, SETTINGS, cache=tmp_path / "killed", progress=False)
    assert len(decoded) == 3
    np.testing.assert_array_equal(again.values, whole.values)
    np.testing.assert_array_equal(again.offsets, whole.offsets)
    decoded.clear()
    frames.compute(tracks, SETTINGS, cache=tmp_path / "killed", progress=False)
    assert decoded == []


def test_a_store_killed_before_its_index_is_not_lost(tmp_path, monkeypatch):
    tracks = tracks_of(tmp_path, [2.0, 3.0])
    whole = np.array(frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False).values)
    (index,) = tmp_path.glob("*.json")
    journal = index.with_suffix(".journal")
    journal.write_text("".join(json.dumps(row) + "\n" for row in json.loads(index.read_text())))
    index.unlink()  # as a kill between the renaming of the frames and the writing of the index leaves it
    monkeypatch.setattr(decoding, "read", None)
    np.testing.assert_array_equal(
        frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False).values, whole
    )


def test_a_journal_row_without_its_frames_is_not_believed(tmp_path):
    tracks = tracks_of(tmp_path, [2.0, 3.0])
    whole = frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False)
    values, rows = np.array(whole.values), json.loads((tmp_path / f"{whole.name}.json").read_text())
    (tmp_path / f"{whole.name}.json").unlink()
    (tmp_path / f"{whole.name}.f16").rename(tmp_path / f"{whole.name}.partial")
    with (tmp_path / f"{whole.name}.partial").open(
        "r+b"
    ) as file:  # the machine lost power: the last frames never arrived
        file.truncate(values[: rows[0]["n_frames"] + 5].nbytes)
    (tmp_path / f"{whole.name}.journal").write_text("".join(json.dumps(row) + "\n" for row in rows))
    np.testing.assert_array_equal(
        frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False).values, values
    )


def test_same_sound_elsewhere_is_not_computed_again(tmp_path, monkeypatch):
    frames.compute(tracks_of(tmp_path / "here", [2.0, 3.0]), SETTINGS, cache=tmp_path)
    monkeypatch.setattr(decoding, "read", None)  # calling it would fail
    moved = frames.compute(tracks_of(tmp_path / "there", [2.0, 3.0]), SETTINGS, cache=tmp_path)
    assert len(moved.values) > 0
    with pytest.raises(TypeError):
        frames.compute(tracks_of(tmp_path / "there", [2.0, 2.0]), SETTINGS, cache=tmp_path)


def test_an_undecodable_file_is_named_and_skipped_only_on_request(tmp_path):
    tracks = tracks_of(tmp_path, [2.0, 2.0, 2.0])
    bad = tracks.table["path"][1]
    bad.write_bytes(b"RIFF....")
    with pytest.raises(DataError, match="t01.wav"):
        frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False)
    store = frames.compute(tracks, SETTINGS, cache=tmp_path, skip_unreadable=True, progress=False)
    assert list(store.tracks.table["track_id"]) == ["t00", "t02"]
    assert str(bad) in store.tracks.skipped
    assert len(store.offsets) == 3
    with pytest.raises(DataError, match="t01.wav"):  # a store that exists by now does not make the file good
        frames.compute(tracks, SETTINGS, cache=tmp_path, progress=False)


def test_frames_are_kept_to_a_twentieth_of_a_decibel(tmp_path):
    store = frames.compute(tracks_of(tmp_path, [2.0]), LogMel(), cache=tmp_path)
    exact = log_mel(torch.from_numpy(decoding.read(store.tracks.table["path"][0], RATE))[None], LogMel())[
        0
    ].T.numpy()
    assert np.abs(store.values.astype(np.float32) - exact).max() < 0.05


def test_sound_is_read_once_for_its_hash_and_again_when_it_changes(tmp_path, monkeypatch):
    file, read = tmp_path / "a.wav", []
    hashed = frames.file_hash
    monkeypatch.setattr(frames, "file_hash", lambda path: read.append(path) or hashed(path))

    def hash_of(content, age_s):
        file.write_bytes(content)
        os.utime(file, (time.time() - age_s,) * 2)
        (found,) = frames.content_hashes([file], tmp_path)
        return found

    first = hash_of(b"one", 60)
    assert frames.content_hashes([file], tmp_path) == [first] and len(read) == 1
    assert hash_of(b"two", 30) != first and len(read) == 2  # as long as before, but later
    assert hash_of(b"one", 0) == first  # just written: not relied upon
    frames.content_hashes([file], tmp_path)
    assert len(read) == 4
