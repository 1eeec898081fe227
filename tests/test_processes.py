"""Whoever starts processes ends them, however it ends itself."""

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from mer_core import UserError, paths, processes

SLEEPS = """
import os, time
from mer_core.processes import ended_in_order, processes
with ended_in_order(), processes(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 60).result()
"""
HOLDS_A_LOCK = """
import os, time
from mer_core import processes
processes.GRACE_S = 0.5
with processes.ended_in_order(), processes.processes(1) as pool:
    job = pool.submit(time.sleep, 60)
    job._condition.acquire()  # as a signal between taking a lock and entering its block leaves it
    print("waits", flush=True)
    time.sleep(60)
"""
EXECUTES = """
import sys
from pathlib import Path
from mer_companion.book import notebooks
from mer_core.processes import ended_in_order, processes
with ended_in_order(), processes(1) as pool:
    pool.submit(notebooks.execute, Path("a.py"), Path("a.ipynb")).result()
"""
NOTEBOOK = """# %% tags=["parameters"]
n = 1

# %%
import os, time, pathlib
pathlib.Path("pid.new").write_text(str(os.getpid()))
pathlib.Path("pid.new").rename("pid")
time.sleep(60)
"""


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")  # a zombie, where nobody waits for orphans, is gone too
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


@contextmanager
def started(code: str, folder):
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_workers_end_with_their_parent(number, status, tmp_path):
    with started(SLEEPS, tmp_path) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(number)
        assert parent.wait(30) == status and wait_until(lambda: is_gone(worker))


def test_a_process_whose_cleaning_up_never_ends_ends_all_the_same(tmp_path):
    with started(HOLDS_A_LOCK, tmp_path) as parent:
        parent.stdout.readline()
        parent.terminate()
        assert parent.wait(30) == 143


def test_a_script_ends_with_who_runs_it(tmp_path):
    script = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    (tmp_path / "script.py").write_text(script)
    runs = "from mer_core.processes import run_script; run_script('script.py')"
    with started(runs, tmp_path) as parent:
        assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        parent.kill()
    assert wait_until(lambda: is_gone(int((tmp_path / "pid").read_text())))


def test_a_script_has_its_arguments_and_its_exit_status(tmp_path):
    (tmp_path / "script.py").write_text("import sys; sys.exit(len(sys.argv[1]))")
    assert processes.run_script(tmp_path / "script.py", "three") == 5


def test_a_machine_that_shares_no_memory_is_told_of_in_a_sentence(monkeypatch):
    def closed(*arguments):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(processes, "ProcessPoolExecutor", closed)
    with pytest.raises(UserError, match="Read-only file system.*--workers 1"), processes.processes(2):
        pass


def test_the_kernel_of_a_notebook_ends_with_who_executes_it(tmp_path):
    (tmp_path / "a.py").write_text(NOTEBOOK)
    with started(EXECUTES, tmp_path) as parent:
        assert wait_until((tmp_path / "pid").exists)
        parent.terminate()
        parent.wait(60)
    assert wait_until(lambda: is_gone(int((tmp_path / "pid").read_text())))
