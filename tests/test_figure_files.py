"""The drawings for dark pages."""

import re
import sys
from colorsys import rgb_to_hls
from itertools import combinations
from math import dist

import pytest

from mer_companion import folders
from mer_companion.analysis import figures

sys.path.insert(0, str(folders.BOOK / "_ext"))
from figure_files import in_the_dark

SVG = '<svg xmlns="x"><path style="fill: {0}; stroke: {1}"/></svg>'


def colours(svg):
    return [
        tuple(int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
        for text in re.findall(r"(?:fill|stroke): #(\w{6})", svg)
    ]


def test_black_on_white_becomes_white_on_black():
    ink, paper = colours(in_the_dark(SVG.format("#000000", "#ffffff")))
    assert min(ink) == 1.0 and max(paper) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("colour", figures.PALETTE.as_hex())
def test_colours_keep_their_hue_and_are_bright_in_the_dark(colour):
    before, after = (
        colours(SVG.format(colour, colour))[0],
        colours(in_the_dark(SVG.format(colour, colour)))[0],
    )
    assert rgb_to_hls(*after)[0] == pytest.approx(rgb_to_hls(*before)[0], abs=0.02)
    assert rgb_to_hls(*after)[1] >= 0.4


def test_colours_stay_as_far_apart_as_they_were():
    light = [colours(SVG.format(c, c))[0] for c in figures.PALETTE.as_hex()[:4]]
    dark = [colours(in_the_dark(SVG.format(c, c)))[0] for c in figures.PALETTE.as_hex()[:4]]
    for i, j in combinations(range(4), 2):
        assert dist(dark[i], dark[j]) > 0.9 * dist(light[i], light[j])


def test_default_black_is_drawn_in_light():
    assert in_the_dark("<svg ><path/></svg>").startswith('<svg fill="#ffffff"')


def test_names_that_look_like_colours_stay():
    assert 'href="#DejaVuSans-41"' in in_the_dark('<svg ><use href="#DejaVuSans-41"/></svg>')
