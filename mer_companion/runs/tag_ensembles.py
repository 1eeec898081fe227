"""The weighted mean of two systems' probabilities of tags; the weight does best on validation songs."""

import numpy as np

from mer_companion import results
from mer_companion.runs.settings import TagEnsemble
from mer_companion.runs.tag_scoring import MEASURES
from mer_core import datasets
from mer_core.evaluation import tag_metrics

WEIGHTS = np.linspace(0, 1, 21)  # of the first member


def joined(ensemble: TagEnsemble, records: list[dict]) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Weighted means of test and validation songs, and the log: the measure by weight, and the chosen one.

    Raises
    ------
    RecordError : not two members, or members that predicted other songs
    """
    names = ", ".join(ensemble.members)
    if len(records) != 2:
        raise results.RecordError(f"an ensemble has two members, got {len(records)}: {names}.")
    one, other = map(results.predictions, records)
    for part in ("test_track", "validation_track"):
        if not np.array_equal(one[part], other[part]):
            raise results.RecordError(f"{names} did not predict the same songs.")
    truth = datasets.load(ensemble.dataset).targets[one["validation_track"]]

    def weighted(part: str, weight: float) -> np.ndarray:
        return weight * one[part] + (1 - weight) * other[part]

    def reached(weight: float) -> float:
        by_measure = tag_metrics.ranking(truth, weighted("validation", weight))
        return float(np.nanmean(by_measure[MEASURES.index(ensemble.measure)]))

    validation = [reached(weight) for weight in WEIGHTS]
    best = float(WEIGHTS[int(np.argmax(validation))])
    arrays = {part: weighted(part, best) for part in ("test", "validation")}
    arrays |= {part: one[part] for part in ("test_track", "validation_track")}
    return arrays, [{"epoch": 0, "weight": best, "validation": validation}]
