"""Files of the book: one that has not changed keeps its time, so that no page is built again for it."""

from pathlib import Path


def write_if_changed(path: Path, content: bytes | None) -> None:
    """Make a file hold this content, and leave it untouched where it does; without content, remove it."""
    if content is None:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
