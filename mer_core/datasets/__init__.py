"""Data sets by name: one reader each, all giving the same table of Tracks."""

import inspect
from pathlib import Path

import yaml

from mer_core import paths
from mer_core.datasets import (
    deam,
    emopia,
    emotify,
    folder,
    mtg_jamendo,
    panda4q,
    pmemo,
    synthetic,
    vgmidi,
)
from mer_core.datasets.tracks import DataError, Tracks, joined, shown

READERS = {
    "synthetic": synthetic.read,
    "synthetic_moods": synthetic.read_moods,
    "4q": panda4q.read,
    "4q_moods": panda4q.read_moods,
    "mtg_jamendo": mtg_jamendo.read,
    "pmemo": pmemo.read,
    "deam": deam.read,
    "eim": deam.read_eim,
    "emotify": emotify.read,
    "emotify_quadrants": emotify.read_quadrants,
    "emopia": emopia.read,
    "vgmidi": vgmidi.read,
    "music": folder.read_unlabelled,  # only with its option: a folder of this name is your own music
}


def has_reader(name: str) -> bool:
    return name.partition(":")[0] in READERS and name != "music"


def is_registered(name: str) -> bool:
    return has_reader(name) or all(map(has_reader, name.split("+")))


def load(name: str, skip_unreadable: bool = False) -> Tracks:
    """Tracks of a data set by its registered name, or of your own music by the path of a folder or CSV file.

    Options of a reader may follow its name: ``synthetic:drift=0.4,n_songs=96``. Registered names with a plus
    between them are joined: ``4q+emopia``.

    Raises
    ------
    DataError : unknown name, missing or inconsistent files; the message says what to do
    """
    if "+" in name and all(map(has_reader, names := name.split("+"))):
        return joined({own: load(own, skip_unreadable) for own in names})
    if has_reader(name):
        reader, _, options = name.partition(":")
        arguments = options_of(name, options) | {"skip_unreadable": skip_unreadable}
        try:
            inspect.signature(READERS[reader]).bind(**arguments)
        except TypeError as error:
            raise DataError(f"{name!r}: {error}. Leave the option out, or check its spelling.") from None
        return READERS[reader](**arguments)
    if Path(name).exists():
        return folder.read(Path(name), skip_unreadable=skip_unreadable)
    raise DataError(
        f"{name!r} is neither a known data set ({', '.join(READERS)}) nor an existing folder or CSV file. "
        "Check the spelling, or give the path of your own music."
    )


def from_anywhere(name: str) -> str:
    """A data set's name, or the absolute path of your own music, so that runs do not depend on the folder."""
    return name if is_registered(name) else str(Path(name).resolve())


def options_of(name: str, text: str) -> dict:
    """``drift=0.4,n_songs=96`` as names and plain values; a name alone means yes."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    if bad := [key for key, _, _ in pairs if not key.isidentifier()]:
        example = "Write options as in synthetic:drift=0.4,n_songs=96."
        raise DataError(f"{name!r}: {shown(bad)} is no option. {example}")
    return {key: yaml.safe_load(value) if equals else True for key, equals, value in pairs}


def card(name: str) -> dict:
    """A data set's registry card: title, licence, source, how to get it, what a correct copy holds."""
    return yaml.safe_load((paths.REGISTRY / f"{name}.yaml").read_text(encoding="utf-8"))


def refuse_another_copy(name: str, tracks: Tracks) -> None:
    """Refuse a registered data set that is not what its registry card says; parts of one that options ask
    for, and tracks that lack skipped files, are not counted.

    Raises
    ------
    DataError : the first count that differs
    """
    if name != tracks.name or tracks.skipped or tracks.own:
        return
    for what, expected, found in check(tracks):
        if expected != found:
            remedy = f"`mer data {name}` shows all counts. Fetch the data set again, as distributed."
            raise DataError(f"{name}: {what}: expected {expected}, found {found}. {remedy}")


def check(tracks: Tracks) -> list[tuple[str, object, object]]:
    """(what, expected, found) rows from the registry's card; none where there is no card."""
    if not (paths.REGISTRY / f"{tracks.name}.yaml").exists():
        return []
    found = {
        "tracks": len(tracks),
        "groups": tracks.table["group"].nunique(),
        **{f"tracks labelled {label}": int((tracks.named == label).sum()) for label in tracks.classes},
        "seconds": round(float(tracks.table["duration_s"].sum())),
    }
    return [(what, expected, found[what]) for what, expected in card(tracks.name)["expected"].items()]
