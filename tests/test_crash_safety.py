"""Runs that are killed at any moment, that find no room, or meet each other: what they leave is whole, and
the same command goes on to the same result.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import tone, untrained, write, write_text

from mer_companion import folders
from mer_companion.book import notebooks
from mer_core import paths, trained_model

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("MER_KILLS", "8"))  # of each command: 56 of all
PROGRAM = """
import sys
from pathlib import Path
from mer_companion import folders
here = Path.cwd()
folders.BOOK, folders.NOTEBOOKS = here / "book", here / "notebooks"
folders.EXECUTED = here / "book" / "executed"
if sys.argv[1] == "pages":
    from mer_companion.book import site, web_assets
    web_assets.fetch = lambda: None
    site.execute_notebooks("smoke") if sys.argv[2] == "execute" else site.build(here, strict=False)
else:
    if sys.argv[1] not in ("book", "pair"):  # which show the tracked records
        folders.RESULTS = here / "results"
    from mer_app.main import main
    main()
"""
NOTEBOOK = """# ---
# jupyter: {{}}
# ---
# %% [markdown]
# # Page {0}
# %% tags=["parameters"]
preset = "smoke"
# %% mystnb={{"figure": {{"name": "fig-{0}", "caption": "Values."}}, "image": {{"alt": "points"}}}}
import pandas as pd
from mer_companion.analysis import figures
rows = pd.DataFrame({{"label": ["a", "b"], "value": [0.5, 0.{0}], "low": 0.1, "high": 0.9}})
figures.intervals(rows, "share")
"""
FROM_SCRATCH = ("--from-scratch", "--preset", "smoke", "--set", "folds.n=2", "--set", "folds.by=song")
RECIPE = (*FROM_SCRATCH, "--set", "training.epochs=2", "--seed", "0", "--workers", "1", "--quiet")


class Place:
    """A folder with music, a cache and results of its own, made anew; runs are named by its path."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for i in range(4):
            write(folder / "music" / "low" / f"{i}.wav", tone(150 + 10 * i, 6, 0.05))
            write(folder / "music" / "high" / f"{i}.wav", tone(2000 + 300 * i, 6, 0.8))
        for path in (folder / "music").rglob("*.wav"):
            os.utime(path, (1e9, 1e9))
        trained_model.save(untrained(), folder / "m.safetensors")
        self.make_book()

    def make_book(self) -> None:
        """The book's own settings and style for a first page and two notebooks, not executed yet."""
        book = self.folder / "book"
        for name in ("_ext", "_style", "_templates"):
            shutil.copytree(folders.BOOK / name, book / name)
        for name, to in (("book/references.bib", "book"), ("_config.yml", "")):
            shutil.copy(paths.ROOT / name, self.folder / to)
        write_text(book / "index.md", "# A small book\n\nTwo pages follow.\n")
        pages = [{"file": f"executed/0{i}_page"} for i in (1, 2)]
        parts = {"format": "jb-book", "root": "index", "parts": [{"caption": "Pages", "chapters": pages}]}
        write_text(book / "_toc.yml", yaml.safe_dump(parts))
        for name in ("numbers", "behind"):
            write_text(book / "generated" / f"{name}.json", "{}")
        for i in (1, 2):
            write_text(source := self.folder / "notebooks" / f"0{i}_page.py", NOTEBOOK.format(i))
            notebooks.keep_unexecuted(source, book / "executed" / f"0{i}_page.ipynb")

    def start(self, *words: str, **further) -> subprocess.Popen:
        own = {"MER_CACHE": str(self.folder / "cache")}
        own["PYTHONPATH"] = os.pathsep.join([str(paths.ROOT), *sys.path])
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        command = [sys.executable, "-c", PROGRAM, *words]
        return subprocess.Popen(command, cwd=self.folder, env=os.environ | own | further, **pipes)

    def finish(self, *words: str, **further) -> tuple[int, str]:
        process = self.start(*words, **further)
        said, _ = process.communicate(timeout=900)
        return process.returncode, said


COMMANDS = {
    "features": ("features", "music", "--preset", "smoke"),
    "run": ("run", "segments_to_songs", "--preset", "smoke", "--only", "inherit", "--workers", "1"),
    "predict": ("predict", "music", "--model", "m.safetensors", "--csv", "out.csv", "--workers", "1"),
    "train": ("train", "music", "--out", "t.safetensors", *RECIPE),
    "evaluate": ("evaluate", "music", "--json", "out.json", *RECIPE),
    "notebooks": ("pages", "execute"),
    "book": ("pages", "build"),
}
PAGES = (".ipynb", ".html", ".svg", ".pdf", ".csv", ".txt", ".js", ".css")
MOUNTS = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount a disk"
)
TIMES = {"cost", "created", "date", "seconds", "environment", "provenance", "trained", "digest", "log"}


def without_times(content):
    """The same without what differs from run to run: how long it took, and when."""
    if isinstance(content, dict):
        kept = {key for key in content if not set(key.split("_")) & TIMES}
        return {key: without_times(content[key]) for key in kept}
    return [without_times(one) for one in content] if isinstance(content, list) else content


def results_of(place: Path) -> dict:
    """What a command has made, without times: tables, records, weights, frames."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        passing = path.suffix in (".lock", ".journal") or name.startswith(("music/", "cache/locks"))
        if passing or not path.is_file():
            continue
        if name.startswith(("_build/html/", "book/executed/")) and path.suffix in PAGES:
            found[name] = path.read_bytes()
            continue
        if path.suffix == ".json":
            found[name] = without_times(json.loads(path.read_text()))
        elif path.suffix == ".csv":
            table = pd.read_csv(path)
            found[name] = sorted(map(tuple, table.astype(str).to_numpy().tolist()))
        elif path.suffix == ".safetensors":
            found[name] = {key: value.tolist() for key, value in trained_model.kept(path).items()}
        elif "frames" in path.parts and path.suffix not in (".partial", ".memo"):  # a memo holds times
            found[name] = path.read_bytes()
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_killed_goes_on_to_the_same_result(name, tmp_path, record_property):
    record_property("cases", KILLS)
    place, moments = Place(tmp_path / "place"), random.Random(name)
    began = time.monotonic()
    status, said = place.finish(*COMMANDS[name])
    length = time.monotonic() - began
    assert status == 0, said
    expected, place = results_of(place.folder), Place(tmp_path / "place")
    for _ in range(KILLS):
        process = place.start(*COMMANDS[name])
        time.sleep(moments.uniform(0.2, 1.0) * length)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    status, said = place.finish(*COMMANDS[name])
    assert status == 0, said
    found = results_of(place.folder)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == value, key
    assert not list(place.folder.rglob("*.new"))


@MOUNTS
@pytest.mark.parametrize("name", ["predict", "evaluate", "train"])
def test_a_full_disk_is_told_of_and_harms_nothing(name, tmp_path):
    place = Place(tmp_path / "place")
    (place.folder / "cache").mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(place.folder / "cache")]
    if subprocess.run(mounted, check=False).returncode:
        pytest.skip("this container may not mount")
    try:
        (place.folder / "cache" / "filler").write_bytes(b"x" * 36_000)
        status, said = place.finish(*COMMANDS[name])
        assert "Traceback" not in said, said
        assert status == 0 or (status == 1 and ("room" in said or "space" in said)), said
    finally:
        subprocess.run(["umount", str(place.folder / "cache")], check=True)
    status, said = place.finish(*COMMANDS[name])
    assert status == 0, said


CLOSED = {  # the folder that takes nothing, of all or "", and the command
    "features": ("cache", COMMANDS["features"]),
    "run": ("cache", COMMANDS["run"]),
    "predict": ("", COMMANDS["predict"]),
    "predict --plot": ("", ("predict", "music", "--model", "m.safetensors", "--plot", "drawn")),
    "train": ("", COMMANDS["train"]),
    "evaluate": ("", COMMANDS["evaluate"]),
    "label-check": ("", ("label-check", "music", "--html", "page.html", *RECIPE)),
    "export": ("", ("export", "m.safetensors", "m.onnx")),
    "book": ("book", ("book", "--no-execute")),
    "notebooks": ("book", ("book", "--preset", "smoke")),
    "pair": ("notebooks", ("pair",)),
    "records": ("results", ("records", "compact")),
}


@MOUNTS
@pytest.mark.parametrize("name", CLOSED)
def test_a_folder_that_takes_nothing_is_told_of_and_harmed_in_nothing(name, tmp_path):
    place = Place(tmp_path / "place")
    where, command = CLOSED[name]
    closed = place.folder / where
    closed.mkdir(exist_ok=True)
    if subprocess.run(["mount", "--bind", closed, closed], check=False).returncode:
        pytest.skip("this container may not mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", closed], check=True)
        before = {path: path.read_bytes() for path in place.folder.rglob("*") if path.is_file()}
        elsewhere = {} if where == "cache" else {"MER_CACHE": str(tmp_path / "cache")}
        status, said = place.finish(*command, **elsewhere)
        assert status in (1, 2) and "Traceback" not in said, said  # 2: refused before any work
        assert "Read-only file system" in said or "cannot be written: nothing can be made" in said, said
        assert any(word in said for word in ("Check its", "hoose another place")), said  # the remedy
        assert {path: path.read_bytes() for path in before} == before
    finally:
        subprocess.run(["umount", closed], check=True)


@pytest.mark.parametrize("name", ["predict", "evaluate", "train"])
def test_two_at_once_do_not_meet(name, tmp_path):
    alone = Place(tmp_path / "place")
    assert alone.finish(*COMMANDS[name])[0] == 0
    expected, both = results_of(alone.folder), Place(tmp_path / "place")
    started = [both.start(*COMMANDS[name]) for _ in range(2)]
    ended = [(process, process.communicate(timeout=900)[0]) for process in started]
    for process, said in ended:
        assert "Traceback" not in said and (process.returncode == 0 or "another mer is writing" in said), said
    assert any(process.returncode == 0 for process, _ in ended)
    assert both.finish(*COMMANDS[name])[0] == 0
    assert results_of(both.folder) == expected


def test_a_closed_cache_is_told_of(tmp_path):
    place = Place(tmp_path / "place")
    (place.folder / "cache").write_text("a file where a folder should be")
    status, said = place.finish(*COMMANDS["evaluate"])
    assert status == 1 and "Traceback" not in said and "cache" in said


SAME = {
    "two workers": (("--workers", "2"), {}),
    "another hash seed": ((), {"PYTHONHASHSEED": "12345"}),
    "another locale": ((), {"LC_ALL": "C", "LANG": "tr_TR.UTF-8"}),
}


@pytest.mark.parametrize("how", SAME)
def test_the_record_does_not_depend_on_how_it_is_run(how, tmp_path):
    words, environment = SAME[how]
    command = [word for word in COMMANDS["run"] if word not in ("--workers", "1")]
    one = Place(tmp_path / "place")
    status, said = one.finish(*command, "--workers", "1", PYTHONHASHSEED="0")
    assert status == 0, said
    expected, other = results_of(one.folder / "results"), Place(tmp_path / "place")
    status, said = other.finish(*command, *(words or ("--workers", "1")), **environment)
    assert status == 0, said
    found = results_of(other.folder / "results")
    assert expected and found == expected


def test_the_order_of_files_does_not_matter(tmp_path):
    read = []
    for order in (0, 1):
        place = Place(tmp_path / "place")
        files = sorted((place.folder / "music").rglob("*.wav"))
        kept = {path: path.read_bytes() for path in files}
        shutil.rmtree(place.folder / "music")
        for path in random.Random(order).sample(files, len(files)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(kept[path])
        status, said = place.finish(*COMMANDS["evaluate"])
        assert status == 0, said
        read.append(without_times(json.loads((place.folder / "out.json").read_text())))
    assert read[0] == read[1]
