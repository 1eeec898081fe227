"""Progress bars: on terminals only, and nowhere after ``mer --quiet``."""

import os

QUIET = "TQDM_DISABLE"  # environment variable that `mer --quiet` sets, for the processes that it starts too


def progress_bar(items=None, *, shown: bool = True, **described):
    """A tqdm bar over these items, or over ``total`` steps; QUIET counts whenever it is set."""
    from tqdm import tqdm  # here, so that help need not wait for it

    hidden = not shown or bool(os.environ.get(QUIET))
    return tqdm(items, disable=hidden or None, **described)
