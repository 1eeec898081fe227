import numpy as np
import pytest

from mer_core.emotion import QUADRANTS, Scale, quadrants


def test_the_corners_of_the_plane_are_the_four_quadrants():
    assert quadrants([1, 0, 0, 1], [1, 1, 0, 0], midpoint=0.5).tolist() == list(QUADRANTS)


def test_a_rating_on_the_midpoint_goes_where_the_rule_says():
    assert quadrants([5.0, 5.0, 1.0], [5.0, 1.0, 5.0], 5.0).tolist() == ["Q1", "Q4", "Q2"]
    assert quadrants([5.0, 5.0, 9.0], [5.0, 9.0, 5.0], 5.0, ties="low").tolist() == ["Q3", "Q2", "Q4"]


def test_only_ties_depend_on_the_rule(rng):
    valence, arousal = rng.normal(size=(2, 100))
    assert np.array_equal(quadrants(valence, arousal, 0.0), quadrants(valence, arousal, 0.0, ties="low"))


def test_what_cannot_be_placed_is_refused():
    with pytest.raises(ValueError, match="2 of 3 songs or frames lack a rating"):
        quadrants([0.1, np.nan, 0.2], [0.1, 0.2, np.nan], 0.5)
    with pytest.raises(ValueError, match="'high' or 'low', got 'up'"):
        quadrants([0.1], [0.1], 0.5, ties="up")


def test_scales_become_comparable_about_their_midpoints():
    assert [Scale(0, 1).midpoint, Scale(1, 9).midpoint, Scale(-1, 1).midpoint] == [0.5, 5, 0]
    for scale in (Scale(0, 1), Scale(1, 9), Scale(-1, 1)):
        np.testing.assert_allclose(
            scale.centred(np.array([scale.low, scale.midpoint, scale.high])), [-0.5, 0, 0.5]
        )
