"""Predicted shares of listeners beside what listeners agree on, as tables and figures."""

import pandas as pd
from matplotlib.figure import Figure

from mer_companion import results
from mer_companion.analysis import findings
from mer_companion.analysis.figures import errors, finished, legend_outside, named_rows, panels
from mer_companion.analysis.noise_map import p_text
from mer_companion.analysis.palette import CLEAN, NEUTRAL, NOISY
from mer_companion.analysis.tables import INTERVAL, spoken
from mer_companion.runs.tag_scoring import SCORES
from mer_core import datasets
from mer_core.evaluation import reliability, significance

MEASURES = {
    "pr_auc": "PR-AUC",
    "roc_auc": "ROC-AUC",
    "spearman": "Spearman",
    "cross_entropy": "cross-entropy (nats)",
    "f_score": "F at the cut",
}
RUNS = {  # labels of both experiments, in words
    "genre": "mean of the genre",
    "tags": "long, learned from tags",
    "long": "long",
    "short": "short (3 s)",
    "hpcp": "long, with HPCP",
    "two_networks": "two networks",
    "co_teaching": "co-teaching",
    "segments": "all windows of 3 s",
    "sssl": "SSSL",
    "sssl_unsharpened": "SSSL, unsharpened",
    "short_mel": "short (9.3 s), mel",
    "long_mel": "long, mel",
    "short_hpcp": "short (9.3 s), mel + HPCP",
    "long_hpcp": "long, mel + HPCP",
}


def agreement(dataset: str = "emotify") -> pd.DataFrame:
    """Split-half reliability of each emotion, as the data set's card has it, and the ceiling that follows."""
    half = pd.Series(datasets.card(dataset)["split_half_reliability"], name="split_half")
    return half.to_frame().assign(ceiling=reliability.ceiling(half))


def by_emotion(records: list[dict]) -> pd.DataFrame:
    """Spearman's correlation of each emotion by run, beside `agreement`; best agreement first.

    Means over seeds of values and of interval ends, which are over artists: ``run``, ``emotion``, ``value``,
    ``low``, ``high``, ``split_half``, ``ceiling``.
    """
    known = agreement().sort_values("split_half", ascending=False)
    rows = [
        {"run": record["label"], "emotion": row["target"]} | {name: row[name] for name in INTERVAL}
        for record in records
        for row in record["metrics"]
        if row["name"] == "spearman" and row["decision"] == SCORES and row["target"] in known.index
    ]
    means = pd.DataFrame(rows).groupby(["run", "emotion"], sort=False)[list(INTERVAL)].mean().reset_index()
    found = means.join(known, on="emotion")
    return found.sort_values("split_half", ascending=False, kind="stable", ignore_index=True)


def emotions_table(rows: pd.DataFrame, runs: tuple[str, ...]) -> pd.DataFrame:
    """`by_emotion` ready to read: a column for each of some runs, reliability and ceiling."""
    shown = rows.assign(text=[spoken(row) for row in rows.itertuples()])
    wide = shown.pivot(index="emotion", columns="run", values="text").loc[
        rows["emotion"].unique(), list(runs)
    ]
    ends = rows.drop_duplicates("emotion").set_index("emotion")[["split_half", "ceiling"]]
    wide = wide.rename(columns=RUNS).join(ends.map("{:.2f}".format))
    names = {"split_half": "half of the listeners", "ceiling": "ceiling"}
    return wide.rename(columns=names, index=lambda name: name.replace("_", " ")).rename_axis("felt emotion")


def beside_ceiling(rows: pd.DataFrame, run: str = "long", baseline: str = "genre") -> Figure:
    """Correlation of a run's and a baseline's predictions with the shares of listeners, by emotion.

    Beside them the split-half reliability (half of the listeners predict the other half) and the ceiling.
    """
    of_run, of_baseline = (rows[rows["run"] == name].reset_index(drop=True) for name in (run, baseline))
    fig, [ax] = panels(0.9 + 0.34 * len(of_run))
    y = list(range(len(of_run)))[::-1]
    looks = {"fmt": "o", "capsize": 3, "color": CLEAN, "label": f"head, {RUNS[run]} input"}
    ax.errorbar(of_run["value"], y, xerr=errors(of_run), **looks)
    ax.plot(of_baseline["value"], y, "s", ms=5, mfc="white", color=NOISY, label=RUNS[baseline])
    marks = {"split_half": ("|", "half of the listeners"), "ceiling": ("D", "ceiling")}
    for name, (marker, words) in marks.items():
        ax.plot(of_run[name], y, marker, ms=5 if marker == "D" else 12, color=NEUTRAL, label=words)
    named_rows(ax, of_run["emotion"].str.replace("_", " "))
    ax.set_xlim(min(0.0, *of_baseline["value"]) - 0.05, 1)
    ax.set_xlabel("Spearman's correlation with the share of listeners")
    legend_outside(ax, "lower center", 4)
    return finished(fig, rows, findings.extremes(of_run["emotion"], of_run["value"]))


def measures(compared: pd.DataFrame, records: list[dict]) -> pd.DataFrame:
    """Every run's measures, means over emotions and seeds, with intervals, and its cost, ready to read."""
    rows = []
    for label, own in compared[compared["against"].isna()].groupby("label", sort=False):
        found = own.set_index("name")
        row = {"run": RUNS[label], "seeds": str(len(found.loc["pr_auc", "seeds"]))}
        row |= {title: spoken(found.loc[name]) for name, title in MEASURES.items()}
        cost = results.spoken_cost([record for record in records if record["label"] == label])
        rows.append(row | {"core-minutes": cost})
    return pd.DataFrame(rows).set_index("run")


def pairs(compared: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Paired differences in some measures: ``label`` (both runs and the measure), ends, p, detectable."""
    own = compared[compared["against"].notna() & compared["name"].isin(names)].copy()
    own["pair"] = own["label"].map(RUNS) + " − " + own["against"].map(RUNS)
    own["label"] = own["pair"] + ": " + own["name"].map(MEASURES)
    ends = zip(own["low"], own["high"], strict=True)
    own["detectable"] = [significance.detectable_effect(*interval) for interval in ends]
    order = {name: k for k, name in enumerate(names)}
    own = own.sort_values("name", key=lambda column: column.map(order), kind="stable")
    return own.sort_values("pair", kind="stable", ignore_index=True)


def pairs_table(rows: pd.DataFrame) -> pd.DataFrame:
    """`pairs` ready to read."""
    shown = {
        "pair": rows["pair"],
        "measure": rows["name"].map(MEASURES),
        "difference": [spoken(row, sign=True) for row in rows.itertuples()],
        "detectable": rows["detectable"].map("{:.3f}".format),
        "p (Holm)": rows["p_holm"].map(p_text),
    }
    return pd.DataFrame(shown).set_index("pair")
