"""What is said of labelled music: scores, calibration, doubtful labels, and when a record still holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import RATE, tone, untrained, write

from mer_app import model_card, scores
from mer_app.evaluate import OutOfFold, evaluate, most_frequent
from mer_app.label_check import doubtful, with_labels
from mer_app.label_check_page import written as page_of
from mer_app.train import known_songs, runs_on, train
from mer_companion.analysis import clean_probability
from mer_companion.runs import cross_validation
from mer_core import datasets
from mer_core.datasets.tracks import DataError
from mer_core.emotion import QUADRANTS
from mer_core.evaluation import calibration
from mer_core.trained_model import ModelError


@pytest.fixture
def predicted():
    """Ninety songs of two windows that two networks predict correctly in four cases of five, with less
    confidence than that.
    """
    truth = np.repeat(np.arange(3), 30)
    label = np.where(np.arange(90) % 5 == 0, (truth + 1) % 3, truth)
    windows = np.repeat((0.4 * np.eye(3)[label] + 0.2)[None], 2, axis=0).repeat(2, axis=1)
    song = np.arange(90)
    return OutOfFold(("a", "b", "c"), windows, np.repeat(song, 2), truth, song // 2, song % 3)


def test_the_summary_counts_by_hand(predicted):
    known = predicted.summary()
    assert known["n"] == 90 and np.array(known["confusion"]).diagonal().tolist() == [24, 24, 24]
    accuracy = known["scores"]["accuracy"]
    assert accuracy["value"] == pytest.approx(0.8) and accuracy["low"] < 0.8 < accuracy["high"]
    assert known["trivial"]["accuracy"]["value"] == pytest.approx(
        1 / 3
    )  # ties: the first class, in every fold
    before, after = (known["calibration"][when]["calibration_error"] for when in ("before", "after"))
    assert before["value"] == pytest.approx(0.8 - 0.6)  # accuracy 0.8 with confidence 0.6
    assert after["value"] < 0.02 and known["temperature"] < 1
    assert known["calibration"]["surprise_saved"]["low"] > 0
    [(confidence, accuracy, n, low, high)] = known["reliability"]
    assert (confidence, accuracy, n) == (pytest.approx(0.8, abs=0.02), pytest.approx(0.8), 90)
    assert low < accuracy < high


def test_a_temperature_that_does_not_help_other_folds_is_not_used(predicted):
    contrary = np.where(predicted.fold == 0, 0.9, 0.4)  # what one fold asks for misleads the others
    lead = np.repeat(contrary, 2)[:, None] * np.eye(3)[predicted.truth].repeat(2, axis=0)
    windows = np.repeat((lead + (1 - lead.sum(axis=1, keepdims=True)) / 3)[None], 2, axis=0)
    wrong = np.where(predicted.fold == 0, (predicted.truth + 1) % 3, predicted.truth)
    known = replace(predicted, windows=windows, truth=wrong)
    loss = calibration.negative_log_likelihood
    assert loss(known.cross_fitted, wrong) > loss(known.uncalibrated, wrong) and known.temperature == 1
    np.testing.assert_array_equal(known.calibrated, known.uncalibrated)


def test_the_baseline_knows_the_other_folds_only():
    truth, fold = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(most_frequent(truth, fold), [1, 1, 1, 0, 0, 0])


def test_quadrants_are_scored_in_both_dimensions_beside_their_baselines():
    truth = np.tile(np.arange(4), 10)
    known = scores.of_labels(np.eye(4)[(truth + 1) % 4], truth, truth, QUADRANTS, np.zeros(40, dtype=int))
    assert (
        known["scores"]["accuracy"]["value"] == 0
    )  # each song gets the label of its neighbour on the circle
    assert [known[name]["scores"]["accuracy"]["value"] for name in ("valence", "arousal")] == [0.5, 0.5]
    assert known["valence"]["trivial"]["accuracy"]["value"] == 0.5


def test_a_tag_that_no_song_has_is_named_and_not_scored(rng):
    truth = np.stack([np.arange(12) % 2, np.zeros(12)], axis=1).astype(bool)
    known = scores.of_tags(rng.random((12, 2)), truth, np.arange(12), ("loud", "rare"))
    assert known["not_judged"] == ["rare"] and list(known["by_class"]) == ["loud"]


def card(by, groups, tagged=False, known=None, name="mine"):
    data = {"name": name, "digest": "", "n_tracks": 12, "n_groups": groups, "hours": 1.0, "licence": ""}
    model = untrained(tagged=tagged)
    made = {
        "data": data | {"counts": {}, "sounds": []},
        "level": {"quieter_by_db": 10.0, "n": 12, "changed": 0.25},
        "settings": {"folds": {"by": by}},
        "code": {"commit": "", "modified": False, "digest": ""},
        "environment": dict.fromkeys(("python", "torch", "librosa", "soxr", "soundfile"), "1"),
        "out_of_fold": known,
    }
    recipe = {"preset": "cpu", "method": "inherit", "seeds": [0], "run_ids": [], "licence": ""}
    return model_card.written(replace(model, card=made | recipe))


def test_a_card_claims_no_more_than_the_folds_allow(rng):
    truth = np.tile(np.arange(4), 6)
    windows = rng.dirichlet(np.ones(4), size=(2, 24))
    known = OutOfFold(QUADRANTS, windows, np.arange(24), truth, np.arange(24), np.arange(24) % 3).summary()
    artists, songs, unknown = (
        card(*how, known=known) for how in (("artist", 6), ("song", 6), ("artist", 12))
    )
    assert "songs and artists outside the training folds" in artists
    assert "other songs of their artists may" in songs and "songs and artists" not in songs
    assert "no artists were given" in unknown and "over songs" in unknown
    assert "`folds.by=song`" in songs and "folds.by" not in artists
    assert all("25 % get another prediction when they are 10 dB quieter" in text for text in (artists, songs))


def test_a_card_of_tags_or_without_records_claims_no_calibration(rng):
    truth = rng.random((12, 4)) > 0.5
    known = scores.of_tags(rng.random((12, 4)), truth, np.arange(12), QUADRANTS) | {"temperature": 1.0}
    tags, unknown = card("artist", 6, tagged=True, known=known), card("artist", 6)
    for text in (tags, unknown):
        assert "not calibrated" in text and "predicted correctly *on music" not in text
    assert "one label a song" in unknown and "one label a song" not in tags


def test_a_bar_in_a_name_divides_no_cell_of_a_card():
    assert "| trained on | rock \\| pop: 12 songs" in card("artist", 6, name="rock | pop")
    hostile = card("artist", 6, name="<script>\x1b[2J\u202e\udce9")
    assert "&lt;script>\\x1b[2J\\u202e\\udce9: 12 songs" in hostile and hostile.encode()


@pytest.fixture
def music(tmp_path):
    rows = [
        (f"{label}/{label[0]}{i}.wav", label, f"{label} {i}") for label in ("calm", "wild") for i in range(3)
    ]
    for i in range(3):
        write(tmp_path / "music" / "calm" / f"c{i}.wav", tone(200 + 20 * i, 4))
        write(tmp_path / "music" / "wild" / f"w{i}.wav", tone(2000 + 200 * i, 4))
    table = tmp_path / "music" / "labels.csv"
    pd.DataFrame(rows, columns=["path", "label", "group"]).to_csv(table, index=False)
    return table


SMALL = {"folds.n": 3, "training.epochs": 1, "training.batch_size": 8}


def test_a_record_holds_until_a_label_an_artist_or_a_file_changes(music):
    def record():
        cross_validation._frames.cache_clear()
        [made] = evaluate(runs_on(str(music), "inherit", "cpu", (0,), SMALL), "cpu")
        return made

    first = record()
    assert record() == first
    groups = ["calm 0", "calm 1", "calm 2", "wild 0", "wild 1", "wild 1 too"]
    pd.read_csv(music).assign(group=groups).to_csv(music, index=False)
    second = record()
    write(music.parent / "calm" / "c0.wav", tone(230, 5), RATE)
    assert len({one["data"]["digest"] for one in (first, second, record())}) == 3


def test_networks_that_are_trained_are_not_trained_again(music, monkeypatch):
    runs = runs_on(str(music), "co_teaching", "cpu", (0,), SMALL | {"training.epochs": 2})
    model = train(runs, "cpu")
    assert len(model.ensemble.members) == 2 == model.ensemble.together
    monkeypatch.setattr(cross_validation, "fit", lambda *a: pytest.fail("trained again"))
    assert train(runs, "cpu").digest == model.digest
    assert known_songs(model, datasets.load(str(music))) == 6


def test_what_makes_no_model_is_refused_before_anything_is_trained(music, monkeypatch):
    monkeypatch.setattr(cross_validation, "fit", lambda *a: pytest.fail("trained"))
    with pytest.raises(ModelError, match="choose another method"):
        train(runs_on(str(music), "two_stage", "cpu", (0,), SMALL), "cpu")
    table = pd.read_csv(music).rename(columns={"label": "tags"})
    table.assign(part=["train", "validation", "test"] * 2).to_csv(music.with_name("tags.csv"), index=False)
    with pytest.raises(DataError, match="can be checked"):
        with_labels(runs_on(str(music.with_name("tags.csv")), "inherit", "cpu", (0,)))


@pytest.fixture
def checked(music, monkeypatch):
    """The doubtful songs and windows of music whose third song sounds like the other label."""
    tracks = datasets.load(str(music))
    wrong = tracks.table["track_id"][2]

    def judged(record, tracks):  # two windows of every song
        songs = tracks.table[["track_id", "label"]].loc[tracks.table.index.repeat(2)]
        clean = np.where(songs["track_id"] == wrong, 0.1, 0.9)
        of_class = {name: np.where(songs["label"] == name, clean, 1 - clean) for name in tracks.classes}
        rows = songs[["track_id"]].assign(second=[0, 1] * len(tracks), clean_probability=clean)
        return rows.assign(**of_class)

    monkeypatch.setattr(clean_probability, "judged", judged)
    return wrong, *doubtful([{}, {}], tracks)


def test_the_wrong_label_is_the_most_doubtful_one(checked):
    wrong, songs, windows = checked
    first = songs.iloc[0]
    assert (first["track_id"], first["label"], first["predicted"]) == (wrong, "calm", "wild")
    assert (
        first["clean_probability"] == pytest.approx(0.1) and first["seconds"] == "0 1" and len(windows) == 12
    )


def test_names_and_labels_are_text_on_the_page_whatever_they_hold(checked, tmp_path):
    _, songs, windows = checked
    odd = '<script>"&'
    songs["label"] = odd
    for rows in (songs, windows):
        rows["track_id"] = rows["track_id"] + odd
    page = page_of(songs, windows, tmp_path / "page.html")
    assert page.count("<script>") == 1 and "&lt;script&gt;" in page and page.count("<rect ") == 12
