"""Files of predictions lose nothing, whatever happens meanwhile, and what cannot be written is told before
music is decoded.
"""

import dataclasses
import io
import json
import os
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import tone, untrained, write

from mer_app import main, prediction_table
from mer_app.outputs import Objects, OutputError, Outputs, Table
from mer_core import UserError, predict, trained_model

MODEL = untrained()
OTHER = dataclasses.replace(MODEL, card=MODEL.card | {"title": "another"})


@pytest.fixture
def music(tmp_path):
    """Two songs, as paths."""
    return [write(tmp_path / "music" / f"{name}.wav", tone(hz, 4)) for name, hz in (("a", 300), ("b", 600))]


@pytest.fixture
def mer(tmp_path, monkeypatch):
    """``mer predict`` in a folder of its own; ``mer.done`` are the names of the files that were predicted."""
    model_file, real, done = trained_model.save(MODEL, tmp_path / "model.safetensors"), predict.predict, []

    def mer_predict(*words, **keywords):
        return CliRunner(**keywords).invoke(
            main.main, ["predict", "--model", str(model_file), *map(str, words)]
        )

    monkeypatch.setattr(predict, "predict", lambda path, model: done.append(path.name) or real(path, model))
    monkeypatch.chdir(tmp_path)
    mer_predict.done = done
    return mer_predict


@pytest.fixture
def said(music):
    return [predict.predict(path, MODEL) for path in music]


def files_in(folder: Path, model=MODEL):
    return [Table(folder / "out.csv", model), Objects(folder / "out.jsonl", model)]


def rows_of(file):
    return [(row["path"], row["model"]) for row, _ in file.rows()]


# --- nothing is lost


def test_rows_of_files_that_are_gone_or_damaged_stay(mer, music, tmp_path):
    out = ["--csv", "out.csv", "--json", "out.jsonl"]
    assert mer(*music, *out).exit_code == 0
    before = [Path(name).read_bytes() for name in ("out.csv", "out.jsonl")]
    music[0].unlink()
    music[1].write_text("no sound any more")
    assert mer(*music, *out).exit_code == 1
    assert [Path(name).read_bytes() for name in ("out.csv", "out.jsonl")] == before
    assert mer(tmp_path / "music", *out).exit_code == 1  # as a drive that is not mounted
    assert [Path(name).read_bytes() for name in ("out.csv", "out.jsonl")] == before


def test_another_model_stopped_early_replaces_only_what_it_has_predicted(said, music, tmp_path):
    outputs = Outputs(files_in(tmp_path), MODEL, music)
    for one in said:
        outputs.write(one)
    a, b = map(str, music)
    old, new = MODEL.digest, OTHER.digest
    stopped = Outputs(files_in(tmp_path, OTHER), OTHER, music)
    assert not stopped.done and all(rows_of(file) == [(a, old), (b, old)] for file in stopped.files)
    stopped.write(said[0])  # and is killed
    assert all(rows_of(file) == [(a, old), (b, old), (a, new)] for file in stopped.files)
    resumed = Outputs(files_in(tmp_path, OTHER), OTHER, music)
    assert resumed.done == {a} and all(rows_of(file) == [(b, old), (a, new)] for file in resumed.files)
    resumed.write(said[1])
    resumed.close()
    assert all(rows_of(file) == [(a, new), (b, new)] for file in resumed.files)


def test_a_run_that_is_interrupted_leaves_one_row_a_path(mer, music, monkeypatch):
    assert mer(*music, "--csv", "out.csv").exit_code == 0
    for path in music:
        os.utime(path, ns=(0, 0))
    real = predict.predict

    def interrupted(path, model):
        if path.name == "b.wav":
            raise KeyboardInterrupt
        return real(path, model)

    monkeypatch.setattr(predict, "predict", interrupted)
    assert mer(*music, "--csv", "out.csv").exit_code == 130
    table = pd.read_csv("out.csv")
    assert table["path"].tolist() == [str(music[1]), str(music[0])] and (
        table["modified_ns"] == 0
    ).tolist() == [False, True]


@pytest.mark.parametrize("kind", [Table, Objects])
def test_wherever_a_kill_cuts_a_file_whole_rows_stay_and_the_rest_is_made_anew(kind, said, tmp_path):
    said = [
        dataclasses.replace(one, path=tmp_path / name)
        for one, name in zip(said, ["x.wav", 'two\n"li\rnes"é.wav'], strict=True)
    ]
    paths = [one.path for one in said]
    outputs = Outputs([kind(tmp_path / "whole", MODEL)], MODEL, paths)
    ends = []
    for one in said:
        outputs.write(one)
        ends.append((tmp_path / "whole").stat().st_size)
    whole, cut = (tmp_path / "whole").read_bytes(), kind(tmp_path / "cut", MODEL)
    for size in range(len(whole) + 1):
        cut.path.write_bytes(whole[:size])
        assert len(cut.begin()) in {sum(end <= size + extra for end in ends) for extra in (0, 1)}
    cut.path.write_bytes(whole[: len(whole) - 2])
    again = Outputs([cut], MODEL, paths)
    again.write(said[1])
    assert cut.path.read_bytes() == whole


def test_a_file_that_changes_while_it_is_decoded_is_predicted_again(mer, music, monkeypatch):
    real = predict.predict

    def meddling(path, model):
        found = real(path, model)
        write(path, tone(900, 5))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(predict, "predict", meddling)
        assert mer(music[0], "--json", "out.jsonl").exit_code == 0
    assert mer(music[0], "--json", "out.jsonl").exit_code == 0
    assert mer.done == ["a.wav", "a.wav"] and json.loads(Path("out.jsonl").read_text())["duration_s"] == 5


def test_a_link_stays_a_link_and_a_private_file_private(mer, music):
    Path("real").mkdir()
    Path("out.csv").symlink_to("real/out.csv")
    assert mer(music[0], "--csv", "out.csv").exit_code == 0
    Path("real/out.csv").chmod(0o600)
    assert mer(music[1], "--csv", "out.csv").exit_code == 0
    assert Path("out.csv").is_symlink() and len(pd.read_csv("real/out.csv")) == 2
    assert Path("real/out.csv").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_told_and_earlier_rows_stay(said, music, tmp_path):
    outputs = Outputs(files_in(tmp_path), MODEL, music)
    outputs.write(said[0])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "out.csv").stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"out\.csv: cannot be written \(.*Make room there"):
            outputs.write(said[1])
        with pytest.raises(UserError, match="cannot be written"):
            Outputs(files_in(tmp_path), MODEL, music)  # nor can it begin
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.glob("*.new"))
    assert Outputs(files_in(tmp_path), MODEL, music).done == {str(music[0])}


# --- what cannot be written


@pytest.mark.parametrize(
    "content",
    [b'{"a":1}\n', b"[1]", b"5\n", b"\xff\xfe\x00", b"Dear diary", b"[" * 100_000, b'{"path": "a.w\n'],
)
def test_objects_of_another_kind_stay_as_they_are(mer, music, content):
    Path("mine.json").write_bytes(content)
    answer = mer(music[0], "--json", "mine.json")
    assert (
        answer.exit_code == 1
        and "mine.json: holds more than predictions" in answer.stderr
        and "Choose" in answer.stderr
    )
    assert Path("mine.json").read_bytes() == content and not mer.done


@pytest.mark.parametrize("content", [b"name,phone", b"\xff\xfe\x00", b'"' + b"x" * 200_000])
def test_tables_of_another_kind_stay_as_they_are(mer, music, content):
    Path("mine.csv").write_bytes(content)
    answer = mer(music[0], "--csv", "mine.csv")
    assert answer.exit_code == 1 and "mine.csv: " in answer.stderr and "Choose a new file" in answer.stderr
    assert Path("mine.csv").read_bytes() == content and not mer.done


@pytest.mark.parametrize("n", [1, 2])
def test_a_row_of_the_readers_own_is_not_thrown_away(said, music, tmp_path, n):
    table = Table(tmp_path / "out.csv", MODEL)
    outputs = Outputs([table], MODEL, music)
    outputs.write(said[0])
    lines = table.path.read_text().splitlines(keepends=True)
    remarked = "".join([*lines[:n], "my own remark\n", *lines[n:]])
    table.path.write_text(remarked)
    with pytest.raises(OutputError, match="rows of unlike length"):
        Outputs([table], MODEL, music)
    assert table.path.read_text() == remarked


def test_one_file_for_both_makes_no_sense(mer, music):
    Path("link").symlink_to("out")
    for name in ("out", "./out", "link"):
        answer = mer(music[0], "--csv", "out", "--json", name)
        assert answer.exit_code == 2 and "give each its own" in answer.stderr
    assert not Path("out").exists() and not mer.done


@pytest.mark.parametrize("option", ["--csv", "--json", "--plot"])
def test_a_place_that_cannot_be_written_is_told_before_music_is_decoded(mer, music, option):
    answer = mer(music[0], option, music[1] / "out")
    assert (
        answer.exit_code == 2
        and "cannot be written" in answer.stderr
        and "b.wav" in answer.stderr
        and not mer.done
    )


def test_a_pipe_is_no_file_to_come_back_to(mer, music):
    os.mkfifo("pipe")
    answer = mer(music[0], "--csv", "pipe")
    assert answer.exit_code == 1 and "is no plain file" in answer.stderr and not mer.done


def test_files_with_the_old_name_of_a_column_are_gone_on_with(mer, music):
    out = ["--csv", "out.csv", "--json", "out.jsonl"]
    assert mer(music[0], *out).exit_code == 0
    for name in ("out.csv", "out.jsonl"):
        Path(name).write_text(Path(name).read_text().replace("predicted", "called", 1))
    assert mer(*music, *out).exit_code == 0 and mer.done == ["a.wav", "b.wav"]
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["predicted"] for row in rows] == [[label] for label in pd.read_csv("out.csv")["predicted"]]
    assert "called" not in Path("out.csv").read_text() + Path("out.jsonl").read_text()


def test_a_table_that_a_spreadsheet_has_saved_is_gone_on_with(mer, music):
    assert mer(music[0], "--csv", "out.csv").exit_code == 0
    Path("out.csv").write_bytes(b"\xef\xbb\xbf" + Path("out.csv").read_bytes())
    assert mer(*music, "--csv", "out.csv").exit_code == 0 and mer.done == ["a.wav", "b.wav"]
    assert pd.read_csv("out.csv")["path"].tolist() == [str(path) for path in music]


def test_a_wide_name_takes_its_two_columns_and_letters_without_a_glyph_no_warning(mer, music, recwarn):
    song = music[0].rename("日本の歌.wav")
    answer = mer(song, "--plot", "pictures")
    assert answer.exit_code == 0 and not [w for w in recwarn if "Glyph" in str(w.message)]
    names = ("a", "日" * 30, "x" * 60, "日x" * 19)
    assert len({prediction_table.columns(prediction_table.fitted(name)) for name in names}) == 1


# --- pictures


def test_a_song_whose_picture_is_missing_is_predicted_again(mer, music):
    assert mer(*music, "--csv", "out.csv").exit_code == 0
    assert mer(*music, "--csv", "out.csv", "--plot", "pictures").exit_code == 0
    assert mer.done == ["a.wav", "b.wav"] * 2 and len(list(Path("pictures").iterdir())) == 2
    next(Path("pictures").glob("b-*")).unlink()
    answer = mer(*music, "--csv", "out.csv", "--plot", "pictures")
    assert mer.done[4:] == ["b.wav"] and "1 of 2 files were predicted before" in answer.stdout
    assert len(list(Path("pictures").glob("*.png"))) == 2 and len(pd.read_csv("out.csv")) == 2


# --- the timeline on the terminal


def with_timeline(one, **probabilities):
    """A prediction with another timeline; labels that are not named stay at 0."""
    n = len(next(iter(probabilities.values())))
    timeline = pd.DataFrame(0.0, index=range(n), columns=one.timeline.columns).assign(**probabilities)
    return dataclasses.replace(one, timeline=timeline, duration_s=125.4)


def test_a_timeline_rises_from_the_lowest_block_to_the_highest(said):
    one = with_timeline(said[0], Q1=[0, 0.124, 0.126, 0.5, 0.99, 1], arousal=[1.0] * 6)
    lines = prediction_table.timeline_of(
        dataclasses.replace(one, probabilities=one.probabilities | {"Q1": 0.457})
    ).splitlines()
    assert (
        lines[0] == "Q1 happy 0.46 ▁▁▂▅██" and lines[1].endswith(" ▁▁▁▁▁▁") and lines[5].endswith(" ██████")
    )
    assert len(lines) == 7 and lines[6].split() == ["0:00", "2:05"]


@pytest.mark.parametrize("width", [30, 80, 200])
def test_a_timeline_and_a_row_fit_the_terminal(said, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    assert len(prediction_table.row_of(said[0])) <= max(
        width, prediction_table.NARROWEST + prediction_table.NUMBERS
    )
    lines = prediction_table.timeline_of(with_timeline(said[0], Q1=np.linspace(0, 1, 1000))).splitlines()
    assert {len(line) for line in lines} == {width}
    assert lines[0][14] == "▁" and lines[0].endswith("█") and lines[0][14:] == "".join(sorted(lines[0][14:]))
    assert lines[-1].endswith(" 2:05")


def test_the_timeline_is_shown_of_one_song_where_it_can_be(mer, music):
    def shown(answer):
        assert answer.exit_code == 0
        return [
            line.split()[0] for line in answer.stdout.splitlines() if set(prediction_table.BLOCKS) & set(line)
        ]

    assert shown(mer("music/a.wav")) == ["Q1", "Q2", "Q3", "Q4", "valence", "arousal"]
    assert not shown(mer("music")) and not shown(mer("music/a.wav", "--quiet"))
    assert not shown(mer("music/a.wav", charset="latin-1"))
    assert not prediction_table.speaks_blocks(io.StringIO())
