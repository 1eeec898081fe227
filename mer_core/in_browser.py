"""What the page that hears a reader's song loads once there is one: runtime, model and facts, each packed into a plain script.

A page opened from disk may load scripts and nothing else, so ONNX Runtime's WebAssembly and the model travel as text: gzip, then
base64. They are made when the book is built and never committed; the same model gives the same bytes.
"""

import base64
import gzip
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr

from mer_core import UserError, assets, export, interactive, paths, results, trained
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANT_WORDS
from mer_core.predict import SHORTEST_S, SILENCE
from mer_core.trained import TrainedModel

FOLDER = assets.FOLDER / "hearing"
RUNTIME = assets.FETCHED / "onnxruntime-web" / "dist"
WEBASSEMBLY = ("ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
ABSENT = "Not in this book: hearing songs in the page. It says so when asked, all else reads the same."
INAUDIBLE = 1e-5  # of a low-pass: smaller than this, its ends are left away


def gather() -> str | None:
    """Put the scripts into the book's static folder; returns what is missing, why and what to do, or None."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    contents = {}
    try:
        contents["runtime.js"] = packed(*((name, (RUNTIME / name).read_bytes()) for name in WEBASSEMBLY))
        model = trained.shipped()
        contents["model.js"] = packed(
            ("model.onnx", graph(model).read_bytes()), ("model.json", json.dumps(facts(model)).encode())
        )
    except FileNotFoundError as error:
        return f"{ABSENT} {error.filename} was not fetched: get npm (part of Node.js) and a network, and build again."
    except UserError as error:
        return f"{ABSENT} {error}"
    finally:
        for name in ("runtime.js", "model.js"):
            put(FOLDER / name, contents.get(name))
    return None


def put(path: Path, text: str | None) -> None:
    """Make a file hold this text, untouched where it does already, or take it away."""
    if text is None:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_text(encoding="ascii") != text:
        path.write_text(text, encoding="ascii")


def packed(*files: tuple[str, bytes]) -> str:
    """A script that lays files, by name, into ``window.packed``."""
    return "".join(
        f'(window.packed ??= {{}})["{name}"] = "{base64.b64encode(gzip.compress(content, mtime=0)).decode()}";\n'
        for name, content in files
    )


def graph(model: TrainedModel) -> Path:
    """The model as an ONNX file, kept from the last time that model and code were the same."""
    code = results.code_digest(("export", "features", "models", "trained", "training"))
    kept = paths.CACHE / "exported" / f"{model.digest}-{code}.onnx"
    return kept if kept.exists() else export.to_onnx(model, kept)


def facts(model: TrainedModel) -> dict:
    """What the page needs to know beside the graph."""
    return export.described(model) | {
        "words": [QUADRANT_WORDS[name] for name in model.classes],
        "high": {"valence": HIGH_VALENCE.tolist(), "arousal": HIGH_AROUSAL.tolist()},
        "shortest_s": SHORTEST_S, "silence": SILENCE, "low_pass": low_pass(model.features.sample_rate).tolist(),
        "figure": json.loads(interactive.emotions_of_own_song(model.classes).to_json()),
    }  # fmt: skip


@lru_cache(maxsize=1)
def low_pass(rate: int) -> np.ndarray:
    """The filter before every second sample is dropped, (n,): its middle, and from there one side; the other is the same.

    Browsers resample too roughly for the highest mel bands. This is what the resampler of `audio.Sound.at` makes of a click, so
    that sound decoded at twice the rate comes out of both alike.
    """
    n = 1024  # samples of silence around the click; the filter is far shorter
    clicks = np.zeros((2, 4 * n), np.float32)
    clicks[0, 2 * n] = clicks[1, 2 * n + 1] = 1.0
    even, odd = (soxr.resample(click, 2 * rate, rate) for click in clicks)
    one_side = np.stack([even[n : 2 * n - 1], odd[n + 1 : 2 * n]], axis=1).ravel()
    return one_side[: 1 + np.flatnonzero(np.abs(one_side) > INAUDIBLE)[-1]].astype(float)
