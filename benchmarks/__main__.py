"""All benchmarks in one command, at most a quarter of an hour; writes the table that the book shows.

    python -m benchmarks

Each runs in a process of its own: one that fails, or takes too long, loses only its rows, which say why.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks.side_by_side import left_out
from mer_companion import provenance
from mer_companion.analysis import speed
from mer_core import UserError, device, paths
from mer_core.progress import progress_bar

LONGEST_S = {  # of each benchmark, with all it takes to start; then it is ended
    "features": 80, "windows": 40, "hpcp": 40, "training_step": 220, "experiment": 250, "predict": 120,
    "tagging": 80, "bootstrap": 70,
}  # fmt: skip
BY_THEMSELVES = (
    "bookkeeping",
    "one_core",
    "browser",
    "gpu",
    "growth",
    "vibenet_on_4q",
)  # no pair of sides, or in need of more
NOT_RUN = ("__main__", "side_by_side", "plain", "sounds", "steps")  # what the others share
OTHER_SIDES = ("essentia", "vibenet", "onnxruntime")  # packages that need not be installed


def measured(name: str, rounds: int | None) -> list[dict]:
    """The rows of one benchmark, run in a process of its own; or one row that says why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "rows.json")
        words = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(answer)]
        words += ["--rounds", str(rounds)] if rounds else []
        try:
            limit = LONGEST_S[name]
            ended = subprocess.run(words, cwd=paths.ROOT, capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            found = [left_out(name.replace("_", " "), f"took more than {LONGEST_S[name]} s")]
        else:
            if ended.returncode == 0:
                found = json.loads(answer.read_text(encoding="utf-8"))
            else:
                found = [left_out(name.replace("_", " "), why(ended))]
    return [{"benchmark": name, **row} for row in found]


def why(ended: subprocess.CompletedProcess) -> str:
    """The reason why a process failed, in a line."""
    if ended.returncode < 0:
        usual = ", mostly for want of memory" if ended.returncode == -signal.SIGKILL else ""
        return f"ended by signal {-ended.returncode}{usual}"
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"ended with exit status {ended.returncode}"


def machine() -> dict:
    """The machine and the versions, as in records, and what else decides how fast it is."""
    cpu = torch.device("cpu")
    installed = {name: version_or_none(name) for name in OTHER_SIDES}
    return provenance.environment("cpu", torch.get_num_threads()) | device.computes_with(cpu) | {
        "processor": provenance.processor(), "bf16_native": device.has_native_bf16(cpu),
        **{name: number for name, number in installed.items() if number},
    }  # fmt: skip


def version_or_none(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help="of each benchmark, for a trial; by default its own")
    parser.add_argument("--out", type=Path, default=speed.path(), help="where to write the table")
    wanted = parser.parse_args()
    began, made_by = time.perf_counter(), {"code": provenance.code_state(), "environment": machine()}
    names = progress_bar(list(LONGEST_S), desc="benchmarks")
    rows = [row for name in names for row in measured(name, wanted.rounds)]
    path = speed.write(rows, made_by | {"minutes": round((time.perf_counter() - began) / 60, 1)}, wanted.out)
    print("\n".join([*speed.spoken(rows), str(path)]))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
