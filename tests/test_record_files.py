import gzip
import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from mer_app import main
from mer_companion import array_store, folders, record_files, results
from mer_companion.packing import pack, pack_rows, unpack, unpack_rows
from mer_core import paths

LONG_AGO = 0.0


def softmax(rng, n=300, n_classes=4):
    logits = 3 * rng.normal(size=(n, n_classes))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return shares.astype(np.float16)


def arrays_of(rng):
    """Predictions as records have them, and what might tempt a packer to round."""
    exact = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [2**-24, 1 - 2**-11, 2**-13]], np.float16)
    return {
        "test": softmax(rng),
        "two": softmax(rng, n_classes=2),
        "exact": exact,
        "no_shares": rng.random((7, 4)).astype(np.float16),
        "not_finite": np.array([[np.nan, 0.5], [np.inf, -0.0]], np.float16),
        "mean": rng.random((5, 4)),
        "tags": rng.random((5, 54)).astype(np.float32),
        "track": rng.permutation(2000),
        "signed": np.array([-1, 300]),
        "wide": np.array([2**63], np.uint64),
        "flags": np.array([True, False]),
        "track_id": np.array(["MT01", "ü", ""]),
        "cube": np.arange(24, dtype=np.int8).reshape(2, 3, 4),
        "none": np.empty((0, 4), np.float16),
        "scalar": np.array(0.1),
    }


def same(some, others):
    return list(some) == list(others) and all(
        (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        for a, b in zip(some.values(), others.values(), strict=True)
    )


def test_arrays_are_unpacked_bit_by_bit(rng):
    arrays = arrays_of(rng)
    assert same(unpack(pack(arrays)), arrays)
    assert all(array.flags.writeable for array in unpack(pack(arrays)).values())


def packed_size(array):
    return len(gzip.compress(pack({"": array})))


def test_shares_take_less_than_their_rows_as_they_are(rng):
    test = softmax(rng, n=4000)
    others = (test / 2).astype(np.float16)  # the same mantissas, but no shares
    assert packed_size(test) < 0.9 * packed_size(others)


def test_rows_are_unpacked_with_their_types_and_order():
    rows = [
        {"name": "accuracy", "fold": "all", "value": 0.1 + 0.2, "low": -0.0, "n": 900},
        {"name": "accuracy", "fold": 0, "value": 1.0, "n": 1},
        {"name": "loss", "fold": 1, "value": 5e-324, "n": True, "list": [1, 1.0, None]},
        {"value": 2, "name": None},
        {"name": "accuracy", "fold": 0, "value": 1 / 3, "n": 1},
    ]
    assert json.dumps(unpack_rows(pack_rows(rows))) == json.dumps(rows)
    assert unpack_rows(pack_rows([])) == []


@pytest.fixture
def tracked(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", tmp_path / "results")
    return tmp_path / "results" / "cpu"


def a_record(label="plain", seed=0):
    pooled = {"target": "emotion", "decision": "mean_probability", "part": "test", "fold": "all", "n": 300}
    metrics = [
        pooled | {"name": "accuracy", "value": 0.1 + 0.2, "low": 0.25, "high": 1 / 3},
        {**pooled, "name": "accuracy", "fold": 0, "value": 2 / 3},
        pooled | {"name": "accuracy", "decision": "svm", "value": 0.5, "low": 0.4, "high": 0.6},
    ]
    return {
        "schema": 1,
        "created": "2026-01-01T00:00:00Z",
        **{"experiment": "test", "preset": "cpu", "label": label, "run_id": f"{seed:010}"},
        "config": {"dataset": "4q", "seed": seed, "training": {"precision": "bf16"}},
        "data": {"name": "4q", "digest": "abc", "own": False, "skipped": [], "classes": ["a", "b", "c", "d"]},
        "code": {"commit": "abc", "modified": False, "digest": "def"},
        "environment": {"python": "3.11", "device": "cpu"},
        "cost": {"seconds": 1.5, "core_minutes": 0.025},
        "metrics": metrics,
        "confusion": {"mean_probability": [[1, 2], [3, 4]]},
        "log": [[{"epoch": 0, "loss": 0.7}, {"epoch": 1, "loss": 0.1, "kept": [0.5, 0.25]}], []],
    }


def write_first_schema(folder, record, arrays):
    """A record and its predictions as they were once written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record['experiment']}-{record['label']}-{record['run_id']}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    return path


def said(record):
    return json.dumps({name: record[name] for name in results.REQUIRED - {"schema"}}, sort_keys=True)


def test_every_number_of_the_first_schema_is_kept(tracked, rng):
    path = write_first_schema(tracked, a_record(), arrays := arrays_of(rng))
    before, predicted = results.load(path), results.predictions(results.load(path))
    rows = [{"label": "plain", "seed": 0, "value": 0.1 + 0.2}, {"label": "plain", "against": "x", "p": 0.5}]
    (tracked / "comparisons").mkdir()
    (tracked / "comparisons" / "test.json").write_text(json.dumps(rows))
    compared = results.comparison("test", "cpu")
    assert record_files.compact().rewritten == 2
    after = results.load(path)
    assert said(before) == said(after) and after["headline"] == {"accuracy": [0.1 + 0.2, 0.25, 1 / 3]}
    assert same(predicted, arrays) and same(results.predictions(after), arrays)
    assert results.comparison("test", "cpu").equals(compared)
    assert not [*tracked.glob("*.npz"), *tracked.glob("comparisons/*.json")]


def test_compacting_again_changes_nothing_and_new_records_join(tracked, rng):
    arrays = arrays_of(rng)
    write_first_schema(tracked, a_record(), arrays)
    record_files.compact()
    files = {path: path.read_bytes() for path in tracked.rglob("*") if path.is_file()}
    done = record_files.compact()
    assert done.rewritten == done.removed == 0 and done.bytes_before == done.bytes_after
    assert files == {path: path.read_bytes() for path in tracked.rglob("*") if path.is_file()}
    write_first_schema(tracked, a_record("again", seed=1), arrays)
    assert record_files.compact().rewritten == 1
    stores = [set((tracked / array_store.FOLDER).iterdir()) - set(files)]
    assert len(stores[0]) == 0  # the same arrays and tables lie there once


def test_arrays_that_no_record_names_go_unless_they_are_new(tracked, rng):
    path = write_first_schema(tracked, a_record(), arrays_of(rng))
    record_files.compact()
    kept = set((tracked / array_store.FOLDER).iterdir())
    path.unlink()
    assert record_files.compact().removed == 0  # a run may be about to name them
    for file in kept:
        os.utime(file, (LONG_AGO, LONG_AGO))
    assert record_files.compact().removed == len(kept) > 0


def test_a_record_that_would_not_be_the_same_stays(tracked, rng, monkeypatch):
    path = write_first_schema(tracked, a_record(), arrays_of(rng))
    text = path.read_text()
    monkeypatch.setattr(results, "predictions", lambda record: {})
    with pytest.raises(results.RecordError, match="left as it was"):
        record_files.compact()
    assert path.read_text() == text and path.with_suffix(".npz").exists()


def test_damaged_and_missing_arrays_are_named_with_the_remedy(tracked, rng):
    record = results.write(a_record(), arrays_of(rng))
    file = array_store.path_of(tracked / array_store.FOLDER, record["arrays"]["test"])
    whole = file.read_bytes()
    for content, reason in ((whole[:-9], "cannot be read"), (b"", "was changed")):
        file.write_bytes(content)
        with pytest.raises(results.RecordError, match=reason):
            results.predictions(record)
    array_store.path_of(file.parent, record["arrays"]["mean"]).replace(file)
    with pytest.raises(results.RecordError, match="was changed after it was made.*Restore that file"):
        results.predictions(record)
    file.unlink()
    with pytest.raises(results.RecordError, match="is missing"):
        results.predictions(record)


def test_command_says_what_it_did(tracked, rng):
    write_first_schema(tracked, a_record(), arrays_of(rng))
    answer = CliRunner().invoke(main.main, ["records", "compact"])
    assert answer.exit_code == 0 and "1 rewritten" in answer.output


def test_tracked_records_are_compact_and_listed(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    loose = [path for preset in results.TRACKED for path in results.folder(preset).glob("*.npz")]
    assert not loose, "run mer records compact"
    assert record_files.manifest_path().read_text() == record_files.manifest(), "run mer records compact"
