"""The parts of the page on scale that are generated: engines, growth, and a GPU where one was measured."""

from mer_companion import provenance
from mer_companion.analysis import cluster, figures, gpu, growth
from mer_companion.book.numbers import recorded_or_none
from mer_companion.experiments.presets import MIRABLE, OWN_MUSIC, SSSL
from mer_core.audio.features import WindowFeatures

FRONT_ENDS = {
    "SSSL, paper": SSSL["paper"].features,
    "SSSL, cpu": SSSL["cpu"].features,
    "Mirable, paper": MIRABLE["paper"].features,
    "MusiCNN": OWN_MUSIC["cpu"].features,
}


def sizes() -> dict[str, tuple[int, float]]:
    """Numbers of a frame as stored, and frames a second, of each front end."""
    found = {}
    for name, features in FRONT_ENDS.items():
        store = features.stores[0] if isinstance(features, WindowFeatures) else features
        found[name] = (store.n_values, store.frames_per_second)
    return found


def pages() -> dict[str, str]:
    """The generated parts by file name."""
    on_gpu = [record for record in recorded_or_none("paper_network", "paper") if provenance.on_gpu(record)]
    return {"cluster.md": cluster.page(), "growth.md": growth.page(sizes(), on_gpu), "gpu.md": gpu.page()}


def figure_files() -> dict[str, str]:
    """The files of the figure on time and memory, by MIME type."""
    rows = growth.table()
    return figures.files_of(figures.growth(rows), rows, growth.finding(rows))
