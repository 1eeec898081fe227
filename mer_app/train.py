"""Your own labelled music, as the papers' music is treated: train on it, measure what that is worth, find its
doubtful labels.

A model is trained on all songs; how good it is, and how sure it may be, comes from networks of the same
recipe that were tested on songs which they had not heard (`evaluate`). The model that ships was made by this
very code from 4Q."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from mer_app import scores as song_scores
from mer_companion import provenance, results
from mer_companion.analysis import clean_probability
from mer_companion.experiments import record_of
from mer_companion.experiments.experiment import run_of
from mer_companion.experiments.presets import BY_PART, SSSL
from mer_companion.runs import cross_validation
from mer_companion.runs.overrides import changed
from mer_companion.runs.settings import Run
from mer_core import datasets, trained_model
from mer_core.audio.features import SILENCE_DB, LogMel
from mer_core.datasets.tracks import DataError, Tracks, has_tags
from mer_core.device import best_device, computes_with, device_name
from mer_core.evaluation import calibration
from mer_core.frames import Frames, file_hash
from mer_core.methods import OF_WHOLE_SONGS
from mer_core.models import Network
from mer_core.predict import Emotion, predict_all, window_probabilities
from mer_core.trained_model import ModelError, TrainedModel, assembled
from mer_core.training import modules_of

EXPERIMENT = "own_music"  # under which records of `evaluate` are kept
SEEDS = (0, 1, 2)  # of the networks that answer together
QUIETER_DB, LEVEL_SONGS = (
    10.0,
    150,
)  # how much quieter, and how many songs at most, to see what a recording's level does
DOUBTFUL_SECONDS = 3  # of each song that are named
LICENCE = (
    "The weights are offered under the licence of the code, as far as they are ours to give. They hold no audio, but were "
    "learned from music whose terms are: {terms}. Check that your use fits both."
)


def runs(
    dataset: str, method: str, preset: str, seeds: tuple[int, ...] = SEEDS, changes: dict | None = None
) -> list[Run]:
    """One run for each seed: a preset's settings with this method and this music.

    Raises
    ------
    AskedError : no such setting, or one that cannot have this value
    """
    dataset = datasets.from_anywhere(dataset)
    base = run_of(SSSL[preset], {"method": method})
    changed(base, changes or {})  # refused before any music is read
    if datasets.load(
        dataset, skip_unreadable=True
    ).tagged:  # tags come with their parts: one network, no folds
        base = replace(base, folds=BY_PART)
    return [changed(base, {"dataset": dataset, "seed": seed, **(changes or {})}) for seed in seeds]


def train(
    asked: list[Run],
    preset: str,
    executor: Executor | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> TrainedModel:
    """Networks on all songs of these runs' music, one run after the other or side by side, joined in one
    model.

    The temperature, and what the card says of the accuracy, come from records of the same runs, where
    `evaluate` has made them; without them the temperature is 1 and the card says that nothing is known.

    Raises
    ------
    UserError : data that cannot be used; a method without networks for windows; features that are not made
    from sound alone"""
    first = asked[0]
    if not isinstance(first.features, LogMel) or not isinstance(first.network, Network):
        raise ModelError(
            "a model for sound files hears log-mel spectrograms with a network of mer_core.models.ARCHITECTURES."
        )
    if first.method_name in OF_WHOLE_SONGS:
        raise ModelError(
            f"{first.method_name} decides for whole songs and leaves no network for windows: choose another method."
        )
    frames = cross_validation.load_frames(first)  # before any worker starts: they share the store
    tracks, card = (
        frames.tracks,
        origin(asked, preset, frames.tracks),
    )  # before hours of training, in which the code may change
    members = []
    for kept in (map if executor is None else executor.map)(trained_on_all, asked):
        members.append(networks_in(kept, first, len(tracks.classes)))
        on_network()
    records = [record for run in asked if (record := results.of_run(run, preset))]
    known = out_of_fold(records, tracks) if len(records) == len(asked) else None
    model = assembled(
        [member for own in members for member in own], known.temperature if known else 1.0, tracks.tagged,
        together=len(members[0]), network=first.network, features=first.features, window_s=first.window_s,
        classes=tracks.classes, card=card | {"out_of_fold": known and known.summary()},
    )  # fmt: skip
    return replace(model, card=model.card | {"level": heard_quieter(model, frames)})


def heard_quieter(model: TrainedModel, frames: Frames) -> dict:
    """The share of songs, of some that a model learned from, which it calls otherwise when they are quieter."""
    chosen = np.unique(np.linspace(0, len(frames.tracks) - 1, LEVEL_SONGS).round().astype(int))
    changed = []
    for song in chosen:
        levels = torch.from_numpy(
            np.array(frames.values[frames.offsets[song] : frames.offsets[song + 1]])
        ).float()
        both = [
            window_probabilities(model, heard.half(), float(frames.duration_s[song])).mean(axis=(0, 1))
            for heard in (levels, (levels - QUIETER_DB).clamp_min(SILENCE_DB))
        ]
        called = [p > 0.5 if model.ensemble.tagged else p.argmax() for p in both]
        changed.append(bool(np.any(called[0] != called[1])))
    return {"quieter_by_db": QUIETER_DB, "n": len(chosen), "changed": float(np.mean(changed))}


def trained_on_all(run: Run) -> Path:
    """Train a run's networks on every song and keep them; where they lie. Finished ones are not trained
    again.
    """
    frames, data = cross_validation.load_segments(run, best_device())
    path = cross_validation.part_path(run, frames, 0, 0).with_name("all-songs.safetensors")
    if not path.exists():
        data = replace(data, unlabelled=cross_validation.without_labels(run, data.device))
        answer, _ = cross_validation.fit(
            run, data, cross_validation.seed_of(run, run.folds.n, 0), lambda row: None
        )
        trained_model.keep({f"{i}.{name}": value for i, module in enumerate(modules_of(answer))
                      for name, value in module.state_dict().items()}, path)  # fmt: skip
    return path


def networks_in(path: Path, run: Run, n_classes: int) -> list[torch.nn.Module]:
    """The networks that `trained_on_all` has kept: one, or those that a method trains side by side."""
    stored = trained_model.kept(path)
    modules = []
    for i in sorted({int(name.partition(".")[0]) for name in stored}):
        modules.append(trained_model.bare(run.network, run.features, n_classes))
        modules[-1].load_state_dict({
            name.removeprefix(f"{i}."): value for name, value in stored.items() if name.startswith(f"{i}.")
        })  # fmt: skip
    return modules


def origin(asked: list[Run], preset: str, tracks: Tracks) -> dict:
    """Where a model comes from: its music, settings, seeds, code."""
    terms = "your own" if tracks.own else datasets.card(tracks.name)["licence"]
    return {
        "data": {
            "name": tracks.name, "digest": tracks.digest(), "n_tracks": len(tracks), "n_groups": len(set(tracks.groups)),
            "hours": round(float(tracks.table["duration_s"].sum() / 3600), 2), "licence": terms,
            "counts": {label: int(n) for label, n in tracks.named.value_counts().sort_index().items()},
            "sounds": [sound_name(path) for path in tracks.table["path"]],
        },
        "preset": preset, "method": asked[0].method_name, "seeds": [run.seed for run in asked],
        "run_ids": [run.run_id for run in asked], "settings": asked[0].config() | {"dataset": tracks.name},
        "code": provenance.code_state(),
        "environment": provenance.environment(device_name(), 1) | computes_with(best_device(), asked[0].training.precision),
        "licence": LICENCE.format(terms=terms),
    }  # fmt: skip


def sound_name(path: Path) -> str:
    """A short fingerprint of a file's content."""
    return file_hash(path)[:10]


def known_songs(model: TrainedModel, tracks: Tracks) -> int:
    """How many of these songs a model was trained on."""
    data = model.card["data"]
    if tracks.digest() == data["digest"]:
        return len(tracks)
    return len({sound_name(path) for path in tracks.table["path"]} & set(data["sounds"]))


def evaluate(asked: list[Run], preset: str, executor: Executor | None = None) -> list[dict]:
    """The records of these runs, made where they are missing: every song answered for by networks that had
    not heard it.
    """
    missing = [run for run in asked if not results.of_run(run, preset)]
    started = cross_validation.start(missing, executor) if executor else {}
    return [
        results.of_run(run, preset) or record_of(run, EXPERIMENT, preset, run.method_name, started)
        for run in asked
    ]


@dataclass(frozen=True)
class OutOfFold:
    """What the networks of some records, joined as in a trained model, answer for songs that they had not
    heard.

    ``windows``: (n_networks, n_windows, n_classes) probabilities; ``track``: (n_windows,) whose window it is;
    ``truth``, ``groups``, ``fold``: (n_songs,), songs in the order of ``np.unique(track)``."""

    classes: tuple[str, ...]
    windows: np.ndarray
    track: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    fold: np.ndarray

    @property
    def plain(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities before calibration."""
        return calibration.of_songs(self.windows, self.track)

    @cached_property
    def cross_fitted(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities, each song's with a temperature found on the other folds."""
        return calibration.cross_fitted(self.windows, self.track, self.truth, self.fold)

    @cached_property
    def temperature(self) -> float:
        """Found on all songs; 1, which changes nothing, where those of the other folds make songs' labels no
        less surprising.
        """
        if calibration.negative_log_likelihood(
            self.cross_fitted, self.truth
        ) >= calibration.negative_log_likelihood(self.plain, self.truth):
            return 1.0
        return calibration.fit_temperature(self.windows, self.track, self.truth)

    @property
    def calibrated(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities as calibrated as those of a model with this temperature."""
        return self.plain if self.temperature == 1 else self.cross_fitted

    def summary(self) -> dict:
        """Scores and what the temperature does, as plain values: what a model card says."""
        blind = most_frequent(self.truth, self.fold)
        found = song_scores.of_labels(self.calibrated, self.truth, self.groups, self.classes, blind)
        surprise = [
            calibration.negative_log_likelihood_of_each(p, self.truth) for p in (self.plain, self.calibrated)
        ]
        heard = calibration.tempered(self.windows, self.temperature).mean(axis=0)
        song = np.searchsorted(np.unique(self.track), self.track)
        found["calibration"] |= song_scores.plain_values({
            "before": calibration.estimates(self.plain, self.truth, self.groups),
            "surprise_saved": calibration.mean_of(surprise[0] - surprise[1], self.groups),
            "error_of_windows": calibration.calibration_error(
                heard.max(axis=1), heard.argmax(axis=1) == self.truth[song], song, self.groups
            ),
        })  # fmt: skip
        return found | {
            "temperature": round(self.temperature, 6), "n_networks": len(self.windows), "n_folds": len(set(self.fold.tolist()))
        }  # fmt: skip


@dataclass(frozen=True)
class OutOfPart:
    """The same for tags: what the networks say, on average, of the test songs, which they had not heard."""

    classes: tuple[str, ...]
    truth: np.ndarray  # (n_songs, n_tags) bool
    scores: np.ndarray  # (n_songs, n_tags) probabilities
    groups: np.ndarray
    temperature: ClassVar[float] = 1.0  # tags are not calibrated

    def summary(self) -> dict:
        """What a model card says of tags."""
        return song_scores.of_tags(self.scores, self.truth, self.groups, self.classes) | {
            "temperature": self.temperature
        }


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
        raise results.RecordError(
            f"the records of {tracks.name} were made from other songs. Delete them and evaluate again."
        )
    track = first["test_track"]
    if tracks.tagged:
        mean = np.mean([other["test"].astype(float) for other in stored], axis=0)
        return OutOfPart(tracks.classes, tracks.targets[track], mean, tracks.groups[track])
    windows = np.array([other["test"] for other in stored], dtype=float)
    ids = np.unique(track)
    truth, fold = tracks.targets[ids], first["fold"][np.argsort(first["track"])]
    return OutOfFold(tracks.classes, windows, track, truth, tracks.groups[ids], fold)


def most_frequent(truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The answer that ignores the music: for each song the commonest class of the other folds."""
    return np.array([np.bincount(truth[fold != k] if (fold != k).any() else truth).argmax() for k in fold])


def scored_model(
    model: TrainedModel, tracks: Tracks, workers: int | None = None
) -> tuple[dict, dict[str, str]]:
    """How well a trained model calls labelled music, as plain values like `OutOfFold.summary`; and what could
    not be heard.

    Raises
    ------
    ModelError : the music has labels that the model does not know, or tags where the model has labels
    """
    if tracks.tagged != model.ensemble.tagged or (unknown := set(tracks.classes) - set(model.classes)):
        wanted = ", ".join(model.classes)
        raise ModelError(
            f"{tracks.name}: its labels are not the model's, which are {wanted}"
            f"{'' if tracks.tagged != model.ensemble.tagged else '; it does not know ' + ', '.join(sorted(unknown))}. Rename "
            "them, or take another model."
        )
    said = [one for _, one in predict_all(tracks.table["path"], model, workers)]
    failed = {
        str(p): str(one)
        for p, one in zip(tracks.table["path"], said, strict=True)
        if isinstance(one, Exception)
    }
    heard = np.array([not isinstance(one, Exception) for one in said])
    if not heard.any():
        raise ModelError(
            f"{tracks.name}: none of its {len(said)} files could be heard. {next(iter(failed.values()))}"
        )
    probabilities = np.array(
        [[one.probabilities[name] for name in model.classes] for one in said if isinstance(one, Emotion)]
    )
    groups = tracks.groups[heard]
    if tracks.tagged:
        truth = has_tags(tracks.table["tags"], model.classes)[heard]
        return song_scores.of_tags(probabilities, truth, groups, model.classes), failed
    truth = tracks.table["label"].map(model.classes.index).to_numpy()[heard]
    commonest = np.full(
        len(truth), np.bincount(truth).argmax()
    )  # known only to those who know the answers: a strict baseline
    return song_scores.of_labels(probabilities, truth, groups, model.classes, commonest), failed


def with_labels(asked: list[Run]) -> list[Run]:
    """The same runs, if their music has one label a song.

    Raises
    ------
    DataError : music with tags: an absent tag says nothing, so that no label can be called wrong
    """
    if (tracks := datasets.load(asked[0].dataset, skip_unreadable=True)).tagged:
        raise DataError(
            f"{tracks.name}: has tags; only music with one label each can be checked for wrong ones."
        )
    return asked


def doubtful(records: list[dict], tracks: Tracks) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which songs, and which of their seconds, look mislabelled to networks that had not heard them; the most
    doubtful first.

    The clean probability of a window is `label_check.judged`'s, averaged over the networks; that of a song is
    the mean over its windows.

    Returns
    -------
    songs : ``track_id``, ``label``, ``clean_probability``, ``called`` (what it sounds like instead),
    ``p_label``, ``p_called``,
        ``seconds`` (where its most doubtful windows start, as text), ``path``
    windows : ``track_id``, ``second``, ``clean_probability``
    """
    judged = pd.concat([clean_probability.judged(record, tracks) for record in records])
    columns = ["clean_probability", *tracks.classes]
    windows = judged.groupby(["track_id", "second"], as_index=False)[columns].mean()
    mean = windows.groupby("track_id")[columns].mean()
    rows = tracks.table[["track_id", "label", "path"]].set_index("track_id").loc[mean.index]
    shares = mean[list(tracks.classes)]
    worst = windows.sort_values(["clean_probability", "second"]).groupby("track_id").head(DOUBTFUL_SECONDS)
    seconds = (
        worst.sort_values("second").groupby("track_id")["second"].agg(lambda own: " ".join(map(str, own)))
    )
    songs = rows.assign(
        clean_probability=mean["clean_probability"], called=shares.idxmax(axis=1), p_called=shares.max(axis=1),
        p_label=[shares.at[song, label] for song, label in rows["label"].items()], seconds=seconds,
    )  # fmt: skip
    columns = ["track_id", "label", "clean_probability", "called", "p_label", "p_called", "seconds", "path"]
    songs = songs.sort_values(["clean_probability", "p_label"]).reset_index()[columns]
    return songs, windows[["track_id", "second", "clean_probability"]]
