"""What to know of a trained model before using it, written from the facts in its file: nothing here is typed by hand."""

from mer_core.emotion import QUADRANT_WORDS
from mer_core.trained import TrainedModel

HEARD_EVERYTHING = (
    "The networks in the file heard **all** {n} songs. The figures below are those of the same recipe on songs and artists that "
    "its networks had not heard ({folds} folds, {networks} networks a fold, answers joined as here); nothing was measured on the "
    "file itself, which could only be flattering. Intervals: 95 %, over artists."
)
LIMITS = """- One label a song was all there was to learn from. What it says of single seconds is an extrapolation: read the
  timeline as a hint, and its uncertainty with it.
- It knows {n} labelled sound files, and their makers' idea of these labels. Other music, other listeners and other cultures
  may mean something else by them; nothing was measured there.
- It hears timbre, loudness and rhythm below {high_hz:g} Hz in windows of {window_s:g} s. It understands no words, no form and no
  history.
- A probability says how often songs that get it are called rightly *on music like that it learned from*. It is no rating: 0.9
  does not mean more emotion than 0.7.
- Not for decisions about people: what a song expresses is not what its listener feels."""


def written(model: TrainedModel) -> str:
    """The model card as Markdown."""
    facts, card = model.facts(), model.card
    known, data = card["out_of_fold"], card["data"]
    parts = ["# Model card", table(["", ""], identity(facts, card)), "## How good it is"]
    if known is None:
        parts.append(
            "Nobody knows: no record of this recipe on this music was at hand, and the probabilities are not calibrated. "
            "Measure it (`mer evaluate`), then train again."
        )
    else:
        parts += tags(known) if known["answers"] == "tags" else labels(model, known)
    limits = LIMITS.format(n=data["n_tracks"], high_hz=model.features.high_hz, window_s=model.window_s)
    parts += ["## Limits", limits, "## Licence", card["licence"], "## Made by", table(["", ""], made_by(card))]
    return "\n\n".join(parts) + "\n"


def identity(facts: dict, card: dict) -> list[list]:
    data, features = card["data"], facts["features"]
    rows = [
        ["answers", f"{', '.join(in_words(label) for label in facts['classes'])}, in this order"],
        *([f"scale of {name}", meaning] for name, meaning in facts["scales"].items()),
        ["learned from", f"{data['name']}: {data['n_tracks']} songs, {data['n_groups']} artists or other groups, "
                         f"{data['hours']:.1f} hours (digest `{data['digest']}`)"],
        ["songs for each", ", ".join(f"{label} {n}" for label, n in data["counts"].items())],
        ["networks", f"{facts['n_networks']} × {facts['network']['architecture']}, trained by `{card['method']}`, "
                     f"their probabilities averaged"],
        ["hears", f"{facts['window_s']:g} s at a time, a window every second; {features['n_mels']} mel bands from "
                  f"{features['low_hz']:g} to {features['high_hz']:g} Hz at {features['sample_rate']} Hz, in dB"],
        ["temperature", f"{facts['temperature']:.3f}"],
    ]  # fmt: skip
    return rows


def in_words(label: str) -> str:
    return f"{label} ({QUADRANT_WORDS[label]})" if label in QUADRANT_WORDS else label


def labels(model: TrainedModel, known: dict) -> list[str]:
    """What is known of a model that answers with one label."""
    rows = [["accuracy", *both(known, "accuracy")], ["macro F1", *both(known, "macro_f1")]]
    for dimension in ("valence", "arousal"):
        rows += [[f"high or low {dimension}, accuracy", spoken(known[dimension]["accuracy"]), ""]] if dimension in known else []
    of_class = [
        [in_words(label), *(spoken(scores[name]) for name in ("precision", "recall", "f1"))]
        for label, scores in known["by_class"].items()
    ]
    confused = [[in_words(label), *row] for label, row in zip(model.classes, known["confusion"], strict=True)]
    before, after = known["calibration"]["before"], known["calibration"]["after"]
    calibrated = [
        ["calibration error of the leading label", spoken(before["calibration_error"]), spoken(after["calibration_error"])],
        ["surprise at the true label, nats a song", spoken(before["surprise"]), spoken(after["surprise"])],
    ]
    promised = [[f"{p:.2f}", f"{kept:.2f}", n] for p, kept, n in known["reliability"]]
    said = HEARD_EVERYTHING.format(n=model.card["data"]["n_tracks"], folds=known["n_folds"], networks=known["n_networks"])
    return [
        said,
        table(["of songs", "this recipe", "always the commonest label"], rows),
        table(["label", "precision", "recall", "F1"], of_class),
        "Songs of each label (rows) by what they were called:",
        table(["", *model.classes], confused),
        "### Do the probabilities keep their promise?",
        "Before and after the temperature, which was for this found on the other folds only:",
        table(["", "before", "after"], calibrated),
        "Of the songs whose leading label got a probability of about this, the share called rightly:",
        table(["promised", "kept", "songs"], promised),
    ]


def tags(known: dict) -> list[str]:
    """What is known of a model that answers with any number of tags."""
    rows = [["mean", spoken(known["scores"]["pr_auc"]), ""]]
    rows += [[tag, spoken(own["pr_auc"]), f"{known['share'][tag]:.3f}"] for tag, own in known["by_class"].items()]
    return [
        f"Measured on {known['n']} songs of other artists; the networks in the file heard them too. Intervals: 95 %, over "
        "artists.",
        table(["tag", "PR-AUC", "share of songs with it (a blind answer's PR-AUC)"], rows),
        f"Mean ROC-AUC: {spoken(known['scores']['roc_auc'])}. The probabilities are not calibrated.",
    ]


def both(known: dict, name: str) -> list[str]:
    return [spoken(known["scores"][name]), spoken(known["trivial"][name])]


def spoken(estimate: dict) -> str:
    """A figure with its interval."""
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def made_by(card: dict) -> list[list]:
    code, environment = card["code"], card["environment"]
    return [
        ["settings", f"preset `{card['preset']}`, method `{card['method']}`, seeds {', '.join(map(str, card['seeds']))}"],
        ["runs", ", ".join(f"`{name}`" for name in card["run_ids"])],
        ["code", f"commit `{code['commit']}`{' and changes to it' if code['modified'] else ''}, digest `{code['digest']}`"],
        ["with", ", ".join(f"{name} {environment[name]}" for name in ("python", "torch", "librosa", "soxr", "soundfile"))],
    ]


def table(head: list, rows: list[list]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
