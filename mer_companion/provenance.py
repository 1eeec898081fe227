"""What a record was made with: code, versions, machine and time. No torch here."""

import hashlib
import os
import platform
import subprocess
import sys
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

from mer_core import paths

VERSIONED = ("torch", "librosa", "scikit-learn", "numpy", "soundfile", "soxr")
PACKAGES = ("mer_core", "mer_companion", "mer_app")
# what the predictions of a network depend on; the rest decides, scores, records or draws
OF_TRAINING = (
    "mer_core.audio",
    "mer_core.datasets",
    "mer_core.device",
    "mer_core.evaluation.song_decision",
    "mer_core.evaluation.tag_metrics",
    "mer_core.frames",
    "mer_core.methods",
    "mer_core.mixture",
    "mer_core.models",
    "mer_core.segments",
    "mer_core.semi_supervised",
    "mer_core.training",
    "mer_companion.runs.cross_validation",
)


def timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def code_state() -> dict:
    """Commit of the code, and whether it was modified since; from MER_COMMIT where files were copied.

    Both are None where neither is known, as on a machine without git.
    """

    def git(*words: str) -> str | None:
        try:
            answer = subprocess.run(
                ["git", *words], cwd=paths.ROOT, capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return answer.stdout.strip()

    changes = git("status", "--porcelain", *PACKAGES)
    return {
        "commit": git("rev-parse", "--short=10", "HEAD") or os.environ.get("MER_COMMIT"),
        "modified": None if changes is None else bool(changes),
        "digest": code_digest(),
    }


@cache
def code_digest(modules: tuple[str, ...] = PACKAGES) -> str:
    """Fingerprint of the sources of modules and packages, by default of all code, when first requested.

    Raises
    ------
    ModuleNotFoundError : there is no such module, so that no list of names outlives a module that it names
    """
    sources = {path for module in modules for path in sources_of(module)}
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]


def sources_of(module: str) -> list[Path]:
    """The file of a module, or all files of a package, templates of cards and pages among them."""
    place = paths.ROOT.joinpath(*module.split("."))
    found = [*place.rglob("*.py"), *place.rglob("*.jinja")]
    found = found or [path for path in [place.with_suffix(".py")] if path.is_file()]
    if not found:
        raise ModuleNotFoundError(f"no module {module}")
    return found


def environment(device: str, threads: int) -> dict:
    here = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    return here | {"device": device, "threads": threads} | {name: version(name) for name in VERSIONED}


def processor() -> str:
    """The processor's name as its system has it."""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor()


def cores_of(environment: dict) -> int:
    """How many cores (or GPUs) a network kept busy."""
    return environment["threads"] if environment["device"] == "cpu" else 1


def on_gpu(record: dict) -> bool:
    return record["environment"]["device"] != "cpu"
