"""Arrays in a folder, each file named by a digest of what it holds: the same arrays lie there once."""

import gzip
import hashlib
import time
import zlib
from pathlib import Path

import numpy as np

from mer_companion.packing import pack, unpack
from mer_core import UserError
from mer_core.files import atomic_write

FOLDER = "arrays"  # beside the records that name its files
GRACE_S = 3600


class StoreError(UserError):
    """Arrays that are missing, or not those that their name says; the message names the file."""


def digest_of(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()[:32]


def path_of(folder: Path, digest: str) -> Path:
    return folder / f"{digest}.gz"


def put(folder: Path, arrays: dict[str, np.ndarray]) -> str:
    """Store arrays, by name, where they are not stored yet; gives their digest."""
    packed = pack(arrays)
    digest = digest_of(packed)
    if (path := path_of(folder, digest)).exists():
        path.touch()  # in use again
    else:
        with atomic_write(path) as fresh:
            fresh.write_bytes(gzip.compress(packed, mtime=0))
    return digest


def get(folder: Path, digest: str) -> dict[str, np.ndarray]:
    """The arrays of a digest.

    Raises
    ------
    StoreError : there are none, they cannot be read, or are others
    """
    path = path_of(folder, digest)
    try:
        packed = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path} is missing") from None
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{path} cannot be read ({error})") from None
    if digest_of(packed) != digest:
        raise StoreError(f"{path} was changed after it was made")
    return unpack(packed)


def remove_others(folder: Path, wanted: set[str]) -> list[Path]:
    """Delete the arrays of other digests, but for those so young that their record may be being written."""
    others = [path for path in folder.glob("*.gz") if path.stem not in wanted and is_old(path)]
    for path in others:
        path.unlink()
    return others


def is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > GRACE_S
