"""EMOPIA: 1,078 clips of pop piano in MIDI, each with a Russell quadrant (Hung et al., ISMIR 2021).

The MIDI was transcribed from YouTube recordings by a network. We hear it rendered: one piano, no pedal noise,
no room, and the level that the transcription gives each note.
"""

import re
from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.datasets.rendered import midi_files, rendered_tracks
from mer_core.datasets.tracks import DataError, Tracks, shown
from mer_core.emotion import QUADRANTS

MIDI = "midis"  # a folder, or midis.zip
NAME = re.compile(r"(?P<label>Q[1-4])_(?P<group>.{11})_\d+")  # quadrant, YouTube id of the song, clip

HOW_TO_GET_IT = (
    "Download EMOPIA (Hung et al., ISMIR 2021; zenodo.org/records/5257995) and put its MIDI files "
    "Q1_...mid to Q4_...mid into the folder midis below {folder}, or there packed as midis.zip. If it lies "
    "elsewhere, point the environment variable MER_DATA at the folder that contains 'emopia'."
)


def read(root: Path | None = None, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of EMOPIA, rendered from MIDI; the group is the song's YouTube id, as many songs have several
    clips.

    Raises
    ------
    DataError : files missing (with where to get them) or named otherwise, no fluidsynth, damaged MIDI
    """
    root = root or paths.data_root() / "emopia"
    files = midi_files(root / MIDI)
    if not files:
        advice = HOW_TO_GET_IT.format(folder=root)
        raise DataError(f"emopia: no MIDI file in {MIDI} or {MIDI}.zip below {root}. {advice}")
    parts = {name: NAME.fullmatch(name) for name in files}
    if odd := [str(files[name]) for name, part in parts.items() if part is None]:
        remedy = "Restore their names, or move them elsewhere."
        raise DataError(
            f"emopia: names that do not say quadrant, YouTube id and clip (Q1_0vLPYiPN7qY_0.mid): "
            f"{shown(odd)}. {remedy}"
        )
    table = pd.DataFrame([{"track_id": name} | part.groupdict() for name, part in parts.items()])
    return rendered_tracks("emopia", QUADRANTS, table, files, skip_unreadable=skip_unreadable)
