"""Growth: the table that ``python -m benchmarks.growth`` writes, its exponents, and a cost estimate.

No torch.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mer_companion import folders, provenance, results
from mer_companion.analysis import names
from mer_companion.analysis.markdown import page_of, version_of

TRACKS, HOURS = 55_000, 3_760  # of MTG-Jamendo (Bogdanov et al. 2019)
NOT_MEASURED = "not measured"
LINEAR = 1.3  # an exponent between two sizes above this is faster than linear, beyond errors of measurement
STAGES = {
    "features": "frames from sound files",
    "training": "an epoch and predictions",
    "scoring": "decisions, metrics and intervals",
    "runs": "comparing the runs of an experiment",
}
DIMENSIONS = {
    "songs": "songs", "seconds": "seconds of each song", "window": "seconds of a window (overlap)",
    "classes": "classes", "tags": "tags", "runs": "runs",
}  # fmt: skip


class Line(NamedTuple):
    """A power law c x^slope, fitted to logarithms, with the 95 % interval of its slope."""

    slope: float
    low: float
    high: float


def line(x, y) -> Line:
    """Fit a power law to three or more points.

    >>> line([1, 10, 100], [2, 20, 200]).slope
    1.0
    """
    u, v = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    fitted = stats.linregress(u, v)
    half = stats.t.ppf(0.975, len(u) - 2) * fitted.stderr
    slope = round(float(fitted.slope), 6)
    return Line(slope, slope - half, slope + half)


def extrapolated(x, y, to: float) -> tuple[float, float, float]:
    """A fixed cost and a cost for each x, taken to a larger x, with the 95 % prediction interval.

    >>> [round(end, 6) for end in extrapolated([1, 2, 3], [3, 5, 7], to=100)]
    [201.0, 201.0, 201.0]
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    fitted, n = stats.linregress(x, y), len(x)
    spread = np.sum((y - fitted.intercept - fitted.slope * x) ** 2) / (n - 2)
    distance = (to - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    half = stats.t.ppf(0.975, n - 2) * np.sqrt(spread * (1 + 1 / n + distance))
    middle = fitted.intercept + fitted.slope * to
    return float(middle), float(max(middle - half, 0.0)), float(middle + half)


def path() -> Path:
    return folders.RESULTS / "growth.json"


def write(rows: list[dict], to: Path) -> Path:
    """Write the table in place of the last one."""
    here = provenance.environment("cpu", 1) | {"processor": provenance.processor()}
    made = {"made": provenance.timestamp(), "code": provenance.code_state(), "environment": here}
    results.write_json(to, made | {"rows": rows})
    return to


def report() -> dict:
    return json.loads(path().read_text(encoding="utf-8"))


def table() -> pd.DataFrame:
    """Every measured point: stage, dimension, size, processor seconds, memory."""
    return pd.DataFrame(report()["rows"])


def exponents(rows: pd.DataFrame) -> pd.DataFrame:
    """The exponent of processor time and its interval, for each stage and dimension."""
    found = []
    for (stage, dimension), own in rows[rows["stage"].isin(STAGES)].groupby(
        ["stage", "dimension"], sort=False
    ):
        size = own["size"].astype(float)
        fit = line(size, own["cpu_s"])
        medians = own.groupby(size)["cpu_s"].median()
        (before, last), (earlier, largest) = medians.index[-2:], medians.iloc[-2:]
        row = {"stage": stage, "dimension": dimension, "from": int(size.min()), "to": int(size.max())}
        row |= {"points": len(own), "exponent": fit.slope, "low": fit.low, "high": fit.high}
        row["between_largest"] = float(np.log(largest / earlier) / np.log(last / before))
        found.append(row | {"cpu_s": largest, "peak_mb": own[size == size.max()]["peak_mb"].max()})
    return pd.DataFrame(found)


def finding(rows: pd.DataFrame) -> str:
    """The exponents of time against songs, in a sentence."""
    of_songs = exponents(rows).query("dimension == 'songs'")
    columns = zip(of_songs["stage"], of_songs["exponent"], of_songs["low"], of_songs["high"], strict=True)
    said = [f"{stage} {middle:.2f} ({low:.2f} to {high:.2f})" for stage, middle, low, high in columns]
    return f"Exponents against songs: {'; '.join(said)}."


def memory_ratio(rows: pd.DataFrame) -> float:
    """How much more memory the training on the most frames took than that on the fewest, by the frames added.

    What network and batch take is in both.
    """
    peaks = rows[rows["stage"] == "memory"].groupby("frames_mb")["peak_mb"].median().sort_index()
    return float((peaks.iloc[-1] - peaks.iloc[0]) / (peaks.index[-1] - peaks.index[0]))


def streaming(rows: pd.DataFrame) -> dict[str, float]:
    """Milliseconds of a batch: gathered in memory, read from disk, and trained on by the slim network."""
    own = rows[rows["stage"] == "streaming"]
    each = own.assign(ms=1000 * own["cpu_s"] / own["batches"], clock=1000 * own["clock_s"] / own["batches"])
    medians = each.groupby("size")[["ms", "clock"]].median()
    memory, disk, step = (medians["ms"][name] for name in ("memory", "disk", "network"))
    clock = medians["clock"]
    found = {"memory_ms": memory, "disk_ms": disk, "step_ms": step, "loss": (disk - memory) / step}
    return found | {"loss_clock": (clock["disk"] - clock["memory"]) / clock["network"]}


def front_ends(rows: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """Processor seconds of MTG-Jamendo's frames by each front end, from mp3 files."""
    own = rows[rows["stage"] == "front end"]
    return {name: extrapolated(of["hours"], of["cpu_s"], HOURS) for name, of in own.groupby("of", sort=False)}


def hours(value: tuple[float, float, float], cores: int) -> str:
    """Processor seconds, with the ends of an interval, as hours on so many cores."""
    middle, low, high = (spelt(one / 3600 / cores) for one in value)
    return f"{middle} ({low} to {high})"


def spelt(number: float) -> str:
    """Two significant digits.

    >>> spelt(0.0312), spelt(12.34), spelt(1234)
    ('0.031', '12', '1200')
    """
    rounded = float(f"{number:.2g}")
    return f"{rounded:.0f}" if rounded >= 10 else f"{rounded:g}"


def gigabytes(values: int, frames_per_second: float) -> float:
    """Of MTG-Jamendo's frames in a store, two bytes a number."""
    return 2 * values * frames_per_second * HOURS * 3600 / 1e9


def of_gpu(record: dict) -> dict:
    """An epoch on MTG-Jamendo at the pace of a record made on a GPU; the ends are those of its folds.

    A window for every second of music; an epoch of a fold had the windows of all songs but its own.
    """
    training, folds = record["config"]["training"], record["config"]["folds"]["n"]
    learned = record["data"]["n_windows"] * (1 - 1 / folds) * training["epochs"]
    spent = np.array(record["cost"]["seconds_per_fold"]) * HOURS * 3600 / learned
    cost = float(spent.mean()), float(spent.min()), float(spent.max())
    what = (
        f"an epoch of VGG16, every window, {names.label(record['label'])} ({record['environment']['device']})"
    )
    row = {"what": what, "hours on 2 cores": NOT_MEASURED, "on 32 cores": NOT_MEASURED}
    return row | {"on one GPU": hours(cost, 1), "disk, GB": ""}


def estimates(
    rows: pd.DataFrame, sizes: dict[str, tuple[int, float]], on_gpu: list[dict] | None = None
) -> list[dict]:
    """What MTG-Jamendo would cost: frames by each front end, and an epoch of the slim network.

    Parameters
    ----------
    sizes : numbers of a frame, and frames a second, of each front end
    on_gpu : records of VGG16 (`of_gpu`)
    """
    found = []
    for name, cost in front_ends(rows).items():
        row = {"what": f"frames, {name}", "hours on 2 cores": hours(cost, 2), "on 32 cores": hours(cost, 32)}
        found.append(row | {"on one GPU": NOT_MEASURED, "disk, GB": spelt(gigabytes(*sizes[name]))})
    own = rows[(rows["stage"] == "training") & (rows["dimension"] == "songs")]
    cost = extrapolated(own["windows"], own["cpu_s"], HOURS * 3600)
    row = {"what": "an epoch of the slim network, every third window", "hours on 2 cores": hours(cost, 2)}
    found.append(row | {"on 32 cores": hours(cost, 32), "on one GPU": NOT_MEASURED, "disk, GB": ""})
    return found + [of_gpu(record) for record in on_gpu or ()]


def shown_exponent(row: pd.Series) -> dict:
    return {
        "stage": STAGES[row["stage"]],
        "grows with": DIMENSIONS[row["dimension"]],
        "sizes": f"{row['from']} to {row['to']}",
        "measurements": row["points"],
        "exponent of time": f"{row['exponent']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
        "between the two largest": f"{row['between_largest']:.2f}",
        "seconds at the largest": f"{row['cpu_s']:.3g}",
        "memory there, MB": f"{row['peak_mb']:.0f}",
    }


def page(sizes: dict[str, tuple[int, float]], on_gpu: list[dict] | None = None) -> str:
    """The exponents, the memory, the streaming and the estimate in Markdown."""
    if not path().exists():
        return "None yet.\n"
    made, rows = report(), table()
    flow = streaming(rows)
    memory = [
        {
            "what": "bytes of memory for each byte of frames",
            "here": f"{memory_ratio(rows):.2f}",
        },
        {"what": "a batch gathered from pages in memory, ms", "here": f"{flow['memory_ms']:.2f}"},
        {"what": "the same, its pages read from disk, ms", "here": f"{flow['disk_ms']:.2f}"},
        {"what": "a training step on the batch, ms", "here": f"{flow['step_ms']:.0f}"},
        {"what": "loss of speed by reading from disk, processor time", "here": f"{100 * flow['loss']:.2g} %"},
        {"what": "the same by elapsed time", "here": f"{100 * flow['loss_clock']:.2g} %"},
    ]
    here = made["environment"]
    machine = {"made": made["made"], "commit": version_of(made["code"])}
    machine |= {name: here[name] for name in ("processor", "cores", "python", "torch", "numpy")}
    return page_of(
        {
            "Exponents": [shown_exponent(row) for _, row in exponents(rows).iterrows()],
            "Memory, and frames that do not fit": memory,
            "MTG-Jamendo": estimates(rows, sizes, on_gpu),
            "The machine": [{"what": what, "here": value} for what, value in machine.items()],
        }
    )
