"""Synthetic music whose emotion is known for every second.

Each song has a dominant quadrant and passages that depart from it. Mode, tempo, level, register, articulation
and brightness follow what listening experiments found of musical cues (Eerola, Friberg and Bresin, "Emotional
expression in music: contribution, linearity, and additivity of primary musical cues", Frontiers in Psychology
2013): happy music is major, fast and staccato; sad music minor, slow, soft and dark. It serves to test
mechanisms and measurements, never claims about music.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from filelock import FileLock

from mer_core import paths
from mer_core.datasets.tracks import DataError, Tracks, has_tags, measured, shown
from mer_core.emotion import QUADRANTS

SAMPLE_RATE = 22050  # Hz
TABLE_SIZE = 2048  # samples of one period of a voice's waveform
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)  # semitones of the triads
PASSAGE_S = (2, 5)  # seconds a passage lasts: at least, less than


@dataclass(frozen=True)
class Cues:
    """How one emotion is played."""

    triad: tuple[int, int, int]
    tempo: float  # notes of the melody per minute
    level_db: float  # relative to full scale
    register: float  # MIDI note of the tonic
    articulation: float  # share of a beat that a note sounds
    brightness: float  # level ratio of one harmonic to the one before


CUES = {
    "Q1": Cues(MAJOR, tempo=264, level_db=-14, register=62, articulation=0.45, brightness=0.62),
    "Q2": Cues(MINOR, tempo=288, level_db=-10, register=52, articulation=0.70, brightness=0.78),
    "Q3": Cues(MINOR, tempo=100, level_db=-24, register=53, articulation=0.98, brightness=0.40),
    "Q4": Cues(MAJOR, tempo=116, level_db=-22, register=60, articulation=0.95, brightness=0.45),
}


@dataclass(frozen=True)
class Corpus:
    """Settings of a synthetic corpus."""

    n_songs: int = 48  # the quadrants take turns
    n_artists: int = 24  # an artist has a key, a touch and a timbre
    song_s: int = 16  # seconds
    drift: float = 0.2  # share of each song's seconds that depart from its quadrant: the segment-label noise
    spread: float = 1.0  # how far artists differ in level, tempo and brightness; 0 makes them all alike
    seed: int = 0

    def __post_init__(self):
        if not 0 <= self.drift < 1:
            raise ValueError(f"drift is a share of seconds in [0, 1), got {self.drift}")


def second_labels(quadrant: str, corpus: Corpus, rng: np.random.Generator) -> tuple[str, ...]:
    """True quadrant of each second: the song's own, but for passages that add up to the share `drift`."""
    labels = [quadrant] * corpus.song_s
    others = [q for q in QUADRANTS if q != quadrant]
    left = round(corpus.drift * corpus.song_s)
    while left > 0:
        length = min(left, int(rng.integers(*PASSAGE_S)))
        start = int(rng.integers(0, corpus.song_s - length + 1))
        if all(label == quadrant for label in labels[start : start + length]):
            labels[start : start + length] = [str(rng.choice(others))] * length
            left -= length
        elif length > 1 and rng.random() < 0.2:  # crowded song: let shorter passages in
            left_over = [i for i, label in enumerate(labels) if label == quadrant]
            labels[int(rng.choice(left_over))] = str(rng.choice(others))
            left -= 1
    return tuple(labels)


def waveform(brightness: float) -> np.ndarray:
    """One period of a tone whose harmonics fall off by `brightness`, (TABLE_SIZE,) array of peak 1."""
    phase = 2 * np.pi * np.arange(TABLE_SIZE) / TABLE_SIZE
    wave = sum(brightness ** (h - 1) * np.sin(h * phase) for h in range(1, 13))
    return wave / np.abs(wave).max()


def render(
    labels: tuple[str, ...], artist: np.random.Generator, rng: np.random.Generator, spread: float
) -> np.ndarray:
    """Play a song: chords on the beat and a melody over them, second by second as its labels say.

    Returns
    -------
    (len(labels) * SAMPLE_RATE,) float32 array within [-1, 1]
    """
    key, level, tempo, bright = artist.normal(size=4) * np.array([3.0, 2.5, 0.12, 0.06]) * spread
    song = np.zeros(len(labels) * SAMPLE_RATE + 2 * SAMPLE_RATE, dtype=np.float32)
    time_s = 0.0
    beat = 0
    while time_s < len(labels):
        cues = CUES[labels[int(time_s)]]
        beat_s = 60 / (cues.tempo * (1 + np.clip(tempo, -0.4, 0.4)))
        tonic = cues.register + key + (0, 5, 7, 0)[beat // 4 % 4]  # one chord for four beats: I, IV, V, I
        notes = [tonic + 12 + rng.choice(cues.triad) + 12 * int(rng.random() < 0.3)]
        if beat % 2 == 0:
            notes += [tonic + step for step in cues.triad]
        gain = 10 ** ((cues.level_db + level + rng.normal()) / 20) / 2
        wave = waveform(float(np.clip(cues.brightness + bright, 0.1, 0.9)))
        n = int(cues.articulation * beat_s * SAMPLE_RATE * (1 if len(notes) == 1 else 1.8))
        start = int(time_s * SAMPLE_RATE)
        t = np.arange(min(n, len(song) - start)) / SAMPLE_RATE
        envelope = np.minimum(1, t / 0.012) * np.exp(-2.5 * t / beat_s) * np.minimum(1, (t[-1] - t) / 0.02)
        for note in notes:
            hz = 440 * 2 ** ((note - 69) / 12)
            period = (t * hz * TABLE_SIZE).astype(int) % TABLE_SIZE
            song[start : start + len(t)] += gain * envelope * wave[period]
        time_s += beat_s
        beat += 1
    noise = rng.normal(scale=10 ** (-60 / 20), size=len(labels) * SAMPLE_RATE)  # the hiss of a quiet room
    return np.clip(song[: len(noise)] + noise, -1, 1).astype(np.float32)


def make(corpus: Corpus, folder: Path) -> None:
    """Write the corpus: one flac per song, and ``songs.json`` with ids, artists and labels per second."""
    folder.mkdir(parents=True, exist_ok=True)
    songs = []
    for i in range(corpus.n_songs):
        rng = np.random.default_rng((corpus.seed, i))
        quadrant = QUADRANTS[i % len(QUADRANTS)]
        artist = i * corpus.n_artists // corpus.n_songs
        labels = second_labels(quadrant, corpus, rng)
        samples = render(labels, np.random.default_rng((corpus.seed, 1_000_000 + artist)), rng, corpus.spread)
        track_id = f"song{i:03d}"
        soundfile.write(folder / f"{track_id}.flac", samples, SAMPLE_RATE)
        song = {"track_id": track_id, "label": quadrant, "group": f"artist{artist:03d}"}
        songs.append(song | {"second_labels": labels})
    # written last: its presence says that the corpus is complete
    (folder / "songs.json").write_text(json.dumps(songs), encoding="utf-8")


def read(corpus: Corpus | None = None, *, skip_unreadable: bool = False, **settings) -> Tracks:
    """Tracks of a synthetic corpus, made on first use and kept in the cache; ``second_labels`` holds its
    truth.

    `settings` are those of `Corpus`, where none is given.

    Raises
    ------
    DataError : no such setting
    """
    if unknown := set(settings) - {f.name for f in fields(Corpus)}:
        known = "see mer_core.datasets.synthetic.Corpus"
        raise DataError(f"the synthetic corpus has no setting {shown(sorted(unknown))}; {known}.")
    corpus = corpus or Corpus(**settings)
    name = hashlib.sha256(json.dumps(asdict(corpus), sort_keys=True).encode()).hexdigest()[:10]
    folder = paths.CACHE / f"synthetic-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "songs.json").exists():
            make(corpus, folder)
    songs = pd.read_json(folder / "songs.json", dtype=False)
    files = [folder / f"{i}.flac" for i in songs["track_id"]]
    table = songs[["track_id", "label", "group"]].assign(path=files)
    truth = {row.track_id: tuple(row.second_labels) for row in songs.itertuples()}
    # ids, labels and artists depend on these two only: one name, one file of folds
    usual = (corpus.n_songs, corpus.n_artists) == (Corpus.n_songs, Corpus.n_artists)
    name = "synthetic" if usual else f"synthetic-{corpus.n_songs}-songs-{corpus.n_artists}-artists"
    return measured(name, QUADRANTS, table, skip_unreadable=skip_unreadable, second_labels=truth)


MOODS = {
    "Q1": ("happy", "lively", "pleasant"),
    "Q2": ("lively", "tense"),
    "Q3": ("sad",),
    "Q4": ("calm", "pleasant"),
}


# how likely a listener names a mood that a song has, and one that it has not
NAMED_IF_THERE, NAMED_IF_NOT = 0.7, 0.1


def read_moods(
    corpus: Corpus | None = None, *, skip_unreadable: bool = False, listeners: int = 0, **settings
) -> Tracks:
    """The same songs with any number of six mood words: the quadrant's own, "pleasant" and "lively".

    The first fifth of the artists is for test, the second for validation, the others for training. Of each
    mood there may be the share of so many `listeners` who named it, drawn at random. Raises as `read` does.
    """
    tracks = read(corpus, skip_unreadable=skip_unreadable, **settings)
    artists, by_fifth = sorted(set(tracks.groups)), ("test", "validation", "train", "train", "train")
    part_of = {artist: by_fifth[5 * k // len(artists)] for k, artist in enumerate(artists)}
    label, group = tracks.table["label"], tracks.table["group"]
    table = tracks.table.assign(tags=label.map(MOODS), part=group.map(part_of))
    words = tuple(sorted({word for own in MOODS.values() for word in own}))
    if listeners:
        likely = np.where(has_tags(table["tags"], words), NAMED_IF_THERE, NAMED_IF_NOT)
        named = np.random.default_rng(0).binomial(listeners, likely) / listeners
        table = table.assign(shares=[*map(tuple, named.tolist())])
    return Tracks("synthetic_moods", words, table.drop(columns="label"))
