"""From text notebooks to executed ones, by jupytext and papermill: same inputs, same bytes."""

import ast
import base64
import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from mer_companion import folders, provenance
from mer_companion.book.files import write_if_changed
from mer_core import UserError, paths
from mer_core.files import atomic_write

CELL_TIMEOUT_S = 3600
FIGURE_FILES = "MER_FIGURE_FILES"  # as in `mer_companion.analysis.figures`, which would load matplotlib
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


class NotebookError(UserError):
    """A notebook that cannot be run as requested."""


class QuietKernelManager(AsyncKernelManager):
    """A kernel manager without ipykernel's warning about unencrypted local traffic at every start."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.transport_encryption = "auto"


def sources() -> list[Path]:
    """All text notebooks, in order."""
    return sorted(folders.NOTEBOOKS.glob("[0-9]*.py"))


def parameters(source: Path) -> dict[str, str]:
    """Names and default values (as source text) of a notebook's parameters cell."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder, "in.ipynb")
        nbformat.write(read(source), notebook)
        return {name: p["default"] for name, p in papermill.inspect_notebook(str(notebook)).items()}


def fitting(source: Path, values: dict) -> dict:
    """Values as the parameters' defaults are: `overrides.Text`, of the command line, where those are text."""
    from mer_companion.runs.overrides import Text  # which would load torch in every process

    known = parameters(source) if values else {}
    kinds = {name: type(ast.literal_eval(default)) for name, default in known.items() if name in values}
    return {
        name: value.as_kind(name, kinds.get(name, str)) if isinstance(value, Text) else value
        for name, value in values.items()
    }


def made_from(source: Path, values: dict) -> str:
    """Fingerprint of a notebook's source and parameters, and of our code, records, libraries and data."""
    code, tables, libraries = provenance.code_digest(), _digest_of_data(), provenance.environment("cpu", 1)
    inputs = [values, code, tables, libraries, os.environ.get("MER_DATA")]
    return hashlib.sha256(source.read_bytes() + json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _digest_of_data() -> str:
    """Fingerprint of the tracked files in `data`: what a page may show."""
    places = (paths.REGISTRY, paths.SPLITS, folders.RESULTS / "cpu", folders.RESULTS / "paper")
    files = sorted([*paths.DATA.glob("*.*"), *(path for folder in places for path in folder.rglob("*.*"))])
    each = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)
    return hashlib.sha256(each).hexdigest()[:16]


def up_to_date(source: Path, target: Path, **values) -> bool:
    """Whether the executed notebook is there and was made from what is there now."""
    made = nbformat.read(target, as_version=4).metadata.get("mer", {}) if target.exists() else {}
    return made.get("made_from") == made_from(source, values)


def keep_unexecuted(source: Path, target: Path) -> None:
    """Write a text notebook as a page without results."""
    notebook = read(source)
    _stable(notebook, {})
    with atomic_write(target) as fresh:
        nbformat.write(notebook, fresh)


def is_executed(target: Path) -> bool:
    """Whether a page is that of an executed notebook."""
    return target.exists() and "mer" in nbformat.read(target, as_version=4).metadata


def execute(source: Path, target: Path, **values) -> None:
    """Run a text notebook with these parameters and write the executed .ipynb, whole or not at all.

    Raises
    ------
    NotebookError : a parameter that the notebook does not have (papermill itself would only log it), or a
        cell that failed; the executed part is then kept beside the target as ``*.failed.ipynb``
    """
    known = parameters(source)
    if unknown := set(values) - set(known):
        raise NotebookError(f"{source.name} has no parameter {sorted(unknown)}; it has {sorted(known)}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    failed = target.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    # the kernel inherits it: a library below librosa asks for progress widgets, which our pages do not use
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
    os.environ[FIGURE_FILES] = "yes"
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "in.ipynb"), Path(folder, "out.ipynb")
        nbformat.write(read(source), before)
        try:
            how = {"kernel_name": KERNEL["name"], "kernel_manager_class": QuietKernelManager}
            how |= {"execution_timeout": CELL_TIMEOUT_S, "progress_bar": False, "record_timing": False}
            papermill.execute_notebook(str(before), str(after), values, cwd=str(source.parent), **how)
        except (papermill.PapermillExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed.write_bytes(after.read_bytes())
            of_cell = isinstance(error, papermill.PapermillExecutionError)
            reason = f"{error.ename}: {error.evalue}" if of_cell else str(error)
            raise NotebookError(f"{source.name} failed: {reason} What ran is in {failed}.") from error
        finally:
            del os.environ["PYTHONWARNINGS"], os.environ[FIGURE_FILES]
        notebook = nbformat.read(after, as_version=4)
    keep_figures(notebook, target.parent / FIGURES)
    _stable(notebook, values)
    if all(repr(value) == known[name].replace('"', "'") for name, value in values.items()):
        hide_injected(notebook)
    notebook.metadata["mer"] = {"made_from": made_from(source, values)}
    with atomic_write(target) as fresh:
        nbformat.write(notebook, fresh)


def keep_figures(notebook, folder: Path) -> None:
    """Move the files that come with figures (`figures.files_of`) from the notebook to files of their name.

    The notebook keeps the SVG and gives up the picture in pixels.
    """
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            brought = {kind: data[kind] for kind in FIGURE_SUFFIXES.keys() & data.keys()}
            for kind in brought.keys() - {SVG}:
                del data[kind]
            if SVG in brought:
                data.pop("image/png", None)
            if name:
                write_figure(folder, name, brought)


def write_figure(folder: Path, name: str, brought: dict[str, str]) -> None:
    """Write a figure's files, by MIME type, under its name."""
    for kind, text in brought.items():
        content = base64.b64decode(text) if kind == "application/pdf" else text.encode()
        write_if_changed(folder / f"{name}{FIGURE_SUFFIXES[kind]}", content)


def hide_injected(notebook) -> None:
    """Take papermill's cell of parameters off the page: it repeats what the cell above says."""
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("remove-cell")


FIGURES = "figures"  # the folder beside executed notebooks
SVG = "image/svg+xml"
FIGURE_SUFFIXES = {
    SVG: ".svg",
    "image/x-narrow+svg": "-narrow.svg",
    "application/pdf": ".pdf",
    "text/csv": ".csv",
    "text/x-finding": ".txt",
}


def read(source: Path):
    """A text notebook with our kernel and, unlike jupytext's, cell ids that stay the same."""
    notebook = jupytext.read(source)
    notebook.metadata["kernelspec"] = KERNEL
    _number(notebook)
    return notebook


def _number(notebook) -> None:
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i:03d}"


def _stable(notebook, values: dict) -> None:
    """Drop dates, paths, durations and patch versions; source, parameters and results are left."""
    _number(notebook)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}, "papermill": {"parameters": values}}
    )
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
