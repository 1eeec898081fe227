"""The claims of the papers as a chart: printed value, ours with its interval, coloured by verdict."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_companion.analysis import claims
from mer_companion.analysis.figures import errors, finished, legend_outside, named_rows, panels
from mer_companion.analysis.palette import NEUTRAL, PALETTE

LOOKS = {  # verdict: colour and marker
    claims.SUPPORTED: (PALETTE[2], "o"),
    claims.RESCORED: (PALETTE[2], "P"),
    claims.CONTRADICTED: (PALETTE[3], "s"),
    claims.INCONCLUSIVE: ("0.35", "^"),
    claims.UNTESTABLE: ("0.65", "X"),
}
AXES = {"value": "Value", "difference": "Difference (A − B), positive where claimed"}
ROW, TITLE = 0.25, 0.75  # inches: height of a row, and of a panel's title and axis


def verdicts(rows: pd.DataFrame) -> Figure:
    """Our value or difference of every claim with its 95 % interval, and the printed one (hollow diamond).

    A panel for each paper's values and one for its differences.

    Parameters
    ----------
    rows : of `claims.drawn`
    """
    parts, heights = parts_of(rows)
    looks = {verdict: look for verdict, look in LOOKS.items() if verdict in set(rows["verdict"])}
    fig, axes = panels(0.4 + sum(heights), rows=len(parts), height_ratios=heights)
    for ax, ((paper, what), own) in zip(axes, parts, strict=True):
        y = np.arange(len(own))[::-1]
        for verdict, (colour, marker) in looks.items():
            chosen = (own["verdict"] == verdict).to_numpy()
            how = {"fmt": marker, "color": colour, "capsize": 2, "ms": 5, "label": verdict.capitalize()}
            ax.errorbar(own["value"][chosen], y[chosen], xerr=np.nan_to_num(errors(own[chosen])), **how)
        ax.plot(own["printed"], y, "D", mfc="none", mec=PALETTE[0], ms=8, label="Printed")
        if what == "difference":
            ax.axvline(0, color=NEUTRAL, lw=0.8)
        named_rows(ax, own["label"])
        ax.tick_params(axis="y", labelsize=8)
        ax.set(title=claims.PAPERS[paper], xlabel=AXES[what])
    legend_outside(axes[0], "upper center", 3)
    return finished(fig, rows, counted(rows))


def counted(rows: pd.DataFrame) -> str:
    """How many of the claims drawn have each verdict."""
    counts = rows["verdict"].value_counts()
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) + "."


def parts_of(rows: pd.DataFrame) -> tuple[list, list[float]]:
    """What each panel shows, by paper and by value or difference, and its height in inches."""
    parts = [(key, own.reset_index(drop=True)) for key, own in rows.groupby(["paper", "what"], sort=False)]
    return parts, [TITLE + ROW * len(own) for _, own in parts]
