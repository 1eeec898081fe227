"""From probabilities of tags to metrics: means over tags with intervals over artists.

Everywhere: ``truth``, ``scores`` (n_songs, n_tags) as in `mer_core.evaluation.tag_metrics`; ``groups``
(n_songs,) artists; ``arrays`` the stored probabilities ``test`` and ``validation``, with ``test_track`` and
``validation_track`` and, where several folds were tested, ``test_fold`` and ``validation_fold``. Songs of all
folds are scored together; thresholds are each fold's own.
"""

import numpy as np

from mer_companion import results
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import share_metrics, significance, tag_metrics

MACRO = "all tags"
SCORES = "scores"  # measures of the ranking, which need no threshold
ON_TEST, FROM_VALIDATION = "thresholds_on_test", "thresholds_from_validation"
MEASURES = ("pr_auc", "roc_auc")
OF_SHARES = ("spearman", "cross_entropy")  # where listeners were asked: of their shares, not of tags
DRAWS = 2000


def drawn(
    truth: np.ndarray, scores: np.ndarray, groups: np.ndarray, draws: int = DRAWS
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and AUC of every tag, as measured and in each resample: (1 + draws, n_tags)."""
    return tag_metrics.ranking(truth, scores, with_itself(groups, draws))


def with_itself(groups: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Weights of the songs as they are, then of every resample of their artists: (1 + draws, n_songs)."""
    return np.vstack([np.ones(len(groups)), significance.artist_weights(groups, draws)])


def row(name: str, target: str, decision: str, values: np.ndarray, n: int) -> dict:
    """One measure in long form; the first value is the measured one, the others are resamples."""
    recentred = significance.recentred(values)[1:]
    low, high = significance.interval(recentred if name in OF_SHARES else recentred.clip(0, 1))
    found = {"name": name, "target": target, "decision": decision, "part": "test", "fold": "all"}
    return found | {"value": float(values[0]), "low": low, "high": high, "n": n}


def ranking_rows(precision: np.ndarray, area: np.ndarray, tags, n: int) -> list[dict]:
    """PR-AUC and ROC-AUC, mean over tags, and the average precision of every tag."""
    by_measure, by_tag = zip(MEASURES, (precision, area), strict=True), zip(tags, precision.T, strict=True)
    macro = [row(name, MACRO, SCORES, over_tags(own), n) for name, own in by_measure]
    judged = [(tag, own[np.isfinite(own)]) for tag, own in by_tag if np.isfinite(own[0])]
    return macro + [row("pr_auc", tag, SCORES, own, n) for tag, own in judged]


def over_tags(values: np.ndarray) -> np.ndarray:
    """Mean over the tags that can be judged, (1 + draws,); resamples in which none can be are left out."""
    return np.nanmean(values[np.isfinite(values).any(axis=1)], axis=1)


def decision_rows(
    kind: str, truth: np.ndarray, decided: list[np.ndarray], groups: np.ndarray, draws: int = DRAWS
) -> list[dict]:
    """F score, TPR and TNR, mean over tags and over several ways to have decided."""
    weights = with_itself(groups, draws)
    found = [tag_metrics.decisions(truth, one, weights) for one in decided]
    means = {name: np.mean([one[name] for one in found], axis=0).mean(axis=1) for name in found[0]}
    return [row(name, MACRO, kind, values, len(truth)) for name, values in means.items()]


def thresholded(truth: np.ndarray, arrays: dict[str, np.ndarray], found_on: str) -> np.ndarray:
    """(n_tested, n_tags) which tags are predicted, by each fold's best thresholds on a part."""
    fold, other = (arrays.get(f"{name}_fold", np.zeros(len(arrays[name]))) for name in ("test", found_on))
    predicted = np.empty(arrays["test"].shape, dtype=bool)
    for k in np.unique(fold):
        known = truth[arrays[f"{found_on}_track"][other == k]]
        found = tag_metrics.best_thresholds(known, arrays[found_on][other == k])
        predicted[fold == k] = tag_metrics.predicted_tags(arrays["test"][fold == k], found)
    return predicted


def drawn_shares(
    shares: np.ndarray, predicted: np.ndarray, groups: np.ndarray, draws: int = DRAWS
) -> dict[str, np.ndarray]:
    """OF_SHARES of every tag, as measured and in each resample: (1 + draws, n_tags) by name."""
    weights = with_itself(groups, draws)
    return {name: getattr(share_metrics, name)(shares, predicted, weights) for name in OF_SHARES}


def share_rows(tracks: Tracks, arrays: dict[str, np.ndarray]) -> list[dict]:
    """Agreement with the shares of listeners: of every tag, and the mean over tags."""
    shares, groups = (values[arrays["test_track"]] for values in (tracks.shares, tracks.groups))
    rows = []
    for name, by_tag in drawn_shares(shares, arrays["test"], groups).items():
        rows.append(row(name, MACRO, SCORES, over_tags(by_tag), len(shares)))
        rows += [
            row(name, tag, SCORES, own[np.isfinite(own)], len(shares))
            for tag, own in zip(tracks.classes, by_tag.T, strict=True)
            if np.isfinite(own[0])
        ]
    return rows


def metric_rows(tracks: Tracks, arrays: dict[str, np.ndarray]) -> list[dict]:
    """Metrics in long form, of tags and, where listeners were asked, of their shares."""
    truth, groups = tracks.targets, tracks.groups
    test, validation = (truth[arrays[f"{name}_track"]] for name in ("test", "validation"))
    own = groups[arrays["test_track"]]
    rows = ranking_rows(*drawn(test, arrays["test"], own), tracks.classes, len(test))
    for kind, found_on in ((ON_TEST, "test"), (FROM_VALIDATION, "validation")):
        rows += decision_rows(kind, test, [thresholded(truth, arrays, found_on)], own)
    rows += share_rows(tracks, arrays) if "shares" in tracks.table else []
    same = {"target": MACRO, "decision": SCORES, "part": "validation", "fold": "all", "n": len(validation)}
    for name, by_tag in zip(MEASURES, tag_metrics.ranking(validation, arrays["validation"]), strict=True):
        rows.append({"name": name, **same, "value": float(np.nanmean(by_tag))})
    return rows


def scores(record: dict) -> list[dict]:
    """The metrics of a record of tags, from its stored predictions; raises as `scoring.scores`."""
    return metric_rows(results.tracks_of(record), results.predictions(record))
