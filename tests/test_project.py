"""The project's own promises: pins agree, rooms do not import upwards, imports are instant."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from mer_app import main
from mer_companion.book import ipynb
from mer_core import datasets, paths

SETTINGS = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())
LOCK = dict(
    line.split("==") for line in (paths.ROOT / "constraints.txt").read_text().splitlines() if "==" in line
)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_environment_yml_pins_what_the_lock_pins():
    environment = yaml.safe_load((paths.ROOT / "environment.yml").read_text())
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    pins = dict(line.split("==") for line in pip if "==" in line)
    assert len(pins) >= 8
    lock = {canonical(name): version for name, version in LOCK.items()}
    assert {name: lock[canonical(name)] for name in pins} == pins
    (python,) = (entry for entry in environment["dependencies"] if str(entry).startswith("python="))
    assert python.removeprefix("python=") in SETTINGS["project"]["requires-python"]


def test_the_lock_covers_every_declared_dependency():
    extras = SETTINGS["project"]["optional-dependencies"]
    declared = [*SETTINGS["project"]["dependencies"], *(line for extra in extras.values() for line in extra)]
    names = {canonical(re.match(r"[A-Za-z0-9_.-]+", line).group()) for line in declared}
    assert names <= {
        SETTINGS["project"]["name"],
        *(canonical(name) for name in LOCK),
    }  # extras contain others by its name
    assert LOCK["torch"] == "2.13.0" and LOCK["jupyter-book"].startswith("1.")


def test_what_is_installed_are_extras_that_exist():
    makefile, environment = ((paths.ROOT / name).read_text() for name in ("Makefile", "environment.yml"))
    stamps = re.findall(r"\.venv/(\w+)-ready", makefile)
    named = [
        re.search(r"\.\[(\w+)\]", environment)[1],
        re.search(r'"\./.*\[(\w+)\]"', ipynb.install().source)[1],
    ]
    assert {"book", "test"} <= {*stamps, *named} <= SETTINGS["project"]["optional-dependencies"].keys()


@pytest.mark.parametrize(
    ("modules", "unneeded"),
    [
        (
            "mer_core.evaluation.metrics, mer_core.evaluation.significance, mer_companion.results",
            "torch",
        ),
        ("mer_app.main", "numpy"),
        ("mer_core.predict", "sklearn"),
    ],
)
def test_who_reads_records_or_predicts_waits_for_no_heavy_import(modules, unneeded):
    code = f"import sys, {modules}; sys.exit({unneeded!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_registered_data_set_has_a_complete_card():
    for name in datasets.READERS.keys() - {"music"}:  # that is the user's own
        assert {"title", "citation", "licence", "source", "folder", "contents", "expected"} <= set(
            datasets.card(name)
        )


def test_the_synthetic_corpus_matches_its_card():
    rows = datasets.check(datasets.load("synthetic"))
    assert rows and all(expected == found for _, expected, found in rows)


WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))


def commands_of(workflow):
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    return [
        line for job in jobs.values() for step in job["steps"] for line in step.get("run", "").splitlines()
    ]


def test_there_are_workflows_for_pull_requests_main_and_every_week():
    triggers = [
        yaml.safe_load(workflow.read_text())[True] for workflow in WORKFLOWS
    ]  # YAML 1.1 reads "on" as true
    assert {"pull_request", "push", "schedule"} <= {event for one in triggers for event in one}


@pytest.mark.parametrize("file", [*WORKFLOWS, paths.ROOT / "Makefile"], ids=lambda path: path.name)
def test_every_command_of_workflows_and_makefile_exists(file):
    lines = commands_of(file) if file.suffix == ".yml" else file.read_text().splitlines()
    targets = set(re.findall(r"^(\w+):", (paths.ROOT / "Makefile").read_text(), re.MULTILINE))
    made = {target for line in lines for target in re.findall(r"^make (\w+)", line)}
    called = {command for line in lines for command in re.findall(r"(?:^|/)mer (\w+)", line)}
    assert made | called and made <= targets and called <= set(main.main.commands)
