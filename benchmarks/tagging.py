"""Average precision over 56 tags: all tags and all resamples at once against scikit-learn's loop over tags.

    python -m benchmarks.tagging

The two must agree to 1e-9. A test set of the size of MediaEval's: 4,231 tracks, 3 % of them with each tag.
"""

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks.side_by_side import alone, in_turn, row
from mer_core.evaluation import tag_metrics

TRACKS, TAGS, SHARE, DRAWS, ROUNDS = 4231, 56, 0.03, 20, 5
OURS, THEIRS = (
    "ours, which finds the ROC-AUC too",
    "scikit-learn's average_precision_score, in a loop over tags and resamples",
)


def by_scikit_learn(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.array([
        [average_precision_score(t, s, sample_weight=w) for t, s in zip(truth.T, scores.T, strict=True)]
        for w in weights
    ])  # fmt: skip


def rows(rounds: int = ROUNDS) -> list[dict]:
    rng = np.random.default_rng(0)
    truth = rng.random((TRACKS, TAGS)) < SHARE
    scores = truth + 3 * rng.random(truth.shape)
    weights = rng.multinomial(TRACKS, np.full(TRACKS, 1 / TRACKS), size=DRAWS)
    found, _ = tag_metrics.ranking(truth, scores, weights)
    np.testing.assert_allclose(found, by_scikit_learn(truth, scores, weights), atol=1e-9)
    sides = {
        THEIRS: lambda: by_scikit_learn(truth, scores, weights),
        OURS: lambda: tag_metrics.ranking(truth, scores, weights),
    }
    unit = f"{DRAWS} resamples of {TRACKS} tracks with {TAGS} tags"
    return [
        row(
            "average precision of tags, resampled",
            in_turn(sides, rounds),
            OURS,
            THEIRS,
            unit,
            "equal to 1e-9",
        )
    ]


if __name__ == "__main__":
    alone(rows, __doc__)
