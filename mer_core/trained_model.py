"""A trained model as one file: networks, features, labels, temperature and model card.

The file is in safetensors format, which holds numbers and text and nothing that could be executed. Its text
says all that is needed to use it. Heads on features of a pretrained network come with that network: no other
weights are needed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import nn

from mer_core import UserError, paths
from mer_core.audio.features import LogMel, WindowFeatures, frames_within
from mer_core.emotion import QUADRANTS
from mer_core.files import atomic_write
from mer_core.finite import finite
from mer_core.model_limits import refuse_beyond_limits
from mer_core.models import Network, heads, musicnn, musicnn_weights
from mer_core.models.musicnn import MusiCNN
from mer_core.models.musicnn_weights import ENCODER
from mer_core.training import Normalised

KIND = "mer_core trained model"
# 2: networks trained side by side, what a recording's level does; 3: heads on a pretrained network
FORMAT, READABLE = f"{KIND}, version 3", (f"{KIND}, version 2", f"{KIND}, version 3")
WEIGHTS = torch.float16  # a relative error of 0.05 %: no probability changes by more than a thousandth
SHIPPED = "quadrants"  # the model that comes with the project

FEATURES = {"log_mel": LogMel, "window_features": WindowFeatures}  # by the name in a file
NETWORKS = {kind.kind: kind for kind in (Network, heads.Settings)}
SCALES = {
    "labels": "probabilities in [0, 1] that add up to 1: how surely the song has each label",
    "tags": "a probability in [0, 1] for each tag: how surely the song has it",
    "valence, arousal": "the probability in [0, 1] that valence (arousal) is high, from those of the "
    "quadrants; 0.5 is undecided. Not a rating: 0.9 is surely pleasant, not very pleasant",
}


class ModelError(UserError):
    """A file that is no trained model, or a model that cannot be used here."""


class Ensemble(nn.Module):
    """The mean of several networks' calibrated probabilities.

        p(k) = mean over runs r of softmax_k(log q_r / T)
        q_r(k) = mean over the networks n of run r of softmax_k(z_n)

    where a run mostly has one network, so that log q_r may be read as its logits z_n. Of tags: the mean of
    logistic(z_nk).

    (n_windows, 1, n_mels, n_frames) levels in dB -> (n_windows, n_classes) probabilities. The temperature T
    divides the logits: above 1 probabilities become less confident, below 1 more (Guo et al., "On calibration
    of modern neural networks", ICML 2017).

    Parameters
    ----------
    together : networks per run, one after the other: two where a method trains two (co-teaching)
    """

    def __init__(self, members: list[nn.Module], temperature: float, tagged: bool, together: int = 1):
        super().__init__()
        self.members = nn.ModuleList(members)
        self.temperature, self.tagged, self.together = temperature, tagged, together

    def each(self, levels: torch.Tensor) -> torch.Tensor:
        """The probabilities of every run, (n_runs, n_windows, n_classes)."""
        logits = torch.stack([member(levels) for member in self.members])
        if self.tagged:
            return logits.sigmoid().unflatten(0, (-1, self.together)).mean(dim=1)
        of_runs = logits.log_softmax(dim=-1).unflatten(0, (-1, self.together)).logsumexp(dim=1)
        return (of_runs / self.temperature).softmax(dim=-1)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        return self.each(levels).mean(dim=0)


@dataclass(frozen=True)
class TrainedModel:
    """Networks with all that is needed to use them; written by `save`, read by `load`.

    ``window_s``: seconds of a window; ``card``: where the networks come from and how good they are, as plain
    values; ``encoder``: the pretrained networks, by name, that make the features of a window; empty where
    these are a spectrogram's levels.
    """

    ensemble: Ensemble
    network: Network | heads.Settings
    features: LogMel | WindowFeatures
    window_s: float
    classes: tuple[str, ...]
    card: dict
    encoder: nn.ModuleDict = field(default_factory=nn.ModuleDict)

    @property
    def quadrants(self) -> bool:
        """Whether the labels are Russell's quadrants, which give valence and arousal too."""
        return self.classes == QUADRANTS and not self.ensemble.tagged

    @property
    def n_frames(self) -> int:
        """Frames of a window."""
        return frames_within(self.window_s, self.features)

    @property
    def spectrogram(self) -> LogMel:
        """What is computed from sound first: the features themselves, or what the encoder hears."""
        return self.features if isinstance(self.features, LogMel) else musicnn.FEATURES

    def to(self, device: torch.device) -> "TrainedModel":
        """Everything on this device."""
        self.ensemble.to(device), self.encoder.to(device)
        return self

    @cached_property
    def digest(self) -> str:
        """Fingerprint of weights and facts, which tells models apart."""
        content = hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode())
        for value in [*self.ensemble.state_dict().values(), *self.encoder.state_dict().values()]:
            content.update(value.cpu().numpy().tobytes())
        return content.hexdigest()[:16]

    def facts(self) -> dict:
        """All but the weights, as plain values."""
        kind = "tags" if self.ensemble.tagged else "labels"
        scales = [kind, *(["valence, arousal"] if self.quadrants else [])]
        features = asdict(self.features)
        features.pop("harmony", None)  # which no model has, so that files made before it keep their digest
        return {
            "classes": list(self.classes),
            "answers": kind,
            "scales": {name: SCALES[name] for name in scales},
            "features": {"kind": name_of(self.features), **features},
            "window_s": self.window_s,
            "network": kind_of(self.network) | asdict(self.network),
            "n_networks": len(self.ensemble.members),
            "together": self.ensemble.together,
            "temperature": self.ensemble.temperature,
            "card": self.card,
        }


def name_of(features: LogMel | WindowFeatures) -> str:
    """The name of a kind of features in a file."""
    return next(name for name, kind in FEATURES.items() if isinstance(features, kind))


def kind_of(network: Network | heads.Settings) -> dict[str, str]:
    """What tells a network's settings apart in a file; those of spectrograms came first and have none."""
    return {} if isinstance(network, Network) else {"kind": network.kind}


def assembled(
    members: list[nn.Module], temperature: float, tagged: bool, together: int = 1, **rest
) -> TrainedModel:
    """Networks as a trained model, in the precision of the file: saving changes no prediction.

    Raises
    ------
    ModelError : weights that are not finite, or features with harmony
    WeightsError : features of a pretrained network that is not here
    """
    if getattr(rest["features"], "harmony", None):
        raise ModelError(
            "features with harmony are for experiments; models take what mel levels tell. Leave harmony out."
        )
    names = getattr(rest["features"], "pretrained", ())
    encoder = nn.ModuleDict({name: musicnn_weights.load(name) for name in names})
    for network in [*members, encoder]:
        for weights in network.parameters():
            weights.data = weights.data.to(WEIGHTS).float()
        for name, values in network.state_dict().items():
            remedy = "Train again with another seed or a lower rate."
            finite(values.cpu(), f"numbers of a network's {name}", remedy, ModelError)
    encoder.eval().requires_grad_(False)
    ensemble = Ensemble(members, temperature, tagged, together).cpu().eval()
    return TrainedModel(ensemble=ensemble, encoder=encoder, **rest)


def save(model: TrainedModel, path: Path) -> Path:
    """Write a model as one safetensors file: weights in half precision, everything else as text."""
    values = {}
    for part, stem in ((model.ensemble, ""), (model.encoder, f"{ENCODER}.")):
        values |= {stem + name: value for name, value in part.state_dict().items()}
        for name, weights in part.named_parameters():  # statistics of batch norm stay as they are
            values[stem + name] = weights.detach().to(WEIGHTS)
    text = {name: json.dumps(value, sort_keys=True) for name, value in model.facts().items()}
    return keep(values, Path(path), {"format": FORMAT, **text})


def keep(weights: dict[str, torch.Tensor], path: Path, text: dict[str, str] | None = None) -> Path:
    """Write a safetensors file, whole or not at all; the same content gives the same bytes."""
    content = in_order(serialised({name: value.cpu().contiguous() for name, value in weights.items()}, text))
    with atomic_write(path) as fresh:
        fresh.write_bytes(content)
    return path


def in_order(content: bytes) -> bytes:
    """A safetensors file with its header sorted: 8 bytes of length, JSON filled up with blanks, numbers."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return content[:8] + text.ljust(length) + content[8 + length :]


def kept(path: Path) -> dict[str, torch.Tensor]:
    """The numbers of a safetensors file."""
    return _read(path)[1]


def load(path: Path) -> TrainedModel:
    """A model as `save` wrote it, on the CPU, ready to predict.

    Raises
    ------
    ModelError : no such file, no model of this kind, or one that is damaged
    """
    facts, values = _read(path)
    if (written := facts.pop("format", "")) not in READABLE:
        other = f"is a {written}, and this program reads {FORMAT}"
        reason = other if written.startswith(KIND) else "is no model of mer_core"
        raise ModelError(f"{path}: {reason}. Train it again: mer train MUSIC --out {path.name}")
    try:
        facts = {name: json.loads(text) for name, text in facts.items()}
        refuse_beyond_limits(facts, values)
        for name, value in values.items():
            finite(value, name, "", ValueError)
        network, features = network_from(facts["network"]), features_from(facts["features"])
        members = [bare(network, features, len(facts["classes"])) for _ in range(facts["n_networks"])]
        ensemble = Ensemble(members, facts["temperature"], facts["answers"] == "tags", facts["together"])
        encoder = nn.ModuleDict({name: MusiCNN() for name in getattr(features, "pretrained", ())})
        for part, stem in ((encoder, f"{ENCODER}."), (ensemble, "")):  # which converts to single precision
            own = [name for name in values if name.startswith(stem)]
            part.load_state_dict({name.removeprefix(stem): values.pop(name) for name in own})
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:  # RecursionError too
        reason = str(error).splitlines()[0]
        message = f"{path}: does not hold what its text says ({reason}). Fetch or train it again."
        raise ModelError(message) from None
    ensemble, classes = ensemble.eval().requires_grad_(False), tuple(facts["classes"])
    encoder.eval().requires_grad_(False)
    return TrainedModel(ensemble, network, features, facts["window_s"], classes, facts["card"], encoder)


def network_from(facts: dict) -> Network | heads.Settings:
    """Settings of a network from plain values."""
    kind = NETWORKS[facts.pop("kind", Network.kind)]
    return kind(**as_tuples(facts))


def features_from(facts: dict) -> LogMel | WindowFeatures:
    """Settings of features from plain values."""
    return FEATURES[facts.pop("kind")](**as_tuples(facts))


def as_tuples(facts: dict) -> dict:
    """Plain values in which lists are tuples, as frozen settings have them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}


def _read(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in names}
    except FileNotFoundError:
        remedy = f"Known by name is {SHIPPED}; train your own with mer train."
        raise ModelError(f"{path}: no such model. {remedy}") from None
    except (SafetensorError, OSError) as error:
        remedy = "Give a model that mer train has made."
        raise ModelError(f"{path}: is no safetensors file ({error}). {remedy}") from None


def bare(network: Network | heads.Settings, features: LogMel | WindowFeatures, n_classes: int) -> Normalised:
    """A network whose weights and statistics of its input are still to come."""
    mean, deviation = torch.zeros(features.n_values, 1), torch.ones(features.n_values, 1)
    return Normalised(network.build(n_classes, features), mean, deviation)


@cache
def shipped() -> TrainedModel:
    """The model that comes with the project: four quadrants, from the clips of 4Q."""
    return load(file_of(SHIPPED))


def named(name: str) -> TrainedModel:
    """A model by its name, or by the path of its file."""
    return shipped() if name == SHIPPED else load(file_of(name))


def file_of(name: str) -> Path:
    if name == SHIPPED:
        return paths.SHIPPED_MODEL
    path = Path(name)
    return path / "model.safetensors" if path.is_dir() else path  # a folder that mer export has written


def card_of(name: str) -> Path:
    """The model card beside a model's file."""
    return file_of(name).with_suffix(".md")
