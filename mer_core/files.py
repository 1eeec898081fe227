"""Files that are complete or absent, whatever ends the program while it writes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_core import UserError


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
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        yield fresh
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def is_stream(path: Path) -> bool:
    """Whether it is no file to be replaced, but /dev/stdout or >(...) of a shell."""
    return path.is_char_device() or path.is_fifo()
