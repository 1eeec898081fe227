"""Where everything lies: absolute paths, so that any working folder will do."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
REGISTRY = DATA / "registry"  # one YAML card per data set
SPLITS = DATA / "splits"  # track ids per fold, tracked
MODELS = DATA / "models"  # trained models that ship, tracked
SHIPPED_MODEL = MODELS / "quadrants.safetensors"
CACHE = DATA / "cache"  # synthetic audio, frames, predictions of trained networks: all derived


def data_root() -> Path:
    """The folder that holds the audio data sets: ``$MER_DATA``, else ``data/raw``."""
    return Path(os.environ.get("MER_DATA", DATA / "raw")).expanduser().resolve()
