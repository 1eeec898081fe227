"""Buttons and downloads that lead to notebooks which exist: those in ``notebooks/ipynb``, without outputs,
which the page shows.

The theme takes the page's own file for the notebook, which is made when the book is built and lies in no
repository.
"""

import json
from pathlib import Path
from urllib.parse import urlencode

from mer_companion.book import ipynb, notebooks
from mer_core import paths

PAGES, KEPT = "executed/", f"{ipynb.FOLDER.relative_to(paths.ROOT).as_posix()}/"
LINK_MAKER = "https://nbgitpuller.readthedocs.io/en/latest/link.html"  # for readers with a JupyterHub


def with_right_targets(app, pagename, templatename, context, doctree):
    if not pagename.startswith(PAGES):
        return
    repository = ipynb.settings()["repository"]
    wrong, right = f"{repository['path_to_book']}/{PAGES}", KEPT
    for group in context["header_buttons"]:
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["url"] = button["url"].replace(wrong, right)
            group["buttons"].append(to_a_hub(repository, pagename))


def to_a_hub(repository: dict, pagename: str) -> dict:
    """A button to the page that makes a link for the reader's own JupyterHub, filled in but for the hub."""
    path = f"{KEPT}{Path(pagename).name}.ipynb"
    wanted = {
        "repo": repository["url"],
        "branch": repository["branch"],
        "app": "jupyterlab",
        "filepath": path,
    }
    return {
        "type": "link",
        "text": "JupyterHub",
        "tooltip": "Make a link for your JupyterHub",
        "icon": "_static/images/logo_jupyterhub.svg",
        "url": f"{LINK_MAKER}?{urlencode(wanted, safe='/')}",
    }


def notebooks_to_run(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    known = json.loads(Path(app.srcdir, app.config.results_json).read_text(encoding="utf-8"))
    for source in notebooks.sources():
        if (path := Path(app.outdir, "_sources", PAGES, f"{source.stem}.ipynb")).exists():
            path.write_text(ipynb.paired(source, known), encoding="utf-8")


def setup(app):
    app.connect("html-page-context", with_right_targets, priority=900)  # after the theme has made its buttons
    app.connect("build-finished", notebooks_to_run)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
