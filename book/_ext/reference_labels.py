"""The list of references labels its entries as the text cites them: [Sun et al., 2024]."""

from pybtex.plugin import register_plugin
from pybtex.style.formatting.alpha import Style as Alpha
from pybtex.style.labels import BaseLabelStyle

ALONE = 2  # authors that are all named; of more only the first is


class AuthorYear(BaseLabelStyle):
    """Last names of the authors and the year, as sphinxcontrib-bibtex's references ``author_year``."""

    def format_labels(self, sorted_entries):
        for entry in sorted_entries:
            yield label(entry)


def label(entry) -> str:
    """Of an entry of a bibliography.

    >>> from pybtex.database import Entry, Person
    >>> people = [Person("Higgins, Julian"), Person("Thompson, Simon"), Person("Third, A.")]
    >>> label(Entry("article", [("year", "2002")], {"author": people[:2]}))
    'Higgins and Thompson, 2002'
    >>> label(Entry("article", [("year", "2002")], {"author": people}))
    'Higgins et al., 2002'
    """
    people = [[*person.rich_prelast_names, *person.rich_last_names] for person in entry.persons["author"]]
    names = [" ".join(map(str, parts)) for parts in people]
    shown = " and ".join(names) if len(names) <= ALONE else f"{names[0]} et al."
    return f"{shown}, {entry.fields['year']}"


class Style(Alpha):
    default_label_style = "author_year"


def setup(app):
    register_plugin("pybtex.style.labels", "author_year", AuthorYear)
    register_plugin("pybtex.style.formatting", "author_year", Style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
