"""Text of diagrams: a little markup, how wide it is, and its SVG.

``*x*`` is italic, ``**x**`` bold, ``x_{p}`` has a subscript. Widths are those of DejaVu Sans, which comes
with matplotlib and is wider than the fonts that browsers choose on desks and phones: what fits here fits
there.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font

MARKED = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*]+)\*|_\{(?P<sub>[^}]+)\}")
SUBSCRIPT, DROP = 0.72, 0.22  # size and depth of a subscript, in parts of the text's size
FILES = {
    "": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "italic": "DejaVuSans-Oblique.ttf",
    "sub": "DejaVuSans.ttf",
}


@dataclass(frozen=True)
class Style:
    """Size and line height in user units, which are CSS pixels at natural size."""

    size: float
    leading: float
    css: str = ""  # classes beside ``t``

    def marked(self, css: str) -> "Style":
        """The same with further classes, by which a style sheet or a script finds it."""
        return replace(self, css=f"{self.css} {css}".strip())


TITLE = Style(14, 19, "title")
BODY = Style(12.5, 17)
SMALL = Style(11.5, 15.5)
NOTE = SMALL.marked("muted")


def runs(marked: str) -> list[tuple[str, str]]:
    """Pieces of a text and how each is set: "", "bold", "italic" or "sub".

    >>> runs("loss *L*_{mix} of *x*")
    [('loss ', ''), ('L', 'italic'), ('mix', 'sub'), (' of ', ''), ('x', 'italic')]
    """
    found, place = [], 0
    for match in MARKED.finditer(marked):
        found += [(marked[place : match.start()], ""), (match[match.lastgroup], match.lastgroup)]
        place = match.end()
    return [(text, how) for text, how in [*found, (marked[place:], "")] if text]


def plain(marked: str) -> str:
    """The text without its markup."""
    return "".join(text for text, _ in runs(marked))


@cache
def font(how: str) -> FT2Font:
    face = FT2Font(str(Path(matplotlib.get_data_path(), "fonts/ttf", FILES[how])))
    face.set_size(100, 72)
    return face


@cache
def advance(character: str, how: str) -> float:
    """How far a character moves the pen, in parts of the text's size."""
    return font(how).load_char(ord(character)).linearHoriAdvance / 65536 / 100


def width(marked: str, style: Style) -> float:
    """Width of a line in user units."""
    total = 0.0
    for text, how in runs(marked):
        face = "bold" if "title" in style.css and how != "sub" else how
        size = style.size * (SUBSCRIPT if how == "sub" else 1)
        total += size * sum(advance(character, face) for character in text)
    return total


def spans(marked: str) -> str:
    """The line as SVG ``tspan`` elements; what follows a subscript comes back to the line."""
    parts, dropped = [], False
    for text, how in runs(marked):
        below = how == "sub"
        shift = DROP if below else -DROP * SUBSCRIPT
        dy = f' dy="{shift:g}em"' if below != dropped else ""
        css = f' class="{how}"' if how else ""
        body = escape(text, quote=False)
        parts.append(f"<tspan{css}{dy}>{body}</tspan>" if css or dy else body)
        dropped = below
    return "".join(parts)
