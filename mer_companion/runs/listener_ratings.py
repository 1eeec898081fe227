"""The listeners' ratings of PMEmo and DEAM as runs: how much segment-label noise they show, measured without
any audio.
"""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from mer_companion.runs import annotation_noise
from mer_companion.runs.annotation_noise import MARGIN, WINDOW_S, aligned, centred
from mer_companion.runs.settings import Named
from mer_core.datasets import deam, pmemo

PMEMO, EIM, DEAM_LATER = "pmemo", "eim", "deam_later"
EIM_AS_DISTRIBUTED = "eim_as_distributed"  # neither mended
EIM_OFFSET_KEPT, DEAM_LATER_OFFSET_KEPT = (
    "eim_offset_kept",
    "deam_later_offset_kept",
)  # columns mended, slider's offset not
SETS = (PMEMO, EIM, DEAM_LATER, EIM_OFFSET_KEPT, DEAM_LATER_OFFSET_KEPT, EIM_AS_DISTRIBUTED)


@dataclass(frozen=True)
class Ratings(Named):
    """Everything that distinguishes one measurement from another."""

    method_name: ClassVar[str] = "ratings"

    dataset: str = PMEMO
    window_s: float = WINDOW_S
    margin: float = MARGIN  # of the scale: a clip nearer than this to the midpoint is ambiguous
    seed: int = 0


def tables(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings of whole clips and over time, centred; DEAM's curves less the offset of their slider, part by
    part.

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
