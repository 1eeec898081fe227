"""Predictions as files that grow while they are made: a table (CSV), or a JSON object a line with the course of every song.

Each row says which file it was made of (path, size, time of change) and by which model, so that a run that was stopped goes on
where it stopped, and music that has changed is heard again. Names that are not UTF-8 keep their bytes.
"""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

from mer_core import UserError
from mer_core.predict import Emotion
from mer_core.trained import TrainedModel
from mer_core.uncertainty import Uncertainty


class OutputError(UserError):
    """A file that predictions cannot be written to; the message names it, the reason and the remedy."""


def identity(path: Path, model: TrainedModel) -> dict:
    """What a prediction was made of; as long as it is the same, it need not be made again."""
    try:
        found = path.stat()
        state = {"bytes": found.st_size, "modified_ns": found.st_mtime_ns}
    except (OSError, ValueError):  # it has gone
        state = {"bytes": None, "modified_ns": None}
    return {"path": str(path), **state, "model": model.digest}


def columns(model: TrainedModel) -> list[str]:
    """The columns of a table of this model's predictions."""
    plane = ["valence", "arousal"] if model.quadrants else []
    labels = [f"p_{name}" for name in model.classes]
    unsure = ["uncertainty", *Uncertainty._fields[1:]]
    return ["path", "called", *labels, *plane, *unsure, "duration_s", "notes", "bytes", "modified_ns", "model"]


def row_of(emotion: Emotion, model: TrainedModel) -> dict:
    """A prediction as one row of plain values; ``p_Q1``, ... are the labels' probabilities."""
    unsure = emotion.uncertainty._asdict()
    plane = {} if emotion.valence is None else {"valence": emotion.valence, "arousal": emotion.arousal}
    row = {
        "path": str(emotion.path), "called": "; ".join(emotion.called),
        **{f"p_{name}": p for name, p in emotion.probabilities.items()}, **plane,
        "uncertainty": unsure.pop("total"), **unsure, "duration_s": emotion.duration_s, "notes": " ".join(emotion.notes),
    }  # fmt: skip
    return rounded(row) | identity(emotion.path, model)


def object_of(emotion: Emotion, model: TrainedModel) -> dict:
    """A prediction as one object, with its timeline column by column and the meaning of its scales."""
    found = {
        "path": str(emotion.path), "called": list(emotion.called), "probabilities": emotion.probabilities,
        "valence": emotion.valence, "arousal": emotion.arousal, "uncertainty": emotion.uncertainty._asdict(),
        "duration_s": emotion.duration_s, "timeline": emotion.timeline.to_dict("list"), "notes": list(emotion.notes),
        "scales": model.facts()["scales"],
    }  # fmt: skip
    return rounded(found) | identity(emotion.path, model)


def rounded(found):
    """Numbers to five digits behind the point, at every depth."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return round(found, 5) if isinstance(found, float) else found


class Table:
    """A CSV file of predictions."""

    def __init__(self, path: Path, model: TrainedModel):
        self.path, self.head = path, columns(model)

    def lines(self) -> Iterable[tuple[dict, str]]:
        """The rows that are there, read and as text, the head as ``{}``; a last row cut short by a kill is left out."""
        with self.path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            reader = csv.reader(file)
            head = next(reader, None)
            if head is None:
                return
            if head != self.head:
                raise OutputError(f"{self.path}: has other columns than this model's predictions. Choose a new file.")
            yield {}, _csv_line(head)
            for values in reader:
                if len(values) == len(head):
                    yield dict(zip(head, values, strict=True)), _csv_line(values)

    def text(self, emotion: Emotion, model: TrainedModel, first: bool) -> str:
        row = row_of(emotion, model)
        return (_csv_line(self.head) if first else "") + _csv_line([row[name] for name in self.head])


class Objects:
    """A file with a JSON object on each line."""

    def __init__(self, path: Path):
        self.path = path

    def lines(self) -> Iterable[tuple[dict, str]]:
        """The objects that are there, read and as text; a line cut short by a kill is left out."""
        with self.path.open(encoding="utf-8") as file:
            for n, line in enumerate(file):
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    if n == 0:
                        raise OutputError(f"{self.path}: holds no JSON objects, one a line. Choose a new file.") from None
                    continue
                yield row, line

    def text(self, emotion: Emotion, model: TrainedModel, first: bool) -> str:
        return json.dumps(object_of(emotion, model)) + "\n"


def _csv_line(values: list) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


class Outputs:
    """Some files that all get every prediction.

    Raises
    ------
    OutputError : a file cannot be written, or holds something else, or predictions of labels that this model does not have
    """

    def __init__(self, files: list[Table | Objects], model: TrainedModel, asked: list[Path]):
        self.files, self.model = files, model
        here = {str(path): identity(path, model) for path in asked}
        try:
            done = [self._current(file, here) for file in files]
            self.done = set.intersection(*done) if done else set()
            self._begun = {file.path: self._kept(file, set(here) - self.done) for file in files}
        except OSError as error:
            raise OutputError(f"{error.filename}: cannot be written ({error.strerror}). Choose another place.") from None

    def _current(self, file: Table | Objects, here: dict[str, dict]) -> set[str]:
        """The asked paths whose predictions are there, made by this model of the file as it is now."""
        if not file.path.exists():
            return set()
        found = {row["path"] for row, _ in file.lines() if row and (wanted := here.get(row["path"])) and _same(row, wanted)}
        return found

    def _kept(self, file: Table | Objects, anew: set[str]) -> bool:
        """Rewrite a file without the rows that will be made anew; whether anything is left in it."""
        file.path.parent.mkdir(parents=True, exist_ok=True)
        fresh, n = file.path.with_name(file.path.name + ".new"), 0
        with _open(fresh, "w") as out:
            for row, text in file.lines() if file.path.exists() else ():
                if row.get("path") not in anew:
                    out.write(text)
                    n += 1
        fresh.replace(file.path)
        return n > 0

    def write(self, emotion: Emotion) -> None:
        """Append a prediction to every file, at once."""
        for file in self.files:
            with _open(file.path, "a") as out:
                out.write(file.text(emotion, self.model, first=not self._begun[file.path]))
            self._begun[file.path] = True


def _open(path: Path, mode: str):
    return path.open(mode, newline="", encoding="utf-8", errors="surrogateescape")


def _same(row: dict, wanted: dict) -> bool:
    return all(str(row.get(name)) == str(value) for name, value in wanted.items())
