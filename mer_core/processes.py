"""Processes side by side, which end with whoever started them, however it ends."""

import _thread
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from mer_core import UserError

DEVICE = "MER_DEVICE"  # environment variable: what PyTorch computes on (`device.best_device`)
GRACE_S = 10  # from the request to end to the end: a notebook's kernel ends in a few


@contextmanager
def processes(n: int, devices: list[str] | None = None) -> Iterator[ProcessPoolExecutor]:
    """Up to n processes for the time of the block; an error in it, or a signal, ends those that work.

    With `devices` each process computes on one of them, in turn.

    Raises
    ------
    UserError : this machine lets processes share nothing
    """
    try:
        spawn = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads half alive
        places = None
        if devices:
            places = spawn.SimpleQueue()
            for i in range(n):
                places.put(devices[i % len(devices)])
        executor = ProcessPoolExecutor(n, spawn, start, (places,))
    except OSError as error:
        remedy = "Make /dev/shm writable, or let nothing work side by side: --workers 1."
        raise UserError(f"no processes can be started side by side ({error.strerror}). {remedy}") from None
    try:
        yield executor
    except BaseException:  # else an error, or Ctrl-C, would wait for every job still queued
        executor.shutdown(wait=False, cancel_futures=True)
        end(multiprocessing.active_children())
        raise
    executor.shutdown()


def end(children: list[multiprocessing.Process]) -> None:
    """Ask processes to end, and kill those that have not after a while."""
    for child in children:
        child.terminate()
    until = time.monotonic() + GRACE_S
    for child in children:
        child.join(max(0.0, until - time.monotonic()))
        child.kill()


def start(devices: SimpleQueue | None = None) -> None:
    """Leave Ctrl-C to the parent, and end with the parent, however that ends; take the next device."""
    if devices is not None:
        os.environ[DEVICE] = devices.get()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow_parent() -> None:
        multiprocessing.parent_process().join()
        os.kill(os.getpid(), signal.SIGTERM)  # on which nbclient ends its kernel
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()


FOLLOWING = """
import os, runpy, sys, threading

def follow():
    os.read(0, 1)  # nothing comes: it ends with the parent
    os._exit(1)

threading.Thread(target=follow, daemon=True).start()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_script(script: Path, *arguments: str | Path) -> int:
    """Run a Python script, which ends with this process, however that ends; gives its exit status."""
    command = [sys.executable, "-c", FOLLOWING, script, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            return process.wait()
        finally:
            process.kill()


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let signals that would end this process at once raise SystemExit, so that blocks clean up.

    A signal may arrive while a lock is being taken, for which cleaning up then waits for ever, or in a
    destructor, where exceptions are ignored. In any case the process ends after twice `GRACE_S`.
    """

    def end_after_grace(status: int) -> None:
        time.sleep(2 * GRACE_S)
        os._exit(status)

    def stop(number: int, frame) -> None:
        _thread.start_new_thread(end_after_grace, (128 + number,))  # threading's own start takes locks
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.getsignal(number) for number in numbers}
    for number in (number for number in numbers if before[number] is not signal.SIG_IGN):  # as nohup asks
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
