"""How far listeners agree: the ceiling for any prediction of what they say."""

import numpy as np
import pandas as pd


def split_half(answers: pd.DataFrame, songs: pd.Series, n_splits: int = 100, seed: int = 0) -> pd.Series:
    """Split-half reliability of songs' mean answers.

        r = mean over splits of corr(mean answer of one half of each song's listeners, of the other half)

    The correlation (Pearson) runs over songs. It is the reliability of half as many listeners as were asked,
    and how well they predict the others; what any prediction can reach is the `ceiling`.

    Parameters
    ----------
    answers : a row per listener and song, a column per question, numbers
    songs : which song each row is about, two rows or more of each
    n_splits : random divisions of the listeners into halves

    Returns
    -------
    r of each column

    >>> songs = pd.Series([1, 1, 2, 2, 3, 3])
    >>> split_half(pd.DataFrame({"agreed": [0, 0, 1, 1, 1, 1]}), songs, n_splits=2).round(6)
    agreed    1.0
    dtype: float64
    """
    rng, by_song = np.random.default_rng(seed), songs.to_numpy()
    correlations = []
    for _ in range(n_splits):
        order = pd.Series(rng.permutation(len(answers)), answers.index)
        half = order.groupby(by_song).rank() % 2 == 0
        one, other = (answers[own].groupby(by_song[own]).mean() for own in (half, ~half))
        correlations.append(one.corrwith(other))
    return pd.concat(correlations, axis=1).mean(axis=1)


def ceiling(split_half):
    """Correlation with the mean answer of all listeners that a perfect prediction is expected to reach.

        sqrt(R),   R = 2 r / (1 + r)

    R is the reliability of all listeners, twice as many as in a half (Spearman 1910, Brown 1910); the
    expected answer itself correlates by its root with the mean of a sample. A prediction can so exceed r,
    which is what half of the listeners, noisy themselves, reach.

    >>> round(ceiling(0.6), 3)
    0.866
    """
    return (2 * split_half / (1 + split_half)) ** 0.5
