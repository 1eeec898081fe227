"""Where everything lies: absolute paths, so that any working folder will do."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
REGISTRY = DATA / "registry"  # one YAML card per data set
SPLITS = DATA / "splits"  # track ids per fold, tracked
MODELS = DATA / "models"  # trained models that ship, tracked
SHIPPED_MODEL = MODELS / "quadrants.safetensors"


def data_root() -> Path:
    """The folder that holds the audio data sets: ``$MER_DATA``, else ``data/raw``."""
    return Path(os.environ.get("MER_DATA", DATA / "raw")).expanduser().resolve()


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it is missing."""
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def cache_root() -> Path:
    """The folder for all that is derived: ``$MER_CACHE``, else the first of these that can be written.

    ``data/cache``; ``mer`` in ``$XDG_CACHE_HOME`` (``~/.cache``); a temporary folder of this user's own.
    """
    if chosen := os.environ.get("MER_CACHE"):
        return Path(chosen).expanduser().absolute()
    places = (DATA / "cache", user_caches() / "mer")
    return next(filter(is_writable, places), None) or temporary()


def user_caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute()


def temporary() -> Path:
    """``mer-UID`` among temporary files; nobody else's folder of that name is used."""
    uid = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir(), f"mer-{uid}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if not folder.is_symlink() and folder.stat().st_uid == uid:
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="mer-"))


CACHE = cache_root()  # synthetic audio, frames, predictions of trained networks
IS_TEMPORARY = CACHE.parent == Path(tempfile.gettempdir()) and CACHE.name.startswith("mer-")
if not is_writable(user_caches()):  # where libraries would keep what they compile and look up
    os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE / "numba"))
    os.environ.setdefault("MPLCONFIGDIR", str(CACHE / "matplotlib"))
