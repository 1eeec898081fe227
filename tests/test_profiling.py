import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from mer_app import main
from mer_companion import folders
from mer_companion.experiments.presets import SSSL
from mer_companion.runs import cross_validation, profiling
from mer_core import device, paths
from mer_core.audio import decoding
from mer_core.audio.features import LogMel, frames_of


def test_shares_of_stages_are_of_the_whole_and_add_up(tmp_path, monkeypatch):
    monkeypatch.setitem(profiling.STAGES, "decode and resample", (waiting,))
    samples = torch.zeros(1, 22050)
    seconds, shares = profiling.shares_of_stages(lambda: (waiting(), frames_of(samples, LogMel())))
    assert 0.19 < shares["decode and resample"] * seconds < seconds  # it sleeps 0.2 s at least
    assert 0 < shares["features"] < 1 and shares["loss mixture"] == 0
    assert sum(shares.values()) == pytest.approx(1)


def waiting() -> None:
    time.sleep(0.2)


def test_every_stage_counts_functions_of_its_own():
    keys = [profiling._key(one) for functions in profiling.STAGES.values() for one in functions]
    assert len(set(keys)) == len(keys) and profiling._key(decoding.read)[2] == "read"


def test_what_was_made_before_is_hidden_and_then_there_again():
    before = paths.CACHE, folders.RESULTS
    with profiling.from_nothing():
        assert paths.CACHE not in before and not paths.CACHE.exists()
    assert before == (paths.CACHE, folders.RESULTS)


def test_frames_at_hand_are_computed_again_in_an_empty_cache():
    run = replace(SSSL["smoke"], dataset="synthetic:n_songs=8,n_artists=8,song_s=5")
    before = cross_validation.load_frames(run)
    with profiling.from_nothing():
        again = cross_validation.load_frames(run)
        assert Path(again.values.filename).is_relative_to(paths.CACHE)
    assert cross_validation.load_frames(run) is before and again.name == before.name


@pytest.mark.parametrize("precision", ["float32", device.precision_on(torch.device("cpu"))])
def test_ceilings_are_rates_of_the_product_and_of_the_convolution(precision, monkeypatch):
    monkeypatch.setattr(profiling, "CONVOLUTION", (1, 8, 16, 16))
    monkeypatch.setattr(profiling, "PRODUCT", 64)
    seconds = iter([0.0, 1.0] * 12)
    monkeypatch.setattr(profiling.time, "perf_counter", lambda: next(seconds))
    assert profiling.ceilings(precision) == {
        "matrix product": 2 * 64**3,
        "convolution": 3 * 2 * 9 * 8 * 8 * 16 * 16,
    }


def test_profile_tells_where_the_time_of_a_run_goes_and_keeps_no_record(monkeypatch):
    monkeypatch.setattr(profiling, "CONVOLUTION", (1, 8, 16, 16))
    monkeypatch.setattr(profiling, "PRODUCT", 64)
    threads, before = torch.get_num_threads(), set(folders.RESULTS.rglob("*"))
    small = [f"--set={one}" for one in ("training.epochs=6", "folds.tested=1", "folds.inner=0")]
    command = ["run", "segments_to_songs", "--only", "inherit", "--seed", "0", "--profile", *small]
    answer = CliRunner().invoke(main.main, command)
    torch.set_num_threads(threads)
    assert answer.exit_code == 0, answer.output
    for line in (*profiling.STAGES, "convolutions: ", "of a large matrix product"):
        assert line in answer.output
    assert set(folders.RESULTS.rglob("*")) == before
