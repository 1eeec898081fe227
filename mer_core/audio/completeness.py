"""Whether a sound file was cut off: its bytes are checked, because decoders ignore a sudden end."""

import os
import re
import struct
from typing import BinaryIO

from mer_core.audio.decoding import Sound

MISSING_S, MISSING_SHARE = 0.5, 0.02  # incomplete is what lacks more than both of its length
STREAMED = 0x7FF00000  # bytes: who writes into a pipe cannot know the length, and says this or more
MISCOUNT = 1024  # bytes: some programs count a header as sound
LONGEST_PAGE = 65_307  # bytes, of an Ogg stream
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
    if _lacks(sound, promised_s):
        return (
            f"the header promises {promised_s:.1f} s, but only {sound.seconds:.1f} s could be decoded: "
            "perhaps it is cut off. Fetch it again."
        )
    if cut:
        return "is cut off: the file ends in the middle of its sound. Fetch it again."
    if _lacks(sound, held_s):
        return (
            f"holds {held_s:.1f} s, but only the first {sound.seconds:.1f} s could be decoded: its header "
            "tells of no more. Convert it to wav or flac."
        )
    return None


def _lacks(sound: Sound, seconds: float) -> bool:
    return seconds - sound.seconds > max(MISSING_S, MISSING_SHARE * seconds)


def _extent(file: BinaryIO, kind: str | None) -> tuple[int, float]:
    """Where the sound in a file should end, in bytes, and the seconds in an mp3; 0 where unknown."""
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
    """Where the last page of an Ogg stream should end: 27 bytes, the last an n, n lengths, as many bytes."""
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
