"""4Q under the literature's protocol and ours, as tables: scores, and what each difference changes."""

from typing import NamedTuple

import pandas as pd

from mer_companion.analysis import names
from mer_companion.analysis.tables import INTERVAL, differences, printed, scores, side_by_side, spoken

METRIC = "macro_f1"
MEAN = "mean"  # of the classifiers
FEATURES = names.FEATURES | {"everything": "MSD + MTT + handcrafted + top 100"}


class Parts(NamedTuple):
    """What a label says: ``svm_msd_song10`` is an SVM on MSD's features in ten folds by song."""

    features: str
    classifier: str
    protocol: str


def parts_of(label: str) -> Parts:
    """The features, classifier and protocol that a label names.

    >>> parts_of("msd_mtt_song10")
    Parts(features='MSD + MTT', classifier='mean', protocol='ten folds by song')
    """
    rest, _, protocol = label.rpartition("_")
    first, _, features = rest.partition("_")
    kind = names.CLASSIFIERS.get(first, MEAN)
    return Parts(FEATURES[rest if kind == MEAN else features], kind, names.PROTOCOLS[protocol])


def means(compared: pd.DataFrame) -> pd.DataFrame:
    """Macro F1 of the classifiers' mean: ``features``, ``protocol``, ``value``, ``low``, ``high``."""
    rows = scores(compared, METRIC)
    rows = rows.join(pd.DataFrame(map(parts_of, rows["label"])))
    order = {name: k for k, name in enumerate(FEATURES.values())}
    rows = rows[rows["classifier"] == MEAN].sort_values("features", key=lambda own: own.map(order))
    return rows[["features", "protocol", *INTERVAL]].reset_index(drop=True)


def by_protocol(compared: pd.DataFrame) -> pd.DataFrame:
    """Macro F1 by features (rows) and protocol, ready to read."""
    rows = means(compared)
    return side_by_side(rows, "features", "protocol").fillna("")


def explained(compared: pd.DataFrame) -> pd.DataFrame:
    """Every paired difference in macro F1 by the one thing that changes, ready to read."""
    rows = []
    for row in differences(compared, METRIC).itertuples():
        own, other = parts_of(row.label), parts_of(row.against)
        (changes,) = [name for name in Parts._fields if getattr(own, name) != getattr(other, name)]
        same = [getattr(own, name) for name in Parts._fields if name != changes]
        rows.append(
            {
                "what changes": changes,
                "from": getattr(other, changes),
                "to": getattr(own, changes),
                "with": ", ".join(same),
                "difference in macro F1": spoken(row, sign=True),
                "p (Holm)": f"{row.p_holm:.3f}",
            }
        )
    found = pd.DataFrame(rows)
    return found.sort_values(["what changes", "with"], kind="stable").set_index(["what changes", "from"])


def published() -> dict[str, float]:
    """The best figures that the literature prints for four quadrants of 4Q, as shares."""
    return {
        "Panda et al. 2018, F1": printed("4Q", "SVM, 100 features", "four_class_f1", "panda", 0),
        "SSSL, accuracy": printed("4Q", "Proposed", "four_class_accuracy"),
        "Louro et al. 2024, F1": printed("4Q", "Dense network and CNN", "four_class_f1", "louro", 0),
    }
