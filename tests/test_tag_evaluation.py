from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

from mer_companion import experiments, results
from mer_companion.experiments import record_of, tag_comparison
from mer_companion.runs import tag_ensembles, tag_scoring
from mer_companion.runs.overrides import changed
from mer_companion.runs.settings import Run, TagEnsemble
from mer_companion.runs.tag_scoring import MACRO, SCORES
from mer_core import datasets
from mer_core.audio.features import LogMel, WindowFeatures, frames_within
from mer_core.datasets.splits import Folds
from mer_core.evaluation import tag_metrics
from mer_core.methods import inherit
from mer_core.models import crnn, heads
from mer_core.training import Training


@pytest.fixture(scope="module")
def records():
    """The same small run with three seeds, and one that learns nothing."""
    run = Run(
        dataset="synthetic_moods:n_songs=40,n_artists=20,song_s=6",
        features=LogMel(n_mels=16, pool_frames=8),
        method=inherit.Settings(),
        network=crnn.Settings(width=4, branch=16, head_dropout=0.0),
        training=Training(epochs=8, batch_size=16, learning_rate=5e-3),
        folds=Folds(n=2, inner=0, tested=1),
    )
    runs = {"learned": run, "untrained": changed(run, {"training.learning_rate": 0.0})}
    pairs = [(label, replace(one, seed=seed)) for label, one in runs.items() for seed in (0, 1, 2)]
    return [record_of(one, "tags", "smoke", label) for label, one in pairs]


def test_records_of_tags_are_scored_on_their_test_songs(records):
    record = records[0]
    stored = results.predictions(record)
    tracks = datasets.load(record["config"]["dataset"])
    precision, area = tag_metrics.ranking(tracks.targets[stored["test_track"]], stored["test"])
    for name, by_tag in (("pr_auc", precision), ("roc_auc", area)):
        row = results.value(record, name=name, target=MACRO, decision=SCORES)
        assert row["value"] == pytest.approx(by_tag.mean()) and row["low"] <= row["value"] <= row["high"]
        assert row["n"] == len(stored["track"]) == record["data"]["n_tested"] == 8
    assert {m["target"] for m in record["metrics"]} == {MACRO, *tracks.classes}


def test_thresholds_come_from_validation_songs_unless_the_task_is_followed(records):
    record = records[0]
    stored, truth = results.predictions(record), results.tracks_of(record).targets
    found = tag_metrics.best_thresholds(truth[stored["validation_track"]], stored["validation"])
    decided = tag_metrics.decisions(
        truth[stored["test_track"]], tag_metrics.predicted_tags(stored["test"], found)
    )
    row = results.value(record, name="f_score", target=MACRO, decision=tag_scoring.FROM_VALIDATION)
    assert row["value"] == pytest.approx(decided["f_score"].mean())


def test_runs_that_learned_beat_those_that_did_not_on_the_same_resamples(records):
    rows = tag_comparison.compare({"learned": ("untrained",)}, records)
    results.write_comparison(results.comparison_path("tags", "smoke"), rows)
    compared = results.comparison("tags", "smoke")
    own = compared[compared["against"].isna() & (compared["name"] == "roc_auc")].set_index("label")
    (pair,) = compared[compared["against"].notna() & (compared["name"] == "roc_auc")].itertuples()
    areas = [results.value(r, name="roc_auc", target=MACRO, decision=SCORES)["value"] for r in records]
    learned, untrained = np.reshape(areas, (2, 3)).mean(axis=1)
    assert own["value"].to_dict() == pytest.approx({"learned": learned, "untrained": untrained})
    assert pair.value == pytest.approx(learned - untrained) and pair.seeds == [0, 1, 2]
    assert pair.low > 0 and pair.p_holm < 0.05


def test_ensembles_of_tags_take_the_weight_that_does_best_on_validation(records):
    learned, untrained = records[0], records[3]
    ensemble = TagEnsemble(dataset=learned["config"]["dataset"], members=("tags/learned", "tags/untrained"))
    arrays, (log,) = tag_ensembles.joined(ensemble, [learned, untrained])
    stored = results.predictions(learned)
    truth = datasets.load(ensemble.dataset).targets[stored["validation_track"]]
    _, area = tag_metrics.ranking(truth, arrays["validation"])
    assert area.mean() == pytest.approx(max(log["validation"])) and len(log["validation"]) == 21
    other = results.predictions(untrained)
    weighted = log["weight"] * stored["test"] + (1 - log["weight"]) * other["test"]
    np.testing.assert_allclose(arrays["test"], weighted)
    with pytest.raises(results.RecordError, match="two members"):
        tag_ensembles.joined(ensemble, [learned])


def test_heads_learn_many_tags_from_window_features(monkeypatch):
    """56 tags, as in MTG-Jamendo: the synthetic corpus's six words, each spelled in nine or ten ways."""
    read = datasets.READERS["synthetic_moods"]

    def spelled(**settings):
        tracks = read(**settings)
        ways = {word: [f"{word} {i}" for i in range(9 + (k < 2))] for k, word in enumerate(tracks.classes)}
        tags = [tuple(way for word in own for way in ways[word]) for own in tracks.table["tags"]]
        return replace(tracks, classes=tuple(chain(*ways.values())), table=tracks.table.assign(tags=tags))

    monkeypatch.setitem(datasets.READERS, "synthetic_moods", spelled)
    run = Run(
        dataset="synthetic_moods:n_songs=41,n_artists=20,song_s=6",
        features=WindowFeatures((), statistics=True),
        method=inherit.Settings(),
        network=heads.Settings(hidden=(32,)),
        training=Training(epochs=8, batch_size=16, learning_rate=1e-2),
        folds=Folds(n=2, inner=0, tested=1),
    )
    stored = results.predictions(record := record_of(run, "tags", "smoke", "many"))
    assert stored["test"].shape == (record["data"]["n_tested"], 56)
    assert results.value(record, name="roc_auc", target=MACRO, decision=SCORES)["value"] > 0.8


@pytest.mark.parametrize("preset", ["smoke", "cpu"])
def test_heads_on_pretrained_features_are_told_their_input(preset):
    runs = dict(experiments.jobs("tags_pretrained", preset, seeds=(0,)))
    frames = {label: frames_within(runs[label].window_s, runs[label].features) for label in ("short", "long")}
    assert frames == {"short": 1, "long": {"smoke": 8, "cpu": 23}[preset]}
    assert bool(runs["long"].features.pretrained) == (preset == "cpu")  # smoke needs no weights


@pytest.mark.parametrize(
    "name", ["noisy_student", "networks_that_teach", "mirable_as_released", "tags_pretrained"]
)
def test_runs_for_tags_can_all_be_built(name):
    for preset in experiments.EXPERIMENTS[name].presets:
        for label, run in experiments.jobs(name, preset, seeds=(0,)):
            if isinstance(run, Run):
                with torch.device("meta"):
                    net = run.network.build(56, run.features)
                assert sum(p.numel() for p in net.parameters()) > 1000, label
                assert run.config()["network"]["kind"].endswith("Settings")
