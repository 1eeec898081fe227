"""Jobs survive what runs them; options of Slurm are checked before anything starts."""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from mer_app import workers
from mer_companion import folders
from mer_companion.analysis import cluster
from mer_core import RequestError, UserError, executors, paths
from mer_core.audio.features import LogMel
from mer_core.datasets import synthetic
from mer_core.frames import compute


def in_process(folder, number):
    """Note the call, and end the process at the first one of number 1."""
    note = folder / f"{number}-{os.getpid()}-{time.monotonic_ns()}"
    note.write_text("")
    if number == 1 and len(list(folder.glob("1-*"))) == 1:
        os._exit(9)
    return number


def test_jobs_of_a_lost_worker_run_again(tmp_path):
    with executors.on_this_machine(2, []) as pool:
        jobs = [pool.submit(in_process, tmp_path, number) for number in range(4)]
        assert [job.result(60) for job in jobs] == [0, 1, 2, 3]
        assert pool.resubmitted >= 1
    assert len(list(tmp_path.glob("1-*"))) == 2


def end_worker():
    os._exit(9)


def test_a_job_that_always_ends_its_worker_is_given_up(monkeypatch):
    monkeypatch.setattr(executors, "LOSSES", 1)
    with executors.on_this_machine(1, []) as pool, pytest.raises(Exception, match="terminated abruptly"):
        pool.submit(end_worker).result(60)


def device_of_worker():
    time.sleep(0.5)  # so that every process takes one
    return os.environ["MER_DEVICE"]


def test_every_process_has_a_gpu_of_its_own():
    with executors.on_this_machine(2, ["cuda:0", "cuda:1"]) as pool:
        found = {job.result(60) for job in [pool.submit(device_of_worker) for _ in range(4)]}
    assert found == {"cuda:0", "cuda:1"}


@contextmanager
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_jobs_run_alone_in_a_process_with_the_callers_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    monkeypatch.setenv("MER_DATA", str(tmp_path))
    running, most = [], []

    def job():
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()
        return paths.CACHE

    with executors.Resubmitting(threads) as pool:
        jobs = [pool.submit(job) for _ in range(8)]
        assert {one.result(30) for one in jobs} == {tmp_path}
    assert max(most) == 1


def test_an_error_of_a_job_is_not_a_loss():
    with executors.Resubmitting(threads) as pool, pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(30)
    assert pool.resubmitted == 0


class KilledWorker(Exception):
    """As dask names it."""


def test_workers_that_die_one_after_the_other_are_explained():
    assert "lack memory" in str(executors.readable(KilledWorker()))


def test_what_a_worker_made_elsewhere_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "VISIBLE_S", 0)
    made = Future()
    made.set_result(tmp_path / "there")
    with pytest.raises(UserError, match="its code or data differ"):
        executors.arrived(made, tmp_path / "here")
    with pytest.raises(UserError, match="not visible here"):
        executors.arrived(made, tmp_path / "there")


def test_songs_are_spread_each_once_and_their_frames_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "AHEAD", 3)
    tracks = synthetic.read(synthetic.Corpus(n_songs=66, n_artists=66, song_s=4))
    here = compute(tracks, LogMel(n_mels=8), cache=tmp_path / "here")
    sent = []

    class Counting(ThreadPoolExecutor):
        def submit(self, job, item):
            sent.append(item)
            return super().submit(job, item)

    with Counting(2) as pool, executors.jobs_on(pool):
        there = compute(tracks, LogMel(n_mels=8), cache=tmp_path / "there")
    assert sorted(sent) == sorted(tracks.table["path"])
    assert here.name == there.name and (here.values == there.values).all()
    assert executors.in_order(len, [[]] * 99) is None  # outside the block all is done here


def test_few_songs_are_not_sent():
    with ThreadPoolExecutor(1) as pool, executors.jobs_on(pool):
        assert executors.in_order(len, [""] * 63) is None


GOOD = "cores: 4\nmemory: 8GB\nprocesses: 2\ngpu: true\njob_extra_directives: ['--constraint=a100']\n"


def config(tmp_path, text):
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    return path


def test_a_slurm_worker_takes_one_job_at_a_time_on_its_cores_and_gpu(tmp_path):
    options = executors.slurm_options(config(tmp_path, GOOD))
    passed = executors.cluster_options(options)
    assert options["jobs"] == 1 and "gpu" not in passed and "jobs" not in passed
    assert passed["job_extra_directives"] == ["--gres=gpu:1", "--constraint=a100"]
    assert passed["worker_extra_args"] == ["--nthreads", "1"]
    assert "export OMP_NUM_THREADS=2" in passed["job_script_prologue"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cores: [", "cannot be read"),
        ("", "has no options. Those required are cores, memory"),
        ("cores: 1", "lacks memory"),
        (GOOD + "partition: gpu", "there is no option partition; there are jobs, gpu, cores"),
        (GOOD.replace("4", "'4'"), "cores is a number from 1, got '4'"),
        (GOOD.replace("4", "0"), "cores is a number from 1, got 0"),
        (GOOD.replace("true", "1"), "gpu is true or false, got 1"),
        (GOOD + "walltime: 10", "walltime is a text, got 10"),
        (GOOD.replace("4", "1"), "2 processes need at least as many cores"),
    ],
)
def test_wrong_options_of_slurm_are_named(tmp_path, text, reason):
    with pytest.raises(RequestError, match=reason.replace("[", r"\[")):
        executors.slurm_options(config(tmp_path, text))


def test_one_engine_at_a_time():
    with pytest.raises(Exception, match="exclude each other"), workers.executor_of(2, scheduler="tcp://x:1"):
        pass


def test_options_of_slurm_are_documented():
    page = (folders.BOOK / "scale.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in executors.OPTIONS)


def test_every_engine_of_the_recorded_table_is_right(monkeypatch):
    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    page = cluster.page()
    for engine in ("processes", "dask scheduler", "Slurm, dask-jobqueue", "Slurm, job array"):
        assert f"| {engine} " in page
    assert page.count(cluster.RIGHT) == 4 and cluster.WRONG not in page


ROW = {"engine": "x", "jobs": 8, "lost": "a worker", "records": 4, "expected": 4}
ROW |= {"trained_again": 0, "equal": True}


@pytest.mark.parametrize(
    "change", [{"records": 3}, {"trained_again": 1}, {"equal": False}, {"failed": "no answer"}]
)
def test_an_engine_is_wrong_where_anything_is(change):
    assert cluster.is_right(ROW) and not cluster.is_right(ROW | change)
    assert cluster.is_right({"engine": "x", "left_out": "no root"})
    assert cluster.spoken(ROW | change | {"seconds": 1.0})
