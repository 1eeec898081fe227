"""The ``{result}`` and ``{interval}`` roles: numbers from the records, never typed by hand.

``{result}`key``` shows the number under that key, ``{result}`key:.3f``` formats it; ``{interval}`key:.3f``` shows it with the
ends of its 95 % interval: 0.637 (0.605 to 0.669). An unknown key is a warning, which the strict build turns into an error.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

log = logging.getLogger(__name__)


class Result(SphinxRole):
    pattern = "{}"
    ends = ("",)  # behind the key

    def run(self):
        key, _, style = self.text.rpartition(":") if ":" in self.text else (self.text, "", "")
        path = Path(self.env.srcdir, self.config.results_json)
        self.env.note_dependency(str(path))
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            values = [known[key + end] for end in self.ends]
        except (OSError, KeyError):
            log.warning("no result %r in %s", key, path.name, location=self.get_location())
            return [nodes.Text(f"[missing {key}]")], []
        return [nodes.inline("", self.pattern.format(*(format(value, style) for value in values)))], []


class Interval(Result):
    pattern = "{} ({} to {})"
    ends = ("", "/low", "/high")


def setup(app):
    app.add_config_value("results_json", "numbers.json", "env")
    app.add_role("result", Result())
    app.add_role("interval", Interval())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
