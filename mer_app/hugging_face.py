"""A trained model as a folder in Hugging Face's layout: card, settings, weights and ONNX graph."""

import json
from dataclasses import asdict
from pathlib import Path

import yaml

from mer_app import model_card
from mer_core import trained_model
from mer_core.frames import HOP_S
from mer_core.onnx_export import described, to_onnx, written
from mer_core.trained_model import TrainedModel

# the files of a folder, each with what stands in it and in no file of somebody else's
MARKS = {
    "model.onnx": b"window_every_s",
    "model.safetensors": b"mer_core",
    "config.json": b"mer_core",
    "README.md": b"mer_core",
}


def to_folder(model: TrainedModel, folder: Path) -> Path:
    """Write a model as a folder as Hugging Face has it: card, settings, weights, and the ONNX graph.

    Raises
    ------
    ExportError : see `to_onnx`
    """
    to_onnx(model, folder / "model.onnx")
    trained_model.save(model, folder / "model.safetensors")
    labels = dict(enumerate(model.classes))
    config = described(model) | {
        "model_type": "mer_core", "id2label": labels, "label2id": {name: k for k, name in labels.items()},
    }  # fmt: skip
    written(folder / "config.json", (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    written(folder / "README.md", card(model).encode())
    return folder


def card(model: TrainedModel) -> str:
    """The model card with the head that Hugging Face reads, and how to use what lies beside it."""
    head = {
        "library_name": "mer_core", "pipeline_tag": "audio-classification", "license": "other",
        "license_name": "see-licence-below", "tags": ["music", "music-emotion-recognition", "onnx"],
    }  # fmt: skip
    settings = asdict(model.features) | {
        "window_s": model.window_s,
        "n_frames": model.n_frames,
        "every_s": HOP_S,
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n{model_card.written(model)}\n{USE.format(**settings)}"


USE = """## Use

With mer_core, from the folder that holds these files: `mer predict song.mp3 --model model.safetensors`. Without it:

```python
import librosa
import numpy as np
import onnxruntime

samples, _ = librosa.load("song.mp3", sr={sample_rate})
n_all = -(-(1 + len(samples) // {hop_samples}) // {pool_frames})  # frames of the song
n_windows = max(1, int((len(samples) / {sample_rate} - {window_s:g}) / {every_s:g} + 1e-9) + 1)
first = np.round(np.arange(n_windows) * {every_s:g} * {sample_rate} / ({hop_samples} * {pool_frames})).astype(int)
frames = (first[:, None] + np.arange({n_frames})) % n_all
session = onnxruntime.InferenceSession("model.onnx")
probabilities = session.run(None, {{"samples": samples[None], "frames": frames}})[0]  # of each window
song = probabilities.mean(axis=0)
```
"""
