"""How pages show tables: readable names for those of code, a dash for what is missing, no row numbers."""

import re

import pandas as pd
from IPython import get_ipython

from mer_companion.analysis import names

MISSING = "–"

pd.set_option("display.max_colwidth", None, "display.max_rows", None)  # pages show tables whole


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The table with readable names in its cells, index and headings."""
    shown = table.apply(in_words)
    shown = shown.set_axis(named(table.columns, names.column), axis="columns")
    return shown.set_axis(named(table.index, names.cell), axis="index")


def in_words(column: pd.Series) -> pd.Series:
    """A column's cells as words; floats stay numbers, which pandas rounds."""
    if pd.api.types.is_float_dtype(column.dtype):
        return column
    return column.astype(object).where(column.notna(), MISSING).map(names.cell)


def named(axis: pd.Index, name) -> pd.Index:
    """An index with every entry, and the names of its levels, as `name` has them."""
    titles = [names.column(title) for title in axis.names]
    if isinstance(axis, pd.MultiIndex):
        return pd.MultiIndex.from_tuples([tuple(map(name, entry)) for entry in axis], names=titles)
    return (
        axis if isinstance(axis, pd.RangeIndex) else pd.Index([name(entry) for entry in axis], name=titles[0])
    )


def numbered(table: pd.DataFrame) -> bool:
    """Whether the rows have no names, only numbers."""
    return isinstance(table.index, pd.RangeIndex) and table.index.name is None


def html(table: pd.DataFrame) -> str:
    """A table as notebooks and their pages show it."""
    shown = readable(table).to_html(na_rep=MISSING, index=not numbered(table), border=0)
    return re.sub(r"`([^`<]+)`", r"<code>\1</code>", shown)


def markdown(table: pd.DataFrame) -> str:
    """A table as generated pages include it."""
    shown = readable(table if numbered(table) else table.reset_index())
    return (
        shown.astype(object).where(shown.notna(), MISSING).to_markdown(index=False, disable_numparse=True)
        + "\n"
    )


if (shell := get_ipython()) is not None:  # in a notebook
    shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, html)
