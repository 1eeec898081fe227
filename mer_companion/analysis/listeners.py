"""The mixture's doubt beside the listeners' disagreement, as figures and tables (`runs.listeners`)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_companion.analysis import findings, names, noise_map
from mer_companion.analysis.figures import errors, finished, legend_outside, panels
from mer_companion.analysis.noise_map import p_text, with_ends
from mer_companion.analysis.palette import CLEAN, NEUTRAL, NOISY, of_method
from mer_core.evaluation import significance

COLLECTIONS = {"vgmidi": "VGMIDI", "emotify_quadrants": "Emotify"}
SSSL, PLAIN, MAIN = "self_learning", "inherit", "doubt_in_training"
QUESTIONS = {  # (collection, level, measure): in words
    ("vgmidi", "windows", "auc"): "VGMIDI, windows (AUC)",
    ("vgmidi", "windows", "correlation"): "VGMIDI, windows",
    ("vgmidi", "windows_given_class", "correlation"): "VGMIDI, windows given class",
    ("vgmidi", "within_pieces", "correlation"): "VGMIDI, windows within pieces",
    ("vgmidi", "songs_given_all", "against_label_correlation"): "VGMIDI, pieces given class",
    ("emotify_quadrants", "songs", "pairwise_correlation"): "Emotify, songs",
    ("emotify_quadrants", "songs_given_all", "pairwise_correlation"): "Emotify, songs given the rest",
    ("emotify_quadrants", "songs_given_all", "against_label_correlation"):
        "Emotify, songs given the rest (against label)",
}  # fmt: skip
SCORES = {  # (method, score): in words
    (SSSL, MAIN): "1 − clean probability, in training",
    (SSSL, "loss_in_training"): "loss, in training",
    (PLAIN, MAIN): "1 − clean probability, in training",
    (PLAIN, "doubt_out_of_fold"): "1 − clean probability, out of fold",
    (PLAIN, "loss_out_of_fold"): "loss, out of fold",
    (PLAIN, "entropy_out_of_fold"): "entropy, out of fold",
    ("listeners", "half"): "Half of the listeners, for the other half",
    ("baseline", "second"): "Seconds since the beginning",
    ("baseline", "class"): "Disagreement on the class elsewhere",
}
DRAWN = {  # score: colour, marker and its filling
    (SSSL, MAIN): (*of_method(SSSL), None),
    (PLAIN, "loss_out_of_fold"): (*of_method(PLAIN), None),
    (PLAIN, "entropy_out_of_fold"): (*of_method(PLAIN), "white"),
    ("listeners", "half"): (NEUTRAL, "|", None),
}
NOISES = {  # labels of training songs: in words, colour, marker
    "none": ("label of all listeners", CLEAN, "o"),
    "one_listener": ("one listener's answer", NOISY, "s"),
    "symmetric": ("symmetric noise", NEUTRAL, "D"),
}
DIFFERENCES = {  # (noise, name): in words, and the methods of which a fall was predicted
    ("one_listener", "macro_f1_cost"): ("macro F1, one listener − all listeners", (PLAIN,)),
    ("symmetric", "macro_f1_cost"): ("macro F1, symmetric noise − all listeners", ()),
    ("one_listener", "macro_f1_from_symmetric"): ("macro F1, one listener − symmetric noise", ()),
    ("one_listener", "detection_auc_from_symmetric"):
        ("AUC of wrong labels, one listener − symmetric noise", (PLAIN, SSSL)),
}  # fmt: skip


def in_words(method: str, score: str) -> str:
    """A score in words, with the method whose networks give it."""
    words = SCORES[method, score]
    return f"{names.label(method)}: {words}" if method in (SSSL, PLAIN) else words


def metrics(records: list[dict]) -> pd.DataFrame:
    """All metrics of all collections, with the column ``collection``."""
    tables = [pd.DataFrame(record["metrics"]).assign(collection=record["data"]["name"]) for record in records]
    return pd.concat(tables, ignore_index=True)


def found(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per question and score: rank correlation, or AUC, with the listeners' disagreement.

    The AUC's ``effect`` is its distance from a half. ``p_holm`` is corrected over the questions, of SSSL's
    clean probability in training alone.
    """
    table = []
    for (collection, level, measure), question in QUESTIONS.items():
        of_level = rows[(rows["collection"] == collection) & (rows["decision"] == level)]
        for method, score in SCORES:
            own = of_level[(of_level["method"] == method) & (of_level["name"] == f"{score}_{measure}")]
            without = method == "baseline" and level not in ("windows", "songs")
            for row in () if without else own.itertuples():
                chance = 0.5 if measure == "auc" else 0.0
                line = {"question": question, "score": in_words(method, score)}
                line |= {"main": (method, score) == (SSSL, MAIN), "measure": measure, "chance": chance}
                table.append(line | {"value": row.value, "low": row.low, "high": row.high})
    table = pd.DataFrame(table)
    effect, ends = table["value"] - table["chance"], table[["low", "high"]].sub(table["chance"], axis=0)
    table["detectable"] = significance.detectable_effect(table["low"], table["high"])
    p = significance.p_from_interval(effect, ends["low"], ends["high"])
    table.loc[table["main"], "p_holm"] = significance.holm(p[table["main"]].to_numpy())
    table["verdict"] = [verdict(e, p) for e, p in zip(effect, table["p_holm"], strict=True)]
    return table


def verdict(effect: float, p: float) -> str:
    """Whether doubt rises with disagreement, as predicted: supported, contradicted or inconclusive."""
    if np.isnan(p):
        return ""
    return "inconclusive" if p >= 1 - significance.LEVEL else "supported" if effect > 0 else "contradicted"


def recorded(rows: pd.DataFrame) -> list[str]:
    """The collections that rows are of."""
    return [name for name in COLLECTIONS if (rows["collection"] == name).any()]


def by_clean_probability(rows: pd.DataFrame) -> Figure:
    """Mean disagreement of listeners in fifths of the windows (VGMIDI) or songs (Emotify)."""
    drawn = rows[rows["name"].str.startswith("disagreement_bin")]
    collections = recorded(rows)
    fig, axes = panels(3.0, len(collections))
    titles = {"vgmidi": "VGMIDI, windows", "emotify_quadrants": "Emotify, songs"}
    ylabels = {"vgmidi": "Listeners who disagree", "emotify_quadrants": "Pairs who disagree"}
    for ax, collection in zip(axes, collections, strict=True):
        for method in (SSSL, PLAIN):
            colour, marker = of_method(method)
            own = drawn[(drawn["collection"] == collection) & (drawn["method"] == method)]
            style = {"marker": marker, "ms": 4, "capsize": 2, "color": colour, "label": names.label(method)}
            ax.errorbar(own["at"], own["value"], errors(own), **style)
        ax.set_title(titles[collection], fontsize=9)
        ax.set(
            xlabel="Clean probability in training", ylabel=f"{ylabels[collection]} (share)", ylim=(0, None)
        )
    legend_outside(axes[0], "lower center", 2)
    table = drawn[["collection", "method", "name", "at", "value", "low", "high"]]
    fifth = drawn["collection"].map(COLLECTIONS) + ", " + drawn["method"].map(names.label)
    fifth += ", fifth " + drawn["name"].str[-1]
    return finished(fig, table, findings.extremes(fifth, drawn["value"]))


def correlations(table: pd.DataFrame) -> Figure:
    """Rank correlation with the listeners' disagreement, a row per question, a colour per method."""
    own = table[table["score"].isin([in_words(*drawn) for drawn in DRAWN]) & (table["measure"] != "auc")]
    questions = list(dict.fromkeys(own["question"]))[::-1]
    fig, [ax] = panels(1.4 + 0.4 * len(questions))
    for i, (drawn, (colour, marker, filling)) in enumerate(DRAWN.items()):
        rows = own[own["score"] == in_words(*drawn)]
        place = rows["question"].map(questions.index) + 0.16 * (1.5 - i)
        style = {"fmt": marker, "ms": 4, "capsize": 2, "color": colour, "mfc": filling or colour}
        ax.errorbar(rows["value"], place, xerr=errors(rows), label=in_words(*drawn), **style)
    ax.axvline(0, color=NEUTRAL, lw=0.8, ls=":")
    ax.set_yticks(range(len(questions)), questions, fontsize=8)
    ax.set_xlabel("Rank correlation with listeners' disagreement")
    legend_outside(ax, "lower center", 2)
    said = findings.extremes(own["question"] + ", " + own["score"], own["value"], "+.3f")
    return finished(fig, own[["question", "score", "value", "low", "high"]], said)


def association_table(table: pd.DataFrame) -> pd.DataFrame:
    """Every question and score in a line; corrected p-value and verdict of the main score."""
    return pd.DataFrame({
        "listeners' disagreement over": table["question"],
        "score": table["score"],
        "value": [with_ends(*ends) for ends in table[["value", "low", "high"]].to_numpy()],
        "p (Holm)": table["p_holm"].map(p_text),
        "detectable (80 % power)": table["detectable"].map("{:.3f}".format),
        "verdict": table["verdict"],
    })  # fmt: skip


def gains(records: list[dict]) -> pd.DataFrame:
    """The cells of the noise maps of all collections, Holm over all gains of a collection."""
    tables = [noise_map.cells(record).assign(collection=record["data"]["name"]) for record in records]
    return pd.concat(tables, ignore_index=True)


def gains_by_noise(cells: pd.DataFrame) -> Figure:
    """Gain of every method over plain training with the same labels, a panel for each collection."""
    drawn = cells[cells["gain"].notna()]
    methods, collections = list(dict.fromkeys(drawn["method"]))[::-1], recorded(drawn)
    fig, axes = panels(3.4, len(collections), sharey=True, sharex=True)
    for ax, collection in zip(axes, collections, strict=True):
        for i, (noise, (words, colour, marker)) in enumerate(NOISES.items()):
            own = drawn[(drawn["collection"] == collection) & (drawn["noise"] == noise)]
            ends = [own["gain"] - own["gain_low"], own["gain_high"] - own["gain"]]
            place = own["method"].map(methods.index) + 0.2 * (1 - i)
            style = {"fmt": marker, "ms": 4, "capsize": 2, "color": colour, "label": words}
            ax.errorbar(own["gain"], place, xerr=ends, **style)
        ax.axvline(0, color=NEUTRAL, lw=0.8, ls=":")
        ax.set_title(COLLECTIONS[collection], fontsize=9)
        ax.set_xlabel("Gain in macro F1")
    axes[0].set_yticks(range(len(methods)), [names.label(method) for method in methods], fontsize=8)
    legend_outside(axes[0], "lower center", 3)
    named = drawn["collection"].map(COLLECTIONS) + ", " + drawn["method"].map(names.label)
    said = findings.extremes(named + ", " + drawn["noise"].map(labels), drawn["gain"], "+.3f")
    return finished(fig, drawn[["collection", "method", "noise", "gain", "gain_low", "gain_high"]], said)


def labels(noise: str) -> str:
    """Whose labels training songs have, in words."""
    return NOISES[noise][0]


def noise_table(cells: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Every method with every kind of labels: macro F1, gain on plain training, detection of wrong labels."""
    table = []
    for row in rows[rows["name"] == "macro_f1_most_frequent"].itertuples():
        trivial = {"method": "Most frequent label", "macro F1": with_ends(row.value, row.low, row.high)}
        table.append({"collection": COLLECTIONS[row.collection], "labels": labels("none")} | trivial)
    detected = rows[rows["name"] == "detection_auc"].set_index(["collection", "method", "noise"])
    for row in cells.itertuples():
        line = {"collection": COLLECTIONS[row.collection], "labels": labels(row.noise)}
        line |= {"method": names.label(row.method), "macro F1": with_ends(row.value, row.low, row.high)}
        if not np.isnan(row.gain):
            line["gain"] = with_ends(row.gain, row.gain_low, row.gain_high, "+")
            line |= {"p (Holm)": p_text(row.p_holm), "detectable (80 % power)": f"{row.detectable:.3f}"}
            line["verdict"] = row.verdict
        key = row.collection, row.method, row.noise
        if key in detected.index:
            line["AUC of wrong labels"] = with_ends(*detected.loc[key, ["value", "low", "high"]])
        table.append(line)
    order = {name: i for i, name in enumerate(COLLECTIONS.values())}
    table = pd.DataFrame(table).fillna("")
    return table.sort_values("collection", key=lambda own: own.map(order), kind="stable", ignore_index=True)


def differences_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What labels of one kind change from another, by method: with p (not corrected) and verdict."""
    table = []
    for row in rows[rows["name"].isin([name for _, name in DIFFERENCES])].itertuples():
        words, falling = DIFFERENCES[row.noise, row.name]
        p = significance.p_from_interval(row.value, row.low, row.high) if np.isnan(row.p) else row.p
        table.append({
            "collection": COLLECTIONS[row.collection],
            "method": names.label(row.method),
            "difference": words,
            "value": with_ends(row.value, row.low, row.high, "+"),
            "p": p_text(p),
            "detectable (80 % power)": f"{significance.detectable_effect(row.low, row.high):.3f}",
            "verdict": verdict(-row.value, p) if row.method in falling else "not predicted",
        })  # fmt: skip
    return pd.DataFrame(table)
