import numpy as np
import pandas as pd
import pytest

from mer_companion.runs import annotation_noise
from mer_companion.runs.annotation_noise import aligned, centred, measure
from mer_core.datasets import deam, pmemo
from mer_core.emotion import Scale

FRAMES = "frames that differ from the song"
MINORITY = "frames on a minority side of their clip"
WINDOWS = "3 s windows that differ from the song"


def clips(*ratings):
    """Whole-clip ratings (valence, arousal), each clip by an artist of its own."""
    valence, arousal = np.array(ratings, dtype=float).T
    names = [f"t{i}" for i in range(len(ratings))]
    return pd.DataFrame({"track_id": names, "group": names, "valence": valence, "arousal": arousal})


def over_time(*valences, arousal=0.3):
    """One row per half second: a list of valences for each clip, arousal held."""
    rows = [
        (f"t{i}", 15 + k / 2, v, arousal) for i, curve in enumerate(valences) for k, v in enumerate(curve)
    ]
    return pd.DataFrame(rows, columns=["track_id", "second", "valence", "arousal"])


def values(table, target="valence"):
    return table[table["target"] == target].set_index("measure")["value"]


def test_ratings_that_say_the_same_all_the_time_show_no_noise():
    found = measure(clips((0.3, 0.3), (-0.3, 0.3)), over_time([0.3] * 12, [-0.3] * 12))
    found = found[~found["measure"].str.startswith("correlation")]
    assert (found[["value", "low", "high"]] == 0).all(axis=None) and (found["n_clips"] == 2).all()
    assert found.columns.tolist() == annotation_noise.COLUMNS and found["measure"].nunique() == 11


def test_change_and_disagreement_are_told_apart():
    change, disagreement = [0.3] * 18 + [-0.3] * 6, [-0.3] * 12
    found = values(measure(clips((0.3, 0.3), (0.3, 0.3)), over_time(change, disagreement)))
    assert found[FRAMES] == (6 + 12) / (24 + 12) and found[MINORITY] == 6 / 36
    assert (
        found[WINDOWS] == (1 + 2) / (4 + 2) and found["3 s windows on a minority side of their clip"] == 1 / 6
    )
    assert found["clips with any of their frames differing"] == 1
    assert (
        found["clips with more than a quarter of their frames differing"] == 0.5
    )  # a quarter is not more than a quarter
    assert found["clips with all of their frames differing"] == 0.5


def test_a_quadrant_differs_where_valence_or_arousal_does():
    found = measure(clips((0.3, 0.3)), over_time([0.3] * 9 + [-0.3] * 3, arousal=-0.3))
    shares = {target: values(found, target)[FRAMES] for target in ("valence", "arousal", "quadrant")}
    assert shares == {"valence": 0.25, "arousal": 1.0, "quadrant": 1.0}
    assert values(found, "quadrant")[MINORITY] == 0.25


def test_a_window_says_what_most_of_its_frames_say_and_a_draw_is_no_contradiction():
    draw, against, rest = [0.3, -0.3] * 3, [-0.3] * 4 + [0.3] * 2, [-0.3] * 5  # the rest fills no window
    assert values(measure(clips((0.3, 0.3)), over_time(draw + against + rest)))[WINDOWS] == 0.5
    assert values(measure(clips((-0.3, 0.3)), over_time(draw + against + rest)))[WINDOWS] == 0


def test_clips_too_short_for_a_window_count_for_frames_alone():
    found = measure(clips((0.3, 0.3), (0.3, 0.3)), over_time([0.3] * 6, [-0.3] * 2)).set_index(
        ["target", "measure"]
    )
    assert found.loc[("valence", FRAMES), ["value", "n_clips"]].tolist() == [0.25, 2]
    assert found.loc[("valence", WINDOWS), ["value", "n_clips"]].tolist() == [0, 1]


def test_a_margin_includes_its_edges():
    ratings = clips((0.45 - 0.5, 0.3), (0.55 - 0.5, 0.3), (0.06, 0.3), (0.3, 0.01))
    found = measure(ratings, over_time(*[[0.3] * 6] * 4))
    near = found[found["measure"].str.startswith("clips within 0.05")].set_index("target")["value"]
    assert near.to_dict() == {"valence": 0.5, "arousal": 0.25, "quadrant": 0.75}


def noisy(rng, n=40):
    static = clips(*rng.uniform(-0.4, 0.4, (n, 2)))
    return static, over_time(*(v + rng.normal(0, 0.2, 24) for v in static["valence"]))


def test_neither_the_scale_nor_its_zero_nor_the_order_of_rows_matters(rng):
    static, dynamic = noisy(rng)
    moved = [t.assign(valence=5 + 8 * t["valence"], arousal=5 + 8 * t["arousal"]) for t in (static, dynamic)]
    again = [centred(table, Scale(1, 9)) for table in moved]
    pd.testing.assert_frame_equal(measure(*again), measure(static, dynamic))
    pd.testing.assert_frame_equal(
        measure(static, dynamic.sample(frac=1, random_state=0)), measure(static, dynamic)
    )


def test_exchanging_high_and_low_changes_nothing(rng):
    static, dynamic = noisy(rng)
    turned = [t.assign(valence=-t["valence"], arousal=-t["arousal"]) for t in (static, dynamic)]
    pd.testing.assert_frame_equal(measure(*turned), measure(static, dynamic))


def test_songs_of_one_artist_widen_the_interval(rng):
    static, dynamic = noisy(rng)
    static["group"] = (static["valence"] > 0).astype(str)  # two artists only
    table = measure(static, dynamic)
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()
    wrong = clips(*[(0.3, 0.3)] * 20)
    curves = over_time(*[[0.3] * 6] * 10, *[[-0.3] * 6] * 10)
    alone = measure(wrong, curves).iloc[0]
    together = measure(wrong.assign(group=["a"] * 10 + ["b"] * 10), curves).iloc[0]
    assert alone["value"] == together["value"] == 0.5
    assert together["high"] - together["low"] == 1 > 2 * (alone["high"] - alone["low"])


def test_an_offset_common_to_all_clips_can_be_taken_out(rng):
    static, dynamic = noisy(rng)
    shifted = dynamic.assign(valence=dynamic["valence"] + 0.3, arousal=dynamic["arousal"] - 0.2)
    pd.testing.assert_frame_equal(aligned(shifted, static), aligned(dynamic, static))
    before, after = (
        values(measure(static, table), "quadrant")[FRAMES] for table in (shifted, aligned(shifted, static))
    )
    assert before > after + 0.1


def test_exchanged_columns_are_found_out_by_what_they_correlate_with(rng):
    """Pearson's r by NumPy, and by the names that the columns should have had."""
    felt = clips(*rng.uniform(-0.5, 0.5, (20, 2)))
    curves = over_time(*([v] * 4 for v in felt["valence"])).assign(
        arousal=np.repeat(felt["arousal"].to_numpy(), 4)
    )
    exchanged = felt.rename(columns={"valence": "arousal", "arousal": "valence"})
    right, wrong = (values(measure(songs, curves, window_s=1.0)) for songs in (felt, exchanged))
    assert right["correlation with valence over time"] == pytest.approx(1)
    expected = np.corrcoef(felt["valence"], felt["arousal"])[0, 1]
    assert right["correlation with arousal over time"] == pytest.approx(expected)
    assert wrong["correlation with arousal over time"] == pytest.approx(1)
    assert wrong["correlation with valence over time"] == pytest.approx(expected)


def test_tables_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="same data set"):
        measure(clips((0.3, 0.3)), over_time([0.3] * 6).assign(track_id="other"))
    with pytest.raises(ValueError, match="no clip has the 6 frames"):
        measure(clips((0.3, 0.3)), over_time([0.3] * 5))


@pytest.mark.real_data
def test_pmemo_rarely_changes_within_a_chorus():
    found = measure(centred(pmemo.annotations(), pmemo.SCALE), centred(pmemo.dynamic(), pmemo.SCALE))
    for target, differing, minority in (
        ("valence", 0.041, 0.025),
        ("arousal", 0.039, 0.024),
        ("quadrant", 0.079, 0.047),
    ):
        assert values(found, target)[[FRAMES, MINORITY]].tolist() == pytest.approx(
            [differing, minority], abs=0.001
        )


@pytest.mark.real_data
def test_most_of_the_contradiction_in_eim_is_two_exchanged_columns():
    dynamic = centred(deam.dynamic(), deam.DYNAMIC_SCALE)

    def contradiction(songs):
        return values(measure(centred(songs[songs["eim"]], deam.STATIC_SCALE), dynamic), "valence")[FRAMES]

    assert contradiction(deam.annotations(as_distributed=True)) == pytest.approx(0.29, abs=0.01)
    assert contradiction(deam.annotations()) == pytest.approx(0.12, abs=0.01)
