"""PMEmo, DEAM and EiM: small copies made here with the quirks of the real files, then the real files."""

import numpy as np
import pytest
from conftest import tone, write, write_text

from mer_core import datasets
from mer_core.datasets import deam, pmemo
from mer_core.datasets.tracks import DataError
from mer_core.emotion import quadrants


@pytest.fixture
def like_pmemo(tmp_path):
    """Three rated choruses and an unrated one (id 9): one artist in two spellings, one unknown, a comma
    within quotes.
    """
    write_text(
        tmp_path / pmemo.METADATA,
        "musicId,fileName,title,artist,album,duration,chorus_start_time,chorus_end_time\n"
        '1,1.mp3,One,Lady GaGa,"Vol. 1, live",32.1,00:01,00:33\n2,2.mp3,Two,Lady Gaga,B,20.0,00:01,00:21\n'
        "3,3.mp3,Three,,C,20.0,00:01,00:21\n9,9.mp3,Nine,Beyoncé,D,20.0,00:01,00:21\n",
    )
    write_text(
        tmp_path / pmemo.STATIC, "musicId,Arousal(mean),Valence(mean)\n1,0.9,0.5\n2,0.1,0.9\n3,0.2,0.4\n"
    )
    write_text(
        tmp_path / pmemo.DYNAMIC,
        "musicId,frameTime,Arousal(mean),Valence(mean)\n1,15.5,0.8,0.6\n1,16.0,,0.6\n",
    )
    write_text(
        tmp_path / pmemo.DYNAMIC_SD,
        "musicId,frameTime,Arousal(std),Valence(std)\n1,15.5,0.3,0.2\n1,16.0,0.3,0.2\n",
    )
    return tmp_path


@pytest.fixture
def like_deam(tmp_path):
    """Two songs of EiM, whose ratings DEAM exchanges, and two later ones: blanks after commas, tabs within
    quotes, empty sds.
    """
    header = "song_id, valence_mean, valence_std, arousal_mean, arousal_std\n"
    write_text(
        tmp_path / deam.STATIC[0], header + "2, 3.1, , 6, \n1000, 5, , 1.5, \n1001, 7, 0.9, 2.5, 1.1\n"
    )
    write_text(tmp_path / deam.STATIC[1], header + "2058, 2, , 8, \n")
    write_text(
        tmp_path / deam.SONGS,
        '"song_id","file_name","Artist","Song title","start","end","Genre","Mediaeval 2013 set"\n'
        '2,"\t2.mp3","My Bubba & Mi\t","\tNothing, Much\t","\t0.36\t","\t1.21\t","\tBlues\t","development"\n'
        '1000,"\t1000.mp3","\t","\tUntitled\t","\t0.36\t","\t1.21\t","\tRock\t","evaluation"\n',
    )
    write_text(tmp_path / deam.DYNAMIC[0], "song_id,sample_15000ms,sample_15500ms\n2,0.1,-0.2\n2058,0.3,\n")
    write_text(
        tmp_path / deam.DYNAMIC[1],
        "song_id,sample_15000ms,sample_15500ms,sample_100000ms\n2,0.5,0.6,\n2058,0.7,0.8,0.9\n",
    )
    return tmp_path


def test_pmemo_has_a_row_per_rating_and_an_artist_has_one_spelling(like_pmemo):
    songs = pmemo.annotations(like_pmemo)
    assert songs["track_id"].tolist() == ["1", "2", "3"] and songs["album"][0] == "Vol. 1, live"
    assert songs["group"].tolist() == ["ladygaga", "ladygaga", "song 3"]
    assert songs[["valence", "arousal", "duration_s"]].loc[0].tolist() == [0.5, 0.9, 32.1]


def test_pmemo_is_divided_at_the_midpoint_or_at_the_medians(like_pmemo):
    for name in ("1", "2", "3"):
        write(like_pmemo / "chorus" / f"{name}.wav", tone(440, 1))
    labels = {split: pmemo.read(like_pmemo, split=split).table["label"].tolist() for split in pmemo.SPLITS}
    assert labels == {"midpoint": ["Q1", "Q4", "Q3"], "median": ["Q1", "Q4", "Q2"]}  # medians 0.5 and 0.2
    assert pmemo.read(like_pmemo, split="median").name != pmemo.read(like_pmemo).name  # folds of their own
    with pytest.raises(DataError, match="midpoint or median, got 'mean'"):
        pmemo.read(like_pmemo, split="mean")


def test_pmemo_over_time_has_spreads_and_no_gaps(like_pmemo):
    assert pmemo.dynamic(like_pmemo).to_dict("records") == [
        {
            "track_id": "1",
            "second": 15.5,
            "valence": 0.6,
            "arousal": 0.8,
            "valence_sd": 0.2,
            "arousal_sd": 0.3,
        }
    ]


def test_pmemo_reads_rated_choruses_and_passes_over_unrated_ones(like_pmemo):
    for i in (1, 2, 3, 9):
        write(like_pmemo / "chorus" / f"{i}.mp3", tone(200, 1.0))
    tracks = pmemo.read(like_pmemo)
    assert tracks.name == "pmemo" and tracks.table["label"].tolist() == [
        "Q1",
        "Q4",
        "Q3",
    ]  # 0.5 counts as high
    assert tracks.table["duration_s"].between(0.9, 1.2).all()


def test_deam_puts_the_exchanged_columns_of_eim_right_and_only_those(like_deam):
    right, wrong = deam.annotations(like_deam), deam.annotations(like_deam, as_distributed=True)
    assert right["track_id"].tolist() == ["2", "1000", "1001", "2058"] and right["eim"].tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert wrong[["valence", "arousal"]].values.tolist() == [[3.1, 6], [5, 1.5], [7, 2.5], [2, 8]]
    assert right[["valence", "arousal"]].values.tolist() == [[6, 3.1], [1.5, 5], [7, 2.5], [2, 8]]


def test_deam_names_lose_their_tabs_and_unknown_artists_stand_alone(like_deam):
    songs = deam.annotations(like_deam)
    assert songs.loc[0, ["artist", "title", "genre"]].tolist() == ["My Bubba & Mi", "Nothing, Much", "Blues"]
    assert songs["artist"].isna().tolist() == [False, True, True, True]
    assert songs["group"].tolist() == ["mybubbami", "song 1000", "song 1001", "song 2058"]


def test_deam_over_time_keeps_moments_that_have_both_ratings(like_deam):
    rows = deam.dynamic(like_deam)
    assert rows.columns.tolist() == ["track_id", "second", "valence", "arousal"]
    assert rows.values.tolist() == [["2", 15.0, 0.1, 0.5], ["2", 15.5, -0.2, 0.6], ["2058", 15.0, 0.3, 0.7]]


@pytest.mark.parametrize("folder", deam.AUDIO_EIM)
def test_eim_is_the_early_part_of_deam_in_any_of_three_folders(like_deam, folder):
    for i in (2, 1000, 1001, 2058):
        write(like_deam / folder / f"{i}.mp3", tone(200, 1.0))
    tracks = deam.read_eim(like_deam)
    assert tracks.name == "eim" and dict(tracks.table[["track_id", "label"]].values) == {
        "2": "Q4",
        "1000": "Q2",
    }
    if folder in deam.AUDIO:
        assert deam.read(like_deam).table["track_id"].tolist() == ["1000", "1001", "2", "2058"]


@pytest.mark.parametrize(
    "read, what", [(pmemo.read, "metadata.csv"), (deam.read, "songs_info"), (deam.read_eim, "songs_info")]
)
def test_missing_files_are_named_with_where_to_get_and_put_them(tmp_path, read, what):
    with pytest.raises(DataError, match=f"{what}.* not found in .*Download.*{tmp_path}.*MER_DATA"):
        read(tmp_path)


def test_ratings_without_audio_say_how_many_where_and_what_to_do(like_pmemo):
    with pytest.raises(
        DataError, match="3 of 3 rated tracks have no audio: 1, 2, 3.*chorus below.*ID.mp3.*Download"
    ):
        pmemo.read(like_pmemo, audible_only=True)  # nothing to hear: no way to go on
    write(like_pmemo / "chorus" / "2.mp3", tone(200, 1.0))
    with pytest.raises(
        DataError, match="2 of 3 .*: 1, 3.*To go on with the 1 others, ask for it: audible_only"
    ):
        pmemo.read(like_pmemo)
    assert pmemo.read(like_pmemo, audible_only=True).table["track_id"].tolist() == ["2"]


def card_counts(labels, groups):
    counts = {"tracks": len(labels), "groups": groups.nunique()}
    return counts | {f"tracks labelled {q}": int((labels == q).sum()) for q in ("Q1", "Q2", "Q3", "Q4")}


@pytest.mark.real_data
def test_real_ratings_match_their_cards():
    rated = deam.annotations()
    for name, songs, scale in (
        ("pmemo", pmemo.annotations(), pmemo.SCALE),
        ("deam", rated, deam.STATIC_SCALE),
        ("eim", rated[rated["eim"]], deam.STATIC_SCALE),
    ):
        labels = quadrants(songs["valence"], songs["arousal"], scale.midpoint)
        assert card_counts(labels, songs["group"]) == datasets.card(name)["expected"]
        assert (
            songs["valence"].between(scale.low, scale.high).all()
            and songs["arousal"].between(scale.low, scale.high).all()
        )
        assert songs["track_id"].is_unique


@pytest.mark.real_data
def test_ratings_divided_at_their_medians_match_the_card():
    songs = pmemo.annotations()
    labels = quadrants(songs["valence"], songs["arousal"], pmemo.divided_at(songs, pmemo.MEDIAN))
    names, counts = np.unique(labels, return_counts=True)
    expected = datasets.card("pmemo")["at_medians"]
    assert {f"tracks labelled {name}": n for name, n in zip(names, counts, strict=True)} == expected


@pytest.mark.real_data
def test_four_choruses_have_audio_and_last_as_long_as_the_metadata_say():
    tracks = pmemo.read(audible_only=True).table
    told = pmemo.annotations().set_index("track_id")["duration_s"]
    assert len(tracks) >= 4 and (tracks["duration_s"] - tracks["track_id"].map(told)).abs().max() < 0.1


@pytest.mark.real_data
@pytest.mark.parametrize("part", [True, False], ids=["eim", "later songs"])
def test_ratings_of_whole_songs_follow_those_over_time_once_the_columns_are_right(part):
    over_time = deam.dynamic().groupby("track_id")[["valence", "arousal"]].mean().add_suffix("_over_time")

    def agreement(songs):
        r = songs[songs["eim"] == part].set_index("track_id")[["valence", "arousal"]].join(over_time).corr()
        return min(r.loc["valence", "valence_over_time"], r.loc["arousal", "arousal_over_time"])

    assert agreement(deam.annotations()) > 0.89
    assert (agreement(deam.annotations(as_distributed=True)) < 0.6) == part
