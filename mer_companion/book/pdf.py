"""The book on paper: the articles of all built pages on one page, which a local Chromium prints as PDF."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from mer_core import UserError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIETLY = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WITHOUT_A_SCREEN = ("--headless", "--no-sandbox", "--disable-gpu", *QUIETLY)
MATHJAX = "_static/mathjax/tex-svg.js"
MATHJAX_OPTIONS = '{options: {processHtmlClass: "math"}}'  # as MyST does: it marks all else to be left alone
DRAWING_MS = 120_000  # of the page's own clock, which runs ahead while nothing happens


class PrintingError(UserError):
    """A book that could not be printed."""


def browser() -> str | None:
    """The program in MER_CHROMIUM, else the first Chromium or Chrome on the PATH."""
    return os.environ.get("MER_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def to_pdf(site: Path, pages: list[str], target: Path) -> Path:
    """Print these pages of a built site, in this order, as one PDF.

    Raises
    ------
    PrintingError : there is no Chromium, or it wrote nothing
    """
    program = browser()
    if program is None:
        known = f"no {', '.join(BROWSERS)} is on the PATH"
        raise PrintingError(
            f"printing needs a Chromium: {known}. Install one, or name yours in MER_CHROMIUM."
        )
    one = target.with_suffix(".html")
    one.write_text(on_one_page(site, pages, os.path.relpath(site, target.parent) + "/"), encoding="utf-8")
    target.unlink(missing_ok=True)
    options = [
        f"--virtual-time-budget={DRAWING_MS}",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
    ]
    command = [program, *WITHOUT_A_SCREEN, *options, f"--print-to-pdf={target}", one.resolve().as_uri()]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    if not target.exists():
        raise PrintingError(f"{program} printed nothing: {printed.stderr.strip()[-500:]}")
    return target


def on_one_page(site: Path, pages: list[str], to_site: str) -> str:
    """All pages' articles in one HTML page; links between pages become links inside it, files keep their
    place in the site.

    Parameters
    ----------
    site : folder of the built pages; pages : their names without suffix, the first one gives the head
    to_site : what leads from the folder of the one page to the site
    """
    whole = read(site, pages[0])
    whole.html["data-theme"] = whole.html["data-mode"] = "light"
    _point(whole.head, site, pages[0], pages, to_site)
    for script in whole.head.find_all("script"):
        script.decompose()
    whole.body.clear()
    whole.body.attrs = {"class": "on-paper"}
    for name in pages:
        article = read(site, name).select_one("article.bd-article")
        _point(article, site, name, pages, to_site)
        article["id"] = place(name)
        whole.body.append(article)
    for script in {tag["src"]: tag.extract() for tag in whole.body.find_all("script", src=True)}.values():
        whole.body.append(script)  # once each, when all that they draw is there
    if (site / MATHJAX).exists():
        whole.head.append(whole.new_tag("script", string=f"window.MathJax = {MATHJAX_OPTIONS}"))
        whole.head.append(whole.new_tag("script", src=to_site + MATHJAX, defer=""))
    return str(whole)


def read(site: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def place(page: str, anchor: str = "") -> str:
    """Where a page, or a place on it, is on the one page."""
    return "--".join(filter(None, [page.replace("/", "-"), anchor]))


def _point(part: Tag, site: Path, name: str, pages: list[str], to_site: str) -> None:
    """Make what a part of a page points to, and what points into it, right for the one page."""
    for element in part.find_all(id=True):
        if element.name != "svg" and element.find_parent("svg") is None:  # drawings have ids of their own
            element["id"] = place(name, element["id"])
    for element in part.find_all(lambda tag: tag.has_attr("href") or tag.has_attr("src")):
        attribute = "href" if element.has_attr("href") else "src"
        url = urlsplit(element[attribute])
        if url.scheme or url.netloc:
            continue
        page = site / f"{name}.html"
        file = page.parent.joinpath(unquote(url.path)).resolve() if url.path else page
        path = file.relative_to(site).as_posix()
        if element.name != "a":
            element[attribute] = to_site + path
        elif path.removesuffix(".html") in pages:
            element["href"] = "#" + place(path.removesuffix(".html"), unquote(url.fragment))
        else:  # a file: on paper there is nothing to open
            del element["href"]
