"""The networks as block diagrams. Every shape is read from a forward pass (`shapes`), none is typed.

Shapes are channels × bands × frames. The small picture in a block is its map, bands upwards and frames to the
right, on a logarithmic scale: every halving takes the same step. Behind the last map it is a line.
"""

import math
from dataclasses import replace

from mer_companion.diagrams.drawing import NARROW, WIDE, Box, Drawing, Grid
from mer_companion.diagrams.shapes import CPU, Observed, Output, observe, of_run
from mer_companion.diagrams.text import BODY, NOTE, TITLE
from mer_companion.experiments.presets import MIRABLE, SELAB, SSSL
from mer_core.emotion import QUADRANTS
from mer_core.models import backbones, musicnn

N_TAGS = 56  # moods of MTG-Jamendo, for which Mirable and SELAB were made
PICTURE = 26  # side of the input's map
BLOCK, STEP = 48, 64  # height of a block, and from one to the next

Row = tuple[str, tuple[int, ...]]  # what a block does, and the shape that it gives


def spelt(shape: tuple[int, ...]) -> str:
    """A shape as text.

    >>> spelt((64, 128, 1600))
    '64 × 128 × 1,600'
    """
    return " × ".join(f"{n:,}" for n in shape)


def millions(seen: Observed) -> str:
    """A number of weights.

    >>> millions(Observed((), [], 938580))
    '0.9 M weights'
    """
    return f"{seen.parameters / 1e6:,.1f} M weights"


def block(drawing: Drawing, box: Box, row: Row, given: tuple[int, ...]) -> Box:
    """One block: its map beside what it does and the shape that it gives."""
    (does, shape), middle = row, (box.x + 10 + PICTURE / 2, box.y + box.h / 2)
    drawing.frame(box)
    pairs = zip(shape[1:], given[1:], strict=True) if len(shape) == 3 else ((shape[0], 4096), (1, 2))
    h, w = (max(2.5, PICTURE * math.log2(now) / math.log2(first)) for now, first in pairs)
    drawing.rect(Box(middle[0] - w / 2, middle[1] - h / 2, w, h), "ink", 1)
    x = box.x + 20 + PICTURE
    drawing.label((x, middle[1] - 4), does, TITLE, inside=box)
    drawing.label((x, middle[1] + 14), spelt(shape), BODY, inside=box)
    return box


def column(drawing: Drawing, grid: Grid, at: int, title: tuple[str, str], rows: list[Row]) -> list[Box]:
    """A heading and blocks below it, with arrows; the first row is the input."""
    head = grid.cell(at, 0, 40)
    for line, style, y in zip(title, (TITLE, NOTE), (14, 31), strict=True):
        drawing.label((head.x + head.w / 2, y), line, style, "middle", head)
    places = [grid.cell(at, 44 + i * STEP, BLOCK) for i in range(len(rows))]
    boxes = [block(drawing, place, row, rows[0][1]) for place, row in zip(places, rows, strict=True)]
    drawing.flow(boxes)
    return boxes


def canvas(narrow: bool) -> tuple[Drawing, Grid]:
    """A drawing with two columns."""
    return Drawing(NARROW if narrow else WIDE), Grid(*((0, NARROW, 2, 10) if narrow else (90, 540, 2, 60)))


def vgg(narrow: bool) -> Drawing:
    """SSSL's VGG16, and the slim one that two cores can train."""
    drawing, grid = canvas(narrow)
    for at, (preset, name) in enumerate((("paper", "VGG16"), ("cpu", "VGG slim"))):
        seen = of_run(SSSL[preset], len(QUADRANTS))
        column(drawing, grid, at, (name, f"{preset}: {millions(seen)}"), vgg_rows(seen))
    return drawing


def vgg_rows(seen: Observed) -> list[Row]:
    rows, convolutions = [("Log-mel", seen.given)], 0
    for out in seen.of_kind("Conv2d", "MaxPool2d", "AdaptiveAvgPool2d"):
        convolutions += out.kind == "Conv2d"
        if out.kind == "MaxPool2d":
            rows.append((f"{convolutions} conv, max", out.shape))
            convolutions = 0
        elif out.kind == "AdaptiveAvgPool2d":
            rows.append(("Average", out.shape))
    return [*rows, *dense_rows(seen, "Softmax")]


def dense_rows(seen: Observed, last: str) -> list[Row]:
    """The dense layers of the head; the last one gives the classes."""
    dense = seen.of_kind("Linear", within="head")
    return [*(("Dense", out.shape) for out in dense[:-1]), (last, dense[-1].shape)]


def mirable(narrow: bool) -> Drawing:
    """Counterpart of Mirable's Figure 1: branches for mel and HPCP, joined before two dense layers."""
    drawing, grid = canvas(narrow)
    seen = of_run(MIRABLE["paper"], N_TAGS, CPU)  # its precision is a device's: it needs real tensors
    names = (("Mel branch", "Log-mel"), ("HPCP branch", "HPCP"))
    ends = [
        column(drawing, grid, at, (title, "long input"), branch_rows(seen, at, given))[-1]
        for at, (title, given) in enumerate(names)
    ]
    joined = seen.of_kind("Dropout", within="head")[0].shape
    rows = [("Concatenate", joined), *dense_rows(seen, "Sigmoid, tags")]
    both, top = Grid(grid.x + grid.w / 4, grid.w / 2, 1, 0), ends[0].y + STEP + 22
    places = [both.cell(0, top + i * STEP, BLOCK) for i in range(len(rows))]
    boxes = [block(drawing, place, row, ()) for place, row in zip(places, rows, strict=True)]
    drawing.flow(boxes)
    for end, share in zip(ends, (0.25, 0.75), strict=True):
        target = boxes[0].at("top", share)
        drawing.arrow(end.bottom, (end.bottom[0], top - 19), (target[0], top - 19), target)
    return drawing


def branch_rows(seen: Observed, at: int, given: str) -> list[Row]:
    """What one branch is given, its blocks, and the last states of its recurrent layer."""
    own = f"branches.{at}"
    first = seen.of_kind("Conv2d", within=own)[0].shape  # it keeps both axes of the input
    blocks = [("Residual", out.shape) for out in seen.of_kind("ResidualBlock", within=own)]
    return [(given, (1, *first[1:])), *blocks, ("BiGRU", seen.named(own).shape)]


def selab(narrow: bool) -> Drawing:
    """SELAB's two image networks, by resolution only."""
    backbones.imported_timm()
    drawing, grid = canvas(narrow)
    for at, (name, title) in enumerate(
        (("efficientnet_b0", "EfficientNet-B0"), ("rexnet_100", "ReXNet-100"))
    ):
        seen = of_run(replace(SELAB["paper"], network=backbones.Settings(name)), N_TAGS)
        column(drawing, grid, at, (title, millions(seen)), by_resolution(seen))
    return drawing


BLOCKS = ("DepthwiseSeparableConv", "InvertedResidual", "LinearBottleneck")  # timm's, of both networks


def by_resolution(seen: Observed) -> list[Row]:
    """The stem, then the blocks of each resolution with the last one's shape, and the head."""
    blocks, convolutions = seen.of_kind(*BLOCKS), seen.of_kind("Conv2d")
    rows = [("Log-mel", seen.given), ("Stem", convolutions[0].shape)]
    for size in dict.fromkeys(out.shape[1:] for out in blocks):
        same = [out for out in blocks if out.shape[1:] == size]
        rows.append((f"{len(same)} block" + "s" * (len(same) > 1), same[-1].shape))
    last = next(out for out in reversed(convolutions) if out.shape[1:] == blocks[-1].shape[1:])
    average = seen.of_kind("AdaptiveAvgPool2d")[-1].shape
    return [*rows, ("1 × 1 conv", last.shape), ("Average", average), *dense_rows(seen, "Sigmoid, tags")]


def musicnn_layers(narrow: bool) -> Drawing:
    """MusiCNN: filters for timbre and for rhythm side by side, convolutions over time, dense layers."""
    seen = observe(musicnn.MusiCNN, (1, musicnn.FEATURES.n_mels, musicnn.WINDOW_FRAMES))
    drawing = Drawing(NARROW if narrow else WIDE)
    given = bar(drawing, 0, "Log-mel window", seen.given[1:])
    lanes = front_end(drawing, given.y + given.h + 26, seen, narrow)
    bottom = lanes[0].y + lanes[0].h
    maps = seen.of_kind("Branch")
    dense = seen.of_kind("Linear")
    rows = [
        ("Concatenate", (sum(out.shape[0] for out in maps), maps[0].shape[1])),
        ("Mid-end: 3 conv over time", seen.named("middle").shape),
        ("Maximum and mean over time", seen.named("head.0").shape),
        *(("Dense", out.shape) for out in dense[:-1]),
        ("Sigmoid, tags", dense[-1].shape),
    ]
    bars = [bar(drawing, bottom + 26 + i * 62, *row) for i, row in enumerate(rows)]
    for lane in lanes:
        drawing.arrow((lane.top[0], given.y + given.h), lane.top)
        drawing.arrow(lane.bottom, (lane.bottom[0], bars[0].y))
    drawing.flow(bars)
    return drawing


def bar(drawing: Drawing, y: float, does: str, shape: tuple[int, ...]) -> Box:
    """A flat block: what it does on the left, the shape that it gives on the right."""
    box = drawing.frame(Box(0, y, drawing.w, 36))
    drawing.label((14, y + 22.5), f"**{does}**", inside=box)
    drawing.label((drawing.w - 14, y + 22.5), spelt(shape), BODY, "end", box)
    return box


CARD = 92  # height of a filter with its text


def front_end(drawing: Drawing, top: float, seen: Observed, narrow: bool) -> tuple[Box, Box]:
    """Two lanes of filters, which slide over the same window side by side."""
    names = {"timbral": "**Timbral** filters", "temporal": "**Temporal** filters"}
    filters = {name: list(zip(*filters_of(seen, name), strict=True)) for name in names}
    columns = dict.fromkeys(names, 1) if narrow else {name: len(own) for name, own in filters.items()}
    gap, edge, apart = 10, 10, 12 if narrow else 20
    spare = apart + 4 * edge + gap * (sum(columns.values()) - 2)
    w, left, lanes = (drawing.w - spare) / sum(columns.values()), 0.0, []
    deepest = max(-(-len(own) // columns[name]) for name, own in filters.items())
    for name, own in filters.items():
        n = columns[name]
        wide = n * w + (n - 1) * gap + 2 * edge
        lane = drawing.lane(Box(left, top, wide, 34 + deepest * (CARD + 8) + 2), names[name])
        for i, (reach, out) in enumerate(own):
            row, at = divmod(i, n)
            place = Box(left + edge + at * (w + gap), top + 34 + row * (CARD + 8), w, CARD)
            card(drawing, place, reach, out.shape)
        lanes.append(lane)
        left += wide + apart
    return lanes[0], lanes[1]


def filters_of(seen: Observed, kind: str) -> tuple[list[tuple[int, int]], list[Output]]:
    """Bands and frames of the filters of one kind, and what their branches give.

    A filter that reaches over n of N bands has N - n + 1 places to be; its frames are what its padding allows
    for.
    """
    bands, frames = seen.given[1:]
    found = seen.of_kind("Conv2d", within=kind)
    reach = [(bands - out.shape[1] + 1, out.given[2] - frames + 1) for out in found]
    return reach, seen.of_kind("Branch", within=kind)


def card(drawing: Drawing, box: Box, reach: tuple[int, int], shape: tuple[int, ...]) -> None:
    """One branch: its filter drawn to scale on the window that it slides over, and the shape it gives."""
    drawing.frame(box)
    scale = 84 / musicnn.WINDOW_FRAMES
    w, h = musicnn.WINDOW_FRAMES * scale, musicnn.FEATURES.n_mels * scale
    window = drawing.rect(Box(box.x + (box.w - w) / 2, box.y + 9, w, h), "tint", 2)
    h, w = (max(2.0, n * scale) for n in reach)
    drawing.rect(Box(window.x + 6, window.y + (window.h - h) / 2, w, h), "strong", 1)
    drawing.label((box.x + box.w / 2, box.y + 68), spelt(reach), BODY, "middle", box)
    drawing.label((box.x + box.w / 2, box.y + 84), f"gives {spelt(shape)}", NOTE, "middle", box)
