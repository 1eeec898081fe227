"""Tables that fit their page: cards on a phone, reasons below their row; and a CSV file of each.

On a desk all columns stand side by side and long texts wrap. Where a table needs more than a phone has, each
of its rows becomes a card there, every cell beside the heading of its column (``book/_style/mer.css``).
"""

import csv
import re
from pathlib import Path

from bs4 import BeautifulSoup

FOLDER = "_tables"  # of the CSV files, in the built site
PHONE, DESK = 40, 114  # characters side by side that a phone and a desk have room for
DENSE = 122  # and a desk in small print
LONG_NAME = 30  # characters of a group's name above which it stands once above its rows
PADDING = 2  # characters that a cell's margins take
LONG = 40  # rows above which a table is closed until a reader opens it
BELOW = {
    "evidence",
    "why",
    "where",
    "note",
    "effect from",
    "planned",
    "dropped",
    "machine",
}  # columns whose texts stand below their row
SHARED = {"features, network"}  # columns that go above the table where all rows say the same
NUMBER = re.compile(r"[\d.]+")
MINUS = re.compile(r"(?<![\w.)\]/-])-(?=\d)")  # not the hyphens of dates, ranges and exponents
PIECE = re.compile(r"[^_/\s]*[_/]*")  # of code, between the places where it may break
INTERVAL = re.compile(  # the spaces in [0.1, 0.2], (0.1 to 0.2), < 0.001, 3 %
    r"(?<=[\d,]) (?=[+\-−]?\d[^\[\]]*\])|(?<=<) (?=\d)|(?<=\d) (?=%)"
    r"|(?<=\d) (?=to [+\-−]?[\d.]+\))|(?<=\d to) (?=[+\-−]?[\d.]+\))"
)
NO_BREAK = "\N{NO-BREAK SPACE}"
UNTABLED = {"genindex", "search"}


def laid_out(app, pagename, templatename, context, doctree):
    if "<table" not in context.get("body", "") or pagename in UNTABLED:
        return
    page = BeautifulSoup(context["body"], "html.parser")
    for number, table in enumerate(page.find_all("table"), 1):
        join_header_rows(table)
        repeat_spanned(page, table)
        rows = [row.find_all(["th", "td"], recursive=False) for row in table.select("tbody > tr")]
        heads = headings(table)
        if any(len(row) != len(heads) for row in rows):
            continue
        name = f"{pagename.rpartition('/')[2]}-{number}.csv"
        texts = [[text_of(cell) for cell in row] for row in rows]
        write(Path(app.outdir, FOLDER, name), [heads, *texts])
        heads, rows = groups_above(page, table, heads, rows)
        together = [[INTERVAL.sub(NO_BREAK, cell.get_text()) for cell in row] for row in rows]
        below = below_rows(heads, rows)
        beside = [place for place in range(len(heads)) if place not in below]
        needed = width([heads[i] for i in beside], [[row[i] for i in beside] for row in together])
        if needed > DESK:
            table["class"] = [*table.get("class", []), "dense"]
        typeset(page, table, together=needed <= DENSE)
        if needed > PHONE:
            as_cards(table, heads, rows)
        mark_verdicts(heads, rows)
        notes_below(page, table, heads, rows, below)
        link = page.new_tag("a", href=context["pathto"](f"{FOLDER}/{name}", 1), download=name)
        link.string = "Table as CSV"
        files = page.new_tag("p", attrs={"class": "table-files"})
        files.append(link)
        table.insert_after(files)
        if len(rows) > LONG:
            closed(page, table, len(rows))
    context["body"] = str(page)


def closed(page: BeautifulSoup, table, n_rows: int):
    """Put a long table behind a line that opens it; its file stays in sight."""
    summary = page.new_tag("summary")
    summary.string = f"Show the table ({n_rows} rows)"
    around = page.new_tag("details", attrs={"class": "long-table"})
    table.wrap(around).insert(0, summary)


def join_header_rows(table):
    """One row of headers: pandas puts the index's names in a row below the blank corner."""
    rows = table.select("thead > tr")
    if len(rows) != 2 or len(rows[0]("th")) != len(rows[1]("th")):
        return
    pairs = list(zip(rows[0]("th"), rows[1]("th"), strict=True))
    both = [above for above, below in pairs if above.get_text(strip=True) and below.get_text(strip=True)]
    if len(both) > 1:
        return
    for above in both:  # the columns' own name, which says no more than they do
        above.clear()
    for above, below in pairs:
        above.extend(list(below.contents))
    rows[1].decompose()


def repeat_spanned(page: BeautifulSoup, table):
    """A cell that spans rows becomes one in each of them, so that every row can be read alone."""
    rows = table.select("tbody > tr")
    for number, row in enumerate(rows):
        for place, cell in enumerate(row.find_all(["th", "td"], recursive=False)):
            for below in rows[number + 1 : number + int(cell.attrs.pop("rowspan", 1))]:
                again = page.new_tag(cell.name, attrs={"class": "again"})
                again.string = cell.get_text()
                below.find_all(["th", "td"], recursive=False)[place].insert_before(again)


def groups_above(
    page: BeautifulSoup, table, heads: list[str], rows: list[list]
) -> tuple[list[str], list[list]]:
    """Long names of groups of rows: each once, in a row of its own above them, instead of a first column."""
    names = [cells[0] for cells in rows]
    repeated = any("again" in name.get("class", []) for name in names)
    if not repeated or max(len(text_of(name)) for name in names) <= LONG_NAME:
        return heads, rows
    for name in names:
        row = name.parent
        name.extract()
        if "again" not in name.get("class", []):
            name.attrs = {"colspan": str(len(heads) - 1), "scope": "rowgroup"}
            above = page.new_tag("tr", attrs={"class": "group"})
            above.append(name)
            row.insert_before(above)
    table.select("thead > tr")[-1].find(["th", "td"]).extract()
    return heads[1:], [cells[1:] for cells in rows]


def headings(table) -> list[str]:
    rows = table.select("thead > tr")
    return [text_of(cell) for cell in rows[-1].find_all(["th", "td"])] if rows else []


def text_of(cell) -> str:
    return " ".join(cell.get_text().split())


def write(file: Path, rows: list[list[str]]):
    file.parent.mkdir(exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as csv_file:
        csv.writer(csv_file, lineterminator="\n").writerows(rows)


def typeset(page: BeautifulSoup, table, together: bool):
    """Minus signs, places where code may break and, where there is room, intervals on one line."""
    for cell in table.find_all(["th", "td"]):
        with_minus_signs(cell)
        if together:
            keep_together(cell)
    for code in table.find_all("code"):
        in_pieces(page, code)


def keep_together(cell):
    """An interval stays on one line."""
    for text in cell.find_all(string=INTERVAL):
        text.replace_with(INTERVAL.sub(NO_BREAK, text))


def with_minus_signs(cell):
    """Negative numbers have a minus sign on the page; the CSV file keeps the hyphen that programs read."""
    for text in cell.find_all(string=MINUS):
        if text.find_parent("code") is None:
            text.replace_with(MINUS.sub("\N{MINUS SIGN}", text))


def in_pieces(page: BeautifulSoup, code):
    """Code breaks at spaces, underscores and slashes only, so that options and names stay legible."""
    text = code.get_text()
    code.clear()
    for word in re.split(r"(\s+)", text):
        for piece in filter(None, PIECE.findall(word)):
            around = page.new_tag("span", attrs={"class": "pre"})
            around.string = piece
            code.extend([around, page.new_tag("wbr")])
        if word.isspace():
            code.append(" ")


def below_rows(heads: list[str], rows: list[list]) -> list[int]:
    """The columns that leave the table: those of `BELOW` that do not fit side by side, of `SHARED` where all
    rows say the same.
    """
    columns = [[text_of(cell) for cell in column] for column in zip(*rows, strict=True)]
    longest = [max(map(len, column)) for column in columns]
    one_line = sum(
        PADDING + max(n, width([head], []) - PADDING) for head, n in zip(heads, longest, strict=True)
    )
    names = {place for cells in rows for place, cell in enumerate(cells) if cell.name == "th"}
    places = [place for place, head in enumerate(heads) if head in BELOW and place not in names]
    shared = [place for place, head in enumerate(heads) if head in SHARED and same_in_all(rows, place)]
    return [*(places if one_line > DESK else []), *shared]


def width(heads: list[str], rows: list[list[str]]) -> int:
    """How many characters the table takes side by side when every text wraps at its spaces."""
    columns = zip(heads, *rows, strict=True)
    longest = (max(len(word) for text in column for word in text.split(" ") or [""]) for column in columns)
    return sum(PADDING + n for n in longest)


def as_cards(table, heads: list[str], rows: list[list]):
    """Tell a phone's style which heading belongs to a cell, and screen readers that it is a table still."""
    table["class"] = [*table.get("class", []), "cards"]
    table["role"] = "table"
    for row in table.find_all("tr"):
        row["role"] = "row"
    for cell in table.select("thead th"):
        cell["role"] = "columnheader"
    for cell in table.select("tr.group th"):
        cell["role"] = "rowheader"
    for cells in rows:
        for head, cell in zip(heads, cells, strict=True):
            cell["role"] = "rowheader" if cell.name == "th" else "cell"
            if head:
                cell["data-label"] = head
            if cell.name == "th" and NUMBER.fullmatch(text_of(cell)):
                cell["class"] = [*cell.get("class", []), "number"]


def mark_verdicts(heads: list[str], rows: list[list]):
    """A verdict's cell gets a class of its own, which gives it its colour."""
    for place in (place for place, head in enumerate(heads) if head == "verdict"):
        for cells in rows:
            if kind := text_of(cells[place]).partition(" ")[0]:
                cells[place]["class"] = ["verdict", {"not": "untestable"}.get(kind, kind)]


def notes_below(page: BeautifulSoup, table, heads: list[str], rows: list[list], places: list[int]):
    """Texts of some columns go into a row of their own, as wide as the table, with the column's heading where
    there are several; what all rows share is said once, above it.
    """
    if not places:
        return
    common = [same_in_all(rows, place) for place in places]
    shared = [text_of(rows[0][place]) for place, same in zip(places, common, strict=True) if same]
    if any(shared):
        said = page.new_tag("p", attrs={"class": "of-all-rows"})
        said.string = f"Of all rows: {' · '.join(filter(None, shared))}"
        table.insert_before(said)
    for cells in rows:
        row, texts = cells[0].parent, [cells[place].extract() for place in places]
        named = zip([heads[place] for place in places], texts, common, strict=True)
        texts = [(head, text) for head, text, same in named if not same and text_of(text)]
        row["class"] = ["noted"]
        if texts:
            below = page.new_tag("tr", attrs={"class": "note"} | ({"role": "row"} if row.get("role") else {}))
            cell = page.new_tag("td", colspan=str(len(heads) - len(places)))
            for head, text in texts:
                named = [f"{head}: "] if len(places) > 1 else []
                cell.extend([*([" · "] if cell.contents else []), *named, *text.contents])
            below.append(cell)
            row.insert_after(below)
    for group in table.select("tr.group th"):
        group["colspan"] = str(len(heads) - len(places))
    for place in sorted(places, reverse=True):
        table.select("thead > tr")[-1].find_all(["th", "td"])[place].decompose()


def same_in_all(rows: list[list], place: int) -> bool:
    return len({text_of(cells[place]) for cells in rows}) == 1 < len(rows)


def setup(app):
    app.connect("html-page-context", laid_out, priority=790)  # before wide content gets its box
    return {"parallel_read_safe": True, "parallel_write_safe": True}
