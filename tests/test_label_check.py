import numpy as np
import pytest

from mer_companion import results
from mer_companion.analysis import clean_probability
from mer_core.evaluation import metrics


def record_of(monkeypatch, tracks, sure):
    """A record of a network that hears the truth of every second, as surely as said, and answers for
    one-second windows.
    """
    track = np.repeat(np.arange(len(tracks)), 8)
    second = np.tile(np.arange(8), len(tracks))
    heard = [
        tracks.classes.index(tracks.second_labels[tracks.table["track_id"][t]][s])
        for t, s in zip(track, second, strict=True)
    ]
    test = np.full((len(track), len(tracks.classes)), (1 - sure) / 3, dtype=np.float16)
    test[np.arange(len(track)), heard] = sure
    ids = tracks.table["track_id"].to_numpy(dtype=str)
    monkeypatch.setattr(
        results,
        "predictions",
        lambda record: {"track_id": ids, "test_track": track, "test_second": second, "test": test},
    )
    return {"run_id": "x", "config": {"window_s": 1.0}}


def test_clean_probability_of_a_perfect_network_finds_all_departures(corpus, monkeypatch):
    rows = clean_probability.judged(record_of(monkeypatch, corpus, 0.97), corpus)
    assert metrics.roc_auc(rows["truly_clean"].to_numpy(), rows["clean_probability"].to_numpy()) == 1.0
    assert rows["truly_clean"].mean() == pytest.approx(0.75)  # the corpus drifts in a quarter of its seconds
    assert np.isfinite(rows["loss"]).all()


def test_probability_of_zero_is_a_large_loss_and_no_error(corpus, monkeypatch):
    rows = clean_probability.judged(record_of(monkeypatch, corpus, 1.0), corpus)
    assert np.isfinite(rows["loss"]).all() and rows.loc[~rows["truly_clean"], "clean_probability"].max() < 0.5


def test_songs_of_another_corpus_are_refused(corpus, monkeypatch):
    record = record_of(monkeypatch, corpus, 0.9)
    with pytest.raises(results.RecordError, match="other songs"):
        clean_probability.judged(record, corpus.without({str(corpus.table["path"][0]): "gone"}))
