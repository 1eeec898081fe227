"""At the end of a page made by a notebook: which notebook, which records it shows, how to make them again, at what cost.

From ``generated/behind.json``, which `mer_core.book.behind_pages` writes.
"""

import json
from html import escape
from pathlib import Path


def with_what_is_behind(app, pagename, templatename, context, doctree):
    behind = json.loads(Path(app.srcdir, "generated", "behind.json").read_text(encoding="utf-8"))
    if pagename not in behind or "body" not in context:
        return
    notebook = f"notebooks/{pagename.rpartition('/')[2]}.py"
    rows = "".join(
        f"<tr><td><code>{escape(row['command'])}</code></td><td>{row['runs']}</td><td>{escape(row['cost'])}</td>"
        f"<td>{escape(', '.join(row['commits']))}</td></tr>"
        for row in behind[pagename]
    )
    head = "".join(f"<th>{name}</th>" for name in ("Makes the records shown", "Runs", "Cost", "Commits"))
    records = f"<table class='table'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    context["body"] += (
        f"<section id='behind-this-page'><h2>Behind this page</h2><p>Notebook: <code>{notebook}</code>. Make the page again: "
        f"<code>mer book --notebook {notebook.split('/')[1][:-3]}</code>. Every record, with its cost, machine and commit: "
        f"<a href='{context['pathto']('status')}'>status</a>.</p>{records}</section>"
    )


def setup(app):
    app.connect("html-page-context", with_what_is_behind)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
