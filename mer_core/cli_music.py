"""The commands for your own music: ``mer predict | train | evaluate | label-check | export``."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from mer_core.shell import PRESETS, OneOf, clear_errors, executor_of, on_device, printable, setting_of


def method_names() -> list[str]:
    from mer_core.methods import METHODS

    return list(METHODS)


def recipe(command):
    """The options that say how networks are trained."""
    for option in reversed((
        click.option("--method", type=OneOf(method_names), default="inherit", show_default=True,
                     help="How far labels are trusted; for instance self_learning, which is SSSL."),
        click.option("--preset", type=click.Choice(PRESETS), default="cpu", show_default=True),
        click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting, as training.epochs=60."),
        click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True,
                     help="One network for each; may be given several times."),
        click.option("--workers", type=int, help="Networks trained side by side; default one a core."),
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."),
        click.option("--quiet", is_flag=True, help="No progress bars."),
        click.option("--skip-unreadable", is_flag=True, help="Leave out files that cannot be read, and list them."),
    )):  # fmt: skip
        command = option(command)
    return command


def asked_runs(music, method, preset, settings, seeds, skip_unreadable):
    """The runs that these options describe."""
    from mer_core import own_music

    changes = dict(setting_of(text) for text in settings) | ({"skip_unreadable": True} if skip_unreadable else {})
    return own_music.runs(music, method, preset, tuple(seeds), changes)


NAME_WIDTH = 44  # columns of the terminal for a file's name
MEANING = (
    "valence, arousal: probability that it is high, 0 to 1, 0.5 undecided (no rating). unsure: 0 sure, 1 knows nothing. "
    "What the model can and cannot: {card}"
)
BLOCKS = "▁▂▃▄▅▆▇█"  # probabilities from 0 to 1, an eighth each


@click.command()
@click.argument("music", nargs=-1, metavar="PATH...", type=click.Path())
@click.option("--model", "model_name", default="quadrants", show_default=True, help="A file that mer train has written.")
@click.option("--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Add a row for each file to this table.")
@click.option(
    "--json",
    "objects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add a line for each file, an object with its course second by second.",
)
@click.option(
    "--plot",
    "pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Draw each file's course into this folder, as PNG.",
)
@click.option("-0", "--null", is_flag=True, help="With -: names end in NUL, as find -print0 writes them.")
@click.option("--workers", type=click.IntRange(min=1), help="Files heard side by side; default one a core.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option("--quiet", is_flag=True, help="No table, notes or progress bar: only the files asked for, and what failed.")
def predict(music, model_name, table, objects, pictures, null, workers, device, quiet):
    """Which emotion a song expresses, as a whole and second by second.

    PATH is a sound file, a folder (all below it), a pattern in quotes, a playlist (m3u, m3u8, pls), or - for a list on standard
    input. mp3, flac, wav, ogg, opus and aiff; m4a and others where ffmpeg is installed.

    \b
    mer predict song.mp3
    mer predict ~/Music --csv emotions.csv
    mer predict "live/**/*.flac" party.m3u --json emotions.jsonl --plot pictures
    find . -name "*.mp3" -print0 | mer predict --null -

    A stopped run goes on where it stopped: files that the table (or the objects) holds are heard again only if they, or the
    model, have changed since, or if their picture is asked for and missing.

    \b
    Exit status: 0 every file was predicted; 1 some were not, or a file could not be written, and the reason is told;
    2 the command makes no sense.
    """
    from contextlib import closing

    from mer_core import listing, trained
    from mer_core.training import best_device

    asked, say = asked_names(music, null), (lambda line: None) if quiet else click.echo
    with clear_errors(), on_device(device, quiet):
        model = trained.named(model_name)
        model.committee.to(best_device())
        found = listing.Listing(asked)
        with closing(outputs_of(table, objects, pictures, model, found.files)) as outputs:
            remaining = [path for path in found.files if not complete(path, outputs, pictures)]
            failed, notes = hear(remaining, model, outputs, pictures, workers, say)
    card, before = trained.card_of(model_name), len(found.files) - len(remaining)
    report(len(found.files), before, found.problems | failed, {} if quiet else notes, say, model, card)


def asked_names(music: tuple[str, ...], null: bool) -> list[str]:
    """What was named in the command, and on standard input where that is meant."""
    from mer_core import listing

    if not music:
        raise click.UsageError("which music? Give a file, a folder, a pattern, a playlist, or - for a list on standard input.")
    if null and "-" not in music:
        raise click.UsageError("--null is for a list on standard input: give - as well.")
    listed = listing.of_list(sys.stdin.buffer.read(), null) if "-" in music else []
    return [*(name for name in music if name != "-"), *listed]


def outputs_of(table: Path | None, objects: Path | None, pictures: Path | None, model, asked: list[Path]):
    """Where predictions go; that they can be written there is known before any music is heard."""
    from mer_core import prediction_files

    if table and objects and os.path.realpath(table) == os.path.realpath(objects):
        raise click.UsageError("--csv and --json name one file: give each its own.")
    if pictures:
        with prediction_files.writing(pictures):
            pictures.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=pictures).close()
    kinds = ((prediction_files.Table, table), (prediction_files.Objects, objects))
    return prediction_files.Outputs([kind(path, model) for kind, path in kinds if path], model, asked)


def complete(path: Path, outputs, pictures: Path | None) -> bool:
    """Whether all that is asked for is there already, made of the file as it is now."""
    return str(path) in outputs.done and not (pictures and not picture_of(path, pictures).exists())


def hear(remaining: list[Path], model, outputs, pictures: Path | None, workers: int | None, say) -> tuple[dict, dict]:
    """Predict and write file after file; why some could not be predicted, and what to keep in mind of others, by path."""
    from tqdm import tqdm

    from mer_core.predict import predict_all

    failed, notes = {}, {}
    if remaining:
        say(heading(model))
    with tqdm(remaining, desc="songs", unit="song", disable=None if len(remaining) > 1 else True) as bar:
        for path, said in predict_all(bar, model, workers):
            if isinstance(said, Exception):
                failed[str(path)] = str(said)
                continue
            if pictures:
                draw(said, model, pictures)
            outputs.write(said)
            with bar.external_write_mode():
                say(line_of(said))
            if said.notes:
                notes[str(path)] = said.notes
            if len(remaining) == 1 and speaks_blocks(sys.stdout):
                say(course_of(said, shutil.get_terminal_size().columns))
    return failed, notes


def heading(model) -> str:
    plane = f"{'valence':>8} {'arousal':>8}" if model.quadrants else " " * 17
    return click.style(f"{'file':<{NAME_WIDTH}} {'called':<16} {'p':>5} {plane} {'unsure':>7}", bold=True)


def shortened(name: object) -> str:
    """A name as it fits the first column; the end of a long one counts more than its beginning."""
    text = printable(name)
    return text if len(text) <= NAME_WIDTH else "…" + text[1 - NAME_WIDTH :]


def line_of(emotion) -> str:
    """A prediction as a row of the terminal's table."""
    from mer_core.predict import in_words

    name = shortened(emotion.path)
    called, p = ", ".join(map(in_words, emotion.called)), emotion.probabilities[emotion.called[0]]
    plane = " " * 17 if emotion.valence is None else f"{emotion.valence:>8.2f} {emotion.arousal:>8.2f}"
    return f"{name:<{NAME_WIDTH}} {printable(called):<16} {p:>5.2f} {plane} {emotion.uncertainty.total:>7.2f}"


def speaks_blocks(stream) -> bool:
    """Whether block characters can be written to a stream."""
    try:
        BLOCKS.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def course_of(emotion, width: int) -> str:
    """A song's course in block characters, a line for each probability, at most as wide as given; its times stand below."""
    import numpy as np

    from mer_core.predict import in_words

    plane = [] if emotion.valence is None else ["valence", "arousal"]
    names = {name: printable(in_words(name)) for name in [*emotion.probabilities, *plane]}
    margin = max(map(len, names.values())) + 1
    n = max(1, min(len(emotion.timeline), width - margin))
    lines = []
    for name, spoken in names.items():
        means = [part.mean() for part in np.array_split(emotion.timeline[name].to_numpy(), n)]
        lines.append(f"{spoken:<{margin}}" + "".join(BLOCKS[min(int(8 * p), 7)] for p in means))
    first, last = (f"{s // 60}:{s % 60:02}" for s in (0, round(emotion.duration_s)))
    return "\n".join([*lines, " " * margin + f"{first} {last:>{max(1, n - len(first) - 1)}}"])


def picture_of(path: Path, folder: Path) -> Path:
    """Where a song is drawn: named after the file and, so that two of one name do not collide, its folder."""
    import hashlib

    mark = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:6]  # noqa: PTH100 -- links are songs of their own
    stem = "".join(c if c.isalnum() or c in " -_." else "_" for c in path.stem)[:80]
    return folder / f"{stem}-{mark}.png"


def draw(emotion, model, folder: Path) -> None:
    """A song's course as a picture, which is there whole or not at all."""
    from mer_core import figures, prediction_files

    probabilities = emotion.timeline[list(model.classes)].to_numpy()
    drawn = figures.song_timeline(
        probabilities, emotion.timeline["start_s"].to_numpy(), model.classes, model.window_s, printable(emotion.path.name)
    )
    picture = picture_of(emotion.path, folder)
    with prediction_files.writing(picture):
        drawn.savefig(picture.with_suffix(".new"), dpi=150, format="png")
        picture.with_suffix(".new").replace(picture)


def report(n: int, before: int, failed: dict[str, str], notes: dict, say, model, card: Path) -> None:
    """What the scales mean, what to keep in mind, and what failed; exit status 1 if anything did."""
    if before:
        say(f"{before} of {n} files were predicted before.")
    for path, sentences in notes.items():
        for sentence in sentences:
            click.echo(f"Note: {printable(path)} {sentence}", err=True)
    if model.quadrants and n:
        say(MEANING.format(card=printable(card)))
    if failed:
        click.secho(f"{len(failed)} could not be predicted:", fg="red", err=True)
        for reason in failed.values():
            click.echo(f"  {printable(reason)}", err=True)
        sys.exit(1)


@click.command()
@click.argument("music")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The model's file, *.safetensors.")
@recipe
def train(music, out, method, preset, settings, seeds, workers, device, quiet, skip_unreadable):
    """Train a model on your labelled music: a folder for each label, or a CSV file.

    \b
    mer train path/to/my_music --out my_model.safetensors
    mer train labels.csv --out my_model.safetensors --method self_learning --set training.epochs=60
    mer predict --model my_model.safetensors song.mp3
    """
    from tqdm import tqdm

    from mer_core import model_card, own_music, trained

    with clear_errors(), on_device(device, quiet), executor_of(workers, None) as executor:
        runs = asked_runs(music, method, preset, settings, seeds, skip_unreadable)
        with tqdm(total=len(runs), desc="networks", unit="network", disable=True if quiet else None) as bar:
            model = own_music.train(runs, preset, executor, bar.update)
        trained.save(model, out)
        card = out.with_suffix(".md")
        card.write_text(model_card.written(model), encoding="utf-8")
    click.echo(f"{printable(out)}: {len(model.committee.members)} networks, {', '.join(model.classes)}; what to know: {card}")
    if model.card["out_of_fold"] is None:
        click.echo("How good it is, nobody knows yet, and its probabilities are not calibrated: mer evaluate, then train again.")


@click.command()
@click.argument("music")
@click.option("--model", "model_name", help="Score this trained model instead, on music that it has not heard.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Also write all figures to this file.")
@recipe
def evaluate(music, model_name, out, method, preset, settings, seeds, workers, device, quiet, skip_unreadable):
    """How well your labels can be heard: every song is called by networks that heard neither it nor its group.

    MUSIC is a folder for each label, or a CSV file with the columns path and label (or tags); a column group keeps songs of one
    artist together. Finished networks are kept: started again it goes on, and the second time it only shows.

    \b
    mer evaluate path/to/my_music
    mer evaluate labels.csv --method self_learning --set folds.n=3
    mer evaluate path/to/my_music --model quadrants
    """
    import json

    from mer_core import datasets, own_music, trained

    with clear_errors(), on_device(device, quiet):
        if model_name:
            model, tracks = trained.named(model_name), datasets.load(music, skip_unreadable=skip_unreadable)
            if tracks.digest() == model.card["data"]["digest"]:
                click.echo("Note: the model was trained on this very music; the figures below flatter it.", err=True)
            known, failed = own_music.scored_model(model, tracks, workers)
            classes = model.classes
        else:
            records, tracks = recorded(music, method, preset, settings, seeds, workers, skip_unreadable)
            known, classes, failed = own_music.out_of_fold(records, tracks).summary(), tracks.classes, {}
    for line in figures_of(known, classes):
        click.echo(printable(line))
    if out:
        out.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    for path, reason in (tracks.skipped | failed).items():
        click.echo(f"left out: {printable(reason or path)}", err=True)
    sys.exit(1 if failed else 0)


def recorded(music, method, preset, settings, seeds, workers, skip_unreadable):
    """The records of a recipe on some music, made where they are missing, and the music."""
    from mer_core import networks, own_music

    runs = asked_runs(music, method, preset, settings, seeds, skip_unreadable)
    with executor_of(workers, None) as executor:
        records = own_music.evaluate(runs, preset, executor)
    return records, networks.load_frames(runs[0]).tracks


def figures_of(known: dict, classes):
    """Lines of a table: scores with their intervals, beside an answer that ignores the music, and by label."""
    from mer_core.model_card import spoken

    yield f"{known['n']} songs; 95 % intervals over artists or other groups"
    for name, score in known["scores"].items():
        blind = f"   ignoring the music: {spoken(known['trivial'][name])}" if "trivial" in known else ""
        yield f"  {name.replace('_', ' '):<22} {spoken(score)}{blind}"
    for when, found in known.get("calibration", {}).items():
        yield f"  {'calibration error, ' + when:<26} {spoken(found['calibration_error'])}"
    for label in classes:
        own = known["by_class"][label]
        yield f"  {label:<22} " + ", ".join(f"{name.replace('_', ' ')} {spoken(score)}" for name, score in own.items())


@click.command("label-check")
@click.argument("music")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to listen to them.")
@click.option("--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Write all songs to this table.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many songs to show.")
@recipe
def label_check(music, page, table, top, method, preset, settings, seeds, workers, device, quiet, skip_unreadable):
    """Which of your songs look mislabelled, and where in them: a clean probability from networks that had not heard them.

    The lower it is, the less the label fits what others taught the networks. That finds slips, and songs that are hard: listen
    before you change a label.

    \b
    mer label-check path/to/my_music
    mer label-check labels.csv --html doubtful.html --top 50
    """
    from mer_core import listening_page, own_music

    with clear_errors(), on_device(device, quiet):
        records, tracks = recorded(music, method, preset, settings, seeds, workers, skip_unreadable)
        songs, windows = own_music.doubtful(records, tracks)
    click.secho(f"{'song':<{NAME_WIDTH}} {'label':<10} {'clean':>5}  {'sounds like':<12} {'p':>5}  doubtful from (s)", bold=True)
    for song in songs.head(top).itertuples():
        name = shortened(song.track_id)
        called = printable(song.called)
        click.echo(f"{name:<{NAME_WIDTH}} {printable(song.label):<10} {song.clean_probability:>5.2f}  {called:<12} "
                   f"{song.p_called:>5.2f}  {song.seconds}")  # fmt: skip
    if table:
        songs.to_csv(table, index=False, errors="surrogateescape")
    if page:
        page.write_text(listening_page.written(songs.head(top), windows, page), encoding="utf-8")
        click.echo(f"To listen: open {printable(page)}")


@click.command()
@click.argument("model_name", metavar="MODEL")
@click.argument("out", type=click.Path(path_type=Path))
def export(model_name, out):
    """Write a trained model for other programs: as one ONNX file, where OUT ends in .onnx, else as a folder for Hugging Face.

    MODEL is quadrants, which comes with the project, or a file that mer train has written. The graph takes samples and gives
    probabilities; the folder holds it with the model card, settings and weights. Needs pip install -e ".[export]".

    \b
    mer export quadrants quadrants.onnx
    mer export my.safetensors my_model
    """
    from mer_core import export, trained

    with clear_errors():
        model = trained.named(model_name)
        written = export.to_onnx(model, out) if out.suffix == ".onnx" else export.to_folder(model, out)
    click.echo(f"{printable(written)}: {', '.join(model.classes)}")


COMMANDS = (predict, train, evaluate, label_check, export)
