"""Collections joined, networks tested across them: who learns from what, who is tested on what."""

from dataclasses import replace

import numpy as np
import pytest

from mer_companion import experiments, results
from mer_companion.analysis import other_collections as shown
from mer_companion.experiments import kinds, other_collections
from mer_companion.reproduction import checks
from mer_companion.runs import transfer
from mer_core import datasets
from mer_core.datasets import splits
from mer_core.datasets.tracks import DataError

SMOKE = other_collections.EXPERIMENTS["across_collections"].runs("smoke")["transfer"]
CPU = other_collections.EXPERIMENTS["across_collections"].runs("cpu")["transfer"]
ONE, OTHER = SMOKE.collections


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_companion.folders.RESULTS", tmp_path_factory.mktemp("results"))
        (made,) = experiments.execute("across_collections", "smoke")
        yield made, results.predictions(made)["probabilities"]


def test_joined_collections_are_their_tracks_side_by_side():
    one, other = datasets.load(ONE), datasets.load(OTHER)
    both = datasets.load(f"{ONE}+{OTHER}")
    assert len(both) == len(one) + len(other) and not set(both.groups) & set(one.groups)
    for name, alone in ((ONE, one), (OTHER, other)):
        own = both.table[both.table["collection"] == name]
        assert [f"{name}/{track}" for track in alone.table["track_id"]] == own["track_id"].tolist()
        np.testing.assert_array_equal(both.targets[own.index], alone.targets)


def test_collections_of_other_classes_are_not_joined():
    with pytest.raises(DataError, match="of the same classes"):
        datasets.load("synthetic+synthetic_moods")


def test_a_source_is_each_collection_all_but_one_and_all():
    assert list(CPU.sources) == [
        *other_collections.COLLECTIONS,
        *(f"all but {name}" for name in other_collections.POOLED),
        "all",
    ]
    assert CPU.sources["all but 4q"] == ("emopia", "emotify_quadrants", "vgmidi")
    with pytest.raises(ValueError, match="must be among those tested"):
        replace(CPU, pooled=("deam",))


def test_every_song_is_predicted_once_by_every_source_and_training(record):
    made, probabilities = record
    assert probabilities.shape == (3, 1, made["data"]["n_tracks"], 4)
    np.testing.assert_allclose(probabilities.astype(float).sum(axis=-1), 1, atol=5e-3)


def test_no_network_learns_from_songs_that_it_is_tested_on(monkeypatch, tmp_path):
    """Of a network's own collections it learns from all songs outside its fold, and from no others."""
    learned = {}

    def remember(network, training, data, seed):
        learned.update(windows=data.values[data.first], label=data.label)
        raise StopIteration

    monkeypatch.setattr(transfer, "Learner", remember)
    monkeypatch.setattr(transfer.paths, "CACHE", tmp_path)
    with pytest.raises(StopIteration):
        transfer.train_one(SMOKE, "all", 0, 1)
    monkeypatch.undo()
    expected, labels = [], []
    for frames, windows in transfer.loaded(SMOKE).values():
        fold = splits.outer(frames.tracks, SMOKE.base.folds)
        kept = windows.kept(np.flatnonzero(fold[windows.track] != 1))
        expected.append(kept.values[kept.first])
        labels.append(kept.label)
    np.testing.assert_array_equal(learned["windows"], np.concatenate(expected))
    np.testing.assert_array_equal(learned["label"], np.concatenate(labels))


def test_scores_are_those_of_the_stored_probabilities(record):
    made, probabilities = record
    assert kinds.of_record(made).scores(made) == made["metrics"]
    tracks = datasets.load(SMOKE.dataset)
    own = np.flatnonzero(tracks.table["collection"] == OTHER)
    right = probabilities[0, 0, own].argmax(axis=1) == tracks.targets[own]
    row = results.value(
        made, source=ONE, dataset=OTHER, target="emotion", name="accuracy", decision="mean_probability"
    )
    assert row["value"] == pytest.approx(right.mean()) and row["n"] == len(own)


def test_drift_tells_every_number_of_the_record_from_every_other(record):
    made, _ = record
    assert len(checks.of_smoke(made)) == len(made["metrics"])


def test_gains_are_those_over_the_collection_s_own_networks(record):
    made, _ = record
    which = {"dataset": ONE, "target": "emotion", "decision": "mean_probability"}
    value = {
        (source, name): results.value(made, source=source, name=name, **which)["value"]
        for source, name in ((ONE, "macro_f1"), ("all", "macro_f1"), ("all", "macro_f1_gain"))
    }
    assert value["all", "macro_f1_gain"] == pytest.approx(value["all", "macro_f1"] - value[ONE, "macro_f1"])


def test_the_most_frequent_class_needs_no_music(record):
    made, _ = record
    which = {"source": transfer.MOST_FREQUENT, "dataset": ONE, "decision": "mean_probability"}
    assert results.value(made, name="accuracy", target="emotion", **which)["value"] == 0.25  # four alike
    assert results.value(made, name="macro_f1", target="emotion", **which)["value"] == pytest.approx(0.1)


def test_methods_meet_the_same_collections_under_the_same_settings():
    runs = experiments.EXPERIMENTS["collections"].runs("cpu")
    assert {name: run.dataset for name, run in runs.items()} == {n: n for n in other_collections.COLLECTIONS}
    assert len({replace(run, dataset="4q").run_id for run in runs.values()}) == 1
    assert {cell.folds.by for run in runs.values() for cell in run.cells} == {"act"}


def gain_rows(method, value, half):
    shared = {"method": method, "n": 100}
    gain = {"name": "macro_f1_gain", "value": value, "low": value - half, "high": value + half, "p": 0.5}
    ends = {"value": 0.5 + value, "low": 0.4, "high": 0.6}
    return [shared | {"name": name} | ends for name in ("macro_f1", "accuracy")] + [shared | gain]


@pytest.fixture
def records():
    """Of five collections: one method gains 0.1 on each but the synthetic one, another nothing anywhere."""
    found = []
    for name in other_collections.COLLECTIONS:
        metrics = gain_rows("inherit", 0.0, 0.0)[:2]
        metrics += gain_rows("elr", -0.5 if name == "synthetic" else 0.1, 0.02) + gain_rows(
            "weight", 0.0, 0.02
        )
        found.append({"config": {"dataset": name}, "metrics": metrics})
    return found


def test_the_mean_over_collections_leaves_the_synthetic_one_out(records):
    means = shown.summaries(shown.gains(records)).set_index("method")
    assert means.loc["elr", "value"] == pytest.approx(0.1) and means.loc["weight", "value"] == pytest.approx(
        0
    )
    assert means.loc["elr", "p_holm"] == pytest.approx(
        2 * means.loc["elr", "p"]
    )  # of two methods, the smaller
    assert shown.gains(records).set_index("collection").loc["synthetic", "p_holm"].isna().all()
    drawn = shown.forest(shown.gains(records))
    assert [text.get_text() for text in drawn.axes[0].get_yticklabels()][-2:] == [shown.SUMMARY, "Synthetic"]


def test_verdicts_follow_the_corrected_intervals(records):
    table = shown.over_collections(shown.gains(records))
    assert table["verdict"].tolist() == ["gain", "inconclusive"]


def transfer_record():
    """0.6 at home, 0.4 elsewhere, 0.7 from all four; every interval 0.05 to each side."""
    names, rows = shown.MUSIC, []

    def add(source, dataset, name, value, target="emotion"):
        ends = {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 10, "p": None}
        rows.append({"source": source, "dataset": dataset, "target": target, "name": name} | ends)

    for dataset in names:
        add("most_frequent", dataset, "macro_f1", 0.1)
        for source in (*names, *(f"all but {name}" for name in names), "all"):
            value = 0.7 if source == "all" else 0.6 if source == dataset else 0.4
            add(source, dataset, "macro_f1", value)
            if source not in names:
                add(source, dataset, "macro_f1_gain", value - 0.6)
            add(source, dataset, "calibration_error", 0.1 if source == dataset else 0.2)
            add(source, dataset, "accuracy", 0.8, "arousal")
            add(source, dataset, "accuracy", 0.6, "valence")
            add(source, dataset, "accuracy", value)
        add("synthetic", dataset, "accuracy", 0.3)
    return {"metrics": rows}


def test_what_pooling_buys_is_held_against_a_collection_s_own_songs():
    table = shown.pooled(transfer_record()).set_index(["dataset", "source"])
    assert table.loc[("4q", "all"), ["gain", "value"]].tolist() == pytest.approx([0.1, 0.7])
    assert table.loc[("4q", "all but 4q"), "gain"] == pytest.approx(-0.2)
    ready = shown.pooling(transfer_record())
    assert ready["verdict"].tolist() == ["", "", "loss", "gain"] * 4


def test_registered_predictions_are_held_against_the_records(records):
    for record in records:
        record["metrics"] += gain_rows("self_learning", -0.01, 0.02)
    table = shown.outcomes(records, transfer_record())
    # ELR gains too much (1, 3), plain training is at 0.5 everywhere (4), all four gain 0.1 (8), one other is
    # as good as three (9)
    assert (
        table["outcome"].tolist()
        == ["failed", "held", "failed", "failed", "held", "held", "held"] + ["failed"] * 2
    )


def test_the_matrix_frames_home_and_ends_with_the_most_frequent_class():
    figure = shown.heatmap(transfer_record(), "macro_f1", "macro F1")
    axes = figure.axes[0]
    assert [patch.get_xy() for patch in axes.patches] == [(i, i) for i in range(4)]
    assert axes.get_yticklabels()[-1].get_text() == "Most frequent class"
