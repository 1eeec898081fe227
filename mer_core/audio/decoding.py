"""From a sound file to one channel of samples, whole or block by block.

libsndfile decodes what it knows (wav, flac, mp3, ogg, opus, aiff), ffmpeg the rest (m4a, aac, wma, the sound
of a film), where it is installed. Block by block, three hours need no more memory than three minutes.
"""

import os
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mer_core import UserError
from mer_core.audio import size_fields

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff"),
    *(".oga", ".aifc", ".caf", ".w64", ".rf64", ".au", ".mp2"),
)
# decoded where ffmpeg is installed
FFMPEG_SUFFIXES = (
    *(".m4a", ".aac", ".wma", ".mp4", ".alac", ".ape", ".mka", ".webm"),
    *(".m4b", ".mov", ".wv"),
)
SUFFIXES = (*AUDIO_SUFFIXES, *FFMPEG_SUFFIXES)
# ffmpeg's names of what it may read: sound and films, but no playlists, which name other files or the network
FFMPEG_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,"
    "ogg,tak,tta,w64,wav,wv"
)
STALL_S = 60  # without a block of sound, after which ffmpeg is stopped
LONGEST_S = 24 * 3600  # of a sound
BLOCK = 65_536  # samples decoded at a time
UNKNOWN = 2**63 - 1  # samples: what libsndfile says where a flac does not
LOWEST_RATE = 1000  # Hz: a lower one is a damaged header


class AudioError(UserError):
    """A sound file that cannot be used; the message names the file, the reason and the remedy."""


@dataclass
class Sound:
    """A sound file while it is decoded; ``decoded`` and ``peak`` grow with what has been read."""

    path: Path
    native_rate: int  # Hz
    channels: int
    kind: str | None  # what libsndfile calls it (WAV, MP3, OGG, ...); None where ffmpeg decodes
    promised: int | None  # samples that it should have, where that can be known
    pieces: Iterator[np.ndarray]  # (n, channels) float32
    header: int | None = None  # samples according to its header, where that tells of too few
    decoded: int = 0  # samples so far
    given: int = 0  # samples so far at the requested rate
    peak: float = 0.0  # largest magnitude so far of the channels' mean

    def __post_init__(self):
        if self.native_rate < LOWEST_RATE:
            rate = f"says that it has {self.native_rate} samples a second"
            raise AudioError(f"{self.path}: {rate}: damaged. Export it again.")

    @property
    def seconds(self) -> float:
        """How much has been decoded."""
        return self.decoded / self.native_rate

    def mono(self) -> Iterator[np.ndarray]:
        """Blocks of the mean of the channels, (n,) float32 at the file's own rate.

        Raises
        ------
        AudioError : no samples, some that are not numbers, or more than LONGEST_S of them
        """
        for samples in self.pieces:
            mono = samples[:, 0] if self.channels == 1 else samples.mean(axis=1)
            highest = float(np.abs(mono).max(initial=0.0))  # NaN where any is
            if not np.isfinite(highest):
                reason = "holds samples that are not numbers (NaN or infinite)"
                raise AudioError(f"{self.path}: {reason}. Export it again.")
            self.decoded, self.peak = self.decoded + len(mono), max(self.peak, highest)
            if self.seconds > LONGEST_S:
                raise AudioError(
                    f"{self.path}: lasts more than {LONGEST_S / 3600:g} hours. Cut it in pieces."
                )
            yield mono
        if not self.decoded:
            raise AudioError(f"{self.path}: holds no samples. Fetch it again or remove it.")

    def at(self, sample_rate: int) -> Iterator[np.ndarray]:
        """The same blocks at another rate: soxr, high quality, bit by bit as of the whole file at once."""
        for block in self.mono() if sample_rate == self.native_rate else self._resampled(sample_rate):
            self.given += len(block)
            yield block

    def _resampled(self, sample_rate: int) -> Iterator[np.ndarray]:
        stream = soxr.ResampleStream(self.native_rate, sample_rate, 1, dtype="float32")
        for block in self.mono():
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


@contextmanager
def opened(path: Path) -> Iterator[Sound]:
    """A sound file, ready to be decoded.

    Raises
    ------
    AudioError : no such file, no permission, an empty one, no decoder for it, or damaged
    """
    _accessible(path)
    samples = _samples_in(path)
    short = samples is not None and samples.held > samples.told
    try:
        file = _Forwards(size_fields.Mended(path, samples) if short else os.fsencode(path))
    except soundfile.LibsndfileError as error:
        file, said = None, error.error_string.strip()
    if file is None:
        # of an mp3 without a single frame libsndfile says that it does not exist
        with _by_ffmpeg(path, "." if "does not exist" in said else f" ({said})") as sound:
            yield sound
        return
    with file:
        pieces = _pieces(file, path)
        promised, header = None if file.frames == UNKNOWN else file.frames, None
        if short:
            promised, header = (promised * n // samples.counted for n in (samples.held, samples.told))
        yield Sound(path, file.samplerate, file.channels, file.format, promised, pieces, header)


class _Forwards(soundfile.SoundFile):
    """Read from beginning to end: of a flac of unknown length the end cannot be sought."""

    def seekable(self) -> bool:
        return False


def _samples_in(path: Path) -> size_fields.Samples | None:
    with path.open("rb") as file:
        return size_fields.samples_in(file)


def _accessible(path: Path) -> None:
    try:
        if path.is_symlink() and not path.exists():
            raise AudioError(
                f"{path}: is a link that leads nowhere. Restore what it points to, or remove it."
            )
        if not path.is_file():
            reason = "is no sound file" if path.exists() else "no such file"
            raise AudioError(f"{path}: {reason}. Check the path.")
        with path.open("rb") as file:
            if not file.read(1):
                raise AudioError(f"{path}: the file is empty (0 bytes). Fetch it again or remove it.")
    except OSError as error:
        remedy = "Change its permissions, or copy it elsewhere under a short name."
        raise AudioError(f"{path}: cannot be read ({error.strerror}). {remedy}") from None


def _pieces(file: soundfile.SoundFile, path: Path) -> Iterator[np.ndarray]:
    try:
        while len(samples := file.read(BLOCK, dtype="float32", always_2d=True)):
            yield samples
    except soundfile.LibsndfileError as error:
        raise _damaged(path, error.error_string.strip()) from None


def _damaged(path: Path, reason: str) -> AudioError:
    return AudioError(f"{path}: is damaged and cannot be decoded to its end ({reason}) Fetch it again.")


def has_ffmpeg() -> bool:
    return shutil.which("ffmpeg") is not None


@contextmanager
def _by_ffmpeg(path: Path, reason: str) -> Iterator[Sound]:
    """The first sound stream of a file as ffmpeg pipes it, in Sun's AU format (a header of six numbers)."""
    if not has_ffmpeg():
        raise AudioError(
            f"{path}: is no sound that libsndfile knows{reason} Install ffmpeg, which knows more kinds, "
            "convert it to wav or flac, or fetch it again."
        )
    source = b"file:" + os.fsencode(path)
    quietly = ["ffmpeg", "-nostdin", "-v", "error"]
    quietly += ["-protocol_whitelist", "file", "-format_whitelist", FFMPEG_FORMATS]
    command = [*quietly, "-i", source, "-map", "0:a:0", "-f", "au", "-c:a", "pcm_f32be", "-"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process,
    ):
        try:
            header = _read(process, 24, path)
            if len(header) < 24:
                raise AudioError(
                    f"{path}: is no sound that libsndfile or ffmpeg knows{reason} Convert it to wav or "
                    "flac, or fetch it again."
                )
            _, offset, _, _, rate, channels = struct.unpack(">6I", header)
            _read(process, offset - 24, path)
            pieces = _piped(process, channels, path, complaints)
            yield Sound(path, rate, channels, None, None, pieces)
        finally:
            process.kill()


def _piped(process: subprocess.Popen, channels: int, path: Path, complaints) -> Iterator[np.ndarray]:
    while data := _read(process, BLOCK * channels * 4, path):
        whole = len(data) // (4 * channels) * channels
        yield np.frombuffer(data, dtype=">f4", count=whole).astype(np.float32).reshape(-1, channels)
    if process.wait():
        raise _damaged(path, _last_line(complaints))


def _read(process: subprocess.Popen, n: int, path: Path) -> bytes:
    """The next bytes from ffmpeg, less than n where its sound ends; AudioError where it stalls."""
    stalled = threading.Event()
    watchdog = threading.Timer(STALL_S, lambda: (stalled.set(), process.kill()))
    watchdog.start()
    try:
        data = process.stdout.read(n)
    finally:
        watchdog.cancel()
    if stalled.is_set():
        raise AudioError(f"{path}: ffmpeg gave no sound for {STALL_S:g} s. Convert it to wav or flac.")
    return data


def _last_line(complaints) -> str:
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").split("\n")
    return next((line.strip().rpartition(": ")[2] + "." for line in reversed(lines) if line.strip()), "")


def read(path: Path, sample_rate: int) -> np.ndarray:
    """Decode a file, average its channels and resample it.

    The same samples as ``librosa.load(path, sr=sample_rate)``: soundfile decodes, soxr (high quality)
    resamples.

    Parameters
    ----------
    path : a sound file of any kind that can be decoded here
    sample_rate : wanted rate in Hz

    Returns
    -------
    (n_samples,) float32 array, usually within [-1, 1]

    Raises
    ------
    AudioError : no sound in the file, no decoder for it, or samples that are not numbers
    """
    with opened(path) as sound:
        return np.concatenate(list(sound.at(sample_rate)))


def duration_s(path: Path) -> float:
    """Length in seconds according to the header; what only ffmpeg reads is decoded for it.

    Raises
    ------
    AudioError : the file is empty or not a sound file
    """
    with opened(path) as sound:
        n_samples = sum(map(len, sound.mono())) if sound.promised is None else sound.promised
        return n_samples / sound.native_rate
