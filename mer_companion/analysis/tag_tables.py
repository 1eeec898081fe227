"""Records of tags as tables: runs side by side, MediaEval's leaderboard, the papers' figures."""

import re

import numpy as np
import pandas as pd
import yaml

from mer_companion import results
from mer_companion.analysis import names
from mer_companion.analysis.tables import published, spoken
from mer_core import paths
from mer_core.evaluation import tag_metrics


def leaderboard(compared: pd.DataFrame, cards: dict[str, dict]) -> pd.DataFrame:
    """Every submission with its macro scores, best PR-AUC first, ready to read.

    Two F scores: with thresholds found on the test songs, as the task has it, and found on other artists.
    """
    rows = []
    for label in ranked(compared, "pr_auc")["label"]:
        found = compared[compared["against"].isna() & (compared["label"] == label)]
        found = found.set_index(["decision", "name"])
        card = cards.get(label, {})
        row = {
            "system": system_name(label, cards),
            "edition": card.get("edition", ""),
            "external data": {True: "yes", False: "no"}.get(card.get("external_data"), ""),
            "PR-AUC": spoken(found.loc["scores", "pr_auc"]),
            "ROC-AUC": spoken(found.loc["scores", "roc_auc"]),
            "F, thresholds from the test": spoken(found.loc["thresholds_on_test", "f_score"]),
            "F, from other artists": spoken(found.loc["thresholds_from_other_half", "f_score"]),
        }
        rows.append(row)
    return pd.DataFrame(rows).set_index("system")


def ranked(compared: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One measure of every system, best first."""
    rows = compared[compared["against"].isna() & (compared["name"] == metric)]
    return rows.sort_values("value", ascending=False, ignore_index=True)


def against(compared: pd.DataFrame, records: list[dict]) -> pd.DataFrame:
    """Each label's macro scores, both differences from its reference on the same songs, and its cost, ready
    to read.

    The last row is chance: what scores that know nothing are expected to reach. The F score has thresholds
    from validation songs. p-values are corrected for the number of labels (Holm).
    """
    references = set(compared["against"].dropna())
    only = names.label(references.pop()) if len(references) == 1 else ""
    rows = []
    for label, own in compared[compared["against"].isna()].groupby("label", sort=False):
        found = own.set_index("name")
        row = {"run": names.label(label), "seeds": str(len(found.loc["pr_auc", "seeds"]))}
        row |= {title: spoken(found.loc[name]) for name, title in TAG_MEASURES.items()}
        for name in ("pr_auc", "roc_auc"):
            pairs = list(differences(compared, name).query("label == @label").itertuples())
            others = {d.against: "" if only else f" from {names.label(d.against)}" for d in pairs}
            said = [f"{spoken(d, sign=True)}{others[d.against]}, p {d.p_holm:.3f}" for d in pairs]
            row[f"difference in {TAG_MEASURES[name]}" + (f" from {only}" if only else "")] = "; ".join(said)
        rows.append(row | {"core-minutes": results.spoken_cost([r for r in records if r["label"] == label])})
    rows.append({"run": "chance", "PR-AUC": f"{np.mean(chance(records[0])):.3f}", "ROC-AUC": "0.500"})
    return pd.DataFrame(rows).set_index("run").fillna("")


def differences(compared: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Differences of each label from its reference, with interval and ``p_holm``."""
    return compared[compared["against"].notna() & (compared["name"] == measure)].reset_index(drop=True)


def both_differences(compared: pd.DataFrame) -> pd.DataFrame:
    """All differences in PR-AUC and ROC-AUC for a figure: ``label``, ``value``, ``low``, ``high``."""
    rows = pd.concat([differences(compared, "pr_auc"), differences(compared, "roc_auc")], ignore_index=True)
    several = rows.groupby("label")["against"].transform("nunique") > 1
    shown = rows["label"].map(names.label)
    shown = shown.where(~several, shown + " minus " + rows["against"].map(names.label))
    return rows.assign(label=shown + ": " + rows["name"].map(TAG_MEASURES))


def sure_answers(records: list[dict]) -> pd.DataFrame:
    """Shares of the teacher's predictions that are used, and of these that are positive; mean over seeds."""
    last = pd.DataFrame([record["log"][0][-1] | {"student": record["label"]} for record in records])
    last = last.dropna(subset="sure_share").groupby("student", sort=False)
    means = last[["sure_share", "sure_positive_share"]].mean()
    yes = (means["sure_positive_share"] / means["sure_share"]).fillna(0)
    shown = pd.DataFrame({"pseudo-labels in use": means["sure_share"], "of these positive": yes})
    return shown.map("{:.1%}".format).rename(index=names.label)


TAG_MEASURES = {"pr_auc": "PR-AUC", "roc_auc": "ROC-AUC", "f_score": "F"}


def released_differently(paper: str) -> pd.DataFrame:
    """Where a paper's released code does otherwise than the paper, and what runs it here, ready to read."""
    shown = pd.DataFrame(released(paper)).set_index("topic")
    return shown.assign(
        ours=shown["ours"].str.replace(RUN, lambda run: f"run: {names.label(run[1])}", regex=True)
    )


def released(paper: str) -> list[dict]:
    """The differences as they are written down: ``topic``, ``paper``, ``release``, ``ours``."""
    return yaml.safe_load((paths.DATA / "differences.yaml").read_text(encoding="utf-8"))[paper]


RUN = re.compile(r"^\w+/(\w+)")  # experiment and label at the beginning of what is ours


def system_name(label: str, cards: dict[str, dict]) -> str:
    return cards[label]["title"] if label in cards else names.label(label)


def leaderboard_scores(
    compared: pd.DataFrame, cards: dict[str, dict], metric: str = "pr_auc"
) -> pd.DataFrame:
    """One ranking measure of every submission, best first, with interval, for a figure."""
    rows = ranked(compared, metric)
    return rows.assign(label=[system_name(label, cards) for label in rows["label"]])


def leaderboard_differences(
    compared: pd.DataFrame, cards: dict[str, dict], metric: str = "pr_auc"
) -> pd.DataFrame:
    """How much better each submission is than the next on the list, on the same resamples, ready to read."""
    order = list(ranked(compared, metric)["label"])
    pairs = differences(compared, metric).set_index(["label", "against"])
    rows = []
    for place, one in enumerate(order):
        beaten = (pairs["p_holm"].get(one, pd.Series(dtype=float)) < SURE).sum()
        below = order[place + 1 :]
        row = {
            "system": system_name(one, cards),
            "significantly better than": f"{beaten} of {len(below)} below",
        }
        if below:
            d = pairs.loc[(one, below[0])]
            row |= {"minus the next": spoken(d, sign=True), "p (Holm, all pairs)": f"{d.p_holm:.3f}"}
        rows.append(row)
    return pd.DataFrame(rows).set_index("system").fillna("")


SURE = 0.05


def chance(record: dict) -> np.ndarray:
    """Average precision of every tag to expect of scores that know nothing."""
    n = record["data"]["n_tested"]
    return tag_metrics.chance_precision(n, n * np.array(record["data"]["prevalence"]))


def by_tag(record: dict) -> pd.DataFrame:
    """Average precision of every tag, best first: ``label``, ``value``, ``low``, ``high``, ``chance``."""
    tags = pd.DataFrame({"label": record["data"]["classes"], "chance": chance(record)})
    scores = pd.DataFrame(record["metrics"]).drop_duplicates("target", keep="last").set_index("target")
    rows = tags.join(scores[["value", "low", "high"]], on="label")
    return rows.sort_values("value", ascending=False, ignore_index=True)


MIRABLE_ROWS = {  # the paper's rows whose predictions are published, and which submission they are
    "ensemble": "mirable_ensemble",
    "long-hpcp-noisy": "mirable_long_hpcp_noisy",
    "short-hpcp": "mirable_short",
    "short-normal": "mirable_short",
}


def mirable_beside_printed(compared: pd.DataFrame) -> pd.DataFrame:
    """Mirable's Tables 1 and 2 beside the scores of the predictions that it published, to four digits."""
    shown = published().query("paper == 'mirable'")
    own = compared[compared["against"].isna()].set_index(["label", "name", "decision"])["value"]
    rows = []
    for r in shown[shown["system"].isin(MIRABLE_ROWS)].itertuples():
        name = r.metric.removeprefix("mean_")
        decision = "scores" if name.endswith("_auc") else "thresholds_on_test"
        ours, theirs = own[MIRABLE_ROWS[r.system], name, decision], r.value / 100
        row = {
            "table": r.table,
            "row": r.system,
            "measure": names.label(name),
            "printed": f"{theirs:.4f}",
            "published predictions": f"{ours:.4f}",
            "agrees": "yes" if abs(ours - theirs) < LAST_DIGIT else "no",
        }
        rows.append(row)
    return pd.DataFrame(rows).set_index(["table", "row", "measure"])


LAST_DIGIT = 1e-4  # printed figures are rounded or cut off
