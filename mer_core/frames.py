"""The frame store: spectrogram frames of all tracks in one memory-mapped array, of which windows are views.

Computed once per (audio content, feature settings). Frames are appended track by track beside a journal; a
run that was killed resumes after the last journalled track, and the finished store appears under its final
name in one step.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from mer_core import executors, paths, window_features
from mer_core.audio import decoding
from mer_core.audio.features import (
    Features,
    FrontEndMaps,
    StoredMel,
    StoredMelError,
    WindowFeatures,
    frames_of,
    frames_within,
    stored_mel,
)
from mer_core.datasets.tracks import DataError, Tracks, shown
from mer_core.files import atomic_write
from mer_core.finite import finite
from mer_core.models import musicnn, musicnn_weights
from mer_core.progress import progress_bar

HOP_S = 1  # a window starts every second, whatever its length (SSSL, section 4.1)
JOURNAL = ".journal"
SETTLED_NS = 2_000_000_000  # a file older than this changes its time when it changes
DTYPE = np.float16  # 0.03 dB steps at 60 dB: far below what the ear or a network resolves


@dataclass(frozen=True)
class Frames:
    """Spectrogram frames of `tracks`, in their order.

    ``values``: (n_all_frames, settings.n_values) float16, memory-mapped; track i owns rows ``offsets[i]`` to
    ``offsets[i + 1]``. ``duration_s``: (n_tracks,) length of the decoded audio. ``name``: fingerprint of the
    settings and of every file's content.
    """

    name: str
    tracks: Tracks
    settings: Features
    values: np.ndarray
    offsets: np.ndarray
    duration_s: np.ndarray


@dataclass(frozen=True)
class Windows:
    """Windows over a frame store: window j covers its rows ``first[j]`` to ``first[j] + n_frames``."""

    track: np.ndarray  # (n_windows,) int
    first: np.ndarray  # (n_windows,) int, row of the frame store
    second: np.ndarray  # (n_windows,) int, where the window starts in its track
    n_frames: int
    window_s: float
    # (n_windows,) int, frames before the clip ends and begins again; n_frames but in clips that are too short
    n_own: np.ndarray

    def __len__(self) -> int:
        return len(self.track)


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def content_hashes(files: list[Path], cache: Path) -> list[str]:
    """The hash of each file's content; a file of the same size and time as when it was last read is not read.

    Otherwise every process of a large corpus would read all of its sound again.
    """
    memo = cache / "hashes.memo"
    known = json.loads(memo.read_text()) if memo.exists() else {}
    now, stats = time.time_ns(), [file.stat() for file in files]
    signs = [[stat.st_size, stat.st_mtime_ns] for stat in stats]

    def found(file: Path, sign: list[int]) -> str:
        *before, digest = known.get(str(file), [None])
        return digest if before == sign else file_hash(file)

    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(found, files, signs))
    fresh = {  # a file that has just been written may be written again within the same tick of its clock
        str(file): [*sign, digest]
        for file, sign, digest in zip(files, signs, hashes, strict=True)
        if now - sign[1] > SETTLED_NS
    }
    if any(known.get(file) != row for file, row in fresh.items()):
        with atomic_write(memo) as written:
            written.write_text(json.dumps(known | fresh))
    return hashes


def compute(
    tracks: Tracks,
    settings: Features,
    *,
    skip_unreadable: bool = False,
    cache: Path | None = None,
    progress: bool = True,
) -> Frames:
    """Frames of all tracks, from the store where they were computed before, else decoded and stored now.

    Raises
    ------
    DataError : a file that cannot be decoded; with `skip_unreadable` its track is left out of ``tracks``
    """
    cache = cache or paths.CACHE / "frames"
    options = {"skip_unreadable": skip_unreadable, "cache": cache, "progress": progress}
    if isinstance(settings, WindowFeatures) and settings.stores != [settings]:
        return side_by_side([compute(tracks, store, **options) for store in settings.stores], settings)
    cache.mkdir(parents=True, exist_ok=True)
    files = list(tracks.table["path"])
    hashes = content_hashes(files, cache)
    name = store_name(settings, hashes)
    index_path, values_path, partial = (cache / f"{name}{suffix}" for suffix in (".json", ".f16", ".partial"))
    # shards that start together must not write into each other's store
    with FileLock(cache / f"{name}.lock"):
        if not index_path.exists():
            rows = _append(files, hashes, settings, partial, values_path, progress)
            with atomic_write(index_path) as fresh:  # last: its presence says that the store is complete
                fresh.write_text(json.dumps(rows))
            partial.with_suffix(JOURNAL).unlink()
    rows = json.loads(index_path.read_text())
    failed = {str(file): row["error"] for file, row in zip(files, rows, strict=True) if "error" in row}
    if failed and not skip_unreadable:
        raise DataError(
            f"{tracks.name}: {len(failed)} files cannot be decoded. {shown(failed.values(), 3)} "
            "To go on without them, ask for it: skip_unreadable (--skip-unreadable on the command line)."
        )
    done = [row for row in rows if "error" not in row]
    offsets = np.concatenate([[0], np.cumsum([row["n_frames"] for row in done])]).astype(np.int64)
    values = np.memmap(values_path, dtype=DTYPE, mode="r", shape=(int(offsets[-1]), settings.n_values))
    duration_s = np.array([row["n_samples"] for row in done]) / settings.sample_rate
    return Frames(name, tracks.without(failed) if failed else tracks, settings, values, offsets, duration_s)


def store_name(settings: Features, hashes: list[str]) -> str:
    """Fingerprint of the settings, the files and pretrained weights that are not those released."""
    given = {name: value for name, value in asdict(settings).items() if value is not None}
    networks = getattr(settings, "pretrained", ())
    networks = (networks,) if isinstance(networks, str) else networks
    rounded = [name for name in networks if not musicnn_weights.are_released(name)]
    identity = json.dumps(
        [given, np.dtype(DTYPE).name, hashes, *([{"half precision": rounded}] if rounded else [])]
    )
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def side_by_side(stores: list[Frames], settings: WindowFeatures) -> Frames:
    """Some columns of several stores of the same tracks as one."""
    identity = " ".join([*(store.name for store in stores), *settings.layers])
    values = np.concatenate([store.values for store in stores], axis=1)[:, settings.columns]
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return replace(stores[0], name=name, settings=settings, values=values)


def _append(files, hashes, settings: Features, partial: Path, finished: Path, progress: bool) -> list[dict]:
    """Append the frames of each file to `partial`, resuming an earlier call, and rename it when all are done.

    Returns the journal: one row per file, with its number of frames and samples, or the reason for none.
    """
    journal = partial.with_suffix(JOURNAL)
    rows = _journalled(journal)
    frame_bytes = settings.n_values * np.dtype(DTYPE).itemsize
    if finished.exists():  # killed between the renaming and the index: all is there
        return rows
    written = partial.stat().st_size // frame_bytes if partial.exists() else 0
    while sum(row.get("n_frames", 0) for row in rows) > written:  # a row whose frames never reached the disk
        rows.pop()
    with atomic_write(journal) as fresh:
        fresh.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (
        partial.open("ab") as values,
        journal.open("a") as log,
        progress_bar(total=len(files), initial=len(rows), desc="frames", unit="track", shown=progress) as bar,
    ):
        # drop what no journal row vouches for
        values.truncate(sum(row.get("n_frames", 0) for row in rows) * frame_bytes)
        for i, result in enumerate(_in_order(files[len(rows) :], settings), start=len(rows)):
            if isinstance(result, str):
                row = {"hash": hashes[i], "error": result}
            else:
                frames, n_samples = result
                row = {"hash": hashes[i], "n_frames": len(frames), "n_samples": n_samples}
                values.write(frames.tobytes())
                values.flush()
            log.write(json.dumps(row) + "\n")
            log.flush()
            rows.append(row)
            bar.update()
    partial.rename(finished)
    return rows


def _journalled(journal: Path) -> list[dict]:
    """Rows of a journal, without a last line cut short by a kill."""
    rows = []
    for line in journal.read_text().splitlines() if journal.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def _in_order(files: list[Path], settings: Features) -> Iterator[tuple[np.ndarray, int] | str]:
    """Decode and transform files in order, on the workers of `executors.jobs_on`, else on all cores here."""
    transform = partial(transformed, settings=settings)
    if (sent := executors.in_order(partial(on_one_thread, transform), files)) is not None:
        yield from sent
        return
    threads = torch.get_num_threads()
    if threads == 1:
        yield from map(transform, files)
        return
    torch.set_num_threads(1)  # the pool below already uses every core
    try:
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(files), 32):  # a block at a time, so that memory stays small
                yield from pool.map(transform, files[start : start + 32])
    finally:
        torch.set_num_threads(threads)


def on_one_thread(transform: Callable, path: Path) -> tuple[np.ndarray, int] | str:
    """A file's frames computed as the pool of threads computes them: each on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return transform(path)
    finally:
        torch.set_num_threads(threads)


def transformed(path: Path, settings: Features) -> tuple[np.ndarray, int] | str:
    """Frames of a file, and its number of samples; or the reason why there are none."""
    try:
        if isinstance(settings, StoredMel):
            stored = stored_mel(path, settings)
            return stored.astype(DTYPE), len(stored) * settings.hop_samples
        samples = decoding.read(path, settings.sample_rate)
        # one clip at a time: its last frame must not depend on the clips beside it
        clip = torch.from_numpy(samples)
        if isinstance(settings, WindowFeatures):
            values = window_features.of_clip(clip, mel_frames_of_windows(len(clip), settings), settings)
        elif isinstance(settings, FrontEndMaps):
            values = window_features.front_end_maps(clip, settings)
        else:
            values = frames_of(clip[None], settings)[0]
        return as_stored(values, path), len(samples)
    except (decoding.AudioError, StoredMelError) as error:
        return str(error)


def as_stored(values: torch.Tensor, path: Path) -> np.ndarray:
    """Frames of a file as the store holds them and networks see them.

    Raises
    ------
    AudioError : some are not finite, as of samples of 1e20
    """
    with np.errstate(over="ignore"):  # refused by name in the next line
        frames = values.contiguous().numpy().astype(DTYPE)
    return finite(frames, f"{path}: levels of its sound", "Export it again.", decoding.AudioError)


def window_starts(
    duration_s: float, window_s: float, frames_per_second: float, hop_s: float = HOP_S
) -> np.ndarray:
    """First frame of each window of a clip, (n_windows,) int: one window every `hop_s`, without padding.

        start_w = round(w hop_s frames_per_second),   w = 0, ..., floor((duration - window) / hop_s)

    A clip shorter than a window has one all the same, in which its frames are repeated.

    >>> window_starts(5.5, 3.0, 43.07).tolist()
    [0, 43, 86]
    """
    n_windows = max(int((duration_s - window_s) / hop_s + 1e-9) + 1, 1)
    return np.round(np.arange(n_windows) * hop_s * frames_per_second).astype(np.int64)


def mel_frames_of_windows(n_samples: int, settings: WindowFeatures) -> torch.Tensor:
    """At which mel frames of a clip the windows begin that `settings` describes, (n_windows,) int."""
    rate = musicnn.FEATURES.frames_per_second
    starts = window_starts(n_samples / settings.sample_rate, settings.seconds, rate, settings.hop_s)
    return torch.from_numpy(starts)


def windows(frames: Frames, window_s: float, repeat_short: bool = False) -> Windows:
    """All windows of `window_s` seconds of every track (`window_starts`).

    With `repeat_short` a track shorter than a window has one, in which it begins again.

    Raises
    ------
    DataError : tracks shorter than one window, named, where they are not to be repeated
    """
    if not repeat_short and (short := np.flatnonzero(frames.duration_s < window_s)).size:
        names = [f"{frames.tracks.table['track_id'][i]} ({frames.duration_s[i]:.2f} s)" for i in short]
        raise DataError(
            f"{frames.tracks.name}: {len(short)} clips are shorter than one window of {window_s:g} s: "
            f"{shown(names)}. Choose a shorter window (--set window_s=...), let short clips begin again "
            "(--set repeat_short=true), or remove them."
        )
    rate = frames.settings.frames_per_second
    starts = [window_starts(seconds, window_s, rate) for seconds in frames.duration_s]
    track = np.repeat(np.arange(len(starts)), [len(own) for own in starts])
    second = np.concatenate([np.arange(len(own)) for own in starts]) * HOP_S
    n_frames, all_frames = frames_within(window_s, frames.settings), np.diff(frames.offsets)[track]
    n_own = np.where(frames.duration_s[track] < window_s, all_frames, n_frames)
    return Windows(track, frames.offsets[track] + np.concatenate(starts), second, n_frames, window_s, n_own)
