"""From songs to scores: the pipeline, Russell's plane, a division by artist."""

import numpy as np

from mer_companion.diagrams.drawing import NARROW, WIDE, Box, Drawing, Grid
from mer_companion.diagrams.text import BODY, NOTE, SMALL, TITLE, Style
from mer_core.datasets import splits
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANT_WORDS, QUADRANTS

STAGES = (  # what there is after each step, and the modules that make it
    ("Songs", "sound, label, artist", "datasets"),
    ("Log-mel frames", "dB per mel band", "audio, frames"),
    ("Windows", "each has its song's label", "frames, segments"),
    ("Trained network", "how labels are trusted", "methods, models"),
    ("Probabilities", "of every window", "training"),
    ("Song decision", "mean, or SVM", "evaluation"),
    ("Scores", "95 % interval by artist", "evaluation"),
    ("Record", "and this book", "results, book"),
)


def pipeline(narrow: bool) -> Drawing:
    """From songs to a page of the book, row by row, back and forth."""
    drawing, columns, height, gap = Drawing(NARROW if narrow else WIDE), 2 if narrow else 4, 78, 28
    grid, boxes = Grid(0, drawing.w, columns, gap), []
    for i, (title, what, modules) in enumerate(STAGES):
        row, place = divmod(i, columns)
        column = columns - 1 - place if row % 2 else place
        box = drawing.frame(grid.cell(column, row * (height + gap), height))
        lines = ((title, TITLE), (what, SMALL), (f"*{modules}*", NOTE))
        for k, (line, style) in enumerate(lines):
            drawing.label((box.x + box.w / 2, box.y + 25 + 19 * k), line, style, "middle", box)
        boxes.append(box)
    drawing.flow(boxes)
    return drawing


SECOND_WORDS = {"Q1": "excited", "Q2": "angry", "Q3": "depressed", "Q4": "content"}  # of `mer_core.emotion`
SIDES = {"valence": ("unpleasant", "pleasant"), "arousal": ("relaxed", "excited")}  # low, high


def plane(narrow: bool) -> Drawing:
    """Russell's plane, and which quadrants make up each half."""
    drawing = Drawing(NARROW if narrow else WIDE)
    left, top, half = (40, 4, 149) if narrow else (112, 4, 150)
    for k, name in enumerate(QUADRANTS):
        x, y = left + half * HIGH_VALENCE[k], top + half * (not HIGH_AROUSAL[k])
        place = drawing.rect(Box(x + 3, y + 3, half - 6, half - 6), "tint light", 8)
        drawing.text_in(place, name, QUADRANT_WORDS[name], SECOND_WORDS[name])
    floor = top + 2 * half + 2
    drawing.arrow((left - 2, floor), (left + 2 * half, floor))
    drawing.arrow((left - 2, floor), (left - 2, top))
    for high, word in enumerate(("low", "high")):
        middle = half * (high + 0.5)
        drawing.label((left + middle, floor + 20), f"{word} valence", BODY, "middle")
        drawing.label((left + middle, floor + 36), SIDES["valence"][high], NOTE, "middle")
        upright(drawing, left - 25, floor - middle, f"{word} arousal", BODY)
        upright(drawing, left - 11, floor - middle, SIDES["arousal"][high], NOTE)
    for i, (dimension, high) in enumerate((("valence", HIGH_VALENCE), ("arousal", HIGH_AROUSAL))):
        x, y = (left, floor + 58 + i * 88) if narrow else (left + 2 * half + 64, top + 58 + i * 112)
        one_half(drawing, Box(x, y, 72, 72), high)
        names = [name for name, own in zip(QUADRANTS, high, strict=True) if own]
        drawing.label((x + 88, y + 31), f"*P*(high {dimension})")
        drawing.label((x + 88, y + 51), "= " + " + ".join(f"*P*({name})" for name in names))
    return drawing


def upright(drawing: Drawing, x: float, y: float, text: str, style: Style) -> None:
    """A line that runs upwards, its middle at a point, for an axis."""
    css, size = f"t {style.css}".strip(), f'font-size="{style.size:g}" text-anchor="middle"'
    turned = f'transform="translate({x:g} {y:g}) rotate(-90)"'
    drawing.add(f'<text class="{css}" {turned} {size}>{text}</text>')


def one_half(drawing: Drawing, box: Box, high: np.ndarray) -> None:
    """The plane in small, with the quadrants on the high side filled."""
    half = box.w / 2
    for k in range(len(QUADRANTS)):
        x, y = box.x + half * HIGH_VALENCE[k], box.y + half * (not HIGH_AROUSAL[k])
        drawing.rect(Box(x + 1, y + 1, half - 2, half - 2), "ink" if high[k] else "tint", 4)


N_FOLDS = 5
SONGS_OF = (3, 1, 2, 4, 1, 2, 1, 3, 2, 1, 2, 1, 2, 3, 2)  # of each artist of a toy data set
PILL = 26  # height of an artist


def division() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Artist, fold and inner fold (-1: tested) of each song, by the function that divides the data sets."""
    artist = np.repeat(np.arange(len(SONGS_OF)), SONGS_OF)
    label = np.arange(len(artist)) % 2
    fold = splits.assign(label, artist, N_FOLDS, "artist", seed=0)
    training, inner = np.flatnonzero(fold > 0), np.full(len(artist), -1)
    inner[training] = splits.assign(label[training], artist[training], 2, "artist", seed=0)
    return artist, fold, inner


def folds(narrow: bool) -> Drawing:
    """Artists in folds; and, when the first fold is tested, what the others are for."""
    drawing, (artist, fold, inner) = Drawing(NARROW if narrow else WIDE), division()
    grid, step = Grid(0, drawing.w, N_FOLDS, 8 if narrow else 14), PILL + 7
    per_fold = [np.unique(artist[fold == k]) for k in range(N_FOLDS)]
    height = 40 + max(map(len, per_fold)) * step
    for k, own in enumerate(per_fold):
        cell = drawing.rect(grid.cell(k, 0, height), "lane", 10)
        drawing.label((cell.x + cell.w / 2, 23), f"**fold {k + 1}**", BODY, "middle", cell)
        for i, name in enumerate(own):
            pill(drawing, Box(cell.x + 6, 36 + i * step, cell.w - 12, PILL), name, k == 0)
    drawing.label((0, height + 36), "When fold 1 is tested:")
    top = height + 50
    for title, which in (("test", fold == 0), ("train", inner == 0), ("inner validation", inner == 1)):
        top = part(drawing, top, title, np.unique(artist[which]), narrow) + 10
    return drawing


def part(drawing: Drawing, top: float, title: str, artists: np.ndarray, narrow: bool) -> float:
    """One part of the data as a lane of artists; returns its lower edge."""
    columns, w, left, first = (4, 72, 12, 34) if narrow else (7, 74, 150, 9)
    rows = -(-len(artists) // columns)
    lane = drawing.rect(Box(0, top, drawing.w, first + rows * (PILL + 7) + 2), "lane", 10)
    drawing.label((12, top + (23 if narrow else 26.5)), f"**{title}**", inside=lane)
    for i, name in enumerate(artists):
        row, column = divmod(i, columns)
        place = Box(left + column * (w + 8), top + first + row * (PILL + 7), w, PILL)
        pill(drawing, place, name, title == "test")
    return lane.y + lane.h


def pill(drawing: Drawing, box: Box, artist: int, tested: bool) -> None:
    """An artist's letter with a dot for each song."""
    drawing.frame(box, "tested" if tested else "", box.h / 2)
    step, radius, inset = (5.5, 2.0, 9) if box.w < 60 else (8.5, 2.8, 12)
    drawing.label((box.x + inset, box.y + box.h / 2 + 4.5), chr(ord("A") + artist), inside=box)
    for i in range(SONGS_OF[artist]):
        x, y = box.x + box.w - inset - i * step, box.y + box.h / 2
        drawing.add(f'<circle class="ink" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>')
