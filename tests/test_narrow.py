import matplotlib.pyplot as plt
import pandas as pd
import pytest

from mer_companion.analysis import figures
from mer_companion.analysis.narrow_figures import WIDTH, narrow


@pytest.fixture
def panels():
    fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.5), sharey=True, layout="constrained")
    for ax in axes:
        ax.plot([0, 1], [0, 1])
    axes[0].set_ylabel("Share")
    plt.close(fig)
    return fig


def test_panels_are_stacked_with_their_labels(panels):
    small = narrow(panels)
    small.draw_without_rendering()
    places = [ax.get_position() for ax in small.axes]
    assert places[0].y0 > places[1].y1 > places[1].y0 > places[2].y1
    assert {ax.get_ylabel() for ax in small.axes} == {"Share"} and small.get_figwidth() == WIDTH


def test_wide_figure_stays_as_it_is(panels):
    panels.draw_without_rendering()
    before = [ax.get_position().bounds for ax in panels.axes]
    narrow(panels)
    panels.draw_without_rendering()
    assert tuple(panels.get_size_inches()) == (7.2, 2.5)
    assert [ax.get_ylabel() for ax in panels.axes] == ["Share", "", ""]
    for ax, place in zip(panels.axes, before, strict=True):
        assert ax.get_position().bounds == pytest.approx(place, abs=1e-3)


def test_long_names_leave_room_for_what_they_name():
    rows = pd.DataFrame(
        {
            "label": ["a name that would take half the width of a phone", "b"],
            "value": 0.1,
            "low": 0.0,
            "high": 0.2,
        }
    )
    small = narrow(figures.forest(rows, "difference"))
    small.draw_without_rendering()
    assert "\n" in small.axes[0].get_yticklabels()[0].get_text()
    assert small.axes[0].get_position().width > 0.45


def test_figure_legend_has_one_column():
    rows = pd.DataFrame({"label": ["a", "b"], "value": 0.5, "low": 0.4, "high": 0.6})
    wide = figures.intervals(rows, "share", {"b": 0.7}, chance=0.25)
    small = narrow(wide)
    small.draw_without_rendering()
    (legend,) = small.legends
    assert len(legend.get_texts()) == 3 and legend.get_window_extent().width < small.bbox.width
    assert len({round(text.get_window_extent().x0) for text in legend.get_texts()}) == 1
