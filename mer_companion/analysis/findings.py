"""What a figure shows, in a sentence with numbers from the data drawn: the second half of its alt text."""

from collections.abc import Iterable

import numpy as np
import pandas as pd


def extremes(named: Iterable, values: Iterable, form: str = ".3f") -> str:
    """The highest and the lowest value and whose they are.

    >>> extremes(["a", "b", "c"], [0.2, 0.9, 0.4])
    'Highest: b, 0.900. Lowest: a, 0.200.'
    """
    found = pd.Series(list(values), list(map(flat, named)), dtype=float).dropna()
    if found.empty:
        return ""
    high, low = int(np.argmax(found)), int(np.argmin(found))
    shown = [f"{found.index[place]}, {found.iloc[place]:{form}}" for place in (high, low)]
    return f"Highest: {shown[0]}. Lowest: {shown[1]}." if high != low else f"{shown[0]}."


def differences(rows: pd.DataFrame) -> str:
    """How many intervals leave zero out, and the largest difference with its interval.

    >>> ends = {"low": [0, -0.5], "high": [0.2, -0.1]}
    >>> differences(pd.DataFrame({"label": ["a", "b"], "value": [0.1, -0.3], **ends}))
    '1 of 2 intervals excludes zero. Largest difference: b, -0.300 (-0.500 to -0.100).'
    """
    beyond = int(((rows["low"] > 0) | (rows["high"] < 0)).sum())
    most = rows.loc[rows["value"].abs().idxmax()]
    interval = f"{most['value']:+.3f} ({most['low']:+.3f} to {most['high']:+.3f})"
    counted = f"{beyond} of {len(rows)} intervals {'excludes' if beyond == 1 else 'exclude'} zero"
    return f"{counted}. Largest difference: {flat(most['label'])}, {interval}."


def values(rows: pd.DataFrame, most: int = 4) -> str:
    """Every value with its interval where they are few, else the extremes.

    >>> values(pd.DataFrame({"label": ["a"], "value": [0.5], "low": [0.4], "high": [0.6]}))
    'a 0.500 (0.400 to 0.600).'
    """
    if len(rows) > most:
        return extremes(rows["label"], rows["value"])
    shown = (f"{flat(r.label)} {r.value:.3f} ({r.low:.3f} to {r.high:.3f})" for r in rows.itertuples())
    return "; ".join(shown) + "."


def at_the_end(rows: pd.DataFrame, y: str, panel: str, line: str) -> str:
    """A column's mean after the last epoch, by panel and line, where these are few; else the extremes."""
    last = rows[rows["epoch"] == rows["epoch"].max()]
    means = last.groupby([panel, line], sort=False)[y].mean()
    named = [f"{where}, {which}" for where, which in means.index]
    if len(means) > 6:
        return "After the last epoch: " + extremes(named, means)
    shown = "; ".join(f"{name} {value:.3f}" for name, value in zip(named, means, strict=True))
    return f"After the last epoch: {shown}."


def flat(name) -> str:
    """A name on one line."""
    return " ".join(str(name).split())
