"""Engines compared: the table that ``python -m tests.cluster --record`` writes, for terminals and a page."""

import json
import platform
from pathlib import Path

from mer_companion import folders, provenance, results
from mer_companion.analysis.markdown import table_of, version_of

RIGHT, WRONG = "equal to the last digit", "NOT EQUAL"


def path() -> Path:
    return folders.RESULTS / "cluster.json"


def write(rows: list[dict]) -> Path:
    """Write the table; rows of engines that were not tried now are kept."""
    made = {"made": provenance.timestamp(), "code": provenance.code_state()}
    here = {"python": platform.python_version(), "processor": provenance.processor()}
    before = json.loads(path().read_text(encoding="utf-8"))["rows"] if path().exists() else []
    fresh = {row["engine"]: row | made for row in rows}
    kept = {row["engine"]: row for row in before}
    results.write_json(path(), {"environment": here, "rows": list((kept | fresh).values())})
    return path()


def is_right(row: dict) -> bool:
    """Whether all records of an engine arrived, once, equal to the serial run's, or it was left out."""
    if "left_out" in row:
        return True
    whole = "failed" not in row and row["records"] == row["expected"] and not row["trained_again"]
    return whole and row["equal"]


def spoken(row: dict) -> str:
    """A row as a line for a terminal."""
    if reason := row.get("left_out"):
        return f"{row['engine']}: left out, {reason}"
    if reason := row.get("failed"):
        return f"{row['engine']}: FAILED after {row['seconds']} s, {reason}"
    lost = f"lost: {row['lost']}; " if row["lost"] else ""
    arrived = f"{row['records']} of {row['expected']} records, {row['trained_again']} networks trained again"
    rendered = f"; rendered {row['rendered']}" if row.get("rendered") else ""
    verdict = RIGHT if row["equal"] else WRONG
    return f"{row['engine']}: {row['jobs']} jobs, {lost}{arrived}; {verdict}{rendered} ({row['seconds']} s)"


def shown(row: dict) -> dict[str, str]:
    """A row as the page has it."""
    if reason := row.get("left_out") or row.get("failed"):
        return {"engine": row["engine"], "result": reason}
    return {
        "engine": row["engine"],
        "jobs": row["jobs"],
        "lost in the middle": row["lost"] or "nothing",
        "records": f"{row['records']} of {row['expected']}",
        "finished networks trained again": row["trained_again"],
        "result": RIGHT if row["equal"] else WRONG,
    }


def page() -> str:
    """The last table in Markdown."""
    if not path().exists():
        return "None yet.\n"
    report = json.loads(path().read_text(encoding="utf-8"))
    versions = {(row["made"][:10], version_of(row["code"])) for row in report["rows"]}
    made = " ".join(f"Made {day} with the code of {version}." for day, version in sorted(versions))
    rendered = [row["rendered"] for row in report["rows"] if row.get("rendered")]
    midi = f" MIDI files rendered on the dask workers: {rendered[0]}." if rendered else ""
    return f"{table_of([shown(row) for row in report['rows']])}\n\n{made}{midi}\n"
