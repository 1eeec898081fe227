"""Who must never import whom: three packages, and floors within each, as docs/design.md draws them."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter

import pytest

from mer_companion.provenance import PACKAGES
from mer_core import paths

BELOW = {  # modules or packages -> what none of them imports, anywhere
    "mer_core": "mer_companion mer_app",
    "mer_companion": "mer_app",
    "mer_core.audio mer_core.evaluation mer_core.emotion mer_core.mixture mer_core.semi_supervised": """
        mer_core.models mer_core.datasets mer_core.frames mer_core.segments mer_core.training mer_core.methods
        mer_core.trained_model mer_core.predict mer_core.onnx_export""",
    "mer_core.models mer_core.datasets": """
        mer_core.frames mer_core.segments mer_core.training mer_core.methods mer_core.predict""",
    "mer_core.frames mer_core.segments": """
        mer_core.training mer_core.methods mer_core.trained_model mer_core.predict mer_core.onnx_export""",
    "mer_core.training": "mer_core.methods mer_core.trained_model mer_core.predict mer_core.onnx_export",
    "mer_core.methods mer_core.trained_model": "mer_core.predict mer_core.onnx_export mer_core.pipeline",
    "mer_core.predict mer_core.onnx_export": "mer_core.pipeline",
    """mer_companion.provenance mer_companion.folders mer_companion.packing mer_companion.array_store
    mer_companion.results mer_companion.record_files""": """
        mer_companion.analysis mer_companion.runs mer_companion.experiments mer_companion.reproduction
        mer_companion.book""",
    "mer_companion.analysis mer_companion.song_features": """
        mer_companion.experiments mer_companion.reproduction mer_companion.book""",
    "mer_companion.runs": "mer_companion.experiments mer_companion.reproduction mer_companion.book",
    "mer_companion.experiments": "mer_companion.reproduction mer_companion.diagrams mer_companion.book",
    "mer_companion.diagrams": "mer_companion.reproduction mer_companion.book",
    # experiments are data: what they ask for is made elsewhere
    """mer_companion.experiments.presets mer_companion.experiments.experiment mer_companion.experiments.sssl
    mer_companion.experiments.mediaeval""": """
        mer_companion.runs.make_records mer_companion.runs.cross_validation mer_companion.experiments.run""",
}
WITHOUT_TORCH = """mer_companion.provenance mer_companion.folders mer_companion.results
    mer_companion.record_files mer_companion.analysis mer_core.evaluation mer_core.mixture mer_core"""


def file_of(module):
    place = paths.ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def modules_in(name):
    """A module's own name, or those of all modules of a package."""
    place = paths.ROOT.joinpath(*name.split("."))
    found = [place.with_suffix(".py")] if not place.is_dir() else sorted(place.rglob("*.py"))
    assert all(path.is_file() for path in found) and found, f"no module {name}"
    return [
        ".".join(path.relative_to(paths.ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in found
    ]


EVERYWHERE = [module for package in PACKAGES for module in modules_in(package)]


@cache
def imports_of(module):
    """The modules of ours that a module imports, at its top or inside functions."""
    named = set()
    for node in ast.walk(ast.parse(file_of(module).read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= deeper & set(EVERYWHERE) or {node.module}
    return named & set(EVERYWHERE) - {module}


@pytest.mark.parametrize("lower", BELOW)
def test_lower_modules_never_import_upper_ones(lower):
    upper = {module for name in BELOW[lower].split() for module in modules_in(name)}
    for module in (module for name in lower.split() for module in modules_in(name)):
        assert not imports_of(module) & upper, module


def test_imports_run_in_no_circle():
    order = list(TopologicalSorter({module: imports_of(module) for module in EVERYWHERE}).static_order())
    assert len(order) == len(EVERYWHERE) > 80


def test_notebooks_and_pages_need_no_command_line():
    texts = [
        path.read_text()
        for folder in ("notebooks", "book/_ext")
        for path in (paths.ROOT / folder).glob("*.py")
    ]
    assert texts and not [text for text in texts if "import mer_app" in text or "from mer_app" in text]


@pytest.mark.parametrize("name", WITHOUT_TORCH.split())
def test_records_and_scores_load_no_torch(name):
    modules = ["mer_core"] if name == "mer_core" else modules_in(name)
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
