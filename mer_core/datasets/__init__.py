"""Data sets by name: one reader each, all giving the same table of Tracks."""

from pathlib import Path

import yaml

from mer_core import paths
from mer_core.datasets import folder, panda4q, synthetic
from mer_core.tracks import DataError, Tracks

READERS = {"synthetic": synthetic.read, "4q": panda4q.read}


def load(name: str, skip_unreadable: bool = False) -> Tracks:
    """Tracks of a data set by its registered name, or of your own music by the path of a folder or CSV file.

    Raises
    ------
    DataError : unknown name, missing or inconsistent files; the message says what to do
    """
    if name in READERS:
        return READERS[name](skip_unreadable=skip_unreadable)
    if Path(name).exists():
        return folder.read(Path(name), skip_unreadable=skip_unreadable)
    raise DataError(
        f"{name!r} is neither a known data set ({', '.join(READERS)}) nor an existing folder or CSV file. "
        "Check the spelling, or give the path of your own music."
    )


def card(name: str) -> dict:
    """What the registry says of a data set: title, licence, source, how to get it, what a correct copy holds."""
    return yaml.safe_load((paths.REGISTRY / f"{name}.yaml").read_text(encoding="utf-8"))


def check(tracks: Tracks) -> list[tuple[str, object, object]]:
    """Expected against found, as (what, expected, found) rows from the registry's card; for your own music, no rows."""
    if tracks.own:
        return []
    found = {
        "tracks": len(tracks),
        "groups": tracks.table["group"].nunique(),
        **{f"tracks labelled {label}": int((tracks.table["label"] == label).sum()) for label in tracks.classes},
        "seconds": round(float(tracks.table["duration_s"].sum())),
    }
    return [(what, expected, found[what]) for what, expected in card(tracks.name)["expected"].items()]
