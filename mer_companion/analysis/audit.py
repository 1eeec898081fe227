"""SSSL's printed tables checked by arithmetic: which figures can hold together, under which definition.

No audio and no network: class counts, clip lengths and the printed figures are enough. Figures are in per
cent, as printed, and distances between them in points. A figure "cannot be" only under the definition that a
function's docstring states; where the paper gives none, the question is for its authors.

``support`` is always the pair (tracks of the low class, tracks of the high class).
"""

from statistics import NormalDist

import numpy as np
import pandas as pd

from mer_core import paths
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS
from mer_core.evaluation import metrics

DEFINITIONS = ("positive", "macro", "weighted")  # of F1: of the high class, mean over classes, by support
ROUNDING = 0.005  # points: what two printed decimals leave open
N_FOLDS = 10
EIM_CLIP_S = 45.0  # "each 45 seconds long", section 3.2 of the paper

# the input of each quoted system of Table 3, from the title or abstract of the work that it cites
QUOTED = pd.DataFrame(
    [
        ("SVM [23]", "skin conductance of listeners", "Yin et al., ICIP 2019, arXiv 1908.03692, abstract"),
        ("2-Stage [8]", "audio", "He and Ferguson, IJMIR 2022, as SSSL describes it"),
        ("Audio Embedding [24]", "audio", "Koh and Dubnov, AffCon 2021, arXiv 2104.06517, abstract"),
        ("SVM [17]", "audio", "Panda et al., IEEE TAFFC 2018, title"),
    ],
    columns=["system", "input", "source"],
).set_index("system")


def printed_pairs(published: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and F1 that SSSL prints side by side in its Tables 2 and 3, a row each; NaN for a dash.

    Returns
    -------
    table with ``dataset``, ``table``, ``system``, ``setting``, ``target`` (valence, arousal or four_class),
    ``accuracy``, ``f1``
    """
    rows = published[(published["paper"] == "sssl") & published["table"].isin([2, 3])]
    rows = rows.join(rows["metric"].str.extract(r"(?P<target>\w+)_(?P<score>accuracy|f1)$"))
    keys = ["dataset", "table", "system", "setting", "target"]
    return rows.pivot(index=keys, columns="score", values="value").reset_index().rename_axis(columns=None)


# Is there something a constant answer does not reach?


def class_counts(expected: dict) -> dict[str, np.ndarray]:
    """Tracks per class: (low, high) valence and arousal, four quadrants; from a card's ``expected``."""
    quadrants = np.array([expected[f"tracks labelled {name}"] for name in QUADRANTS])
    sides = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL}
    counts = {name: np.array([quadrants[~high].sum(), quadrants[high].sum()]) for name, high in sides.items()}
    return counts | {"four_class": quadrants}


def constant_answer(counts: np.ndarray, answer: int) -> dict[str, float]:
    """Accuracy and F1 in per cent of giving every track the same answer; positive F1 for two classes only.

    The macro F1 counts every class, those never answered with 0; the weighted F1 weighs classes by their
    tracks.
    """
    confusion = np.zeros((len(counts), len(counts)), dtype=int)
    confusion[:, answer] = counts
    return {
        "accuracy": 100 * metrics.accuracy(confusion),
        "positive": 100 * metrics.positive_f1(confusion) if len(counts) == 2 else np.nan,
        "macro": 100 * metrics.macro_f1(confusion),
        "weighted": 100 * float(np.average(metrics.f1_per_class(confusion), weights=counts)),
    }


def trivial(counts_of: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Scores of the constant answers "high" and most frequent class, by data set and target."""
    rows = []
    for dataset, targets in counts_of.items():
        for target, counts in targets.items():
            answers = {"most frequent class": int(counts.argmax())}
            answers |= {"always high": 1} if len(counts) == 2 else {}
            for name, answer in answers.items():
                row = {"dataset": dataset, "target": target, "answer": name}
                rows.append(row | constant_answer(counts, answer))
    return pd.DataFrame(rows).set_index(["dataset", "target", "answer"])


def beside_trivial(pairs: pd.DataFrame, counts_of: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Every printed F1 and the better constant answer's on the same target, per definition of F1."""
    best = trivial(counts_of).groupby(["dataset", "target"]).max().add_prefix("trivial ").reset_index()
    return pairs.dropna(subset="f1").merge(best, on=["dataset", "target"])


def below_trivial(beside: pd.DataFrame) -> pd.DataFrame:
    """How many of the printed F1 of a target lie below a constant answer's, per definition of F1."""
    below = {name: beside["f1"] < beside[f"trivial {name}"] for name in DEFINITIONS}
    groups = beside.assign(printed=1, **below).groupby(["dataset", "target"])
    return groups[["printed", *DEFINITIONS]].sum()


# Can an accuracy and an F1 stand in one row?


def every_confusion(support: tuple[int, int]) -> pd.DataFrame:
    """Accuracy and three F1, in per cent, of every confusion matrix of (n_low, n_high) tracks."""
    n_low, n_high = support
    right_low, right_high = (a.ravel() for a in np.meshgrid(np.arange(n_low + 1), np.arange(n_high + 1)))
    n, right = n_low + n_high, right_low + right_high
    low, high = (2 * a / np.maximum(2 * a + n - right, 1) for a in (right_low, right_high))
    macro, weighted = (low + high) / 2, (n_low * low + n_high * high) / n
    return 100 * pd.DataFrame({"accuracy": right / n, "positive": high, "macro": macro, "weighted": weighted})


def distance(confusions: pd.DataFrame, accuracy: float, f1: float, definition: str) -> float:
    """How far the nearest confusion matrix stays from a printed pair: the larger of its two misses, in
    points.

    The scores are of all tracks at once, pooled over the folds. Below `ROUNDING` the pair is exactly
    possible; below half a track (50 / n points) only the grain of the counts is in its way.
    """
    misses = (confusions[["accuracy", definition]] - np.array([accuracy, f1])).abs()
    return float(misses.max(axis=1).min())


def _surrounded(offsets: np.ndarray) -> bool:
    """Whether the origin lies in the convex hull of (n, 2) points: no half-plane is free of them."""
    angles = np.sort(np.arctan2(offsets[:, 1], offsets[:, 0]))
    return len(angles) > 2 and np.diff(angles, append=angles[0] + 2 * np.pi).max() <= np.pi


def fold_spread(support: tuple[int, int], accuracy: float, f1: float, definition: str) -> float:
    """How unlike the folds would have to be for their mean accuracy and mean F1 to be a printed pair.

    A mean of folds lies in the convex hull of what one fold can score. If the hull over those confusion
    matrices of a fold whose accuracy is within d points of the printed one leaves the pair out, some fold
    differs from it by more than d. This bound holds for ten stratified folds (each class split evenly, to a
    track) and any predictions; it promises no folds that reach the pair.

    Returns
    -------
    the smallest whole d, from 1, whose hull holds the pair; inf where none does: then no stratified folds
    give it
    """
    sizes = [{count // N_FOLDS, -(-count // N_FOLDS)} for count in support]
    fold = pd.concat(every_confusion((low, high)) for low in sizes[0] for high in sizes[1])
    offsets = fold[["accuracy", definition]].to_numpy() - (accuracy, f1)
    corners = ROUNDING * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])  # same hull as a set and its rounding

    def possible(spread: float) -> bool:
        near = offsets[np.abs(offsets[:, 0]) <= spread]
        return _surrounded((near[:, None] + corners).reshape(-1, 2))

    return next(spread for spread in range(1, 101) if possible(spread)) if possible(np.inf) else np.inf


def reachability(pairs: pd.DataFrame, supports: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Distance (pooled) and spread (mean of folds) of every printed pair under each definition of F1, a row
    per definition.

    Parameters
    ----------
    pairs : of one data set, from `printed_pairs`
    supports : (n_low, n_high) of each target to judge
    """
    rows = []
    for target, support in supports.items():
        confusions = every_confusion(support)
        for pair in pairs[pairs["target"] == target].dropna(subset=["accuracy", "f1"]).to_dict("records"):
            printed = pair["accuracy"], pair["f1"]
            rows += [
                {**pair, "definition": definition, "half_a_track": 50 / sum(support)}
                | {"distance": distance(confusions, *printed, definition)}
                | {"spread": fold_spread(support, *printed, definition)}
                for definition in DEFINITIONS
            ]
    return pd.DataFrame(rows)


def verdicts(reached: pd.DataFrame) -> pd.DataFrame:
    """`reachability` to read: "possible", or by how much the pooled scores miss and ±d, how unlike the folds
    would have to be.

    ``s.d. of a fold`` is how much chance alone moves the accuracy of a tenth of the tracks, in points
    (binomial).
    """

    def in_words(row) -> str:
        if row.distance <= row.half_a_track:
            return "possible"
        folds = "no folds" if np.isinf(row.spread) else f"folds ±{row.spread:.0f}"
        return f"off by {row.distance:.2f}, {folds}"

    rows = reached.assign(verdict=[in_words(row) for row in reached.itertuples()])
    variance = rows["accuracy"] * (100 - rows["accuracy"]) * N_FOLDS * rows["half_a_track"] / 50
    rows["s.d. of a fold"] = np.sqrt(variance)
    keys = ["target", "system", "setting", "accuracy", "f1", "s.d. of a fold"]
    shown = rows.set_index([*keys, "definition"])["verdict"].unstack("definition", sort=False)
    return shown.reset_index("s.d. of a fold").rename_axis(columns=None)


def reachable_shares(pairs: pd.DataFrame, n_tracks: int, shares: np.ndarray) -> pd.DataFrame:
    """At which shares of high tracks each printed pair is possible, to half a track, pooled: what another
    threshold would change.

    Returns
    -------
    the rows of `pairs`, each repeated for every ``share`` and ``definition`` that makes it possible
    """
    rows = []
    for share in shares:
        n_high = round(share * n_tracks)
        confusions = every_confusion((n_tracks - n_high, n_high))
        for pair in pairs.to_dict("records"):
            for definition in DEFINITIONS:
                if distance(confusions, pair["accuracy"], pair["f1"], definition) <= 50 / n_tracks:
                    rows.append({**pair, "share": share, "definition": definition})
    return pd.DataFrame(rows)


def possible_together(reachable: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The most of a target's printed pairs that fit one definition and share, and ``at`` which shares."""
    keys = ["target", "definition"]
    counted = reachable.groupby([*keys, "share"]).size().rename("possible").reset_index()
    most = counted[counted["possible"] == counted.groupby(keys)["possible"].transform("max")]
    together = most.groupby(keys).agg(
        possible=("possible", "first"),
        at=("share", lambda shares: ", ".join(f"{share:.2f}" for share in shares)),
    )
    together.insert(0, "printed", pairs.groupby("target").size().reindex(together.index, level="target"))
    return together


# Can ten folds give these percentages?


def fold_sizes(*classes: int) -> list[int]:
    """Sizes of ten folds when the tracks of each class are dealt out on their own, the larger parts first."""
    parts = [[count // N_FOLDS + (fold < count % N_FOLDS) for fold in range(N_FOLDS)] for count in classes]
    return [sum(fold) for fold in zip(*parts, strict=True)]


def mean_accuracies(sizes: list[int]) -> np.ndarray:
    """Every mean over folds of these sizes that accuracies, counted in whole tracks, can have, in per cent.

    One fold of all tracks gives the pooled accuracy.
    """
    means = np.zeros(1)
    for size in sorted(set(sizes)):
        means = np.add.outer(means, np.arange(sizes.count(size) * size + 1) / size).ravel()
    return np.unique(100 * means / len(sizes))


def is_possible(percent, accuracies: np.ndarray):
    """Whether a percentage of two decimals is one of these accuracies, rounded: the GRIM test of Brown and
    Heathers (2017).

    >>> is_possible(np.array([66.67, 66.60]), mean_accuracies([3]))
    array([ True, False])
    """
    percent = np.asarray(percent, dtype=float)
    place = np.searchsorted(accuracies, percent).clip(1, len(accuracies) - 1)
    gap = np.minimum(np.abs(accuracies[place] - percent), np.abs(accuracies[place - 1] - percent))
    return gap <= ROUNDING + 1e-9


def granularity(pairs: pd.DataFrame, protocols: dict[str, dict[str, list[int]]]) -> pd.DataFrame:
    """How many printed accuracies each protocol can give, beside the share of all two-decimal percentages
    that it can.

    Parameters
    ----------
    protocols : fold sizes by the name of the protocol, by data set

    Returns
    -------
    table indexed by dataset, protocol and ``whose`` (proposed or quoted), with ``printed``, ``possible`` and
    ``by chance`` (share of the percentages from 50.00 to 99.99 that are possible)
    """
    rows = pairs.dropna(subset="accuracy").drop_duplicates(["dataset", "target", "system", "accuracy"])
    proposed = rows["system"].str.startswith("Proposed").map({True: "proposed", False: "quoted"})
    found = {}
    for dataset, by_name in protocols.items():
        own = rows["dataset"] == dataset
        for protocol, sizes in by_name.items():
            accuracies = mean_accuracies(sizes)
            possible = pd.Series(is_possible(rows["accuracy"][own], accuracies)).groupby(
                proposed[own].to_numpy()
            )
            judged = possible.agg(printed="size", possible="sum")
            judged["by chance"] = float(is_possible(np.arange(5000, 10000) / 100, accuracies).mean())
            found[dataset, protocol] = judged
    return pd.concat(found, names=["dataset", "protocol", "whose"])


# Where does Table 3 come from?


def across_tables(pairs: pd.DataFrame) -> pd.DataFrame:
    """The method's binary rows of Table 3, each beside the row of Table 2 that differs in fewest digits of
    accuracy and F1.

    Table 2 prints the full method at every segment duration, so the full method's rows of Table 3 should be
    among them, and those of the ablation should not. ``points`` is the accuracy minus the best of that target
    in Table 2.
    """
    keys = ["dataset", "target", "system"]
    table2 = (
        pairs[pairs["table"] == 2].drop(columns=["table", "system"]).rename(columns={"setting": "nearest"})
    )
    table3 = pairs[(pairs["table"] == 3) & pairs["system"].str.startswith("Proposed")]
    table3 = table3.drop(columns=["table", "setting"])
    both = table3.merge(table2, on=["dataset", "target"], suffixes=("", " there"))
    both["digits that differ"] = [
        sum(differing_digits(row[name], row[f"{name} there"]) for name in ("accuracy", "f1"))
        for row in both.to_dict("records")
    ]
    both["points"] = both["accuracy"] - both.groupby(keys)["accuracy there"].transform("max")
    return both.loc[both.groupby(keys)["digits that differ"].idxmin()].set_index(keys)


def differing_digits(a: float, b: float) -> int:
    """Digits in which two percentages differ when both are written with two decimals."""
    return sum(x != y for x, y in zip(f"{a:05.2f}", f"{b:05.2f}", strict=True))


# How long were the clips?


def segment_counts(durations_s: np.ndarray, window_s: int) -> np.ndarray:
    """Windows from every whole second that end within the clip: max(0, floor(d - w) + 1)."""
    return np.maximum(np.floor(np.asarray(durations_s, dtype=float) - window_s) + 1, 0).astype(int)


def clip_lengths(dataset: str) -> np.ndarray:
    """Lengths of a data set's clips as far as whole windows depend on them: whole seconds, and a half where
    one more begins.

    From ``data/clip_seconds.csv``, which counts the songs of 4Q and PMEmo by length: neither data set need be
    at hand.
    """
    counts = pd.read_csv(paths.DATA / "clip_seconds.csv").query("dataset == @dataset")
    return np.repeat(counts["seconds"] + 0.5 * counts["begun"], counts["songs"]).to_numpy()


def segment_table(published: pd.DataFrame, durations: dict[str, np.ndarray | None]) -> pd.DataFrame:
    """Table 1's counts beside what clips of known lengths give.

    ``clip length``: mean whole seconds in a clip that the printed count implies, segments / songs + w - 1.
    ``lost``: how many segments went with the last added second of window; without padding and with a start at
    every whole second it is at most one per song, whatever the lengths. The last three columns count windows
    in `durations`, where given: in whole clips, in the first 30 s of each, and in the first 30 s when a begun
    last second counts as a whole one.
    """
    rows = published[(published["paper"] == "sssl") & (published["table"] == 1)]
    rows = rows.pivot(index=["dataset", "setting"], columns="metric", values="value").reset_index()
    rows["window_s"] = rows["setting"].str.extract(r"^(\d+) s", expand=False).astype(int)
    rows["clip length"] = rows["segments"] / rows["songs"] + rows["window_s"] - 1
    rows["lost"] = -rows.groupby("dataset")["segments"].diff()
    rows["30 s each"] = rows["songs"] * (31 - rows["window_s"])
    for dataset, own in rows.groupby("dataset"):
        if (d := durations.get(dataset)) is not None:
            begun = np.minimum(np.ceil(d), 30)
            cuts = {"whole clips": d, "first 30 s": np.minimum(d, 30), "begun second kept": begun}
            for name, lengths in cuts.items():
                counts = [segment_counts(lengths, window).sum() for window in own["window_s"]]
                rows.loc[own.index, name] = counts
    rows = rows.rename_axis(columns=None).set_index(["dataset", "window_s"]).drop(columns="setting")
    return rows.astype(dict.fromkeys(rows.columns.drop("clip length"), "Int64"))  # numbers, some unknown


# Does Eq. 4 sharpen?

READINGS = ("1/T", "−1/T", "−k/T, k the class", "−K/T, K classes")


def sharpen_as_printed(p: np.ndarray, temperature: float, reading: str) -> np.ndarray:
    """p^e, normalised, with the exponent e of Eq. 4 read in one of the ways that its print allows.

    Usual sharpening (MixMatch) has e = 1/T. Eq. 4 prints e = -k/T, where k numbers the classes and is bound
    to the sum of the denominator: it may be the class's own number (1..K), a misprint for the number of
    classes K, or superfluous, which leaves -1/T.

    Parameters
    ----------
    p : (n_classes,) probabilities, all above 0; temperature : T > 0; reading : one of READINGS
    """
    k = np.arange(1, len(p) + 1)
    power = np.asarray(p) ** (dict(zip(READINGS, (1, -1, -k, -len(p)), strict=True))[reading] / temperature)
    return power / power.sum()


# How much does the best of five equal systems gain by selection?


def best_of(
    n_systems: int, n_songs: int, accuracy: float, rho: float, draws: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Points by which the best of equal systems beats their mean on the same songs, though none is better: a
    simulation.

    System j is right on song i where sqrt(rho) z_i + sqrt(1 - rho) e_ij < q, all normal and independent, with
    q set so that every system has the same true accuracy. rho = 0: their errors have nothing in common; rho =
    1: they answer alike.

    Returns
    -------
    mean ``gain`` with the central 95 % of draws (``low``, ``high``), and ``agreement``: the per cent of songs
    on which two of the systems are both right or both wrong
    """
    rng = np.random.default_rng(seed)
    threshold = NormalDist().inv_cdf(accuracy)
    gains, agreement = np.zeros(draws), np.zeros(draws)
    for draw in range(draws):
        own = rng.standard_normal((n_systems, n_songs), dtype=np.float32)
        common = rng.standard_normal(n_songs, dtype=np.float32)
        right = np.sqrt(rho) * common + np.sqrt(1 - rho) * own < threshold
        scores = 100 * right.mean(axis=1)
        gains[draw], agreement[draw] = scores.max() - scores.mean(), 100 * (right[0] == right[-1]).mean()
    low, high = np.quantile(gains, (0.025, 0.975))
    return {"gain": gains.mean(), "low": low, "high": high, "agreement": agreement.mean()}


def durations_by_selection(
    pairs: pd.DataFrame, n_songs: dict[str, int], rhos: tuple[float, ...]
) -> pd.DataFrame:
    """Table 2's best accuracy minus the mean of durations, beside the best of as many equal systems."""
    rows = []
    for (dataset, target), own in pairs[pairs["table"] == 2].groupby(["dataset", "target"], sort=False):
        accuracy = own["accuracy"]
        printed = accuracy.max() - accuracy.mean()
        for rho in rhos:
            equal = best_of(len(own), n_songs[dataset], accuracy.mean() / 100, rho)
            rows.append({"dataset": dataset, "target": target, "rho": rho, "printed": printed} | equal)
    return pd.DataFrame(rows)


# What was the input of the quoted systems?


PERCENT = {"accuracy": "accuracy", "f1": "F1", "accuracy there": "accuracy there", "f1 there": "F1 there"}
PERCENT |= {"positive": "F1 of high", "macro": "macro F1", "weighted": "weighted F1"}
PERCENT |= {"most frequent class": "most frequent class"}


def in_percent(scores: pd.DataFrame) -> pd.DataFrame:
    """The table with the unit of its scores in their columns' names, ready to read."""
    named = {name: f"{words} (%)" for name, words in PERCENT.items()}
    return scores.rename(columns=named).rename_axis(index=named)


def quoted_rows(pairs: pd.DataFrame, counts_of: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Quoted rows of Table 3: input, scores and the accuracy of the most frequent class."""
    constant = trivial(counts_of).xs("most frequent class", level="answer")["accuracy"]
    rows = pairs[(pairs["table"] == 3) & pairs["system"].isin(QUOTED.index)].join(QUOTED, on="system")
    rows = rows.join(constant.rename("most frequent class"), on=["dataset", "target"])
    shown = ["input", "accuracy", "f1", "most frequent class", "source"]
    return rows.set_index(["dataset", "system", "target"])[shown]
