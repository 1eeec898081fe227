import json
from dataclasses import replace

import numpy as np
import pytest

from mer_core import experiments, paths, results, runs
from mer_core.datasets import synthetic
from mer_core.experiments import EXPERIMENTS, PRESETS
from mer_core.methods import inherit, self_learning
from mer_core.runs import Run
from mer_core.splits import Folds
from mer_core.training import Training


@pytest.fixture(scope="module")
def tiny(monkeypatch_module):
    """A run of seconds: 16 songs of 6 s, two epochs, two folds."""
    small = synthetic.Corpus(n_songs=16, n_artists=16, song_s=6)
    monkeypatch_module.setitem(runs.datasets.READERS, "synthetic", lambda **k: synthetic.read(small, **k))
    return replace(
        PRESETS["smoke"],
        training=Training(epochs=2, batch_size=16, learning_rate=2e-3),
        method=self_learning.Settings(warmup_epochs=1),
        folds=Folds(n=2, by="song"),
    )


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_same_settings_same_name_and_any_change_another():
    assert Run().run_id == Run().run_id
    changes = [
        {"seed": 1},
        {"window_s": 2.0},
        {"method": inherit.Settings()},
        {"method": self_learning.Settings(temperature=0.7)},
        {"folds": Folds(by="artist")},
    ]
    assert len({replace(Run(), **change).run_id for change in [{}, *changes]}) == 6


def test_settings_survive_json():
    config = PRESETS["cpu"].config()
    assert json.loads(json.dumps(config)) == config
    assert config["method"]["name"] == "self_learning" and config["features"]["n_mels"] == PRESETS["cpu"].features.n_mels


def test_the_paper_preset_is_the_paper():
    paper = PRESETS["paper"]
    assert (paper.features.window_samples, paper.features.hop_samples, paper.features.n_mels) == (1024, 512, 128)
    assert paper.network.architecture == "vgg16" and paper.folds.n == 10 and paper.training.stride == 1


def test_every_experiment_has_runs_of_its_own_at_every_preset():
    for experiment in EXPERIMENTS.values():
        for preset in PRESETS:
            ids = [run.run_id for run in experiment.runs(preset).values()]
            assert len(ids) == len(set(ids)) > 0


def test_a_killed_run_goes_on_at_the_next_network_and_ends_as_an_unbroken_one(tiny, monkeypatch):
    unbroken = runs.execute(tiny, "test", "smoke", "unbroken")
    expected = results.predictions(unbroken)
    for path in (paths.CACHE / "folds").rglob("*.npz"):
        path.unlink()
    trained, original = [], runs.fit

    def fit_until_killed(*arguments):
        if len(trained) == 4:  # of three networks for each of two folds
            raise KeyboardInterrupt
        trained.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(runs, "fit", fit_until_killed)
    with pytest.raises(KeyboardInterrupt):
        runs.execute(tiny, "test", "smoke", "killed")
    trained.clear()
    monkeypatch.setattr(runs, "fit", lambda *a: trained.append(a) or original(*a))
    resumed = results.predictions(runs.execute(tiny, "test", "smoke", "killed"))
    assert len(trained) == 2  # what was left of six networks
    for name, values in expected.items():
        np.testing.assert_array_equal(resumed[name], values)


def test_a_run_with_a_record_is_loaded_not_repeated(tiny, monkeypatch):
    first = runs.execute(tiny, "test", "smoke", "again")
    monkeypatch.setattr(runs, "load_frames", None)
    assert runs.execute(tiny, "test", "smoke", "again") == first
    monkeypatch.setattr(results, "code_digest", lambda: "other code")
    with pytest.raises(TypeError):  # a smoke record of other code is stale
        runs.execute(tiny, "test", "smoke", "again")


def test_out_of_fold_features_never_come_from_a_network_that_heard_the_song(tiny, monkeypatch):
    heard, original = [], runs.fit
    monkeypatch.setattr(runs, "fit", lambda run, data, *rest: heard.append(set(data.track)) or original(run, data, *rest))
    fresh = replace(tiny, seed=5)
    for part in runs.parts(fresh):
        runs.train_part(fresh, 0, part)
    fold = runs.read_fold(fresh, runs.load_frames(fresh).tracks, 0)
    tracks, test, training = set(range(16)), set(fold["test_track"]), set(fold["training_track"])
    assert not np.array_equal(fold["in_sample"], fold["out_of_fold"])
    outer, *inner = heard
    assert outer == training and test | training == tracks and not test & training
    assert len(inner) == 2 and not inner[0] & inner[1] and inner[0] | inner[1] == training


def test_a_record_holds_what_a_reader_needs(tiny):
    record = runs.execute(tiny, "test", "smoke", "again")
    rows = results.table([record])
    assert {"svm", "svm_in_sample", "mean_probability", "majority_vote", "maximum_run_length", "most_frequent"} == set(
        rows["decision"]
    )
    assert set(rows["target"]) == {"emotion", "valence", "arousal"}
    pooled = rows[(rows["fold"] == "all") & (rows["part"] == "test")]
    assert ((pooled["low"] <= pooled["value"]) & (pooled["value"] <= pooled["high"])).all() and (pooled["n"] == 16).all()
    assert record["cost"]["seconds"] > 0 and record["environment"]["torch"] and len(record["log"]) == 2
    stored = results.predictions(record)
    right = stored["truth"][stored["track"]] == stored["decision_svm"]
    accuracy = results.value([record], "again", name="accuracy", target="emotion", decision="svm", part="test", fold="all")
    assert accuracy["value"] == pytest.approx(right.mean())
    probabilities, seconds = results.timeline(record, "song003")
    assert probabilities.shape == (len(seconds), 4) and np.allclose(probabilities.sum(axis=1), 1, atol=0.01)


def test_an_incomplete_or_missing_record_says_what_to_do(tmp_path):
    with pytest.raises(results.RecordError, match="no such record"):
        results.load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"schema": 1')
    with pytest.raises(results.RecordError, match="is not JSON"):
        results.load(tmp_path / "half.json")
    (tmp_path / "poor.json").write_text('{"schema": 1}')
    with pytest.raises(results.RecordError, match="lacks"):
        results.load(tmp_path / "poor.json")


def test_jobs_are_every_variant_with_every_seed():
    jobs = experiments.jobs("segments_to_songs", "smoke", dataset="mine.csv", seeds=(0, 1))
    assert [(label, run.seed) for label, run in jobs] == [
        ("inherit", 0), ("self_learning", 0), ("inherit", 1), ("self_learning", 1),
    ]  # fmt: skip
    assert all(run.dataset == "mine.csv" for _, run in jobs)
