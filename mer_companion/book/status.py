"""What has been run: the records behind each page, their cost, and a table of all experiments and records."""

import pandas as pd

from mer_companion import experiments, provenance
from mer_companion.analysis import names
from mer_companion.analysis.markdown import version_of
from mer_companion.book.numbers import recorded_at, recorded_or_none

SHOWN_BY = {  # notebook: the experiments whose records its page shows
    "01_segments_to_songs": ["segments_to_songs"],
    "02_durations": ["durations"],
    "03_baselines": ["baselines"],
    "04_ablations": [
        "strong_ablations",
        "ablations",
        "attempts",
        "learning_curves",
        "sensitivity",
        "song_decision",
    ],
    "05_alternatives": ["alternatives"],
    "06_try_the_code": [],
    "08_song_decision": ["song_decision"],
    "09_wrong_labels": ["drift", "known_noise", "annotation_noise"],
    "10_audit": [],
    "11_timelines": ["segments_to_songs", "elsewhere"],
    "12_elsewhere": ["elsewhere"],
    "13_beyond": ["beyond", "handcrafted"],
    "14_front_end": ["front_end"],
    "15_verdicts": [],
    "16_leaderboard": ["leaderboard", "mirable_as_released", "selab_as_released"],
    "17_mirable": [
        "harmony",
        "harmony_on_quadrants",
        "long_or_short",
        "tags_pretrained",
        "noisy_student",
        "half_the_labels",
        "long_and_short",
    ],
    "20_selab": ["networks_that_teach", "image_networks", "known_noise"],
    "23_paper_network": ["paper_network", "memorisation"],
    "24_hear": ["drift"],
    "25_your_song": ["loudness", "fewer_songs", "pretrained_heads"],
    "26_noise_map": [
        "noise_map",
        "noise_confirmed",
        "noise_tenth",
        "noise_features",
        "memorising_head",
        "fine_tuning",
        "strong_features",
    ],
    "27_literature": ["literature"],
    "28_collections": ["collections", "across_collections"],
    "29_emotify": ["shares"],
    "30_listeners": ["listeners_vgmidi", "listeners_emotify"],
    "31_open_questions": ["strong_sensitivity", "sensitivity", "two_outputs", "ten_folds"],
}


def behind_pages() -> dict[str, list[dict]]:
    """For every page of a notebook the experiments whose records it shows: command, runs, cost, commits."""
    recorded = {name: recorded_or_none(name) for name in experiments.EXPERIMENTS}
    return {
        f"executed/{notebook}": [
            {
                "command": f"mer run {name} --preset {recorded_at(name)}",
                "runs": len(records),
                "cost": cost(records),
                "commits": sorted({r["code"]["commit"][:7] for r in records if r["code"]["commit"]}),
            }
            for name in names
            if (records := recorded[name])
        ]
        for notebook, names in SHOWN_BY.items()
    }


def experiments_table() -> pd.DataFrame:
    """One row per experiment: question, what it feeds, command, number of records, cost."""
    rows = []
    for name, experiment in experiments.EXPERIMENTS.items():
        made, preset = recorded_or_none(name), recorded_at(name)
        row = {
            "question": experiment.question,
            "what for": experiment.feeds,
            "command": f"`mer run {name} --preset {preset}`",
            "runs recorded": f"{len(made)} of {len(experiments.jobs(name, preset))}",
            "cost": cost(made),
            "at the paper preset": run_at_paper(name) if "paper" in experiment.presets else "does not apply",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def cost(records: list[dict]) -> str:
    """What these records took: minutes of a core, of a GPU, or of both, where some were made on each."""
    spent: dict[str, float] = {}
    for record in records:
        unit = "GPU-minutes" if provenance.on_gpu(record) else "core-minutes"
        spent[unit] = spent.get(unit, 0.0) + record["cost"]["core_minutes"]
    return ", ".join(f"{minutes:,.0f} {unit}" for unit, minutes in sorted(spent.items(), reverse=True))


def run_at_paper(name: str) -> str:
    """Whether an experiment has been run as printed, which needs a GPU."""
    made = recorded_or_none(name, "paper")
    return f"{len(made)} of {len(experiments.jobs(name, 'paper'))} runs" if made else "not run"


def status_table() -> pd.DataFrame:
    """One row per record of the tracked presets: what was run, when, on what, at what cost, by which code."""
    rows = []
    tracked = [
        (preset, name)
        for preset in ("cpu", "paper")
        for name, experiment in experiments.EXPERIMENTS.items()
        if preset in experiment.presets
    ]
    for preset, name in tracked:
        for r in recorded_or_none(name, preset):
            machine = f"{r['environment']['device']}, torch {r['environment']['torch']}"
            row = {
                "experiment": f"`{name}`",
                "run": names.label(r["label"]),
                "seed": r["config"]["seed"],
                "preset": preset,
                "made": r["created"][:10],
                "songs": r["data"]["n_tested"],
                "audio": " ".join(r["data"]["audio"]),
                "core-minutes": round(r["cost"]["core_minutes"], 1),
                "machine": machine,
                "commit": f"`{version_of(r['code'])}`",
                "record": f"`{r['run_id']}`",
            }
            rows.append(row)
    return pd.DataFrame(rows)
