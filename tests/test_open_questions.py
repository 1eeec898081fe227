"""The page of open questions: collapse by hand, checks that name real runs, rows that are not run yet."""

import numpy as np
import pytest

from mer_companion import experiments, folders, results
from mer_companion.analysis import names, open_questions, sensitivity
from mer_companion.book import status
from mer_core import paths
from mer_core.datasets import splits
from mer_core.datasets.splits import Folds
from mer_core.evaluation.song_decision import MAIN_DECISION

QUESTIONS = open_questions.questions()
CHECKS = [check for entry in QUESTIONS for check in entry["checks"]]


def test_a_check_without_a_record_says_so_and_one_with_it_has_interval_and_word():
    key = CHECKS[0]["key"]
    table = open_questions.table({key: 0.02, f"{key}/low": 0.01, f"{key}/high": 0.03}).reset_index()
    assert len(table) == len(CHECKS) and (table["difference"][1:] == open_questions.NOT_RUN).all()
    first = table.iloc[0]
    assert first["difference"] == "+0.020 [+0.010, +0.030]" and first["verdict"] == open_questions.GAIN
    assert first["detectable"] == "0.014"  # 2.80 standard errors of 0.0051


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(-0.03, -0.001, "a loss"), (-0.009, 0.009, "none beyond the margin"), (-0.009, 0.011, "inconclusive")],
)
def test_words_follow_from_interval_and_margin(low, high, word):
    assert open_questions.answer(low, high, 0.01) == word


def test_checks_name_pages_and_experiments_that_there_are():
    known = set(experiments.EXPERIMENTS) | {"collections"}
    assert {check["key"].partition("/")[0] for check in CHECKS} <= known
    assert {check["page"] for check in CHECKS} <= set(status.SHOWN_BY) | {"28_collections"}


def test_checks_of_maps_name_their_cells():
    """A misspelt cell would read "not run yet" for ever."""
    for check in CHECKS:
        experiment, method, noise, setting, *_ = check["key"].split("/")
        if not experiment.startswith(("strong", "noise", "memorising")):
            continue
        (study,) = experiments.EXPERIMENTS[experiment].runs("cpu").values()
        kinds = {
            f"{run.noise.kind}_{run.noise.unit}_{run.noise.rate:.0%}".rstrip("%")
            if run.noise.rate
            else "none"
            for name, run in zip(study.names, study.cells, strict=True)
            if name == (method, setting)
        }
        assert noise in kinds


def test_collapsed_networks_are_counted_by_fold_and_training(tmp_path, monkeypatch):
    """Two partitions of four songs in two folds; a network never says 1 in the second fold of the second."""
    monkeypatch.setattr(paths, "SPLITS", tmp_path)
    for seed, fold in ((0, "0011"), (1, "0101")):
        rows = "".join(f"s{i},{k}\n" for i, k in enumerate(fold))
        (tmp_path / splits.file_name("4q", Folds(n=2, by="act", seed=seed))).write_text(
            f"track_id,fold\n{rows}"
        )
    cell = {"method": "mixup_alpha=4", "noise": "none", "unit": "window", "rate": 0.0, "setting": "musicnn"}
    row = cell | {"decision": MAIN_DECISION, "value": 0.5, "low": 0.4, "high": 0.6}
    record = {
        "data": {"name": "4q", "classes": ["a", "b"]},
        "config": {"cells": [cell | {"partitions": [0, 1]}], "trainings": 1},
        "metrics": [row | {"name": "macro_f1"}, row | {"name": "macro_f1_gain"}],
    }
    predicted = np.array([[[0, 1, 1, 0], [0, 0, 1, 0]]])
    stored = {MAIN_DECISION: predicted, "track_id": np.array(["s0", "s1", "s2", "s3"])}
    monkeypatch.setattr(results, "predictions", lambda _: stored)
    table = sensitivity.grid(record, Folds(n=2, by="act"))
    assert table.loc[f"{names.SETTINGS['mixup_alpha']} = 4", "collapsed"] == "1 of 4"


def test_networks_of_ordinary_records_are_counted_too(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    counted = sensitivity.of_runs(experiments.recorded("ablations", "cpu"))
    assert counted["without_separation"] == "5 of 5"  # every label erased: no fold knows all quadrants
