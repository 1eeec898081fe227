"""The whole book on one page: links between pages become links inside it."""

import pytest
from bs4 import BeautifulSoup

from mer_companion.book import pdf

PAGE = (
    '<html><head><link href="{up}_static/a.css"></head><body><nav>menu</nav>'
    '<article class="bd-article">{text}</article></body></html>'
)


@pytest.fixture
def site(tmp_path):
    (tmp_path / "executed").mkdir()
    first = '<h1 id="top">A</h1><a href="executed/b.html#end">b</a><a href="https://example.org">x</a>'
    links = '<a href="../a.html#top">a</a><a href="#end">e</a><a href="b.csv">csv</a>'
    second = f'<p id="end">B</p>{links}<img src="../_images/c.svg">'
    (tmp_path / "a.html").write_text(PAGE.format(up="", text=first))
    (tmp_path / "executed/b.html").write_text(PAGE.format(up="../", text=second))
    return tmp_path


def test_links_lead_inside_and_files_stay_where_they_are(site):
    whole = BeautifulSoup(pdf.on_one_page(site, ["a", "executed/b"], "html/"), "html.parser")
    links = ["#executed-b--end", "https://example.org", "#a--top", "#executed-b--end", None]
    assert [link.get("href") for link in whole.find_all("a")] == links
    assert {link["href"][1:] for link in whole.select("a[href^='#']")} <= {
        tag["id"] for tag in whole.find_all(id=True)
    }
    assert whole.img["src"] == "html/_images/c.svg" and whole.link["href"] == "html/_static/a.css"
    assert "menu" not in whole.text


def test_error_without_a_browser_says_what_to_do(site, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("MER_CHROMIUM", raising=False)
    with pytest.raises(pdf.PrintingError, match="MER_CHROMIUM"):
        pdf.to_pdf(site, ["a"], site / "book.pdf")
    monkeypatch.setenv("MER_CHROMIUM", "mine")
    assert pdf.browser() == "mine"
