"""Files with changed bytes, for every reader: read, or refused in a sentence, in little time and memory."""

import json
import os
import resource
import subprocess
import zlib

import mido
import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone, untrained, write_text

from mer_app import inputs
from mer_companion import array_store
from mer_companion.packing import pack
from mer_companion.song_features import sources
from mer_core import UserError, trained_model
from mer_core.audio import completeness, decoding
from mer_core.datasets import folder, rendered, vgmidi

LONGEST_S = 10.0  # of the processor, a case
MOST_MORE_MB = 1500
FEW, MANY = 25, 900  # cases a reader


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, removed, doubled, or the end lost; often at the beginning, where headers are."""
    made = bytearray(content)
    for _ in range(rng.integers(1, 8)):
        reach = min(len(made), 200) if rng.random() < 0.6 else len(made)
        i, n = int(rng.integers(max(reach, 1))), int(rng.integers(1, 17))
        kind = rng.integers(5)
        if kind == 0 and made:
            made[i : i + 1] = bytes([int(rng.integers(256))])
        elif kind == 1:
            made[i : i + n] = b"\xff" * n if rng.random() < 0.5 else b"\0" * n
        elif kind == 2:
            del made[i : i + n]
        elif kind == 3:
            made[i:i] = made[i : i + n]
        elif rng.random() < 0.2:
            del made[int(rng.integers(max(len(made), 1))) :]
    return bytes(made)


def sound(path):
    samples = np.concatenate([tone(440, 0.5), tone(1000, 0.5, 0.2)])
    soundfile.write(path, samples, RATE if path.suffix != ".opus" else 24000,
                    **({"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}))  # fmt: skip


def sound_of_ffmpeg(path):
    sound(path.with_suffix(".wav"))
    subprocess.run(["ffmpeg", "-y", "-v", "error", "-i", path.with_suffix(".wav"), path], check=True)


def table(path):
    write_text(path.parent / "a.wav", "x"), write_text(path.parent / "b.wav", "x")
    write_text(path, "path,label,group\na.wav,sad,x\nb.wav,happy,y\n")


def midi(path):
    notes = [
        mido.Message("note_on", note=60, velocity=80, time=0),
        mido.Message("note_off", note=60, time=960),
    ]
    mido.MidiFile(tracks=[mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000), *notes])]).save(path)


def ratings(path):
    curves = {f"p_{i}": {"valence": [0.5, -0.5], "arousal": [0.1, 0.2]} for i in range(3)}
    piece = {"p": {"midi": "a.mid", "duration": 4, "measures": 2}}
    for file in vgmidi.RATINGS:
        write_text(path.parent / file, json.dumps({"pieces": piece, "annotations": curves}))
    path.write_bytes((path.parent / vgmidi.RATINGS[0]).read_bytes())


def read_ratings(path):
    (path.parent / vgmidi.RATINGS[0]).write_bytes(path.read_bytes())
    pieces = vgmidi._pieces(path.parent)
    return np.array(
        [value for _, curves in pieces.values() for one in curves.values() for value in one["valence"]]
    )


def embeddings(path):
    np.savez(path, track_id=["a", "b"], values=np.arange(6.0).reshape(2, 3))


ARRAYS = {"p": np.linspace(0, 1, 50)}
OF_ARRAYS = f"{array_store.digest_of(pack(ARRAYS))}.gz"


def arrays(path):
    array_store.put(path.parent, ARRAYS)


def read_arrays(path):
    return array_store.get(path.parent, path.stem)["p"]


def scores(path):
    write_text(path, "id,x,y\na,1.5,2\nb,3,4\n")


def read_numbers(path):
    return sources.table_of(path).to_numpy()


def read_playlist(path):
    return inputs.Listing([str(path)]).files


def pls(path):
    write_text(path, "[playlist]\nFile1=a.mp3\nTitle1=A\nFile2=b.mp3\n")


def playlist(path):
    write_text(path, "#EXTM3U\n#EXTINF:30,Song\na.mp3\nsub/b.mp3\nfile:///nowhere/c%20d.mp3\n")


def read_sound(path):
    with decoding.opened(path) as opened:
        samples = np.concatenate([np.zeros(0), *opened.at(RATE)])
        completeness.incomplete(opened)
    assert len(samples) < 60 * RATE, "a second of sound became a minute"
    return samples


def read_model(path):
    model = trained_model.load(path)
    return np.concatenate([value.float().numpy().ravel() for value in model.ensemble.state_dict().values()])


READERS = {  # the name of a file, how a good one is made, and how it is read
    **{f"a.{kind}": (sound, read_sound) for kind in ("wav", "flac", "ogg", "opus", "mp3", "aiff", "au")},
    **({"a.m4a": (sound_of_ffmpeg, read_sound)} if decoding.has_ffmpeg() else {}),
    "a.csv": (table, lambda path: folder.from_csv(path)["path"].map(str)),
    "a.mid": (midi, lambda path: np.array([rendered.seconds_of(path)])),
    "a.json": (ratings, read_ratings),
    "a.npz": (embeddings, read_numbers),
    "e.csv": (scores, read_numbers),
    OF_ARRAYS: (arrays, read_arrays),
    "a.safetensors": (lambda path: trained_model.save(untrained(), path), read_model),
    "a.m3u8": (playlist, read_playlist),
    "a.pls": (pls, read_playlist),
}
MAY_HOLD_NAN = ("e.csv", "a.npz")  # who uses them refuses it: `of_tracks`, `leaderboard.matrix`


def fuzz(tmp_path, name, seeds):
    """Read changed copies; gives how many were read and refused."""
    path = tmp_path / name
    make, read = READERS[name]
    make(path)
    good, outcomes = path.read_bytes(), {"read": 0, "refused": 0}
    read(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in seeds:
        path.write_bytes(mutated(good, np.random.default_rng((seed, zlib.crc32(name.encode())))))
        began = sum(os.times()[:4])  # of ours and of ffmpeg's: other programs may have the machine
        try:
            found = read(path)
        except UserError as error:
            assert str(error) and "Traceback" not in str(error)
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            if isinstance(found, np.ndarray) and name not in MAY_HOLD_NAN:
                assert np.isfinite(found).all(), f"seed {seed}: not finite"
        took = sum(os.times()[:4]) - began
        assert took < LONGEST_S, f"seed {seed}: took {took:.0f} s"
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert more < MOST_MORE_MB, f"{more:.0f} MB more"
    return outcomes


@pytest.mark.parametrize("name", READERS)
def test_changed_files_are_read_or_refused(tmp_path, name, record_property):
    record_property("cases", FEW)
    fuzz(tmp_path, name, range(FEW))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_changed_files_are_read_or_refused(tmp_path, name, record_property):
    record_property("cases", MANY)
    outcomes = fuzz(tmp_path, name, range(FEW, FEW + MANY))
    assert sum(outcomes.values()) == MANY and (outcomes["refused"] or name.endswith(("m3u8", "pls")))


def test_scores_that_are_not_numbers_reach_no_classifier(tmp_path, corpus):
    ids = corpus.table["track_id"]
    rows = pd.DataFrame({"id": ids, "x": np.arange(len(ids)) + 0.5, "y": np.nan})
    rows.to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(UserError, match=r"e\.csv"):
        sources.embeddings(tmp_path / "e.csv", corpus)
