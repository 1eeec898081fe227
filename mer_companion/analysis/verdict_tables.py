"""Verdicts on all claims as tables: one row a claim, counts by paper, and what the chart shows."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mer_companion.analysis.claims import (
    ALPHA,
    CONTRADICTED,
    FINE,
    NO_RUN,
    NOT_RUN,
    REPLICATION,
    REPRODUCTION,
    RESCORED,
    RESCORING,
    SUPPORTED,
    WORDS,
    Claim,
    Verdict,
    evidence,
    label_key,
    load,
    printed_difference,
    printed_value,
    verdict,
)
from mer_core.evaluation import significance

HOME = {"sssl": "4Q", "mirable": "moods of 4Q", "selab": "moods of 4Q"}
PAPERS = {"sssl": "SSSL (2024)", "mirable": "Mirable (2021)", "selab": "SELAB-HCMUS (2021)"}
EVIDENCE = (RESCORING, REPRODUCTION, REPLICATION, NO_RUN)


def table(numbers: dict, claims: list[Claim] | None = None) -> pd.DataFrame:
    """A row per claim: paper, claim, id, verdict, figures as numbers (NaN where there are none), and texts.

    Differences are turned so that they are positive where the claim says, ``printed_effect`` as well; of
    values ``effect`` is ours minus the printed one, which is ``printed_value``. ``p_holm`` is corrected over
    those of the claims given, by default all, that are tested on one collection.
    """
    claims = load() if claims is None else claims
    found = [verdict(claim, numbers) for claim in claims]
    rows = pd.DataFrame({
        "paper": [claim.paper for claim in claims],
        "id": [claim.id for claim in claims],
        "claim": [claim.claim for claim in claims],
        "collection": [claim.collection for claim in claims],
        "short": [claim.short or claim.claim for claim in claims],
        "evidence": [evidence(claim) for claim in claims],
        "verdict": [one.word for one in found],
        "effect": [one.effect for one in found],
        "low": [one.interval and one.interval[0] for one in found],
        "high": [one.interval and one.interval[1] for one in found],
        "detectable": [one.detectable for one in found],
        "p": [one.p for one in found],
        "runs": [numbers.get(label_key(claim, "seeds")) for claim in claims],
        "printed_value": [printed_value(claim, numbers) for claim in claims],
        "printed_effect": [printed_difference(claim, numbers) for claim in claims],
        "ours": [one.ours for one in found],
        "printed": [one.printed for one in found],
        "why": [one.reason + _alongside(claim, numbers) for claim, one in zip(claims, found, strict=True)],
        "where": [claim.where for claim in claims],
    })  # fmt: skip
    figures = ["effect", "low", "high", "detectable", "p", "runs", "printed_value", "printed_effect"]
    rows[figures] = rows[figures].astype(float)
    below = np.array([claim.side == "below" for claim in claims])
    rows.loc[below, ["effect", "low", "high"]] = -rows.loc[below, ["effect", "high", "low"]].to_numpy()
    rows.insert(rows.columns.get_loc("p") + 1, "p_holm", np.nan)
    for _, family in rows[rows["p"].notna()].groupby("collection"):
        rows.loc[family.index, "p_holm"] = significance.holm(family["p"].to_numpy())
    return rows


def at_home(judged: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table` that judge claims on the collection that the file begins with."""
    return judged[judged["collection"] == ""]


def by_collection(judged: pd.DataFrame) -> pd.DataFrame:
    """Verdict and effect of every claim judged on several collections, a column for each, ready to read."""
    several = judged[judged["claim"].isin(judged.loc[judged["collection"] != "", "claim"])].copy()
    home = several["paper"].map(HOME).where(several["collection"] == "", several["collection"])
    effect = several["effect"].map("{:+.3f}".format).where(several["effect"].notna(), "")
    several["said"] = (several["verdict"] + " " + effect).str.strip()
    wide = several.assign(collection=home).pivot(index="claim", columns="collection", values="said")
    return wide.loc[several["claim"].unique(), home.unique()].fillna("").rename_axis(None, axis=1)


def _alongside(claim: Claim, numbers: dict) -> str:
    """What other runs of ours say of the claim: "; with VGG16: +0.014 [-0.011, +0.041], inconclusive"."""
    texts = []
    for name, found in _of_others(claim, numbers):
        d, (low, high) = found.effect, found.interval
        texts.append(f"; {name}: {d:+.3f} [{low:+.3f}, {high:+.3f}], {found.word}")
    return "".join(texts)


def _of_others(claim: Claim, numbers: dict) -> list[tuple[str, Verdict]]:
    """The verdict on the claim by each of its other runs that there are."""
    judged = [(name, verdict(replace(claim, ours=(key,)), numbers)) for name, key in claim.also.items()]
    return [(name, found) for name, found in judged if found.word != NOT_RUN]


def drawn(judged: pd.DataFrame, numbers: dict) -> pd.DataFrame:
    """What a chart shows of `table`: every claim of which our runs have a number on its home collection, and
    its other runs.

    Returns
    -------
    table with ``paper``, ``what`` ("value" or "difference"), ``label``, ``value``, ``low``, ``high``,
    ``printed`` (NaN where nothing is), ``verdict``
    """
    rows = at_home(judged).dropna(subset="effect")
    values = rows["printed_value"].notna()
    base = rows["printed_value"].fillna(0.0)
    shown = rows.assign(
        what=np.where(values, "value", "difference"),
        label=rows["short"],
        printed=rows["printed_value"].fillna(rows["printed_effect"]),
        value=rows["effect"] + base,
        low=rows["low"] + base,
        high=rows["high"] + base,
    )
    columns = ["paper", "what", "label", "value", "low", "high", "printed", "verdict"]
    parts = []
    for claim in (claim for claim in load() if claim.id in set(rows["id"])):
        parts.append(shown.loc[shown["id"] == claim.id, columns])
        for name, found in _of_others(claim, numbers):
            low, high = found.interval
            ends = {"value": found.effect, "low": low, "high": high, "verdict": found.word}
            parts.append(parts[-1].assign(label=f"{claim.short}, {name}", **ends))
    return pd.concat(parts, ignore_index=True)


def readable(judged: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` ready to read, by claim."""

    def shown(column: str, pattern: str) -> pd.Series:
        return (judged[column] + 0.0).map(pattern.format).where(judged[column].notna(), "")

    at_home = judged["collection"] == ""
    where = judged["collection"].where(~at_home, judged["paper"].map(HOME))
    elsewhere = {} if at_home.all() else {"collection": where}
    shown_rows = pd.DataFrame({
        "claim": judged["claim"],
        **elsewhere,
        "verdict": judged["verdict"],
        "printed": judged["printed"],
        "ours [95 % CI]": [_ours(row) for row in judged.itertuples()],
        "p (Holm)": shown("p_holm", "{:.3f}").where(~(judged["p_holm"] < FINE), f"< {FINE}"),
        "detectable": shown("detectable", "{:.3f}"),
        "runs": shown("runs", "{:.0f}"),
        **{name: judged[name] for name in ("evidence", "where", "why")},
    })  # fmt: skip
    return shown_rows.set_index("claim")


def _ours(row) -> str:
    """Our value, or difference, with its interval; what it is made of in parentheses."""
    if np.isnan(row.effect) or row.evidence == RESCORING:
        return row.ours
    of_value = not np.isnan(row.printed_value)
    base, form = (row.printed_value, ".3f") if of_value else (0.0, "+.3f")
    text = f"{row.effect + base:{form}}"
    if not np.isnan(row.low):
        text += f" [{row.low + base:{form}}, {row.high + base:{form}}]"
    return text if of_value or not row.ours else f"{text} ({row.ours})"


def beside(numbers: dict, *experiments: str) -> pd.DataFrame:
    """Judged claims that rest on some experiments, ready to read, corrected over all of one collection."""
    all_claims = load()
    own = [any(key.split("/")[0] in experiments for key in claim.ours) for claim in all_claims]
    return readable(table(numbers, all_claims)[own])


def counted(judged: pd.DataFrame) -> pd.DataFrame:
    """How many claims of each paper got which verdict, by what our evidence is, ready to read.

    And how many of those supported or contradicted have a p-value below 0.05 after the correction.
    """
    judged = at_home(judged)
    keys = [judged["paper"].map(PAPERS).rename("paper"), judged["evidence"].rename("evidence")]
    words = judged["verdict"].replace(RESCORED, SUPPORTED)
    counts = pd.crosstab(keys, words).reindex(columns=list(WORDS)).fillna(0).astype(int)
    counts = counts.loc[:, counts.any()]
    decided = words.isin((SUPPORTED, CONTRADICTED)) & (judged["p_holm"] < ALPHA)
    counts["significant after Holm"] = decided.groupby(keys).sum().reindex(counts.index)
    order = [(paper, kind) for paper in PAPERS.values() for kind in EVIDENCE]
    return counts.reindex([key for key in order if key in counts.index]).rename_axis(columns=None)


def of_paper(judged: pd.DataFrame, paper: str) -> pd.DataFrame:
    """The rows of `table` that judge one paper on its home collection, ready to read."""
    return readable(at_home(judged).query("paper == @paper"))
