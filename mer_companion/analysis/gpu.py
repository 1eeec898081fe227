"""Training on a GPU: the table that ``python -m benchmarks.gpu --json FILE`` writes, for a page. No torch."""

import json
from pathlib import Path

from mer_companion import folders
from mer_companion.analysis.growth import NOT_MEASURED
from mer_companion.analysis.markdown import table_of

NETWORKS = (
    "VGG16", "slim VGG", "head on MusiCNN's features", "MusiCNN, all of it", "CRNN", "EfficientNet-B0",
)  # fmt: skip


def path() -> Path:
    return folders.RESULTS / "gpu.json"


def shown(row: dict) -> dict[str, str]:
    """A measured row as the page has it."""
    rate, share = row["windows_per_s"], row["share"]
    return {
        "network": row["name"],
        "batch": row["batch"],
        "method": row["method"],
        "processes": row["processes"],
        "windows a second": NOT_MEASURED if rate is None else f"{rate:.0f}",
        "share of the matrix product": NOT_MEASURED if share is None else f"{100 * share:.0f} %",
    }


def page() -> str:
    """The last table in Markdown; without one, what has not been measured."""
    if not path().exists():
        return f"Not measured yet: {', '.join(NETWORKS)}.\n"
    report = json.loads(path().read_text(encoding="utf-8"))
    agreed = sum(row["agrees"] for row in report["agreement"])
    device, cases = report["environment"]["device"], len(report["agreement"])
    said = f"{device}; losses agree with the CPU in {agreed} of {cases} cases."
    return f"{table_of([shown(row) for row in report['rows']])}\n\n{said}\n"
