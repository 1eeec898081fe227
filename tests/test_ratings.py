import pytest

from mer_companion import results
from mer_companion.experiments import record_of
from mer_companion.runs.settings import Ratings


@pytest.mark.real_data
def test_exchanged_columns_of_eim_are_what_makes_its_ratings_disagree():
    """As distributed, static valence follows dynamic arousal; put right, far fewer moments contradict it."""
    found = {}
    for name in ("eim", "eim_as_distributed"):
        record = record_of(Ratings(dataset=name), "test", "smoke", name)
        row = results.value(record, part="ratings", name="frames that differ from the song", target="emotion")
        assert row["low"] < row["value"] < row["high"] and row["n"] == 744
        found[name] = row["value"]
    assert found["eim"] < 0.6 * found["eim_as_distributed"]


@pytest.mark.real_data
def test_records_of_ratings_hold_shares_and_no_ratings():
    record = record_of(Ratings(), "test", "smoke", "pmemo")
    assert set(results.predictions(record)) == {"track"} and record["data"]["n_tested"] == 767
    assert all(0 <= row["value"] <= 1 for row in record["metrics"])
