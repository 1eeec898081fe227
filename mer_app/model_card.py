"""What to know of a trained model before using it, written from the facts in its file: nothing here is typed
by hand.
"""

from collections.abc import Iterator

from mer_companion import results
from mer_companion.experiments.experiment import run_of
from mer_companion.experiments.presets import SSSL
from mer_core.emotion import in_words
from mer_core.evaluation.calibration import BOUNDS
from mer_core.trained_model import TrainedModel

HEARD_EVERYTHING = (
    "The networks in the file heard **all** {n} songs. The figures below are those of the same recipe on {unheard} ({folds}"
    " folds, {networks} networks a fold, answers joined as here); nothing was measured on the file itself, which could only"
    " be flattering. Intervals: 95 %, over {groups}."
)
WHOLE_CLIPS = (
    "One label a song was all there was to learn from. What it says of single seconds is an extrapolation: read the "
    "timeline as a hint, and its uncertainty with it."
)
TAGS_OF_SONGS = (
    "Tags of whole songs were all there was to learn from: what it says of single seconds is an extrapolation. A tag that a"
    " song lacks may only not have been given."
)
OTHER_MUSIC = (
    "It knows {n} labelled sound files, and their makers' idea of these labels. Other music, other listeners and other "
    "cultures may mean something else by them; nothing was measured there."
)
HEARS_SOUND = (
    "It hears timbre, loudness and rhythm below {high_hz:g} Hz in windows of {window_s:g} s. It understands no words, no "
    "form and no history."
)
HEARS_LEVEL = (
    "How loud a file was made counts: of {n} songs that it learned from, it calls {quieter} otherwise when they are {db:g} "
    "dB quieter."
)
NO_RATING = (
    "A probability says how often songs that get it are called rightly *on music like that it learned from*. It is no "
    "rating: 0.9 does not mean more emotion than 0.7."
)
UNCALIBRATED = (
    "Its probabilities are not calibrated: 0.9 is more than 0.7, and need not be right nine times in ten."
)
NOT_FOR_PEOPLE = "Not for decisions about people: what a song expresses is not what its listener feels."


def written(model: TrainedModel) -> str:
    """The model card as Markdown."""
    facts, card = model.facts(), model.card
    known = card["out_of_fold"]
    parts = ["# Model card", table(["", ""], identity(facts, card)), "## How good it is"]
    if known is None:
        parts.append(
            "Nobody knows: no record of this recipe on this music was at hand. Measure it (`mer evaluate`), then train again."
        )
    else:
        parts += tags(model, known) if known["answers"] == "tags" else labels(model, known)
    parts += [
        "## Limits",
        "\n".join(f"- {limit}" for limit in limits(model)),
        "## Licence",
        card["licence"],
        "## Made by",
        table(["", ""], made_by(card)),
    ]
    return "\n\n".join(parts) + "\n"


def identity(facts: dict, card: dict) -> list[list]:
    data, features = card["data"], facts["features"]
    groups = "" if data["n_groups"] == data["n_tracks"] else f"{data['n_groups']} artists or other groups, "
    rows = [
        ["answers", f"{', '.join(in_words(label) for label in facts['classes'])}, in this order"],
        *([f"scale of {name}", meaning] for name, meaning in facts["scales"].items()),
        ["learned from", f"{data['name']}: {data['n_tracks']} songs, {groups}{data['hours']:.1f} hours "
                         f"(digest `{data['digest']}`)"],
        ["songs for each", ", ".join(f"{label} {n}" for label, n in data["counts"].items())],
        ["networks", f"{facts['n_networks']} × {facts['network']['architecture']}, trained by `{card['method']}`, "
                     f"their probabilities averaged"],
        ["hears", f"{facts['window_s']:g} s at a time, a window every second; {features['n_mels']} mel bands from "
                  f"{features['low_hz']:g} to {features['high_hz']:g} Hz at {features['sample_rate']} Hz, in dB"],
        ["temperature", f"{facts['temperature']:.3f}"],
    ]  # fmt: skip
    return rows


def limits(model: TrainedModel) -> list[str]:
    """What the model cannot do, and what its numbers do not mean."""
    card, known, level = model.card, model.card["out_of_fold"], model.card["level"]
    calibrated = known is not None and known["temperature"] != 1
    return [
        TAGS_OF_SONGS if model.ensemble.tagged else WHOLE_CLIPS,
        OTHER_MUSIC.format(n=card["data"]["n_tracks"]),
        HEARS_SOUND.format(high_hz=model.features.high_hz, window_s=model.window_s),
        HEARS_LEVEL.format(n=level["n"], quieter=f"{level['changed']:.0%}", db=level["quieter_by_db"]),
        NO_RATING if calibrated else UNCALIBRATED,
        NOT_FOR_PEOPLE,
    ]


def unheard(card: dict) -> tuple[str, str]:
    """What exactly the tested networks had not heard, and what is drawn anew for the intervals."""
    data, by = card["data"], card["settings"]["folds"]["by"]
    if data["n_groups"] == data["n_tracks"]:
        return (
            "songs that its networks had not heard; no artists were given, so other songs of the same artist may have been",
            "songs",
        )
    if by == "song":
        return (
            "songs that its networks had not heard, though perhaps others of their artists",
            "artists or other groups",
        )
    return "songs and artists that its networks had not heard", "artists or other groups"


def labels(model: TrainedModel, known: dict) -> list[str]:
    """What is known of a model that answers with one label."""
    rows = [["accuracy", *both(known, "accuracy")], ["macro F1", *both(known, "macro_f1")]]
    rows += [
        [f"high or low {name}, accuracy", *both(known[name], "accuracy")]
        for name in ("valence", "arousal")
        if name in known
    ]
    of_class = [
        [in_words(label), *(spoken(scores[name]) for name in ("precision", "recall", "f1"))]
        for label, scores in known["by_class"].items()
    ]
    confused = [[in_words(label), *row] for label, row in zip(model.classes, known["confusion"], strict=True)]
    who, groups = unheard(model.card)
    said = HEARD_EVERYTHING.format(
        n=model.card["data"]["n_tracks"],
        unheard=who,
        folds=known["n_folds"],
        networks=known["n_networks"],
        groups=groups,
    )
    return [
        said,
        table(["of songs", "this recipe", "always the commonest label"], rows),
        table(["label", "precision", "recall", "F1"], of_class),
        "Songs of each label (rows) by what they were called:",
        table(["", *model.classes], confused),
        "### Do the probabilities keep their promise?",
        *promises(known),
    ]


def promises(known: dict) -> list[str]:
    """What the temperature does, and how often songs are called rightly that were promised so."""
    found = known["calibration"]
    before, after = found["before"], found["after"]
    rows = [
        ["calibration error of the leading label", spoken(before["calibration_error"]), spoken(after["calibration_error"])],
        ["surprise at the true label, nats a song", spoken(before["surprise"]), spoken(after["surprise"])],
        *([f"calibration error of {name}", "", spoken(known[name]["calibration"]["after"]["calibration_error"])]
          for name in ("valence", "arousal") if name in known),
        ["calibration error of single windows, held against their song's label", "", spoken(found["error_of_windows"])],
    ]  # fmt: skip
    promised = [
        [f"{p:.2f}", f"{kept:.2f} ({low:.2f} to {high:.2f})", n]
        for p, kept, n, low, high in known["reliability"]
    ]
    return [
        temperature_found(known),
        table(["", "before", "after"], rows),
        "Of the songs whose leading label got a probability of about this, the share called rightly:",
        table(["promised", "kept", "songs"], promised),
    ]


def temperature_found(known: dict) -> str:
    if known["temperature"] == 1:
        return "No temperature made songs of other folds less surprising: the probabilities stay as the networks give them."
    at_end = min(known["temperature"] / BOUNDS[0], BOUNDS[1] / known["temperature"]) < 1.01
    return (
        "Before and after the temperature, which was for this found on the other folds only; it saves "
        f"{spoken(known['calibration']['surprise_saved'])} nats of surprise a song. The networks in the file, which heard more "
        "songs, use the temperature of all folds' networks: for them it is a guess."
        + (" It lies at the end of what was tried: do not rely on these probabilities." if at_end else "")
    )


def tags(model: TrainedModel, known: dict) -> list[str]:
    """What is known of a model that answers with any number of tags."""
    rows = [["mean", spoken(known["scores"]["pr_auc"]), ""]]
    rows += [
        [tag, spoken(own["pr_auc"]), f"{known['share'][tag]:.3f}"] for tag, own in known["by_class"].items()
    ]
    _, groups = unheard(model.card)
    left = (
        f" Not judged, for want of songs with or without them: {', '.join(known['not_judged'])}."
        if known["not_judged"]
        else ""
    )
    return [
        f"Measured with networks of the same recipe that had learned from the training part only, on the {known['n']} songs of "
        f"the test part; the networks in the file heard all songs. Intervals: 95 %, over {groups}.{left}",
        table(["tag", "PR-AUC", "share of songs with it (a blind answer's PR-AUC)"], rows),
        f"Mean ROC-AUC: {spoken(known['scores']['roc_auc'])}.",
    ]


def both(known: dict, name: str) -> list[str]:
    return [spoken(known["scores"][name]), spoken(known["trivial"][name])]


def spoken(estimate: dict) -> str:
    """A figure with its interval."""
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def made_by(card: dict) -> list[list]:
    code, environment, changes = card["code"], card["environment"], unlike_the_preset(card)
    return [
        [
            "settings",
            f"preset `{card['preset']}`, method `{card['method']}`, seeds {', '.join(map(str, card['seeds']))}",
        ],
        *(
            [["unlike the preset", ", ".join(f"`{name}={value}`" for name, value in changes.items())]]
            if changes
            else []
        ),
        ["runs", ", ".join(f"`{name}`" for name in card["run_ids"])],
        [
            "code",
            f"commit `{code['commit']}`{' and changes to it' if code['modified'] else ''}, digest `{code['digest']}`",
        ],
        [
            "with",
            ", ".join(
                f"{name} {environment[name]}" for name in ("python", "torch", "librosa", "soxr", "soundfile")
            ),
        ],
    ]


def unlike_the_preset(card: dict) -> dict[str, object]:
    """The settings of a model, by dotted name, that its preset has otherwise; its music and seeds are told
    elsewhere.
    """
    settings = results.with_precision(card, "settings")["settings"]
    usual = dict(flat(run_of(SSSL[card["preset"]], {"method": card["method"]}).config()))
    return {
        name: value
        for name, value in flat(settings)
        if name not in ("dataset", "seed") and usual.get(name) != value
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


def table(head: list, rows: list[list]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )
