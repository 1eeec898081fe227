"""What to know of a trained model before using it, written from the facts in its file: nothing here is typed
by hand.
"""

from collections.abc import Iterator
from dataclasses import asdict

from mer_app.text import rendered
from mer_app.train import usual
from mer_companion import results
from mer_core.audio.features import LogMel
from mer_core.evaluation.calibration import BOUNDS
from mer_core.trained_model import TrainedModel


def written(model: TrainedModel) -> str:
    """The model card as Markdown."""
    return rendered("model_card.md", **contents(model))


def contents(model: TrainedModel) -> dict:
    """What the template of the card shows: the facts in the model's file, the settings that its preset has
    otherwise, and whether the temperature lies at a bound of its search.
    """
    temperature = (model.card["out_of_fold"] or {"temperature": 1.0})["temperature"]
    return model.facts() | {
        "spectrogram": asdict(model.spectrogram),
        "changes": unlike_the_preset(model.card),
        "at_bound": min(temperature / BOUNDS[0], BOUNDS[1] / temperature) < 1.01,
    }


def unlike_the_preset(card: dict) -> dict[str, object]:
    """The settings of a model, by dotted name, that its preset has otherwise; its music and seeds are told
    elsewhere.
    """
    settings = results.with_precision(card, "settings")["settings"]
    from_scratch = settings.get("features", {}).get("kind") == LogMel.kind
    expected = dict(flat(usual(card["preset"], card["method"], from_scratch).config()))
    return {
        name: value
        for name, value in flat(settings)
        if name not in ("dataset", "seed") and expected.get(name) != value
    }


def flat(settings: dict, stem: str = "") -> Iterator[tuple[str, object]]:
    """Settings by dotted name, as --set takes them.

    >>> dict(flat({"window_s": 3.0, "folds": {"n": 5}}))
    {'window_s': 3.0, 'folds.n': 5}
    """
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from flat(value, f"{stem}{name}.")
        else:
            yield stem + name, value
