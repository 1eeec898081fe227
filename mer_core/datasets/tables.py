"""Tables of annotations as text: read here alone, and checked against a schema before they are used.

A schema says of each column which numbers or texts it may hold, and which columns name a row. A table that
departs from it is refused with file, row, reason and remedy; other columns are left alone.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml

from mer_core import paths
from mer_core.datasets.tracks import DataError, shown

FETCH_AGAIN = "Fetch the file again, as distributed."


def number(low: float, high: float, *, whole: bool = False, missing: bool = False):
    """A column of finite numbers from low to high; `missing` allows blank cells."""
    import pandera.pandas as pa  # takes half a second, which predictions do without

    def fits(cells: pd.Series) -> pd.Series:
        values = pd.to_numeric(cells, errors="coerce")
        return values.between(low, high) & (~cells.str.contains(r"[^\d]") if whole else True)

    kind = "a whole number" if whole else "a number"
    said = pa.Check(fits, error=f"not {kind} from {low:g} to {high:g}")
    return pa.Column(str, said, nullable=missing, metadata={"number": int if whole else float})


def text(pattern: str = r".+", *, like: str = "text", missing: bool = False):
    """A column of texts that match a pattern as a whole; `like` is an example for messages."""
    import pandera.pandas as pa

    said = pa.Check.str_matches(f"(?:{pattern})$", error=f"not like {like}")
    return pa.Column(str, said, nullable=missing)


def one_of(words: Sequence[str]):
    """A column of some known words."""
    import pandera.pandas as pa

    return pa.Column(str, pa.Check.isin(list(words), error=f"not one of {', '.join(words)}"))


def song_number():
    """A column of ids that count songs from 1 on."""
    return text(r"[1-9]\d{0,8}", like="12")


def read(
    path: Path,
    columns: Mapping,
    *,
    unique: Sequence[str] = (),
    rows: int | None = None,
    remedy: str = FETCH_AGAIN,
    encoding: str = "utf-8-sig",
) -> pd.DataFrame:
    """The columns of a CSV file that a schema names, checked.

    Parameters
    ----------
    columns : what each column may hold (`number`, `text`, `one_of`), by its name in small letters
    unique : columns that together name a row
    rows : how many a complete file has, where that is known
    encoding : of files that are not UTF-8

    Returns
    -------
    table : those columns alone, numbers as float64 or int64, texts as str, NaN where a cell is blank; the
        index counts the file's lines from 1 on

    Raises
    ------
    DataError : the file cannot be read or does not fit, with row, reason and remedy
    """
    return checked(path, cells(path, remedy, encoding), columns, unique=unique, rows=rows, remedy=remedy)


def checked(
    path: Path,
    table: pd.DataFrame,
    columns: Mapping,
    *,
    unique: Sequence[str] = (),
    rows: int | None = None,
    remedy: str = FETCH_AGAIN,
) -> pd.DataFrame:
    """The same of a table of texts, such as `cells` gives; otherwise as `read`."""
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    if lacking := [name for name in columns if name not in table]:
        found = shown(table.columns, 9) or "none"
        raise DataError(
            f"{path}: lacks the columns {shown(lacking, 9)}; the columns found are {found}. {remedy}"
        )
    table = table[list(columns)].mask(lambda cell: cell == "")
    if table.empty:
        raise DataError(f"{path}: has no rows. {remedy}")
    try:
        pa.DataFrameSchema(dict(columns)).validate(table, lazy=True)
    except SchemaErrors as error:
        raise DataError(f"{path}: {fault(error.failure_cases)}. {remedy}") from None
    if unique and len(twice := table[table.duplicated(list(unique), keep=False)]):
        first = twice.iloc[0]
        same = twice.index[(twice[list(unique)] == first[list(unique)]).all(axis=1)]
        named = ", ".join(str(first[name]) for name in unique)
        raise DataError(f"{path}: {' and '.join(unique)} {named} stand in rows {shown(same)}. {remedy}")
    if rows is not None and len(table) != rows:
        raise DataError(f"{path}: has {len(table)} rows, while a complete copy has {rows}. {remedy}")
    kinds = {name: (column.metadata or {}).get("number") for name, column in columns.items()}
    return table.astype({name: kind for name, kind in kinds.items() if kind})


def fault(cases: pd.DataFrame) -> str:
    """The first fault that pandera found, in words: column, what is wrong, value and rows."""
    first = cases.sort_values("index", kind="stable").iloc[0]
    same = cases[(cases["column"] == first["column"]) & (cases["check"] == first["check"])]
    reason = "blank" if first["check"] == "not_nullable" else first["check"]
    value = "" if pd.isna(first["failure_case"]) else f" ({str(first['failure_case'])[:40]!r})"
    return f"{first['column']} is {reason}{value} in row {shown(same['index'])}"


def rows_of_complete(data_set: str, file: str) -> int | None:
    """How many rows a file of a data set has in a complete copy, as its registry card says."""
    card = yaml.safe_load((paths.REGISTRY / f"{data_set}.yaml").read_text(encoding="utf-8"))
    return card.get("rows", {}).get(file)


def content(path: Path, remedy: str = FETCH_AGAIN, encoding: str = "utf-8-sig") -> str:
    """A text file as a whole.

    Raises
    ------
    DataError : it is not text of that encoding, or holds NUL characters
    """
    try:
        words = path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text in UTF-8 ({error}). {remedy}") from None
    if "\0" in words:
        line = words[: words.index("\0")].count("\n") + 1
        raise DataError(f"{path}: a NUL character in row {line}. {remedy}")
    return words


def cells(path: Path, remedy: str = FETCH_AGAIN, encoding: str = "utf-8-sig") -> pd.DataFrame:
    """A CSV file (commas, semicolons or tabs) as text: columns in small letters, rows numbered by lines.

    Raises
    ------
    DataError : it is no text, a row has more cells than columns, a column comes twice, or a quotation mark is
        not closed
    """
    words = content(path, remedy, encoding)
    divider = max(",;\t", key=words.partition("\n")[0].count)
    lines = io.StringIO(words, newline="")
    reader = csv.reader(lines, delimiter=divider, skipinitialspace=True, strict=True)
    rows = {}
    try:
        for row in reader:
            if any(map(str.strip, row)):
                rows[reader.line_num] = [cell.strip() for cell in row]
    except csv.Error as error:
        reason = f"line {reader.line_num} cannot be read ({error}): is a quotation mark not closed?"
        raise DataError(f"{path}: {reason}") from None
    names = [name.lower() for name in rows.pop(min(rows))] if rows else []
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise DataError(f"{path}: has the column {shown(twice)} twice. Delete one of them.")
    if wide := [line for line, row in rows.items() if any(row[len(names) :])]:
        hint = f"Put what holds a {divider!r} in quotation marks."
        raise DataError(f"{path}: more cells than columns in row {shown(wide)}. {hint}")
    records = [row[: len(names)] + [""] * (len(names) - len(row)) for row in rows.values()]
    return pd.DataFrame(records, list(rows), names)
