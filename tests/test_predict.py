"""Sound files as they lie on people's disks: each is predicted, or a sentence says why not, and the others go
on.
"""

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr
import torch
from click.testing import CliRunner
from conftest import RATE, tone, untrained, write, write_text

from mer_app import inputs, main, outputs
from mer_companion.analysis import figures
from mer_core import datasets, frames, predict, trained_model
from mer_core.audio import completeness, decoding, size_fields
from mer_core.audio.features import LogMel, log_mel, log_mel_of_blocks
from mer_core.datasets import folder
from mer_core.datasets.tracks import DataError, audio_files, measured
from mer_core.evaluation import uncertainty
from mer_core.files import locked
from mer_core.segments import make_segments

MODEL = untrained()
FFMPEG = pytest.mark.skipif(not decoding.has_ffmpeg(), reason="ffmpeg is not installed")


@pytest.fixture
def song(tmp_path, rng):
    """Five seconds in which something happens."""
    samples = np.concatenate([tone(220, 2.5), tone(880, 2.5, 0.1)]) + 0.01 * rng.standard_normal(5 * RATE)
    return write(tmp_path / "song.wav", samples.astype(np.float32))


@pytest.fixture
def model_file(tmp_path):
    return str(trained_model.save(MODEL, tmp_path / "model.safetensors"))


def mer_predict(model_file, *words, **keywords):
    return CliRunner().invoke(main.main, ["predict", "--model", model_file, *map(str, words)], **keywords)


@pytest.mark.parametrize("settings", [LogMel(), LogMel(n_mels=64, pool_frames=4)])
@pytest.mark.parametrize("n", [1, 511, 512, 1025, 40_000, 100_000])
def test_blocks_give_the_frames_of_the_whole(settings, n, rng):
    samples = rng.standard_normal(n).astype(np.float32)
    whole = log_mel(torch.from_numpy(samples)[None], settings)[0].T
    parts = torch.cat(list(log_mel_of_blocks(np.array_split(samples, 7), settings, frames_at_once=8)))
    assert parts.shape == whole.shape == (settings.n_frames(n), settings.n_mels)
    assert (parts - whole).abs().max() < 1e-3


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 192_000])
def test_decoding_in_blocks_loses_no_sample(tmp_path, rng, rate):
    samples = rng.uniform(-0.5, 0.5, 3 * decoding.BLOCK // 2).astype(np.float32)
    path = write(tmp_path / "a.wav", samples, rate)
    decoded, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(
        decoding.read(path, RATE), decoded if rate == RATE else soxr.resample(decoded, rate, RATE)
    )


def test_frames_of_a_file_are_those_of_training(song, tmp_path):
    table = pd.DataFrame({"track_id": ["a"], "path": [song], "label": ["any"], "group": ["a"]})
    tracks = measured("one", ("any",), table, skip_unreadable=False)
    store = frames.compute(tracks, MODEL.features, cache=tmp_path / "cache", progress=False)
    segments = make_segments(store, frames.windows(store, MODEL.window_s), torch.device("cpu"))
    with torch.inference_mode():
        expected = MODEL.ensemble(segments.spectrograms(torch.arange(len(segments))))
    said = predict.predict(song, MODEL)
    np.testing.assert_allclose(said.timeline[list(MODEL.classes)], expected, atol=1e-6)
    np.testing.assert_allclose(list(said.probabilities.values()), expected.mean(dim=0), atol=1e-6)


def test_what_is_said_hangs_together(song):
    said = predict.predict(song, MODEL)
    assert sum(said.probabilities.values()) == pytest.approx(1) and said.duration_s == pytest.approx(5)
    assert said.valence == pytest.approx(said.probabilities["Q1"] + said.probabilities["Q4"])
    assert said.arousal == pytest.approx(said.probabilities["Q1"] + said.probabilities["Q2"])
    assert said.timeline["start_s"].tolist() == [0, 1, 2] and said.timeline["end_s"].tolist() == [3, 4, 5]
    assert said.predicted[0] in str(said) and not said.notes


def test_networks_that_answer_nan_are_refused_by_name(song):
    model = untrained()
    model.ensemble.members[0].network.head[-1].bias.data.fill_(float("nan"))
    with pytest.raises(trained_model.ModelError, match="probabilities are not finite"):
        predict.predict(song, model)


def test_loudness_of_the_channels_is_averaged_and_six_of_them_are_no_trouble(tmp_path):
    left = tone(300, 4)
    mono, surround = write(tmp_path / "mono.wav", left / 6), tmp_path / "surround.wav"
    soundfile.write(surround, np.stack([left, *[0 * left] * 5], axis=1), RATE)
    for one, other in zip(
        *(predict.predict(p, MODEL).probabilities.values() for p in (mono, surround)), strict=True
    ):
        assert one == pytest.approx(other, abs=0.01)


def test_uncertainty_is_the_sum_of_its_parts(rng):
    each = rng.dirichlet(np.ones(4), size=(3, 10))
    found = uncertainty.of_song(each)
    assert found.total == pytest.approx(found.doubt + found.disagreement + found.change) and min(found) > 0
    sure = np.tile(np.eye(4)[0], (3, 10, 1))
    assert uncertainty.of_song(sure).total == 0
    sure[1] = np.eye(4)[1]
    assert uncertainty.of_song(sure).disagreement > 0 == uncertainty.of_song(sure).doubt
    sure = np.tile(np.eye(4)[0], (3, 10, 1))
    sure[:, 5:] = np.eye(4)[1]
    assert uncertainty.of_song(sure) == pytest.approx((0.5, 0, 0, 0.5))
    assert uncertainty.of_song(np.full((2, 3, 5), 0.5), tagged=True).total == pytest.approx(1)


def test_tags_are_all_that_are_likelier_than_not(song):
    said = predict.predict(song, untrained(("calm", "dark", "happy"), tagged=True))
    likely = {name for name, p in said.probabilities.items() if p > 0.5}
    assert said.valence is None and (set(said.predicted) == likely if likely else len(said.predicted) == 1)


def test_a_short_song_begins_again_and_says_so(tmp_path):
    short = predict.predict(write(tmp_path / "a.wav", tone(300, 1.2)), MODEL)
    assert len(short.timeline) == 1 and short.timeline["end_s"][0] == pytest.approx(1.2)
    assert "it was repeated" in short.notes[0]
    with pytest.raises(decoding.AudioError, match=r"lasts 0\.40 s.*longer piece"):
        predict.predict(write(tmp_path / "b.wav", tone(300, 0.4)), MODEL)


@pytest.mark.parametrize("rate, notes", [(8000, 1), (192_000, 0)])
def test_unusual_sample_rates(tmp_path, rate, notes, rng):
    said = predict.predict(
        write(tmp_path / "a.wav", rng.uniform(-0.1, 0.1, 4 * rate).astype(np.float32), rate), MODEL
    )
    assert len(said.notes) == notes and said.duration_s == pytest.approx(4)


def test_silence_is_predicted_with_a_note(tmp_path):
    assert (
        "silent" in predict.predict(write(tmp_path / "a.wav", np.zeros(4 * RATE, np.float32)), MODEL).notes[0]
    )


def wrong_files(folder: Path) -> dict[str, str]:
    """Files that cannot be predicted, by name, and a word of the reason."""
    (folder / "empty.mp3").write_bytes(b"")
    (folder / "text.mp3").write_text("Dear diary, today I listened to nothing at all.\n" * 100)
    samples = tone(300, 4)
    samples[5000] = np.nan
    soundfile.write(folder / "nan.wav", samples, RATE, subtype="FLOAT")
    samples[5000] = 1e20
    soundfile.write(folder / "vast.wav", samples, RATE, subtype="FLOAT")
    write(folder / "moment.wav", tone(300, 0.4))
    write(folder / "nothing.wav", np.zeros(0, np.float32))
    write(folder / "cut.flac", np.random.default_rng(0).uniform(-1, 1, 10 * RATE).astype(np.float32))
    os.truncate(folder / "cut.flac", 100_000)
    (folder / "nowhere.mp3").symlink_to(folder / "gone.mp3")
    return {
        "empty.mp3": "0 bytes",
        "text.mp3": "libsndfile",
        "nan.wav": "not numbers",
        "vast.wav": "not finite",
        "moment.wav": "0.40 s",
        "nothing.wav": "no samples",
        "cut.flac": "damaged",
        "nowhere.mp3": "leads nowhere",
    }


def test_bad_files_are_named_with_reason_and_remedy_and_the_others_predicted(tmp_path, model_file):
    folder = tmp_path / "music"
    folder.mkdir()
    wrong = wrong_files(folder)
    odd = [
        folder / 'it\'s "so" good.wav',
        folder / "two\nlines.wav",
        Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav")),
    ]
    for path in odd:
        soundfile.write(os.fsencode(path), tone(300, 4), RATE, format="WAV")
    answer = mer_predict(model_file, folder, "--csv", tmp_path / "out.csv", "--json", tmp_path / "out.jsonl")
    assert answer.exit_code == 1 and f"{len(wrong)} could not be predicted" in answer.stderr
    lines = answer.stderr.splitlines()
    for name, reason in wrong.items():
        (line,) = [line for line in lines if name in line]
        assert reason in line and line.endswith(".")
    assert (
        "two\\nlines.wav" in answer.stdout
        and "caf\\udce9.wav" in answer.stdout
        and "Traceback" not in answer.output
    )
    table = pd.read_csv(tmp_path / "out.csv", encoding_errors="surrogateescape")
    assert set(table["path"]) == {str(path) for path in odd}
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {one["path"] for one in objects} == {str(path) for path in odd}
    assert len(objects[0]["timeline"]["Q1"]) == 2 and "undecided" in objects[0]["scales"]["valence, arousal"]


NOISE = np.random.default_rng(0).uniform(-0.3, 0.3, 8 * RATE).astype(np.float32)


def mp3(folder: Path, *, index: bool, mode: str = "CONSTANT", level: float = 0.5) -> bytes:
    """Noise as mp3, with or without the frame at its beginning that tells how many follow."""
    soundfile.write(folder / "whole.mp3", NOISE, RATE, bitrate_mode=mode, compression_level=level)
    whole = (folder / "whole.mp3").read_bytes()
    return whole if index else whole[completeness._mp3_frame(whole[:3])[0] :]


def notes_of(path: Path, content: bytes) -> tuple[str, ...]:
    path.write_bytes(content)
    return predict.predict(path, MODEL).notes


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.ogg", "a.opus", "a.mp3"])
def test_a_file_that_was_cut_off_is_predicted_with_a_note(tmp_path, name):
    path = tmp_path / name
    if name == "a.opus":
        soundfile.write(path, NOISE, 24_000, format="OGG", subtype="OPUS")
    whole = (
        mp3(tmp_path, index=False)
        if name == "a.mp3"
        else (path if path.exists() else write(path, NOISE)).read_bytes()
    )
    assert notes_of(path, whole) == ()
    (note,) = notes_of(path, whole[: len(whole) * 6 // 10])
    assert note == "is cut off: the file ends in the middle of its sound. Fetch it again."


def test_an_mp3_whose_header_tells_its_length_was_cut_off(tmp_path):
    whole = mp3(tmp_path, index=True)
    (note,) = notes_of(tmp_path / "a.mp3", whole[: len(whole) // 2])
    assert note.startswith("the header promises 8.0 s, but only ") and note.endswith("Fetch it again.")


@pytest.mark.parametrize("end", [b"TAG" + bytes(125), b"APETAGEX" + bytes(200), bytes(500)])
def test_what_stands_after_the_last_frame_of_an_mp3_does_not_count(tmp_path, end):
    assert notes_of(tmp_path / "a.mp3", mp3(tmp_path, index=False) + end) == ()


def test_joined_mp3s_that_are_heard_to_their_end_are_not_called_cut_off(tmp_path):
    fine, coarse = (mp3(tmp_path, index=False, level=level) for level in (0.1, 0.9))
    path = tmp_path / "a.mp3"
    assert notes_of(path, coarse + fine) == ()
    with soundfile.SoundFile(path) as file:
        assert file.frames > 1.5 * 2 * len(NOISE)  # guessed from the first frames and the size of the file


def test_an_mp3_that_holds_more_than_its_header_tells_of_is_decoded_in_part_and_says_so(tmp_path):
    joined, guessed = 2 * mp3(tmp_path, index=True), mp3(tmp_path, index=False, mode="VARIABLE")
    for content, held in ((joined, "16.1"), (guessed, "8.0")):
        assert notes_of(tmp_path / "a.mp3", content)[0].startswith(f"holds {held} s, but only the first ")


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_from_a_pipe_knows_no_length_and_is_not_called_cut_off(tmp_path, length):
    whole = bytearray(write(tmp_path / "a.wav", NOISE).read_bytes())
    whole[4:8] = whole[40:44] = length.to_bytes(4, "little")
    assert notes_of(tmp_path / "a.wav", whole) == ()


@pytest.mark.parametrize(
    "name, mark", [("a.wav", b"data"), ("a.aiff", b"SSND"), ("a.au", b".snd"), ("a.rf64", b"ds64")]
)
@pytest.mark.parametrize("told", [0, 40_000])
def test_what_lies_beyond_a_size_field_is_heard_with_a_note(tmp_path, name, mark, told):
    path = tmp_path / name
    soundfile.write(path, NOISE, RATE, "PCM_16", format=name[2:].upper())
    samples, whole = decoding.read(path, RATE), bytearray(path.read_bytes())
    at, form = whole.index(mark), "<Q" if name == "a.rf64" else "<I" if name == "a.wav" else ">I"
    struct.pack_into(form, whole, at + (16 if name == "a.rf64" else 8 if name == "a.au" else 4), told)
    (note,) = notes_of(path, whole)
    assert note.startswith(f"its header tells of {told / 2 / RATE:.1f} s, but it holds 8.0 s, all of which")
    np.testing.assert_array_equal(decoding.read(path, RATE), samples)
    assert decoding.duration_s(path) == pytest.approx(8, abs=0.01)


@pytest.mark.parametrize(
    "end", [b"LIST" + struct.pack("<I", 60_000) + bytes(60_000), b"ID3\4" + bytes(60_000)]
)
def test_chunks_behind_the_samples_are_no_sound(tmp_path, end):
    path = write(tmp_path / "a.wav", NOISE)
    assert notes_of(path, path.read_bytes() + end) == () and decoding.duration_s(path) == 8


def test_a_size_field_that_began_again_at_zero_is_known(tmp_path):
    head = write(tmp_path / "a.wav", NOISE[:10]).read_bytes()[:44]
    with (tmp_path / "a.wav").open("wb") as file:
        file.write(head[:40] + struct.pack("<I", 1000) + b"\x83" * 2000)
        file.truncate(2**32 + 1044)  # of which 1000 bytes are beyond what the field can count
    with (tmp_path / "a.wav").open("rb") as file:
        found = size_fields.samples_in(file)
    assert (found.told, found.held, found.counted) == (1000, 2**32 + 1000, 2**32 - 1)


def test_a_flac_of_unknown_length_is_heard_to_its_end(tmp_path):
    path = write(tmp_path / "a.flac", NOISE)
    samples, whole = decoding.read(path, RATE), bytearray(path.read_bytes())
    whole[21] &= 0xF0  # the lower half of this byte, and the next four: how many samples there are
    whole[22:26] = bytes(4)
    assert notes_of(path, whole) == () and decoding.duration_s(path) == 8
    np.testing.assert_array_equal(decoding.read(path, RATE), samples)


@pytest.mark.parametrize("subtype, rate", [("VORBIS", RATE), ("OPUS", 24_000)])
def test_of_chained_ogg_streams_only_the_first_is_heard_and_a_note_says_so(tmp_path, subtype, rate):
    soundfile.write(tmp_path / "a.ogg", NOISE[: 8 * rate], rate, subtype, format="OGG")
    once = (tmp_path / "a.ogg").read_bytes()
    assert notes_of(tmp_path / "a.ogg", once) == ()
    (note,) = notes_of(tmp_path / "a.ogg", 2 * once)
    seconds = [float(number) for number in re.findall(r"\d+\.\d", note)]
    once_s = decoding.duration_s(tmp_path / "a.ogg")
    assert seconds == pytest.approx([2 * once_s, once_s], rel=0.2) and "only the first" in note


def test_samples_that_are_whole_numbers_stored_as_floats_get_a_note(tmp_path):
    soundfile.write(tmp_path / "a.wav", 32_768 * NOISE, RATE, subtype="FLOAT")
    (note,) = predict.predict(tmp_path / "a.wav", MODEL).notes
    assert re.match(r"reaches \d{4} where full scale is 1: .* export it in 16 bits\.", note)
    soundfile.write(tmp_path / "b.wav", 4 * NOISE, RATE, subtype="FLOAT")  # a loud mix
    assert predict.predict(tmp_path / "b.wav", MODEL).notes == ()


def test_channels_that_cancel_out_are_silence(tmp_path):
    (note,) = predict.predict(
        write(tmp_path / "a.wav", np.stack([tone(200, 4), -tone(200, 4)], axis=1)), MODEL
    ).notes
    assert note == "is silent once its channels are mixed: the prediction is meaningless."


@pytest.mark.parametrize("ffmpeg, known", [(True, "libsndfile or ffmpeg knows"), (False, "libsndfile knows")])
def test_what_no_decoder_knows_is_not_said_to_be_missing(tmp_path, monkeypatch, ffmpeg, known):
    if ffmpeg and not decoding.has_ffmpeg():
        pytest.skip("ffmpeg is not installed")
    monkeypatch.setattr(decoding, "has_ffmpeg", lambda: ffmpeg)
    (tmp_path / "a.mp3").write_bytes(np.random.default_rng(0).bytes(50_000))
    with pytest.raises(decoding.AudioError, match=rf"a\.mp3: is no sound that {known}\. (Convert|Install)"):
        predict.predict(tmp_path / "a.mp3", MODEL)


def test_without_permission(tmp_path, song, monkeypatch):
    def refused(self, *words):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(
        decoding.AudioError, match=r"song\.wav: cannot be read \(Permission denied\)\. Change its permissions"
    ):
        predict.predict(song, MODEL)


def test_a_folder_is_no_song(tmp_path):
    (tmp_path / "a.mp3").mkdir()
    with pytest.raises(decoding.AudioError, match="is no sound file"):
        predict.predict(tmp_path / "a.mp3", MODEL)


@FFMPEG
def test_what_only_ffmpeg_reads_sounds_the_same(song, tmp_path):
    path = tmp_path / "song.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", song, "-c:a", "alac", path], check=True)
    np.testing.assert_allclose(decoding.read(path, RATE), decoding.read(song, RATE), atol=1e-4)
    assert decoding.duration_s(path) == pytest.approx(5, abs=0.01)


@FFMPEG
@pytest.mark.parametrize(
    "content", ["#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n", "ffconcat version 1.0\nfile {}\n"]
)
def test_a_playlist_is_not_played_whatever_it_is_called(song, tmp_path, content):
    subprocess.run(["ffmpeg", "-v", "error", "-i", song, tmp_path / "a.aac"], check=True)
    for name in ("a.aac", "b.m4a", "/dev/zero"):  # the second would never end
        (tmp_path / "b.m4a").write_text(content.format(name))
        with pytest.raises(decoding.AudioError, match=r"b\.m4a: is no sound that libsndfile or ffmpeg knows"):
            decoding.read(tmp_path / "b.m4a", RATE)


@pytest.mark.parametrize("script", ["exec sleep 60", "printf '.snd\\0\\0\\0\\030' ; exec sleep 60"])
def test_an_ffmpeg_that_stalls_is_stopped(tmp_path, monkeypatch, script):
    write_text(tmp_path / "bin" / "ffmpeg", f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin" / "ffmpeg").chmod(0o755)
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(5000))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(decoding, "STALL_S", 0.2)
    with pytest.raises(decoding.AudioError, match=r"a\.m4a: ffmpeg gave no sound for 0\.2 s\. Convert"):
        decoding.read(tmp_path / "a.m4a", RATE)


def test_a_sound_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "LONGEST_S", 7.2)
    with pytest.raises(decoding.AudioError, match=r"a\.wav: lasts more than 0\.002 hours\. Cut it in pieces"):
        decoding.read(write(tmp_path / "a.wav", NOISE), RATE)


def test_without_ffmpeg_the_remedy_is_ffmpeg(tmp_path, monkeypatch):
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(5000))
    monkeypatch.setattr(decoding, "has_ffmpeg", lambda: False)
    with pytest.raises(decoding.AudioError, match="Install ffmpeg"):
        predict.predict(tmp_path / "song.m4a", MODEL)


def test_memory_does_not_grow_with_the_song(tmp_path):
    """Ten minutes in stereo are 212 MB of samples; to read them takes hardly more than to read one minute."""
    noise = np.random.default_rng(0).integers(-3000, 3000, (44100 * 60, 2), dtype=np.int16)
    for name, minutes in (("short", 1), ("long", 10)):
        with soundfile.SoundFile(tmp_path / f"{name}.wav", "w", 44100, 2) as file:
            for _ in range(minutes):
                file.write(noise)
    code = (
        "import resource, sys, torch; torch.set_num_threads(1)\n"
        "from conftest import untrained; from mer_core.predict import predict\n"
        "predict(sys.argv[1], untrained()); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peak = {}
    for name in ("short", "long"):
        words = [sys.executable, "-c", code, tmp_path / f"{name}.wav"]
        run = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        peak[name] = int(run.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert peak["long"] - peak["short"] < 40e6


def test_folders_patterns_and_playlists(tmp_path):
    for name in ("a.mp3", "b/c d.FLAC", "b/e.txt", ".hidden.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    a, c = tmp_path / "a.mp3", tmp_path / "b" / "c d.FLAC"
    assert inputs.Listing([str(tmp_path)]).files == [a, c]
    assert inputs.Listing([f"{tmp_path}/**/*.FLAC", str(a), str(a)]).files == [c, a]
    (tmp_path / "b" / "list.m3u8").write_text(
        f"\ufeff#EXTM3U\r\n../a.mp3\r\nfile://{str(c).replace(' ', '%20')}\r\nlist.m3u8\r\n"
    )
    (tmp_path / "list.pls").write_text(
        "[playlist]\nFile1=b/c d.FLAC\nTitle1=C\nFile2=http://example.org/x.mp3\n"
    )
    found = inputs.Listing([str(tmp_path / "b" / "list.m3u8"), str(tmp_path / "list.pls")])
    assert [path.resolve() for path in found.files] == [a, c]
    assert "Download it first" in found.problems["http://example.org/x.mp3"]
    found = inputs.Listing([f"{tmp_path}/*.wma", str(tmp_path / "b" / "e.txt"), ""])
    assert (
        "no file fits" in found.problems[f"{tmp_path}/*.wma"]
        and len(found.files) == 1
        and "" in found.problems
    )


def messy_music(folder: Path) -> Path:
    """Two labels, one of them a link, among what other programs leave in folders."""
    write(folder / "elsewhere" / "a.wav", tone(300, 1.0))
    write(folder / "music" / "sad" / "b.AU", tone(300, 1.0))
    for name in (".Trash-1000/c.wav", ".stversions/happy/d.wav", "sad/._b.wav", "sad/.AppleDouble/b.wav"):
        write_text(folder / "music" / name, "no sound")
    (folder / "music" / "happy").symlink_to(folder / "elsewhere")
    (folder / "music" / "sad" / "again").symlink_to(folder / "music" / "sad")
    return folder / "music"


def test_labelled_music_is_walked_as_any_folder_and_both_say_what_they_left_out(tmp_path):
    music = messy_music(tmp_path)
    listing, tracks = inputs.Listing([str(music)]), folder.read(music)
    assert (
        listing.files == tracks.table["path"].tolist() == [music / "happy" / "a.wav", music / "sad" / "b.AU"]
    )
    assert tracks.classes == ("Q1", "Q3") and audio_files(music) == {
        "a": listing.files[0],
        "b": listing.files[1],
    }
    hidden, repeated = tracks.notes
    assert listing.notes == {str(music): tracks.notes} and not listing.problems
    assert hidden.endswith("and 1 more: hidden, so left out.") and ".Trash-1000, " in hidden
    assert repeated.startswith(f"{music / 'sad' / 'again'}: linked to a folder that was met before")
    (music / "sad" / "gone.mp3").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"gone\.mp3: is a link that leads nowhere"):
        folder.read(music)
    answer = CliRunner().invoke(main.main, ["data", str(music), "--skip-unreadable"])
    assert ".stversions" in answer.output and answer.exit_code == 0


def test_every_suffix_that_folders_are_searched_for_is_decoded(tmp_path):
    forms = {".opus": "OGG", ".oga": "OGG", ".aif": "AIFF", ".aifc": "AIFF", ".mp2": "MP3"}
    for suffix in decoding.AUDIO_SUFFIXES:
        path = tmp_path / f"a{suffix}"
        soundfile.write(path, NOISE, RATE, format=forms.get(suffix, suffix[1:].upper()))
        assert len(decoding.read(path, RATE)) > 7 * RATE
    assert len(inputs.Listing([str(tmp_path)]).files) == len(decoding.AUDIO_SUFFIXES)


def test_playlists_from_elsewhere(tmp_path):
    for name in ("sub/b.mp3", "café.mp3", "song [live].mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "win.m3u").write_bytes("sub\\b.mp3\r\ncafé.mp3\r\nsong [live].mp3\r\n".encode("latin-1"))
    (tmp_path / "wide.m3u8").write_bytes("sub\\b.mp3\n".encode("utf-16"))
    (tmp_path / "gone.m3u").write_text("gone [1].mp3\n")
    (tmp_path / "empty.m3u").write_text("#EXTM3U\n")
    found = inputs.Listing(
        [str(tmp_path / name) for name in ("win.m3u", "wide.m3u8", "gone.m3u", "empty.m3u")]
    )
    assert [path.name for path in found.files] == ["b.mp3", "café.mp3", "song [live].mp3"]
    gone, empty = found.problems.values()
    assert "no such file, named in" in gone and "gone.m3u" in gone and "names no files" in empty
    assert (
        "Download it first"
        in inputs.Listing(["https://example.org/a.mp3"]).problems["https://example.org/a.mp3"]
    )
    assert inputs.of_list(b"a.mp3\r\nb.mp3\r\n", null=False) == ["a.mp3", "b.mp3"]


def test_playlists_within_playlists_lose_no_other_song(tmp_path):
    for i in range(3000):
        (tmp_path / f"{i}.m3u").write_text(f"{i + 1}.m3u\n{i}.mp3\n")
        (tmp_path / f"{i}.mp3").write_bytes(b"x")
    found = inputs.Listing([str(tmp_path / "0.m3u"), str(tmp_path / "2999.mp3")])
    assert len(found.files) == inputs.DEEPEST + 1
    assert list(found.problems) == [str(tmp_path / f"{inputs.DEEPEST}.m3u")]


def test_a_pattern_enters_each_folder_once(tmp_path, monkeypatch):
    for name in ("a.wav", "b/c.wav", "b/[x]/d.wav", ".hidden/e.wav"):
        write(tmp_path / name, tone(200, 0.1))
    for name in ("again", "b/up", "b/up2"):
        (tmp_path / name).symlink_to(tmp_path)
    names = ["a.wav", "b/[x]/d.wav", "b/c.wav"]
    listed = inputs.Listing([f"{tmp_path}/**/*.wav"])
    assert listed.files == [tmp_path / name for name in names] and not listed.problems
    monkeypatch.chdir(tmp_path)
    assert list(map(str, inputs.Listing(["**/*.wav"]).files)) == names
    assert list(map(str, inputs.Listing(["*/**/d.*"]).files)) == ["again/b/[x]/d.wav", "b/[x]/d.wav"]
    assert [file.name for file in inputs.Listing(["b/**"]).files].count("c.wav") == 1


def test_a_table_is_no_song(tmp_path):
    write_text(tmp_path / "songs.csv", "path,label\n")
    assert (
        "mer evaluate" in inputs.Listing([str(tmp_path / "songs.csv")]).problems[str(tmp_path / "songs.csv")]
    )


def test_a_loop_of_links_ends(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x.mp3").write_bytes(b"x")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    assert inputs.Listing([str(tmp_path)]).files == [tmp_path / "a" / "x.mp3"]


def test_a_list_on_standard_input(song, model_file):
    named = song.rename(song.with_name("two\nlines.wav"))
    answer = mer_predict(model_file, "--null", "-", input=f"{named}\0")
    assert answer.exit_code == 0 and "two\\nlines.wav" in answer.stdout
    assert mer_predict(model_file, "-", input=f"{named}\n").exit_code == 1  # two names that do not exist
    assert "is empty" in mer_predict(model_file, "-", input="").output
    assert mer_predict(model_file).exit_code == 2 and mer_predict(model_file, "--null", named).exit_code == 2


def test_a_stopped_run_goes_on_and_changed_music_is_predicted_again(tmp_path, model_file, monkeypatch):
    a, b = (write(tmp_path / "music" / f"{name}.wav", tone(hz, 4)) for name, hz in (("a", 300), ("b", 600)))
    out = ["--csv", tmp_path / "out.csv", "--json", tmp_path / "out.jsonl"]
    assert mer_predict(model_file, a, *out).exit_code == 0
    with (tmp_path / "out.csv").open("a") as file:
        file.write("b.wav,Q1,0.3")  # killed while it wrote
    heard = []
    real = predict.predict
    monkeypatch.setattr(
        predict, "predict", lambda path, model: heard.append(Path(path).name) or real(path, model)
    )
    answer = mer_predict(model_file, tmp_path / "music", *out)
    assert heard == ["b.wav"] and "1 of 2 files were predicted before" in answer.stdout
    assert pd.read_csv(tmp_path / "out.csv")["path"].tolist() == [str(a), str(b)]
    write(a, tone(900, 5))
    assert mer_predict(model_file, a, *out).exit_code == 0 and heard == ["b.wav", "a.wav"]
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["path"].tolist() == [str(b), str(a)] and table["duration_s"].tolist() == [4, 5]
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    assert table.columns.tolist() == outputs.columns(MODEL)


def test_one_program_at_a_time_writes_a_table(tmp_path, song, model_file):
    out, link = tmp_path / "out.csv", tmp_path / "link.csv"
    link.symlink_to(out)
    with locked(out):
        answer = mer_predict(model_file, song, "--json", tmp_path / "out.jsonl", "--csv", link)
    assert answer.exit_code == 1 and "another mer is writing there. Wait until it has ended" in answer.output
    assert not out.exists() and not (tmp_path / "out.jsonl").exists()
    for _ in range(2):  # and lets go of it
        assert mer_predict(model_file, song, "--json", tmp_path / "out.jsonl", "--csv", link).exit_code == 0
    assert {path.name for path in tmp_path.glob("*out*")} == {"out.csv", "out.jsonl"}


def test_a_file_of_another_kind_is_never_written_over(tmp_path, song, model_file):
    (tmp_path / "mine.csv").write_text("name,phone\nAda,123\n")
    (tmp_path / "mine.txt").write_text("Dear diary\n")
    for option, name in (("--csv", "mine.csv"), ("--json", "mine.txt")):
        before = (tmp_path / name).read_text()
        answer = mer_predict(model_file, song, option, tmp_path / name)
        assert (
            answer.exit_code == 1
            and "Choose a new file" in answer.output
            and (tmp_path / name).read_text() == before
        )


def test_pictures_and_quiet(song, tmp_path, model_file):
    answer = mer_predict(model_file, song, "--plot", tmp_path / "pictures", "--quiet")
    assert answer.exit_code == 0 and answer.output == ""
    (picture,) = (tmp_path / "pictures").iterdir()
    assert picture.name.startswith("song-") and picture.read_bytes().startswith(b"\x89PNG")


def test_no_name_and_no_picture_ends_a_batch(tmp_path, model_file, monkeypatch):
    music, pictures = tmp_path / "music", tmp_path / "pictures"
    names = ["a$b - c$d.wav", "_^{x$\\frac$.wav", "b.wav"]
    for name in names:
        write(music / name, tone(300, 4))
    words = music, "--plot", pictures, "--csv", tmp_path / "out.csv"
    answer = mer_predict(model_file, *words)
    assert answer.exit_code == 0 and len(list(pictures.iterdir())) == 3, answer.output
    for picture in pictures.iterdir():
        picture.unlink()
    real = figures.emotion_course

    def fails_for_b(timeline, classes, title):
        return 1 / 0 if title == "b.wav" else real(timeline, classes, title)

    monkeypatch.setattr(figures, "emotion_course", fails_for_b)
    answer = mer_predict(model_file, *words)
    assert answer.exit_code == 1 and "b.wav: predicted, but not drawn (ZeroDivisionError" in answer.stderr
    assert len(list(pictures.iterdir())) == 2 and len(pd.read_csv(tmp_path / "out.csv")) == 3


def test_the_table_has_no_colours_where_nobody_looks(song, model_file):
    answer = mer_predict(model_file, song)
    assert "\x1b" not in answer.output and "0.5 undecided" in answer.output


def test_the_shipped_model_recognises_synthetic_music():
    track = datasets.load("synthetic").table.iloc[0]
    said = predict.predict(track["path"])
    assert sum(said.probabilities.values()) == pytest.approx(1) and len(said.timeline) > 1
