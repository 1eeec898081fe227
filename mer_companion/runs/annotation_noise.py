"""How often does a moment of a song contradict the song's label? Measured on listeners' ratings over time.

A segment classifier trains every segment on the label of the whole song. PMEmo and DEAM let us look at the
error this makes: they have one rating of the whole clip and another, by a slider, every half second. Side by
side they show four things that must not be confused:

- *change*: within a clip the slider crosses the midpoint, so that some frames lie on a minority side;
- *disagreement*: every frame contradicts the label. Nothing changes in time; two sessions rated the same clip
differently;
- *offset*: in one of the sessions all clips were rated higher, as when the slider's zero is not the form's 5
(`aligned`);
- *ambiguity*: the clip lies so close to the midpoint that a small difference between listeners decides the
label.

The ratings over time are averages over listeners and begin after 15 s. Both smooth: the change found is a
lower bound.
"""

import itertools

import numpy as np
import pandas as pd

from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, Scale, quadrants
from mer_core.evaluation.significance import artist_weights, interval

FRAME_S = 0.5  # from one rating to the next
WINDOW_S = 3.0
MARGIN = 0.05  # of the whole scale; on PMEmo's 0 to 1, from 0.45 to 0.55
DIMENSIONS = ["valence", "arousal"]
COLUMNS = ["target", "measure", "value", "low", "high", "n_clips"]

CLASS_OF_QUADRANT = {
    "valence": HIGH_VALENCE.astype(int),
    "arousal": HIGH_AROUSAL.astype(int),
    "quadrant": np.arange(4),
}


def centred(ratings: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """The same table with valence and arousal as distances from the midpoint: -0.5 to 0.5 of the scale."""
    return ratings.assign(**{name: scale.centred(ratings[name]) for name in DIMENSIONS})


def aligned(dynamic: pd.DataFrame, static: pd.DataFrame) -> pd.DataFrame:
    """The ratings over time minus their offset from those of the whole clips, so that single clips remain.

        offset = median over clips of (mean of the clip's ratings over time - rating of the whole clip)

    One number for valence and one for arousal. Parts of a corpus that were rated in different years need an
    offset each. Both tables as for `measure`; tracks that `static` lacks are left out.
    """
    dynamic = dynamic[dynamic["track_id"].isin(static["track_id"])]
    of_clips = static.set_index("track_id")[DIMENSIONS]
    offset = (dynamic.groupby("track_id")[DIMENSIONS].mean() - of_clips).median()
    return dynamic.assign(**{name: dynamic[name] - offset[name] for name in DIMENSIONS})


def measure(
    static: pd.DataFrame, dynamic: pd.DataFrame, window_s: float = WINDOW_S, margin: float = MARGIN
) -> pd.DataFrame:
    """How often frames and windows contradict their song's label, and how many clips are ambiguous.

    A ratio such as "frames that differ" is the number of such frames in all clips over the number of all
    frames in all clips, so that a long clip counts more. The 95 % intervals resample artists.

    Parameters
    ----------
    static : one row per clip: track_id, group (the artist), valence, arousal; `centred`
    dynamic : one row per half second: track_id, second, valence, arousal; `centred`. Tracks that `static`
        lacks are left out
    window_s : length in seconds of the windows, which follow one another from the clip's first frame; the
        rest of the clip that fills no window is left out, and so is a clip too short for one
    margin : a clip is ambiguous when this close to the midpoint, in parts of the scale

    Returns
    -------
    table : columns target ("valence", "arousal", "quadrant"), measure, value and its interval low to high
        (shares, 0 to 1, and correlations), n_clips (clips the value rests on)

    Raises
    ------
    ValueError : no frame belongs to any clip, or no clip is as long as a window
    """
    static = static.reset_index(drop=True)
    frames = dynamic[dynamic["track_id"].isin(static["track_id"])].sort_values(["track_id", "second"])
    if frames.empty:
        raise ValueError("no rating over time belongs to any clip: are both tables of the same data set?")
    clip = pd.Index(static["track_id"]).get_indexer(frames["track_id"])
    weights = artist_weights(static["group"].to_numpy())
    songs, moments = _quadrant_index(static), _quadrant_index(frames)
    rows = []
    for target, class_of in CLASS_OF_QUADRANT.items():
        song, frame = class_of[songs], class_of[moments]
        counted = {
            "frames": (clip, frame),
            f"{window_s:g} s windows": windows(clip, frame, song, round(window_s / FRAME_S)),
        }
        for unit, (owner, label) in counted.items():
            rows += [(target, *row) for row in _contradictions(unit, tally(song, owner, label), weights)]
        near = _near_midpoint(static, target, margin)
        share = _share(near, np.ones(len(near)), weights)
        rows.append((target, f"clips within {margin:g} of the midpoint", *share))
    rows += _agreement(static, frames, weights)
    return pd.DataFrame(rows, columns=COLUMNS)


def tally(song: np.ndarray, clip: np.ndarray, label: np.ndarray) -> pd.DataFrame:
    """Per clip: its frames (or windows), those unlike the song's label, and those outside their majority.

    Parameters
    ----------
    song : (n_clips,) class of each song
    clip, label : (n,) to which clip each frame belongs, and its class

    Returns
    -------
    table : (n_clips,) rows with the columns total, differing, minority

    >>> tally(np.array([1]), np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])).loc[0].tolist()
    [4, 3, 1]
    """
    counts = np.zeros((len(song), len(QUADRANTS)), dtype=int)
    np.add.at(counts, (clip, label), 1)
    total = counts.sum(axis=1)
    own = counts[np.arange(len(song)), song]
    return pd.DataFrame({"total": total, "differing": total - own, "minority": total - counts.max(axis=1)})


def windows(
    clip: np.ndarray, label: np.ndarray, song: np.ndarray, n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """The clip and the class of every full window of `n_frames`: that of most of its frames.

    When two classes are equally frequent the window gets the song's, if it is one of them: a doubt is no
    contradiction.

    Parameters
    ----------
    clip, label : (n,) to which clip each frame belongs, frames of a clip in their order, and its class
    song : (n_clips,) class of each song

    Returns
    -------
    clip, label : (n_windows,) arrays

    Raises
    ------
    ValueError : no clip is as long as a window
    """
    frames = pd.DataFrame({"clip": clip, "label": label})
    frames["window"] = frames.groupby("clip").cumcount() // n_frames
    counts = frames.groupby(["clip", "window"])["label"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=range(len(QUADRANTS)), fill_value=0)
    counts = counts[counts.sum(axis=1) == n_frames]
    if counts.empty:
        raise ValueError(f"no clip has the {n_frames} frames of a window: choose a shorter one")
    owner = counts.index.get_level_values("clip").to_numpy()
    votes = counts.to_numpy() + 0.5 * np.eye(len(QUADRANTS))[song[owner]]
    return owner, votes.argmax(axis=1)


def _contradictions(unit: str, clips: pd.DataFrame, weights: np.ndarray) -> list[tuple]:
    """(measure, value, low, high, n_clips) rows from the tallies of the clips."""
    total, differing, minority = (clips[column].to_numpy() for column in ("total", "differing", "minority"))
    some = total > 0
    shares = {
        f"{unit} that differ from the song": (differing, total),
        f"{unit} on a minority side of their clip": (minority, total),
        f"clips with any of their {unit} differing": (differing > 0, some),
        f"clips with more than a quarter of their {unit} differing": (differing > total / 4, some),
        f"clips with all of their {unit} differing": (some & (differing == total), some),
    }
    return [(name, *_share(part, whole, weights)) for name, (part, whole) in shares.items()]


def _share(part: np.ndarray, whole: np.ndarray, weights: np.ndarray) -> tuple[float, float, float, int]:
    """Share with its 95 % interval over resampled artists, and the number of clips with anything to count."""
    drawn = weights @ whole
    some = drawn > 0  # a resample may consist of clips too short for a window
    return part.sum() / whole.sum(), *interval((weights @ part)[some] / drawn[some]), int((whole > 0).sum())


def _agreement(static: pd.DataFrame, frames: pd.DataFrame, weights: np.ndarray) -> list[tuple]:
    """Correlation over clips of whole-clip ratings with means over time: do the columns mean the same?"""
    means = frames.groupby("track_id")[DIMENSIONS].mean().reindex(static["track_id"])
    rated = means["valence"].notna().to_numpy()
    rows = []
    for target, other in itertools.product(DIMENSIONS, DIMENSIONS):
        x, y = static[target].to_numpy()[rated], means[other].to_numpy()[rated]
        if min(np.ptp(x), np.ptp(y)) == 0:  # what never varies correlates with nothing
            continue
        value = _correlations(x, y, np.ones((1, len(x))))[0]
        low, high = interval(_correlations(x, y, weights[:, rated]))
        rows.append((target, f"correlation with {other} over time", value, low, high, len(x)))
    return rows


def _correlations(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's r under each row of weights, rows under which something does not vary left out."""
    weights = weights[weights.any(axis=1)]
    weights = weights / weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = weights @ x, weights @ y
    spread = np.sqrt((weights @ x**2 - mean_x**2).clip(0) * (weights @ y**2 - mean_y**2).clip(0))
    varied = spread > 1e-12
    return ((weights @ (x * y) - mean_x * mean_y)[varied] / spread[varied]).round(12)


def _quadrant_index(ratings: pd.DataFrame) -> np.ndarray:
    return np.searchsorted(QUADRANTS, quadrants(ratings["valence"], ratings["arousal"], midpoint=0.0))


def _near_midpoint(static: pd.DataFrame, target: str, margin: float) -> np.ndarray:
    """Whether a clip is close to the midpoint in valence, in arousal, or for the quadrant in one of them."""
    distance = static[DIMENSIONS].abs()
    distance["quadrant"] = distance.min(axis=1)
    return (distance[target].round(9) <= margin).to_numpy()  # 0.55 - 0.5 is a little more than 0.05 in binary
