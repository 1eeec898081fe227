"""From a table of songs to a trained model, as the README shows it."""

import re
import shutil

import pytest
import soundfile

import mer_core
from mer_core import UserError, methods, paths, pipeline
from mer_core.audio.features import LogMel
from mer_core.models import Network
from mer_core.predict import predict
from mer_core.training import Training

SMALL = Network("vgg_slim"), LogMel(n_mels=16, pool_frames=8), Training(epochs=2, batch_size=16, stride=3)


def test_readme_lines_train_on_a_table_and_predict(corpus, tmp_path, monkeypatch, capsys):
    block = re.search(r"## From Python.*?```python\n(.*?)```", (paths.ROOT / "README.md").read_text(), re.S)[
        1
    ]
    assert len([line for line in block.splitlines() if line]) <= 10 and block.count("epochs=30") == 1
    monkeypatch.chdir(tmp_path)
    table = corpus.table[["path", "label", "group"]].assign(path=[p.name for p in corpus.table["path"]])
    for path in corpus.table["path"]:
        shutil.copy(path, tmp_path)
    table.to_csv("songs.csv", index=False)
    soundfile.write("new_song.mp3", *soundfile.read(corpus.table["path"].iloc[0]))
    names = {}
    exec(block.replace("warmup_epochs=5", "warmup_epochs=1").replace("epochs=30", "epochs=2"), names)
    assert names["model"].classes == corpus.classes and names["model"].card["method"] == "self_learning"
    assert capsys.readouterr().out.startswith("new_song.mp3: Q")
    again = mer_core.load_model(tmp_path / "my_model.safetensors")
    assert again.digest == names["model"].digest
    assert (
        predict("new_song.mp3", again).probabilities == predict("new_song.mp3", names["model"]).probabilities
    )


@pytest.mark.parametrize("method", ["inherit", "co_teaching"])
def test_train_keeps_every_network_of_a_method(corpus, method):
    log = []
    model = pipeline.train(corpus, methods.METHODS[method].Settings(), *SMALL, on_epoch=log.append)
    assert len(model.ensemble.members) == model.ensemble.together == (2 if method == "co_teaching" else 1)
    assert [row["epoch"] for row in log] == [0, 1]


def test_train_refuses_methods_without_a_network_for_windows(corpus):
    with pytest.raises(UserError, match="choose another"):
        pipeline.train(corpus, methods.two_stage.Settings(), *SMALL)


def test_every_exported_name_is_there():
    assert all(getattr(mer_core, name) is not None for name in mer_core.EXPORTS)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mer_core.nothing  # noqa: B018
