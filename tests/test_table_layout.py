"""Tables as the built pages lay them out."""

import sys
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from mer_companion import folders

sys.path.insert(0, str(folders.BOOK / "_ext"))
import table_layout

WHY = "far below what the paper prints, whatever the folds, the seeds and the decision on songs"
HEAD = "<thead><tr><th>claim</th><th>verdict</th><th>effect</th><th>why</th></tr></thead>"
ROWS = f"""<tr><th rowspan="2">SSSL helps</th><td>contradicted</td><td>-0.16 [-0.20, -0.13]</td>
<td>{WHY}</td></tr>
<tr><td>not testable here</td><td>0.1</td><td></td></tr>"""


def laid_out(tmp_path, rows, head=HEAD):
    body = f"<table>{head}<tbody>{rows}</tbody></table>"
    context = {"body": body, "pathto": lambda name, resource: f"../{name}"}
    app = SimpleNamespace(outdir=str(tmp_path))
    table_layout.laid_out(app, "executed/15_verdicts", None, context, None)
    return BeautifulSoup(context["body"], "html.parser")


@pytest.fixture
def page(tmp_path):
    return laid_out(tmp_path, ROWS)


def test_every_row_can_be_read_alone(page):
    first, _, second = page.select("tbody tr")
    assert second.th.get_text() == first.th.get_text() == "SSSL helps" and second.th["class"] == ["again"]
    assert not page.select("[rowspan]")


def test_reasons_stand_below_their_row_and_empty_ones_take_no_space(page):
    assert [head.get_text() for head in page.select("thead th")] == ["claim", "verdict", "effect"]
    (note,) = page.select("tr.note")
    assert note.get_text(strip=True) == WHY and note.td["colspan"] == "3"


def test_what_all_rows_share_is_said_once_and_a_long_table_is_closed(tmp_path):
    row = f"<tr><th>a</th><td>supported</td><td>0.1</td><td>{WHY}</td></tr>"
    page = laid_out(tmp_path, row * (table_layout.LONG + 1))
    assert page.get_text().count(WHY) == 1 and not page.select("tr.note")
    assert page.details.table and f"{table_layout.LONG + 1} rows" in page.summary.get_text()
    assert not page.details.select(".table-files") and page.select(".table-files")
    assert not laid_out(tmp_path, row * table_layout.LONG).select("details")


def test_verdicts_are_marked_by_kind(page):
    assert [cell["class"][1] for cell in page.select(".verdict")] == ["contradicted", "untestable"]


def test_intervals_stay_on_one_line(page):
    assert page.find_all("td")[1].get_text() == "−0.16 [−0.20,\N{NO-BREAK SPACE}−0.13]"


def test_reasons_that_fit_stay_in_their_column(tmp_path):
    page = laid_out(tmp_path, ROWS.replace(WHY, "far below"))
    assert len(page.select("thead th")) == 4 and not page.select("tr.note")


def test_several_texts_below_a_row_are_named(tmp_path):
    head = HEAD.replace("<th>effect</th>", "<th>where</th>")
    row = f"<tr><th>a</th><td>supported</td><td>Table 1</td><td>{WHY}</td></tr>"
    other = row.replace("Table 1", "Table 2").replace("far", "just")
    page = laid_out(tmp_path, row + other, head)
    assert page.select_one("tr.note").get_text() == f"where: Table 1 · why: {WHY}"


def test_code_breaks_between_its_words_only(tmp_path):
    page = laid_out(tmp_path, ROWS.replace("SSSL helps", "<code>mer run noise_map --preset cpu</code>"))
    pieces = [piece.get_text() for piece in page.code.select(".pre")]
    assert pieces == ["mer", "run", "noise_", "map", "--preset", "cpu"]
    assert page.code.get_text() == "mer run noise_map --preset cpu"


def test_table_is_a_file_with_all_its_columns(page, tmp_path):
    assert page.select_one(".table-files a")["href"] == "../_tables/15_verdicts-1.csv"
    lines = (tmp_path / "_tables/15_verdicts-1.csv").read_text().splitlines()
    assert lines[0] == "claim,verdict,effect,why" and len(lines) == 3
    assert lines[1] == f'SSSL helps,contradicted,"-0.16 [-0.20, -0.13]","{WHY}"'


@pytest.mark.parametrize(("columns", "cards"), [(3, False), (9, True)])
def test_only_tables_too_wide_for_a_phone_become_cards(columns, cards):
    assert (table_layout.width(["name"] * columns, []) > table_layout.PHONE) == cards


TWO_ROWS = """<table><thead><tr><th></th><th>definition</th><th>macro F1</th></tr>
<tr><th>target</th><th>F1 (%)</th><th></th></tr></thead>
<tbody><tr><th>valence</th><th>81.32</th><td>off by 2.75, no folds</td></tr></tbody></table>"""


def test_two_rows_of_headers_become_one_that_names_every_cell_of_a_card():
    table = BeautifulSoup(TWO_ROWS, "html.parser")
    table_layout.join_header_rows(table)
    assert table_layout.headings(table) == ["target", "F1 (%)", "macro F1"]
    rows = [row.find_all(["th", "td"]) for row in table.select("tbody tr")]
    table_layout.as_cards(table.table, table_layout.headings(table), rows)
    assert [cell["data-label"] for cell in rows[0]] == ["target", "F1 (%)", "macro F1"]
    assert [cell.get_text() for cell in table.select("th.number")] == ["81.32"]


def test_names_of_rows_stay_in_their_column(tmp_path):
    head = "<thead><tr><th>evidence</th><th>meaning</th></tr></thead>"
    page = laid_out(tmp_path, f"<tr><th>no run</th><td>{WHY * 2}</td></tr>", head)
    assert len(page.select("thead th")) == 2 and not page.select("tr.note")


GROUPED = """<tr><th rowspan="2">How does the result depend on the hyperparameters?</th>
<th>τ</th><td>a loss</td><td></td></tr>
<tr><th>λ</th><td>-0.1</td><td></td></tr>"""


def test_long_names_of_groups_stand_once_above_their_rows(tmp_path):
    page = laid_out(tmp_path, GROUPED.replace("<td></td>", f"<td>{WHY * 2}</td>", 1))
    assert page.get_text().count("How does the result depend") == 1
    assert [head.get_text() for head in page.select("thead th")] == ["verdict", "effect"]
    assert page.select_one("tr.group th")["colspan"] == "2"
    assert (tmp_path / "_tables/15_verdicts-1.csv").read_text().count("How does the result depend") == 2


def test_a_condition_that_all_rows_share_is_said_once(tmp_path):
    head = "<thead><tr><th>run</th><th>features, network</th><th>F1</th></tr></thead>"
    page = laid_out(tmp_path, "<tr><th>a</th><td>MusiCNN, 256 units</td><td>0.1</td></tr>" * 2, head)
    assert page.get_text().count("MusiCNN") == 1 and not page.select("tr.note")
    assert [cell.get_text() for cell in page.select("thead th")] == ["run", "F1"]
