"""How SSSL depends on its settings: macro F1 and collapse, told apart.

A network has *collapsed* when it never predicts one of the classes for the songs of its test fold. Its
accuracy is then low, and a setting under which networks collapse more often looks like one under which they
learn less.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from mer_companion import results
from mer_companion.analysis import names
from mer_companion.analysis.noise_map import GAIN, with_ends
from mer_core import paths
from mer_core.datasets import splits
from mer_core.datasets.splits import Folds
from mer_core.evaluation import significance
from mer_core.evaluation.song_decision import MAIN_DECISION


def collapsed(predicted: np.ndarray, fold: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_folds,) bool: the folds for whose songs a class is never predicted.

    Parameters
    ----------
    predicted, fold : (n_songs,) ints

    >>> collapsed(np.array([0, 1, 0, 0]), np.array([0, 0, 1, 1]), 2)
    array([False,  True])
    """
    return np.array([len(np.unique(predicted[fold == k])) < n_classes for k in np.unique(fold)])


def of_runs(records: list[dict]) -> pd.Series:
    """How many of a label's networks have collapsed, as in "1 of 10", by label."""
    counts: dict[str, list[bool]] = {}
    for record in records:
        stored = results.predictions(record)
        predicted, n = stored[f"decision_{MAIN_DECISION}"], len(record["data"]["classes"])
        counts.setdefault(record["label"], []).extend(collapsed(predicted, stored["fold"], n))
    return pd.Series({label: _share(own) for label, own in counts.items()}, name="collapsed")


def grid(record: dict, folds: Folds) -> pd.DataFrame:
    """A row per cell of a map: setting, macro F1, gain on plain training, detectable gain, collapses.

    Parameters
    ----------
    folds : how the map's songs were divided; the partition is their seed
    """
    stored, n_classes = results.predictions(record), len(record["data"]["classes"])
    classes, trainings = stored[MAIN_DECISION], record["config"]["trainings"]
    rows = []
    for cell, own in zip(record["config"]["cells"], classes, strict=True):
        of = {row["name"]: row for row in record["metrics"] if _is_of(row, cell)}
        found = [
            collapsed(own[partition * trainings + i], fold, n_classes)
            for partition in cell["partitions"]
            for fold in [fold_of(record, replace(folds, seed=partition))]
            for i in range(trainings)
        ]
        row = {"setting": _named(cell["method"]), "macro F1": _with_ends(of["macro_f1"])}
        if gain := of.get(GAIN):
            row["gain on plain training"] = _with_ends(gain, "+")
            detectable = significance.detectable_effect(gain["low"], gain["high"])
            row["detectable (80 % power)"] = f"{detectable:.3f}"
        rows.append(row | {"collapsed": _share(np.concatenate(found))})
    return pd.DataFrame(rows).fillna("").set_index("setting")


def fold_of(record: dict, folds: Folds) -> np.ndarray:
    """(n_songs,) fold of each song of a record, from the tracked file of its data set."""
    path = paths.SPLITS / splits.file_name(record["data"]["name"], folds)
    stored = pd.read_csv(path, dtype={"track_id": str}).set_index("track_id")["fold"]
    return stored.loc[results.predictions(record)["track_id"]].to_numpy()


def _is_of(row: dict, cell: dict) -> bool:
    same = ("method", "noise", "unit", "rate", "setting")
    return row["decision"] == MAIN_DECISION and all(row[name] == cell[name] for name in same)


def _named(method: str) -> str:
    """``mixup_alpha=0.2`` as pages show it; a method by its name."""
    name, equals, value = method.partition("=")
    return f"{names.SETTINGS.get(name, name.replace('_', ' '))} = {value}" if equals else names.label(method)


def _with_ends(row: dict, sign: str = "") -> str:
    return with_ends(row["value"], row["low"], row["high"], sign)


def _share(found: np.ndarray | list[bool]) -> str:
    return f"{int(np.sum(found))} of {len(found)}"
