"""One function per figure: arrays or tables in, a matplotlib Figure out. One style, colour-blind safe."""

import base64
import io
import os
import textwrap
from collections.abc import Iterable
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from scipy.stats import norm

from mer_companion.analysis import findings, names
from mer_companion.analysis.narrow_figures import narrow
from mer_companion.analysis.palette import (
    BETTER,
    CLEAN,
    GRID,
    MARKERS,
    METHODS,
    NEUTRAL,
    NOISY,
    OURS,
    PALETTE,
    PRINTED,
    WORSE,
    of_method,
)
from mer_companion.analysis.svg import as_svg
from mer_core.emotion import in_words

WIDTH = 7.2  # inches: the text column of the book
LEGEND = 60  # characters of names that a legend has room for in one line
LONG = 44  # characters of a line of a name, beside which half of the width is left
FONT = {"font.size": 10, "axes.titlesize": 10, "axes.labelsize": 10}
FONT |= {"xtick.labelsize": 10, "ytick.labelsize": 10, "legend.fontsize": 10}
PLAIN = {"axes.spines.right": False, "axes.spines.top": False, "legend.frameon": False}
NAMES = {"text.parse_math": False}  # a song may be called a$b - c$d
FILE = {"figure.dpi": 110, "savefig.bbox": "tight", "svg.hashsalt": "mer"}

sns.set_theme(style="ticks", palette="colorblind", rc=FONT | PLAIN | NAMES | FILE)


def panels(
    height: float, columns: int = 1, rows: int = 1, width: float = WIDTH, **how
) -> tuple[Figure, list[Axes]]:
    """A figure of this height in inches and its panels, row by row."""
    fig, axes = plt.subplots(
        rows, columns, figsize=(width, height), layout="constrained", squeeze=False, **how
    )
    return fig, list(axes.flat)


def errors(rows: pd.DataFrame, value: str = "value") -> list[pd.Series]:
    """How far a value's interval reaches below and above it, as matplotlib's error bars want it."""
    return [rows[value] - rows["low"], rows["high"] - rows[value]]


def lines(ax: Axes, x, columns: pd.DataFrame, colours: Iterable = PALETTE, marked: bool = True) -> None:
    """One line per column, each with its own colour and marker."""
    for name, marker, colour in zip(columns, cycle(MARKERS), cycle(colours), strict=False):
        ax.plot(x, columns[name], marker=marker if marked else "", ms=4, color=colour, label=in_words(name))


def legend_right(ax: Axes, **how) -> None:
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), **how)


def legend_outside(ax: Axes, where: str, ncols: int) -> None:
    """A legend of the whole figure, with each of a panel's labels once."""
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    ax.figure.legend(unique.values(), unique.keys(), loc=f"outside {where}", ncols=ncols, fontsize=8)


def finished(fig: Figure, data: pd.DataFrame, finding: str = "") -> Figure:
    """Take the figure out of pyplot's hands: a notebook then shows it once, as the value of its cell.

    Where the book is made, what is drawn goes with it, as SVG, as PDF and as the table of its data (`FILES`).

    Parameters
    ----------
    finding : what it shows, with numbers, for those who do not see it
    """
    plt.close(fig)
    if os.environ.get(FILES):
        fig._repr_mimebundle_ = lambda include=None, exclude=None: files_of(fig, data, finding)
    return fig


FILES = "MER_FIGURE_FILES"  # environment variable: whether figures bring their files


def files_of(fig: Figure, data: pd.DataFrame, finding: str = "") -> dict[str, str]:
    """A figure as SVG, wide and narrow, as PDF (base64), its data as CSV and its finding, by MIME type.

    Without dates: equal figures are equal files.
    """
    pdf = io.BytesIO()
    fig.savefig(pdf, format="pdf", metadata={"CreationDate": None})
    indexed = not isinstance(data.index, pd.RangeIndex)
    return {
        "image/svg+xml": as_svg(fig),
        NARROW_SVG: as_svg(narrow(fig)),
        "application/pdf": base64.b64encode(pdf.getvalue()).decode(),
        "text/csv": data.to_csv(index=indexed, float_format="%.6g", lineterminator="\n"),
        FINDING: finding + "\n",
    }


NARROW_SVG, FINDING = "image/x-narrow+svg", "text/x-finding"


def song_timeline(
    probabilities: np.ndarray,
    seconds: np.ndarray,
    classes,
    window_s: float,
    title: str,
    truth: tuple[str, ...] | None = None,
) -> Figure:
    """Probability of each emotion along one song (SSSL, Fig. 2); a point stands at the middle of its window.

    Parameters
    ----------
    probabilities : (n_windows, n_classes); seconds : (n_windows,) where each window starts
    truth : true class of each second, drawn as a strip below, where known
    """
    fig, [ax] = panels(3.0)
    drawn = pd.DataFrame(probabilities, columns=list(classes))
    lines(ax, seconds + window_s / 2, drawn)
    for second, label in enumerate(truth or ()):
        colour = PALETTE[list(classes).index(label) % 10]
        ax.axvspan(second, second + 1, ymax=0.045, color=colour, lw=0)
    bottom = -0.06 if truth else 0
    ax.set(xlabel="Time in the song (s)", ylabel="Probability", ylim=(bottom, 1.02), title=title)
    legend_right(ax)
    leads = drawn.idxmax(axis=1).value_counts()
    said = f"{in_words(leads.index[0])} is most probable in {leads.iloc[0]} of {len(drawn)} windows."
    return finished(fig, drawn.assign(second=seconds), said)


def minutes(seconds: float, _: int | None = None) -> str:
    """A time as minutes and seconds: 125 becomes 2:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


POINTS = 400  # of a line at most: more are not visible


def emotion_course(timeline: pd.DataFrame, classes, title: str) -> Figure:
    """A sound file's emotion along time: every label, valence and arousal where the labels tell them, and
    the uncertainty.

    Of long files a point is the mean of several windows.

    Parameters
    ----------
    timeline : of `predict.Emotion`
    """
    step = -(-len(timeline) // POINTS)
    shown = timeline.groupby(np.arange(len(timeline)) // step).mean()
    middle = (shown["start_s"] + shown["end_s"]) / 2
    plane = "valence" in timeline and timeline[["valence", "arousal"]].notna().all(axis=None)
    ratios = [2, 1.3, 0.8] if plane else [2, 0.8]
    n = len(ratios)
    fig, axes = panels(1.2 + 1.5 * n, rows=n, sharex=True, height_ratios=ratios)
    marked = len(shown) <= 60
    lines(axes[0], middle, shown[list(classes)], marked=marked)
    if plane:
        others = (PALETTE * 2)[len(classes) % 10 :]
        lines(axes[1], middle, shown[["valence", "arousal"]], others, marked)
    lines(axes[-1], middle, shown[["uncertainty"]], [NEUTRAL], marked)
    for ax in axes:
        ax.set(ylim=(0, 1.02), ylabel="Probability")
    legend_right(axes[0])
    if plane:
        legend_right(axes[1], title="high")
        axes[1].axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
    axes[0].set_title(title)
    means = f", means of {step} windows" if step > 1 else ""
    axes[-1].set(ylabel="Uncertainty", xlabel=f"Time in the song (min:s){means}")
    axes[-1].xaxis.set_major_locator(MaxNLocator(8, steps=[1, 1.5, 2, 3, 5, 6, 10], integer=True))
    axes[-1].xaxis.set_major_formatter(minutes)
    means = timeline[list(classes)].mean()
    return finished(fig, timeline, "Means over time. " + findings.extremes(map(in_words, means.index), means))


def loss_mixtures(log: list[dict], n_epochs: int = 3) -> Figure:
    """Scaled losses and their two Gaussians at the first, middle and last separated epoch."""
    separated = [row for row in log if row.get("means")]
    places = np.linspace(0, len(separated) - 1, n_epochs).round().astype(int)
    chosen = [separated[i] for i in np.unique(places)]
    fig, axes = panels(2.6, len(chosen), sharey=True)
    grid = np.linspace(0, 1, 400)
    for ax, row in zip(axes, chosen, strict=True):
        density = np.array(row["histogram"]) / np.mean(row["histogram"])
        ax.stairs(density, np.linspace(0, 1, len(density) + 1), fill=True, color="0.85")
        fitted = zip(row["means"], row["deviations"], row["weights"], strict=True)
        styles = (CLEAN, "-", "clean"), (NOISY, "--", "noisy")
        for (mean, deviation, weight), (colour, style, name) in zip(fitted, styles, strict=True):
            curve = weight * norm.pdf(grid, mean, deviation)
            ax.plot(grid, curve, color=colour, ls=style, label=f"{name} ({weight:.0%})")
        ax.set(title=f"Epoch {row['epoch'] + 1}", xlabel="Scaled loss", ylim=(0, 1.05 * density.max()))
        ax.legend(loc="upper right", fontsize=8)
    axes[0].set_ylabel("Density")
    drawn = [{"epoch": row["epoch"] + 1, **dict(enumerate(row["histogram"]))} for row in chosen]
    shares = "; ".join(f"epoch {row['epoch'] + 1} {row['weights'][0]:.0%}" for row in chosen)
    return finished(fig, pd.DataFrame(drawn), f"Weight of the clean component: {shares}.")


def confusions(counts: dict[str, np.ndarray], classes) -> Figure:
    """Confusion matrix of each method, true classes in rows; shade: share of the row."""
    n = len(counts)
    fig, axes = panels(0.6 + WIDTH / 2 / max(1, n / 2), n)
    quadrants = [in_words(c).replace(" ", "\n") for c in classes]
    for ax, (label, matrix) in zip(axes, counts.items(), strict=True):
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        ticks = {"xticklabels": quadrants, "yticklabels": quadrants if ax is axes[0] else False}
        shades = {"vmin": 0, "vmax": 1, "cmap": "Blues", "cbar": False, "square": True}
        sns.heatmap(share, annot=matrix, fmt="d", ax=ax, **shades, **ticks)
        ax.set(title=names.label(label), xlabel="Predicted", ylabel="Labelled" if ax is axes[0] else "")
        ax.tick_params(axis="both", length=0, labelrotation=0)
    tables = {name: pd.DataFrame(matrix, list(classes), list(classes)) for name, matrix in counts.items()}
    right = {names.label(label): np.trace(matrix) / matrix.sum() for label, matrix in counts.items()}
    said = "; ".join(f"{name} {share:.3f}" for name, share in right.items())
    return finished(fig, pd.concat(tables), f"On the diagonal, the accuracy: {said}.")


def clean_detection(log: list[dict]) -> Figure:
    """Does the mixture find the truly clean windows? ROC-AUC per epoch, and purity of the clean set."""
    rows = pd.DataFrame([row for row in log if row.get("auc") is not None])
    fig, [ax] = panels(2.6)
    epoch, purity = rows["epoch"] + 1, rows["truly_clean_in_clean_set"]
    ranks = "AUC: clean probability ranks clean above noisy"
    ax.plot(epoch, rows["auc"], marker="o", color=CLEAN, label=ranks)
    ax.plot(epoch, purity, marker="s", color=NOISY, label="Right labels in the clean set")
    ax.plot(epoch, rows["truly_clean"], color=NEUTRAL, ls="--", label="Right labels in all windows")
    ax.axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
    ax.set(xlabel="Epoch", ylabel="Share or AUC", ylim=(0, 1.02), xticks=epoch)
    ax.legend(loc="lower right", fontsize=8)
    last = rows.iloc[-1]
    said = f"After the last epoch the AUC is {last['auc']:.3f}; truly clean are "
    said += (
        f"{last['truly_clean_in_clean_set']:.3f} of the clean set, {last['truly_clean']:.3f} of all windows."
    )
    return finished(fig, rows[["epoch", "auc", "truly_clean_in_clean_set", "truly_clean"]], said)


def intervals(
    rows: pd.DataFrame, xlabel: str, published: dict[str, float] | None = None, chance: float | None = None
) -> Figure:
    """Values with their 95 % intervals, one line each; hollow diamonds are the paper's own figures, the
    dotted line is chance.

    Parameters
    ----------
    rows : table with the columns ``label``, ``value``, ``low``, ``high``; values in [0, 1]
    published : printed figure by ``label``, in [0, 1]
    """
    fig, [ax] = panels(1.0 + 0.36 * len(rows))
    y = np.arange(len(rows))[::-1]
    ours = {"fmt": "o", "color": OURS, "capsize": 3, "label": "Ours, 95 % interval over artists"}
    ax.errorbar(rows["value"], y, xerr=errors(rows), **ours)
    for label, value in (published or {}).items():
        at = y[list(rows["label"]).index(label)]
        ax.plot(value, at, "D", mfc="none", mec=PRINTED, ms=8, label="Printed in the paper")
    if chance is not None:
        ax.axvline(chance, color=NEUTRAL, ls=":", label="Most frequent class")
    named_rows(ax, rows["label"].map(names.label))
    ax.set_xlabel(xlabel)
    legend_outside(ax, "upper right", 3)
    said = findings.values(rows.assign(label=rows["label"].map(names.label)))
    said += "".join(f" Printed: {value:.3f}." for value in (published or {}).values())
    return finished(fig, rows, said)


def by_protocol(rows: pd.DataFrame, xlabel: str, published: dict[str, float]) -> Figure:
    """Scores of features under several protocols with 95 % intervals; vertical lines are printed figures.

    Parameters
    ----------
    rows : table with the columns ``features``, ``protocol``, ``value``, ``low``, ``high``
    published : printed figure by its source
    """
    features, protocols = list(rows["features"].unique()), list(rows["protocol"].unique())
    fig, [ax] = panels(1.4 + 0.42 * len(features))
    for i, (protocol, marker) in enumerate(zip(protocols, MARKERS, strict=False)):
        own = rows[rows["protocol"] == protocol]
        y = np.array([len(features) - 1 - features.index(name) for name in own["features"]])
        how = {"fmt": marker, "color": PALETTE[i], "capsize": 3, "label": protocol}
        ax.errorbar(own["value"], y + 0.12 * (len(protocols) - 1 - 2 * i), xerr=errors(own), **how)
    for (source, value), dashes in zip(published.items(), ("-", "--", ":"), strict=False):
        ax.axvline(value, color=NEUTRAL, ls=dashes, lw=1, label=source)
    named_rows(ax, features)
    ax.set_xlabel(xlabel)
    legend_outside(ax, "upper center", 3)
    return finished(fig, rows, findings.extremes(rows["features"] + ", " + rows["protocol"], rows["value"]))


def named_rows(ax: Axes, rows: Iterable[str]) -> None:
    """Names along the vertical axis, the first on top, and a grid to read values by; long names wrap."""
    rows = [textwrap.fill(str(name), LONG, break_on_hyphens=False) for name in rows]
    ax.set(yticks=range(len(rows))[::-1], yticklabels=rows, ylim=(-0.6, len(rows) - 0.4))
    ax.grid(axis="x", color=GRID)


F1_COLOURS = {"positive": PALETTE[0], "macro": PALETTE[2], "weighted": PALETTE[1]}
F1_MARKERS = {"positive": "o", "macro": "s", "weighted": "^"}


def forest(rows: pd.DataFrame, xlabel: str) -> Figure:
    """Differences from a reference with their 95 % intervals; right of 0 is better. Filled: the interval
    leaves 0 out.

    Parameters
    ----------
    rows : table with the columns ``label``, ``value``, ``low``, ``high``
    """
    rows = rows.assign(label=rows["label"].map(names.label))
    wraps = rows["label"].str.len().max() > LONG
    fig, [ax] = panels(0.9 + (0.42 if wraps else 0.32) * len(rows))
    for y, row in zip(range(len(rows))[::-1], rows.itertuples(), strict=True):
        colour, sure = BETTER if row.value > 0 else WORSE, row.low > 0 or row.high < 0
        error = [[row.value - row.low], [row.high - row.value]]
        mark = {"fmt": "o", "capsize": 3, "color": colour, "mfc": None if sure else "white"}
        ax.errorbar(row.value, y, xerr=error, **mark)
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    named_rows(ax, rows["label"])
    ax.set_xlabel(xlabel)
    return finished(fig, rows, findings.differences(rows))


def around_default(rows: pd.DataFrame, ylabel: str) -> Figure:
    """A score as one setting after another moves off its default (ringed), one panel each, with 95 %
    intervals.

    Parameters
    ----------
    rows : table with the columns ``setting`` (its name), ``at`` (its value), ``value``, ``low``, ``high``,
    ``default`` (bool)
    """
    settings = list(rows.groupby("setting", sort=False))
    shares = {"wspace": 0.05, "width_ratios": [1 + len(own) for _, own in settings]}
    fig, axes = panels(2.4, len(settings), sharey=True, gridspec_kw=shares)
    for ax, (name, own) in zip(axes, settings, strict=True):
        own = own.sort_values("at")
        x, default = np.arange(len(own)), own["default"]
        ax.errorbar(x, own["value"], yerr=errors(own), fmt="o-", capsize=3, color=CLEAN)
        ax.plot(x[default], own["value"][default], "o", ms=11, mfc="none", mec=NOISY)
        ax.set(xticks=x, xticklabels=[f"{value:g}" for value in own["at"]], xlim=(-0.4, len(own) - 0.6))
        ax.set_xlabel(names.label(name))
    axes[0].set_ylabel(ylabel)
    named = rows["setting"].map(names.label) + " " + rows["at"].map("{:g}".format)
    return finished(fig, rows, findings.extremes(named, rows["value"]))


def by_condition(rows: pd.DataFrame, xlabel: str, ylabel: str, chance: float | None = None) -> Figure:
    """A score of several methods under several conditions, side by side, with 95 % intervals.

    Parameters
    ----------
    rows : table with the columns ``condition``, ``method``, ``value``, ``low``, ``high``
    """
    conditions, methods = list(rows["condition"].unique()), list(rows["method"].unique())
    fig, [ax] = panels(2.8)
    known = methods[0] in METHODS
    for i, (method, plain) in enumerate(zip(methods, zip(PALETTE, MARKERS, strict=False), strict=False)):
        own = rows[rows["method"] == method]
        x = np.array([conditions.index(c) for c in own["condition"]]) + 0.12 * (i - (len(methods) - 1) / 2)
        colour, marker = of_method(method) if known else plain
        how = {"yerr": errors(own), "color": colour, "label": names.label(method)}
        ax.errorbar(x, own["value"], fmt=marker, capsize=3, **how)
    if chance is not None:
        ax.axhline(chance, color=NEUTRAL, ls=":", label="Chance")
    ticks = [textwrap.fill(str(condition), 14) for condition in conditions]
    ax.set(xticks=range(len(conditions)), xticklabels=ticks, xlabel=xlabel, ylabel=ylabel)
    ax.grid(axis="y", color=GRID)
    legend_outside(ax, "upper right", 4)
    named = rows["condition"].astype(str) + ", " + rows["method"].map(names.label)
    return finished(fig, rows, findings.extremes(named, rows["value"]))


def by_duration(rows: pd.DataFrame) -> Figure:
    """Accuracy by segment duration, one panel per question; hollow diamonds are the paper's own figures.

    Parameters
    ----------
    rows : table with the columns ``target``, ``seconds``, ``value``, ``low``, ``high``, ``printed`` (may be
    missing)
    """
    groups = list(rows.groupby("target", sort=False))
    fig, axes = panels(2.7, len(groups))
    ours = {"fmt": "o-", "capsize": 3, "color": OURS, "label": "Ours, 95 % interval"}
    theirs = {"mfc": "none", "mec": PRINTED, "ms": 7, "label": "Printed in the paper"}
    for ax, (target, own) in zip(axes, groups, strict=True):
        seconds = own["seconds"]
        ax.errorbar(seconds, own["value"], yerr=errors(own), **ours)
        ax.plot(seconds, own["printed"].astype(float), "D", **theirs)
        ax.set(title=names.TARGETS[target].capitalize(), xlabel="Segment (s)", xticks=seconds)
        ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes[0].set_ylabel("Song accuracy")
    legend_outside(axes[-1], "lower center", 2)
    named = rows["target"].map(names.TARGETS) + ", " + rows["seconds"].astype(str) + " s"
    return finished(fig, rows, findings.extremes(named, rows["value"]))


def kept_labels(log: list[dict], classes) -> Figure:
    """Share of each class's labels that the mixture keeps, per epoch."""
    rows = [row for row in log if row.get("clean_share")]
    kept = pd.DataFrame([row["clean_share"] for row in rows], columns=list(classes))
    epochs = [row["epoch"] + 1 for row in rows]
    fig, [ax] = panels(2.6)
    lines(ax, epochs, kept)
    ax.set(xlabel="Epoch", ylabel="Share of labels kept", ylim=(0, 1.02))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_right(ax)
    said = f"After epoch {epochs[-1]}: {findings.extremes(map(in_words, kept.columns), kept.iloc[-1])}"
    return finished(fig, kept.assign(epoch=epochs), said)


def learning_curves(rows: pd.DataFrame) -> Figure:
    """Shares predicted as labelled, epoch by epoch, a panel for each of `tables.EVALUATED_ON`."""
    looks = {names.label(method): of_method(method) for method in rows["method"].unique()}
    named = rows.assign(method=rows["method"].map(names.label))
    return by_epoch(named, "share", "Share predicted as labelled", "evaluated on", "method", looks)


def by_epoch(
    rows: pd.DataFrame, y: str, ylabel: str, panel: str, line: str, looks: dict | None = None
) -> Figure:
    """Mean of a column after each epoch, with the range over folds and seeds, by panel and line.

    Parameters
    ----------
    looks : (colour, marker) of each line; by default as they come
    """
    drawn = [str(name) for name in rows[line].unique()]
    looks = looks or dict(zip(drawn, zip(PALETTE, MARKERS, strict=False), strict=False))
    aspect = 0.85 if rows[panel].nunique() > 1 else 2
    place = {"x": "epoch", "y": y, "col": panel, "height": 2.7, "aspect": aspect}
    look = {"hue": line, "style": line, "palette": {name: looks[name][0] for name in drawn}}
    look |= {"markers": {name: looks[name][1] for name in drawn}, "dashes": False}
    grid = sns.relplot(rows.astype({line: str}), kind="line", errorbar=("pi", 100), **place, **look)
    grid.set(xlabel="Epoch", ylabel=ylabel).set_titles("{col_name}")
    for ax in grid.axes.flat:
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    columns = min(len(drawn), 5) if sum(map(len, drawn)) <= LEGEND else 2
    sns.move_legend(grid, "lower center", bbox_to_anchor=(0.45, 1.0), ncols=columns, title=None)
    return finished(grid.figure, rows, findings.at_the_end(rows, y, panel, line))


RELIABILITY = ["confidence", "accuracy", "n", "low", "high"]  # columns


def reliability(
    curves: dict[str, list], xlabel: str = "Clean probability", ylabel: str = "Share of right labels"
) -> Figure:
    """Accuracy against confidence; by default of clean probabilities: the share of truly clean labels among
    those given a probability. On the diagonal: calibrated.

    Parameters
    ----------
    curves : by name, (confidence, accuracy, n) rows as `metrics.reliability` gives them, or with the ends of
        the accuracy's interval behind (`calibration.reliability`)
    """
    fig, [ax] = panels(WIDTH * 0.55, width=WIDTH * 0.6)
    ax.plot([0, 1], [0, 1], color=NEUTRAL, ls=":", label="Calibrated")
    for (name, rows), marker, colour in zip(curves.items(), MARKERS, PALETTE, strict=False):
        confidence, accuracy, n, *ends = np.array(rows).T
        if ends:
            ax.vlines(confidence, *ends, color=colour, lw=1)
        ax.plot(confidence, accuracy, color=colour, lw=1, label=name)
        ax.scatter(confidence, accuracy, s=6 + 120 * n / n.sum(), marker=marker, color=colour)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, 1), ylim=(0, 1.02))
    ax.legend(fontsize=8, loc="lower right")
    drawn = {name: pd.DataFrame(rows, columns=RELIABILITY[: len(rows[0])]) for name, rows in curves.items()}
    gaps = {
        name: np.average(abs(own["accuracy"] - own["confidence"]), weights=own["n"])
        for name, own in drawn.items()
    }
    said = "; ".join(f"{name} {gap:.3f}" for name, gap in gaps.items())
    return finished(fig, pd.concat(drawn), f"Mean distance from the diagonal, weighted by counts: {said}.")


def valence_arousal_course(track_id: str, predicted: pd.DataFrame, measured: pd.DataFrame | None) -> Figure:
    """Valence and arousal along a song: the model's probability of high, and, where annotated, the measured
    mean and deviation.

    Parameters
    ----------
    predicted : ``second``, ``valence``, ``arousal``, probabilities of high
    measured : ``track_id``, ``second``, ``valence``, ``arousal`` in [0, 1] and ``valence_sd``,
    ``arousal_sd``, or None
    """
    fig, axes = panels(2.5, 2, sharey=True)
    for ax, dimension in zip(axes, ("valence", "arousal"), strict=True):
        line = {"ms": 3.5, "color": CLEAN, "label": "Predicted: probability of high"}
        ax.plot(predicted["second"], predicted[dimension], "o-", **line)
        if measured is not None:
            own = measured[measured["track_id"] == track_id]
            mean, deviation = own[dimension], own[f"{dimension}_sd"]
            ax.plot(own["second"], mean, color=NOISY, label="Measured: mean of listeners")
            band = {"color": NOISY, "alpha": 0.15, "lw": 0, "label": "± 1 s.d."}
            ax.fill_between(own["second"], mean - deviation, mean + deviation, **band)
        ax.axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
        ax.set(title=f"PMEmo {track_id}: {dimension}", xlabel="Time in the clip (s)", ylim=(0, 1.02))
    axes[0].set_ylabel("Low to high")
    legend_outside(axes[0], "lower center", 3)
    valence, arousal = predicted[["valence", "arousal"]].mean()
    said = f"Predicted means: valence {valence:.2f}, arousal {arousal:.2f}."
    return finished(fig, predicted, said)


DETECTION = ("auc", "average_precision", "calibration_error")  # columns


def detection_by_epoch(rows: pd.DataFrame, condition: str) -> Figure:
    """How well wrong labels are found, epoch by epoch: a panel per measure, a line per condition.

    Parameters
    ----------
    rows : as `tables.detection` gives them, with a column named by `condition`
    """
    measures = {name: names.label(name) for name in DETECTION}
    long = rows.rename(columns=measures).melt(["epoch", condition], list(measures.values()), "measure")
    return by_epoch(long, "value", "", "measure", condition)


def by_tag(rows: pd.DataFrame) -> Figure:
    """Average precision of every tag with its 95 % interval, and as a tick what chance would give.

    Parameters
    ----------
    rows : as `tag_tables.by_tag` gives them
    """
    fig, [ax] = panels(0.8 + 0.17 * len(rows))
    y = np.arange(len(rows))[::-1]
    ours = {"fmt": "o", "ms": 4, "color": CLEAN, "label": "Average precision, 95 % interval over artists"}
    ax.errorbar(rows["value"], y, xerr=errors(rows), **ours)
    ax.plot(rows["chance"], y, "|", ms=7, mew=1.5, color=NOISY, label="Chance")
    ax.set(yticks=y, xlabel="Average precision", ylim=(-0.8, len(rows) - 0.2), xlim=(0, None))
    ax.set_yticklabels(rows["label"], fontsize=8)
    ax.grid(axis="x", color=GRID)
    legend_outside(ax, "upper right", 2)
    return finished(fig, rows, findings.extremes(rows["label"], rows["value"]))


def ensemble_weights(records: list[dict], xlabel: str) -> Figure:
    """A validation measure by the weight of an ensemble's first member, a line per run; ringed: chosen."""
    fig, [ax] = panels(2.8)
    reached = {f"run {r['config']['seed'] + 1}": r["log"][0][0]["validation"] for r in records}
    for record, (run, curve), marker, colour in zip(
        records, reached.items(), cycle("osD^v"), PALETTE, strict=False
    ):
        ax.plot(np.linspace(0, 1, len(curve)), curve, marker, ls="-", ms=3, color=colour, label=run)
        ax.plot(record["log"][0][0]["weight"], max(curve), "o", ms=11, mfc="none", color=colour)
    measure = records[0]["config"]["measure"].replace("_auc", "").upper()
    ax.set(xlabel=xlabel, ylabel=f"{measure}-AUC, validation")
    ax.grid(color=GRID)
    fig.legend(loc="outside upper center", ncols=len(records))
    weights = ", ".join(f"{record['log'][0][0]['weight']:.2f}" for record in records)
    return finished(fig, pd.DataFrame(reached), f"Weights chosen: {weights}.")


def annotation_noise(rows: pd.DataFrame) -> Figure:
    """Shares of windows that contradict their clip, by data set, for quadrants, with 95 % intervals.

    Parameters
    ----------
    rows : as `tables.annotation_noise_rows` gives them
    """
    own = rows[(rows["target"] == "emotion") & rows["method"].str.startswith("3 s windows")]
    return by_condition(own, "", "Share of three-second windows")


def beside_trivial(rows: pd.DataFrame) -> Figure:
    """Every printed F1 of a target on one line, and as vertical marks what a constant answer scores by each
    definition of F1.

    Parameters
    ----------
    rows : ``dataset``, ``target``, ``system``, ``f1``, and ``trivial positive``, ``trivial macro``, ``trivial
    weighted``
    """
    groups = list(rows.groupby(["dataset", "target"], sort=False))[::-1]
    fig, [ax] = panels(1.0 + 0.42 * len(groups))
    for y, (_, own) in enumerate(groups):
        quoted = ~own["system"].str.startswith("Proposed")
        printed = (~quoted, "0.15", "Printed for SSSL"), (quoted, "white", "Printed, quoted from others")
        for which, fill, name in printed:
            f1, marks = own["f1"][which], {"mfc": fill, "mec": "0.15", "ms": 5, "label": name, "zorder": 3}
            ax.plot(f1, np.full(len(f1), y), "o", **marks)
        for definition, colour in F1_COLOURS.items():
            constant = own[f"trivial {definition}"].iloc[0]
            name = f"Constant answer, {definition} F1"
            half = 0.18 if definition == "weighted" else 0.32  # of balanced classes it equals the macro F1
            ax.vlines(constant, y - half, y + half, color=colour, lw=3, label=name)
    named_rows(ax, [f"{dataset} {names.TARGETS[target]}" for (dataset, target), _ in groups[::-1]])
    ax.set(xlabel="F1 (%)", xlim=(0, 100))
    legend_outside(ax, "upper right", 2)
    below = {name: int((rows["f1"] < rows[f"trivial {name}"]).sum()) for name in F1_COLOURS}
    counted = ", ".join(f"{n} below by {name} F1" for name, n in below.items())
    return finished(fig, rows, f"Of {len(rows)} printed F1, the better constant answer has {counted}.")


def reachable_shares(rows: pd.DataFrame, marks: dict[str, dict[str, float]]) -> Figure:
    """Shares of high songs at which each printed accuracy and F1 can stand together, one panel per target.

    Parameters
    ----------
    rows : ``target``, ``system``, ``setting``, ``accuracy``, ``f1``, ``definition``, ``share``; a row per
    possible share
    marks : shares to point out, by name, by target
    """
    targets = list(rows.groupby("target", sort=False))
    fig, axes = panels(4.2, len(targets), sharex=True)
    for ax, (target, own) in zip(axes, targets, strict=True):
        setting = own["setting"].where(own["system"] == "Proposed", own["system"].str.split(" ").str[0])
        pairs = setting + own["accuracy"].map("\n{:.2f}".format) + own["f1"].map(" / {:.2f}".format)
        order = sorted(
            pairs.unique(), key=lambda pair: (" s\n" not in pair, pair), reverse=True
        )  # durations first
        for shift, (definition, colour) in zip((0.2, 0, -0.2), F1_COLOURS.items(), strict=True):
            which = own["definition"] == definition
            y, marker = pairs[which].map(order.index) + shift, F1_MARKERS[definition]
            ax.plot(own["share"][which], y, marker, color=colour, ms=3.5, label=f"{definition} F1")
        for (name, share), style in zip(marks[target].items(), ("--", ":"), strict=False):
            ax.axvline(share, color=NEUTRAL, ls=style, label=name)
        ax.set(title=target.capitalize(), xlabel="Share of songs that count as high")
        ax.set_yticks(range(len(order)), order, fontsize=8)
    legend_outside(axes[-1], "upper center", 5)
    spans = rows.groupby(["target", "definition"], sort=False)["share"].agg(["min", "max"])
    said = "; ".join(f"{' '.join(key)} F1 {low:.2f} to {high:.2f}" for key, (low, high) in spans.T.items())
    return finished(fig, rows, f"Shares at which some pair is possible: {said}.")


def gain_by_selection(rows: pd.DataFrame) -> Figure:
    """Gain of the best of equal systems over their mean, by how often two agree; dashed: the printed gain.

    Parameters
    ----------
    rows : ``dataset``, ``target``, ``agreement``, ``gain``, ``low``, ``high``, ``printed``
    """
    groups = list(rows.groupby(["dataset", "target"], sort=False))
    fig, axes = panels(2.6, len(groups), sharey=True)
    equal = {"fmt": "o", "color": CLEAN, "capsize": 3, "label": "Equal systems, central 95 %"}
    printed = {"color": NOISY, "ls": "--", "label": "Printed: best minus mean of durations"}
    for ax, ((dataset, target), own) in zip(axes, groups, strict=True):
        ax.errorbar(own["agreement"], own["gain"], yerr=errors(own, "gain"), **equal)
        ax.axhline(own["printed"].iloc[0], **printed)
        ax.set(title=f"{dataset} {target}", xlabel="Agreement (%)")
    axes[0].set(ylabel="Gain (points)", ylim=(0, None))
    legend_outside(axes[0], "upper right", 2)
    named = rows["dataset"] + " " + rows["target"] + ", printed"
    said = f"Gain of the best of equal systems: {rows['gain'].min():.2f} to {rows['gain'].max():.2f} points. "
    return finished(fig, rows, said + findings.extremes(named, rows["printed"], ".2f"))


def growth(rows: pd.DataFrame) -> Figure:
    """Processor time against the number of songs by stage, and peak memory of training against its frames.

    Parameters
    ----------
    rows : as `growth.table` gives them
    """
    stages = {"features": "Frames from sound", "training": "Training", "scoring": "Scoring"}
    fig, [time, memory] = panels(3.0, columns=2)
    by_songs = rows[(rows["dimension"] == "songs") & rows["stage"].isin(stages)]
    drawn = by_songs.groupby(["stage", "size"])["cpu_s"].median().unstack("stage")[list(stages)]
    lines(time, drawn.index.astype(int), drawn.rename(columns=stages))
    trained = rows[rows["stage"] == "memory"].sort_values("frames_mb")
    memory.plot(trained["frames_mb"], trained["peak_mb"], "o", ms=4, label="Training")
    x = trained["frames_mb"].to_numpy()
    whole = trained["peak_mb"].iloc[0] - x[0] + x
    memory.plot(x, whole, color=NEUTRAL, label="Frames, network, batch")
    memory.plot(x, 1.3 * whole, "--", color=NEUTRAL, label="The same × 1.3")
    time.set(xlabel="Songs", ylabel="Processor time (s)", xscale="log", yscale="log")
    memory.set(xlabel="Frames (MB)", ylabel="Peak memory (MB)")
    for ax in (time, memory):
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())
        ax.grid(color=GRID)
        ax.legend(fontsize=8)
    return finished(fig, rows)
