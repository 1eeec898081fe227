"""Every figure drawn in the page itself, for desks and phones, with links to its PDF and its data as CSV.

The drawing as an SVG file is made by the page when a reader asks for it (``book/_style/drawings.js``).

The files lie in ``executed/figures`` (`mer_companion.book.notebooks.keep_figures`). In the page a colour of a
drawing is a variable with two values: on a dark page greys are turned over, black on white becomes white on
black, and the more colour there is, the more it stays itself. Looks that occur more than once are classes.
"""

import re
import shutil
import zlib
from colorsys import hls_to_rgb, rgb_to_hls
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup

FOLDER = "executed/figures"
DRAWINGS = {"": "drawing", "-narrow": "drawing narrow"}  # by the end of the file's name: classes in the page
LINKED = (".csv", ".pdf")  # a script adds the SVG, which it takes from the page
COLOUR = re.compile(r"#([0-9a-f]{6})\b")
STYLE, VARIABLE = r'style="([^"]*)"', r"var(--c\1)"
INK = "#000000"  # of what names no colour
DARKEST = 0.1  # the lightness that white gets: about that of a dark page


def in_the_dark(colour: str) -> str:
    """The same colour (#rrggbb) on a dark page."""
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    hue, lightness, saturation = rgb_to_hls(*rgb)
    strength = max(rgb) - min(rgb)  # 0 for greys
    over = (1 - strength) * (1 - (1 - DARKEST) * lightness) + strength * max(lightness, 0.5)
    return "#" + "".join(f"{round(255 * value):02x}" for value in hls_to_rgb(hue, over, saturation))


def in_page(svg: str, name: str, kind: str, alt: str) -> str:
    """A drawing as part of a page: its colours as variables, its ids its own, its alt text its name.

    Parameters
    ----------
    name : unique in the page; kind : classes
    """
    colours = sorted({INK, *(f"#{colour}" for colour in COLOUR.findall(styles_of(svg)))})
    light = "".join(f"--c{colour[1:]}:{colour};" for colour in colours)
    dark = "".join(f"--c{colour[1:]}:{in_the_dark(colour)};" for colour in colours)
    own = look_of(name)
    rules = f'.{own}{{{light}}}html[data-theme="dark"] .{own}{{{dark}}}'
    root, inside = svg.strip().split(">", 1)
    looks = {look: f"s{i}" for i, look in enumerate(dict.fromkeys(re.findall(STYLE, inside)))}
    rules += "".join(f".{own} .{which}{{{COLOUR.sub(VARIABLE, look)}}}" for look, which in looks.items())
    svg = root + ">" + re.sub(STYLE, lambda match: f'class="{looks[match[1]]}"', inside)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\1{name}-", svg)
    head = f'<svg id="{name}" class="{kind} {own}" role="img" aria-label="{escape(alt)}" '
    head += f'fill="var(--c{INK[1:]})" '
    return svg.replace(">", f'><style class="nohighlight">{rules}</style>', 1).replace("<svg ", head, 1)


def look_of(name: str) -> str:
    """The class that a drawing's own style is for."""
    return f"d{zlib.crc32(name.encode()):08x}"


def styles_of(svg: str) -> str:
    return " ".join(re.findall(STYLE, svg))


def with_drawings(app, pagename, templatename, context, doctree):
    if "<figure" not in context.get("body", ""):
        return
    page, drawn = BeautifulSoup(context["body"], "html.parser"), {}
    up = "../" * pagename.count("/")
    for figure in page.find_all("figure", id=True):
        files = sorted(Path(app.srcdir, FOLDER).glob(f"{figure['id']}.*"))
        if not files or figure.figcaption is None or figure.img is None:
            continue
        place = page.new_tag("drawing", id=figure["id"])
        said = [figure.img["alt"], *(f.read_text(encoding="utf-8") for f in files if f.suffix == ".txt")]
        drawn[str(place)] = "".join(drawings(files[0].parent, figure["id"], " ".join(said).strip()))
        figure.img.replace_with(place)
        links = page.new_tag("p", attrs={"class": "figure-files"})
        for file in (file for file in files if file.suffix in LINKED):
            link = page.new_tag("a", href=f"{up}{FOLDER}/{file.name}", download=file.name)
            link.string = file.suffix[1:].upper()
            links.extend([link, " "])
        figure.figcaption.append(links)
    body = str(page)
    for place, svg in drawn.items():
        body = body.replace(place, svg)
    context["body"] = body


def drawings(folder: Path, name: str, alt: str):
    """A figure's drawings as parts of a page; its style shows the one that fits."""
    there = {end: folder / f"{name}{end}.svg" for end in DRAWINGS}
    there = {end: file.read_text(encoding="utf-8") for end, file in there.items() if file.exists()}
    for end, svg in there.items():
        kind = DRAWINGS[end] if len(there) > 1 else "drawing for-all"
        yield in_page(svg, f"{name}-drawing{end}", kind, alt)


def copied(app, exception):
    source, target = Path(app.srcdir, FOLDER), Path(app.outdir, FOLDER)
    if exception is not None or app.builder.format != "html" or not source.exists():
        return
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.svg", "*.txt"))
    without_unused(Path(app.outdir))


def without_unused(site: Path) -> None:
    """Take away the notebooks' own pictures, in whose place pages show the drawings."""
    html = [page for page in site.rglob("*.html") if "_static" not in page.parts]
    pages = "".join(page.read_text(encoding="utf-8") for page in html)
    for picture in (site / "_images").glob("*"):
        if picture.name not in pages:
            picture.unlink()


def setup(app):
    app.connect("html-page-context", with_drawings, priority=850)  # when all else is in its place
    app.connect("build-finished", copied)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
