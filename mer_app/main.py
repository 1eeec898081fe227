"""The command line: ``mer predict | train | evaluate | label-check | export``, and ``data | features | run |
rerun | drift | verify | records | leaderboard | book | pair``.

Nothing heavy is imported before a command runs: help is there at once.
"""

import os
from functools import partial
from pathlib import Path

import click

from mer_app import music_commands, record_commands
from mer_app.options import (
    Commands,
    OneOf,
    changes_of,
    clear_errors,
    engine_options,
    preset_option,
    quiet_option,
    seeds_option,
    setting_of,
    settings_option,
    skip_option,
    workers_option,
)
from mer_app.text import printable
from mer_app.workers import executor_of, without_bars


@click.group(cls=Commands, context_settings={"max_content_width": 110})
@click.version_option(package_name="mer-core")
@click.pass_context
def main(context):
    """Music emotion recognition: predict what music expresses, and rerun the papers about it.

    \b
    First three things to do:
      mer predict song.mp3                       which emotion a song expresses, second by second
      mer run segments_to_songs --preset smoke   a paper's experiment on music made by code, in seconds
      mer book                                   every notebook and the whole book

    \b
    Your own labelled music, a folder for each label or a CSV file:
      mer evaluate path/to/my_music              how well its labels are predicted
      mer label-check path/to/my_music           which of them look wrong
      mer train path/to/my_music --out my.safetensors

    Every command says more: mer COMMAND --help. Exit status: 0 done; 1 something could not be done, the last
    lines say what; 2 the command makes no sense; 130 stopped by Ctrl-C. Colours and progress bars appear on
    terminals only, and no colours where NO_COLOR is set.

    \b
    Completion of commands and options in the shell:
      bash   eval "$(_MER_COMPLETE=bash_source mer)"      (in ~/.bashrc)
      zsh    eval "$(_MER_COMPLETE=zsh_source mer)"       (in ~/.zshrc)
      fish   _MER_COMPLETE=fish_source mer | source       (in ~/.config/fish/config.fish)
    """
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # products are small: two threads wait for each other on a busy machine
    if os.environ.get("NO_COLOR"):
        context.color = False


@main.command()
@click.argument("name")
@skip_option
def data(name: str, skip_unreadable: bool):
    """Read a data set (or your own folder or CSV file) and check it against what a correct copy holds.

    \b
    mer data 4q
    mer data path/to/my_music
    """
    from mer_core import datasets

    with clear_errors():
        tracks = datasets.load(name, skip_unreadable=skip_unreadable)
    groups, hours = tracks.table["group"].nunique(), tracks.table["duration_s"].sum() / 3600
    counted = f"{len(tracks)} tracks, {groups} groups, {hours:.2f} hours"
    click.echo(f"{printable(tracks.name)}: {counted}; digest {tracks.digest()}")
    if tracks.rendered:
        click.echo(f"  audio rendered from MIDI with {tracks.rendered}")
    for label, count in tracks.named.value_counts().sort_index().items():
        click.echo(f"  {printable(label):<12} {count}")
    for note in tracks.notes:
        click.echo(f"  {printable(note)}")
    for path, reason in tracks.skipped.items():
        click.echo(f"  skipped {printable(path)}: {printable(reason)}")
    for ids in tracks.same_recording:
        click.echo(f"  one recording in several tracks: {printable(', '.join(ids))}")
    for names in tracks.names_of_acts():
        acts = printable("; ".join(names))
        click.echo(f"  one act under several names (folds.by=act keeps it whole): {acts}")
    wrong = 0
    for what, expected, found in datasets.check(tracks):
        wrong += expected != found
        click.echo(
            f"  {'ok   ' if expected == found else 'WRONG'} {what}: expected {expected}, found {found}"
        )
    if wrong:
        raise click.ClickException(
            f"{wrong} checks failed: this is not the data set that the records were made from."
        )


@main.command()
@click.argument("name")
@preset_option("cpu", help="Whose feature settings.")
@engine_options
@skip_option
def features(name: str, preset: str, workers, scheduler, slurm, skip_unreadable: bool):
    """Compute the spectrogram frames of a data set ahead of time (a killed run goes on where it stopped).

    Songs, and MIDI files to be rendered, are spread over the workers.

    \b
    mer features 4q
    mer features path/to/my_music --skip-unreadable
    mer features mtg_jamendo --slurm cluster.yaml
    """
    from mer_companion.experiments.presets import SSSL
    from mer_core import datasets, frames

    with clear_errors(), executor_of(workers, None, scheduler, slurm):
        tracks = datasets.load(name, skip_unreadable=skip_unreadable)
        store = frames.compute(tracks, SSSL[preset].features, skip_unreadable=skip_unreadable)
    (n, bands), hours = store.values.shape, store.duration_s.sum() / 3600
    click.echo(f"{len(store.tracks)} tracks, {n} frames of {bands} bands, {hours:.2f} hours of audio")
    for path, reason in store.tracks.skipped.items():
        click.echo(f"  skipped {printable(path)}: {printable(reason)}")


def experiment_names() -> list[str]:
    from mer_companion.experiments import EXPERIMENTS

    return ["all", *EXPERIMENTS]


@main.command()
@click.argument("experiment", type=OneOf(experiment_names))
@preset_option("smoke")
@click.option(
    "--only", multiple=True, metavar="LABEL", help="Only this run of the experiment; may be repeated."
)
@click.option("--dataset", help="Another data set's name, or the path of your own music.")
@settings_option
@seeds_option(help="Default: the experiment's own. May be repeated.")
@engine_options
@click.option("--shard", help="i/n: only every n-th run, starting at the i-th (from 1), for job arrays.")
@click.option(
    "--profile", is_flag=True, help="Keep no records, say where the time goes: from nothing, on one core."
)
@click.option(
    "--dry-run", is_flag=True, help="Only say what there is, what is missing, and what that will cost."
)
@quiet_option
@skip_option
def run(
    experiment,
    preset,
    only,
    dataset,
    settings,
    seeds,
    workers,
    scheduler,
    slurm,
    shard,
    profile,
    dry_run,
    quiet,
    skip_unreadable,
):
    """Make the records of an experiment; runs that have one are shown, killed ones go on where they stopped.

    \b
    mer run segments_to_songs --preset smoke
    mer run segments_to_songs --preset cpu
    mer run segments_to_songs --preset cpu --dataset path/to/my_music --set folds.n=3 --only inherit
    mer run all --preset cpu --dry-run
    mer run all --preset cpu
    mer run all --preset paper --slurm cluster.yaml
    mer run segments_to_songs --preset cpu --only inherit --seed 0 --profile
    """
    from mer_companion import experiments
    from mer_companion.experiments import kinds, plan
    from mer_companion.experiments.run import without_record
    from mer_companion.runs import cross_validation

    names = (
        [name for name, one in experiments.EXPERIMENTS.items() if preset in one.presets]
        if experiment == "all"
        else [experiment]
    )
    with clear_errors(), without_bars(quiet):
        changes = changes_of(settings, skip_unreadable, seed="--seed", dataset="--dataset")
        jobs = {name: experiments.jobs(name, preset, dataset, seeds or None, changes) for name in names}
        chosen = {name: chosen_of(name, pairs, only, shard) for name, pairs in jobs.items()}
        if profile:
            return profiled(chosen, preset)
        if dry_run:
            return click.echo("\n".join(plan.spoken(plan.planned(chosen, preset))))
        missing = [run for name, pairs in chosen.items() for run in without_record(name, preset, pairs)]
        with executor_of(workers, cross_validation.count(missing), scheduler, slurm) as executor:
            for name in names:
                for record in experiments.execute(name, preset, jobs[name], chosen[name], executor):
                    click.echo(kinds.of_record(record).line_of(record))


def profiled(chosen: dict[str, list], preset: str) -> None:
    """Make the runs that train networks from nothing, and say where the time went."""
    import torch

    from mer_companion.experiments import record_of
    from mer_companion.runs import profiling
    from mer_companion.runs.settings import Run

    torch.set_num_threads(1)  # as a worker has it
    for name, pairs in chosen.items():
        for label, one in pairs:
            if not isinstance(one, Run):
                click.echo(f"{name}/{label} trains no network: left out.")
                continue
            with profiling.from_nothing():
                seconds, shares = profiling.shares_of_stages(partial(record_of, one, name, preset, label))
                click.echo(f"{name}/{label}, seed {one.seed}")
                click.echo("\n".join(profiling.report(one, seconds, shares)))


def chosen_of(experiment: str, pairs: list, only: tuple[str, ...], shard: str | None) -> list:
    """The (label, run) pairs of an experiment that are requested, by their labels and by the shard."""
    known = list(dict.fromkeys(label for label, _ in pairs))
    if unknown := set(only) - set(known):
        raise click.UsageError(f"{experiment} has no run {sorted(unknown)}; it has {known}")
    requested = [pair for pair in pairs if not only or pair[0] in only]
    return requested[shard_of(shard, len(requested))]


@main.command()
@click.argument("runs", nargs=-1, metavar="[EXPERIMENT/LABEL]...")
@preset_option("cpu")
@click.option("--fold", type=int, default=0, show_default=True)
@workers_option()
def rerun(runs, preset, fold, workers):
    """Train one fold of recorded runs again and say by how much the predictions moved; by default one run of
    each method.

    \b
    mer rerun
    mer rerun segments_to_songs/self_learning --fold 3
    """
    from mer_companion.reproduction import retraining

    with clear_errors(), executor_of(workers) as executor:
        chosen = [tuple(name.split("/", 1)) for name in runs] or retraining.one_of_each_method(preset)
        if malformed := [name for name in chosen if len(name) != 2]:
            raise click.UsageError(f"a run is EXPERIMENT/LABEL, got {malformed[0][0]!r}")
        again = map if executor is None else executor.map
        for row in again(
            retraining.rerun, *zip(*chosen, strict=True), [preset] * len(chosen), [fold] * len(chosen)
        ):
            retraining.save(row, preset)
            name = f"{row['experiment']}/{row['label']}, fold {fold}"
            click.echo(f"{name}: recorded {row['recorded']:.4f}, now {row['now']:.4f}")


@main.command("drift")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0),
    default=2,
    show_default=True,
    help="For recorded folds, trained again.",
)
@click.option(
    "--accept", is_flag=True, help="Instead write the reference for smoke anew, where changes were meant."
)
def show_drift(minutes: float, accept: bool):
    """Make every number again that this machine can, and compare it with its record; exit status 1 if any
    moved too far.

    \b
    mer drift                without audio: the records, music made by code
    MER_DATA=... mer drift   also every metric from its predictions, and folds of the recorded networks
    """
    from mer_companion.reproduction import checks
    from mer_companion.reproduction import report as drift_report

    with clear_errors():
        if accept:
            return click.echo(f"{checks.accept()}: look at what changed, then commit it.")
        report = checks.check(minutes)
    click.echo("\n".join(drift_report.spoken(report)))
    if n := drift_report.total(report):
        raise click.ClickException(f"{n} numbers drifted.")


@main.command("leaderboard")
@click.argument("matrices", nargs=-1, metavar="[MATRIX]...")
@click.option(
    "--fetch", is_flag=True, help="First download the published predictions from their authors (13 MB)."
)
def show_leaderboard(matrices, fetch):
    """Score prediction matrices for MediaEval's 56 tags (.npz, .csv or .npy), and show them among the
    published ones.

    \b
    mer leaderboard --fetch
    mer leaderboard my_predictions.npz
    """
    import pandas as pd

    from mer_companion.analysis import tag_tables
    from mer_companion.results import comparison
    from mer_companion.runs import leaderboard
    from mer_companion.runs.tag_scoring import MACRO

    with clear_errors():
        for name in leaderboard.cards() if fetch else ():
            click.echo(f"{leaderboard.fetch(name)}")
        own = [
            pd.DataFrame(leaderboard.score((matrix,))).assign(label=Path(matrix).stem, against=None)
            for matrix in matrices
        ]
        compared = pd.concat([comparison("leaderboard", "cpu"), *own], ignore_index=True)
    click.echo(
        tag_tables.leaderboard(compared[compared["target"] == MACRO], leaderboard.cards()).to_markdown()
    )


def shard_of(shard: str | None, n_jobs: int) -> slice:
    """Which jobs a shard takes: 2/3 is every third one from the second on."""
    if shard is None:
        return slice(0, n_jobs)
    try:
        i, n = (int(part) for part in shard.split("/"))
    except ValueError:
        raise click.UsageError(f"--shard is i/n, for instance 1/8; got {shard!r}") from None
    if not 1 <= i <= n:
        raise click.UsageError(f"--shard i/n needs 1 <= i <= n, got {shard!r}")
    return slice(i - 1, n_jobs, n)


@main.command()
@preset_option("smoke", ("smoke", "cpu"), help="What `06_try_the_code` trains; the others show records.")
@click.option(
    "--notebook",
    multiple=True,
    metavar="NAME",
    help="Execute only these notebooks; the others' pages stay, or show no results yet.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the notebooks executed, as song=path/to/song.mp3; may be repeated. Their first cell "
    "lists them.",
)
@click.option("--no-execute", is_flag=True, help="Build the pages from notebooks executed before.")
@click.option(
    "--pdf", is_flag=True, help="Also print the whole book to one PDF, with the Chromium of this machine."
)
@quiet_option
def book(
    preset: str,
    notebook: tuple[str, ...],
    settings: tuple[str, ...],
    no_execute: bool,
    pdf: bool,
    quiet: bool,
):
    """Execute the notebooks, write the book's figures and numbers, and build it as strict offline HTML.

    \b
    mer book
    mer book --notebook 11_timelines --set song=MT0000040632
    mer book --notebook 25_your_song --set song=path/to/song.mp3
    """
    from mer_companion import folders
    from mer_companion.book import site as publishing
    from mer_core.files import locked

    with clear_errors(), locked(folders.BOOK), without_bars(quiet):
        if not no_execute:
            values = dict(setting_of(text) for text in settings)
            here = {  # notebooks run in a folder of their own
                name: type(value)(Path(value).resolve())
                for name, value in values.items()
                if os.path.isfile(value)  # noqa: PTH113 -- no error, whatever the text
            }
            publishing.execute_notebooks(preset, notebook, **values | here)
        publishing.write_generated()
        pending = publishing.pending()
        if pdf and pending:
            raise click.UsageError(f"--pdf needs all pages; not executed yet: {', '.join(pending)}")
        files = [publishing.build(strict=not pending, quiet=quiet), *([publishing.to_pdf()] if pdf else [])]
    for file in files:
        here = file.is_relative_to(Path.cwd())
        click.echo(f"The book is ready: open {file.relative_to(Path.cwd()) if here else file}")
    if pending:
        said = f"{len(pending)} of {len(publishing.listed())} pages show no results yet"
        click.echo(f"{said}, and links to them may lead nowhere: `mer book` executes all notebooks.")


@main.command()
def pair():
    """Write the text notebooks as .ipynb for plain Jupyter, Binder, Colab and JupyterHub, with today's
    numbers in their text.

    \b
    mer pair
    """
    from mer_companion.book import ipynb
    from mer_companion.book.numbers import numbers

    with clear_errors():
        written = ipynb.write(numbers())
    click.echo(f"{len(written)} notebooks in {ipynb.FOLDER}")


for command in (*music_commands.COMMANDS, *record_commands.COMMANDS):
    main.add_command(command)
