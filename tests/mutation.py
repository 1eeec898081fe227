"""Deliberate faults: ``python tests/mutation.py [N]`` changes N places of each module and runs its tests.

A fault that the tests find is killed. The result goes to the test report (`mer_companion.book.promises`).
Each fault is tried in a process of its own, forked once the libraries are loaded; the module's file stays as
it is.
"""

import ast
import copy
import importlib.abc
import importlib.util
import io
import os
import random
import resource
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 200  # of the processor: a fault that makes tests run for ever is found
MODULES = {
    "mer_core.mixture": ("test_mixture", "test_numerical_safety"),
    "mer_core.semi_supervised": ("test_semi_supervised", "test_numerical_safety"),
    "mer_core.evaluation.song_decision": ("test_songs", "test_numerical_safety"),
    "mer_core.evaluation.metrics": ("test_metrics", "test_numerical_safety"),
    "mer_core.evaluation.significance": ("test_significance", "test_numerical_safety"),
}
OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.FloorDiv: ast.Div,
}  # fmt: skip


def faults(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Copies of a module with one operator, sign or number changed, and what was changed, by line."""
    for i, node in enumerate(ast.walk(tree)):
        for change in changes(node):
            made = copy.deepcopy(tree)
            target = next(one for j, one in enumerate(ast.walk(made)) if j == i)
            before = ast.unparse(target)
            change(target)
            yield f"line {node.lineno}: {before} to {ast.unparse(target)}", made


def changes(node) -> Iterator:
    """The ways to make one node wrong."""
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OTHER:
        yield lambda one: setattr(one, "op", OTHER[type(one.op)]())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        yield lambda one: setattr(one, "ops", [OTHER[type(one.ops[0])](), *one.ops[1:]])
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda one: setattr(one, "value", one.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda one: setattr(one, "value", not one.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield lambda one: setattr(one, "op", ast.UAdd() if isinstance(one.op, ast.USub) else ast.Invert())


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, name: str, tree: ast.Module):
        self.name, self.tree = name, tree

    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module):
        module.__file__ = str(file_of(self.name))
        exec(compile(ast.fix_missing_locations(self.tree), module.__file__, "exec"), module.__dict__)


def file_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def is_killed(module: str, tree: ast.Module, tests: tuple[str, ...]) -> bool:
    """Whether the tests fail, or do not end, with a module changed so."""
    if not (child := os.fork()):
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
        sys.meta_path.insert(0, Changed(module, tree))
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            import pytest

            files = [str(ROOT / "tests" / f"{name}.py") for name in tests]
            status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files])
        os._exit(0 if status == 0 else 1)
    return os.waitpid(child, 0)[1] != 0


def main(most: int) -> None:
    """Try some faults of each module, the same ones every time, and report them."""
    sys.path.insert(0, str(ROOT))
    import hypothesis  # noqa: F401 -- here, so that each child has them loaded
    import scipy.stats  # noqa: F401
    import sklearn.metrics
    import sklearn.mixture  # noqa: F401
    import torch

    torch.set_num_threads(1)
    from mer_companion.book import promises

    for module, tests in MODULES.items():
        tree = ast.parse(file_of(module).read_text(encoding="utf-8"))
        if is_killed(module, tree, tests):
            sys.exit(f"{module}: its tests fail as it is")
        every = list(faults(tree))
        tried = random.Random(0).sample(every, min(most, len(every)))
        left = [said for said, made in tried if not is_killed(module, made, tests)]
        row = {"tried": len(tried), "killed": len(tried) - len(left), "survivors": left}
        promises.add("mutation", {module: row})
        print(f"{module}: {len(tried) - len(left)} of {len(tried)} found; not: {left}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
