"""Growth: processor time and peak memory against songs, seconds, overlap, classes, tags and runs.

    python -m benchmarks.growth [--rounds N] [--only STAGE] [--out FILE]

Every point is measured in a process of its own, on one thread, several times. Time is that of the processor,
not of the clock, so that other work on the machine matters less; points that take long are measured once.
Memory is the greatest resident size less that at the start (Linux). Sound, made by code, is read in the
stages `features` and `front end` only; training takes random frames, because ten thousand songs of sound
would take too long. The table goes to data/results/growth.json, after every point; the book's page on scale
fits the exponents.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import sounds
from mer_companion import folders, results
from mer_companion.analysis import growth
from mer_companion.experiments import comparison
from mer_companion.experiments.presets import MIRABLE, OWN_MUSIC, SSSL
from mer_companion.runs import cross_validation, scoring, tag_scoring
from mer_companion.runs.settings import Run
from mer_core import frames, paths
from mer_core.audio.features import Features, LogMel
from mer_core.datasets import synthetic
from mer_core.datasets.splits import Folds
from mer_core.datasets.tracks import Tracks
from mer_core.methods import inherit
from mer_core.segments import make_segments
from mer_core.training import Training

CPU, ROUNDS = torch.device("cpu"), 3
LONG_S = 5  # of processor time: points that take longer are measured once
RUN = replace(
    SSSL["cpu"],
    method=inherit.Settings(),
    training=Training(epochs=1, batch_size=32, learning_rate=1e-3, stride=3),
    folds=Folds(n=3, by="song", inner=0),
)
FRONT_ENDS: dict[str, Features] = {
    "SSSL, paper": SSSL["paper"].features,
    "SSSL, cpu": SSSL["cpu"].features,
    "Mirable, paper": MIRABLE["paper"].features,
    "MusiCNN": OWN_MUSIC["cpu"].features,
}
USUAL = {"songs": 100, "seconds": 5, "window": 3, "classes": 4, "tags": 0}
STREAMED_BATCHES = 40


def names(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i:06d}" for i in range(n)]


def tracks_of(songs: int, classes: int, tags: int) -> Tracks:
    """Songs by as many artists, with labels in turn or three tags each, and no sound."""
    table = pd.DataFrame({"track_id": names("song", songs), "group": names("artist", songs)})
    table = table.assign(path=Path("none"), duration_s=1.0)
    if not tags:
        known = tuple(names("class", classes))
        return Tracks("growth", known, table.assign(label=np.resize(known, songs)))
    known = names("tag", tags)
    own = [tuple(known[(i + k * 7) % tags] for k in range(3)) for i in range(songs)]
    return Tracks("growth", tuple(known), table.assign(tags=own, part="train"))


def stored(tracks: Tracks, seconds: float, features: LogMel, folder: Path) -> frames.Frames:
    """Random frames of these songs, in a file that is mapped as those of a store are."""
    n = round(seconds * features.frames_per_second) + 1
    values = np.lib.format.open_memmap(
        folder / "frames.npy", "w+", np.float16, (n * len(tracks), features.n_values)
    )
    noise = np.random.default_rng(0).standard_normal((20_000, features.n_values), np.float32) * 10 - 30
    for start in range(0, len(values), len(noise)):
        block = values[start : start + len(noise)]
        block[:] = noise[: len(block)]
    values.flush()
    mapped = np.load(folder / "frames.npy", mmap_mode="r")
    offsets = np.arange(len(tracks) + 1) * n
    return frames.Frames("growth", tracks, features, mapped, offsets, np.full(len(tracks), float(seconds)))


def files_of(songs: int, seconds: int, folder: Path) -> Tracks:
    """Sound files; from the hundredth on links to those before, which are read all the same."""
    made = synthetic.Corpus(n_songs=min(songs, 100), n_artists=min(songs, 100), song_s=seconds)
    synthetic.make(made, folder)
    every = [folder / f"song{i:03d}.flac" for i in range(made.n_songs)]
    for i in range(made.n_songs, songs):
        link = folder / f"link{i}.flac"
        link.symlink_to(every[i % made.n_songs])
        every.append(link)
    table = tracks_of(songs, 4, 0).table.assign(path=every)
    return Tracks("growth", tuple(sorted(set(table["label"]))), table)


def features(point: dict, folder: Path) -> tuple[Callable, dict]:
    tracks = files_of(point["songs"], point["seconds"], folder)
    sizes = {"hours": point["songs"] * point["seconds"] / 3600}
    return lambda: frames.compute(tracks, RUN.features, cache=folder / "cache", progress=False), sizes


def training(point: dict, folder: Path, run: Run = RUN) -> tuple[Callable, dict]:
    """One epoch of plain training on two thirds of the songs, and the predictions of the others."""
    tracks = tracks_of(point["songs"], point["classes"], point["tags"])
    store = stored(tracks, point["seconds"], RUN.features, folder)
    learning = np.flatnonzero(np.arange(len(tracks)) % 3)
    tested = np.flatnonzero(np.arange(len(tracks)) % 3 == 0)
    windows = frames.windows(store, point["window"])

    def work() -> None:
        everything = make_segments(store, windows, CPU)
        data, test = everything.of_tracks(learning), everything.of_tracks(tested).evenly(16)
        answer, _ = cross_validation.fit(run, data, 0, on_epoch=lambda row: None)
        answer(test)

    sizes = {"frames_mb": store.values.nbytes / 1e6, "windows": len(windows)}
    return work, sizes | {"hours": point["songs"] * point["seconds"] / 3600}


def memory(point: dict, folder: Path) -> tuple[Callable, dict]:
    """Training as above, on few windows of long songs: what the frames take besides network and batch."""
    return training(point, folder, replace(RUN, training=replace(RUN.training, stride=0)))


def score(point: dict, folder: Path) -> tuple[Callable, dict]:
    """Decisions for songs from their windows, and metrics with intervals over artists."""
    tracks, rng = tracks_of(point["songs"], point["classes"], point["tags"]), np.random.default_rng(0)
    n, track = len(tracks.classes), np.repeat(np.arange(len(tracks)), 5)
    test = rng.random((len(track), n)).astype(np.float32)
    own, fold = np.arange(len(tracks)), np.arange(len(tracks)) % 3

    def of_labels() -> None:
        decided = scoring.decide_by_windows(test, track)
        arrays = {"track": own, "fold": fold} | {f"decision_{name}": of for name, of in decided.items()}
        scoring.pooled_rows(arrays, test[::5], tracks)

    def of_tags() -> None:
        precision, area = tag_scoring.drawn(tracks.targets, test[::5], tracks.groups, draws=50)
        tag_scoring.ranking_rows(precision, area, tracks.classes, len(tracks))

    return of_tags if point["tags"] else of_labels, {}


def runs(point: dict, folder: Path) -> tuple[Callable, dict]:
    """Read the records of an experiment's runs and compare them; copies of one record, seed by seed."""
    path = sorted(results.folder("cpu").glob("literature-msd_artist-*.json"))[0]
    record = results.load(path)
    for table in results.TABLES:
        record[table]  # read before copies are made
    stored, tracks = results.predictions(record), tracks_of(900, 4, 0)
    comparison.results.tracks_of = lambda _: tracks
    comparison.results.predictions = lambda _: stored
    text = path.read_text(encoding="utf-8")

    def work() -> None:
        copies = []
        for seed in range(point["runs"]):
            config = json.loads(text)["config"] | {"seed": seed}
            copies.append(record | {"config": config})
        comparison.compare({}, copies)

    return work, {}


def front_end(point: dict, folder: Path) -> tuple[Callable, dict]:
    """Frames of mp3 files of half a minute."""
    with sounds.files(None, n=point["songs"]) as files:
        for file in files:
            shutil.copy(file, folder / file.name)
    table = tracks_of(point["songs"], 4, 0).table.assign(path=sorted(folder.glob("*.mp3")))
    tracks, settings = Tracks("growth", tuple(sorted(set(table["label"]))), table), FRONT_ENDS[point["of"]]
    sizes = {"hours": point["songs"] * sounds.SECONDS / 3600}
    return lambda: frames.compute(tracks, settings, cache=folder / "cache", progress=False), sizes


def streamed(point: dict, folder: Path) -> tuple[Callable, dict]:
    """Batches of windows of a large store in random order: its pages in memory, or read from disk anew."""
    store = stored(tracks_of(2000, 4, 0), 60, RUN.features, folder)
    data = make_segments(store, frames.windows(store, 3.0), CPU)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    batches = order[: STREAMED_BATCHES * RUN.training.batch_size].split(RUN.training.batch_size)
    if point["of"] == "network":
        data.spectrograms(order[:2000])
        learned = data.kept(torch.cat(batches).sort()[0].numpy())
        steps = -(-len(learned.in_epoch(0, RUN.training.stride)) // RUN.training.batch_size)
        return lambda: cross_validation.fit(RUN, learned, 0, on_epoch=lambda row: None), {"batches": steps}
    if point["of"] == "memory":
        data.values.sum(dtype=torch.float32)  # reads every page
    else:
        drop_pages(store.values, folder / "frames.npy")

    def work() -> None:
        for batch in batches:
            data.spectrograms(batch)

    return work, {"frames_mb": store.values.nbytes / 1e6, "batches": STREAMED_BATCHES}


def drop_pages(values: np.memmap, path: Path) -> None:
    """Take a file's pages out of memory, as if it did not fit there."""
    import mmap

    values._mmap.madvise(mmap.MADV_DONTNEED)
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


STAGES = {
    "memory": memory, "features": features, "training": training, "scoring": score, "runs": runs,
    "front end": front_end, "streaming": streamed,
}  # fmt: skip
POINTS = [
    *(("memory", "seconds", n, {"songs": 200}) for n in (150, 750, 3000)),
    *(("streaming", "of", name, {}) for name in ("memory", "disk", "network")),
    *(("training", "songs", n, {"seconds": 4}) for n in (100, 1000, 10_000)),
    *(("features", "songs", n, {"seconds": 1}) for n in (100, 1000, 10_000)),
    *(("front end", "songs", n, {"of": name}) for name in FRONT_ENDS for n in (2, 4, 12)),
    *(("runs", "runs", n, {}) for n in (10, 30, 100)),
    *(("scoring", "songs", n, {}) for n in (100, 1000, 10_000)),
    *(("scoring", "classes", n, {"songs": 1000}) for n in (4, 16, 64)),
    *(("scoring", "tags", n, {"songs": 1000}) for n in (6, 24, 96)),
    *(("training", "seconds", n, {"songs": 50}) for n in (10, 30, 100)),
    *(("training", "window", n, {"songs": 50, "seconds": 30}) for n in (3, 6, 12)),
    *(("training", "classes", n, {"songs": 250}) for n in (4, 16, 64)),
    *(("training", "tags", n, {"songs": 250}) for n in (6, 24, 96)),
    *(("features", "seconds", n, {"songs": 5}) for n in (10, 30, 100)),
]  # fmt: skip


def peak_mb() -> float:
    """The greatest resident size of this process so far, which `reset_peak` forgets."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def measure(stage: str, point: dict, answers: multiprocessing.SimpleQueue) -> None:
    """Processor and clock time and memory of one point, in this process."""
    scratch = paths.CACHE / "growth"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        work, sizes = STAGES[stage](point, Path(folder))
        reset_peak()
        before, began, clock = peak_mb(), time.process_time(), time.perf_counter()
        work()
        spent = {"cpu_s": time.process_time() - began, "clock_s": time.perf_counter() - clock}
        answers.put(spent | {"peak_mb": peak_mb() - before} | sizes)


def measured(stage: str, dimension: str, size: int | str, others: dict) -> dict:
    """A row of the table."""
    fork = multiprocessing.get_context("fork")  # all is imported, and nothing computed yet
    answers = fork.SimpleQueue()
    child = fork.Process(target=measure, args=(stage, USUAL | others | {dimension: size}, answers))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError(f"{stage} at {size} {dimension} ended with status {child.exitcode}")
    found = {name: float(f"{value:.5g}") for name, value in answers.get().items()}
    return {"stage": stage, "dimension": dimension, "size": size, "of": others.get("of", "")} | found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", choices=STAGES, help="one stage; others keep their rows")
    parser.add_argument("--out", type=Path, default=growth.path())
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    folders.RESULTS.mkdir(exist_ok=True)
    rows, points = [], [point for point in POINTS if wanted.only in (None, point[0])]
    stages = {stage for stage, *_ in points}
    before = json.loads(wanted.out.read_text())["rows"] if wanted.out.exists() else []
    kept = [row for row in before if row["stage"] not in stages]
    for i in range(wanted.rounds):
        again = []
        for point in points:
            rows.append(measured(*point) | {"round": i})
            print(rows[-1], flush=True)
            growth.write(kept + rows, wanted.out)
            again += [point] if rows[-1]["cpu_s"] < LONG_S else []
        points = again
    print(wanted.out)


if __name__ == "__main__":
    main()
