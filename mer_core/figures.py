"""One function per figure: plain arrays or tables in, a matplotlib Figure out. One style, colour-blind safe."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mer_core.emotion import QUADRANT_WORDS

WIDTH = 7.2  # inches: the text column of the book
PALETTE = sns.color_palette("colorblind")
CLEAN, NOISY, NEUTRAL = PALETTE[0], PALETTE[1], "0.45"
METHOD_NAMES = {"inherit": "Inherit the song's label", "self_learning": "SSSL (self-learning)"}

sns.set_theme(
    style="ticks",
    palette="colorblind",
    rc={
        "figure.dpi": 110, "savefig.bbox": "tight", "font.size": 10, "axes.titlesize": 10, "axes.labelsize": 10,
        "axes.spines.right": False, "axes.spines.top": False, "legend.frameon": False, "svg.hashsalt": "mer",
    },
)  # fmt: skip


def finished(fig: Figure) -> Figure:
    """Take the figure out of pyplot's hands: a notebook then shows it once, as the value of its cell."""
    plt.close(fig)
    return fig


def in_words(label: str) -> str:
    """Q1 becomes "Q1 happy"; labels of your own stay as they are."""
    return f"{label} {QUADRANT_WORDS[label]}" if label in QUADRANT_WORDS else label


def method_name(label: str) -> str:
    return METHOD_NAMES.get(label, label.replace("_", " "))


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
    fig, ax = plt.subplots(figsize=(WIDTH, 3.0), layout="constrained")
    for k, (name, marker) in enumerate(zip(classes, "osD^vP*X" * len(classes), strict=False)):
        ax.plot(seconds + window_s / 2, probabilities[:, k], marker=marker, ms=4, color=PALETTE[k % 10], label=in_words(name))
    if truth:
        for second, label in enumerate(truth):
            ax.axvspan(second, second + 1, ymax=0.045, color=PALETTE[list(classes).index(label) % 10], lw=0)
    ax.set(xlabel="Time in the song (s)", ylabel="Probability", ylim=(-0.06 if truth else 0, 1.02), title=title)
    ax.legend(ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
    return finished(fig)


def loss_mixtures(log: list[dict], n_epochs: int = 3) -> Figure:
    """Histogram of the scaled losses and the two Gaussians fitted to it, at the first, middle and last separated epoch."""
    separated = [row for row in log if row.get("means")]
    chosen = [separated[i] for i in np.unique(np.linspace(0, len(separated) - 1, n_epochs).round().astype(int))]
    fig, axes = plt.subplots(1, len(chosen), figsize=(WIDTH, 2.6), sharey=True, squeeze=False, layout="constrained")
    grid = np.linspace(0, 1, 400)
    for ax, row in zip(axes[0], chosen, strict=True):
        counts = np.array(row["histogram"])
        edges = np.linspace(0, 1, len(counts) + 1)
        ax.stairs(counts / counts.sum() * len(counts), edges, fill=True, color="0.85")
        for mean, deviation, weight, colour, name in zip(
            row["means"], row["deviations"], row["weights"], (CLEAN, NOISY), ("clean", "noisy"), strict=True
        ):
            density = weight * np.exp(-0.5 * ((grid - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
            ax.plot(grid, density, color=colour, ls="-" if name == "clean" else "--", label=f"{name} ({weight:.0%})")
        ax.set(title=f"Epoch {row['epoch'] + 1}", xlabel="Scaled loss")
        ax.set_ylim(0, 1.05 * (counts / counts.sum() * len(counts)).max())
        ax.legend(loc="upper right", fontsize=8)
    axes[0, 0].set_ylabel("Density")
    return finished(fig)


def confusions(counts: dict[str, np.ndarray], classes) -> Figure:
    """Confusion matrix of each method: rows are the true classes, numbers are songs, shade is the share of the row."""
    fig, axes = plt.subplots(
        1, len(counts), figsize=(WIDTH, 0.6 + WIDTH / 2 / max(1, len(counts) / 2)), squeeze=False, layout="constrained"
    )
    names = [in_words(c) for c in classes]
    for i, (ax, (label, matrix)) in enumerate(zip(axes[0], counts.items(), strict=True)):
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        sns.heatmap(
            share, annot=matrix, fmt="d", vmin=0, vmax=1, cmap="Blues", cbar=False, square=True, ax=ax,
            xticklabels=names, yticklabels=names if i == 0 else False,
        )  # fmt: skip
        ax.set(title=method_name(label), xlabel="Called", ylabel="Labelled" if i == 0 else "")
        ax.tick_params(axis="both", length=0)
    return finished(fig)


def clean_detection(log: list[dict]) -> Figure:
    """Does the mixture find the truly clean windows? Area under the ROC curve per epoch, and purity of the clean set."""
    rows = pd.DataFrame([row for row in log if row.get("auc") is not None])
    fig, ax = plt.subplots(figsize=(WIDTH, 2.6), layout="constrained")
    epoch = rows["epoch"] + 1
    ax.plot(epoch, rows["auc"], marker="o", color=CLEAN, label="AUC: clean probability ranks clean above noisy")
    ax.plot(epoch, rows["truly_clean_in_clean_set"], marker="s", color=NOISY, label="Truly clean share of the clean set")
    ax.plot(epoch, rows["truly_clean"], color=NEUTRAL, ls="--", label="Truly clean share of all windows")
    ax.axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
    ax.set(xlabel="Epoch", ylabel="Share", ylim=(0, 1.02), xticks=epoch)
    ax.legend(loc="lower right", fontsize=8)
    return finished(fig)


def intervals(rows: pd.DataFrame, xlabel: str, published: dict[str, float] | None = None, chance: float | None = None) -> Figure:
    """Values with their 95 % intervals, one line each; hollow diamonds are the paper's own figures, the dotted line is chance.

    Parameters
    ----------
    rows : table with the columns ``label``, ``value``, ``low``, ``high``; values in [0, 1]
    published : printed figure by ``label``, in [0, 1]
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 1.0 + 0.36 * len(rows)), layout="constrained")
    y = np.arange(len(rows))[::-1]
    ax.errorbar(rows["value"], y, xerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]], fmt="o", color=CLEAN,
                capsize=3, label="Ours, 95 % interval over artists")  # fmt: skip
    for label, value in (published or {}).items():
        at = y[list(rows["label"]).index(label)]
        ax.plot(value, at, "D", mfc="none", mec=NOISY, ms=8, label="Printed in the paper")
    if chance is not None:
        ax.axvline(chance, color=NEUTRAL, ls=":", label="Most frequent class")
    ax.set(yticks=y, yticklabels=[method_name(label) for label in rows["label"]], xlabel=xlabel, ylim=(-0.6, len(rows) - 0.4))
    ax.grid(axis="x", color="0.92")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    fig.legend(unique.values(), unique.keys(), loc="outside upper right", ncols=3, fontsize=8)
    return finished(fig)


F1_COLOURS = {"positive": PALETTE[0], "macro": PALETTE[2], "weighted": PALETTE[1]}
F1_MARKERS = {"positive": "o", "macro": "s", "weighted": "^"}


def beside_trivial(rows: pd.DataFrame) -> Figure:
    """Every printed F1 of a target on one line, and as vertical marks what a constant answer scores by each definition of F1.

    Parameters
    ----------
    rows : ``dataset``, ``target``, ``system``, ``f1``, and ``trivial positive``, ``trivial macro``, ``trivial weighted``
    """
    groups = list(rows.groupby(["dataset", "target"], sort=False))
    fig, ax = plt.subplots(figsize=(WIDTH, 1.0 + 0.42 * len(groups)), layout="constrained")
    for y, (_, own) in enumerate(reversed(groups)):
        quoted = ~own["system"].str.startswith("Proposed")
        for which, colour, name in ((~quoted, "0.15", "Printed for SSSL"), (quoted, "white", "Printed, quoted from others")):
            ax.plot(own["f1"][which], np.full(which.sum(), y), "o", mfc=colour, mec="0.15", ms=5, label=name, zorder=3)
        for definition, colour in F1_COLOURS.items():
            value = own[f"trivial {definition}"].iloc[0]
            ax.vlines(value, y - 0.32, y + 0.32, color=colour, lw=3, label=f"Constant answer, {definition} F1")
    names = [f"{dataset} {target.replace('_', ' ')}" for (dataset, target), _ in reversed(groups)]
    ax.set(yticks=range(len(groups)), yticklabels=names, xlabel="F1 (%)", xlim=(0, 100), ylim=(-0.6, len(groups) - 0.4))
    ax.grid(axis="x", color="0.92")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    fig.legend(unique.values(), unique.keys(), loc="outside upper right", ncols=2, fontsize=8)
    return finished(fig)


def reachable_shares(rows: pd.DataFrame, marks: dict[str, dict[str, float]]) -> Figure:
    """Shares of high songs at which each printed accuracy and F1 can stand together, one panel per target.

    Parameters
    ----------
    rows : ``target``, ``system``, ``setting``, ``accuracy``, ``f1``, ``definition``, ``share``; a row per possible share
    marks : shares to point out, by name, by target
    """
    fig, axes = plt.subplots(1, rows["target"].nunique(), figsize=(WIDTH, 4.2), sharex=True, layout="constrained")
    for ax, (target, own) in zip(np.atleast_1d(axes), rows.groupby("target", sort=False), strict=True):
        settings = own["setting"].where(own["system"] == "Proposed", own["system"].str.split(" ").str[0])
        pairs = settings + "\n" + own["accuracy"].map("{:.2f}".format) + " / " + own["f1"].map("{:.2f}".format)
        order = sorted(pairs.unique(), key=lambda pair: (" s\n" not in pair, pair), reverse=True)  # durations first
        for shift, (definition, colour) in zip((0.2, 0, -0.2), F1_COLOURS.items(), strict=True):
            which = own["definition"] == definition
            y = pairs[which].map(order.index) + shift
            ax.plot(own["share"][which], y, F1_MARKERS[definition], color=colour, ms=3.5, label=f"{definition} F1")
        for (name, share), style in zip(marks[target].items(), ("--", ":"), strict=False):
            ax.axvline(share, color=NEUTRAL, ls=style, label=name)
        ax.set(yticks=range(len(order)), title=target.capitalize(), xlabel="Share of songs that count as high")
        ax.set_yticklabels(order, fontsize=8)
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=5, fontsize=8)
    return finished(fig)


def sharpened(rows: pd.DataFrame) -> Figure:
    """Probabilities of the classes (columns), one panel per row: a prediction, and what each reading of a formula makes of it."""
    fig, axes = plt.subplots(1, len(rows), figsize=(WIDTH, 2.2), sharey=True, layout="constrained")
    for ax, (name, p) in zip(axes, rows.iterrows(), strict=True):
        ax.bar(p.index, p, color=[PALETTE[k] for k in range(len(p))])
        ax.set_title(name, fontsize=8)
    axes[0].set(ylabel="Probability", ylim=(0, 1.02))
    return finished(fig)


def luck_of_best(rows: pd.DataFrame) -> Figure:
    """What the best of equal systems gains by luck, by how often two of them agree, beside the printed gain (dashed).

    Parameters
    ----------
    rows : ``dataset``, ``target``, ``agreement``, ``gain``, ``low``, ``high``, ``printed``
    """
    groups = list(rows.groupby(["dataset", "target"], sort=False))
    fig, axes = plt.subplots(1, len(groups), figsize=(WIDTH, 2.6), sharey=True, layout="constrained")
    for ax, ((dataset, target), own) in zip(axes, groups, strict=True):
        error = [own["gain"] - own["low"], own["high"] - own["gain"]]
        ax.errorbar(own["agreement"], own["gain"], yerr=error, fmt="o", color=CLEAN, capsize=3, label="By luck, central 95 %")
        ax.axhline(own["printed"].iloc[0], color=NOISY, ls="--", label="Printed: best less mean of durations")
        ax.set(title=f"{dataset} {target}", xlabel="Agreement (%)")
    axes[0].set(ylabel="Gain (points)", ylim=(0, None))
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper right", ncols=2, fontsize=8)
    return finished(fig)
