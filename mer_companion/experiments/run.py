"""Running experiments: which records there are to make, making them, and comparing all that there are."""

from concurrent.futures import Executor, Future
from pathlib import Path

from mer_companion import results
from mer_companion.experiments import (
    emotify,
    kinds,
    listeners,
    literature,
    mediaeval,
    noise,
    other_collections,
    pretrained,
    protocol,
    sssl,
    strong_features,
)
from mer_companion.experiments.experiment import with_parts
from mer_companion.runs import cross_validation, noise_map, transfer
from mer_companion.runs.make_records import Request
from mer_companion.runs.overrides import changed
from mer_companion.runs.settings import NoiseMap, Run, Transfer
from mer_core import datasets

EXPERIMENTS = (
    sssl.EXPERIMENTS
    | pretrained.EXPERIMENTS
    | literature.EXPERIMENTS
    | noise.EXPERIMENTS
    | protocol.EXPERIMENTS
    | strong_features.EXPERIMENTS
    | other_collections.EXPERIMENTS
    | listeners.EXPERIMENTS
    | mediaeval.EXPERIMENTS
    | emotify.EXPERIMENTS
)
STUDIES = {NoiseMap: noise_map.start, Transfer: transfer.start}  # one record of many networks
Pairs = list[tuple[str, Run]]  # (label, run), where a run may be of any kind


def jobs(
    name: str,
    preset: str,
    dataset: str | None = None,
    seeds: tuple[int, ...] | None = None,
    changes: dict | None = None,
) -> Pairs:
    """Every variant of an experiment with every seed, on its own data set or another.

    `changes` are settings by dotted name, applied to every run.
    """
    changes = (changes or {}) | ({"dataset": datasets.from_anywhere(dataset)} if dataset else {})
    experiment = EXPERIMENTS[name]
    variants = experiment.runs(preset).items()
    seeds = seeds or experiment.seeds_at(preset)
    return [
        (label, changed(run, {**experiment.set_by(seed), **with_parts(run, changes)}))
        for seed in seeds
        for label, run in variants
    ]


def execute(
    name: str,
    preset: str,
    pairs: Pairs | None = None,
    chosen: Pairs | None = None,
    executor: Executor | None = None,
) -> list[dict]:
    """The records of an experiment's runs, made where they are missing; all that there are get compared.

    Where all records are there and have been compared, nothing is computed and no data set is needed.

    Parameters
    ----------
    pairs : as `jobs` gives them; by default those of the preset
    chosen : the pairs to make, by default all
    executor : any ``concurrent.futures.Executor`` (process pool, dask cluster) that trains networks side by
        side; by default they are trained here, one after the other
    """
    pairs = pairs or jobs(name, preset)
    chosen = pairs if chosen is None else chosen
    missing = without_record(name, preset, chosen)
    networks = [run for run in missing if isinstance(run, Run)]
    started = cross_validation.start(networks, executor) if executor else {}
    for study in (run for run in missing if executor and type(run) in STUDIES):
        started |= STUDIES[type(study)](study, executor)
    made = [record_of(run, name, preset, label, started) for label, run in chosen]
    known = existing(name, preset, pairs)
    if known and (compare := kinds.of_record(known[0]).compare):
        path = results.comparison_path(name, preset, known[0]["data"]["own"])
        if missing or not path.exists():
            results.write_comparison(path, compare(EXPERIMENTS[name].references_of(), known))
    return made


def existing(name: str, preset: str, pairs: Pairs) -> list[dict]:
    """The records that there are, of these runs of an experiment."""
    found = [results.existing(run, name, preset, label) for label, run in pairs]
    return [record for record in found if record]


def without_record(name: str, preset: str, pairs: Pairs) -> list[Run]:
    """The runs, of these of an experiment, whose records are still to be made."""
    return [run for label, run in pairs if not results.existing(run, name, preset, label)]


def compare(name: str, records: list[dict]) -> list[dict]:
    """How the records of an experiment compare: scores over seeds, and differences from references."""
    return kinds.of_record(records[0]).compare(EXPERIMENTS[name].references_of(), records)


def record_of(run, name: str, preset: str, label: str, started: dict[Path, Future] | None = None) -> dict:
    """The record of one run of any kind: as it is, or made, and those of its members before.

    Parameters
    ----------
    started : networks that are trained elsewhere (`cross_validation.start`); all others are trained here

    Raises
    ------
    RecordError : the record was made with other settings under the same name (a default has changed since)
    """
    if record := results.existing(run, name, preset, label):
        return record
    kind, started, members = kinds.of_run(run), started or {}, {}
    for member in run.members if kind.of_members else ():
        experiment, _, wanted = member.partition("/")
        of_same_seed = {"dataset": run.dataset, "seeds": (run.seed,)} if kind.predicts == "tags" else {}
        pairs = [pair for pair in jobs(experiment, preset, **of_same_seed) if pair[0] == wanted]
        members[member] = [record_of(one, experiment, preset, wanted, started) for _, one in pairs]
    return kind.make(run, Request(name, preset, label, started, members))


def recorded(name: str, preset: str) -> list[dict]:
    """The records of an experiment's own runs at a preset; other runs' records are left alone.

    Raises
    ------
    RecordError : none has been made yet
    """
    if found := existing(name, preset, jobs(name, preset)):
        return found
    raise results.RecordError(
        f"no record of {name} at the preset {preset}. Make it: mer run {name} --preset {preset}"
    )
