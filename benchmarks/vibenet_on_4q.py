"""Another tool on the songs of 4Q, as it is released: how well vibenet ranks valence and arousal.

    python -m benchmarks.vibenet_on_4q

vibenet (GPL-3.0-or-later; valence and energy as Spotify has them) is no part of this project:
`pip install vibenet`, in an environment of its own if need be. The table is kept in data/peers, for the book.
"""

import sys

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from mer_companion import experiments, results
from mer_companion.analysis.peers import TABLE
from mer_companion.runs.scoring import probabilities
from mer_core.audio import decoding
from mer_core.datasets.tracks import Tracks
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, high_probability
from mer_core.evaluation import significance
from mer_core.files import atomic_write
from mer_core.progress import progress_bar

RATE_HZ = 16000  # of the samples that vibenet takes
DRAWS = 1000
HIGH = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL}
ANSWERS_TO = {"valence": "valence", "arousal": "energy"}  # of vibenet's answers


def of_vibenet(tracks: Tracks) -> dict[str, np.ndarray]:
    """Its valence, and its energy for arousal, of every song."""
    try:
        from vibenet import load_model
    except ImportError:
        sys.exit("vibenet is not installed: pip install vibenet")
    model = load_model()
    answers = [
        model.predict(decoding.read(path, RATE_HZ), sr=RATE_HZ)[0]
        for path in progress_bar(list(tracks.table["path"]), desc="vibenet", unit="song")
    ]
    return {name: np.array([getattr(one, own) for one in answers]) for name, own in ANSWERS_TO.items()}


def of_shipped_model() -> dict[str, np.ndarray]:
    """Out-of-fold probabilities of high valence and arousal by the recipe of the model that ships."""
    records = experiments.recorded("shipped_model", "cpu")
    mean = np.mean([probabilities(record) for record in records], axis=0)
    return {name: high_probability(mean, name) for name in HIGH}


def areas(tool: str, scores: dict[str, np.ndarray], tracks: Tracks) -> list[dict]:
    """Area under the ROC curve with a 95 % interval over artists, for valence and arousal."""
    weights, rows = significance.artist_weights(tracks.groups, DRAWS), []
    for name, score in scores.items():
        high = HIGH[name][tracks.targets]
        drawn = [roc_auc_score(high, score, sample_weight=own) for own in weights]
        low, upper = significance.interval(np.array(drawn))
        row = {"tool": tool, "target": name, "auc": roc_auc_score(high, score), "low": low, "high": upper}
        rows.append(row | {"songs": len(high)})
    return rows


def main() -> None:
    """Score both and keep the table."""
    (record, *_) = experiments.recorded("shipped_model", "cpu")
    tracks = results.tracks_of(record)
    rows = areas("vibenet 0.1.0, as released", of_vibenet(tracks), tracks)
    rows += areas("the model that ships, out of fold", of_shipped_model(), tracks)
    table = pd.DataFrame(rows).round(4)
    with atomic_write(TABLE) as fresh:
        table.to_csv(fresh, index=False, lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
