"""Which sound files are meant: files, folders, patterns, playlists, or a list of them."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mer_core.audio.decoding import SUFFIXES
from mer_core.audio.sound_files import below

PLAYLISTS = (".m3u", ".m3u8", ".pls")
TABLES = (".csv", ".tsv")
DEEPEST = 100  # of playlists within playlists


class Listing:
    """Sound files in the order in which they are met, each once, and what could not be followed, with the
    reason.

    ``files``: paths as they were given; ``problems``: reason by name; ``notes``: what folders have
    that was left out.
    """

    def __init__(self, names: Iterable[str] = ()):
        self.files: list[Path] = []
        self.problems: dict[str, str] = {}
        self.notes: dict[str, tuple[str, ...]] = {}
        self._met: set[str] = set()
        self._depth = 0  # of playlists within playlists
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Take in a file, all sound files below a folder, those of a playlist, or those that a pattern fits.

        A file is taken whatever its name ends in, and whether or not it exists: who reads it, says so.
        """
        if not name or "\0" in name:
            self.problems[name] = f"{name!r}: is no path. Check the list that it comes from."
        elif "://" in name and not os.path.lexists(name):
            self.problems[name] = f"{name}: is an address on the network. Download it first."
        elif os.path.isdir(name):  # noqa: PTH112 -- no error for names that are too long
            found = below(Path(name))
            self.problems |= found.unreadable
            if found.notes:
                self.notes[name] = found.notes
            self._take(found.files, name, "no sound files below this folder")
        elif Path(name).suffix.lower() in PLAYLISTS and os.path.isfile(name):  # noqa: PTH113
            self._follow(Path(name))
        elif glob.has_magic(name) and not os.path.lexists(name):
            self._take(map(Path, sorted(fitting(name))), name, "no file fits this pattern")
        elif Path(name).suffix.lower() in TABLES:
            remedy = "mer evaluate and mer train take tables; a list of songs: mer predict - < list.txt"
            self.problems[name] = f"{name}: is no sound by its name. {remedy}"
        else:
            self._once(Path(name))

    def _once(self, path: Path) -> bool:
        """Whether a file was not met before; it is then taken."""
        key = os.path.abspath(path)  # noqa: PTH100 -- not resolved: two links to one file may be two songs of a collection
        if key in self._met:
            return False
        self._met.add(key)
        self.files.append(path)
        return True

    def _take(self, found: Iterable[Path], name: str, otherwise: str) -> None:
        n = 0
        for path in found:
            self._once(path)
            n += 1
        if not n:
            self.problems.setdefault(name, f"{name}: {otherwise} ({', '.join(SUFFIXES)}). Check the path.")

    def _follow(self, playlist: Path) -> None:
        """Entries of a playlist, relative to where it lies; playlists within playlists are followed once."""
        key = os.path.abspath(playlist)  # noqa: PTH100
        if key in self._met:
            return
        self._met.add(key)
        if self._depth == DEEPEST:
            reason = f"lies {DEEPEST} playlists deep in playlists. Give it by itself."
            self.problems[str(playlist)] = f"{playlist}: {reason}"
            return
        try:
            named = list(entries(text_of(playlist.read_bytes()), playlist.suffix.lower()))
        except OSError as error:
            self.problems[str(playlist)] = (
                f"{playlist}: cannot be read ({error.strerror}). Change its permissions."
            )
            return
        if not named:
            self.problems[str(playlist)] = f"{playlist}: names no files. Check what wrote it."
        self._depth += 1
        for entry in named:
            address = urlsplit(entry)
            if address.scheme == "file":
                entry = unquote(address.path, errors="surrogateescape")
            path = entry if "://" in entry else spelt(playlist.parent, entry)
            if path == entry or os.path.lexists(path):
                self.add(path)
            else:
                self.problems[path] = f"{path}: no such file, named in {playlist}. Check the path."
        self._depth -= 1


def fitting(pattern: str) -> set[str]:
    """Paths that a pattern fits; ** enters each folder once, so that links to a folder above it end."""
    above, stars, rest = pattern.partition("**/")
    if not stars and pattern.endswith("/**"):
        above, stars, rest = pattern[:-2], "**", "*"
    if not stars or above[-1:] not in ("", "/"):
        return set(glob.glob(pattern))  # noqa: PTH207 -- patterns may be absolute
    found: set[str] = set()
    for top in glob.glob(above) if above else [os.curdir]:  # noqa: PTH207
        for folder in folders_of(top):
            inside = "" if folder == os.curdir else f"{glob.escape(folder.rstrip('/'))}/"
            found |= fitting(inside + rest)
    return found


def folders_of(top: str) -> Iterator[str]:
    """A folder and all below it that are not hidden, links followed, each once."""
    entered = {os.path.realpath(top)}
    for parent, names, _ in os.walk(top, followlinks=True):
        yield parent.removeprefix(f".{os.sep}")
        paths = {name: os.path.realpath(os.path.join(parent, name)) for name in sorted(names)}  # noqa: PTH118
        fresh = {real: name for name, real in paths.items() if name[0] != "." and real not in entered}
        entered |= fresh.keys()
        names[:] = sorted(fresh.values())


def text_of(data: bytes) -> str:
    """The text of a playlist, with the bytes of names that are no UTF-8 kept."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))


def spelt(folder: Path, entry: str) -> str:
    """A playlist's entry as a path: as it stands, or as the file is there with slashes for backslashes, or
    read as Latin-1.
    """
    slashed = entry.replace("\\", "/")
    spellings = [entry, slashed, *(os.fsencode(one).decode("latin-1") for one in (entry, slashed))]
    paths = [os.path.join(folder, one) for one in spellings]  # noqa: PTH118 -- a Path would tidy the name up
    return next(filter(os.path.lexists, paths), paths[0])


def entries(text: str, suffix: str) -> Iterator[str]:
    """The entries of a playlist: of .pls what stands behind File1=, File2=, ..., else every line that is no
    comment.

    >>> list(entries("#EXTM3U\\n#EXTINF:30,Song\\na b.mp3\\n\\n", ".m3u"))
    ['a b.mp3']
    >>> list(entries("[playlist]\\nFile1=a.mp3\\nTitle1=A\\n", ".pls"))
    ['a.mp3']
    """
    for line in text.replace("\r\n", "\n").split("\n"):
        name, equals, value = line.strip().partition("=")
        if suffix == ".pls":
            if equals and name.lower().startswith("file") and name[4:].isdigit():
                yield value
        elif line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def of_list(data: bytes, null: bool) -> list[str]:
    """Paths from a list as ``find`` writes it: one a line, or ended by NUL, which bears newlines in names.

    >>> of_list(b"a.mp3\\nb c.mp3\\n", null=False)
    ['a.mp3', 'b c.mp3']
    """
    ends = data.split(b"\0") if null else data.replace(b"\r\n", b"\n").split(b"\n")
    return [os.fsdecode(one) for one in ends if one]
