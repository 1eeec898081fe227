"""Every number that a page may quote, from the records, the shipped model and what the papers print."""

import numpy as np
import pandas as pd

from mer_companion import experiments, provenance, results
from mer_companion.analysis import audit, clean_probability, other_collections, shares, tables
from mer_companion.experiments import kinds
from mer_companion.runs import tag_scoring
from mer_companion.runs.settings import NoiseMap
from mer_core import datasets, trained_model
from mer_core.evaluation import metrics

OF_MEDIAEVAL = frozenset(experiments.mediaeval.EXPERIMENTS | experiments.emotify.EXPERIMENTS)
PAPERS = {"sssl": frozenset(experiments.EXPERIMENTS) - OF_MEDIAEVAL, "mediaeval": OF_MEDIAEVAL}
Numbers = dict[str, float | int]


def numbers() -> Numbers:
    """All numbers, by key.

    Metrics have the key ``experiment/label/target/decision/metric``; differences from the reference run
    ``experiment/label/difference/target/decision``, which is that in accuracy, and with ``/metric`` behind it
    those in others; a label with several references has ``difference_from_reference`` in place of
    ``difference``. With ``/low`` and ``/high`` behind it, the ends of the 95 % interval, with ``/p`` the
    p-value. All are means over seeds. What else there is: see the functions called here.
    """
    found = rated(recorded_or_none("annotation_noise"))
    found |= figure_2(headline := recorded_or_none("segments_to_songs")) | on_two_folds(headline)
    found |= lowest_run(recorded_or_none("networks_that_teach"))
    found |= kept_by_peers(recorded_or_none("known_noise"))
    for name in ("noisy_student", "long_and_short", "mirable_as_released"):
        found |= negative_pseudo_labels(recorded_or_none(name))
    found |= of_model(trained_model.shipped().card)
    found |= always_high("pmemo")
    found |= first_fold(recorded_or_none("beyond")) | found_departures(recorded_or_none("drift"))
    for name in experiments.EXPERIMENTS:
        records = recorded_or_none(name)
        if records and kinds.of_record(records[0]).compare:
            found |= scored(name, results.comparison(name, recorded_at(name)))
            found |= found_wrong_labels(name, records) | costs(name, records)
        elif name == "collections":
            found |= of_collections(records)
        elif records and records[0]["config"]["method"]["name"] == NoiseMap.method_name:
            found |= of_noise_map(name, records) | costs(name, records)
    found |= across_collections(recorded_or_none("across_collections"))
    for emotion, known in shares.agreement().to_dict("index").items():
        found |= {f"emotify/{emotion}/{name}": value for name, value in known.items()}
    found |= on_emotify(recorded_or_none("shares"))
    for paper, of_paper in PAPERS.items():
        made = [record for name in sorted(of_paper) for record in recorded_or_none(name)]
        found[f"budget/{paper}/core_hours"] = budget([r for r in made if not provenance.on_gpu(r)])
        found[f"budget/{paper}/gpu_hours"] = budget([r for r in made if provenance.on_gpu(r)])
    for row in tables.published().itertuples():
        found[f"published/{row.paper}/{row.table}/{row.dataset}/{row.system}/{row.metric}"] = row.value / 100
    return found


def recorded_at(name: str) -> str:
    """The preset whose records the book shows of an experiment."""
    return experiments.EXPERIMENTS[name].recorded_at


def recorded_or_none(name: str, preset: str | None = None) -> list[dict]:
    """The records of an experiment, by default those that the book shows; or an empty list."""
    try:
        return experiments.recorded(name, preset or recorded_at(name))
    except results.RecordError:
        return []


def with_interval(key: str, row) -> Numbers:
    """The value of a row of metrics under a key, and the ends of its interval."""
    return {key: row["value"], f"{key}/low": row["low"], f"{key}/high": row["high"]}


def always_high(dataset: str) -> Numbers:
    """F1 of the class "high" of answering "high" to every track, labels divided at the scale's midpoint."""
    counts = audit.class_counts(datasets.card(dataset)["expected"])
    return {
        f"audit/{dataset}/{target}/always_high/f1": audit.constant_answer(counts[target], 1)["positive"] / 100
        for target in ("valence", "arousal")
    }


def of_model(card: dict) -> Numbers:
    """Scores and calibration of the shipped model's recipe, on songs that its networks had not seen."""
    known = card["out_of_fold"]
    found = {"model/songs": known["n"], "model/temperature": known["temperature"]}
    found |= {f"model/level/{name}": value for name, value in card["level"].items()}
    found["model/loudness_db"] = card["settings"]["features"]["loudness_db"]
    calibration = known["calibration"]
    rows = dict(known["scores"])
    for dimension in ("valence", "arousal"):
        after = known[dimension]["calibration"]["after"]
        rows[f"{dimension}/accuracy"] = known[dimension]["scores"]["accuracy"]
        rows[f"{dimension}/calibration_error"] = after["calibration_error"]
    for when in ("before", "after"):
        rows[f"calibration_error/{when}"] = calibration[when]["calibration_error"]
    rows["calibration_error/windows"] = calibration["error_of_windows"]
    rows["surprise_saved"] = calibration["surprise_saved"]
    for name, row in rows.items():
        found |= with_interval(f"model/{name}", row)
    return found


def of_noise_map(name: str, records: list[dict]) -> Numbers:
    """Every cell's scores and gains: ``experiment/method/noise_unit_rate/setting/decision/metric``."""
    found: Numbers = {}
    for row in (row for record in records for row in record["metrics"]):
        noise = f"{row['noise']}_{row['unit']}_{row['rate']:.0%}".rstrip("%") if row["rate"] else "none"
        key = f"{name}/{row['method']}/{noise}/{row['setting']}/{row['decision']}/{row['name']}"
        found |= with_interval(key, row)
    return found


def of_collections(records: list[dict]) -> Numbers:
    """Scores and gains by collection, and the random-effects means of the gains over collections of music.

    ``collections/dataset/method/metric``; ``collections/mean/method/measure`` with the measures
    macro_f1_gain, p, p_holm, tau, i2, p_q and detectable.
    """
    found: Numbers = {}
    if not {record["config"]["dataset"] for record in records} >= set(other_collections.MUSIC):
        return found
    for row in other_collections.scores(records).to_dict("records"):
        key = f"collections/{row['collection']}/{row['method']}/{row['name']}"
        found |= with_interval(key, row) | ({} if pd.isna(row["p"]) else {f"{key}/p": row["p"]})
    for row in other_collections.summaries(other_collections.gains(records)).to_dict("records"):
        stem = f"collections/mean/{row['method']}"
        found |= with_interval(f"{stem}/{other_collections.GAIN}", row)
        found |= {f"{stem}/{name}": row[name] for name in ("p", "p_holm", "tau", "i2", "p_q", "detectable")}
    trainings = {f"collections/{r['label']}/seeds": r["config"]["trainings"] for r in records}
    return found | costs("collections", records) | trainings


def across_collections(records: list[dict]) -> Numbers:
    """What every source scores on every collection: ``across_collections/source/dataset/target/metric``."""
    found: Numbers = {}
    for record in records:
        for row in record["metrics"]:
            key = f"across_collections/{row['source']}/{row['dataset']}/{row['target']}/{row['name']}"
            found |= with_interval(key, row)
    return found | costs("across_collections", records)


def on_emotify(records: list[dict]) -> Numbers:
    """Spearman's correlation of each emotion, ``shares/label/emotion/scores/spearman``, and with agreement.

    ``shares/label/spearman_by_reliability`` is the rank correlation of the two over emotions.
    """
    found: Numbers = {}
    for label, rows in shares.by_emotion(records).groupby("run") if records else ():
        for row in rows.to_dict("records"):
            found |= with_interval(f"shares/{label}/{row['emotion']}/{tag_scoring.SCORES}/spearman", row)
        by_rank = rows["value"].corr(rows["split_half"], method="spearman")
        found[f"shares/{label}/spearman_by_reliability"] = float(by_rank)
    return found


def lowest_run(records: list[dict]) -> Numbers:
    """The ROC-AUC of the worst training run of each label: a run at a half never learned."""
    found: Numbers = {}
    for record in records:
        row = results.value(record, name="roc_auc", target=tag_scoring.MACRO, decision=tag_scoring.SCORES)
        key = f"{record['experiment']}/{record['label']}/lowest_roc_auc"
        found[key] = min(row["value"], found.get(key, 1.0))
    return found


def negative_pseudo_labels(records: list[dict]) -> Numbers:
    """The share of a student's pseudo-labels that say no, least over a label's runs; at 0 all say yes."""
    found: Numbers = {}
    for record in records:
        shares = [
            (row["sure_share"], row["sure_positive_share"])
            for log in record["log"]
            for row in log
            if row.get("sure_share")
        ]
        if shares:
            key = f"{record['experiment']}/{record['label']}/negative_pseudo_labels"
            share = min(1 - positive / sure for sure, positive in shares)
            found[key] = min(share, found.get(key, 1.0))
    return found


def kept_by_peers(records: list[dict]) -> Numbers:
    """Share of right labels among the windows that co-teaching keeps in its last epoch, mean over folds."""
    return {
        f"{record['experiment']}/{record['label']}/windows/kept/truly_clean": float(
            np.mean([log[-1]["truly_clean_in_clean_set"] for log in record["log"]])
        )
        for record in records
        if record["config"]["method"]["name"] == "co_teaching"
    }


def found_departures(records: list[dict], label: str = "inherit_20") -> Numbers:
    """ROC-AUC of a mixture over unseen songs for windows that depart from their label, first seed."""
    found = {}
    for record in (r for r in records if r["label"] == label and r["config"]["seed"] == 0):
        rows = clean_probability.judged(record, datasets.load(record["config"]["dataset"]))
        auc = metrics.roc_auc(rows["truly_clean"].to_numpy(), rows["clean_probability"].to_numpy())
        found[f"hear/{label}/windows/clean_probability/auc"] = auc
    return found


def first_fold(records: list[dict]) -> Numbers:
    """Macro F1 of `beyond` in the first fold alone, on whose training songs the features were decided."""
    found = {}
    for record in records:
        decision = results.main_decision(record)
        row = results.value(record, fold=0, name="macro_f1", target="emotion", decision=decision)
        found[f"beyond/{record['label']}/first_fold/macro_f1"] = row["value"]
    return found


def budget(records: list[dict]) -> float:
    """Hours of a core, or of a GPU, to make these records anew, each run counted once."""
    own = {r["run_id"]: r for r in records if not kinds.of_record(r).of_members}
    return sum(record["cost"]["core_minutes"] for record in own.values()) / 60


def costs(name: str, records: list[dict]) -> Numbers:
    """Mean cost of a label's runs, and how many there are."""
    found: Numbers = {}
    for label in dict.fromkeys(record["label"] for record in records):
        minutes = [record["cost"]["core_minutes"] for record in records if record["label"] == label]
        found[f"{name}/{label}/core_minutes"] = sum(minutes) / len(minutes)
        found[f"{name}/{label}/seeds"] = len(minutes)
    return found


def found_wrong_labels(name: str, records: list[dict]) -> Numbers:
    """How well the mixture found wrong labels in the last epoch, mean over folds and seeds."""
    rows = tables.detection(records)
    if rows.empty:
        return {}
    last = rows[rows["epoch"] == rows["epoch"].max()].groupby("label").mean(numeric_only=True)
    return {
        f"{name}/{label}/windows/clean_probability/{measure}": float(last.loc[label, measure])
        for label in last.index
        for measure in ("auc", "average_precision", "calibration_error")
    }


def figure_2(records: list[dict], song: str = "MT0010465830") -> Numbers:
    """Share of windows of the paper's Figure 2 that SSSL predicts as labelled (Q1); mean over seeds."""
    sssl = [record for record in records if record["label"] == "self_learning"]
    if not sssl:
        return {}
    q1 = float(np.mean([(results.timeline(r, song)[0].argmax(axis=1) == 0).mean() for r in sssl]))
    stem = f"segments_to_songs/self_learning/{song}/windows"
    return {f"{stem}/share_q1": q1, f"{stem}/share_others": 1 - q1}


def on_two_folds(records: list[dict]) -> Numbers:
    """Accuracy of headline runs on the secondary experiments' two folds: mean, extremes over seeds."""
    shares: dict[str, list[float]] = {}
    for record in records:
        which = {"name": "accuracy", "target": "emotion", "decision": "mean_probability"}
        own = pd.DataFrame([results.value(record, fold=fold, **which) for fold in (0, 1)])
        shares.setdefault(record["label"], []).append(float(np.average(own["value"], weights=own["n"])))
    found = {}
    for label, of_seeds in shares.items():
        stem = f"segments_to_songs/{label}/two_folds"
        found |= {
            stem: float(np.mean(of_seeds)),
            f"{stem}/lowest": min(of_seeds),
            f"{stem}/highest": max(of_seeds),
        }
    return found


def rated(records: list[dict]) -> Numbers:
    """What listeners' ratings show, with intervals: ``annotation_noise/label/target/listeners/measure``."""
    found = {}
    for record in records:
        for row in record["metrics"]:
            stem = f"annotation_noise/{record['label']}/{row['target']}/listeners"
            found |= with_interval(f"{stem}/{row['name'].replace(' ', '_')}", row)
    return found


def scored(name: str, compared: pd.DataFrame) -> Numbers:
    """The numbers of one experiment's comparison, by key."""
    found: Numbers = {}
    references = compared.groupby("label")["against"].nunique()
    for row in compared.to_dict("records"):
        stem = f"{name}/{row['label']}"
        key = f"{stem}/{row['target']}/{row['decision']}/{row['name']}"
        if isinstance(row["against"], str):
            quoted = row["name"] in ("accuracy", "macro_f1") or row["target"] == tag_scoring.MACRO
            if not quoted or name == "leaderboard":
                continue  # the leaderboard compares everyone with everyone: see its page
            several = f"_from_{row['against']}" if references[row["label"]] > 1 else ""
            key = f"{stem}/difference{several}/{row['target']}/{row['decision']}"
            key += "" if row["name"] == "accuracy" else f"/{row['name']}"
            found |= {f"{key}/p": row["p"], f"{key}/p_holm": row["p_holm"]}
        found |= with_interval(key, row) | {f"{stem}/n": row["n"]}
    return found
