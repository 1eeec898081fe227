"""The same experiment on every engine, with workers, jobs and schedulers lost in the middle.

    python -m tests.cluster [local] [slurm] [--record]

All records must arrive, none twice, equal to the serial run to the last digit. What this machine lacks is
left out with the reason; exit status 1 if an engine fails.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mer_companion.analysis import cluster
from tests.cluster import local, slurm

ENGINES = {
    "local": (local.missing, {"processes": local.pool, "dask scheduler": local.dask}),
    "slurm": (slurm.missing, {"Slurm, dask-jobqueue": slurm.jobqueue, "Slurm, job array": slurm.array}),
}


def row(name: str, run: Callable[[Path, Path], dict], folder: Path, serial: Path) -> dict:
    """What an engine did, or why it failed."""
    began = time.perf_counter()
    place = folder / name.replace(" ", "_").replace(",", "")
    place.mkdir()
    try:
        found = run(place, serial)
    except Exception as error:
        found = {"engine": name, "failed": f"{type(error).__name__}: {error}"}
    return found | {"seconds": round(time.perf_counter() - began, 1)}


def rows(wanted: list[str]) -> list[dict]:
    """A row for each engine that is wanted and here."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        serial = folder / "serial"
        for kind in wanted:
            missing, engines = ENGINES[kind]
            if reason := missing():
                found += [{"engine": name, "left_out": reason} for name in engines]
                continue
            if not serial.exists():
                local.serial(serial)
            for name, run in engines.items():
                found.append(row(name, run, folder, serial))
                print(cluster.spoken(found[-1]), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(ENGINES)}; default: all")
    parser.add_argument("--record", action="store_true", help="keep the table, for the book")
    wanted = parser.parse_args()
    if unknown := set(wanted.engines) - set(ENGINES):
        parser.error(f"no engine {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    found = rows(wanted.engines or list(ENGINES))
    for one in found:
        if "left_out" in one:
            print(cluster.spoken(one))
    if wanted.record:
        print(cluster.write(found))
    sys.exit(not all(cluster.is_right(one) for one in found))


if __name__ == "__main__":
    main()
