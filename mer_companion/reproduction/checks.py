"""The regression report: every number that this machine can make again, compared with its record.

Five levels; each needs more than the one before:

``records``      what records say twice must agree; nothing but the records is needed
``model``        the model that ships answers synthetic songs as it did when it was made
``predictions``  metrics and comparisons again, from stored predictions and the truth, for data at hand
``smoke``        the experiments at the preset `smoke`, trained anew on synthetic music, against a tracked
                 reference
``networks``     recorded folds trained again, as `mer rerun` does, as many as fit in the minutes given

A number that is gone, or that no record has, has drifted like one that differs. No record is written here.
"""

import hashlib
import itertools
import json
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mer_companion import experiments, folders, provenance, results
from mer_companion.experiments import kinds
from mer_companion.reproduction import report, retraining, shipped_model
from mer_companion.reproduction.report import Level
from mer_companion.runs import cross_validation, scoring
from mer_core import datasets, device, paths
from mer_core.datasets.tracks import DataError
from mer_core.evaluation import song_decision
from mer_core.progress import progress_bar

RECORDS, MODEL, PREDICTIONS, SMOKE, NETWORKS = "records", "model", "predictions", "smoke", "networks"
THREADS = 1  # of torch: the records of two cores were made side by side, one thread each

ROUNDING = 1e-9  # tolerance of the same arithmetic on the same numbers, in whatever order it is summed
MARGIN = 2.0  # times the difference of another seed, for `smoke` on another machine or with other versions
TOGETHER = "all records together"
ACCURACY = "accuracy"
PREDICTED_OTHERWISE = "share of songs predicted otherwise"
LARGEST_CHANGE = "largest change of a probability"

# what tells one row of metrics from another, and its numbers
NAMES = (
    *("label", "against", "method", "noise", "unit", "rate", "setting"),  # the last five of a noise map
    *("part", "source", "dataset", "fold", "target", "decision", "name"),
)
COLUMNS = ("value", "low", "high", "p", "p_holm", "t", "p_t", "n")


def flat(rows: list[dict]) -> dict[str, float]:
    """Rows of metrics or of a comparison as numbers by name: ``test/all/emotion/svm/accuracy/low``."""
    found = {}
    for row in rows:
        name = "/".join(str(row[key]) for key in NAMES if row.get(key) is not None)
        found |= {f"{name}/{column}": float(row[column]) for column in COLUMNS if row.get(column) is not None}
    return found


def tracked() -> list[dict]:
    """All records that the project keeps, in order of their names."""
    found = [path for preset in results.TRACKED for path in sorted(results.folder(preset).glob("*.json"))]
    return [results.load(path) for path in found]


def compared() -> list[tuple[str, str, list[dict]]]:
    """(experiment, preset, its records) of every comparison that the project keeps."""
    return [
        (name, preset, experiments.recorded(name, preset))
        for preset in results.TRACKED
        for name, experiment in experiments.EXPERIMENTS.items()
        if preset in experiment.presets and results.comparison_path(name, preset).exists()
    ]


def name_of(record: dict) -> str:
    return f"{record['preset']}: {record['experiment']}/{record['label']}, seed {record['config']['seed']}"


def among_records() -> Level:
    """What records and comparisons state twice: scores and counts, decisions and windows, means."""
    level = Level(RECORDS)
    for record in progress_bar(tracked(), desc="records", unit="record"):
        counted, recorded = from_counts(record), flat(record["metrics"])
        recorded = {number: recorded[number] for number in counted if number in recorded}
        level.compare(name_of(record), recorded, counted, ROUNDING)
        otherwise = decided_otherwise(record)
        level.compare(name_of(record), dict.fromkeys(otherwise, 0.0), otherwise, 0.0)
    for name, preset, records in compared():
        rows = results.rows_of_comparison(results.comparison_path(name, preset))
        recorded = flat([row for row in rows if row.get("against") is None])
        recorded = {number: value for number, value in recorded.items() if number.endswith("/value")}
        means = {number: value for number, value in averaged(records).items() if number in recorded}
        level.compare(f"{preset}: {name}, compared", recorded, means, ROUNDING)
    return level


def from_counts(record: dict) -> dict[str, float]:
    """Scores of every decision, from the confusion counts in the record."""
    rows = []
    target = scoring.own_target(record) or "emotion"
    for decision, counts in record["confusion"].items():
        same = {"part": "test", "fold": "all", "target": target, "decision": decision}
        rows += [
            same | {"name": name, "value": metric(np.array(counts))}
            for name, metric, _ in scoring.measured(target, record)
        ]
    return flat(rows)


def decided_otherwise(record: dict) -> dict[str, float]:
    """Songs for which the stored windows do not say what the stored decision says, by decision."""
    stored = results.predictions(record)
    if not record["confusion"] or "test" not in stored:
        return {}
    decided = scoring.decide_by_windows(stored["test"], stored["test_track"])
    return {
        f"{name}/songs decided otherwise": float(
            (predicted != scoring.by_track(record, f"decision_{name}")).sum()
        )
        for name, predicted in decided.items()
    }


def averaged(records: list[dict]) -> dict[str, float]:
    """Every score of the records' labels, averaged over seeds, under its name in a comparison."""
    rows = pd.DataFrame([row | {"label": r["label"]} for r in records for row in r["metrics"]])
    pooled = rows[(rows["part"] == "test") & (rows["fold"] == "all")]
    scores = pooled.groupby(["label", "target", "decision", "name"])["value"]
    return {"/".join([*names, "value"]): float(np.mean(values.to_numpy())) for names, values in scores}


def answered_again() -> Level:
    """The answers of the model that ships for synthetic songs."""
    level, kept, now = Level(MODEL), shipped_model.kept(), shipped_model.answered()
    level.compare("quadrants.safetensors", kept, now, shipped_model.TOLERANCE)
    return level


def scored_again(only: tuple[str, ...] = ()) -> Level:
    """The metrics of every record, and every comparison, from stored predictions and the truth.

    Parameters
    ----------
    only : experiments; none named: all
    """
    level, records, comparisons = Level(PREDICTIONS), tracked(), compared()
    if only:
        records = [record for record in records if record["experiment"] in only]
        comparisons = [one for one in comparisons if one[0] in only]
    with progress_bar(total=len(records) + len(comparisons), desc="scored again", unit="record") as bar:
        for record in records:
            kept = [row for row in record["metrics"] if kinds.is_stored(row, record)]
            if unkept := [row for row in record["metrics"] if not kinds.is_stored(row, record)]:
                level.left_out["metrics of predictions that are not stored"] += len(flat(unkept))
            again(level, name_of(record), [record], kept, partial(kinds.of_record(record).scores, record))
            bar.update()
        for name, preset, own in comparisons:
            rows = results.rows_of_comparison(results.comparison_path(name, preset))
            again(level, f"{preset}: {name}, compared", own, rows, partial(experiments.compare, name, own))
            bar.update()
    return level


def again(
    level: Level, source: str, records: list[dict], rows: list[dict], make: Callable[[], list[dict]]
) -> None:
    """Compare recorded rows with the same made again; left out without data, gone where it has changed."""
    recorded = flat(rows)
    try:
        now = flat(make())
    except DataError:
        level.left_out[f"without the data of {records[0]['data']['name']}"] += len(recorded)
        return
    except results.RecordError:
        now = {}
    level.compare(source, recorded, now, ROUNDING)
    level.environments += [record["environment"] for record in records] if len(records) == 1 else []


def machine() -> dict:
    """Versions and machine, as in records, and the processor: another one sums in another order."""
    made_with = provenance.environment(device.device_name(), THREADS)
    return made_with | device.computes_with(device.best_device()) | {"processor": provenance.processor()}


def same_machine(environment: dict) -> bool:
    """Whether versions, machine and precision, as far as noted, are those here; bf16 was never noted."""
    return ({"precision": results.PRECISION_ONCE} | environment).items() <= machine().items()


def reference_path() -> Path:
    return folders.RESULTS / "reference" / "smoke.json"


def smoke() -> Level:
    """The experiments at the preset `smoke` against the tracked reference.

    On the machine and with the versions of the reference they must be the same but for rounding. Elsewhere
    rounding differs, and training amplifies it as it does another seed: there a number may differ `MARGIN`
    times as much as any of its kind did between two seeds, and the mean of a kind `MARGIN` times as much as
    single numbers did on average. (Other convolution kernels changed SSSL's headline run a little more than
    the largest difference between seeds, in one kind of number; hence the margin.)

    Raises
    ------
    RecordError : there is no reference
    """
    path = reference_path()
    if not path.exists():
        raise results.RecordError(f"{path}: no such reference. Make it: mer drift --accept")
    reference, level = json.loads(path.read_text(encoding="utf-8")), Level(SMOKE)
    found, same = trained_at_smoke(), same_machine(reference["environment"])
    for source in dict.fromkeys([*reference["numbers"], *found]):
        recorded, now = reference["numbers"].get(source, {}), found.get(source, {})
        by_seed = reference["moved_by_seed"]
        elsewhere = {number: MARGIN * by_seed.get(kind_of(number), ROUNDING) for number in recorded | now}
        level.compare(source, recorded, now, ROUNDING if same else elsewhere)
    level.environments.append(reference["environment"])
    return level


def accept() -> Path:
    """Make the reference of `smoke` anew with today's code, and the differences of another seed."""
    path, numbers, otherwise = reference_path(), trained_at_smoke(), trained_at_smoke(seed=1)
    made = {"made": provenance.timestamp(), "code": provenance.code_state(), "environment": machine()}
    reference = made | {"moved_by_seed": apart(numbers, otherwise), "numbers": numbers}
    results.write_json(path, reference)
    return path


def apart(numbers: dict[str, dict[str, float]], otherwise: dict[str, dict[str, float]]) -> dict[str, float]:
    """Largest difference of two sets of records by kind of number, and mean one for the mean of a kind."""
    differences = {
        source: {number: abs(otherwise[source][number] - value) for number, value in own.items()}
        for source, own in numbers.items()
        if source != TOGETHER
    }
    kinds = by_kind(differences)
    furthest = {kind: max(ROUNDING, *values) for kind, values in kinds.items()}
    return furthest | {mean_of(kind): max(ROUNDING, float(np.mean(values))) for kind, values in kinds.items()}


def together(numbers: dict[str, dict[str, float]]) -> dict[str, float]:
    """The mean of all numbers of a kind: more stable than single ones, it tells what differs everywhere."""
    return {mean_of(kind): float(np.mean(values)) for kind, values in by_kind(numbers).items()}


def by_kind(numbers: dict[str, dict[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for own in numbers.values():
        for number, value in own.items():
            found.setdefault(kind_of(number), []).append(value)
    return dict(sorted(found.items()))


def mean_of(kind: str) -> str:
    return f"mean {kind}"


def kind_of(number: str) -> str:
    """What a number of `smoke` measures: ``test/all/emotion/svm/accuracy/value`` is an accuracy."""
    return number.removesuffix("/value").rpartition("/")[2]


def trained_at_smoke(seed: int = 0) -> dict[str, dict[str, float]]:
    """Numbers of every experiment's records at `smoke`, all trained anew: by record, then by name."""
    names = [name for name, experiment in experiments.EXPERIMENTS.items() if "smoke" in experiment.presets]
    torch.set_num_threads(THREADS)
    found = {}
    with nothing_cached():
        for name in progress_bar(names, desc="smoke", unit="experiment"):
            for record in experiments.execute(name, "smoke", experiments.jobs(name, "smoke", seeds=(seed,))):
                found[f"{name}/{record['label']}"] = of_smoke(record)
    return found | {TOGETHER: together(found)}


@contextmanager
def nothing_cached():
    """A folder of its own for cache and records; a killed run resumes there, a finished one clears it."""
    made_by = hashlib.sha256(json.dumps([provenance.code_digest(), machine()]).encode()).hexdigest()[:10]
    folder = paths.CACHE / "drift" / made_by
    with folders.apart(folder):
        yield
    shutil.rmtree(folder)


def of_smoke(record: dict) -> dict[str, float]:
    """A record's pooled scores, and what is more sensitive: mean largest probability and last loss."""
    found = {}
    if kinds.of_record(record).predicts != "nothing":
        found["largest probability"] = float(kinds.probabilities(record).max(axis=1).mean())
    if record["log"] and "loss" in record["log"][0][-1]:
        found["loss"] = record["log"][0][-1]["loss"]
    pooled = [row for row in record["metrics"] if (row["part"], row["fold"]) == ("test", "all")]
    return found | {name: value for name, value in flat(pooled).items() if name.endswith("/value")}


def trained_again(minutes: float) -> Level:
    """One run for each method and data set, fold by fold, the cheap ones first, as long as they are expected
    to fit.

    With the versions and on the machine that its record names, a network must predict the same but for
    rounding; elsewhere it may differ as much as two recorded seeds of one run on such music.
    """
    level, began, records = Level(NETWORKS), time.perf_counter(), tracked()
    torch.set_num_threads(THREADS)
    folds = affordable() if minutes else []
    for one in progress_bar(folds, desc="trained again"):
        if time.perf_counter() - began + one[1] > 60 * minutes:
            level.left_out["folds that do not fit in the minutes"] += 1
        else:
            train_again(level, *one, records)
    return level


def sampled_again(n: int) -> Level:
    """As `trained_again`, of n folds drawn at random."""
    level, folds, records = Level(NETWORKS), affordable(), tracked()
    torch.set_num_threads(THREADS)
    for i in progress_bar(np.random.default_rng().permutation(len(folds))[:n], desc="trained again"):
        train_again(level, *folds[i], records)
    return level


def train_again(
    level: Level, fold: int, seconds: float, name: str, label: str, record: dict, records: list[dict]
) -> None:
    """Train one fold of a record again, and add how its predictions compare."""
    row = retraining.rerun(name, label, "cpu", fold)
    recorded = {ACCURACY: row["recorded"], PREDICTED_OTHERWISE: 0.0, LARGEST_CHANGE: 0.0}
    share, change = row["songs_called_otherwise"] / row["songs"], row["largest_change_of_a_probability"]
    now = {ACCURACY: row["now"], PREDICTED_OTHERWISE: share, LARGEST_CHANGE: change}
    alike = [one for one in records if music_of(one) == music_of(record)]
    tolerance = ROUNDING if same_machine(record["environment"]) else apart_by_seed(alike)
    level.compare(f"{name_of(record)}, fold {fold}", recorded, now, tolerance)
    level.environments.append(record["environment"])


def music_of(record: dict) -> str:
    """4q, or synthetic of whatever size."""
    return record["data"]["name"].partition("-")[0]


def apart_by_seed(records: list[dict]) -> dict[str, float]:
    """How far two seeds of one run are apart at most, in one fold, over all runs recorded with several."""
    runs: dict[tuple[str, str], list[dict]] = {}
    for record in records:
        if kinds.of_record(record).predicts == "labels":
            runs.setdefault((record["experiment"], record["label"]), []).append(record)
    furthest = dict.fromkeys((ACCURACY, PREDICTED_OTHERWISE, LARGEST_CHANGE), ROUNDING)
    which = {"name": "accuracy", "target": "emotion", "decision": song_decision.MAIN_DECISION}
    for pair in (pair for seeds in runs.values() for pair in itertools.combinations(seeds, 2)):
        a, b = map(scoring.probabilities, pair)
        of_fold = scoring.by_track(pair[0], "fold")
        for fold in np.unique(of_fold):
            own = of_fold == fold
            differences = (
                abs(np.subtract(*[results.value(record, fold=fold, **which)["value"] for record in pair])),
                np.mean(a[own].argmax(axis=1) != b[own].argmax(axis=1)),
                np.abs(a - b)[own].max(),
            )
            for name, difference in zip(furthest, differences, strict=True):
                furthest[name] = max(furthest[name], float(difference))
    return furthest


def affordable() -> list[tuple]:
    """(fold, seconds it took, experiment, label, record) of networks recorded on such a device as this.

    One run for each method and data set that is at hand; first folds before second ones, the cheap ones
    first.
    """
    found: dict[tuple[str, str], list[tuple]] = {}
    on_gpu = device.device_name() != "cpu"
    for name, label, run, record in retraining.recorded("cpu"):
        kind = run.method_name, record["data"]["name"]
        if kind not in found and provenance.on_gpu(record) == on_gpu and at_hand(run.dataset):
            seconds, folds = record["cost"]["seconds_per_fold"], cross_validation.tested_folds(run)
            found[kind] = [(fold, seconds[fold], name, label, record) for fold in folds]
    return sorted((one for folds in found.values() for one in folds), key=lambda one: one[:4])


def at_hand(dataset: str) -> bool:
    try:
        return bool(len(datasets.load(dataset)))
    except DataError:
        return False


def check(minutes: float) -> dict:
    """Make all numbers again and write the report (`report.write`), which is returned.

    Raises
    ------
    RecordError : there is no reference for `smoke`
    """
    made_by = {"minutes": minutes, "code": provenance.code_state(), "environment": machine()}
    levels = [among_records(), answered_again(), scored_again(), smoke(), trained_again(minutes)]
    return report.write(levels, made_by)
