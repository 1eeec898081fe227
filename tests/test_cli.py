import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import RATE, tone, write

from mer_app import main, options
from mer_core import trained_model


def mer(*words):
    return CliRunner().invoke(main.main, [str(word) for word in words])


def test_help_tells_a_newcomer_what_to_do_first():
    answer = mer("--help")
    assert (
        answer.exit_code == 0 and "First three things to do" in answer.output and "mer book" in answer.output
    )


def test_every_command_shows_how_it_is_typed():
    for name in main.main.commands:
        answer = mer(name, "--help")
        assert answer.exit_code == 0 and f"  mer {name}" in answer.output


def test_help_is_there_at_once():
    """No torch, pandas or librosa: the command line itself takes a fraction of the time that they take to
    load.
    """
    code = (
        "import sys; from mer_app import main; main.main(['--help'], standalone_mode=False)\n"
        "print({'torch', 'pandas', 'numpy', 'librosa', 'sklearn'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.endswith("set()\n")


def test_words_are_completed_and_known_when_a_command_runs():
    from mer_companion.experiments.presets import SSSL

    assert set(options.PRESETS) == set(SSSL)
    words = options.OneOf(main.experiment_names)
    assert [item.value for item in words.shell_complete(None, None, "known_")] == ["known_noise"]
    answer = mer("run", "nonsense")
    assert answer.exit_code == 2 and "'nonsense' is not one of all, segments_to_songs" in answer.output


def test_data_checks_a_data_set_against_its_card():
    answer = mer("data", "synthetic")
    assert answer.exit_code == 0 and "48 tracks" in answer.output and "WRONG" not in answer.output


def test_errors_are_one_readable_line(tmp_path):
    answer = mer("data", "nowhere")
    assert (
        answer.exit_code == 1
        and answer.output.startswith("Error: 'nowhere' is neither")
        and "Traceback" not in answer.output
    )


def test_your_own_music_from_folder_to_frames(tmp_path):
    for i in range(4):
        write(tmp_path / "music" / ("happy", "sad")[i % 2] / f"{i}.wav", tone(200 + i, 1.0))
    write(tmp_path / "music" / "sad" / "broken.wav", tone(200, 1.0)).write_bytes(b"")
    assert "broken.wav: the file is empty" in mer("data", str(tmp_path / "music")).output
    answer = mer("features", str(tmp_path / "music"), "--skip-unreadable")
    assert answer.exit_code == 0 and "4 tracks, " in answer.output and "broken.wav" in answer.output


def test_an_unknown_run_is_refused_with_the_known_ones():
    answer = mer("run", "segments_to_songs", "--only", "sssl")
    assert answer.exit_code == 2 and "['inherit', 'self_learning']" in answer.output


@pytest.mark.parametrize("shard, expected", [("1/2", [0, 2, 4]), ("2/2", [1, 3]), (None, [0, 1, 2, 3, 4])])
def test_shards_share_the_jobs_out(shard, expected):
    assert list(range(5))[main.shard_of(shard, 5)] == expected


@pytest.mark.parametrize("shard", ["0/2", "3/2", "two"])
def test_a_shard_that_makes_no_sense_is_refused(shard):
    assert mer("run", "segments_to_songs", "--shard", shard).exit_code == 2


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Ten songs of two moods, quiet hum and loud noise, and one with the wrong label."""
    folder = tmp_path_factory.mktemp("own") / "music"
    rng = np.random.default_rng(0)
    for i in range(5):
        write(folder / "calm" / f"hum {i}.wav", tone(150 + 10 * i, 6, 0.02))
        noise = rng.uniform(-0.9, 0.9, 6 * RATE).astype(np.float32)
        write(folder / ("calm" if i == 4 else "wild") / f"noise {i}.wav", noise)
    return folder


SHORT = ("--set=training.batch_size=8", "--set=training.epochs=2", "--seed=0", "--workers=1")
RECIPE = (*SHORT, "--set=folds.n=2", "--set=folds.by=song", "--set=training.epochs=4")


def test_own_music_is_evaluated_checked_trained_on_and_predicted(own, tmp_path):
    answer = mer("evaluate", own, "--json", tmp_path / "known.json", *RECIPE)
    assert answer.exit_code == 0 and "10 songs" in answer.output, answer.output
    assert "ignoring the music" in answer.output
    assert set(json.loads((tmp_path / "known.json").read_text())["by_class"]) == {"calm", "wild"}
    files = ("--html", tmp_path / "page.html", "--csv", tmp_path / "songs.csv")
    answer = mer("label-check", own, *files, *RECIPE)
    assert answer.exit_code == 0 and len(pd.read_csv(tmp_path / "songs.csv")) == 10, answer.output
    page = (tmp_path / "page.html").read_text()
    assert "calm/noise%204.wav" in page and "http" not in page and page.count("<section>") == 10
    model = tmp_path / "my.safetensors"
    answer = mer("train", own, "--out", model, *RECIPE)
    assert answer.exit_code == 0 and "not known" not in answer.output, answer.output
    made = trained_model.load(model)
    assert made.classes == ("calm", "wild") and made.card["out_of_fold"]["n"] == 10
    assert made.ensemble.temperature == pytest.approx(made.card["out_of_fold"]["temperature"], abs=1e-5)
    assert "# Model card" in model.with_suffix(".md").read_text()
    answer = mer("predict", "--model", model, own / "wild" / "noise 0.wav")
    assert answer.exit_code == 0 and "valence" not in answer.output, answer.output
    answer = mer("evaluate", own, "--model", model)
    assert answer.exit_code == 0 and "trained on 10 of these 10 songs" in answer.output


def test_a_model_of_other_labels_is_refused_and_an_unevaluated_one_says_so(own, tmp_path):
    model = tmp_path / "my.safetensors"
    answer = mer("train", own, "--out", model, *RECIPE, "--seed", "5")
    assert answer.exit_code == 0 and "accuracy is not known" in answer.output
    assert len(trained_model.load(model).ensemble.members) == 2
    assert "Not known" in model.with_suffix(".md").read_text()
    answer = mer("evaluate", own, "--model", "quadrants")
    assert answer.exit_code == 1 and "does not know calm, wild" in answer.output


def test_a_method_for_whole_songs_makes_no_model(own, tmp_path):
    answer = mer("train", own, "--out", tmp_path / "m.safetensors", *RECIPE, "--method", "two_stage")
    assert answer.exit_code == 1 and "choose another" in answer.output


def test_several_tags_a_song(own, tmp_path):
    tags = {"calm/hum": "soft; low", "wild/noise": "loud;bright", "calm/noise": "loud"}
    rows = [(f"{name} {i}.wav", tags[name]) for name in ("calm/hum", "wild/noise") for i in range(4)]
    rows.append(("calm/noise 4.wav", ""))
    table = pd.DataFrame(rows, columns=["path", "tags"])
    table["part"] = ["train", "train", "validation", "test"] * 2 + ["train"]
    table.to_csv(own / "tags.csv", index=False)
    answer = mer("evaluate", own / "tags.csv", *SHORT)
    assert answer.exit_code == 0 and "pr auc" in answer.output, answer.output
    model = tmp_path / "tags.safetensors"
    answer = mer("train", own / "tags.csv", "--out", model, *SHORT)
    assert answer.exit_code == 0 and trained_model.load(model).ensemble.tagged, answer.output
    assert mer("predict", "--model", model, own / "calm").exit_code == 0
    assert "can be checked" in mer("label-check", own / "tags.csv", *SHORT).output
