"""What pages show of records: tidy tables and tables ready to read. Nothing is computed anew; no torch here.

Everywhere: ``compared`` is the table that `results.comparison` gives for an experiment, with its labels'
scores averaged over seeds and their differences from their references; ``records`` are the experiment's
records.
"""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from mer_companion import results
from mer_companion.results import main_decision, predictions, value
from mer_core import paths
from mer_core.emotion import high_probability
from mer_core.evaluation import aggregation, significance
from mer_core.evaluation.metrics import RELIABILITY_BINS

pd.set_option("display.max_colwidth", None, "display.max_rows", None)  # pages show tables whole

TARGETS = ("emotion", "valence", "arousal")
TARGET_NAMES = {"emotion": "quadrants", "valence": "valence", "arousal": "arousal"}


def scores(
    compared: pd.DataFrame, metric: str = "accuracy", target: str = "emotion", decision: str | None = None
) -> pd.DataFrame:
    """One metric of every label, averaged over its seeds: ``label``, ``value``, ``low``, ``high``, ``n``,
    ``seeds``.

    Parameters
    ----------
    decision : by default the main one of each label
    """
    rows = _chosen(compared[compared["against"].isna()], metric, target, decision)
    return rows[["label", "value", "low", "high", "n", "seeds"]].reset_index(drop=True)


def differences(
    compared: pd.DataFrame, metric: str = "accuracy", target: str = "emotion", decision: str | None = None
) -> pd.DataFrame:
    """How every label differs from its reference, paired: ``label``, ``against``, ``value``, interval,
    p-values, ``seeds``.
    """
    rows = _chosen(compared[compared["against"].notna()], metric, target, decision)
    return rows[["label", "against", "value", "low", "high", "p", "p_holm", "p_t", "seeds"]].reset_index(
        drop=True
    )


def _chosen(rows: pd.DataFrame, metric: str, target: str, decision: str | None) -> pd.DataFrame:
    right = (
        rows["decision"].isin(aggregation.MAIN_DECISIONS)
        if decision is None
        else rows["decision"] == decision
    )
    return rows[right & (rows["name"] == metric) & (rows["target"] == target)]


def spoken(row, sign: bool = False) -> str:
    """A figure with its interval, ready to read: ``0.640 [0.606, 0.674]``."""
    form = "+.3f" if sign else ".3f"
    return f"{row.value:{form}} [{row.low:{form}}, {row.high:{form}}]"


def decision_table(compared: pd.DataFrame, metric: str = "accuracy", target: str = "emotion") -> pd.DataFrame:
    """One metric with its interval for every way to decide (rows) and every label (columns), ready to read."""
    rows = compared[
        compared["against"].isna() & (compared["name"] == metric) & (compared["target"] == target)
    ]
    shown = rows.assign(text=[spoken(r) for r in rows.itertuples()]).pivot(
        index="decision", columns="label", values="text"
    )
    known = [name for name in aggregation.DECISION_NAMES if name in shown.index]
    return (
        shown.loc[known, list(rows["label"].unique())]
        .rename(index=aggregation.DECISION_NAMES)
        .rename_axis(None, axis=1)
        .fillna("")
    )


def beside_printed(compared: pd.DataFrame, decision: str = aggregation.MAIN_DECISION) -> pd.DataFrame:
    """Our accuracy and F1 beside those that SSSL prints for 4Q, as shares; F1 is the macro average, positive
    class for two.
    """
    rows = []
    for target, name in (("emotion", "four_class"), ("valence", "valence"), ("arousal", "arousal")):
        for printed_as in ("accuracy", "f1"):
            metric = metric_of(target, printed_as)
            row = {
                "target": target,
                "metric": metric,
                "SSSL as printed": printed("4Q", "Proposed", f"{name}_{printed_as}"),
            }
            rows.append(
                row | {r.label: spoken(r) for r in scores(compared, metric, target, decision).itertuples()}
            )
    return pd.DataFrame(rows).set_index(["target", "metric"])


def against(
    compared: pd.DataFrame, records: list[dict], metric: str = "accuracy", decision: str | None = None
) -> pd.DataFrame:
    """Each label's score, its difference from its reference song by song, its validation accuracy and its
    cost, ready to read.

    The first p-value is the bootstrap's over artists and seeds, corrected for the number of labels asked
    about (Holm); the second is the corrected resampled t-test's over folds and seeds, not corrected for that
    number.
    """
    differing = {r.label: r for r in differences(compared, metric, "emotion", decision).itertuples()}
    p = "p (Holm)" if len(differing) > 1 else "p"
    rows = []
    for own in scores(compared, metric, "emotion", decision).itertuples():
        mine = [r for r in records if r["label"] == own.label]
        row = {"run": own.label, metric: spoken(own), "seeds": len(own.seeds)}
        if (d := differing.get(own.label)) is not None:
            row |= {"difference": f"{spoken(d, sign=True)} from {d.against}", p: f"{d.p_holm:.3f}"}
            row |= {"p t-test": f"{d.p_t:.3f}"} if pd.notna(d.p_t) else {}
        checked = [v for r in mine if (v := validation_accuracy(r)) is not None]
        row |= {"validation": f"{np.mean(checked):.3f}"} if checked else {}
        rows.append(row | {"core-minutes": results.spoken_cost(mine)})
    return pd.DataFrame(rows).set_index("run").fillna("")


def validation_accuracy(record: dict, target: str = "emotion") -> float | None:
    """Mean over folds of the accuracy on training songs, each heard by a network that had not learned from
    it; else None.
    """
    found = [
        m["value"]
        for m in record["metrics"]
        if (m["part"], m["name"], m["target"]) == ("validation", "accuracy", target)
    ]
    return float(np.mean(found)) if found else None


def by_target(compared: pd.DataFrame) -> pd.DataFrame:
    """Differences of the main decision's accuracy for quadrants, valence and arousal, one under the other;
    labels say which.
    """
    rows = [differences(compared, target=t).assign(target=t) for t in TARGETS]
    stacked = pd.concat(rows, ignore_index=True)
    return stacked.assign(label=stacked["label"] + ": " + stacked["target"].map(TARGET_NAMES))


def difference_table(compared: pd.DataFrame) -> pd.DataFrame:
    """Every difference in accuracy, by target and decision, with both tests, ready to read.

    The bootstrap's p-values are corrected for all rows that the table shows (Holm).
    """
    rows = compared[
        compared["against"].notna()
        & (compared["name"] == "accuracy")
        & (compared["decision"] != "most_frequent")
    ]
    rows = rows.assign(p_holm=significance.holm(rows["p"]))
    return pd.DataFrame(
        {"question": TARGET_NAMES[r.target], "decision": aggregation.DECISION_NAMES[r.decision], "run": r.label,
         "difference": spoken(r, sign=True),
         "p bootstrap": f"{r.p:.3f}", "p (Holm, all rows)": f"{r.p_holm:.3f}", "p t-test": f"{r.p_t:.3f}"}
        for r in rows.itertuples()
    ).set_index(["question", "decision"])  # fmt: skip


def by_duration(compared: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by segment duration beside Table 2 for 4Q: ``target``, ``seconds``, ``value``, ``low``,
    ``high``, ``printed``.
    """
    shown = published().query("paper == 'sssl' and table == 2 and dataset == '4Q'")
    rows = []
    for target in TARGETS:
        found = scores(compared, target=target)
        for row in found[found["label"].str.startswith("seconds_")].itertuples():
            seconds = int(row.label.removeprefix("seconds_"))
            same = shown[(shown["setting"] == f"{seconds} s") & (shown["metric"] == f"{target}_accuracy")][
                "value"
            ]
            rows.append({"target": target, "seconds": seconds, "value": row.value, "low": row.low, "high": row.high,
                         "printed": same.iloc[0] / 100 if len(same) else None})  # fmt: skip
    return pd.DataFrame(rows)


def table_2(compared: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and F1 by segment duration, ours with interval and as SSSL's Table 2 prints them for 4Q, ready
    to read.
    """
    shown = (
        published()
        .query("paper == 'sssl' and table == 2 and dataset == '4Q'")
        .set_index(["setting", "metric"])["value"]
    )
    rows = []
    for target, measure in itertools.product(TARGETS, ("accuracy", "f1")):
        found = scores(compared, metric_of(target, measure), target)
        figures = {
            row.label.replace("seconds_", "") + " s": spoken(row)
            for row in found.itertuples()
            if "seconds" in row.label
        }
        name = {"question": TARGET_NAMES[target], "metric": measure.replace("f1", "F1")}
        printed_as = f"{'four_class' if target == 'emotion' else target}_{measure}"
        said = {
            setting: f"{share / 100:.3f}"
            for (setting, metric), share in shown.items()
            if metric == printed_as
        }
        rows += [name | {"whose": "ours"} | figures] + [name | {"whose": "printed"} | said] * bool(said)
    return pd.DataFrame(rows).set_index(["question", "metric", "whose"]).fillna("").sort_index(axis=1)


def metric_of(target: str, measure: str) -> str:
    """Our metric for what a table calls accuracy or F1: macro F1 of four classes, that of the class "high" of
    two.
    """
    return measure if measure == "accuracy" else "macro_f1" if target == "emotion" else "positive_f1"


def nested_choice(compared: pd.DataFrame, records: list[dict]) -> pd.DataFrame:
    """Accuracy when each fold's duration is chosen inside its training folds, and when one is picked on the
    reported songs.
    """
    rows = []
    for target in TARGETS:
        found = scores(compared, target=target).set_index("label")
        chosen = next(r for r in records if r["label"] == f"chosen_for_{target}")
        durations = found[found.index.str.startswith("seconds_")]
        best, inside = durations["value"].idxmax(), found.loc[chosen["label"]]
        rows.append(
            {"question": TARGET_NAMES[target],
             "chosen inside, per fold (s)": ", ".join(log[0]["chosen"].rpartition("_")[2] for log in chosen["log"]),
             "accuracy": spoken(inside), "picked on the reported songs (s)": best.removeprefix("seconds_"),
             "its accuracy": spoken(durations.loc[best]),
             "picking adds": f"{durations.loc[best, 'value'] - inside['value']:+.3f}"}
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("question")


def by_epochs(compared: pd.DataFrame, records: list[dict]) -> pd.DataFrame:
    """Accuracy of plain training and of SSSL by epochs of training: ``condition``, ``method``, ``value``,
    ``low``, ``high``.

    Labels are ``inherit_5_epochs`` and so on: runs on the same songs.
    """
    epochs = {r["label"]: r["config"]["training"]["epochs"] for r in records}
    rows = scores(compared).assign(condition=lambda found: found["label"].map(epochs))
    rows["method"] = [
        label.removesuffix(f"_{n}_epochs") for label, n in zip(rows["label"], rows["condition"], strict=True)
    ]
    chosen = rows["label"].str.endswith("_epochs") & rows["method"].isin(("inherit", "self_learning"))
    return rows[chosen].sort_values("condition")


ASKED_ABOUT = {
    "learned_windows": "Windows it learns from", "unheard_windows": "Unheard windows", "unheard_songs": "Unheard songs",
}  # fmt: skip


def learning_curves(records: list[dict]) -> pd.DataFrame:
    """Shares called as labelled after each epoch: ``method``, ``fold``, ``epoch``, ``asked about``,
    ``share``.
    """
    return pd.DataFrame(
        {"method": record["label"], "fold": fold, "epoch": row["epoch"] + 1, "asked about": name, "share": row[measure]}
        for record in records for fold, log in enumerate(record["log"]) for row in log for measure, name in ASKED_ABOUT.items()
    )  # fmt: skip


def around_default(
    compared: pd.DataFrame,
    records: list[dict],
    default: str,
    decision: str | None = None,
    part: str = "method",
) -> pd.DataFrame:
    """Accuracy as one setting after another moves: ``setting``, ``at``, ``value``, ``low``, ``high``,
    ``default``.

    Parameters
    ----------
    default : the label at the default
    part : of the settings, where the moved ones lie
    """
    settings = {r["label"]: r["config"][part] for r in records}
    found = {row.label: row for row in scores(compared, decision=decision).itertuples()}
    rows = []
    for label, own in settings.items():
        moved = [
            name for name, at in own.items() if name in settings[default] and at != settings[default][name]
        ]
        if label == default or len(moved) != 1 or moved == ["name"]:
            continue
        rows.append({"setting": moved[0], "at": own[moved[0]], "label": label, "default": False})
    for setting in list(dict.fromkeys(row["setting"] for row in rows)):
        rows.append({"setting": setting, "at": settings[default][setting], "label": default, "default": True})
    return pd.DataFrame(
        row | {key: getattr(found[row["label"]], key) for key in ("value", "low", "high")} for row in rows
    )


def by_decision(compared: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Accuracy by the way to decide on a song: ``condition``, ``method``, ``value``, ``low``, ``high``."""
    short = {"mean_probability": "mean\nprobability", "svm": "SVM\nout of fold", "svm_in_sample": "SVM\nin sample",
             "majority_vote": "majority\nvote", "maximum_run_length": "maximum\nrun length"}  # fmt: skip
    rows = [scores(compared, decision=d).assign(condition=name) for d, name in short.items()]
    found = pd.concat(rows, ignore_index=True).rename(columns={"label": "method"})
    return found[found["method"].isin(labels)]


def elsewhere(records: list[dict]) -> pd.DataFrame:
    """Accuracy for quadrants at home and on other collections: ``label``, ``value``, ``low``, ``high``."""
    rows = []
    for record in records:
        home = value(record, name="accuracy", target="emotion", decision=main_decision(record))
        far = [
            m
            for m in record["metrics"]
            if (m["part"], m["name"], m["target"]) == ("elsewhere", "accuracy", "emotion")
        ]
        for place, row in [("at home", home), *((f"on {m['dataset'].partition(':')[0]}", m) for m in far)]:
            label = f"{record['label'].replace('_', ' ')},\n{place}"
            rows.append({"label": label, "n": row["n"]} | {key: row[key] for key in ("value", "low", "high")})
    found = pd.DataFrame(rows)
    return found[found["n"] >= FEWEST_SONGS].reset_index(drop=True)


FEWEST_SONGS = 20  # below this an accuracy says nothing


def elsewhere_table(records: list[dict]) -> pd.DataFrame:
    """Accuracy at home and on other collections for all three questions, ready to read."""
    rows = []
    for record in records:
        own = [
            m for m in record["metrics"] if m["name"] == "accuracy" and m["decision"] == main_decision(record)
        ]
        places = {"at home": [m for m in own if m["part"] == "test" and m["fold"] == "all"]}
        for m in own:
            if m["part"] == "elsewhere" and m["n"] >= FEWEST_SONGS:
                places.setdefault(f"on {m['dataset']}", []).append(m)
        for place, found in places.items():
            shown = {TARGET_NAMES[m["target"]]: spoken(pd.Series(m)) for m in found}
            rows.append({"run": record["label"], "tested": place, "songs": found[0]["n"]} | shown)
    return pd.DataFrame(rows).set_index(["run", "tested"])


def detection(records: list[dict]) -> pd.DataFrame:
    """How well wrong labels were found: ``label``, ``seed``, ``fold``, ``epoch`` and the log's measures."""
    measures = (
        "auc",
        "average_precision",
        "truly_clean_in_clean_set",
        "truly_clean",
        "calibration_error",
        "bic_gain",
    )
    return pd.DataFrame(
        {"label": r["label"], "seed": r["config"]["seed"], "fold": fold, "epoch": row["epoch"] + 1}
        | {m: row[m] for m in measures}
        for r in records for fold, log in enumerate(r["log"]) for row in log if row.get("auc") is not None
    )  # fmt: skip


def set_sizes(log: list[dict], thresholds: np.ndarray) -> pd.DataFrame:
    """How many windows a threshold tau would keep and erase: ``epoch``, ``threshold``, ``kept``, ``erased``.

    From the logged histogram of scaled losses and the two Gaussians, a loss beyond a mean judged as if it lay
    on it: to within a bin, and without the share of every class that is kept whatever the mixture says.
    """
    rows = []
    for row in (row for row in log if row.get("means")):
        counts, (clean, noisy) = np.array(row["histogram"]), row["means"]
        middle = ((np.arange(len(counts)) + 0.5) / len(counts)).clip(clean, noisy)
        density = np.array(row["weights"])[:, None] * norm.pdf(
            middle, np.array([[clean], [noisy]]), np.array(row["deviations"])[:, None]
        )
        probability = density[0] / density.sum(axis=0)
        for threshold in thresholds:
            kept = int(counts[probability >= threshold].sum())
            rows.append(
                {
                    "epoch": row["epoch"] + 1,
                    "threshold": threshold,
                    "kept": kept,
                    "erased": int(counts.sum()) - kept,
                }
            )
    return pd.DataFrame(rows)


def in_the_plane(records: list[dict]) -> pd.DataFrame:
    """Every tested song where a network places it: ``method``, ``track_id``, ``called``, ``valence``,
    ``arousal``.

    The last two are the probabilities that they are high, each the mean over the song's windows.
    """
    found = []
    for record in records:
        stored, classes = predictions(record), np.array(record["data"]["classes"])
        mean = aggregation.mean_probability(stored["test"], stored["test_track"])
        found.append(pd.DataFrame({
            "method": record["label"], "track_id": stored["track_id"][np.unique(stored["test_track"])],
            "called": classes[mean.argmax(axis=1)],
            **{dimension: high_probability(mean, dimension) for dimension in ("valence", "arousal")},
        }))  # fmt: skip
    return pd.concat(found, ignore_index=True)


def purity(records: list[dict]) -> pd.DataFrame:
    """Share of right labels among the windows that co-teaching keeps, and among all: columns noise, fold,
    epoch, windows, share.

    Han et al. call it label precision, SELAB's release the pure ratio; known only where the noise was put in.
    """
    rows = []
    for record in records:
        rate = record["config"]["noise"]["rate"]
        for fold, log in enumerate(record["log"]):
            for row in log:
                own = {"noise": f"{rate:.0%} of labels wrong", "fold": fold, "epoch": row["epoch"] + 1}
                rows.append(own | {"windows": "kept", "share": row["truly_clean_in_clean_set"]})
                rows.append(own | {"windows": "all", "share": 1 - rate})
    return pd.DataFrame(rows)


def annotation_noise_rows(records: list[dict]) -> pd.DataFrame:
    """How often moments contradict their clip: ``condition`` (data set), ``method`` (measure), ``target``,
    value, interval.
    """
    return pd.DataFrame(
        {"condition": r["label"].replace("_", " "), "method": m["name"], "target": m["target"], "n": m["n"]}
        | {key: m[key] for key in ("value", "low", "high")}
        for r in records for m in r["metrics"]
    )  # fmt: skip


def annotation_noise(records: list[dict], target: str) -> pd.DataFrame:
    """The same for one question, a column per data set, ready to read."""
    rows = annotation_noise_rows(records)
    rows = rows[rows["target"] == target]
    shown = rows.assign(text=[spoken(r) for r in rows.itertuples()]).pivot(
        index="method", columns="condition", values="text"
    )
    return (
        shown.loc[rows["method"].unique(), rows["condition"].unique()]
        .rename_axis(None)
        .rename_axis(None, axis=1)
    )


def confusion(record: dict) -> np.ndarray:
    """(n_classes, n_classes) counts of a record's main decision: rows are the labels, columns what was
    called.
    """
    return np.array(record["confusion"][main_decision(record)])


def leading(record: dict) -> pd.DataFrame:
    """How many classes lead at some time along a song: songs by that number, and the mean share of windows of
    the first.
    """
    stored = predictions(record)
    rows = []
    for track in np.unique(stored["test_track"]):
        calls = stored["test"][stored["test_track"] == track].argmax(axis=1)
        counts = np.bincount(calls)
        rows.append(
            {"classes that lead at some time": int((counts > 0).sum()), "share": counts.max() / len(calls)}
        )
    found = pd.DataFrame(rows).groupby("classes that lead at some time")["share"].agg(["size", "mean"])
    return found.rename(columns={"size": "songs", "mean": "mean share of the first"}).round(3)


def courses(record: dict, dataset: str) -> dict[str, pd.DataFrame]:
    """Probability of high valence and arousal along the songs of another data set that a record also heard,
    by track id.

    Each table has the columns ``second`` (middle of the window), ``valence``, ``arousal``.
    """
    stored = predictions(record)
    key = f"heard_{record['config']['also_heard'].index(dataset)}"
    found = {}
    for i, name in enumerate(stored[f"{key}_track_id"]):
        own = stored[f"{key}_track"] == i
        middle = stored[f"{key}_second"][own] + record["config"]["window_s"] / 2
        called = {
            dimension: high_probability(stored[key][own].astype(float), dimension)
            for dimension in ("valence", "arousal")
        }
        found[str(name)] = pd.DataFrame({"second": middle, **called})
    return found


def course_agreement(called: dict[str, pd.DataFrame], measured: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation between the called and the measured course of each song, where both are known."""
    rows = []
    for name, own in called.items():
        theirs = measured[measured["track_id"] == name]
        felt = {
            d: np.interp(own["second"], theirs["second"], theirs[d], left=np.nan, right=np.nan)
            for d in ("valence", "arousal")
        }
        rows.append({"song": name} | {d: own[d].corr(pd.Series(felt[d]), method="spearman") for d in felt})
    return pd.DataFrame(rows).set_index("song").round(2)


def reliability(records: list[dict]) -> list[tuple[float, float, int]]:
    """Promised against kept clean probability in the last epoch, bins pooled over folds and seeds
    (`metrics.reliability`).
    """
    rows = np.array([row for record in records for log in record["log"] for row in log[-1]["reliability"]])
    promised, kept, n = rows.T
    bins = np.minimum((promised * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    pooled = [(bins == b) for b in np.unique(bins)]
    return [
        (
            float(np.average(promised[own], weights=n[own])),
            float(np.average(kept[own], weights=n[own])),
            int(n[own].sum()),
        )
        for own in pooled
    ]


def under_noise(compared: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by kind of label noise for plain training and SSSL: ``condition``, ``method``, ``value``,
    ``low``, ``high``.
    """
    rows = []
    for row in scores(compared).itertuples():
        method = next(
            name
            for name in ("inherit", "self_learning", "mixture_per_class", "co_teaching")
            if row.label.startswith(name)
        )
        condition = row.label.removeprefix(f"{method}_").replace("_", " ")
        rows.append(
            {"condition": condition, "method": method, "value": row.value, "low": row.low, "high": row.high}
        )
    return pd.DataFrame(rows)


def published() -> pd.DataFrame:
    """What the papers print, in per cent: paper, table (0: in the text), dataset, system, setting, metric,
    value.
    """
    return pd.read_csv(paths.DATA / "published.csv")


def printed(dataset: str, system: str, metric: str, paper: str = "sssl", table: int = 3) -> float:
    """One printed figure as a share in [0, 1]."""
    rows = published().query(
        "dataset == @dataset and system == @system and metric == @metric and paper == @paper"
    )
    return float(rows[rows["table"] == table]["value"].iloc[0]) / 100


class Ours(NamedTuple):
    """Our run for a row of SSSL's Table 3 on 4Q, or for one that the table should have had."""

    system: str
    hears: str
    experiment: str
    label: str
    decision: str | None = None  # by default the main one
    targets: tuple[str, ...] = TARGETS


AUDIO = "audio"
OURS = (
    Ours("2-Stage [8]", AUDIO, "alternatives", "two_stage", targets=TARGETS[1:]),
    Ours(
        "Audio Embedding [24]", "audio, features of a pretrained network", "baselines", "svm_embeddings"
    ),  # a user's own weights
    Ours("SVM [17]", "audio, hand-made features; folds by song", "baselines", "svm_top100_song"),
    Ours("SVM [17]", "audio, hand-made features; folds by artist", "baselines", "svm_top100_artist"),
    Ours("Proposed* (without L_KL)", AUDIO, "ablations", "without_consistency"),
    Ours("Proposed", AUDIO, "song_decision", "self_learning", "svm", TARGETS[:2]),
    Ours(
        "Proposed", AUDIO, "durations", "seconds_1", "svm", TARGETS[2:]
    ),  # its Table 2: 1 s for arousal, 3 s for the others
    Ours(
        "Proposed",
        "audio; second stage as printed",
        "song_decision",
        "self_learning",
        "svm_in_sample",
        TARGETS[:2],
    ),
    Ours(
        "Proposed", "audio; second stage as printed", "durations", "seconds_1", "svm_in_sample", TARGETS[2:]
    ),
    Ours("not in the table: most frequent class", "nothing", "song_decision", "inherit", "most_frequent"),
    Ours("not in the table: inherited labels", AUDIO, "song_decision", "inherit"),
    Ours("not in the table: the same, majority vote", AUDIO, "song_decision", "inherit", "majority_vote"),
    Ours(
        "not in the table: the same, maximum run length",
        AUDIO,
        "song_decision",
        "inherit",
        "maximum_run_length",
    ),
    Ours("not in the table: soft labels", AUDIO, "alternatives", "soft_labels"),
    Ours("not in the table: SVM on log-mel statistics", AUDIO, "baselines", "svm_log_mel_artist"),
)


def table_3(compared: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every row of SSSL's Table 3 for 4Q and those it lacks: what it hears, the printed figure and ours,
    ready to read.

    Parameters
    ----------
    compared : comparisons by experiment
    """
    shown = (
        published()
        .query("paper == 'sssl' and table == 3 and dataset == '4Q'")
        .set_index(["system", "metric"])["value"]
    )
    rows = []
    for ours, target, measure in itertools.product(OURS, TARGETS, ("accuracy", "f1")):
        key = (ours.system, f"{'four_class' if target == 'emotion' else target}_{measure}")
        lacking = ours.system not in shown and measure == "accuracy"
        if target not in ours.targets or (key not in shown and not lacking):
            continue
        own = pd.DataFrame()
        if ours.experiment in compared:
            found = scores(compared[ours.experiment], metric_of(target, measure), target, ours.decision)
            own = found[found["label"] == ours.label]
        rows.append({
            "system": ours.system, "figure": f"{TARGET_NAMES[target]} {measure.replace('f1', 'F1')}", "hears": ours.hears,
            "printed": "" if lacking else f"{shown[key] / 100:.3f}",
            "our figure": spoken(own.iloc[0]) if len(own) else "not run yet",
            "songs": str(own["n"].iloc[0]) if len(own) else "", "our run": f"{ours.experiment}: {ours.label}",
        })  # fmt: skip
    return pd.DataFrame(rows).set_index(["system", "figure"])
