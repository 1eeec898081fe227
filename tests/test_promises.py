"""The page on promises: what it counts is what was run, and what it names is there."""

import json

import pytest

from mer_companion import folders
from mer_companion.book import promises
from mer_core import paths


@pytest.fixture
def report(tmp_path, monkeypatch):
    monkeypatch.setattr(promises, "path", lambda: tmp_path / "tests.json")
    return tmp_path / "tests.json"


def row(passed=1, failed=0, cases=0):
    return {"passed": passed, "failed": failed, "skipped": 0, "cases": cases}


def test_a_run_replaces_its_own_rows_alone(report):
    assert promises.page() == "None yet.\n"
    promises.add("files", {"test_fuzz": row(2, cases=50), "test_trust": row()})
    promises.add("files", {"test_fuzz": row(3, 1), "test_fuzz (slow)": row(1, cases=900)})
    counted = promises.counted(promises.reported(), ("fuzz", "predict"))
    assert counted == {"passed": 4, "failed": 1, "skipped": 0, "cases": 900}
    assert all(one["made"] and one["code"] for one in json.loads(report.read_text())["files"].values())


def test_the_page_shows_counts_and_every_fault_that_was_not_found(report):
    promises.add("files", {"test_trust": row(7)})
    left = ["line 3: a < b to a <= b", "line 4: 1 to 2"]
    reasons = {left[0]: "a and b are never equal"}
    promises.add("mutation", {"m": {"tried": 5, "killed": 3, "survivors": left, "reasons": reasons}})
    page = promises.page()
    assert all(promise in page for promise in promises.PROMISES) and "Lines that tests run" not in page
    assert "| 7 " in page and "`line 3: a < b to a <= b` (a and b are never equal); `line 4: 1 to 2`" in page


def test_lines_that_ran_are_counted_by_package(report):
    def file(lines, ran):
        return {"summary": {"num_statements": lines, "covered_lines": ran}}

    files = {"mer_a/x.py": file(10, 9), "mer_a/deep/y.py": file(30, 28), "mer_b/z.py": file(4, 4)}
    rows = promises.covered({"files": files})
    assert rows == {"mer_a": {"lines": 40, "ran": 37}, "mer_b": {"lines": 4, "ran": 4}}
    promises.add("files", {"test_trust": row()})
    promises.add("coverage", rows)
    assert "92.5%" in promises.page() and "100.0%" in promises.page()


def test_every_promise_names_tests_that_are_there():
    named = {name for _, files in promises.PROMISES.values() for name in files}
    assert not {name for name in named if not (paths.ROOT / "tests" / f"test_{name}.py").exists()}
    assert "generated/promise.md" in (folders.BOOK / "promise.md").read_text(encoding="utf-8")


def test_the_tracked_report_has_what_the_page_shows():
    report = json.loads((paths.DATA / "results" / "tests.json").read_text(encoding="utf-8"))
    for name, own in report["files"].items():
        assert set(promises.COUNTED) < set(own) and (paths.ROOT / "tests" / f"{name.split()[0]}.py").exists()
    for own in report["mutation"].values():
        assert own["killed"] + len(own["survivors"]) == own["tried"]
        assert set(own.get("reasons", {})) <= set(own["survivors"])
