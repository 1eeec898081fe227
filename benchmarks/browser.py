"""A song of three minutes on the book's page that hears songs, beside `mer_core.predict` on the same file;
needs a built book.

    python -m benchmarks.browser [SONG]

Without a song, three minutes made by code, as mp3. A page's first song also waits for the networks to be
loaded.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import sync_playwright

from mer_companion.book import pdf, site
from mer_core import datasets
from mer_core.audio import decoding
from mer_core.predict import predict

ROUNDS = 3
SONG_S, RATE = 180, 44100
RESULT = ".own-song .result[data-windows]"


def made_by_code(folder: Path) -> Path:
    """Songs of the synthetic corpus, one after the other."""
    clips = [decoding.read(path, RATE) for path in datasets.load("synthetic").table["path"]]
    samples = np.resize(np.concatenate(clips), SONG_S * RATE)
    soundfile.write(folder / "song.mp3", np.stack([samples, samples], axis=1), RATE)
    return folder / "song.mp3"


def on_the_page(tab, song: Path) -> tuple[float, np.ndarray]:
    """Seconds from the drop to the answer, and the probabilities (n_windows, n_classes)."""
    began = time.perf_counter()
    tab.set_input_files(".own-song input", song)
    tab.wait_for_function("!document.querySelector('.own-song input').disabled", timeout=300_000)
    return time.perf_counter() - began, np.array(
        json.loads(tab.locator(RESULT).get_attribute("data-windows"))
    )


def in_python(song: Path) -> tuple[float, np.ndarray]:
    began = time.perf_counter()
    said = predict(song)
    return time.perf_counter() - began, said.timeline[list(said.probabilities)].to_numpy()


def main() -> None:
    if pdf.browser() is None or not (site.HTML / "try.html").exists():
        return print("left out: needs a Chromium and a built book (make book)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        song = Path(sys.argv[1]) if len(sys.argv) > 1 else made_by_code(Path(folder))
        browser = playwright.chromium.launch(executable_path=pdf.browser(), args=list(pdf.WITHOUT_A_SCREEN))
        in_python(song)  # warm: the model, first imports
        rounds = []
        for _ in range(ROUNDS):
            tab = browser.new_page()
            tab.goto((site.HTML / "try.html").as_uri())
            (first, here), (second, _), (python, there) = (
                on_the_page(tab, song),
                on_the_page(tab, song),
                in_python(song),
            )
            rounds.append((first, second, python))
            tab.close()
        browser.close()
    first, second, python = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"{len(here) + 2} s of music, medians of {ROUNDS} rounds")
    print(f"a page's first song {first:.1f} s, its next {second:.1f} s; next / Python: {second / python:.1f}")
    moved = np.abs(here.mean(axis=0) - there.mean(axis=0)).max()
    print(f"largest difference in probability: song {moved:.5f}, window {np.abs(here - there).max():.5f}")


if __name__ == "__main__":
    main()
