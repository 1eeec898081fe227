"""The map of label noise as tables and figures: which method gains on plain training, under which noise."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mer_companion import results
from mer_companion.analysis import findings, names
from mer_companion.analysis.figures import errors, finished, legend_outside, panels
from mer_companion.analysis.palette import NEUTRAL, PALETTE, of_method
from mer_core.evaluation import significance

KINDS = names.NOISE_KINDS
NONE = "none"
SETTINGS = {
    "musicnn": "MusiCNN, 256 units",
    "log_mel": "mel statistics, 256 units",
    "musicnn_and_log_mel": "MusiCNN and mel statistics, 256 units",
    "memorising": "MusiCNN, 1,024 units, 30 epochs",
    "fine_tuned": "MusiCNN, layers behind the front end trained",
}
MAIN = "musicnn"
GAIN = "macro_f1_gain"
CURVES = ("loss", "auc", "memorised", "corrected", "purity", "recall")  # as in the record


def cells(record: dict) -> pd.DataFrame:
    """A row per cell: its names, macro F1 and gain with intervals, p-values and verdict.

    ``p_holm`` follows from the interval by the normal distribution and is corrected over all cells of the
    record; ``detectable`` is the smallest gain that a cell would have shown with a power of 80 %.
    """
    table = pd.DataFrame(record["metrics"])
    keys = ["method", "noise", "unit", "rate", "setting"]
    scores = table[table["name"] == "macro_f1"].set_index(keys)[["value", "low", "high"]]
    gains = table[table["name"] == GAIN].set_index(keys)[["value", "low", "high"]]
    rows = scores.join(gains.add_prefix("gain_").rename(columns={"gain_value": "gain"}))
    rows = rows.reset_index()
    rows["kind"] = [KINDS.get(pair, NONE) for pair in zip(rows["noise"], rows["unit"], strict=True)]
    known = rows["gain"].notna()
    ends = rows.loc[known, "gain_low"], rows.loc[known, "gain_high"]
    rows.loc[known, "detectable"] = significance.detectable_effect(*ends)
    own = (rows.loc[known, name] for name in ("gain", "gain_low", "gain_high"))
    p = significance.p_from_interval(*own).dropna()  # of an interval without width there is none
    rows["p_holm"] = pd.Series(significance.holm(p.to_numpy()), index=p.index)
    rows["verdict"] = [verdict_on(gain, p) for gain, p in zip(rows["gain"], rows["p_holm"], strict=True)]
    return rows


def verdict_on(gain: float, p: float) -> str:
    """Whether a gain on plain training is supported, contradicted or inconclusive, after correction."""
    if np.isnan(gain) or np.isnan(p):
        return ""
    return "inconclusive" if p >= 1 - significance.LEVEL else "gain" if gain > 0 else "loss"


def at(rows: pd.DataFrame, setting: str = MAIN, **which) -> pd.DataFrame:
    """The cells of a setting with these values."""
    for name, value in {"setting": setting, **which}.items():
        rows = rows[rows[name] == value]
    return rows


def gains_by_rate(rows: pd.DataFrame, methods: tuple[str, ...]) -> Figure:
    """Gain of some methods over plain training against the rate of wrong labels, a panel for each noise."""
    own = rows[(rows["setting"] == MAIN) & rows["method"].isin(methods)]
    clean = own[own["kind"] == NONE]
    fig, axes = panels(4.6, 3, 2, sharex=True, sharey=True)
    for ax, kind in zip(axes, KINDS.values(), strict=True):
        found = pd.concat([clean, own[own["kind"] == kind]])
        for method in methods:
            drawn, (colour, marker) = found[found["method"] == method].sort_values("rate"), of_method(method)
            how = {"color": colour, "marker": marker, "ms": 4, "label": names.label(method)}
            ax.plot(100 * drawn["rate"], drawn["gain"], **how)
        ax.axhline(0, color=NEUTRAL, lw=0.8, ls=":")
        ax.set_title(kind, fontsize=9)
    for ax in axes[3:]:
        ax.set_xlabel("Wrong labels (%)")
    for ax in axes[::3]:
        ax.set_ylabel("Gain in macro F1")
    legend_outside(axes[0], "lower center", 4)
    named = own["method"].map(names.label) + ", " + own["kind"] + own["rate"].map(", {:.0%} wrong".format)
    drawn = own[["method", "kind", "rate", "gain", "gain_low", "gain_high"]]
    return finished(fig, drawn, findings.extremes(named, own["gain"], "+.3f"))


def plain_by_rate(rows: pd.DataFrame) -> Figure:
    """What wrong labels cost plain training: macro F1 against their rate, a line for each noise."""
    own = at(rows, method="inherit")
    fig, [ax] = panels(3.0)
    for (kind, marker), colour in zip(zip(KINDS.values(), "osD^vP", strict=True), PALETTE, strict=False):
        found = pd.concat([own[own["kind"] == NONE], own[own["kind"] == kind]]).sort_values("rate")
        ax.errorbar(
            100 * found["rate"], found["value"], errors(found), marker=marker, ms=4, capsize=2, color=colour,
            label=kind,
        )  # fmt: skip
    ax.axhline(0.25, color=NEUTRAL, lw=0.8, ls=":", label="Chance")
    ax.set(xlabel="Wrong labels (%)", ylabel="Macro F1 of plain training", ylim=(0.1, 0.85))
    legend_outside(ax, "upper center", 4)
    named = own["kind"] + own["rate"].map(", {:.0%} wrong".format)
    return finished(
        fig, own[["kind", "rate", "value", "low", "high"]], findings.extremes(named, own["value"])
    )


def curves(record: dict, method: str, rate: float, kinds: tuple[str, ...], setting: str = MAIN) -> Figure:
    """What a method makes of wrong labels, epoch by epoch: how well it finds them, and what it predicts."""
    described, stored = record["config"]["cells"], results.predictions(record)["curves"]
    panels_of = {"auc": "Detected (AUC)", "corrected": "Corrected (share)", "memorised": "Memorised (share)"}
    fig, axes = panels(2.8, len(panels_of), sharey=True)
    rows = []
    for kind, colour in zip(kinds, PALETTE, strict=False):
        for name, style in (("inherit", ":"), (method, "-")):
            place = next(
                i for i, cell in enumerate(described)
                if (cell["method"], cell["setting"], cell["rate"]) == (name, setting, rate)
                and KINDS.get((cell["noise"], cell["unit"])) == kind
            )  # fmt: skip
            own = pd.DataFrame(stored[place], columns=list(CURVES)).dropna(how="all")
            own["epoch"] = np.arange(len(own)) + 1
            for ax, column in zip(axes, panels_of, strict=True):
                label = f"{kind}, {names.label(name)}"
                ax.plot(own["epoch"], own[column], style, color=colour, label=label)
            rows.append(own.assign(method=name, kind=kind))
    for ax, title in zip(axes, panels_of.values(), strict=True):
        ax.set_title(title, fontsize=9)
        ax.set(xlabel="Epoch", ylim=(0, 1.02))
    axes[0].axhline(0.5, color=NEUTRAL, lw=0.8, ls=":")
    axes[0].set_ylabel("Of wrong labels")
    legend_outside(axes[0], "lower center", 2)
    last = pd.concat(own.tail(1) for own in rows)
    named = last["kind"] + ", " + last["method"].map(names.label)
    said = "Memorised after the last epoch. " + findings.extremes(named, last["memorised"])
    return finished(fig, pd.concat(rows), said)


def heatmap(rows: pd.DataFrame, rate: float) -> Figure:
    """Gains in macro F1 at one rate: methods in rows, noise in columns; * after correction."""
    own = rows[(rows["setting"] == MAIN) & ((rows["rate"] == rate) | (rows["kind"] == NONE))]
    own = own[own["gain"].notna()].assign(method=lambda r: r["method"].map(names.label))
    table = own.pivot(index="method", columns="kind", values="gain")
    sure = own.pivot(index="method", columns="kind", values="p_holm") < 1 - significance.LEVEL
    columns = [name for name in (NONE, *KINDS.values()) if name in table]
    table = table.reindex(index=table.mean(axis=1).sort_values(ascending=False).index, columns=columns)
    sure = sure.reindex_like(table)
    fig, [ax] = panels(0.9 + 0.27 * len(table))
    most = max(0.05, float(np.nanquantile(table.abs(), 0.9)))
    shades = {"cmap": sns.diverging_palette(38, 250, as_cmap=True), "vmin": -most, "vmax": most}
    text = table.map("{:+.2f}".format).where(table.notna(), "") + np.where(sure, "*", "")
    sns.heatmap(table, annot=text, fmt="", ax=ax, annot_kws={"fontsize": 8}, cbar=False, **shades)
    ax.set(xlabel="", ylabel="")
    ax.set_xticklabels([name.replace(" ", "\n") for name in columns], fontsize=8, rotation=0)
    ax.tick_params(axis="both", length=0)
    said = findings.extremes(own["method"] + ", " + own["kind"], own["gain"], "+.3f")
    said += f" {int(sure.sum().sum())} of {len(own)} gains differ from zero after correction."
    return finished(fig, own[["method", "kind", "gain", "gain_low", "gain_high", "p_holm"]], said)


def p_text(p: float) -> str:
    """A p-value with three decimals.

    >>> p_text(0.0001), p_text(0.0213), p_text(np.nan)
    ('< 0.001', '0.021', '')
    """
    return "" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def with_ends(value: float, low: float, high: float, sign: str = "") -> str:
    """A value with its interval.

    >>> with_ends(0.5, 0.4, 0.6)
    '0.500 [0.400, 0.600]'
    """
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def listed(rows: pd.DataFrame, setting: str | None = None) -> pd.DataFrame:
    """Every cell in a line: macro F1 and gain with intervals, corrected p-value, detectable gain, verdict."""
    own = rows if setting is None else rows[rows["setting"] == setting]
    gained = own["gain"].notna()
    table = pd.DataFrame({
        "noise": own["kind"],
        "wrong labels": own["rate"].map("{:.0%}".format),
        "method": own["method"].map(names.label),
        "features, network": own["setting"].map(SETTINGS),
        "macro F1": [with_ends(*ends) for ends in own[["value", "low", "high"]].to_numpy()],
        "gain": [
            with_ends(*ends, "+") if there else "reference"
            for ends, there in zip(own[["gain", "gain_low", "gain_high"]].to_numpy(), gained, strict=True)
        ],
        "p (Holm)": own["p_holm"].map(p_text),
        "detectable (80 % power)": own["detectable"].map("{:.3f}".format).where(gained, ""),
        "verdict": own["verdict"],
    })  # fmt: skip
    return table.sort_values(["features, network", "noise", "wrong labels", "method"]).reset_index(drop=True)


def confirmed(first: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """The cells of one map that a second one tested again: gains, corrected p-value, outcome (`outcome`).

    Parameters
    ----------
    first, again : tables of `cells`; those without a gain are left out
    """
    keys = ["kind", "rate", "method", "setting"]
    pairs = first.merge(again[again["gain"].notna()], on=keys, suffixes=("", "_again"))
    pairs["outcome"] = [outcome(*pair) for pair in zip(pairs["verdict"], pairs["verdict_again"], strict=True)]
    return pairs


def outcome(first: str, again: str) -> str:
    """What a second study says of a verdict of the first.

    >>> outcome("gain", "gain"), outcome("gain", "inconclusive"), outcome("gain", "loss")
    ('confirmed', 'not confirmed', 'refuted')
    """
    if first not in ("gain", "loss"):
        return {"gain": "a gain", "loss": "a loss"}.get(again, "inconclusive")
    return "confirmed" if again == first else "not confirmed" if again == "inconclusive" else "refuted"


def listed_confirmed(pairs: pd.DataFrame) -> pd.DataFrame:
    """`confirmed` in words, those of the first map's gains first."""
    rows = pairs.sort_values(["gain", "kind"], ascending=[False, True])
    return pd.DataFrame({
        "noise": rows["kind"],
        "wrong labels": rows["rate"].map("{:.0%}".format),
        "method": rows["method"].map(names.label),
        "gain in the map": [with_ends(*r, "+") for r in rows[["gain", "gain_low", "gain_high"]].to_numpy()],
        "gain in new partitions": [
            with_ends(*r, "+") for r in rows[["gain_again", "gain_low_again", "gain_high_again"]].to_numpy()
        ],
        "p (Holm)": rows["p_holm_again"].map(p_text),
        "detectable (80 % power)": rows["detectable_again"].map("{:.3f}".format),
        "outcome": rows["outcome"],
    }).reset_index(drop=True)  # fmt: skip


def shrinkage(pairs: pd.DataFrame) -> pd.DataFrame:
    """Of the first map's gains and losses: how many there are and are confirmed, and both mean gains."""
    decided = pairs[pairs["verdict"].isin(["gain", "loss"])].groupby("verdict")
    return pd.DataFrame({
        "cells": decided.size(),
        "confirmed": decided["outcome"].apply(lambda outcomes: (outcomes == "confirmed").sum()),
        "mean gain in the map": decided["gain"].mean().map("{:+.3f}".format),
        "mean gain in new partitions": decided["gain_again"].mean().map("{:+.3f}".format),
    })  # fmt: skip


def predicted_shares(record: dict) -> pd.DataFrame:
    """The share of songs that each method of a record predicts as each class, by mean probability."""
    predicted = results.predictions(record)["mean_probability"]
    classes = record["data"]["classes"]
    cells = [cell["method"] for cell in record["config"]["cells"]]
    shares = [[f"{np.mean(own == k):.0%}" for k in range(len(classes))] for own in predicted]
    return pd.DataFrame(shares, pd.Index(map(names.label, cells), name="method"), classes)


def confirmation(pairs: pd.DataFrame) -> Figure:
    """Each cell's gain in the new partitions against its gain in the map; the diagonal: equal."""
    fig, [ax] = panels(4.0)
    outcomes = ("confirmed", "not confirmed", "refuted")
    styles = dict(zip(outcomes, zip("osX", PALETTE, strict=False), strict=False))
    for said, own in pairs.groupby("outcome", sort=False):
        marker, colour = styles.get(said, ("D", NEUTRAL))
        ends = own["gain_again"] - own["gain_low_again"], own["gain_high_again"] - own["gain_again"]
        ax.errorbar(own["gain"], own["gain_again"], ends, fmt=marker, ms=5, capsize=2, lw=0.8, color=colour,
                    label=f"{said} ({len(own)})")  # fmt: skip
    ends = [pairs[["gain", "gain_low_again"]].min().min(), pairs[["gain", "gain_high_again"]].max().max()]
    ax.plot(ends, ends, ls="--", lw=0.8, color=NEUTRAL, label="equal")
    ax.axhline(0, color=NEUTRAL, lw=0.8, ls=":")
    ax.set(xlabel="Gain in macro F1, map", ylabel="Gain in macro F1, new partitions")
    ax.legend(loc="upper left", fontsize=8)
    decided = pairs[pairs["verdict"].isin(["gain", "loss"])]
    kept = int((decided["outcome"] == "confirmed").sum())
    said = f"{kept} of {len(decided)} significant differences of the map are confirmed in new partitions."
    return finished(fig, pairs[["kind", "rate", "method", "gain", "gain_again", "outcome"]], said)


def on_real_labels(record: dict) -> pd.DataFrame:
    """Accuracy and macro F1 of each method on labels as they are, by decision, and its gain."""
    table, rows = pd.DataFrame(record["metrics"]), []
    for (method, decision), found in table.groupby(["method", "decision"], sort=False):
        of = {row["name"]: row for row in found.to_dict("records")}
        row = {"method": names.label(method), "decision": names.label(decision)}
        for name in ("accuracy", "macro_f1"):
            row[names.label(name)] = with_ends(*(of[name][end] for end in ("value", "low", "high")))
        if gain := of.get(GAIN):
            row["gain in macro F1"] = with_ends(*(gain[end] for end in ("value", "low", "high")), "+")
            row["p"] = f"{gain['p']:.3f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def differences_from(record: dict, reference: str, rate: float = 0.0) -> pd.DataFrame:
    """Difference in macro F1 of every method from a reference at one rate of wrong labels, best first.

    ``label``, ``value``, ``low``, ``high``, ``p_holm`` (over these rows), ``detectable`` (80 % power).
    """
    first = record["config"].get("references", ["inherit"])[0]
    name = GAIN if reference == first else f"{GAIN}_on_{reference}"
    rows = pd.DataFrame(record["metrics"])
    rows = rows[(rows["name"] == name) & (rows["rate"] == rate)].rename(columns={"method": "label"})
    rows = rows.assign(
        p_holm=significance.holm(rows["p"].to_numpy()),
        detectable=significance.detectable_effect(rows["low"], rows["high"]),
    )
    columns = ["label", "value", "low", "high", "p_holm", "detectable"]
    return rows.sort_values("value", ascending=False)[columns].reset_index(drop=True)


def variants(record: dict, reference: str) -> pd.DataFrame:
    """Macro F1 of every method and its difference from a reference, on real labels and with wrong ones."""
    scores = pd.DataFrame(record["metrics"])
    scores = scores[scores["name"] == "macro_f1"].set_index(["method", "rate"])
    found = {}
    for rate in sorted(scores.index.unique("rate")):
        condition = f"{rate:.0%} of songs wrong" if rate else "real labels"
        own = scores.xs(rate, level="rate")
        found[f"macro F1, {condition}"] = own["value"].map("{:.3f}".format)
        gaps = differences_from(record, reference, rate).set_index("label")
        found[f"difference, {condition}"] = pd.Series({
            row.Index: with_ends(row.value, row.low, row.high, "+") + starred(row.p_holm)
            for row in gaps.itertuples()
        })  # fmt: skip
        found[f"detectable, {condition}"] = gaps["detectable"].map("{:.3f}".format)
    table = pd.DataFrame(found).fillna("")
    table = table.sort_values(next(iter(found)), ascending=False)
    return table.rename_axis("method").reset_index().assign(method=lambda own: own["method"].map(names.label))


def collapsed(record: dict) -> pd.Series:
    """Share of a method's networks that never predict one of the classes for the songs of a partition."""
    predicted = results.predictions(record)["mean_probability"]  # (n_cells, n_repetitions, n_songs), -1: none
    cells_of_record, n = record["config"]["cells"], len(record["data"]["classes"])
    found = {}
    for cell, of_cell in zip(cells_of_record, predicted, strict=True):
        runs = of_cell[(of_cell >= 0).all(axis=1)]
        found[cell["method"]] = np.mean([len(np.unique(run)) < n for run in runs])
    return pd.Series(found)


def starred(p: float) -> str:
    """A mark for p-values below 0.05."""
    return "*" * int(p < 1 - significance.LEVEL)
