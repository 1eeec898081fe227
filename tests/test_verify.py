import copy
import json

import numpy as np
import pytest
from click.testing import CliRunner
from test_record_files import a_record, arrays_of, tracked, write_first_schema  # noqa: F401 -- a fixture

from mer_app import main
from mer_companion import array_store, folders, record_files, results
from mer_companion.reproduction import verification


def leaves(content, place=()):
    """The place of every plain value within dictionaries and lists."""
    if not isinstance(content, dict | list):
        return [place]
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    return [leaf for name, value in inner for leaf in leaves(value, (*place, name))]


def containers(content):
    """The place of every dictionary and list within others."""
    above = {leaf[:n] for leaf in leaves(content) for n in range(1, len(leaf))}
    return sorted(above, key=str)


def changed(content, place):
    """A copy with one value changed: a number moved, a text lengthened, a list doubled, a table emptied."""
    content = copy.deepcopy(content)
    *above, last = place
    within = content
    for name in above:
        within = within[name]
    value = within[last]
    match value:
        case bool() | None:
            within[last] = not value
        case int() | float():
            within[last] = value + 1e-9 if isinstance(value, float) else value + 1
        case str():
            within[last] = value + " "
        case list():
            within[last] = value + value if value else [0]
        case dict():
            within[last] = {}
    return content


@pytest.fixture
def record(tracked, rng):  # noqa: F811
    made = results.write(a_record() | {"run_id": "aaaaaaaaaa"}, arrays_of(rng) | {"track": np.arange(5)})
    made = results.write(
        made | {"data": made["data"] | {"n_tested": 5, "skipped": ["a.mp3"]}}, results.predictions(made)
    )
    record_files.compact()
    assert verification.of_files() == []
    return made


def test_every_edited_field_of_the_json_is_found(record):
    text = record.path.read_text()
    content = json.loads(text)
    places = [*leaves(content), *containers(content)]
    assert len(places) > 50 and ("cost", "core_minutes") in places and ("arrays",) in places
    for place in places:
        record.path.write_text(json.dumps(changed(content, place), indent=1) + "\n")
        with pytest.raises(results.RecordError):
            results.load(record.path)
        assert verification.reason_against(record.path, {}), place
    record.path.write_text(text)
    assert verification.of_files() == []


def test_every_edited_number_is_found_though_its_digest_was_renewed(record):
    whole, arrays = record | {}, results.predictions(record)
    identity = {"experiment", "preset", "label", "run_id"}  # which make another file
    within = {name: whole[name] for name in results.REQUIRED - identity - {"schema"}}
    places = [place for place in leaves(within) if place != ("data", "own")]
    assert {place[0] for place in places} == {*within}
    for place in places:
        results.write(changed(whole, place), arrays)
        assert f"cpu/{record.path.name}" in {fault.source for fault in verification.listed_otherwise()}, place
    results.write(whole, arrays)
    assert verification.listed_otherwise() == []


def test_every_edited_array_is_found(record):
    arrays, store = results.predictions(record), record.path.parent / array_store.FOLDER
    for name, array in arrays.items():
        if not array.size:
            continue
        other = array.copy()
        first = other.reshape(-1)[:1]
        first[:] = "x" if array.dtype.kind == "U" else ~first if array.dtype.kind == "b" else first + 1
        if np.array_equal(other, array, equal_nan=array.dtype.kind == "f"):
            continue  # NaN stays NaN
        results.write(record | {}, arrays | {name: other})
        assert "cpu/" + record.path.name in {fault.source for fault in verification.listed_otherwise()}, name
    results.write(record | {}, arrays)
    for file in store.glob("*.gz"):
        whole = file.read_bytes()
        file.write_bytes(whole[:-8] + bytes(8))
        named = file.stem in record_files.digests_of(record)
        assert bool(verification.reason_against(record.path, {})) == named
        file.write_bytes(whole)


@pytest.mark.parametrize("what", ["doubled", "removed"])
def test_doubled_rows_and_removed_counts_are_found(record, what):
    rows = record["metrics"]
    edit = {"metrics": rows + rows[:1]} if what == "doubled" else {"confusion": {}}
    results.write(record | edit, results.predictions(record))
    assert [fault.reason for fault in verification.of_files()] == ["is not as the manifest lists it"]


def test_files_that_came_or_went_are_found(record, rng):
    other = results.write(a_record("other", seed=1) | {"data": record["data"]}, results.predictions(record))
    assert [fault.reason for fault in verification.of_files()] == ["is not in the manifest"]
    other.path.unlink()
    record.path.unlink()
    assert [fault.reason for fault in verification.of_files()] == ["is listed in the manifest, but gone"]
    (folders.RESULTS / "manifest.sha256").unlink()
    answer = CliRunner().invoke(main.main, ["verify"])
    assert answer.exit_code == 1 and "FAULT manifest.sha256: there is no manifest" in answer.output


@pytest.fixture
def elsewhere(tracked, tmp_path, rng, monkeypatch):  # noqa: F811
    """Records of another machine: one in today's form, one in the first."""
    arrays = arrays_of(rng)
    monkeypatch.setattr(folders, "RESULTS", there := tmp_path / "there")
    results.write(a_record(), arrays)
    write_first_schema(there / "cpu", a_record("old", seed=1), arrays)
    monkeypatch.setattr(folders, "RESULTS", tracked.parent)
    return there, arrays


def test_records_from_elsewhere_are_taken_once(elsewhere):
    there, arrays = elsewhere
    results.write_comparison(results.comparison_path("test", "cpu"), [])
    found = record_files.bring_in(there)
    assert len(found.new) == 2 and found.to_compare == ["mer run test --preset cpu"]
    assert not results.comparison_path("test", "cpu").exists()
    assert verification.listed_otherwise() == []
    for path in sorted(results.folder("cpu").glob("*.json")):
        predicted = results.predictions(results.load(path))
        assert all(predicted[name].tobytes() == arrays[name].tobytes() for name in arrays)
    again = record_files.bring_in(there)
    assert len(again.same) == 2 and not (again.new or again.other or again.refused or again.to_compare)


def test_other_numbers_and_damaged_records_are_told_and_not_taken(elsewhere):
    there, arrays = elsewhere
    ours = results.write(a_record() | {"cost": {"seconds": 2.0, "core_minutes": 1.0}}, arrays)
    results.write(a_record("old", seed=1), arrays | {"mean": arrays["mean"] + 1})
    damaged = there / "cpu" / "test-plain-2.json"
    damaged.write_text((there / "cpu" / ours.path.name).read_text().replace("0.25", "0.26"))
    before = {path: path.read_bytes() for path in results.folder("cpu").glob("*.json")}
    answer = CliRunner().invoke(main.main, ["records", "import", str(there)])
    assert answer.exit_code == 1 and "0 new, 0 here already" in answer.output
    assert "the same predictions, another cost or origin" in answer.output
    assert "other predictions; ours stays" in answer.output
    assert "REFUSED test-plain-2.json" in answer.output and "was changed after it was made" in answer.output
    assert before == {path: path.read_bytes() for path in results.folder("cpu").glob("*.json")}


def test_records_that_would_lie_elsewhere_are_refused(tracked, tmp_path):  # noqa: F811
    outside = a_record() | {"experiment": "../../outside"}
    (folder := tmp_path / "there").mkdir()
    (path := folder / "outside-plain-0000000000.json").write_text(json.dumps(outside))
    np.savez(path.with_suffix(".npz"), track=np.arange(3))
    found = record_files.bring_in(folder)
    assert len(found.refused) == 1 and not found.new and not list(tmp_path.glob("outside*"))


def test_folders_without_records_are_refused(tracked, tmp_path):  # noqa: F811
    (tmp_path / "empty").mkdir()
    with pytest.raises(results.RecordError, match="holds no records"):
        record_files.bring_in(tmp_path / "empty")
