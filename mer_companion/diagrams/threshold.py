"""What goes to the clean set X and to the noisy set U as the threshold tau moves, on recorded losses.

The losses are those of SSSL's training windows under known label noise: which labels are wrong is known. The
drawing shows one epoch and one threshold; where scripts run, ``book/_style/threshold.js`` redraws it for
others, from the same numbers.
"""

import json
import math

import numpy as np
from scipy.stats import norm

from mer_companion import experiments
from mer_companion.diagrams.drawing import NARROW, WIDE, Box, Drawing
from mer_companion.diagrams.text import BODY, NOTE, TITLE
from mer_core.evaluation.metrics import RELIABILITY_BINS

EXPERIMENT, LABEL = "known_noise", "self_learning_symmetric_20"
THRESHOLDS = tuple(k / RELIABILITY_BINS for k in range(1, RELIABILITY_BINS))  # where the log counts windows
PARTS = ("X right", "X wrong", "U wrong", "U right")  # in the order of the bar


def epochs() -> list[dict]:
    """Every separated epoch of the first fold: losses, mixture, and what each threshold would do.

    Returns
    -------
    One dict per epoch: ``epoch`` (from 1), ``counts`` (windows per bin of the scaled loss), ``clean`` (clean
    probability at each bin's middle), ``gaussians`` (mean, deviation, weight of both), ``parts`` (per
    threshold the windows of `PARTS`)

    Raises
    ------
    RecordError : the experiment has no record
    """
    record = next(row for row in experiments.recorded(EXPERIMENT, "cpu") if row["label"] == LABEL)
    return [of_epoch(row) for row in record["log"][0] if row.get("means")]


def of_epoch(row: dict) -> dict:
    """One row of the log, as `epochs` describes it."""
    gaussians = list(zip(row["means"], row["deviations"], row["weights"], strict=True))
    n = len(row["histogram"])
    middle = ((np.arange(n) + 0.5) / n).clip(*row["means"])  # beyond a mean judged as on it: `mixture.fit`
    clean, noisy = (weight * norm.pdf(middle, mean, deviation) for mean, deviation, weight in gaussians)
    return {
        "epoch": row["epoch"] + 1,
        "counts": row["histogram"],
        "clean": (clean / (clean + noisy)).round(3).tolist(),
        "gaussians": [[round(value, 4) for value in values] for values in gaussians],
        "parts": [parts(row["reliability"], threshold) for threshold in THRESHOLDS],
    }


def parts(reliability: list, threshold: float) -> list[int]:
    """Windows of `PARTS`, from the log's (mean clean probability, share of right labels, windows) per bin."""
    counts = dict.fromkeys(PARTS, 0)
    for probability, share, n in reliability:
        name, right = ("X" if probability >= threshold else "U"), round(share * n)
        counts[f"{name} right"] += right
        counts[f"{name} wrong"] += n - right
    return list(counts.values())


def says(part: list[int]) -> dict[str, str]:
    """What is written in the boxes of both sets."""
    x_right, x_wrong, u_wrong, u_right = part
    return {
        "kept": f"{x_right + x_wrong:,} windows",
        "wrong": share(x_wrong, x_right + x_wrong, "wrong"),
        "erased": f"{u_right + u_wrong:,} windows",
        "right": share(u_right, u_right + u_wrong, "right"),
    }


def share(part: int, whole: int, what: str) -> str:
    return f"{math.floor(100 * part / whole + 0.5)} % of labels {what}" if whole else "no labels"


START = {"epoch": -1, "threshold": THRESHOLDS.index(0.5)}  # what is shown first: the last epoch, SSSL's tau


def threshold(narrow: bool) -> Drawing:
    """The drawing at `START`; classes name what the script moves."""
    shown, drawing = epochs()[START["epoch"]], Drawing(NARROW if narrow else WIDE)
    plot = Box(0, 24, drawing.w - 34, 150)
    histogram(drawing, plot, shown)
    sets(drawing, plot.y + plot.h + 32, shown["parts"][START["threshold"]])
    return drawing


def histogram(drawing: Drawing, plot: Box, shown: dict) -> None:
    """Losses as bars in the colour of their set, the two Gaussians, the clean probability, and tau."""
    tau, floor, counts = THRESHOLDS[START["threshold"]], plot.y + plot.h, np.array(shown["counts"])
    step = plot.w / len(counts)
    drawing.label((0, 12), "windows by loss (√ scale)", NOTE)
    drawing.label((drawing.w, 12), "clean probability *ω*", NOTE.marked("from-3"), "end")
    heights = plot.h * np.sqrt(counts / counts.max())
    for i, (h, clean) in enumerate(zip(heights, shown["clean"], strict=True)):
        bar = Box(i * step + 0.7, floor - h, step - 1.4, h)
        drawing.rect(bar, f"bar bin {'clean' if clean >= tau else 'noisy'}", 1)
    x = np.linspace(0, 1, 101)
    for kind, (mean, deviation, weight) in zip(("clean", "noisy"), shown["gaussians"], strict=True):
        expected = weight * norm.pdf(x, mean, deviation) * counts.sum() / len(counts)
        y = floor - plot.h * np.sqrt(expected / counts.max()).clip(max=1)
        drawing.path(list(zip(plot.w * x, y, strict=True)), f"gaussian {kind} from-2")
    curve = [((i + 0.5) * step, floor - plot.h * clean) for i, clean in enumerate(shown["clean"])]
    drawing.path([(0, curve[0][1]), *curve, (plot.w, curve[-1][1])], "omega from-3")
    level = floor - plot.h * tau
    drawing.path([(0, level), (plot.w, level)], "tau from-3")
    drawing.label((plot.w + 6, level + 4), "*τ*", BODY.marked("at-tau from-3"))
    drawing.path([(0, floor), (plot.w, floor)], "rule")
    for y, name in ((plot.y, "1"), (floor, "0")):
        drawing.label((drawing.w, y + 4), name, NOTE.marked("from-3"), "end")
    drawing.label((0, floor + 17), "small loss", NOTE)
    drawing.label((plot.w, floor + 17), "large loss", NOTE, "end")


def sets(drawing: Drawing, y: float, part: list[int]) -> None:
    """All windows as one bar: kept and erased, right and wrong labels; and what becomes of them."""
    drawing.label((0, y + 14), "all windows; muted: the label is wrong", NOTE.marked("from-4"))
    x, total = 0.0, sum(part)
    for name, n in zip(PARTS, part, strict=True):
        which, right = name.split()
        w = drawing.w * n / total
        drawing.rect(Box(x, y + 22, w, 26), f"bar part {KINDS[which]} {right} from-4", 0)
        x += w
    text, half = says(part), drawing.w / 2 - 6
    sides = (
        (0, "X", "Clean set *X*", ("kept", "keep their label", "wrong")),
        (half + 12, "U", "Noisy set *U*", ("erased", "lose their label", "right")),
    )
    for x, which, title, lines in sides:
        box = drawing.frame(Box(x, y + 60, half, 88), f"{KINDS[which]} from-4")
        drawing.label((x + half / 2, box.y + 23), title, TITLE.marked("from-4"), "middle", box)
        for i, line in enumerate(lines):
            style = BODY.marked(f"says-{line} from-4" if line in text else "from-4")
            drawing.label((x + half / 2, box.y + 41 + i * 17.5), text.get(line, line), style, "middle", box)


KINDS = {"X": "clean", "U": "noisy"}


STEPS = ("losses", "mixture", "clean probability", "two sets")


def controls(name: str) -> str:
    """The sliders and the steps, which the script brings to life and shows, and the numbers it draws from."""
    found = epochs()
    first, last = START["threshold"], len(found) - 1
    sliders = slider("threshold", "Threshold <i>τ</i>", len(THRESHOLDS) - 1, first, f"{THRESHOLDS[first]:g}")
    sliders += slider("epoch", "Epoch", last, last, str(found[START["epoch"]]["epoch"]))
    radios = "".join(
        f'<label><input type="radio" name="{name}-step" value="{i}"{" checked" * (i == len(STEPS))}/>'
        f" {step}</label>"
        for i, step in enumerate(STEPS, 1)
    )
    steps = f"<fieldset><legend>Step by step:</legend>{radios}</fieldset>"
    data = json.dumps({"epochs": found, "thresholds": THRESHOLDS}, separators=(",", ":"))
    said = '<p class="said" role="status"></p>'
    return (
        f'<div class="controls" hidden>{sliders}{steps}</div>{said}'
        f'<script type="application/json">{data}</script>'
    )


def slider(name: str, title: str, highest: int, value: int, text: str) -> str:
    given = f'type="range" name="{name}" min="0" max="{highest}" value="{value}"'
    return f"<label>{title} <output>{text}</output><input {given}/></label>"
