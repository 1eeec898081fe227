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
    PRESETS,
    OneOf,
    Writable,
    changes_of,
    clear_errors,
    distinct,
    executor_of,
    not_lost,
    on_device,
    printable,
)
from mer_core.files import atomic_write
from mer_core.progress import progress_bar


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
        click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, default=(0, 1, 2), show_default=True,
                     callback=distinct, help="One network for each; may be given several times."),
        click.option("--workers", type=click.IntRange(min=1), help="Networks trained side by side; default one a core."),
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."),
        click.option("--quiet", is_flag=True, help="No progress bars."),
        click.option("--skip-unreadable", is_flag=True, help="Leave out files that cannot be read, and list them."),
    )):  # fmt: skip
        command = option(command)
    return command


def asked_runs(music, method, preset, settings, seeds, skip_unreadable):
    """The runs that these options describe."""
    from mer_app import train as own_music

    changes = changes_of(settings, skip_unreadable, seed="--seed", dataset="MUSIC")
    return own_music.runs(music, method, preset, tuple(seeds), changes)


OF_TRAINING = (
    "method",
    "preset",
    "settings",
    "seeds",
)  # parameters of `recipe` that a trained model has settled


@click.command()
@click.argument("music", nargs=-1, metavar="PATH...", type=click.Path())
@click.option(
    "--model", "model_name", default="quadrants", show_default=True, help="A file that mer train has written."
)
@click.option("--csv", "table", type=Writable(dir_okay=False), help="Add a row for each file to this table.")
@click.option(
    "--json",
    "objects",
    type=Writable(dir_okay=False),
    help="Add a line for each file, an object with its course second by second.",
)
@click.option(
    "--plot",
    "pictures",
    type=Writable(file_okay=False),
    help="Draw each file's course into this folder, as PNG.",
)
@click.option("-0", "--null", is_flag=True, help="With -: names end in NUL, as find -print0 writes them.")
@click.option("--workers", type=click.IntRange(min=1), help="Files heard side by side; default one a core.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option(
    "--quiet",
    is_flag=True,
    help="No table, notes or progress bar: only the files asked for, and what failed.",
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

    A stopped run goes on where it stopped: files that the table (or the objects) holds are heard again only
    if they, or the model, have changed since, or if their picture is asked for and missing.

    \b
    Exit status: 0 every file was predicted; 1 some were not, or a file could not be written, and the reason
    is told; 2 the command makes no sense."""
    from contextlib import closing

    from mer_app import inputs
    from mer_core import trained_model
    from mer_core.device import best_device

    asked, say = asked_names(music, null), (lambda line: None) if quiet else click.echo
    with clear_errors(), on_device(device, quiet):
        model = trained_model.named(model_name)
        model.ensemble.to(best_device())
        found = inputs.Listing(asked)
        with closing(outputs_of(table, objects, model, found.files)) as outputs:
            remaining = [path for path in found.files if not complete(path, outputs, pictures)]
            failed, notes, called = hear(remaining, model, outputs, pictures, workers, say)
    if len(remaining) < len(found.files):
        say(f"{len(found.files) - len(remaining)} of {len(found.files)} files were predicted before.")
    if called:
        say(prediction_table.meaning(model, trained_model.card_of(model_name)))
    report({} if quiet else notes, found.problems | failed)


def asked_names(music: tuple[str, ...], null: bool) -> list[str]:
    """What was named in the command, and on standard input where that is meant."""
    from mer_app import inputs

    if not music:
        raise click.UsageError(
            "which music? Give a file, a folder, a pattern, a playlist, or - for a list on standard input."
        )
    if null and "-" not in music:
        raise click.UsageError("--null is for a list on standard input: give - as well.")
    listed = inputs.of_list(sys.stdin.buffer.read(), null) if "-" in music else []
    if "-" in music and not listed:
        raise click.ClickException("the list on standard input is empty. Check the command that makes it.")
    return [*(name for name in music if name != "-"), *listed]


def outputs_of(table: Path | None, objects: Path | None, model, asked: list[Path]):
    """Where predictions go."""
    from mer_app import outputs as prediction_files

    if table and objects and os.path.realpath(table) == os.path.realpath(objects):
        raise click.UsageError("--csv and --json name one file: give each its own.")
    kinds = ((prediction_files.Table, table), (prediction_files.Objects, objects))
    return prediction_files.Outputs([kind(path, model) for kind, path in kinds if path], model, asked)


def complete(path: Path, outputs, pictures: Path | None) -> bool:
    """Whether all that is asked for is there already, made of the file as it is now."""
    return str(path) in outputs.done and not (pictures and not picture_of(path, pictures).exists())


def hear(
    remaining: list[Path], model, outputs, pictures: Path | None, workers: int | None, say
) -> tuple[dict, dict, Counter]:
    """Predict and write file after file; why some could not be predicted, what to keep in mind of others, and
    what was called.
    """
    from mer_core.predict import predict_all

    failed, notes, called = {}, {}, Counter()
    with progress_bar(total=len(remaining), desc="songs", unit="song", shown=len(remaining) > 1) as bar:
        for path, said in predict_all(remaining, model, workers):
            bar.update()
            if isinstance(said, Exception):
                failed[str(path)] = str(said)
                continue
            if pictures:
                draw(said, model, pictures)
            outputs.write(said)
            with bar.external_write_mode():
                say(
                    prediction_table.row_of(said)
                    if called
                    else f"{prediction_table.heading(model)}\n{prediction_table.row_of(said)}"
                )
            called.update(said.predicted)
            notes |= {str(path): said.notes} if said.notes else {}
    if len(remaining) == 1 and called and prediction_table.speaks_blocks(sys.stdout):
        say(prediction_table.course_of(said))
    elif called.total() > 1:
        say(prediction_table.tally(called))
    return failed, notes, called


def picture_of(path: Path, folder: Path) -> Path:
    """Where a song is drawn: named after the file and, so that two of one name do not collide, its folder."""
    import hashlib

    mark = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:6]  # noqa: PTH100 -- links are songs of their own
    stem = "".join(c if c.isalnum() or c in " -_." else "_" for c in path.stem)[:80]
    return folder / f"{stem}-{mark}.png"


def draw(emotion, model, folder: Path) -> None:
    """A song's course as a picture."""
    from mer_companion.analysis import figures

    with atomic_write(picture_of(emotion.path, folder)) as fresh:
        drawn = figures.emotion_course(emotion.timeline, model.classes, printable(emotion.path.name))
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of letters that the font lacks
            drawn.savefig(fresh, dpi=150, format="png")


def report(notes: dict[str, tuple[str, ...]], failed: dict[str, str]) -> None:
    """What to keep in mind of files, and which failed, why; exit status 1 if any did."""
    for path, sentences in notes.items():
        for sentence in sentences:
            click.echo(f"Note: {printable(path)}: {sentence}", err=True)
    if failed:
        click.secho(f"{len(failed)} could not be predicted:", fg="red", err=True)
        for reason in failed.values():
            click.echo(f"  {printable(reason)}", err=True)
        sys.exit(1)


@click.command()
@click.argument("music")
@click.option(
    "--out", required=True, type=Writable(".safetensors", "mer_core trained model", dir_okay=False),
    help="The model's file, *.safetensors; its card, *.md, will lie beside it.",
)  # fmt: skip
@recipe
def train(music, out, method, preset, settings, seeds, workers, device, quiet, skip_unreadable):
    """Train a model on your labelled music: a folder for each label, or a CSV file.

    \b
    mer train path/to/my_music --out my_model.safetensors
    mer train labels.csv --out my_model.safetensors --method self_learning --set training.epochs=60
    mer predict --model my_model.safetensors song.mp3
    """
    from mer_app import model_card
    from mer_app import train as own_music
    from mer_core import trained_model

    card = not_lost(out.with_suffix(".md"), b"# Model card")
    with clear_errors(), on_device(device, quiet):
        runs = asked_runs(music, method, preset, settings, seeds, skip_unreadable)
        with (
            executor_of(workers, None, len(runs)) as executor,
            progress_bar(total=len(runs), desc="networks", unit="network") as bar,
        ):
            model = own_music.train(runs, preset, executor, bar.update)
        trained_model.save(model, out)
        with atomic_write(card) as fresh:
            fresh.write_text(model_card.written(model), encoding="utf-8")
    click.echo(
        f"{printable(out)}: {len(model.ensemble.members)} networks, {', '.join(model.classes)}; what to know: {card}"
    )
    if model.card["out_of_fold"] is None:
        click.echo(
            "How good it is, nobody knows yet, and its probabilities are not calibrated: mer evaluate, then train again."
        )


@click.command()
@click.argument("music")
@click.option(
    "--model", "model_name", help="Score this trained model instead, on music that it has not heard."
)
@click.option(
    "--json", "out", type=Writable(".json", '"by_class"', dir_okay=False), help="Also write all figures to this file."
)  # fmt: skip
@recipe
@click.pass_context
def evaluate(
    context, music, model_name, out, method, preset, settings, seeds, workers, device, quiet, skip_unreadable
):
    """How well your labels can be heard: every song is called by networks that heard neither it nor its
    group.

    MUSIC is a folder for each label, or a CSV file with the columns path and label (or tags); a column group
    keeps songs of one artist together. Finished networks are kept: started again it goes on, and the second
    time it only shows.

    \b
    mer evaluate path/to/my_music
    mer evaluate labels.csv --method self_learning --set folds.n=3
    mer evaluate path/to/my_music --model quadrants
    """
    import json

    from mer_app import train as own_music
    from mer_core import datasets, trained_model

    if model_name and (
        given := [
            name for name in OF_TRAINING if context.get_parameter_source(name) is not ParameterSource.DEFAULT
        ]
    ):
        names = ", ".join({"settings": "--set", "seeds": "--seed"}.get(name, f"--{name}") for name in given)
        raise click.UsageError(
            f"{names}: how networks are trained; --model brings its own. Leave out one or the other."
        )
    with clear_errors(), on_device(device, quiet):
        if model_name:
            model, tracks = (
                trained_model.named(model_name),
                datasets.load(music, skip_unreadable=skip_unreadable),
            )
            if n := own_music.known_songs(model, tracks):
                click.echo(
                    f"Note: the model was trained on {n} of these {len(tracks)} songs; the figures flatter it.",
                    err=True,
                )
            known, failed = own_music.scored_model(model, tracks, workers)
        else:
            records, tracks = recorded(
                asked_runs(music, method, preset, settings, seeds, skip_unreadable), preset, workers
            )
            known, failed = own_music.out_of_fold(records, tracks).summary(), {}
    if out:
        with clear_errors(), atomic_write(out) as fresh:
            fresh.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    for line in figures_of(
        known, "artists or other groups" if len(set(tracks.groups)) < len(tracks) else "songs"
    ):
        click.echo(printable(line))
    for path, reason in (tracks.skipped | failed).items():
        click.echo(f"left out: {printable(reason or path)}", err=True)
    sys.exit(1 if failed else 0)


def recorded(runs, preset, workers):
    """The records of these runs, made where they are missing, and their music."""
    from mer_app import train as own_music
    from mer_companion.runs import cross_validation

    with executor_of(workers, None, cross_validation.count(runs)) as executor:
        records = own_music.evaluate(runs, preset, executor)
    return records, cross_validation.load_frames(runs[0]).tracks


def figures_of(known: dict, groups: str):
    """Lines of a table: scores with their intervals, beside an answer that ignores the music, and by label."""
    from mer_app.model_card import spoken

    yield f"{known['n']} songs; 95 % intervals over {groups}"
    for about, found in (
        ("", known),
        *((f"{name}, ", known[name]) for name in ("valence", "arousal") if name in known),
    ):
        for name, score in found["scores"].items():
            blind = f"   ignoring the music: {spoken(found['trivial'][name])}" if "trivial" in found else ""
            yield f"  {about + name.replace('_', ' '):<22} {spoken(score)}{blind}"
    for when in ("before", "after"):
        if found := known.get("calibration", {}).get(when):
            yield f"  {'calibration error, ' + when:<26} {spoken(found['calibration_error'])}"
    for label, own in known["by_class"].items():
        yield f"  {label:<22} " + ", ".join(
            f"{name.replace('_', ' ')} {spoken(score)}" for name, score in own.items()
        )
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
    "--csv", "table", type=Writable(".csv", "clean_probability", dir_okay=False), help="Write all songs to this table."
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many songs to show."
)
@recipe
def label_check(
    music, page, table, top, method, preset, settings, seeds, workers, device, quiet, skip_unreadable
):
    """Which of your songs look mislabelled, and where in them: a clean probability from networks that had not
    heard them.

    The lower it is, the less the label fits what others taught the networks. That finds slips, and songs that
    are hard: listen before you change a label.

    \b
    mer label-check path/to/my_music
    mer label-check labels.csv --html doubtful.html --top 50
    """
    from mer_app import label_check_page
    from mer_app import train as own_music

    with clear_errors(), on_device(device, quiet):
        runs = own_music.with_labels(asked_runs(music, method, preset, settings, seeds, skip_unreadable))
        records, tracks = recorded(runs, preset, workers)
        songs, windows = own_music.doubtful(records, tracks)
    width = prediction_table.name_width()
    click.secho(
        f"{'song':<{width}} {'label':<10} {'clean':>5}  {'sounds like':<12} {'p':>5}  doubtful from (s)",
        bold=True,
    )
    for song in songs.head(top).itertuples():
        name = prediction_table.fitted(song.track_id, width)
        called = printable(song.called)
        click.echo(f"{name} {printable(song.label):<10} {song.clean_probability:>5.2f}  {called:<12} "
                   f"{song.p_called:>5.2f}  {song.seconds}")  # fmt: skip
    if table:
        with clear_errors(), atomic_write(table) as fresh:
            songs.to_csv(fresh, index=False, errors="surrogateescape")
    if page:
        with clear_errors(), atomic_write(page) as fresh:
            fresh.write_text(label_check_page.written(songs.head(top), windows, page), encoding="utf-8")
        click.echo(f"To listen: open {printable(page)}")


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
    for path, mark in (
        {out: MARKS["model.onnx"]} if alone else {out / n: m for n, m in MARKS.items()}
    ).items():
        not_lost(path, mark)
    with clear_errors():
        model = trained_model.named(model_name)
        written = to_onnx(model, out) if alone else to_folder(model, out)
    click.echo(f"{printable(written)}: {', '.join(model.classes)}")


COMMANDS = (predict, train, evaluate, label_check, export)
