"""Windows on a time axis, and what a network is given of each."""

import math

import numpy as np

from mer_companion.diagrams.drawing import NARROW, WIDE, Box, Drawing, Grid
from mer_companion.diagrams.text import BODY, NOTE, SMALL, TITLE
from mer_companion.experiments.presets import SSSL
from mer_core.audio.features import frames_within
from mer_core.frames import HOP_S, window_starts

CLIP_S = 8  # length of the clip drawn
CHOSEN = 2  # the window that is told from its neighbour
STEP, TALL = 24, 18  # from one window's bar to the next, and its height


def windows(narrow: bool) -> Drawing:
    """A clip, its windows, and the frames inside each."""
    drawing = Drawing(NARROW if narrow else WIDE)
    window_s, second = SSSL["paper"].window_s, drawing.w / CLIP_S
    starts = window_starts(CLIP_S, window_s, 1.0)  # in seconds: as if there were one frame in each
    waveform(drawing, Box(0, 0, drawing.w, 56), 60 if narrow else 120)
    time_axis(drawing, 66, second)
    top = 96
    for i, start in enumerate(starts):
        bar = Box(start * second, top + i * STEP, window_s * second, TALL)
        drawing.rect(bar, "bar strong" if i == CHOSEN else "bar tint", 4)
        style = SMALL.marked("on-strong") if i == CHOSEN else SMALL
        drawing.label((bar.x + 8, bar.y + 13.5), f"window {i}", style, inside=bar)
    shared(drawing, top + CHOSEN * STEP, window_s, second)
    frames_inside(drawing, top + len(starts) * STEP + 18, narrow)
    return drawing


def waveform(drawing: Drawing, box: Box, n: int) -> None:
    """A made-up clip as bars around a middle line: beats that fade, of a level that changes."""
    rng, step = np.random.default_rng(3), box.w / n
    for i in range(n):
        t = i / n * CLIP_S
        beat = math.exp(-2.2 * (2 * t % 1))
        h = box.h * min(1.0, (0.35 + 0.25 * math.sin(0.9 * t) + 0.4 * beat) * rng.uniform(0.7, 1))
        drawing.rect(Box(box.x + i * step, box.y + (box.h - h) / 2, 0.6 * step, h), "ink", 1)


def time_axis(drawing: Drawing, y: float, second: float) -> None:
    drawing.path([(0, y), (CLIP_S * second, y)], "rule")
    for t in range(CLIP_S + 1):
        drawing.path([(t * second, y), (t * second, y + 5)], "rule")
        anchor = {0: "start", CLIP_S: "end"}.get(t, "middle")
        drawing.label((t * second, y + 19), str(t) if anchor == "middle" else f"{t} s", NOTE, anchor)


def shared(drawing: Drawing, y: float, window_s: float, second: float) -> None:
    """What a window and the next one have in common, between two dashed lines."""
    first, last = (CHOSEN + 1) * HOP_S, CHOSEN * HOP_S + window_s
    for t in (first, last):
        drawing.path([(t * second, y - 4), (t * second, y + STEP + TALL + 4)], "rule dashed")
    words = (
        f"{last - first:g} s shared" if drawing.w == NARROW else f"next neighbours share {last - first:g} s"
    )
    drawing.label((last * second + 8, y + 13.5), words, NOTE)


def frames_inside(drawing: Drawing, top: float, narrow: bool) -> None:
    """Three pictures: short Fourier transforms, mel frames, and frames averaged in groups."""
    paper, cpu = SSSL["paper"], SSSL["cpu"]
    mel, pooled, columns, gap, height = paper.features, cpu.features, *((1, 26) if narrow else (3, 32)), 122
    places = [(i % columns, top + 34 + i // columns * (height + gap), height) for i in range(3)]
    lane = Box(0, top, drawing.w, places[-1][1] + height + 14 - top)
    drawing.lane(lane, f"Inside each window of **{paper.window_s:g} s**")
    sizes = [(run.features.n_mels, frames_within(run.window_s, run.features)) for run in (paper, cpu)]
    texts = (
        ("Fourier transforms", f"{mel.window_samples:,} samples, every {mel.hop_samples}"),
        ("Log-mel frames", "{} bands × {} (*paper*)".format(*sizes[0])),
        (f"Means of {pooled.pool_frames} frames", "{} bands × {} (*cpu*)".format(*sizes[1])),
    )
    grid = Grid(14, drawing.w - 28, columns, gap)
    boxes = [drawing.frame(grid.cell(*place)) for place in places]
    for box, (title, body) in zip(boxes, texts, strict=True):
        drawing.label((box.x + box.w / 2, box.y + 22), title, TITLE, "middle", box)
        drawing.label((box.x + box.w / 2, box.y + box.h - 10), body, BODY, "middle", box)
    hann(drawing, boxes[0])
    levels = np.random.default_rng(5).uniform(0.2, 1, (5, 16)) * np.linspace(0.45, 1, 5)[:, None]
    cells(drawing, boxes[1], levels)
    cells(drawing, boxes[2], levels.reshape(5, -1, pooled.pool_frames).mean(axis=2))
    drawing.flow(boxes)


def hann(drawing: Drawing, box: Box) -> None:
    """Hann windows, each half a window after the one before."""
    floor, high, room, n = box.y + box.h - 34, 48, box.w - 40, 4
    wide = 2 * room / (n + 1)
    for i in range(n):
        phases = [k / 30 for k in range(31)]
        left = box.x + 20 + i * wide / 2
        curve = [(left + wide * t, floor - high * math.sin(math.pi * t) ** 2) for t in phases]
        drawing.path(curve, "curve")
    drawing.path([(box.x + 16, floor), (box.x + box.w - 16, floor)], "rule")


def cells(drawing: Drawing, box: Box, levels: np.ndarray) -> None:
    """A spectrogram, (bands, frames) from 0 to 1, in the middle of a box."""
    rows, columns = levels.shape
    w, h, left, top = (box.w - 40) / columns, 54 / rows, box.x + 20, box.y + 34
    for (i, j), level in np.ndenumerate(levels):
        place = f'x="{left + j * w:.1f}" y="{top + i * h:.1f}" width="{w - 1:.1f}" height="{h - 1:.1f}"'
        drawing.add(f'<rect class="cell" {place} opacity="{level:.2f}"/>')
