"""The commands for your own music: ``mer predict | train | evaluate | label-check | export``."""

import os
import sys
import warnings
from collections import Counter
from pathlib import Path

import click
from click.core import ParameterSource

from mer_app import prediction_table
from mer_app.options import (
    OneOf,
    Writable,
    changes_of,
    clear_errors,
    device_option,
    not_lost,
    preset_option,
    quiet_option,
    seeds_option,
    settings_option,
    skip_option,
    workers_option,
)
from mer_app.text import interval, printable
from mer_app.workers import executor_of, on_device
from mer_core import UserError
from mer_core.files import atomic_write, locked
from mer_core.progress import progress_bar


def method_names() -> list[str]:
    from mer_core.methods import METHODS

    return list(METHODS)


RECIPE = {  # how networks are trained: parameter and option
    "method": click.option(
        "--method",
        type=OneOf(method_names),
        default="inherit",
        show_default=True,
        help="How far labels are trusted; for instance self_learning, which is SSSL.",
    ),
    "preset": preset_option("cpu"),
    "from_scratch": click.option(
        "--from-scratch",
        is_flag=True,
        help="Networks that learn from your spectrograms alone, instead of dense layers on the features of "
        "one that was pretrained on a million songs.",
    ),
    "settings": settings_option,
    "seeds": seeds_option(
        default=(0, 1, 2), show_default=True, help="One network for each; may be repeated."
    ),
}


def recipe(command):
    """The options that say how networks are trained, and with what."""
    for option in reversed([*RECIPE.values(), workers_option(), device_option, quiet_option, skip_option]):
        command = option(command)
    return command


def runs_of(music, preset, *, method, from_scratch, settings, seeds, skip_unreadable):
    """The runs that these options describe."""
    from mer_app.train import runs_on

    changes = changes_of(settings, skip_unreadable, seed="--seed", dataset="MUSIC")
    return runs_on(music, method, preset, tuple(seeds), changes, from_scratch)


@click.command()
@click.argument("music", nargs=-1, metavar="PATH...", type=click.Path())
@click.option(
    "--model", "model_name", default="quadrants", show_default=True, help="A file that mer train has written."
)
@click.option("--csv", "table", type=Writable(dir_okay=False), help="Add a row for each file to this table.")
@click.option(
    "--json", "objects", type=Writable(dir_okay=False), help="Add a line for each file, with its timeline."
)
@click.option(
    "--plot", "pictures", type=Writable(file_okay=False), help="Draw each timeline into this folder, as PNG."
)
@click.option("-0", "--null", is_flag=True, help="With -: names end in NUL, as find -print0 writes them.")
@workers_option("Files predicted side by side; default one a core.")
@device_option
@click.option(
    "--quiet", is_flag=True, help="No table, notes or progress bar: only the files, and what failed."
)
def predict(music, model_name, table, objects, pictures, null, workers, device, quiet):
    """Which emotion a song expresses, as a whole and second by second.

    PATH is a sound file, a folder (all below it), a pattern in quotes, a playlist (m3u, m3u8, pls), or - for
    a list on standard input. mp3, flac, wav, ogg, opus and aiff; m4a and others where ffmpeg is installed.

    \b
    mer predict song.mp3
    mer predict ~/Music --csv emotions.csv
    mer predict "live/**/*.flac" party.m3u --json emotions.jsonl --plot pictures
    find . -name "*.mp3" -print0 | mer predict --null -

    A stopped run goes on where it stopped: files that the table (or the objects) holds are predicted again
    only if they, or the model, have changed since, or if their picture is requested and missing.

    \b
    Exit status: 0 every file was predicted; 1 some were not, or a file could not be written, and the reason
    is told; 2 the command makes no sense.
    """
    from contextlib import closing

    from mer_app import inputs
    from mer_core import trained_model
    from mer_core.device import best_device

    requested, say = requested_names(music, null), (lambda line: None) if quiet else click.echo
    with clear_errors(), on_device(device, quiet):
        model = trained_model.named(model_name).to(best_device())
        found = inputs.Listing(requested)
        places = filter(None, (table, objects))
        with locked(*places), closing(outputs_of(table, objects, model, found.files)) as outputs:
            remaining = [path for path in found.files if not complete(path, outputs, pictures)]
            failed, notes, predicted = predict_files(remaining, model, outputs, pictures, workers, say)
    if len(remaining) < len(found.files):
        say(f"{len(found.files) - len(remaining)} of {len(found.files)} files were predicted before.")
    if predicted:
        say(prediction_table.meaning(model, trained_model.card_of(model_name)))
    report({} if quiet else found.notes | notes, found.problems | failed)


def requested_names(music: tuple[str, ...], null: bool) -> list[str]:
    """What was named in the command, and on standard input where that is meant."""
    from mer_app import inputs

    if not music:
        raise click.UsageError(
            "which music? Give a file, a folder, a pattern, a playlist, or - for a list on standard input."
        )
    if null and "-" not in music:
        raise click.UsageError("--null is for a list on standard input: give - as well.")
    data = sys.stdin.buffer.read() if "-" in music else b""
    if b"\0" in data and not null:
        raise click.ClickException(
            "standard input is no list of names, one a line. Give a sound as a file; for what find -print0 "
            "writes, add --null."
        )
    listed = inputs.of_list(data, null)
    if "-" in music and not listed:
        raise click.ClickException("the list on standard input is empty. Check the command that makes it.")
    return [*(name for name in music if name != "-"), *listed]


def outputs_of(table: Path | None, objects: Path | None, model, requested: list[Path]):
    """Where predictions go."""
    from mer_app.outputs import Objects, Outputs, Table

    if table and objects and os.path.realpath(table) == os.path.realpath(objects):
        raise click.UsageError("--csv and --json name one file: give each its own.")
    files = [kind(path, model) for kind, path in ((Table, table), (Objects, objects)) if path]
    return Outputs(files, model, requested)


def complete(path: Path, outputs, pictures: Path | None) -> bool:
    """Whether all that is requested is there already, made of the file as it is now."""
    return str(path) in outputs.done and not (pictures and not picture_of(path, pictures).exists())


def predict_files(
    remaining: list[Path], model, outputs, pictures: Path | None, workers: int | None, say
) -> tuple[dict, dict, Counter]:
    """Predict and write file after file.

    Returns
    -------
    Why some could not be predicted, what to keep in mind of others, and how many got each label
    """
    from mer_core.predict import predict_all

    failed, notes, predicted = {}, {}, Counter()
    with progress_bar(total=len(remaining), desc="songs", unit="song", shown=len(remaining) > 1) as bar:
        for path, emotion in predict_all(remaining, model, workers):
            bar.update()
            if isinstance(emotion, Exception):
                failed[str(path)] = str(emotion)
                continue
            if pictures and (undrawn := draw(emotion, model, pictures)):
                failed[str(path)] = undrawn
            outputs.write(emotion)
            with bar.external_write_mode():
                if not predicted:
                    say(prediction_table.heading(model))
                say(prediction_table.row_of(emotion))
            predicted.update(emotion.predicted)
            if emotion.notes:
                notes[str(path)] = emotion.notes
    if len(remaining) == 1 and predicted and prediction_table.speaks_blocks(sys.stdout):
        say(prediction_table.timeline_of(emotion))
    elif predicted.total() > 1:
        say(prediction_table.tally(predicted))
    return failed, notes, predicted


def picture_of(path: Path, folder: Path) -> Path:
    """Where a song is drawn: named after the file and, so that two of one name do not collide, its folder."""
    import hashlib

    absolute = os.path.abspath(path)  # noqa: PTH100 -- not resolved: links are songs of their own
    mark = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:6]
    stem = "".join(c if c.isalnum() or c in " -_." else "_" for c in path.stem)[:80]
    return folder / f"{stem}-{mark}.png"


def draw(emotion, model, folder: Path) -> str | None:
    """A song's timeline as a picture; or the reason why there is none, which must not end the others."""
    from mer_companion.analysis import figures

    picture = picture_of(emotion.path, folder)
    try:
        with atomic_write(picture) as fresh:
            drawn = figures.emotion_course(emotion.timeline, model.classes, printable(emotion.path.name))
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # of letters the font lacks
                drawn.savefig(fresh, dpi=150, format="png")
    except UserError as error:
        return f"{emotion.path}: predicted, but not drawn. {error}"
    except Exception as error:
        return f"{emotion.path}: predicted, but not drawn ({type(error).__name__}: {error}). Rename the file."
    return None


def report(notes: dict[str, tuple[str, ...]], failed: dict[str, str]) -> None:
    """What to keep in mind of files, and which failed, why; exit status 1 if any did."""
    for path, sentences in notes.items():
        for sentence in sentences:
            click.echo(f"Note: {printable(path)}: {sentence}", err=True)
    if failed:
        click.secho(f"{len(failed)} could not be predicted or drawn:", fg="red", err=True)
        for reason in failed.values():
            click.echo(f"  {printable(reason)}", err=True)
        sys.exit(1)


@click.command()
@click.argument("music")
@click.option(
    "--out",
    required=True,
    type=Writable(".safetensors", "mer_core trained model", dir_okay=False),
    help="The model's file, *.safetensors; its card, *.md, will lie beside it.",
)
@recipe
def train(music, out, preset, workers, device, quiet, **options):
    """Train a model on your labelled music: a folder for each label, or a CSV file.

    \b
    mer train path/to/my_music --out my_model.safetensors
    mer train labels.csv --out my_model.safetensors --method self_learning --set training.epochs=60
    mer predict --model my_model.safetensors song.mp3
    """
    from mer_app import model_card
    from mer_app import train as training
    from mer_companion.runs import cross_validation
    from mer_core import trained_model

    card = not_lost(out.with_suffix(".md"), b"# Model card")
    with clear_errors(), on_device(device, quiet):
        runs = runs_of(music, preset, **options)
        with (
            executor_of(workers, len(runs)) as executor,
            progress_bar(total=len(runs), desc="networks", unit="network") as bar,
        ):
            model = training.train(runs, preset, executor, bar.update)
        trained_model.save(model, out)
        with atomic_write(card) as fresh:
            fresh.write_text(model_card.written(model), encoding="utf-8")
    made = f"{len(model.ensemble.members)} networks, {', '.join(model.classes)}"
    click.echo(printable(f"{out}: {made}; what to know: {card}"))
    if model.card["out_of_fold"] is None:
        click.echo(
            "Its accuracy is not known, its probabilities are not calibrated: mer evaluate, then train again."
        )
    say_left_out(cross_validation.load_frames(runs[0]).tracks)


@click.command()
@click.argument("music")
@click.option(
    "--model", "model_name", help="Score this trained model instead, on music that it was not trained on."
)
@click.option(
    "--json",
    "out",
    type=Writable(".json", '"by_class"', dir_okay=False),
    help="Also write all figures to this file.",
)
@recipe
@click.pass_context
def evaluate(context, music, model_name, out, preset, workers, device, quiet, **options):
    """How well your labels are predicted: every song by networks trained without it and its group.

    MUSIC is a folder for each label, or a CSV file with the columns path and label (or tags); a column group
    keeps songs of one artist together. Finished networks are kept: started again it goes on, and the second
    time it only shows.

    \b
    mer evaluate path/to/my_music
    mer evaluate labels.csv --method self_learning --set folds.n=3
    mer evaluate path/to/my_music --model quadrants
    """
    from mer_companion import results

    if model_name:
        refuse_recipe(context)
    with clear_errors(), on_device(device, quiet):
        if model_name:
            known, failed, tracks = scored(model_name, music, options["skip_unreadable"], workers)
        else:
            from mer_app.evaluate import out_of_fold

            records, tracks = recorded(runs_of(music, preset, **options), preset, workers)
            known, failed = out_of_fold(records, tracks).summary(), {}
    if out:
        with clear_errors():
            results.write_json(out, known)
    by = "artists or other groups" if len(set(tracks.groups)) < len(tracks) else "songs"
    for line in figures_of(known, by):
        click.echo(printable(line))
    say_left_out(tracks, failed)
    sys.exit(1 if failed else 0)


def say_left_out(tracks, failed: dict[str, str] | None = None) -> None:
    """Which music was not used, and why."""
    unreadable = (reason or path for path, reason in (tracks.skipped | (failed or {})).items())
    for reason in (*tracks.notes, *unreadable):
        click.echo(f"left out: {printable(reason)}", err=True)


def refuse_recipe(context) -> None:
    """Say so where options were given that a trained model has settled."""
    spelt = {option.name: option.opts[0] for option in context.command.params}
    if given := [
        spelt[name] for name in RECIPE if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]:
        raise click.UsageError(
            f"{', '.join(given)}: how networks are trained; --model has its own. Leave out one or the other."
        )


def scored(model_name: str, music: str, skip_unreadable: bool, workers: int | None):
    """What a trained model is worth on labelled music, which files could not be predicted, and the music."""
    from mer_app.evaluate import scored_model
    from mer_app.train import known_songs
    from mer_core import datasets, trained_model

    model, tracks = trained_model.named(model_name), datasets.load(music, skip_unreadable=skip_unreadable)
    if n := known_songs(model, tracks):
        note = f"the model was trained on {n} of these {len(tracks)} songs; the scores are optimistic."
        click.echo(f"Note: {note}", err=True)
    return *scored_model(model, tracks, workers), tracks


def recorded(runs, preset, workers):
    """The records of these runs, made where they are missing, and their music."""
    from mer_app import evaluate as evaluation
    from mer_companion.runs import cross_validation

    with executor_of(workers, cross_validation.count(runs)) as executor:
        records = evaluation.evaluate(runs, preset, executor)
    return records, cross_validation.load_frames(runs[0]).tracks


def figures_of(known: dict, by: str):
    """Lines of a table: scores with intervals, beside a baseline that ignores the music, and by label."""
    yield f"{known['n']} songs; 95 % intervals over {by}"
    parts = {"": known} | {f"{name}, ": known[name] for name in ("valence", "arousal") if name in known}
    for about, found in parts.items():
        for name, score in found["scores"].items():
            baseline = (
                f"   ignoring the music: {interval(found['trivial'][name])}" if "trivial" in found else ""
            )
            yield f"  {about + name.replace('_', ' '):<22} {interval(score)}{baseline}"
    for when in ("before", "after"):
        if found := known.get("calibration", {}).get(when):
            yield f"  {'calibration error, ' + when:<26} {interval(found['calibration_error'])}"
    for label, own in known["by_class"].items():
        scores = (f"{name.replace('_', ' ')} {interval(score)}" for name, score in own.items())
        yield f"  {label:<22} {', '.join(scores)}"
    if left := known.get("not_judged"):
        yield f"  not judged, for want of songs with or without them: {', '.join(left)}"


@click.command("label-check")
@click.argument("music")
@click.option(
    "--html",
    "page",
    type=Writable(".html", "<title>Doubtful labels</title>", dir_okay=False),
    help="Write a page to listen to them.",
)
@click.option(
    "--csv",
    "table",
    type=Writable(".csv", "clean_probability", dir_okay=False),
    help="Write all songs to this table.",
)
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many songs to show."
)
@recipe
def label_check(music, page, table, top, preset, workers, device, quiet, **options):
    """Which of your songs look mislabelled, and where in them: clean probabilities from networks trained
    without them.

    The lower it is, the less the label fits what others taught the networks. That finds slips, and songs that
    are hard: listen before you change a label.

    \b
    mer label-check path/to/my_music
    mer label-check labels.csv --html doubtful.html --top 50
    """
    from mer_app import label_check_page
    from mer_app.label_check import doubtful, with_labels

    with clear_errors(), on_device(device, quiet):
        records, tracks = recorded(with_labels(runs_of(music, preset, **options)), preset, workers)
        songs, windows = doubtful(records, tracks)
    for line in prediction_table.doubtful_songs(songs.head(top)):
        click.echo(line)
    if table:
        with clear_errors(), atomic_write(table) as fresh:
            songs.to_csv(fresh, index=False, errors="surrogateescape")
    if page:
        with clear_errors(), atomic_write(page) as fresh:
            text = label_check_page.written(songs.head(top), windows, page)
            fresh.write_text(text, encoding="utf-8", errors="backslashreplace")  # of names that are no UTF-8
        click.echo(f"To listen: open {printable(page)}")
    say_left_out(tracks)


@click.command()
@click.argument("model_name", metavar="MODEL")
@click.argument("out", type=Writable())
def export(model_name, out):
    """Write a trained model for other programs: as one ONNX file, where OUT ends in .onnx, else as a folder
    for Hugging Face.

    MODEL is quadrants, which comes with the project, or a file that mer train has written. The graph takes
    samples and gives probabilities; the folder holds it with the model card, settings and weights. Needs pip
    install -e ".[export]".

    \b
    mer export quadrants quadrants.onnx
    mer export my.safetensors my_model
    """
    from mer_app.hugging_face import MARKS, to_folder
    from mer_core import trained_model
    from mer_core.onnx_export import to_onnx

    alone = out.suffix == ".onnx"
    marks = {out: MARKS["model.onnx"]} if alone else {out / name: mark for name, mark in MARKS.items()}
    for path, mark in marks.items():
        not_lost(path, mark)
    with clear_errors():
        model = trained_model.named(model_name)
        written = to_onnx(model, out) if alone else to_folder(model, out)
    click.echo(printable(f"{written}: {', '.join(model.classes)}"))


COMMANDS = (predict, train, evaluate, label_check, export)
