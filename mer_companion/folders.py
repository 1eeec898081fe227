"""Where the papers' notebooks, records and book lie, beside the places that `mer_core.paths` names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_core import paths

NOTEBOOKS = paths.ROOT / "notebooks"
BOOK = paths.ROOT / "book"
EXECUTED = BOOK / "executed"  # executed notebooks, derived
RESULTS = paths.DATA / "results"  # records, tracked (but for results/smoke and results/own)


@contextmanager
def apart(folder: Path) -> Iterator[None]:
    """Cache and records in a folder of their own, so that nothing made before is found."""
    global RESULTS
    before = paths.CACHE, RESULTS
    paths.CACHE, RESULTS = folder / "cache", folder / "results"
    try:
        yield
    finally:
        paths.CACHE, RESULTS = before
