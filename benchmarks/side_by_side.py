"""Both sides of a question in one run, in turn, on the same machine and data: a row of the table."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from mer_companion.analysis import speed


def in_turn(
    sides: dict[str, Callable[[], object]],
    rounds: int,
    clock=time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each side in each round, after one that does not count; every second one goes backwards."""
    order, spent = list(sides), {name: [] for name in sides}
    for side in sides.values():
        side()
    for _ in range(rounds):
        for name in order:
            began = clock()
            sides[name]()
            spent[name].append(clock() - began)
        order.reverse()
    return spent


def row(
    question: str,
    spent: dict[str, list[float]],
    ours: str,
    theirs: str,
    unit: str,
    note: str = "",
) -> dict:
    """A row of the table (`speed.COLUMNS`) from the rounds of two sides, by their names.

        ratio = median of theirs / median of ours

    above 1 where ours is faster. It lies between the lowest and the highest ratio of single rounds, which the
    row has too.

    Parameters
    ----------
    unit : what the seconds are for, as in "12 files of 30 s"
    note : what else a reader should know
    """
    ours_s, theirs_s = (statistics.median(spent[name]) for name in (ours, theirs))
    ratios = [their / our for our, their in zip(spent[ours], spent[theirs], strict=True)]
    measured = {
        "ours_s": ours_s, "theirs_s": theirs_s,
        "ratio": theirs_s / ours_s, "ratio_low": min(ratios), "ratio_high": max(ratios),
    }  # fmt: skip
    return {
        "question": question, "ours": ours, "theirs": theirs, "unit": unit,
        "rounds": len(ratios), "note": note,
        "left_out": "", **{name: float(f"{value:.4g}") for name, value in measured.items()},
    }  # fmt: skip


def left_out(question: str, why: str, ours: str = "", theirs: str = "") -> dict:
    """A row without numbers, which says why there are none."""
    return dict.fromkeys(speed.COLUMNS[1:]) | {
        "question": question, "ours": ours, "theirs": theirs, "unit": "", "note": "", "left_out": why,
    }  # fmt: skip


def alone(rows: Callable[..., list[dict]], about: str, folder: bool = False) -> None:
    """Run one benchmark by itself: show its rows, or write them where `python -m benchmarks` reads them.

    Parameters
    ----------
    rows : takes a number of rounds, by default its own, and gives rows of the table
    about : the docstring of its module
    folder : whether `rows` can also be given a folder of sound files
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=argparse.SUPPRESS, help="fewer make a quick trial")
    parser.add_argument("--json", type=Path, help="write the rows there instead of showing them")
    if folder:
        parser.add_argument("folder", nargs="?", type=Path, help="of sound files; by default made by code")
    asked = vars(parser.parse_args())
    answer = asked.pop("json")
    found = rows(**asked)
    if answer:
        answer.write_text(json.dumps(found), encoding="utf-8")
    else:
        print("\n".join(speed.spoken(found)))
