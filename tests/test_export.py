"""What leaves the package as ONNX answers as what stayed, and says what it is."""

import gzip
import json
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import soxr
import torch
import yaml
from click.testing import CliRunner
from conftest import untrained

from mer_app import hugging_face
from mer_app.main import main
from mer_companion.book import browser_model
from mer_core import UserError, onnx_export, trained_model
from mer_core.predict import frames_of_file, predict, window_probabilities

CLOSE = 1e-3  # in probability
SPECTROGRAM = trained_model.shipped().spectrogram
RATE = SPECTROGRAM.sample_rate


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return hugging_face.to_folder(trained_model.shipped(), tmp_path_factory.mktemp("exported") / "model")


def by_its_card(folder, song, monkeypatch):
    """What the Python lines on the model card make of a song, window by window."""
    (folder / "song.mp3").write_bytes(song.read_bytes())
    monkeypatch.chdir(folder)
    names = {}
    exec(re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S)[1], names)
    return names["probabilities"]


@pytest.mark.parametrize("seconds", [0.7, 2.99, 3.0, 8.0, 21.3])
@pytest.mark.parametrize("rate", [22050, 44100])
def test_the_lines_on_the_card_answer_as_predict(folder, corpus, tmp_path, monkeypatch, rng, seconds, rate):
    samples = np.concatenate([soundfile.read(path)[0] for path in corpus.table["path"][:3]])[
        : round(seconds * rate)
    ]
    soundfile.write(song := tmp_path / "song.wav", samples + 1e-3 * rng.standard_normal(len(samples)), rate)
    expected = predict(song).timeline[list(trained_model.shipped().classes)]
    np.testing.assert_allclose(by_its_card(folder, song, monkeypatch), expected, atol=CLOSE)


def test_a_piece_that_begins_a_frame_early_answers_as_the_whole(folder, rng):
    said = onnx_export.described(trained_model.shipped())
    frame, n, reach = SPECTROGRAM.hop_samples * SPECTROGRAM.pool_frames, said["n_frames"], said["reach"]
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    samples = 0.1 * rng.standard_normal((1, (n + 2 * reach + 40) * frame)).astype(np.float32)
    first, within = reach + 5, np.arange(n)[None]
    whole = session.run(None, {"samples": samples, "frames": first + within})[0]
    near = samples[:, 4 * frame : (first + n + reach) * frame]
    piece = session.run(None, {"samples": near, "frames": first - 4 + within})[0]
    np.testing.assert_allclose(piece, whole, atol=1e-5)


def test_tags_leave_as_they_are(corpus):
    model = untrained(("calm", "loud", "sad"), tagged=True)
    path = corpus.table["path"].iloc[0]
    values, _, duration_s = frames_of_file(path, model)
    samples = torch.from_numpy(soundfile.read(path, dtype="float32")[0])[None]
    levels = onnx_export.WaveformModel(model).eval().levels(samples)
    torch.testing.assert_close(
        levels, values.float(), atol=0.05, rtol=0
    )  # dB: the last digit of half precision
    frames = torch.arange(model.n_frames)[None]
    with torch.inference_mode():
        probabilities = onnx_export.WaveformModel(model).eval()(samples, frames).numpy()
    np.testing.assert_allclose(
        probabilities[0], window_probabilities(model, values, duration_s).mean(axis=0)[0], atol=CLOSE
    )


def test_the_file_is_small_says_what_it_is_and_forgets_whose_disk_it_was(folder):
    content = (folder / "model.onnx").read_bytes()
    assert len(content) < 8e6 and b".py" not in content
    said = {prop.key: json.loads(prop.value) for prop in onnx.load_from_string(content).metadata_props}
    model = trained_model.shipped()
    assert said["classes"] == list(model.classes) and said["temperature"] == model.ensemble.temperature
    assert (
        said["spectrogram"]["sample_rate"] == RATE
        and said["window_s"] == 3
        and said["licence"]
        and said["scales"]
    )
    onnx.checker.check_model(onnx.load_from_string(content))


def test_the_graph_of_the_page_has_no_weights_of_its_own_and_answers_as_a_fresh_export(folder, rng):
    assert browser_model.graph(trained_model.shipped()) and browser_model.GRAPH.stat().st_size < 3e5
    samples = 0.1 * rng.standard_normal((1, 5 * RATE)).astype(np.float32)
    within = np.arange(onnx_export.heard_frames(trained_model.shipped()))
    inputs = {"samples": samples, "frames": np.arange(3)[:, None] + within}
    there, fresh = (
        onnxruntime.InferenceSession(path).run(None, inputs)[0]
        for path in (browser_model.GRAPH, folder / "model.onnx")
    )
    np.testing.assert_allclose(there, fresh, atol=1e-6)


def test_the_same_model_gives_the_same_bytes(folder, tmp_path):
    again = onnx_export.to_onnx(trained_model.shipped(), tmp_path / "again.onnx")
    assert again.read_bytes() == (folder / "model.onnx").read_bytes()


def test_the_folder_is_what_hugging_face_expects(folder):
    assert {path.name for path in folder.iterdir()} >= {
        "README.md",
        "config.json",
        "model.safetensors",
        "model.onnx",
    }
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert head["pipeline_tag"] == "audio-classification" and head["library_name"] == "mer_core"
    config = json.loads((folder / "config.json").read_text())
    assert (
        list(config["id2label"].values()) == config["classes"]
        and config["digest"] == trained_model.shipped().digest
    )
    assert trained_model.load(folder / "model.safetensors").digest == trained_model.shipped().digest


def test_what_cannot_be_exported_is_said_in_a_line(tmp_path, monkeypatch):
    done = CliRunner().invoke(main, ["export", "nowhere.safetensors", str(tmp_path / "model.onnx")])
    assert done.exit_code == 1 and "no such model" in done.output
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match="cannot be written"):
        onnx_export.written(tmp_path / "taken/model.onnx", b"")
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(onnx_export.ExportError, match=r"onnxscript.*\[export\]"):
        onnx_export.to_onnx(trained_model.shipped(), tmp_path / "model.onnx")


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_the_low_pass_for_browsers_resamples_as_python_does(rate, rng):
    cutoff, beta, half_width = browser_model.LOW_PASS.values()
    samples = rng.standard_normal(rate // 8)
    share = min(rate, RATE) / rate
    t = share * (
        np.arange(round(RATE / 8))[:, None] * rate / RATE - np.arange(len(samples))
    )  # from each new sample to each old
    window = (
        np.i0(beta * np.sqrt(np.clip(1 - (t / half_width) ** 2, 0, None)))
        / np.i0(beta)
        * (np.abs(t) <= half_width)
    )
    ours = share * (cutoff * np.sinc(cutoff * t) * window) @ samples
    theirs = soxr.resample(samples, rate, RATE)
    np.testing.assert_allclose(
        ours[20:-20], theirs[20:-20], atol=6e-3
    )  # at its very ends soxr differs a little, and so do its filters for whole ratios


def test_a_packed_file_comes_out_of_its_script_as_it_was(rng):
    content = rng.integers(256, size=2000, dtype=np.uint8).tobytes()  # its text has every character
    script = browser_model.packed(("noise", content))
    assert script == browser_model.packed(("noise", content)) and script.count(b"\n") == 1
    text = re.fullmatch(r'\(window\.packed \?\?= \{\}\)\["noise"\] = "(.*)";\n', script.decode(), re.S)[1]
    bits = np.unpackbits(np.array([[ord(c) % 128] for c in text], np.uint8), axis=1)[:, 1:].ravel()
    assert gzip.decompress(np.packbits(bits[: len(bits) // 8 * 8]).tobytes()) == content


def test_the_page_has_rounded_matrices_that_answer_alike(tmp_path, corpus):
    whole = browser_model.WEIGHTS.read_bytes()
    content = browser_model.rounded(whole)
    assert len(content) == len(whole) and len(content) % 2 == 0
    planes = browser_model.in_planes(content)
    assert len(gzip.compress(planes)) < 0.75 * len(gzip.compress(whole))
    (path := tmp_path / "rounded.safetensors").write_bytes(content)
    model, songs = trained_model.load(path), corpus.table["path"][:4]
    for song in songs:
        there, here = (predict(song, known).timeline[list(model.classes)] for known in (None, model))
        np.testing.assert_allclose(here, there, atol=2e-3)


def test_without_the_runtime_one_message_says_what_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(browser_model, "FOLDER", tmp_path / "hearing")
    monkeypatch.setattr(browser_model, "RUNTIME", tmp_path / "nowhere")
    (tmp_path / "hearing").mkdir()
    (tmp_path / "hearing/runtime.js").write_text("old")
    said = browser_model.gather()
    assert "ort-wasm-simd-threaded.mjs was not fetched" in said and "npm" in said
    assert not (tmp_path / "hearing/runtime.js").exists()
