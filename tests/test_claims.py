from dataclasses import replace

import numpy as np
import pytest
import yaml

from mer_companion.analysis import claims, tables
from mer_companion.analysis.claims import NOT, NOT_RUN, PARTLY, REPRODUCED, UNTESTABLE, Claim

PRINTED = "published/sssl/3/4Q/Proposed/four_class_accuracy"
COMMON = {"id": "some", "paper": "sssl", "claim": "something", "where": "Table 3", "reason": "so that"}
VALUE = Claim(**COMMON, rule="value", ours=("e/l/m",), printed=(PRINTED,), tolerance=0.028)
ABOVE_0 = Claim(**COMMON, rule="difference", ours=("e/l/d",), side="above", tolerance=0.0)
BELOW_0 = replace(ABOVE_0, side="below")
EXCESS = Claim(**COMMON, rule="above", ours=("e/a/m",), than=("e/b/m",), tolerance=0.02)
AUC = Claim(**COMMON, rule="above", ours=("e/a/m",), than=0.5, tolerance=0.2)
FIRST, SECOND = (tuple(f"e/{row}_{i}/m" for i in (1, 2, 3)) for row in "ab")
EARLIER = Claim(**COMMON, rule="order", ours=FIRST, than=SECOND, tolerance=0.02)
NOT_LAST = replace(EARLIER, than=())
UNHEARD = Claim(**COMMON, rule="untestable", needs="the audio")

ALL = claims.load()
PUBLISHED = tables.published()
PUBLISHED_KEYS = [
    f"published/{r.paper}/{r.table}/{r.dataset}/{r.system}/{r.metric}" for r in PUBLISHED.itertuples()
]
PUBLISHED_NUMBERS = dict(zip(PUBLISHED_KEYS, PUBLISHED["value"] / 100, strict=True))


def with_ends(key, value, low, high):
    return {key: value, f"{key}/low": low, f"{key}/high": high, PRINTED: 0.765}


def word(claim, numbers):
    return claims.verdict(claim, numbers).word


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ((0.765, 0.74, 0.79), REPRODUCED),
        ((0.737, 0.71, 0.76), REPRODUCED),  # 0.028 off: just within
        ((0.793, 0.77, 0.81), REPRODUCED),  # a tolerance has two sides
        ((0.730, 0.70, 0.76), PARTLY),  # too far off, but 0.765 <= 0.76 + 0.028
        ((0.830, 0.79, 0.86), PARTLY),
        ((0.700, 0.67, 0.73), NOT),
        ((0.850, 0.80, 0.88), NOT),  # better than printed is not reproduced either
    ],
)
def test_value_within_the_tolerance_is_reproduced(ours, expected):
    assert word(VALUE, with_ends("e/l/m", *ours)) == expected


@pytest.mark.parametrize(
    ("ours", "above", "below"),
    [
        ((0.02, 0.005, 0.035), REPRODUCED, NOT),
        ((0.02, -0.005, 0.045), PARTLY, NOT),
        ((0.0, -0.01, 0.01), NOT, NOT),
        ((-0.02, -0.045, 0.005), NOT, PARTLY),
        ((-0.02, -0.035, -0.005), NOT, REPRODUCED),
    ],
)
def test_difference_depends_on_the_side_claimed(ours, above, below):
    numbers = with_ends("e/l/d", *ours)
    assert (word(ABOVE_0, numbers), word(BELOW_0, numbers)) == (above, below)


def test_tolerated_difference_counts_as_none():
    assert word(replace(ABOVE_0, tolerance=0.01), with_ends("e/l/d", 0.02, 0.005, 0.035)) == PARTLY


@pytest.mark.parametrize(
    ("a", "expected"), [(0.75, REPRODUCED), (0.72, PARTLY), (0.71, PARTLY), (0.70, NOT), (0.60, NOT)]
)
def test_excess_beyond_the_tolerance_is_reproduced(a, expected):
    assert word(EXCESS, {"e/a/m": a, "e/b/m": 0.70}) == expected


def test_excess_over_a_number():
    assert [word(AUC, {"e/a/m": auc}) for auc in (0.9, 0.6, 0.5)] == [REPRODUCED, PARTLY, NOT]


def rows(first, second=(0.5, 0.5, 0.5)):
    return dict(zip(FIRST + SECOND, (*first, *second), strict=True))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0.9, 0.8, 0.8), (0.6, 0.7, 0.6), REPRODUCED),
        (
            (0.9, 0.89, 0.8),
            (0.6, 0.7, 0.6),
            PARTLY,
        ),  # the first row might be best in the second place as well
        ((0.9, 0.8, 0.8), (0.69, 0.7, 0.6), PARTLY),
        ((0.8, 0.9, 0.8), (0.6, 0.7, 0.6), NOT),
        ((0.8, 0.8, 0.9), (0.7, 0.6, 0.6), NOT),
    ],
)
def test_order_of_bests(first, second, expected):
    assert word(EARLIER, rows(first, second)) == expected


@pytest.mark.parametrize(
    ("first", "expected"), [((0.8, 0.9, 0.8), REPRODUCED), ((0.8, 0.9, 0.89), PARTLY), ((0.7, 0.8, 0.9), NOT)]
)
def test_order_without_another_row_needs_a_best_before_the_last(first, expected):
    assert word(NOT_LAST, rows(first)) == expected


def test_untestable_claim_says_what_is_needed():
    found = claims.verdict(UNHEARD, {})
    assert found.word == UNTESTABLE and "the audio" in found.reason


@pytest.mark.parametrize("claim", [VALUE, ABOVE_0, EXCESS, EARLIER])
def test_not_run_yet_names_the_missing_number(claim):
    numbers = with_ends("e/l/m", 0.7, 0.6, 0.8) | with_ends("e/l/d", 0.1, 0.0, 0.2) | rows((0.1, 0.2, 0.3))
    numbers |= {"e/a/m": 0.7, "e/b/m": 0.6}
    assert word(claim, numbers) != NOT_RUN
    for key in claim.keys:
        rest = {other: value for other, value in numbers.items() if other != key}
        found = claims.verdict(claim, rest)
        assert found.word == NOT_RUN and key in found.reason


def test_verdict_shows_figures_ready_to_read():
    shown = claims.verdict(VALUE, with_ends("e/l/m", 0.7414, 0.7121, 0.7707))
    assert (shown.ours, shown.printed) == ("0.741 [0.712, 0.771]", "0.765")
    ablation = replace(BELOW_0, printed=("published/less", "published/more"))
    shown = claims.verdict(
        ablation, with_ends("e/l/d", -0.02, -0.03, -0.01) | {"published/less": 0.744, "published/more": 0.765}
    )
    assert (shown.ours, shown.printed) == ("-0.020 [-0.030, -0.010]", "-0.021")
    assert claims.verdict(EARLIER, rows((0.9, 0.8, 0.8), (0.6, 0.7, 0.6))).ours == "a_1 against b_2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": "proof"}, "unknown rule 'proof'"),
        ({"tolerance": None}, "needs ['tolerance']"),
        ({"side": "above"}, "no use for ['side']"),
        ({"tolerance": 2.8}, "a share in [0, 1)"),
        ({"ours": ("e/l/m", "e/l/n")}, "only the rule 'order'"),
        ({"printed": ("76.49",)}, "the key of one printed figure"),
        ({"printed": (PRINTED, PRINTED, PRINTED)}, "a key, two keys"),
    ],
)
def test_claim_that_cannot_be_judged_says_why(changes, message):
    with pytest.raises(claims.ClaimError) as error:
        replace(VALUE, **changes)
    assert "claim some" in str(error.value) and message in str(error.value)


def test_unknown_side_is_refused():
    with pytest.raises(claims.ClaimError, match="one of above, below"):
        replace(ABOVE_0, side="left")


ENTRY = COMMON | {"rule": "untestable", "needs": "the audio"}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([ENTRY, ENTRY], "occur twice"),
        ([ENTRY | {"colour": "blue"}], "unknown fields"),
        ([{"id": "some", "rule": "untestable"}], "lacks"),
    ],
)
def test_file_of_claims_is_checked(tmp_path, entries, message):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": {"sssl": entries}}))
    with pytest.raises(claims.ClaimError, match=message):
        claims.load(path)


def test_claims_of_every_kind_exist():
    assert {claim.rule for claim in ALL} == set(claims.RULES)


def test_printed_figures_of_claims_are_published_once():
    keys = [key for claim in ALL for key in claim.printed_keys]
    assert len(keys) > 20
    assert {key: PUBLISHED_KEYS.count(key) for key in keys} == dict.fromkeys(keys, 1)


def test_tolerance_of_a_printed_figure_is_binomial():
    of_values = [claim for claim in ALL if claim.rule == "value" and claim.paper == "sssl"]
    p = np.array([PUBLISHED_NUMBERS[claim.printed_keys[0]] for claim in of_values])
    half_width = 1.96 * np.sqrt(p * (1 - p) / 900)
    np.testing.assert_allclose([claim.tolerance for claim in of_values], half_width, atol=0.0005)


def test_printed_figures_themselves_are_reproduced():
    for claim in (claim for claim in ALL if claim.rule == "value"):
        value = PUBLISHED_NUMBERS[claim.printed_keys[0]]
        assert word(claim, dict.fromkeys(claim.keys, value)) == REPRODUCED


def test_table_before_anything_was_run():
    shown = claims.table(PUBLISHED_NUMBERS)
    assert list(shown) == [
        "paper",
        "claim",
        "verdict",
        "ours",
        "printed",
        "tolerance",
        "why",
        "where",
    ] and len(shown) == len(ALL)
    assert set(shown["verdict"]) == {NOT_RUN, UNTESTABLE} and (shown["printed"] != "").all()


@pytest.mark.parametrize("key", sorted({key for claim in ALL for key in (*claim.ours, *claim.others)}))
def test_claims_are_judged_by_runs_that_exist(key):
    from mer_companion.experiments import EXPERIMENTS

    experiment, label, *_ = key.split("/")
    assert label in EXPERIMENTS[experiment].variants
