import numpy as np
import pandas as pd
import pytest

from mer_companion.analysis import figures


def course(n, plane=True):
    start = np.arange(n, dtype=float)
    table = pd.DataFrame({"start_s": start, "end_s": start + 3, "Q1": 0.7, "Q2": 0.3, "uncertainty": 0.9})
    return table.assign(valence=0.7, arousal=np.linspace(0, 1, n)) if plane else table


def test_emotion_course_draws_long_files_as_means():
    for n, points, said in ((40, 40, "min:s)"), (10_000, 400, "means of 25 windows")):
        drawn = figures.emotion_course(course(n), ("Q1", "Q2"), "song")
        arousal = drawn.axes[1].lines[1]
        assert len(arousal.get_xdata()) == points and drawn.axes[2].get_xlabel().endswith(said)
        assert np.mean(arousal.get_ydata()) == pytest.approx(0.5)
    assert figures.minutes(3725) == "62:05"
    assert {"image/svg+xml", "image/x-narrow+svg"} <= set(
        figures.files_of(drawn, course(40))
    )  # phones get theirs too


def test_labels_that_are_no_quadrants_have_no_valence():
    assert len(figures.emotion_course(course(5, plane=False), ("Q1", "Q2"), "song").axes) == 2
    assert (
        len(figures.emotion_course(course(5).assign(valence=None, arousal=None), ("Q1", "Q2"), "song").axes)
        == 2
    )


def test_reliability_has_intervals_of_accuracy():
    drawn = figures.reliability({"a": [(0.3, 0.25, 10, 0.1, 0.4), (0.8, 0.9, 20, 0.7, 1.0)]})
    [ends] = [
        c for c in drawn.axes[0].collections if hasattr(c, "get_segments") and len(c.get_segments()) == 2
    ]
    np.testing.assert_allclose([segment[:, 1] for segment in ends.get_segments()], [[0.1, 0.4], [0.7, 1.0]])
