"""The ``{result}`` role: a number from the records, never typed by hand.

``{result}`key``` shows the number under that key, ``{result}`key:.3f``` formats it. An unknown key is a warning, which the
strict build turns into an error.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

log = logging.getLogger(__name__)


class Result(SphinxRole):
    def run(self):
        key, _, style = self.text.rpartition(":") if ":" in self.text else (self.text, "", "")
        path = Path(self.env.srcdir, self.config.results_json)
        self.env.note_dependency(str(path))
        try:
            value = json.loads(path.read_text(encoding="utf-8"))[key]
        except (OSError, KeyError):
            log.warning("no result %r in %s", key, path.name, location=self.get_location())
            return [nodes.Text(f"[missing {key}]")], []
        return [nodes.inline("", format(value, style))], []


def setup(app):
    app.add_config_value("results_json", "numbers.json", "env")
    app.add_role("result", Result())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
