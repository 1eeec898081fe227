"""One function per figure: plain arrays or tables in, a matplotlib Figure out. One style, colour-blind safe."""

import base64
import io
import os
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mer_companion.analysis.narrow_figures import narrow
from mer_core.emotion import in_words

WIDTH = 7.2  # inches: the text column of the book
PALETTE = sns.color_palette("colorblind")
CLEAN, NOISY, NEUTRAL = PALETTE[0], PALETTE[1], "0.45"
METHOD_NAMES = {"inherit": "Inherit the song's label", "self_learning": "SSSL (self-learning)", "elr": "ELR"}

sns.set_theme(
    style="ticks",
    palette="colorblind",
    rc={
        "figure.dpi": 110, "savefig.bbox": "tight", "font.size": 10, "axes.titlesize": 10, "axes.labelsize": 10,
        "axes.spines.right": False, "axes.spines.top": False, "legend.frameon": False, "svg.hashsalt": "mer",
    },
)  # fmt: skip


def finished(fig: Figure, data: pd.DataFrame) -> Figure:
    """Take the figure out of pyplot's hands: a notebook then shows it once, as the value of its cell.

    Where the book is made, what is drawn goes with it, as SVG, as PDF and as the table of its data (`FILES`).
    """
    plt.close(fig)
    if os.environ.get(FILES):
        fig._repr_mimebundle_ = lambda include=None, exclude=None: files_of(fig, data)
    return fig


FILES = "MER_FIGURE_FILES"  # environment variable: whether figures bring their files


def files_of(fig: Figure, data: pd.DataFrame) -> dict[str, str]:
    """A figure as SVG, wide and narrow, as PDF (base64), and its data as CSV, by MIME type.

    Without dates: equal figures are equal files.
    """
    pdf = io.BytesIO()
    fig.savefig(pdf, format="pdf", metadata={"CreationDate": None})
    table = data.to_csv(
        index=not isinstance(data.index, pd.RangeIndex), float_format="%.6g", lineterminator="\n"
    )
    return {
        "image/svg+xml": as_svg(fig), NARROW_SVG: as_svg(narrow(fig)),
        "application/pdf": base64.b64encode(pdf.getvalue()).decode(), "text/csv": table,
    }  # fmt: skip


NARROW_SVG = "image/x-narrow+svg"


def as_svg(fig: Figure) -> str:
    drawn = io.StringIO()
    fig.savefig(drawn, format="svg", metadata={"Date": None}, transparent=True)
    return drawn.getvalue()


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
        ax.plot(
            seconds + window_s / 2,
            probabilities[:, k],
            marker=marker,
            ms=4,
            color=PALETTE[k % 10],
            label=in_words(name),
        )
    if truth:
        for second, label in enumerate(truth):
            ax.axvspan(second, second + 1, ymax=0.045, color=PALETTE[list(classes).index(label) % 10], lw=0)
    ax.set(
        xlabel="Time in the song (s)", ylabel="Probability", ylim=(-0.06 if truth else 0, 1.02), title=title
    )
    ax.legend(ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
    return finished(fig, pd.DataFrame(probabilities, columns=list(classes)).assign(second=seconds))


def minutes(seconds: float, _: int | None = None) -> str:
    """A time as minutes and seconds: 125 becomes 2:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


POINTS = 400  # of a line at most: more cannot be told apart


def emotion_course(timeline: pd.DataFrame, classes, title: str) -> Figure:
    """How a sound file's emotion unfolds: every label, valence and arousal where the labels tell them, and
    how unsure that is.

    Of long files a point is the mean of several windows.

    Parameters
    ----------
    timeline : of `predict.Emotion`
    """
    step = -(-len(timeline) // POINTS)
    shown = timeline.groupby(np.arange(len(timeline)) // step).mean()
    middle = (shown["start_s"] + shown["end_s"]) / 2
    panels = [list(classes), ["valence", "arousal"], ["uncertainty"]]
    panels = (
        [names for names in panels if timeline[names].notna().all(axis=None)]
        if "valence" in timeline
        else [panels[0], panels[2]]
    )
    fig, axes = plt.subplots(
        len(panels), 1, figsize=(WIDTH, 1.2 + 1.5 * len(panels)), sharex=True, layout="constrained", squeeze=False,
        height_ratios=[2, 1.3, 0.8] if len(panels) == 3 else [2, 0.8],
    )  # fmt: skip
    for ax, names in zip(axes[:, 0], panels, strict=True):
        for k, (name, marker) in enumerate(zip(names, "osD^vP*X" * len(names), strict=False)):
            colour = (
                PALETTE[(k + (names[0] == "valence") * len(classes)) % 10]
                if names != ["uncertainty"]
                else NEUTRAL
            )
            ax.plot(
                middle,
                shown[name],
                marker=marker if len(shown) <= 60 else "",
                ms=4,
                color=colour,
                label=in_words(name),
            )
        ax.set(ylim=(0, 1.02), ylabel="Unsure" if names == ["uncertainty"] else "Probability")
        if len(names) > 1:
            ax.legend(
                loc="center left", bbox_to_anchor=(1, 0.5), title="high" if names[0] == "valence" else None
            )
    axes[0, 0].set_title(title)
    if len(panels) == 3:
        axes[1, 0].axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
    means = f", means of {step} windows" if step > 1 else ""
    axes[-1, 0].set_xlabel(f"Time in the song (min:s){means}")
    axes[-1, 0].xaxis.set_major_locator(MaxNLocator(8, steps=[1, 1.5, 2, 3, 5, 6, 10], integer=True))
    axes[-1, 0].xaxis.set_major_formatter(minutes)
    return finished(fig, timeline)


def loss_mixtures(log: list[dict], n_epochs: int = 3) -> Figure:
    """Histogram of the scaled losses and the two Gaussians fitted to it, at the first, middle and last
    separated epoch.
    """
    separated = [row for row in log if row.get("means")]
    chosen = [
        separated[i] for i in np.unique(np.linspace(0, len(separated) - 1, n_epochs).round().astype(int))
    ]
    fig, axes = plt.subplots(
        1, len(chosen), figsize=(WIDTH, 2.6), sharey=True, squeeze=False, layout="constrained"
    )
    grid = np.linspace(0, 1, 400)
    for ax, row in zip(axes[0], chosen, strict=True):
        counts = np.array(row["histogram"])
        edges = np.linspace(0, 1, len(counts) + 1)
        ax.stairs(counts / counts.sum() * len(counts), edges, fill=True, color="0.85")
        for mean, deviation, weight, colour, name in zip(
            row["means"], row["deviations"], row["weights"], (CLEAN, NOISY), ("clean", "noisy"), strict=True
        ):
            density = (
                weight * np.exp(-0.5 * ((grid - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
            )
            ax.plot(
                grid,
                density,
                color=colour,
                ls="-" if name == "clean" else "--",
                label=f"{name} ({weight:.0%})",
            )
        ax.set(title=f"Epoch {row['epoch'] + 1}", xlabel="Scaled loss")
        ax.set_ylim(0, 1.05 * (counts / counts.sum() * len(counts)).max())
        ax.legend(loc="upper right", fontsize=8)
    axes[0, 0].set_ylabel("Density")
    return finished(
        fig,
        pd.DataFrame([{"epoch": row["epoch"] + 1, **dict(enumerate(row["histogram"]))} for row in chosen]),
    )


def confusions(counts: dict[str, np.ndarray], classes) -> Figure:
    """Confusion matrix of each method: rows are the true classes, numbers are songs, shade is the share of
    the row.
    """
    fig, axes = plt.subplots(
        1,
        len(counts),
        figsize=(WIDTH, 0.6 + WIDTH / 2 / max(1, len(counts) / 2)),
        squeeze=False,
        layout="constrained",
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
    return finished(
        fig,
        pd.concat(
            {name: pd.DataFrame(matrix, list(classes), list(classes)) for name, matrix in counts.items()}
        ),
    )


def clean_detection(log: list[dict]) -> Figure:
    """Does the mixture find the truly clean windows? Area under the ROC curve per epoch, and purity of the
    clean set.
    """
    rows = pd.DataFrame([row for row in log if row.get("auc") is not None])
    fig, ax = plt.subplots(figsize=(WIDTH, 2.6), layout="constrained")
    epoch = rows["epoch"] + 1
    ax.plot(
        epoch, rows["auc"], marker="o", color=CLEAN, label="AUC: clean probability ranks clean above noisy"
    )
    ax.plot(
        epoch,
        rows["truly_clean_in_clean_set"],
        marker="s",
        color=NOISY,
        label="Truly clean share of the clean set",
    )
    ax.plot(epoch, rows["truly_clean"], color=NEUTRAL, ls="--", label="Truly clean share of all windows")
    ax.axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
    ax.set(xlabel="Epoch", ylabel="Share", ylim=(0, 1.02), xticks=epoch)
    ax.legend(loc="lower right", fontsize=8)
    return finished(fig, rows[["epoch", "auc", "truly_clean_in_clean_set", "truly_clean"]])


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
    fig, ax = plt.subplots(figsize=(WIDTH, 1.0 + 0.36 * len(rows)), layout="constrained")
    y = np.arange(len(rows))[::-1]
    ax.errorbar(rows["value"], y, xerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]], fmt="o", color=CLEAN,
                capsize=3, label="Ours, 95 % interval over artists")  # fmt: skip
    for label, value in (published or {}).items():
        at = y[list(rows["label"]).index(label)]
        ax.plot(value, at, "D", mfc="none", mec=NOISY, ms=8, label="Printed in the paper")
    if chance is not None:
        ax.axvline(chance, color=NEUTRAL, ls=":", label="Most frequent class")
    ax.set(
        yticks=y,
        yticklabels=[method_name(label) for label in rows["label"]],
        xlabel=xlabel,
        ylim=(-0.6, len(rows) - 0.4),
    )
    ax.grid(axis="x", color="0.92")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    fig.legend(unique.values(), unique.keys(), loc="outside upper right", ncols=3, fontsize=8)
    return finished(fig, rows)


F1_COLOURS = {"positive": PALETTE[0], "macro": PALETTE[2], "weighted": PALETTE[1]}
F1_MARKERS = {"positive": "o", "macro": "s", "weighted": "^"}


def forest(rows: pd.DataFrame, xlabel: str) -> Figure:
    """Differences from a reference with their 95 % intervals; right of 0 is better. Filled: the interval
    leaves 0 out.

    Parameters
    ----------
    rows : table with the columns ``label``, ``value``, ``low``, ``high``
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.9 + 0.32 * len(rows)), layout="constrained")
    for y, row in zip(range(len(rows))[::-1], rows.itertuples(), strict=True):
        sure = row.low > 0 or row.high < 0
        ax.errorbar(row.value, y, xerr=[[row.value - row.low], [row.high - row.value]], fmt="o", capsize=3,
                    color=CLEAN if row.value > 0 else NOISY, mfc=None if sure else "white")  # fmt: skip
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    ax.set(
        yticks=range(len(rows))[::-1],
        yticklabels=[method_name(label) for label in rows["label"]],
        xlabel=xlabel,
    )
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x", color="0.92")
    return finished(fig, rows)


SETTING_NAMES = {
    "clean_threshold": "Clean threshold τ", "temperature": "Temperature T", "mixup_alpha": "Mixup α",
    "consistency_weight": "Weight of the agreement λ", "share_threshold": "Share threshold θ",
}  # fmt: skip


def around_default(rows: pd.DataFrame, ylabel: str) -> Figure:
    """A score as one setting after another moves off its default (ringed), one panel each, with 95 %
    intervals.

    Parameters
    ----------
    rows : table with the columns ``setting`` (its name), ``at`` (its value), ``value``, ``low``, ``high``,
    ``default`` (bool)
    """
    settings = list(rows.groupby("setting", sort=False))
    fig, axes = plt.subplots(
        1,
        len(settings),
        figsize=(WIDTH, 2.4),
        sharey=True,
        layout="constrained",
        squeeze=False,
        gridspec_kw={"wspace": 0.05},
    )
    for ax, (name, own) in zip(axes[0], settings, strict=True):
        own = own.sort_values("at")
        x = np.arange(len(own))
        ax.errorbar(
            x,
            own["value"],
            yerr=[own["value"] - own["low"], own["high"] - own["value"]],
            fmt="o-",
            capsize=3,
            color=CLEAN,
        )
        ax.plot(x[own["default"]], own["value"][own["default"]], "o", ms=11, mfc="none", mec=NOISY)
        ax.set(
            xticks=x,
            xticklabels=[f"{value:g}" for value in own["at"]],
            xlabel=SETTING_NAMES.get(name, name),
            xlim=(-0.4, len(own) - 0.6),
        )
    axes[0, 0].set_ylabel(ylabel)
    return finished(fig, rows)


def by_condition(rows: pd.DataFrame, xlabel: str, ylabel: str, chance: float | None = None) -> Figure:
    """A score of several methods under several conditions, side by side, with 95 % intervals where there are
    any.

    Parameters
    ----------
    rows : table with the columns ``condition``, ``method``, ``value``, and ``low``, ``high`` or neither
    """
    conditions, methods = list(rows["condition"].unique()), list(rows["method"].unique())
    fig, ax = plt.subplots(figsize=(WIDTH, 2.8), layout="constrained")
    for i, (method, marker) in enumerate(zip(methods, "osD^vP*X", strict=False)):
        own = rows[rows["method"] == method]
        x = np.array([conditions.index(c) for c in own["condition"]]) + 0.12 * (i - (len(methods) - 1) / 2)
        error = [own["value"] - own["low"], own["high"] - own["value"]] if "low" in own else None
        ax.errorbar(
            x, own["value"], yerr=error, fmt=marker, capsize=3, color=PALETTE[i], label=method_name(method)
        )
    if chance is not None:
        ax.axhline(chance, color=NEUTRAL, ls=":", label="Chance")
    names = [textwrap.fill(str(condition), 12) for condition in conditions]
    ax.set(xticks=range(len(conditions)), xticklabels=names, xlabel=xlabel, ylabel=ylabel)
    ax.grid(axis="y", color="0.92")
    fig.legend(loc="outside upper right", ncols=4, fontsize=8)
    return finished(fig, rows)


def by_duration(rows: pd.DataFrame) -> Figure:
    """Accuracy by segment duration, one panel per question; hollow diamonds are the paper's own figures.

    Parameters
    ----------
    rows : table with the columns ``target``, ``seconds``, ``value``, ``low``, ``high``, ``printed`` (may be
    missing)
    """
    groups = list(rows.groupby("target", sort=False))
    fig, axes = plt.subplots(1, len(groups), figsize=(WIDTH, 2.7), layout="constrained", squeeze=False)
    for ax, (target, own) in zip(axes[0], groups, strict=True):
        error = [own["value"] - own["low"], own["high"] - own["value"]]
        ax.errorbar(
            own["seconds"],
            own["value"],
            yerr=error,
            fmt="o-",
            capsize=3,
            color=CLEAN,
            label="Ours, 95 % interval",
        )
        ax.plot(
            own["seconds"],
            own["printed"].astype(float),
            "D",
            mfc="none",
            mec=NOISY,
            ms=7,
            label="Printed in the paper",
        )
        ax.set(
            title="quadrants" if target == "emotion" else target, xlabel="Segment (s)", xticks=own["seconds"]
        )
    axes[0, 0].set_ylabel("Song accuracy")
    handles, labels = axes[0, -1].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)
    return finished(fig, rows)


def kept_labels(log: list[dict], classes) -> Figure:
    """Share of each class's labels that the mixture keeps, per epoch: a class that falls to the floor is
    being erased.
    """
    rows = [row for row in log if row.get("clean_share")]
    fig, ax = plt.subplots(figsize=(WIDTH, 2.6), layout="constrained")
    for k, (name, marker) in enumerate(zip(classes, "osD^vP*X" * len(classes), strict=False)):
        ax.plot([row["epoch"] + 1 for row in rows], [row["clean_share"][k] for row in rows], marker=marker, ms=4,
                color=PALETTE[k % 10], label=in_words(name))  # fmt: skip
    ax.set(xlabel="Epoch", ylabel="Share of labels kept", ylim=(0, 1.02))
    ax.legend(ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
    return finished(
        fig,
        pd.DataFrame([row["clean_share"] for row in rows], columns=list(classes)).assign(
            epoch=[r["epoch"] + 1 for r in rows]
        ),
    )


def learning_curves(rows: pd.DataFrame) -> Figure:
    """Shares called as labelled, epoch by epoch, one panel for each of what `tables.learning_curves` tells
    apart.
    """
    return by_epoch(
        rows.assign(method=rows["method"].map(method_name)),
        "share",
        "Share called as labelled",
        "asked about",
        "method",
    )


def by_epoch(rows: pd.DataFrame, y: str, ylabel: str, panel: str, line: str) -> Figure:
    """Mean of a column after each epoch and the range over folds and seeds, one panel and one line for each
    of two others.
    """
    names = [str(name) for name in rows[line].unique()]
    grid = sns.relplot(
        rows.astype({line: str}), x="epoch", y=y, col=panel, hue=line, style=line, hue_order=names, style_order=names,
        kind="line", markers=list("osD^vP*X"[: len(names)]), dashes=False, errorbar=("pi", 100), height=2.7, aspect=0.85,
    )  # fmt: skip
    grid.set(xlabel="Epoch", ylabel=ylabel, xticks=sorted(rows["epoch"].unique())).set_titles("{col_name}")
    sns.move_legend(grid, "lower center", bbox_to_anchor=(0.45, 1.0), ncols=min(len(names), 5), title=None)
    return finished(grid.figure, rows)


RELIABILITY = ["promised", "kept", "n", "low", "high"]  # columns


def reliability(
    curves: dict[str, list], xlabel: str = "Clean probability", ylabel: str = "Share truly clean"
) -> Figure:
    """Promised against kept: the share of truly clean labels among those given a clean probability. On the
    diagonal: calibrated.

    Or of any other probability, with its axes named.

    Parameters
    ----------
    curves : by name, (promised, kept, n) rows as `metrics.reliability` gives them, or with the ends of kept's
    interval behind
        (`calibration.reliability`)
    """
    fig, ax = plt.subplots(figsize=(WIDTH * 0.6, WIDTH * 0.55), layout="constrained")
    ax.plot([0, 1], [0, 1], color=NEUTRAL, ls=":", label="Calibrated")
    for (name, rows), marker in zip(curves.items(), "osD^vP*X", strict=False):
        promised, kept, n, *ends = np.array(rows).T
        if ends:
            ax.vlines(promised, *ends, color=PALETTE["osD^vP*X".index(marker)], lw=1)
        ax.plot(promised, kept, color=PALETTE["osD^vP*X".index(marker)], lw=1, label=name)
        ax.scatter(
            promised, kept, s=6 + 120 * n / n.sum(), marker=marker, color=PALETTE["osD^vP*X".index(marker)]
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, 1), ylim=(0, 1.02))
    ax.legend(fontsize=8, loc="lower right")
    return finished(
        fig,
        pd.concat(
            {name: pd.DataFrame(rows, columns=RELIABILITY[: len(rows[0])]) for name, rows in curves.items()}
        ),
    )


def valence_arousal_course(track_id: str, called: pd.DataFrame, measured: pd.DataFrame | None) -> Figure:
    """Valence and arousal along a song: the model's probability of high, and, where annotated, the measured
    mean and deviation.

    Parameters
    ----------
    called : ``second``, ``valence``, ``arousal``, probabilities of high
    measured : ``track_id``, ``second``, ``valence``, ``arousal`` in [0, 1] and ``valence_sd``,
    ``arousal_sd``, or None
    """
    fig, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.5), sharey=True, layout="constrained")
    for ax, dimension in zip(axes, ("valence", "arousal"), strict=True):
        ax.plot(
            called["second"],
            called[dimension],
            "o-",
            ms=3.5,
            color=CLEAN,
            label="Called: probability of high",
        )
        if measured is not None:
            own = measured[measured["track_id"] == track_id]
            mean, deviation = own[dimension], own[f"{dimension}_sd"]
            ax.plot(own["second"], mean, color=NOISY, label="Measured: mean of listeners")
            ax.fill_between(
                own["second"],
                mean - deviation,
                mean + deviation,
                color=NOISY,
                alpha=0.15,
                lw=0,
                label="± 1 s.d.",
            )
        ax.axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
        ax.set(title=f"PMEmo {track_id}: {dimension}", xlabel="Time in the clip (s)", ylim=(0, 1.02))
    axes[0].set_ylabel("Low to high")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return finished(fig, called)


DETECTION_NAMES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "calibration_error": "Calibration error",
}


def detection_by_epoch(rows: pd.DataFrame, condition: str) -> Figure:
    """How well wrong labels are found, epoch by epoch: a panel per measure, a line per condition.

    Parameters
    ----------
    rows : as `tables.detection` gives them, with a column named by `condition`
    """
    long = rows.melt(["epoch", condition], list(DETECTION_NAMES), "measure")
    return by_epoch(
        long.assign(measure=long["measure"].map(DETECTION_NAMES)), "value", "", "measure", condition
    )


def by_tag(rows: pd.DataFrame) -> Figure:
    """Average precision of every tag with its 95 % interval, and as a tick what chance would give.

    Parameters
    ----------
    rows : as `tag_tables.by_tag` gives them
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.8 + 0.17 * len(rows)), layout="constrained")
    y = np.arange(len(rows))[::-1]
    ax.errorbar(rows["value"], y, xerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]], fmt="o", ms=4, color=CLEAN,
                label="Average precision, 95 % interval over artists")  # fmt: skip
    ax.plot(rows["chance"], y, "|", ms=7, mew=1.5, color=NOISY, label="Chance")
    ax.set(yticks=y, xlabel="Average precision", ylim=(-0.8, len(rows) - 0.2), xlim=(0, None))
    ax.set_yticklabels(rows["label"], fontsize=7)
    ax.grid(axis="x", color="0.92")
    fig.legend(loc="outside upper right", ncols=2, fontsize=8)
    return finished(fig, rows)


def ensemble_weights(records: list[dict], xlabel: str) -> Figure:
    """A measure on validation songs by the weight of an ensemble's first member, a line per training run;
    ringed: the chosen.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 2.8), layout="constrained")
    for k, record in enumerate(records):
        ((row,),) = record["log"]
        reached = row["validation"]
        weights = np.linspace(0, 1, len(reached))
        ax.plot(
            weights,
            reached,
            "osD^v"[k % 5],
            ls="-",
            ms=3,
            color=PALETTE[k],
            label=f"run {record['config']['seed'] + 1}",
        )
        ax.plot(row["weight"], max(reached), "o", ms=11, mfc="none", color=PALETTE[k])
    ax.set(
        xlabel=xlabel, ylabel=f"{records[0]['config']['measure'].replace('_auc', '').upper()}-AUC, validation"
    )
    ax.grid(color="0.92")
    fig.legend(loc="outside upper center", ncols=len(records))
    return finished(
        fig, pd.DataFrame({f"run {r['config']['seed'] + 1}": r["log"][0][0]["validation"] for r in records})
    )


def pitch_classes(profiles: dict[str, np.ndarray], seconds: float) -> Figure:
    """HPCP along songs: rows are pitch classes, from A upwards; (12, n_frames) arrays by label, all `seconds`
    long.
    """
    fig, axes = plt.subplots(
        len(profiles), 1, figsize=(WIDTH, 2.0 * len(profiles)), sharex=True, layout="constrained"
    )
    for ax, (label, profile) in zip(np.atleast_1d(axes), profiles.items(), strict=True):
        ax.imshow(
            profile,
            aspect="auto",
            origin="lower",
            cmap="cividis",
            extent=(0, seconds, -0.5, 11.5),
            vmin=0,
            vmax=1,
        )
        ax.set(yticks=range(12), ylabel="Pitch class", title=in_words(label))
        ax.set_yticklabels(["A", "A♯", "B", "C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯"], fontsize=7)
    ax.set_xlabel("Second")
    return finished(fig, pd.concat({label: pd.DataFrame(profile.T) for label, profile in profiles.items()}))


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
    groups = list(rows.groupby(["dataset", "target"], sort=False))
    fig, ax = plt.subplots(figsize=(WIDTH, 1.0 + 0.42 * len(groups)), layout="constrained")
    for y, (_, own) in enumerate(reversed(groups)):
        quoted = ~own["system"].str.startswith("Proposed")
        for which, colour, name in (
            (~quoted, "0.15", "Printed for SSSL"),
            (quoted, "white", "Printed, quoted from others"),
        ):
            ax.plot(
                own["f1"][which],
                np.full(which.sum(), y),
                "o",
                mfc=colour,
                mec="0.15",
                ms=5,
                label=name,
                zorder=3,
            )
        for definition, colour in F1_COLOURS.items():
            value = own[f"trivial {definition}"].iloc[0]
            ax.vlines(
                value, y - 0.32, y + 0.32, color=colour, lw=3, label=f"Constant answer, {definition} F1"
            )
    names = [f"{dataset} {target.replace('_', ' ')}" for (dataset, target), _ in reversed(groups)]
    ax.set(
        yticks=range(len(groups)),
        yticklabels=names,
        xlabel="F1 (%)",
        xlim=(0, 100),
        ylim=(-0.6, len(groups) - 0.4),
    )
    ax.grid(axis="x", color="0.92")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    fig.legend(unique.values(), unique.keys(), loc="outside upper right", ncols=2, fontsize=8)
    return finished(fig, rows)


def reachable_shares(rows: pd.DataFrame, marks: dict[str, dict[str, float]]) -> Figure:
    """Shares of high songs at which each printed accuracy and F1 can stand together, one panel per target.

    Parameters
    ----------
    rows : ``target``, ``system``, ``setting``, ``accuracy``, ``f1``, ``definition``, ``share``; a row per
    possible share
    marks : shares to point out, by name, by target
    """
    fig, axes = plt.subplots(
        1, rows["target"].nunique(), figsize=(WIDTH, 4.2), sharex=True, layout="constrained"
    )
    for ax, (target, own) in zip(np.atleast_1d(axes), rows.groupby("target", sort=False), strict=True):
        settings = own["setting"].where(own["system"] == "Proposed", own["system"].str.split(" ").str[0])
        pairs = (
            settings + "\n" + own["accuracy"].map("{:.2f}".format) + " / " + own["f1"].map("{:.2f}".format)
        )
        order = sorted(
            pairs.unique(), key=lambda pair: (" s\n" not in pair, pair), reverse=True
        )  # durations first
        for shift, (definition, colour) in zip((0.2, 0, -0.2), F1_COLOURS.items(), strict=True):
            which = own["definition"] == definition
            y = pairs[which].map(order.index) + shift
            ax.plot(
                own["share"][which], y, F1_MARKERS[definition], color=colour, ms=3.5, label=f"{definition} F1"
            )
        for (name, share), style in zip(marks[target].items(), ("--", ":"), strict=False):
            ax.axvline(share, color=NEUTRAL, ls=style, label=name)
        ax.set(
            yticks=range(len(order)), title=target.capitalize(), xlabel="Share of songs that count as high"
        )
        ax.set_yticklabels(order, fontsize=8)
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=5, fontsize=8)
    return finished(fig, rows)


def sharpened(rows: pd.DataFrame) -> Figure:
    """Probabilities of the classes (columns), one panel per row: a prediction, and what each reading of a
    formula makes of it.
    """
    fig, axes = plt.subplots(1, len(rows), figsize=(WIDTH, 2.2), sharey=True, layout="constrained")
    for ax, (name, p) in zip(axes, rows.iterrows(), strict=True):
        ax.bar(p.index, p, color=[PALETTE[k] for k in range(len(p))])
        ax.set_title(name, fontsize=8)
    axes[0].set(ylabel="Probability", ylim=(0, 1.02))
    return finished(fig, rows)


def luck_of_best(rows: pd.DataFrame) -> Figure:
    """What the best of equal systems gains by luck, by how often two of them agree, beside the printed gain
    (dashed).

    Parameters
    ----------
    rows : ``dataset``, ``target``, ``agreement``, ``gain``, ``low``, ``high``, ``printed``
    """
    groups = list(rows.groupby(["dataset", "target"], sort=False))
    fig, axes = plt.subplots(1, len(groups), figsize=(WIDTH, 2.6), sharey=True, layout="constrained")
    for ax, ((dataset, target), own) in zip(axes, groups, strict=True):
        error = [own["gain"] - own["low"], own["high"] - own["gain"]]
        ax.errorbar(
            own["agreement"],
            own["gain"],
            yerr=error,
            fmt="o",
            color=CLEAN,
            capsize=3,
            label="By luck, central 95 %",
        )
        ax.axhline(own["printed"].iloc[0], color=NOISY, ls="--", label="Printed: best less mean of durations")
        ax.set(title=f"{dataset} {target}", xlabel="Agreement (%)")
    axes[0].set(ylabel="Gain (points)", ylim=(0, None))
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper right", ncols=2, fontsize=8)
    return finished(fig, rows)
