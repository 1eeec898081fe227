"""Your own labelled music, as the papers' music is treated: train on it, measure what that is worth, find its doubtful labels.

A model is trained on all songs; how good it is, and how sure it may be, comes from networks of the same recipe that were tested
on songs which they had not heard (`evaluate`). The model that ships was made by this very code from 4Q.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from torch import nn

from mer_core import calibration, datasets, evaluation, label_check, metrics, networks, results, significance, tag_evaluation
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, high_probability
from mer_core.experiments.experiment import run_of
from mer_core.experiments.presets import BY_PART, SSSL
from mer_core.features import LogMel
from mer_core.models import Network
from mer_core.predict import Emotion, predict_all
from mer_core.runs import Run, changed
from mer_core.significance import Estimate
from mer_core.tracks import DataError, Tracks, has_tags
from mer_core.trained import ModelError, TrainedModel, assembled
from mer_core.training import best_device, modules_of

EXPERIMENT = "own_music"  # under which records of `evaluate` are kept
SEEDS = (0, 1, 2)  # of the networks that answer together
DOUBTFUL_SECONDS = 3  # of each song that are named
LICENCE = (
    "The weights are offered under the licence of the code, as far as they are ours to give. They hold no audio, but were "
    "learned from music whose terms are: {terms}. Check that your use fits both."
)


def runs(dataset: str, method: str, preset: str, seeds: tuple[int, ...] = SEEDS, changes: dict | None = None) -> list[Run]:
    """One run for each seed: a preset's settings with this method and this music.

    Raises
    ------
    AskedError : no such setting, or one that cannot have this value
    """
    dataset = datasets.from_anywhere(dataset)
    base = run_of(SSSL[preset], {"method": method})
    changed(base, changes or {})  # refused before any music is read
    if datasets.load(dataset, skip_unreadable=True).tagged:  # tags come with their parts: one network, no folds
        base = replace(base, folds=BY_PART)
    return [changed(base, {"dataset": dataset, "seed": seed, **(changes or {})}) for seed in seeds]


def train(
    asked: list[Run], preset: str, executor: Executor | None = None, on_network: Callable[[], None] = lambda: None
) -> TrainedModel:
    """Networks on all songs of these runs' music, one run after the other or side by side, joined in one model.

    The temperature, and what the card says of the accuracy, come from records of the same runs, where `evaluate` has made them;
    without them the temperature is 1 and the card says that nothing is known.

    Raises
    ------
    UserError : data that cannot be used; a method without networks for windows; features that are not made from sound alone
    """
    first = asked[0]
    if not isinstance(first.features, LogMel) or not isinstance(first.network, Network):
        raise ModelError("a model for sound files hears log-mel spectrograms with a network of mer_core.models.ARCHITECTURES.")
    tracks = networks.load_frames(first).tracks  # before any worker starts: they share the store
    card = origin(asked, preset, tracks)  # before hours of training, in which the code may change
    members: list[nn.Module] = []
    for modules in (map if executor is None else executor.map)(trained_on_all, asked):
        members += modules
        on_network()
    records = [record for run in asked if (record := results.of_run(run, preset))]
    known = out_of_fold(records, tracks) if len(records) == len(asked) else None
    temperature = known.temperature if isinstance(known, OutOfFold) else 1.0
    return assembled(
        members, temperature, tracks.tagged, network=first.network, features=first.features, window_s=first.window_s,
        classes=tracks.classes, card=card | {"out_of_fold": known and known.summary()},
    )  # fmt: skip


def trained_on_all(run: Run) -> list[nn.Module]:
    """The networks that a run's method answers with, after hearing every song."""
    device = best_device()
    _, data = networks.load_segments(run, device)
    data = replace(data, unlabelled=networks.without_labels(run, device))
    answer, _ = networks.fit(run, data, networks.seed_of(run, run.folds.n, 0), lambda row: None)
    return [module.cpu() for module in modules_of(answer)]


def origin(asked: list[Run], preset: str, tracks: Tracks) -> dict:
    """Where a model comes from: its music, settings, seeds, code."""
    terms = "your own" if tracks.own else datasets.card(tracks.name)["licence"]
    return {
        "data": {
            "name": tracks.name, "digest": tracks.digest(), "n_tracks": len(tracks), "n_groups": len(set(tracks.groups)),
            "hours": round(float(tracks.table["duration_s"].sum() / 3600), 2), "licence": terms,
            "counts": {label: int(n) for label, n in tracks.named.value_counts().sort_index().items()},
        },
        "preset": preset, "method": asked[0].method_name, "seeds": [run.seed for run in asked],
        "run_ids": [run.run_id for run in asked], "settings": asked[0].config() | {"dataset": tracks.name},
        "code": results.code_state(), "environment": results.environment(networks.device_name(), 1),
        "licence": LICENCE.format(terms=terms),
    }  # fmt: skip


def evaluate(asked: list[Run], preset: str, executor: Executor | None = None) -> list[dict]:
    """The records of these runs, made where they are missing: every song answered for by networks that had not heard it."""
    missing = [run for run in asked if not results.of_run(run, preset)]
    started = networks.start(missing, executor) if executor else {}
    return [results.of_run(run, preset) or evaluation.execute(run, EXPERIMENT, preset, run.method_name, started) for run in asked]


@dataclass(frozen=True)
class OutOfFold:
    """What the networks of some records, joined as in a trained model, answer for songs that they had not heard.

    ``windows``: (n_networks, n_windows, n_classes) probabilities; ``track``: (n_windows,) whose window it is; ``truth``,
    ``groups``, ``fold``: (n_songs,), songs in the order of ``np.unique(track)``.
    """

    classes: tuple[str, ...]
    windows: np.ndarray
    track: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    fold: np.ndarray
    temperature: float

    @property
    def plain(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities before calibration."""
        return calibration.of_songs(self.windows, self.track)

    @property
    def calibrated(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities, each song's with a temperature found on the other folds."""
        return calibration.cross_fitted(self.windows, self.track, self.truth, self.fold)

    def summary(self) -> dict:
        """Scores with their 95 % intervals over artists, as plain values; what a model card says."""
        plain, calibrated = self.plain, self.calibrated
        called = calibrated.argmax(axis=1)
        found = {
            "answers": "labels", "n": len(self.truth), "n_networks": len(self.windows), "n_folds": len(set(self.fold.tolist())),
            "confusion": metrics.confusion(self.truth, called, len(self.classes)).tolist(),
            "temperature": self.temperature,
            "scores": scored(self.truth, called, self.groups, len(self.classes)),
            "trivial": scored(self.truth, most_frequent(self.truth, self.fold), self.groups, len(self.classes)),
            "by_class": by_class(self.truth, called, self.groups, self.classes),
            "calibration": {
                name: calibration.calibration(probabilities, self.truth, self.groups)
                for name, probabilities in (("before", plain), ("after", calibrated))
            },
            "reliability": metrics.reliability(called == self.truth, calibrated.max(axis=1)),
        }  # fmt: skip
        for dimension, high in (("valence", HIGH_VALENCE), ("arousal", HIGH_AROUSAL)) if self.classes == QUADRANTS else ():
            answer = high_probability(calibrated, dimension) > 0.5
            found[dimension] = scored(high[self.truth].astype(int), answer.astype(int), self.groups, 2)
        return plain_values(found)


@dataclass(frozen=True)
class OutOfPart:
    """The same for tags: what the networks say, on average, of the test songs, which they had not heard."""

    classes: tuple[str, ...]
    truth: np.ndarray  # (n_songs, n_tags) bool
    scores: np.ndarray  # (n_songs, n_tags) probabilities
    groups: np.ndarray

    def summary(self) -> dict:
        """PR-AUC and ROC-AUC, their means over tags and the first of every tag, with intervals over artists."""
        rows = tag_evaluation.ranking_rows(
            *tag_evaluation.drawn(self.truth, self.scores, self.groups), self.classes, len(self.truth)
        )
        macro = {row["name"]: estimate(row) for row in rows if row["target"] == tag_evaluation.MACRO}
        by_tag = {row["target"]: {"pr_auc": estimate(row)} for row in rows if row["target"] != tag_evaluation.MACRO}
        shares = dict(zip(self.classes, self.truth.mean(axis=0).tolist(), strict=True))
        return plain_values(
            {"answers": "tags", "n": len(self.truth), "scores": macro, "by_class": by_tag, "share": shares, "temperature": 1.0}
        )


def estimate(row: dict) -> Estimate:
    return Estimate(row["value"], row["low"], row["high"])


def plain_values(found):
    """Estimates as {"value", "low", "high"}, at every depth; numbers to six digits."""
    if isinstance(found, Estimate):
        return plain_values(found._asdict())
    if isinstance(found, dict):
        return {name: plain_values(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain_values(value) for value in found]
    return round(found, 6) if isinstance(found, float) else found


def out_of_fold(records: list[dict], tracks: Tracks) -> OutOfFold | OutOfPart:
    """The answers of several records' networks for the same songs, joined.

    Raises
    ------
    RecordError : the records were made from other songs, or tested other ones
    """
    stored = [results.predictions(record) for record in records]
    first = stored[0]
    same = all(np.array_equal(first["test_track"], other["test_track"]) for other in stored[1:])
    if not same or first["track_id"].tolist() != tracks.table["track_id"].tolist():
        raise results.RecordError(f"the records of {tracks.name} were made from other songs. Delete them and evaluate again.")
    track = first["test_track"]
    if tracks.tagged:
        mean = np.mean([other["test"].astype(float) for other in stored], axis=0)
        return OutOfPart(tracks.classes, tracks.targets[track], mean, tracks.groups[track])
    windows = np.array([other["test"] for other in stored], dtype=float)
    ids = np.unique(track)
    truth, fold = tracks.targets[ids], first["fold"][np.argsort(first["track"])]
    temperature = calibration.fit_temperature(windows, track, truth)
    return OutOfFold(tracks.classes, windows, track, truth, tracks.groups[ids], fold, temperature)


def most_frequent(truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The answer that ignores the music: for each song the commonest class of the other folds."""
    return np.array([np.bincount(truth[fold != k] if (fold != k).any() else truth).argmax() for k in fold])


def scored(truth: np.ndarray, called: np.ndarray, groups: np.ndarray, n_classes: int) -> dict[str, Estimate]:
    """Accuracy and macro F1 with their 95 % intervals over artists."""
    return {
        name: interval_of(metric, truth, called, groups, n_classes)
        for name, metric in (("accuracy", metrics.accuracy), ("macro_f1", metrics.macro_f1))
    }


def by_class(truth: np.ndarray, called: np.ndarray, groups: np.ndarray, classes: tuple[str, ...]) -> dict[str, dict]:
    """Precision, recall and F1 of every class with their 95 % intervals over artists."""
    measures = {"precision": metrics.precision_per_class, "recall": metrics.recall_per_class, "f1": metrics.f1_per_class}
    return {
        label: {
            name: interval_of(lambda counts, m=measure, k=k: m(counts)[..., k], truth, called, groups, len(classes))
            for name, measure in measures.items()
        }
        for k, label in enumerate(classes)
    }


def interval_of(metric, truth: np.ndarray, called: np.ndarray, groups: np.ndarray, n_classes: int) -> Estimate:
    low, high = significance.interval(
        significance.resampled(metric, truth, called, n_classes, significance.artist_weights(groups))
    )
    return Estimate(float(metric(metrics.confusion(truth, called, n_classes))), low, high)


def scored_model(model: TrainedModel, tracks: Tracks, workers: int | None = None) -> tuple[dict, dict[str, str]]:
    """How well a trained model calls labelled music, as plain values like `OutOfFold.summary`; and what could not be heard.

    Raises
    ------
    ModelError : the music has labels that the model does not know, or tags where the model has labels
    """
    if tracks.tagged != model.committee.tagged or (unknown := set(tracks.classes) - set(model.classes)):
        wanted = ", ".join(model.classes)
        raise ModelError(
            f"{tracks.name}: its labels are not the model's, which are {wanted}"
            f"{'' if tracks.tagged != model.committee.tagged else '; it does not know ' + ', '.join(sorted(unknown))}. Rename "
            "them, or take another model."
        )
    said = [one for _, one in predict_all(tracks.table["path"], model, workers)]
    failed = {str(p): str(one) for p, one in zip(tracks.table["path"], said, strict=True) if isinstance(one, Exception)}
    heard = np.array([not isinstance(one, Exception) for one in said])
    if not heard.any():
        raise ModelError(f"{tracks.name}: none of its {len(said)} files could be heard. {next(iter(failed.values()))}")
    probabilities = np.array([[one.probabilities[name] for name in model.classes] for one in said if isinstance(one, Emotion)])
    groups = tracks.groups[heard]
    if tracks.tagged:
        truth = has_tags(tracks.table["tags"], model.classes)[heard]
        return OutOfPart(model.classes, truth, probabilities, groups).summary(), failed
    truth = tracks.table["label"].map(model.classes.index).to_numpy()[heard]
    called, n = probabilities.argmax(axis=1), len(model.classes)
    commonest = np.full(len(truth), np.bincount(truth).argmax())  # known only to those who know the answers: a strict baseline
    return plain_values({
        "answers": "labels", "n": len(truth), "confusion": metrics.confusion(truth, called, n).tolist(),
        "scores": scored(truth, called, groups, n), "trivial": scored(truth, commonest, groups, n),
        "by_class": by_class(truth, called, groups, model.classes),
        "calibration": {"after": calibration.calibration(probabilities, truth, groups)},
    }), failed  # fmt: skip


def doubtful(records: list[dict], tracks: Tracks) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which songs, and which of their seconds, look mislabelled to networks that had not heard them; the most doubtful first.

    The clean probability of a window is `label_check.judged`'s, averaged over the networks; that of a song is the mean over its
    windows.

    Returns
    -------
    songs : ``track_id``, ``label``, ``clean_probability``, ``called`` (what it sounds like instead), ``p_label``, ``p_called``,
        ``seconds`` (where its most doubtful windows start, as text), ``path``
    windows : ``track_id``, ``second``, ``clean_probability``

    Raises
    ------
    DataError : music with tags: an absent tag says nothing, so that no label can be called wrong
    """
    if tracks.tagged:
        raise DataError(f"{tracks.name}: has tags; only music with one label each can be checked for wrong ones.")
    judged = pd.concat([label_check.judged(record, tracks) for record in records])
    columns = ["clean_probability", *tracks.classes]
    windows = judged.groupby(["track_id", "second"], as_index=False)[columns].mean()
    mean = windows.groupby("track_id")[columns].mean()
    rows = tracks.table[["track_id", "label", "path"]].set_index("track_id").loc[mean.index]
    shares = mean[list(tracks.classes)]
    worst = windows.sort_values(["clean_probability", "second"]).groupby("track_id").head(DOUBTFUL_SECONDS)
    seconds = worst.sort_values("second").groupby("track_id")["second"].agg(lambda own: " ".join(map(str, own)))
    songs = rows.assign(
        clean_probability=mean["clean_probability"], called=shares.idxmax(axis=1), p_called=shares.max(axis=1),
        p_label=[shares.at[song, label] for song, label in rows["label"].items()], seconds=seconds,
    )  # fmt: skip
    columns = ["track_id", "label", "clean_probability", "called", "p_label", "p_called", "seconds", "path"]
    songs = songs.sort_values(["clean_probability", "p_label"]).reset_index()[columns]
    return songs, windows[["track_id", "second", "clean_probability"]]
