import pytest
from click.testing import CliRunner
from conftest import tone, write

from mer_core import cli


def mer(*words):
    return CliRunner().invoke(cli.main, words)


def test_help_tells_a_newcomer_what_to_do_first():
    answer = mer("--help")
    assert answer.exit_code == 0 and "First things to try" in answer.output and "mer book" in answer.output


def test_data_checks_a_data_set_against_its_card():
    answer = mer("data", "synthetic")
    assert answer.exit_code == 0 and "48 tracks" in answer.output and "WRONG" not in answer.output


def test_errors_are_one_readable_line(tmp_path):
    answer = mer("data", "nowhere")
    assert answer.exit_code == 1 and answer.output.startswith("Error: 'nowhere' is neither") and "Traceback" not in answer.output


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
    assert list(range(5))[cli.shard_of(shard, 5)] == expected


@pytest.mark.parametrize("shard", ["0/2", "3/2", "two"])
def test_a_shard_that_makes_no_sense_is_refused(shard):
    assert mer("run", "segments_to_songs", "--shard", shard).exit_code == 2
