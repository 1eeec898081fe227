"""Listeners' ratings of PMEmo and DEAM: how much segment-label noise they show, measured without audio."""

import pandas as pd

from mer_companion.runs import annotation_noise
from mer_companion.runs.annotation_noise import aligned, centred
from mer_companion.runs.settings import (
    DEAM_LATER,
    DEAM_LATER_OFFSET_KEPT,
    EIM,
    EIM_AS_DISTRIBUTED,
    PMEMO,
    Ratings,
)
from mer_core.datasets import deam, pmemo


def tables(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings of whole clips and over time, centred; DEAM's curves minus the offset of their slider.

    ``eim_as_distributed`` leaves DEAM's exchanged columns and the offset as they are, ``..._offset_kept`` the
    offset alone, to show what they do.

    Raises
    ------
    DataError : the annotations are not at hand
    """
    if dataset == PMEMO:
        return centred(pmemo.annotations(), pmemo.SCALE), centred(pmemo.dynamic(), pmemo.SCALE)
    songs = deam.annotations(as_distributed=dataset == EIM_AS_DISTRIBUTED)
    own = songs[~songs["eim"] if dataset in (DEAM_LATER, DEAM_LATER_OFFSET_KEPT) else songs["eim"]]
    static, dynamic = centred(own, deam.STATIC_SCALE), centred(deam.dynamic(), deam.DYNAMIC_SCALE)
    return static, aligned(dynamic, static) if dataset in (EIM, DEAM_LATER) else dynamic


def measure(ratings: Ratings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The clips, and how often moments contradict them (`annotation_noise.measure`)."""
    static, dynamic = tables(ratings.dataset)
    return static, annotation_noise.measure(static, dynamic, ratings.window_s, ratings.margin)


def rows_of(table: pd.DataFrame) -> list[dict]:
    """What was measured on listeners' ratings, in the long form of metrics."""
    same = {"decision": "listeners", "part": "ratings", "fold": "all"}
    targets = table["target"].replace("quadrant", "emotion")
    return [
        {"name": row.measure, "target": target, **same}
        | {"value": row.value, "low": row.low, "high": row.high, "n": int(row.n_clips)}
        for target, row in zip(targets, table.itertuples(), strict=True)
    ]


def scores(record: dict) -> list[dict]:
    """The metrics of a record, measured again."""
    _, table = measure(Ratings(**{name: v for name, v in record["config"].items() if name != "method"}))
    return rows_of(table)
