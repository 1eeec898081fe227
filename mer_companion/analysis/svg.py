"""Drawings as small SVG: text as text, in the font of whatever page shows it."""

import io
import re

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
LOOK = f"stroke-linejoin:round;stroke-linecap:butt;font-family:{FONT}"


def as_svg(fig: Figure) -> str:
    """A figure as SVG without date and background: equal figures are equal files."""
    drawn = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        fig.savefig(drawn, format="svg", metadata={"Date": None}, transparent=True)
    return slim(drawn.getvalue())


def slim(svg: str) -> str:
    """The same drawing in fewer characters: no comments, metadata, unused ids or digits that nobody sees."""
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL
    )  # would style a whole page
    svg = re.sub(r'style="([^"]*)"', lambda match: f'style="{without_fonts(match[1])}"', svg)
    svg = svg.replace("<svg ", f'<svg style="{LOOK}" ', 1)
    used = set(re.findall(r"#([^\")\s]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in used else "", svg)
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{3,}", two_decimals, tag[0]), svg)  # not in texts
    svg = re.sub(r' d="([^"]*)"', lambda match: f' d="{short_path(match[1])}"', svg)
    svg = without_empty(re.sub(r"\s+", " ", re.sub(r">\s+<", "><", svg)).strip())
    return svg + "\n"


def two_decimals(number: re.Match) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def short_path(data: str) -> str:
    """A path's commands without the blanks around their letters.

    >>> short_path("M 1 2 L -3 4 z ")
    'M1 2L-3 4z'
    """
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", data).strip()


def without_empty(svg: str) -> str:
    """Without groups that say nothing of their content, and without paths that are not drawn."""
    svg = re.sub(r'<path d="[^"]*" style="fill:none"/>|<g/>', "", svg)
    opened, kept = [], []
    for piece in re.split(r"(<g\b[^>]*(?<!/)>|</g>)", svg):
        if piece.startswith("<g"):
            opened.append(piece != "<g>")
        if piece == "<g>" or (piece == "</g>" and not opened.pop()):
            continue
        kept.append(piece)
    return "".join(kept)


def without_fonts(style: str) -> str:
    """A style's declarations but for the fonts that matplotlib names: the drawing has one for all."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    kept = ((name.strip(), value.strip()) for name, _, value in pairs)
    return ";".join(f"{name}:{value}" for name, value in kept if name and name != "font-family")
