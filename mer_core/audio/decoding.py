"""From a sound file to one channel of samples, whole or block by block.

libsndfile decodes what it knows (wav, flac, mp3, ogg, opus, aiff), ffmpeg the rest (m4a, aac, wma, the sound
of a film), where it is installed. A file of three hours needs no more memory than one of three minutes, as
long as nobody asks for it whole."""

import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from mer_core import UserError

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff")
FFMPEG_SUFFIXES = (
    ".m4a",
    ".aac",
    ".wma",
    ".mp4",
    ".alac",
    ".ape",
    ".mka",
    ".webm",
)  # decoded where ffmpeg is installed
BLOCK = 65_536  # samples decoded at a time
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
    promised: int | None  # samples that its header tells of, where it does
    pieces: Iterator[np.ndarray]  # (n, channels) float32
    decoded: int = 0  # samples so far
    given: int = 0  # samples so far at the rate that was asked for
    peak: float = 0.0  # largest magnitude so far of the channels' mean

    @property
    def seconds(self) -> float:
        """How much has been decoded."""
        return self.decoded / self.native_rate

    def mono(self) -> Iterator[np.ndarray]:
        """Blocks of the mean of the channels, (n,) float32 at the file's own rate.

        Raises
        ------
        AudioError : no samples, or some that are not numbers
        """
        for samples in self.pieces:
            mono = samples[:, 0] if self.channels == 1 else samples.mean(axis=1)
            highest = float(np.abs(mono).max(initial=0.0))  # NaN where any is
            if not np.isfinite(highest):
                raise AudioError(
                    f"{self.path}: holds samples that are not numbers (NaN or infinite). Export it again."
                )
            self.decoded, self.peak = self.decoded + len(mono), max(self.peak, highest)
            yield mono
        if not self.decoded:
            raise AudioError(f"{self.path}: holds no samples. Fetch it again or remove it.")

    def at(self, sample_rate: int) -> Iterator[np.ndarray]:
        """The same blocks at another rate: soxr, high quality, to the last bit what it makes of the whole
        file at once.
        """
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
    AudioError : no such file, no permission, an empty one, no decoder for it, or a damaged header; while
    decoding, damaged sound"""
    _accessible(path)
    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError as error:
        file, said = None, error.error_string.strip()
    if file is None:
        # of an mp3 without a single frame libsndfile says that it does not exist
        with _by_ffmpeg(path, "." if "does not exist" in said else f" ({said})") as sound:
            yield sound
        return
    with file:
        yield _checked(
            Sound(path, file.samplerate, file.channels, file.format, file.frames, _pieces(file, path))
        )


def _accessible(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise AudioError(f"{path}: is a link that leads nowhere. Restore what it points to, or remove it.")
    if not path.is_file():
        raise AudioError(
            f"{path}: {'is no sound file' if path.exists() else 'no such file'}. Check the path."
        )
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise AudioError(f"{path}: the file is empty (0 bytes). Fetch it again or remove it.")
    except OSError as error:
        raise AudioError(
            f"{path}: cannot be read ({error.strerror}). Change its permissions, or copy it elsewhere."
        ) from None


def _checked(sound: Sound) -> Sound:
    if sound.native_rate < LOWEST_RATE:
        raise AudioError(
            f"{sound.path}: says that it has {sound.native_rate} samples a second: damaged. Export it again."
        )
    return sound


def _pieces(file: soundfile.SoundFile, path: Path) -> Iterator[np.ndarray]:
    try:
        while len(samples := file.read(BLOCK, dtype="float32", always_2d=True)):
            yield samples
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: is damaged and cannot be decoded to its end ({error.error_string.strip()}) Fetch it again."
        ) from None


def has_ffmpeg() -> bool:
    return shutil.which("ffmpeg") is not None


@contextmanager
def _by_ffmpeg(path: Path, reason: str) -> Iterator[Sound]:
    """The first sound stream of a file as ffmpeg decodes it, through a pipe in Sun's AU format (a header of
    six numbers).
    """
    if not has_ffmpeg():
        raise AudioError(
            f"{path}: is no sound that libsndfile knows{reason} Install ffmpeg, which knows more kinds, convert it to wav or "
            "flac, or fetch it again."
        )
    source = b"file:" + os.fsencode(path)
    quietly = ["ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
    command = [*quietly, "-i", source, "-map", "0:a:0", "-f", "au", "-c:a", "pcm_f32be", "-"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process,
    ):
        try:
            header = process.stdout.read(24)
            if len(header) < 24:
                raise AudioError(
                    f"{path}: is no sound that libsndfile or ffmpeg knows{reason} Convert it to wav or flac, or fetch it again."
                )
            _, offset, _, _, rate, channels = struct.unpack(">6I", header)
            process.stdout.read(offset - 24)
            yield _checked(
                Sound(path, rate, channels, None, None, _piped(process, channels, path, complaints))
            )
        finally:
            process.kill()


def _piped(process: subprocess.Popen, channels: int, path: Path, complaints) -> Iterator[np.ndarray]:
    while data := process.stdout.read(BLOCK * channels * 4):
        whole = len(data) // (4 * channels) * channels
        yield np.frombuffer(data, dtype=">f4", count=whole).astype(np.float32).reshape(-1, channels)
    if process.wait():
        raise AudioError(
            f"{path}: is damaged and cannot be decoded to its end ({_last_line(complaints)}) Fetch it again."
        )


def _last_line(complaints) -> str:
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").split("\n")
    return next((line.strip().rpartition(": ")[2] + "." for line in reversed(lines) if line.strip()), "")


MISSING_S, MISSING_SHARE = (
    0.5,
    0.02,
)  # sound that lacks more than both of what it should last is called incomplete
STREAMED = 0x7FF00000  # bytes: who writes into a pipe cannot know the length, and says this or more
MISCOUNT = 1024  # bytes: some programs count a header as sound
LONGEST_PAGE = 65_307  # bytes, of an Ogg stream
MP3_HEADER = (
    re.compile(  # of layer III: the first three of its four bytes; no bit rate 0 or 15, no sample rate 3
        rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]["
        + b"".join(b"\\x%x0-\\x%xb" % (rate, rate) for rate in range(1, 15))
        + b"]"
    )
)
MP3_RATES = (44_100, 48_000, 32_000)
MP3_KILOBITS = (  # a second, by the bit of the header that says MPEG 1
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)


def incomplete(sound: Sound) -> str | None:
    """What to say of a file, decoded to its end, that is cut off or was heard in part only; None where
    nothing tells of that.

    Its bytes are asked, because decoders pass over a sudden end in silence. Nobody is accused on suspicion: a
    cut between two frames, or two pages, is not seen."""
    with sound.path.open("rb") as file:
        end, held_s = _extent(file, sound.kind)
        guessed = sound.promised is None or (sound.kind == "MP3" and not _tells_its_length(file))
        cut = end > file.seek(0, os.SEEK_END)
    promised_s = 0.0 if guessed else sound.promised / sound.native_rate
    if _lacks(sound, promised_s):
        return (
            f"the header promises {promised_s:.1f} s, but only {sound.seconds:.1f} s could be decoded: perhaps it is cut off. "
            "Fetch it again."
        )
    if cut:
        return "is cut off: the file ends in the middle of its sound. Fetch it again."
    if _lacks(sound, held_s):
        return (
            f"holds {held_s:.1f} s, but only the first {sound.seconds:.1f} s could be decoded: its header tells of no more. "
            "Convert it to wav or flac."
        )
    return None


def _lacks(sound: Sound, seconds: float) -> bool:
    return seconds - sound.seconds > max(MISSING_S, MISSING_SHARE * seconds)


def _extent(file: BinaryIO, kind: str | None) -> tuple[int, float]:
    """Where the sound in a file should end, in bytes, and of an mp3 how many seconds there are; 0 where
    nothing tells.
    """
    if kind in ("WAV", "WAVEX", "AIFF"):
        return _end_of_samples(file) - MISCOUNT, 0.0
    if kind == "OGG":
        return _end_of_last_page(file), 0.0
    return _mp3_frames(file) if kind == "MP3" else (0, 0.0)


def _end_of_samples(file: BinaryIO) -> int:
    """Where the chunk with the samples of a wav or aiff file should end; 0 where its writer did not know."""
    order, samples = ("<", b"data") if file.read(12).startswith(b"RIFF") else (">", b"SSND")
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", head)
        if name == samples:
            return file.tell() + length if length < STREAMED else 0
        file.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _end_of_last_page(file: BinaryIO) -> int:
    """Where the last page of an Ogg stream should end: 27 bytes, the last of which counts the lengths that
    follow, then those.
    """
    tail_at = file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return 0
    n_lengths = int.from_bytes(tail[at + 26 : at + 27])
    body_at = at + 27 + n_lengths
    return tail_at + body_at + sum(tail[at + 27 : body_at])


def _mp3_frames(file: BinaryIO) -> tuple[int, float]:
    """Where the last frame of an mp3 should end, and how many seconds all of them last.

    A header tells where the next one stands. What looks like a header by chance leads nowhere; frames lead on
    from one to the next, so that tags before, between and after them need not be understood."""
    chain: dict[int, int] = {}  # how many frames lead to a place
    end, seconds, read, kept = 0, 0.0, 0, b""
    while block := file.read(2**20):
        block = kept + block
        for header in MP3_HEADER.finditer(block):
            at = read + header.start()
            length, duration = _mp3_frame(header.group())
            before = chain.pop(at, 0)
            chain[at + length] = max(chain.get(at + length, 0), before + 1)
            if before > 1:
                end, seconds = max(end, at + length), seconds + duration
        kept = block[-2:]
        read += len(block) - len(kept)
    return end, seconds


def _mp3_frame(header: bytes) -> tuple[int, float]:
    """Bytes and seconds of the frame that begins so."""
    mpeg_1, halved = header[1] >> 3 & 1, {0: 2, 2: 1, 3: 0}[header[1] >> 3 & 3]
    rate, samples = MP3_RATES[header[2] >> 2 & 3] >> halved, 1152 if mpeg_1 else 576
    bits = 1000 * MP3_KILOBITS[mpeg_1][(header[2] >> 4) - 1]  # a second
    return samples // 8 * bits // rate + (header[2] >> 1 & 1), samples / rate


def _tells_its_length(file: BinaryIO) -> bool:
    """Whether an mp3 begins, after an ID3 tag if it has one, with the frame that tells how many follow."""
    file.seek(0)
    head = file.read(10)
    length = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    file.seek(10 + length if head.startswith(b"ID3") else 0)
    return bool(re.search(rb"Xing|Info|VBRI", file.read(4096)))


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
    """Length in seconds as the file's header tells it, without decoding; of what only ffmpeg reads, by
    decoding it.

    Raises
    ------
    AudioError : the file is empty or not a sound file
    """
    with opened(path) as sound:
        if sound.promised is None:
            for _ in sound.mono():
                pass
            return sound.seconds
        return sound.promised / sound.native_rate
