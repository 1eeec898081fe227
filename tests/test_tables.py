import numpy as np
import pandas as pd
import pytest

from mer_companion.analysis import tables, tag_tables


def record(label, validation, test, **config):
    """A record of two folds with 10 and 30 tested songs, as far as tables read it."""
    row = {"name": "accuracy", "target": "emotion", "decision": "mean_probability"}
    rows = [row | {"part": "validation", "fold": k, "value": v} for k, v in enumerate(validation)]
    rows += [row | {"part": "test", "fold": k, "value": v, "n": (10, 30)[k]} for k, v in enumerate(test)]
    config = {
        "method": {"name": "self_learning", "temperature": 0.5, "clean_threshold": 0.5} | config,
        "training": {"epochs": 10},
    }
    return {
        "label": label,
        "run_id": label,
        "metrics": rows,
        "config": config,
        "cost": {"core_minutes": 1.0},
        "environment": {"device": "cpu"},
    }


def compared(labels, against=None):
    """A comparison table with one metric, as `results.comparison` gives it."""
    row = {"target": "emotion", "decision": "mean_probability", "name": "accuracy", "seeds": [0], "n": 40}
    rows = [
        row | {"label": label, "against": None, "value": v, "low": v - 0.1, "high": v + 0.1}
        for label, v in labels.items()
    ]
    for label, v in (against or {}).items():
        interval = {"value": v, "low": v - 0.1, "high": v + 0.1}
        rows.append(
            row | interval | {"label": label, "against": "plain", "p": 0.5, "p_holm": 1.0, "p_t": 0.5}
        )
    return pd.DataFrame(rows)


def test_nested_choice_shows_durations_chosen_inside_and_picked(monkeypatch):
    monkeypatch.setattr(tables, "TARGETS", ("emotion",))
    chosen = {
        "label": "chosen_for_emotion",
        "log": [[{"chosen": "durations/seconds_1"}], [{"chosen": "durations/seconds_3"}]],
    }
    rows = compared({"seconds_1": 0.57, "seconds_3": 0.85, "chosen_for_emotion": 0.8})
    (row,) = tables.nested_choice(rows, [chosen]).itertuples()
    assert row[1] == "1, 3" and row.accuracy.startswith("0.800 [") and row[3] == "3"
    assert row[4].startswith("0.850 [") and row[5] == "+0.050"


def test_settings_are_sorted_around_their_default():
    records = [
        record("default", (), ()),
        record("T_1", (), (), temperature=1.0),
        record("tau_0.9", (), (), clean_threshold=0.9),
    ]
    rows = tables.around_default(compared({"default": 0.6, "T_1": 0.5, "tau_0.9": 0.7}), records, "default")
    at = {(r.setting, r.at): (r.value, r.default) for r in rows.itertuples()}
    assert at == {
        ("temperature", 1.0): (0.5, False),
        ("temperature", 0.5): (0.6, True),
        ("clean_threshold", 0.9): (0.7, False),
        ("clean_threshold", 0.5): (0.6, True),
    }


def test_differences_have_sign_and_reference():
    shown = tables.against(
        compared({"plain": 0.6, "other": 0.5}, {"other": -0.1}),
        [record("plain", (), ()), record("other", (), ())],
    )
    assert (
        shown.loc["Other", "difference from Plain"] == "-0.100 [-0.200, +0.000]"
        and shown.loc["Plain", "difference from Plain"] == ""
    )
    assert shown.loc["Plain", "accuracy"] == "0.600 [0.500, 0.700]"


def test_courses_are_at_the_middle_of_each_window(monkeypatch):
    stored = {
        "heard_0": np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0]], dtype=np.float16),
        "heard_0_track": np.array([0, 0, 1]),
        "heard_0_second": np.array([0, 1, 0]),
        "heard_0_track_id": np.array(["a", "b"]),
    }
    monkeypatch.setattr(tables, "predictions", lambda record: stored)
    found = tables.courses({"config": {"also_heard": ["elsewhere"], "window_s": 3.0}}, "elsewhere")
    np.testing.assert_allclose(found["a"]["valence"], [0.5, 0.5], atol=1e-3)
    np.testing.assert_allclose(found["a"]["arousal"], [0.7, 0.3], atol=1e-3)
    assert found["a"]["second"].tolist() == [1.5, 2.5] and found["b"]["valence"].tolist() == [1.0]


def test_course_agreement_is_a_rank_correlation():
    predicted = {
        "a": pd.DataFrame({"second": [1.5, 2.5, 3.5], "valence": [0.1, 0.2, 0.3], "arousal": [0.9, 0.5, 0.1]})
    }
    felt = pd.DataFrame({"track_id": "a", "second": [1.0, 4.0], "valence": [0.4, 0.6], "arousal": [0.4, 0.6]})
    assert tables.course_agreement(predicted, felt).loc["a"].tolist() == [1.0, -1.0]


def test_table_3_has_ours_or_says_that_it_was_not_run():
    shown = tables.table_3({})
    wanted = tables.published().query("paper == 'sssl' and table == 3 and dataset == '4Q'")
    assert set(wanted["system"]) <= set(shown.index.get_level_values("system"))
    assert len(shown[shown["printed"] != ""].groupby(["system", "metric"])) == len(wanted)
    assert set(shown["ours"]) == {"not run yet"}


def test_table_2_stands_beside_ours():
    shown = tables.table_2(compared({"seconds_1": 0.6, "seconds_3": 0.7}))
    assert shown.loc[("quadrants", "accuracy", "ours, mean probability"), "3 s"] == "0.700 [0.600, 0.800]"
    printed = tables.printed("4Q", "Proposed", "arousal_accuracy")  # of 1 s, which its Table 2 prints too
    assert shown.loc[("arousal", "accuracy", "printed"), "1 s"] == f"{printed:.3f}"


def test_differences_of_releases_name_a_run_or_a_reason():
    from mer_companion.experiments import EXPERIMENTS

    for paper in ("mirable", "selab"):
        shown = tag_tables.released_differently(paper)
        assert list(shown) == ["paper", "release", "ours"] and len(shown) > 5
        written = [row["ours"].split()[0] for row in tag_tables.released(paper)]
        runs = [first.split("/") for first in written if "/" in first]
        assert runs and all(label in EXPERIMENTS[experiment].variants for experiment, label in runs)


@pytest.mark.parametrize(("second", "said"), [("teacher", ""), ("long", " from Long input")])
def test_every_difference_between_tag_runs_says_from_what_once(monkeypatch, second, said):
    ends = {"value": 0.2, "low": 0.1, "high": 0.3, "seeds": [0, 1], "p_holm": 0.04}
    runs = [("teacher", None), ("long", None), ("student", None), ("short", None)]
    rows = [
        {"label": label, "against": against, "name": name} | ends
        for label, against in [*runs, ("student", "teacher"), ("short", second)]
        for name in tag_tables.TAG_MEASURES
    ]
    monkeypatch.setattr(tag_tables, "chance", lambda record: [0.1])
    monkeypatch.setattr(tag_tables.results, "spoken_cost", lambda records: "")
    shown = tag_tables.against(pd.DataFrame(rows), [{"label": label} for label, _ in runs])
    (column,) = (name for name in shown if name.startswith("difference in PR-AUC"))
    assert column.endswith(" from Teacher") == (not said)
    assert shown.loc["Short input", column] == f"+0.200 [+0.100, +0.300]{said}, p 0.040"
