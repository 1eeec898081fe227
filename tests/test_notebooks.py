import re
import runpy

import jupytext
import nbformat
import pytest

from mer_companion import folders
from mer_companion.book import ipynb, notebooks
from mer_companion.book.numbers import numbers
from mer_core import paths

SOURCES = notebooks.sources()


def test_notebooks_to_check_exist():
    assert SOURCES


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebooks_are_thin_and_their_parameters_known(source):
    notebook = jupytext.read(source)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert "preset" in notebooks.parameters(source)
    assert "def " not in source.read_text()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_figures_of_notebooks_have_captions_and_alt_text(source):
    cells = [cell for cell in jupytext.read(source).cells if cell.cell_type == "code"]
    for cell in (cell for cell in cells if re.search(r"\bfigures\.", cell.source.split("import")[-1])):
        assert cell.metadata["mystnb"]["figure"]["caption"] and cell.metadata["mystnb"]["image"]["alt"]


PAGES_OF_RECORDS = [
    source for source in SOURCES if "every preset shows the same records" in source.read_text()
]


@pytest.mark.parametrize("source", PAGES_OF_RECORDS, ids=lambda path: path.stem)
def test_pages_of_records_run_as_scripts_without_audio(source, monkeypatch):
    monkeypatch.delenv("MER_DATA", raising=False)
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    monkeypatch.setattr(paths, "SPLITS", paths.DATA / "splits")
    assert runpy.run_path(str(source))["preset"] == "smoke"


def test_one_notebook_trains_and_says_that_it_has_no_results():
    """All others show records: what a preset trains on synthetic songs is not beside them."""
    training = [source for source in SOURCES if "experiments.execute" in source.read_text()]
    assert [source.stem for source in training] == ["06_try_the_code"]
    assert "None of its numbers is a result" in training[0].read_text()


@pytest.fixture
def small(tmp_path):
    source = tmp_path / "00_small.py"
    source.write_text('# %% tags=["parameters"]\nn = 1\n\n# %%\nprint(n + 1)\nassert n != 13\n')
    return source


def test_notebook_with_same_parameters_has_same_bytes(small, tmp_path):
    for name in ("a", "b"):
        notebooks.execute(small, tmp_path / f"{name}.ipynb", n=2)
    assert (tmp_path / "a.ipynb").read_bytes() == (tmp_path / "b.ipynb").read_bytes()
    executed = nbformat.read(tmp_path / "a.ipynb", 4)
    assert executed.cells[-1].outputs[0].text == "3\n"


def test_notebook_is_stale_when_its_source_or_a_parameter_changes(small, tmp_path):
    target = tmp_path / "out.ipynb"
    assert not notebooks.up_to_date(small, target, n=2)
    notebooks.execute(small, target, n=2)
    assert notebooks.up_to_date(small, target, n=2) and not notebooks.up_to_date(small, target, n=3)
    small.write_text(small.read_text() + "\nn\n")
    assert not notebooks.up_to_date(small, target, n=2)


def test_figure_files_are_svg_pdf_and_data(small, tmp_path):
    small.write_text(
        small.read_text()
        + """
# %% mystnb={"figure": {"name": "fig-two", "caption": "Two values."}, "image": {"alt": "two points"}}
import pandas as pd
from mer_companion.analysis import figures
rows = pd.DataFrame({"label": ["a", "b"], "value": [0.5, n / 4], "low": 0.1, "high": 0.9})
figures.intervals(rows, "share")
"""
    )
    notebooks.execute(small, tmp_path / "out.ipynb", n=1)
    folder = tmp_path / notebooks.FIGURES
    assert (folder / "fig-two.csv").read_text() == "label,value,low,high\na,0.5,0.1,0.9\nb,0.25,0.1,0.9\n"
    assert (folder / "fig-two.svg").read_text().startswith("<svg")
    assert (folder / "fig-two.pdf").read_bytes().startswith(b"%PDF")
    executed = nbformat.read(tmp_path / "out.ipynb", 4)
    assert set(executed.cells[-1].outputs[0].data) == {"image/svg+xml", "text/plain"}
    injected = [cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert ["remove-cell" in cell.metadata["tags"] for cell in injected] == [True]  # it says n=1 itself


def test_unknown_parameters_are_refused(small, tmp_path):
    with pytest.raises(notebooks.NotebookError, match=r"no parameter \['m'\]; it has \['n'\]"):
        notebooks.execute(small, tmp_path / "out.ipynb", m=2)


def test_failed_notebook_is_kept_beside_the_old_page(small, tmp_path):
    target = tmp_path / "out.ipynb"
    notebooks.execute(small, target, n=2)
    before = target.read_bytes()
    with pytest.raises(notebooks.NotebookError, match=r"out.failed.ipynb"):
        notebooks.execute(small, target, n=13)
    assert target.read_bytes() == before and (tmp_path / "out.failed.ipynb").exists()


def test_executed_notebooks_are_not_tracked():
    ignored = (paths.ROOT / ".gitignore").read_text().splitlines()
    assert f"{folders.EXECUTED.relative_to(paths.ROOT).as_posix()}/" in ignored


def test_text_of_paired_notebooks_has_no_roles():
    text = "Ours is {interval}`a/b:.2f` on {result}`n:d` songs {cite}`sun2024`, see [there](04_ablations) and [docs](https://x.org)."
    known = {"a/b": 0.5, "a/b/low": 0.4, "a/b/high": 0.6, "n": 900}
    site = ipynb.settings()["html"]["baseurl"]
    assert ipynb.readable(text, known) == (
        f"Ours is 0.50 (0.40 to 0.60) on 900 songs [sun2024]({site}references.html), "
        f"see [there]({site}executed/04_ablations.html) and [docs](https://x.org)."
    )


def test_paired_notebooks_are_up_to_date(monkeypatch):
    """Binder, Colab and JupyterHub open them; `mer pair` writes them anew after a change of a notebook or a
    record.
    """
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    known = numbers()
    there = {path.stem: path.read_text() for path in ipynb.FOLDER.glob("*.ipynb")}
    assert there == {source.stem: ipynb.paired(source, known) for source in SOURCES}
    assert not any(ipynb.ROLE.search(text) for text in there.values())
