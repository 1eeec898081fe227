"""4Q by the literature's protocol and by ours: plain classifiers on frozen features, and their means.

Every row is reported; none is chosen by its result on tested songs. Hyperparameters are chosen on inner folds
of the training songs (`song_classifiers.fit`); a mean weighs its members alike.
"""

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.sssl import EXPERIMENTS as OF_SSSL
from mer_companion.runs.settings import LOGISTIC, SVM
from mer_companion.song_features import sources

ARTIST, SONG10, ARTIST10 = "artist", "song10", "artist10"
PROTOCOLS = {
    ARTIST: {},  # this project's five folds
    SONG10: {"folds.by": "song", "folds.n": 10},  # the literature's
    ARTIST10: {"folds.n": 10},  # between both: as many folds as the literature, no artist on both sides
}
SOURCES = {
    "top100": sources.TOP_100,
    "hand_made": sources.HANDCRAFTED,
    "msd": f"{sources.MUSICNN}:MSD_musicnn",
    "mtt": f"{sources.MUSICNN}:MTT_musicnn",
}
BOTH = (SVM, LOGISTIC)
KINDS = {"top100": (SVM,), "hand_made": BOTH, "msd": BOTH, "mtt": BOTH}  # Panda et al. have an SVM
JOINED = {  # sets of features whose classifiers' probabilities are averaged
    **{name: (name,) for name in SOURCES},
    "msd_mtt": ("msd", "mtt"),
    "msd_hand_made": ("msd", "hand_made"),
    "msd_mtt_hand_made": ("msd", "mtt", "hand_made"),
    "everything": ("msd", "mtt", "hand_made", "top100"),
}
BASELINES = OF_SSSL["baselines"].variants


def classifiers(protocol: str) -> dict[str, dict]:
    """Classifiers on each set of features by itself, but for those that `baselines` has recorded."""
    return {
        f"{kind}_{name}_{protocol}": {"sources": (SOURCES[name],), "classifier": kind} | PROTOCOLS[protocol]
        for name, kinds in KINDS.items()
        for kind in kinds
        if f"{kind}_{name}_{protocol}" not in BASELINES
    }


def means(protocol: str) -> dict[str, dict]:
    """The mean of all classifiers on each set of features, and on several sets together."""
    return {
        f"{name}_{protocol}": {"members": members(features, protocol)} | PROTOCOLS[protocol]
        for name, features in JOINED.items()
    }


def members(features: tuple[str, ...], protocol: str) -> tuple[str, ...]:
    labels = [f"{kind}_{name}_{protocol}" for name in features for kind in KINDS[name]]
    return tuple(f"{'baselines' if label in BASELINES else 'literature'}/{label}" for label in labels)


def between_features(protocol: str) -> dict[str, tuple[str, ...]]:
    """What the features are compared with under a protocol: less, or other, features."""
    less = {
        "msd": ("hand_made", "top100", "svm_msd"),
        "mtt": ("hand_made", "msd"),
        "msd_mtt": ("msd",),
        "msd_hand_made": ("msd", "hand_made"),
        "msd_mtt_hand_made": ("msd", "hand_made", "top100"),
        "everything": ("msd_mtt_hand_made",),
        "svm_msd": ("logistic_msd",),
    }
    return {
        f"{label}_{protocol}": tuple(f"{other}_{protocol}" for other in others)
        for label, others in less.items()
    }


def by_protocol() -> dict[str, tuple[str, ...]]:
    """Every mean under the literature's protocol beside the same under ours."""
    return {f"{name}_{SONG10}": (f"{name}_{ARTIST}",) for name in JOINED}


WITHIN, ACROSS = between_features(ARTIST) | between_features(SONG10), by_protocol()
REFERENCES = {label: WITHIN.get(label, ()) + ACROSS.get(label, ()) for label in WITHIN | ACROSS}
REFERENCES[f"svm_msd_{SONG10}"] += (f"svm_msd_{ARTIST10}",)
REFERENCES[f"svm_msd_{ARTIST10}"] = (f"svm_msd_{ARTIST}",)

EXPERIMENTS = {
    "literature": Experiment(
        question="What explains the difference from the best published results on 4Q: features, protocol or "
        "classifier?",
        feeds="Panda et al. 2018, SSSL and Louro et al. 2024, on 4Q",
        presets=("smoke", "cpu"),
        variants={
            "log_mel_artist": {
                "members": ("baselines/svm_log_mel_artist", "baselines/logistic_log_mel_artist")
            },
            **classifiers(ARTIST),
            **classifiers(SONG10),
            f"svm_msd_{ARTIST10}": classifiers(ARTIST10)[f"svm_msd_{ARTIST10}"],
            **means(ARTIST),
            **means(SONG10),
        },
        reference="",
        references=REFERENCES,
        at_smoke=("log_mel_artist",),  # needs neither weights nor features that 4Q alone has
    )
}
