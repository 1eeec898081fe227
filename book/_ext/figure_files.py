"""Below every figure of a notebook: links to the same figure as SVG and PDF, and to its data as CSV.

The files lie in ``executed/figures`` (`mer_core.notebooks.keep_figures`) and are copied beside the pages.
"""

import shutil
from pathlib import Path

from bs4 import BeautifulSoup

FOLDER = "figures"


def with_links(app, pagename, templatename, context, doctree):
    if not pagename.startswith("executed/") or "body" not in context:
        return
    page = BeautifulSoup(context["body"], "html.parser")
    for figure in page.find_all("figure", id=True):
        files = sorted(Path(app.srcdir, "executed", FOLDER).glob(f"{figure['id']}.*"))
        if not files or figure.figcaption is None:
            continue
        links = page.new_tag("p", attrs={"class": "figure-files"})
        for file in files:
            link = page.new_tag("a", href=f"{FOLDER}/{file.name}", download=file.name)
            link.string = file.suffix[1:].upper()
            links.extend([link, " "])
        figure.figcaption.append(links)
    context["body"] = str(page)


def copied(app, exception):
    if exception is None and app.builder.format == "html":
        source = Path(app.srcdir, "executed", FOLDER)
        if source.exists():
            shutil.copytree(source, Path(app.outdir, "executed", FOLDER), dirs_exist_ok=True)


def setup(app):
    app.connect("html-page-context", with_links)
    app.connect("build-finished", copied)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
