import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from mer_companion import experiments, provenance, results
from mer_companion.analysis import tables
from mer_companion.analysis.markdown import version_of
from mer_companion.experiments import EXPERIMENTS, comparison, kinds, record_of
from mer_companion.experiments.presets import SSSL
from mer_companion.reproduction import retraining
from mer_companion.runs import cross_validation, scoring
from mer_companion.runs.overrides import changed
from mer_companion.runs.settings import Named, Run
from mer_core import UserError, datasets, device, paths
from mer_core.audio.features import LogMel, MelAndHPCP, StoredMel, WindowFeatures
from mer_core.datasets import synthetic
from mer_core.datasets.label_noise import LabelNoise
from mer_core.datasets.splits import Folds
from mer_core.emotion import HIGH
from mer_core.evaluation import song_decision, tag_metrics
from mer_core.evaluation.song_decision import SongDecision
from mer_core.methods import METHODS, inherit, self_learning
from mer_core.models import Network, backbones, crnn
from mer_core.training import Training


@pytest.fixture(scope="module")
def tiny(monkeypatch_module):
    """A run of seconds: 16 songs of 6 s, two epochs, two folds."""
    small = partial(synthetic.read, synthetic.Corpus(n_songs=16, n_artists=16, song_s=6))
    monkeypatch_module.setitem(datasets.READERS, "synthetic", small)
    cross_validation._frames.cache_clear()  # of the whole corpus, where another test has loaded it
    yield replace(
        SSSL["smoke"],
        training=Training(epochs=2, batch_size=16, learning_rate=2e-3),
        method=self_learning.Settings(warmup_epochs=1),
        folds=Folds(n=2, by="song", inner=2),
    )
    cross_validation._frames.cache_clear()


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_run_ids_are_those_of_the_settings_and_change_with_any():
    assert Run().run_id == Run().run_id
    others = [{"seed": 1}, {"window_s": 2.0}, {"folds": Folds(by="artist")}]
    others += [{"method": inherit.Settings()}, {"method": self_learning.Settings(temperature=0.7)}]
    assert len({replace(Run(), **change).run_id for change in [{}, *others]}) == 6


def test_runs_that_differ_only_in_tested_folds_or_song_decision_share_their_networks():
    base = Run()
    fewer = replace(base, folds=Folds(tested=2, inner=0), song=SongDecision(share_threshold=0.7))
    assert fewer.run_id != base.run_id and fewer.training_id == base.training_id
    assert replace(base, seed=1).training_id != base.training_id


def test_runs_with_another_kind_of_network_or_features_are_others():
    settings = (
        {},
        {"network": crnn.Settings()},
        {"features": MelAndHPCP()},
        {"network": crnn.Settings(width=32)},
    )
    runs = [Run(**own) for own in settings]
    assert len({run.run_id for run in runs}) == 4
    assert runs[1].config()["network"]["kind"] == "crnn.Settings"
    assert runs[2].config()["features"]["hpcp"]["size"] == 12


def test_kinds_of_settings_have_names_of_their_own():
    parts = [LogMel, MelAndHPCP, StoredMel, Network, crnn.Settings, backbones.Settings]
    names = [part.kind for part in parts] + [module.Settings.kind for module in METHODS.values()]
    assert len(set(names)) == len(names)
    assert all(module.Settings.kind == name for name, module in METHODS.items())


def test_kinds_of_run_without_networks_all_say_how_records_are_made():
    named = [settings.method_name for settings in Named.__subclasses__()]
    assert sorted(named) == sorted(kinds.KINDS) and not set(named) & set(METHODS)


def test_a_machine_without_git_knows_no_commit(monkeypatch, tmp_path):
    here = provenance.code_state()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MER_COMMIT", raising=False)
    state = provenance.code_state()
    assert state == here | {"commit": None, "modified": None} and version_of(state) == "unknown"
    monkeypatch.setenv("MER_COMMIT", "1bec656")
    assert provenance.code_state()["commit"] == "1bec656"


def test_code_digests_cover_every_module_and_none_that_does_not_exist():
    modules = provenance.PACKAGES, provenance.OF_TRAINING, ("mer_core.mixture",)
    assert len(set(map(provenance.code_digest, modules))) == 3
    folders_of = [paths.ROOT / name for name in provenance.PACKAGES]
    package = {path for one in folders_of for path in (*one.rglob("*.py"), *one.rglob("*.jinja"))}
    assert {".py", ".jinja"} == {path.suffix for path in package}
    assert package == {path for name in provenance.PACKAGES for path in provenance.sources_of(name)}
    with pytest.raises(ModuleNotFoundError, match=r"mer_core\.mixtures"):
        provenance.code_digest(("mer_core.mixture", "mer_core.mixtures"))


def test_settings_survive_json():
    config = SSSL["cpu"].config()
    assert json.loads(json.dumps(config)) == config
    assert config["method"]["name"] == "self_learning" and config["features"]["n_mels"] == 64


def test_paper_preset_is_the_paper():
    paper, mel = SSSL["paper"], SSSL["paper"].features
    assert (mel.window_samples, mel.hop_samples, mel.n_mels) == (1024, 512, 128)
    assert paper.network.architecture == "vgg16" and paper.folds.n == 10 and paper.training.stride == 1


def test_experiments_have_runs_of_their_own_at_every_preset():
    for experiment in EXPERIMENTS.values():
        for preset in experiment.presets:
            ids = [run.run_id for run in experiment.runs(preset).values()]
            assert len(ids) == len(set(ids)) > 0


def test_killed_runs_go_on_at_the_next_network_and_end_as_unbroken_ones(tiny, monkeypatch):
    unbroken = record_of(tiny, "test", "smoke", "unbroken")
    expected = results.predictions(unbroken)
    for path in (paths.CACHE / "networks").rglob("*.npz"):
        path.unlink()
    trained, original = [], cross_validation.fit

    def fit_until_killed(*arguments):
        if len(trained) == 4:  # of three networks for each of two folds
            raise KeyboardInterrupt
        trained.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(cross_validation, "fit", fit_until_killed)
    with pytest.raises(KeyboardInterrupt):
        record_of(tiny, "test", "smoke", "killed")
    trained.clear()
    monkeypatch.setattr(cross_validation, "fit", lambda *a: trained.append(a) or original(*a))
    resumed = results.predictions(record_of(tiny, "test", "smoke", "killed"))
    assert len(trained) == 2  # what was left of six networks
    for name, values in expected.items():
        np.testing.assert_array_equal(resumed[name], values)


def test_records_fresh_from_making_are_those_that_are_loaded_later(tiny, monkeypatch):
    made = record_of(tiny, "test", "smoke", "again")
    monkeypatch.setattr(cross_validation, "load_frames", None)  # nothing is made a second time
    assert made == results.load(results.path_of(made)) == record_of(tiny, "test", "smoke", "again")
    monkeypatch.setattr(provenance, "code_digest", lambda *modules: "other code")
    with pytest.raises(TypeError, match="not callable"):  # a smoke record of other code is stale
        record_of(tiny, "test", "smoke", "again")


def test_folds_trained_again_give_the_recorded_predictions(tiny, monkeypatch):
    pairs = [("again", tiny), ("other seed", replace(tiny, seed=7))]
    monkeypatch.setattr(experiments, "jobs", lambda *_: pairs)
    record = record_of(tiny, "test", "smoke", "again")
    monkeypatch.setattr(results, "existing", lambda *_: record)
    same, other = (retraining.rerun("test", label, "smoke", 0) for label in ("again", "other seed"))
    assert same["now"] == same["recorded"] and same["largest_change_of_a_probability"] == 0
    assert other["largest_change_of_a_probability"] > 0 and other["songs"] == 8
    for row in (same, other):
        retraining.save(row, "smoke")
    assert len(retraining.table("smoke")) == 2
    with pytest.raises(results.RecordError, match="that tested fold 2"):
        retraining.rerun("test", "again", "smoke", 2)


def test_out_of_fold_predictions_never_come_from_a_network_trained_on_the_song(tiny, monkeypatch):
    learned, original = [], cross_validation.fit

    def fit(run, data, *rest):
        learned.append(set(data.track))
        return original(run, data, *rest)

    monkeypatch.setattr(cross_validation, "fit", fit)
    fresh = replace(tiny, seed=5)
    for part in cross_validation.parts(fresh):
        cross_validation.train_part(fresh, 0, part)
    first, *parts = cross_validation.read_fold(fresh, cross_validation.load_frames(fresh), 0)
    tracks, test, training = set(range(16)), set(first["test_track"]), set(first["in_sample_track"])
    outer, *inner = learned
    for own, part in zip(inner, parts, strict=True):
        assert set(part["out_of_fold_track"]) == training - own and set(part["test_track"]) == test
    assert outer == training and test | training == tracks and not test & training
    assert len(inner) == 2 and not inner[0] & inner[1] and inner[0] | inner[1] == training


def test_records_hold_what_a_reader_needs(tiny):
    record = record_of(tiny, "test", "smoke", "again")
    rows = pd.DataFrame(record["metrics"])
    assert set(rows["decision"]) == set(song_decision.DECISION_NAMES) - {song_decision.OF_WHOLE_SONGS}
    assert set(rows["target"]) == {"emotion", "valence", "arousal"}
    pooled = rows[(rows["fold"] == "all") & (rows["part"] == "test")]
    assert pooled["value"].between(pooled["low"], pooled["high"]).all() and (pooled["n"] == 16).all()
    assert record["cost"]["seconds"] > 0 and record["environment"]["torch"] and len(record["log"]) == 2
    assert record["environment"]["precision"] == device.precision_on(device.best_device())
    stored = results.predictions(record)
    tracks = cross_validation.load_frames(tiny).tracks
    right = tracks.targets[stored["track"]] == stored["decision_svm"]
    assert np.trace(record["confusion"]["svm"]) == right.sum()
    accuracy = results.value(record, name="accuracy", target="emotion", decision="svm")
    assert accuracy["value"] == pytest.approx(right.mean())
    probabilities, seconds = results.timeline(record, "song003")
    assert probabilities.shape == (len(seconds), 4) and np.allclose(probabilities.sum(axis=1), 1, atol=0.01)


def test_records_ship_no_annotations(tiny):
    stored = results.predictions(record_of(tiny, "test", "smoke", "again"))
    assert not {"truth", "label", "targets", "group"} & set(stored)


def test_runs_side_by_side_train_a_shared_network_once(tiny):
    other = replace(tiny, song=SongDecision(share_threshold=0.3))
    with ThreadPoolExecutor(1) as executor:
        started = cross_validation.start([replace(one, seed=5) for one in (tiny, other)], executor)
        assert len(started) == len(cross_validation.networks_to_train(tiny)) == 6
        record = record_of(replace(other, seed=5), "test", "smoke", "beside", started)
    assert record["data"]["n_tested"] == record["data"]["n_tracks"] == 16


def test_comparisons_are_paired_by_song_and_averaged_over_seeds(tiny):
    runs = {"inherit": replace(tiny, method=inherit.Settings()), "self_learning": tiny}
    pairs = [(label, replace(run, seed=seed)) for seed in (0, 3) for label, run in runs.items()]
    for pair in pairs:  # one at a time, as shards make them: the last one finds all the others
        made = experiments.execute("segments_to_songs", "smoke", pairs, chosen=[pair])
    assert [record["label"] for record in made] == ["self_learning"]
    compared = results.comparison("segments_to_songs", "smoke")
    (row,) = tables.differences(compared, decision="svm").itertuples()
    truth, shares = cross_validation.load_frames(tiny).tracks.targets, {}
    for label, run in pairs:
        stored = results.predictions(record_of(run, "segments_to_songs", "smoke", label))
        right = (stored["decision_svm"] == truth[stored["track"]]).mean()
        shares[label] = shares.get(label, 0) + right / 2  # of two seeds
    assert row.value == pytest.approx(shares["self_learning"] - shares["inherit"])
    assert row.against == "inherit"
    assert row.low <= row.value <= row.high and row.seeds == [0, 3] and 0 <= row.p <= row.p_holm <= 1
    scores = tables.scores(compared, decision="svm").set_index("label")["value"].to_dict()
    assert scores == pytest.approx(shares)


def test_external_tests_are_predicted_and_never_learned_from(tiny, monkeypatch):
    monkeypatch.setitem(datasets.READERS, "synthetic", synthetic.read)
    here, there = "synthetic:n_songs=16,n_artists=16,song_s=6", "synthetic:n_songs=8,n_artists=8,song_s=5"
    run = replace(tiny, method=inherit.Settings(), dataset=here, external_tests=(there,))
    record = record_of(run, "test", "smoke", "far")
    asked = {"part": "elsewhere", "name": "accuracy", "target": "emotion"}
    (row,) = (m for m in record["metrics"] if asked.items() <= m.items())
    assert row["n"] == 8 and row["dataset"] == there and 0 <= row["low"] <= row["value"] <= row["high"] <= 1
    stored = results.predictions(record)
    assert stored["heard_0"].shape == (8 * 3, 4) and len(stored["heard_0_track_id"]) == 8


def test_networks_with_two_outputs_tell_one_dimension_of_the_same_songs(tiny):
    plain = replace(tiny, method=inherit.Settings(), folds=Folds(n=2, by="song", inner=0))
    four, two = (
        record_of(replace(plain, target=target), "test", "smoke", label)
        for label, target in (("four", ""), ("two", "arousal"))
    )
    assert {row["target"] for row in two["metrics"]} == {"arousal"}
    stored = results.predictions(two)
    assert stored["test"].shape[1] == 2 and np.array_equal(stored["fold"], results.predictions(four)["fold"])
    high = HIGH["arousal"][cross_validation.load_frames(tiny).tracks.targets[stored["track"]]]
    for decision in ("mean_probability", "svm_in_sample", "most_frequent"):
        row = results.value(two, name="accuracy", target="arousal", decision=decision)
        assert row["value"] == pytest.approx((stored[f"decision_{decision}"] == high).mean())
        assert np.trace(two["confusion"][decision]) == round(16 * row["value"])
    pairs = comparison.compare({"two": ("four",)}, [four, two])
    compared = [row for row in pairs if "against" in row]
    assert {row["target"] for row in compared} == {"arousal"} and compared
    assert scoring.scores(two) == [row for row in two["metrics"] if row["part"] == "test"]
    with pytest.raises(ValueError, match="target is valence, arousal or empty"):
        replace(plain, target="tension")


def test_of_long_input_the_first_window_is_all_there_is(tiny, monkeypatch):
    seen, original = [], cross_validation.fit
    monkeypatch.setattr(cross_validation, "fit", lambda *a: seen.append(a[1]) or original(*a))
    run = replace(tiny, method=inherit.Settings(), folds=Folds(n=2, by="song", inner=0), first_window=True)
    stored = results.predictions(record_of(run, "test", "smoke", "first"))
    assert set(seen[0].second) == {0} == set(stored["test_second"]) and len(seen[0]) == 8


def test_learning_curves_watch_and_change_nothing(tiny):
    plain = replace(tiny, folds=Folds(n=2, by="song", tested=1, inner=0))
    watched = record_of(replace(plain, learning_curve=True), "test", "smoke", "watched")
    unwatched = record_of(plain, "test", "smoke", "unwatched")
    seen, alone = (results.predictions(record)["test"] for record in (watched, unwatched))
    np.testing.assert_array_equal(seen, alone)
    curve = tables.learning_curves([watched]).set_index(["evaluated on", "epoch"])["share"]
    accuracy = results.value(watched, name="accuracy", target="emotion", decision="mean_probability")
    assert curve["Test songs", 2] == accuracy["value"]
    with pytest.raises(ValueError, match="takes labels for right"):
        replace(plain, learning_curve=True, noise=LabelNoise("symmetric", 0.5))


def test_features_that_are_no_levels_cannot_be_made_louder():
    with pytest.raises(ValueError, match="levels in dB"):
        Run(features=WindowFeatures(), method=inherit.Settings(gain_db=3.0))


def test_tags_are_learned_in_the_same_loop_and_validation_says_when_to_stop():
    run = Run(
        dataset="synthetic_moods:n_songs=30,n_artists=15,song_s=6",
        features=LogMel(n_mels=16, pool_frames=8),
        method=inherit.Settings(),
        network=crnn.Settings(width=4, branch=16, head_dropout=0.0),
        training=Training(epochs=12, batch_size=16, learning_rate=5e-3, patience=3),
        folds=Folds(n=2, inner=0, tested=1),
    )
    cross_validation.train_part(run, 0, 0)
    frames = cross_validation.load_frames(run)
    (stored,) = cross_validation.read_fold(run, frames, 0)
    for name in ("test", "validation"):
        assert set(stored[f"{name}_track"]) == set(np.flatnonzero(frames.tracks.table["part"] == name))
    aucs = [row["validation_roc_auc"] for row in stored["training"]["log"]]
    assert len(aucs) == 12 or int(np.argmax(aucs)) == len(aucs) - 4  # stopped three epochs after the best
    mean = song_decision.mean_probability(stored["test"], stored["test_track"])
    _, area = tag_metrics.ranking(frames.tracks.targets[np.unique(stored["test_track"])], mean)
    assert area.mean() > 0.7 and mean.shape[1] == 6
    assert not np.allclose(mean.sum(axis=1), 1, atol=0.05)  # tags do not exclude one another


def test_noise_is_put_into_training_labels_only(tiny, monkeypatch):
    seen, original = [], cross_validation.fit
    monkeypatch.setattr(cross_validation, "fit", lambda *a: seen.append(a[1]) or original(*a))
    plain = replace(tiny, method=inherit.Settings(), folds=Folds(n=2, by="song", inner=0))
    record = record_of(replace(plain, noise=LabelNoise("symmetric", 0.5)), "test", "smoke", "noisy")
    truth = cross_validation.load_frames(tiny).tracks.targets
    data = seen[0]
    wrong = data.label.numpy() != truth[data.track]
    assert 0.3 < wrong.mean() < 0.7 and not data.truly_clean[wrong].any()
    stored = results.predictions(record)
    right = stored["decision_mean_probability"] == truth[stored["track"]]
    assert np.trace(record["confusion"]["mean_probability"]) == right.sum()


def test_records_of_other_settings_are_neither_taken_nor_overwritten(tiny):
    record = record_of(tiny, "test", "smoke", "again")
    arrays = results.predictions(record)
    results.write(record | {"config": record["config"] | {"window_s": 9.0}}, arrays)
    with pytest.raises(results.RecordError, match="before a default changed"):
        record_of(tiny, "test", "smoke", "again")
    assert results.write(record | {}, arrays) == record


def test_settings_that_do_not_exist_are_refused_with_those_that_do():
    assert changed(Run(), {"folds.n": 3, "method.temperature": 0.7}).method.temperature == 0.7
    with pytest.raises(UserError, match="no setting 'fold'; there are .*folds"):
        changed(Run(), {"fold": 3})


def test_renamed_settings_are_recorded_under_old_names_and_set_under_new_ones():
    settings = {"network.stochastic_depth": 0.2, "external_tests": ["pmemo"]}
    run = changed(Run(network=crnn.Settings()), settings)
    assert run.config()["network"]["bypass"] == 0.2 and run.config()["also_heard"] == ["pmemo"]
    for old, new in (("also_heard", "external_tests"), ("network.bypass", "network.stochastic_depth")):
        with pytest.raises(UserError, match=f"{old} is now called {new}"):
            changed(run, {old: 0})


def test_incomplete_and_missing_records_say_what_to_do(tmp_path):
    with pytest.raises(results.RecordError, match="no such record"):
        results.load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"schema": 1')
    with pytest.raises(results.RecordError, match="is not JSON"):
        results.load(tmp_path / "half.json")
    (tmp_path / "poor.json").write_text('{"schema": 1}')
    with pytest.raises(results.RecordError, match="lacks"):
        results.load(tmp_path / "poor.json")


def test_jobs_are_every_variant_with_every_seed():
    jobs = experiments.jobs("segments_to_songs", "smoke", seeds=(0, 1), changes={"window_s": 2.0})
    expected = itertools.product((0, 1), ("inherit", "self_learning"))
    assert [(run.seed, label) for label, run in jobs] == list(expected)
    assert all(run.window_s == 2.0 for _, run in jobs)
    divided = [run for _, run in experiments.jobs("two_outputs", "cpu")]
    assert {run.folds.seed for run in divided} == set(range(5)) and all(
        r.folds.seed == r.seed for r in divided
    )
    (_, own), *_ = experiments.jobs("segments_to_songs", "cpu", dataset="mine.csv")
    assert own.dataset.endswith("/mine.csv") and own.dataset.startswith("/")
