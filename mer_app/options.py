"""What commands share: options, errors in one line, settings, words that are looked up only when needed."""

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from mer_app.text import printable
from mer_core import RequestError, UserError, paths
from mer_core.files import is_stream
from mer_core.processes import ended_in_order

SIZES = {
    "smoke": "smoke, a few steps, to see that all works",
    "cpu": "cpu, as in the tracked records, for a few cores",
    "paper": "paper, as printed, for a GPU",
}
PRESETS = ("smoke", "cpu", "paper")  # the keys of `experiments.presets.SSSL`, which would load torch


class OneOf(click.ParamType):
    """One of some words that are looked up only when a command runs, so that help need not wait for torch."""

    name = "word"

    def __init__(self, words: Callable[[], list[str]]):
        self.words = words

    def convert(self, value, param, ctx):
        if value not in (known := self.words()):
            self.fail(f"{value!r} is not one of {', '.join(known)}.", param, ctx)
        return value

    def shell_complete(self, ctx, param, incomplete):
        return [CompletionItem(word) for word in self.words() if word.startswith(incomplete)]


class Writable(click.Path):
    """A file or folder to write: one that cannot be written is refused before any work, not after it.

    Parameters
    ----------
    suffix : what its name must end in
    mark : text that stands in what we wrote there before; a file without it is somebody else's and stays
    """

    def __init__(self, suffix: str = "", mark: str = "", **kinds):
        super().__init__(writable=True, path_type=Path, **kinds)
        self.suffix, self.mark = suffix, mark.encode()

    def convert(self, value, param, ctx):
        path = super().convert(value, param, ctx)
        if not path.name.endswith(self.suffix) and not is_stream(path):
            self.fail(f"{printable(path)} does not end in {self.suffix}.", param, ctx)
        if self.mark:
            not_lost(path, self.mark)
        there = next(one for one in (path, *path.absolute().parents) if os.access(one, os.F_OK))
        if there != path and not (there.is_dir() and os.access(there, os.W_OK)):
            reason = f"nothing can be made in {printable(there)}"
            self.fail(f"{printable(path)} cannot be written: {reason}. Choose another place.", param, ctx)
        return path


def not_lost(path: Path, mark: bytes) -> Path:
    """A file that may be written: it is not there, is empty, or has the mark of what we write; others' files
    stay.
    """
    if path.is_file() and (there := path.read_bytes()) and mark not in there:
        raise click.UsageError(
            f"{printable(path)} holds something else, which would be lost. Choose another name."
        )
    return path


def distinct(ctx, param, values: tuple) -> tuple:
    """Refuse an option that was given twice with one value: a network counted twice is no second one."""
    if len(set(values)) < len(values):
        raise click.BadParameter("the same one is given twice.")
    return values


def preset_option(default: str, presets: tuple[str, ...] = PRESETS, **described):
    choice = click.Choice(presets)
    sizes = "How much is computed: " + "; ".join(SIZES[preset] for preset in presets) + "."
    described["help"] = " ".join(filter(None, (described.get("help"), sizes)))
    return click.option("--preset", type=choice, default=default, show_default=True, **described)


def seeds_option(**described):
    kind = click.IntRange(min=0)
    return click.option("--seed", "seeds", type=kind, multiple=True, callback=distinct, **described)


def workers_option(help: str = "Networks trained side by side; default one a core."):
    return click.option("--workers", type=click.IntRange(min=1), help=help)


def engine_options(command):
    """--workers, --scheduler and --slurm: where jobs run (`workers.executor_of`)."""
    slurm = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--slurm", type=slurm, metavar="CONFIG", help="YAML file of Slurm jobs to work in."),
        click.option("--scheduler", metavar="ADDRESS", help="Of a dask scheduler whose workers do the work."),
        workers_option("Processes of this machine; default one a core or GPU, which they share evenly."),
    ):
        command = option(command)
    return command


settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another value of a setting, as training.epochs=60 or folds.n=3; may be repeated. The answer to an "
    "unknown name lists those there are.",
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress bars.")
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."
)
skip_option = click.option(
    "--skip-unreadable", is_flag=True, help="Leave out files that cannot be read, and list them."
)


@contextmanager
def clear_errors():
    """Turn an error that the user can mend, or of the system, into one readable line and exit status 1, or 2
    for what makes no sense at all.

    Ctrl-C ends with exit status 130, as shells have it.
    """
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Stopped. What is finished is kept: the same command goes on from there.", err=True)
        raise SystemExit(130) from None
    except BrokenPipeError:  # click ends as others do whose reader has gone
        raise
    except OSError as error:
        place = printable(error.filename or "standard output")
        remedy = "Check its name, its permissions and the room there."
        raise click.ClickException(f"{place}: {error.strerror or error}. {remedy}") from None
    except UserError as error:
        kind = click.UsageError if isinstance(error, RequestError) else click.ClickException
        raise kind("\n".join(map(printable, str(error).split("\n")))) from None


class Commands(click.Group):
    """Commands whose errors are sentences, and whose letters are escaped where their place lacks them."""

    def invoke(self, ctx):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it may be closed
                stream.reconfigure(errors="backslashreplace")
        if paths.IS_TEMPORARY:
            said = f"no other place can be written, so what is computed is kept in {paths.CACHE} only"
            click.echo(f"Note: {said}. Choose a place: MER_CACHE=path/to/folder", err=True)
        with ended_in_order(), clear_errors():
            return super().invoke(ctx)


def setting_of(text: str) -> tuple[str, str]:
    """A setting such as folds.n=3 as a name and the text of its value."""
    from mer_companion.runs.overrides import Text

    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set is NAME=VALUE, for instance folds.n=3; got {text!r}")
    return name, Text(value)


def changes_of(settings: tuple[str, ...], skip_unreadable: bool, **instead: str) -> dict:
    """Settings as --set gives them, by dotted name; `instead` says what to use for those that have a place of
    their own.
    """
    changes = dict(setting_of(text) for text in settings)
    if taken := [name for name in instead if name in changes]:
        raise click.UsageError(
            f"--set {taken[0]}=... is not for this command: give {instead[taken[0]]} instead."
        )
    return changes | ({"skip_unreadable": True} if skip_unreadable else {})
