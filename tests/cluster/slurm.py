"""A real Slurm on this machine, from Debian's packages: a controller, one node, munge; needs root."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.cluster import experiment
from tests.cluster.experiment import ended, finished, outcome, started, wait_for_networks, wait_until
from tests.cluster.local import free_port

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
CONF = """
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
CONFIG = """
jobs: 2
cores: 1
memory: 1GB
walltime: "00:10:00"
queue: main
interface: lo
log_directory: {folder}
local_directory: {folder}
"""


def missing() -> str:
    """Why Slurm cannot be tried here, having installed it where that is allowed; empty where it can."""
    if find_spec("dask_jobqueue") is None:
        return "dask-jobqueue missing: pip install -e '.[cluster]'"
    if os.getuid() != 0:
        return "needs root, to start Slurm"
    if not all(map(shutil.which, PROGRAMS)) and shutil.which("apt-get"):
        for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", "-qq", *words], capture_output=True, check=False)
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"{', '.join(absent)} missing: apt-get install {' '.join(PACKAGES)}" if absent else ""


class Slurm:
    """A controller and a node, ended with the block."""

    def __init__(self, folder: Path):
        self.folder, self.conf, host = folder, folder / "slurm.conf", socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        ports = {"controller": free_port(), "node": free_port()}
        self.conf.write_text(CONF.format(host=host, folder=folder, **ports))
        os.environ["SLURM_CONF"] = str(self.conf)
        self.controller = self.start("slurmctld", "-D", "-f", str(self.conf))
        self.node = self.start("slurmd", "-D", "-f", str(self.conf), "-N", host)

    def start(self, *words: str) -> subprocess.Popen:
        return started(list(words), self.folder / f"{words[0]}.log")

    def restart_controller(self) -> None:
        ended(self.controller)
        self.controller = self.start("slurmctld", "-D", "-f", str(self.conf))

    def jobs(self) -> list[str]:
        """The numbers of running jobs."""
        said = subprocess.run(
            ["squeue", "-h", "-t", "R", "-o", "%i"], capture_output=True, text=True, check=False
        )
        return said.stdout.split()

    def is_up(self) -> bool:
        said = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False)
        return said.stdout.strip() in ("idle", "mix", "alloc")


@contextmanager
def munge(folder: Path) -> Iterator[None]:
    """Munge, which Slurm trusts, unless it runs already."""
    if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
        yield
        return
    subprocess.run(["install", "-d", "-o", "munge", "/run/munge"], check=True)
    daemon = started(["runuser", "-u", "munge", "--", "munged", "--foreground"], folder / "munged.log")
    try:
        wait_until(lambda: Path("/run/munge/munge.socket.2").exists(), "munge")
        yield
    finally:
        ended(daemon)


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    with munge(folder):
        here = Slurm(folder)
        try:
            wait_until(here.is_up, "the node of Slurm")
            yield here
        finally:
            subprocess.run(["scancel", "-u", "root"], capture_output=True, check=False)
            wait_until(lambda: not here.jobs(), "the last jobs of Slurm")
            for program in (here.node, here.controller):
                ended(program)


def jobqueue(folder: Path, serial: Path) -> dict:
    """Two Slurm jobs: a worker process is ended, a whole job is cancelled, the controller starts again."""
    import psutil

    log, config = folder / "log", folder / "slurm.yaml"
    config.write_text(CONFIG.format(folder=folder))
    with slurm(folder / "slurm") as here:
        run = started(experiment.command(folder, "--slurm", str(config)), log)
        try:
            before = [wait_for_networks(folder, 2, run, log)]
            of_dask = [
                one for one in psutil.process_iter(["cmdline", "environ"]) if is_worker(one, here.conf)
            ]
            of_dask[0].send_signal(signal.SIGKILL)
            before.append(wait_for_networks(folder, 4, run, log))
            lost = here.jobs()[0]
            subprocess.run(["scancel", lost], check=True)
            here.restart_controller()
            wait_until(lambda: set(here.jobs()) - {lost}, "Slurm after its restart")
            finished(run, log)
        finally:
            ended(run)
        ended_s = "a worker, then a whole job, then the controller"
        return outcome("Slurm, dask-jobqueue", folder, serial, ended_s, before)


def is_worker(process, conf: Path) -> bool:
    """Whether a process takes jobs of dask within a job of this Slurm."""
    words, around = process.info["cmdline"] or [], process.info["environ"] or {}
    return (
        "spawn_main" in " ".join(words) and around.get("SLURM_CONF") == str(conf) and "SLURM_JOB_ID" in around
    )


def array(folder: Path, serial: Path) -> dict:
    """A job array: each of its two jobs makes every second run (--shard)."""
    with slurm(folder / "slurm"):
        words = experiment.command(folder, "--workers", "1", "--shard", "$SLURM_ARRAY_TASK_ID/2")
        quoted = " ".join(word if word.startswith("$") else shlex.quote(word) for word in words)
        script = folder / "job.sh"
        script.write_text(f"#!/bin/sh\n{quoted}\n")
        log = folder / "log"
        run = started(
            ["sbatch", "--wait", "--array=1-2", "--mem=1G", "-o", f"{folder}/job-%a", str(script)], log
        )
        try:
            finished(run, log)
        finally:
            ended(run)

        return outcome("Slurm, job array", folder, serial, "", [])
