"""NaN and infinity are refused where numbers are stored or answered, so that none passes for a result."""

import numpy as np

from mer_core import UserError


def finite(values, what: str, remedy: str, kind: type[UserError] = UserError):
    """The same values: an array, or a tensor on the CPU without a gradient.

    Raises
    ------
    kind : some of them are NaN or infinite
    """
    good = np.isfinite(np.asarray(values))
    if n := good.size - int(good.sum()):
        raise kind(f"{what} are not finite ({n} of {good.size} NaN or infinite). {remedy}")
    return values
