"""Shared sounds and corpora: small, seeded, made by code."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from threadpoolctl import threadpool_limits

from mer_companion import folders
from mer_companion.book import pdf, promises
from mer_core import paths, trained_model
from mer_core.audio.features import LogMel
from mer_core.datasets import synthetic
from mer_core.device import THREAD_LIMITS
from mer_core.emotion import QUADRANTS
from mer_core.models import Network

RATE = 22050
REPORT = promises.path()  # of this checkout, whatever tests do with folders

# tests run side by side, each on one core: its libraries, and the processes that it starts
threadpool_limits(1)
os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))


def pytest_collection_modifyitems(config, items):
    """Deselect tests that need real data, or a browser, where there is none, and slow ones unless asked for,
    visibly in the closing line.
    """
    missing = {
        "real_data": "MER_DATA" not in os.environ,
        "browser": pdf.browser() is None,
        "slow": "slow" not in config.option.markexpr,
    }
    needing = [
        item for item in items if any(missing[name] and item.get_closest_marker(name) for name in missing)
    ]
    config.hook.pytest_deselected(items=needing)
    items[:] = [item for item in items if item not in needing]


def pytest_addoption(parser):
    parser.addoption("--report", action="store_true", help="Add what is run to data/results/tests.json.")


COUNTS: dict[str, Counter] = {}  # of each test file


def pytest_runtest_logreport(report):
    """Count outcomes, and the cases that a test says it has tried, by test file; slow tests apart."""
    name = Path(report.fspath).stem
    if name.startswith("test_") and (report.when == "call" or report.outcome != "passed"):
        kind = " (slow)" if "slow" in report.keywords else ""
        counted = COUNTS.setdefault(f"{name}{kind}", Counter())
        counted[report.outcome] += 1
        counted["cases"] += sum(value for name, value in report.user_properties if name == "cases")


def pytest_sessionfinish(session):
    if session.config.getoption("--report") and not hasattr(session.config, "workerinput"):
        rows = {name: {what: own[what] for what in promises.COUNTED} for name, own in COUNTS.items()}
        promises.add("files", rows, REPORT)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tone(hz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# what programs for tables do to a CSV file, none of which changes what it says
SPREADSHEETS = {
    "byte order mark and Windows line ends": lambda text: "\ufeff" + text.replace("\n", "\r\n"),
    "blanks after commas": lambda text: text.replace(",", " ,  ") + "\n\n",
    "another column": lambda text: "\n".join(
        line and line + (",x" if i else ",remark") for i, line in enumerate(text.split("\n"))
    ),
}


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """All derived files of a test run go to a folder of their own."""
    folder = tmp_path_factory.mktemp("data")
    patch = pytest.MonkeyPatch()
    patch.setattr(paths, "CACHE", folder / "cache")
    patch.setattr(paths, "SPLITS", folder / "splits")
    patch.setattr(folders, "RESULTS", folder / "results")
    yield folder
    patch.undo()


@pytest.fixture(scope="session")
def corpus():
    """Sixteen short songs by eight artists; the emotion of every second is known."""
    return synthetic.read(synthetic.Corpus(n_songs=16, n_artists=8, song_s=8, drift=0.25))


def untrained(classes=QUADRANTS, tagged=False):
    """A model of three networks that were never trained, and whose answers all the same differ from sound to
    sound.
    """
    torch.manual_seed(0)
    features, network = LogMel(n_mels=64, pool_frames=4), Network("vgg_slim")
    members = [trained_model.bare(network, features, len(classes)) for _ in range(3)]
    for member in members:
        member.mean.fill_(-40), member.deviation.fill_(15)
        member.network.head[-1].weight.data *= 300
    card = {"data": {"digest": "", "sounds": []}, "out_of_fold": None}
    return trained_model.assembled(
        members, 0.85, tagged, network=network, features=features, window_s=3.0, classes=classes, card=card
    )
