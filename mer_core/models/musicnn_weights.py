"""MusiCNN's released weights, taken from the package ``musicnn`` 0.1.0 without TensorFlow, kept in the cache.

    python -m mer_core.models.musicnn_weights [FOLDER OR WHEEL OF THE PACKAGE]

The weights lie in the package, under its ISC licence (LICENSES/musicnn-ISC.txt). Nothing is downloaded here.
"""

import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialised

from mer_core import UserError, paths
from mer_core.files import atomic_write
from mer_core.models import tensorflow_checkpoint
from mer_core.models.musicnn import MIDDLE_LAYERS, TEMPORAL_FRAMES, TIMBRAL_BANDS, MusiCNN

PACKAGE = "musicnn==0.1.0"
HOW_TO_GET_IT = (
    f"Install the package that holds them: `pip install --no-deps {PACKAGE}` (29 MB). Its code needs "
    "TensorFlow, its weights do not."
)
WHEEL = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"  # musicnn-0.1.0-py3-none-any.whl
ENCODER = "encoder"  # under which a trained model's file keeps pretrained networks, each by its name
INDEX, DATA = ".index", ".data-00000-of-00001"
CHECKPOINTS = {  # sha256 of the files, in the wheel as in the source archive
    "MSD_musicnn": {  # trained on the Million Song Dataset, tags of Last.fm
        INDEX: "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
        DATA: "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    },
    "MTT_musicnn": {  # trained on MagnaTagATune, recordings of Magnatune
        INDEX: "da2d7bb670b2b31e9bc441bb1bd75eca31b5b061f963cc1f9630c1aff3238f57",
        DATA: "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
    },
}
TAGS = {  # in the order of the logits
    "MSD_musicnn": (
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
        "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock",
        "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk",
        "oldies", "blues", "hard rock", "ambient", "acoustic", "experimental", "female vocalist", "guitar",
        "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy", "funk", "electro",
        "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
    ),
    "MTT_musicnn": (
        "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano",
        "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing",
        "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal",
        "pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice", "new age", "dance", "male voice",
        "female vocal", "beats", "harp", "cello", "no voice", "weird", "country", "metal", "female voice",
        "choral",
    ),
}  # fmt: skip

BRANCHES = [
    *(f"timbral.{i}" for i in range(len(TIMBRAL_BANDS))),
    *(f"temporal.{i}" for i in range(len(TEMPORAL_FRAMES))),
]
MIDDLE = range(MIDDLE_LAYERS)
LAYERS = {  # TensorFlow's kind: our layers, as TensorFlow counts them
    "conv2d": [*(f"{name}.convolution" for name in BRANCHES), *(f"middle.convolutions.{i}" for i in MIDDLE)],
    "batch_normalization": [
        "norm", *(f"{name}.norm" for name in BRANCHES), *(f"middle.norms.{i}" for i in MIDDLE),
        "head.0", "head.4",
    ],
    "dense": ["head.2", "head.6"],
}  # fmt: skip
KERNEL = {"kernel": "weight", "bias": "bias"}  # TensorFlow's variables: ours
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "mean", "moving_variance": "variance"}
PARTS = {"conv2d": KERNEL, "batch_normalization": NORM, "dense": KERNEL}


class WeightsError(UserError):
    """Weights that are not here, or are not the released ones; the message says what to do."""


def load(name: str, cache: Path | None = None) -> MusiCNN:
    """The network with released weights, ready to answer.

    They are taken from the cache, else out of the installed package, else out of the model that ships, which
    holds those of its own encoder in half precision: logits move by at most 0.04.

    Parameters
    ----------
    name : MSD_musicnn (Million Song Dataset) or MTT_musicnn (MagnaTagATune)

    Raises
    ------
    WeightsError : unknown name, or in none of these places
    """
    if name not in CHECKPOINTS:
        raise WeightsError(f"there are no weights {name!r}; there are {', '.join(CHECKPOINTS)}.")
    network = MusiCNN()
    network.load_state_dict(released(name, kept_at(name, cache)))
    return network.eval()


def released(name: str, path: Path) -> dict[str, torch.Tensor]:
    """The weights of one model; those of the package are kept in `path`."""
    if not path.exists():
        try:
            convert(name, installed(), path)
        except WeightsError:
            if shipped := in_model(name, paths.SHIPPED_MODEL):
                return shipped
            raise
    return load_file(path)


def in_model(name: str, path: Path) -> dict[str, torch.Tensor]:
    """The weights of one encoder in the file of a trained model; empty where it has none of this name."""
    prefix = f"{ENCODER}.{name}."
    if not path.exists():
        return {}
    with safe_open(path, framework="pt") as file:
        own = [key for key in list(file.keys()) if key.startswith(prefix)]
        return {key.removeprefix(prefix): file.get_tensor(key) for key in own}


def are_released(name: str, cache: Path | None = None) -> bool:
    """Whether `load` gives the weights as released: the model that ships keeps its own in half precision."""
    return kept_at(name, cache).exists() or importlib.util.find_spec("musicnn") is not None


def kept_at(name: str, cache: Path | None = None) -> Path:
    return (cache or paths.CACHE / "pretrained") / f"{name}.safetensors"


def convert(name: str, package: Path | zipfile.Path, path: Path) -> None:
    """Write one model's weights as float32; raises WeightsError where they are not the released ones."""
    index, data = (checked(package / name / file, sha256) for file, sha256 in CHECKPOINTS[name].items())
    weights = renamed(tensorflow_checkpoint.read(index, data))
    with atomic_write(path) as fresh:
        fresh.write_bytes(serialised(weights, {"source": f"{name} of {PACKAGE} (ISC licence, UPF 2019)"}))


def renamed(variables: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """TensorFlow's variables as a state of `MusiCNN`.

    Kernels are (time, frequency, in, out) and become (out, in, frequency, time); those of the mid-end
    (time, in, 1, out) become (out, in, time).
    """
    state = MusiCNN().state_dict()
    for kind, layers in LAYERS.items():
        for i, layer in enumerate(layers):
            for part, ours in PARTS[kind].items():
                value = variables[f"{kind}{f'_{i}' if i else ''}/{part}"].T.copy()
                state[f"{layer}.{ours}"] = torch.from_numpy(value).view_as(state[f"{layer}.{ours}"])
    return state


def checked(path: Path | zipfile.Path, sha256: str) -> bytes:
    """Content of a file; raises WeightsError where it is missing or another."""
    if not path.is_file():
        raise WeightsError(f"{path}: not found. {HOW_TO_GET_IT}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"{path}: is not of {PACKAGE} as released (another SHA-256). Install it again.")
    return content


def installed() -> Path:
    """Folder of the installed package, which is not imported; raises WeightsError where there is none."""
    found = importlib.util.find_spec("musicnn")
    if found is None or not found.submodule_search_locations:
        raise WeightsError(f"MusiCNN's weights are not here. {HOW_TO_GET_IT}")
    return Path(found.submodule_search_locations[0])


def main(arguments: list[str]) -> None:
    """Take over both models and say where they are."""
    try:
        package = Path(arguments[0]) if arguments else installed()
        if package.suffix == ".whl":
            checked(package, WHEEL)
            package = zipfile.Path(package, "musicnn/")
        for name in CHECKPOINTS:
            convert(name, package, kept_at(name))
            print(kept_at(name))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
