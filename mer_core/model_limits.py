"""What the text of a model file may say: checked before memory is taken or an answer depends on it."""

from collections.abc import Iterable

from mer_core.evaluation import calibration

KINDS = {
    **{"classes": list, "answers": str, "features": dict, "network": dict, "card": dict},
    **{"card.data": dict, "card.data.digest": str, "card.data.sounds": list},
}
LIMITS = {  # least and most
    "n_networks": (1, 100),
    "together": (1, 100),
    "window_s": (0.1, 600),  # seconds
    "temperature": calibration.BOUNDS,
}
LIMITS_OF_FEATURES = {  # those that features of this kind have
    "features.sample_rate": (1000, 200_000),  # Hz
    "features.window_samples": (16, 2**16),
    "features.hop_samples": (1, 2**16),
    "features.n_mels": (1, 1024),
    "features.pool_frames": (1, 1000),
    "features.seconds": (0.1, 600),
    "features.hop_s": (0.01, 600),
}
ANSWERS = ("labels", "tags")
MOST_UNITS = 10_000  # of a layer


def refuse_beyond_limits(facts: dict, names: Iterable[str]) -> None:
    """Refuse facts that are missing, of another type, or out of bounds.

    Parameters
    ----------
    facts : plain values by name
    names : of the weights in the file

    Raises
    ------
    ValueError : the first that is wrong, and what it may be
    """
    for name, kind in KINDS.items():
        if not isinstance(value := of_name(facts, name), kind):
            raise ValueError(f"{name} is {value!r:.40}, not of type {kind.__name__}")
    for name, (least, most) in (LIMITS | LIMITS_OF_FEATURES).items():
        value = of_name(facts, name)
        if name in LIMITS_OF_FEATURES and value is None:
            continue
        if type(value) not in (int, float) or not least <= value <= most:  # nor is NaN
            raise ValueError(f"{name} is {value!r:.40}, not a number from {least:g} to {most:g}")
    stored = {name.split(".")[1] for name in names if name.startswith("members.")}
    if facts["n_networks"] != len(stored) or facts["n_networks"] % facts["together"]:
        raise ValueError(f"n_networks is {facts['n_networks']}, and the weights are of {len(stored)}")
    if any(
        type(size) is not int or not 1 <= size <= MOST_UNITS for size in facts["network"].get("hidden", ())
    ):
        raise ValueError(f"network.hidden is {facts['network']['hidden']!r:.40}, not layers of units")
    if facts["answers"] not in ANSWERS:
        raise ValueError(f"answers is {facts['answers']!r:.40}, not {' or '.join(ANSWERS)}")
    classes = facts["classes"]
    if not classes or not all(isinstance(name, str) for name in classes) or len(set(classes)) < len(classes):
        raise ValueError(f"classes is {classes!r:.40}, not a list of different names")


def of_name(facts: dict, name: str):
    """A value by its dotted name, or None."""
    first, _, rest = name.partition(".")
    value = facts.get(first)
    return of_name(value, rest) if rest and isinstance(value, dict) else None if rest else value
