"""Average precision over 56 tags: all tags and all resamples at once against scikit-learn's loop over tags.

    python benchmarks/tagging.py

The two must agree to 1e-9. A test set of the size of MediaEval's: 4,231 tracks, 3 % of them with each tag.
"""

import statistics
import time

import numpy as np
from sklearn.metrics import average_precision_score

from mer_core import tagging

TRACKS, TAGS, SHARE, DRAWS, ROUNDS = 4231, 56, 0.03, 20, 5


def by_scikit_learn(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.array([
        [average_precision_score(t, s, sample_weight=w) for t, s in zip(truth.T, scores.T, strict=True)] for w in weights
    ])  # fmt: skip


def timed(call, *arguments) -> tuple[float, np.ndarray]:
    began = time.perf_counter()
    found = call(*arguments)
    return time.perf_counter() - began, found


def main() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((TRACKS, TAGS)) < SHARE
    scores = truth + 3 * rng.random(truth.shape)
    weights = rng.multinomial(TRACKS, np.full(TRACKS, 1 / TRACKS), size=DRAWS)
    ratios = []
    for _ in range(ROUNDS):
        loop, expected = timed(by_scikit_learn, truth, scores, weights)
        ours, (found, _) = timed(tagging.ranking, truth, scores, weights)
        assert np.abs(found - expected).max() < 1e-9
        ratios.append(loop / ours)
    print(f"scikit-learn's loop / ours (which finds the ROC-AUC too), {DRAWS} resamples, {ROUNDS} rounds: "
          f"median {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")  # fmt: skip


if __name__ == "__main__":
    main()
