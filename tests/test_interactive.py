import json
import re

import numpy as np
import pandas as pd
import pytest

from mer_companion.analysis import figures, interactive_figures, tables


@pytest.fixture
def windows():
    return pd.DataFrame(
        {
            "second": [0, 1, 2],
            "clean_probability": [0.9, 0.2, 0.6],
            "Q1": [0.8, 0.1, 0.6],
            "Q3": [0.2, 0.9, 0.4],
        }
    )


def timeline(windows):
    return interactive_figures.song(windows, ("Q1", "Q3"), "Q1", ("Q1", "Q1", "Q3", "Q3", "Q1"), 3.0, 0.5)


def in_page(shown):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', shown.data, re.DOTALL)[1])


def test_song_figure_has_truth_and_points_at_the_middle_of_windows(windows):
    figure = timeline(windows)
    truth = [bar for bar in figure.data if bar.yaxis == "y"]
    assert [bar.x[0] for bar in truth] == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert [bar.marker.color for bar in truth].count(
        interactive_figures.COLOURS[1]
    ) == 2  # the two seconds of Q3
    (first,) = (trace for trace in figure.data if trace.name == "Q1 happy")
    assert list(first.x) == [1.5, 2.5, 3.5] and list(first.y) == [0.8, 0.1, 0.6]


def test_label_is_kept_from_the_clean_threshold_on(windows):
    (bars,) = (trace for trace in timeline(windows).data if trace.name == "1 − clean probability")
    assert [row[0] for row in bars.customdata] == ["label kept", "label replaced", "label kept"]
    assert list(bars.y) == pytest.approx([0.1, 0.8, 0.4])


def test_page_has_figure_as_data_sound_and_fallback(windows, monkeypatch):
    monkeypatch.setenv(figures.FILES, "yes")
    shown = interactive_figures.shown(
        timeline(windows), "hear-x", "A song & its course", (np.zeros(8000, np.float32), 8000)
    )
    assert in_page(shown)["layout"]["height"] == timeline(windows).layout.height
    assert "A song &amp; its course" in shown.data and interactive_figures.FALLBACK in shown.data
    assert 'src="data:audio/mpeg;base64,' in shown.data and "http" not in re.sub(
        r"<script.*?</script>", "", shown.data, flags=re.S
    )


def test_text_in_a_figure_cannot_end_its_script(windows, monkeypatch):
    monkeypatch.setenv(figures.FILES, "yes")
    figure = timeline(windows).update_layout(title="</script><b>")
    assert in_page(interactive_figures.shown(figure, "x", "x"))["layout"]["title"]["text"] == "</script><b>"


def test_song_in_the_plane_is_the_mean_of_its_windows(monkeypatch):
    test = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    stored = {"test": test, "test_track": np.array([0, 0, 2]), "track_id": np.array(["a", "b", "c"])}
    monkeypatch.setattr(tables, "predictions", lambda record: stored)
    rows = tables.in_the_plane([{"label": "inherit", "data": {"classes": ["Q1", "Q2", "Q3", "Q4"]}}])
    assert rows["track_id"].tolist() == ["a", "c"]
    assert rows["valence"].tolist() == [1, 0] and rows["arousal"].tolist() == [0.5, 0]
