"""Two systems' answers for tags as a weighted mean; the weight is the one that does best on validation songs."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mer_companion import results
from mer_companion.runs import tag_scoring
from mer_companion.runs.settings import Named
from mer_core import datasets
from mer_core.evaluation import tag_metrics

WEIGHTS = np.linspace(0, 1, 21)  # of the first member


@dataclass(frozen=True)
class TagEnsemble(Named):
    """Everything that distinguishes one ensemble from another; members are records of the same seed."""

    method_name: ClassVar[str] = "tag_ensemble"

    dataset: str = "4q_moods"
    members: tuple[str, ...] = ()  # two, as experiment/label
    measure: str = "roc_auc"  # or "pr_auc": what the weight is chosen by
    seed: int = 0

    def __post_init__(self):
        if self.measure not in tag_scoring.MEASURES:
            raise ValueError(f"measure is one of {', '.join(tag_scoring.MEASURES)}, got {self.measure!r}")


def joined(ensemble: TagEnsemble, records: list[dict]) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Weighted means of test and validation songs, and the log: the measure on validation songs by weight,
    and the chosen one.

    Raises
    ------
    RecordError : not two members, or members that were asked about other songs
    """
    if len(records) != 2:
        raise results.RecordError(
            f"an ensemble has two members, got {len(records)}: {', '.join(ensemble.members)}."
        )
    one, other = (results.predictions(record) for record in records)
    for name in ("test_track", "validation_track"):
        if not np.array_equal(one[name], other[name]):
            raise results.RecordError(
                f"{' and '.join(ensemble.members)} were not asked about the same songs."
            )
    truth = datasets.load(ensemble.dataset).targets[one["validation_track"]]
    place = tag_scoring.MEASURES.index(ensemble.measure)
    reached = [
        float(
            np.nanmean(
                tag_metrics.ranking(truth, w * one["validation"] + (1 - w) * other["validation"])[place]
            )
        )
        for w in WEIGHTS
    ]
    best = float(WEIGHTS[int(np.argmax(reached))])
    arrays = {name: best * one[name] + (1 - best) * other[name] for name in ("test", "validation")}
    arrays |= {name: one[name] for name in ("test_track", "validation_track")}
    return arrays, [{"epoch": 0, "weight": best, "validation": reached}]


def summarise(ensemble: TagEnsemble, heading: dict, records: list[dict]) -> Path:
    """Join the members' answers and write the record."""
    arrays, log = joined(ensemble, records)
    spent = sum(record["cost"]["core_minutes"] for record in records)
    record = heading | {
        "code": results.code_state(), "environment": records[0]["environment"], "log": [log],
        "cost": {"seconds": 60 * spent, "core_minutes": spent},  # of its members
    }  # fmt: skip
    return tag_scoring.save(record, datasets.load(ensemble.dataset), arrays)
