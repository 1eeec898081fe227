"""How far listeners disagree: with a label, moment by moment, or with each other about a song."""

import numpy as np
import pandas as pd

from mer_core.emotion import quadrants


def of_windows(
    rated: pd.DataFrame, label: str, seconds: np.ndarray, window_s: float, midpoint: float = 0.0
) -> np.ndarray:
    """Share of one song's listeners who place each window in another quadrant than the song's label.

    A listener's rating of a window is the mean over the parts that it overlaps, weighted by how long it does:

        v_l(w) = sum_p o(w, p) v_l(p) / sum_p o(w, p),   o: seconds of overlap, p: the parts that l has rated

    Parameters
    ----------
    rated : columns listener, start_s, end_s (seconds), valence, arousal; one row per listener and part
    label : a quadrant
    seconds : (n,) where the windows start

    Returns
    -------
    (n,) float array, 0 to 1; NaN where nobody has rated

    >>> rated = pd.DataFrame({"listener": list("aabb"), "start_s": [0, 2, 0, 2], "end_s": [2, 4, 2, 4],
    ...                       "valence": [1.0, 1.0, 1.0, -1.0], "arousal": [0.5] * 4})
    >>> of_windows(rated, "Q1", np.array([0, 2]), 2.0).tolist()
    [0.0, 0.5]
    """
    tables = rated.pivot(index=["start_s", "end_s"], columns="listener", values=["valence", "arousal"])
    start, end = (tables.index.get_level_values(name).to_numpy() for name in ("start_s", "end_s"))
    first = np.asarray(seconds, dtype=float)[:, None]
    overlap = (np.minimum(end, first + window_s) - np.maximum(start, first)).clip(min=0)
    valence, arousal = tables["valence"].to_numpy(), tables["arousal"].to_numpy()
    rated_s = overlap @ np.isfinite(valence)  # (n, n_listeners)
    heard = rated_s > 0
    mean_of = [overlap @ np.nan_to_num(values) / np.where(heard, rated_s, 1) for values in (valence, arousal)]
    elsewhere = (quadrants(*mean_of, midpoint) != label) & heard
    n = heard.sum(axis=1)
    return np.where(n > 0, elsewhere.sum(axis=1) / np.maximum(n, 1), np.nan)


def pairwise(answers: np.ndarray, songs: np.ndarray) -> pd.Series:
    """How likely two different listeners of a song, drawn at random, answer differently.

        D = 1 - (|sum_i a_i|^2 - sum_i |a_i|^2) / (n (n - 1))

    a_i is listener i's answer, a distribution over classes. Unlike the entropy of the mean answer, which
    rises with n, D has the same expectation for every number of listeners n (Simpson, Nature 1949).

    Parameters
    ----------
    answers : (n_answers, n_classes), rows that add up to 1
    songs : (n_answers,) which song each row is about, two rows or more of each

    Returns
    -------
    D of each song

    >>> pairwise(np.array([[1, 0], [1, 0], [0, 1], [0, 1]]), np.array(["a", "a", "b", "a"]))["a"].round(3)
    np.float64(0.667)
    """
    table = pd.DataFrame(answers).groupby(np.asarray(songs))
    n, total = table.size(), (table.sum() ** 2).sum(axis=1)
    own = pd.Series((np.asarray(answers) ** 2).sum(axis=1)).groupby(np.asarray(songs)).sum()
    return 1 - (total - own) / (n * (n - 1)).where(n > 1)
