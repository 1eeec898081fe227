"""Metrics of music tagging as the MediaEval task defines them, vectorised over resamples. NumPy only.

Everywhere: ``truth`` (n, n_tags) bool array, which track has which tag; ``scores`` (n, n_tags), higher means
likelier; ``weights`` (n_draws, n), how often each track is in each resample. Results are (n_draws, n_tags),
or (n_tags,) without weights. A tag that no drawn track has, or every one, has no score: NaN. Macro averages
leave it out.
"""

import numpy as np

from mer_core.evaluation.metrics import share


def checked(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays; raises ValueError where shapes differ or a score is not a number."""
    truth, scores = np.asarray(truth, dtype=bool), np.asarray(scores)
    if truth.shape != scores.shape or truth.ndim != 2:
        shapes = f"{truth.shape} and {scores.shape}"
        raise ValueError(f"truth and scores must be two equal tables, tracks by tags, got shapes {shapes}")
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} scores are missing or infinite")
    return truth, scores


def ranking(
    truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and area under the ROC curve of every tag.

        AP  = mean over positives j of (positives at or above s_j) / (tracks at or above s_j)
        AUC = mean over positives j of the share of negatives below s_j, ties counting half

    as in scikit-learn. The tracks at or above each positive are counted for all resamples at once, by one
    matrix product per tag.
    """
    truth, scores = checked(truth, scores)
    drawn = np.ones((1, len(truth))) if weights is None else weights
    drawn = np.asarray(drawn, dtype=np.float32)  # whole numbers below 2^24 are exact
    precision, area = (np.full((len(drawn), truth.shape[1]), np.nan) for _ in range(2))
    for tag in range(truth.shape[1]):
        positive, score = truth[:, tag], scores[:, tag]
        at_or_above = (score[:, None] >= score[positive]).astype(np.float32)  # (n, n_positive)
        above = (score[:, None] > score[positive]).astype(np.float32)
        own = drawn[:, positive].astype(float)
        hits, all_met = drawn[:, positive] @ at_or_above[positive], drawn @ at_or_above
        negatives = (drawn @ above - drawn[:, positive] @ above[positive]).astype(float)
        beaten_by = (negatives + (all_met - hits)) / 2
        n_positive, n_negative = own.sum(axis=1), drawn[:, ~positive].sum(axis=1, dtype=float)
        some = (n_positive > 0) & (n_negative > 0)
        reached = share(hits.astype(float), all_met)
        precision[some, tag] = (own * reached).sum(axis=1)[some] / n_positive[some]
        area[some, tag] = 1 - (own * beaten_by).sum(axis=1)[some] / (n_positive * n_negative)[some]
    return (precision[0], area[0]) if weights is None else (precision, area)


def best_thresholds(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(n_tags,) thresholds, at or above which predictions have each tag's best F: the lowest of the best.

    The official evaluation finds them so, and then predicts what is strictly above (`predicted_tags`).
    """
    truth, scores = checked(truth, scores)
    found = np.empty(truth.shape[1])
    for tag in range(truth.shape[1]):
        order = np.argsort(scores[:, tag], kind="stable")
        ranked, positive = scores[order, tag], truth[order, tag]
        first = np.flatnonzero(np.append(True, np.diff(ranked) > 0))  # tied tracks go together
        hits = np.cumsum(positive[::-1])[::-1][first]
        precision, recall = hits / (len(ranked) - first), hits / max(positive.sum(), 1)
        # in this order of operations, whose rounding decides between equally good thresholds
        f = share(2 * precision * recall, precision + recall)
        found[tag] = ranked[first[f.argmax()]]
    return found


def predicted_tags(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Which tags are predicted: those whose score is strictly above the tag's threshold."""
    return np.asarray(scores) > thresholds


def chance_precision(n: int, positive: np.ndarray) -> np.ndarray:
    """Expected average precision of random scores for `positive` of `n` songs: above their share.

    E[AP] = (H_n + (p - 1) (n - H_n) / (n - 1)) / n,   H_n = 1 + 1/2 + ... + 1/n
    """
    harmonic = (1 / np.arange(1, n + 1)).sum()
    return (harmonic + (np.asarray(positive) - 1) * (n - harmonic) / (n - 1)) / n


def decisions(
    truth: np.ndarray, decided: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """F score, true positive rate (recall) and true negative rate of every tag; 0 for a denominator of 0."""
    drawn = np.ones((1, len(truth))) if weights is None else weights
    truth, decided = np.asarray(truth, dtype=bool), np.asarray(decided, dtype=bool)
    tables = (truth & decided, decided, truth, ~truth, ~truth & ~decided)
    hits, found, positive, negative, rejected = (drawn @ table.astype(float) for table in tables)
    shares = {
        "f_score": share(2 * hits, found + positive),
        "tpr": share(hits, positive),
        "tnr": share(rejected, negative),
    }
    return {name: values[0] if weights is None else values for name, values in shares.items()}
