"""Which labels look wrong: would the mixture keep a song's label, given networks trained on other songs?"""

import numpy as np
import pandas as pd

from mer_companion import results
from mer_core import mixture
from mer_core.datasets.tracks import Tracks


def judged(record: dict, tracks: Tracks) -> pd.DataFrame:
    """Every tested window with the probability that its song's label is clean there.

    The mixture of SSSL (`mixture.fit`), fitted to the losses of tested windows: each comes from a network
    that was trained on neither its song nor its artist, so that no network judges its own training labels.

    Parameters
    ----------
    tracks : the labelled songs that the record was made from

    Returns
    -------
    Rows in the order of the record's windows: ``track_id``, ``second`` (where the window starts), a column of
    probabilities per class, ``loss`` (nats), ``clean_probability`` and, where the emotion of every second is
    known, ``truly_clean``

    Raises
    ------
    RecordError : the record was made from other songs
    """
    stored = results.predictions(record)
    if stored["track_id"].tolist() != tracks.table["track_id"].tolist():
        raise results.RecordError(
            f"record {record['run_id']} was made from other songs than those of {tracks.name}."
        )
    track, second, probabilities = stored["test_track"], stored["test_second"], stored["test"].astype(float)
    own = probabilities[np.arange(len(track)), tracks.targets[track]]
    smallest = np.finfo(stored["test"].dtype).tiny  # that the record's half precision has
    loss = -np.log(own.clip(smallest))
    rows = pd.DataFrame(probabilities, columns=list(tracks.classes)).assign(
        track_id=stored["track_id"][track],
        second=second,
        loss=loss,
        clean_probability=mixture.fit(loss).clean_probability,
    )
    if tracks.second_labels:
        window_s = round(record["config"]["window_s"])
        windows = zip(track.tolist(), second.tolist(), strict=True)
        rows["truly_clean"] = [tracks.holds(t, s, window_s) for t, s in windows]
    return rows
