"""What must hold for the built book, as a reader's browser shows it from disk: on a phone and on a desk, in
light and in dark.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from itertools import product
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
import soundfile
from bs4 import BeautifulSoup

from mer_companion.book import ipynb, notebooks, pdf, web_assets
from mer_companion.book import site as book
from mer_core import paths
from mer_core.audio import decoding
from mer_core.predict import predict

pytestmark = pytest.mark.browser

WIDTHS = (390, 1440, 1920)
PHONE = WIDTHS[0]
THEMES = {
    "light": {},
    "dark": {"runOnly": ["color-contrast"]},
}  # and what axe is asked there: a theme changes colours only
PAGES = [*book.listed(), *sorted(book.MADE_BY_SPHINX)]
SITE_MB, FIRST_PAGE_MB = 20, 1.0

# axe's findings that are the theme's own: rule, a piece of the element, and why it may stay
ALLOWED = [
    (
        "label-content-name-mismatch",
        'aria-label="Search"',
        "the search button is named Search and also shows its keys, Ctrl + K",
    ),
    (
        "aria-required-children",
        'class="citation-list"',
        "the list of references holds links beside its items",
    ),
]
AXE = """
options => axe.run(document, {resultTypes: ['violations'], preload: false, ...options})
    .then(({violations}) => violations
    .filter(({impact}) => ['serious', 'critical'].includes(impact))
    .flatMap(({id, nodes}) => nodes.map(({html}) => [id, html])))
"""
OPENED = """() => {
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    document.querySelectorAll('.toggle-hidden').forEach(one => one.classList.remove('toggle-hidden'));
}"""
CLIPPED = """() => [...document.querySelectorAll('.tabled')]
    .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.ariaLabel)"""
NO_VERDICT = (
    """() => [...document.querySelectorAll('td.verdict')].filter(cell => !cell.checkVisibility()).length"""
)
SMALL_TEXT_PX = 10
SMALL = """least => [...document.querySelectorAll('svg.drawing')].filter(drawing => drawing.checkVisibility())
    .flatMap(drawing => {
        const scale = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
        return [...drawing.querySelectorAll('text')].map(text =>
            [scale * parseFloat(getComputedStyle(text).fontSize), `${drawing.id}: ${text.textContent}`]);
    }).filter(([size]) => size < least - 0.05).map(([size, text]) => `${text} (${size.toFixed(1)} px)`)"""
UNDRAWN = ".math:not(:has(mjx-container)), mjx-merror"
DRAWN = """async () => {
    while (document.querySelector('.explore .plot > script')) await new Promise(done => setTimeout(done, 10));
    if (!document.querySelector('script[src*=tex-svg]')) return;
    while (!window.MathJax?.startup?.promise) await new Promise(done => setTimeout(done, 10));
    await MathJax.startup.promise;
}"""


@pytest.fixture(scope="module")
def site():
    """The book as it was built last, by `make test-book` just now; where there is none it is made."""
    if not (book.HTML / "index.html").exists():
        subprocess.run([Path(sys.executable).with_name("mer"), "book"], check=True)
    return book.HTML


@pytest.fixture(scope="module")
def tab():
    """One tab of one browser for all tests."""
    from playwright.sync_api import sync_playwright  # `make test` does without

    with sync_playwright() as playwright:
        options = [*pdf.WITHOUT_A_SCREEN, "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=pdf.browser(), args=options)
        yield browser.new_page()
        browser.close()


# what was still on its way when the tab went to the next page; a missing file has another name
LEFT = "net::ERR_ABORTED"


def watch(tab):
    """What goes wrong in a tab from now on, and what it asks for."""
    seen = defaultdict(list)
    tab.on("pageerror", lambda error: seen["errors"].append(str(error)))
    tab.on(
        "console", lambda message: seen["errors"].append(message.text) if message.type == "error" else None
    )
    tab.on(
        "requestfailed",
        lambda request: seen["failed"].append(request.url) if request.failure != LEFT else None,
    )
    tab.on("request", lambda request: seen["requests"].append(request.url))
    return seen


def findings_of_axe(tab, theme):
    tab.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    return [
        (rule, html)
        for rule, html in tab.evaluate(AXE, THEMES[theme])
        if not any(rule == allowed and piece in html for allowed, piece, _ in ALLOWED)
    ]


@pytest.fixture(scope="module")
def visits(site, tab):
    """What was found on every page, at every width, in every theme; each page is loaded once per width."""
    found, seen = [], watch(tab)
    local = ("file:", "data:", "blob:")
    axe = (web_assets.FETCHED / "axe-core/axe.min.js").read_text(encoding="utf-8")
    for name, width in product(PAGES, WIDTHS):
        seen.clear()
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto((site / f"{name}.html").as_uri())
        # else colours are judged halfway between two themes
        tab.add_style_tag(content="* { transition: none !important }")
        tab.evaluate(DRAWN)
        tab.evaluate(axe)
        by_axe = {theme: findings_of_axe(tab, theme) for theme in THEMES}
        tab.evaluate(OPENED)
        for theme in THEMES:
            found.append(
                {
                    "where": f"{name}, {width} pixels, {theme}",
                    "axe": by_axe[theme],
                    "wider": tab.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)"),
                    "clipped": tab.evaluate(CLIPPED),
                    "no verdict": tab.evaluate(NO_VERDICT),
                    "small text": tab.evaluate(SMALL, SMALL_TEXT_PX) if width > PHONE else [],
                    "formulas": tab.locator(".math").count(),
                    "undrawn": tab.locator(UNDRAWN).count(),
                    "players": tab.locator("audio").count(),
                    "interactive": tab.locator(".js-plotly-plot").count(),
                    "errors": list(seen["errors"]),
                    "failed": list(seen["failed"]),
                    "outside": [url for url in seen["requests"] if not url.startswith(local)],
                }
            )
    return found


FAULTS = ["errors", "failed", "outside", "wider", "clipped", "no verdict", "small text", "undrawn", "axe"]


@pytest.mark.parametrize("fault", FAULTS)
def test_pages_have_no_faults_at_any_width_in_any_theme(visits, fault):
    assert len(visits) == len(PAGES) * len(WIDTHS) * len(THEMES)
    assert {visit["where"]: visit[fault] for visit in visits if visit[fault]} == {}


def test_formulas_to_draw_exist(visits):
    assert sum(visit["formulas"] for visit in visits) > 0


def pages_with(visits, what):
    """Every page that has at least one, once; the book has some."""
    pages = list(dict.fromkeys(visit["where"].split(",")[0] for visit in visits if visit[what]))
    assert pages
    return pages


LINE = """figure => {
    const line = (figure.layout.shapes || []).at(-1);
    return line && line.type === 'line' ? line.x0 : null;
}"""


def test_players_play_and_a_line_follows_them(visits, site, tab):
    for name in pages_with(visits, "players"):
        tab.goto((site / f"{name}.html").as_uri())
        tab.evaluate(DRAWN)
        for player, figure in zip(
            tab.locator("audio").all(), tab.locator(".explore:has(audio) .js-plotly-plot").all(), strict=True
        ):
            player.evaluate("player => { player.muted = true; return player.play() }")
            tab.wait_for_function("player => player.currentTime > 0.3", arg=player.element_handle())
            player.evaluate("player => player.pause()")
            tab.wait_for_timeout(150)  # a last step of the line
            assert figure.evaluate(LINE) == pytest.approx(
                player.evaluate("player => player.currentTime"), abs=0.05
            )


FIRST_POINT = """figure => {  // of the first trace; without such a point (a heat map) the middle
    const {x, y, width, height} = figure.getBoundingClientRect();
    const {xaxis, yaxis} = figure._fullLayout, at = figure.calcdata[0][0];
    if (!xaxis || !Number.isFinite(at?.x)) return {x: x + width / 2, y: y + height / 2};
    return {x: x + xaxis._offset + xaxis.c2p(at.x), y: y + yaxis._offset + yaxis.c2p(at.y)};
}"""
LISTEN = """(figure, names) => names.forEach(
    name => figure.on(name, () => { figure.dataset.answered = name })
)"""
ANSWERS = ("plotly_click", "plotly_legendclick", "plotly_relayout", "plotly_restyle", "plotly_buttonclicked")


def test_interactive_figures_answer_a_click(visits, site, tab):
    for name in pages_with(visits, "interactive"):
        tab.goto((site / f"{name}.html").as_uri())
        tab.evaluate(DRAWN)
        for figure in tab.locator(".js-plotly-plot").all():
            figure.evaluate(LISTEN, ANSWERS)
            figure.scroll_into_view_if_needed()
            where = figure.evaluate(FIRST_POINT)
            tab.mouse.move(where["x"], where["y"] + 1)
            tab.mouse.move(**where)
            tab.mouse.click(**where)
            tab.wait_for_function("figure => figure.dataset.answered", arg=figure.element_handle())


REACHED = """() => {
    const wanted = '.explore :is(button, input, audio), .verdict-chart input, .wide, summary, '
        + '.figure-files a, .table-files a';
    const seen = [...document.querySelectorAll(wanted)].filter(one => one.checkVisibility());
    return seen.filter(one => one.tabIndex < 0 || one.disabled).map(one => one.outerHTML.slice(0, 100));
}"""
BEHIND = ".explore :is(.updatemenu-container, .slider-container, .legendtoggle)"


def test_keyboard_reaches_every_control(visits, site, tab):
    for name in pages_with(visits, "interactive"):
        tab.goto((site / f"{name}.html").as_uri())
        tab.evaluate(DRAWN)
        assert tab.evaluate(REACHED) == [] and not tab.locator(BEHIND).count()


def test_pages_do_not_wait_for_plotly(visits, site):
    for name in pages_with(visits, "interactive"):
        page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        assert not page.select("script[src*=plotly]") and page.select("script[src*=explore]")


def visible_traces(figure):
    return figure.evaluate("figure => figure.data.map(({visible}) => visible ?? true)")


def test_buttons_and_legend_work_from_the_keyboard(visits, site, tab):
    worked = set()
    for name in pages_with(visits, "interactive"):
        tab.goto((site / f"{name}.html").as_uri())
        tab.evaluate(DRAWN)
        for place in tab.locator(".explore").all():
            figure = place.locator(".js-plotly-plot")
            for kind, key in (
                (".choices button[aria-pressed=false]", "Enter"),
                (".legend button", "Space"),
            ):
                if (control := place.locator(f".controls {kind}")).count():
                    before = visible_traces(figure)
                    control.first.focus()
                    tab.keyboard.press(key)
                    tab.wait_for_timeout(100)
                    assert visible_traces(figure) != before, f"{name}: {kind}"
                    worked.add(key)
    assert worked == {"Enter", "Space"}


def test_readers_filter_the_chart_of_verdicts_by_keyboard(site, tab):
    tab.goto((site / "index.html").as_uri())
    chart = tab.locator(".verdict-chart")
    every = chart.locator("li:visible").count()
    for group, kind in (("verdict", "li"), ("paper", "section")):
        tab.locator(f"[name=chart-{group}][value=all]").focus()
        tab.keyboard.press("ArrowRight")
        chosen = chart.locator(f"[name=chart-{group}]:checked").get_attribute("value")
        left = chart.locator(f"{kind}:visible")
        of = left.evaluate_all("all => all.map(one => one.dataset.paper ?? one.className)")
        assert of and set(of) == {chosen} and 0 < chart.locator("li:visible").count() < every
        tab.keyboard.press("ArrowLeft")
    assert chart.locator("li:visible").count() == every


def test_drawing_is_saved_as_svg_that_other_programs_read(site, tab):
    tab.goto((site / "executed/01_segments_to_songs.html").as_uri())
    with tab.expect_download() as download:
        tab.locator(".figure-files a", has_text="SVG").first.click()
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert ElementTree.fromstring(saved).tag.endswith("svg") and "var(" not in saved
    assert download.value.suggested_filename.endswith(".svg")


HEARD = ".own-song .result[data-windows]"


def drop(tab, file):
    """Choose a song on the page that hears it, and wait until it says what it heard or why it could not."""
    tab.locator(HEARD).evaluate_all("results => results.forEach(result => delete result.dataset.windows)")
    tab.set_input_files(".own-song input", file)
    tab.wait_for_function("!document.querySelector('.own-song input').disabled", timeout=120_000)


@pytest.fixture
def hearing(site, tab):
    """The page that hears the reader's song, just opened, and what it asks for."""
    seen = watch(tab)
    tab.goto((site / "try.html").as_uri())
    return seen


@pytest.mark.parametrize(
    ("rate", "suffix"), [(8000, "wav"), (16000, "mp3"), (22050, "wav"), (44100, "mp3"), (48000, "flac")]
)
def test_page_predicts_as_python_does(hearing, tab, corpus, tmp_path, rate, suffix):
    samples = np.concatenate(
        [decoding.read(path, rate) for path in corpus.table["path"][:5]]
    )  # more than one block of windows
    soundfile.write(file := tmp_path / f"song.{suffix}", np.stack([samples, samples / 2], axis=1), rate)
    drop(tab, file)
    here, there = np.array(json.loads(tab.locator(HEARD).get_attribute("data-windows"))), predict(file)
    classes = list(there.probabilities)
    np.testing.assert_allclose(here, there.timeline[classes], atol=0.005)
    np.testing.assert_allclose(here.mean(axis=0), list(there.probabilities.values()), atol=0.002)
    said = {
        name: tab.locator(f".own-song [data-number={name}]").inner_text()
        for name in ("called", "valence", "arousal")
    }
    assert f"({there.predicted[0]})" in said["called"]
    assert [float(said["valence"]), float(said["arousal"])] == pytest.approx(
        [there.valence, there.arousal], abs=0.02
    )
    assert tab.locator(".own-song .js-plotly-plot").evaluate("plot => plot.data[0].x.length") == len(here)
    failed = [
        url for url in hearing["failed"] if not url.startswith("blob:")
    ]  # players stop reading when they know the length
    assert not hearing["errors"] and not failed
    assert all(url.startswith(("file:", "data:", "blob:")) for url in hearing["requests"])


def test_page_says_what_it_cannot_read(hearing, tab, tmp_path):
    (no_sound := tmp_path / "no_sound.mp3").write_text("words")
    soundfile.write(click := tmp_path / "click.wav", np.zeros(2205), 22050)
    for file, said in ((no_sound, "cannot be decoded"), (click, "choose a longer piece")):
        drop(tab, file)
        assert said in tab.locator(".own-song [role=status]").inner_text() and not tab.locator(HEARD).count()


def test_sample_rate_is_found_behind_other_headers(hearing, tab, tmp_path, rng):
    soundfile.write(plain := tmp_path / "plain.wav", 0.1 * rng.standard_normal(4 * 8000), 8000)
    whole = plain.read_bytes()
    (studio := tmp_path / "studio.wav").write_bytes(
        whole[:12] + b"JUNK" + (28).to_bytes(4, "little") + bytes(28) + whole[12:]
    )
    soundfile.write(bare := tmp_path / "bare.mp3", 0.1 * rng.standard_normal(4 * 8000), 8000)
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 3])  # 2 * 128 + 3 bytes follow, where the tag's text would be
    (tagged := tmp_path / "tagged.mp3").write_bytes(tag + bytes(259) + bare.read_bytes())
    for file in (studio, bare, tagged):
        drop(tab, file)
        assert "It has 8000 samples a second" in tab.locator(".own-song [data-number=notes]").inner_text(), (
            file
        )


def test_heavy_scripts_are_loaded_only_with_a_song(site, hearing):
    assert not [url for url in hearing["requests"] if "plotly" in url or "/hearing/" in url]


def test_page_without_its_parts_says_so(site, tab, tmp_path):
    (tmp_path / "_static").mkdir()
    for part in [site / "try.html", *(site / "_static").iterdir()]:
        if part.name != "hearing":
            (tmp_path / part.relative_to(site)).symlink_to(part)
    tab.goto((tmp_path / "try.html").as_uri())
    soundfile.write(file := tmp_path / "song.wav", np.zeros(22050), 22050)
    drop(tab, file)
    assert "was built without the model for songs" in tab.locator(".own-song [role=status]").inner_text()


def test_launch_buttons_lead_to_notebooks_of_the_repository(site):
    found = defaultdict(set)
    for path in sorted((site / "executed").glob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for button in page.select(".dropdown-launch-buttons a"):
            opened = re.search(r"notebooks/ipynb/[\w.]+", unquote(button["href"]))[0]
            assert opened == f"notebooks/ipynb/{path.stem}.ipynb" and (paths.ROOT / opened).exists()
            found[path.stem].add(button.get_text(strip=True))
    assert found.keys() == {source.stem for source in notebooks.sources()}
    assert all(names == {"Binder", "Colab", "JupyterHub"} for names in found.values())


def test_downloaded_notebook_reads_in_plain_jupyter(site):
    files = sorted((site / "_sources/executed").glob("*.ipynb"))
    assert len(files) == len(notebooks.sources())
    for file in files:
        cells = nbformat.read(file, as_version=4).cells
        assert not any(ipynb.ROLE.search(cell.source) for cell in cells if cell.cell_type == "markdown")


LOOKS = """() => [...document.querySelectorAll('figure svg :is(path, text, use, line)')].map(one => {
    const {fill, stroke, fontSize} = getComputedStyle(one);
    return [fill, stroke, fontSize].join();
})"""


@pytest.mark.parametrize(
    "term", ["stroke", "fill", "var", "channels"]
)  # words of styles, and of a description
def test_search_terms_leave_drawings_as_they_are(site, tab, term):
    seen, page = watch(tab), (site / "executed/23_paper_network.html").as_uri()
    tab.goto(page)
    before = tab.evaluate(LOOKS)
    tab.goto(f"{page}?highlight={term}")
    assert before and tab.evaluate(LOOKS) == before and not seen["errors"]


TERMS = """Gaussian mixture model, GMM, confidence interval, cross-validation, confusion matrix,
hyperparameter, overfitting, confirmation bias, data augmentation, multi-label, ablation,
statistical significance, calibration, negative log-likelihood""".replace("\n", " ").split(", ")


@pytest.mark.parametrize("term", TERMS)
def test_search_from_disk_leads_to_a_page_on_the_subject(site, tab, term):
    seen = watch(tab)
    tab.set_viewport_size({"width": 1440, "height": 900})
    tab.goto((site / "index.html").as_uri())
    tab.keyboard.press("Control+k")
    tab.keyboard.type(term)
    tab.keyboard.press("Enter")
    tab.locator("#search-results li a").first.click()
    tab.wait_for_load_state()
    assert "search.html" not in tab.url
    assert term.lower().split()[-1] in tab.locator("article").inner_text().lower()
    assert not seen["errors"] and not seen["failed"]


CODE_NAME = re.compile(r"\b(?!x86_64)[a-z][a-z0-9]*(?:_[a-z0-9.]+)+\b|\bNaN\b|<NA>|\bnan\b|\bNone\b")


def pages_read(site):
    for name in book.listed():
        yield name, BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def test_tables_show_no_names_of_code(site):
    found = defaultdict(list)
    for name, page in pages_read(site):
        for code in page.select("td code, th code"):  # what is typed as it stands, a command or a module
            code.decompose()
        for cell in page.select("td, th"):
            if CODE_NAME.search(cell.get_text(" ")):
                found[name].append(cell.get_text(" ", strip=True))
    assert found == {}


def test_no_page_shows_a_warning_of_the_program(site):
    assert [name for name, page in pages_read(site) if page.select(".output.stderr")] == []


def test_alt_texts_of_drawings_state_numbers(site):
    alts = {
        one["id"]: one["aria-label"] for _, page in pages_read(site) for one in page.select("svg.drawing")
    }
    assert alts
    assert [name for name, alt in alts.items() if not re.search(r"\d", alt)] == []


def test_every_table_is_a_file_to_download(site):
    for name, page in pages_read(site):
        for table in page.select("article .tabled"):
            link = table.find_next("p", class_="table-files").a
            assert (site / f"{name}.html").parent.joinpath(link["href"]).resolve().is_file()


def test_theme_button_changes_the_theme(site, tab):
    tab.goto((site / "index.html").as_uri())
    themes = set()
    for _ in range(3):
        tab.locator(".theme-switch-button:visible").first.click()
        themes.add(tab.evaluate("document.documentElement.dataset.theme"))
    assert themes == set(THEMES)


def test_site_and_first_page_are_small(site, tab):
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= SITE_MB * 1e6
    seen = watch(tab)
    tab.goto((site / "index.html").as_uri(), wait_until="networkidle")
    loaded = {
        site / url.partition("?")[0].removeprefix(site.as_uri() + "/")
        for url in seen["requests"]
        if url.startswith("file:")
    }
    assert site / "index.html" in loaded
    assert sum(file.stat().st_size for file in loaded) <= FIRST_PAGE_MB * 1e6


def test_builds_from_the_same_records_are_identical(site, tmp_path):
    sites = [book.build(tmp_path / name).parent for name in ("first", "second")]
    first, second = (
        {file.relative_to(site): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        for site in sites
    )
    assert first.keys() == second.keys() and len(first) > len(PAGES)
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_printed_book_has_every_page_and_no_local_link(site, tab, tmp_path):
    file = pdf.to_pdf(site, book.listed(), tmp_path / "book.pdf")
    assert file.read_bytes().startswith(b"%PDF")
    tab.goto(file.with_suffix(".html").as_uri())
    assert tab.evaluate("[...document.querySelectorAll('article')].map(({id}) => id)") == [
        pdf.place(name) for name in book.listed()
    ]
    tab.evaluate(DRAWN)
    assert tab.locator("mjx-container").count() and not tab.locator(UNDRAWN).count()
    assert tab.locator("a[href^='file:'], a[href$='.html']").count() == 0
