import io
import os
import pty
import subprocess
import sys
import termios
import threading

import click
import pytest
from click.testing import CliRunner
from conftest import tone, untrained, write, write_text

from mer_app import main, options, workers
from mer_core import RequestError, device, paths, progress, trained_model


def mer(*words):
    return CliRunner().invoke(main.main, words)


def on_terminal(monkeypatch, *words) -> str:
    """What a command shows on a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    shown = io.BytesIO()

    def listen():
        try:
            while piece := os.read(ours, 4096):
                shown.write(piece)
        except OSError:  # how Linux says that the terminal was closed
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    with monkeypatch.context() as patch, os.fdopen(theirs, "w") as terminal:
        patch.setattr(sys, "stdout", terminal)
        patch.setattr(sys, "stderr", terminal)
        try:
            main.main(words, standalone_mode=False)
        except SystemExit as end:
            assert not end.code
    listener.join()
    return shown.getvalue().decode()


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell") / "music"
    for i in range(3):
        write(folder / "low" / f"{i}.wav", tone(150 + 10 * i, 4, 0.02))
        write(folder / "high" / f"{i}.wav", tone(2000 + 300 * i, 4, 0.9))
    return folder


RECIPE = ("--set", "folds.n=2", "--set", "folds.by=song", "--set", "training.epochs=2", "--workers", "1")


def test_quiet_commands_show_no_bar_on_a_terminal(music, tmp_path, monkeypatch):
    trained_model.save(untrained(), tmp_path / "m.safetensors")
    predict = ("predict", "--model", str(tmp_path / "m.safetensors"), str(music / "low"))
    assert "songs: 100%|" in on_terminal(monkeypatch, *predict)
    assert on_terminal(monkeypatch, *predict, "--quiet", "--csv", str(tmp_path / "table.csv")) == ""
    quiet = on_terminal(monkeypatch, "evaluate", str(music), *RECIPE, "--seed", "0", "--quiet")
    assert quiet.startswith("6 songs") and "%|" not in quiet
    assert "inherit: 100%|" in on_terminal(monkeypatch, "evaluate", str(music), *RECIPE, "--seed", "1")


def test_a_bar_asks_whether_it_is_wanted_when_it_is_made(monkeypatch):
    monkeypatch.setattr(sys, "stderr", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    for quiet, hidden in (("1", True), ("", False)):
        monkeypatch.setenv(progress.QUIET, quiet)
        with progress.progress_bar(total=1) as bar:
            assert bool(bar.disable) is hidden
    assert progress.progress_bar(total=1, shown=False).disable


NONSENSE = {
    "folds.n=1": "folds.n=1: at least two folds",
    "network.architecture=vgg99": "network.architecture=vgg99: unknown architecture 'vgg99'",
    "network.architecture=5": "network.architecture=5: unknown architecture '5'",
    "folds.n=[3": "--set folds.n=[3: the value is not YAML",
    "training.epochs=abc": "training.epochs='abc': wanted is a whole number",
    "training.epochs=2.5": "wanted is a whole number",
    "training.epochs=true": "wanted is a whole number",
    "training.epochs=0": "epochs and batch_size are at least 1",
    "training.batch_size=-1": "epochs and batch_size are at least 1",
    "training.learning_rate=-1e-3": "must not be negative",
    "training.learning_rate=.nan": "wanted is a number",
    "training=3": "training=3: wanted is one of its own settings, training.epochs",
    "training.rate=3": "no setting 'training.rate'; there are training.epochs",
    "window_s.n=3": "no setting 'window_s.n'",
    "folds.tested=few": "wanted is a whole number or null",
    "unlabelled=4q": "unlabelled='4q': wanted is a list, each text",
    "repeat_short=3": "wanted is true or false",
    "window_s=0": "window_s=0: window_s is a length in seconds",
    "window_s=-3": "of at least one frame",
    "features.hop_samples=0": "hop_samples",
    "method.mixup_alpha=-1": "mixup_alpha and gain_db are not negative",
    "noise.rate=0.2": "noise.rate=0.2: the rate is a share",
    "training.epochs": "--set is NAME=VALUE",
    "seed=3": "give --seed instead",
    "dataset=4q": "give MUSIC instead",
}


@pytest.mark.parametrize("setting", NONSENSE)
def test_a_setting_that_makes_no_sense_is_refused_before_any_music_is_read(setting, music, monkeypatch):
    monkeypatch.setattr("mer_core.datasets.load", None)
    of_whole_networks = ["--from-scratch"] if "architecture" in setting else []
    answer = mer("evaluate", str(music), "--set", setting, *of_whole_networks)
    assert answer.exit_code == 2 and NONSENSE[setting] in answer.output, answer.output
    if "MUSIC" not in NONSENSE[setting]:
        answer = mer("run", "segments_to_songs", "--set", setting)
        assert answer.exit_code == 2, answer.output


def test_settings_of_networks_from_scratch_name_the_option(music, monkeypatch):
    monkeypatch.setattr("mer_core.datasets.load", None)
    answer = mer("evaluate", str(music), "--set", "network.architecture=vgg16")
    assert answer.exit_code == 2 and answer.output.strip().endswith("With --from-scratch there is.")


def test_settings_are_taken_together_and_small_numbers_as_people_write_them():
    from mer_companion.runs.overrides import changed
    from mer_companion.runs.settings import Run

    run = changed(
        Run(),
        dict(
            map(options.setting_of, ("noise.kind=symmetric", "noise.rate=1", "training.learning_rate=1e-3"))
        ),
    )
    assert (run.noise.rate, run.training.learning_rate) == (1, 0.001)
    assert (
        changed(
            Run(), dict(map(options.setting_of, ("training.epochs=2", "method.warmup_epochs=1")))
        ).training.epochs
        == 2
    )


@pytest.mark.parametrize(
    "name", ["#9 Dream.mp3", "Track #1.mp3", "[live] x.mp3", "007", "null", "1e5", "a: b"]
)
def test_text_is_taken_as_text_where_the_setting_is_text(name, tmp_path):
    from mer_companion.book import notebooks
    from mer_companion.runs.overrides import changed
    from mer_companion.runs.settings import Run

    given = dict([options.setting_of(f"song={name}"), options.setting_of("n=3")])
    write_text(tmp_path / "a.py", '# %% tags=["parameters"]\nsong = "MT01"\nn = 2\n')
    assert notebooks.fitting(tmp_path / "a.py", given) == {"song": name, "n": 3}
    assert changed(Run(), dict([options.setting_of(f"dataset={name}")])).dataset == name
    assert changed(Run(), dict([options.setting_of("unlabelled=[007, b]")])).unlabelled == ("007", "b")


LONG = "x" * 300 + ".wav"


@pytest.mark.parametrize(
    "command", [["data", LONG], ["evaluate", LONG], ["features", LONG], ["train", LONG, "--out", LONG]]
)
def test_an_error_of_the_system_is_a_sentence(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = mer(*command)
    assert answer.exit_code == 1 and isinstance(answer.exception, SystemExit), answer.exception
    assert "File name too long" in answer.output and answer.output.endswith("room there.\n")


def test_a_name_that_is_too_long_does_not_end_a_batch(music, tmp_path, monkeypatch):
    model = trained_model.save(untrained(), tmp_path / "m.safetensors")
    (song,) = list(music.rglob("*.wav"))[:1]
    answer = mer("predict", LONG, str(song), "--model", str(model))
    assert answer.exit_code == 1 and "1 could not be predicted" in answer.output
    assert f"{LONG}: cannot be read (File name too long). Change its permissions, or copy it" in answer.output


def test_a_sound_is_no_list_of_names(tmp_path):
    answer = CliRunner().invoke(
        main.main, ["predict", "-"], input=write(tmp_path / "a.wav", tone(300, 1)).read_bytes()
    )
    assert (
        answer.exit_code == 1 and "is no list of names, one a line. Give a sound as a file" in answer.output
    )


def test_letters_that_standard_output_lacks_are_escaped(tmp_path):
    model, song = trained_model.save(untrained(), tmp_path / "m.safetensors"), tmp_path / "日.wav"
    write(song, tone(300, 1))
    answer = CliRunner(charset="latin-1").invoke(main.main, ["predict", str(song), "--model", str(model)])
    assert answer.exit_code == 0 and b"\\u65e5.wav" in answer.stdout_bytes


@pytest.mark.parametrize("where, status", [(">&-", 0), (">/dev/full", 1)])
def test_a_standard_output_that_takes_no_text_ends_in_a_sentence(where, status, tmp_path):
    model, song = trained_model.save(untrained(), tmp_path / "m.safetensors"), tmp_path / "a.wav"
    write(song, tone(300, 1))
    words = [sys.executable, "-c", "from mer_app.main import main; main()", "predict", song, "--model", model]
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    shell = ["sh", "-c", f'"$@" {where}', "", *words]
    run = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == status and "Traceback" not in run.stderr, run.stderr
    assert status == 0 or "Error: standard output: No space left on device." in run.stderr


def test_a_trained_model_is_scored_as_it_is_and_takes_no_recipe(music):
    answer = mer("evaluate", str(music), "--model", "quadrants", "--seed", "1", "--set", "folds.n=3")
    assert answer.exit_code == 2 and "--set, --seed: how networks are trained" in answer.output


@pytest.mark.parametrize("seeds", [("1", "1"), ("-1",)])
def test_a_seed_counts_once(seeds, music):
    words = [word for seed in seeds for word in ("--seed", seed)]
    assert (
        mer("evaluate", str(music), *words).exit_code
        == mer("run", "segments_to_songs", *words).exit_code
        == 2
    )


@pytest.mark.parametrize("device", ["foo", "cuda:99", "mps:7", "cpu:1x"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device, music, monkeypatch):
    monkeypatch.setattr("mer_core.datasets.load", None)
    answer = mer("evaluate", str(music), "--device", device)
    assert answer.exit_code == 2 and f"no device '{device}' here; there are auto, cpu" in answer.output
    assert mer("predict", str(music), "--device", device).exit_code == 2


def test_the_device_is_that_of_the_command_only(monkeypatch):
    monkeypatch.delenv(device.DEVICE, raising=False)
    monkeypatch.delenv(progress.QUIET, raising=False)
    with workers.on_device("cpu", quiet=True):
        assert device.best_device().type == "cpu" and os.environ[progress.QUIET]
    with pytest.raises(RequestError), workers.on_device("cuda:99", quiet=True):
        pass
    assert not {device.DEVICE, progress.QUIET} & set(os.environ)


def test_the_chosen_device_says_how_many_networks_are_trained_side_by_side(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(device, "cores", lambda: 4)
    sizes = {}
    for name in ("cpu", "cuda", "auto"):
        with workers.on_device(name, quiet=False), workers.executor_of(None) as executor:
            sizes[name] = executor and executor._inner._max_workers
    assert sizes == {"cpu": 4, "cuda": None, "auto": None}


def test_what_cannot_be_written_is_refused_before_any_work(music, tmp_path, monkeypatch):
    monkeypatch.setattr("mer_core.datasets.load", None)
    monkeypatch.setattr("mer_core.trained_model.named", None)
    (tmp_path / "taken").write_text("a file")
    for place in (tmp_path / "taken" / "x.out", tmp_path / "taken" / "deep" / "x.out", tmp_path):
        for command, option in (
            ("evaluate", "--json"),
            ("label-check", "--html"),
            ("label-check", "--csv"),
            ("train", "--out"),
        ):
            answer = mer(command, str(music), option, str(place))
            assert answer.exit_code == 2 and f"Invalid value for '{option}'" in answer.output, answer.output
    assert mer("export", "quadrants", str(tmp_path / "taken" / "m.onnx")).exit_code == 2
    assert mer("predict", str(music), "--plot", str(tmp_path / "taken")).exit_code == 2


def test_what_can_be_made_can_be_written(tmp_path):
    (tmp_path / "old").write_text("")
    for name in ("old", "new", "folder/that/is/new", "/dev/null"):
        assert options.Writable().convert(str(tmp_path / name), None, None) == tmp_path / name
    assert not (tmp_path / "folder").exists()
    with pytest.raises(click.BadParameter):
        options.Writable(file_okay=False).convert(str(tmp_path / "old"), None, None)


def test_files_that_are_not_ours_stay(tmp_path, music):
    (song := tmp_path / "song.mp3").write_bytes(b"music")
    for suffix in ("safetensors", "md", "html", "csv", "json", "onnx"):
        (tmp_path / f"mine.{suffix}").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "README.md").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("mine.*")}
    for command in (
        ("train", str(music), "--out", str(song)),
        ("train", str(music), "--out", str(tmp_path / "mine.safetensors")),
        ("label-check", str(music), "--html", str(tmp_path / "mine.html")),
        ("label-check", str(music), "--csv", str(tmp_path / "mine.csv")),
        ("evaluate", str(music), "--json", str(tmp_path / "mine.json")),
        ("export", "quadrants", str(tmp_path / "mine.onnx")),
        ("export", "quadrants", str(tmp_path / "full")),
    ):
        answer = mer(*command)
        assert answer.exit_code == 2 and (
            "would be lost" in answer.output or "does not end in" in answer.output
        ), answer.output
    (tmp_path / "mine.safetensors").unlink()  # its card is still somebody else's
    answer = mer("train", str(music), "--out", str(tmp_path / "mine.safetensors"))
    assert answer.exit_code == 2 and "mine.md holds something else" in answer.output
    assert (
        all(path.read_bytes() == content for path, content in before.items() if path.exists())
        and song.read_bytes() == b"music"
    )


def test_a_stopped_command_says_so_and_ends_as_shells_expect(music, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mer_core.datasets.load", stopped)
    answer = mer("evaluate", str(music))
    assert answer.exit_code == 130 and "goes on from there" in answer.output


def test_no_colours_where_they_are_not_wanted(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    answer = CliRunner().invoke(main.main, ["predict", "gone.mp3"], color=True)
    assert "could not be predicted" in answer.output and "\x1b" not in answer.output
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b" in CliRunner().invoke(main.main, ["predict", "gone.mp3"], color=True).output
