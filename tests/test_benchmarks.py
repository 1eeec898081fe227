"""The table of benchmarks: whole, consistent, complete. Nothing is timed here."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import pytest
import torch

from mer_companion import folders
from mer_companion.analysis import speed
from mer_core import paths

FILES = {path.stem for path in (paths.ROOT / "benchmarks").glob("*.py")}


@pytest.fixture
def report(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    return json.loads(speed.path().read_text(encoding="utf-8"))


@pytest.fixture
def runner(monkeypatch):
    monkeypatch.syspath_prepend(paths.ROOT)
    from benchmarks import __main__

    return __main__


@pytest.fixture
def side_by_side(monkeypatch):
    monkeypatch.syspath_prepend(paths.ROOT)
    from benchmarks import side_by_side

    return side_by_side


def test_every_benchmark_file_is_known_and_the_limits_add_up_to_a_quarter_of_an_hour(runner):
    assert {*runner.LONGEST_S, *runner.BY_THEMSELVES, *runner.NOT_RUN} == FILES
    assert not set(runner.LONGEST_S) & {*runner.BY_THEMSELVES, *runner.NOT_RUN}
    assert sum(runner.LONGEST_S.values()) <= 15 * 60


def test_every_tracked_row_is_whole_and_its_ratio_is_that_of_its_seconds(report, runner):
    assert {row["benchmark"] for row in report["rows"]} == set(runner.LONGEST_S)
    for row in report["rows"]:
        assert set(row) == set(speed.COLUMNS) and row["question"]
        if row["left_out"]:
            assert row["ratio"] is row["ours_s"] is row["theirs_s"] is None
        else:
            assert row["ours"] and row["theirs"] and row["unit"] and row["rounds"] >= 1
            assert row["ratio"] == pytest.approx(row["theirs_s"] / row["ours_s"], rel=2e-3)
            assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]


def test_the_tracked_table_names_its_machine(report):
    wanted = {"processor", "cores", "threads", "instruction_set", "bf16_native", "python", "torch", "librosa"}
    assert wanted <= set(report["environment"]) and report["minutes"] <= 15


def test_the_page_shows_every_row_and_the_machine(report):
    page = speed.page()
    lines = page.splitlines()
    for row in report["rows"]:
        assert any(
            line.startswith(f"| {speed.reworded(row['question'])} ") and speed.ratio_of(row) in line
            for line in lines
        )
    assert report["environment"]["processor"] in page
    assert "generated/benchmarks.md" in (folders.BOOK / "speed.md").read_text(encoding="utf-8")


def test_sides_take_turns_and_every_second_round_goes_backwards(side_by_side):
    ran = []
    spent = side_by_side.in_turn({name: lambda name=name: ran.append(name) for name in "ab"}, rounds=3)
    assert "".join(ran) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(times) for name, times in spent.items()} == {"a": 3, "b": 3}


def test_a_row_has_the_ratio_of_the_medians_and_the_range_of_single_rounds(side_by_side):
    spent = {"a": [1.0, 2.0, 4.0], "b": [3.0, 4.0, 20.0]}
    row = side_by_side.row("?", spent, ours="a", theirs="b", unit="one")
    assert (row["ours_s"], row["theirs_s"], row["ratio"]) == (2.0, 4.0, 2.0)
    assert (row["ratio_low"], row["ratio_high"], row["rounds"]) == (2.0, 5.0, 3)
    assert set(row) == set(side_by_side.left_out("?", "why")) == set(speed.COLUMNS) - {"benchmark"}


@pytest.mark.parametrize(
    "code, reason",
    [
        ("raise RuntimeError('no such song')", "RuntimeError: no such song"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9, mostly for want of memory"),
        ("raise SystemExit(3)", "ended with exit status 3"),
    ],
)
def test_a_benchmark_that_fails_says_why(runner, code, reason):
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert runner.why(ended) == reason


def test_a_benchmark_that_fails_or_takes_too_long_loses_only_its_own_rows(runner, monkeypatch):
    def ended_early(words, **_):
        raise subprocess.TimeoutExpired(words, 80)

    monkeypatch.setattr(runner.subprocess, "run", ended_early)
    (row,) = runner.measured("features", None)
    assert row["benchmark"] == "features"
    assert row["left_out"] == f"took more than {runner.LONGEST_S['features']} s"
    assert speed.spoken([row]) and speed.shown(row)["ratio"].startswith("left out")


def test_without_a_gpu_one_sentence_says_so(monkeypatch, capsys):
    monkeypatch.syspath_prepend(paths.ROOT)
    from benchmarks import gpu

    monkeypatch.setattr(gpu, "best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(sys, "argv", ["gpu"])
    gpu.main()
    assert capsys.readouterr().out.startswith("There is no GPU here")


def test_steps_to_compare_are_the_same_on_every_device_and_what_fails_says_why(monkeypatch):
    monkeypatch.syspath_prepend(paths.ROOT)
    from benchmarks import gpu

    case = replace(gpu.SLIM, batch=4, precision="float32", method="self_learning")
    first, again = (list(islice(gpu.steps(case, torch.device("cpu")), 2)) for _ in range(2))
    assert first == again and torch.isfinite(torch.stack(first)).all()
    late = gpu.row(case, 1, lambda case: (10.0, 2e9), ceiling=1e12, until=0.0)
    assert late["windows_per_s"] is None and late["note"] == "not measured: TimeoutError the time was up"
    row = gpu.row(case, 1, lambda case: (10.0, 2e9), ceiling=1e12, until=float("inf"))
    assert row["tflops"] == pytest.approx(0.02) and row["share"] == pytest.approx(0.02) and not row["note"]
