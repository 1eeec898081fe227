"""Whether the tracked records can be believed: what was changed by hand, or fits nothing else.

``files``     every digest: of the JSON of a record, of all that it names, of the manifest that lists them
``settings``  that a record is of the run that its name says, and its headline that of its metrics
``numbers``   metrics and comparisons made again from predictions (`checks.among_records`, `scored_again`)
``networks``  recorded folds trained again (`checks.sampled_again`)

Who changes a record and renews its digest is found by the manifest; who renews that too, by the numbers,
where the truth is at hand; what rests on no prediction (cost, code, environment), by git alone.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from mer_companion import experiments, folders, record_files, results
from mer_companion.reproduction import checks, report
from mer_companion.results import RecordError


class Fault(NamedTuple):
    """What is wrong, and where."""

    source: str  # a file below the folder of results, or a record
    reason: str


def verify(n_reruns: int = 0, only: tuple[str, ...] = ()) -> tuple[list[Fault], list[str]]:
    """All faults of the tracked records, and what was compared and left out, as lines.

    Numbers are only made again where no file has a fault: records that are damaged cannot be read.

    Parameters
    ----------
    n_reruns : folds to train again, drawn at random
    only : experiments whose numbers are made again; none named: all
    """
    if faults := of_files():
        return faults, ["files: faults; the numbers were not made again"]
    levels = [checks.among_records(), checks.scored_again(only)]
    levels += [checks.sampled_again(n_reruns)] if n_reruns else []
    levels = [level for level in levels if level.rows or level.left_out]
    rows = report.judged([level for level in levels if level.rows])
    drifted = report.plain(rows[~rows["inside"]])
    summaries = [report.summary(level, rows[rows["level"] == level.name]) for level in levels]
    lines = [f"files: {len(record_files.listed())} as the manifest lists them"]
    lines += report.lines_of(summaries)
    return [Fault(row["source"], f"{row['number']}: {report.in_words(row)}") for row in drifted], lines


def of_files() -> list[Fault]:
    """All that needs no number to be made again."""
    return [*listed_otherwise(), *unsound_records(), *unsound_comparisons()]


def listed_otherwise() -> list[Fault]:
    """Files that are not as the manifest lists them, that are gone, or that it does not list."""
    path = record_files.manifest_path()
    if not path.exists():
        return [Fault(path.name, "there is no manifest. Make it: mer records compact")]
    lines = path.read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {file.relative_to(folders.RESULTS).as_posix(): file for file in record_files.listed()}
    gone = [Fault(name, "is listed in the manifest, but gone") for name in listed if name not in there]
    new = [Fault(name, "is not in the manifest") for name in there if name not in listed]
    changed = [
        Fault(name, "is not as the manifest lists it")
        for name, file in there.items()
        if name in listed and hashlib.sha256(file.read_bytes()).hexdigest() != listed[name]
    ]
    return gone + new + changed


def unsound_records() -> list[Fault]:
    """Records whose digests do not fit, whose arrays are missing or others, or which are of another run."""
    known = {
        (name, preset, label, run.run_id): run.config()
        for preset in results.TRACKED
        for name, experiment in experiments.EXPERIMENTS.items()
        if preset in experiment.presets
        for label, run in experiments.jobs(name, preset)
    }
    paths = [path for preset in results.TRACKED for path in sorted(results.folder(preset).glob("*.json"))]
    found = [(path, reason_against(path, known)) for path in paths]
    return [Fault(relative(path), reason) for path, reason in found if reason]


def reason_against(path: Path, known: dict[tuple, dict]) -> str | None:
    """Why a record cannot be believed, or None."""
    try:
        record = results.load(path)
        arrays = results.predictions(record)
        if "headline" in record and record["headline"] != results.headline(record):
            return "its headline is not that of its metrics"
        if results.path_of(record) != path or len(arrays["track"]) != record["data"]["n_tested"]:
            return "its name or its number of songs is not that of its run"
        run = tuple(record[name] for name in ("experiment", "preset", "label", "run_id"))
        if run in known and not results.same_settings(record["config"], known[run]):
            return "its settings are not those of its run"
    except (RecordError, KeyError, TypeError, ValueError) as error:
        return f"cannot be read: {error}"
    return None


def unsound_comparisons() -> list[Fault]:
    """Comparisons that cannot be read."""
    found = []
    for preset in results.TRACKED:
        for path in sorted(results.folder(preset).glob("comparisons/*")):
            try:
                results.rows_of_comparison(path)
            except RecordError as error:
                found.append(Fault(relative(path), str(error)))
    return found


def relative(path: Path) -> str:
    return path.relative_to(folders.RESULTS).as_posix()
