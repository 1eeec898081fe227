"""MIDI files as sound: played once by fluidsynth with the soundfont FluidR3, then kept in the cache.

The folder in the cache is named by the soundfont's content, fluidsynth's version and the settings, each sound
by its MIDI file's content: the same name is the same sound. A run that was stopped goes on where it stopped.
"""

import hashlib
import io
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import soundfile
from filelock import FileLock

from mer_core import UserError, executors, paths
from mer_core.audio import decoding
from mer_core.datasets.tracks import DataError, Tracks, measured, shown
from mer_core.files import atomic_write
from mer_core.progress import progress_bar

SOUND_FONT = "MER_SOUND_FONT"  # environment variable: a soundfont elsewhere
FLUID_R3 = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")  # where Debian and Ubuntu install it
PLAYED_RATE = 44100  # Hz: at a lower one fluidsynth folds high partials back (aliasing)
SAMPLE_RATE = 22050  # Hz, kept
GAIN = 0.5  # of fluidsynth: the loudest of 25 files that we played peaks at 0.43
TIMEOUT_S = 300  # a file; the longest of VGMIDI, 384 s of music, takes 3 s
# reverb and chorus are fluidsynth's own; no commands from the user's configuration
OPTIONS = ("-n", "-i", "-q", "-f", os.devnull, "-r", str(PLAYED_RATE), "-g", str(GAIN), "-O", "float")

HOW_TO_INSTALL = (
    "Install both (on Debian and Ubuntu: apt install fluidsynth fluid-soundfont-gm). If the soundfont lies "
    f"elsewhere, point the environment variable {SOUND_FONT} at FluidR3_GM.sf2."
)


class MidiError(UserError):
    """A MIDI file that cannot be played; the message names the file, the reason and the remedy."""


@dataclass(frozen=True)
class Synthesizer:
    """What MIDI is played with."""

    program: str
    version: str
    sound_font: Path
    sound_font_digest: str

    def __str__(self):
        return f"fluidsynth {self.version}, {self.sound_font.stem} {self.sound_font_digest}"

    @property
    def folder(self) -> Path:
        """Where its sounds are kept."""
        played = f"{self.sound_font.stem}-{self.sound_font_digest}-fluidsynth-{self.version}"
        return paths.CACHE / "rendered" / f"{played}-{SAMPLE_RATE}Hz-gain{GAIN}"


@dataclass(frozen=True)
class Score:
    """A MIDI file's content, which can be sent to another process, from a folder or an archive."""

    name: str
    content: bytes

    def __str__(self):
        return self.name

    def open(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.content)

    def read_bytes(self) -> bytes:
        return self.content


def synthesizer() -> Synthesizer:
    """The fluidsynth and the soundfont of this machine.

    Raises
    ------
    DataError : one of them is missing, with what to install
    """
    program, sound_font = shutil.which("fluidsynth"), Path(os.environ.get(SOUND_FONT, FLUID_R3))
    absent = [] if program else ["the program fluidsynth"]
    if not sound_font.is_file():
        absent.append(f"the soundfont {sound_font}")
    if absent:
        raise DataError(f"MIDI is rendered as audio, but {' and '.join(absent)} is missing. {HOW_TO_INSTALL}")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d[\w.]*)", said)
    with sound_font.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:8]
    return Synthesizer(program, version[1] if version else "unknown", sound_font, digest)


def midi_files(folder: Path) -> dict[str, Path]:
    """MIDI files by name without suffix: of a folder, else of the zip archive of its name; none: empty.

    Raises
    ------
    DataError : the archive is damaged, or two files share a name
    """
    archive = folder.with_name(f"{folder.name}.zip")
    if folder.is_dir():
        every = sorted(folder.rglob("*.mid"))
    elif archive.is_file():
        try:
            unpacked = zipfile.ZipFile(archive)
            damaged = unpacked.testzip()
        except (zipfile.BadZipFile, zlib.error) as error:
            damaged = error
        if damaged:
            raise DataError(f"{archive}: is damaged ({damaged}). Download it again.")
        names = sorted(name for name in unpacked.namelist() if name.endswith(".mid"))
        every = [zipfile.Path(unpacked, name) for name in names]
    else:
        return {}
    found: dict[str, Path] = {}
    for path in every:
        if path.name.startswith("."):  # what macOS adds
            continue
        if (other := found.setdefault(path.stem, path)) is not path:
            raise DataError(f"{path} and {other} share the id {path.stem!r}. Rename or remove one of them.")
    return found


def seconds_of(midi: Path | Score) -> float:
    """How long a MIDI file plays, by its tempo map.

    Raises
    ------
    MidiError : it is cut off, no MIDI, or without any event
    """
    try:
        import mido
    except ImportError:
        reason = "MIDI files are read with the package mido, which is missing"
        raise DataError(f"{reason}. Install it: pip install mido.") from None
    try:
        with midi.open("rb") as file:
            seconds = mido.MidiFile(file=file).length
    except EOFError:
        raise MidiError(f"{midi}: the MIDI file is cut off. Fetch it again.") from None
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise MidiError(f"{midi}: is no MIDI file, or a damaged one ({error}). Fetch it again.") from None
    if not seconds:
        raise MidiError(f"{midi}: the MIDI file is empty. Fetch it again, or remove it.")
    return seconds


def render(midi: Path | Score, audio: Path, using: Synthesizer) -> None:
    """Play a MIDI file into a flac file of one channel, as long as the tempo map says: without the last
    notes' decay.

    Raises
    ------
    MidiError : the MIDI file is damaged or silent, or fluidsynth fails or takes longer than TIMEOUT_S
    """
    seconds = seconds_of(midi)
    with tempfile.TemporaryDirectory() as scratch:
        source, played = Path(scratch, "song.mid"), Path(scratch, "song.wav")
        source.write_bytes(midi.read_bytes())
        command = [using.program, *OPTIONS, "-F", played, using.sound_font, source]
        quietly = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        try:
            subprocess.run(command, check=True, timeout=TIMEOUT_S, **quietly)
            samples = decoding.read(played, SAMPLE_RATE)[: round(seconds * SAMPLE_RATE)]
        except subprocess.TimeoutExpired:
            raise MidiError(f"{midi}: took fluidsynth more than {TIMEOUT_S} s. Remove it.") from None
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip() or f"exit status {error.returncode}"
            raise MidiError(f"{midi}: fluidsynth failed ({reason}). Fetch it again.") from None
        except decoding.AudioError:
            samples = None
    if samples is None or not samples.any():
        raise MidiError(f"{midi}: holds no note that sounds. Fetch it again, or remove it.")
    with atomic_write(audio) as fresh:
        soundfile.write(fresh, samples, SAMPLE_RATE, format="FLAC")


def rendered_tracks(
    name: str,
    classes: tuple[str, ...],
    table: pd.DataFrame,
    files: dict[str, Path],
    *,
    skip_unreadable: bool,
    **known,
) -> Tracks:
    """Tracks of labelled MIDI files, played on all cores where their sound is not in the cache yet.

    Parameters
    ----------
    table : columns track_id, group, label
    files : the MIDI file of each track_id

    Raises
    ------
    DataError : fluidsynth or the soundfont missing; a MIDI file that cannot be played; with `skip_unreadable`
        it is noted in ``skipped``
    """
    using = synthesizer()
    used = {track: files[track] for track in table["track_id"]}
    digests = {track: hashlib.sha256(midi.read_bytes()).hexdigest()[:8] for track, midi in used.items()}
    audio = {track: using.folder / f"{track}-{digest}.flac" for track, digest in digests.items()}
    using.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(using.folder.with_name(f"{using.folder.name}.lock")):
        missing = {track: midi for track, midi in used.items() if not audio[track].exists()}
        reasons = _render_all({midi: audio[track] for track, midi in missing.items()}, using)
    if reasons and not skip_unreadable:
        raise DataError(
            f"{name}: {len(reasons)} MIDI files cannot be rendered. {shown(reasons.values(), 3)} "
            "To go on without them, ask for it: skip_unreadable (--skip-unreadable on the command line)."
        )
    table = table[[str(used[track]) not in reasons for track in table["track_id"]]]
    table = table.assign(path=table["track_id"].map(audio))
    return measured(
        name,
        classes,
        table,
        skip_unreadable=skip_unreadable,
        skipped=reasons,
        rendered=str(using),
        **known,
    )


def reason_or_none(place: tuple[Score, Path], using: Synthesizer) -> str | None:
    """Render a MIDI file; the reason if it cannot be played."""
    try:
        render(*place, using)
    except MidiError as error:
        return str(error)
    return None


def _render_all(places: dict[Path, Path], using: Synthesizer) -> dict[str, str]:
    """Play MIDI files side by side, on the workers of `executors.jobs_on` or here; the reasons of those that
    cannot be played, by their path.
    """
    from mer_core.device import cores  # with PyTorch, which readers of other data sets do without

    items = [(Score(str(midi), midi.read_bytes()), audio) for midi, audio in places.items()]
    job = partial(reason_or_none, using=using)
    pool = ThreadPoolExecutor(cores())  # each thread waits for a fluidsynth of its own
    try:
        reasons = executors.in_order(job, items) or pool.map(job, items)
        said = list(progress_bar(reasons, total=len(places), desc="rendering MIDI", unit="file"))
    finally:
        pool.shutdown(cancel_futures=True)
    return {str(midi): reason for midi, reason in zip(places, said, strict=True) if reason}
