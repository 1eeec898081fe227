"""Questions that the paper leaves open: which runs answer them, how sure, and what they could have seen."""

from functools import cache

import pandas as pd
import yaml

from mer_companion.analysis.noise_map import with_ends
from mer_core import paths
from mer_core.evaluation import significance

NOT_RUN = "not run yet"
MARGIN = 0.01  # the difference that would matter, where a check names no other
GAIN, LOSS, NONE, OPEN = "a gain", "a loss", "none beyond the margin", "inconclusive"


@cache
def questions() -> list[dict]:
    """The content of ``data/open_questions.yaml``, which says what its fields mean."""
    return yaml.safe_load((paths.DATA / "open_questions.yaml").read_text(encoding="utf-8"))


def answer(low: float, high: float, margin: float) -> str:
    """What a 95 % interval of a difference says: its sign, that it is within the margin, or nothing.

    >>> answer(0.002, 0.03, 0.01), answer(-0.004, 0.006, 0.01), answer(-0.03, 0.02, 0.01)
    ('a gain', 'none beyond the margin', 'inconclusive')
    """
    if low > 0 or high < 0:
        return GAIN if low > 0 else LOSS
    return NONE if max(-low, high) < margin else OPEN


def table(numbers: dict) -> pd.DataFrame:
    """A row per check: its experiment, difference with interval, detectable difference, the verdict."""
    rows = [
        {"question": entry["question"], "check": check["what"]} | _found(numbers, check)
        for entry in questions()
        for check in entry["checks"]
    ]
    return pd.DataFrame(rows).fillna("").set_index(["question", "check"])


def _found(numbers: dict, check: dict) -> dict:
    key, margin = check["key"], check.get("margin", MARGIN)
    made = {"experiment": key.partition("/")[0], "margin": f"{margin:g}"}
    if key not in numbers:
        return made | {"difference": NOT_RUN}
    value, low, high = (numbers[f"{key}{end}"] for end in ("", "/low", "/high"))
    detectable = significance.detectable_effect(low, high)
    shown = {"difference": with_ends(value, low, high, "+"), "detectable": f"{detectable:.3f}"}
    return made | shown | {"verdict": answer(low, high, margin)}


def relative_cost(numbers: dict, *experiments: str) -> pd.DataFrame:
    """Minutes of a core, or of a GPU, that both methods took in these experiments, and their ratio."""
    rows = []
    for name in experiments:
        plain, sssl = (numbers.get(f"{name}/{label}/core_minutes") for label in ("inherit", "self_learning"))
        if plain and sssl:
            row = {"plain training": f"{plain:.1f}", "SSSL": f"{sssl:.1f}", "ratio": f"{sssl / plain:.2f}"}
            rows.append({"experiment": name} | row)
    return pd.DataFrame(rows).set_index("experiment")
