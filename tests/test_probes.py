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


def classified(source, kind, folds=FOLDS):
    """The record of a classifier of whole songs."""
    settings = SongClassifier(dataset=CORPUS, sources=(source,), classifier=kind, folds=folds)
    return record_of(settings, "test", "smoke", f"{kind}_{folds.n}")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """The source of embeddings that tell three classes apart and leave two for each other."""
    tracks = song_classifiers.tracks_of(SongClassifier(dataset=CORPUS))
    rng = np.random.default_rng(0)
    values = rng.normal(size=(32, 5))
    values[np.arange(32), np.minimum(tracks.targets, 2)] += 6
    path = tmp_path_factory.mktemp("embeddings") / "e.npz"
    np.savez(path, track_id=tracks.table["track_id"].to_numpy(dtype=str), values=values)
    return f"embeddings:{path}", tracks.targets


@pytest.mark.parametrize("classifier", ["svm", "logistic"])
def test_song_classifiers_find_what_their_features_tell_and_no_more(embedded, classifier):
    source, targets = embedded
    settings = SongClassifier(dataset=CORPUS, sources=(source,), classifier=classifier, folds=FOLDS)
    arrays, log = song_classifiers.predictions(settings, song_classifiers.tracks_of(settings))
    assert sorted(arrays["track"]) == list(range(32)) and len(log) == 2
    np.testing.assert_allclose(arrays["mean"].sum(axis=1), 1)
    predicted, truth = arrays["decision_whole_song"], targets[arrays["track"]]
    told_apart = np.minimum(predicted, 2) == np.minimum(truth, 2)
    assert told_apart.mean() > 0.9 and (predicted == truth).mean() < 0.95


def test_hyperparameters_are_chosen_without_the_test_songs(embedded, monkeypatch):
    source, _ = embedded
    seen, original = [], song_classifiers.fit
    monkeypatch.setattr(song_classifiers, "fit", lambda *a: seen.append(len(a[1])) or original(*a))
    settings = SongClassifier(dataset=CORPUS, sources=(source,), folds=FOLDS)
    arrays, _ = song_classifiers.predictions(settings, song_classifiers.tracks_of(settings))
    assert seen == [32 - np.sum(arrays["fold"] == k) for k in (0, 1)]


def test_one_of_several_sources_is_taken_by_validation_inside_the_training_songs(
    embedded, monkeypatch, tmp_path
):
    source, _ = embedded
    ids = song_classifiers.tracks_of(SongClassifier(dataset=CORPUS)).table["track_id"].to_numpy(dtype=str)
    noise = np.random.default_rng(1).normal(size=(32, 5))
    np.savez(tmp_path / "noise.npz", track_id=ids, values=noise)
    both = (f"embeddings:{tmp_path / 'noise.npz'}", source)
    settings = SongClassifier(dataset=CORPUS, sources=both, one_of=True, folds=FOLDS)
    tracks = song_classifiers.tracks_of(settings)
    arrays, log = song_classifiers.predictions(settings, tracks)
    alone, _ = song_classifiers.predictions(
        SongClassifier(dataset=CORPUS, sources=(source,), folds=FOLDS), tracks
    )
    assert [row["source"] for (row,) in log] == [source, source]
    np.testing.assert_array_equal(arrays["mean"], alone["mean"])


def test_joined_predictions_are_the_mean_of_their_members_probabilities(embedded):
    source, _ = embedded
    made = {kind: classified(source, kind) for kind in ("svm", "logistic")}
    members = {kind: [record] for kind, record in made.items()}
    fusion = Fusion(dataset=CORPUS, members=tuple(members), folds=FOLDS)
    joined = make_records.record_of_ensemble(fusion, Request("test", "smoke", "both", {}, members))
    expected = np.mean([scoring.probabilities(record) for record in made.values()], axis=0)
    np.testing.assert_allclose(scoring.probabilities(joined), expected)
    assert results.value(joined, name="accuracy", target="emotion", decision="whole_song")["n"] == 32


def validated(record, accuracies):
    """The record as if its networks had predicted training songs out of fold."""
    row = {"part": "validation", "name": "accuracy", "target": "emotion", "decision": "whole_song"}
    rows = [row | {"fold": fold, "value": value} for fold, value in enumerate(accuracies)]
    return record | {"metrics": record["metrics"] + rows}


def test_folds_take_what_did_best_on_training_songs_out_of_fold(embedded):
    source, _ = embedded
    svm, logistic = (classified(source, kind) for kind in ("svm", "logistic"))
    members = {"svm": [validated(svm, (0.9, 0.1))], "logistic": [validated(logistic, (0.2, 0.8))]}
    found, log = ensembles.joined(Fusion(dataset=CORPUS, chosen_for="emotion", folds=FOLDS), members)
    assert [row["chosen"] for (row,) in log] == ["svm", "logistic"]
    of_svm, of_logistic = scoring.probabilities(svm), scoring.probabilities(logistic)
    np.testing.assert_array_equal(found["mean"], np.where(found["fold"][:, None] == 0, of_svm, of_logistic))
    first_only = Folds(n=2, by="song", inner=0, tested=1)
    one_fold, _ = ensembles.joined(Fusion(dataset=CORPUS, folds=first_only), members)
    assert set(one_fold["fold"]) == {0} and len(one_fold["track"]) == (found["fold"] == 0).sum()


def test_members_of_other_folds_are_refused(embedded):
    source, _ = embedded
    one, other = (classified(source, "svm", Folds(n=n, by="song", inner=0)) for n in (2, 3))
    with pytest.raises(results.RecordError, match="cannot be joined"):
        ensembles.joined(Fusion(dataset=CORPUS), {"a": [one], "b": [other]})


@pytest.mark.parametrize(("name", "kind"), [("beyond", Fusion), ("baselines", SongClassifier)])
def test_experiments_turn_members_and_sources_into_runs_of_their_kind(name, kind):
    assert {type(run) for run in experiments.EXPERIMENTS[name].runs("cpu").values()} == {kind}
