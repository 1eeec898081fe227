"""The table of what runs can decide: hand values, and questions that belong to experiments there are."""

from dataclasses import replace

import pytest

from mer_companion import experiments, folders
from mer_companion.book import budget
from mer_companion.book.numbers import numbers, recorded_or_none
from mer_companion.runs.settings import NoiseMap
from mer_core import paths

FOUR_RUNS = budget.Design(n=4, error=0.01, of_runs=0.0004, hours=0.5, unit="core", songs=900)


@pytest.fixture
def tracked(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")


def test_half_the_detectable_effect_takes_four_times_the_runs_or_songs():
    assert FOUR_RUNS.detectable() == pytest.approx(0.02802, abs=1e-5)  # 1.960 + 0.842 standard errors
    assert budget.times_more(FOUR_RUNS, FOUR_RUNS.detectable() / 2, None) == pytest.approx(4)


def test_the_error_between_runs_is_added_to_that_of_a_single_run_only():
    one = replace(FOUR_RUNS, n=1)
    assert one.detectable(0.0001) == pytest.approx(2**0.5 * one.detectable())  # as large as that of artists
    assert FOUR_RUNS.detectable(0.0001) == FOUR_RUNS.detectable()


def test_every_question_is_about_runs_that_an_experiment_has():
    assert len(budget.questions()) > 10
    for question in budget.questions():
        experiment = experiments.EXPERIMENTS[question.experiment]
        if question.cell:
            (run,) = experiment.runs("cpu").values()
            assert isinstance(run, NoiseMap) and question.cell in {method for method, _ in run.names}
        else:
            assert question.against in experiment.references_of()[question.label]


def test_the_table_says_what_was_not_run_and_asks_no_more_where_runs_are_enough(tracked, monkeypatch):
    known = numbers()
    table = budget.table(known).set_index("question")
    assert len(table) == len(budget.questions()) and table.index.is_unique
    first = budget.questions()[0]
    enough = replace(first, effect=0.5)
    assert budget.row(enough, known, None)["runs needed, at least"] == str(budget.design(first).n)
    monkeypatch.setattr(budget, "recorded_or_none", lambda name: [])
    assert budget.row(first, known, None)["runs made"] == budget.NOT_RUN


def test_the_design_of_the_headline_is_that_of_its_records(tracked):
    first = budget.questions()[0]
    found = budget.design(first)
    records = recorded_or_none("segments_to_songs")
    minutes = sum(record["cost"]["core_minutes"] for record in records)
    assert found.n == 5 and found.songs == 900 and found.hours == pytest.approx(minutes / 5 / 60)
    assert found.error < found.detectable() / 2.8
