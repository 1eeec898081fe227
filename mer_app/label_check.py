"""Which labels of your own music look wrong to networks that were not trained on them."""

import pandas as pd

from mer_companion.analysis import clean_probability
from mer_companion.runs.settings import Run
from mer_core import datasets
from mer_core.datasets.tracks import DataError, Tracks

DOUBTFUL_SECONDS = 3  # of each song that are named


def with_labels(runs: list[Run]) -> list[Run]:
    """The same runs, if their music has one label a song.

    Raises
    ------
    DataError : music with tags: an absent tag says nothing, so that no label can be judged wrong
    """
    if (tracks := datasets.load(runs[0].dataset, skip_unreadable=True)).tagged:
        raise DataError(
            f"{tracks.name}: has tags; only music with one label each can be checked for wrong ones."
        )
    return runs


def doubtful(records: list[dict], tracks: Tracks) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which songs, and which of their seconds, look mislabelled to networks of other folds; the most doubtful
    first.

    The clean probability of a window is that of `clean_probability.judged`, averaged over the networks; that
    of a song is the mean over its windows.

    Returns
    -------
    songs : ``track_id``, ``label``, ``clean_probability``, ``predicted`` (label), ``p_label``,
        ``p_predicted``, ``seconds`` (where its most doubtful windows start, as text), ``path``
    windows : ``track_id``, ``second``, ``clean_probability``
    """
    judged = pd.concat([clean_probability.judged(record, tracks) for record in records])
    columns = ["clean_probability", *tracks.classes]
    windows = judged.groupby(["track_id", "second"], as_index=False)[columns].mean()
    mean = windows.groupby("track_id")[columns].mean()
    songs = tracks.table[["track_id", "label", "path"]].set_index("track_id").loc[mean.index]
    p = mean[list(tracks.classes)]
    lowest = windows.sort_values(["clean_probability", "second"]).groupby("track_id").head(DOUBTFUL_SECONDS)
    seconds = lowest.sort_values("second").astype({"second": str}).groupby("track_id")["second"]
    songs = songs.assign(
        clean_probability=mean["clean_probability"],
        predicted=p.idxmax(axis=1),
        p_label=[p.at[song, label] for song, label in songs["label"].items()],
        p_predicted=p.max(axis=1),
        seconds=seconds.agg(" ".join),
    )
    columns = ["label", "clean_probability", "predicted", "p_label", "p_predicted", "seconds", "path"]
    songs = songs.sort_values(["clean_probability", "p_label"])[columns].reset_index()
    return songs, windows[["track_id", "second", "clean_probability"]]
