"""What is wider than the page scrolls in a box of its own, by finger or by arrow keys; the page itself never
does.

Tables and figures get such a box with a name for screen readers. What opens hidden code is named by its own
text, which the theme's label hides from screen readers.
"""

from bs4 import BeautifulSoup


def in_boxes(app, pagename, templatename, context, doctree):
    if "body" not in context:
        return
    page = BeautifulSoup(context["body"], "html.parser")
    for number, table in enumerate(page.find_all("table"), 1):
        table.wrap(box(page, f"Table {number} of this page", "wide tabled"))
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


def box(page, name, kind="wide"):
    return page.new_tag("div", attrs={"class": kind, "role": "region", "tabindex": "0", "aria-label": name})


def setup(app):
    app.connect("html-page-context", in_boxes, priority=800)  # after those that add to the page
    return {"parallel_read_safe": True, "parallel_write_safe": True}
