"""A page to listen to doubtful labels: one file, no network, the songs played from where they lie."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes

import pandas as pd

from mer_app.text import rendered

BAR, HEIGHT = 8, 40  # pixels of a second's bar


def written(songs: pd.DataFrame, windows: pd.DataFrame, page: Path) -> str:
    """The page as HTML.

    Parameters
    ----------
    songs, windows : as `label_check.doubtful` gives them
    page : where it will lie; songs are linked from there
    """
    sources = [quote_from_bytes(os.fsencode(os.path.relpath(path, page.parent))) for path in songs["path"]]
    bars = {track_id: list(own.itertuples()) for track_id, own in windows.groupby("track_id")}
    shown = songs.assign(source=sources).itertuples()
    return rendered("label_check.html", songs=shown, bars=bars, width=BAR, height=HEIGHT)
