"""Predictions as files that grow while they are made: a table (CSV), or a JSON object a line with
the timeline of every song.

Each row says which file it was made of (path, size, time of change) and by which model, so that a run that
was stopped goes on where it stopped, and music that has changed is predicted again. Rows are only ever added
meanwhile; of two rows on one path the later counts, and the earlier goes once it has a successor. Names that
are not UTF-8 keep their bytes.
"""

import csv
import io
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_core import UserError
from mer_core.evaluation.uncertainty import Uncertainty
from mer_core.files import atomic_write
from mer_core.predict import Emotion
from mer_core.trained_model import TrainedModel

MADE_OF = ("path", "bytes", "modified_ns", "model")  # what `identity` says
BEGINNING = '{"path": "'  # of every object that is written here
RENAMED = {"called": "predicted"}  # columns, and what files written before have instead


class OutputError(UserError):
    """A file that predictions cannot be written to; the message names it, the reason and the remedy."""


@contextmanager
def writing(path: Path):
    """Say in a sentence why a place cannot take predictions."""
    try:
        yield
    except csv.Error as error:
        raise OutputError(f"{path}: is no table of predictions ({error}). Choose a new file.") from None
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}). Make room there, or choose another place."
        ) from None


def identity(path: Path, model: TrainedModel) -> dict:
    """What a prediction was made of; as long as it is the same, it need not be made again."""
    try:
        found = path.stat()
        size, changed = found.st_size, found.st_mtime_ns
    except (OSError, ValueError):  # it has gone
        size = changed = None
    return dict(zip(MADE_OF, (str(path), size, changed, model.digest), strict=True))


def object_of(emotion: Emotion, made_of: dict, model: TrainedModel) -> dict:
    """A prediction as one object, with its timeline column by column and the meaning of its scales."""
    found = {
        "path": str(emotion.path),
        "predicted": list(emotion.predicted),
        "probabilities": emotion.probabilities,
        "valence": emotion.valence,
        "arousal": emotion.arousal,
        "uncertainty": emotion.uncertainty._asdict(),
        "duration_s": emotion.duration_s,
        "timeline": emotion.timeline.to_dict("list"),
        "notes": list(emotion.notes),
        "scales": model.facts()["scales"],
    }
    return rounded(found) | made_of


def columns(model: TrainedModel) -> list[str]:
    """The columns of a table of this model's predictions."""
    plane = ["valence", "arousal"] if model.quadrants else []
    labels = [f"p_{name}" for name in model.classes]
    unsure = ["uncertainty", *Uncertainty._fields[1:]]
    return ["path", "predicted", *labels, *plane, *unsure, "duration_s", "notes", *MADE_OF[1:]]


def row_of(found: dict) -> dict:
    """An object as one row of plain values; ``p_Q1``, ... are the labels' probabilities."""
    probabilities = {f"p_{name}": p for name, p in found["probabilities"].items()}
    unsure = found["uncertainty"]
    joined = {"predicted": "; ".join(found["predicted"]), "notes": " ".join(found["notes"])}
    return found | unsure | probabilities | joined | {"uncertainty": unsure["total"]}


def rounded(found):
    """Numbers to five digits behind the point, at every depth."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return round(found, 5) if isinstance(found, float) else found


class Growing(ABC):
    """A file that gets a row for each prediction; a link to it stays a link."""

    head = ""

    def __init__(self, path: Path, model: TrainedModel):
        self.path = Path(os.path.realpath(path))

    @abstractmethod
    def rows(self) -> Iterator[tuple[dict, str]]:
        """The rows that are there, read and as text; a last one that a kill has cut short is left out."""

    @abstractmethod
    def text(self, found: dict) -> str:
        """A prediction as the row to be added."""

    def begin(self) -> dict[str, dict]:
        """Make sure that the file can grow; what the rows that are there were made of, by path."""
        with writing(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with writing(self.path):
            if self.path.exists() and not self.path.is_file():
                raise OutputError(f"{self.path}: is no plain file. Choose a new file.")
            _open(self.path, "a").close()
            return self.compact()

    def compact(self) -> dict[str, dict]:
        """Leave the last row of each path; the file is replaced whole, so that a kill loses nothing."""
        last, made_of = {}, {}
        for n, (row, _) in enumerate(self.rows()):
            last[row["path"]] = n
            made_of[row["path"]] = {name: row[name] for name in MADE_OF}
        with atomic_write(self.path) as fresh:
            with _open(fresh, "w") as out:
                out.write(self.head)
                out.writelines(text for n, (row, text) in enumerate(self.rows()) if n == last[row["path"]])
            shutil.copymode(self.path, fresh)
        return made_of


class Table(Growing):
    """A CSV file of predictions."""

    def __init__(self, path: Path, model: TrainedModel):
        super().__init__(path, model)
        self.columns = columns(model)
        self.head = _csv_line(self.columns)

    def rows(self) -> Iterator[tuple[dict, str]]:
        with _open(self.path, "r") as file:
            head = file.readline()
            if not head.endswith("\n") and self.head.startswith(head):  # empty, or cut short
                return
            if [RENAMED.get(name, name) for name in next(csv.reader([head]))] != self.columns:
                raise OutputError(
                    f"{self.path}: has other columns than this model's predictions. Choose a new file."
                )
            for values in filter(None, csv.reader(line for line in file if line.endswith(("\n", "\r")))):
                if len(values) == len(self.columns):
                    yield dict(zip(self.columns, values, strict=True)), _csv_line(values)
                elif not values[-1].endswith(("\n", "\r")):  # else cut short within a name of two lines
                    raise OutputError(
                        f"{self.path}: has rows of unlike length. Mend it, or choose a new file."
                    )

    def text(self, found: dict) -> str:
        row = row_of(found)
        return _csv_line([row[name] for name in self.columns])


class Objects(Growing):
    """A file with a JSON object on each line."""

    def rows(self) -> Iterator[tuple[dict, str]]:
        with _open(self.path, "r") as file:
            for line in filter(str.strip, file):
                row = _object(line)
                if row and RENAMED.keys() & row.keys():
                    row = {RENAMED.get(name, name): value for name, value in row.items()}
                    yield row, self.text(row)
                elif row:
                    yield row, line if line.endswith("\n") else line + "\n"
                elif line.endswith("\n") or line[: len(BEGINNING)] != BEGINNING[: len(line)]:
                    raise OutputError(
                        f"{self.path}: holds more than predictions, one a line. Choose a new file."
                    )

    def text(self, found: dict) -> str:
        return json.dumps(found, allow_nan=False) + "\n"


def _csv_line(values: list) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def _object(line: str) -> dict | None:
    """The prediction that a line holds, if it holds one."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(row, dict) and row.keys() >= set(MADE_OF) and isinstance(row["path"], str)
    return row if ours else None


class Outputs:
    """Some files that all get every prediction. ``done``: the requested paths that are predicted already.

    Raises
    ------
    OutputError : a file cannot be written, or holds something else, or predictions of labels that this model
    does not have
    """

    def __init__(self, files: list[Growing], model: TrainedModel, requested: list[Path]):
        self.files, self.model = files, model
        self._made_of = {str(path): identity(path, model) for path in requested}  # as it is before decoding
        held = [file.begin() for file in files]
        self._held, self._superseded = set().union(*held), False
        self.done = {
            path
            for path, now in self._made_of.items()
            if held and all(_same(rows.get(path), now) for rows in held)
        }

    def write(self, emotion: Emotion) -> None:
        """Add a prediction to every file, at once."""
        path = str(emotion.path)
        found = object_of(emotion, self._made_of[path], self.model)
        for file in self.files:
            with writing(file.path), _open(file.path, "a") as out:
                out.write(file.text(found))
        self._superseded = self._superseded or path in self._held

    def close(self) -> None:
        """Remove the rows that now have a successor."""
        for file in self.files if self._superseded else ():
            with writing(file.path):
                file.compact()


def _open(path: Path, mode: str):
    encoding = "utf-8-sig" if mode == "r" else "utf-8"  # spreadsheets put a mark before what they save
    return path.open(mode, newline="", encoding=encoding, errors="surrogateescape")


def _same(row: dict | None, now: dict) -> bool:
    return row is not None and all(str(row[name]) == str(value) for name, value in now.items())
