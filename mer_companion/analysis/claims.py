"""What the papers claim, as data, and what our records say of each claim: supported, contradicted,
inconclusive, or not testable here.

``data/claims.yaml`` holds every claim with its rule and its tolerance, the rules in full, and what the four
words mean. Beside its word a claim has its effect with a 95 % interval, the smallest effect that the design
would have seen with a power of 80 %, and a p-value corrected over all claims by Holm's procedure. Where the
same comparison was made on other collections of music, the claim is judged there too, by the same rule; each
collection's claims are corrected by themselves.

Everywhere: ``numbers`` is what ``mer_companion.book.numbers.numbers()`` gives, figures in [0, 1] by key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path

import pandas as pd
import yaml

from mer_companion.analysis import names
from mer_core import UserError, paths
from mer_core.evaluation import significance
from mer_core.evaluation.significance import Estimate

CLAIMS = paths.DATA / "claims.yaml"
SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
RESCORED, UNTESTABLE, NOT_RUN = "supported (re-scored)", "not testable here", "not run yet"
WORDS = (SUPPORTED, RESCORED, CONTRADICTED, INCONCLUSIVE, UNTESTABLE, NOT_RUN)
RESCORING, REPRODUCTION, REPLICATION, NO_RUN = "re-scored", "reproduction", "conceptual replication", "no run"
PRINTED_KEY = "published/"
SIDES = {"above": 1, "below": -1}
INTERVAL = ("", "/low", "/high")
JUDGED_BY = (
    "ours",
    "than",
    "side",
    "printed",
    "tolerance",
    "songs",
    "needs",
    "presumes",
)  # only some rules have them
ALPHA = 1 - significance.LEVEL
FINE = 0.001
ROUNDING = 1e-9  # 0.765 - 0.737 is 0.028, whatever binary fractions say


class ClaimError(UserError):
    """A claim that cannot be judged as written; the message names it and what it lacks."""


@dataclass(frozen=True)
class Presumption:
    """What a claim presumes of our runs: that a number exceeds another; without a number it does not hold."""

    otherwise: str  # why the claim is not testable here
    number: str = ""  # a key of numbers
    above: float = 0.0

    def holds(self, numbers: dict) -> bool:
        return bool(self.number) and numbers[self.number] > self.above


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and the rule by which it is judged."""

    id: str
    paper: str  # a key of verdict_tables.PAPERS
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
    presumes: Presumption | None = None
    collection: str = ""  # of music, on which the claim is judged; "": the one that the file begins with
    short: str = ""  # what a chart calls the value, or the difference A − B that is positive where claimed
    also: dict[str, str] = field(default_factory=dict)  # other runs of ours, shown beside: name, key

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
        presumed = (self.presumes.number,) if self.presumes and self.presumes.number else ()
        ours = (key + end for key in self.ours for end in rule.ends)
        return (*ours, *self.others, *self.printed_keys, *presumed) if self.ours else ()


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
    if "printed" in rule.needed and (len(claim.printed), len(claim.printed_keys)) != (1, 1):
        yield f"the rule {claim.rule!r} needs the key of one printed figure, got {claim.printed}"


@dataclass(frozen=True)
class Verdict:
    """What our records say of a claim; ``ours`` and ``printed`` are ready to read."""

    word: str
    reason: str
    effect: float | None = None  # in the claim's own direction of subtraction, shares of 1
    interval: tuple[float, float] | None = None  # 95 %
    p: float | None = None  # two-sided: the smaller of those for and against the claim, doubled
    ours: str = ""
    printed: str = ""

    @property
    def detectable(self) -> float | None:
        """The smallest effect that the design would have seen with a power of 80 %."""
        return self.interval and significance.detectable_effect(*self.interval)


def load(path: Path = CLAIMS) -> list[Claim]:
    """The claims as written, paper by paper.

    Raises
    ------
    ClaimError : an unknown or missing field, an unknown rule, or an id that occurs twice
    """
    content = _content(path)
    presumptions = content.get("presumptions", {})
    claims = [
        claim
        for paper, entries in content["claims"].items()
        for entry in entries
        for claim in _claims({"paper": paper} | entry, presumptions)
    ]
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ClaimError(f"{path.name}: ids that occur twice: {twice}")
    return claims


def _content(path: Path = CLAIMS) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def explained(what: str) -> pd.DataFrame:
    """The file's own text on its ``words``, ``evidence`` or ``rules``, ready to read."""
    title = {"words": "verdict", "rules": "rule"}.get(what, what)
    return pd.DataFrame(_content()[what].items(), columns=[title, "meaning"]).set_index(title)


def _claims(entry: dict, presumptions: dict) -> Iterator[Claim]:
    """A claim as it stands, then on every other collection, where it presumes nothing."""
    elsewhere = entry.get("elsewhere", {})
    own = {name: value for name, value in entry.items() if name != "elsewhere"}
    yield _claim(own, presumptions)
    for collection, key in elsewhere.items():
        there = {"id": f"{own.get('id')}, {collection}", "ours": key, "collection": collection}
        yield _claim({name: value for name, value in own.items() if name != "presumes"} | there, {})


def _claim(entry: dict, presumptions: dict) -> Claim:
    known = {own.name for own in fields(Claim)}
    if unknown := set(entry) - known:
        raise ClaimError(
            f"claim {entry.get('id')}: unknown fields {sorted(unknown)}; there are {sorted(known)}"
        )
    if missing := {"id", "claim", "where", "rule", "reason"} - set(entry):
        raise ClaimError(f"claim {entry.get('id')}: lacks {sorted(missing)}")
    rows = {name: _row(entry[name]) for name in ("ours", "than", "printed") if name in entry}
    if (name := entry.get("presumes")) is None:
        return Claim(**entry | rows)
    if name not in presumptions:
        raise ClaimError(f"claim {entry['id']}: presumes {name!r}; there are {sorted(presumptions)}")
    return Claim(**entry | rows | {"presumes": Presumption(**presumptions[name])})


def _row(content) -> tuple[str, ...] | float:
    """One key or several as a tuple; a number stays one."""
    if isinstance(content, list):
        return tuple(content)
    return (content,) if isinstance(content, str) else content


def evidence(claim: Claim) -> str:
    """What our numbers are to a claim: one of `verdict_tables.EVIDENCE`, which the file explains."""
    if claim.rule == "rescored":
        return RESCORING
    if not claim.ours:
        return NO_RUN
    elsewhere = claim.collection or claim.ours[0].split("/")[0] in other_music()
    return REPLICATION if elsewhere else REPRODUCTION


@cache
def other_music() -> frozenset[str]:
    """The experiments on other music than the paper's."""
    return frozenset(_content()["other_music"])


def verdict(claim: Claim, numbers: dict) -> Verdict:
    """Judge one claim by its rule; "not run yet" where a number is missing."""
    rule, printed = RULES[claim.rule], shown_printed(claim, numbers)
    if missing := [key for key in claim.keys if key not in numbers]:
        return Verdict(NOT_RUN, f"no record gives `{missing[0]}`", printed=printed)
    found = replace(rule.judge(claim, numbers), ours=rule.show(claim, numbers), printed=printed)
    if claim.presumes and not claim.presumes.holds(numbers):
        return replace(found, word=UNTESTABLE, reason=claim.presumes.otherwise, p=None)
    return found


def shown_printed(claim: Claim, numbers: dict) -> str:
    """The printed value, the difference of two (positive where claimed), or the paper's words.

    Empty where the numbers lack it.
    """
    if not claim.printed_keys:
        return " ".join(claim.printed)
    figures = [numbers[key] for key in claim.printed_keys if key in numbers]
    if len(figures) < len(claim.printed_keys):
        return ""
    if len(figures) == 1:
        return f"{figures[0]:.{digits_of(claim)}f}"
    return f"{_printed_effect(claim, numbers):+.3f}"


def printed_value(claim: Claim, numbers: dict) -> float | None:
    """The printed value that ours is held against."""
    return numbers.get(claim.printed_keys[0]) if "printed" in RULES[claim.rule].needed else None


def printed_difference(claim: Claim, numbers: dict) -> float | None:
    """The printed difference, positive where claimed; None where no two values are printed."""
    known = len(claim.printed_keys) == 2 and set(claim.printed_keys) <= set(numbers)
    return _printed_effect(claim, numbers) if known else None


def digits_of(claim: Claim) -> int:
    """Behind the point: three, or as many as the tolerance needs."""
    return 4 if claim.tolerance and claim.tolerance < FINE else 3


def by_value(claim: Claim, numbers: dict) -> Verdict:
    """Whether our figure is the printed one up to the tolerance, by two one-sided tests."""
    t, printed = tolerance(claim, numbers), numbers[claim.printed_keys[0]]
    d, low, high = (figure - printed for figure in _estimate(claim, numbers))
    same = significance.equivalence(t, d, low, high)
    differs = significance.p_at_most(t, abs(d), low, high)  # as wide, whatever the sign
    gap = f"{abs(d):.3f} {'above' if d > 0 else 'below'} the printed value"
    if -t < low and high < t:
        word, reason = SUPPORTED, f"{gap}, and the interval lies within {t:.3f} of it"
    elif low > t + ROUNDING or high < -t - ROUNDING:
        word, reason = CONTRADICTED, f"{gap}, and the interval lies beyond {t:.3f} from it"
    else:
        word, reason = INCONCLUSIVE, f"{gap}; within {t:.3f} of it or not, the interval allows both"
    return Verdict(word, reason, d, (low, high), _two_sided(same, differs))


def by_rescoring(claim: Claim, numbers: dict) -> Verdict:
    """Whether published predictions, scored by us, have the printed figure up to rounding."""
    d = numbers[claim.ours[0]] - numbers[claim.printed_keys[0]]
    word = RESCORED if abs(d) <= claim.tolerance + ROUNDING else CONTRADICTED
    return Verdict(word, f"published predictions, re-scored: {abs(d):.4f} off", d)


def by_difference(claim: Claim, numbers: dict) -> Verdict:
    """Whether a paired difference lies on the claimed side of 0."""
    d, low, high = _estimate(claim, numbers)
    sign, p = SIDES[claim.side], numbers[f"{claim.ours[0]}/p"]
    oriented = Estimate(sign * d, *sorted((sign * low, sign * high)))
    one_sided = p / 2 if oriented.value > 0 else 1 - p / 2
    word, reason, p = _on_direction(claim, numbers, oriented, one_sided, claim.tolerance)
    return Verdict(word, reason, d, (low, high), p)


def by_excess(claim: Claim, numbers: dict) -> Verdict:
    """Whether one figure exceeds another, the tolerance being what chance does in 95 of 100 cases."""
    (ours, other), t = _compared(claim, numbers), tolerance(claim, numbers)
    gap = ours - other
    oriented = Estimate(gap, gap - t, gap + t)
    if claim.others:
        word, reason, p = _on_direction(claim, numbers, oriented, significance.p_at_most(0.0, *oriented))
        return Verdict(word, reason, gap, oriented[1:], p)
    if oriented.low > ROUNDING:
        return Verdict(SUPPORTED, f"higher by {gap:.3f}, more than the {t:.3f} required", gap)
    if oriented.high < -ROUNDING:
        return Verdict(CONTRADICTED, f"lower by {-gap:.3f}, more than {t:.3f}", gap)
    return Verdict(INCONCLUSIVE, f"{gap:+.3f}, no more than the {t:.3f} required", gap)


def by_order(claim: Claim, numbers: dict) -> Verdict:
    """Whether the best of a row comes before that of another, or before its own last place.

    What lies within the tolerance of the best might be it.
    """
    near = _near_bests(claim.ours, numbers, claim.tolerance)
    other = _near_bests(claim.others, numbers, claim.tolerance) or [len(claim.ours) - 1]
    within = f"values within {claim.tolerance:.3f} of the best count as best"
    if max(near) < min(other):
        return Verdict(SUPPORTED, f"the best comes earlier; {within}")
    if min(near) >= max(other):
        return Verdict(CONTRADICTED, f"the best does not come earlier; {within}")
    return Verdict(INCONCLUSIVE, f"the best may come earlier or not; {within}")


def by_reason(claim: Claim, numbers: dict) -> Verdict:
    """Untestable, whatever the numbers."""
    return Verdict(UNTESTABLE, f"{claim.reason} Needed: {claim.needs}")


def _on_direction(
    claim: Claim, numbers: dict, effect: Estimate, p: float, least: float = 0.0
) -> tuple[str, str, float]:
    """Word, reason and two-sided p of a claim that an effect exceeds 0, or `least`; p is one-sided, for it.

    Against the claim speaks an effect below 0, or below the printed one where the paper prints one above 0.
    """
    printed = _printed_effect(claim, numbers)
    claimed = max(printed, 0.0)
    both = _two_sided(p, 1 - (significance.p_at_most(claimed, *effect) if claimed else p))
    backwards = "; the printed values themselves lie on the other side" if printed < 0 else ""
    if effect.low > least + ROUNDING:
        return SUPPORTED, "the whole interval lies on the claimed side" + backwards, both
    if effect.high < -ROUNDING:
        return CONTRADICTED, "the whole interval lies on the other side", both
    if effect.high < claimed - ROUNDING:
        same = significance.equivalence(claimed, *effect)
        p = f"p {same:.4f}" if same >= FINE else f"p < {FINE}"
        shown = f"; none as large either way (two one-sided tests, {p})" if same < ALPHA / 2 else ""
        return CONTRADICTED, f"the interval contains 0 and excludes the printed {claimed:.3f}{shown}", both
    held = "the printed effect" if claimed else "effects on the claimed side"
    return INCONCLUSIVE, f"the interval contains 0 and {held}{backwards}", both


def _printed_effect(claim: Claim, numbers: dict) -> float:
    """The printed difference, above 0 on the claimed side; 0 where no two figures are printed."""
    if len(claim.printed_keys) != 2:
        return 0.0
    a, b = (numbers[key] for key in claim.printed_keys)
    return SIDES.get(claim.side, 1) * (a - b)


def _two_sided(p_for: float, p_against: float) -> float:
    return min(1.0, 2 * min(p_for, p_against))


def tolerance(claim: Claim, numbers: dict) -> float | None:
    """The tolerance, widened by sqrt(songs / n) where our figure rests on fewer songs n."""
    if claim.songs is None:
        return claim.tolerance
    n = numbers.get(label_key(claim, "n"), claim.songs)
    return claim.tolerance * max(1.0, (claim.songs / n) ** 0.5)


def label_key(claim: Claim, what: str) -> str:
    """The key of what is known of the runs that ours comes from; "" where ours is nothing."""
    return "/".join([*claim.ours[0].split("/")[:2], what]) if claim.ours else ""


def _estimate(claim: Claim, numbers: dict) -> tuple[float, float, float]:
    """Our figure and the ends of its interval."""
    (key,) = claim.ours
    return numbers[key], numbers[f"{key}/low"], numbers[f"{key}/high"]


def _compared(claim: Claim, numbers: dict) -> tuple[float, float]:
    """Our figure and the one, or the number, that it is compared with."""
    return numbers[claim.ours[0]], numbers[claim.others[0]] if claim.others else claim.than


def _near_bests(row: tuple[str, ...], numbers: dict, tolerance: float) -> list[int]:
    """All places within the tolerance of the best of a row."""
    figures = [numbers[key] for key in row]
    return [i for i, figure in enumerate(figures) if figure >= max(figures) - tolerance - ROUNDING]


def _show_value(claim: Claim, numbers: dict) -> str:
    return f"{numbers[claim.ours[0]]:.{digits_of(claim)}f}"


def _show_nothing(claim: Claim, numbers: dict) -> str:
    return ""  # the effect is all


def _show_excess(claim: Claim, numbers: dict) -> str:
    ours, other = _compared(claim, numbers)
    return f"{ours:.3f} against {other:.3f}"


def _show_order(claim: Claim, numbers: dict) -> str:
    """The runs of the bests: "1 s windows against 3 s windows"."""
    bests = [max(row, key=numbers.get) for row in (claim.ours, claim.others) if row]
    return " against ".join(names.label(key.split("/")[1]) for key in bests)


@dataclass(frozen=True)
class Rule:
    """How claims of one kind are judged and shown, and which fields they have."""

    judge: Callable[[Claim, dict], Verdict]
    show: Callable[[Claim, dict], str]
    needed: frozenset[str]
    optional: frozenset[str] = frozenset()
    ends: tuple[str, ...] = ("",)  # of the keys under which ours is looked up


def _fields(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


RULES = {
    "value": Rule(by_value, _show_value, _fields("ours printed tolerance"), ends=INTERVAL),
    "rescored": Rule(by_rescoring, _show_value, _fields("ours printed tolerance")),
    "difference": Rule(
        by_difference,
        _show_nothing,
        _fields("ours side tolerance"),
        _fields("printed presumes"),
        ends=(*INTERVAL, "/p"),
    ),
    "above": Rule(by_excess, _show_excess, _fields("ours than tolerance"), _fields("printed songs")),
    "order": Rule(by_order, _show_order, _fields("ours tolerance"), _fields("than printed")),
    "untestable": Rule(by_reason, _show_nothing, _fields("needs"), _fields("printed")),
}
