"""Scripts of others that pages load: taken in when the book is built, never committed.

``book/package-lock.json`` pins versions and hashes, npm fetches and checks. What cannot be had is left out;
the book still reads."""

import json
import shutil
import subprocess
from pathlib import Path

from mer_companion import folders

LOCK = folders.BOOK / "package-lock.json"
FETCHED = folders.BOOK / "node_modules"
FOLDER = folders.BOOK / "_assets"  # one of the book's static folders
ASSETS = {  # published under _static: where it comes from
    "mathjax/tex-svg.js": FETCHED / "mathjax/es5/tex-svg.js",  # one file, no fonts to fetch
    "mathjax/LICENSE": FETCHED / "mathjax/LICENSE",
    "hearing/ort.wasm.min.js": FETCHED / "onnxruntime-web/dist/ort.wasm.min.js",
    "plotly.min.js": FETCHED
    / "plotly.js-basic-dist-min/plotly-basic.min.js",  # points, lines and bars: a quarter of all of it
}


def gather() -> str | None:
    """Put every asset that can be had into the book's static folder; returns what is missing, why and what to
    do, or None.
    """
    reason = None if is_fetched() else fetch()
    FOLDER.mkdir(exist_ok=True)
    for name, source in ASSETS.items():
        put(source, FOLDER / name)
    missing = [name for name in ASSETS if not (FOLDER / name).exists()]
    if missing:
        return (
            f"Not in this book: {', '.join(missing)}. {reason or 'The installed package does not hold it.'} The pages read all "
            "the same, formulas as TeX source, a sentence for a figure to explore. To have them, get npm (part of Node.js) "
            "and a network, then build again."
        )
    return None


def is_fetched() -> bool:
    """Whether what npm unpacked is there, and is what the lock file names, version by version and hash by
    hash.
    """
    unpacked = FETCHED / ".package-lock.json"
    if not unpacked.exists():
        return False
    wanted = {
        name: package
        for name, package in json.loads(LOCK.read_text(encoding="utf-8"))["packages"].items()
        if name
    }
    there = all((FETCHED.parent / name).is_dir() for name in wanted)
    return there and json.loads(unpacked.read_text(encoding="utf-8"))["packages"] == wanted


def fetch() -> str | None:
    """Let npm fetch what the lock file names and check its hashes; returns why it could not, or None."""
    npm = shutil.which("npm")
    if npm is None:
        return "There is no npm on the PATH."
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts"], cwd=folders.BOOK, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        return f"`npm ci` failed: {' '.join(said[:3]) or done.stderr.strip()}."
    return None


def put(source: Path, target: Path) -> None:
    """Make the target what the source is: a copy, untouched where equal, or nothing."""
    if not source.exists():
        target.unlink(missing_ok=True)
    elif not target.exists() or target.read_bytes() != source.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
