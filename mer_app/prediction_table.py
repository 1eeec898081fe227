"""What predictions look like on a terminal: a row for each file, and the timeline of a single one in block
characters.
"""

import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from mer_app.text import printable

NARROWEST, WIDEST = 16, 44  # columns for a file's name
LABEL = 16  # columns for the label
NUMBERS = 1 + LABEL + 4 * 8  # columns behind the name: the label, p, valence, arousal, unsure
BLOCKS = "▁▂▃▄▅▆▇█"  # probability from 0 to 1
QUADRANTS_MEAN = (
    "Q1 happy: valence (pleasantness) and arousal (energy) high; Q2 tense: only arousal; Q3 sad: neither; "
    "Q4 calm: only valence."
)
NUMBERS_MEAN = (
    "p: probability of the predicted label; valence, arousal: probability that it is high, 0.5 undecided "
    "(no rating); unsure: 0 sure, 1 knows nothing."
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


def fitted(name: object) -> str:
    """A name as it fills its column; the end of a long one counts more than its beginning."""
    text, width = printable(name), name_width()
    if columns(text) > width:
        while columns(text) >= width:
            text = text[1:]
        text = f"…{text}"
    return text + " " * (width - columns(text))


def heading(model) -> str:
    plane = f" {'valence':>7} {'arousal':>7}" if model.quadrants else " " * 16
    named = f"{fitted('file')} {'predicted':<{LABEL}}"
    return click.style(f"{named} {'p':>7}{plane} {'unsure':>7}", bold=True)


def row_of(emotion) -> str:
    """A prediction as a row of the table."""
    from mer_core.emotion import in_words

    label, p = (
        printable(", ".join(map(in_words, emotion.predicted))),
        emotion.probabilities[emotion.predicted[0]],
    )
    plane = " " * 16 if emotion.valence is None else f" {emotion.valence:>7.2f} {emotion.arousal:>7.2f}"
    return f"{fitted(emotion.path)} {label:<{LABEL}} {p:>7.2f}{plane} {emotion.uncertainty.total:>7.2f}"


def speaks_blocks(stream) -> bool:
    """Whether block characters can be written to a stream, if there is one."""
    if stream is None:
        return False
    try:
        BLOCKS.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def timeline_of(emotion) -> str:
    """A song's timeline in block characters, a line for each probability behind its mean; the times stand
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
        blocks = "".join(BLOCKS[min(int(8 * p), 7)] for p in parts)
        lines.append(f"{names[name]:<{margin - 5}}{mean:.2f} {blocks}")
    first, last = (f"{s // 60}:{s % 60:02}" for s in (0, round(emotion.duration_s)))
    return "\n".join([*lines, " " * margin + f"{first} {last:>{max(1, n - len(first) - 1)}}"])


def tally(predicted: Counter) -> str:
    """How many songs got each label, the commonest first."""
    from mer_core.emotion import in_words

    return ", ".join(f"{printable(in_words(name))} {n}" for name, n in predicted.most_common())


def meaning(model, card: Path) -> str:
    """What the numbers mean, and where to read what the model cannot do."""
    explained = [QUADRANTS_MEAN, NUMBERS_MEAN] if model.quadrants else []
    return "\n".join([*explained, f"What the model can and cannot: {printable(card)}"])


def doubtful_songs(songs) -> Iterator[str]:
    """Rows of `label_check.doubtful`, with a heading."""
    heading = f"{fitted('song')} {'label':<10} {'clean':>5}  {'predicted':<12} {'p':>5}  doubtful from (s)"
    yield click.style(heading, bold=True)
    for song in songs.itertuples():
        judged = f"{printable(song.label):<10} {song.clean_probability:>5.2f}"
        instead = f"{printable(song.predicted):<12} {song.p_predicted:>5.2f}"
        yield f"{fitted(song.track_id)} {judged}  {instead}  {song.seconds}"
