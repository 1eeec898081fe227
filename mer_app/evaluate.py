"""How well the labels of your own music are predicted: by networks of other folds, or by a trained model."""

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from mer_app import scores
from mer_companion import results
from mer_companion.experiments import record_of
from mer_companion.runs import cross_validation
from mer_companion.runs.settings import Run
from mer_core.datasets.tracks import Tracks, has_tags
from mer_core.evaluation import calibration
from mer_core.predict import Emotion, predict_all
from mer_core.trained_model import ModelError, TrainedModel

EXPERIMENT = "own_music"  # under which the records are kept


def evaluate(runs: list[Run], preset: str, executor: Executor | None = None) -> list[dict]:
    """The records of these runs, made where they are missing: every song is predicted by networks that were
    trained on other folds.
    """
    missing = [run for run in runs if not results.of_run(run, preset)]
    started = cross_validation.start(missing, executor) if executor else {}
    return [
        results.of_run(run, preset) or record_of(run, EXPERIMENT, preset, run.method_name, started)
        for run in runs
    ]


@dataclass(frozen=True)
class OutOfFold:
    """What the networks of some records, joined as in a trained model, predict for songs outside their
    training folds.

    ``windows``: (n_networks, n_windows, n_classes) probabilities; ``track``: (n_windows,) whose window it is;
    ``truth``, ``groups``, ``fold``: (n_songs,), songs in the order of ``np.unique(track)``.
    """

    classes: tuple[str, ...]
    windows: np.ndarray
    track: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    fold: np.ndarray

    @property
    def uncalibrated(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities as the networks give them."""
        return calibration.of_songs(self.windows, self.track)

    @cached_property
    def cross_fitted(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities, each song's with the temperature of the other folds."""
        return calibration.cross_fitted(self.windows, self.track, self.truth, self.fold)

    @cached_property
    def temperature(self) -> float:
        """Fitted on all songs; 1, which changes nothing, where the temperatures of other folds do not lower
        the negative log-likelihood.
        """
        after, before = (
            calibration.negative_log_likelihood(p, self.truth) for p in (self.cross_fitted, self.uncalibrated)
        )
        return 1.0 if after >= before else calibration.fit_temperature(self.windows, self.track, self.truth)

    @property
    def calibrated(self) -> np.ndarray:
        """(n_songs, n_classes) probabilities as calibrated as those of a model with this temperature."""
        return self.uncalibrated if self.temperature == 1 else self.cross_fitted

    def summary(self) -> dict:
        """Scores and what the temperature does, as plain values: what a model card says."""
        baseline = most_frequent(self.truth, self.fold)
        found = scores.of_labels(self.calibrated, self.truth, self.groups, self.classes, baseline)
        before, after = (
            calibration.negative_log_likelihood_of_each(p, self.truth)
            for p in (self.uncalibrated, self.calibrated)
        )
        of_windows = calibration.tempered(self.windows, self.temperature).mean(axis=0)
        song = np.searchsorted(np.unique(self.track), self.track)
        right = of_windows.argmax(axis=1) == self.truth[song]
        error = calibration.calibration_error(of_windows.max(axis=1), right, song, self.groups)
        found["calibration"] |= scores.plain_values(
            {
                "before": calibration.estimates(self.uncalibrated, self.truth, self.groups),
                "surprise_saved": calibration.mean_of(before - after, self.groups),
                "error_of_windows": error,
            }
        )
        return found | {
            "temperature": round(self.temperature, 6),
            "n_networks": len(self.windows),
            "n_folds": len(set(self.fold.tolist())),
        }


@dataclass(frozen=True)
class OutOfPart:
    """The same for tags: the mean probabilities of the test part's songs, which no network was trained on."""

    classes: tuple[str, ...]
    truth: np.ndarray  # (n_songs, n_tags) bool
    probabilities: np.ndarray  # (n_songs, n_tags)
    groups: np.ndarray
    temperature: ClassVar[float] = 1.0  # tags are not calibrated

    def summary(self) -> dict:
        """What a model card says of tags."""
        found = scores.of_tags(self.probabilities, self.truth, self.groups, self.classes)
        return found | {"temperature": self.temperature}


def out_of_fold(records: list[dict], tracks: Tracks) -> OutOfFold | OutOfPart:
    """The predictions of several records' networks for the same songs, joined.

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
    tested = np.array([one["test"] for one in stored], dtype=float)
    if tracks.tagged:
        return OutOfPart(tracks.classes, tracks.targets[track], tested.mean(axis=0), tracks.groups[track])
    ids = np.unique(track)
    fold = first["fold"][np.argsort(first["track"])]
    return OutOfFold(tracks.classes, tested, track, tracks.targets[ids], tracks.groups[ids], fold)


def most_frequent(truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """For each song the commonest class of the other folds: a baseline that ignores the music."""
    return np.array([np.bincount(truth[fold != k] if (fold != k).any() else truth).argmax() for k in fold])


def scored_model(
    model: TrainedModel, tracks: Tracks, workers: int | None = None
) -> tuple[dict, dict[str, str]]:
    """How well a trained model predicts labelled music, as plain values like `OutOfFold.summary`; and which
    files could not be predicted, why.

    Raises
    ------
    ModelError : the music has labels that the model does not know, or tags where the model has labels
    """
    tagged, unknown = model.ensemble.tagged, sorted(set(tracks.classes) - set(model.classes))
    if tracks.tagged != tagged or unknown:
        lacking = f"; it does not know {', '.join(unknown)}" if tracks.tagged == tagged else ""
        raise ModelError(
            f"{tracks.name}: its labels are not the model's, which are {', '.join(model.classes)}{lacking}. "
            "Rename them, or take another model."
        )
    predicted = list(predict_all(tracks.table["path"], model, workers))
    failed = {str(path): str(one) for path, one in predicted if isinstance(one, Exception)}
    emotions = [one for _, one in predicted if isinstance(one, Emotion)]
    if not emotions:
        first = next(iter(failed.values()))
        raise ModelError(f"{tracks.name}: none of its {len(tracks)} files could be predicted. {first}")
    probabilities = np.array([[one.probabilities[name] for name in model.classes] for one in emotions])
    done = np.array([isinstance(one, Emotion) for _, one in predicted])
    groups = tracks.groups[done]
    if tagged:
        truth = has_tags(tracks.table["tags"], model.classes)[done]
        return scores.of_tags(probabilities, truth, groups, model.classes), failed
    truth = tracks.table["label"].map(model.classes.index).to_numpy()[done]
    commonest = np.full(
        len(truth), np.bincount(truth).argmax()
    )  # known from the true labels: a strict baseline
    return scores.of_labels(probabilities, truth, groups, model.classes, commonest), failed
