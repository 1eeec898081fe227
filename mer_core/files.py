"""Files that are complete or absent, whatever ends who writes them, and locks against two who write."""

import hashlib
import itertools
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from mer_core import UserError, paths


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, whose file replaces `path` at the end, or is deleted on an error.

    The folder is made where there is none. What a link points to is replaced, not the link.

    Raises
    ------
    UserError : nothing can be written there
    """
    try:
        with beside(path) as fresh:
            yield fresh
    except OSError as error:
        if error.filename is not None and not concerns(path, Path(os.fsdecode(error.filename))):
            raise  # of a file that was to be read
        raise UserError(
            f"{path}: cannot be written ({error.strerror or error}). Make room there, or choose another "
            "place."
        ) from error


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    if is_stream(path):
        yield path
        return
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent, os.getpid())
    fresh = target.with_name(unfinished(target.name))
    try:
        yield fresh
        with fresh.open("rb") as written:
            os.fsync(written.fileno())  # else a power cut may leave an empty file under the new name
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


_written = itertools.count()  # by this process


def unfinished(name: str) -> str:
    """What a file of this name is called while it is written: by no other thread, process or machine too."""
    if len(os.fsencode(name)) > LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return f"{name}.{machine()}-{os.getpid()}-{next(_written)}.new"


def machine() -> str:
    return socket.gethostname()[:32]


LONGEST = 180  # bytes of a name that leave room for what `unfinished` adds


@lru_cache(maxsize=1000)
def sweep(folder: Path, pid: int) -> None:
    """Remove what processes of this machine left when they were killed; once a folder and process."""
    ours = re.compile(rf"\.{re.escape(machine())}-(\d+)-\d+\.new$")
    for path in folder.glob("*.new"):
        if (left := ours.search(path.name)) and not is_running(int(left[1])):
            with suppress(OSError):
                path.unlink()


def is_running(pid: int) -> bool:
    """Whether there is a process of this number; of other users' too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def concerns(path: Path, other: Path) -> bool:
    """Whether an error about another path is one about writing this: itself, its folders, its new file."""
    real = path.resolve()
    beside_it = other.parent == real.parent and other.suffix == ".new"
    return beside_it or other in (path, real, *path.absolute().parents, *real.parents)


@contextmanager
def locked(*places: Path) -> Iterator[None]:
    """Keep other programs of ours from writing these files or folders meanwhile.

    The locks end with this program, however it ends; they lie in the cache, so that none is left beside a
    file.

    Raises
    ------
    UserError : another one writes there now
    """
    folder = paths.CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as locks:
        for real, place in {os.path.realpath(place): place for place in places}.items():
            name = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
            try:
                locks.enter_context(FileLock(folder / f"{name}.lock", timeout=0))
            except Timeout:
                remedy = "Wait until it has ended, or choose another place."
                raise UserError(f"{place}: another mer is writing there. {remedy}") from None
        yield


def is_stream(path: Path) -> bool:
    """Whether it is no file to be replaced, but /dev/stdout or >(...) of a shell."""
    return path.is_char_device() or path.is_fifo()
