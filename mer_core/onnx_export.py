"""A trained model for other programs: one ONNX graph from samples to probabilities.

The graph holds everything between a song's samples and its windows' probabilities, the log-mel spectrogram
included: whoever runs it needs no other signal processing. ONNX Runtime runs it in Python, C++, Java and in
the browser.
"""

import json
import logging
import warnings
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrize import register_parametrization

from mer_core import UserError, trained_model
from mer_core.audio.features import POWER_FLOOR, LogMel, mel_filters
from mer_core.files import atomic_write
from mer_core.frames import HOP_S
from mer_core.models import musicnn
from mer_core.models.musicnn import MusiCNN
from mer_core.trained_model import TrainedModel
from mer_core.window_features import mel_frames, statistics_of

INPUTS = {
    "samples": "(1, n_samples) float32: the whole song, or a piece of it, one channel, at the sample rate of "
    "the spectrogram",
    "frames": "(n_windows, n_frames) int64: which frames each window hears, counted from the first sample. A "
    "song's window w begins at frame round(w * window_every_s * sample_rate / (hop_samples * pool_frames)); "
    "a song shorter than a window begins again in it",
}
OF_ENCODER = (
    ", at least window_s long: a shorter song begins again. Multiplied by 10 ** (loudness_db / 20) / (root "
    "mean square of the whole song), where the features have a loudness_db. A window of a piece answers as "
    "in the whole song if reach frames around it are in the piece, too"
)
OUTPUTS = {
    "probabilities": "(n_windows, n_classes) float32: calibrated, in the order of the classes; a song's are "
    "their mean"
}
PHASES = 6  # ONNX's number for int32
WORTH_A_REFERENCE = 256  # bytes; what is shorter stays in the graph


class ExportError(UserError):
    """A model that could not be exported; the message says why and what to do."""


class WaveformModel(nn.Module):
    """From samples to probabilities: `features.log_mel`, the encoder where there is one, then the ensemble.

    The Fourier transform is written as a convolution with a sine and a cosine for each frequency, which every
    runtime has.

    (1, n_samples) samples, (n_windows, n_frames) frames of windows -> (n_windows, n_classes) probabilities
    """

    def __init__(self, model: TrainedModel):
        super().__init__()
        self.ensemble, self.encoder = halved(model.ensemble), halved(model.encoder)
        self.settings, self.features = model.features, model.spectrogram
        n = self.features.window_samples
        angle = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
        self.register_buffer("waves", torch.stack([angle.cos(), angle.sin()]).float())
        self.register_buffer("window", torch.hann_window(n))
        self.register_buffer("filters", mel_filters(self.features, torch.device("cpu")).clone())

    def levels(self, samples: torch.Tensor) -> torch.Tensor:
        """(1, n_samples) -> (n_frames, n_mels) dB, as rough as they are stored (`frames.DTYPE`)."""
        n = self.features.window_samples
        frequencies, times = (torch.arange(end, dtype=torch.int32) for end in (n // 2 + 1, n))
        phase = (frequencies.unsqueeze(1) * times % n).long()  # modulo n: exact in float32
        # computed when the graph is loaded, not stored
        kernels = (self.waves[:, phase] * self.window).flatten(0, 1).unsqueeze(1)
        padded = nn.functional.pad(samples, (n // 2, n // 2)).unsqueeze(1)
        spectrum = nn.functional.conv1d(padded, kernels, stride=self.features.hop_samples)
        power = spectrum.square().unflatten(1, (2, n // 2 + 1)).sum(dim=1)
        mel_power = nn.functional.avg_pool1d(self.filters @ power, self.features.pool_frames, ceil_mode=True)
        return mel_power.clamp_min(POWER_FLOOR).log10().mul(10.0)[0].T.half().float()

    def forward(self, samples: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        levels = self.levels(samples)
        if isinstance(self.settings, LogMel):
            return self.ensemble(levels[frames].transpose(1, 2).unsqueeze(1))
        return self.ensemble(self.encoded(levels.T, frames)[:, None, :, None])

    def encoded(self, levels: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """(96, T) dB, (n_windows, n_frames) -> (n_windows, n_values), as `window_features.of_levels`."""
        found = [
            network.layers(maps_of(network, levels)[:, frames].transpose(0, 1))
            for network in self.encoder.values()
        ]
        if self.settings.statistics:
            found.append(statistics_of(levels[:, frames]))
        return torch.cat(found, dim=1)[:, self.settings.columns].half().float()


def maps_of(network: MusiCNN, levels: torch.Tensor) -> torch.Tensor:
    """The maps of a whole clip, (96, T) dB -> (753, T), all frames at once."""
    x = network.norm(musicnn.compressed(levels)[None, None])
    return network.middle(torch.cat([branch(x) for branch in network.branches], dim=1))[0]


class Single(nn.Module):
    """Half precision to single precision."""

    def forward(self, half: torch.Tensor) -> torch.Tensor:
        return half.float()


def halved(network: nn.Module) -> nn.Module:
    """A copy with matrices in half precision, as in the model's file, that computes in single precision."""
    copied = deepcopy(network)
    for layer in [
        layer for layer in copied.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear)
    ]:
        layer.weight.data = layer.weight.data.to(trained_model.WEIGHTS)
        register_parametrization(layer, "weight", Single(), unsafe=True)  # unsafe: it changes the type
    return copied


def to_onnx(model: TrainedModel, path: Path, weights: Path | None = None) -> Path:
    """Write a model as one ONNX file with weights in half precision, described in its metadata.

    Parameters
    ----------
    weights : the model's safetensors file, in the same folder, from which the graph then reads the networks'
        matrices (ONNX's external data); None: the ONNX file holds them itself

    Raises
    ------
    ExportError : the ONNX packages are missing
    UserError : nothing can be written there
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  # what torch exports with
    except ImportError as error:
        message = f"exporting needs the package {error.name}. Get it: pip install -e '.[export]'"
        raise ExportError(message) from None
    samples = torch.zeros(1, round(2 * model.window_s * model.features.sample_rate))
    frames = torch.arange(3).unsqueeze(1) + torch.arange(heard_frames(model))
    names = {"input_names": list(INPUTS), "output_names": list(OUTPUTS)}
    sizes = {"samples": {1: torch.export.Dim("n_samples")}, "frames": {0: torch.export.Dim("n_windows")}}
    graph = WaveformModel(model).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch's exporter about its own parts
        made = torch.onnx.export(
            graph, (samples, frames), dynamo=True, verbose=False, dynamic_shapes=sizes, **names
        ).model_proto
    remove_origins(made.graph)
    unfold(made.graph)
    if weights is not None:
        refer(made.graph, weights)
    facts = {name: json.dumps(value, sort_keys=True) for name, value in described(model).items()}
    onnx.helper.set_model_props(made, facts)
    return written(path, made.SerializeToString(deterministic=True))


def remove_origins(graph) -> None:
    """Remove the source lines that nodes came from."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def unfold(graph) -> None:
    """Replace the table of phases, which the exporter has multiplied out, by the product that it is."""
    from onnx import helper, numpy_helper

    for tensor in [one for one in graph.initializer if len(one.dims) == 2 and one.data_type == PHASES]:
        table = numpy_helper.to_array(tensor)
        factors = {f"{tensor.name}_row": table[1:2], f"{tensor.name}_column": table[:, 1:2]}
        if np.array_equal(table, np.multiply(*factors.values())):
            graph.initializer.remove(tensor)
            graph.initializer.extend(numpy_helper.from_array(own, name) for name, own in factors.items())
            graph.node.insert(0, helper.make_node("Mul", list(factors), [tensor.name]))


def refer(graph, weights: Path) -> None:
    """Replace what the file of weights holds too, byte for byte, by its place there."""
    from onnx.external_data_helper import set_external_data

    content = weights.read_bytes()
    for tensor in graph.initializer:
        if len(tensor.raw_data) >= WORTH_A_REFERENCE and (place := content.find(tensor.raw_data)) >= 0:
            set_external_data(tensor, weights.name, offset=place, length=len(tensor.raw_data))
            tensor.ClearField("raw_data")


def described(model: TrainedModel) -> dict:
    """What a program has to know to use the graph, as plain values."""
    facts = {name: value for name, value in model.facts().items() if name != "card"}
    encoded = not isinstance(model.features, LogMel)
    inputs = INPUTS | ({"samples": INPUTS["samples"] + OF_ENCODER} if encoded else {})
    spectrogram = {"spectrogram": asdict(model.spectrogram), "reach": musicnn.REACH if encoded else 0}
    windows = {"n_frames": heard_frames(model), "window_every_s": HOP_S}
    origin = {"licence": model.card["licence"], "digest": model.digest}
    return facts | {"inputs": inputs, "outputs": OUTPUTS} | spectrogram | windows | origin


def heard_frames(model: TrainedModel) -> int:
    """Frames of the spectrogram in a window.

    Raises
    ------
    ExportError : windows that are joined from several shorter ones
    """
    if isinstance(model.features, LogMel):
        return model.n_frames
    if model.n_frames > 1:
        raise ExportError(
            f"its windows of {model.window_s:g} s are joined from windows of {model.features.seconds:g} s, "
            "which the graph does not do. Train with features.seconds equal to window_s."
        )
    return mel_frames(model.features)


def written(path: Path, content: bytes) -> Path:
    """Write a file, whole or not at all."""
    with atomic_write(path) as fresh:
        fresh.write_bytes(content)
    return path
