"""In what precision networks are computed: as the device can, or as asked; and what records say of it."""

import json

import pytest
import torch

from mer_app import model_card
from mer_companion import experiments, results
from mer_companion.experiments import kinds
from mer_companion.experiments.presets import SSSL
from mer_companion.reproduction import checks
from mer_companion.runs.overrides import changed
from mer_core import device, paths, trained_model
from mer_core.training import Training

CPU, TRACKED = torch.device("cpu"), ("cpu", "paper")


@pytest.fixture
def processor(monkeypatch):
    """A function that fakes what the processor, and oneDNN on it, say they can."""

    def fake(machine="x86_64", onednn=True, avx512_bf16=False, amx=False, limit=None):
        monkeypatch.setattr("platform.machine", lambda: machine)
        monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: avx512_bf16)
        monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: amx)
        monkeypatch.setattr("mer_core.device.onednn_has_bf16", lambda: onednn)
        monkeypatch.setenv(device.ONEDNN_LIMIT, limit) if limit else monkeypatch.delenv(
            device.ONEDNN_LIMIT, raising=False
        )

    return fake


@pytest.mark.parametrize(
    ("abilities", "precision"),
    [
        ({"avx512_bf16": True}, "bf16"),
        ({"amx": True, "limit": "avx512_core_amx"}, "bf16"),
        ({"machine": "aarch64"}, "bf16"),  # there oneDNN asks for the instructions itself
        ({}, "float32"),  # AVX-512 without bf16: oneDNN takes bf16, and emulates it
        ({"onednn": False}, "float32"),  # AVX2
        ({"machine": "arm64", "onednn": False}, "float32"),
        ({"avx512_bf16": True, "limit": "AVX512_CORE"}, "float32"),  # the user does without
        ({"avx512_bf16": True, "limit": "AVX2", "onednn": False}, "float32"),
    ],
)
def test_bf16_is_used_where_the_processor_has_it(processor, abilities, precision):
    processor(**abilities)
    assert device.precision_on(CPU) == precision
    assert device.precision_on(CPU, "float32") == "float32" and device.precision_on(CPU, "bf16") == "bf16"


@pytest.mark.parametrize(("native", "precision"), [(True, "bf16"), (False, "float32")])
def test_a_gpu_that_only_emulates_bf16_computes_in_float32(monkeypatch, native, precision):
    monkeypatch.setattr(
        "torch.cuda.is_bf16_supported", lambda including_emulation=True: native or including_emulation
    )
    assert device.precision_on(torch.device("cuda")) == precision


def test_records_made_before_precision_was_noted_are_those_of_the_default():
    path = next((paths.DATA / "results" / "cpu").glob("segments_to_songs-self_learning-*.json"))
    assert (
        "precision" not in json.loads(path.read_text())["environment"]
    )  # tracked records are never rewritten
    record = results.load(path)
    assert record["config"]["training"]["precision"] == Training().precision == results.PRECISION_DEFAULT
    assert record["environment"]["precision"] == "bf16"


def test_the_card_of_a_model_made_before_that_names_no_precision_as_unusual():
    assert "training.precision" not in model_card.unlike_the_preset(trained_model.shipped().card)


def test_every_tracked_record_still_has_the_name_of_its_settings():
    """A run's name is a digest of its settings: a changed default or name would part records from the runs
    that made them.
    """
    runs = {
        (preset, name, label, run.seed): run
        for name, experiment in experiments.EXPERIMENTS.items()
        for preset in experiment.presets
        for label, run in experiments.jobs(name, preset)
    }
    tracked = [path for preset in TRACKED for path in (paths.DATA / "results" / preset).glob("*.json")]
    records = [json.loads(path.read_text()) for path in tracked]
    assert len(records) > 250
    for path, record in zip(tracked, records, strict=True):
        of = record["preset"], record["experiment"], record["label"], record["config"]["seed"]
        assert path.stem == f"{of[1]}-{of[2]}-{runs[of].run_id}"
        assert results.same_settings(results.load(path)["config"], runs[of].config())
        assert results.is_tagged(record) == (kinds.of_record(record).predicts == "tags")


def test_a_forced_precision_is_another_run_and_the_devices_own_is_none():
    usual = SSSL["cpu"]
    assert changed(usual, {"training.precision": "auto"}).run_id == usual.run_id
    assert len({changed(usual, {"training.precision": name}).run_id for name in device.PRECISIONS}) == 3


def test_drift_takes_another_precision_for_another_machine(monkeypatch):
    monkeypatch.setattr(device, "has_native_bf16", lambda _: False)
    here = checks.machine()
    assert checks.same_machine(here) and not checks.same_machine(here | {"precision": "bf16"})
    before = {name: value for name, value in here.items() if name not in ("precision", "instruction_set")}
    assert not checks.same_machine(before)  # it was bf16 then
    monkeypatch.setattr(device, "has_native_bf16", lambda _: True)
    assert checks.same_machine(before)
