"""What tables and figures call things: readable words, with units, for the names that code and records use.

A run's label is made of pieces joined by underscores; ``label`` reads them one after the other, the longest
that fits first: ``self_learning_20_epochs`` is "SSSL, 20 epochs".
"""

import re
from functools import cache

from mer_core.evaluation.song_decision import DECISION_NAMES

METHODS = {
    "inherit": "inherited labels",
    "self_learning": "SSSL",
    "mixture_per_class": "SSSL, one GMM per class",
    "every_label_trusted": "all labels trusted (mixup only)",
    "drop": "uncertain windows dropped",
    "weight": "weighted by clean probability",
    "elr": "ELR",
    "generalised_cross_entropy": "generalised cross-entropy",
    "symmetric_cross_entropy": "symmetric cross-entropy",
    "forward_correction": "forward correction",
    "co_teaching": "co-teaching",
    "co_divide": "co-divide",
    "mean_teacher": "Mean Teacher",
    "mixmatch": "MixMatch",
    "dividemix": "DivideMix",
    "fixmatch": "FixMatch",
    "soft_labels": "soft labels",
    "two_stage": "two-stage training",
    "label_smoothing": "label smoothing",
    "attention_mil": "attention pooling (MIL)",
}
VARIANTS = {
    "dense_layers_only": "only the dense layers trained",
    "without_separation": "SSSL without the GMM",
    "without_mixup": "SSSL without mixup",
    "without_consistency": "SSSL without R-Drop",
    "hard_labels": "SSSL with hard pseudo-labels",
    "mixture_of_log_losses": "SSSL, GMM on log losses",
    "longer_warmup_and_ramp": "SSSL, longer warm-up and ramp-up",
    "agreement_on_plain_windows": "SSSL, R-Drop on unmixed windows",
    "without_r_drop": "SSSL without R-Drop",
    "without_sharpening": "SSSL without sharpening",
    "short_warmup": "SSSL, short warm-up",
    "log_losses": "SSSL, GMM on log losses",
    "no_least_share": "SSSL, no least share of clean windows",
    "r_drop_on_plain_input": "SSSL, R-Drop on unmixed windows",
    "two_networks": "two networks averaged",
    "gentle": "milder setting",
    "chosen": "setting chosen on validation songs",
    r"chosen_for_emotion": "duration chosen for quadrants",
    r"chosen_for_(valence|arousal)": r"duration chosen for \1",
    r"seconds_(\d+)": r"\1 s windows",
    r"(\d+)_epochs": r"\1 epochs",
    r"clean_threshold=([\d.]+)": r"τ = \1",
    r"temperature=([\d.]+)": r"T = \1",
    r"mixup_alpha=([\d.]+)": r"α = \1",
    r"consistency_weight=([\d.]+)": r"λ = \1",
    r"warmup_epochs=(\d+)": r"\1 epochs of warm-up",
    r"theta_([\d.]+)": r"θ = \1",
    r"tau_([\d.]+)": r"τ = \1",
    r"T_([\d.]+)": r"T = \1",
    r"alpha_([\d.]+)": r"α = \1",
    r"lambda_([\d.]+)": r"λ = \1",
    r"bands(\d+)_pool1": r"\1 mel bands, every frame",
    r"bands(\d+)_pool([2-9])": r"\1 mel bands, \2 frames pooled",
    "from_4q": "trained on 4Q",
    "from_synthetic": "trained on synthetic music",
    "to_other_artists": "tested on other artists",
    "louder_and_softer": "trained with random gain",
    "one_network": "one network",
    "networks": "networks",
    "networks_of_five_durations": "networks of five durations",
    "network": "network",
    "everything": "all features and networks",
    "linear_(all|top)_layers": r"linear head on \1 layers",
    "mlp_(all|top)_layers": r"MLP head on \1 layers",
    "mixed": "mixup and label smoothing",
    "any_level": "loudness not normalised",
    "model_before": "previous model",
    "three_seeds": "shipped model, three seeds",
    "with_handcrafted": "shipped model + handcrafted features",
    "heads": "shipped model",
    "map": "noise map",
    "trainings": "noise map, real labels",
    "networks_first_fold": "networks, first fold",
    "hand_made_first_fold": "handcrafted, first fold",
    "svm_chosen": "SVM, kinds chosen inside the training songs",
    "all_kinds": "all kinds",
    "unchanged_kinds": "timbre and rhythm",
    "transfer": "across collections",
    r"training_songs_(\d+)": r"\1 training songs",
    "all_training_songs": "all training songs",
    "fine_tuned": "fine-tuned",
}
TAGGING = {
    "long": "long input",
    "short": "short input",
    "mel": "mel",
    "hpcp": "mel + HPCP",
    "with_hpcp": "averaged with mel + HPCP",
    "student": "noisy student",
    "teacher": "teacher",
    "ensemble": "ensemble",
    "efficientnet": "EfficientNet-B0",
    "rexnet": "ReXNet",
    "focal": "focal loss",
    "several_tags": "all tags of a song",
    "with_ramp": "with the ramp of Han et al.",
    "printed": "as printed",
    "every_answer_counts": "every prediction counts",
    "thresholds_by_percentile": "thresholds by percentile",
    "plain_student": "student without noise",
    "quiet_pseudo_labels": "pseudo-labels without noise",
    "masks_as_released": "masks as released",
    "percentile_and_masks": "percentile thresholds and released masks",
    "second_iteration": "second iteration",
    "cp_jku": "CP-JKU",
    "shake_fa_resnet": "Shake-FA-ResNet",
    "fa_resnet": "FA-ResNet",
    "sail_usc": "SAIL-USC",
    "all_data": "all data",
    "jamendo_only": "Jamendo only",
    "best_single": "best single model",
    "mirable": "Mirable",
    "noisy": "noisy student",
    "uibk": "UIBK",
    "genre": "mean of the genre",
    "tags": "learned from tags",
    "segments": "shares of segments",
    "sssl": "SSSL",
    "sssl_unsharpened": "SSSL without sharpening",
    "mixnet_s": "MixNet-S",
    "resnet18": "ResNet-18",
    "regnety_004": "RegNetY-004",
    "resnet_linear": "ResNet, linear",
    r"mean_of_2019_and_2020": "mean of 2019 and 2020",
    "mean_of_three_editions": "mean of three editions",
}
NOISE = {
    r"symmetric_(\d+)": r"\1 % symmetric noise",
    r"arousal_preserving_(\d+)": r"\1 % valence flips",
    "songs": "whole songs",
    r"(\d+)": r"\1 % drift",  # of a synthetic song's seconds, away from its label
}
NOISE_KINDS = {  # (kind, unit) of the noise map
    ("symmetric", "window"): "Windows, symmetric",
    ("arousal_preserving", "window"): "Windows, valence flipped",
    ("symmetric", "song"): "Songs, symmetric",
    ("arousal_preserving", "song"): "Songs, valence flipped",
    ("pair", "song"): "Songs, next quadrant",
    ("listeners", "song"): "Songs, as listeners err",
}
CLASSIFIERS = {"svm": "SVM", "logistic": "logistic regression"}
FEATURES = {
    "log_mel": "log-mel statistics",
    "embeddings": "embeddings",
    "musicnn": "MusiCNN",
    "hand_made": "handcrafted (ours)",
    "top100": "published top 100",
    "mtt": "MTT",
    "msd": "MSD",
    "msd_mtt": "MSD + MTT",
    "msd_hand_made": "MSD + handcrafted",
    "msd_mtt_hand_made": "MSD + MTT + handcrafted",
}
PROTOCOLS = {
    "artist": "five folds by artist",
    "artist10": "ten folds by artist",
    "song10": "ten folds by song",
    "song": "five folds by song",
}
DATASETS = {
    "4q": "4Q",
    "pmemo": "PMEmo",
    "eim": "EiM",
    "deam_later": "DEAM without EiM",
    "offset_kept": "offset kept",
    "as_distributed": "as distributed",
    "mtg_jamendo": "MTG-Jamendo",
    "emopia": "EMOPIA (rendered)",
    "vgmidi": "VGMIDI (rendered)",
    "emotify_quadrants": "Emotify (quadrants)",
    "synthetic": "synthetic music",
}
METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "positive_f1": "F1 of high",
    "pr_auc": "PR-AUC",
    "roc_auc": "ROC-AUC",
    "f_score": "F1",
    "tpr": "true positive rate",
    "tnr": "true negative rate",
    "auc": "AUC",
    "average_precision": "average precision",
    "calibration_error": "calibration error",
    "truly_clean_in_clean_set": "right labels in the clean set",
    "truly_clean": "right labels in all windows",
    "bic_gain": "BIC gain of two Gaussians",
}
TARGETS = {"emotion": "quadrants", "four_class": "quadrants", "valence": "valence", "arousal": "arousal"}
SETTINGS = {
    "clean_threshold": "clean threshold τ",
    "temperature": "temperature T",
    "mixup_alpha": "mixup α",
    "consistency_weight": "R-Drop weight λ",
    "share_threshold": "share threshold θ",
    "warmup_epochs": "epochs of warm-up",
}
COLUMNS = {  # where a column's name differs from the words of its cells
    "f1": "F1",
    "label": "run",
    "window_s": "window (s)",
    "clip length": "clip length (s)",
    "core-minutes": "cost (core-minutes)",
    "drift": "drift (%)",
    "seconds": "length (s)",
}
AND = "and"  # joins the piece before it to the one behind
PIECES = METHODS | VARIANTS | TAGGING | NOISE | CLASSIFIERS | FEATURES | PROTOCOLS | DATASETS | METRICS
PIECES |= TARGETS | SETTINGS | {AND: AND}
PIECES |= {name: words for name, words in DECISION_NAMES.items() if name not in CLASSIFIERS}
LONGEST_FIRST = sorted(PIECES, key=len, reverse=True)
PATTERNS = [(re.compile(rf"(?:{piece})(?=_|$)"), PIECES[piece]) for piece in LONGEST_FIRST]


def label(name: str) -> str:
    """The words for a run's label, a method, metric, feature or data set; unknown pieces without underscores.

    >>> label("svm_top100_and_hand_made_artist")
    'SVM, published top 100 + handcrafted (ours), five folds by artist'
    >>> label("tau_0.3"), label("co_teaching_symmetric_40"), label("a_song_of_mine")
    ('τ = 0.3', 'Co-teaching, 40 % symmetric noise', 'A song of mine')
    """
    words = words_of(name)
    text = ", ".join(words) if words else name.replace("_", " ")
    text = text.replace(f", {AND}, ", " + ")
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


@cache
def words_of(name: str) -> tuple[str, ...] | None:
    """The words for each piece of a name; None where a piece is unknown."""
    words, rest = [], name
    while rest:
        found = ((match, known) for pattern, known in PATTERNS if (match := pattern.match(rest)))
        match, known = next(found, (None, ""))
        if match is None:
            return None
        words.append(match.expand(known))
        rest = rest[match.end() + 1 :]
    return tuple(words)


def column(name) -> str:
    """The heading of a table's column."""
    return COLUMNS.get(name) or cell(name)


CODE_NAME = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9.=]+)+")
ALONE = {*METHODS, *METRICS} - {"drop", "weight"}  # code names without an underscore that cells hold


def cell(value):
    """What a table shows for a value: words where it is the name of something, else the value itself."""
    if not isinstance(value, str) or value in TARGETS:
        return TARGETS.get(value, value)
    return label(value) if CODE_NAME.fullmatch(value) or value in ALONE else value


def experiment(name: str) -> str:
    """An experiment in words: "Segments to songs"."""
    return name.replace("_", " ").capitalize()
