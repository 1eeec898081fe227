"""Diagrams: text inside its box, arrows that do not cross, shapes that are the networks' own."""

import json
import re
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from matplotlib.colors import to_hex

from mer_companion import diagrams, experiments, folders
from mer_companion.analysis import figures
from mer_companion.book import ipynb, notebooks, pdf
from mer_companion.diagrams import data, networks, shapes, text, threshold
from mer_companion.diagrams.drawing import Box, Drawing
from mer_companion.experiments.presets import MIRABLE, SSSL
from mer_core import paths
from mer_core.models import musicnn

NAMES = list(diagrams.DIAGRAMS)
LAYOUTS = {"wide": False, "narrow": True}


@pytest.fixture(scope="module", autouse=True)
def tracked_records():
    """One of the diagrams shows a record."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "RESULTS", paths.DATA / "results")
        yield


@pytest.fixture(scope="module")
def drawn(tracked_records):
    """Every diagram in both layouts."""
    return {
        (name, layout): diagrams.DIAGRAMS[name].draw(narrow)
        for name in NAMES
        for layout, narrow in LAYOUTS.items()
    }


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def stretches(arrow):
    """Each straight part of an arrow as a thin box, a little short: arrows may touch what they join."""
    for (x0, y0), (x1, y1) in pairwise(arrow):
        assert x0 == pytest.approx(x1) or y0 == pytest.approx(y1), "arrows run along the axes"
        left, top, w, h = min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)
        yield Box(left + 0.5, top - 0.1, w - 1, 0.2) if w else Box(left - 0.1, top + 0.5, 0.2, h - 1)


def test_text_that_leaves_its_box_is_an_error():
    drawing = Drawing(100)
    drawing.box(Box(0, 0, 100, 40), "short")
    with pytest.raises(ValueError, match="does not fit its box"):
        drawing.box(Box(0, 0, 100, 40), "much too long for it")
    with pytest.raises(ValueError, match="does not fit its box"):
        drawing.box(Box(0, 0, 100, 40), "three", "lines", "here")


def test_no_text_lies_on_another_or_leaves_the_drawing(drawn):
    for where, drawing in drawn.items():
        assert drawing.texts
        for one, other in combinations(drawing.texts, 2):
            assert not overlap(one.extent, other.extent), (where, one.marked, other.marked)
        for one in drawing.texts:
            own = one.extent
            assert own.x >= -1 and own.x + own.w <= drawing.w + 1 and own.y >= -1, (where, one.marked)


def test_arrows_cross_no_arrow_no_box_and_no_text(drawn):
    for where, drawing in drawn.items():
        parts = [list(stretches(arrow)) for arrow in drawing.arrows]
        for one, other in combinations(parts, 2):
            assert not any(overlap(a, b) for a in one for b in other), where
        for part in (part for arrow in parts for part in arrow):
            assert not any(overlap(part, box) for box in drawing.boxes), (where, part)
            assert not [line.marked for line in drawing.texts if overlap(part, line.extent)], where


def test_boxes_do_not_overlap(drawn):
    for where, drawing in drawn.items():
        assert not any(overlap(a, b) for a, b in combinations(drawing.boxes, 2)), where


@pytest.mark.parametrize("name", NAMES)
def test_diagram_is_named_and_described_in_text(name, drawn):
    shown = diagrams.DIAGRAMS[name]
    for layout in LAYOUTS:
        svg = BeautifulSoup(
            drawn[name, layout].svg(f"{name}-{layout}", shown.title, shown.alt, layout), "html.parser"
        ).svg
        named = [svg.find(id=place).text for place in svg["aria-labelledby"].split()]
        assert named == [shown.title, shown.alt] and len(shown.alt) > 80 and svg["role"] == "img"
        assert len(svg.find_all("text")) >= len(drawn[name, layout].texts) > 0  # as text, not as outlines
        assert not re.findall(r"#[0-9a-f]{3,6}\b", str(svg))  # colours are the page's


def test_colours_of_the_sets_are_those_of_the_figures():
    css = (folders.BOOK / "_style/diagrams.css").read_text()
    light = dict(re.findall(r"--(clean|noisy): (#\w+);", css.split("html[data-theme")[0]))
    assert light == {"clean": to_hex(figures.CLEAN), "noisy": to_hex(figures.NOISY)}


def rows_of(drawing):
    return {text.plain(line.marked) for line in drawing.texts}


def real_shapes(network, given):
    """Shapes after each child of a trunk, on real numbers."""
    x, found = torch.zeros(1, *given), []
    with torch.inference_mode():
        for layer in network.eval().trunk[0]:
            x = layer(x)
            if isinstance(layer, torch.nn.MaxPool2d):
                found.append(tuple(x.shape[1:]))
    return found


def test_shapes_of_vgg_are_those_of_real_numbers(drawn):
    run = SSSL["cpu"]
    network = run.network.build(4, run.features)
    found = real_shapes(network, (1, 64, 32))
    assert found == [
        (16, 32, 16),
        (32, 16, 8),
        (64, 8, 4),
        (128, 4, 2),
        (128, 2, 1),
    ]  # by hand: halved, rounded up
    assert {networks.spelt(shape) for shape in found} <= rows_of(drawn["vgg", "wide"])
    weights = sum(weight.numel() for weight in network.parameters())
    assert f"cpu: {weights / 1e6:.1f} M weights" in rows_of(drawn["vgg", "narrow"])


def test_mirables_shapes_follow_the_paper(drawn):
    """1,600 steps of mel and 4,000 of HPCP, 256 numbers from each branch (sections 2.3 and 2.4)."""
    expected = {"1 × 128 × 1,600", "1 × 12 × 4,000", "256", "512"}
    halved = {networks.spelt((c, 128 // d, 1600 // d)) for c, d in ((64, 2), (128, 4), (128, 8))}
    assert expected | halved <= rows_of(drawn["mirable", "wide"]) & rows_of(drawn["mirable", "narrow"])


def test_filters_of_musicnn_are_read_as_they_are_set(drawn):
    filters = [(bands, musicnn.TIMBRAL_FRAMES) for bands in musicnn.TIMBRAL_BANDS]
    filters += [(1, frames) for frames in musicnn.TEMPORAL_FRAMES]
    maps = {f"{musicnn.FRONT_CHANNELS} × 187", f"{musicnn.CHANNELS} × 187", f"{2 * musicnn.CHANNELS:,}"}
    for layout in LAYOUTS:
        assert {networks.spelt(each) for each in filters} | maps <= rows_of(drawn["musicnn", layout])


def test_other_settings_give_other_shapes():
    """A diagram cannot lie: it knows a network's shapes from nowhere else."""
    run = MIRABLE["smoke"]
    seen = [
        shapes.of_run(replace(run, network=replace(run.network, width=width)), 4, shapes.CPU)
        for width in (4, 6)
    ]
    first = [observed.of_kind("ResidualBlock")[0].shape[0] for observed in seen]
    assert first == [4, 6] and seen[0].parameters < seen[1].parameters


def test_artists_are_in_one_part_only():
    artist, fold, inner = data.division()
    for k in np.unique(artist):
        assert len(set(fold[artist == k])) == 1 and len(set(inner[artist == k])) == 1
    assert set(fold) == set(range(data.N_FOLDS)) and set(inner) == {-1, 0, 1}
    assert ((inner == -1) == (fold == 0)).all()


def test_sizes_at_sssls_threshold_are_those_of_its_log():
    record = next(
        row for row in experiments.recorded(threshold.EXPERIMENT, "cpu") if row["label"] == threshold.LABEL
    )
    log = [row for row in record["log"][0] if row.get("means")]
    at = threshold.THRESHOLDS.index(record["config"]["method"]["clean_threshold"])
    assert len(log) == len(threshold.epochs()) > 5
    for row, epoch in zip(log, threshold.epochs(), strict=True):
        x_right, x_wrong, u_wrong, u_right = epoch["parts"][at]
        assert (x_right + x_wrong, u_wrong + u_right) == (row["n_clean"], row["n_noisy"])
        assert (x_right + u_right) / (row["n_clean"] + row["n_noisy"]) == pytest.approx(row["truly_clean"])
        assert x_right / row["n_clean"] == pytest.approx(row["truly_clean_in_clean_set"])
        assert sum(epoch["counts"]) == row["n_clean"] + row["n_noisy"]


def test_a_higher_threshold_keeps_fewer_labels():
    for epoch in threshold.epochs():
        kept = [x_right + x_wrong for x_right, x_wrong, *_ in epoch["parts"]]
        assert kept == sorted(kept, reverse=True)


def test_pages_name_diagrams_that_exist_and_every_diagram_is_shown():
    written = [path.read_text() for path in folders.BOOK.rglob("*.md") if "executed" not in path.parts]
    written += [source.read_text() for source in notebooks.sources()]
    assert set(re.findall(r"```\{diagram\} ([\w-]+)", "\n".join(written))) == set(NAMES)


def test_notebooks_outside_the_book_have_the_caption():
    shown = ipynb.readable("Before.\n\n```{diagram} vgg\nBoth networks,\nwith shapes.\n```\n\nAfter.", {})
    assert "{diagram}" not in shown and "Both networks,\nwith shapes." in shown and "After." in shown


# in a browser

PAGE = """<!doctype html><meta charset="utf-8"><style>{css} body {{margin: 12px}} figure {{margin: 0}}
:root {{
--pst-color-text-base: black; --pst-color-text-muted: black; --pst-color-background: white}}</style>
<body>{figures}<script>{script}</script>"""
SHOWN = "[...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length)"
LEAVING = f"""() => {SHOWN}.flatMap(svg => {{  // every text whose middle is in a box must be in it whole
    const boxes = [...svg.querySelectorAll('.box')].map(box => box.getBoundingClientRect());
    return [...svg.querySelectorAll('text')].filter(text => {{
        const own = text.getBoundingClientRect(), x = own.x + own.width / 2, y = own.y + own.height / 2;
        return boxes.some(box => x > box.left && x < box.right && y > box.top && y < box.bottom
            && (own.left < box.left + 2 || own.right > box.right - 2));
    }}).map(text => text.textContent);
}})"""
SMALLEST = f"""() => Math.min(...{SHOWN}.flatMap(svg => [...svg.querySelectorAll('text')].map(
    text => parseFloat(text.getAttribute('font-size')) * svg.getScreenCTM().a)))"""


@pytest.fixture(scope="module")
def tab():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=pdf.browser(), args=[*pdf.WITHOUT_A_SCREEN])
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="module")
def page(drawn, tmp_path_factory):
    style = folders.BOOK / "_style"
    all_of_them = "".join(
        f'<figure class="diagram {name}">{diagrams.figure(name)}</figure>' for name in diagrams.DIAGRAMS
    )
    given = {"css": (style / "diagrams.css").read_text(), "script": (style / "threshold.js").read_text()}
    file = tmp_path_factory.mktemp("diagrams") / "page.html"
    file.write_text(PAGE.format(figures=all_of_them, **given), encoding="utf-8")
    return file


@pytest.mark.browser
@pytest.mark.parametrize(("width", "layout"), [(390, "narrow"), (760, "wide")])
def test_texts_stay_in_their_boxes_and_are_large_enough(page, tab, width, layout):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(page.as_uri())
    assert tab.locator(f"svg.{layout}:visible").count() == len(NAMES)
    assert tab.evaluate(LEAVING) == [] and tab.evaluate(SMALLEST) >= 10.5  # pixels
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


ALL_STATES = """([epochs, thresholds]) => {
    const figure = document.querySelector('.threshold'), set = (name, value) => {
        const slider = figure.querySelector(`input[name=${name}]`);
        slider.value = value;
        slider.dispatchEvent(new Event('input'));
    };
    const svg = figure.querySelector('svg'), text = name => svg.querySelector(`.says-${name}`).textContent;
    return [...Array(epochs).keys()].map(e => [...Array(thresholds).keys()].map(t => {
        set('epoch', e);
        set('threshold', t);
        const says = Object.fromEntries(['kept', 'wrong', 'erased', 'right'].map(name => [name, text(name)]));
        return {says, clean: svg.querySelectorAll('.bin.clean').length};
    }));
}"""


@pytest.mark.browser
def test_page_draws_every_threshold_and_epoch_as_python_does(page, tab):
    tab.goto(page.as_uri())
    known, thresholds = threshold.epochs(), threshold.THRESHOLDS
    found = tab.evaluate(ALL_STATES, [len(known), len(thresholds)])
    assert found == [
        [
            {"says": threshold.says(part), "clean": sum(clean >= tau for clean in epoch["clean"])}
            for tau, part in zip(thresholds, epoch["parts"], strict=True)
        ]
        for epoch in known
    ]


@pytest.mark.browser
def test_keyboard_moves_the_sliders_and_steps_hide_what_comes_later(page, tab):
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.set_viewport_size({"width": 760, "height": 900})
    tab.goto(page.as_uri())
    tab.locator("input[name=threshold]").press("ArrowRight")
    tab.locator("input[name=epoch]").press("ArrowLeft")
    at = threshold.THRESHOLDS.index(0.5) + 1
    expected = threshold.says(threshold.epochs()[-2]["parts"][at])
    assert all(text in tab.locator(".said").text_content() for text in expected.values())
    tab.locator("input[type=radio]").first.check()
    assert not tab.locator(".threshold svg:visible .omega").is_visible() and not errors


def test_numbers_of_the_threshold_go_with_the_page(drawn):
    script = BeautifulSoup(diagrams.figure("threshold"), "html.parser").script
    assert json.loads(script.string)["epochs"] == threshold.epochs()
