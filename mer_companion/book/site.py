"""From records and notebooks to the published book: execute, write what pages quote, build strictly.

Everything written here lies under ``book/executed`` and ``book/generated`` and can be made again at any time.
"""

import json
import shutil
import sys
from concurrent.futures import as_completed
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

from mer_companion import diagrams, folders
from mer_companion.analysis import palette, speed, verdict_chart, verdict_tables
from mer_companion.analysis.page_tables import markdown
from mer_companion.book import (
    browser_model,
    budget,
    notebooks,
    pdf,
    promises,
    scale,
    status,
    web_assets,
)
from mer_companion.book.files import write_if_changed
from mer_companion.book.numbers import numbers
from mer_companion.reproduction import report, retraining
from mer_core import UserError, paths
from mer_core.device import cores, threads_of_children
from mer_core.processes import processes, run_script
from mer_core.progress import progress_bar

GENERATED = folders.BOOK / "generated"
HTML = paths.ROOT / "_build" / "html"


class BookError(UserError):
    """A book that must not be published; the message says what is wrong."""


def execute_notebooks(preset: str, only: tuple[str, ...] = (), **values) -> None:
    """Run the text notebooks at a preset, with further parameters, side by side; the executed ones become
    pages of the book.

    Those that were executed before from the same source, parameters, code, records and libraries are left as
    they are. Those that are not requested and were never executed become pages without results (`pending`).

    Raises
    ------
    NotebookError : an unknown notebook, or a cell that failed
    """
    by_name = {source.stem: source for source in notebooks.sources()}
    if unknown := set(only) - set(by_name):
        raise notebooks.NotebookError(f"no notebook {sorted(unknown)}; there are {sorted(by_name)}")
    targets = {name: folders.EXECUTED / f"{name}.ipynb" for name in by_name}
    chosen = set(only) or set(by_name)
    for name in by_name.keys() - chosen:
        if not targets[name].exists():
            notebooks.keep_unexecuted(by_name[name], targets[name])
    wanted = {
        name: {"preset": preset} | notebooks.fitting(by_name[name], values)
        for name in by_name
        if name in chosen
    }
    jobs = [
        (by_name[name], targets[name], own)
        for name, own in wanted.items()
        if not notebooks.up_to_date(by_name[name], targets[name], **own)
    ]
    workers = min(cores(), max(1, len(jobs)))
    done = len(wanted) - len(jobs)
    with (
        threads_of_children(max(1, cores() // workers)),
        processes(workers) as executor,
        progress_bar(total=len(wanted), initial=done, desc="notebooks", unit="notebook") as bar,
    ):
        begun = [executor.submit(notebooks.execute, source, target, **own) for source, target, own in jobs]
        for job in as_completed(begun):
            job.result()
            bar.update()


def pending() -> list[str]:
    """The notebooks whose pages show no results, because they were never executed."""
    return [
        source.stem
        for source in notebooks.sources()
        if not notebooks.is_executed(folders.EXECUTED / f"{source.stem}.ipynb")
    ]


def write_generated() -> None:
    """Write the numbers, the tables, the diagrams and the chart of verdicts that pages include.

    Raises
    ------
    RecordError : the main experiment has no records
    """
    known = numbers()
    notebooks.write_figure(folders.EXECUTED / notebooks.FIGURES, "fig-growth", scale.figure_files())
    judged = verdict_tables.table(known)
    files = {
        "numbers.json": json.dumps(known, indent=1, sort_keys=True),
        "status.md": markdown(status.status_table()),
        "experiments.md": markdown(status.experiments_table()),
        "budget.md": markdown(budget.table(known)),
        "behind.json": json.dumps(status.behind_pages(), indent=1),
        "verdicts.md": markdown(verdict_tables.counted(judged)),
        "verdict-chart.html": verdict_chart.page(verdict_tables.drawn(judged, known)),
        "reruns.md": markdown(retraining.table("cpu")),
        "drift.md": report.page(),
        "benchmarks.md": speed.page(),
        "promise.md": promises.page(),
    }
    files |= scale.pages()
    files |= {f"diagrams/{name}.html": diagrams.figure(name) for name in diagrams.DIAGRAMS}
    for name, text in files.items():
        write_if_changed(GENERATED / name, text.encode())


MADE_BY_SPHINX = {"genindex", "search"}
SHAPES = ("_ext/*.py", "_style/*", "_templates/**/*.html")  # of every page; Sphinx does not look at them


def listed() -> list[str]:
    """All pages in the order of the table of contents, without suffix."""
    toc = yaml.safe_load((folders.BOOK / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def build(folder: Path = paths.ROOT, *, strict: bool = True, quiet: bool = False) -> Path:
    """Build the book as static HTML in the folder's ``_build``, offline; returns its first page.

    When it is `strict`, as for every book with all its pages, each warning is an error.

    Pages whose sources are as they were at the last build are left alone; where one has been removed, or our
    extensions or style have changed, all are built anew.
    """
    site = folder / HTML.relative_to(paths.ROOT)
    if is_outdated(site):
        shutil.rmtree(site.parent)
    missing = list(filter(None, (web_assets.gather(), browser_model.gather())))
    write_if_changed(web_assets.FOLDER / "palette.css", palette.css().encode())
    program = Path(sys.executable).with_name("jupyter-book")
    how = [*(["-W", "-n", "--keep-going"] if strict else []), *(["-q"] if quiet else [])]
    write_if_changed(unfinished(site), b"")
    status = run_script(program, "build", folders.BOOK, "--path-output", folder, *how)
    unfinished(site).unlink()
    if status:
        raise BookError("the book has warnings or errors (above); every one must be fixed to publish it.")
    if strict and (found := faults(site)):
        raise BookError(f"{len(found)} faults in the built pages:\n  " + "\n  ".join(found))
    for said in missing:
        print(said, file=sys.stderr)
    return site / "index.html"


def unfinished(site: Path) -> Path:
    """A file that is there while a site is built, and after a build that was killed."""
    return site.with_name("unfinished")


def is_outdated(site: Path) -> bool:
    """Whether a site holds pages that are gone, is older than what shapes every page, or half built.

    A page that was half written is newer than its source: Sphinx would leave it so.
    """
    last = site / "searchindex.js"  # the last file that a build writes
    if not last.exists() or unfinished(site).exists():
        return site.parent.exists()
    built = {path.relative_to(site).with_suffix("").as_posix() for path in pages_of(site)}
    shapes = [path for pattern in SHAPES for path in folders.BOOK.glob(pattern)]
    changed = any(path.stat().st_mtime > last.stat().st_mtime for path in shapes)
    return changed or bool(built - set(listed()) - MADE_BY_SPHINX)


def pages_of(site: Path) -> list[Path]:
    """The pages of a built site."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def to_pdf() -> Path:
    """Print the book as built to one PDF beside it."""
    return pdf.to_pdf(HTML, listed(), HTML.with_name("mer-companion.pdf"))


def faults(site: Path) -> list[str]:
    """What Sphinx misses in built pages: dead local links, pictures without alt text, network scripts."""
    read = {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in pages_of(site)}
    anchors = {path.resolve(): {tag["id"] for tag in page.find_all(id=True)} for path, page in read.items()}
    found = []
    for path, page in read.items():
        name = path.relative_to(site)
        for image in page.select("img, svg[role=img]"):
            described = [page.find(id=own) for own in image.get("aria-labelledby", "").split()]
            alt = (
                image.get("alt") or image.get("aria-label") or " ".join(one.text for one in described if one)
            )
            if not alt or alt.endswith((".png", ".svg")):  # without a text of ours the alt is the file's name
                found.append(f"{name}: {image.get('src') or image.get('id')} has no alt text")
        for element in page.select("a[href], link[href]:not([rel=canonical]), img[src], script[src]"):
            link = element.get("href") or element.get("src")
            if fault := _fault(path, link, element.name, anchors):
                found.append(f"{name}: {fault}")
    return found


def _fault(page: Path, link: str, tag: str, anchors: dict[Path, set[str]]) -> str | None:
    """Why a link of a page leads nowhere, or None."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return f"{link} needs the network" if tag != "a" and url.scheme != "data" else None
    target = (page.parent / unquote(url.path)).resolve() if url.path else page.resolve()
    if not target.exists():
        return f"{link} does not exist"
    if url.fragment and target in anchors and unquote(url.fragment) not in anchors[target]:
        return f"{link}: no such place on that page"
    return None
