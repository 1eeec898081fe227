"""What the page that takes a reader's song loads once there is one: runtime, model and facts, each packed
into a plain script.

A page opened from disk may load scripts and nothing else, so ONNX Runtime's WebAssembly and the model travel
as text: gzip, then base64. The scripts are made when the book is built and never committed; the same model
gives the same bytes. What is committed, beside the model that ships, is its ONNX graph without the weights,
so that building the book needs no exporter. For another model it is made again by ``python -m
mer_companion.book.browser_model``.
"""

import base64
import gzip
import json

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
LOW_PASS = {"cutoff": 0.95687183, "beta": 14.104155, "half_width": 105.24989}


def gather() -> str | None:
    """Put the scripts into the book's static folder; returns what is missing, why and what to do, or None."""
    contents: dict[str, bytes] = {}
    try:
        contents["runtime.js"] = packed(*((name, (RUNTIME / name).read_bytes()) for name in WEBASSEMBLY))
        model = trained_model.shipped()
        contents["model.js"] = packed(
            (GRAPH.name, graph(model)),
            (WEIGHTS.name, WEIGHTS.read_bytes()),
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
    texts = {name: base64.b64encode(gzip.compress(content, mtime=0)).decode() for name, content in files}
    lines = (f'(window.packed ??= {{}})["{name}"] = "{text}";\n' for name, text in texts.items())
    return "".join(lines).encode()


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
