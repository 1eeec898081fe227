"""The regression report: numbers as recorded and as made again, counted, as a page and as lines."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mer_companion import folders, provenance, results
from mer_companion.analysis.markdown import page_of, version_of
from mer_core import paths

LISTED = 200  # drifted rows in the report; every row lies in `table_path`
SHOWN = 20  # of them on a terminal, and on the page
LARGEST = 5  # of a level, of the differences within their tolerance
COLUMNS = ["level", "source", "number", "recorded", "now", "tolerance"]


@dataclass
class Level:
    """What one level found: a row per number, the records' environments, and what was left out, and why."""

    name: str
    rows: list[pd.DataFrame] = field(default_factory=list)
    environments: list[dict] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)

    def compare(
        self,
        source: str,
        recorded: dict[str, float],
        now: dict[str, float],
        tolerance: float | dict[str, float],
    ) -> None:
        """Add the numbers of one source, by name; with one tolerance, or one for each number."""
        rows = (
            pd.DataFrame({"recorded": recorded, "now": now}, dtype=float).rename_axis("number").reset_index()
        )
        rows["tolerance"] = rows["number"].map(tolerance) if isinstance(tolerance, dict) else tolerance
        self.rows.append(rows.assign(level=self.name, source=source))


def path() -> Path:
    return folders.RESULTS / "drift.json"


def table_path() -> Path:
    return paths.CACHE / "drift.csv"


def write(levels: list[Level], made_by: dict) -> dict:
    """Write the report, in place of the last one, and in the cache a table of every number; gives the report.

    Parameters
    ----------
    made_by : ``minutes`` given to networks, ``code`` and ``environment`` as in records, when it began
    """
    rows = judged(levels)
    changed = [change for level in levels for change in changes(level, made_by["environment"])]
    report = {"made": provenance.timestamp()} | made_by | counted(levels, rows) | {"changed": changed}
    table_path().parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(table_path(), index=False)
    return results.write_json(path(), report)


def judged(levels: list[Level]) -> pd.DataFrame:
    """All rows with their ``difference`` and whether it is ``inside``; missing and new numbers are not."""
    rows = pd.concat([row for level in levels for row in level.rows], ignore_index=True)[COLUMNS]
    difference = (rows["now"] - rows["recorded"]).abs()
    return rows.assign(difference=difference, inside=difference <= rows["tolerance"])


def counted(levels: list[Level], rows: pd.DataFrame) -> dict:
    """Numbers compared and drifted per level, the drifted rows, and the largest differences of the others."""
    inside = rows[rows["inside"] & (rows["difference"] > 0)].sort_values("difference", ascending=False)
    return {
        "levels": [summary(level, rows[rows["level"] == level.name]) for level in levels],
        "drifted": plain(rows[~rows["inside"]].head(LISTED)),
        "largest_inside": plain(inside.groupby("level", sort=False).head(LARGEST)),
    }


def summary(level: Level, rows: pd.DataFrame) -> dict:
    """Counts of one level; ``largest`` is its largest difference, in whatever unit that number has."""
    differences = rows["difference"].dropna()
    return {
        "level": level.name,
        "sources": int(rows["source"].nunique()),
        "compared": len(rows),
        "identical": int((differences == 0).sum()),
        "drifted": int((~rows["inside"]).sum()),
        "gone": int(rows["now"].isna().sum()),
        "new": int(rows["recorded"].isna().sum()),
        "largest": float(differences.max()) if len(differences) else 0.0,
        "left_out": dict(level.left_out),
    }


def plain(rows: pd.DataFrame) -> list[dict]:
    """Rows as JSON has them; a number that is not there is null."""
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


def changes(level: Level, machine: dict) -> list[dict]:
    """Versions and machine that differ from those that a level's records were made with, and in how many."""
    found = Counter(
        (what, recorded, machine[what])
        for made in level.environments
        for what, recorded in made.items()
        if recorded != machine[what]
    )
    return [
        {"level": level.name, "what": what, "recorded": recorded, "now": now, "records": n}
        for (what, recorded, now), n in sorted(found.items(), key=str)
    ]


def total(report: dict) -> int:
    """How many numbers drifted."""
    return sum(level["drifted"] for level in report["levels"])


def lines_of(summaries: list[dict]) -> list[str]:
    """What each level compared, and what it left out and why."""
    lines = []
    for level in summaries:
        compared = (
            f"{level['compared']} numbers of {level['sources']} sources, {level['identical']} identical"
        )
        drifted = f"{level['drifted']} drifted ({level['gone']} gone, {level['new']} new)"
        lines.append(f"{level['level']}: {compared}, {drifted}")
        lines += [f"  left out, {why}: {n}" for why, n in level["left_out"].items()]
    return lines


def spoken(report: dict) -> list[str]:
    """The report as lines for a terminal."""
    lines = lines_of(report["levels"])
    shown = report["drifted"][:SHOWN]
    lines += [f"DRIFTED {row['source']}: {row['number']}: {in_words(row)}" for row in shown]
    if (n := total(report)) > SHOWN:
        lines.append(f"... and {n - SHOWN} more: {table_path()}")
    for row in report["changed"]:
        versions = f"{row['what']}, {row['recorded']} then, {row['now']} now"
        lines.append(f"changed since {row['records']} of the {row['level']}: {versions}")
    return lines


def in_words(row: dict) -> str:
    if row["now"] is None:
        return f"recorded {row['recorded']:.6g}, gone now"
    if row["recorded"] is None:
        return f"{row['now']:.6g} now, in no record"
    moved = f"moved by {row['difference']:.2g}, tolerance {row['tolerance']:.2g}"
    return f"recorded {row['recorded']:.6g}, now {row['now']:.6g}, {moved}"


def page() -> str:
    """The last report as tables in Markdown."""
    if not path().exists():
        return "None yet.\n"
    report = json.loads(path().read_text(encoding="utf-8"))
    made = {"made": report["made"], "commit": version_of(report["code"])}
    machine = made | {"minutes for networks": report["minutes"]} | report["environment"]
    compared = pd.DataFrame(report["levels"])
    compared["of these gone or new"] = compared["gone"] + compared["new"]
    compared["largest difference"] = compared["largest"].map("{:.2g}".format)
    names = [
        "level",
        "sources",
        "numbers",
        "identical",
        "drifted",
        "of these gone or new",
        "largest difference",
    ]
    left_out = [
        {"level": row["level"], "left out": why, "how many": n}
        for row in report["levels"]
        for why, n in row["left_out"].items()
    ]
    differences = [
        {name: row[name] for name in ("level", "source", "number")}
        | {"difference": in_words(row), "drifted": "no" if row["inside"] else "yes"}
        for row in [*report["drifted"][:SHOWN], *report["largest_inside"]]
    ]
    sections = {
        "Compared": compared.rename(columns={"compared": "numbers"})[names].to_dict("records"),
        "Left out": left_out,
        "Largest differences": differences,
        "Other versions, other machines": report["changed"],
        "This machine": [{"what": what, "now": str(now).replace("_", "-")} for what, now in machine.items()],
    }
    return page_of(sections)
