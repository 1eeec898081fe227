"""The papers' runs as data: which question, which runs at which preset, what they feed; and how their records
are made.
"""

from concurrent.futures import Executor, Future
from pathlib import Path

from mer_companion import results
from mer_companion.experiments import mediaeval, sssl
from mer_companion.runs import cross_validation, leaderboard, make_records, tag_scoring
from mer_companion.runs.ensembles import Fusion
from mer_companion.runs.leaderboard import Submission
from mer_companion.runs.listener_ratings import Ratings
from mer_companion.runs.settings import Run, changed
from mer_companion.runs.tag_ensembles import TagEnsemble
from mer_core import datasets

EXPERIMENTS = sssl.EXPERIMENTS | mediaeval.EXPERIMENTS


def jobs(
    name: str,
    preset: str,
    dataset: str | None = None,
    seeds: tuple[int, ...] | None = None,
    changes: dict | None = None,
) -> list[tuple[str, Run]]:
    """(label, run) pairs of an experiment at a preset: every variant with every seed, on its own data set or
    another.

    `changes` are settings by dotted name, applied to every run.
    """
    changes = (changes or {}) | ({"dataset": datasets.from_anywhere(dataset)} if dataset else {})
    variants = EXPERIMENTS[name].runs(preset)
    seeds = seeds or EXPERIMENTS[name].seeds_at(preset)
    return [
        (label, changed(run, {"seed": seed, **changes})) for seed in seeds for label, run in variants.items()
    ]


def execute(
    name: str,
    preset: str,
    pairs: list[tuple[str, Run]] | None = None,
    chosen: list[tuple[str, Run]] | None = None,
    executor: Executor | None = None,
) -> list[dict]:
    """The records of an experiment's runs, made where they are missing; then all that there are of `pairs`
    are compared.

    Where all records are there and have been compared, nothing is computed and no data set is needed.

    Parameters
    ----------
    pairs : (label, run) pairs as `jobs` gives them; by default those of the preset
    chosen : the pairs to make, by default all
    executor : any ``concurrent.futures.Executor`` (process pool, dask cluster) that trains networks side by
    side; by default
        they are trained here, one after the other
    """
    pairs = pairs or jobs(name, preset)
    chosen = pairs if chosen is None else chosen
    missing = without_record(name, preset, chosen)
    started = (
        cross_validation.start([run for run in missing if isinstance(run, Run)], executor) if executor else {}
    )
    made = [make(run, name, preset, label, started) for label, run in chosen]
    known = [
        record for label, run in pairs
        if not isinstance(run, Ratings) and (record := results.existing(run, name, preset, label))
    ]  # fmt: skip
    own = known[0]["data"]["own"] if known else False
    if known and (missing or not results.comparison_path(name, preset, own).exists()):
        results.save_comparison(name, preset, own, compare(name, known))
    return made


def without_record(name: str, preset: str, pairs: list[tuple[str, Run]]) -> list[Run]:
    """The runs, of these of an experiment, whose records are still to be made."""
    return [run for label, run in pairs if not results.existing(run, name, preset, label)]


def compare(name: str, records: list[dict]) -> list[dict]:
    """How the records of an experiment compare: scores averaged over seeds, and differences from the
    references, as rows.
    """
    if records[0]["config"]["method"]["name"] == Submission.method_name:
        return leaderboard.compare(records)
    of_kind = tag_scoring if "prevalence" in records[0]["data"] else make_records
    return of_kind.compare(EXPERIMENTS[name].references_of(), records)


def make(run, name: str, preset: str, label: str, started: dict[Path, Future]) -> dict:
    """The record of one run, made where it is missing; joined answers need their members' records first."""
    if not isinstance(run, (Fusion, TagEnsemble)):
        return make_records.execute(run, name, preset, label, started)
    members = {}
    for member in run.members:
        experiment, _, wanted = member.partition("/")
        asked = {"dataset": run.dataset, "seeds": (run.seed,)} if isinstance(run, TagEnsemble) else {}
        pairs = [pair for pair in jobs(experiment, preset, **asked) if pair[0] == wanted]
        members[member] = [make(one, experiment, preset, wanted, started) for _, one in pairs]
    if isinstance(run, TagEnsemble):
        return make_records.ensemble(run, name, preset, label, [record for (record,) in members.values()])
    return make_records.fuse(run, name, preset, label, members)


def recorded(name: str, preset: str) -> list[dict]:
    """The records of an experiment's own runs at a preset; other runs' records are left alone.

    Raises
    ------
    RecordError : none has been made yet
    """
    found = [
        record for label, run in jobs(name, preset) if (record := results.existing(run, name, preset, label))
    ]
    if not found:
        raise results.RecordError(
            f"no record of {name} at the preset {preset}. Make it: mer run {name} --preset {preset}"
        )
    return found
