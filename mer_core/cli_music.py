"""The commands for your own music: ``mer predict | train | evaluate | label-check``."""

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
