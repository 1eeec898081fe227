import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mer_companion import folders, results
from mer_core import UserError, files, paths
from mer_core.files import atomic_write


def test_a_file_appears_whole_in_a_folder_that_is_made_for_it(tmp_path):
    path = tmp_path / "new" / "folder" / "m.npz"
    with atomic_write(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, n=np.arange(3))
        assert not path.exists()
    assert np.load(path)["n"].tolist() == [0, 1, 2] and [one.name for one in path.parent.iterdir()] == [
        "m.npz"
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path, error):
    path = tmp_path / "m.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as fresh:
        fresh.write_text("half")
        raise error
    assert path.read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["m.txt"]


def test_files_of_one_stem_and_writers_of_one_file_do_not_meet(tmp_path, monkeypatch):
    with (
        atomic_write(tmp_path / "m.onnx") as one,
        atomic_write(tmp_path / "m.safetensors") as other,
        monkeypatch.context() as patch,
    ):
        patch.setattr(os, "getpid", lambda: 0)
        with atomic_write(tmp_path / "m.onnx") as elsewhere:
            assert len({one, other, elsewhere}) == 3
            for path in (one, other, elsewhere):
                path.write_text(path.name)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["m.onnx", "m.safetensors"]
    assert not one.match("*.onnx")  # who lists the files of a folder meets finished ones only


def test_threads_that_write_one_file_at_once_do_not_meet(tmp_path):
    def write(i):
        with atomic_write(tmp_path / "m.txt") as fresh:
            fresh.write_text(str(i))
            together.wait()

    together = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [one.name for one in tmp_path.iterdir()] == ["m.txt"]


def test_what_a_killed_process_left_goes_with_the_next_file_and_nothing_else_does(tmp_path, monkeypatch):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    kept = [f"m.txt.elsewhere-{dead.pid}-0.new", f"m.txt.{files.machine()}-{os.getppid()}-0.new", "song.new"]
    for name in [f"m.txt.{files.machine()}-{dead.pid}-0.new", *kept]:
        (tmp_path / name).write_text("half")
    files.sweep.cache_clear()
    with atomic_write(tmp_path / "other.txt") as fresh:
        fresh.write_text("whole")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([*kept, "other.txt"])


def test_an_error_about_another_file_is_not_one_about_this(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"), atomic_write(tmp_path / "m.txt"):
        (tmp_path / "gone").read_text()


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    with atomic_write(tmp_path / ("é" * 127)) as fresh:
        fresh.write_text("said")
    assert [len(os.fsencode(one.name)) for one in tmp_path.iterdir()] == [254]


def test_where_nothing_can_be_written_is_said_in_a_line(tmp_path):
    (tmp_path / "taken").write_text("a file")
    for path in (tmp_path / "taken" / "m.txt", tmp_path):
        with (
            pytest.raises(
                UserError,
                match=rf"^{path}: cannot be written \(.+\)\. Make room there, or choose another place\.$",
            ),
            atomic_write(path) as fresh,
        ):
            fresh.write_text("never")
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    for path in (tmp_path / "link", tmp_path / "pipe"):
        if path.name == "pipe":
            os.mkfifo(path)
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with atomic_write(path) as fresh:
            fresh.write_text("said")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "away").read_text() == "said"
    assert os.read(reader, 9) == b"said" and (tmp_path / "pipe").is_fifo()
    os.close(reader)


def test_the_cache_lies_where_it_is_said_to_or_where_something_can_be_written(tmp_path, monkeypatch):
    closed = tmp_path / "file"  # below which there is no folder
    closed.write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MER_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert paths.is_writable(tmp_path / "new" / "er") and not paths.is_writable(closed / "new")
    monkeypatch.setattr(paths, "DATA", tmp_path)
    assert paths.cache_root() == tmp_path / "cache"
    monkeypatch.setattr(paths, "DATA", closed)
    assert paths.cache_root() == tmp_path / "xdg" / "mer"
    monkeypatch.setenv("XDG_CACHE_HOME", str(closed))
    own = paths.cache_root()
    assert own == paths.cache_root() == tmp_path / f"mer-{os.getuid()}" and own.stat().st_mode & 0o077 == 0
    own.rmdir()
    own.symlink_to(tmp_path)  # somebody else's trap
    assert paths.cache_root() not in (own, tmp_path) and paths.cache_root().parent == tmp_path
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "mine"))
    assert paths.cache_root() == tmp_path / "mine"


def test_without_a_home_libraries_keep_what_they_compile_in_the_cache(tmp_path):
    code = "import mer_core, os; print(os.environ.get('NUMBA_CACHE_DIR'), os.environ.get('MPLCONFIGDIR'))"
    words = {"MER_CACHE": str(tmp_path), "PYTHONPATH": str(paths.ROOT)}
    for home, expected in ((tmp_path, [None, None]), (Path("/dev/null"), ["numba", "matplotlib"])):
        run = subprocess.run(
            [sys.executable, "-c", code], env=words | {"HOME": str(home)}, capture_output=True, text=True
        )
        assert run.stdout.split() == [str(tmp_path / name) if name else "None" for name in expected]


def test_records_that_are_not_tracked_go_to_the_cache_of_a_closed_installation(tmp_path, monkeypatch):
    assert results.folder("cpu", own=True) == folders.RESULTS / "own" / "cpu"
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(folders, "RESULTS", tmp_path / "file")
    assert results.folder("cpu", own=True) == paths.CACHE / "results" / "own" / "cpu"
    assert results.folder("smoke") == paths.CACHE / "results" / "smoke"
    assert results.folder("cpu") == tmp_path / "file" / "cpu"  # those that ship are read where they are
