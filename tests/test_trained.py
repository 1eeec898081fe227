import json

import numpy as np
import pytest
import torch
from conftest import untrained
from safetensors.torch import save_file

from mer_app import model_card
from mer_companion import folders
from mer_core import trained_model
from mer_core.evaluation import calibration
from mer_core.trained_model import Ensemble, ModelError


def levels(n=5, seed=0):
    return torch.randn(n, 1, 64, 32, generator=torch.Generator().manual_seed(seed)) * 20 - 40


def test_what_is_saved_answers_bit_for_bit_as_what_was_at_hand(tmp_path):
    model = untrained()
    again = trained_model.load(trained_model.save(model, tmp_path / "m.safetensors"))
    assert torch.equal(again.ensemble(levels()), model.ensemble(levels()))
    assert again.facts() == model.facts() and again.digest == model.digest
    assert again.classes == ("Q1", "Q2", "Q3", "Q4") and again.n_frames == 32


def test_the_file_alone_says_what_its_numbers_mean(tmp_path):
    with trained_model.safe_open(
        trained_model.save(untrained(), tmp_path / "m.safetensors"), framework="pt"
    ) as file:
        text = file.metadata()
    assert json.loads(text["classes"]) == ["Q1", "Q2", "Q3", "Q4"]
    assert "0.5 is undecided" in json.loads(text["scales"])["valence, arousal"]
    assert json.loads(text["features"])["n_mels"] == 64 and json.loads(text["window_s"]) == 3.0


def test_a_committee_is_the_mean_of_its_tempered_members():
    model = untrained()
    each = (
        torch.stack([member(levels()).softmax(dim=1) for member in model.ensemble.members]).detach().numpy()
    )
    expected = calibration.tempered(each, model.ensemble.temperature).mean(axis=0)
    np.testing.assert_allclose(model.ensemble(levels()).detach(), expected, atol=1e-5)


def test_networks_trained_side_by_side_are_calibrated_as_one(rng):
    logits = torch.tensor(rng.normal(size=(4, 6, 3)), dtype=torch.float32)
    members = [torch.nn.Identity() for _ in range(4)]
    ensemble = Ensemble(members, 0.5, tagged=False, together=2)
    for member, own in zip(ensemble.members, logits, strict=True):
        member.forward = lambda levels, own=own: own
    pairs = logits.softmax(dim=-1).numpy().reshape(2, 2, 6, 3).mean(axis=1)  # what a record keeps of each run
    np.testing.assert_allclose(ensemble.each(torch.zeros(6)), calibration.tempered(pairs, 0.5), atol=1e-6)


def test_tags_need_not_add_up_to_one():
    members = [torch.nn.Flatten(), torch.nn.Flatten()]
    said = Ensemble(members, 1.0, tagged=True)(torch.full((2, 1, 1, 3), 2.0))
    np.testing.assert_allclose(said, 1 / (1 + np.exp(-2.0)), atol=1e-6)


@pytest.mark.parametrize(
    "content, reason", [(b"", "no safetensors file"), (b"not a model", "no safetensors file")]
)
def test_another_kind_of_file_is_refused(tmp_path, content, reason):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=reason):
        trained_model.load(path)


def test_a_missing_a_foreign_and_a_damaged_model_are_told_apart(tmp_path):
    with pytest.raises(ModelError, match="no such model"):
        trained_model.load(tmp_path / "m.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelError, match="no model of mer_core"):
        trained_model.load(tmp_path / "foreign.safetensors")
    text = {name: json.dumps(value) for name, value in untrained().facts().items()}
    save_file(
        {"a": torch.zeros(2)}, tmp_path / "hollow.safetensors", {"format": trained_model.FORMAT, **text}
    )
    with pytest.raises(ModelError, match="does not hold what its text says"):
        trained_model.load(tmp_path / "hollow.safetensors")


def test_one_fold_alone_is_not_calibrated(rng):
    windows, track = rng.dirichlet(np.ones(3), size=(2, 6)), np.arange(6)
    alone = calibration.cross_fitted(windows, track, np.arange(6) % 3, np.zeros(6, dtype=int))
    np.testing.assert_array_equal(alone, calibration.of_songs(windows, track))


def test_the_same_model_is_the_same_file(tmp_path):
    files = [trained_model.save(untrained(), tmp_path / name) for name in "abc"]
    assert len({path.read_bytes() for path in files}) == 1  # though safetensors has no order of names


WRONG = {
    "n_networks": [100_000, 2, 3.0, True, "3"],
    "together": [0, 2],
    "window_s": [1e9, -1, None],
    "temperature": [-1, 0, float("nan"), 1e9],
    "features": [{"window_samples": 10**9}, {"n_mels": 10**9}, {"hop_samples": "512"}, {"colour": 1}, None],
    "network": [{"architecture": "vgg99"}, {"dropout": "much"}, []],
    "classes": [[], [1, 2, 3, 4], ["Q1"] * 4, "Q1Q2", ["Q1", "Q2"]],
    "answers": ["yes", None],
    "card": [None, {}, {"data": {"digest": ""}}, [[[]]]],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_model_says_of_itself_is_checked_before_memory_is_taken(name, tmp_path):
    model, path = untrained(), tmp_path / "m.safetensors"
    facts, weights = model.facts(), model.ensemble.state_dict()
    for value in WRONG[name]:
        said = facts[name] | value if isinstance(value, dict) and name != "card" else value
        text = {key: json.dumps(told) for key, told in (facts | {name: said}).items()}
        save_file(weights, path, {"format": trained_model.FORMAT, **text})
        with pytest.raises(
            ModelError, match=r"m\.safetensors: does not hold what .* Fetch or train it again"
        ):
            trained_model.load(path)
    text = {key: json.dumps(told) for key, told in facts.items() if key != name}
    save_file(weights, path, {"format": trained_model.FORMAT, **text})
    with pytest.raises(ModelError, match="does not hold what its text says"):
        trained_model.load(path)


def test_weights_that_are_not_finite_are_refused_in_a_file(tmp_path):
    model = untrained()
    trained_model.save(model, tmp_path / "m.safetensors")
    assert trained_model.load(tmp_path / "m.safetensors").digest == model.digest
    next(model.ensemble.parameters()).data[:] = torch.nan
    trained_model.save(model, tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match="finite"):
        trained_model.load(tmp_path / "m.safetensors")


def test_weights_that_are_not_finite_are_refused():
    broken = untrained().ensemble.members
    next(broken[0].parameters()).data.fill_(1e6)  # beyond half precision
    with pytest.raises(ModelError, match="not finite"):
        trained_model.assembled(
            list(broken), 1.0, False, network=None, features=None, window_s=3.0, classes=(), card={}
        )
    broken = untrained().ensemble.members
    broken[1].mean.fill_(torch.nan)  # no parameter, but part of the answer
    with pytest.raises(ModelError, match="mean are not finite"):
        trained_model.assembled(list(broken), 1.0, False, features=None)


def test_a_temperature_undoes_what_made_networks_too_sure(rng):
    truth = rng.integers(3, size=4000)
    honest = np.stack([rng.dirichlet(2 + 6 * np.eye(3)[k]) for k in truth])
    drawn = np.array([rng.choice(3, p=p) for p in honest])  # labels that keep what the probabilities promise
    track = np.arange(len(truth))
    sharpened = calibration.tempered(honest, 0.5)[None]
    assert calibration.fit_temperature(sharpened, track, drawn) == pytest.approx(2, rel=0.1)
    before = calibration.estimates(sharpened[0], drawn, track // 4)
    after = calibration.estimates(honest, drawn, track // 4)
    assert after["calibration_error"].value < 0.03 < before["calibration_error"].value
    assert after["surprise"].high < before["surprise"].low


def test_a_song_gets_the_temperature_of_the_other_folds(rng):
    windows = rng.dirichlet(np.ones(3), size=(2, 60))
    track, truth, fold = np.repeat(np.arange(30), 2), rng.integers(3, size=30), np.arange(30) % 3
    crossed = calibration.cross_fitted(windows, track, truth, fold)
    flipped = np.where(
        fold == 0, (truth + 1) % 3, truth
    )  # other labels in the first fold change nothing there
    again = calibration.cross_fitted(windows, track, flipped, fold)
    np.testing.assert_array_equal(crossed[fold == 0], again[fold == 0])
    assert np.abs(crossed[fold != 0] - again[fold != 0]).max() > 0
    np.testing.assert_allclose(crossed.sum(axis=1), 1)


def test_the_model_that_ships_loads_and_gives_distributions():
    model = trained_model.shipped()
    said = model.ensemble(torch.randn(5, 1, model.features.n_values, model.n_frames))
    assert model.quadrants and len(model.ensemble.members) == 3
    np.testing.assert_allclose(said.sum(dim=1), 1, atol=1e-5)
    path = trained_model.paths.MODELS / "quadrants.safetensors"
    assert path.stat().st_size < 8e6
    assert path.with_suffix(".md").read_text() == model_card.written(model)


def test_the_card_says_what_the_committed_records_say(monkeypatch):
    from mer_companion import results
    from mer_core import paths

    monkeypatch.setattr(folders, "RESULTS", paths.DATA / "results")
    card = trained_model.shipped().card
    records = [
        next((folders.RESULTS / "cpu").glob(f"shipped_model-heads-{name}.json")) for name in card["run_ids"]
    ]
    alone = [
        results.value(results.load(r), name="accuracy", target="emotion", decision="mean_probability")
        for r in records
    ]
    assert card["out_of_fold"]["n"] == 900 and card["seeds"] == [0, 1, 2]
    said = card["out_of_fold"]["scores"]["accuracy"]["value"]
    assert min(row["value"] for row in alone) <= said  # together no worse than the worst alone
