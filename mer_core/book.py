"""From records and notebooks to the published book: execute, write what pages quote, build strictly.

Everything written here lies under ``book/executed`` and ``book/generated`` and can be made again at any time.
"""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from tqdm import tqdm

from mer_core import UserError, experiments, figures, notebooks, paths, results

GENERATED = paths.BOOK / "generated"
HTML = paths.ROOT / "_build" / "html"


class BookError(UserError):
    """A book that must not be published; the message says what is wrong."""


def execute_notebooks(preset: str, only: tuple[str, ...] = ()) -> None:
    """Run the text notebooks at a preset; the executed ones become pages of the book.

    Raises
    ------
    NotebookError : an unknown notebook, or a cell that failed
    """
    by_name = {source.stem: source for source in notebooks.sources()}
    if unknown := set(only) - set(by_name):
        raise notebooks.NotebookError(f"no notebook {sorted(unknown)}; there are {sorted(by_name)}")
    for name in tqdm(only or by_name, desc="notebooks", unit="notebook"):
        notebooks.execute(by_name[name], paths.EXECUTED / f"{name}.ipynb", preset=preset)


def numbers() -> dict[str, float | int | str]:
    """Every number that a page may quote, by key, computed from records and cards.

    Metrics have the key ``experiment/preset/label/target/decision/metric`` and, with ``/low`` and ``/high`` behind it, the ends
    of their 95 % interval.
    """
    found: dict[str, float | int | str] = {}
    for name in experiments.EXPERIMENTS:
        for record in results.first_seed(results.find(name, "cpu")):
            stem = f"{name}/cpu/{record['label']}"
            found |= {f"{stem}/minutes": record["cost"]["seconds"] / 60, f"{stem}/n": record["data"]["n_tested"]}
            for m in record["metrics"]:
                if m["part"] == "test" and m["fold"] == "all":
                    key = f"{stem}/{m['target']}/{m['decision']}/{m['name']}"
                    found |= {key: m["value"], f"{key}/low": m["low"], f"{key}/high": m["high"]}
        found |= differences(name)
    for row in results.published().itertuples():
        found[f"published/{row.paper}/{row.table}/{row.dataset}/{row.system}/{row.metric}"] = row.value / 100
    return found


def differences(experiment: str) -> dict[str, float]:
    """Accuracy of each run less that of ``inherit``, paired by song, with its interval; empty without such records."""
    records = {r["label"]: r for r in results.first_seed(results.find(experiment, "cpu"))}
    found = {}
    for label in set(records) - {"inherit"} if "inherit" in records else ():
        for decision in ("svm", "mean_probability"):
            value, low, high = results.accuracy_difference(records[label], records["inherit"], decision)
            stem = f"{experiment}/cpu/{label}-less-inherit/{decision}"
            found |= {stem: value, f"{stem}/low": low, f"{stem}/high": high}
    return found


def status_table() -> pd.DataFrame:
    """One row per record: what was run, when, where, at what cost, by which code."""
    rows = [
        {
            "experiment": r["experiment"], "run": r["label"], "preset": r["preset"], "seed": r["config"]["seed"],
            "made": r["created"][:10],
            "songs tested": r["data"]["n_tested"], "minutes": round(r["cost"]["seconds"] / 60, 1),
            "device": f"{r['environment']['device']}, {r['environment']['threads']} threads",
            "torch": r["environment"]["torch"], "commit": r["code"]["commit"] + (" (modified)" if r["code"]["modified"] else ""),
            "record": r["run_id"],
        }
        for preset in experiments.PRESETS if preset != "smoke"
        for name in experiments.EXPERIMENTS
        for r in results.find(name, preset)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def write_generated() -> None:
    """Write the numbers, the status table and the index figure that pages include."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    (GENERATED / "numbers.json").write_text(json.dumps(numbers(), indent=1, sort_keys=True))
    status = status_table()
    text = status.to_markdown(index=False) if len(status) else "No record yet."
    (GENERATED / "status.md").write_text(text + "\n")
    records = results.first_seed(results.find("segments_to_songs", "cpu"))
    if records:
        headline(records).savefig(GENERATED / "headline.svg", metadata={"Date": None})


def headline(records: list[dict]) -> Figure:
    """Song accuracy of each method with its interval, beside the figures that the paper prints."""
    rows = results.pooled(records, "accuracy", "svm").assign(name=lambda t: t["label"].map(figures.method_name))
    paper = {figures.method_name("self_learning"): results.printed("4Q", "Proposed", "four_class_accuracy")}
    return figures.intervals(rows, "Accuracy on 900 songs, four quadrants", paper)


def build() -> Path:
    """Build the book as static HTML, offline, with every warning an error; returns its first page."""
    command = [sys.executable, "-m", "jupyter_book", "build", str(paths.BOOK), "--all", "-W", "-n", "--keep-going"]
    if subprocess.run(command, check=False).returncode:
        raise BookError("the book has warnings or errors (above); every one must be mended before it is published.")
    if found := faults(HTML):
        raise BookError(f"{len(found)} faults in the built pages:\n  " + "\n  ".join(found))
    return HTML / "index.html"


def faults(site: Path) -> list[str]:
    """What Sphinx does not see in built pages: dead local links and anchors, pictures without alt text, network scripts."""
    pages = {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in sorted(site.rglob("*.html"))}
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site)
        for image in page.find_all("img"):
            alt = image.get("alt", "")
            if not alt or alt.endswith((".png", ".svg")):  # without a text of ours the alt is the file's name
                found.append(f"{name}: {image.get('src')} has no alt text")
        for tag, attribute in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
            for element in page.find_all(tag, **{attribute: True}):
                if (fault := _fault(path, element[attribute], tag, anchors)) and element.get("rel") != ["canonical"]:
                    found.append(f"{name}: {fault}")
    return found


def _fault(page: Path, link: str, tag: str, anchors: dict[Path, set[str]]) -> str | None:
    """Why a link of a page leads nowhere, or None."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return f"{link} needs the network" if tag in ("script", "link", "img") and url.scheme != "data" else None
    target = (page.parent / unquote(url.path)).resolve() if url.path else page.resolve()
    if not target.exists():
        return f"{link} does not exist"
    known = {path.resolve(): ids for path, ids in anchors.items()}
    if url.fragment and target in known and unquote(url.fragment) not in known[target]:
        return f"{link}: no such place on that page"
    return None
