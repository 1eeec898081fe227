"""The ``{diagram}`` directive: a diagram of `mer_companion.diagrams` by its name, its caption as content.

From ``generated/diagrams``, where the book's build writes them. An unknown name is a warning, which the
strict build turns into an error.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

FOLDER = "generated/diagrams"
SCRIPT = "threshold.js"  # moves the one that has sliders
log = logging.getLogger(__name__)


class Diagram(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self):
        name = self.arguments[0]
        path = Path(self.env.srcdir, FOLDER, f"{name}.html")
        self.env.note_dependency(str(path))
        if not path.exists():
            log.warning("no diagram %s in %s", name, FOLDER, location=self.get_location())
            return []
        figure = nodes.figure(classes=["diagram", name], ids=[f"diagram-{name}"])
        figure += nodes.raw("", path.read_text(encoding="utf-8"), format="html")
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        if parsed.children:
            figure += nodes.caption("", "", *parsed[0].children)
        return [figure]


def with_script(app, pagename, templatename, context, doctree):
    if 'class="controls"' in context.get("body", ""):
        script = context["pathto"](f"_static/{SCRIPT}", 1)
        context["body"] += f'<script src="{script}"></script>'


def setup(app):
    app.add_directive("diagram", Diagram)
    app.connect("html-page-context", with_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
