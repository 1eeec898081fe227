"""Arrays, and rows of numbers, in few bytes that compress well, without losing a bit.

What is packed is a line of JSON, ``{name: [dtype, shape, how]}``, then the arrays one after the other. Their
bytes are in planes: the first bytes of all numbers, column by column, then all second bytes, and so on, as in
the byte stream split of Apache Parquet: exponents repeat, mantissas do not. Whole numbers take no more bytes
than the largest needs.

Rows of float16 probabilities sum to one but for rounding. Of them the largest is left out: which it is, and
by how many units in the last place it differs from one minus the others, says it exactly. Float64 holds sums
of float16 without rounding, so that this is exact on every machine.
"""

import json
import math
from functools import partial

import numpy as np

SHARES = "shares"  # how rows that sum to one are packed; others: the type whose planes are stored
MOST_CLASSES = 255  # whose index fits a byte


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """The bytes from which `unpack` makes the same arrays again, by name and in order."""
    header, parts = {}, []
    for name, array in arrays.items():
        how, content = SHARES, shares(array)
        if content is None:
            narrow = array.astype(narrowest(array))
            how, content = narrow.dtype.str, planes(narrow)
        header[name] = [array.dtype.str, array.shape, how]
        parts.append(content)
    return b"\n".join([json.dumps(header).encode(), b"".join(parts)])


def unpack(packed: bytes) -> dict[str, np.ndarray]:
    """The arrays as they were given to `pack`.

    Raises
    ------
    ValueError : these are no bytes that `pack` gave
    """
    try:
        header, content = packed.split(b"\n", 1)
        arrays, start = {}, 0
        for name, (dtype, shape, how) in json.loads(header).items():
            if how == SHARES:
                arrays[name], start = from_shares(content, start, shape)
            else:
                narrow, start = from_planes(content, start, np.dtype(how), shape)
                arrays[name] = narrow.astype(dtype, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"no packed arrays ({error})") from None
    return arrays


def narrowest(array: np.ndarray) -> np.dtype:
    """The smallest type that holds an array's whole numbers; of other arrays their own."""
    if array.dtype.kind not in "iu" or not array.size:
        return array.dtype
    return np.result_type(np.min_scalar_type(array.min()), np.min_scalar_type(array.max()))


def planes(array: np.ndarray) -> bytes:
    """The bytes of an array in planes, each column by column."""
    columns = np.ascontiguousarray(array.T).reshape(-1, 1)
    return columns.view(np.uint8).T.tobytes()


def from_planes(content: bytes, start: int, dtype: np.dtype, shape: list[int]) -> tuple[np.ndarray, int]:
    """The array whose `planes` begin at `start`, and where they end."""
    size = math.prod(shape) * dtype.itemsize
    stored = np.frombuffer(content, np.uint8, size, start)
    columns = stored.reshape(dtype.itemsize, -1).T.copy().view(dtype)
    return np.asarray(columns.reshape(shape[::-1]).T, order="C"), start + size


def shares(array: np.ndarray) -> bytes | None:
    """Rows of float16 that sum to one but for rounding: which is largest, its rest, the others; else None."""
    if array.dtype != np.float16 or array.ndim != 2 or not 2 <= array.shape[1] <= MOST_CLASSES:
        return None
    if not np.isfinite(array).all():
        return None
    largest = array.argmax(axis=1).astype(np.uint8)
    others = array[elsewhere(largest, array.shape[1])].reshape(len(array), array.shape[1] - 1)
    away = units(array[np.arange(len(array)), largest]) - units(remainder(others))
    if np.any(away != away.astype(np.int8)):
        return None
    return largest.tobytes() + away.astype(np.int8).tobytes() + planes(others)


def from_shares(content: bytes, start: int, shape: list[int]) -> tuple[np.ndarray, int]:
    """The array whose `shares` begin at `start`, and where they end."""
    n, n_classes = shape
    largest = np.frombuffer(content, np.uint8, n, start)
    away = np.frombuffer(content, np.int8, n, start + n)
    others, end = from_planes(content, start + 2 * n, np.dtype(np.float16), [n, n_classes - 1])
    array = np.empty(shape, np.float16)
    array[elsewhere(largest, n_classes)] = others.ravel()
    array[np.arange(n), largest] = (units(remainder(others)) + away).astype(np.uint16).view(np.float16)
    return array, end


def elsewhere(largest: np.ndarray, n_classes: int) -> np.ndarray:
    """(n, n_classes) bool: where the largest of a row is not."""
    return np.arange(n_classes) != largest[:, None]


def remainder(others: np.ndarray) -> np.ndarray:
    """One minus the others of each row, in float16."""
    return (1 - others.astype(np.float64).sum(axis=1)).astype(np.float16)


def units(values: np.ndarray) -> np.ndarray:
    """Float16 as whole numbers that differ by one for neighbours of the same sign."""
    return values.view(np.uint16).astype(np.int32)


def pack_rows(rows: list[dict]) -> bytes:
    """Rows of plain values as the bytes from which `unpack_rows` makes the same rows again.

    Rows of the same keys make one table. Its columns of floats are arrays; of any other the distinct values
    are listed, as JSON, and the array has their places in that list.
    """
    layouts = list(dict.fromkeys(map(tuple, rows)))
    table_of = [layouts.index(tuple(row)) for row in rows]
    arrays, values = {"table": places(table_of)}, {}
    for i, keys in enumerate(layouts):
        own = [row for row, table in zip(rows, table_of, strict=True) if table == i]
        for key in keys:
            column = [row[key] for row in own]
            if all(type(value) is float for value in column):
                arrays[f"{i}/{key}"] = np.array(column)
            else:
                spelt = [json.dumps(value) for value in column]
                known = values.setdefault(key, {})
                arrays[f"{i}/{key}"] = places([known.setdefault(text, len(known)) for text in spelt])
    distinct = {key: [json.loads(text) for text in known] for key, known in values.items()}
    return pack({"": pack_text({"layouts": layouts, "values": distinct})} | arrays)


def unpack_rows(packed: bytes) -> list[dict]:
    """The rows that `pack_rows` took; raises as `unpack`."""
    arrays = unpack(packed)
    described, tables = unpack_text(arrays[""]), []
    for i, keys in enumerate(described["layouts"]):
        found = []
        for key in keys:
            stored = arrays[f"{i}/{key}"]
            column = stored.tolist()
            listed = stored.dtype.kind == "u"
            found.append(map(described["values"][key].__getitem__, column) if listed else column)
        tables.append(map(dict, map(partial(zip, keys), zip(*found, strict=True))))
    return [next(tables[i]) for i in arrays["table"].tolist()]


def places(values: list[int]) -> np.ndarray:
    """Places in a list of distinct values."""
    return np.array(values, dtype=np.min_scalar_type(max(values, default=0)))


def pack_text(content) -> np.ndarray:
    """Plain values as the bytes of their JSON."""
    return as_array(json.dumps(content).encode())


def unpack_text(array: np.ndarray):
    return json.loads(array.tobytes())


def as_array(content: bytes) -> np.ndarray:
    return np.frombuffer(content, dtype=np.uint8)
