"""The notebooks as .ipynb for plain Jupyter, Binder, Colab and JupyterHub: numbers spelt out, links that lead
to the book.

The text notebooks in ``notebooks`` are the sources; what lies in ``notebooks/ipynb`` is written from them and
never edited.
"""

import re
from functools import cache
from pathlib import Path

import nbformat
import yaml

from mer_companion import folders
from mer_companion.book import notebooks
from mer_core import paths

FOLDER = folders.NOTEBOOKS / "ipynb"
INTERVAL_ENDS = ("", "/low", "/high")  # behind a number's key
INSTALL = "install"  # the id of the cell that comes first
ROLE = re.compile(r"\{(result|interval|cite)\}`([^`]*)`")
DIAGRAM = re.compile(r"```\{diagram\} [\w-]+\n(.*?)\n```", re.DOTALL)  # with its caption
PAGE_LINK = re.compile(r"\]\((\w+)\)")  # to another notebook's page


def spelt(role: str, text: str, known: dict) -> str:
    """What a role shows: ``result`` the number under a key, ``interval`` with its ends, both formatted as
    behind the colon.

    A minus is a minus (U+2212), not a hyphen.

    >>> spelt("interval", "score:.2f", {"score": 0.5, "score/low": 0.4, "score/high": 0.625})
    '0.50 (0.40 to 0.62)'

    Raises
    ------
    KeyError : no such number
    """
    key, _, style = text.rpartition(":") if ":" in text else (text, "", "")
    ends = INTERVAL_ENDS if role == "interval" else INTERVAL_ENDS[:1]
    pattern = "{} ({} to {})" if role == "interval" else "{}"
    return pattern.format(*(format(known[key + end], style).replace("-", "−") for end in ends))


def readable(markdown: str, known: dict) -> str:
    """Text of a notebook as any reader of markdown shows it: no roles, links to the published book, and of
    diagrams, which the book draws, the caption.
    """
    site = settings()["html"]["baseurl"]

    def shown(match: re.Match) -> str:
        role, text = match.groups()
        return f"[{text}]({site}references.html)" if role == "cite" else spelt(role, text, known)

    markdown = DIAGRAM.sub(rf"[Diagram in the book]({site}): \1", markdown)
    return PAGE_LINK.sub(rf"]({site}executed/\1.html)", ROLE.sub(shown, markdown))


@cache
def settings() -> dict:
    """The book's ``_config.yml``."""
    return yaml.safe_load((paths.ROOT / "_config.yml").read_text(encoding="utf-8"))


def made_readable(notebook, known: dict):
    """The notebook, in place, to be read and run alone: plain text, installation first, no injected cell."""
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != INSTALL and not is_repeated(cell)]
    notebook.cells.insert(0, install())
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = readable(cell.source, known)
    return notebook


def is_repeated(cell) -> bool:
    """Whether a cell repeats the parameters, as papermill does."""
    return {"injected-parameters", "remove-cell"} <= set(cell.metadata.get("tags", []))


def install() -> nbformat.NotebookNode:
    """The cell that comes first: it fetches the project, with its records, where it is not installed."""
    url = settings()["repository"]["url"]
    name = url.rpartition("/")[2]
    return nbformat.v4.new_code_cell(
        "# On Colab, or wherever mer_core is not installed: fetch the project with its records.\n"
        "import importlib.util\n"
        "import sys\n\n"
        'if importlib.util.find_spec("mer_core") is None:\n'
        f"    !git clone --quiet --depth 1 {url}.git\n"
        f'    %pip install --quiet --editable "./{name}[notebooks]"\n'
        f'    sys.path.insert(0, "{name}")',
        id=INSTALL,
    )


def paired(source: Path, known: dict) -> str:
    """A text notebook as .ipynb, not executed."""
    notebook = made_readable(notebooks.read(source), known)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": notebooks.KERNEL, "language_info": {"name": "python"}}
    )
    return nbformat.writes(notebook, indent=1) + "\n"


def write(known: dict) -> list[Path]:
    """Write every notebook's .ipynb; those of notebooks that are gone go too."""
    FOLDER.mkdir(exist_ok=True)
    wanted = {FOLDER / f"{source.stem}.ipynb": source for source in notebooks.sources()}
    for stale in set(FOLDER.glob("*.ipynb")) - set(wanted):
        stale.unlink()
    for target, source in wanted.items():
        target.write_text(paired(source, known), encoding="utf-8")
    return list(wanted)
