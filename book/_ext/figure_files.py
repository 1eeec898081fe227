"""Every figure as drawings for light and dark pages, for desks and phones, with links to its SVG and PDF and
to its data as CSV.

The files lie in ``executed/figures`` (`mer_companion.book.notebooks.keep_figures`) and are copied beside the
pages. The dark drawing is the light one with its greys turned over: black on white becomes white on black.
The more colour there is, the more it stays itself.
"""

import re
import shutil
from colorsys import hls_to_rgb, rgb_to_hls
from pathlib import Path

from bs4 import BeautifulSoup

FOLDER = "executed/figures"
PHONE = "(max-width: 600px)"
DARKEST = 0.1  # the lightness that white gets: about that of a dark page


def in_the_dark(svg: str) -> str:
    """The same drawing for a dark page."""

    def turned(match: re.Match) -> str:
        rgb = [int(match[1][i : i + 2], 16) / 255 for i in (0, 2, 4)]
        hue, lightness, saturation = rgb_to_hls(*rgb)
        colour = max(rgb) - min(rgb)  # 0 for greys
        over = (1 - colour) * (1 - (1 - DARKEST) * lightness) + colour * max(lightness, 0.5)
        rgb = hls_to_rgb(hue, over, saturation)
        return "#" + "".join(f"{round(255 * value):02x}" for value in rgb)

    return re.sub(r"#([0-9a-f]{6})\b", turned, svg).replace("<svg ", '<svg fill="#ffffff" ', 1)


def with_drawings(app, pagename, templatename, context, doctree):
    if "<figure" not in context.get("body", ""):
        return
    page = BeautifulSoup(context["body"], "html.parser")
    up = "../" * pagename.count("/")
    for figure in page.find_all("figure", id=True):
        files = sorted(Path(app.srcdir, FOLDER).glob(f"{figure['id']}.*"))
        if not files or figure.figcaption is None or figure.img is None:
            continue
        stem = f"{up}{FOLDER}/{figure['id']}"
        light = Path(app.srcdir, FOLDER, f"{figure['id']}.svg").read_text(encoding="utf-8")
        drawn(page, figure.img, stem, re.search(r'width="([\d.]+pt)"', light)[1])
        links = page.new_tag("p", attrs={"class": "figure-files"})
        for file in files:
            link = page.new_tag("a", href=f"{stem}{file.suffix}", download=file.name)
            link.string = file.suffix[1:].upper()
            links.extend([link, " "])
        figure.figcaption.append(links)
    context["body"] = str(page)


def drawn(page: BeautifulSoup, picture, stem: str, width: str) -> None:
    """Put the drawings in place of the notebook's picture, one per width and theme, loaded when shown."""
    alt = picture["alt"]
    for theme, end in (("light", ""), ("dark", "-dark")):
        both = page.new_tag("picture")
        both.append(page.new_tag("source", attrs={"media": PHONE, "srcset": f"{stem}-narrow{end}.svg"}))
        shared = {"alt": alt, "loading": "lazy", "style": f"--drawn-width: {width}"}
        own = {"src": f"{stem}{end}.svg", "class": f"only-{theme}"}
        both.append(page.new_tag("img", attrs=own | shared))
        picture.insert_before(both)
    picture.decompose()


def copied(app, exception):
    source, target = Path(app.srcdir, FOLDER), Path(app.outdir, FOLDER)
    if exception is not None or app.builder.format != "html" or not source.exists():
        return
    shutil.copytree(source, target, dirs_exist_ok=True)
    for light in source.glob("*.svg"):
        dark = in_the_dark(light.read_text(encoding="utf-8"))
        (target / f"{light.stem}-dark.svg").write_text(dark, encoding="utf-8")
    without_unused(Path(app.outdir))


def without_unused(site: Path) -> None:
    """Take away the notebooks' own pictures, in whose place pages show the drawings."""
    html = [page for page in site.rglob("*.html") if "_static" not in page.parts]
    pages = "".join(page.read_text(encoding="utf-8") for page in html)
    for picture in (site / "_images").glob("*"):
        if picture.name not in pages:
            picture.unlink()


def setup(app):
    app.connect("html-page-context", with_drawings)
    app.connect("build-finished", copied)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
