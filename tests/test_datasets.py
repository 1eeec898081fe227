import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import tone, write, write_text

from mer_core import datasets, paths
from mer_core.audio import decoding
from mer_core.audio.features import LogMel, log_mel
from mer_core.datasets import folder, panda4q, synthetic
from mer_core.datasets.tracks import DataError, Tracks
from mer_core.emotion import QUADRANTS


@pytest.fixture
def like_4q(tmp_path):
    """Eight short clips in the layout of 4Q, two artists with accents in Latin-1, one artist unknown."""
    rows = []
    for i in range(8):
        quadrant = f"Q{i % 4 + 1}"
        write(tmp_path / quadrant / f"MT{i:04d}.{'wav' if i % 2 else 'ogg'}", tone(200 + i, 1.0))
        rows.append(
            {
                "Song": f"MT{i:04d}",
                "Quadrant": quadrant,
                "Artist": ["Björk", "Café Tacvba"][i % 2] if i else None,
            }
        )
    table = pd.DataFrame(rows)
    table[["Song", "Quadrant"]].to_csv(tmp_path / panda4q.ANNOTATIONS, index=False, encoding="latin-1")
    table[["Song", "Artist"]].to_csv(tmp_path / panda4q.METADATA, index=False, encoding="latin-1")
    return tmp_path


def test_4q_as_distributed(like_4q):
    tracks = panda4q.read(like_4q)
    assert len(tracks) == 8 and tracks.classes == ("Q1", "Q2", "Q3", "Q4")
    assert set(tracks.groups) == {"Björk", "Café Tacvba", "MT0000"}
    assert tracks.table["duration_s"].between(0.99, 1.01).all()


def test_4q_joins_names_of_one_artist_and_artists_of_one_recording():
    (first, second), names = panda4q.SAME_RECORDING[0], panda4q.SAME_ACT[0]
    ids = [first, second, "a", "b", "c", "d", "e"]
    artists = ["Elmer", "Sam", "sam!", *names, "Alvin", "d"]
    act = panda4q.acts(pd.DataFrame({"track_id": ids, "group": artists})).tolist()
    assert len(set(act[:3])) == len(set(act[3:5])) == 1  # the third by spelling, and so by way of the second
    assert len(set(act)) == 4


def test_4q_missing_says_what_to_download_and_where_to_put_it(tmp_path):
    with pytest.raises(DataError, match="Q1.*not found.*Download.*MER_DATA"):
        panda4q.read(tmp_path / "4q")


@pytest.mark.parametrize("how", [{"encoding": "utf-16"}, {"header": False}])
def test_4q_tables_that_a_spreadsheet_saved_are_refused_by_name(like_4q, how):
    path = like_4q / panda4q.ANNOTATIONS
    pd.read_csv(path).to_csv(path, index=False, **how)
    with pytest.raises(DataError, match=f"{panda4q.ANNOTATIONS}: .* Unpack the data set again"):
        panda4q.read(like_4q)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    write_text(tmp_path / "a.csv", "path,label,Label\na.wav,happy,sad\n")
    with pytest.raises(DataError, match=r"a\.csv: has the column label twice\. Delete one"):
        folder.read(tmp_path / "a.csv")


def test_a_nul_character_in_a_table_is_refused_by_row(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"path,label\na.wav,ha\0ppy\nb.wav,sad\n")
    with pytest.raises(DataError, match=r"a\.csv: a NUL character in row 2\. Save a table as CSV in UTF-8"):
        folder.read(tmp_path / "a.csv")


def test_a_label_without_audio_and_audio_without_a_label_are_named(like_4q):
    (like_4q / "Q2" / "MT0001.wav").rename(like_4q / "Q2" / "MT0099.wav")
    with pytest.raises(DataError, match="no audio: MT0001"):
        panda4q.read(like_4q)
    write(like_4q / "Q2" / "MT0001.wav", tone(200, 1.0))
    with pytest.raises(DataError, match="no label: .*MT0099.wav"):
        panda4q.read(like_4q)


def test_a_clip_in_the_wrong_quadrant_is_named(like_4q):
    shutil.move(like_4q / "Q1" / "MT0000.ogg", like_4q / "Q3" / "MT0000.ogg")
    with pytest.raises(DataError, match="another quadrant.*MT0000"):
        panda4q.read(like_4q)


@pytest.mark.parametrize("content, reason", [(b"", "empty"), (b"this is text, not music", "is no sound")])
def test_unreadable_files_are_named_skipped_on_request_and_counted(like_4q, content, reason):
    bad = like_4q / "Q2" / "MT0001.wav"
    bad.write_bytes(content)
    with pytest.raises(DataError, match=f"MT0001.wav.*{reason}.*skip_unreadable"):
        panda4q.read(like_4q)
    tracks = panda4q.read(like_4q, skip_unreadable=True)
    assert len(tracks) == 7 and list(tracks.skipped) == [str(bad)]


def test_duplicate_ids_are_named(like_4q, tmp_path):
    write(like_4q / "Q3" / "MT0001.flac", tone(200, 1))
    with pytest.raises(DataError, match="share the id 'MT0001'"):
        panda4q.read(like_4q)
    (tmp_path / "my.csv").write_text("track_id,path,label\nx,Q2/MT0001.wav,a\nx,Q3/MT0001.flac,b\n")
    with pytest.raises(
        DataError, match=r"duplicate track ids x: .+ and .+ both have x\. Each clip needs its own"
    ):
        folder.read(tmp_path / "my.csv")


def test_equal_names_under_different_labels_are_different_clips(tmp_path):
    write(tmp_path / "happy" / "01.wav", tone(200, 1))
    write(tmp_path / "sad" / "01.wav", tone(200, 1))
    assert list(folder.read(tmp_path).table["track_id"]) == ["happy/01", "sad/01"]


def test_sound_that_cannot_be_decoded_is_not_passed_over_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "has_ffmpeg", lambda: False)
    write(tmp_path / "happy" / "a.wav", tone(200, 1))
    (tmp_path / "happy" / "b.m4a").write_bytes(b"....")
    with pytest.raises(DataError, match="b.m4a.*Install ffmpeg"):
        folder.read(tmp_path)


def test_unknown_labels_are_named(like_4q):
    path = like_4q / panda4q.ANNOTATIONS
    path.write_text(path.read_text().replace("MT0001,Q2", "MT0001,Q5"))
    shutil.move(like_4q / "Q2" / "MT0001.wav", write(like_4q / "Q5" / "MT0001.wav", tone(200, 1.0)))
    with pytest.raises(DataError, match=r"quadrant is not one of Q1, Q2, Q3, Q4 \('Q5'\) in row 3"):
        panda4q.read(like_4q)


def test_own_folders_and_own_csv_give_the_same_tracks(tmp_path):
    for i, label in enumerate(["happy", "happy", "dark", "dark"]):
        write(tmp_path / "music" / label / f"song {i % 2}.wav", tone(200, 1))
    by_folder = folder.read(tmp_path / "music")
    rows = [
        {"path": p.relative_to(tmp_path), "label": p.parent.name} for p in sorted(tmp_path.rglob("*.wav"))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "music.csv", index=False)
    by_csv = datasets.load(str(tmp_path / "music.csv"))
    pd.testing.assert_frame_equal(by_csv.table, by_folder.table, check_like=True)
    assert by_csv.classes == by_folder.classes == ("dark", "happy") and by_csv.own and by_folder.own


def two_albums(folder):
    """Two songs of the same name."""
    for album in ("albA", "albB"):
        write(folder / album / "01.wav", tone(200, 1))
    return folder / "my.csv"


def test_songs_of_the_same_name_from_two_albums_are_two_clips(tmp_path):
    two_albums(tmp_path).write_text("path,label\nalbA/01.wav,dark\nalbB/01.wav,bright\n")
    assert folder.read(tmp_path / "my.csv").table["track_id"].tolist() == ["albA/01", "albB/01"]


@pytest.mark.parametrize(
    "csv",
    [
        "path;label;group\nalbA/01.wav;NA;\nalbB/01.wav;None;x\n",
        "path\tlabel\tgroup\nalbA/01.wav\tNA\t\nalbB/01.wav\tNone\tx\n",
        '\ufeff"path",label,group\nalbA/01.wav,NA\nalbB/01.wav,None,x\n',
        "Path, Label , GROUP\r\nalbA/01.wav, NA ,\r\n\r\nalbB/01.wav,  None, x,,\r\n,,\r\n",
    ],
)
def test_a_csv_as_spreadsheets_write_it(tmp_path, csv):
    two_albums(tmp_path).write_text(csv, newline="", encoding="utf-8")
    table = folder.read(tmp_path / "my.csv").table
    assert table["label"].tolist() == ["NA", "None"] and table["group"].tolist() == ["albA/01", "x"]


def test_words_for_the_quadrants_are_the_quadrants_if_there_are_no_others(tmp_path):
    for label in ("Happy", "tense", "SAD", "calm"):
        write(tmp_path / label / "a.wav", tone(200, 1))
    tracks = folder.read(tmp_path)
    assert tracks.classes == QUADRANTS
    assert dict(zip(tracks.table["track_id"], tracks.table["label"], strict=True)) == {
        "Happy/a": "Q1", "tense/a": "Q2", "SAD/a": "Q3", "calm/a": "Q4"}  # fmt: skip
    shutil.rmtree(tmp_path / "calm")
    assert folder.read(tmp_path).classes == ("Q1", "Q2", "Q3")
    write(tmp_path / "dreamy" / "a.wav", tone(200, 1))
    assert folder.read(tmp_path).classes == ("Happy", "SAD", "dreamy", "tense")


@pytest.mark.parametrize(
    "csv, reason",
    [
        ("Path;mood\na.wav;sad\n", "no column label; the columns found are: path, mood"),
        ("path,label,tags\na.wav,sad,slow\n", "label and tags. Choose one"),
        ("path,label\n", "has no rows"),
        ("path,label\na.wav,sad\n", r"only one label was found \(sad\)"),
        ("path,label\na.wav,sad\n./a.wav,sad\n", r"a\.wav is listed in rows 2, 3\. Keep"),
        (
            "path,label\na.wav,sad\na.wav,calm\n",
            r"a\.wav is listed in rows 2, 3, with the label calm and sad\.",
        ),
        ("path,tags\na.wav,sad;slow\na.wav,calm\n", r"with the tags calm and sad;slow\."),
        (
            'path,label\n"a.wav,sad\nb.wav,calm\n',
            r"^[^\n]*line 3 cannot be read[^\n]*quotation mark not closed\?$",
        ),
        (
            'path,label\n"a.wav,sad\n"b.wav,calm\n',
            r"^[^\n]*line 3 cannot be read[^\n]*quotation mark not closed\?$",
        ),
        ("path,label\na.wav,sad, slow\n", "more cells than columns in row 2"),
        ("path,label\nnowhere.wav,sad\n", "do not exist"),
        ("path,label\n\na.wav,\n", "row 3"),
    ],
)
def test_a_csv_that_cannot_be_used_says_why(tmp_path, csv, reason):
    write(tmp_path / "a.wav", tone(200, 1))
    (tmp_path / "my.csv").write_text(csv)
    with pytest.raises(DataError, match=reason):
        folder.read(tmp_path / "my.csv")


def test_one_label_is_not_enough_and_loose_files_are_named(tmp_path):
    write(tmp_path / "happy" / "a.wav", tone(200, 1))
    with pytest.raises(DataError, match="needs two"):
        folder.read(tmp_path)
    write(tmp_path / "loose.wav", tone(200, 1))
    with pytest.raises(DataError, match="outside a label's folder"):
        folder.read(tmp_path)


def test_any_folder_is_music_without_labels(tmp_path):
    for name in ("a.wav", "deep/er/b.wav"):
        write(tmp_path / name, tone(440, 1.0))
    tracks = datasets.load(f"music:folder={tmp_path}")
    assert list(tracks.table["track_id"]) == ["a", "deep/er/b"] and tracks.classes == ("unlabelled",)
    with pytest.raises(DataError, match="is a folder"):
        datasets.load(f"music:folder={tmp_path}/gone")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DataError, match="synthetic, .*4q"):
        datasets.load("gtzan")


def test_samples_that_are_not_numbers_are_refused(tmp_path):
    broken = tone(200, 1.0)
    broken[100] = np.nan
    with pytest.raises(decoding.AudioError, match="not numbers"):
        decoding.read(write_float(tmp_path / "nan.wav", broken), 22050)


def write_float(path, samples):
    import soundfile

    soundfile.write(path, samples, 22050, subtype="FLOAT")
    return path


def test_channels_are_averaged_and_rates_converted(tmp_path):
    stereo = np.stack([tone(200, 1.0), -tone(200, 1.0)], axis=1)
    assert np.abs(decoding.read(write(tmp_path / "s.wav", stereo), 22050)).max() < 1e-3
    assert len(decoding.read(write(tmp_path / "r.wav", tone(200, 1.0), rate=44100), 22050)) == 22050 // 2


# the synthetic corpus: is it music with the cues it claims?


def test_the_corpus_is_the_same_every_time(tmp_path):
    small = synthetic.Corpus(n_songs=4, n_artists=2, song_s=4)
    for name in ("one", "two"):
        synthetic.make(small, tmp_path / name)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("drift", [0.0, 0.1, 0.25, 0.5])
def test_drift_is_the_share_of_seconds_that_depart(drift):
    corpus = synthetic.Corpus(song_s=20, drift=drift)
    for i in range(20):
        labels = synthetic.second_labels("Q2", corpus, np.random.default_rng(i))
        assert sum(label != "Q2" for label in labels) == round(20 * drift)


def test_high_arousal_sounds_louder_and_high_valence_is_major(rng):
    def level(quadrant):
        samples = synthetic.render(
            (quadrant,) * 6, np.random.default_rng(0), np.random.default_rng(0), spread=0.0
        )
        return 20 * np.log10(np.sqrt(np.mean(samples**2)))

    assert min(level("Q1"), level("Q2")) > max(level("Q3"), level("Q4")) + 3
    assert {q: synthetic.CUES[q].triad[1] for q in synthetic.CUES} == {"Q1": 4, "Q2": 3, "Q3": 3, "Q4": 4}


@pytest.mark.real_data
def test_4q_matches_its_card():
    tracks = datasets.load("4q")
    rows = datasets.check(tracks)
    assert rows and all(expected == found for _, expected, found in rows)
    assert tracks.table["duration_s"].sum() == pytest.approx(26_852.97, rel=0.005)  # of the original mp3s
    joined = {name for names in tracks.names_of_acts() for name in names}
    assert joined == {"Elmer Bernstein", "Sam Butera & the Witnesses", *sum(panda4q.SAME_ACT, ())}
    assert len(set(tracks.acts)) == 664 - 8 and set(sum(tracks.same_recording, ())) <= set(
        tracks.table["track_id"]
    )


@pytest.mark.real_data
def test_both_encodings_of_4q_sound_alike_but_for_a_constant_gain():
    originals = sorted((paths.data_root() / "4q_original_mp3").rglob("*.mp3"))
    assert len(originals) == 12
    settings = LogMel(n_mels=64, pool_frames=4)
    for mp3 in originals:
        opus = paths.data_root() / "4q" / mp3.parent.name / f"{mp3.stem}.opus"
        a, b = (
            log_mel(torch.from_numpy(decoding.read(path, 22050))[None], settings)[0].numpy()
            for path in (mp3, opus)
        )
        n = min(a.shape[1], b.shape[1])
        audible = a[:, :n] > a.max() - 50
        gain = (a[:, :n] - b[:, :n])[audible]
        assert abs(a.shape[1] - b.shape[1]) <= 1 and np.median(np.abs(gain - np.median(gain))) < 0.6


def tagged_table(tmp_path, tags):
    path = write(tmp_path / "a.wav", tone(440, 1.0))
    return pd.DataFrame(
        {
            "track_id": ["a", "b"],
            "path": path,
            "group": ["x", "y"],
            "duration_s": 1.0,
            "tags": tags,
            "part": "train",
        }
    )


def test_tracks_may_have_any_number_of_tags(tmp_path):
    tracks = Tracks("moods", ("calm", "sad"), tagged_table(tmp_path, [("sad", "calm"), ()]))
    assert tracks.tagged and tracks.targets.tolist() == [[True, True], [False, False]]
    assert tracks.named.value_counts().to_dict() == {"calm": 1, "sad": 1}
    other = Tracks("moods", ("calm", "sad"), tagged_table(tmp_path, [("sad",), ()]))
    assert other.digest() != tracks.digest()
    with pytest.raises(DataError, match="unknown labels happy"):
        Tracks("moods", ("calm", "sad"), tagged_table(tmp_path, [("happy",), ()]))


@pytest.mark.real_data
def test_moods_of_4q_are_the_frequent_words_and_no_artist_is_in_two_parts():
    tracks = datasets.load("4q_moods")
    assert len(tracks) == 850 and len(tracks.classes) == 54 and tracks.targets.sum(axis=0).min() >= 39
    parts = tracks.table.groupby("group")["part"].nunique()
    assert parts.max() == 1
    silent = datasets.load("4q_moods:untagged")
    half, other = (
        set(datasets.load(f"4q_moods:{name}").table["track_id"]) for name in ("half", "other_half")
    )
    assert half | other == set(tracks.table["track_id"]) and not half & other
    asked = tracks.table.loc[tracks.table["part"] != "train", "group"]
    assert (
        len(silent) == 43
        and not set(silent.table["group"]) & set(asked)
        and not silent.targets.any()
        and not set(silent.table["track_id"]) & set(tracks.table["track_id"])
    )


def test_a_folder_called_music_is_your_own(tmp_path, monkeypatch):
    for label in ("a", "b"):
        write(tmp_path / "music" / label / "1.wav", tone(440, 1))
    monkeypatch.chdir(tmp_path)
    assert datasets.load("music").own and datasets.from_anywhere("music") == str(tmp_path / "music")
    assert datasets.from_anywhere("music:folder=x") == "music:folder=x"
