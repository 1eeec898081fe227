"""What the page that takes a reader's song loads once there is one: runtime, model and facts, each packed
into a plain script.

A page opened from disk may load scripts and nothing else, so ONNX Runtime's WebAssembly and the model travel
as text: gzip, then seven bits a character. Large matrices are rounded, which changes no probability by more
than two thousandths (`rounded`). The scripts are made when the book is built and never committed; the same
model gives the same bytes. What is committed, beside the model that ships, is its ONNX graph without the
weights, so that building the book needs no exporter. For another model it is made again by ``python -m
mer_companion.book.browser_model``.
"""

import gzip
import json

import numpy as np
from safetensors.numpy import load

from mer_companion.analysis import interactive_figures
from mer_companion.book import web_assets
from mer_companion.book.files import write_if_changed
from mer_core import UserError, onnx_export, trained_model
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANT_WORDS
from mer_core.predict import SHORTEST_S, SILENCE
from mer_core.trained_model import TrainedModel

WEIGHTS = trained_model.file_of(trained_model.SHIPPED)
GRAPH = WEIGHTS.with_suffix(".onnx")  # reads the networks' matrices from the file of weights
FOLDER = web_assets.FOLDER / "hearing"
RUNTIME = web_assets.FETCHED / "onnxruntime-web" / "dist"
WEBASSEMBLY = ("ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
ABSENT = "Not in this book: predicting songs in the page. The page says so, all else reads the same."
# The filter of the resampler in `audio.Sound.at`, read off its answer to a click: a sinc under a Kaiser
# window. Times are counted in samples of the lower rate.
AWKWARD = {ord(character): chr(ord(character) + 128) for character in '\0\n\r"\\'}
LARGEST, TINY = 511, 1e-30  # ten bits with the sign; of a row of zeros
LOW_PASS = {"cutoff": 0.95687183, "beta": 14.104155, "half_width": 105.24989}


def gather() -> str | None:
    """Put the scripts into the book's static folder; returns what is missing, why and what to do, or None."""
    contents: dict[str, bytes] = {}
    try:
        contents["runtime.js"] = packed(*((name, (RUNTIME / name).read_bytes()) for name in WEBASSEMBLY))
        model = trained_model.shipped()
        contents["model.js"] = packed(
            (GRAPH.name, graph(model)),
            (WEIGHTS.name, in_planes(rounded(WEIGHTS.read_bytes()))),
            ("model.json", json.dumps(facts(model)).encode()),
        )
    except FileNotFoundError as error:
        remedy = "get npm (part of Node.js) and a network, and build again."
        return f"{ABSENT} {error.filename} was not fetched: {remedy}"
    except UserError as error:
        return f"{ABSENT} {error}"
    finally:
        for name in ("runtime.js", "model.js"):
            write_if_changed(FOLDER / name, contents.get(name))
    return None


def packed(*files: tuple[str, bytes]) -> bytes:
    """A script that puts files, by name, into ``window.packed``."""
    texts = {name: as_text(gzip.compress(content, mtime=0)) for name, content in files}
    lines = (f'(window.packed ??= {{}})["{name}"] = "{text}";\n' for name, text in texts.items())
    return "".join(lines).encode()


def as_text(content: bytes) -> str:
    """Seven bits a character: in UTF-8 an eighth longer than the bytes, where base64 takes a third more.

    What may not stand in a JavaScript string has 128 added.

    >>> as_text(bytes([0b1000001_0, 0b000000_00]))
    'A\\x80\\x80'
    """
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    codes = np.packbits(np.pad(bits, (0, -len(bits) % 7)).reshape(-1, 7), axis=1)[:, 0] >> 1
    return codes.tobytes().decode("ascii").translate(AWKWARD)


def rounded(content: bytes) -> bytes:
    """A safetensors file with fewer digits in the matrices of dense layers, for it to pack better; the
    encoder's convolutions, on which probabilities depend more, stay as they are.

    A matrix's rows are multiples of a power of two, at most `LARGEST` times it.
    """
    values = load(content)
    for name, value in values.items():
        if value.ndim == 2 and value.dtype == np.float16:
            top = np.abs(value).max(axis=1, keepdims=True).astype(np.float32)
            step = 2.0 ** np.ceil(np.log2(np.maximum(top, TINY) / LARGEST))
            values[name] = (np.round(value / step) * step).astype(np.float16)
    return with_values(content, values)


def with_values(content: bytes, values: dict[str, np.ndarray]) -> bytes:
    """A safetensors file with other values in the same places, where the graph looks for them."""
    start = 8 + int.from_bytes(content[:8], "little")
    places = json.loads(content[8:start])
    changed = bytearray(content)
    for name, value in values.items():
        first, last = places[name]["data_offsets"]
        changed[start + first : start + last] = value.tobytes()
    return bytes(changed)


def in_planes(content: bytes) -> bytes:
    """Every first byte, then every second: of numbers in half precision, like goes to like."""
    return content[::2] + content[1::2]


def graph(model: TrainedModel) -> bytes:
    """The committed graph, which must be this model's.

    Raises
    ------
    UserError : it is another model's, or not there
    """
    content = GRAPH.read_bytes() if GRAPH.exists() else b""
    if model.digest.encode() not in content:
        again = "python -m mer_companion.book.browser_model"
        raise UserError(f"{GRAPH}: no graph of {WEIGHTS.name}. Make it again: {again}")
    return content


def facts(model: TrainedModel) -> dict:
    """What the page needs to know beside the graph."""
    figure = interactive_figures.emotions_of_own_song(model.classes)
    return onnx_export.described(model) | {
        "words": [QUADRANT_WORDS[name] for name in model.classes],
        "high": {"valence": HIGH_VALENCE.tolist(), "arousal": HIGH_AROUSAL.tolist()},
        "shortest_s": SHORTEST_S,
        "silence": SILENCE,
        "low_pass": LOW_PASS,
        "figure": json.loads(figure.to_json()),
    }


if __name__ == "__main__":
    print(onnx_export.to_onnx(trained_model.shipped(), GRAPH, WEIGHTS))
