"""What the packages never do, whatever a file or a name says; and under which licences they stand."""

import ast
import re

import pytest

from mer_app.text import printable
from mer_companion.licences import licences
from mer_core import paths

PACKAGES = ("mer_core", "mer_companion", "mer_app")
SOURCES = [path for name in PACKAGES for path in sorted((paths.ROOT / name).rglob("*.py"))]
CALLS = re.compile(
    r"(^|\.)(eval|exec|compile|__import__|extractall|unpack_archive|read_pickle)$|os\.(system|popen)$|yaml\.load$"
    r"|(torch|joblib|marshal|pickle)\.loads?$|shelve\.open$"
)
MEANT = re.compile(r"(re|torch)\.compile$")
OPTIONS = {("shell", True), ("allow_pickle", True), ("verify", False)}
COPIES_A_FIGURE = "narrow_figures.py"  # in memory, by pickle: matplotlib's figures have no other copy
IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "telnetlib", "ftplib"}


def name_of(node) -> str:
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults(node) -> list[str]:
    """What a node does that runs what a file says."""
    if isinstance(node, ast.Call):
        name = name_of(node.func)
        meant = MEANT.search(name) or (name.endswith(".eval") and not node.args)  # of networks
        meant = meant or (name == "yaml.load" and len(node.args) > 1)  # by a loader, of plain values
        called = [name] if CALLS.search(name) and not meant else []
        options = [(keyword.arg, getattr(keyword.value, "value", None)) for keyword in node.keywords]
        return called + [f"{name}({key}={value})" for key, value in options if (key, value) in OPTIONS]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.partition(".")[0] in IMPORTS]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if (node.module or "").partition(".")[0] in IMPORTS else []
    return []


def forbidden(text: str) -> list[str]:
    return [fault for node in ast.walk(ast.parse(text)) for fault in faults(node)]


def test_no_module_runs_what_a_file_says():
    found = {path.name: forbidden(path.read_text()) for path in SOURCES if path.name != COPIES_A_FIGURE}
    assert len(SOURCES) > 100 and not {path: own for path, own in found.items() if own}


CODE = (
    "torch.load('a')",
    "eval('1')",
    "subprocess.run('ls', shell=True)",
    "import pickle",
    "from pickle import load",
    "np.load('a', allow_pickle=True)",
    "yaml.load('a')",
    "archive.extractall('x')",
    "os.system('ls')",
    "model.eval('x')",
)


@pytest.mark.parametrize("code", CODE)
def test_the_scan_finds_what_it_looks_for(code):
    assert forbidden(code)


def test_addresses_of_downloads_are_https_and_pinned():
    texts = "\n".join(path.read_text() for path in SOURCES)
    found = re.findall(r"[\"'](http://[^\"']+)", texts)
    assert all(re.match(r"http://(127\.0\.0\.1|localhost|www\.w3\.org)", address) for address in found), found
    for card in (path.read_text() for path in paths.REGISTRY.glob("*.yaml")):
        assert len(re.findall(r"\bsha256:", card)) >= len(re.findall(r"\burl:", card))


def test_names_that_would_move_the_cursor_or_hide_letters_are_shown_as_escapes():
    shown = printable("a\x1b[31mb\x07c\u202ed\u2066e\x9bf\r\ng\x00<script>")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown) and "<script>" in shown


def test_every_dependency_has_a_licence_that_lets_this_be_shared():
    found = licences()
    assert {"numpy", "torch", "pandas", "click"} <= set(found)
    assert not [name for name, licence in found.items() if not licence or "UNKNOWN" in licence.upper()]
    assert not [name for name, licence in found.items() if re.search(r"(^|[^L])GPL", licence)]


def test_licences_follow_requirements_and_not_optional_ones():
    assert not {"playwright", "pytest", "jupyter-book", "timm"} & set(licences())


def test_no_source_names_a_place_of_one_machine():
    assert not [path for path in SOURCES if re.search(r"/(home|root|Users)/\w", path.read_text())]
