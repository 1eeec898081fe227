"""What wav, aiff, au and rf64 files say of their size, and what they hold.

The field is too small where a recording was never closed, or counts beyond 4 GiB and begins again at 0.
"""

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

STREAMED = 0x7FF00000  # bytes: who writes into a pipe cannot know the length, and says this or more
MISCOUNT = 1024  # bytes: some programs count a header as sound, or add a tag
LARGEST = {"I": 2**32 - 1, "Q": 2**64 - 1}
# how a file begins -> order of its bytes, and the chunk that holds the samples
CHUNKED = {
    **dict.fromkeys((b"RIFF", b"RF64", b"BW64"), ("<", b"data")),
    b"RIFX": (">", b"data"),
    b"FORM": (">", b"SSND"),
}


@dataclass(frozen=True)
class Samples:
    """Where the samples lie in a file, all in bytes, and the field that says how many they are."""

    start: int
    told: int  # by the field
    size: int  # of the whole file
    field: int  # where the field stands
    form: str  # of the field, as `struct` has it
    others: bool  # whether other chunks follow where the field says that the samples end

    @property
    def end(self) -> int | None:
        """Where they should end; None where who wrote the file could not know."""
        return None if self.told >= STREAMED and self.form[1] == "I" else self.start + self.told

    @property
    def held(self) -> int:
        """How many bytes of samples there are, at least."""
        rest = self.size - self.start - self.told
        return self.told if self.end is None or self.others or rest <= MISCOUNT else self.told + rest

    @property
    def counted(self) -> int:
        """As many of them as the field can count."""
        return min(self.held, LARGEST[self.form[1]])


def samples_in(file: BinaryIO) -> Samples | None:
    """Where a file has its samples; None of other kinds of files, or of one that has none."""
    size, _ = file.seek(0, os.SEEK_END), file.seek(0)
    head = file.read(12)
    if head.startswith(b".snd") and len(head) == 12:
        start, told = struct.unpack(">2I", head[4:])
        return Samples(start, told, size, 8, ">I", start + told >= size)
    order, wanted = CHUNKED.get(head[:4], ("<", b""))
    long = None  # rf64: the size in 64 bits stands in a chunk of its own
    while wanted and len(chunk := file.read(8)) == 8:
        name, told = struct.unpack(f"{order}4sI", chunk)
        at = file.tell()
        if name == b"ds64" and len(sizes := file.read(16)) == 16:
            long = struct.unpack("<8xQ", sizes)[0], at + 8, "<Q"
        elif name == wanted:
            told, field, form = long or (told, at - 4, f"{order}I")
            ends = {at + told, at + told + told % 2}  # some programs fill up to an even number
            others = any(_only_chunks(file, end, size, order) for end in ends)
            return Samples(at, told, size, field, form, others)
        file.seek(at + told + told % 2)
    return None


def _only_chunks(file: BinaryIO, at: int, size: int, order: str) -> bool:
    """Whether nothing but chunks, with names of letters, or a tag follows a place to the end of a file."""
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if name.startswith(b"ID3"):
            return True
        if not all(32 <= byte < 127 for byte in name):
            return False
        at += 8 + length + length % 2
    return True


class Mended(io.FileIO):
    """A file that reads as if its size field counted all samples that it holds."""

    def __init__(self, path: Path, samples: Samples):
        super().__init__(path)
        self.field, self.value = samples.field, struct.pack(samples.form, samples.counted)

    def readinto(self, buffer) -> int:
        at, n = self.tell(), super().readinto(buffer)
        read = memoryview(buffer).cast("B")
        for place, byte in enumerate(self.value, self.field - at):
            if 0 <= place < n:
                read[place] = byte
        return n
