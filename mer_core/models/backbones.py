"""Image networks from timm on spectrograms, as SELAB-HCMUS uses them: EfficientNet-B0, ReXNet-100, ..."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn
from torch.library import Library

from mer_core import UserError
from mer_core.audio.features import Features

# What torchvision declares when its own binaries load. Those from the package index want CUDA's libraries;
# beside a torch without them they do not load, and importing torchvision (as timm and transformers do) fails
# at the missing declarations.
OPERATORS = [f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms")]


@dataclass(frozen=True)
class Settings:
    """Which of timm's networks, with one input channel, and from which weights."""

    kind: ClassVar[str] = "backbones.Settings"

    name: str = "efficientnet_b0"
    dropout: float = 0.2
    weights: str = ""  # path of a .safetensors or .pth file in timm's format; "": random weights

    def build(self, n_classes: int, features: Features) -> nn.Module:
        return Backbone(n_classes, self)


class Backbone(nn.Module):
    """(batch, 1, n_mels, n_frames) -> (batch, n_classes) logits; trunk: timm's features, averaged."""

    def __init__(self, n_classes: int, settings: Settings):
        super().__init__()
        timm = imported_timm()
        if settings.name not in timm.list_models():
            raise UserError(f"timm has no network {settings.name!r}; timm.list_models() lists those it has.")
        self.trunk = timm.create_model(settings.name, in_chans=1, num_classes=0)
        if settings.weights:
            load_weights(self.trunk, settings.weights)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(self.trunk.num_features, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x))


def load_weights(network: nn.Module, path: str) -> None:
    """Take over weights trained on images: colours are summed to one channel, the classifier is left out."""
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file. Give a .safetensors or .pth file in timm's format.")
    from timm.models import load_state_dict

    stored = load_state_dict(path)
    own = network.state_dict()
    for name, value in stored.items():
        if name in own and value.ndim == 4 and value.shape[1] == 3 and own[name].shape[1] == 1:
            stored[name] = value.sum(dim=1, keepdim=True)
    shapes = {name: value.shape for name, value in own.items()}
    fitting = {name: value for name, value in stored.items() if value.shape == shapes.get(name)}
    if missing := [name for name in own if name not in fitting and "num_batches_tracked" not in name]:
        lacking = f"{len(missing)} of the network's weights, the first {missing[0]}"
        raise UserError(f"{path}: lacks {lacking}. Is it the same network?")
    network.load_state_dict(fitting, strict=False)


def imported_timm():
    """The package timm, imported so that it loads beside a torch without CUDA."""
    declare_missing_operators()
    try:
        import timm
    except ImportError:
        raise UserError('image networks need the package timm: pip install "mer-core[backbones]"') from None
    return timm


def declare_missing_operators() -> None:
    """Declare torchvision's operators where its binaries do not load; nothing here calls them."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        if not hasattr(torch.ops.torchvision, "nms"):
            declared.append(fragment := Library("torchvision", "DEF"))
            for schema in OPERATORS:
                fragment.define(schema)


declared: list[Library] = []  # kept alive: the declarations end with it
