"""What the papers claim, as data, and what our records say of each claim: reproduced, partly, not, or
untestable here.

``data/claims.yaml`` holds every claim with its rule and its tolerance, both fixed beforehand. The rules:

    value       our figure lies within the tolerance of the printed one
    difference  a paired difference lies on the claimed side of 0
    above       one figure exceeds another, or a number, by more than the tolerance
    order       one row of figures has its best at an earlier place than another
    untestable  what is needed is not here

Everywhere: ``numbers`` is what ``mer_companion.book.numbers.numbers()`` gives, figures in [0, 1] by key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd
import yaml

from mer_core import UserError, paths

CLAIMS = paths.DATA / "claims.yaml"
REPRODUCED, PARTLY, NOT = "reproduced", "partly", "not"
UNTESTABLE, NOT_RUN = "untestable here", "not run yet"
WORDS = (REPRODUCED, PARTLY, NOT, UNTESTABLE, NOT_RUN)
PRINTED_KEY = "published/"
SIDES = {"above": 1, "below": -1}
JUDGED_BY = ("ours", "than", "side", "printed", "tolerance", "songs", "needs")  # only some rules have them
ROUNDING = 1e-9  # 0.765 - 0.737 is 0.028, whatever binary fractions say


class ClaimError(UserError):
    """A claim that cannot be judged as written; the message names it and what it lacks."""


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and the rule by which it is judged."""

    id: str
    paper: str  # a key of PAPERS
    claim: str  # in plain words
    where: str  # in the paper
    rule: str
    reason: str  # why this tolerance; for an untestable claim, why it is so
    # keys of numbers; several make a row of figures, in the order of the setting they differ in
    ours: tuple[str, ...] = ()
    than: tuple[str, ...] | float = ()  # what ours is compared with: keys, or a number
    side: str = ""  # of 0, on which a difference is claimed to lie
    # a key; two keys, the first minus the second; or the paper's finding in words
    printed: tuple[str, ...] = ()
    tolerance: float | None = None  # in the unit of the figures, shares of 1
    songs: int | None = None  # for which the tolerance holds; with fewer it widens as chance does
    needs: str = ""  # what would make an untestable claim testable

    def __post_init__(self):
        for fault in _faults(self):
            raise ClaimError(f"claim {self.id}: {fault}")

    @property
    def others(self) -> tuple[str, ...]:
        """The keys, if any, of what ours is compared with."""
        return self.than if isinstance(self.than, tuple) else ()

    @property
    def printed_keys(self) -> tuple[str, ...]:
        return tuple(key for key in self.printed if key.startswith(PRINTED_KEY))

    @property
    def keys(self) -> tuple[str, ...]:
        """All that must be among the numbers for the claim to be judged."""
        rule = RULES[self.rule]
        ends = ("", "/low", "/high") if rule.interval else ("",)
        judged_by_print = self.printed_keys if "printed" in rule.needed else ()
        return (*(key + end for key in self.ours for end in ends), *self.others, *judged_by_print)


def _faults(claim: Claim) -> Iterator[str]:
    """What keeps a claim from being judged."""
    if claim.rule not in RULES:
        yield f"unknown rule {claim.rule!r}; there are {', '.join(RULES)}"
        return
    rule = RULES[claim.rule]
    given = {name for name in JUDGED_BY if getattr(claim, name) not in ((), "", None)}
    if missing := rule.needed - given:
        yield f"the rule {claim.rule!r} needs {sorted(missing)}"
    if extra := given - rule.needed - rule.optional:
        yield f"the rule {claim.rule!r} has no use for {sorted(extra)}"
    if claim.tolerance is not None and not 0 <= claim.tolerance < 1:
        yield f"the tolerance is a share in [0, 1), got {claim.tolerance}"
    if claim.side and claim.side not in SIDES:
        yield f"the side is one of {', '.join(SIDES)}, got {claim.side!r}"
    if claim.rule != "order" and max(len(claim.ours), len(claim.others)) > 1:
        yield "only the rule 'order' compares rows of figures"
    if len(claim.printed) > (2 if claim.printed_keys == claim.printed else 1):
        yield f"printed is a key, two keys, or the paper's words, got {claim.printed}"
    if claim.rule == "value" and (len(claim.printed), len(claim.printed_keys)) != (1, 1):
        yield f"the rule 'value' needs the key of one printed figure, got {claim.printed}"


@dataclass(frozen=True)
class Verdict:
    """What our records say of a claim; ``ours`` and ``printed`` are ready to read."""

    word: str
    reason: str
    ours: str = ""
    printed: str = ""


def load(path: Path = CLAIMS) -> list[Claim]:
    """The claims as written, paper by paper.

    Raises
    ------
    ClaimError : an unknown or missing field, an unknown rule, or an id that occurs twice
    """
    by_paper = yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
    claims = [_claim({"paper": paper} | entry) for paper, entries in by_paper.items() for entry in entries]
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ClaimError(f"{path.name}: ids that occur twice: {twice}")
    return claims


def _claim(entry: dict) -> Claim:
    known = {field.name for field in fields(Claim)}
    if unknown := set(entry) - known:
        raise ClaimError(
            f"claim {entry.get('id')}: unknown fields {sorted(unknown)}; there are {sorted(known)}"
        )
    if missing := {"id", "claim", "where", "rule", "reason"} - set(entry):
        raise ClaimError(f"claim {entry.get('id')}: lacks {sorted(missing)}")
    rows = {name: _row(entry[name]) for name in ("ours", "than", "printed") if name in entry}
    return Claim(**entry | rows)


def _row(content) -> tuple[str, ...] | float:
    """One key or several as a tuple; a number stays one."""
    if isinstance(content, list):
        return tuple(content)
    return (content,) if isinstance(content, str) else content


def verdict(claim: Claim, numbers: dict) -> Verdict:
    """Judge one claim by its rule; "not run yet" where a number is missing."""
    rule = RULES[claim.rule]
    if missing := [key for key in claim.keys if key not in numbers]:
        return Verdict(NOT_RUN, f"no record gives {missing[0]}", printed=shown_printed(claim, numbers))
    word, reason = rule.judge(claim, numbers)
    return Verdict(word, reason, rule.show(claim, numbers), shown_printed(claim, numbers))


def table(numbers: dict, claims: list[Claim] | None = None) -> pd.DataFrame:
    """A row per claim, ready to show: paper, claim, verdict, ours, printed, tolerance, why, where."""
    rows = []
    for claim in load() if claims is None else claims:
        found = verdict(claim, numbers)
        allowed = tolerance(claim, numbers)
        row = {
            "paper": claim.paper,
            "claim": claim.claim,
            "verdict": found.word,
            "ours": found.ours,
            "printed": found.printed,
            "tolerance": "" if allowed is None else f"{allowed:.{digits_of(claim)}f}",
            "why": found.reason,
            "where": claim.where,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def beside(numbers: dict, *experiments: str) -> pd.DataFrame:
    """The judged claims that rest on some experiments, ready to read."""
    own = [claim for claim in load() if any(key.split("/")[0] in experiments for key in claim.ours)]
    return table(numbers, own).drop(columns="paper").set_index("claim")


PAPERS = {"sssl": "SSSL (2024)", "mirable": "Mirable (2021)", "selab": "SELAB-HCMUS (2021)"}


def counted(judged: pd.DataFrame) -> pd.DataFrame:
    """How many claims of each paper got which verdict, ready to read."""
    counts = pd.crosstab(judged["paper"].map(PAPERS), judged["verdict"])
    counts = counts.reindex(index=list(PAPERS.values()), columns=list(WORDS)).fillna(0).astype(int)
    return counts.loc[:, counts.any()].rename_axis("claims of", axis=0).rename_axis(None, axis=1)


def of_paper(judged: pd.DataFrame, paper: str) -> pd.DataFrame:
    """The rows of `table` that judge one paper, ready to read."""
    return judged[judged["paper"] == paper].drop(columns="paper").set_index("claim")


def shown_printed(claim: Claim, numbers: dict) -> str:
    """The printed figure, the difference of two, or the paper's words; empty where the numbers lack it."""
    if not claim.printed_keys:
        return " ".join(claim.printed)
    figures = [numbers[key] for key in claim.printed_keys if key in numbers]
    if len(figures) < len(claim.printed_keys):
        return ""
    return f"{figures[0]:.{digits_of(claim)}f}" if len(figures) == 1 else f"{figures[0] - figures[1]:+.3f}"


def digits_of(claim: Claim) -> int:
    """Behind the point: three, or as many as the tolerance needs."""
    return 4 if claim.tolerance and claim.tolerance < FINE else 3


FINE = 0.001


def by_value(claim: Claim, numbers: dict) -> tuple[str, str]:
    """Reproduced within the tolerance; partly where our interval, widened by it, holds the printed figure."""
    ours, low, high = _estimate(claim, numbers)
    printed, t = numbers[claim.printed_keys[0]], claim.tolerance
    digits = digits_of(claim)
    gap = f"{abs(ours - printed):.{digits}f} {'above' if ours > printed else 'below'} the printed figure"
    if abs(ours - printed) <= t + ROUNDING:
        return REPRODUCED, f"{gap}, within {t:.{digits}f}"
    if low - t - ROUNDING <= printed <= high + t + ROUNDING:
        return PARTLY, f"{gap}, but that lies within our interval widened by {t:.{digits}f}"
    return NOT, f"{gap}, beyond our interval widened by {t:.{digits}f}"


def by_difference(claim: Claim, numbers: dict) -> tuple[str, str]:
    """Reproduced where the interval lies on the claimed side of 0; partly where the estimate does."""
    value, low, high = _estimate(claim, numbers)
    nearest = low if claim.side == "above" else -high
    if nearest > claim.tolerance + ROUNDING:
        return REPRODUCED, f"the whole interval lies {claim.side} 0"
    if value * SIDES[claim.side] > ROUNDING:
        return PARTLY, f"the estimate lies {claim.side} 0, but the interval does not lie there as a whole"
    return NOT, f"the estimate does not lie {claim.side} 0"


def by_excess(claim: Claim, numbers: dict) -> tuple[str, str]:
    """Reproduced where ours exceeds the other by more than the tolerance; partly where it does at all."""
    ours, other = _compared(claim, numbers)
    gap, t = ours - other, tolerance(claim, numbers)
    if gap > t + ROUNDING:
        return REPRODUCED, f"higher by {gap:.3f}, more than {t:.3f}"
    if gap > ROUNDING:
        return PARTLY, f"higher by {gap:.3f}, which is no more than {t:.3f}"
    return NOT, f"not higher: {gap:+.3f}"


def by_order(claim: Claim, numbers: dict) -> tuple[str, str]:
    """Reproduced where the best of ours comes before the best of the other row; partly where near-bests
    overlap.

    A near-best lies within the tolerance of the best and might be it. Without another row, ours must be best
    before its last place: more is not always better.
    """
    best, near = _peak(claim.ours, numbers, claim.tolerance)
    last = len(claim.ours) - 1
    other, other_near = _peak(claim.others, numbers, claim.tolerance) if claim.others else (last, [last])
    if max(near) < min(other_near):
        return (
            REPRODUCED,
            f"the best comes earlier, and so does all that lies within {claim.tolerance:.3f} of it",
        )
    if best < other:
        return PARTLY, f"the best comes earlier, but places within {claim.tolerance:.3f} of it do not"
    return NOT, "the best does not come earlier"


def by_reason(claim: Claim, numbers: dict) -> tuple[str, str]:
    """Untestable, whatever the numbers."""
    return UNTESTABLE, f"{claim.reason} Needed: {claim.needs}"


def tolerance(claim: Claim, numbers: dict) -> float | None:
    """The tolerance, widened by sqrt(songs / n) where our figure rests on fewer songs n."""
    if claim.songs is None:
        return claim.tolerance
    n = numbers.get("/".join(claim.ours[0].split("/")[:2]) + "/n", claim.songs)
    return claim.tolerance * max(1.0, (claim.songs / n) ** 0.5)


def _estimate(claim: Claim, numbers: dict) -> tuple[float, float, float]:
    """Our figure and the ends of its interval."""
    (key,) = claim.ours
    return numbers[key], numbers[f"{key}/low"], numbers[f"{key}/high"]


def _compared(claim: Claim, numbers: dict) -> tuple[float, float]:
    """Our figure and the one, or the number, that it is compared with."""
    return numbers[claim.ours[0]], numbers[claim.others[0]] if claim.others else claim.than


def _peak(row: tuple[str, ...], numbers: dict, tolerance: float) -> tuple[int, list[int]]:
    """Place of the best of a row, and all places within the tolerance of it."""
    figures = [numbers[key] for key in row]
    best = max(figures)
    near = [i for i, figure in enumerate(figures) if figure >= best - tolerance - ROUNDING]
    return figures.index(best), near


def _show_value(claim: Claim, numbers: dict) -> str:
    (value, low, high), digits = _estimate(claim, numbers), digits_of(claim)
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _show_difference(claim: Claim, numbers: dict) -> str:
    value, low, high = _estimate(claim, numbers)
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _show_excess(claim: Claim, numbers: dict) -> str:
    ours, other = _compared(claim, numbers)
    return f"{ours:.3f} against {other:.3f}"


def _show_order(claim: Claim, numbers: dict) -> str:
    """The run labels of the bests: "seconds_1 against seconds_3"."""
    bests = [max(row, key=numbers.get) for row in (claim.ours, claim.others) if row]
    return " against ".join(key.split("/")[1] for key in bests)


@dataclass(frozen=True)
class Rule:
    """How claims of one kind are judged and shown, and which fields they have."""

    judge: Callable[[Claim, dict], tuple[str, str]]  # the verdict's word and its reason
    show: Callable[[Claim, dict], str]
    needed: frozenset[str]
    optional: frozenset[str] = frozenset({"printed"})
    interval: bool = False  # whether ours is looked up with the ends of its interval


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


RULES = {
    "value": Rule(by_value, _show_value, _fields("ours printed tolerance"), interval=True),
    "difference": Rule(by_difference, _show_difference, _fields("ours side tolerance"), interval=True),
    "above": Rule(by_excess, _show_excess, _fields("ours than tolerance"), _fields("printed songs")),
    "order": Rule(by_order, _show_order, _fields("ours tolerance"), _fields("than printed")),
    "untestable": Rule(by_reason, lambda claim, numbers: "", _fields("needs")),
}
