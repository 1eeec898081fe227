"""A model trained on your own labelled music, as networks are trained on the papers' music.

It is trained on all songs; how good it is, and the temperature of its probabilities, come from networks of
the same recipe that were tested on songs outside their training folds (`mer_app.evaluate`). The model that
ships was made by this very code from 4Q.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mer_app.evaluate import out_of_fold
from mer_companion import provenance, results
from mer_companion.experiments.experiment import run_of
from mer_companion.experiments.presets import BY_PART, OWN_MUSIC, SSSL
from mer_companion.runs import cross_validation
from mer_companion.runs.overrides import changed
from mer_companion.runs.settings import Run
from mer_core import RequestError, datasets, trained_model
from mer_core.audio.features import SILENCE_DB, LogMel, WindowFeatures
from mer_core.datasets.tracks import Tracks
from mer_core.device import best_device, computes_with, device_name
from mer_core.frames import Frames, file_hash
from mer_core.methods import OF_WHOLE_SONGS
from mer_core.predict import encoded, spectrogram_of_file, window_probabilities
from mer_core.trained_model import NETWORKS, ModelError, TrainedModel, assembled
from mer_core.training import modules_of

SEEDS = (0, 1, 2)  # of the networks whose probabilities are averaged
QUIETER_DB = 10.0  # how much quieter songs are made to see what a recording's level does
LEVEL_SONGS = 150  # with how many songs at most
LICENCE = (
    "The weights are offered under the licence of the code, as far as they are ours to give. They hold no "
    "audio, but were learned from music whose terms are: {terms}. Check that your use fits both."
)


def runs_on(
    dataset: str,
    method: str,
    preset: str,
    seeds: tuple[int, ...] = SEEDS,
    changes: dict | None = None,
    from_scratch: bool = False,
) -> list[Run]:
    """One run for each seed: a preset's settings with this method and this music.

    Parameters
    ----------
    from_scratch : networks that hear spectrograms and know nothing, instead of heads on a pretrained one

    Raises
    ------
    RequestError : no such setting, or one that cannot have this value
    """
    dataset = datasets.from_anywhere(dataset)
    base = usual(preset, method, from_scratch)
    check(changes or {}, preset, method, from_scratch)  # before any music is read
    if datasets.load(dataset, skip_unreadable=True).tagged:
        base = replace(base, folds=BY_PART)  # tags come with their parts: one network, no folds
    return [changed(base, {"dataset": dataset, "seed": seed, **(changes or {})}) for seed in seeds]


def check(changes: dict, preset: str, method: str, from_scratch: bool) -> None:
    """Raise RequestError for settings that there are not, with the option under which there are."""
    try:
        changed(usual(preset, method, from_scratch), changes)
    except RequestError as error:
        if from_scratch:
            raise
        try:
            check(changes, preset, method, from_scratch=True)
        except RequestError:
            raise error from None
        raise RequestError(f"{error} With --from-scratch there is.") from None


def usual(preset: str, method: str, from_scratch: bool) -> Run:
    """A preset's settings for a model of sound files, with this method."""
    return run_of((SSSL if from_scratch else OWN_MUSIC)[preset], {"method": method})


def train(
    runs: list[Run],
    preset: str,
    executor: Executor | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> TrainedModel:
    """The networks of these runs, each trained on all songs of their music, joined in one model.

    The temperature, and what the card says of the accuracy, come from records of the same runs, where
    `evaluate` has made them; without them the temperature is 1 and the card says that nothing is known.

    Raises
    ------
    UserError : data that cannot be used; a method without networks for windows; features that are not made
    from sound alone
    """
    first = runs[0]
    if not isinstance(first.features, LogMel | WindowFeatures) or first.network.kind not in NETWORKS:
        raise ModelError(
            "a model for sound files needs log-mel spectrograms or a pretrained network's features, and a "
            "network of models.ARCHITECTURES or dense layers."
        )
    if first.method_name in OF_WHOLE_SONGS:
        raise ModelError(
            f"{first.method_name} decides for whole songs, not for their windows: choose another method."
        )
    frames = cross_validation.load_frames(first)  # before any worker starts: they share the store
    tracks = frames.tracks
    card = origin(runs, preset, tracks)  # before hours of training, in which the code may change
    members = []
    for kept in (map if executor is None else executor.map)(trained_on_all, runs):
        members.append(networks_in(kept, first, len(tracks.classes)))
        on_network()
    records = [record for run in runs if (record := results.of_run(run, preset))]
    known = out_of_fold(records, tracks) if len(records) == len(runs) else None
    model = assembled(
        [network for of_run in members for network in of_run],
        known.temperature if known else 1.0,
        tracks.tagged,
        together=len(members[0]),
        network=first.network,
        features=first.features,
        window_s=first.window_s,
        classes=tracks.classes,
        card=card | {"out_of_fold": known and known.summary()},
    )
    return replace(model, card=model.card | {"level": effect_of_level(model, frames)})


def effect_of_level(model: TrainedModel, frames: Frames) -> dict:
    """The share of songs, of some in the training set, whose prediction changes when they are quieter."""
    chosen = np.unique(np.linspace(0, len(frames.tracks) - 1, LEVEL_SONGS).round().astype(int))
    changed = []
    for song in chosen:
        predicted = []
        for given in as_they_are_and_quieter(model, frames, song):
            p = window_probabilities(model, given, float(frames.duration_s[song])).mean(axis=(0, 1))
            predicted.append(p > 0.5 if model.ensemble.tagged else p.argmax())
        changed.append(bool(np.any(predicted[0] != predicted[1])))
    return {"quieter_by_db": QUIETER_DB, "n": len(chosen), "changed": float(np.mean(changed))}


def as_they_are_and_quieter(model: TrainedModel, frames: Frames, song: int) -> Iterator[torch.Tensor]:
    """A song's frames, and what they would be of a quieter recording."""
    if isinstance(model.features, LogMel):
        stored = np.array(frames.values[frames.offsets[song] : frames.offsets[song + 1]])
        yield torch.from_numpy(stored)
        yield quieter(torch.from_numpy(stored))
        return
    levels, mean_square, sound = spectrogram_of_file(frames.tracks.table["path"].iloc[song], model)
    yield encoded(levels, mean_square, sound.given, model)
    yield encoded(quieter(levels), mean_square * 10 ** (-QUIETER_DB / 10), sound.given, model)


def quieter(levels: torch.Tensor) -> torch.Tensor:
    """Levels in dB of the same sound, recorded more softly."""
    return (levels.float() - QUIETER_DB).clamp_min(SILENCE_DB).half()


def trained_on_all(run: Run) -> Path:
    """Train a run's networks on every song and keep them; where they lie. Finished ones are not trained
    again.
    """
    frames, data = cross_validation.load_segments(run, best_device())
    path = cross_validation.part_path(run, frames, 0, 0).with_name("all-songs.safetensors")
    if not path.exists():
        data = replace(data, unlabelled=cross_validation.without_labels(run, data.device))
        seed = cross_validation.seed_of(run, run.folds.n, 0)
        answer, _ = cross_validation.fit(run, data, seed, lambda row: None)
        weights = {
            f"{i}.{name}": value
            for i, module in enumerate(modules_of(answer))
            for name, value in module.state_dict().items()
        }
        trained_model.keep(weights, path)
    return path


def networks_in(path: Path, run: Run, n_classes: int) -> list[torch.nn.Module]:
    """The networks that `trained_on_all` has kept: one, or those that a method trains side by side."""
    weights: dict[int, dict] = {}
    for name, value in trained_model.kept(path).items():
        i, _, parameter = name.partition(".")
        weights.setdefault(int(i), {})[parameter] = value
    modules = [trained_model.bare(run.network, run.features, n_classes) for _ in weights]
    for i, module in enumerate(modules):
        module.load_state_dict(weights[i])
    return modules


def origin(runs: list[Run], preset: str, tracks: Tracks) -> dict:
    """Where a model comes from: its music, settings, seeds, code."""
    first, terms = runs[0], "your own" if tracks.own else datasets.card(tracks.name)["licence"]
    data = {
        "name": tracks.name,
        "digest": tracks.digest(),
        "n_tracks": len(tracks),
        "n_groups": len(set(tracks.groups)),
        "hours": round(float(tracks.table["duration_s"].sum() / 3600), 2),
        "licence": terms,
        "counts": {label: int(n) for label, n in tracks.named.value_counts().sort_index().items()},
        "sounds": [fingerprint(path) for path in tracks.table["path"]],
    }
    computed_with = computes_with(best_device(), first.training.precision)
    return {
        "data": data,
        "preset": preset,
        "method": first.method_name,
        "seeds": [run.seed for run in runs],
        "run_ids": [run.run_id for run in runs],
        "settings": first.config() | {"dataset": tracks.name},
        "code": provenance.code_state(),
        "environment": provenance.environment(device_name(), 1) | computed_with,
        "licence": LICENCE.format(terms=terms),
    }


def fingerprint(path: Path) -> str:
    """A short hash of a file's content."""
    return file_hash(path)[:10]


def known_songs(model: TrainedModel, tracks: Tracks) -> int:
    """How many of these songs a model was trained on."""
    data = model.card["data"]
    if tracks.digest() == data["digest"]:
        return len(tracks)
    return len({fingerprint(path) for path in tracks.table["path"]} & set(data["sounds"]))
