import ast
import json
import re

import jupytext
import pytest

from mer_companion import folders, results
from mer_companion.book import site, status
from mer_companion.book.notebooks import sources
from mer_companion.book.numbers import numbers
from mer_core import paths
from mer_core.files import locked

DERIVED = {"executed", "generated", "node_modules"}
PAGES = sorted(path for path in folders.BOOK.rglob("*.md") if not DERIVED & set(path.parts))


def test_contents_name_every_page_and_every_notebook():
    written = {path.relative_to(folders.BOOK).with_suffix("").as_posix() for path in PAGES}
    expected = written | {f"executed/{source.stem}" for source in sources()}
    assert expected == set(site.listed()) and expected


def recorded_in(source):
    """The experiments whose tracked records or comparisons a notebook loads by name, in order."""
    calls = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
    calls = [call for call in calls if getattr(call.func, "attr", "") in ("recorded", "comparison")]
    literal = [call for call in calls if all(isinstance(argument, ast.Constant) for argument in call.args)]
    literal.sort(key=lambda call: call.lineno)
    return list(dict.fromkeys(call.args[0].value for call in literal))


def test_pages_name_the_experiments_whose_records_their_notebooks_load():
    assert {source.stem: recorded_in(source) for source in sources()} == status.SHOWN_BY


MATH, CODE = (r"```\{math\}.*?```", r"\$\$.*?\$\$", r"\$[^$]*\$"), (r"\{\w+\}`[^`]*`", r"`[^`]*`")
NOT_PROSE = (*MATH, *CODE, r"\]\([^)]*\)", r"section \d\.\d", "95 %")


def prose(path):
    if path.suffix == ".md":
        return path.read_text()
    return "\n".join(cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", [*PAGES, *sources()], ids=lambda path: path.stem)
def test_figures_in_prose_are_never_typed_by_hand(path):
    """Figures come from records through roles; settings are written as code; 95 % is the level of every
    interval.
    """
    text = prose(path)
    for pattern in NOT_PROSE:
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    assert not re.findall(r".{0,40}\d+\.\d.{0,20}|.{0,40}\d ?%.{0,20}", text)


def test_sites_without_faults_pass(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#end">b</a><img src="c.png" alt="a curve">'
    )
    (tmp_path / "b.html").write_text(
        '<p id="end">B</p><a href="a.html#top">a</a><a href="https://example.org">x</a>'
    )
    (tmp_path / "c.png").write_bytes(b"")
    assert site.faults(tmp_path) == []


def test_a_build_that_was_killed_is_not_gone_on_with(tmp_path, monkeypatch):
    built = tmp_path / "_build" / "html"
    built.mkdir(parents=True)
    (built / "searchindex.js").touch()
    assert not site.is_outdated(built)

    def killed(*command):
        raise SystemExit

    for missing in (site.web_assets, site.browser_model):
        monkeypatch.setattr(missing, "gather", lambda: None)
    monkeypatch.setattr(site.web_assets, "FOLDER", tmp_path)
    for ending, left in ((killed, True), (lambda *command: 1, False)):
        monkeypatch.setattr(site, "run_script", ending)
        with pytest.raises((SystemExit, site.BookError)):
            site.build(tmp_path)
        built.mkdir(parents=True, exist_ok=True)
        (built / "searchindex.js").touch()
        assert site.is_outdated(built) == left


@pytest.mark.parametrize(
    "html, fault",
    [
        ('<img src="c.png" alt="">', "no alt text"),
        ('<img src="c.png" alt="../_images/c.png">', "no alt text"),
        ('<a href="gone.html">x</a>', "gone.html"),
        ('<a href="a.html#nowhere">x</a>', "nowhere"),
        ('<script src="https://cdn.example.org/x.js"></script>', "network"),
    ],
)
def test_faults_of_a_site_are_found(tmp_path, html, fault):
    (tmp_path / "a.html").write_text(f"<html><body>{html}</body></html>")
    (tmp_path / "c.png").write_bytes(b"")
    assert any(fault in found for found in site.faults(tmp_path))


def test_numbers_are_plain_and_finite(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    known = numbers()
    assert json.loads(json.dumps(known, allow_nan=False)) == known
    assert known["published/sssl/3/4Q/Proposed/four_class_accuracy"] == pytest.approx(0.7649)


def test_tracked_records_are_whole_and_have_their_predictions(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    found = [path for preset in ("cpu", "paper") for path in results.folder(preset).glob("*.json")]
    assert found
    for path in found:
        record = results.load(path)
        stored = results.predictions(record)
        assert record["run_id"] in path.name and len(stored["track"]) == record["data"]["n_tested"]


def test_one_notebook_is_executed_alone_and_the_others_are_pages_without_results(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from mer_app import main
    from mer_companion.book import notebooks

    class Here:  # in place of processes
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def submit(self, task, *arguments, **values):
            task(*arguments, **values)
            return arguments[0].stem

    ran = {}
    monkeypatch.setattr(folders, "EXECUTED", tmp_path / "executed")
    monkeypatch.setattr(site, "processes", Here)
    monkeypatch.setattr(site, "as_completed", lambda begun: [])
    monkeypatch.setattr(
        notebooks, "execute", lambda source, target, **values: ran.update({source.stem: values})
    )
    monkeypatch.setattr(site, "write_generated", lambda: None)
    built = []
    monkeypatch.setattr(site, "build", lambda **how: built.append(how) or tmp_path)
    (tmp_path / "song.mp3").write_bytes(b"1")
    (tmp_path / "executed").mkdir()
    before = '{"cells": [], "metadata": {"mer": {}}, "nbformat": 4, "nbformat_minor": 5}'
    (tmp_path / "executed" / "10_audit.ipynb").write_text(before)
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main.main, ["book", "--notebook", "25_your_song", "--set", "song=song.mp3"])
    assert answer.exit_code == 0, answer.output
    with locked(folders.BOOK):  # another one is at work
        answer_now = CliRunner().invoke(main.main, ["book"])
        assert answer_now.exit_code == 1 and "another mer is writing there" in answer_now.output
    assert ran["25_your_song"]["song"] == str(tmp_path / "song.mp3")  # notebooks run in another folder
    others = [source.stem for source in notebooks.sources()]
    assert list(ran) == ["25_your_song"]
    for name in others:
        if name not in ("10_audit", "25_your_song"):
            page = json.loads((tmp_path / "executed" / f"{name}.ipynb").read_text())
            assert page["cells"] and not any(cell.get("outputs") for cell in page["cells"])
    assert (tmp_path / "executed" / "10_audit.ipynb").read_text() == before
    # pages without results break no strict rule, since links to their figures lead nowhere
    assert built == [{"strict": False, "quiet": False}]
    assert f"{len(others) - 1} of" in answer.output and "pages show no results yet" in answer.output
    CliRunner().invoke(main.main, ["book"])
    assert set(ran) == set(others)
