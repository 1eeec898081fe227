"""The same figure for a phone: narrower, panels stacked, legends below or above, long names wrapped."""

import pickle
import textwrap
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.ticker import ScalarFormatter

WIDTH = 4.0  # inches: the text of a figure is then about as large as that of a page on a phone
LEAST = 9  # points of text; a page on a phone shows them as ten pixels
PANEL_HEIGHT = 0.85  # of a panel among others, as a share of the wide figure's height
LEGEND_LINE = 0.2  # inches of height for each entry of a legend above
CELL, CELLS = (
    6.5,
    6,
)  # points of text in the cells of a table drawn as colours that has more columns than this
NAME = 22  # characters of a line of a name
NAME_CHARACTER = 0.07  # inches of height for a character of a name that stands upright
NAME_LINE = 0.19  # inches of height for each further line of a name


def narrow(fig: Figure) -> Figure:
    """A copy of a figure that reads on a phone; the figure itself stays as it is."""
    bundle = fig.__dict__.pop("_repr_mimebundle_", None)  # a local function, which cannot be copied
    copy = pickle.loads(pickle.dumps(fig))
    if bundle is not None:
        fig._repr_mimebundle_ = bundle
    panels = [ax for ax in copy.axes if ax.get_subplotspec() is not None]
    height = fig.get_figheight()
    grid = panels[0].get_subplotspec().get_gridspec()
    if grid.ncols > 1:
        columns = min(grid.nrows, 2)  # one row of panels becomes a column, several become two columns
        stack(copy, panels, columns)
        height *= PANEL_HEIGHT * -(-len(panels) // columns) / grid.nrows
    enlarge(copy)
    height += LEGEND_LINE * sum(len(legend.get_texts()) for legend in copy.legends)
    height += NAME_LINE * sum(wrap_names(ax) for ax in panels)
    copy.set_layout_engine("constrained")
    copy.set_size_inches(WIDTH, height)
    for ax in panels:
        put_legend_below(ax)
        if ax.collections and len(ax.get_xticks()) > CELLS:
            for text in ax.texts:
                text.set_fontsize(CELL)
    copy.draw_without_rendering()
    copy.set_figheight(height + NAME_CHARACTER * max(map(turn_names, panels)))
    for legend in list(copy.legends):
        in_one_column(copy, legend)
    return copy


def enlarge(fig: Figure) -> None:
    """No text is smaller than a phone's reader can read."""
    for text in fig.findobj(Text):
        text.set_fontsize(max(LEAST, text.get_fontsize()))


def stack(fig: Figure, panels: list[Axes], columns: int) -> None:
    """Put panels that stood side by side below each other; labels that they shared are repeated."""
    first, last = panels[0], panels[-1]
    for i, (ax, place) in enumerate(
        zip(panels, fig.add_gridspec(-(-len(panels) // columns), columns), strict=False)
    ):
        leftmost = i % columns == 0
        ax.set_subplotspec(place)
        ax.set_ylabel((ax.get_ylabel() or first.get_ylabel()) if leftmost else "")
        ax.tick_params(labelleft=leftmost)
        if columns > 1:
            lowest = i + columns >= len(panels)
            ax.set_xlabel(last.get_xlabel() if lowest else "")
            ax.tick_params(labelbottom=lowest)
        if not len(ax.get_yticks()):
            ax.set_yticks(first.get_yticks(), [text.get_text() for text in first.get_yticklabels()])


def turn_names(ax: Axes) -> int:
    """Names along the horizontal axis that would lie on each other stand upright, each in one line; how many
    characters that adds to the height.
    """
    labels = [text for text in ax.get_xticklabels() if text.get_text() and not text.get_rotation()]
    extents = [text.get_window_extent() for text in labels]
    numbers = isinstance(ax.xaxis.get_major_formatter(), ScalarFormatter)
    if numbers or not any(a.x1 > b.x0 for a, b in pairwise(extents)):
        return 0
    names = [" ".join(text.get_text().split()) for text in labels]
    ax.set_xticks(ax.get_xticks(), names, rotation=90)
    return max(map(len, names))


def in_one_column(fig: Figure, legend: Legend) -> None:
    """Put a legend of the whole figure above it in one column, unless its entries are not the panels'."""
    panels = [ax.get_legend_handles_labels() for ax in fig.axes]
    known = {name: handle for handles, names in panels for handle, name in zip(handles, names, strict=True)}
    names = [text.get_text() for text in legend.get_texts()]
    if set(names) <= set(known):
        legend.remove()
        handles = [known[name] for name in names]
        fig.legend(handles, names, loc="outside upper center", ncols=1, fontsize=LEAST)


def wrap_names(ax: Axes) -> int:
    """Break long names along the vertical axis, to leave room for the panel; how many lines that adds."""
    names = [text.get_text() for text in ax.get_yticklabels()]
    if all(len(name) <= NAME for name in names):
        return 0
    wrapped = [textwrap.fill(name, NAME, break_on_hyphens=False) for name in names]
    size = ax.get_yticklabels()[0].get_fontsize()
    ax.set_yticks(ax.get_yticks(), wrapped, fontsize=size)
    return sum(name.count("\n") for name in wrapped)


def put_legend_below(ax: Axes) -> None:
    """A legend that stood on the right of its panel goes below it."""
    legend = ax.get_legend()
    if legend is None or legend.get_bbox_to_anchor().transformed(ax.transAxes.inverted()).x0 < 0.99:
        return
    names = [text.get_text() for text in legend.get_texts()]
    ax.legend(legend.legend_handles, names, loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=2)
