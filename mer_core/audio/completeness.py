"""Whether a sound file was cut off, or heard in part: its bytes are checked, for decoders do not say so."""

import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from mer_core.audio import size_fields
from mer_core.audio.decoding import Sound

MISSING_S, MISSING_SHARE = 0.5, 0.02  # incomplete is what lacks more than both of its length
LONGEST_PAGE = 65_307  # bytes, of an Ogg stream
OPUS_RATE = 48_000  # in which Opus counts samples, whatever its sound's
# of layer III: the first three of a header's four bytes; no bit rate 0 or 15, no sample rate 3
_BIT_RATES = b"".join(b"\\x%x0-\\x%xb" % (rate, rate) for rate in range(1, 15))
MP3_HEADER = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + _BIT_RATES + b"]")
MP3_RATES = (44_100, 48_000, 32_000)
MP3_KILOBITS = (  # a second, by the bit of the header that says MPEG 1
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)


def incomplete(sound: Sound) -> str | None:
    """What to say of a file, decoded to its end, that was cut off or decoded in part; None if it seems whole.

    A cut exactly between two frames, or two pages, is not found.
    """
    with sound.path.open("rb") as file:
        end, held_s = _extent(file, sound.kind)
        guessed = sound.promised is None or (sound.kind == "MP3" and not _tells_its_length(file))
        cut = end > file.seek(0, os.SEEK_END)
    promised_s = 0.0 if guessed else sound.promised / sound.native_rate
    told_s = promised_s if sound.header is None else sound.header / sound.native_rate
    if _lacks(sound, told_s):
        return (
            f"the header promises {told_s:.1f} s, but only {sound.seconds:.1f} s could be decoded: "
            "perhaps it is cut off. Fetch it again."
        )
    if cut:
        return "is cut off: the file ends in the middle of its sound. Fetch it again."
    if _lacks(sound, max(held_s, promised_s)):
        return (
            f"holds {max(held_s, promised_s):.1f} s, but only the first {sound.seconds:.1f} s could be "
            "decoded: its header tells of no more. Convert it to wav or flac."
        )
    if sound.header is not None and _is_much(sound.seconds - told_s, sound.seconds):
        return (
            f"its header tells of {told_s:.1f} s, but it holds {sound.seconds:.1f} s, all of which were "
            "decoded: perhaps the recording was never closed. Export it again."
        )
    return None


def _lacks(sound: Sound, seconds: float) -> bool:
    return _is_much(seconds - sound.seconds, seconds)


def _is_much(missing_s: float, whole_s: float) -> bool:
    return missing_s > max(MISSING_S, MISSING_SHARE * whole_s)


def _extent(file: BinaryIO, kind: str | None) -> tuple[int, float]:
    """Where the sound in a file should end, in bytes, and how many seconds it is; 0 where unknown."""
    if kind in ("WAV", "WAVEX", "AIFF", "AU", "RF64"):
        samples = size_fields.samples_in(file)
        return ((samples and samples.end) or 0) - size_fields.MISCOUNT, 0.0
    if kind == "OGG":
        return _end_of_last_page(file), _ogg_seconds(file)
    return _mp3_frames(file) if kind == "MP3" else (0, 0.0)


def _end_of_last_page(file: BinaryIO) -> int:
    """Where the last page of an Ogg stream should end: 27 bytes, the last an n, n lengths, as many bytes."""
    tail_at = file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return 0
    n_lengths = int.from_bytes(tail[at + 26 : at + 27])
    body_at = at + 27 + n_lengths
    return tail_at + body_at + sum(tail[at + 27 : body_at])


def _ogg_seconds(file: BinaryIO) -> float:
    """How long the Vorbis and Opus sound of an Ogg file lasts, of chained streams together.

    A page says how many samples of its stream end in it. Where the first ones count from is not known, as in
    a recording of a broadcast, so that the first page does not count.
    """
    chain: list[dict[int, list]] = []  # of streams side by side: rate, first and last position
    began = False  # whether the last page was the first of a stream
    for begins, position, serial, head in _ogg_pages(file):
        if begins and not began:
            chain.append({})
        if begins:
            vorbis = int.from_bytes(head[12:16], "little") if head[1:7] == b"vorbis" else 0
            chain[-1][serial] = [OPUS_RATE if head.startswith(b"OpusHead") else vorbis, 0, 0]
        elif position > 0 and chain and (stream := chain[-1].get(serial)):
            stream[1:] = stream[1] or position, position
        began = begins
    return sum(
        max((last - first) / rate if rate else 0.0 for rate, first, last in streams.values())
        for streams in chain
    )


def _ogg_pages(file: BinaryIO) -> Iterator[tuple[bool, int, int, bytes]]:
    """Of each page whether it is the first of its stream, its position, its stream, and how it begins."""
    at = file.seek(0)
    while len(head := file.read(27)) == 27 and head.startswith(b"OggS"):
        kind, position, serial = struct.unpack("<5xBqI", head[:18])
        lengths = file.read(head[26])
        yield bool(kind & 2), position, serial, file.read(16)
        at = file.seek(at + 27 + len(lengths) + sum(lengths))


def _mp3_frames(file: BinaryIO) -> tuple[int, float]:
    """Where the last frame of an mp3 should end, and how many seconds all of them last.

    A header says where the next one begins. What looks like a header by chance leads to no other, so that
    tags before, between and after frames need not be understood.
    """
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
