"""The kinds of run, and what is done with each: how its record is made, scored again, compared and shown."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mer_companion import results
from mer_companion.experiments import comparison, leaderboard_comparison, tag_comparison
from mer_companion.runs import (
    leaderboard,
    listener_ratings,
    make_records,
    noise_map,
    scoring,
    tag_scoring,
    transfer,
)
from mer_companion.runs.settings import (
    Fusion,
    GroupMean,
    NoiseMap,
    Ratings,
    SongClassifier,
    Submission,
    TagEnsemble,
    Transfer,
)


def line_of_labels(record: dict) -> str:
    target = scoring.own_target(record) or "emotion"
    score = results.value(record, name="accuracy", target=target, decision=results.main_decision(record))
    accuracy = f"accuracy {score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
    name = f"{record['label']} (seed {record['config']['seed']})"
    return f"{name}: {accuracy}, {record['cost']['core_minutes']:.1f} core-minutes, {record['run_id']}"


def line_of_tags(record: dict) -> str:
    score = results.value(record, name="pr_auc", target=tag_scoring.MACRO, decision=tag_scoring.SCORES)
    interval = f"[{score['low']:.4f}, {score['high']:.4f}]"
    return f"{record['label']}: PR-AUC {score['value']:.4f} {interval}, {record['run_id']}"


def line_of_ratings(record: dict) -> str:
    n, shares = record["data"]["n_tracks"], len(record["metrics"])
    return f"{record['label']}: {n} clips, {shares} shares, {record['run_id']}"


def line_of_noise_map(record: dict) -> str:
    cells, minutes = len(record["config"]["cells"]), record["cost"]["core_minutes"]
    return f"{record['label']}: {cells} cells, {minutes:.0f} core-minutes, {record['run_id']}"


def line_of_transfer(record: dict) -> str:
    songs, minutes = record["data"]["n_tracks"], record["cost"]["core_minutes"]
    return f"{record['label']}: {songs} songs, {minutes:.0f} core-minutes, {record['run_id']}"


class Kind(NamedTuple):
    """What is done with one kind of run; `record` is always one of this kind."""

    make: Callable[[object, make_records.Request], dict]  # the record of a run
    scores: Callable[[dict], list[dict]]  # the metrics of a record, made again from what is stored
    compare: (
        Callable[[comparison.References, list[dict]], list[dict]] | None
    )  # rows; None: nothing to compare
    line_of: Callable[[dict], str]  # a record in a line, for a terminal
    predicts: str  # "labels", one for each song; "tags", several; or "nothing"
    of_members: bool = False  # made of other runs' predictions, whose cost is its cost


LABELS = Kind(
    make=make_records.train_and_record,
    scores=scoring.scores,
    compare=comparison.compare,
    line_of=line_of_labels,
    predicts="labels",
)
TAGS = Kind(
    make=make_records.train_and_record,
    scores=tag_scoring.scores,
    compare=tag_comparison.compare,
    line_of=line_of_tags,
    predicts="tags",
)
KINDS = {  # by the method's name in run ids and records; all other methods train networks
    SongClassifier.method_name: LABELS._replace(make=make_records.record_of_song_classifier),
    Fusion.method_name: LABELS._replace(make=make_records.record_of_ensemble, of_members=True),
    TagEnsemble.method_name: TAGS._replace(make=make_records.record_of_tag_ensemble, of_members=True),
    GroupMean.method_name: TAGS._replace(make=make_records.record_of_group_mean),
    Submission.method_name: TAGS._replace(
        make=make_records.record_of_submission,
        scores=lambda record: leaderboard.score(tuple(record["config"]["systems"])),
        compare=leaderboard_comparison.compare,
    ),
    NoiseMap.method_name: Kind(
        make=make_records.record_of_noise_map,
        scores=lambda record: noise_map.rows_of(
            record["config"], results.predictions(record), results.tracks_of(record)
        ),
        compare=None,
        line_of=line_of_noise_map,
        predicts="nothing",
    ),
    Transfer.method_name: Kind(
        make=make_records.record_of_transfer,
        scores=lambda record: transfer.rows_of(
            record["config"], results.predictions(record)["probabilities"], results.tracks_of(record)
        ),
        compare=None,
        line_of=line_of_transfer,
        predicts="nothing",
    ),
    Ratings.method_name: Kind(
        make=make_records.record_of_ratings,
        scores=listener_ratings.scores,
        compare=None,
        line_of=line_of_ratings,
        predicts="nothing",
    ),
}


def of_run(run) -> Kind:
    """The kind of a run; whether networks learn labels or tags depends on their music (`of_record`)."""
    return KINDS.get(run.method_name, LABELS)


def of_record(record: dict) -> Kind:
    networks = TAGS if results.is_tagged(record) else LABELS
    return KINDS.get(record["config"]["method"]["name"], networks)


def is_stored(row: dict, record: dict) -> bool:
    """Whether the predictions that a metric of a record rests on lie beside the record."""
    return of_record(record).predicts != "labels" or scoring.is_stored(row, record)


def probabilities(record: dict) -> np.ndarray:
    """(n_songs, n_classes) probabilities of a record's songs, of labels or of tags."""
    tagged = of_record(record).predicts == "tags"
    return results.predictions(record)["test"] if tagged else scoring.probabilities(record)
