"""The ``{result}`` and ``{interval}`` roles: numbers from the records, never typed by hand.

``{result}`key``` shows the number under that key, ``{result}`key:.3f``` formats it; ``{interval}`key:.3f```
shows it with the ends of its 95 % interval: 0.637 (0.605 to 0.669). An unknown key is a warning, which the
strict build turns into an error.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from mer_companion.book.ipynb import spelt

log = logging.getLogger(__name__)


class Number(SphinxRole):
    def run(self):
        path = Path(self.env.srcdir, self.config.results_json)
        self.env.note_dependency(str(path))
        try:
            text = spelt(self.name, self.text, json.loads(path.read_text(encoding="utf-8")))
        except (OSError, KeyError) as missing:
            log.warning("no result %s in %s", missing, path.name, location=self.get_location())
            return [nodes.Text(f"[missing {self.text}]")], []
        return [nodes.inline("", text)], []


def setup(app):
    app.add_config_value("results_json", "numbers.json", "env")
    app.add_role("result", Number())
    app.add_role("interval", Number())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
