"""What a command would run: which records are there, which are missing, and what those will cost.

The cost is estimated from records: of the same settings with another seed; else from their networks, trained
by the same method on the same front end and network, in proportion to networks and epochs.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mer_companion import provenance, results
from mer_companion.experiments.run import Pairs, without_record
from mer_companion.runs import cross_validation, noise_map
from mer_companion.runs.settings import NoiseMap, Run
from mer_core import paths


class Planned(NamedTuple):
    """The runs of one experiment, counted."""

    experiment: str
    runs: int
    recorded: int
    networks: int  # to train for the missing records; those that runs share count once
    cached: int  # of these, in the cache; taken if code and music are still the same
    core_hours: float  # of the missing runs with an estimate, networks in the cache not counted
    gpu_hours: float  # likewise, where the records that the estimate rests on were made on a GPU
    without_estimate: int  # missing runs like no recorded one


class Cost(NamedTuple):
    """What a record says of its cost."""

    minutes: float  # of a core or a GPU
    on_gpu: bool
    work: int  # networks times epochs


def planned(jobs: dict[str, Pairs], preset: str) -> list[Planned]:
    """The plan of some experiments; a network that two of them need belongs to the first."""
    costs, cache, seen = recorded_costs(preset), cached_networks(), set()
    plan = []
    for name, pairs in jobs.items():
        missing = without_record(name, preset, pairs)
        needed, cached, hours, unknown = 0, 0, [0.0, 0.0], 0
        for run in missing:
            all_of_them = networks_of(run)
            new = all_of_them - seen
            seen |= new
            there = len(new & cache)
            needed, cached = needed + len(new), cached + there
            if cost := estimate(run, costs):
                share = (len(new) - there) / len(all_of_them) if all_of_them else 1.0
                hours[cost.on_gpu] += share * cost.minutes / 60
            else:
                unknown += 1
        plan.append(Planned(name, len(pairs), len(pairs) - len(missing), needed, cached, *hours, unknown))
    return plan


def networks_of(run) -> set[tuple]:
    """(training id, fold, part) of each network of a run; none where it trains none by itself."""
    if isinstance(run, NoiseMap):
        return {(one.training_id, fold, 0) for _, _, one, fold in noise_map.networks(run)}
    if not isinstance(run, Run):
        return set()
    return {(run.training_id, *network) for network in cross_validation.networks_to_train(run)}


def cached_networks() -> set[tuple]:
    """(training id, fold, part) of the networks in the cache, made by whatever code."""
    found = set()
    folder = paths.CACHE / "networks"
    for path in (*folder.glob("*/fold-*.npz"), *folder.glob("*/known-noise-*.npz")):
        fold, _, inner = path.stem.partition("fold-")[2].partition("-inner-")
        found.add((path.parent.name.partition("-")[0], int(fold), int(inner.partition("-")[0] or 0)))
    return found


def recorded_costs(preset: str) -> dict[str, list[Cost]]:
    """Costs of the preset's records, by what they are like."""
    found: dict[str, list[Cost]] = {}
    for path in sorted(results.folder(preset).glob("*.json")):
        record = results.load(path)
        cost = Cost(record["cost"]["core_minutes"], provenance.on_gpu(record), work_of(record["config"]))
        for likeness in likenesses(record["config"]):
            found.setdefault(likeness, []).append(cost)
    return found


def likenesses(config: dict) -> Iterable[str]:
    """What runs of these settings are like, the closest first: all but the seed; then what sets the pace."""
    yield json.dumps({name: value for name, value in config.items() if name != "seed"}, sort_keys=True)
    same = {"method": config["method"]["name"], "dataset": config["dataset"]}
    yield json.dumps(same | {name: config.get(name) for name in ("features", "network")}, sort_keys=True)


def work_of(config: dict) -> int:
    """Networks times epochs of a run; 1 where it trains none by itself."""
    if "cells" in config:  # of a map: as many networks in each as it has folds
        return config["trainings"] * sum(len(cell["partitions"]) for cell in config["cells"])
    if "training" not in config:
        return 1
    folds = config["folds"]
    return (folds["tested"] or folds["n"]) * (1 + folds["inner"]) * config["training"]["epochs"]


def estimate(run, costs: dict[str, list[Cost]]) -> Cost | None:
    """What a run will cost, or None where no record is like it."""
    config = run.config()
    alike = next((costs[likeness] for likeness in likenesses(config) if likeness in costs), None)
    if alike is None:
        return None
    pace = float(np.mean([cost.minutes / cost.work for cost in alike]))
    return Cost(pace * work_of(config), alike[0].on_gpu, work_of(config))


def spoken(plan: list[Planned]) -> list[str]:
    """The plan as lines for a terminal, the sum last."""
    sums = [sum(column) for column in list(zip(*plan, strict=True))[1:]]
    return [line_of(one) for one in (*plan, Planned("together", *sums))]


def line_of(one: Planned) -> str:
    missing = one.runs - one.recorded
    line = f"{one.experiment}: {one.runs} runs, {one.recorded} recorded, {missing} missing"
    if not missing:
        return line
    hours = [f"{one.core_hours:.1f} core-hours"] + (
        [f"{one.gpu_hours:.1f} GPU-hours"] if one.gpu_hours else []
    )
    line += f"; {one.networks} networks ({one.cached} cached), about {' and '.join(hours)}"
    return line + (f", {one.without_estimate} runs without an estimate" if one.without_estimate else "")
