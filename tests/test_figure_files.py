"""Drawings inside pages, light and dark."""

import re
import sys
from colorsys import rgb_to_hls
from itertools import combinations
from math import dist

import pytest

from mer_companion import folders
from mer_companion.analysis import figures, svg
from mer_companion.analysis.palette import PALETTE

sys.path.insert(0, str(folders.BOOK / "_ext"))
from figure_files import in_page, in_the_dark, look_of


def rgb(colour):
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def test_black_on_white_becomes_white_on_black():
    assert in_the_dark("#000000") == "#ffffff" and max(rgb(in_the_dark("#ffffff"))) == pytest.approx(
        0.1, abs=0.01
    )


@pytest.mark.parametrize("colour", PALETTE.as_hex())
def test_colours_keep_their_hue_and_are_bright_in_the_dark(colour):
    before, after = rgb_to_hls(*rgb(colour)), rgb_to_hls(*rgb(in_the_dark(colour)))
    assert after[0] == pytest.approx(before[0], abs=0.02) and after[1] >= 0.4


def test_colours_stay_as_far_apart_as_they_were():
    for one, other in combinations(PALETTE.as_hex()[:4], 2):
        assert dist(rgb(in_the_dark(one)), rgb(in_the_dark(other))) > 0.9 * dist(rgb(one), rgb(other))


@pytest.fixture(scope="module")
def drawing():
    import pandas as pd

    rows = pd.DataFrame(
        {"label": ["inherit", "elr"], "value": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7]}
    )
    return svg.as_svg(figures.intervals(rows, "Accuracy"))


def test_text_is_text_in_the_font_of_the_page(drawing):
    assert ">Accuracy</text>" in drawing and ">Inherited labels</text>" in drawing
    assert drawing.count("font-family") == 1 and "<style" not in drawing and "<metadata" not in drawing


def test_colours_in_a_page_have_a_light_and_a_dark_value(drawing):
    shown = in_page(drawing, "fig-x", "drawing", 'a "curve"')
    assert 'aria-label="a &quot;curve&quot;"' in shown
    names = set(re.findall(r"var\((--c\w+)\)", shown))
    own = look_of("fig-x")
    light, dark = re.search(
        rf"<style class=\"nohighlight\">.{own}{{(.*?)}}html\[data-theme=\"dark\"\] .{own}{{(.*?)}}", shown
    ).groups()
    assert names and all(f"{name}:" in values for name in names for values in (light, dark))
    assert not re.search(r"(?<!--c)(?<=[:;])(?:fill|stroke):#[0-9a-f]{6}", shown)


def test_every_look_is_a_class_of_its_drawing_alone(drawing):
    shown = in_page(drawing, "fig-x", "drawing", "x")
    used = set(re.findall(r'class="(s\d+)"', shown))
    assert used and used == set(re.findall(r" \.(s\d+){", shown))
    assert shown.count('style="') == 1  # of the whole


def test_drawing_has_no_group_without_a_purpose_and_no_invisible_path(drawing):
    assert "<g>" not in drawing and 'style="fill:none"' not in drawing
    assert drawing.count("<g ") == drawing.count("</g>") > 0
    assert svg.without_empty('<g><g id="a"><g><path/></g></g></g>') == '<g id="a"><path/></g>'


def test_drawings_of_one_page_do_not_share_ids(drawing):
    one, other = (in_page(drawing, name, "drawing", "x") for name in ("fig-a", "fig-b"))
    ids = [set(re.findall(r' id="([^"]+)"', shown)) for shown in (one, other)]
    assert len(ids[0]) > 1 and not ids[0] & ids[1]
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', one)) <= ids[0]
