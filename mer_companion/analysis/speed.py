"""How fast it is: the table that ``python -m benchmarks`` writes, for terminals and a page. No torch."""

import json
import re
from pathlib import Path

from mer_companion import folders, provenance, results
from mer_companion.analysis.markdown import page_of, version_of

# ratio: theirs_s / ours_s, medians over rounds; ratio_low, ratio_high: of single rounds; left_out: why none
COLUMNS = ("benchmark", "question", "ours", "theirs", "ours_s", "theirs_s")
COLUMNS += ("ratio", "ratio_low", "ratio_high", "unit", "rounds", "note", "left_out")


def path() -> Path:
    return folders.RESULTS / "benchmarks.json"


def write(rows: list[dict], made_by: dict, to: Path) -> Path:
    """Write a table of rows (each with COLUMNS), in place of the last one, whole or not at all.

    Parameters
    ----------
    made_by : ``minutes`` it took, ``code`` and ``environment`` as in records, the latter with ``processor``,
        ``instruction_set`` and ``bf16_native``
    """
    results.write_json(to, {"made": provenance.timestamp()} | made_by | {"rows": rows})
    return to


def spoken(rows: list[dict]) -> list[str]:
    """Rows as lines for a terminal."""
    lines = []
    for row in rows:
        lines.append(f"{ratio_of(row):>24}  {row['question']}")
        if not row["left_out"]:
            sides = f"{row['theirs']}: {row['theirs_s']:.3g} s; {row['ours']}: {row['ours_s']:.3g} s"
            lines.append(f"{'':>24}  {sides} ({row['unit']}, {row['rounds']} rounds)")
        lines += [f"{'':>24}  {row['note']}"] if row["note"] else []
    return lines


def ratio_of(row: dict) -> str:
    """How many times as long the other side takes, with the range over single rounds; or why nobody knows."""
    if row["left_out"]:
        return f"left out: {row['left_out']}"
    middle, low, high = (times(row[name]) for name in ("ratio", "ratio_low", "ratio_high"))
    return f"{middle} ({low} to {high})"


def times(ratio: float) -> str:
    """A ratio in hundredths, from ten on as a whole number.

    >>> times(0.876), times(21.6)
    ('0.88', '22')
    """
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def page() -> str:
    """The last table in Markdown, with the machine that it was made on."""
    if not path().exists():
        return "None yet.\n"
    report = json.loads(path().read_text(encoding="utf-8"))
    made = {"made": report["made"], "commit": version_of(report["code"]), "minutes": report["minutes"]}
    machine = (made | report["environment"]).items()
    sections = {
        "Side by side": [shown(row) for row in report["rows"]],
        "The machine": [{"what": what.replace("_", " "), "here": spelt(here)} for what, here in machine],
    }
    return page_of(sections)


REWORDED = {  # of reports made before the benchmarks said it in these words
    "test songs called rightly, mean over seeds": "accuracy on test songs, mean over seeds",
    "not the same answers": "the two predict different attributes",
    "all labels believed": "all labels trusted",
    "the same, the other side in bf16": "the same, the alternative in bf16",
    ", as the device has it": "",
    "tag by tag and draw by draw": "in a loop over tags and resamples",
    "draw by draw": "in a loop over resamples",
    " bands x ": " bands × ",
}
NAMED_CODE = re.compile(r"\b(?:\w+\.)*\w+_\w+\b")  # sklearn.metrics.f1_score


def spelt(value) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value).replace("_", "-")


def shown(row: dict) -> dict[str, str]:
    """A row as the page has it."""
    seconds = {side: "" if row["left_out"] else f"{row[f'{side}_s']:.3g}" for side in ("ours", "theirs")}
    return {
        "question": reworded(row["question"]),
        "ratio": ratio_of(row),
        "alternative": NAMED_CODE.sub(r"`\g<0>`", reworded(row["theirs"])),
        "its seconds": seconds["theirs"],
        "ours": row["ours"],
        "our seconds": seconds["ours"],
        "for": row["unit"],
        "rounds": row["rounds"] or "",
        "note": reworded(row["note"]),
    }


def reworded(text: str) -> str:
    for before, now in REWORDED.items():
        text = text.replace(before, now)
    return text
