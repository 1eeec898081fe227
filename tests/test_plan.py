from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from mer_app import main
from mer_companion import experiments, results
from mer_companion.experiments import plan
from mer_companion.experiments.presets import SSSL
from mer_companion.runs import cross_validation
from mer_core import paths
from mer_core.datasets.splits import Folds
from mer_core.methods import inherit
from mer_core.training import Training

RUN = replace(
    SSSL["smoke"], method=inherit.Settings(), folds=Folds(n=2, inner=0), training=Training(epochs=4)
)
TWICE = replace(RUN, training=Training(epochs=8))


def recorded(run, minutes, device="cpu", label="inherit"):
    """A record as far as plans read it."""
    config = run.config()
    record = {name: {} for name in results.REQUIRED} | {
        **{"experiment": "test", "preset": "cpu", "label": label, "run_id": run.run_id},
        **{"config": config, "metrics": [], "log": [], "data": {"own": False, "name": "synthetic"}},
        **{"environment": {"device": device, "precision": "float32"}, "cost": {"core_minutes": minutes}},
    }
    return results.write(record, {"track": np.arange(2)})


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setattr("mer_companion.folders.RESULTS", tmp_path / "results")
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path


def test_costs_of_other_seeds_come_before_those_in_proportion_to_work(empty):
    recorded(RUN, 60)
    seeds = {"test": [("inherit", replace(RUN, seed=seed)) for seed in (0, 1, 2)]}
    (own,) = plan.planned(seeds, "cpu")
    assert (own.runs, own.recorded, own.networks, own.cached) == (3, 1, 4, 0)
    assert own.core_hours == pytest.approx(2.0) and own.without_estimate == 0
    (longer,) = plan.planned({"test": [("longer", TWICE)]}, "cpu")
    assert longer.core_hours == pytest.approx(2.0)  # twice the epochs
    recorded(replace(TWICE, seed=1), 90, label="longer")
    (longer,) = plan.planned({"test": [("longer", TWICE)]}, "cpu")
    assert longer.core_hours == pytest.approx(1.5)


def test_networks_that_runs_share_and_those_in_the_cache_cost_nothing(empty):
    recorded(replace(RUN, seed=9), 60)
    jobs = {name: [("inherit", RUN)] for name in ("first", "second")}
    first, second = plan.planned(jobs, "cpu")
    assert (first.networks, first.core_hours) == (2, pytest.approx(1.0))
    assert (second.networks, second.core_hours) == (0, 0.0)
    folder = paths.CACHE / "networks" / f"{RUN.training_id}-0123456789"
    folder.mkdir(parents=True)
    (folder / "fold-1.npz").touch()
    first, _ = plan.planned(jobs, "cpu")
    assert (first.networks, first.cached, first.core_hours) == (2, 1, pytest.approx(0.5))


def test_networks_in_the_cache_are_told_by_the_names_that_training_gives_them(empty):
    inner = replace(RUN, folds=Folds(n=2, inner=2))
    frames = cross_validation.load_frames(inner)
    for fold, part in (wanted := cross_validation.networks_to_train(inner)):
        path = cross_validation.part_path(inner, frames, fold, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert plan.cached_networks() == {(inner.training_id, *one) for one in wanted}


def test_runs_like_no_other_have_no_estimate_and_gpus_count_apart(empty):
    recorded(RUN, 60, device="NVIDIA H200")
    other = replace(RUN, dataset="another", seed=3)
    (own,) = plan.planned({"test": [("inherit", replace(RUN, seed=1)), ("inherit", other)]}, "cpu")
    assert (own.core_hours, own.gpu_hours, own.without_estimate) == (0.0, pytest.approx(1.0), 1)
    assert "1.0 GPU-hours, 1 runs without an estimate" in plan.line_of(own)


def test_dry_run_trains_nothing_and_sums(empty):
    answer = CliRunner().invoke(main.main, ["run", "segments_to_songs", "--preset", "smoke", "--dry-run"])
    assert answer.exit_code == 0 and not (empty / "results").exists()
    n = len(experiments.jobs("segments_to_songs", "smoke"))
    first, last = answer.output.splitlines()
    assert first.startswith(f"segments_to_songs: {n} runs, 0 recorded, {n} missing")
    assert last.startswith(f"together: {n} runs")
