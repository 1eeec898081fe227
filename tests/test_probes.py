import numpy as np
import pytest

from mer_companion import experiments, results
from mer_companion.experiments import record_of
from mer_companion.runs import ensembles, make_records, scoring, song_classifiers
from mer_companion.runs.make_records import Request
from mer_companion.runs.settings import Fusion, SongClassifier
from mer_core.datasets.splits import Folds

FOLDS = Folds(n=2, by="song", inner=0)
CORPUS = "synthetic:n_songs=32,n_artists=32,song_s=4"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A probe on embeddings that tell three classes apart and leave two for each other."""
    tracks = song_classifiers.tracks_of(SongClassifier(dataset=CORPUS))
    rng = np.random.default_rng(0)
    values = rng.normal(size=(32, 5))
    values[np.arange(32), np.minimum(tracks.targets, 2)] += 6
    path = tmp_path_factory.mktemp("embeddings") / "e.npz"
    np.savez(path, track_id=tracks.table["track_id"].to_numpy(dtype=str), values=values)
    return f"embeddings:{path}", tracks.targets


@pytest.mark.parametrize("classifier", ["svm", "logistic"])
def test_a_probe_finds_what_its_features_tell_and_no_more(embedded, classifier):
    source, targets = embedded
    probe = SongClassifier(dataset=CORPUS, sources=(source,), classifier=classifier, folds=FOLDS)
    arrays, log = song_classifiers.predictions(probe, song_classifiers.tracks_of(probe))
    assert sorted(arrays["track"]) == list(range(32)) and len(log) == 2
    np.testing.assert_allclose(arrays["mean"].sum(axis=1), 1)
    called = arrays["decision_whole_song"]
    told_apart = np.minimum(called, 2) == np.minimum(targets[arrays["track"]], 2)
    assert told_apart.mean() > 0.9 and (called == targets[arrays["track"]]).mean() < 0.95


def test_settings_are_chosen_without_the_tested_songs(embedded, monkeypatch):
    source, _ = embedded
    seen, original = [], song_classifiers.fit
    monkeypatch.setattr(
        song_classifiers,
        "fit",
        lambda probe, values, *rest: seen.append(len(values)) or original(probe, values, *rest),
    )
    probe = SongClassifier(dataset=CORPUS, sources=(source,), folds=FOLDS)
    arrays, _ = song_classifiers.predictions(probe, song_classifiers.tracks_of(probe))
    assert seen == [32 - np.sum(arrays["fold"] == k) for k in (0, 1)]


def test_joined_answers_are_the_mean_of_their_members_probabilities(embedded):
    source, _ = embedded
    made = {
        kind: record_of(
            SongClassifier(dataset=CORPUS, sources=(source,), classifier=kind, folds=FOLDS),
            "test",
            "smoke",
            kind,
        )
        for kind in ("svm", "logistic")
    }
    members = {kind: [record] for kind, record in made.items()}
    fusion = Fusion(dataset=CORPUS, members=tuple(members), folds=FOLDS)
    joined = make_records.record_of_ensemble(fusion, Request("test", "smoke", "both", members=members))
    expected = np.mean([scoring.probabilities(record) for record in made.values()], axis=0)
    np.testing.assert_allclose(scoring.probabilities(joined), expected)
    assert results.value(joined, name="accuracy", target="emotion", decision="whole_song")["n"] == 32


def validated(record, accuracies):
    """The record as if its networks had been asked about training songs they had not heard."""
    row = {"part": "validation", "name": "accuracy", "target": "emotion", "decision": "whole_song"}
    return record | {
        "metrics": record["metrics"] + [row | {"fold": k, "value": v} for k, v in enumerate(accuracies)]
    }


def test_each_fold_takes_what_answered_best_for_unheard_training_songs(embedded):
    source, _ = embedded
    svm, logistic = (
        record_of(
            SongClassifier(dataset=CORPUS, sources=(source,), classifier=kind, folds=FOLDS),
            "test",
            "smoke",
            kind,
        )
        for kind in ("svm", "logistic")
    )
    members = {"svm": [validated(svm, (0.9, 0.1))], "logistic": [validated(logistic, (0.2, 0.8))]}
    found, log = ensembles.joined(Fusion(dataset=CORPUS, chosen_for="emotion", folds=FOLDS), members)
    assert [row["chosen"] for (row,) in log] == ["svm", "logistic"]
    expected = np.where(
        found["fold"][:, None] == 0, scoring.probabilities(svm), scoring.probabilities(logistic)
    )
    np.testing.assert_array_equal(found["mean"], expected)
    one_fold, _ = ensembles.joined(
        Fusion(dataset=CORPUS, folds=Folds(n=2, by="song", inner=0, tested=1)), members
    )
    assert set(one_fold["fold"]) == {0} and len(one_fold["track"]) == (found["fold"] == 0).sum()


def test_members_of_other_folds_are_refused(embedded):
    source, _ = embedded
    one, other = (
        record_of(
            SongClassifier(dataset=CORPUS, sources=(source,), folds=Folds(n=n, by="song", inner=0)),
            "test",
            "smoke",
            f"n{n}",
        )
        for n in (2, 3)
    )
    with pytest.raises(results.RecordError, match="cannot be joined"):
        ensembles.joined(Fusion(dataset=CORPUS), {"a": [one], "b": [other]})


def test_an_experiment_turns_sources_and_members_into_probes_and_fusions():
    kinds = {
        label: type(run).__name__ for label, run in experiments.EXPERIMENTS["beyond"].runs("cpu").items()
    }
    assert set(kinds.values()) == {"Fusion"}
    assert {type(run).__name__ for run in experiments.EXPERIMENTS["baselines"].runs("cpu").values()} == {
        "SongClassifier"
    }
