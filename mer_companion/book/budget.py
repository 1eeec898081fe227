"""What the runs can decide: the effect worth seeing, how many runs would see it, and what was run.

An effect d is seen with a power of 80 % where the standard error SE of a difference is at most d / 2.8. If SE
fell with the square root of the number n of runs, an effect d would need

    n (2.8 SE / d)^2

of them. That is a lower bound: runs on the same songs share the error that is due to their artists, which
only other songs lessen, and of these as many times more would be needed.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import yaml

from mer_companion import provenance, results
from mer_companion.book.numbers import recorded_at, recorded_or_none
from mer_companion.runs.settings import NoiseMap
from mer_core import paths
from mer_core.evaluation import significance
from mer_core.evaluation.song_decision import MAIN_DECISION

NOT_RUN = "not run yet"
HEADLINE = ("segments_to_songs", "self_learning", "inherit")  # whose runs say how much single runs differ


@dataclass(frozen=True)
class Question:
    """An entry of ``data/budget.yaml``, which says what the fields mean."""

    question: str
    experiment: str
    effect: float | tuple[str, str]
    source: str
    label: str = ""
    against: str = ""
    cell: str = ""
    target: str = "emotion"
    metric: str = "accuracy"
    planned: str = ""
    dropped: str = ""

    def worth_seeing(self, numbers: dict) -> float:
        """The effect, as a share of 1."""
        if isinstance(self.effect, float):
            return self.effect
        first, second = (numbers[key] for key in self.effect)
        return abs(first - second)


@dataclass(frozen=True)
class Design:
    """What the runs of a question have shown: how many there are, and the error of their mean difference."""

    n: int
    error: float  # standard error over artists and, of several runs, over runs
    of_runs: float | None  # variance of the difference over runs; None where they are not told apart
    hours: float  # of a core, or of a GPU, for one run of both methods
    unit: str
    songs: int

    def detectable(self, of_runs: float | None = None) -> float:
        """The smallest effect seen with a power of 80 %; the error of a single run lacks `of_runs`."""
        error = math.hypot(self.error, math.sqrt(of_runs or 0.0)) if self.n == 1 else self.error
        return float(significance.detectable_at(error))


@cache
def questions() -> tuple[Question, ...]:
    entries = yaml.safe_load((paths.DATA / "budget.yaml").read_text(encoding="utf-8"))
    whole = [entry | {"effect": _effect(entry["effect"])} for entry in entries]
    return tuple(Question(**entry) for entry in whole)


def _effect(given) -> float | tuple[str, str]:
    return tuple(given) if isinstance(given, list) else float(given)


def design(question: Question) -> Design | None:
    """What has been run for a question; None where nothing has."""
    records = recorded_or_none(question.experiment)
    if not records:
        return None
    on_map = records[0]["config"]["method"]["name"] == NoiseMap.method_name
    return _on_map(question.cell, records[0]) if on_map else _of_pairs(question, records)


def _of_pairs(question: Question, records: list[dict]) -> Design | None:
    compared = results.comparison(question.experiment, recorded_at(question.experiment))
    names = {name: getattr(question, name) for name in ("label", "against", "target")}
    rows = compared[
        (compared[list(names)] == pd.Series(names)).all(axis=1) & (compared["name"] == question.metric)
    ]
    own = {label: [r for r in records if r["label"] == label] for label in (question.label, question.against)}
    if rows.empty or not all(own.values()):
        return None
    decisions = {row["decision"] for row in own[question.label][0]["metrics"]}
    decision = results.main_decision(own[question.label][0])
    row = rows[rows["decision"] == (decision if decision in decisions else "scores")].iloc[0]
    differences = [value(a, question) - value(b, question) for a, b in _by_seed(*own.values())]
    several = len(differences) > 1
    gpu = any(map(provenance.on_gpu, own[question.label]))
    spent = sum(np.mean([r["cost"]["core_minutes"] for r in made]) for made in own.values())
    return Design(
        n=len(differences),
        error=significance.standard_error(row["low"], row["high"]),
        of_runs=float(np.var(differences, ddof=1)) if several else None,
        hours=spent / 60,
        unit="GPU" if gpu else "core",
        songs=int(row["n"]),
    )


def _by_seed(own: list[dict], theirs: list[dict]) -> list[tuple[dict, dict]]:
    other = {record["config"]["seed"]: record for record in theirs}
    return [(record, other[seed]) for record in own if (seed := record["config"]["seed"]) in other]


def value(record: dict, question: Question) -> float:
    """The metric of a question in one record, by the record's main decision."""
    decision = "scores" if results.is_tagged(record) else results.main_decision(record)
    which = {"name": question.metric, "target": question.target, "decision": decision}
    return results.value(record, **which)["value"]


def _on_map(cell: str, record: dict) -> Design | None:
    """Of a map the cell with the widest interval counts; its runs are not told apart."""
    rows = [
        row
        for row in record["metrics"]
        if (row["method"], row["name"], row["decision"]) == (cell, "macro_f1_gain", MAIN_DECISION)
    ]
    if not rows:
        return None
    error = max(significance.standard_error(row["low"], row["high"]) for row in rows)
    repetitions = [
        len(own["partitions"]) * record["config"]["trainings"] for own in record["config"]["cells"]
    ]
    each = record["cost"]["core_minutes"] / sum(repetitions) / 60
    n = next(
        n for n, own in zip(repetitions, record["config"]["cells"], strict=True) if own["method"] == cell
    )
    return Design(n, error, None, 2 * each, "core", rows[0]["n"])


def spent(experiment: str) -> str:
    """Core-hours and GPU-hours of all records of an experiment."""
    hours: dict[str, float] = {}
    for record in recorded_or_none(experiment):
        unit = "GPU" if provenance.on_gpu(record) else "core"
        hours[unit] = hours.get(unit, 0.0) + record["cost"]["core_minutes"] / 60
    return " + ".join(f"{n:.1f} {unit}" for unit, n in hours.items())


def table(numbers: dict) -> pd.DataFrame:
    """One row per question, ready to read."""
    headline = next(q for q in questions() if (q.experiment, q.label, q.against) == HEADLINE)
    of_runs = getattr(design(headline), "of_runs", None)
    return pd.DataFrame([row(question, numbers, of_runs) for question in questions()]).fillna("")


def row(question: Question, numbers: dict, of_runs: float | None) -> dict:
    effect, found = question.worth_seeing(numbers), design(question)
    shared = {"question": question.question, "experiment": f"`{question.experiment}`"}
    shared |= {"effect of interest": f"{effect:.3f}"}
    if found is None:
        shared |= {"runs made": NOT_RUN}
    else:
        more = max(1.0, times_more(found, effect, of_runs))
        runs = math.ceil(found.n * more)
        shared |= {
            "runs made": str(found.n),
            "detectable": f"{found.detectable(of_runs):.3f}",
            "runs needed, at least": str(runs),
            "hours for these": f"{runs * found.hours:.1f} {found.unit}",
            "or songs": f"{math.ceil(found.songs * more):,}",
            "hours of the experiment": spent(question.experiment),
        }
    return shared | {"effect from": question.source, "planned": question.planned, "dropped": question.dropped}


def times_more(found: Design, effect: float, of_runs: float | None) -> float:
    """How many times as many runs, or songs, an effect of this size needs: (detectable / effect)^2."""
    return (found.detectable(of_runs) / effect) ** 2
