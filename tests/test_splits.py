from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_core import datasets
from mer_core.datasets import splits, synthetic
from mer_core.datasets.splits import Folds
from mer_core.datasets.tracks import DataError


@pytest.fixture(scope="module")
def tracks():
    return synthetic.read(synthetic.Corpus(n_songs=24, n_artists=12, song_s=4))


@pytest.fixture(scope="module")
def of_acts(tracks):
    """The same tracks, every two artists of which are one act."""
    number = tracks.table["group"].str.removeprefix("artist").astype(int)
    return replace(tracks, table=tracks.table.assign(act=[f"act {n // 2}" for n in number]))


@pytest.mark.parametrize("by", splits.BY)
def test_no_song_is_on_both_sides_and_with_artists_no_artist(tracks, by):
    folds = Folds(n=3, by=by)
    fold = splits.outer(tracks, folds)
    for k in range(3):
        training, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        assert not set(tracks.table["track_id"][training]) & set(tracks.table["track_id"][test])
        inner = splits.inner(tracks, training, folds)
        sides = [(training, test)] + [
            (training[inner != j], training[inner == j]) for j in range(folds.inner)
        ]
        if by != "song":
            for a, b in sides:
                assert len(a) and len(b) and not set(tracks.groups[a]) & set(tracks.groups[b])


def test_every_song_is_tested_once_and_classes_stay_balanced(tracks):
    fold = splits.outer(tracks, Folds(n=3, by="song"))
    assert sorted(set(fold)) == [0, 1, 2]
    counts = np.array([np.bincount(tracks.targets[fold == k], minlength=4) for k in range(3)])
    assert np.all(counts == 2)


def test_folds_are_read_back_from_their_file(tracks, tmp_path):
    first = splits.outer(tracks, Folds(n=3), tmp_path)
    (path,) = tmp_path.glob("*.csv")
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([lines[0], *sorted(lines[1:], reverse=True)])
    )  # order in the file must not matter
    np.testing.assert_array_equal(splits.outer(tracks, Folds(n=3), tmp_path), first)
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match="song023"):
        splits.outer(tracks, Folds(n=3), tmp_path)


def test_a_stale_file_that_tears_an_artist_apart_is_refused(tracks, tmp_path):
    splits.outer(tracks, Folds(n=3, by="artist"), tmp_path)
    (path,) = tmp_path.glob("*.csv")
    lines = path.read_text().splitlines()
    lines[1] = lines[1][:-1] + str((int(lines[1][-1]) + 1) % 3)
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="artists on both sides: artist000"):
        splits.outer(tracks, Folds(n=3, by="artist"), tmp_path)


def test_acts_stay_whole_and_older_folds_stay_as_they_were(tracks, of_acts, tmp_path):
    def by(what, of):
        return splits.outer(of, Folds(n=3, by=what), tmp_path)

    before = by("artist", tracks)
    whole = by("act", of_acts)
    assert all(len(set(whole[of_acts.acts == act])) == 1 for act in set(of_acts.acts))
    np.testing.assert_array_equal(by("artist", of_acts), before)
    assert len(list(tmp_path.glob("*.csv"))) == 2  # files of their own
    assert of_acts.digest() == tracks.digest()
    training = np.flatnonzero(whole != 0)
    inner = splits.inner(of_acts, training, Folds(n=3, by="act"))
    assert not set(of_acts.acts[training[inner == 0]]) & set(of_acts.acts[training[inner == 1]])


def test_an_act_of_several_names_is_named(tracks, of_acts):
    assert of_acts.names_of_acts()[0] == ["artist000", "artist001"] and not tracks.names_of_acts()


def test_more_folds_than_songs_of_a_class_is_refused(tracks):
    with pytest.raises(DataError, match=r"at least 7 songs of every class, but Q1 has 6 .*use fewer folds"):
        splits.outer(tracks, Folds(n=7))


def test_a_class_of_one_song_is_named_and_fewer_folds_are_not_the_remedy(tracks):
    labels = np.array(["calm"] * 5 + ["wild"])
    with pytest.raises(DataError, match=r"but wild has 1 .*Add songs of it\.$"):
        splits.assign(labels, np.arange(6), 2, "song", 0)


@pytest.mark.real_data
@pytest.mark.parametrize("by, n", [("artist", 5), ("song", 10)])
def test_committed_folds_of_4q_are_disjoint(by, n, monkeypatch):
    from mer_core import paths

    tracks = datasets.load("4q")
    monkeypatch.setattr(paths, "SPLITS", paths.DATA / "splits")
    files = list(paths.SPLITS.glob(f"4q-{n}-folds-by-{by}-*.csv"))
    assert files, "the folds of 4Q are missing from data/splits"
    fold = splits.outer(tracks, Folds(n=n, by=by))
    assert np.bincount(fold).min() >= 900 / n * 0.9
    if by == "artist":
        assert all(len(set(fold[tracks.groups == g])) == 1 for g in set(tracks.groups))


def tagged(rng, n=120, n_artists=40):
    """Clips of artists, each with a few of four tags, one of them rare."""
    tags = [
        tuple(t for t, share in zip("abcd", (0.5, 0.4, 0.3, 0.15), strict=True) if rng.random() < share)
        for _ in range(n)
    ]
    ids = [f"t{i:03d}" for i in range(n)]
    return pd.DataFrame(
        {"track_id": ids, "tags": tags, "group": [f"artist {i % n_artists}" for i in range(n)]}
    )


def test_parts_keep_artists_whole_and_do_every_tag_justice(rng, tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "DIVISIONS", 500)
    table = tagged(rng)
    part = splits.parts("tagged", table, tuple("abcd"), tmp_path)
    assert set(part) == {"train", "validation", "test"}
    assert all(len(set(part[table["group"] == artist])) == 1 for artist in set(table["group"]))
    for tag in "abcd":
        has = table["tags"].map(lambda own, tag=tag: tag in own)
        assert (part[has] == "test").mean() > 0.1
    again = splits.parts("tagged", table.iloc[::-1], tuple("abcd"), tmp_path)
    assert (again[::-1] == part).all()  # read from the file
    with pytest.raises(DataError, match="lacks tracks of tagged: new"):
        splits.parts("tagged", table.assign(track_id="new"), tuple("abcd"), tmp_path)


def test_ids_are_read_back_as_they_are_written(tmp_path):
    ids = pd.Series(["NA", "007", "null", "caf\udce9", "a,b", 'a"b\nc'])
    for _ in range(2):  # made, then read
        assert splits._stored(tmp_path / "a.csv", "a", ids, "fold", lambda: np.arange(6)).tolist() == [
            *range(6)
        ]


def test_fewer_training_songs_are_drawn_evenly_from_those_of_the_fold(corpus):
    folds = Folds(n=2, by="artist", inner=0)
    every, tested, _ = splits.songs_of(corpus, folds, 0)
    drawn, same, _ = splits.songs_of(corpus, replace(folds, training_songs=4), 0)
    assert set(drawn) < set(every) and (same == tested).all()
    assert sorted(corpus.targets[drawn]) == [0, 1, 2, 3]
