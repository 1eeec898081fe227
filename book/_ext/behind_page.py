"""At the end of a page made by a notebook: which notebook, which records it shows, how to make them again, at
what cost.

From ``generated/behind.json``, which `mer_companion.book.status.behind_pages` writes.
"""

import json
from html import escape
from pathlib import Path

from mer_companion.book import ipynb


def with_what_is_behind(app, pagename, templatename, context, doctree):
    behind = json.loads(Path(app.srcdir, "generated", "behind.json").read_text(encoding="utf-8"))
    if pagename not in behind or "body" not in context:
        return
    name, url = pagename.rpartition("/")[2], ipynb.settings()["repository"]["url"]
    head = "".join(f"<th>{title}</th>" for title in ("Makes the records shown", "Runs", "Cost", "Commits"))
    rows = "".join(row_of(row, url) for row in behind[pagename])
    table = (
        f"<table class='table'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    )
    notebook = f"<a href='{url}/blob/main/notebooks/{name}.py'><code>notebooks/{name}.py</code></a>"
    again = f"Make the page again: <code>mer book --notebook {name}</code>."
    status = f"<a href='{context['pathto']('status')}'>status</a>"
    context["body"] += (
        f"<section id='behind-this-page'><h2>Behind this page</h2><p>Notebook: {notebook}. {again} "
        f"Every record, with its cost, machine and commit: {status}.</p>{table}</section>"
    )


def row_of(row: dict, url: str) -> str:
    """One experiment: its command, how many runs, what they cost, and the commits that made them."""
    commits = ", ".join(f"<a href='{url}/tree/{commit}'>{commit}</a>" for commit in row["commits"])
    cells = (f"<code>{escape(row['command'])}</code>", row["runs"], escape(row["cost"]), commits)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def setup(app):
    app.connect("html-page-context", with_what_is_behind)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
