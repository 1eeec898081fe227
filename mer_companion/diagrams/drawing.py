"""The primitives of every diagram: box, arrow, label, lane. Colours: ``book/_style/diagrams.css``.

A drawing remembers its boxes, arrows and texts, so that tests can ask whether a text leaves its box, or two
arrows cross. Coordinates are user units, CSS pixels at natural size; y grows downwards.
"""

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from mer_companion.diagrams.text import BODY, TITLE, Style, plain, spans, width

WIDE, NARROW = 720, 340  # of every diagram: a desk's column of text, a phone's
PADDING = 8  # at least, between a box's text and its edge
UNSEARCHED = 'class="nohighlight"'  # of text that is not drawn: Sphinx marks no search terms in it
RADIUS = 7  # of corners, of boxes and of arrows
HEAD = (8.0, 4.0)  # length and half-width of an arrow's head

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle and the points at which arrows dock."""

    x: float
    y: float
    w: float
    h: float

    def at(self, side: str, share: float = 0.5) -> Point:
        """A point of a side, ``share`` of the way right or down."""
        along_x, along_y = self.x + share * self.w, self.y + share * self.h
        ends = {"left": (self.x, along_y), "right": (self.x + self.w, along_y)}
        return (ends | {"top": (along_x, self.y), "bottom": (along_x, self.y + self.h)})[side]

    left = property(lambda self: self.at("left"))
    right = property(lambda self: self.at("right"))
    top = property(lambda self: self.at("top"))
    bottom = property(lambda self: self.at("bottom"))


@dataclass(frozen=True)
class Text:
    """A line as it was set, and the room that it takes."""

    marked: str
    extent: Box


@dataclass
class Drawing:
    """An SVG in the making, with the geometry of what it shows."""

    w: float
    h: float = 0.0  # grows with what is drawn
    parts: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    arrows: list[list[Point]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def add(self, svg: str, bottom: float = 0.0) -> None:
        self.parts.append(svg)
        self.h = max(self.h, bottom)

    def rect(self, box: Box, kind: str, radius: float = RADIUS) -> Box:
        """A bare rectangle."""
        place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.w:.1f}" height="{box.h:.1f}"'
        self.add(f'<rect class="{kind}" {place} rx="{radius:g}"/>', box.y + box.h)
        return box

    def frame(self, box: Box, kind: str = "", radius: float = RADIUS) -> Box:
        """A box that is filled by other means."""
        self.boxes.append(box)
        return self.rect(box, f"box {kind}".strip(), radius)

    def path(self, points: list[Point], kind: str, closed: bool = False) -> None:
        """Straight lines through points."""
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")
        self.add(f'<path class="{kind}" d="{line}"/>', max(y for _, y in points))

    def box(self, box: Box, title: str, *lines: str, kind: str = "") -> Box:
        """A rectangle with a bold line and others below it, in its middle; empty lines are left out.

        Raises
        ------
        ValueError : a text that does not fit
        """
        self.text_in(self.frame(box, kind), title, *lines)
        return box

    def text_in(self, box: Box, title: str, *lines: str) -> None:
        """Lines in the middle of a rectangle, the first one bold."""
        rows = [(line, style) for line, style in [(title, TITLE), *((line, BODY) for line in lines)] if line]
        y = box.y + (box.h - sum(style.leading for _, style in rows)) / 2
        for line, style in rows:
            y += style.leading
            self.label((box.x + box.w / 2, y - 0.28 * style.leading), line, style, "middle", box)

    def label(
        self, at: Point, marked: str, style: Style = BODY, anchor: str = "start", inside: Box | None = None
    ) -> None:
        """A line whose baseline begins, has its middle, or ends at a point.

        Raises
        ------
        ValueError : it does not fit ``inside`` its box, with `PADDING` left and right
        """
        (x, y), long = at, width(marked, style)
        left = x - long * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        extent = Box(left, y - 0.75 * style.size, long, style.size)
        if inside and not holds(inside, extent):
            raise ValueError(
                f"{plain(marked)!r} is {long:.0f} units wide and does not fit its box, {inside.w:.0f} by "
                f"{inside.h:.0f} units. Make the box larger or the text shorter."
            )
        self.texts.append(Text(marked, extent))
        anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
        css, place = f"t {style.css}".strip(), f'x="{x:.1f}" y="{y:.1f}" font-size="{style.size:g}"'
        self.add(f'<text class="{css}" {place}{anchored}>{spans(marked)}</text>', y + 0.3 * style.size)

    def lane(self, box: Box, title: str) -> Box:
        """A quiet area behind boxes that belong together, with its name above them."""
        self.rect(box, "lane", 10)
        self.label((box.x + 12, box.y + 21), title, BODY)
        return box

    def arrow(self, *points: Point, kind: str = "") -> None:
        """A line through points with round corners and a head at its end; all heads are equal."""
        self.arrows.append(list(points))
        (x0, y0), (x1, y1) = points[-2:]
        away = ((x0 > x1) - (x0 < x1), (y0 > y1) - (y0 < y1))  # the last stretch runs along an axis
        if 0 not in away:
            raise ValueError(f"an arrow ends along an axis, not from {points[-2]} to {points[-1]}")
        length, half = HEAD
        base = (x1 + length * away[0], y1 + length * away[1])
        sides = [(base[0] + s * half * away[1], base[1] + s * half * away[0]) for s in (1, -1)]
        line = rounded([*points[:-1], base])
        self.add(f'<path class="{f"line {kind}".strip()}" d="{line}"/>', max(y for _, y in points))
        self.path([(x1, y1), *sides], f"head {kind}".strip(), closed=True)

    def flow(self, boxes: list[Box]) -> None:
        """Arrows from each box to the next, which lies below, to the right or to the left of it."""
        for a, b in pairwise(boxes):
            if b.y >= a.y + a.h:
                self.arrow(a.bottom, (a.bottom[0], b.y))
            else:
                self.arrow(*((a.right, b.left) if a.x < b.x else (a.left, b.right)))

    def svg(self, name: str, title: str, alt: str, css: str) -> str:
        """The drawing with its name and its description for those who do not see it."""
        view = f'viewBox="-1 -1 {self.w + 2:g} {self.h + 2:.0f}" style="max-width: {1.1 * self.w:g}px"'
        head = f'<svg class="{css}" {view} role="img" aria-labelledby="{name}-title {name}-alt">'
        known = f'<title id="{name}-title" {UNSEARCHED}>{escape(title)}</title>'
        known += f'<desc id="{name}-alt" {UNSEARCHED}>{escape(alt)}</desc>'
        return f"{head}{known}{''.join(self.parts)}</svg>"


def holds(outer: Box, inner: Box) -> bool:
    """Whether a text lies inside a box, with `PADDING` left and right, as little as can be seen aside."""
    room = PADDING - 0.5
    across = outer.x + room <= inner.x and inner.x + inner.w <= outer.x + outer.w - room
    return across and outer.y <= inner.y and inner.y + inner.h <= outer.y + outer.h


def rounded(points: list[Point]) -> str:
    """SVG path data of lines whose corners are round."""
    data = "M{:.1f} {:.1f}".format(*points[0])
    for (x0, y0), (x1, y1), (x2, y2) in zip(points, points[1:], points[2:], strict=False):
        before, after = abs(x1 - x0) + abs(y1 - y0), abs(x2 - x1) + abs(y2 - y1)
        r = min(RADIUS, before / 2, after / 2)
        a = (x1 + r * (x0 - x1) / before, y1 + r * (y0 - y1) / before)
        b = (x1 + r * (x2 - x1) / after, y1 + r * (y2 - y1) / after)
        data += "L{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}".format(*a, x1, y1, *b)
    return data + "L{:.1f} {:.1f}".format(*points[-1])


@dataclass(frozen=True)
class Grid:
    """Equal columns with equal gaps between ``x`` and ``x + w``."""

    x: float
    w: float
    n: int
    gap: float

    def cell(self, column: int, y: float, h: float, span: int = 1) -> Box:
        """The box of a column, or of ``span`` columns, at a height."""
        each = (self.w - (self.n - 1) * self.gap) / self.n
        return Box(self.x + column * (each + self.gap), y, span * each + (span - 1) * self.gap, h)
