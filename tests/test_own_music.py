"""What is said of labelled music: scores, calibration, doubtful labels, and when a record still holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import RATE, tone, untrained, write

from mer_app import model_card, scores, train
from mer_app.train import OutOfFold
from mer_companion.analysis import clean_probability
from mer_core import datasets
from mer_core.emotion import QUADRANTS


@pytest.fixture
def heard(rng):
    """Ninety songs of two windows that two networks call rightly in four cases of five, more modestly than
    they might.
    """
    truth = np.repeat(np.arange(3), 30)
    called = np.where(np.arange(90) % 5 == 0, (truth + 1) % 3, truth)
    windows = np.repeat((0.4 * np.eye(3)[called] + 0.2)[None], 2, axis=0).repeat(2, axis=1)
    return OutOfFold(
        ("a", "b", "c"), windows, np.repeat(np.arange(90), 2), truth, np.arange(90) // 2, np.arange(90) % 3
    )


def test_the_summary_counts_by_hand(heard):
    known = heard.summary()
    assert known["n"] == 90 and np.array(known["confusion"]).diagonal().tolist() == [24, 24, 24]
    assert known["scores"]["accuracy"]["value"] == pytest.approx(0.8)
    assert known["scores"]["accuracy"]["low"] < 0.8 < known["scores"]["accuracy"]["high"]
    assert known["trivial"]["accuracy"]["value"] == pytest.approx(
        1 / 3
    )  # ties go to the first class, in every fold
    before, after = (known["calibration"][when] for when in ("before", "after"))
    assert before["calibration_error"]["value"] == pytest.approx(0.8 - 0.6)  # promised 0.6, kept 0.8
    assert after["calibration_error"]["value"] < 0.02 and known["temperature"] < 1
    assert known["calibration"]["surprise_saved"]["low"] > 0
    (promised, kept, n, low, high), *rest = known["reliability"]
    assert (
        not rest
        and n == 90
        and kept == pytest.approx(0.8)
        and low < kept < high
        and promised == pytest.approx(0.8, abs=0.02)
    )


def test_a_temperature_that_does_not_help_other_folds_is_not_used(heard):
    contrary = np.where(heard.fold == 0, 0.9, 0.4)  # what one fold asks for misleads the others
    lead = np.repeat(contrary, 2)[:, None] * np.eye(3)[heard.truth].repeat(2, axis=0)
    windows = np.repeat((lead + (1 - lead.sum(axis=1, keepdims=True)) / 3)[None], 2, axis=0)
    wrong = np.where(heard.fold == 0, (heard.truth + 1) % 3, heard.truth)
    known = replace(heard, windows=windows, truth=wrong)
    assert train.calibration.negative_log_likelihood(
        known.cross_fitted, wrong
    ) > train.calibration.negative_log_likelihood(known.plain, wrong)
    assert known.temperature == 1
    np.testing.assert_array_equal(known.calibrated, known.plain)


def test_the_blind_answer_knows_the_other_folds_only():
    truth, fold = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(train.most_frequent(truth, fold), [1, 1, 1, 0, 0, 0])


def test_quadrants_are_scored_in_both_dimensions_beside_their_blind_answers(rng):
    truth = np.tile(np.arange(4), 10)
    known = scores.of_labels(np.eye(4)[(truth + 1) % 4], truth, truth, QUADRANTS, np.zeros(40, dtype=int))
    assert known["scores"]["accuracy"]["value"] == 0  # each song is called by its neighbour on the circle
    assert (
        known["valence"]["scores"]["accuracy"]["value"]
        == 0.5
        == known["arousal"]["scores"]["accuracy"]["value"]
    )
    assert known["valence"]["trivial"]["accuracy"]["value"] == 0.5


def test_a_tag_that_no_song_has_is_named_and_not_scored(rng):
    truth = np.stack([np.arange(12) % 2, np.zeros(12)], axis=1).astype(bool)
    known = scores.of_tags(rng.random((12, 2)), truth, np.arange(12), ("loud", "rare"))
    assert known["not_judged"] == ["rare"] and list(known["by_class"]) == ["loud"]


def card(by, groups, tagged=False, known=None):
    data = {
        "name": "mine",
        "digest": "",
        "n_tracks": 12,
        "n_groups": groups,
        "hours": 1.0,
        "licence": "",
        "counts": {},
        "sounds": [],
    }
    level = {"quieter_by_db": 10.0, "n": 12, "changed": 0.25}
    made = {
        "preset": "cpu",
        "method": "inherit",
        "seeds": [0],
        "run_ids": [],
        "licence": "",
        "level": level,
        "out_of_fold": known,
    }
    code = {"commit": "", "modified": False, "digest": ""}
    versions = dict.fromkeys(("python", "torch", "librosa", "soxr", "soundfile"), "1")
    model = untrained(tagged=tagged)
    return replace(
        model,
        card=made | {"data": data, "settings": {"folds": {"by": by}}, "code": code, "environment": versions},
    )


def test_a_card_claims_no_more_than_the_folds_allow(rng):
    truth = np.tile(np.arange(4), 6)
    windows = rng.dirichlet(np.ones(4), size=(2, 24))
    known = OutOfFold(QUADRANTS, windows, np.arange(24), truth, np.arange(24), np.arange(24) % 3).summary()
    said = {
        key: model_card.written(card(*key, known=known))
        for key in (("artist", 6), ("song", 6), ("artist", 12))
    }
    assert "songs and artists that its networks had not heard" in said["artist", 6]
    assert "perhaps others of their artists" in said["song", 6] and "songs and artists" not in said["song", 6]
    assert "no artists were given" in said["artist", 12] and "over songs" in said["artist", 12]
    assert "`folds.by=song`" in said["song", 6] and "folds.by" not in said["artist", 6]
    assert all("it calls 25% otherwise when they are 10 dB quieter" in text for text in said.values())


def test_a_card_of_tags_or_without_records_promises_nothing(rng):
    truth = rng.random((12, 4)) > 0.5
    known = scores.of_tags(rng.random((12, 4)), truth, np.arange(12), QUADRANTS) | {"temperature": 1.0}
    tags, unknown = (
        model_card.written(card("artist", 6, **kind)) for kind in ({"tagged": True, "known": known}, {})
    )
    for text in (tags, unknown):
        assert "not calibrated" in text and "called rightly *on music" not in text
    assert "One label a song" in unknown and "One label a song" not in tags


@pytest.fixture
def music(tmp_path):
    for i in range(3):
        write(tmp_path / "music" / "calm" / f"c{i}.wav", tone(200 + 20 * i, 4))
        write(tmp_path / "music" / "wild" / f"w{i}.wav", tone(2000 + 200 * i, 4))
    table = pd.DataFrame([(f"{label}/{label[0]}{i}.wav", label, f"{label} {i}") for label in ("calm", "wild") for i in range(3)],
                         columns=["path", "label", "group"])  # fmt: skip
    table.to_csv(tmp_path / "music" / "labels.csv", index=False)
    return tmp_path / "music" / "labels.csv"


SMALL = {"folds.n": 3, "training.epochs": 1, "training.batch_size": 8}


def test_a_record_holds_until_a_label_an_artist_or_a_file_changes(music):
    def digest():
        [record] = train.evaluate(train.runs(str(music), "inherit", "cpu", (0,), SMALL), "cpu")
        return record["data"]["digest"], record["code"]["trained_at"], record

    first, _, record = digest()
    assert digest()[2] == record
    table = pd.read_csv(music)
    table.assign(group=["calm 0", "calm 1", "calm 2", "wild 0", "wild 1", "wild 1 too"]).to_csv(
        music, index=False
    )
    train.networks._frames.cache_clear()
    second = digest()[0]
    assert second != first
    write(music.parent / "calm" / "c0.wav", tone(230, 5), RATE)
    train.networks._frames.cache_clear()
    assert digest()[0] not in (first, second)


def test_networks_that_are_trained_are_not_trained_again(music, monkeypatch):
    asked = train.runs(str(music), "co_teaching", "cpu", (0,), SMALL | {"training.epochs": 2})
    model = train.train(asked, "cpu")
    assert len(model.ensemble.members) == 2 == model.ensemble.together
    monkeypatch.setattr(train.networks, "fit", lambda *a: pytest.fail("trained again"))
    assert train.train(asked, "cpu").digest == model.digest
    assert train.known_songs(model, datasets.load(str(music))) == 6


def test_what_makes_no_model_is_refused_before_anything_is_trained(music, monkeypatch):
    monkeypatch.setattr(train.networks, "fit", lambda *a: pytest.fail("trained"))
    with pytest.raises(train.ModelError, match="choose another method"):
        train.train(train.runs(str(music), "two_stage", "cpu", (0,), SMALL), "cpu")
    table = pd.read_csv(music).rename(columns={"label": "tags"})
    table.assign(part=["train", "validation", "test"] * 2).to_csv(music.with_name("tags.csv"), index=False)
    with pytest.raises(train.DataError, match="can be checked"):
        train.with_labels(train.runs(str(music.with_name("tags.csv")), "inherit", "cpu", (0,)))


def test_the_wrong_label_is_the_most_doubtful_one(music, monkeypatch):
    tracks = datasets.load(str(music))

    def judged(record, tracks):  # two windows of every song; the third song sounds like the other label
        rows = [(song, second, 0.1 if song == tracks.table["track_id"][2] else 0.9) for song in tracks.table["track_id"]
                for second in (0, 1)]  # fmt: skip
        found = pd.DataFrame(rows, columns=["track_id", "second", "clean_probability"])
        own = tracks.table.set_index("track_id")["label"].loc[found["track_id"]].to_numpy()
        return found.assign(**{name: np.where(own == name, found["clean_probability"], 1 - found["clean_probability"])
                               for name in tracks.classes})  # fmt: skip

    monkeypatch.setattr(clean_probability, "judged", judged)
    songs, windows = train.doubtful([{}, {}], tracks)
    first = songs.iloc[0]
    assert first["track_id"] == tracks.table["track_id"][2] and (first["label"], first["called"]) == (
        "calm",
        "wild",
    )
    assert (
        first["clean_probability"] == pytest.approx(0.1) and first["seconds"] == "0 1" and len(windows) == 12
    )
