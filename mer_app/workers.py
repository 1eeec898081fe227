"""Where networks are computed: the device, and processes side by side."""

import os
from contextlib import contextmanager

import click

from mer_core.processes import processes
from mer_core.progress import QUIET


@contextmanager
def on_device(device: str, quiet: bool):
    """Choose the device, and whether there are progress bars, for this process and those that it starts.

    Raises
    ------
    RequestError : there is no such device
    """
    from mer_core.device import DEVICE, best_device, restore

    chosen = {DEVICE: device, **({QUIET: "1"} if quiet else {})}
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        best_device()
        yield
    finally:
        restore(before)


@contextmanager
def without_bars(quiet: bool):
    """No progress bars, where that is wanted, in this process and those that it starts."""
    before = os.environ.get(QUIET)
    if quiet:
        os.environ[QUIET] = "1"
    try:
        yield
    finally:
        if quiet and before is None:
            del os.environ[QUIET]
        elif quiet:
            os.environ[QUIET] = before


@contextmanager
def executor_of(workers: int | None, scheduler: str | None, n_networks: int | None = None):
    """Where networks are trained: here (None), in processes of this machine, or on a dask cluster.

    Small convolutions use two threads badly: a process for each core is 1.4 times faster on two cores. A GPU
    takes one at a time.

    Parameters
    ----------
    n_networks : how many there are to train, where that is known: with fewer than cores, each gets several
    threads
    """
    from threadpoolctl import threadpool_limits

    from mer_core.device import best_device, cores, threads_of_children

    side_by_side = max(1, min(cores(), n_networks or cores()))
    workers = workers or (side_by_side if best_device().type == "cpu" else 1)

    if scheduler:
        try:
            from distributed import Client
        except ImportError:
            raise click.UsageError('--scheduler needs dask: pip install "mer-core[cluster]"') from None
        with Client(scheduler) as client, client.get_executor() as executor:
            yield executor
    elif workers > 1:
        with (
            processes(workers) as executor,
            threads_of_children(max(1, cores() // workers)),
            threadpool_limits(1),  # it only scores here
        ):
            yield executor
    else:
        yield None
