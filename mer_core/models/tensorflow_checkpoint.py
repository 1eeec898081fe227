"""TensorFlow checkpoints read with NumPy alone: an index of names beside a file of numbers.

The index is a sorted string table as LevelDB has it: blocks of keys and values, listed in one more block, to
which the footer leads. A key is a variable's name, its value a protobuf message ``BundleEntryProto``
(``tensorflow/core/protobuf/tensor_bundle.proto``): type, shape, and where its numbers lie in the data file.
"""

import struct
from collections.abc import Iterator
from io import BytesIO

import numpy as np

from mer_core import UserError

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)  # the last 8 bytes of a table
FOOTER_BYTES = 48
TYPES = {1: np.dtype("<f4"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}  # tensorflow/core/framework/types.proto
TYPE, SHAPE, SHARD, OFFSET, SIZE = 1, 2, 3, 4, 5  # fields of BundleEntryProto
DIMENSION, DIMENSION_SIZE = 2, 1  # fields of TensorShapeProto and of its dimensions
VARINT, LENGTH_DELIMITED, FIXED32 = 0, 2, 5  # protobuf's wire types, those that occur


class CheckpointError(UserError):
    """Bytes that are no TensorFlow checkpoint, or of a kind that is not read here; the message says why."""


def read(index: bytes, data: bytes) -> dict[str, np.ndarray]:
    """Every variable of a checkpoint by its name, those of the optimiser too.

    Parameters
    ----------
    index, data : contents of the files ``….index`` and ``….data-00000-of-00001``

    Raises
    ------
    CheckpointError : no index, a compressed one, several data files, other types than float32 and integers
    """
    if len(index) < FOOTER_BYTES or not index.endswith(MAGIC):
        raise CheckpointError("no index of a TensorFlow checkpoint: lacks the magic number. Fetch it again.")
    _, blocks = handles(index[-FOOTER_BYTES:], 2)  # the first leads to metadata of the table
    entries = (pair for _, handle in block(index, *blocks) for pair in block(index, *handles(handle, 1)[0]))
    named = {name.decode(): fields(entry) for name, entry in entries if name}  # nameless: the header
    return {name: variable(name, entry, data) for name, entry in named.items()}


def variable(name: str, entry: dict[int, list], data: bytes) -> np.ndarray:
    """The numbers that an entry of the index describes."""
    kind = entry.get(TYPE, [0])[-1]
    if kind not in TYPES or SHARD in entry:
        raise CheckpointError(f"{name}: is of type {kind} or in a second data file, which is not read here.")
    dimensions = fields(entry[SHAPE][-1]).get(DIMENSION, [])
    shape = [fields(dimension)[DIMENSION_SIZE][-1] for dimension in dimensions]
    begin = entry.get(OFFSET, [0])[-1]  # protobuf leaves out what is zero
    content = data[begin : begin + entry[SIZE][-1]]
    if len(content) != TYPES[kind].itemsize * np.prod(shape, dtype=int):
        raise CheckpointError(f"{name}: {len(content)} bytes do not fill the shape {shape}. Fetch it again.")
    return np.frombuffer(content, TYPES[kind]).reshape(shape)


def handles(content: bytes, n: int) -> list[tuple[int, int]]:
    """Where `n` blocks begin and how many bytes they have."""
    stream = BytesIO(content)
    return [(varint(stream), varint(stream)) for _ in range(n)]


def block(table: bytes, begin: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block, in order.

    A key is stored as the number of bytes that it shares with the one before, and the rest. Behind the pairs
    stand restart points, 4 bytes each, and their number; behind the block a byte says if it is compressed.
    """
    if table[begin + size] != 0:
        raise CheckpointError("the index is compressed, which is not read here. Save it without compression.")
    (n_restarts,) = struct.unpack_from("<I", table, begin + size - 4)
    stream, end, key = BytesIO(table[begin : begin + size]), size - 4 * (n_restarts + 1), b""
    while stream.tell() < end:
        shared, added, length = varint(stream), varint(stream), varint(stream)
        key = key[:shared] + stream.read(added)
        yield key, stream.read(length)


def fields(message: bytes) -> dict[int, list]:
    """A protobuf message as the values of each field: integers, or bytes."""
    stream, found = BytesIO(message), {}
    readers = {
        VARINT: lambda: varint(stream),
        LENGTH_DELIMITED: lambda: stream.read(varint(stream)),
        FIXED32: lambda: stream.read(4),
    }
    while stream.tell() < len(message):
        field, kind = divmod(varint(stream), 8)
        if kind not in readers:
            raise CheckpointError(f"the index has a protobuf field of unknown type {kind}. Fetch it again.")
        found.setdefault(field, []).append(readers[kind]())
    return found


def varint(stream: BytesIO) -> int:
    """An integer in groups of seven bits, lowest first; the eighth bit says that more follow."""
    value = shift = 0
    while (byte := stream.read(1)) and byte[0] & 0x80:
        value, shift = value | (byte[0] & 0x7F) << shift, shift + 7
    return value | (byte[0] if byte else 0) << shift
