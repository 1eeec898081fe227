"""What the model that ships answers for synthetic songs, kept beside its file: a changed answer is found.

python -m mer_companion.reproduction.shipped_model      keep what it answers now
"""

import json

from mer_companion import results
from mer_core import datasets, paths
from mer_core.predict import predict

ANSWERS = paths.MODELS / "quadrants.answers.json"
SONGS = "synthetic:n_songs=8,n_artists=8,song_s=6"
TOLERANCE = 1e-3  # of a probability, between processors: kernels sum in another order


def answered() -> dict[str, float]:
    """Probabilities of all quadrants for every song: ``track/quadrant`` -> share of 1."""
    table = datasets.load(SONGS).table
    return {
        f"{track}/{quadrant}": probability
        for track, path in zip(table["track_id"], table["path"], strict=True)
        for quadrant, probability in predict(path).probabilities.items()
    }


def kept() -> dict[str, float]:
    """What it answered when it was made."""
    return json.loads(ANSWERS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    results.write_json(ANSWERS, {name: round(value, 5) for name, value in answered().items()})
