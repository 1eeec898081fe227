"""Commands on the tracked records as files: ``mer records compact | import``, and ``mer verify``."""

import sys
from pathlib import Path

import click

from mer_app.options import Commands, OneOf, clear_errors
from mer_app.text import printable


def experiment_names() -> list[str]:
    from mer_companion.experiments import EXPERIMENTS

    return list(EXPERIMENTS)


@click.group(cls=Commands)
def records():
    """The tracked records as files: all in one form, those of other machines among them.

    \b
    mer records compact
    mer records import path/to/results
    """


@records.command()
def compact():
    """Bring records of an older form into today's, without changing a number, and renew the manifest.

    Repeat it after every merge: what is in today's form is left alone.

    \b
    mer records compact
    """
    from mer_companion import record_files

    with clear_errors():
        done = record_files.compact()
    before, after = (n / 1e6 for n in (done.bytes_before, done.bytes_after))
    click.echo(f"{done.rewritten} rewritten, {done.removed} arrays that no record names removed")
    click.echo(f"{before:.1f} MB before, {after:.1f} MB now; {record_files.manifest_path()}")


@records.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def bring_in(folder: Path):
    """Take records that were made elsewhere: FOLDER is data/results of another copy, or a part of it.

    Each is checked against its digests before it is taken. Records that are here already are counted. Where
    ours of the same run says something else, it stays, and that is told. Exit status 1 for those and for
    damaged ones.

    \b
    mer records import path/to/results
    """
    from mer_companion import record_files

    with clear_errors():
        found = record_files.bring_in(folder)
    click.echo(f"{len(found.new)} new, {len(found.same)} here already")
    for what, lines in (("OTHER", found.other), ("REFUSED", found.refused)):
        for line in lines:
            click.echo(printable(f"{what} {line}"))
    for command in found.to_compare:
        click.echo(f"now compare them: {command}")
    sys.exit(1 if found.other or found.refused else 0)


@click.command()
@click.option(
    "--rerun",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Also train so many recorded folds again, drawn at random.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="EXPERIMENT",
    type=OneOf(experiment_names),
    help="Only this experiment's numbers again (all take many minutes); digests are checked of all.",
)
def verify(rerun: int, only: tuple[str, ...]):
    """Check that the tracked records can be believed; exit status 1 where one was changed or does not fit.

    Every digest; that each record is of its run; metrics and comparisons again from predictions, where the
    data set is at hand. `mer drift` also makes the numbers of smoke again, and says by how much each moved.

    \b
    mer verify
    MER_DATA=... mer verify --only segments_to_songs --rerun 3
    """
    from mer_companion.reproduction import verification

    with clear_errors():
        faults, lines = verification.verify(rerun, only)
    click.echo("\n".join(lines))
    for fault in faults:
        click.echo(printable(f"FAULT {fault.source}: {fault.reason}"))
    sys.exit(1 if faults else 0)


COMMANDS = (records, verify)
