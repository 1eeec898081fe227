"""What is wider than the page scrolls in a box of its own, by finger or by arrow keys; the page itself never
does.

Tables and figures get such a box with a name for screen readers; cells that hold a sentence are marked, so
that only those wrap. What opens hidden code is named by its own text, which the theme's label hides from
screen readers.
"""

from bs4 import BeautifulSoup

SENTENCE = 30  # characters; shorter cells (numbers, names of runs) stay on one line


def in_boxes(app, pagename, templatename, context, doctree):
    if "body" not in context:
        return
    page = BeautifulSoup(context["body"], "html.parser")
    for number, table in enumerate(page.find_all("table"), 1):
        join_header_rows(table)
        for cell in table.find_all(["td", "th"]):
            if len(cell.get_text()) > SENTENCE:
                cell["class"] = [*cell.get("class", []), "sentence"]
        table.wrap(box(page, f"Table {number} of this page"))
    for number, figure in enumerate(page.find_all("figure"), 1):
        pictures = [image.find_parent("picture") or image for image in figure.find_all("img")]
        if pictures and not figure.find("table"):
            picture_box = box(page, f"Figure {number} of this page")
            pictures[0].insert_before(picture_box)
            picture_box.extend([picture.extract() for picture in pictures])
    for style in page.select("style[scoped]"):  # pandas adds them to tables; browsers apply them to the page
        style.decompose()
    for summary in page.select("details > summary[aria-label]"):
        del summary["aria-label"]
    context["body"] = str(page)


def join_header_rows(table):
    """One row of headers: pandas puts the index's names in a row below the blank corner."""
    rows = table.select("thead > tr")
    if len(rows) != 2 or len(rows[0]("th")) != len(rows[1]("th")):
        return
    pairs = list(zip(rows[0]("th"), rows[1]("th"), strict=True))
    if all(not (above.get_text(strip=True) and below.get_text(strip=True)) for above, below in pairs):
        for above, below in pairs:
            above.extend(list(below.contents))
        rows[1].decompose()


def box(page, name):
    return page.new_tag("div", attrs={"class": "wide", "role": "region", "tabindex": "0", "aria-label": name})


def setup(app):
    app.connect("html-page-context", in_boxes, priority=800)  # after those that add to the page
    return {"parallel_read_safe": True, "parallel_write_safe": True}
