"""Files that are complete or absent, whatever ends who writes them, and locks against two who write."""

import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
    # on a shared file system another machine may have a process of the same number
    fresh = target.with_name(f"{target.name}.{platform.node()}.{os.getpid()}.new")
    try:
        yield fresh
        with fresh.open("rb") as written:
            os.fsync(written.fileno())  # else a power cut may leave an empty file under the new name
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


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
