"""Commands on the tracked records as files: ``mer records compact``."""

import click

from mer_app.options import Commands, clear_errors


@click.group(cls=Commands)
def records():
    """The tracked records as files: all in one form.

    \b
    mer records compact
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


COMMANDS = (records,)
