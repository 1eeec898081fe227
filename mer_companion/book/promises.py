"""What is promised and how it is tested: a page whose counts come from the test run's own report. No torch.

``python -m pytest --report`` adds what it ran to ``data/results/tests.json``: counts for each test file, of
the ordinary tests and of the slow ones apart, each with its commit and time. ``python tests/mutation.py``
adds how many deliberate faults in the equations the tests find, ``python -m mer_companion.book.promises
coverage.json`` which share of each package's lines ran (``make coverage``).
"""

import json
import sys
from collections import Counter
from pathlib import Path

from mer_companion import folders, provenance, results
from mer_companion.analysis.markdown import page_of, version_of

COUNTED = ("passed", "failed", "skipped", "cases")  # cases: inputs tried within tests that count them
PROMISES = {  # and the test files, without "test_", that hold it
    "A number that is not finite is refused by name; it is never an answer, a record or a model": (
        "Drawn inputs and independent implementations of each equation",
        ("numerical_safety", "mixture", "metrics", "semi_supervised", "significance", "songs", "trained"),
    ),
    "A damaged annotation table is refused with its file and row, or read as it was meant": (
        "Every table of each data set: cut off, reordered, with impossible values, saved by other programs",
        ("damaged_tables", "datasets", "emotify", "valence_arousal_datasets", "rendered_datasets"),
    ),
    "Any file is read or refused in a sentence, in bounded time and memory": (
        "Changed bytes in sound files, tables, MIDI, models, archives and playlists",
        ("fuzz", "predict"),
    ),
    "A run that is killed goes on to the same result; two at once do no harm": (
        "Commands killed at random moments, full disks, closed folders, the same command twice at once",
        ("crash_safety", "files", "processes"),
    ),
    "Nothing in a file or a name is executed; no name changes the terminal or a page": (
        "A scan of all modules; names with control characters; the licence of each dependency",
        ("trust", "printing", "prediction_files", "rendered_book"),
    ),
    "A record that was changed is found": (
        "Each field of a record changed in turn",
        ("verify", "record_files"),
    ),
    "Folds keep artists apart, and the same seed gives the same result": (
        "Properties of folds and windows; runs that were stopped, resumed and repeated",
        ("splits", "frames", "runs", "methods"),
    ),
}


def path() -> Path:
    return folders.RESULTS / "tests.json"


def reported(to: Path | None = None) -> dict:
    """The report as it is; empty where there is none."""
    place = to or path()
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {"files": {}, "mutation": {}}


def add(part: str, rows: dict[str, dict], to: Path | None = None) -> Path:
    """Replace rows of a part of the report (``files``, ``mutation``, ``coverage``), each with today's commit
    and time.
    """
    report, made = reported(to), {"made": provenance.timestamp(), "code": provenance.code_state()}
    report.setdefault(part, {}).update({name: row | made for name, row in rows.items()})
    results.write_json(to or path(), report)
    return to or path()


def counted(report: dict, files: tuple[str, ...]) -> dict[str, int]:
    """Sums over some test files, ordinary and slow."""
    wanted = {f"test_{name}{kind}" for name in files for kind in ("", " (slow)")}
    rows = [row for name, row in report["files"].items() if name in wanted]
    return {what: sum(row[what] for row in rows) for what in COUNTED}


def covered(measured: dict) -> dict[str, dict[str, int]]:
    """Lines of each package, and those that ran, from what coverage writes as JSON."""
    packages: dict[str, Counter] = {}
    for name, file in measured["files"].items():
        summary = file["summary"]
        own = packages.setdefault(Path(name).parts[0], Counter())
        own.update(lines=summary["num_statements"], ran=summary["covered_lines"])
    return {name: dict(own) for name, own in sorted(packages.items())}


def page() -> str:
    """The promises with what was counted, as tables in Markdown."""
    report = reported()
    if not report["files"]:
        return "None yet.\n"
    promises = [
        {"promise": promise, "tested by": how} | counted(report, files)
        for promise, (how, files) in PROMISES.items()
    ]
    mutation = [
        {
            "module": f"`{name}`",
            "faults": row.get("of", row["tried"]),
            "tried": row["tried"],
            "found": row["killed"],
        }
        | {
            "not found": "; ".join(with_reasons(row)) or "none",
            "commit": version_of(row["code"]),
        }
        for name, row in sorted(report["mutation"].items())
    ]
    coverage = [
        {"package": name, "lines": row["lines"], "run by the ordinary tests": row["ran"]}
        | {"share": f"{row['ran'] / row['lines']:.1%}", "commit": version_of(row["code"])}
        for name, row in sorted(report.get("coverage", {}).items())
    ]
    runs = [
        {"tests": name.removeprefix("test_").replace("_", " ")}
        | {what: row[what] for what in COUNTED}
        | {"run": row["made"], "commit": version_of(row["code"])}
        for name, row in sorted(report["files"].items())
    ]
    return page_of(
        {"Promises": promises, "Deliberate faults": mutation}
        | ({"Lines that tests run": coverage} if coverage else {})
        | {"Test runs": runs}
    )


def with_reasons(row: dict) -> list[str]:
    """The faults that no test found, each with why that is no matter where somebody has looked at it."""
    reasons = row.get("reasons", {})
    return [f"`{fault}`" + (f" ({reasons[fault]})" if fault in reasons else "") for fault in row["survivors"]]


if __name__ == "__main__":
    print(add("coverage", covered(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
