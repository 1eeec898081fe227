"""How the records of tagged songs compare: measures averaged over seeds, and paired differences, as rows."""

import numpy as np

from mer_companion import results
from mer_companion.experiments.comparison import References, over_seeds
from mer_companion.runs.tag_scoring import (
    FROM_VALIDATION,
    MACRO,
    MEASURES,
    OF_SHARES,
    SCORES,
    drawn,
    drawn_shares,
    thresholded,
    with_itself,
)
from mer_core.evaluation import significance, tag_metrics

Drawn = dict[str, np.ndarray]  # every measure as it is, and on each resample: (1 + DRAWS,)


def compare(references: References, records: list[dict]) -> list[dict]:
    """Each label's measures, averaged over its seeds, and how they differ from its references'."""
    n = records[0]["data"]["n_tested"]

    def averages(label: str, seeds: list[int], own: list[Drawn]) -> list[dict]:
        return rows_of({"label": label, "against": None, "seeds": seeds, "n": n}, own)

    def differences(label: str, against: str, seeds: list[int], own: list[Drawn], theirs: list[Drawn]):
        both = zip(own, theirs, strict=True)
        found = [{name: one[name] - other[name] for name in one} for one, other in both]
        return rows_of({"label": label, "against": against, "seeds": seeds, "n": n}, found)

    return over_seeds(references, records, averages, differences, measured)


def rows_of(which: dict, found: list[Drawn]) -> list[dict]:
    """Mean over seeds, interval and, of a difference, p-value of every measure."""
    rows = []
    for name in found[0]:
        value, low, high, p = significance.averaged(np.array([one[name] for one in found]))
        decision = SCORES if name in MEASURES + OF_SHARES else FROM_VALIDATION
        row = which | {"name": name, "target": MACRO, "decision": decision}
        row |= {"value": value, "low": low, "high": high}
        rows.append(row if which["against"] is None else row | {"p": p})
    return rows


def measured(record: dict) -> Drawn:
    """Every measure of a record, mean over tags."""
    tracks, stored = results.tracks_of(record), results.predictions(record)
    truth, groups = tracks.targets, tracks.groups[stored["test_track"]]
    test, ranked = truth[stored["test_track"]], drawn(truth[stored["test_track"]], stored["test"], groups)
    found = {name: np.nanmean(own, axis=1) for name, own in zip(MEASURES, ranked, strict=True)}
    decided = tag_metrics.decisions(test, thresholded(truth, stored, "validation"), with_itself(groups))
    found |= {name: own.mean(axis=1) for name, own in decided.items()}
    if "shares" in tracks.table:
        of_shares = drawn_shares(tracks.shares[stored["test_track"]], stored["test"], groups)
        found |= {name: np.nanmean(own, axis=1) for name, own in of_shares.items()}
    return {name: significance.recentred(own) for name, own in found.items()}
