"""Methods and transfer on several collections of music, as tables and figures."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mer_companion.analysis import findings, names
from mer_companion.analysis.figures import errors, finished, legend_outside, named_rows, panels
from mer_companion.analysis.noise_map import p_text, verdict_on, with_ends
from mer_companion.analysis.palette import NEUTRAL, PALETTE, of_method
from mer_core.evaluation import meta_analysis, significance

NAMES = {  # what is not audio as it was recorded, or no label as it was given, says so
    "4q": "4Q",
    "emopia": "EMOPIA (rendered)",
    "emotify_quadrants": "Emotify (felt, mapped)",
    "vgmidi": "VGMIDI (rendered)",
    "synthetic": "Synthetic",
    "others": "Others joined",
}
MUSIC = tuple(NAMES)[:4]  # what summaries are about
SUMMARY = "Random-effects mean"
PLAIN, MAIN = "inherit", "self_learning"
GAIN = "macro_f1_gain"
MOST_FREQUENT = "most_frequent"
ENDS = ["value", "low", "high"]


def shown_name(name: str) -> str:
    """A collection or a source, as pages call it.

    >>> shown_name("all but 4q"), shown_name("emopia")
    ('All but 4Q', 'EMOPIA (rendered)')
    """
    if name.startswith("all but "):
        return f"All but {NAMES[name.removeprefix('all but ')]}"
    return NAMES.get(name, {"all": "All four", MOST_FREQUENT: "Most frequent class"}.get(name, name))


def scores(records: list[dict]) -> pd.DataFrame:
    """A row per collection, method and metric, from one record of each; gains have a p-value."""
    rows = [
        row | {"collection": record["config"]["dataset"]} for record in records for row in record["metrics"]
    ]
    table = pd.DataFrame(rows)
    return table[["collection", "method", "name", *ENDS, "p", "n"]]


def gains(records: list[dict]) -> pd.DataFrame:
    """Every method's gain in macro F1 on plain training, by collection.

    ``detectable`` is the smallest gain seen with a power of 80 %; ``p_holm`` is corrected over all methods on
    all collections of music, and missing elsewhere.
    """
    rows = scores(records)
    rows = rows[rows["name"] == GAIN].drop(columns="name").reset_index(drop=True)
    rows["detectable"] = significance.detectable_effect(rows["low"], rows["high"])
    music = rows["collection"].isin(MUSIC)
    p = significance.p_from_interval(*(rows.loc[music, end] for end in ENDS))
    rows.loc[music, "p_holm"] = significance.holm(p.to_numpy())
    return rows


def summaries(rows: pd.DataFrame) -> pd.DataFrame:
    """The random-effects mean of each method's gains over the collections of music (`meta_analysis`).

    ``p_holm`` is corrected over the methods.
    """
    found = []
    for method, own in rows[rows["collection"].isin(MUSIC)].groupby("method", sort=False):
        errors_of = significance.standard_error(own["low"].to_numpy(), own["high"].to_numpy())
        found.append({"method": method} | meta_analysis.random_effects(own["value"], errors_of)._asdict())
    table = pd.DataFrame(found)
    return table.assign(p_holm=significance.holm(table["p"].to_numpy()))


def forest(rows: pd.DataFrame) -> Figure:
    """Gains over plain training by collection, a marker for each method, and their random-effects means."""
    means = summaries(rows).assign(collection=SUMMARY)
    drawn = pd.concat([rows, means[["collection", "method", *ENDS, "detectable", "p_holm"]]])
    synthetic = [name for name in drawn["collection"].unique() if name not in (*MUSIC, SUMMARY)]
    places = [*(name for name in MUSIC if name in set(drawn["collection"])), SUMMARY, *synthetic]
    fig, [ax] = panels(1.0 + 0.62 * len(places))
    methods = list(dict.fromkeys(rows["method"]))
    for i, method in enumerate(methods):
        own = drawn[drawn["method"] == method]
        y = np.array([len(places) - 1 - places.index(name) for name in own["collection"]])
        colour, marker = of_method(method)
        how = {"fmt": marker, "color": colour, "capsize": 2, "ms": 5, "label": names.label(method)}
        ax.errorbar(own["value"], y + 0.16 * ((len(methods) - 1) / 2 - i), xerr=errors(own), **how)
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    named_rows(ax, map(shown_name, places))
    boundary = len(places) - 1 - places.index(SUMMARY)
    ax.axhspan(boundary - 0.5, boundary + 0.5, color="0.95", zorder=0)
    ax.set_xlabel("Gain in macro F1 over plain training")
    legend_outside(ax, "upper center", 2)
    labels = drawn["method"].map(names.label) + ", " + drawn["collection"].map(shown_name)
    return finished(fig, drawn, findings.differences(drawn.assign(label=labels)))


def by_collection(records: list[dict], transfer: dict) -> pd.DataFrame:
    """Every method on every collection: macro F1 and accuracy, gain, p-value, detectable gain, verdict.

    Parameters
    ----------
    transfer : the record across collections, which has each collection's most frequent class
    """
    found, gained = scores(records), gains(records).set_index(["collection", "method"])
    ends = found.set_index(["collection", "method", "name"])[ENDS]
    constant = matrix(transfer).set_index(["source", "dataset", "target", "name"])[ENDS]
    rows = []
    for collection in dict.fromkeys(found["collection"]):
        baseline = constant.loc[MOST_FREQUENT].loc[collection].loc["emotion"]
        rows.append({
            "collection": shown_name(collection),
            "songs": int(found.loc[found["collection"] == collection, "n"].iloc[0]),
            "method": shown_name(MOST_FREQUENT),
            "macro F1": f"{baseline.loc['macro_f1', 'value']:.3f}",
            "accuracy": f"{baseline.loc['accuracy', 'value']:.3f}",
        })  # fmt: skip
        for method in dict.fromkeys(found["method"]):
            own = ends.loc[collection].loc[method]
            row = rows[-1] | {"method": names.label(method)}
            row |= {
                shown: with_ends(*own.loc[name])
                for shown, name in (("macro F1", "macro_f1"), ("accuracy",) * 2)
            }
            if method != PLAIN:
                gain = gained.loc[(collection, method)]
                row |= {
                    "gain in macro F1": with_ends(*gain[ENDS], "+"),
                    "detectable": f"{gain['detectable']:.3f}",
                }
                if collection in MUSIC:
                    row |= {"p (Holm)": p_text(gain["p_holm"])}
                    row |= {"verdict": verdict_on(gain["value"], gain["p_holm"])}
            rows.append(row)
    return pd.DataFrame(rows).fillna("")


def over_collections(rows: pd.DataFrame) -> pd.DataFrame:
    """The random-effects means of `gains`, ready to read."""
    means = summaries(rows)
    return pd.DataFrame({
        "method": means["method"].map(names.label),
        "mean gain in macro F1": [with_ends(*ends, "+") for ends in means[ENDS].to_numpy()],
        "p (Holm)": means["p_holm"].map(p_text),
        "between collections (tau)": means["tau"].map("{:.3f}".format),
        "I²": means["i2"].map("{:.0%}".format),
        "Q": means["q"].map("{:.1f}".format),
        "p of Q": means["p_q"].map(p_text),
        "detectable (80 % power)": means["detectable"].map("{:.3f}".format),
        "verdict": [verdict_on(*pair) for pair in means[["value", "p_holm"]].to_numpy()],
    })  # fmt: skip


def matrix(record: dict) -> pd.DataFrame:
    """A row per source, tested collection, target and metric: ``value``, ``low``, ``high``, ``n``, ``p``."""
    return pd.DataFrame(record["metrics"])[["source", "dataset", "target", "name", *ENDS, "n", "p"]]


def of_metric(record: dict, name: str, target: str = "emotion") -> pd.DataFrame:
    """One metric of `matrix`, sources in rows, tested collections in columns, of their values."""
    rows = matrix(record)
    rows = rows[(rows["name"] == name) & (rows["target"] == target)]
    table = rows.pivot(index="source", columns="dataset", values="value")
    sources = [name for name in dict.fromkeys(rows["source"]) if name != MOST_FREQUENT]
    last = [MOST_FREQUENT] if MOST_FREQUENT in table.index else []
    return table.reindex(index=[*sources, *last], columns=dict.fromkeys(rows["dataset"]))


def heatmap(record: dict, name: str, label: str, target: str = "emotion") -> Figure:
    """One metric by where networks learned (rows) and were tested (columns); framed: the same collection."""
    table = of_metric(record, name, target)
    fig, [ax] = panels(1.2 + 0.33 * len(table))
    worst_first = name == "calibration_error"
    shades = {"cmap": sns.light_palette(PALETTE[1 if worst_first else 0], as_cmap=True), "cbar": False}
    text = table.map("{:.2f}".format).where(table.notna(), "")
    sns.heatmap(table, annot=text, fmt="", ax=ax, annot_kws={"fontsize": 9}, linewidths=0.5, **shades)
    framed(ax, table)
    ax.set(xlabel=f"Tested on ({label})", ylabel="Trained on")
    ax.set_xticklabels(map(shown_name, table), rotation=35, ha="right", rotation_mode="anchor", fontsize=8)
    ax.set_yticklabels([shown_name(source) for source in table.index], rotation=0, fontsize=8)
    ax.tick_params(axis="both", length=0)
    places = table.stack()
    pairs = [f"{shown_name(source)} to {shown_name(tested)}" for source, tested in places.index]
    return finished(fig, table, findings.extremes(pairs, places, ".2f"))


def framed(ax: Axes, table: pd.DataFrame) -> None:
    """Frame the cells of a table whose row and column have one name."""
    for column, name in enumerate(table):
        if name in table.index:
            place = column, list(table.index).index(name)
            ax.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor="0.2", lw=1.5))


def in_order(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Rows sorted by columns of names, each in the order in which its names first come."""
    places = {column: {name: i for i, name in enumerate(dict.fromkeys(rows[column]))} for column in columns}
    return rows.sort_values(list(columns), key=lambda names: names.map(places[names.name]), ignore_index=True)


MEASURES = {  # as the table of `listed` names them: target and metric
    "macro F1": ("emotion", "macro_f1"),
    "accuracy": ("emotion", "accuracy"),
    "valence (accuracy)": ("valence", "accuracy"),
    "arousal (accuracy)": ("arousal", "accuracy"),
    "calibration error": ("emotion", "calibration_error"),
}


def listed(record: dict) -> pd.DataFrame:
    """Every source on every collection, with intervals over groups and trainings."""
    rows = in_order(matrix(record), "dataset", "source")
    found = {}
    for title, (target, name) in MEASURES.items():
        own = rows[(rows["target"] == target) & (rows["name"] == name)].set_index(["dataset", "source"])
        found[title] = pd.Series([with_ends(*ends) for ends in own[ENDS].to_numpy()], own.index)
    table = pd.DataFrame(found).fillna("").reset_index()
    places = [tuple(pair) for pair in rows[["dataset", "source"]].drop_duplicates().to_numpy()]
    table = table.set_index(["dataset", "source"]).loc[places].reset_index()
    table[["dataset", "source"]] = table[["dataset", "source"]].map(shown_name)
    return table.rename(columns={"dataset": "tested on", "source": "trained on"})


def pooled(record: dict) -> pd.DataFrame:
    """What learning from several collections changes against a collection's own songs: ``source``,
    ``dataset``, macro F1, its gain on own songs with p-value (Holm over the collections) and detectable gain.
    """
    rows = matrix(record)
    emotion = rows[rows["target"] == "emotion"].set_index(["source", "dataset", "name"])
    found = []
    for sources in ({name: f"all but {name}" for name in MUSIC}, dict.fromkeys(MUSIC, "all")):
        gained = emotion.loc[[(source, name, GAIN) for name, source in sources.items()]]
        raw = significance.p_from_interval(*(gained[end].to_numpy() for end in ENDS))
        for (name, source), gain, p in zip(
            sources.items(), gained[ENDS].to_numpy(), significance.holm(raw), strict=True
        ):
            row = {
                "dataset": name,
                "source": source,
                "gain": gain[0],
                "gain_low": gain[1],
                "gain_high": gain[2],
            }
            row |= {"p_holm": p, "detectable": significance.detectable_effect(*gain[1:])}
            found.append(row | emotion.loc[(source, name, "macro_f1"), ENDS].to_dict())
    return pd.DataFrame(found)


def pooling(record: dict) -> pd.DataFrame:
    """`pooled`, ready to read, beside training on its own songs and on single other collections."""
    table, joined = of_metric(record, "macro_f1"), pooled(record)
    rows = []
    for name in MUSIC:
        singles = [table.loc[other, name] for other in MUSIC if other != name]
        first = {"tested on": shown_name(name)}
        rows.append(first | {"trained on": "its own songs", "macro F1": f"{table.loc[name, name]:.3f}"})
        rows.append(first | {"trained on": "another one, mean", "macro F1": f"{np.mean(singles):.3f}"})
        for own in joined[joined["dataset"] == name].to_dict("records"):
            gain = with_ends(own["gain"], own["gain_low"], own["gain_high"], "+")
            rows.append(first | {
                "trained on": shown_name(own["source"]),
                "macro F1": with_ends(*(own[end] for end in ENDS)),
                "minus its own songs": gain,
                "p (Holm)": p_text(own["p_holm"]),
                "detectable (80 % power)": f"{own['detectable']:.3f}",
                "verdict": verdict_on(own["gain"], own["p_holm"]),
            })  # fmt: skip
    return pd.DataFrame(rows).fillna("")


AT_HOME = {  # macro F1 of plain training that was predicted
    "4q": (0.70, 0.75),
    "emopia": (0.60, 0.75),
    "emotify_quadrants": (0.40, 0.55),
    "vgmidi": (0.35, 0.50),
}


def outcomes(records: list[dict], transfer: dict) -> pd.DataFrame:
    """The nine registered predictions (`data/registered/collections.md`), each held against the records."""
    found = [*of_methods(records, transfer), *across(transfer)]
    held = {True: "held", False: "failed"}
    rows = [(prediction, held[bool(right)], measured) for prediction, right, measured in found]
    return pd.DataFrame(rows, columns=["prediction", "outcome", "measured"])


def of_methods(records: list[dict], transfer: dict) -> list[tuple[str, bool, str]]:
    """Predictions 1 to 4, on methods and plain training: in words, whether it held, what was measured."""
    gained, table = gains(records), scores(records)
    gain = gained[gained["collection"].isin(MUSIC)].set_index(["method", "collection"])["value"]
    mean = summaries(gained).set_index("method")
    sssl, losses = mean.loc[MAIN], int((gain[MAIN] < 0).sum())
    plain = table[(table["method"] == PLAIN) & (table["name"] == "macro_f1")].set_index("collection")["value"]
    within = [name for name, (low, high) in AT_HOME.items() if low <= plain[name] <= high]
    constant = of_metric(transfer, "macro_f1").loc[MOST_FREQUENT]
    above = all(plain[name] > constant[name] for name in MUSIC)
    return [
        (
            "no method gains more than 0.02; SSSL loses on three or more collections",
            gain.max() <= 0.02 and losses >= 3,
            f"largest gain {gain.max():+.3f}; SSSL's difference is negative on {losses} of 4",
        ),
        (
            "SSSL's mean is between -0.04 and 0, its interval holds 0, I² is below 50 %",
            -0.04 < sssl["value"] < 0 < sssl["high"] and sssl["i2"] < 0.5,
            f"{with_ends(*sssl[ENDS], '+')}, I² {sssl['i2']:.0%}",
        ),
        (
            "ELR and weighting are within 0.01 of plain training in the mean",
            (mean.loc[["elr", "weight"], "value"].abs() <= 0.01).all(),
            f"ELR {mean.loc['elr', 'value']:+.3f}, weighting {mean.loc['weight', 'value']:+.3f}",
        ),
        (
            "plain training at home: "
            + ", ".join(
                f"{shown_name(name)} {low:.2f} to {high:.2f}" for name, (low, high) in AT_HOME.items()
            )
            + "; all above the most frequent class",
            len(within) == len(MUSIC) and above,
            ", ".join(f"{shown_name(name)} {plain[name]:.3f}" for name in MUSIC),
        ),
    ]


def across(transfer: dict) -> list[tuple[str, bool, str]]:
    """Predictions 5 to 9, on training on one collection and testing on another, likewise."""
    f1, error = of_metric(transfer, "macro_f1"), of_metric(transfer, "calibration_error")
    accuracy = {
        target: of_metric(transfer, "accuracy", target) for target in ("emotion", "valence", "arousal")
    }
    away = [(one, other) for one in MUSIC for other in MUSIC if one != other]
    worse = sum(f1.loc[one, one] - f1.loc[one, other] > 0.05 for one, other in away)
    surer = sum(error.loc[one, other] > error.loc[one, one] for one, other in away)
    both_ways = [("4q", "emopia"), ("emopia", "4q")]
    arousal, valence = ([accuracy[name].loc[pair] for pair in both_ways] for name in ("arousal", "valence"))
    taught = max(accuracy["emotion"].loc["synthetic", name] for name in MUSIC)
    less_own = pooled(transfer).set_index(["source", "dataset"])["gain"]
    four = [less_own["all", name] for name in ("4q", "emopia", "vgmidi")]
    best = {name: max(f1.loc[other, name] for other in MUSIC if other != name) for name in MUSIC}
    wins = sum(f1.loc[f"all but {name}", name] > best[name] for name in MUSIC)
    return [
        (
            "elsewhere every source is worse by more than 0.05 macro F1, and worse calibrated",
            worse == surer == len(away),
            f"so much worse in {worse}, worse calibrated in {surer} of {len(away)} pairs",
        ),
        (
            "4Q to EMOPIA and back: arousal above 0.70, valence below 0.65 (accuracy)",
            min(arousal) > 0.70 and max(valence) < 0.65,
            f"arousal {arousal[0]:.3f} and {arousal[1]:.3f}, valence {valence[0]:.3f} and {valence[1]:.3f}",
        ),
        (
            "trained on the synthetic corpus, accuracy is below 0.35 on all music",
            taught < 0.35,
            f"at most {taught:.3f}",
        ),
        (
            "all four instead of its own: a difference below 0.02 on 4Q and EMOPIA, a gain on VGMIDI",
            max(map(abs, four[:2])) < 0.02 and four[2] > 0,
            "4Q {:+.3f}, EMOPIA {:+.3f}, VGMIDI {:+.3f}".format(*four),
        ),
        (
            "all but one predict that one better than the best single other, in two or more of four",
            wins >= 2,
            f"in {wins} of 4",
        ),
    ]
