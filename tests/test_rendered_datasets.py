"""EMOPIA and VGMIDI: small MIDI files made here, played by a stand-in for fluidsynth; then the real ones."""

import json
import os
import shutil
import stat
import sys
import zipfile

import mido
import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import SPREADSHEETS

from mer_core import datasets, paths
from mer_core.datasets import emopia, rendered, vgmidi
from mer_core.datasets.tracks import DataError, Tracks
from mer_core.emotion import QUADRANTS

STAND_IN = """#!{python}
import sys, time, wave
if "--version" in sys.argv:
    sys.exit(print("FluidSynth runtime version 2.9.9"))
with open({log!r}, "a") as log:
    log.write("played\\n")
{before}
with wave.open(sys.argv[sys.argv.index("-F") + 1], "wb") as file:
    file.setnchannels(2), file.setsampwidth(2), file.setframerate(44100)
    file.writeframes(bytes([0, {loud}, 0, {loud}]) * 44100 * 12)
"""


@pytest.fixture
def fluidsynth(tmp_path, monkeypatch):
    """A program that plays anything as 12 s of one level; counts its calls, and behaves badly on request."""
    (tmp_path / "bin").mkdir()
    program, log = tmp_path / "bin" / "fluidsynth", tmp_path / "log"
    (tmp_path / "font.sf2").write_bytes(b"sounds")

    def behaves(before="", loud=16):
        program.write_text(STAND_IN.format(python=sys.executable, log=str(log), before=before, loud=loud))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    behaves()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(rendered.SOUND_FONT, str(tmp_path / "font.sf2"))
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    behaves.n_played = lambda: log.read_text().count("played") if log.exists() else 0
    return behaves


def write_midi(path, seconds=3.0):
    """One note, half of the time at 120 beats a minute and half at 60."""
    path.parent.mkdir(parents=True, exist_ok=True)
    track, beats = mido.MidiTrack(), seconds / 2 / 0.5
    track += [
        mido.MetaMessage("set_tempo", tempo=500_000, time=0),
        mido.Message("note_on", note=60, velocity=80, time=0),
        mido.MetaMessage("set_tempo", tempo=1_000_000, time=round(960 * beats)),
        mido.Message("note_off", note=60, time=round(960 * beats / 2)),
        mido.MetaMessage("end_of_track", time=0),
    ]
    mido.MidiFile(tracks=[track], ticks_per_beat=960).save(path)
    return path


def packed(folder):
    """The folder as a zip archive made on macOS."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{folder.name}/{path.name}")
            archive.writestr(f"__MACOSX/{folder.name}/._{path.name}", b"\0")
    shutil.rmtree(folder)


@pytest.fixture
def like_emopia(tmp_path, fluidsynth):
    """Three clips of two songs; one YouTube id has underscores."""
    root = tmp_path / "emopia"
    for name in ("Q1_0vLPYiPN7qY_0", "Q3_0vLPYiPN7qY_12", "Q2_-a_b_c_d_e__1"):
        write_midi(root / "midis" / f"{name}.mid")
    return root


@pytest.fixture
def like_vgmidi(tmp_path, fluidsynth):
    """Three pieces: a whole one of 4 s, one in phrases of 4 s and 6 s, one of which half is missing."""
    root = tmp_path / "vgmidi"
    rows = [
        ("Xeno", "Xenogears", "a_0", 1, -1),
        ("Mana", "Mana", "b_0", -1, -1),
        ("Mana", "Mana", "b_1", -1, 1),
    ]
    rows.append(("Other", "Tetris", "c_0", 1, 1))
    table = pd.DataFrame(rows, columns=["series", "game", "midi", "valence", "arousal"])
    table["midi"] = "labelled/phrases/" + table["midi"] + ".mid"
    for midi, seconds in zip(table["midi"], (4.0, 4.0, 6.0, 4.0), strict=True):
        write_midi(root / midi, seconds)
    table.to_csv(root / "vgmidi_labelled.csv", index=False)

    def piece(name, duration, measures):
        return {"midi": f"{name}.mid", "duration": duration, "measures": measures}

    def curve(*pairs):
        return {"valence": [v for v, _ in pairs], "arousal": [a for _, a in pairs], "age": "21-25"}

    first = {
        "pieces": {"piece0": piece("a", 4, 2)},
        "annotations": {
            "piece0_1": curve((0.5, -0.5), (0.1, 0.3)),
            "piece0_2": curve((0.1, -0.1), (-0.5, 0.1), (0.9, 0.9)),  # heard to the end: a pair too many
            "piece0_3": curve((0.3, 0.3), (0, 0)),  # the second part was never rated
            "piece9_1": curve((1, 1)),  # of a piece that was withdrawn
        },
    }
    second = {
        "pieces": {"piece0": piece("b", 10.0, 5), "piece1": piece("c", 8.0, 2)},
        "annotations": {
            "piece0_1": curve(*[(0.1 * i, -0.1) for i in range(5)]),
            "piece1_1": curve((1, 1), (1, 1)),
        },
    }
    (root / "labelled/annotations").mkdir()
    for path, content in zip(vgmidi.RATINGS, (first, second), strict=True):
        (root / path).write_text(json.dumps(content))
    return root


def test_a_midi_file_lasts_as_long_as_its_tempo_map_says(tmp_path):
    assert rendered.seconds_of(write_midi(tmp_path / "a.mid", 3.0)) == pytest.approx(3.0)


def altered(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"MTrk", b"MTrq"))


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    "fault, reason",
    [
        (cut_off, "is cut off. Fetch it again"),
        (lambda path: path.write_bytes(b""), "is cut off"),
        (lambda path: path.write_bytes(b"no music at all, but text"), "is no MIDI file"),
        (lambda path: mido.MidiFile(tracks=[mido.MidiTrack()]).save(path), "is empty"),
    ],
)
def test_damaged_midi_is_named_and_skipped_on_request(like_emopia, fault, reason):
    bad = like_emopia / "midis" / "Q1_0vLPYiPN7qY_0.mid"
    fault(bad)
    with pytest.raises(
        DataError, match=f"1 MIDI files cannot be rendered. {bad}: .*{reason}.*skip_unreadable"
    ):
        emopia.read(like_emopia)
    tracks = emopia.read(like_emopia, skip_unreadable=True)
    assert len(tracks) == 2 and list(tracks.skipped) == [str(bad)]


def test_emopia_has_quadrants_and_songs_in_its_names_and_is_called_rendered(like_emopia):
    tracks = emopia.read(like_emopia)
    assert tracks.table[["track_id", "label", "group"]].values.tolist() == [
        ["Q1_0vLPYiPN7qY_0", "Q1", "0vLPYiPN7qY"],
        ["Q2_-a_b_c_d_e__1", "Q2", "-a_b_c_d_e_"],
        ["Q3_0vLPYiPN7qY_12", "Q3", "0vLPYiPN7qY"],
    ]
    assert tracks.kinds_of_audio[0].startswith("rendered by fluidsynth 2.9.9, font ")
    assert tracks.table["duration_s"].tolist() == pytest.approx([3.0] * 3, abs=1e-4)  # of 12 s played
    assert {soundfile.info(path).channels for path in tracks.table["path"]} == {1}


def test_midi_is_played_once_and_what_is_missing_is_played_later(like_emopia, fluidsynth, tmp_path):
    first = emopia.read(like_emopia)
    assert fluidsynth.n_played() == 3
    packed(like_emopia / "midis")
    assert emopia.read(like_emopia).table.equals(first.table) and fluidsynth.n_played() == 3
    first.table["path"][1].unlink()
    emopia.read(like_emopia)
    assert fluidsynth.n_played() == 4
    (tmp_path / "font.sf2").write_bytes(b"other sounds")
    assert not set(emopia.read(like_emopia).table["path"]) & set(first.table["path"])
    assert fluidsynth.n_played() == 7


def test_another_midi_file_of_the_same_name_is_played_anew(like_emopia, fluidsynth):
    emopia.read(like_emopia)
    write_midi(like_emopia / "midis" / "Q1_0vLPYiPN7qY_0.mid", 5.0)
    assert emopia.read(like_emopia).table["duration_s"][0] == pytest.approx(5.0, abs=1e-4)


@pytest.mark.parametrize(
    "behaviour, reason",
    [
        ({"before": "time.sleep(9)"}, "took fluidsynth more than 0.3 s"),
        ({"before": "sys.exit('out of memory')"}, r"fluidsynth failed \(out of memory\)"),
        ({"before": "sys.exit(0)"}, "no note that sounds"),
        ({"loud": 0}, "no note that sounds"),
    ],
)
def test_what_fluidsynth_cannot_play_is_named(like_emopia, fluidsynth, monkeypatch, behaviour, reason):
    if "more than" in reason:
        monkeypatch.setattr(rendered, "TIMEOUT_S", 0.3)
    fluidsynth(**behaviour)
    with pytest.raises(DataError, match=f"3 MIDI files cannot be rendered.*Q1_0vLPYiPN7qY_0.mid: .*{reason}"):
        emopia.read(like_emopia)
    assert not list(paths.CACHE.rglob("*.flac"))


@pytest.mark.parametrize("what", ["fluidsynth", "font.sf2"])
def test_without_fluidsynth_or_soundfont_the_error_says_what_to_install(like_emopia, monkeypatch, what):
    if what == "fluidsynth":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setenv(rendered.SOUND_FONT, f"/nowhere/{what}")
    with pytest.raises(DataError, match=f"{what} is missing.*apt install fluidsynth fluid-soundfont-gm"):
        emopia.read(like_emopia)


@pytest.mark.parametrize(
    "fault, reason",
    [
        (lambda midis: shutil.rmtree(midis), "no MIDI file in midis or midis.zip.*Download.*MER_DATA"),
        (
            lambda midis: write_midi(midis / "Q5_0vLPYiPN7qY_0.mid"),
            "do not say quadrant.*Q5_0vLPYiPN7qY_0.mid",
        ),
        (lambda midis: write_midi(midis / "more/Q1_0vLPYiPN7qY_0.mid"), "share the id 'Q1_0vLPYiPN7qY_0'"),
        (lambda midis: (packed(midis), cut_off(midis.with_suffix(".zip"))), "midis.zip: is damaged"),
        (lambda midis: (packed(midis), altered(midis.with_suffix(".zip"))), "is damaged .midis/Q1_.*_0.mid"),
    ],
)
def test_faulty_copies_of_emopia_say_why(like_emopia, fault, reason):
    fault(like_emopia / "midis")
    with pytest.raises(DataError, match=reason):
        emopia.read(like_emopia)


def test_vgmidi_has_the_makers_quadrants_and_series_of_games(like_vgmidi):
    packed(like_vgmidi / "labelled/phrases")
    tracks = vgmidi.read(like_vgmidi)
    assert tracks.table[["track_id", "label", "group"]].values.tolist() == [
        ["a_0", "Q4", "Xeno"], ["b_0", "Q3", "Mana"], ["b_1", "Q2", "Mana"], ["c_0", "Q1", "Tetris"],
    ]  # fmt: skip
    assert tracks.table["duration_s"].tolist() == pytest.approx([4, 4, 6, 4], abs=1e-4)
    assert not tracks.second_labels and "fluidsynth" in tracks.rendered


def test_parts_of_a_piece_are_equally_long_and_phrases_follow_each_other(like_vgmidi):
    rows = vgmidi.ratings(like_vgmidi)
    whole = rows[rows["track_id"] == "a_0"]
    assert whole[["start_s", "end_s", "valence", "arousal"]].values.tolist() == [
        [0, 2, 0.5, -0.5], [2, 4, 0.1, 0.3], [0, 2, 0.1, -0.1], [2, 4, -0.5, 0.1], [0, 2, 0.3, 0.3],
    ]  # fmt: skip
    assert whole["listener"].nunique() == 3
    in_phrases = rows[rows["track_id"] != "a_0"]  # parts of 2 s; the second phrase begins after 4 s
    assert in_phrases[["track_id", "start_s"]].values.tolist() == [
        ["b_0", 0], ["b_0", 2], ["b_1", 0], ["b_1", 2], ["b_1", 4],
    ]  # fmt: skip


def test_vgmidi_over_time_has_the_columns_of_pmemo(like_vgmidi):
    frames = vgmidi.dynamic(like_vgmidi)
    first = frames.iloc[0]
    assert first["track_id"] == "a_0" and first["second"] == 0
    assert first[["valence", "arousal", "valence_sd"]].tolist() == pytest.approx([0.3, -0.1, 0.2])
    assert frames.columns.tolist() == [
        "track_id", "second", "valence", "arousal", "valence_sd", "arousal_sd"]  # fmt: skip


def test_rated_phrases_have_the_quadrant_of_the_mean_in_each_second(like_vgmidi):
    tracks = vgmidi.read(like_vgmidi, rated=True)
    assert tracks.table["track_id"].tolist() == ["a_0", "b_0", "b_1"]  # c: half of the piece is missing
    assert tracks.second_labels["a_0"] == ("Q4", "Q4", "Q2", "Q2")  # means (0.3, -0.1) and (-0.2, 0.2)
    assert tracks.holds(0, 0, 2) and not tracks.holds(0, 2, 2)
    # listeners of a: means (0.3, -0.1), (-0.2, 0.0) and, of what was rated, (0.3, 0.3)
    np.testing.assert_allclose(tracks.shares[0], [1 / 3, 1 / 3, 0, 1 / 3])


@pytest.mark.parametrize("change", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_labels_of_vgmidi_as_spreadsheets_write_them(like_vgmidi, change):
    before, path = vgmidi.annotations(like_vgmidi), like_vgmidi / vgmidi.LABELS
    path.write_text(change(path.read_text()), encoding="utf-8", newline="")
    pd.testing.assert_frame_equal(vgmidi.annotations(like_vgmidi), before)
    ratings = like_vgmidi / vgmidi.RATINGS[0]
    ratings.write_text("\ufeff" + ratings.read_text(), encoding="utf-8")
    assert len(vgmidi.ratings(like_vgmidi)) == 10


def without_ratings(root):
    (root / vgmidi.RATINGS[1]).unlink()


def with_row(row):
    return lambda root: (root / vgmidi.LABELS).open("a").write(row)


@pytest.mark.parametrize(
    "fault, reason",
    [
        (lambda root: (root / vgmidi.LABELS).unlink(), "vgmidi_labelled.csv not found.*Clone.*MER_DATA"),
        (lambda root: (root / vgmidi.LABELS).write_text("game\nx\n"), "lacks the columns series, midi"),
        (with_row("Mana,Mana,phrases/b_0.mid,1,1\n"), "lists phrases twice: b_0. Keep one"),
        (with_row("Mana,Mana,phrases/d_0.mid,1,0\n"), r"arousal is not one of 1, -1 \('0'\) in row 6"),
        (with_row("Mana,Mana,phrases/d.mid,1,1\n"), "no PIECE_NUMBER.mid in row 6"),
        (with_row("Mana,Mana,phrases/d_0.mid,1,1\n"), "1 labelled tracks have no MIDI: d_0"),
        (lambda root: write_midi(root / vgmidi.MIDI / "e_0.mid"), "1 MIDI files have no label: .*e_0.mid"),
        (lambda root: shutil.rmtree(root / vgmidi.MIDI), "no MIDI file in labelled/phrases.*Clone"),
        (lambda root: cut_off(root / vgmidi.MIDI / "b_1.mid"), "b_1.mid: the MIDI file is cut off"),
        (without_ratings, "vgmidi_raw_2.json not found.*Clone.*MER_DATA"),
        (lambda root: cut_off(root / vgmidi.RATINGS[0]), "vgmidi_raw_1.json: is damaged.*Fetch it again"),
        (lambda root: (root / vgmidi.RATINGS[0]).write_text('{"pieces": {}}'), "raw_1.json: is damaged"),
    ],
)
def test_faulty_copies_of_vgmidi_say_why(like_vgmidi, fault, reason):
    fault(like_vgmidi)
    with pytest.raises(DataError, match=reason):
        vgmidi.read(like_vgmidi, rated=True)


@pytest.mark.real_data
def test_emopia_has_the_clips_and_songs_of_its_card():
    expected = datasets.card("emopia")["expected"]
    files = rendered.midi_files(paths.data_root() / "emopia" / emopia.MIDI)
    parts = [emopia.NAME.fullmatch(name) for name in files]
    assert len(files) == expected["tracks"] == 1078
    assert len({part["group"] for part in parts}) == expected["groups"]
    for quadrant in ("Q1", "Q2", "Q3", "Q4"):
        assert sum(part["label"] == quadrant for part in parts) == expected[f"tracks labelled {quadrant}"]


@pytest.mark.real_data
def test_vgmidi_has_the_phrases_pieces_and_listeners_of_its_card():
    expected, phrases = datasets.card("vgmidi")["expected"], vgmidi.annotations()
    assert len(phrases) == expected["tracks"] == 204 and phrases["piece"].nunique() == 200
    assert phrases["group"].nunique() == expected["groups"]
    counts = phrases["label"].value_counts()
    assert all(counts[q] == expected[f"tracks labelled {q}"] for q in ("Q1", "Q2", "Q3", "Q4"))
    pieces = vgmidi._pieces(paths.data_root() / "vgmidi")
    listeners = [len(curves) for _, curves in pieces.values()]
    assert len(listeners) == 200 and sum(listeners) == 5980 and min(listeners) >= 28


@pytest.mark.real_data
@pytest.mark.parametrize("change", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_the_real_labels_of_vgmidi_survive_spreadsheets(tmp_path, change):
    content = (paths.data_root() / "vgmidi" / vgmidi.LABELS).read_text(encoding="utf-8")
    (tmp_path / vgmidi.LABELS).write_text(change(content), encoding="utf-8", newline="")
    pd.testing.assert_frame_equal(vgmidi.annotations(tmp_path), vgmidi.annotations())


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["emopia", "vgmidi"])
def test_real_midi_that_is_cut_off_anywhere_is_named(tmp_path, name):
    files = rendered.midi_files(paths.data_root() / name / {"emopia": emopia, "vgmidi": vgmidi}[name].MIDI)
    cut = tmp_path / "cut.mid"
    for file in [*files.values()][::50]:
        content = file.read_bytes()
        for share in (0.1, 0.5, 0.9):
            cut.write_bytes(content[: int(share * len(content))])
            with pytest.raises(rendered.MidiError, match=f"{cut}: the MIDI file is cut off. Fetch it again"):
                rendered.seconds_of(cut)


@pytest.mark.real_data
def test_a_copy_of_emopia_that_lacks_a_clip_differs_from_its_card():
    files = rendered.midi_files(paths.data_root() / "emopia" / emopia.MIDI)
    name = next(iter(files))
    parts = [emopia.NAME.fullmatch(own) for own in files if own != name]
    table = pd.DataFrame([{"track_id": part.string, "path": None, "duration_s": 1.0} | part.groupdict()
                          for part in parts])  # fmt: skip
    rows = datasets.check(Tracks("emopia", QUADRANTS, table))
    odd = {what: (expected, found) for what, expected, found in rows if expected != found}
    label = emopia.NAME.fullmatch(name)["label"]
    assert odd.keys() >= {"tracks", f"tracks labelled {label}"} and odd["tracks"] == (1078, 1077)


@pytest.mark.real_data
def test_makers_labels_of_vgmidi_agree_with_the_mean_of_the_listeners():
    phrases, rows = vgmidi.annotations().set_index("track_id"), vgmidi.ratings()
    assert rows["track_id"].nunique() == 200 and rows[["valence", "arousal"]].abs().max().max() <= 1
    whole = phrases[~phrases["piece"].duplicated(keep=False)]
    mean = rows[rows["track_id"].isin(whole.index)].groupby("track_id")[["valence", "arousal"]].mean()
    label = phrases["label"][mean.index]
    assert np.mean((mean["valence"] > 0) == label.isin(["Q1", "Q4"])) > 0.94
    assert np.mean((mean["arousal"] > 0) == label.isin(["Q1", "Q2"])) > 0.94
    assert (rows["start_s"] > -2.6).all() and rows["start_s"].min() < 0.1
