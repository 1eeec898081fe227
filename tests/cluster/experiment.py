"""The experiment that every engine runs, and what is compared: records, networks and frames."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mer_companion import results
from mer_core import paths
from mer_core.device import THREAD_LIMITS

SONGS = 72  # enough to be sent to workers (`executors.AHEAD`)
RUN = (
    "run", "segments_to_songs", "--preset", "smoke", "--seed", "0", "--seed", "1",
    "--dataset", f"synthetic:n_songs={SONGS},n_artists={SONGS},song_s=4",
    "--set", "folds.tested=2", "--set", "training.epochs=6",
)  # fmt: skip
RECORDS = 4
LONGEST_S = 300  # on a busy machine
# records and cache in a folder of their own: nothing that was made before is found
DRIVER = """
import sys
from pathlib import Path
from mer_app.main import main
from mer_companion import folders
with folders.apart(Path(sys.argv[1])):
    main(sys.argv[2:])
"""


def environment() -> dict[str, str]:
    """Ours, on one thread: another number of threads rounds differently."""
    ours = dict.fromkeys(THREAD_LIMITS, "1") | {"PYTHONPATH": str(paths.ROOT), "TQDM_DISABLE": "1"}
    beside = os.environ.get("PYTHONPATH")
    return os.environ | ours | ({"PYTHONPATH": f"{paths.ROOT}{os.pathsep}{beside}"} if beside else {})


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-c", DRIVER, str(folder), *RUN, *options]


def started(words: list[str], log: Path) -> subprocess.Popen:
    """A program in a process group of its own, whose output goes to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(
            words, stdout=file, stderr=file, env=environment(), cwd=log.parent, start_new_session=True
        )


def ended(program: subprocess.Popen) -> None:
    """End a program and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def finished(program: subprocess.Popen, log: Path) -> None:
    """Wait for a run; raises RuntimeError with its last words where it fails or takes too long."""
    try:
        status = program.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        status = f"none within {LONGEST_S} s"
    if status != 0:
        raise RuntimeError(f"the run ended with status {status}: {log.read_text()[-2000:]}")


def networks(folder: Path) -> dict[Path, int]:
    """The finished networks of a run, with the time when each was stored."""
    found = (folder / "cache" / "networks").glob("*/fold-*.npz")
    return {path: path.stat().st_mtime_ns for path in found}


def wait_until(condition: Callable[[], object], what: str, seconds: float = 240) -> object:
    until = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > until:
            raise RuntimeError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)
    return answer


def wait_for_networks(folder: Path, n: int, program: subprocess.Popen, log: Path) -> dict[Path, int]:
    """Wait until so many networks are finished; gives them."""

    def enough() -> dict[Path, int]:
        if program.poll():
            finished(program, log)
        return there if len(there := networks(folder)) >= n else {}

    return wait_until(enough, f"{n} networks")


def workers_of(program: subprocess.Popen) -> list:
    """The processes started by a program, at any depth, that take jobs."""
    import psutil

    below = psutil.Process(program.pid).children(recursive=True)
    return [one for one in below if "spawn_main" in " ".join(one.cmdline())]


def records(folder: Path) -> dict[str, results.Record]:
    return {path.stem: results.load(path) for path in sorted((folder / "results" / "smoke").glob("*.json"))}


def equal(folder: Path, serial: Path) -> bool:
    """Whether the records of two runs have the same predictions, metrics and frames, bit by bit."""
    ours, theirs = records(folder), records(serial)
    if set(ours) != set(theirs) or frames(folder) != frames(serial):
        return False
    for name, record in ours.items():
        mine, other = results.predictions(record), results.predictions(theirs[name])
        if record["metrics"] != theirs[name]["metrics"] or set(mine) != set(other):
            return False
        if not all(np.array_equal(mine[array], other[array]) for array in mine):
            return False
    return True


def frames(folder: Path) -> dict[str, bytes]:
    """The stores of frames, with their tables of songs."""
    return {
        path.name: path.read_bytes()
        for path in (folder / "cache" / "frames").iterdir()
        if path.suffix in (".f16", ".json")
    }


def outcome(engine: str, folder: Path, serial: Path, lost: str, before: list[dict[Path, int]]) -> dict:
    """The row of an engine.

    Parameters
    ----------
    lost : what was ended meanwhile
    before : the networks that were finished at each loss (`networks`)
    """
    after = networks(folder)
    known = {path: stored for moment in before for path, stored in moment.items()}
    return {
        "engine": engine,
        "jobs": len(after),
        "lost": lost,
        "records": len(records(folder)),
        "expected": RECORDS,
        "trained_again": sum(after.get(path) != stored for path, stored in known.items()),
        "equal": equal(folder, serial),
    }
