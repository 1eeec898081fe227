"""The Tracks table: one row per clip, whatever data set it came from; checked once, trusted afterwards."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import UserError, shown
from mer_core.audio import decoding, sound_files

COLUMNS = ("track_id", "path", "group", "duration_s")  # and label, or tags
PARTS = ("train", "validation", "test")


class DataError(UserError):
    """Data that cannot be used as it is; the message names the file or track, the reason and the remedy."""


@dataclass(frozen=True)
class Tracks:
    """Clips with one label each, or with any number of tags, sorted by ``track_id``.

    ``table`` has the columns ``track_id`` (str), ``path`` (Path of the audio), ``group`` (whose clips must
    stay together when data is split: the artist where known, else the song), ``duration_s`` (seconds, from
    the file's header), and ``label`` (one of ``classes``) or ``tags`` (a tuple of them) with ``part`` (train,
    validation or test); where several listeners were asked, also ``shares`` (a tuple of floats in the order
    of ``classes``). A column ``act`` is a wider group, where one is known: the artist under any name, and
    artists that share a recording; neither digests nor folds by artist depend on it. ``same_recording`` lists
    tracks of one recording. ``second_labels`` maps a track to its label per second, where that is known: the
    truth of the synthetic corpus, or what listeners said. ``skipped`` maps files left out on request to the
    reason. ``notes``: sentences on what was left out unasked. ``rendered`` says what audio was rendered from
    MIDI with; empty: it was recorded. ``own`` marks a user's music: it has no registry card, and what is
    derived from it stays out of the tracked folders.
    """

    name: str
    classes: tuple[str, ...]
    table: pd.DataFrame
    second_labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rendered: str = ""
    own: bool = False
    same_recording: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self):
        needed = (*COLUMNS, *(("tags", "part") if self.tagged else ("label",)))
        if missing := [column for column in needed if column not in self.table]:
            needs = f"{list(COLUMNS)} and label or tags"
            raise DataError(f"{self.name}: the table lacks the columns {missing}; it needs {needs}.")
        if self.table.empty:
            raise DataError(f"{self.name}: no track is left to work with.")
        ids = self.table["track_id"]
        if twice := sorted(set(ids[ids.duplicated()])):
            files = " and ".join(map(str, self.table.loc[ids == twice[0], "path"].head(2)))
            raise DataError(
                f"{self.name}: duplicate track ids {shown(twice)}: {files} both have {twice[0]}. Each clip "
                "needs its own: rename one, or give it another track_id."
            )
        if unknown := sorted(set(self.named) - set(self.classes)):
            known = ", ".join(self.classes)
            raise DataError(f"{self.name}: unknown labels {shown(unknown)}; known are {known}.")
        object.__setattr__(self, "table", self.table.sort_values("track_id", ignore_index=True))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def tagged(self) -> bool:
        """Whether tracks have any number of tags instead of one label."""
        return "tags" in self.table

    @property
    def named(self) -> pd.Series:
        """The label of every track, or every tag of every track, one after the other."""
        return self.table["tags"].explode().dropna() if self.tagged else self.table["label"]

    @property
    def targets(self):
        """(n_tracks,) int, index of each label in ``classes``; of tags (n_tracks, n_classes) bool."""
        if self.tagged:
            return has_tags(self.table["tags"], self.classes)
        return self.table["label"].map(self.classes.index).to_numpy()

    @property
    def shares(self) -> np.ndarray:
        """(n_tracks, n_classes) share of listeners who named each class: soft labels, where there are any.

        Raises
        ------
        DataError : nobody has counted listeners
        """
        if "shares" not in self.table:
            raise DataError(f"{self.name}: has no shares of listeners, which soft labels are made of.")
        return np.array(self.table["shares"].tolist())

    @property
    def groups(self):
        """(n_tracks,) array of group names."""
        return self.table["group"].to_numpy()

    @property
    def acts(self):
        """(n_tracks,) array of acts; the groups where no wider ones are known."""
        return self.table["act" if "act" in self.table else "group"].to_numpy()

    def names_of_acts(self) -> list[list[str]]:
        """The groups of each act that has several."""
        names = self.table.groupby(self.acts)["group"].unique()
        return [sorted(several) for several in names if len(several) > 1]

    @property
    def kinds_of_audio(self) -> list[str]:
        """The suffixes of the files, or what they were rendered with."""
        files = sorted({path.suffix for path in self.table["path"]})
        return [f"rendered by {self.rendered}"] if self.rendered else files

    def holds(self, track: int, second: int, window_s: int) -> bool:
        """Whether a track's label is true of most seconds of a window; only where second labels are known."""
        row = self.table.iloc[track]
        truth = self.second_labels[row["track_id"]][second : second + window_s]
        return 2 * truth.count(row["label"]) > len(truth)

    def without(self, reasons: dict[str, str]) -> "Tracks":
        """The same tracks without those whose path is a key of `reasons`, which are noted in ``skipped``."""
        keep = ~self.table["path"].map(str).isin(reasons)
        return replace(self, table=self.table[keep], skipped=self.skipped | reasons)

    def digest(self) -> str:
        """Fingerprint of the annotations: ids, labels (or tags and parts), groups and shares of listeners.

        Of your own music, which changes more than published data sets do, also of the files' sizes.
        """
        labels = ["tags", "part"] if self.tagged else ["label"]
        soft = ["shares"] if "shares" in self.table else []
        rows = self.table[["track_id", *labels, "group", *soft]]
        if self.own:
            rows = rows.assign(bytes=[path.stat().st_size for path in self.table["path"]])
        return hashlib.sha256(rows.to_csv(index=False).encode(errors="surrogateescape")).hexdigest()[:16]


def joined(several: dict[str, Tracks]) -> Tracks:
    """Labelled tracks of several collections as one; ids, groups and acts begin with their collection's name.

    The column ``collection`` says whose each track is; those of one collection stay in their own order.

    Raises
    ------
    DataError : collections with tags, or with different classes
    """
    classes = {name: tracks.classes for name, tracks in several.items()}
    if len(set(classes.values())) > 1 or any(tracks.tagged for tracks in several.values()):
        raise DataError(
            f"{shown(several)}: only collections with one label a track, of the same classes, can be joined. "
            "Leave out those with tags or with other labels."
        )
    tables = []
    for name, tracks in several.items():
        own = tracks.table.assign(act=tracks.acts, collection=name)
        prefixed = {column: f"{name}/" + own[column].astype(str) for column in ("track_id", "group", "act")}
        tables.append(own.assign(**prefixed))
    skipped = {path: reason for tracks in several.values() for path, reason in tracks.skipped.items()}
    notes = tuple(f"{name}: rendered by {own.rendered}" for name, own in several.items() if own.rendered)
    table = pd.concat(tables, ignore_index=True)
    return Tracks("+".join(several), *set(classes.values()), table, skipped=skipped, notes=notes)


def has_tags(tags: Iterable[tuple[str, ...]], names: Iterable[str]) -> np.ndarray:
    """(n_tracks, n_tags) bool array: which track has which of these tags."""
    return np.array([[name in own for name in names] for own in map(set, tags)])


def audio_files(folder: Path) -> dict[str, Path]:
    """Sound files below a folder by their name without suffix; raises DataError where two share one."""
    found: dict[str, Path] = {}
    for path in sorted(sound_files.below(folder, decoding.AUDIO_SUFFIXES).files):
        if (other := found.setdefault(path.stem, path)) != path:
            raise DataError(f"{path} and {other} share the id {path.stem!r}. Rename or remove one of them.")
    return found


def match_audio(name: str, labels: pd.DataFrame, files: dict[str, Path], kind: str = "audio") -> pd.DataFrame:
    """Join annotations (``track_id``, ``label``, ``group``) with audio (or MIDI) files one to one.

    Raises
    ------
    DataError : a label without audio or audio without a label, named
    """
    ids = labels["track_id"]
    if silent := sorted(set(ids) - set(files)):
        raise DataError(
            f"{name}: {len(silent)} labelled tracks have no {kind}: {shown(silent)}. Complete the download, "
            "or remove their rows from the annotations."
        )
    if unlabelled := sorted(set(files) - set(ids)):
        raise DataError(
            f"{name}: {len(unlabelled)} {kind} files have no label: {shown(files[i] for i in unlabelled)}. "
            "Add them to the annotations, or move them elsewhere."
        )
    return labels.assign(path=ids.map(files))


def measured(
    name: str,
    classes: tuple[str, ...],
    table: pd.DataFrame,
    *,
    skip_unreadable: bool,
    skipped: dict[str, str] | None = None,
    **known,
) -> Tracks:
    """Read every file's duration and make the table of Tracks; `skipped` are files left out before.

    Raises
    ------
    DataError : a file that is empty or no sound; with `skip_unreadable` it is noted in ``skipped``
    """

    def duration_or_reason(path: Path) -> float | str:
        try:
            return decoding.duration_s(path)
        except decoding.AudioError as error:
            return str(error)

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(duration_or_reason, table["path"]))
    reasons = {str(path): a for path, a in zip(table["path"], found, strict=True) if isinstance(a, str)}
    if reasons and not skip_unreadable:
        raise DataError(
            f"{name}: {len(reasons)} unreadable audio files. {shown(reasons.values(), 3)} "
            "To go on without them, ask for it: skip_unreadable (--skip-unreadable on the command line)."
        )
    table = table.assign(duration_s=[None if isinstance(a, str) else a for a in found])
    table = table[table["duration_s"].notna()].astype({"duration_s": float})
    return Tracks(name, classes, table, skipped=(skipped or {}) | reasons, **known)
