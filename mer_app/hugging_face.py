"""A trained model as a folder in Hugging Face's layout: card, settings, weights and ONNX graph."""

import json
from pathlib import Path

from mer_app import model_card
from mer_app.text import rendered
from mer_core import trained_model
from mer_core.frames import HOP_S
from mer_core.onnx_export import described, heard_frames, to_onnx, written
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
    id2label = dict(enumerate(model.classes))
    label2id = {label: k for k, label in id2label.items()}
    config = described(model) | {"model_type": "mer_core", "id2label": id2label, "label2id": label2id}
    written(folder / "config.json", (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    written(folder / "README.md", card(model).encode())
    return folder


def card(model: TrainedModel) -> str:
    """The model card with the head that Hugging Face reads, and how to use what lies beside it."""
    known = model_card.contents(model) | {"n_frames": heard_frames(model), "window_every_s": HOP_S}
    return rendered("hugging_face.md", **known)
