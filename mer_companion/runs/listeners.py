"""The mixture's doubt about a label beside the listeners' disagreement, window by window, song by song.

Networks are those of a map of label noise (`noise_map`) where no noise was put in: SSSL, and plain training,
whose losses the same mixture could have judged. Annotations do not enter records: what is measured on them
does.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.special import entr
from torch.nn import functional as F

from mer_companion.runs.annotation_noise import WINDOW_S
from mer_companion.runs.settings import NoiseMap
from mer_core import mixture
from mer_core.datasets import emotify, vgmidi
from mer_core.datasets.label_noise import NONE, ONE_LISTENER, SYMMETRIC, WINDOW
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import association, disagreement, metrics, significance
from mer_core.evaluation.song_decision import MAIN_DECISION
from mer_core.frames import Frames
from mer_core.frames import windows as windows_of
from mer_core.methods import self_learning
from mer_core.segments import Segments
from mer_core.training import Learner

SMALLEST = 1e-12  # probability whose logarithm is taken, as SSSL's separation has it
KEPT = ("clean", "loss", "test_loss", "test_entropy")  # of every window, in records
N_SPLITS = 5  # random divisions of the listeners into halves
BINS = 5  # of equally many windows, or songs, by clean probability
MAJORITY = 0.5  # of the listeners: above it a window departs from its label
MAIN_SCORE = "doubt_in_training"
MOST_LISTENERS = 10_000  # more than any data set's answers or curves
OF_LISTENERS = {"noise": NONE, "unit": WINDOW, "rate": 0.0} | {
    "target": "disagreement",
    "part": "listeners",
    "fold": "all",
}


class Watched:
    """The labels of all training windows as SSSL's mixture judges them, whatever the method does with them.

    From the last epoch of the warm-up to the last but one of the training, which are the networks that SSSL
    separates by; means over these epochs.
    """

    def __init__(self, method):
        self.settings = method if isinstance(method, self_learning.Settings) else self_learning.Settings()
        self.found: list[tuple[np.ndarray, np.ndarray]] = []

    def after_epoch(self, epoch: int, learner: Learner, data: Segments) -> None:
        if not self.settings.warmup_epochs - 1 <= epoch < learner.training.epochs - 1:
            return
        probabilities = learner.predict(data, torch.arange(len(data))).clamp_min(SMALLEST)
        losses = F.nll_loss(probabilities.log(), data.label, reduction="none").numpy()
        fitted = self_learning.fit(losses, data.label.numpy(), self.settings)
        self.found.append((fitted.clean_probability, losses))

    def arrays(self) -> dict[str, np.ndarray]:
        clean, loss = np.mean(self.found, axis=0, dtype=np.float64).astype(np.float32)
        return {"clean": clean, "loss": loss}


def out_of_fold(predicted: np.ndarray, test: Segments) -> dict[str, np.ndarray]:
    """Loss (nats) and entropy (nats) of test windows: how badly their label fits, and how unsure all is."""
    own = predicted[np.arange(len(predicted)), test.label.numpy()]
    return {
        "test_loss": -np.log(own.clip(SMALLEST)).astype(np.float32),
        "test_entropy": entr(predicted).sum(axis=1).astype(np.float32),
    }


class Windows:
    """What is kept of every window: (n_watched_cells, n_repetitions, n_windows), means over networks.

    ``clean`` and ``loss`` come from the networks that learned from a window, all but its own fold's;
    ``test_loss`` and ``test_entropy`` from its own fold's. ``window_track``, ``window_second``: whose it is,
    and where it starts.
    """

    def __init__(self, study: NoiseMap, frames: Frames):
        run, self.cells = study.cells[0], watched_cells(study.config())
        every = windows_of(frames, run.window_s, run.repeat_short)
        self.track, self.second = every.track, every.second
        repetitions = study.trainings * (1 + max(max(own) for own in study.partitions))
        shape = len(self.cells), repetitions, len(every)
        self.sums = {name: np.zeros(shape) for name in KEPT}
        self.times = {name: np.zeros(shape, dtype=int) for name in KEPT}

    def add(self, cell: int, repetition: int, stored) -> None:
        """Add one network's, whose test songs are ``stored["track"]``."""
        tested, row = np.isin(self.track, stored["track"]), self.cells.index(cell)
        for name in KEPT:
            own = tested if name.startswith("test") else ~tested
            self.sums[name][row, repetition, own] += stored[name]
            self.times[name][row, repetition, own] += 1

    def arrays(self) -> dict[str, np.ndarray]:
        kept = {f"window_{name}": (self.sums[name] / self.times[name]).astype(np.float16) for name in KEPT}
        of_window = {"track": self.track.astype(np.int16), "second": self.second.astype(np.int16)}
        return kept | {f"window_{name}": values for name, values in of_window.items()}


def watched_cells(config: dict) -> list[int]:
    """The cells of a map whose windows are kept, in their order: without noise, of the methods it names."""
    methods = config.get("windows", ())
    return [i for i, own in enumerate(config["cells"]) if own["noise"] == NONE and own["method"] in methods]


class Truth(NamedTuple):
    """What listeners say of a data set's labels."""

    windows: np.ndarray | None  # (n_windows,) share of listeners who disagree with the label there
    songs: dict[str, np.ndarray]  # measure: (n_songs,) disagreement
    known: pd.DataFrame  # a row per song: class, and what else may explain disagreement


def truth_of(tracks: Tracks, arrays: dict[str, np.ndarray], half: np.ndarray | None = None) -> Truth:
    """Disagreement by all listeners, or by one half of them.

    Parameters
    ----------
    half : None, or (n,) uniform numbers: listeners whose number is below 0.5 count
    """
    of_class = pd.DataFrame({"label": tracks.table["label"]})
    if tracks.name == "emotify_quadrants":
        return _of_emotify(tracks, of_class, half)
    windows = _of_vgmidi(tracks, arrays, half) if tracks.name == "vgmidi" else _of_seconds(tracks, arrays)
    return Truth(windows, {"against_label": mean_of_songs(windows, arrays)}, of_class)


def _of_emotify(tracks: Tracks, of_class: pd.DataFrame, half: np.ndarray | None) -> Truth:
    answers = emotify.answers()
    strength = np.column_stack([answers[list(own)].mean(axis=1) for own in emotify.EMOTIONS_OF.values()])
    kept = (strength.sum(axis=1) > 0) & answers["track_id"].isin(tracks.table["track_id"]).to_numpy()
    if half is not None:
        kept &= half[: len(answers)] < 0.5
    song = answers["track_id"].to_numpy()[kept]
    share = strength[kept] / strength[kept].sum(axis=1, keepdims=True)
    order = tracks.table["track_id"]
    pairwise = disagreement.pairwise(share, song).reindex(order)
    own = tracks.targets[order.to_numpy().searchsorted(song)]  # tracks are sorted by id
    elsewhere = pd.Series(1 - share[np.arange(len(share)), own]).groupby(song).mean().reindex(order)
    known = of_class.assign(
        genre=tracks.table["genre"], log_answers=np.log(tracks.table["listeners"].astype(float))
    )
    return Truth(None, {"pairwise": pairwise.to_numpy(), "against_label": elsewhere.to_numpy()}, known)


def _of_vgmidi(tracks: Tracks, arrays: dict[str, np.ndarray], half: np.ndarray | None) -> np.ndarray:
    rated = ratings_of_vgmidi()
    if half is not None:
        names, of_listener = np.unique(rated["listener"], return_inverse=True)
        rated = rated[half[: len(names)][of_listener] < 0.5]
    of_song, found = dict(list(rated.groupby("track_id"))), np.full(len(arrays["window_track"]), np.nan)
    for i, row in enumerate(tracks.table.itertuples()):
        own = arrays["window_track"] == i
        second, said = arrays["window_second"][own], of_song[row.track_id]
        found[own] = disagreement.of_windows(said, row.label, second, WINDOW_S, vgmidi.SCALE.midpoint)
    return found


def _of_seconds(tracks: Tracks, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Of music whose emotion is known in every second: the share of a window's that the label misses."""
    found = []
    for track, second in zip(arrays["window_track"], arrays["window_second"], strict=True):
        row = tracks.table.iloc[track]
        own = tracks.second_labels[row["track_id"]][second : second + round(WINDOW_S)]
        found.append(1 - own.count(row["label"]) / len(own))
    return np.array(found)


@lru_cache(maxsize=1)
def ratings_of_vgmidi() -> pd.DataFrame:
    return vgmidi.ratings()


def mean_of_songs(values: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """(n_songs,) means over windows, those that nobody has rated left out."""
    return pd.Series(values).groupby(arrays["window_track"]).mean().to_numpy()


def scores_of(arrays: dict[str, np.ndarray], row: int, repetition: int) -> dict[str, np.ndarray]:
    """What may rank windows by how wrong their label is, (n_windows,) each: the higher, the more doubtful.

    Doubt is 1 - clean probability. Out of fold the mixture is fitted to the losses of all windows, each from
    a network that learned from neither song nor group.
    """
    clean, loss, test_loss, entropy = (
        arrays[f"window_{name}"][row, repetition].astype(float) for name in KEPT
    )
    return {
        MAIN_SCORE: 1 - clean,
        "loss_in_training": loss,
        "doubt_out_of_fold": 1 - mixture.fit(test_loss).clean_probability,
        "loss_out_of_fold": test_loss,
        "entropy_out_of_fold": entropy,
    }


def associations(
    score: np.ndarray, truth: Truth, tracks: Tracks, arrays: dict[str, np.ndarray]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """(level, measure, values on all groups and on resamples) of one score of windows against the listeners.

    Levels: windows, also given their label's class, and within their piece; songs by the mean over their
    windows, also given what is known of them (`Truth.known`).
    """
    correlation = association.rank_correlation
    of_songs = mean_of_songs(score, arrays)
    for measure, disagrees in truth.songs.items():
        known = np.isfinite(disagrees) & np.isfinite(of_songs)
        both = of_songs[known], disagrees[known], tracks.groups[known]
        yield "songs", f"{measure}_correlation", correlation(*both)
        yield "songs_given_all", f"{measure}_correlation", correlation(*both, truth.known[known])
    if truth.windows is None:
        return
    known = np.isfinite(truth.windows) & np.isfinite(score)
    track, x, y = arrays["window_track"][known], score[known], truth.windows[known]
    groups, of_class = tracks.groups[track], truth.known[["label"]].iloc[track]
    yield "windows", "auc", association.auc(y > MAJORITY, x, groups)
    yield "windows", "correlation", correlation(x, y, groups)
    yield "windows_given_class", "correlation", correlation(x, y, groups, of_class)
    yield "within_pieces", "correlation", correlation(x, y, groups, within=track)


def rows_of(config: dict, arrays: dict[str, np.ndarray], tracks: Tracks) -> list[dict]:
    """What the mixture's doubt and the listeners' disagreement have in common, as metrics."""
    truth, cells = truth_of(tracks, arrays), config["cells"]
    rows, setting = [], cells[0]["setting"]
    for row, cell in enumerate(watched_cells(config)):
        names = {"method": cells[cell]["method"], "setting": setting}
        scores = [scores_of(arrays, row, r) for r in range(arrays["window_clean"].shape[1])]
        rows += rows_of_scores(names, [(own, truth) for own in scores], tracks, arrays)
        rows += binned(names, np.mean([own[MAIN_SCORE] for own in scores], axis=0), truth, tracks, arrays)
    guesses = baselines(truth, tracks, arrays)
    rows += rows_of_scores({"method": "baseline", "setting": setting}, [(guesses, truth)], tracks, arrays)
    if "shares" in tracks.table:
        names = {"method": "listeners", "setting": setting}
        rows += rows_of_scores(names, list(halves(tracks, arrays)), tracks, arrays)
        rows.append(names | wrong_answers(tracks))
    rows.append({"method": "baseline", "setting": setting} | most_frequent(tracks))
    return rows + differences(cells, arrays, tracks) + detections(cells, arrays, tracks)


def rows_of_scores(
    names: dict, found: list[tuple[dict[str, np.ndarray], Truth]], tracks: Tracks, arrays: dict
) -> list[dict]:
    """A row for each score, level and measure: means over repetitions, intervals over groups and them."""
    values: dict[tuple[str, str], list[np.ndarray]] = {}
    for scores, truth in found:
        for name, score in scores.items():
            for level, measure, drawn in associations(score, truth, tracks, arrays):
                values.setdefault((level, f"{name}_{measure}"), []).append(drawn)
    return [
        OF_LISTENERS | names | {"decision": level, "name": name, "n": len(tracks)} | estimate(np.array(own))
        for (level, name), own in values.items()
    ]


def estimate(values: np.ndarray) -> dict[str, float]:
    """Mean of (n_repetitions, 1 + draws) values, with its interval and p-value."""
    return dict(zip(("value", "low", "high", "p"), significance.averaged(values), strict=True))


def baselines(truth: Truth, tracks: Tracks, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Scores without any sound: where a window lies, and how much is disagreed on its class elsewhere."""
    disagrees, label, groups = next(iter(truth.songs.values())), tracks.targets, tracks.groups
    others = [np.nanmean(disagrees[(label == c) & (groups != g)]) for c, g in zip(label, groups, strict=True)]
    return {
        "second": arrays["window_second"].astype(float),
        "class": np.array(others)[arrays["window_track"]],
    }


def halves(tracks: Tracks, arrays: dict) -> Iterator[tuple[dict[str, np.ndarray], Truth]]:
    """Half of the listeners as a score for the other half: the ceiling of any score."""
    rng = np.random.default_rng(0)
    for _ in range(N_SPLITS):
        uniform = rng.random(MOST_LISTENERS)
        one, other = (truth_of(tracks, arrays, half) for half in (uniform, 1 - uniform))
        songs = next(iter(one.songs.values()))
        yield {"half": songs[arrays["window_track"]] if one.windows is None else one.windows}, other


def binned(
    names: dict, doubt: np.ndarray, truth: Truth, tracks: Tracks, arrays: dict[str, np.ndarray]
) -> list[dict]:
    """Mean disagreement in bins of equally many windows (or songs) by clean probability, smallest first.

    ``at`` is the mean clean probability of a bin.
    """
    if truth.windows is None:
        level, clean, groups = "songs", 1 - mean_of_songs(doubt, arrays), tracks.groups
        disagrees = next(iter(truth.songs.values()))
    else:
        level, clean, groups = "windows", 1 - doubt, tracks.groups[arrays["window_track"]]
        disagrees = truth.windows
    known = np.isfinite(disagrees)
    clean, disagrees, groups = clean[known], disagrees[known], groups[known]
    bin_of = (clean.argsort(kind="stable").argsort(kind="stable") * BINS) // len(clean)
    weights = association.group_weights(np.unique(groups, return_inverse=True)[1], significance.DRAWS)
    rows = []
    for k in range(BINS):
        own = bin_of == k
        mean = weighted_means(np.where(own, disagrees, 0), own, groups, weights)
        row = {"decision": level, "name": f"disagreement_bin_{k + 1}", "n": int(own.sum())}
        rows.append(OF_LISTENERS | names | row | {"at": float(clean[own].mean())} | estimate(mean[None]))
    return rows


def weighted_means(
    part: np.ndarray, whole: np.ndarray, groups: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """(1 + draws,) ratios of sums over resampled groups."""
    of_group = np.unique(groups, return_inverse=True)[1]
    parts, wholes = (np.bincount(of_group, own, weights.shape[1]) for own in (part, whole.astype(float)))
    drawn = weights @ wholes
    return np.where(drawn > 0, weights @ parts / np.where(drawn > 0, drawn, 1), parts.sum() / wholes.sum())


def wrong_answers(tracks: Tracks) -> dict:
    """The real rate of label noise: the share of answers that are not their song's label, mean over songs."""
    wrong = 1 - tracks.shares[np.arange(len(tracks)), tracks.targets]
    of_group = np.unique(tracks.groups, return_inverse=True)[1]
    weights = association.group_weights(of_group, significance.DRAWS)
    values = weighted_means(wrong, np.ones(len(wrong)), tracks.groups, weights)
    row = {"decision": "songs", "name": "wrong_answers", "n": len(tracks)}
    return OF_LISTENERS | row | estimate(values[None])


def most_frequent(tracks: Tracks) -> dict:
    """Macro F1 of giving every song the most frequent label."""
    guess = np.full((1, len(tracks)), np.bincount(tracks.targets).argmax())
    given = tracks.targets, guess, tracks.groups, metrics.macro_f1, len(tracks.classes)
    row = {"target": "emotion", "decision": MAIN_DECISION, "name": "macro_f1_most_frequent"}
    return OF_LISTENERS | row | {"n": len(tracks)} | significance.seed_averaged(*given)._asdict()


def differences(cells: list[dict], arrays: dict[str, np.ndarray], tracks: Tracks) -> list[dict]:
    """What noise costs each method: macro F1 under it minus that on the labels; one listener's and symmetric.

    The last is macro F1 under one listener's answers minus that under as many symmetric wrong labels.
    """
    place = {(cell["method"], cell["noise"]): i for i, cell in enumerate(cells)}
    rows = []
    for (method, noise), i in place.items():
        others = {"cost": (method, NONE), "from_symmetric": (method, SYMMETRIC)}
        wanted = ["cost"] * (noise != NONE) + ["from_symmetric"] * (noise == ONE_LISTENER)
        for name in (name for name in wanted if others[name] in place):
            pair = arrays[MAIN_DECISION][i], arrays[MAIN_DECISION][place[others[name]]]
            given = tracks.targets, *pair, tracks.groups, metrics.macro_f1, len(tracks.classes)
            found = significance.seed_averaged_difference(*given)._asdict()
            rows.append(of_cell(cells[i]) | {"decision": MAIN_DECISION, "name": f"macro_f1_{name}"} | found)
    return [row | {"n": len(tracks)} for row in rows]


def detections(cells: list[dict], arrays: dict[str, np.ndarray], tracks: Tracks) -> list[dict]:
    """How well the loss tells wrong from right labels at last: AUC, and its difference from symmetric noise.

    The intervals are those of the corrected resampled t-test over networks (`significance`).
    """
    place = {(cell["method"], cell["noise"]): i for i, cell in enumerate(cells)}
    rows = []
    for (method, noise), i in place.items():
        if noise == NONE:
            continue
        values = {"auc": arrays["detection"][i]}
        if noise == ONE_LISTENER and (j := place.get((method, SYMMETRIC))) is not None:
            values["auc_from_symmetric"] = arrays["detection"][i] - arrays["detection"][j]
        for name, own in values.items():
            found = significance.corrected_interval(own, len(tracks) * 4, len(tracks))
            row = {"decision": "windows", "name": f"detection_{name}", "n": len(tracks)}
            rows.append(of_cell(cells[i]) | row | found._asdict())
    return rows


def of_cell(cell: dict) -> dict:
    names = {name: cell[name] for name in ("method", "noise", "unit", "rate", "setting")}
    return OF_LISTENERS | names | {"target": "emotion"}
