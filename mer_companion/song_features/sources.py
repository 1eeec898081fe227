"""What a song is like as a whole: a row of numbers per song, from several sources, for song classifiers.

Every source is a function from tracks to an (n_songs, n_features) float array in their order. All are frozen:
nothing here learns from labels.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import librosa
import numpy as np
import pandas as pd

from mer_companion import provenance
from mer_companion.song_features import handcrafted, kinds
from mer_core import paths
from mer_core.audio import decoding
from mer_core.audio.features import LogMel, WindowFeatures
from mer_core.datasets.tracks import DataError, Tracks, shown
from mer_core.files import atomic_write
from mer_core.frames import compute, file_hash
from mer_core.models import backbones
from mer_core.progress import progress_bar

LOG_MEL, HANDCRAFTED, TOP_100 = "log_mel_statistics", "hand_made", "published_top100"
EMBEDDINGS, AUDIO_MODEL, MUSICNN = "embeddings", "audio_model", "musicnn"
QUANTILES = (0.1, 0.5, 0.9)
MOST_BYTES = 1_000_000_000  # of an .npz, unpacked
MODEL_CHUNK_S = 5  # seconds that an audio model is given at once; its answers are averaged
OF_HANDCRAFTED = (  # the code that handcrafted features depend on
    "mer_core.audio.decoding",
    "mer_companion.song_features.handcrafted",
    "mer_companion.song_features.harmony",
)


def load(source: str, tracks: Tracks, settings: LogMel, *, skip_unreadable: bool = False) -> np.ndarray:
    """Features of every track from a source: its name, with a path behind a colon where it needs one.

    ``log_mel_statistics``; ``hand_made``, or some of its kinds, ``hand_made:timbre+rhythm`` (`kinds`);
    ``published_top100`` (4Q only); ``embeddings:FILE``;
    ``audio_model:FOLDER``; ``musicnn:MSD_musicnn`` or ``musicnn:MTT_musicnn``

    Raises
    ------
    DataError : unknown source, files missing, or tracks without features
    """
    name, _, path = source.partition(":")
    if name == LOG_MEL:
        return log_mel_statistics(tracks, settings, skip_unreadable=skip_unreadable)
    if name == HANDCRAFTED:
        values = handcrafted_features(tracks)
        return values[:, kinds.columns(path)] if path else values
    if name == TOP_100:
        return published_top100(tracks)
    if name == EMBEDDINGS:
        return embeddings(Path(path), tracks)
    if name == AUDIO_MODEL:
        return audio_model(Path(path), tracks)
    if name == MUSICNN:
        return musicnn_features(path, tracks, skip_unreadable=skip_unreadable)
    known = f"{LOG_MEL}, {HANDCRAFTED}, {TOP_100}, {EMBEDDINGS}:FILE, {AUDIO_MODEL}:FOLDER, {MUSICNN}:NAME"
    raise DataError(f"{source!r} is no source of song features; there are {known}.")


def handcrafted_features(tracks: Tracks) -> np.ndarray:
    """Handcrafted features, cached under a name made of the sound and of the code that computes them."""
    files, code = list(tracks.table["path"]), provenance.code_digest(OF_HANDCRAFTED)
    path = cached("song_features", [code, librosa.__version__, [file_hash(file) for file in files]])
    if not path.exists():
        bar = progress_bar(files, desc="song features", unit="track")
        save(path, tracks, np.array([handcrafted.features(file) for file in bar]))
    return embeddings(path, tracks)


def cached(folder: str, made_from: list) -> Path:
    name = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:16]
    return paths.CACHE / folder / f"{name}.npz"


def save(path: Path, tracks: Tracks, values: np.ndarray) -> None:
    with atomic_write(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, track_id=tracks.table["track_id"].to_numpy(dtype=str), values=values)


def log_mel_statistics(tracks: Tracks, settings: LogMel, *, skip_unreadable: bool = False) -> np.ndarray:
    """How loud each band is, how much it varies, and how fast, in dB: (n_songs, 6 * n_mels).

    Mean, deviation, three quantiles and mean rise: the features of a plain "spectrum and dynamics" baseline.
    """
    frames = compute(tracks, settings, skip_unreadable=skip_unreadable)
    rows = []
    for start, end in zip(frames.offsets[:-1], frames.offsets[1:], strict=True):
        levels = np.asarray(frames.values[start:end], dtype=np.float32)
        rise = np.maximum(np.diff(levels, axis=0), 0).mean(axis=0)
        quantiles = np.quantile(levels, QUANTILES, axis=0)
        rows.append(np.concatenate([levels.mean(0), levels.std(0), *quantiles, rise]))
    return np.array(rows)


def published_top100(tracks: Tracks) -> np.ndarray:
    """The 100 handcrafted features that the authors of 4Q publish (Panda et al. 2018), (n_songs, 100).

    They ranked them on all 900 clips with their labels, test songs included: what a classifier reaches with
    them is somewhat too good. The file's own label column is left out.
    """
    path = paths.data_root() / "4q" / "top100_features.csv"
    if not path.exists():
        raise DataError(f"{path}: not found. It comes with the 4Q data set (see `mer data 4q`).")
    return of_tracks(pd.read_csv(path, index_col="SongID").select_dtypes("number"), tracks, path)


def embeddings(path: Path, tracks: Tracks) -> np.ndarray:
    """Precomputed embeddings of an audio model, from a CSV or an .npz file (`table_of`)."""
    if path.is_file():
        return of_tracks(table_of(path), tracks, path)
    advice = "Give a CSV file (track id first) or .npz (track_id, values)."
    raise DataError(f"{path}: no such file of embeddings. {advice}")


def table_of(path: Path, *columns: str) -> pd.DataFrame:
    """Numbers by track id, from a CSV file, whose first column is the id, or from an .npz file.

    The .npz has ``track_id`` (n,), ``values`` (n, n_columns) and, where that is requested, the array that
    names its columns.

    Raises
    ------
    DataError : neither, or no numbers in it
    """
    with numbers_from(path):
        return _table_of(path, columns)


# RuntimeError: encrypted, or of a packing that Python does not know
DAMAGED = (ValueError, TypeError, EOFError, OSError, BadZipFile, RuntimeError, KeyError, zlib.error)


@contextmanager
def numbers_from(path: Path) -> Iterator[None]:
    """Say in a sentence why numbers cannot be read from a file."""
    try:
        yield
    except DataError:
        raise
    except DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "Save numbers as CSV in UTF-8 between commas, as .npz or as .npy."
        raise DataError(f"{path}: holds no table of numbers ({reason}). {remedy}") from None


def _table_of(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if path.suffix == ".csv":
        table = pd.read_csv(path, index_col=0).select_dtypes("number")
    else:
        with ZipFile(path) as archive:
            if (size := sum(one.file_size for one in archive.infolist())) > MOST_BYTES:
                raise DataError(f"{path}: would unpack to {size / 1e9:.1f} GB. Store what is needed only.")
        with np.load(path) as stored:
            if lacking := {"track_id", "values", *columns} - set(stored):
                raise DataError(f"{path}: lacks the arrays {sorted(lacking)}; it holds {sorted(stored)}.")
            named = stored[columns[0]].astype(str) if columns else None
            table = pd.DataFrame(stored["values"].astype(float), index=stored["track_id"], columns=named)
    return table.set_axis(table.index.astype(str))


def of_tracks(table: pd.DataFrame, tracks: Tracks, path: Path) -> np.ndarray:
    """Rows of a table by track id, in the order of the tracks.

    Raises
    ------
    DataError : rows are missing, doubled or not finite
    """
    ids = tracks.table["track_id"]
    if missing := sorted(set(ids) - set(table.index)):
        raise DataError(f"{path}: has no row for {len(missing)} tracks of {tracks.name}: {shown(missing)}.")
    if twice := sorted(set(table.index[table.index.duplicated()])):
        raise DataError(f"{path}: has more than one row for {shown(twice)}.")
    values = table.loc[ids].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise DataError(f"{path}: holds missing or infinite values. Fill them in or drop their columns.")
    return values


def musicnn_features(name: str, tracks: Tracks, *, skip_unreadable: bool = False) -> np.ndarray:
    """What a pretrained MusiCNN finds, mean over windows of 3 s, one every second: (n_songs, 1756).

    Raises
    ------
    WeightsError : the released weights are not here; the message says how to get them
    """
    frames = compute(tracks, WindowFeatures((name,)), skip_unreadable=skip_unreadable)
    songs = zip(frames.offsets[:-1], frames.offsets[1:], strict=True)
    return np.array([frames.values[start:end].mean(axis=0, dtype=np.float64) for start, end in songs])


def audio_model(folder: Path, tracks: Tracks) -> np.ndarray:
    """Mean last hidden state of a pretrained audio model in Hugging Face format (Koh and Dubnov 2021).

    Any in a local folder that ``transformers`` opens with AutoModel and that takes samples or spectrograms
    (wav2vec 2.0, HuBERT, MERT, AST). The embeddings are kept in the cache, named by the model's files and the
    sound.

    Raises
    ------
    DataError : no model in the folder, or the package transformers is not installed
    """
    if not (folder / "config.json").is_file():
        advice = "Give the folder of an audio model in Hugging Face format."
        raise DataError(f"{folder}: holds no config.json. {advice}")
    backbones.declare_missing_operators()  # transformers imports torchvision where it is installed
    try:
        import torch
        from transformers import AutoFeatureExtractor, AutoModel
    except ImportError:
        advice = 'pip install "mer-core[embeddings]"'
        raise DataError(f"audio models need the package transformers: {advice}") from None
    files = [*sorted(p for p in folder.iterdir() if p.is_file()), *tracks.table["path"]]
    path = cached("embeddings", [MODEL_CHUNK_S, [file_hash(file) for file in files]])
    if path.exists():
        return embeddings(path, tracks)
    extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    rate, length, rows = extractor.sampling_rate, MODEL_CHUNK_S * extractor.sampling_rate, []
    for file in progress_bar(tracks.table["path"], desc="embeddings", unit="track"):
        samples = decoding.read(file, rate)
        chunks = [samples[i : i + length] for i in range(0, max(len(samples) - length // 2, 1), length)]
        inputs = [extractor(chunk, sampling_rate=rate, return_tensors="pt") for chunk in chunks]
        with torch.inference_mode():
            hidden = [model(**one).last_hidden_state[0].mean(dim=0).numpy() for one in inputs]
        rows.append(np.mean(hidden, axis=0))
    save(path, tracks, np.array(rows))
    return embeddings(path, tracks)
