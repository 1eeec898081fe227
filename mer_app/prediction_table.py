"""What predictions look like on a terminal: a row for each file, and the course of a single one in block
characters.
"""

import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import click

from mer_app.options import printable

NARROWEST, WIDEST = 16, 44  # columns for a file's name
CALLED = 16  # columns for the label
NUMBERS = 1 + CALLED + 4 * 8  # columns behind the name: the label, p, valence, arousal, unsure
BLOCKS = "▁▂▃▄▅▆▇█"  # probability from 0 to 1
QUADRANTS_MEAN = "Q1 happy: valence (pleasantness) and arousal (energy) high; Q2 tense: only arousal; Q3 sad: neither; Q4 calm: only valence."
NUMBERS_MEAN = (
    "p: probability of what is called; valence, arousal: probability that it is high, 0.5 undecided (no rating); unsure: 0 sure, "
    "1 knows nothing."
)


def name_width() -> int:
    """Columns for names, so that rows fit the terminal."""
    return min(max(shutil.get_terminal_size().columns - NUMBERS, NARROWEST), WIDEST)


def columns(text: str) -> int:
    """Columns of the terminal that a text takes: Chinese, Japanese and Korean characters, and pictures, take
    two.

    >>> columns("a日")
    3
    """
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def fitted(name: object, width: int) -> str:
    """A name as it fills a column; the end of a long one counts more than its beginning."""
    text = printable(name)
    if columns(text) > width:
        while columns(text) >= width:
            text = text[1:]
        text = f"…{text}"
    return text + " " * (width - columns(text))


def heading(model) -> str:
    plane = f" {'valence':>7} {'arousal':>7}" if model.quadrants else " " * 16
    return click.style(
        f"{'file':<{name_width()}} {'called':<{CALLED}} {'p':>7}{plane} {'unsure':>7}", bold=True
    )


def row_of(emotion) -> str:
    """A prediction as a row of the table."""
    from mer_core.emotion import in_words

    called, p = (
        printable(", ".join(map(in_words, emotion.predicted))),
        emotion.probabilities[emotion.predicted[0]],
    )
    plane = " " * 16 if emotion.valence is None else f" {emotion.valence:>7.2f} {emotion.arousal:>7.2f}"
    return f"{fitted(emotion.path, name_width())} {called:<{CALLED}} {p:>7.2f}{plane} {emotion.uncertainty.total:>7.2f}"


def speaks_blocks(stream) -> bool:
    """Whether block characters can be written to a stream."""
    try:
        BLOCKS.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def course_of(emotion) -> str:
    """A song's course in block characters, a line for each probability behind its mean; the times stand
    below.
    """
    import numpy as np

    from mer_core.emotion import in_words

    plane = {} if emotion.valence is None else {"valence": emotion.valence, "arousal": emotion.arousal}
    means = emotion.probabilities | plane
    names = {name: printable(in_words(name)) for name in means}
    margin = max(map(len, names.values())) + 6  # a blank, a probability, a blank
    n = max(1, min(len(emotion.timeline), shutil.get_terminal_size().columns - margin))
    lines = []
    for name, mean in means.items():
        parts = [part.mean() for part in np.array_split(emotion.timeline[name].to_numpy(), n)]
        lines.append(
            f"{names[name]:<{margin - 5}}{mean:.2f} " + "".join(BLOCKS[min(int(8 * p), 7)] for p in parts)
        )
    first, last = (f"{s // 60}:{s % 60:02}" for s in (0, round(emotion.duration_s)))
    return "\n".join([*lines, " " * margin + f"{first} {last:>{max(1, n - len(first) - 1)}}"])


def tally(called: Counter) -> str:
    """How many songs were called what, the commonest first."""
    from mer_core.emotion import in_words

    return ", ".join(f"{printable(in_words(name))} {n}" for name, n in called.most_common())


def meaning(model, card: Path) -> str:
    """What the numbers mean, and where to read what the model cannot do."""
    said = [QUADRANTS_MEAN, NUMBERS_MEAN] if model.quadrants else []
    return "\n".join([*said, f"What the model can and cannot: {printable(card)}"])
