"""The mixture's doubt beside the listeners' disagreement, as figures and tables (`runs.listeners`)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_companion.analysis import names, noise_map
from mer_companion.analysis.figures import errors, finished, legend_outside, panels
from mer_companion.analysis.noise_map import with_ends
from mer_companion.analysis.palette import NEUTRAL, PALETTE, of_method
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
    (SSSL, MAIN): "SSSL, 1 - clean probability, in training",
    (SSSL, "loss_in_training"): "SSSL, loss, in training",
    (PLAIN, MAIN): "Plain training, 1 - clean probability, in training",
    (PLAIN, "doubt_out_of_fold"): "Plain training, 1 - clean probability, out of fold",
    (PLAIN, "loss_out_of_fold"): "Plain training, loss, out of fold",
    (PLAIN, "entropy_out_of_fold"): "Plain training, entropy, out of fold",
    ("listeners", "half"): "Half of the listeners, for the other half",
    ("baseline", "second"): "Seconds since the beginning",
    ("baseline", "class"): "Disagreement on the class elsewhere",
}
DRAWN = [(SSSL, MAIN), (PLAIN, "loss_out_of_fold"), (PLAIN, "entropy_out_of_fold"), ("listeners", "half")]
NOISES = {"none": "labels", "one_listener": "one listener", "symmetric": "symmetric"}


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
        for (method, score), words in SCORES.items():
            own = of_level[(of_level["method"] == method) & (of_level["name"] == f"{score}_{measure}")]
            without = method == "baseline" and level not in ("windows", "songs")
            for row in () if without else own.itertuples():
                chance = 0.5 if measure == "auc" else 0.0
                names = {"question": question, "score": words, "main": (method, score) == (SSSL, MAIN)}
                names |= {"collection": collection, "level": level, "measure": measure, "chance": chance}
                table.append(names | {"value": row.value, "low": row.low, "high": row.high})
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


def by_clean_probability(rows: pd.DataFrame) -> Figure:
    """Mean disagreement of listeners in fifths of the windows (VGMIDI) or songs (Emotify)."""
    drawn = rows[rows["name"].str.startswith("disagreement_bin")]
    fig, axes = panels(3.0, 2)
    titles = ("VGMIDI, windows", "Emotify, songs")
    ylabels = ("Listeners who disagree with the label", "Pairs of listeners who disagree")
    for ax, collection, title, ylabel in zip(axes, COLLECTIONS, titles, ylabels, strict=True):
        for method in (SSSL, PLAIN):
            colour, marker = of_method(method)
            own = drawn[(drawn["collection"] == collection) & (drawn["method"] == method)]
            style = {"marker": marker, "ms": 4, "capsize": 2, "color": colour, "label": names.label(method)}
            ax.errorbar(own["at"], own["value"], errors(own), **style)
        ax.set_title(title, fontsize=9)
        ax.set(xlabel="Clean probability in training", ylabel=ylabel, ylim=(0, None))
    legend_outside(axes[0], "lower center", 2)
    return finished(fig, drawn[["collection", "method", "name", "at", "value", "low", "high"]])


def correlations(table: pd.DataFrame) -> Figure:
    """Rank correlation with the listeners' disagreement, a row per question, a colour per score."""
    words = [SCORES[own] for own in DRAWN]
    own = table[table["score"].isin(words) & (table["measure"] != "auc")]
    fig, [ax] = panels(4.2)
    questions = list(dict.fromkeys(own["question"]))[::-1]
    for i, (score, marker, colour) in enumerate(zip(words, "osD^", PALETTE, strict=False)):
        rows = own[own["score"] == score]
        place = rows["question"].map(questions.index) + 0.16 * (1.5 - i)
        style = {"fmt": marker, "ms": 4, "capsize": 2, "color": colour, "label": score}
        ax.errorbar(rows["value"], place, xerr=errors(rows), **style)
    ax.axvline(0, color=NEUTRAL, lw=0.8, ls=":")
    ax.set_yticks(range(len(questions)), questions, fontsize=8)
    ax.set_xlabel("Rank correlation with listeners' disagreement")
    legend_outside(ax, "lower center", 2)
    return finished(fig, own[["question", "score", "value", "low", "high"]])


def association_table(table: pd.DataFrame) -> pd.DataFrame:
    """Every question and score in a line; corrected p-value and verdict of the main score."""
    return pd.DataFrame({
        "listeners' disagreement over": table["question"],
        "score": table["score"],
        "value": [with_ends(*ends) for ends in table[["value", "low", "high"]].to_numpy()],
        "p (Holm)": table["p_holm"].map("{:.3f}".format).where(table["p_holm"].notna(), ""),
        "detectable (80 % power)": table["detectable"].map("{:.3f}".format),
        "verdict": table["verdict"],
    })  # fmt: skip


def gains(records: list[dict]) -> pd.DataFrame:
    """The cells of the noise maps of all collections, Holm over all gains of a collection."""
    tables = [noise_map.cells(record).assign(collection=record["data"]["name"]) for record in records]
    return pd.concat(tables, ignore_index=True)


def gains_by_noise(cells: pd.DataFrame) -> Figure:
    """Gain of every method over plain training under each noise, a panel for each collection."""
    drawn = cells[cells["gain"].notna()]
    fig, axes = panels(3.4, 2, sharey=True, sharex=True)
    methods = list(dict.fromkeys(drawn["method"]))[::-1]
    for ax, (collection, title) in zip(axes, COLLECTIONS.items(), strict=True):
        for i, ((noise, words), marker, colour) in enumerate(
            zip(NOISES.items(), "osD", PALETTE, strict=False)
        ):
            own = drawn[(drawn["collection"] == collection) & (drawn["noise"] == noise)]
            ends = [own["gain"] - own["gain_low"], own["gain_high"] - own["gain"]]
            place = own["method"].map(methods.index) + 0.2 * (1 - i)
            style = {"fmt": marker, "ms": 4, "capsize": 2, "color": colour, "label": words}
            ax.errorbar(own["gain"], place, xerr=ends, **style)
        ax.axvline(0, color=NEUTRAL, lw=0.8, ls=":")
        ax.set_title(title, fontsize=9)
        ax.set_xlabel("Gain in macro F1")
    axes[0].set_yticks(range(len(methods)), [names.label(method) for method in methods], fontsize=8)
    legend_outside(axes[0], "lower center", 3)
    return finished(fig, drawn[["collection", "method", "noise", "gain", "gain_low", "gain_high"]])


def noise_table(cells: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Every method under every noise: macro F1, gain, what the noise costs it, detection of wrong labels."""
    table = []
    guesses = rows[rows["name"] == "macro_f1_most_frequent"]
    for row in guesses.itertuples():
        trivial = {"method": "Most frequent label", "macro F1": with_ends(row.value, row.low, row.high)}
        table.append({"collection": COLLECTIONS[row.collection], "labels": NOISES["none"]} | trivial)
    for row in cells.itertuples():
        keys = (rows["collection"] == row.collection) & (rows["method"] == row.method)
        own = rows[keys & (rows["noise"] == row.noise)].drop_duplicates("name").set_index("name")
        line = {"collection": COLLECTIONS[row.collection], "labels": NOISES[row.noise]}
        line |= {"method": names.label(row.method), "macro F1": with_ends(row.value, row.low, row.high)}
        if not np.isnan(row.gain):
            line["gain on plain"] = with_ends(row.gain, row.gain_low, row.gain_high, "+")
            line |= {"p (Holm)": f"{row.p_holm:.3f}", "detectable (80 % power)": f"{row.detectable:.3f}"}
            line["verdict"] = row.verdict
        for name, column, sign in (
            ("macro_f1_cost", "less than with the labels", "+"),
            ("detection_auc", "AUC of wrong labels", ""),
        ):
            if name in own.index:
                line[column] = with_ends(*own.loc[name, ["value", "low", "high"]].astype(float), sign)
        table.append(line)
    return pd.DataFrame(table).fillna("")
