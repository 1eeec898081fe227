"""Where jobs run: processes of this machine, a dask scheduler, or Slurm, behind one executor interface.

Whatever the engine, a job runs alone in its process, with the caller's cache and data sets, and a job whose
worker, pool or scheduler was lost is submitted again. Jobs store their results in files, so that a repeated
one finds what was finished. On several machines the cache, the data sets and the code lie on a shared file
system.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from mer_core import RequestError, UserError, paths
from mer_core.processes import processes

LOSSES = 5  # of workers or schedulers that one job outlives
PATIENCE_S = 600  # for a scheduler that is gone
VISIBLE_S = 30  # until a file of another machine appears on a network file system
REPLACED_S = 5  # every so often lost Slurm jobs are submitted again
AHEAD = 64  # jobs that are submitted before the first result is taken
INSTALL = 'pip install "mer-core[cluster]"'

_ALONE = threading.Lock()  # torch's random numbers and threads belong to the process
_CURRENT: ContextVar[Executor | None] = ContextVar("executor", default=None)


@contextmanager
def jobs_on(executor: Executor | None) -> Iterator[None]:
    """Within the block, songs that are read or rendered are spread over this executor."""
    token = _CURRENT.set(executor)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def in_order(job: Callable, items: list, fewest: int = AHEAD) -> Iterator | None:
    """Results of a job for each item, in their order, from the executor of `jobs_on`; each item once.

    At most AHEAD results wait at a time. None without an executor, or with fewer items than `fewest`.
    """
    executor = _CURRENT.get()
    return None if executor is None or len(items) < fewest else _in_order(executor, job, items)


def _in_order(executor: Executor, job: Callable, items: Iterable) -> Iterator:
    waiting: deque[Future] = deque()
    for item in items:
        waiting.append(executor.submit(job, item))
        if len(waiting) == AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def arrived(future: Future, path: Path) -> None:
    """Wait until a job has stored its result in this file.

    Raises
    ------
    UserError : the worker stored it elsewhere, or where it cannot be seen from here
    """
    made, until = future.result(), time.monotonic() + VISIBLE_S
    if made != path:
        remedy = "Install the same code there, and let both read the same data sets."
        raise UserError(f"a worker has made {made} instead of {path}: its code or data differ. {remedy}")
    while not path.exists():
        if time.monotonic() > until:
            remedy = "Point MER_CACHE at a folder that all machines share."
            raise UserError(f"{path}: a worker has written it, but it is not visible here. {remedy}")
        time.sleep(0.1)


def alone(call: Callable[[], Any], cache: Path, data: str) -> Any:
    """Run a job in a worker, one at a time in a process, with the submitter's folders."""
    with _ALONE:
        paths.CACHE, os.environ["MER_DATA"] = cache, data
        return call()


@dataclass
class Job:
    """A job, and how often its worker or scheduler was lost."""

    future: Future
    call: Callable[[], Any]
    losses: int = 0


class Resubmitting(Executor):
    """Jobs on another executor, which is opened anew, and given what is unfinished, when it is lost.

    Parameters
    ----------
    opened : gives the other executor, ready for jobs, as a context manager
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[Executor]]):
        self._opened, self._lock, self._within = opened, threading.Lock(), ExitStack()
        self._recovery = ThreadPoolExecutor(1, "resubmitting")
        self._closed, self._failure = False, None
        self._inner = self._within.enter_context(opened())
        self.resubmitted = 0  # jobs, counted as often as they were

    def submit(self, fn, /, *args, **kwargs) -> Future:
        call = partial(alone, partial(fn, *args, **kwargs), paths.CACHE, str(paths.data_root()))
        job = Job(Future(), call)
        self._give(job)
        return job.future

    def _give(self, job: Job) -> None:
        with self._lock:
            inner = self._inner
        try:
            given = inner.submit(job.call)
        except (BrokenExecutor, RuntimeError) as error:  # it is lost already
            return self._lost(job, inner, error)
        given.add_done_callback(partial(self._done, job, inner))

    def _done(self, job: Job, inner: Executor, given: Future) -> None:
        error = CancelledError() if given.cancelled() else given.exception()
        if isinstance(error, BrokenExecutor | CancelledError):
            self._lost(job, inner, error)
        elif error is not None:
            job.future.set_exception(readable(error))
        else:
            job.future.set_result(given.result())

    def _lost(self, job: Job, inner: Executor, error: BaseException) -> None:
        job.losses += 1
        if self._closed:
            job.future.cancel()
        elif job.losses > LOSSES:
            job.future.set_exception(error)
        else:
            self._recovery.submit(self._again, job, inner)

    def _again(self, job: Job, lost: Executor) -> None:
        with self._lock:
            if self._inner is lost and self._failure is None:
                self._reopen()
        if self._failure is not None:
            return job.future.set_exception(self._failure)
        self.resubmitted += 1
        self._give(job)

    def _reopen(self) -> None:
        with suppress(Exception):
            self._within.close()
        until = time.monotonic() + PATIENCE_S
        while not self._closed:
            try:
                self._inner = self._within.enter_context(self._opened())
                return
            except Exception as error:
                if time.monotonic() > until:
                    self._failure = error
                    return
                time.sleep(1)

    def __exit__(self, kind, error, trace) -> None:
        """Leave the other executor, too, which an error ends without waiting."""
        self._closed = True
        self._recovery.shutdown(wait=False, cancel_futures=True)
        self._within.__exit__(kind, error, trace)


def readable(error: BaseException) -> BaseException:
    """An error of a job; of dask's `KilledWorker`, what to do about it."""
    if type(error).__name__ != "KilledWorker":
        return error
    remedy = "Mostly they lack memory: give each more, or start fewer of them."
    return UserError(f"several workers ended one after the other at the same job. {remedy}")


def on_this_machine(n: int, devices: list[str]) -> Resubmitting:
    """Processes of this machine; with `devices` (cuda:0, ...) each computes on one of them, in turn."""
    return Resubmitting(partial(processes, n, devices))


def on_scheduler(address: str) -> Resubmitting:
    """The workers of a dask scheduler, wherever they run.

    Raises
    ------
    RequestError : dask is missing
    UserError : there is no scheduler
    """
    _needs_dask("--scheduler")
    return Resubmitting(partial(_client, address))


@contextmanager
def _client(address: str) -> Iterator[Executor]:
    from distributed import Client

    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        remedy = "Start it (dask scheduler), and workers (dask worker ADDRESS --nthreads 1)."
        raise UserError(f"no dask scheduler answers at {address} ({error}). {remedy}") from None
    with client:
        yield client.get_executor(pure=False)  # equal calls are jobs of their own


def _needs_dask(option: str) -> None:
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise RequestError(f"{option} needs dask: {INSTALL}") from None


TEXT, WORDS = (str,), (list,)
# options of dask_jobqueue.SLURMCluster, by its names, and two of our own
OPTIONS = {
    "jobs": (int,),  # Slurm jobs, each with `processes` workers
    "gpu": (bool,),  # whether each job has one GPU, which its workers share
    "cores": (int,), "memory": TEXT, "processes": (int,), "walltime": TEXT, "queue": TEXT, "account": TEXT,
    "interface": TEXT, "python": TEXT, "local_directory": TEXT, "log_directory": TEXT,
    "job_script_prologue": WORDS, "job_extra_directives": WORDS, "job_directives_skip": WORDS,
    "worker_extra_args": WORDS,
}  # fmt: skip
REQUIRED = ("cores", "memory")


def slurm_options(path: Path) -> dict:
    """Options of Slurm jobs from a YAML file (OPTIONS), with the defaults of those that are left out.

    Raises
    ------
    RequestError : no such file, no YAML, an option that does not exist, is missing or has a wrong value
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise RequestError(f"{path}: cannot be read as options of Slurm ({reason}).") from None
    if not isinstance(given, dict):
        raise RequestError(f"{path}: has no options. Those required are {', '.join(REQUIRED)}.")
    if unknown := [str(name) for name in given if name not in OPTIONS]:
        known = ", ".join(OPTIONS)
        raise RequestError(f"{path}: there is no option {', '.join(unknown)}; there are {known}.")
    if missing := [name for name in REQUIRED if name not in given]:
        raise RequestError(f"{path}: lacks {', '.join(missing)}, of each job.")
    for name, value in given.items():
        if type(value) not in OPTIONS[name] or (type(value) is int and value < 1):
            kind = {int: "a number from 1", bool: "true or false", str: "a text", list: "a list"}
            raise RequestError(f"{path}: {name} is {kind[OPTIONS[name][0]]}, got {value!r}.")
    options = {"jobs": 1, "gpu": False, "processes": 1} | given
    if options["processes"] > options["cores"]:
        raise RequestError(f"{path}: {options['processes']} processes need at least as many cores.")
    return options


def on_slurm(config: Path) -> Resubmitting:
    """Workers in Slurm jobs, by the options of a YAML file (`slurm_options`); lost ones are replaced.

    The scheduler is in this process: who starts it again goes on with what is finished.

    Raises
    ------
    RequestError : dask is missing, or the file makes no sense
    """
    _needs_dask("--slurm")
    return Resubmitting(partial(_slurm, slurm_options(config)))


def cluster_options(options: dict) -> dict:
    """Arguments of `SLURMCluster`: a worker takes one job at a time, on its share of the cores."""
    passed = {name: value for name, value in options.items() if name not in ("jobs", "gpu")}
    threads = options["cores"] // options["processes"]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    limits = [f"export {name}={threads}" for name in names]
    return passed | {
        "job_script_prologue": limits + options.get("job_script_prologue", []),
        "job_extra_directives": ["--gres=gpu:1"] * options["gpu"] + options.get("job_extra_directives", []),
        "worker_extra_args": ["--nthreads", "1", *options.get("worker_extra_args", [])],
        "scheduler_options": {"dashboard": False},
    }


@contextmanager
def _slurm(options: dict) -> Iterator[Executor]:
    import dask
    from dask_jobqueue import SLURMCluster
    from distributed import Client

    over = threading.Event()

    def replace_lost() -> None:
        while not over.wait(REPLACED_S):
            with suppress(Exception):  # sbatch may fail for a while, as when slurmctld is started again
                cluster.scale(jobs=options["jobs"])

    lost = {"distributed.deploy.lost-worker-timeout": f"{REPLACED_S}s"}
    with (
        dask.config.set(lost),
        SLURMCluster(**cluster_options(options)) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        cluster.scale(jobs=options["jobs"])
        replacing = threading.Thread(target=replace_lost, daemon=True)
        replacing.start()
        try:
            yield client.get_executor(pure=False)
        finally:
            over.set()
            replacing.join()
