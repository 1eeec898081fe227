"""From records and notebooks to the published book: execute, write what pages quote, build strictly.

Everything written here lies under ``book/executed`` and ``book/generated`` and can be made again at any time.
"""

import itertools
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import yaml
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from mer_companion import experiments, folders, provenance, results
from mer_companion.analysis import claims, clean_probability, figures, speed, tables
from mer_companion.book import browser_model, notebooks, pdf, web_assets
from mer_companion.experiments import kinds
from mer_companion.reproduction import report, retraining
from mer_companion.runs import tag_scoring
from mer_core import UserError, datasets, paths, trained_model
from mer_core.device import cores, threads_of_children
from mer_core.evaluation import metrics
from mer_core.progress import progress_bar

GENERATED = folders.BOOK / "generated"
HTML = paths.ROOT / "_build" / "html"


class BookError(UserError):
    """A book that must not be published; the message says what is wrong."""


def execute_notebooks(preset: str, only: tuple[str, ...] = (), **values) -> None:
    """Run the text notebooks at a preset, with further parameters, side by side; the executed ones become
    pages of the book.

    Those that were executed before from the same source, parameters, code, records and libraries are left as
    they are. Of those that are not asked for, the ones that never were executed are: a book has all its
    pages.

    Raises
    ------
    NotebookError : an unknown notebook, or a cell that failed
    """
    by_name = {source.stem: source for source in notebooks.sources()}
    if unknown := set(only) - set(by_name):
        raise notebooks.NotebookError(f"no notebook {sorted(unknown)}; there are {sorted(by_name)}")
    targets = {name: folders.EXECUTED / f"{name}.ipynb" for name in by_name}
    asked = {
        name: {"preset": preset, **(values if name in only or not only else {})}
        for name in by_name
        if name in only or not only or not targets[name].exists()
    }
    stale = [
        name for name, own in asked.items() if not notebooks.up_to_date(by_name[name], targets[name], **own)
    ]
    workers = min(cores(), max(1, len(stale)))
    spawn = multiprocessing.get_context("spawn")
    with (
        threads_of_children(max(1, cores() // workers)),
        ProcessPoolExecutor(workers, spawn) as executor,
        progress_bar(
            total=len(asked), initial=len(asked) - len(stale), desc="notebooks", unit="notebook"
        ) as bar,
    ):
        try:
            begun = [
                executor.submit(notebooks.execute, by_name[name], targets[name], **asked[name])
                for name in stale
            ]
            for done in as_completed(begun):
                done.result()
                bar.update()
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


def numbers() -> dict[str, float | int | str]:
    """Every number that a page may quote, by key, computed from records and from what the papers print.

    Metrics have the key ``experiment/label/target/decision/metric``; differences from the reference run
    ``experiment/label/difference/target/decision``, which is that in accuracy, and with ``/metric`` behind it
    those in others; a label with several references has ``difference_from_reference`` in place of
    ``difference``. With ``/low`` and ``/high`` behind it, the ends of the 95 % interval, with ``/p`` the
    p-value. All are means over seeds. What else there is: see the functions called here."""
    found: dict[str, float | int | str] = {}
    found |= rated(recorded_or_none("annotation_noise"))
    found |= figure_2(headline_runs := recorded_or_none("segments_to_songs")) | on_two_folds(headline_runs)
    found |= lowest_run(recorded_or_none("networks_that_teach")) | kept_by_peers(
        recorded_or_none("known_noise")
    )
    found |= of_model(trained_model.shipped().card)
    found |= first_fold(recorded_or_none("beyond")) | heard_departures(recorded_or_none("drift"))
    for name in experiments.EXPERIMENTS:
        if name != "annotation_noise" and (records := recorded_or_none(name)):
            found |= scored(name, results.comparison(name, recorded_at(name))) | found_wrong_labels(
                name, records
            )
            for label in {record["label"] for record in records}:
                cost = [record["cost"]["core_minutes"] for record in records if record["label"] == label]
                found |= {
                    f"{name}/{label}/core_minutes": sum(cost) / len(cost),
                    f"{name}/{label}/seeds": len(cost),
                }
    for paper, of_paper in (
        ("sssl", experiments.sssl.EXPERIMENTS),
        ("mediaeval", experiments.mediaeval.EXPERIMENTS),
    ):
        made = [record for name in of_paper for record in recorded_or_none(name)]
        found[f"budget/{paper}/core_hours"] = budget(
            [record for record in made if not provenance.on_gpu(record)]
        )
        found[f"budget/{paper}/gpu_hours"] = budget([record for record in made if provenance.on_gpu(record)])
    for row in tables.published().itertuples():
        found[f"published/{row.paper}/{row.table}/{row.dataset}/{row.system}/{row.metric}"] = row.value / 100
    return found


def of_model(card: dict) -> dict[str, float | int]:
    """What is known of the model that ships: its recipe's scores and calibration on songs that its networks
    had not heard.
    """
    known, level = card["out_of_fold"], card["level"]
    found = {"model/songs": known["n"], "model/temperature": known["temperature"]}
    found |= {f"model/level/{name}": value for name, value in level.items()}
    found["model/gain_db"] = card["settings"]["method"]["gain_db"]
    scores = {f"model/{name}": row for name, row in known["scores"].items()}
    for dimension in ("valence", "arousal"):
        scores[f"model/{dimension}/accuracy"] = known[dimension]["scores"]["accuracy"]
        scores[f"model/{dimension}/calibration_error"] = known[dimension]["calibration"]["after"][
            "calibration_error"
        ]
    scores |= {
        f"model/calibration_error/{when}": known["calibration"][when]["calibration_error"]
        for when in ("before", "after")
    }
    scores["model/calibration_error/windows"] = known["calibration"]["error_of_windows"]
    scores["model/surprise_saved"] = known["calibration"]["surprise_saved"]
    for key, row in scores.items():
        found |= {key: row["value"], f"{key}/low": row["low"], f"{key}/high": row["high"]}
    return found


def lowest_run(records: list[dict]) -> dict[str, float]:
    """The ROC-AUC of the worst training run of each label: a run at a half never learned."""
    found: dict[str, float] = {}
    for record in records:
        row = results.value(
            record, name="roc_auc", target=tag_scoring.MACRO, decision=tag_scoring.SCORES, part="test"
        )
        key = f"{record['experiment']}/{record['label']}/lowest_roc_auc"
        found[key] = min(row["value"], found.get(key, 1.0))
    return found


def kept_by_peers(records: list[dict]) -> dict[str, float]:
    """Share of right labels among the windows that co-teaching keeps in its last epoch, mean over folds."""
    found = {}
    for record in (r for r in records if r["config"]["method"]["name"] == "co_teaching"):
        shares = [log[-1]["truly_clean_in_clean_set"] for log in record["log"]]
        found[f"{record['experiment']}/{record['label']}/windows/kept/truly_clean"] = float(np.mean(shares))
    return found


def heard_departures(records: list[dict], label: str = "inherit_20") -> dict[str, float]:
    """How well a mixture over unheard songs tells the windows that depart from their label, in a label's
    first training run.
    """
    found = {}
    for record in (r for r in records if r["label"] == label and r["config"]["seed"] == 0):
        rows = clean_probability.judged(record, datasets.load(record["config"]["dataset"]))
        auc = metrics.roc_auc(rows["truly_clean"].to_numpy(), rows["clean_probability"].to_numpy())
        found[f"hear/{label}/windows/clean_probability/auc"] = auc
    return found


def first_fold(records: list[dict]) -> dict[str, float]:
    """F1 in the first fold alone of the answers joined in `beyond`: the fold on whose training songs features
    were decided.
    """
    found = {}
    for record in records:
        row = results.value(
            record, fold=0, name="macro_f1", target="emotion", decision=results.main_decision(record)
        )
        found[f"beyond/{record['label']}/first_fold/macro_f1"] = row["value"]
    return found


def recorded_at(name: str) -> str:
    return experiments.EXPERIMENTS[name].recorded_at


def budget(records: list[dict]) -> float:
    """Hours of a core, or of a GPU, to make these records anew: every run once, in whichever experiment it
    stands.
    """
    own = {
        record["run_id"]: record
        for record in records
        if not kinds.of_record(record).of_members  # their cost is their members'
    }
    return sum(record["cost"]["core_minutes"] for record in own.values()) / 60


def found_wrong_labels(name: str, records: list[dict]) -> dict[str, float]:
    """How well the mixture found wrong labels in the last epoch, mean over folds and seeds:
    ``experiment/label/windows/...``.
    """
    rows = tables.detection(records)
    if rows.empty:
        return {}
    last = rows[rows["epoch"] == rows["epoch"].max()].groupby("label").mean(numeric_only=True)
    measures = ("auc", "average_precision", "calibration_error")
    return {
        f"{name}/{label}/windows/clean_probability/{m}": float(last.loc[label, m])
        for label in last.index
        for m in measures
    }


def figure_2(records: list[dict], song: str = "MT0010465830") -> dict[str, float]:
    """In which share of the windows of the paper's Figure 2 its label Q1 leads for SSSL, and another; mean
    over seeds.
    """
    calls = [results.timeline(r, song)[0].argmax(axis=1) for r in records if r["label"] == "self_learning"]
    if not calls:
        return {}
    q1 = float(np.mean([(c == 0).mean() for c in calls]))
    stem = f"segments_to_songs/self_learning/{song}/windows"
    return {f"{stem}/share_q1": q1, f"{stem}/share_others": 1 - q1}


def on_two_folds(records: list[dict]) -> dict[str, float]:
    """Accuracy of each headline run on the two folds that secondary experiments use: mean, lowest and highest
    over seeds.
    """
    found = {}
    for label in {record["label"] for record in records}:
        shares = []
        for record in (r for r in records if r["label"] == label):
            own = [
                results.value(record, fold=k, name="accuracy", target="emotion", decision="mean_probability")
                for k in (0, 1)
            ]
            shares.append(float(np.average([row["value"] for row in own], weights=[row["n"] for row in own])))
        stem = f"segments_to_songs/{label}/two_folds"
        found |= {stem: float(np.mean(shares)), f"{stem}/lowest": min(shares), f"{stem}/highest": max(shares)}
    return found


def rated(records: list[dict]) -> dict[str, float]:
    """What listeners' ratings show: ``annotation_noise/label/target/listeners/measure``, with ``/low`` and
    ``/high``.
    """
    found = {}
    for record in records:
        for m in record["metrics"]:
            key = f"annotation_noise/{record['label']}/{m['target']}/listeners/{m['name'].replace(' ', '_')}"
            found |= {key: m["value"], f"{key}/low": m["low"], f"{key}/high": m["high"]}
    return found


def scored(name: str, compared: pd.DataFrame) -> dict[str, float | int]:
    """The numbers of one experiment's comparison, by key."""
    found: dict[str, float | int] = {}
    references = compared.groupby("label")["against"].nunique()
    for row in compared.itertuples():
        stem = f"{name}/{row.label}"
        key = f"{stem}/{row.target}/{row.decision}/{row.name}"
        if isinstance(row.against, str):
            if (row.name != "accuracy" and row.target != tag_scoring.MACRO) or name == "leaderboard":
                continue  # the leaderboard compares everyone with everyone: see its page
            several = f"_from_{row.against}" if references[row.label] > 1 else ""
            key = f"{stem}/difference{several}/{row.target}/{row.decision}{'' if row.name == 'accuracy' else f'/{row.name}'}"
            found |= {f"{key}/p": row.p, f"{key}/p_holm": row.p_holm}
        found |= {key: row.value, f"{key}/low": row.low, f"{key}/high": row.high, f"{stem}/n": row.n}
    return found


def all_differences() -> pd.DataFrame:
    """The paired difference in accuracy (quadrants) of every recorded run from its reference, all experiments
    together.
    """
    found = [
        tables.differences(results.comparison(name, recorded_at(name))).assign(experiment=name)
        for name in experiments.EXPERIMENTS if name != "annotation_noise" and recorded_or_none(name)
    ]  # fmt: skip
    rows = pd.concat(found, ignore_index=True)
    return rows.assign(
        label=rows["experiment"].str.replace("_", " ") + ": " + rows["label"].str.replace("_", " ")
    )


def recorded_or_none(name: str, preset: str | None = None) -> list[dict]:
    """The records of an experiment, by default those that the book shows, or an empty list where none has
    been made yet.
    """
    try:
        return experiments.recorded(name, preset or recorded_at(name))
    except results.RecordError:
        return []


def experiments_table() -> pd.DataFrame:
    """One row per experiment: its question, what it feeds, the command that makes its records, and how many
    there are.
    """
    rows = []
    for name, e in experiments.EXPERIMENTS.items():
        made, wanted = recorded_or_none(name), experiments.jobs(name, recorded_at(name))
        rows.append(
            {
                "question": e.question, "feeds": e.feeds, "command": f"`mer run {name} --preset {recorded_at(name)}`",
                "runs recorded": f"{len(made)} of {len(wanted)}",
                "cost": cost(made),
                "at the paper preset": run_at_paper(name) if "paper" in e.presets else "does not apply",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def behind_pages() -> dict[str, list[dict]]:
    """For every page of a notebook the experiments whose records it shows: command, runs, cost, commits."""
    found = {}
    for source in notebooks.sources():
        shown = dict.fromkeys(
            re.findall(
                r'(?:recorded|comparison)\("(\w+)", "(?:cpu|paper)"\)', source.read_text(encoding="utf-8")
            )
        )
        found[f"executed/{source.stem}"] = [
            {
                "command": f"mer run {name} --preset {recorded_at(name)}",
                "runs": len(records),
                "cost": cost(records),
                "commits": sorted({r["code"]["commit"][:7] for r in records if r["code"]["commit"]}),
            }
            for name in shown
            if (records := recorded_or_none(name))
        ]
    return found


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
    for preset, name in itertools.product(("cpu", "paper"), experiments.EXPERIMENTS):
        for r in recorded_or_none(name, preset) if preset in experiments.EXPERIMENTS[name].presets else ():
            commit = f"{r['code']['commit']}{' (modified)' if r['code']['modified'] else ''}"
            rows.append(
                {
                    "experiment": name, "run": r["label"], "seed": r["config"]["seed"], "preset": preset,
                    "made": r["created"][:10], "songs": r["data"]["n_tested"], "audio": " ".join(r["data"]["audio"]),
                    "core-minutes": round(r["cost"]["core_minutes"], 1), "device": r["environment"]["device"],
                    "torch": r["environment"]["torch"], "commit": commit, "record": r["run_id"],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def write_generated() -> None:
    """Write the numbers, the tables and the index figure that pages include.

    Raises
    ------
    RecordError : the main experiment has no records
    """
    GENERATED.mkdir(parents=True, exist_ok=True)
    known = numbers()
    drawn, data = headline(results.comparison("segments_to_songs", "cpu"))
    notebooks.write_figure(
        folders.EXECUTED / notebooks.FIGURES, "fig-headline", figures.files_of(drawn, data)
    )
    files = {
        "numbers.json": json.dumps(known, indent=1, sort_keys=True),
        "status.md": status_table().to_markdown(index=False) + "\n",
        "experiments.md": experiments_table().to_markdown(index=False) + "\n",
        "behind.json": json.dumps(behind_pages(), indent=1),
        "verdicts.md": claims.counted(claims.table(known)).to_markdown() + "\n",
        "reruns.md": (retraining.table("cpu").to_markdown(index=False) or "None yet.") + "\n",
        "drift.md": report.page(),
        "benchmarks.md": speed.page(),
    }
    for name, text in files.items():
        path = GENERATED / name
        if (
            not path.exists() or path.read_text(encoding="utf-8") != text
        ):  # else every page that quotes it would be built again
            path.write_text(text, encoding="utf-8")


def headline(compared: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Song accuracy of each method with its interval, beside the figure that the paper prints; and what is
    drawn.
    """
    rows = tables.scores(compared)
    printed = {"self_learning": tables.printed("4Q", "Proposed", "four_class_accuracy")}
    chance = tables.scores(compared, decision="most_frequent")["value"].iloc[0]
    return figures.intervals(
        rows, f"Accuracy on {rows['n'].max()} songs, four quadrants", printed, chance
    ), rows


MADE_BY_SPHINX = {"genindex", "search"}
SHAPES = (
    "_ext/*.py",
    "_style/*",
    "_templates/**/*.html",
)  # what shapes every page, and Sphinx does not look at


def listed() -> list[str]:
    """All pages in the order of the table of contents, without suffix."""
    toc = yaml.safe_load((folders.BOOK / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def build(folder: Path = paths.ROOT) -> Path:
    """Build the book as static HTML in the folder's ``_build``, offline, every warning an error; returns its
    first page.

    Pages whose sources are as they were at the last build are left alone; where one has been taken out, or
    our extensions or style have changed, all are built anew."""
    site = folder / HTML.relative_to(paths.ROOT)
    if is_outdated(site):
        shutil.rmtree(site.parent)
    missing = list(filter(None, (web_assets.gather(), browser_model.gather())))
    program = Path(sys.executable).with_name("jupyter-book")
    command = [
        str(program),
        "build",
        str(folders.BOOK),
        "--path-output",
        str(folder),
        "-W",
        "-n",
        "--keep-going",
    ]
    if subprocess.run(command, check=False).returncode:
        raise BookError(
            "the book has warnings or errors (above); every one must be mended before it is published."
        )
    if found := faults(site):
        raise BookError(f"{len(found)} faults in the built pages:\n  " + "\n  ".join(found))
    for said in missing:
        print(said, file=sys.stderr)
    return site / "index.html"


def is_outdated(site: Path) -> bool:
    """Whether a built site holds what Sphinx would not take out, or was made before what shapes every page."""
    last = site / "searchindex.js"  # the last file that a build writes
    if not last.exists():
        return site.parent.exists()
    built = {
        page.relative_to(site).with_suffix("").as_posix()
        for page in site.rglob("*.html")
        if "_static" not in page.parts
    }
    shapes = [path for pattern in SHAPES for path in folders.BOOK.glob(pattern)]
    return bool(built - set(listed()) - MADE_BY_SPHINX) or any(
        path.stat().st_mtime > last.stat().st_mtime for path in shapes
    )


def to_pdf() -> Path:
    """Print the book as built to one PDF beside it."""
    return pdf.to_pdf(HTML, listed(), HTML.with_name("mer-companion.pdf"))


def faults(site: Path) -> list[str]:
    """What Sphinx does not see in built pages: dead local links and anchors, pictures without alt text,
    network scripts.
    """
    pages = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts
    }
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site)
        for image in page.find_all("img"):
            alt = image.get("alt", "")
            if not alt or alt.endswith((".png", ".svg")):  # without a text of ours the alt is the file's name
                found.append(f"{name}: {image.get('src')} has no alt text")
        for tag, attribute in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
            for element in page.find_all(tag, **{attribute: True}):
                if (fault := _fault(path, element[attribute], tag, anchors)) and element.get("rel") != [
                    "canonical"
                ]:
                    found.append(f"{name}: {fault}")
    return found


def _fault(page: Path, link: str, tag: str, anchors: dict[Path, set[str]]) -> str | None:
    """Why a link of a page leads nowhere, or None."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return (
            f"{link} needs the network" if tag in ("script", "link", "img") and url.scheme != "data" else None
        )
    target = (page.parent / unquote(url.path)).resolve() if url.path else page.resolve()
    if not target.exists():
        return f"{link} does not exist"
    known = {path.resolve(): ids for path, ids in anchors.items()}
    if url.fragment and target in known and unquote(url.fragment) not in known[target]:
        return f"{link}: no such place on that page"
    return None
