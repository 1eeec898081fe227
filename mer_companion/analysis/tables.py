"""What pages show of records: tidy tables and tables ready to read. Nothing is computed anew; no torch here.

Everywhere: ``compared`` is the table that `results.comparison` gives for an experiment, with its labels'
scores averaged over seeds and their differences from their references; ``records`` are the experiment's
records.
"""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from mer_companion import results
from mer_companion.analysis import names
from mer_companion.results import main_decision, predictions
from mer_core import paths
from mer_core.emotion import high_probability
from mer_core.evaluation import significance, song_decision
from mer_core.evaluation.metrics import RELIABILITY_BINS

TARGETS = ("emotion", "valence", "arousal")
INTERVAL = ["value", "low", "high"]


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
    return rows[["label", *INTERVAL, "n", "seeds"]].reset_index(drop=True)


def differences(
    compared: pd.DataFrame, metric: str = "accuracy", target: str = "emotion", decision: str | None = None
) -> pd.DataFrame:
    """Paired differences of each label from its reference, with interval, p-values and ``seeds``."""
    rows = _chosen(compared[compared["against"].notna()], metric, target, decision)
    return rows[["label", "against", *INTERVAL, "p", "p_holm", "p_t", "seeds"]].reset_index(drop=True)


def _chosen(rows: pd.DataFrame, metric: str, target: str, decision: str | None) -> pd.DataFrame:
    decisions = song_decision.MAIN_DECISIONS if decision is None else [decision]
    right = rows["decision"].isin(decisions) & (rows["name"] == metric) & (rows["target"] == target)
    return rows[right]


def spoken(row, sign: bool = False) -> str:
    """A figure with its interval, ready to read: ``0.640 [0.606, 0.674]``."""
    form = "+.3f" if sign else ".3f"
    return f"{row.value:{form}} [{row.low:{form}}, {row.high:{form}}]"


def side_by_side(rows: pd.DataFrame, index: str, columns: str) -> pd.DataFrame:
    """Figures with their intervals by two columns, in the order of their first appearance."""
    shown = rows.assign(text=[spoken(r) for r in rows.itertuples()]).pivot(
        index=index, columns=columns, values="text"
    )
    return shown.loc[rows[index].unique(), rows[columns].unique()].rename_axis(columns=None)


def decision_table(compared: pd.DataFrame, metric: str = "accuracy", target: str = "emotion") -> pd.DataFrame:
    """One metric with its interval by decision (rows) and label (columns), ready to read."""
    right = (compared["name"] == metric) & (compared["target"] == target)
    shown = side_by_side(compared[compared["against"].isna() & right], "decision", "label")
    known = [name for name in song_decision.DECISION_NAMES if name in shown.index]
    return shown.loc[known].rename(index=song_decision.DECISION_NAMES)


def beside_printed(compared: pd.DataFrame, decision: str = song_decision.MAIN_DECISION) -> pd.DataFrame:
    """Our accuracy and F1 (macro, or positive of two classes) beside those that SSSL prints for 4Q."""
    rows = []
    for target, measure in itertools.product(TARGETS, ("accuracy", "f1")):
        metric = metric_of(target, measure)
        theirs = {"SSSL as printed": f"{printed('4Q', 'Proposed', printed_as(target, measure)):.3f}"}
        own = scores(compared, metric, target, decision).itertuples()
        ours = {names.label(row.label): spoken(row) for row in own}
        rows.append({"target": names.TARGETS[target], "metric": names.label(metric)} | theirs | ours)
    return pd.DataFrame(rows).set_index(["target", "metric"])


def against(
    compared: pd.DataFrame, records: list[dict], metric: str = "accuracy", decision: str | None = None
) -> pd.DataFrame:
    """Each label's score, its difference from its reference song by song, its validation accuracy and its
    cost, ready to read.

    The first p-value is the bootstrap's over artists and seeds, corrected for the number of labels
    (Holm); the second is the corrected resampled t-test's over folds and seeds, not corrected for that
    number.
    """
    differing = {r.label: r for r in differences(compared, metric, "emotion", decision).itertuples()}
    p = "p (Holm)" if len(differing) > 1 else "p"
    references = {r.against for r in differing.values()}
    only = names.label(references.pop()) if len(references) == 1 else ""
    rows = []
    for own in scores(compared, metric, "emotion", decision).itertuples():
        mine = [r for r in records if r["label"] == own.label]
        row = {"run": names.label(own.label), metric: spoken(own), "seeds": len(own.seeds)}
        if (d := differing.get(own.label)) is not None:
            other = "" if only else f" from {names.label(d.against)}"
            row |= {f"difference from {only}" if only else "difference": spoken(d, sign=True) + other}
            row |= {p: f"{d.p_holm:.3f}"} | ({"p (t-test)": f"{d.p_t:.3f}"} if pd.notna(d.p_t) else {})
        checked = [v for r in mine if (v := validation_accuracy(r)) is not None]
        row |= {"validation accuracy": f"{np.mean(checked):.3f}"} if checked else {}
        rows.append(row | {"core-minutes": results.spoken_cost(mine)})
    return pd.DataFrame(rows).set_index("run").fillna("")


def validation_accuracy(record: dict) -> float | None:
    """Mean over folds of the accuracy for quadrants on validation songs; None where there are none."""
    wanted = ("validation", "accuracy", "emotion")
    found = [m["value"] for m in record["metrics"] if (m["part"], m["name"], m["target"]) == wanted]
    return float(np.mean(found)) if found else None


def by_target(compared: pd.DataFrame) -> pd.DataFrame:
    """Differences of the main decision's accuracy for all three targets, which the labels name."""
    rows = [differences(compared, target=t).assign(target=t) for t in TARGETS]
    stacked = pd.concat(rows, ignore_index=True)
    return stacked.assign(
        label=stacked["label"].map(names.label) + ": " + stacked["target"].map(names.TARGETS)
    )


def by_pair(compared: pd.DataFrame, *targets: str, metric: str = "accuracy") -> pd.DataFrame:
    """Differences of the main decision; a label names both runs, and the target where there are several."""
    rows = pd.concat(
        [differences(compared, metric, target).assign(target=target) for target in targets], ignore_index=True
    )
    pairs = rows["label"].map(names.label) + " − " + rows["against"].map(names.label)
    several = ": " + rows["target"].map(names.TARGETS) if len(targets) > 1 else ""
    return rows.assign(label=pairs + several)


def chosen_sources(records: list[dict]) -> pd.DataFrame:
    """How often each set of features was chosen, over the folds of all records that choose one."""
    chosen = [row["source"] for record in records for log in record["log"] for row in log if "source" in row]
    names = pd.Series(chosen, dtype=str, name="features").str.partition(":")[2].str.replace("+", ", ")
    return names.value_counts().rename_axis("features").to_frame("folds")


def difference_table(compared: pd.DataFrame) -> pd.DataFrame:
    """Every difference in accuracy, by target and decision, with both tests, ready to read.

    The bootstrap's p-values are corrected for all rows that the table shows (Holm).
    """
    accuracies = (compared["name"] == "accuracy") & (compared["decision"] != "most_frequent")
    rows = compared[compared["against"].notna() & accuracies]
    rows = rows.assign(p_holm=significance.holm(rows["p"]))
    return pd.DataFrame(
        {
            "target": names.TARGETS[r.target],
            "decision": song_decision.DECISION_NAMES[r.decision],
            "run": names.label(r.label),
            "difference": spoken(r, sign=True),
            "p (bootstrap)": f"{r.p:.3f}",
            "p (Holm, all rows)": f"{r.p_holm:.3f}",
            "p (t-test)": f"{r.p_t:.3f}",
        }
        for r in rows.itertuples()
    ).set_index(["target", "decision"])


def by_duration(compared: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by segment duration beside Table 2 for 4Q: ``target``, ``seconds``, interval, ``printed``."""
    shown, found = printed_table(2, "setting"), []
    for target in TARGETS:
        rows = scores(compared, target=target)
        rows = rows[rows["label"].str.startswith("seconds_")]
        seconds = rows["label"].str.removeprefix("seconds_")
        said = shown.loc[name] if (name := f"{target}_accuracy") in shown.index else {}
        printed = (seconds + " s").map(said).astype(float)
        found.append(rows[INTERVAL].assign(target=target, seconds=seconds.astype(int), printed=printed))
    return pd.concat(found, ignore_index=True)[["target", "seconds", *INTERVAL, "printed"]]


WHOSE = {"ours, mean probability": None, "ours, SVM as printed": "svm_in_sample"}  # and how songs are decided


def table_2(compared: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and F1 by segment duration, ours with interval beside SSSL's Table 2 for 4Q."""
    shown, rows = printed_table(2, "setting"), []
    for target, measure in itertools.product(TARGETS, ("accuracy", "f1")):
        name = {"target": names.TARGETS[target], "metric": measure.replace("f1", "F1")}
        for whose, decision in WHOSE.items():
            found = scores(compared, metric_of(target, measure), target, decision)
            found = found[found["label"].str.startswith("seconds_")]
            ours = {f"{row.label.removeprefix('seconds_')} s": spoken(row) for row in found.itertuples()}
            rows += [name | {"whose": whose} | ours] if ours else []
        if (key := printed_as(target, measure)) in shown.index:
            rows.append(name | {"whose": "printed"} | shown.loc[key].map("{:.3f}".format).to_dict())
    return pd.DataFrame(rows).set_index(["target", "metric", "whose"]).fillna("").sort_index(axis=1)


def printed_table(number: int, by: str) -> pd.DataFrame:
    """The shares in [0, 1] that a table of SSSL prints for 4Q, by metric and by setting or system."""
    rows = published().query("paper == 'sssl' and table == @number and dataset == '4Q'")
    return rows.pivot(index="metric", columns=by, values="value") / 100


def printed_as(target: str, measure: str) -> str:
    """The metric's name in `published`: ``four_class_f1``."""
    return f"{'four_class' if target == 'emotion' else target}_{measure}"


def metric_of(target: str, measure: str) -> str:
    """Our metric for a table's accuracy or F1: macro F1 of four classes, positive F1 of two."""
    return measure if measure == "accuracy" else "macro_f1" if target == "emotion" else "positive_f1"


def nested_choice(compared: pd.DataFrame, records: list[dict]) -> pd.DataFrame:
    """Accuracy when the duration is chosen inside the training folds, and when on the reported songs."""
    rows = []
    for target in TARGETS:
        found = scores(compared, target=target).set_index("label")
        chosen = next(r for r in records if r["label"] == f"chosen_for_{target}")
        durations = found[found.index.str.startswith("seconds_")]
        best, inside = durations["value"].idxmax(), found.loc[chosen["label"]]
        inside_each = ", ".join(log[0]["chosen"].rpartition("_")[2] for log in chosen["log"])
        row = {
            "target": names.TARGETS[target],
            "chosen inside, per fold (s)": inside_each,
            "accuracy": spoken(inside),
            "best on the reported songs (s)": best.removeprefix("seconds_"),
            "its accuracy": spoken(durations.loc[best]),
            "difference": f"{durations.loc[best, 'value'] - inside['value']:+.3f}",
        }
        rows.append(row)
    return pd.DataFrame(rows).set_index("target")


EVALUATED_ON = {
    "learned_windows": "Training windows",
    "unheard_windows": "Test windows",
    "unheard_songs": "Test songs",
}


def learning_curves(records: list[dict]) -> pd.DataFrame:
    """Shares predicted as labelled by ``method``, ``fold``, ``epoch`` and songs ``evaluated on``."""
    return pd.DataFrame(
        {"method": record["label"], "fold": fold, "epoch": row["epoch"] + 1}
        | {"evaluated on": name, "share": row[key]}
        for record in records
        for fold, log in enumerate(record["log"])
        for row in log
        for key, name in EVALUATED_ON.items()
    )


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
    usual, rows = settings[default], []
    for label, own in settings.items():
        moved = [name for name, at in own.items() if at != usual.get(name, at)]
        if len(moved) == 1 and moved != ["name"]:
            rows.append({"setting": moved[0], "at": own[moved[0]], "label": label, "default": False})
    for setting in dict.fromkeys(row["setting"] for row in rows):
        rows.append({"setting": setting, "at": usual[setting], "label": default, "default": True})
    found = scores(compared, decision=decision)[["label", *INTERVAL]]
    return pd.DataFrame(rows).merge(found, on="label", how="left")


def by_decision(compared: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Accuracy by the way to decide on a song: ``condition``, ``method``, ``value``, ``low``, ``high``."""
    short = {
        "mean_probability": "mean\nprobability",
        "svm": "SVM\nout of fold",
        "svm_in_sample": "SVM\nin sample",
        "majority_vote": "majority\nvote",
        "maximum_run_length": "maximum\nrun length",
    }
    rows = [scores(compared, decision=d).assign(condition=name) for d, name in short.items()]
    found = pd.concat(rows, ignore_index=True).rename(columns={"label": "method"})
    return found[found["method"].isin(labels)]


def by_training_songs(compared: pd.DataFrame, epochs: int) -> pd.DataFrame:
    """Macro F1 by training songs (``condition``) and epochs (``method``): ``value``, ``low``, ``high``.

    Parameters
    ----------
    epochs : of the runs whose label names none
    """
    found = scores(compared, "macro_f1")
    songs = found["label"].str.extract(r"songs_(\d+)")[0]
    trained = found["label"].str.extract(r"_(\d+)_epochs")[0].fillna(f"{epochs}") + " epochs"
    found = found.assign(condition=songs.fillna("all"), method=trained, at=songs.astype(float))
    return found.sort_values("at", ignore_index=True)


FEWEST_SONGS = 20  # below this an accuracy says nothing


def accuracies(record: dict) -> list[tuple[str, dict]]:
    """Where a record was tested, at home or on other data, with its rows of accuracy there."""
    decision = main_decision(record)
    rows = [m for m in record["metrics"] if m["name"] == "accuracy" and m["decision"] == decision]
    home = [("at home", m) for m in rows if (m["part"], m["fold"]) == ("test", "all")]
    other = [m for m in rows if m["part"] == "elsewhere" and m["n"] >= FEWEST_SONGS]
    return home + [(f"on {other_collection(m['dataset'])}", m) for m in other]


def other_collection(dataset: str) -> str:
    """A test collection in words; of the synthetic corpus only the one with other artists has options.

    >>> other_collection("4q"), other_collection("synthetic"), other_collection("synthetic:seed=1,spread=2")
    ('4Q', 'synthetic music', 'synthetic music by other artists')
    """
    name, _, options = dataset.partition(":")
    return names.DATASETS.get(name, name) + (OTHER_ARTISTS if options else "")


OTHER_ARTISTS = " by other artists"


def elsewhere(records: list[dict]) -> pd.DataFrame:
    """Accuracy for quadrants at home and on other collections: ``label``, ``n``, value, interval."""
    return pd.DataFrame(
        {
            "label": names.label(record["label"])
            + ("" if place.endswith(OTHER_ARTISTS) else f",\n{place}")  # its label says so
        }
        | {key: row[key] for key in ("n", *INTERVAL)}
        for record in records
        for place, row in accuracies(record)
        if row["target"] == "emotion" and row["n"] >= FEWEST_SONGS
    )


def elsewhere_table(records: list[dict]) -> pd.DataFrame:
    """Accuracy at home and on other collections for all three questions, ready to read."""
    rows: dict[tuple[str, str], dict] = {}
    for record in records:
        for place, row in accuracies(record):
            own = rows.setdefault((names.label(record["label"]), place), {"songs": row["n"]})
            own[names.TARGETS[row["target"]]] = spoken(pd.Series(row))
    return pd.DataFrame(rows.values(), pd.MultiIndex.from_tuples(rows, names=["run", "tested"]))


DETECTION = ["auc", "average_precision", "truly_clean_in_clean_set", "truly_clean"]
DETECTION += ["calibration_error", "bic_gain"]  # measures in training logs


def detection(records: list[dict]) -> pd.DataFrame:
    """How well wrong labels were found: ``label``, ``seed``, ``fold``, ``epoch`` and the log's measures."""
    return pd.DataFrame(
        {"label": record["label"], "seed": record["config"]["seed"], "fold": fold, "epoch": row["epoch"] + 1}
        | {measure: row[measure] for measure in DETECTION}
        for record in records
        for fold, log in enumerate(record["log"])
        for row in log
        if row.get("auc") is not None
    )


def in_the_plane(records: list[dict]) -> pd.DataFrame:
    """Every tested song where a network places it: ``method``, ``track_id``, ``predicted``, ``valence``,
    ``arousal``.

    The last two are the probabilities that they are high, each the mean over the song's windows.
    """
    found = []
    for record in records:
        stored, classes = predictions(record), np.array(record["data"]["classes"])
        mean = song_decision.mean_probability(stored["test"], stored["test_track"])
        songs = {"track_id": stored["track_id"][np.unique(stored["test_track"])]}
        songs |= {"predicted": classes[mean.argmax(axis=1)]} | high_probabilities(mean)
        found.append(pd.DataFrame({"method": record["label"], **songs}))
    return pd.concat(found, ignore_index=True)


def high_probabilities(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities of high valence and of high arousal from those of the quadrants."""
    return {name: high_probability(probabilities, name) for name in ("valence", "arousal")}


def purity(records: list[dict]) -> pd.DataFrame:
    """Share of right labels among the windows that co-teaching keeps, and among all: columns noise, fold,
    epoch, windows, share.

    Han et al. call it label precision, SELAB's release the pure ratio; known only where the noise was put in.
    """
    return pd.DataFrame(
        {"noise": f"{rate:.0%} of labels wrong", "fold": fold, "epoch": row["epoch"] + 1}
        | {"windows": windows, "share": share}
        for record in records
        for rate in [record["config"]["noise"]["rate"]]
        for fold, log in enumerate(record["log"])
        for row in log
        for windows, share in (("kept", row["truly_clean_in_clean_set"]), ("all", 1 - rate))
    )


def annotation_noise_rows(records: list[dict]) -> pd.DataFrame:
    """How often moments contradict their clip, by ``condition`` (data set), ``method`` and ``target``."""
    return pd.DataFrame(
        {"condition": names.label(record["label"]), "method": m["name"], "target": m["target"]}
        | {key: m[key] for key in ("n", *INTERVAL)}
        for record in records
        for m in record["metrics"]
    )


def annotation_noise(records: list[dict], target: str) -> pd.DataFrame:
    """The same for one question, a column per data set, ready to read."""
    rows = annotation_noise_rows(records)
    return side_by_side(rows[rows["target"] == target], "method", "condition").rename_axis(None)


def confusion(record: dict) -> np.ndarray:
    """(n_classes, n_classes) counts of a record's main decision: labels in rows, predictions in columns."""
    return np.array(record["confusion"][main_decision(record)])


def leading(record: dict) -> pd.DataFrame:
    """Songs by the number of classes that lead at some time, with the mean share of the first."""
    stored = predictions(record)
    windows = pd.Series(stored["test"].argmax(axis=1)).groupby(stored["test_track"])
    first = windows.agg(lambda own: own.value_counts(normalize=True).iloc[0])
    found = first.groupby(windows.nunique()).agg(["size", "mean"]).round(3)
    found.columns = ["songs", "mean share of the most frequent"]
    return found.rename_axis("quadrants predicted in a song")


def courses(record: dict, dataset: str) -> dict[str, pd.DataFrame]:
    """Probability of high valence and arousal along the songs of an external test set, by track id.

    Each table has the columns ``second`` (middle of the window), ``valence``, ``arousal``.
    """
    stored, config = predictions(record), record["config"]
    key = f"heard_{config['also_heard'].index(dataset)}"
    middle = stored[f"{key}_second"] + config["window_s"] / 2
    rows = pd.DataFrame({"second": middle} | high_probabilities(stored[key].astype(float)))
    songs = rows.groupby(stored[f"{key}_track_id"][stored[f"{key}_track"]], sort=False)
    return {str(name): own.reset_index(drop=True) for name, own in songs}


def course_agreement(predicted: dict[str, pd.DataFrame], measured: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation between the predicted and the measured course of each song, where both are known."""
    rows = []
    for name, own in predicted.items():
        theirs, row = measured[measured["track_id"] == name], {"song": name}
        for dimension in ("valence", "arousal"):
            felt = np.interp(own["second"], theirs["second"], theirs[dimension], left=np.nan, right=np.nan)
            row[dimension] = own[dimension].corr(pd.Series(felt), method="spearman")
        rows.append(row)
    return pd.DataFrame(rows).set_index("song").round(2)


def reliability(records: list[dict]) -> list[tuple[float, float, int]]:
    """(confidence, accuracy, n) of the clean probability in the last epoch, pooled over folds and seeds."""
    stored = [row for record in records for log in record["log"] for row in log[-1]["reliability"]]
    rows = pd.DataFrame(stored, columns=["confidence", "accuracy", "n"])
    bins = (rows["confidence"] * RELIABILITY_BINS).astype(int).clip(upper=RELIABILITY_BINS - 1)
    pooled = []
    for _, own in rows.groupby(bins):
        confidence, accuracy = np.average(own[["confidence", "accuracy"]], axis=0, weights=own["n"])
        pooled.append((float(confidence), float(accuracy), int(own["n"].sum())))
    return pooled


def under_noise(compared: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by kind of label noise: ``condition``, ``method``, ``value``, ``low``, ``high``."""
    rows = scores(compared)
    methods = "inherit|self_learning|mixture_per_class|co_teaching"
    named = rows["label"].str.extract(f"^(?P<method>{methods})_?(?P<rest>.*)")
    rows = rows.assign(condition=named["rest"].map(names.label), method=named["method"])
    return rows[["condition", "method", *INTERVAL]]


def published() -> pd.DataFrame:
    """What the papers print, in per cent, by paper, table (0: the text), dataset, system, setting, metric."""
    return pd.read_csv(paths.DATA / "published.csv")


def printed(dataset: str, system: str, metric: str, paper: str = "sssl", table: int = 3) -> float:
    """One printed value as a share in [0, 1]."""
    rows = published().query("paper == @paper and table == @table and dataset == @dataset")
    return float(rows.query("system == @system and metric == @metric")["value"].iloc[0]) / 100


class Ours(NamedTuple):
    """Our run for a row of SSSL's Table 3 on 4Q, or for one that the table should have had."""

    system: str
    experiment: str
    label: str
    decision: str | None = None  # by default the main one
    targets: tuple[str, ...] = TARGETS
    input: str = "audio"


PRINTED_STAGE = "audio; second stage as printed"
OURS = (
    Ours("2-Stage [8]", "alternatives", "two_stage", targets=TARGETS[1:]),
    # a user's own weights
    Ours(
        "Audio Embedding [24]", "baselines", "svm_embeddings", input="audio, features of a pretrained network"
    ),
    Ours("SVM [17]", "baselines", "svm_top100_song", input="audio, handcrafted features; folds by song"),
    Ours("SVM [17]", "baselines", "svm_top100_artist", input="audio, handcrafted features; folds by artist"),
    Ours("Proposed* (without L_KL)", "ablations", "without_consistency"),
    # its Table 2: 1 s for arousal, 3 s for the others
    Ours("Proposed", "song_decision", "self_learning", "svm", TARGETS[:2]),
    Ours("Proposed", "durations", "seconds_1", "svm", TARGETS[2:]),
    Ours("Proposed", "song_decision", "self_learning", "svm_in_sample", TARGETS[:2], PRINTED_STAGE),
    Ours("Proposed", "durations", "seconds_1", "svm_in_sample", TARGETS[2:], PRINTED_STAGE),
    Ours("not in the table: most frequent class", "song_decision", "inherit", "most_frequent", input="none"),
    Ours("not in the table: inherited labels", "song_decision", "inherit"),
    Ours("not in the table: the same, majority vote", "song_decision", "inherit", "majority_vote"),
    Ours("not in the table: the same, maximum run length", "song_decision", "inherit", "maximum_run_length"),
    Ours("not in the table: soft labels", "alternatives", "soft_labels"),
    Ours("not in the table: SVM on log-mel statistics", "baselines", "svm_log_mel_artist"),
)


def table_3(compared: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every row of SSSL's Table 3 for 4Q and those it lacks: its input, the printed value and ours, ready to
    read.

    Parameters
    ----------
    compared : comparisons by experiment
    """
    shown, rows = printed_table(3, "system"), []
    for ours, target, measure in itertools.product(OURS, TARGETS, ("accuracy", "f1")):
        key = printed_as(target, measure)
        said = shown.get(ours.system, pd.Series(dtype=float)).dropna()
        lacking = said.empty and measure == "accuracy"
        if target not in ours.targets or (key not in said and not lacking):
            continue
        own = pd.DataFrame()
        if ours.experiment in compared:
            found = scores(compared[ours.experiment], metric_of(target, measure), target, ours.decision)
            own = found[found["label"] == ours.label]
        row = {
            "system": ours.system,
            "metric": f"{names.TARGETS[target]} {measure.replace('f1', 'F1')}",
            "input": ours.input,
            "printed": "" if lacking else f"{said[key]:.3f}",
            "ours": spoken(own.iloc[0]) if len(own) else "not run yet",
            "songs": str(own["n"].iloc[0]) if len(own) else "",
            "our run": f"{names.experiment(ours.experiment)}: {names.label(ours.label)}",
        }
        rows.append(row)
    return pd.DataFrame(rows).set_index(["system", "metric"])
