import numpy as np
import pandas as pd
import pytest

from mer_companion import results
from mer_companion.experiments import leaderboard_comparison, record_of
from mer_companion.runs import leaderboard
from mer_companion.runs.settings import Submission
from mer_companion.runs.tag_scoring import MACRO, SCORES
from mer_companion.song_features import sources
from mer_core import frames, paths
from mer_core.audio.features import StoredMel
from mer_core.datasets import mtg_jamendo, tables
from mer_core.datasets.tracks import DataError
from mer_core.evaluation import tag_metrics

TAGS = ["calm", "happy", "sad"]
HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"


@pytest.fixture
def jamendo(tmp_path, monkeypatch, rng):
    """A test set of 60 tracks by 20 artists in the official layout."""
    root = tmp_path / "mtg_jamendo"
    root.mkdir()
    (root / "moodtheme_split.txt").write_text("".join(f"mood/theme---{tag}\n" for tag in TAGS))
    own = [[tag for tag in TAGS if rng.random() < 0.4] or ["sad"] for _ in range(60)]
    lines = [
        "\t".join([f"track_{i:02d}", f"artist_{i % 20}", "album", f"00/{i}.mp3", "200.5", *tags])
        for i, tags in enumerate([f"mood/theme---{tag}" for tag in tags] for tags in own)
    ]
    (root / "autotagging_moodtheme-test.tsv").write_text("\n".join([HEADER, *lines]) + "\n")
    monkeypatch.setattr(paths, "data_root", lambda: tmp_path)
    monkeypatch.setattr(tables, "rows_of_complete", lambda *file: None)  # it is a part
    for cached in (leaderboard.test_songs, leaderboard.drawn):
        cached.cache_clear()
    yield tmp_path
    for cached in (leaderboard.test_songs, leaderboard.drawn):
        cached.cache_clear()


def test_spectrograms_that_the_data_set_ships_become_its_frames(jamendo, rng):
    root = jamendo / "mtg_jamendo"
    header, *lines = (root / "autotagging_moodtheme-test.tsv").read_text().splitlines()
    for part, own in (("train", lines[:3]), ("validation", lines[3:5]), ("test", lines[5:6])):
        (root / f"autotagging_moodtheme-{part}.tsv").write_text("\n".join([header, *own]) + "\n")
    with pytest.raises(DataError, match="6 of 6 tracks have no melspecs.*--type melspecs"):
        mtg_jamendo.read(mels=True)
    shipped = {}
    for i in range(6):
        path = root / "melspecs" / "00" / f"{i}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        shipped[f"track_{i:02d}"] = rng.normal(-40, 10, (96, 100 + i)).astype(np.float32)
        np.save(path, shipped[f"track_{i:02d}"])
    tracks = mtg_jamendo.read(mels=True)
    store = frames.compute(tracks, StoredMel(), progress=False)
    for i, name in enumerate(tracks.table["track_id"]):
        own = store.values[store.offsets[i] : store.offsets[i + 1]]
        np.testing.assert_allclose(own, shipped[name].T, atol=0.05)
    assert len(frames.windows(store, 1.0)) == 6 * 2 and store.duration_s[0] == 100 * 256 / 12000
    np.save(root / "melspecs" / "00" / "2.npy", np.zeros((48, 100)))
    with pytest.raises(DataError, match=r"2.npy: expected 96 bands.*\(48, 100\)"):
        frames.compute(tracks, StoredMel(), progress=False)


@pytest.fixture
def matrix(jamendo, rng):
    _, _, truth = leaderboard.test_songs()
    np.save(jamendo / "mine.npy", 0.5 * truth + rng.random(truth.shape))
    return jamendo / "mine.npy"


def test_tracks_and_tags_are_read_in_the_official_order(jamendo):
    table, names, truth = leaderboard.test_songs()
    assert names == TAGS and list(table["track_id"]) == [f"track_{i:02d}" for i in range(60)]
    assert table["duration_s"].eq(200.5).all() and truth.shape == (60, 3)
    assert [set(np.array(TAGS)[row]) for row in truth] == list(map(set, table["tags"]))
    with pytest.raises(DataError, match="autotagging_moodtheme-train.tsv not found.*mtg-jamendo-dataset"):
        mtg_jamendo.annotations("train")


def test_named_matrices_are_put_in_order(matrix, jamendo, rng):
    table, names, _ = leaderboard.test_songs()
    values = np.load(matrix)
    rows, columns = rng.permutation(60), [2, 0, 1]
    shuffled = values[rows][:, columns]
    ids, tags = table["track_id"].to_numpy(dtype=str)[rows], [f"mood/theme---{names[c]}" for c in columns]
    np.savez(jamendo / "named.npz", track_id=ids, tags=tags, values=shuffled)
    pd.DataFrame(shuffled, index=ids, columns=tags).to_csv(jamendo / "named.csv")
    for name in ("named.npz", "named.csv"):
        np.testing.assert_allclose(leaderboard.matrix(str(jamendo / name)), values)


def test_matrices_that_cannot_be_scored_are_refused_with_the_reason(matrix, jamendo):
    np.save(jamendo / "turned.npy", np.load(matrix).T)
    with pytest.raises(DataError, match=r"shape \(3, 60\); the test set is 60 tracks by 3 tags"):
        leaderboard.matrix(str(jamendo / "turned.npy"))
    few = pd.DataFrame(np.zeros((60, 2)), index=[f"track_{i:02d}" for i in range(60)], columns=TAGS[:2])
    few.to_csv(jamendo / "few.csv")
    with pytest.raises(DataError, match="lacks 1 tags: sad"):
        leaderboard.matrix(str(jamendo / "few.csv"))
    with pytest.raises(DataError, match="neither a published system"):
        leaderboard.matrix("nothing")
    with pytest.raises(DataError, match="mer leaderboard --fetch"):
        leaderboard.matrix("mirable_ensemble")


def foreign(values: np.ndarray) -> dict[str, object]:
    """What a matrix may turn out to be, by the name of its file."""
    text = pd.DataFrame(values).to_csv()
    strings = np.full(values.shape, "many")
    return {
        **{"objects.npy": values.astype(object), "strings.npy": strings, "empty.npy": b"", "empty.npz": b""},
        **{
            "text.npy": text.encode(),
            "wide.csv": text.encode("utf-16"),
            "empty.csv": b"",
            "text.npz": b"PK\3\4",
        },
        "objects.npz": {"track_id": strings[:, 0], "tags": strings[0], "values": values.astype(object)},
        "strings.npz": {"track_id": strings[:, 0], "tags": strings[0], "values": strings},
    }


def test_what_is_no_matrix_is_refused_in_a_sentence(matrix, jamendo):
    for name, content in foreign(np.load(matrix)).items():
        path = jamendo / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, dict):
            np.savez(path, **content)
        else:
            np.save(path, content, allow_pickle=True)
        with pytest.raises(DataError, match=rf"{name}: holds no table of numbers .* Save numbers as CSV"):
            leaderboard.matrix(str(path))


def test_a_small_file_that_would_fill_the_memory_is_refused(jamendo, monkeypatch):
    np.savez_compressed(jamendo / "bomb.npz", track_id=["a"], tags=["b"], values=np.zeros((1000, 1000)))
    monkeypatch.setattr(sources, "MOST_BYTES", 7_000_000)
    with pytest.raises(DataError, match=r"bomb\.npz: would unpack to 0\.0 GB\. Store what is needed only"):
        leaderboard.matrix(str(jamendo / "bomb.npz"))


def test_changed_files_are_not_taken_for_the_published_ones(matrix, jamendo):
    path = leaderboard.published_path("mirable_ensemble")
    path.parent.mkdir(parents=True)
    path.write_bytes(matrix.read_bytes())
    with pytest.raises(DataError, match="another SHA-256"):
        leaderboard.matrix("mirable_ensemble")


def test_submissions_are_scored_with_intervals_and_compared_on_the_same_resamples(matrix, jamendo, rng):
    np.save(jamendo / "noise.npy", rng.random((60, 3)))
    mine, noise = str(matrix), str(jamendo / "noise.npy")
    systems = {"mine": (mine,), "noise": (noise,), "both": (mine, noise)}
    runs = {name: Submission(systems=own) for name, own in systems.items()}
    records = [record_of(run, "leaderboard", "cpu", name) for name, run in runs.items()]
    _, _, truth = leaderboard.test_songs()
    for record in records:
        row = results.value(record, name="pr_auc", target=MACRO, decision=SCORES)
        precision, _ = tag_metrics.ranking(truth, leaderboard.mean_of(tuple(record["config"]["systems"])))
        assert row["value"] == pytest.approx(precision.mean()) and row["low"] < row["value"] < row["high"]
    path = results.comparison_path("leaderboard", "cpu", own=True)
    results.write_comparison(path, leaderboard_comparison.compare({}, records))
    compared = results.comparison("leaderboard", "cpu", own=True)
    compared = compared[compared["name"] == "pr_auc"]
    scores = compared[compared["against"].isna()].set_index("label")["value"]
    pairs = compared[compared["against"].notna()].set_index(["label", "against"])
    assert len(pairs) == 3
    assert pairs.loc[("mine", "noise"), "value"] == pytest.approx(scores["mine"] - scores["noise"])
    assert pairs.loc[("mine", "noise"), "low"] > 0 and pairs.loc[("mine", "noise"), "p_holm"] < 0.05


def test_thresholds_from_other_artists_are_worth_less_than_those_from_the_test(matrix):
    rows = {(r["decision"], r["name"]): r["value"] for r in leaderboard.score((str(matrix),))}
    assert rows[leaderboard.OTHER_HALF, "f_score"] <= rows["thresholds_on_test", "f_score"]


@pytest.mark.real_data
def test_published_predictions_score_as_printed():
    """Mirable's ensemble and long-hpcp-noisy, to the last digit."""
    leaderboard.test_songs.cache_clear()
    _, _, truth = leaderboard.test_songs()
    ensemble, long_hpcp_noisy = (0.7687, 0.1357, 0.1978), (0.7614, 0.1235, 0.1833)
    for system, printed in (("mirable_ensemble", ensemble), ("mirable_long_hpcp_noisy", long_hpcp_noisy)):
        scores = leaderboard.matrix(system)
        precision, area = tag_metrics.ranking(truth, scores)
        called = tag_metrics.predicted_tags(scores, tag_metrics.best_thresholds(truth, scores))
        f_score = tag_metrics.decisions(truth, called)["f_score"]
        found = [measure.mean() for measure in (area, precision, f_score)]
        assert np.round(found, 4) == pytest.approx(printed)
