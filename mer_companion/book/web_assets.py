"""Scripts of others that pages load: taken in when the book is built, never committed.

``book/package-lock.json`` pins versions and hashes, npm fetches and checks. What cannot be had is left out;
the book still reads.
"""

import json
import shutil
import subprocess

from mer_companion import folders
from mer_companion.book.files import write_if_changed

LOCK = folders.BOOK / "package-lock.json"
FETCHED = folders.BOOK / "node_modules"
FOLDER = folders.BOOK / "_assets"  # one of the book's static folders
ASSETS = {  # published under _static: where it comes from
    "mathjax/tex-svg.js": FETCHED / "mathjax/es5/tex-svg.js",  # one file, no fonts to fetch
    "mathjax/LICENSE": FETCHED / "mathjax/LICENSE",
    "hearing/ort.wasm.min.js": FETCHED / "onnxruntime-web/dist/ort.wasm.min.js",
    "plotly.min.js": FETCHED / "plotly.js-basic-dist-min/plotly-basic.min.js",  # points, lines and bars only
}


def gather() -> str | None:
    """Put every available asset into the static folder; returns what is missing, why and the remedy."""
    reason = None if is_fetched() else fetch()
    FOLDER.mkdir(exist_ok=True)  # Sphinx warns about a static folder that is not there
    for name, source in ASSETS.items():
        write_if_changed(FOLDER / name, source.read_bytes() if source.exists() else None)
    missing = [name for name in ASSETS if not (FOLDER / name).exists()]
    if missing:
        reason = reason or "The installed package lacks it."
        return (
            f"Not in this book: {', '.join(missing)}. {reason} The pages read all the same, formulas as TeX "
            "source, a sentence for a figure to explore. To have them, get npm (part of Node.js) and a "
            "network, then build again."
        )
    return None


def is_fetched() -> bool:
    """Whether what npm unpacked is there, with the versions and hashes of the lock file."""
    unpacked = FETCHED / ".package-lock.json"
    if not unpacked.exists():
        return False
    there, wanted = (json.loads(path.read_text(encoding="utf-8"))["packages"] for path in (unpacked, LOCK))
    del wanted[""]  # the book itself
    return there == wanted and all((FETCHED.parent / name).is_dir() for name in wanted)


def fetch() -> str | None:
    """Let npm fetch what the lock file names and check its hashes; returns why it could not, or None."""
    npm = shutil.which("npm")
    if npm is None:
        return "There is no npm on the PATH."
    command = [npm, "ci", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folders.BOOK, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        return f"`npm ci` failed: {' '.join(said[:3]) or done.stderr.strip()}."
    return None
