"""Engines on this machine: in series, a pool of processes, and a dask scheduler with worker processes."""

import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.cluster import experiment
from tests.cluster.experiment import ended, finished, outcome, started, wait_for_networks, workers_of

MIDI_FILES = 66  # enough to be sent to workers
STAND_IN = """#!/bin/sh
# plays anything as one tone, and notes what it played
for word; do source=$word; done
while [ "$1" != -F ]; do shift; done
echo "$source" >> {log}
cp {tone} "$2"
"""


def missing() -> str:
    """Why a cluster cannot be tried here; empty where it can."""
    absent = [name for name in ("distributed", "psutil") if find_spec(name) is None]
    return f"{' and '.join(absent)} missing: pip install -e '.[cluster]'" if absent else ""


def serial(folder: Path) -> None:
    """The run that the others are compared with: one process, one network after the other."""
    log = folder / "log"
    finished(started(experiment.command(folder, "--workers", "1"), log), log)


def pool(folder: Path, serial: Path) -> dict:
    """Two processes, of which one is ended in the middle."""
    log = folder / "log"
    run = started(experiment.command(folder, "--workers", "2"), log)
    try:
        before = [wait_for_networks(folder, 2, run, log)]
        workers_of(run)[0].send_signal(signal.SIGKILL)
        finished(run, log)
    finally:
        ended(run)
    return outcome("processes", folder, serial, "a worker", before)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def dask_program(kind: str, *options: str) -> list[str]:
    return [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *options]


def dask(folder: Path, serial: Path) -> dict:
    """A scheduler with two worker processes: one worker is ended, then the scheduler with all workers."""
    log, port = folder / "log", free_port()
    address = f"tcp://127.0.0.1:{port}"
    schedule = dask_program("scheduler", "--host", "127.0.0.1", "--port", str(port))
    work = dask_program(
        "worker", address, "--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder / "dask")
    )
    programs = [started(words, folder / "dask.log") for words in (schedule, work)]
    try:
        run = started(experiment.command(folder, "--scheduler", address), log)
        programs.append(run)
        before = [wait_for_networks(folder, 2, run, log)]
        workers_of(programs[1])[0].send_signal(signal.SIGKILL)
        before.append(wait_for_networks(folder, 4, run, log))
        for program in programs[:2]:
            ended(program)
        programs[:2] = [started(words, folder / "dask.log") for words in (schedule, work)]
        finished(run, log)
        rendered = render(folder, address)
    finally:
        for program in programs:
            ended(program)
    return outcome("dask scheduler", folder, serial, "a worker, then the scheduler", before) | rendered


def render(folder: Path, address: str) -> dict:
    """Render many MIDI files on the workers, by a stand-in for fluidsynth: how often each was played."""
    if find_spec("mido") is None:
        return {"rendered": "left out: mido is missing"}
    import mido
    import numpy as np
    import soundfile

    from mer_core import executors
    from mer_core.datasets import rendered

    log, tone, program = folder / "played", folder / "tone.wav", folder / "fluidsynth"
    soundfile.write(tone, np.sin(np.arange(rendered.PLAYED_RATE) / 10), rendered.PLAYED_RATE)
    program.write_text(STAND_IN.format(log=log, tone=tone))
    program.chmod(0o755)
    notes = mido.MidiTrack(
        [mido.Message("note_on", note=60, time=0), mido.Message("note_off", note=60, time=480)]
    )
    mido.MidiFile(tracks=[notes]).save(folder / "song.mid")
    midi = [folder / f"{i}.mid" for i in range(MIDI_FILES)]
    for path in midi:
        path.write_bytes((folder / "song.mid").read_bytes())
    using = rendered.Synthesizer(str(program), "0", tone, "0")
    places = {path: folder / "rendered" / f"{path.stem}.flac" for path in midi}
    with executors.on_scheduler(address) as executor, executors.jobs_on(executor):
        failed = rendered._render_all(places, using)
    played = len(log.read_text().splitlines())
    there = sum(path.exists() for path in places.values())
    return {"rendered": f"{there} of {MIDI_FILES} files in {played} calls, {len(failed)} failed"}
