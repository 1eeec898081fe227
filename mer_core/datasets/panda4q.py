"""4Q: 900 clips of about 30 s, 225 per Russell quadrant (Panda, Malheiro and Paiva, IEEE TAFFC 2018)."""

from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.emotion import QUADRANTS
from mer_core.tracks import DataError, Tracks, audio_files, match_audio, measured

ANNOTATIONS = "panda_dataset_taffc_annotations.csv"  # columns Song, Quadrant
METADATA = "panda_dataset_taffc_metadata.csv"  # Song, Artist, Title, ...; written in Latin-1

HOW_TO_GET_IT = (
    "Download the '4Q audio emotion dataset' (Panda et al., TAFFC 2018) of MIR @ CISUC, University of Coimbra "
    "(mir.dei.uc.pt, Resources), and unpack it so that {folder} holds the folders Q1 to Q4 and both CSV files. If it lies "
    "elsewhere, point the environment variable MER_DATA at the folder that contains '4q'."
)


def read(root: Path | None = None, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of 4Q as distributed: folders Q1 to Q4 of sound files, annotations and metadata as Latin-1 CSV.

    The group is the artist, so that no artist need be on both sides of a split.

    Raises
    ------
    DataError : files missing (with where to get them), label without audio, audio without label, unreadable audio
    """
    root = root or paths.data_root() / "4q"
    if missing := [name for name in (*QUADRANTS, ANNOTATIONS, METADATA) if not (root / name).exists()]:
        raise DataError(f"4q: {', '.join(missing)} not found in {root}. {HOW_TO_GET_IT.format(folder=root)}")
    annotations = pd.read_csv(root / ANNOTATIONS, encoding="latin-1")
    artists = pd.read_csv(root / METADATA, encoding="latin-1").drop_duplicates("Song").set_index("Song")["Artist"]
    table = pd.DataFrame(
        {
            "track_id": annotations["Song"],
            "label": annotations["Quadrant"],
            # without a known artist the clip is a group of its own
            "group": annotations["Song"].map(artists).fillna(annotations["Song"]).str.strip(),
        }
    )
    files = audio_files(root)
    table = match_audio("4q", table, files)
    in_folder = table["path"].map(lambda path: path.parent.name)
    if (wrong := table[in_folder != table["label"]]).size:
        raise DataError(
            f"4q: {len(wrong)} clips lie in another quadrant's folder than their annotation says: "
            f"{', '.join(wrong['track_id'].head())}. Unpack the data set again."
        )
    return measured("4q", QUADRANTS, table, skip_unreadable=skip_unreadable)
