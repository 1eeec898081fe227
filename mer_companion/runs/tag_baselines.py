"""Tags predicted without the audio: the mean of the training songs of the same group, say genre."""

import numpy as np

from mer_companion.runs.settings import GroupMean
from mer_core.datasets import splits
from mer_core.datasets.tracks import DataError, Tracks


def group_means(run: GroupMean, tracks: Tracks) -> list[dict[str, np.ndarray]]:
    """Predictions for the test and validation songs of every fold: mean shares of listeners (or of tags).

    Raises
    ------
    DataError : the tracks have no such column, or a group has no training song
    """
    if run.mean_of not in tracks.table:
        raise DataError(f"{tracks.name}: has no column {run.mean_of!r} of which to take the mean.")
    group = tracks.table[run.mean_of].to_numpy()
    known = tracks.shares if "shares" in tracks.table else tracks.targets
    found = []
    for k in range(run.folds.tested or run.folds.n):
        training, *others = splits.songs_of(tracks, run.folds, k)
        if lacking := sorted(set(group) - set(group[training])):
            raise DataError(f"{tracks.name}: no training song of fold {k} has {run.mean_of} {lacking[0]!r}.")
        means = {name: known[training][group[training] == name].mean(axis=0) for name in set(group)}
        arrays = {}
        for part, songs in zip(("test", "validation"), others, strict=True):
            predicted = np.array([means[name] for name in group[songs]])
            arrays |= of_fold(part, predicted, songs, None if run.folds.parts else k)
        found.append(arrays)
    return found


def of_fold(part: str, predicted: np.ndarray, songs: np.ndarray, fold: int | None) -> dict[str, np.ndarray]:
    """The arrays of a part of a fold as records have them; without a number where there is one division."""
    arrays = {part: predicted, f"{part}_track": songs}
    return arrays if fold is None else arrays | {f"{part}_fold": np.full(len(songs), fold)}
