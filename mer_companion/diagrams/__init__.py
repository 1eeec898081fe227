"""Diagrams drawn as code: SVG with real text, in two layouts, for light and dark pages.

``DIAGRAMS`` names them all; a page shows one by the directive ``{diagram}`` (``book/_ext/diagram.py``), from
what `figure` writes when the book is made.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mer_companion.diagrams import data, methods, networks, threshold, windows
from mer_companion.diagrams.drawing import Drawing


@dataclass(frozen=True)
class Diagram:
    """How it is drawn (narrow or not), its title, and what it shows for those who do not see it."""

    draw: Callable[[bool], Drawing]
    title: str
    alt: str
    controls: Callable[[str], str] | None = None  # of one that readers move


DIAGRAMS = {
    "pipeline": Diagram(
        data.pipeline,
        "Pipeline overview",
        "Eight steps in a row: songs, log-mel frames, windows, a trained network, probabilities of "
        "every window, the song decision, scores with intervals over artists, and the record that "
        "this book shows.",
    ),
    "quadrants": Diagram(
        data.plane,
        "Russell's valence-arousal plane",
        "Four quadrants: Q1 happy and excited (high valence, high arousal), Q2 tense and angry (low, "
        "high), Q3 sad and depressed (low, low), Q4 calm and content (high, low). High valence is Q1 "
        "and Q4, high arousal Q1 and Q2.",
    ),
    "windows": Diagram(
        windows.windows,
        "Windows, frames and pooling",
        "A clip of 8 seconds has six windows of 3 seconds; one begins every second, and next "
        "neighbours share 2 seconds. Inside a window, overlapping Fourier transforms become log-mel "
        "frames, of which the cpu preset averages groups of four.",
    ),
    "folds": Diagram(
        data.folds,
        "Folds by artist",
        "Fifteen artists with one to four songs each are divided into five folds; all songs of an "
        "artist are in one fold. When fold 1 is tested, the other artists are divided again, for "
        "training and for inner validation; no artist is in two parts.",
    ),
    "sssl": Diagram(
        methods.sssl,
        "SSSL",
        "Step 1, in every epoch after the warm-up: the network's loss on each training window, a "
        "Gaussian mixture of these losses, a clean set X of windows that keep their label and a noisy "
        "set U whose label is replaced by the sharpened prediction, mixup of both sets, R-Drop on U, "
        "and gradient steps on the sum of both losses. Step 2, once per song: probabilities of its "
        "windows, 7K statistics, a support vector machine, one emotion.",
    ),
    "threshold": Diagram(
        threshold.threshold,
        "The threshold on real losses",
        "Histogram of the training windows' losses with the two fitted Gaussians, the clean "
        "probability falling from 1 to 0 as the loss grows, and the threshold. Below, all windows as "
        "one bar: clean set and noisy set, each divided into right and wrong labels, and their sizes. "
        "Two sliders change the threshold and the epoch.",
        threshold.controls,
    ),
    "noisy-student": Diagram(
        methods.student,
        "Noisy student",
        "A teacher learns from labelled songs and predicts the tags of unlabelled ones. Confident "
        "predictions become pseudo-labels, tag by tag; others are left out of the loss. A student "
        "learns from both kinds of songs under longer masks, Gaussian noise, dropout and skipped "
        "blocks.",
    ),
    "co-teaching": Diagram(
        methods.exchange,
        "Co-teaching",
        "Two networks, f and g, compute the loss of every window of a mini-batch. Each picks the "
        "windows of small loss; g takes its step on what f picked, and f on what g picked. Windows of "
        "large loss are left out.",
    ),
    "vgg": Diagram(
        networks.vgg,
        "VGG16 and VGG slim",
        "Block by block, with shapes: the paper's VGG16 on windows of 128 mel bands, and the slim "
        "network of the cpu preset on 64, with fewer channels, batch norm and one dense layer less.",
    ),
    "mirable": Diagram(
        networks.mirable,
        "Mirable's network",
        "Two branches, one for log-mel frames and one for HPCP: each has three residual blocks with "
        "GeM pooling and a bidirectional GRU. Their last states are concatenated; two dense layers "
        "give the tags.",
    ),
    "selab": Diagram(
        networks.selab,
        "EfficientNet-B0 and ReXNet-100",
        "Both image networks reduce a log-mel window in five halvings to 1,280 channels, which are "
        "averaged; one dense layer gives the tags.",
    ),
    "musicnn": Diagram(
        networks.musicnn_layers,
        "MusiCNN",
        "Two timbral filters, tall and short, and three temporal filters, one band high and long, "
        "slide over the log-mel window side by side; their maxima over bands are concatenated. Three "
        "convolutions over time, maximum and mean over time and two dense layers follow.",
    ),
}


def figure(name: str) -> str:
    """A diagram as HTML: both layouts, of which the page shows the one that fits, and its controls."""
    shown = DIAGRAMS[name]
    layouts = {"wide": shown.draw(False), "narrow": shown.draw(True)}
    drawn = "".join(
        drawing.svg(f"{name}-{layout}", shown.title, shown.alt, layout) for layout, drawing in layouts.items()
    )
    return (shown.controls(name) if shown.controls else "") + drawn
