"""The sound files below a folder: one walk for songs to be predicted, labelled music and data sets."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mer_core import shown
from mer_core.audio.decoding import SUFFIXES


@dataclass
class SoundFiles:
    """What a walk met: files, folders that cannot be opened with the reason, and names that it left out."""

    files: list[Path] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    hidden: list[Path] = field(default_factory=list)
    repeated: list[Path] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence each on hidden names, and on folders met before."""
        told = {
            "hidden, so left out": self.hidden,
            "linked to a folder that was met before, so left out": self.repeated,
        }
        return tuple(f"{shown(names, 3)}: {why}." for why, names in told.items() if names)


def below(folder: Path, suffixes: Iterable[str] = SUFFIXES) -> SoundFiles:
    """All sound files below a folder, sorted, links followed, each folder entered once.

    A link that leads nowhere is a file: who reads it, says so. Hidden are names that begin with a dot: waste
    baskets, old versions, what macOS stores beside a file.
    """

    def unreadable(error: OSError) -> None:
        reason = f"cannot be opened ({error.strerror}). Change its permissions."
        found.unreadable[error.filename] = f"{error.filename}: {reason}"

    found, entered = SoundFiles(), {os.path.realpath(folder)}
    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        fresh = []
        for path in (Path(parent, name) for name in sorted(folders)):
            if path.name.startswith("."):
                found.hidden.append(path)
            elif (real := os.path.realpath(path)) in entered:
                found.repeated.append(path)
            else:
                entered.add(real)
                fresh.append(path.name)
        folders[:] = fresh
        sounds = (Path(parent, name) for name in sorted(names) if name.lower().endswith(tuple(suffixes)))
        for path in sounds:
            (found.hidden if path.name.startswith(".") else found.files).append(path)
    return found
