"""Records of tags as tables: runs side by side, MediaEval's leaderboard, and what the papers print beside
ours.
"""

import numpy as np
import pandas as pd
import yaml

from mer_companion import results
from mer_companion.analysis.tables import published, spoken
from mer_core import paths
from mer_core.evaluation import tag_metrics


def leaderboard(compared: pd.DataFrame, cards: dict[str, dict]) -> pd.DataFrame:
    """Every submission with its macro scores, best PR-AUC first, ready to read.

    Two F scores: with thresholds found on the test songs, as the task has it, and found on other artists.
    """
    own = compared[compared["against"].isna()]
    rows = []
    for label in own[own["name"] == "pr_auc"].sort_values("value", ascending=False)["label"]:
        mine = own[own["label"] == label]
        found = {(row["decision"], row["name"]): row for _, row in mine.iterrows()}
        card = cards.get(label, {})
        rows.append({
            "system": card.get("title", label.replace("_", " ")), "edition": card.get("edition", ""),
            "external data": {True: "yes", False: "no"}.get(card.get("external_data"), ""),
            "PR-AUC": spoken(found["scores", "pr_auc"]), "ROC-AUC": spoken(found["scores", "roc_auc"]),
            "F, thresholds from the test": spoken(found["thresholds_on_test", "f_score"]),
            "F, from other artists": spoken(found["thresholds_from_other_half", "f_score"]),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("system")


def against(compared: pd.DataFrame, records: list[dict]) -> pd.DataFrame:
    """Each label's macro scores, both differences from its reference on the same songs, and its cost, ready
    to read.

    The last row is chance: what scores that know nothing are expected to reach. The F score has thresholds
    from validation songs. p-values are corrected for the number of labels asked about (Holm).
    """
    rows = []
    for label, own in compared[compared["against"].isna()].groupby("label", sort=False):
        found = {row["name"]: row for _, row in own.iterrows()}
        row = {"run": in_words(label), "seeds": str(len(found["pr_auc"]["seeds"]))}
        row |= {TAG_MEASURES[name]: spoken(found[name]) for name in TAG_MEASURES}
        for name in ("pr_auc", "roc_auc"):
            pairs = differences(compared, name).query("label == @label").itertuples()
            row[f"difference in {TAG_MEASURES[name]}"] = "; ".join(
                f"{spoken(pair, sign=True)} from {in_words(pair.against)}, p {pair.p_holm:.3f}"
                for pair in pairs
            )
        rows.append(row | {"core-minutes": results.spoken_cost([r for r in records if r["label"] == label])})
    rows.append({"run": "chance", "PR-AUC": f"{np.mean(chance(records[0])):.3f}", "ROC-AUC": "0.500"})
    return pd.DataFrame(rows).set_index("run").fillna("")


def differences(compared: pd.DataFrame, measure: str) -> pd.DataFrame:
    """How each label differs from its reference: ``label``, ``against``, ``value``, ``low``, ``high``,
    ``p_holm``.
    """
    return compared[compared["against"].notna() & (compared["name"] == measure)].reset_index(drop=True)


def both_differences(compared: pd.DataFrame) -> pd.DataFrame:
    """All differences in PR-AUC and ROC-AUC for a figure: ``label``, ``value``, ``low``, ``high``."""
    rows = pd.concat([differences(compared, "pr_auc"), differences(compared, "roc_auc")], ignore_index=True)
    several = rows.groupby("label")["against"].transform("nunique") > 1
    named = [
        f"{in_words(r.label)}{f' less {in_words(r.against)}' if many else ''}"
        for r, many in zip(rows.itertuples(), several, strict=True)
    ]
    return rows.assign(
        label=[f"{label}: {TAG_MEASURES[name]}" for label, name in zip(named, rows["name"], strict=True)]
    )


def sure_answers(records: list[dict]) -> pd.DataFrame:
    """How many of the teacher's answers were sure enough to teach with, and how many of these said yes; mean
    over seeds.
    """
    rows = []
    for label in dict.fromkeys(record["label"] for record in records):
        last = [record["log"][0][-1] for record in records if record["label"] == label]
        if "sure_share" in last[0]:
            sure, yes = (
                np.mean([row[name] for row in last]) for name in ("sure_share", "sure_positive_share")
            )
            rows.append(
                {
                    "student": in_words(label),
                    "sure answers": f"{sure:.1%}",
                    "of these yes": f"{yes / sure if sure else 0:.1%}",
                }
            )
    return pd.DataFrame(rows).set_index("student")


def in_words(label: str) -> str:
    """A run's label as the papers write it: "short, mel + HPCP, student"."""
    words = {"mel": "mel", "hpcp": "mel + HPCP", "efficientnet": "EfficientNet-B0", "rexnet": "ReXNet"}
    first, *rest = label.split("_")
    if first in ("long", "short") or label in words:
        return ", ".join(words.get(word, word) for word in (first, *rest))
    phrase = " ".join((words.get(first, first), *rest))
    return phrase.replace("co teaching", "co-teaching" if first == "co" else "with co-teaching")


TAG_MEASURES = {"pr_auc": "PR-AUC", "roc_auc": "ROC-AUC", "f_score": "F"}


def released_differently(paper: str) -> pd.DataFrame:
    """Where a paper's released code does otherwise than the paper, and what runs it here, ready to read."""
    found = yaml.safe_load((paths.DATA / "differences.yaml").read_text(encoding="utf-8"))[paper]
    return pd.DataFrame(found).set_index("topic")


def system_name(label: str, cards: dict[str, dict]) -> str:
    return cards[label]["title"] if label in cards else label.replace("_", " ")


def leaderboard_scores(
    compared: pd.DataFrame, cards: dict[str, dict], metric: str = "pr_auc"
) -> pd.DataFrame:
    """One ranking measure of every submission, best first, for a figure: ``label``, ``value``, ``low``,
    ``high``.
    """
    rows = compared[compared["against"].isna() & (compared["name"] == metric)].sort_values(
        "value", ascending=False
    )
    return rows.assign(label=[system_name(label, cards) for label in rows["label"]]).reset_index(drop=True)


def leaderboard_differences(
    compared: pd.DataFrame, cards: dict[str, dict], metric: str = "pr_auc"
) -> pd.DataFrame:
    """How much better each submission is than the next on the list, on the same resamples, ready to read."""
    order = list(
        compared[compared["against"].isna() & (compared["name"] == metric)].sort_values("value")["label"]
    )[::-1]
    pairs = compared[compared["against"].notna() & (compared["name"] == metric)].set_index(
        ["label", "against"]
    )
    rows = []
    for one in order:
        beaten = [
            other
            for other in order
            if (one, other) in pairs.index and pairs.loc[(one, other), "p_holm"] < SURE
        ]
        after = order[order.index(one) + 1] if one != order[-1] else None
        row = {
            "system": system_name(one, cards),
            "surely better than": f"{len(beaten)} of {len(order) - 1 - order.index(one)} below",
        }
        if after is not None:
            d = pairs.loc[(one, after)]
            row |= {"less the next": spoken(d, sign=True), "p (Holm, all pairs)": f"{d.p_holm:.3f}"}
        rows.append(row)
    return pd.DataFrame(rows).set_index("system").fillna("")


SURE = 0.05


def chance(record: dict) -> np.ndarray:
    """Average precision of every tag to expect of scores that know nothing."""
    n = record["data"]["n_tested"]
    return tag_metrics.chance_precision(n, n * np.array(record["data"]["prevalence"]))


def by_tag(record: dict) -> pd.DataFrame:
    """Average precision of every tag, best first: ``label``, ``value``, ``low``, ``high``, ``chance``."""
    found = {m["target"]: m for m in record["metrics"] if m["target"] in record["data"]["classes"]}
    rows = [{"label": tag, "chance": share} | {key: found[tag][key] for key in ("value", "low", "high")}
            for tag, share in zip(record["data"]["classes"], chance(record), strict=True)]  # fmt: skip
    return pd.DataFrame(rows).sort_values("value", ascending=False, ignore_index=True)


MIRABLE_ROWS = {  # the paper's rows whose predictions are published, and which submission they are
    "ensemble": "mirable_ensemble", "long-hpcp-noisy": "mirable_long_hpcp_noisy", "short-hpcp": "mirable_short",
    "short-normal": "mirable_short",
}  # fmt: skip


def mirable_beside_printed(compared: pd.DataFrame) -> pd.DataFrame:
    """Mirable's Tables 1 and 2 beside the scores of the predictions that it published, to four digits."""
    shown = published().query("paper == 'mirable'")
    own = compared[compared["against"].isna()]
    rows = []
    for r in shown[shown["system"].isin(MIRABLE_ROWS)].itertuples():
        name = r.metric.removeprefix("mean_")
        decision = "scores" if name.endswith("_auc") else "thresholds_on_test"
        mine = own[
            (own["label"] == MIRABLE_ROWS[r.system]) & (own["name"] == name) & (own["decision"] == decision)
        ]
        ours, theirs = mine["value"].iloc[0], r.value / 100
        agrees = "yes" if abs(ours - theirs) < LAST_DIGIT else "no"
        rows.append({"table": r.table, "row": r.system, "measure": name, "printed": f"{theirs:.4f}",
                     "published predictions": f"{ours:.4f}", "agrees": agrees})  # fmt: skip
    return pd.DataFrame(rows).set_index(["table", "row", "measure"])


LAST_DIGIT = 1e-4  # printed figures are rounded or cut off
