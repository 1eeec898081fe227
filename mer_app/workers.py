"""Where networks are computed: the device, and processes side by side."""

import os
from contextlib import contextmanager
from pathlib import Path

import click

from mer_core import executors
from mer_core.progress import QUIET


@contextmanager
def environment(values: dict[str, str]):
    """Environment variables within the block, for this process and those that it starts."""
    from mer_core.device import restore

    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        restore(before)


@contextmanager
def on_device(device: str, quiet: bool):
    """Choose the device, and whether there are progress bars, for this process and those that it starts.

    Raises
    ------
    RequestError : there is no such device
    """
    from mer_core.device import DEVICE, best_device

    with environment({DEVICE: device}), without_bars(quiet):
        best_device()
        yield


def without_bars(quiet: bool):
    """No progress bars, where that is wanted, in this process and those that it starts."""
    return environment({QUIET: "1"} if quiet else {})


@contextmanager
def executor_of(
    workers: int | None,
    n_networks: int | None = None,
    scheduler: str | None = None,
    slurm: Path | None = None,
):
    """Where jobs run: here (None), in processes of this machine, on a dask scheduler, or in Slurm jobs.

    Small convolutions use two threads badly: a process for each core is 1.4 times faster on two cores. On a
    machine with GPUs each has one process; more `workers` share them.

    Parameters
    ----------
    n_networks : how many there are to train, where that is known: with fewer than cores, each gets several
    threads
    slurm : a file of options (`executors.slurm_options`)
    """
    if sum(one is not None for one in (workers, scheduler, slurm)) > 1:
        raise click.UsageError("--workers, --scheduler and --slurm exclude each other.")
    if scheduler or slurm:
        remote = executors.on_scheduler(scheduler) if scheduler else executors.on_slurm(slurm)
        with remote as executor, executors.jobs_on(executor):
            yield executor
        return

    from threadpoolctl import threadpool_limits

    from mer_core.device import best_device, cores, gpus, threads_of_children

    devices = gpus()
    side_by_side = len(devices) or (cores() if best_device().type == "cpu" else 1)
    workers = workers or max(1, min(side_by_side, n_networks or side_by_side))
    if workers == 1:
        yield None
        return
    with (
        executors.on_this_machine(workers, devices) as executor,
        threads_of_children(max(1, cores() // workers)),
        threadpool_limits(1),  # it only scores here
        executors.jobs_on(executor),
    ):
        yield executor
