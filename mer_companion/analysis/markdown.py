"""Tables in Markdown for generated pages, and the version of the code that they show."""

import pandas as pd

from mer_companion.analysis.page_tables import markdown


def version_of(code: dict) -> str:
    """The commit in a record's ``code``, and whether it was modified since.

    >>> version_of({"commit": "1bec656", "modified": True})
    '1bec656 (modified)'
    """
    return f"{code['commit'] or 'unknown'}{' (modified)' if code['modified'] else ''}"


def page_of(sections: dict[str, list[dict]]) -> str:
    """A heading and a table of rows for each section."""
    return "\n".join(f"## {title}\n\n{table_of(rows)}\n" for title, rows in sections.items())


def table_of(rows: list[dict]) -> str:
    return markdown(pd.DataFrame(rows)) if rows else "Nothing."
