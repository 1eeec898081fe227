"""The kinds of handcrafted features: which columns of `handcrafted.features` belong together.

The list is frozen. It was revised once, after all folds of 4Q had been tested with a shorter one: modulation,
the covariance of timbre and today's harmony came then, decided by validation on the training songs of the
first artist fold, which the other four folds test. What that did is on the page of the experiment
`handcrafted`, which chooses among these kinds inside the training songs of each fold.
"""

import numpy as np

from mer_core.datasets.tracks import DataError, shown

TIMBRE, COVARIANCE, MODULATION, HARMONY, RHYTHM = "timbre", "covariance", "modulation", "harmony", "rhythm"
# columns of each kind, in order: five statistics of 36 courses (20 MFCCs, 7 contrasts, 7 measures of the
# spectrum, level, onsets); the triangle of a 32 x 32 matrix; 16 bands in 11 ranges of modulation; three
# registers of chords, keys and intervals; tempo and 20 lags
SIZES = {TIMBRE: 5 * 36, COVARIANCE: 32 * 33 // 2, MODULATION: 16 * 11, HARMONY: 655, RHYTHM: 21}
UNCHANGED = (TIMBRE, RHYTHM)  # in the list from the first test on
JOINED_BY = "+"


def columns(names: str) -> np.ndarray:
    """(n_features,) bool: the columns of these kinds, as in ``timbre+rhythm``.

    Raises
    ------
    DataError : a name that is no kind
    """
    wanted = names.split(JOINED_BY)
    if unknown := sorted(set(wanted) - set(SIZES)):
        raise DataError(f"{names!r}: no kinds are {shown(unknown)}. Take some of {', '.join(SIZES)}.")
    return np.repeat([kind in wanted for kind in SIZES], list(SIZES.values()))


def candidates() -> tuple[str, ...]:
    """What a fold may choose: each kind alone, all but one, the two kinds that never changed, all kinds."""
    alone = [(kind,) for kind in SIZES]
    without = [tuple(kind for kind in SIZES if kind != left_out) for left_out in SIZES]
    return tuple(JOINED_BY.join(kinds) for kinds in (*alone, *without, UNCHANGED, tuple(SIZES)))
