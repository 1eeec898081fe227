"""The map of label noise: cells meet the same noise, curves count what they say, the record is whole."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mer_companion import experiments, results
from mer_companion.analysis import noise_map as shown
from mer_companion.experiments import kinds, noise
from mer_companion.runs import cross_validation, noise_map
from mer_core.evaluation.song_decision import MAIN_DECISION
from mer_core.methods import METHODS, self_learning
from mer_core.training import Learner

SMOKE = noise.EXPERIMENTS["noise_map"].runs("smoke")["map"]


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_companion.folders.RESULTS", tmp_path_factory.mktemp("results"))
        (made,) = experiments.execute("noise_map", "smoke")
        yield made, results.predictions(made)


def test_every_song_is_tested_once_by_every_cell_and_partition(record):
    made, arrays = record
    assert arrays[MAIN_DECISION].shape == (len(SMOKE.cells), 1, made["data"]["n_tracks"])
    assert arrays[MAIN_DECISION].min() >= 0 and arrays[MAIN_DECISION].max() <= 3
    assert [cell["training_id"] for cell in made["config"]["cells"]] == [r.training_id for r in SMOKE.cells]


def test_the_record_is_scored_again_from_its_predictions(record):
    made, _ = record
    assert kinds.of_record(made).scores(made) == made["metrics"]


def test_gains_are_differences_from_plain_training_under_the_same_noise(record):
    made, _ = record
    rows = shown.cells(made)
    plain = rows[rows["method"] == "inherit"].set_index("rate")["value"]
    others = rows[rows["method"] != "inherit"]
    np.testing.assert_allclose(others["gain"], others["value"] - others["rate"].map(plain), atol=1e-12)
    assert rows[rows["method"] == "inherit"]["gain"].isna().all()


def test_methods_of_a_fold_meet_the_same_wrong_labels():
    several = {}
    for _, _, run, fold in noise_map.networks(SMOKE):
        _, data = cross_validation.load_segments(run, noise_map.CPU)
        several.setdefault((run.noise, fold), []).append(data.label)
    for labels in several.values():
        assert all(torch.equal(labels[0], other) for other in labels) and len(labels) == 4


def test_purity_and_recall_count_kept_and_erased_labels():
    # of 10 labels 4 are wrong; 6 are kept, 5 of them right: 1 wrong one is missed
    row = {"truly_clean_in_clean_set": 5 / 6, "truly_clean": 0.6, "n_clean": 6, "n_noisy": 4}
    assert noise_map.with_recall(row)["recall"] == pytest.approx(3 / 4)
    assert noise_map.with_recall(row)["purity"] == pytest.approx(5 / 6)
    assert "recall" not in noise_map.with_recall({"loss": 1.0})


def test_pages_name_the_curves_as_the_record_holds_them():
    assert shown.CURVES == noise_map.CURVES


def test_curves_of_methods_of_other_lengths_are_filled_up():
    found = noise_map.means_of([[np.ones((2, 6)), 3 * np.ones((2, 6))], [np.ones((3, 6))]])
    assert (found[0, :2] == 2).all() and np.isnan(found[0, 2]).all() and (found[1] == 1).all()


@pytest.fixture
def trained():
    """A network after its warm-up, its windows, and their predictions."""
    run = replace(SMOKE.cells[-1], folds=replace(SMOKE.cells[0].folds, inner=0))
    _, data = cross_validation.load_segments(run, noise_map.CPU)
    settings = self_learning.Settings(warmup_epochs=1)
    learner = Learner(run.network, replace(run.training, epochs=2), data, 0)
    METHODS["self_learning"].train(learner, data, settings)
    index = torch.arange(len(data))
    return learner, data, index, learner.predict(data, index)


@pytest.mark.parametrize("doubtful", ["replace", "drop", "weight"])
def test_doubtful_labels_are_replaced_dropped_or_weighted(trained, doubtful):
    learner, data, index, predicted = trained
    settings = self_learning.Settings(doubtful=doubtful)
    labels = self_learning.separate(learner, data, index, predicted, predicted, settings)
    whole = self_learning.separate(
        learner, data, index, predicted, predicted, replace(settings, doubtful="replace")
    )
    given = torch.nn.functional.one_hot(data.label[labels.index], 4).float()
    if doubtful == "replace":
        assert len(labels.index) == len(data) and labels.noisy.any()
        torch.testing.assert_close(labels.targets.sum(dim=1), torch.ones(len(data)))
    elif doubtful == "drop":
        assert len(labels.index) == int((~whole.noisy).sum()) and not labels.noisy.any()
        torch.testing.assert_close(labels.targets, given)
    else:
        assert len(labels.index) == len(data) and not labels.noisy.any()
        torch.testing.assert_close(labels.targets, labels.clean_probability[:, None] * given)


def test_a_second_map_confirms_what_keeps_its_sign_and_remains_significant():
    first = {"kind": ["a", "a", "b", "b"], "rate": 0.4, "method": ["x", "y", "x", "y"], "setting": "m"}
    first |= {"verdict": ["gain", "loss", "gain", "inconclusive"], "gain": [0.1, -0.1, 0.1, 0.0]}
    again = first | {"verdict": ["gain", "gain", "inconclusive", "loss"], "gain": [0.05, 0.1, 0.0, -0.1]}
    pairs = shown.confirmed(pd.DataFrame(first), pd.DataFrame(again))
    assert list(pairs["outcome"]) == ["confirmed", "refuted", "not confirmed", "a loss"]
