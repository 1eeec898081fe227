"""From scores of tags to records: macro measures with intervals over artists, and comparisons over seeds.

Everywhere: ``truth``, ``scores`` (n_songs, n_tags) as in `mer_core.evaluation.tag_metrics`; ``groups``
(n_songs,) their artists."""

from pathlib import Path

import numpy as np

from mer_companion import results
from mer_companion.runs import cross_validation
from mer_companion.runs.settings import Run
from mer_core.evaluation import aggregation, significance, tag_metrics

MACRO = "all tags"
SCORES = "scores"  # measures of the ranking, which need no threshold
ON_TEST, FROM_VALIDATION = "thresholds_on_test", "thresholds_from_validation"
MEASURES = ("pr_auc", "roc_auc")
DRAWS = 2000


def drawn(
    truth: np.ndarray, scores: np.ndarray, groups: np.ndarray, draws: int = DRAWS
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and AUC of every tag, as measured (first row) and in each resample of artists: (1 +
    draws, n_tags).
    """
    return tag_metrics.ranking(truth, scores, with_itself(groups, draws))


def with_itself(groups: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Weights of the songs as they are, then of every resample of their artists: (1 + draws, n_songs)."""
    return np.vstack([np.ones(len(groups)), significance.artist_weights(groups, draws)])


def row(name: str, target: str, decision: str, values: np.ndarray, n: int) -> dict:
    """One measure in long form; the first value is the measured one, the others are resamples."""
    low, high = significance.interval(significance.recentred(values)[1:].clip(0, 1))
    return {"name": name, "target": target, "decision": decision, "part": "test", "fold": "all", "value": float(values[0]),
            "low": low, "high": high, "n": n}  # fmt: skip


def ranking_rows(precision: np.ndarray, area: np.ndarray, tags, n: int) -> list[dict]:
    """PR-AUC and ROC-AUC, mean over tags, and the average precision of every tag."""
    macro = [
        row(name, MACRO, SCORES, over_tags(own), n)
        for name, own in zip(MEASURES, (precision, area), strict=True)
    ]
    return macro + [
        row("pr_auc", tag, SCORES, own[np.isfinite(own)], n)
        for tag, own in zip(tags, precision.T, strict=True) if np.isfinite(own[0])
    ]  # fmt: skip


def over_tags(values: np.ndarray) -> np.ndarray:
    """Mean over the tags that can be judged, (1 + draws,); a resample of a few songs in which none can be is
    left out.
    """
    return np.nanmean(values[np.isfinite(values).any(axis=1)], axis=1)


def decision_rows(
    kind: str, truth: np.ndarray, decided: list[np.ndarray], groups: np.ndarray, draws: int = DRAWS
) -> list[dict]:
    """F score, TPR and TNR, mean over tags and over several ways to have decided."""
    weights = with_itself(groups, draws)
    found = [tag_metrics.decisions(truth, one, weights) for one in decided]
    return [
        row(name, MACRO, kind, np.mean([one[name] for one in found], axis=0).mean(axis=1), len(truth)) for name in found[0]
    ]  # fmt: skip


def summarise(run: Run, heading: dict) -> Path:
    """Turn the finished network of a run on tagged songs into a record and its predictions."""
    frames = cross_validation.load_frames(run)
    (part,) = cross_validation.read_fold(run, frames, 0)
    arrays = {}
    for name in ("test", "validation"):
        track = part[f"{name}_track"]
        arrays |= {name: aggregation.mean_probability(part[name], track), f"{name}_track": np.unique(track)}
    story = part["story"]
    record = heading | {
        "code": results.code_state() | {"trained_at": [story["code"]["commit"] or ""]}, "environment": story["environment"],
        "cost": {"seconds": story["seconds"], "core_minutes": results.cores_of(story["environment"]) * story["seconds"] / 60,
                 "seconds_per_fold": [story["seconds"]]},
        "log": [story["log"]],
    }  # fmt: skip
    return save(record, frames.tracks, arrays)


def save(record: dict, tracks, arrays: dict[str, np.ndarray]) -> Path:
    """Score mean probabilities of test and validation songs, and write them as a record; the truth stays
    where it came from.
    """
    test = tracks.targets[arrays["test_track"]]
    record |= {"metrics": metric_rows(tracks, arrays), "confusion": {}}
    record["data"] |= {"prevalence": test.mean(axis=0).tolist(), "n_tested": len(test)}
    stored = {
        name: values.astype(np.float32) if values.ndim == 2 else values for name, values in arrays.items()
    }
    stored |= {"track": arrays["test_track"], "track_id": tracks.table["track_id"].to_numpy(dtype=str)}
    return results.save(record, stored)


def metric_rows(tracks, arrays: dict[str, np.ndarray]) -> list[dict]:
    """Metrics in long form, of the probabilities ``test`` and ``validation`` of songs ``test_track`` and
    ``validation_track``.
    """
    truth, groups = tracks.targets, tracks.groups
    test, validation = (truth[arrays[f"{name}_track"]] for name in ("test", "validation"))
    own = groups[arrays["test_track"]]
    thresholds = {
        ON_TEST: tag_metrics.best_thresholds(test, arrays["test"]),
        FROM_VALIDATION: tag_metrics.best_thresholds(validation, arrays["validation"]),
    }
    rows = ranking_rows(*drawn(test, arrays["test"], own), tracks.classes, len(test))
    for kind, found in thresholds.items():
        rows += decision_rows(kind, test, [tag_metrics.predicted_tags(arrays["test"], found)], own)
    for name, by_tag in zip(MEASURES, tag_metrics.ranking(validation, arrays["validation"]), strict=True):
        rows.append({"name": name, "target": MACRO, "decision": SCORES, "part": "validation", "fold": "all",
                     "value": float(np.nanmean(by_tag)), "n": len(validation)})  # fmt: skip
    return rows


def compare(references_of: dict[str, tuple[str, ...]], records: list[dict]) -> list[dict]:
    """Each label's scores, averaged over its seeds, and how it differs from its references on the same
    resamples.
    """
    by_label: dict[str, dict[int, dict]] = {}
    for record in records:
        by_label.setdefault(record["label"], {})[record["config"]["seed"]] = record
    tracks, n = (
        cross_validation.datasets.load(records[0]["config"]["dataset"]),
        records[0]["data"]["n_tested"],
    )
    values = {
        label: {seed: measured(record, tracks) for seed, record in own.items()}
        for label, own in by_label.items()
    }
    rows, pairs = [], []
    for label, own in values.items():
        rows += compared_rows(label, None, [own[seed] for seed in sorted(own)], sorted(own), n)
        for against in references_of.get(label, ()):
            theirs = values.get(against, {})
            if seeds := sorted(set(own) & set(theirs)):
                less = [{name: own[seed][name] - theirs[seed][name] for name in own[seed]} for seed in seeds]
                pairs += compared_rows(label, against, less, seeds, n)
    for measure in {pair["name"] for pair in pairs}:
        family = [pair for pair in pairs if pair["name"] == measure]
        for pair, adjusted in zip(family, significance.holm([one["p"] for one in family]), strict=True):
            pair["p_holm"] = float(adjusted)
    return rows + pairs


def compared_rows(
    label: str, against: str | None, found: list[dict[str, np.ndarray]], seeds: list[int], n: int
) -> list[dict]:
    """Mean over seeds, interval and, of a difference, p-value of every measure; `found` as `measured` gives
    it, one per seed.
    """
    rows = []
    for name in found[0]:
        value, low, high, p = significance.averaged(np.array([one[name] for one in found]))
        row = {"label": label, "against": against, "name": name, "target": MACRO, "seeds": seeds, "n": n, "value": value,
               "decision": SCORES if name in MEASURES else FROM_VALIDATION, "low": low, "high": high}  # fmt: skip
        rows.append(row if against is None else row | {"p": p})
    return rows


def measured(record: dict, tracks) -> dict[str, np.ndarray]:
    """Every macro measure of a record, on the songs themselves and on each resample: (1 + DRAWS,) by name."""
    stored = results.predictions(record)
    truth, groups = tracks.targets, tracks.groups[stored["test_track"]]
    test, weights = truth[stored["test_track"]], with_itself(groups)
    found = {
        name: np.nanmean(own, axis=1)
        for name, own in zip(MEASURES, drawn(test, stored["test"], groups), strict=True)
    }
    thresholds = tag_metrics.best_thresholds(truth[stored["validation_track"]], stored["validation"])
    decided = tag_metrics.decisions(test, tag_metrics.predicted_tags(stored["test"], thresholds), weights)
    found |= {name: own.mean(axis=1) for name, own in decided.items()}
    return {name: significance.recentred(own) for name, own in found.items()}
