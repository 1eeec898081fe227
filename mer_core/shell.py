"""What commands share: errors in one line, settings, presets, processors, and words that are looked up only when needed."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import click
from click.shell_completion import CompletionItem

from mer_core import UserError
from mer_core.progress import QUIET

PRESETS = ("smoke", "cpu", "paper")  # the keys of `experiments.presets.SSSL`, which would load torch


class OneOf(click.ParamType):
    """One of some words that are looked up only when a command runs, so that help need not wait for torch."""

    name = "word"

    def __init__(self, words: Callable[[], list[str]]):
        self.words = words

    def convert(self, value, param, ctx):
        if value not in (known := self.words()):
            self.fail(f"{value!r} is not one of {', '.join(known)}.", param, ctx)
        return value

    def shell_complete(self, ctx, param, incomplete):
        return [CompletionItem(word) for word in self.words() if word.startswith(incomplete)]


def printable(text: object) -> str:
    r"""Text for one line of a terminal: newlines, control characters and bytes that are no UTF-8 as escapes.

    >>> printable("a\nb.mp3")
    'a\\nb.mp3'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


@contextmanager
def clear_errors():
    """Turn an error that the user can mend into one readable line and exit status 1."""
    try:
        yield
    except UserError as error:
        raise click.ClickException("\n".join(map(printable, str(error).split("\n")))) from None


@contextmanager
def on_device(device: str, quiet: bool):
    """Choose the device, and whether there are progress bars, for this process and those that it starts."""
    chosen = {"MER_DEVICE": device, **({QUIET: "1"} if quiet else {})}
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def setting_of(text: str) -> tuple[str, object]:
    """A setting such as folds.n=3 as a name and a plain value."""
    import yaml

    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set is NAME=VALUE, for instance folds.n=3; got {text!r}")
    return name, yaml.safe_load(value)


@contextmanager
def executor_of(workers: int | None, scheduler: str | None):
    """Where networks are trained: here (None), in processes of this machine, or on a dask cluster.

    Small convolutions use two threads badly: a process for each core is 1.4 times faster on two cores. A GPU takes one at a time.
    """
    import torch

    cores = os.cpu_count() or 1
    workers = workers or (1 if torch.cuda.is_available() else cores)

    if scheduler:
        try:
            from distributed import Client
        except ImportError:
            raise click.UsageError('--scheduler needs dask: pip install "mer-core[cluster]"') from None
        with Client(scheduler) as client, client.get_executor() as executor:
            yield executor
    elif workers > 1:
        context = multiprocessing.get_context("spawn")  # a forked child would inherit torch's threads half alive
        executor = ProcessPoolExecutor(workers, context, start_worker, (max(1, cores // workers),))
        try:
            yield executor
        except BaseException:  # else an error, or Ctrl-C, would wait for every network still queued
            executor.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
        executor.shutdown()
    else:
        yield None


def start_worker(threads: int) -> None:
    """Give a worker its share of the cores, leave Ctrl-C to the parent, and end with the parent, however that ends."""
    import torch

    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow_parent() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()
