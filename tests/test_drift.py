import json
import shutil
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from mer_app import main
from mer_companion import experiments, folders, provenance, record_files, results
from mer_companion.experiments.presets import SSSL
from mer_companion.reproduction import checks, report, shipped_model, verification
from mer_companion.reproduction.report import Level
from mer_core import datasets, paths, trained_model
from mer_core.datasets.splits import Folds
from mer_core.datasets.tracks import DataError
from mer_core.methods import inherit, self_learning
from mer_core.training import Training

TINY = replace(
    SSSL["smoke"],
    dataset="synthetic:n_songs=16,n_artists=16,song_s=6",
    folds=Folds(n=2, by="song", inner=0),
    training=Training(epochs=2, batch_size=16, learning_rate=2e-3),
    method=self_learning.Settings(warmup_epochs=1),
)
PAIRS = [("inherit", replace(TINY, method=inherit.Settings())), ("self_learning", TINY)]
MACHINE = {"torch": "2.0", "cores": 2}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(checks.THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two recorded runs of seconds and their comparison, as if the project kept them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "RESULTS", tmp_path_factory.mktemp("tracked"))
        experiments.execute("segments_to_songs", "cpu", PAIRS)
        yield folders.RESULTS


@pytest.fixture
def kept(made, tmp_path, monkeypatch):
    """A copy of them that a test may spoil."""
    monkeypatch.setattr(folders, "RESULTS", shutil.copytree(made, tmp_path / "results"))
    for module in (experiments, experiments.run):
        monkeypatch.setattr(module, "jobs", lambda *_: PAIRS)
    return folders.RESULTS / "cpu"


def altered(kept, change, label="inherit"):
    """The record of a label with something changed in it or its predictions, written with fresh digests."""
    (path,) = kept.glob(f"segments_to_songs-{label}-*.json")
    record, arrays = results.load(path) | {}, results.predictions(results.load(path))
    change(record, arrays)
    results.write(record, arrays)


def drifted(*levels):
    rows = report.judged(levels)
    return rows[~rows["inside"]]


def a_level(recorded, again, tolerance=0.0):
    level = Level("smoke")
    level.compare("headline/inherit", recorded, again, tolerance)
    level.environments.append({"torch": "1.9", "cores": 2})
    return level


def test_a_network_that_answers_the_other_way_round_is_found(monkeypatch):
    level = checks.answered_again()
    assert report.judged([level])["inside"].all() and len(level.rows[0]) == 4 * 8
    predict = shipped_model.predict

    def negated(path):
        model = deepcopy(trained_model.shipped())
        for weight in model.ensemble.members[0].network.head[-1].parameters():
            weight.data.neg_()
        return predict(path, model)

    monkeypatch.setattr(shipped_model, "predict", negated)
    assert len(drifted(checks.answered_again()))


def test_untouched_copies_do_not_drift(kept):
    levels = [checks.among_records(), checks.scored_again()]
    rows = report.judged(levels)
    assert rows["inside"].all() and (rows["difference"] == 0).mean() > 0.99
    assert len(rows[rows["level"] == "predictions"]) > 500 and rows["number"].str.contains("p_holm").any()
    assert not any(level.left_out for level in levels)


def test_altered_metric_is_found_and_named(kept):
    def change(record, _):
        results.value(record, name="accuracy", target="emotion", decision="majority_vote")["value"] += 1e-6

    altered(kept, change)
    (row,) = drifted(checks.scored_again()).itertuples()
    assert row.source == "cpu: segments_to_songs/inherit, seed 0"
    assert row.number == "test/all/emotion/majority_vote/accuracy/value" and row.difference == pytest.approx(
        1e-6
    )
    assert set(drifted(checks.among_records())["source"]) >= {
        row.source
    }  # its own confusion counts say otherwise


def test_altered_probabilities_are_found_without_the_truth(kept):
    def change(_, arrays):
        own = arrays["test_track"] == 3
        arrays["test"][own] = np.roll(arrays["test"][own], 1, axis=1)

    altered(kept, change)
    found = drifted(checks.among_records())
    assert set(found["number"]) == {
        f"{name}/songs decided otherwise"
        for name in ("mean_probability", "majority_vote", "maximum_run_length")
    }
    assert (found["now"] == 1).all()


def test_numbers_are_verified_though_digest_and_manifest_were_renewed(kept):
    record_files.compact()
    faults, lines = verification.verify(n_reruns=1)
    assert faults == [] and len(lines) == 4 and lines[-1].startswith("networks: 3 numbers")

    def change(record, _):
        results.value(record, name="accuracy", target="emotion", decision="svm_in_sample")["value"] += 1e-6

    altered(kept, change)
    assert [fault.reason for fault in verification.verify()[0]] == ["is not as the manifest lists it"]
    record_files.write_manifest()
    faults, _ = verification.verify()
    assert "cpu: segments_to_songs/inherit, seed 0" in {fault.source for fault in faults}
    assert not checks.scored_again(only=("durations",)).rows


def test_missing_and_new_numbers_have_drifted(kept):
    altered(kept, lambda record, _: record["metrics"].pop(0))
    found = drifted(checks.scored_again())
    assert found["recorded"].isna().all() and len(found) == 4  # value, low, high, n
    level = a_level({"accuracy": 0.5, "loss": 1.0}, {"accuracy": 0.5})
    (row,) = report.counted([level], report.judged([level]))["drifted"]
    assert row["number"] == "loss" and row["now"] is None


def test_changed_annotations_are_drift_and_missing_ones_left_out(kept, monkeypatch):
    altered(kept, lambda record, _: record["data"].update(digest="another"))
    assert "cpu: segments_to_songs/inherit, seed 0" in set(drifted(level := checks.scored_again())["source"])
    results.unchanged_tracks.cache_clear()
    monkeypatch.setattr(datasets, "load", nowhere)
    level = checks.scored_again()
    assert not level.rows and level.left_out["without the data of synthetic-16-songs-16-artists"] > 500


def nowhere(name, **_):
    raise DataError(f"{name}: not found")


def test_smoke_is_exact_here_and_elsewhere_within_twice_a_seed(kept, monkeypatch):
    numbers = {"headline/inherit": {"test/all/emotion/svm/accuracy/value": 0.5}}

    def trained(seed=0):
        return {source: {k: v + 0.2 * seed for k, v in own.items()} for source, own in numbers.items()}

    monkeypatch.setattr(checks, "trained_at_smoke", trained)
    checks.accept()
    assert drifted(checks.smoke()).empty
    numbers["headline/inherit"] = {"test/all/emotion/svm/accuracy/value": 0.65}
    assert len(drifted(checks.smoke())) == 1
    monkeypatch.setattr(checks, "machine", lambda: MACHINE)
    assert drifted(checks.smoke()).empty
    numbers["headline/inherit"] = {"test/all/emotion/svm/accuracy/value": 0.95}
    assert len(drifted(checks.smoke())) == 1
    del numbers["headline/inherit"]
    assert len(drifted(checks.smoke())) == 1


def test_means_of_all_records_show_common_differences():
    numbers = {f"{i}": {"test/all/emotion/svm/accuracy/value": 0.5 + 0.01 * i} for i in range(4)}
    moved = {
        source: {name: value + (-0.3 if source == "0" else 0.02) for name, value in own.items()}
        for source, own in numbers.items()
    }
    apart = checks.apart(numbers | {checks.TOGETHER: {}}, moved)
    assert apart == pytest.approx({"accuracy": 0.3, "mean accuracy": 0.09})
    assert checks.together(numbers) == pytest.approx({"mean accuracy": 0.515})


def test_killed_smoke_run_resumes_and_a_finished_one_leaves_nothing():
    before = paths.CACHE, folders.RESULTS
    with pytest.raises(KeyboardInterrupt), checks.nothing_cached():
        folders.RESULTS.mkdir(parents=True)
        (folders.RESULTS / "made.json").touch()
        raise KeyboardInterrupt
    assert before == (paths.CACHE, folders.RESULTS)
    with checks.nothing_cached():
        assert (folders.RESULTS / "made.json").exists()
    assert not list((paths.CACHE / "drift").iterdir())


def test_folds_trained_again_agree_here_and_fit_in_the_minutes(kept):
    none, all_of_them = checks.trained_again(minutes=1e-9), checks.trained_again(minutes=10)
    assert not none.rows and none.left_out.total() == 4
    rows = report.judged([all_of_them])
    assert (
        len(rows) == 4 * 3
        and (rows["difference"] == 0).all()
        and (rows["tolerance"] == checks.ROUNDING).all()
    )


def test_networks_elsewhere_may_differ_as_two_seeds_do(kept, monkeypatch):
    pairs = [(label, replace(run, seed=seed)) for seed in (0, 1) for label, run in PAIRS[:1]]
    records = experiments.execute("segments_to_songs", "cpu", pairs)
    monkeypatch.setattr(checks, "tracked", lambda: records)
    apart = checks.apart_by_seed(records)
    assert (
        apart[checks.LARGEST_CHANGE]
        > checks.ROUNDING
        == checks.apart_by_seed(records[:1])[checks.LARGEST_CHANGE]
    )
    monkeypatch.setattr(checks, "machine", lambda: MACHINE)
    monkeypatch.setattr(checks, "affordable", lambda: [(0, 0.0, "segments_to_songs", "inherit", records[0])])
    rows = report.judged([checks.trained_again(minutes=10)])
    assert rows.set_index("number")["tolerance"].to_dict() == apart


@pytest.mark.parametrize("now, status", [(0.5, 0), (0.75, 1)])
def test_exit_status_and_terminal_report_drift(monkeypatch, tmp_path, now, status):
    monkeypatch.setattr(folders, "RESULTS", tmp_path)
    levels = [a_level({"accuracy": 0.5, "loss": 1.0}, {"accuracy": now, "loss": 1.0})]
    made_by = {"code": provenance.code_state(), "environment": MACHINE}
    monkeypatch.setattr(checks, "check", lambda minutes: report.write(levels, made_by | {"minutes": minutes}))
    answer = CliRunner().invoke(main.main, ["drift"])
    assert answer.exit_code == status
    assert "changed since 1 of the smoke: torch, 1.9 then, 2.0 now" in answer.output
    assert (
        "DRIFTED headline/inherit: accuracy: recorded 0.5, now 0.75, moved by 0.25" in answer.output
    ) == bool(status)
    assert ("| yes " in (page := report.page())) == bool(status) and "| torch" in page
    assert json.loads((tmp_path / "drift.json").read_text())["levels"][0]["drifted"] == status
