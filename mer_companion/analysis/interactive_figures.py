"""Figures to explore and songs to play: one function per figure, tables in, a plotly figure out.

In a notebook that runs, plotly draws them itself. In the book a page carries the figure as data, its browser
draws it with the copy of plotly that lies beside the pages: nothing is fetched, and where no script runs a
sentence stands in its place (`shown`).
"""

import base64
import io
import json
import os
import textwrap
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import soundfile
from IPython.display import HTML, display
from plotly.subplots import make_subplots

from mer_companion.analysis import names
from mer_companion.analysis.figures import FILES, errors
from mer_companion.analysis.palette import PALETTE
from mer_core.emotion import in_words

COLOURS = PALETTE.as_hex()
SYMBOLS = (0, 1, 2, 5, 6, 17, 3, 4)  # plotly's numbers of `palette.MARKERS`
FALLBACK = "Explore this figure in the book, or run this cell."
MARGIN = {"l": 55, "r": 10, "t": 30, "b": 45}  # pixels
KEPT, ERASED = "#8a93a0", COLOURS[4]  # neither is the colour of an emotion
NARROW = 20  # characters of a label, on a phone
BELOW = {"orientation": "h", "y": -0.2, "yanchor": "top"}  # a legend that leaves a phone its width


def shown(figure: go.Figure, name: str, what: str, sound: tuple[np.ndarray, int] | None = None):
    """The figure as a notebook shows it; where the book is made, as data that its page draws.

    Parameters
    ----------
    name : of the figure, unique in the book
    what : one sentence that says what is seen, for those who do not see it
    sound : samples (n,) and their rate in Hz, where the figure is a song's timeline: a player stands above it
    """
    figure = laid_out(figure)
    player = "" if sound is None else audio(*sound, what)
    if not os.environ.get(FILES):
        if player:
            display(HTML(player))
        return figure
    data = json.dumps(json.loads(figure.to_json()), sort_keys=True).replace("</", "<\\/")
    height = figure.layout.height or 450
    named = f'class="plot" id="{name}" role="group" aria-label="{escape(what)}"'
    plot = f'<div {named} style="min-height: {height}px">'
    script = f'<script type="application/json">{data}</script>'
    return HTML(f'<div class="explore">{player}{plot}{script}{FALLBACK}</div></div>')


def laid_out(figure: go.Figure) -> go.Figure:
    """The figure in the book's style, its legend clear of a phone's width."""
    hover = figure.layout.hovermode or "closest"
    return figure.update_layout(template="none", margin=MARGIN, legend=BELOW, font_size=13, hovermode=hover)


def audio(samples: np.ndarray, rate: int, what: str) -> str:
    """A player with the sound inside, as mp3, which plays from disk and in a downloaded notebook."""
    packed = io.BytesIO()
    soundfile.write(packed, samples, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=0.7)
    source = f"data:audio/mpeg;base64,{base64.b64encode(packed.getvalue()).decode()}"
    return f'<audio controls preload="metadata" aria-label="{escape(what)}" src="{source}"></audio>'


def song(
    windows: pd.DataFrame,
    classes: tuple[str, ...],
    label: str,
    truth: tuple[str, ...],
    window_s: float,
    threshold: float,
) -> go.Figure:
    """The truth of each second of a song, a network's prediction, and whether the mixture trusts its label.

    Three rows over one time axis: the truth; the probability of each emotion; the doubt, 1 minus the
    probability that the song's label is clean there, with the line above which it would be erased (clean
    probability below tau). A point stands at the middle of its window.

    Parameters
    ----------
    windows : one song's rows of `clean_probability.judged`: ``second``, ``clean_probability``, and a column
        of probabilities per class
    truth : the emotion of each second
    """
    doubts = f"1 − clean probability of the label “{in_words(label)}”"
    titles = ("True emotion", "Predicted emotion", doubts)
    figure = stacked([0.12, 0.53, 0.35], titles, 0.07)
    for second, emotion in enumerate(truth):
        seen = {"marker_color": COLOURS[classes.index(emotion)], "width": 1, "showlegend": False}
        hover = f"second {second}: {in_words(emotion)}<extra></extra>"
        figure.add_bar(x=[second + 0.5], y=[1], hovertemplate=hover, row=1, col=1, **seen)
    middle = windows["second"] + window_s / 2
    for k, name in enumerate(classes):
        figure.add_scatter(x=middle, y=windows[name], **emotion_line(name, k), row=2, col=1)
    doubt, kept = 1 - windows["clean_probability"], windows["clean_probability"] >= threshold
    verdicts = np.where(kept, "label kept", "label replaced")[:, None].tolist()
    colours = np.where(kept, KEPT, ERASED).tolist()
    seen = {
        "width": 0.8,
        "name": "1 − clean probability",
        "showlegend": False,
        "marker_color": colours,
        "customdata": verdicts,
    }
    hover = "%{y:.2f}: %{customdata[0]}<extra></extra>"
    figure.add_bar(x=middle, y=doubt, hovertemplate=hover, row=3, col=1, **seen)
    figure.add_hline(1 - threshold, line_dash="dot", line_color="gray", row=3, col=1)
    figure.update_yaxes(visible=False, row=1, col=1)
    figure.update_yaxes(range=[0, 1.02], title_text="Probability", row=2, col=1)
    figure.update_yaxes(range=[0, 1.02], title_text="1 − clean probability", row=3, col=1)
    figure.update_xaxes(title_text="Time in the song (s)", range=[0, len(truth)], row=3, col=1)
    return figure.update_layout(height=520, hovermode="x", bargap=0)


def stacked(heights: list[float], titles: tuple[str, ...], spacing: float) -> go.Figure:
    """Rows of these heights, as shares, over one horizontal axis."""
    n = len(heights)
    return make_subplots(
        n, shared_xaxes=True, row_heights=heights, subplot_titles=titles, vertical_spacing=spacing
    )


def emotion_line(name: str, k: int) -> dict:
    """How the k-th emotion is drawn along a song."""
    look = {"mode": "lines+markers", "marker_symbol": SYMBOLS[k], "line_color": COLOURS[k]}
    return {"name": in_words(name), "hovertemplate": "%{y:.2f}"} | look


def emotions_of_own_song(classes: tuple[str, ...]) -> go.Figure:
    """A song that only its reader has, still without its points, which the page fills in
    (``book/_style/own_song.js``).

    Two rows over one time axis: the probability of each emotion, then those of high valence and of high
    arousal.
    """
    figure = stacked([0.6, 0.4], ("Predicted emotion", "High valence, high arousal"), 0.1)
    for k, name in enumerate([*classes, "high valence", "high arousal"]):
        figure.add_scatter(x=[], y=[], **emotion_line(name, k), row=1 + (k >= len(classes)), col=1)
    figure.add_hline(0.5, line_dash="dot", line_color="gray", row=2, col=1)
    figure.update_yaxes(range=[0, 1.02], title_text="Probability")
    figure.update_xaxes(title_text="Time in the song (s)", row=2, col=1)
    return laid_out(figure.update_layout(height=560, hovermode="x"))


def choices(visible: dict[str, list[bool]]) -> list[dict]:
    """What buttons do: show some of the figure's traces."""
    shown = {name: [{"visible": which}] for name, which in visible.items()}
    return [{"label": name, "method": "restyle", "args": arguments} for name, arguments in shown.items()]


def valence_arousal(rows: pd.DataFrame) -> go.Figure:
    """Every song in Russell's plane: how likely its valence and its arousal are high. Hover: which song.

    Parameters
    ----------
    rows : ``method``, ``track_id``, ``predicted`` (quadrant), ``valence``, ``arousal`` (of high)
    """
    methods = list(rows["method"].unique())
    figure = go.Figure()
    for method, own in rows.round(3).groupby("method", sort=False):
        for k, (quadrant, songs) in enumerate(own.groupby("predicted")):
            marker = {"color": COLOURS[k], "symbol": SYMBOLS[k], "size": 7, "opacity": 0.75}
            hover = "%{text}<br>high valence %{x:.2f}, high arousal %{y:.2f}"
            seen = {"mode": "markers", "marker": marker, "text": songs["track_id"], "hovertemplate": hover}
            which = {"name": in_words(quadrant), "meta": method, "visible": method == methods[0]}
            figure.add_scatter(x=songs["valence"], y=songs["arousal"], **seen, **which)
    figure.update_xaxes(range=[-0.02, 1.02], title_text="Probability of high valence")
    figure.update_yaxes(range=[-0.02, 1.02], title_text="Probability of high arousal")
    figure.add_hline(0.5, line_width=1, line_color="gray").add_vline(0.5, line_width=1, line_color="gray")
    buttons = choices({names.label(m): [trace.meta == m for trace in figure.data] for m in methods})
    place = {
        "type": "buttons",
        "direction": "right",
        "x": 0,
        "xanchor": "left",
        "y": 1.1,
        "yanchor": "bottom",
    }
    colours = {
        "font": {"color": "#222832"},
        "bgcolor": "#ced6dd",
    }  # the chosen one is nearly white on any page
    return figure.update_layout(height=560, updatemenus=[{"buttons": buttons} | place | colours])


def leaderboard(rows: pd.DataFrame, xlabel: str) -> go.Figure:
    """Systems by their score with its 95 % interval; hover for the figures, drag to look closer.

    Parameters
    ----------
    rows : ``label``, ``value``, ``low``, ``high``
    """
    rows = rows[::-1]
    names = ["<br>".join(textwrap.wrap(label, NARROW)) for label in rows["label"]]
    below, above = errors(rows)
    figure = go.Figure().add_scatter(
        x=rows["value"],
        y=names,
        mode="markers",
        marker={"color": COLOURS[0], "size": 8},
        showlegend=False,
        error_x={"array": above, "arrayminus": below, "color": COLOURS[0]},
        customdata=rows[["low", "high"]],
        hovertemplate="%{y}: %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
    )
    figure.update_xaxes(title_text=xlabel).update_yaxes(automargin=True)
    return figure.update_layout(height=100 + 34 * len(rows))
