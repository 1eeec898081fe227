"""Deliberate faults: ``python tests/mutation.py [N [MODULE]...]`` changes N places of each module and runs
its tests; ``python tests/mutation.py again`` tries only what the report says was not found.

A fault that the tests find is killed. The result goes to the test report (`mer_companion.book.promises`).
Each fault is tried in a process of its own, forked once the tests have passed, so that the libraries are
loaded; the module's file stays as it is.
"""

import ast
import copy
import gc
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
TOO_LONG = "vgg16"  # of the two networks of a test the large one
LIMIT_S = 200  # of the processor: a fault that makes tests run for ever is found
MODULES = {  # and its tests, beside the examples of its own text
    "mer_core.mixture": ("test_mixture", "test_numerical_safety"),
    "mer_core.semi_supervised": ("test_semi_supervised", "test_numerical_safety"),
    "mer_core.evaluation.song_decision": ("test_songs", "test_numerical_safety"),
    "mer_core.evaluation.metrics": ("test_metrics", "test_numerical_safety"),
    "mer_core.evaluation.significance": ("test_significance", "test_numerical_safety"),
}
BLOCKS = "how many resamples are counted at once changes no count"
EM = "MAX_STEPS, TOLERANCE, VARIANCE_FLOOR = 100, 1e-3, 5e-4"
REASONS = {  # why a fault that no test finds is no matter: by the line of code and the change
    ("@dataclass(frozen=True)", "True to False"): "nothing assigns to what is made",
    (EM, "100 to 101"): "the fit has stopped long before, or moves by less than it is read to",
    (
        EM,
        "0.001 to 1.001",
    ): "from where k-means leaves it, the fit moves its means by less than a hundredth of "
    "the losses' range either way",
    (
        "return (0.0, 1.0) if d[0] == 0 else (float(np.copysign(np.inf, d[0])), 0.0)",
        "0 to 1",
    ): "all differences are equal there",
    (
        "rng = np.random.default_rng((seed, 1))  # another stream than the artists'",
        "1 to 2",
    ): "another stream of the same distribution",
    ("at_once = max(1, CELLS_AT_ONCE // n_classes**2)", "1 to 2"): BLOCKS,
    ("at_once = max(1, CELLS_AT_ONCE // n_classes**2)", "2 to 3"): BLOCKS,
    (
        'raise ValueError(f"positive_f1 is for two classes, got {counts.shape[-1]}")',
        "1 to 2",
    ): "tables are square",
    ("delta = gammas[0] / gammas.sum(dim=0).clamp_min(1e-12)", "0 to 1"): "the two draws are alike",
    (
        "return (position >= start) & (position < start + length)",
        "position >= start to position > start",
    ): "a drawn place is no whole number",
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


def fail(module: str, tests: tuple[str, ...]) -> bool:
    """Whether some test of a module fails, all modules of the project being imported anew."""
    import pytest

    for name in [name for name in sys.modules if name.startswith(("mer_", "test_", "conftest"))]:
        del sys.modules[name]
    files = [str(file_of(module)), *(str(ROOT / "tests" / f"{name}.py") for name in tests)]
    chosen = ["--assert=plain", "-x", "-q", "-k", f"not {TOO_LONG}", *files]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return pytest.main(["-p", "no:cacheprovider", "-p", "no:xdist", *chosen]) != 0


def is_killed(module: str, tree: ast.Module, tests: tuple[str, ...]) -> bool:
    """Whether the tests fail, or do not end, with a module changed so."""
    if not (child := os.fork()):
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
        sys.meta_path.insert(0, Changed(module, tree))
        os._exit(fail(module, tests))
    return os.waitpid(child, 0)[1] != 0


def reason_for(fault: str, lines: list[str]) -> str | None:
    """Why a fault is no matter, where somebody has said so."""
    where, change = fault.removeprefix("line ").split(": ", 1)
    return REASONS.get((lines[int(where) - 1].strip(), change))


def main(most: int | None, only: list[str]) -> None:
    """Try some faults of each module, the same ones every time, or again those not found; report them."""
    sys.path.insert(0, str(ROOT))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    from mer_companion.book import promises

    before = promises.reported()["mutation"]
    for module in only or MODULES:
        if fail(module, MODULES[module]):
            sys.exit(f"{module}: its tests fail as it is")
        gc.freeze()  # what is loaded stays: no child need look through it
        text = file_of(module).read_text(encoding="utf-8")
        every = list(faults(ast.parse(text)))
        if most is None:
            n, known = before[module]["tried"], before[module]["survivors"]
            tried = [fault for fault in every if fault[0] in known]
        else:
            tried = random.Random(0).sample(every, min(most, len(every)))
            n, known = len(tried), [said for said, _ in tried]
        alive = {said for said, made in tried if not is_killed(module, made, MODULES[module])}
        left = [said for said in known if said in alive]
        reasons = {said: why for said in left if (why := reason_for(said, text.splitlines()))}
        row = {"of": len(every), "tried": n, "killed": n - len(left), "survivors": left, "reasons": reasons}
        promises.add("mutation", {module: row})
        print(f"{module}: {n - len(left)} of {n} found; not: {left}", flush=True)


if __name__ == "__main__":
    words = sys.argv[1:] or ["1000"]
    main(None if words[0] == "again" else int(words[0]), words[1:])
