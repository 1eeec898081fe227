"""How submissions to the leaderboard compare: every paired difference between two on the same resamples."""

import itertools

import numpy as np

from mer_companion.experiments.comparison import References, with_holm
from mer_companion.runs.leaderboard import drawn
from mer_companion.runs.tag_scoring import MACRO, MEASURES, SCORES
from mer_core.evaluation import significance


def compare(_: References, records: list[dict]) -> list[dict]:
    """Every submission's scores, and how it differs from every one that ranks below it."""
    columns, pairs = ("name", "target", "decision", "value", "low", "high", "n"), []
    macro = [
        (record["label"], row) for record in records for row in record["metrics"] if row["target"] == MACRO
    ]
    rows = [{"label": label, "seeds": [0]} | {name: row[name] for name in columns} for label, row in macro]
    same = {"target": MACRO, "decision": SCORES, "seeds": [0], "n": records[0]["data"]["n_tested"]}
    for i, name in enumerate(MEASURES):
        of = {r["label"]: np.nanmean(drawn(tuple(r["config"]["systems"]))[i], axis=1) for r in records}
        for one, other in itertools.combinations(sorted(of, key=lambda label: -of[label][0]), 2):
            differences = significance.recentred(of[one] - of[other])
            low, high = significance.interval(differences[1:])
            row = {"label": one, "against": other, "name": name, **same, "value": float(differences[0])}
            p = significance.p_value(differences[1:])
            pairs.append(row | {"low": low, "high": high, "p": p})
    return rows + with_holm(pairs)
