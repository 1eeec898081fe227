"""The claims of the papers as a chart: printed value, ours with its interval, coloured by verdict.

As a figure, and as a part of a page that readers filter by paper and by verdict
(``book/_style/verdicts.css``).
"""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mer_companion.analysis import claims, verdict_tables
from mer_companion.analysis.figures import errors, finished, legend_outside, named_rows, panels
from mer_companion.analysis.palette import NEUTRAL, PALETTE, PRINTED

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
    rows : of `verdict_tables.drawn`
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
        ax.plot(own["printed"], y, "D", mfc="none", mec=PRINTED, ms=8, label="Printed")
        if what == "difference":
            ax.axvline(0, color=NEUTRAL, lw=0.8)
        named_rows(ax, own["label"])
        ax.tick_params(axis="y", labelsize=8)
        ax.set(title=verdict_tables.PAPERS[paper], xlabel=AXES[what])
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


MARKS = {  # of verdicts on a page: the class in its style, and the mark
    claims.SUPPORTED: ("supported", "●"),
    claims.RESCORED: ("supported", "✚"),
    claims.CONTRADICTED: ("contradicted", "■"),
    claims.INCONCLUSIVE: ("inconclusive", "▲"),
    claims.UNTESTABLE: ("untestable", "✖"),
}
PRINTED_MARK, MINUS = "◇", "−"


def page(rows: pd.DataFrame) -> str:
    """The chart as HTML, a panel for each paper's values and one for its differences, with buttons that show
    some of it.

    Parameters
    ----------
    rows : of `verdict_tables.drawn`
    """
    kinds = rows["verdict"].map(lambda verdict: MARKS[verdict][0])
    papers = {paper: f"{verdict_tables.PAPERS[paper]} ({n})" for paper, n in counts_of(rows["paper"]).items()}
    verdicts = {kind: f"{marked(kind)} ({n})" for kind, n in counts_of(kinds).items()}
    drawn = "".join(panel(paper, what, own) for (paper, what), own in parts_of(rows)[0])
    return (
        '<div class="verdict-chart">'
        + choices("paper", papers)
        + choices("verdict", verdicts)
        + f'<p class="legend">{PRINTED_MARK} printed; filled: ours with the 95 % confidence interval, '
        f"{marked(claims.RESCORED)}.</p>"
        + drawn
        + f'<p class="shown"> of {len(rows)} results shown.</p></div>\n'
    )


def marked(verdict: str) -> str:
    """A verdict, or the class of several, behind its mark."""
    name, (kind, mark) = next(own for own in MARKS.items() if verdict in (own[0], own[1][0]))
    return f'<span class="{kind}">{mark}</span> {name}'


def counts_of(column: pd.Series) -> dict[str, int]:
    """How often each value occurs, in the order of first occurrence."""
    return column.value_counts(sort=False).to_dict()


def choices(name: str, labels: dict[str, str]) -> str:
    """Buttons of which one is chosen, at first the one that shows all."""
    buttons = "".join(
        f'<label><input type="radio" name="chart-{name}" value="{value}"{" checked" * (value == "all")}> '
        f"<span>{label}</span></label>"
        for value, label in ({"all": "All"} | labels).items()
    )
    return f"<fieldset><legend>{name.capitalize()}</legend>{buttons}</fieldset>"


@dataclass(frozen=True)
class Axis:
    """A horizontal axis from its first tick to its last, which are evenly spaced."""

    ticks: tuple[float, ...]

    def at(self, x: float) -> str:
        """Where a value is, from the left."""
        return f"{100 * (x - self.ticks[0]) / (self.ticks[-1] - self.ticks[0]):.1f}%"

    @property
    def zero(self) -> str:
        inside = self.ticks[0] < 0 < self.ticks[-1]
        return f'<i class="zero" style="left:{self.at(0)}"></i>' if inside else ""

    def scale(self, title: str) -> str:
        digits = next(n for n in range(1, 10) if np.allclose(self.ticks, np.round(self.ticks, n)))
        named = "".join(
            f'<span style="left:{self.at(tick)}">{spelt(tick + 0.0, f".{digits}f")}</span>'
            for tick in self.ticks
        )
        return (
            f'<div class="axis" aria-hidden="true"><span class="scale">{named}</span>'
            f'<span class="title">{title}</span></div>'
        )


def panel(paper: str, what: str, own: pd.DataFrame) -> str:
    """Values, or differences, of one paper over one axis."""
    ends = own[["value", "low", "high", "printed"]].to_numpy()
    axis = Axis(tuple(MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(np.nanmin(ends), np.nanmax(ends))))
    form = ".3f" if what == "value" else "+.3f"
    items = "".join(item(row, axis, form) for row in own.itertuples())
    return (
        f'<section data-paper="{paper}" style="--steps:{len(axis.ticks) - 1}">'
        f'<p class="title">{verdict_tables.PAPERS[paper]}</p>'
        '<p class="head" aria-hidden="true"><span></span><span></span><span>Ours [95 % CI]</span>'
        f"<span>Printed</span></p><ul>{items}</ul>{axis.scale(AXES[what])}</section>"
    )


def item(row, axis: Axis, form: str) -> str:
    """One result: its name, its place on the axis, its numbers and its verdict as text."""
    kind, mark = MARKS[row.verdict]
    ours, printed, marks = spelt(row.value, form), "", axis.zero
    if not np.isnan(row.low):
        ours += f" [{spelt(row.low, form)}, {spelt(row.high, form)}]"
        ends = f"left:{axis.at(row.low)};right:calc(100% - {axis.at(row.high)})"
        marks += f'<i class="interval" style="{ends}"></i>'
    marks += f'<i style="left:{axis.at(row.value)}">{mark}</i>'
    if not np.isnan(row.printed):
        printed = f'<span class="unseen">printed </span>{spelt(row.printed, form)}'
        marks += f'<i class="printed" style="left:{axis.at(row.printed)}">{PRINTED_MARK}</i>'
    return (
        f'<li class="{kind}"><span class="name">{escape(row.label)}</span>'
        f'<span class="plot" aria-hidden="true">{marks}</span>'
        f'<span class="numbers"><span class="unseen">ours </span>{ours}</span>'
        f'<span class="numbers">{printed}</span><span class="unseen">{row.verdict}</span></li>'
    )


def spelt(x: float, form: str) -> str:
    """A number with a minus for its hyphen."""
    return f"{x:{form}}".replace("-", MINUS)
