from dataclasses import replace

import numpy as np
import pytest
import yaml

from mer_companion import folders, results
from mer_companion.analysis import claims, tables, verdict_tables
from mer_companion.analysis.claims import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    RESCORED,
    SUPPORTED,
    UNTESTABLE,
    Claim,
    Presumption,
)
from mer_companion.book import numbers
from mer_core import paths
from mer_core.evaluation import significance

PRINTED = "published/sssl/3/4Q/Proposed/four_class_accuracy"
COMMON = {"id": "some", "paper": "sssl", "claim": "something", "where": "Table 3", "reason": "so that"}
VALUE = Claim(**COMMON, rule="value", ours=("e/l/m",), printed=(PRINTED,), tolerance=0.028)
AGAIN = replace(VALUE, rule="rescored", tolerance=0.0001)
ABOVE_0 = Claim(**COMMON, rule="difference", ours=("e/l/d",), side="above", tolerance=0.0)
BELOW_0 = replace(ABOVE_0, side="below")
SIZED = replace(ABOVE_0, printed=("published/more", "published/less"))  # prints a gain of 0.021
LOST = replace(BELOW_0, printed=("published/less", "published/more"))  # the same as a loss
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
    """A difference, or figure, with interval and p-value, among the numbers that papers print."""
    of_key = {key: value, f"{key}/low": low, f"{key}/high": high, f"{key}/p": 0.5}
    return of_key | {PRINTED: 0.765, "published/less": 0.744, "published/more": 0.765}


def word(claim, numbers):
    return claims.verdict(claim, numbers).word


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ((0.765, 0.740, 0.790), SUPPORTED),  # 0.737 to 0.793 is within the tolerance
        ((0.765, 0.730, 0.800), INCONCLUSIVE),  # the printed figure itself, not known well enough
        ((0.790, 0.770, 0.810), INCONCLUSIVE),
        ((0.700, 0.660, 0.740), INCONCLUSIVE),
        ((0.700, 0.670, 0.730), CONTRADICTED),
        ((0.850, 0.800, 0.900), CONTRADICTED),  # better than printed is not as printed either
    ],
)
def test_a_value_is_supported_by_equivalence_alone(ours, expected):
    found = claims.verdict(VALUE, with_ends("e/l/m", *ours))
    assert found.word == expected and found.effect == pytest.approx(ours[0] - 0.765)
    same = significance.equivalence(0.028, found.effect, *found.interval)
    assert (same < 0.025) == (expected == SUPPORTED) and (found.p < 0.05) == (expected != INCONCLUSIVE)


def test_published_predictions_scored_again_are_told_apart():
    assert [word(AGAIN, {"e/l/m": m, PRINTED: 0.765}) for m in (0.7651, 0.7649, 0.7652)] == [
        *(RESCORED, RESCORED),
        CONTRADICTED,
    ]
    judged = verdict_tables.table({"e/l/m": 0.765, PRINTED: 0.765}, [AGAIN])
    counts = verdict_tables.counted(judged).loc[("SSSL (2024)", claims.RESCORING)]
    assert counts.to_dict() == {SUPPORTED: 1, "significant after Holm": 0}


@pytest.mark.parametrize(
    ("ours", "above", "below"),
    [
        ((0.02, 0.005, 0.035), SUPPORTED, CONTRADICTED),
        ((0.02, -0.005, 0.045), INCONCLUSIVE, INCONCLUSIVE),
        ((0.0, -0.01, 0.01), INCONCLUSIVE, INCONCLUSIVE),  # unknown is not "no"
        ((-0.02, -0.045, 0.005), INCONCLUSIVE, INCONCLUSIVE),
        ((-0.02, -0.035, -0.005), CONTRADICTED, SUPPORTED),
    ],
)
def test_difference_depends_on_the_side_claimed(ours, above, below):
    numbers = with_ends("e/l/d", *ours)
    assert (word(ABOVE_0, numbers), word(BELOW_0, numbers)) == (above, below)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ((0.002, -0.018, 0.022), INCONCLUSIVE),  # holds 0 and 0.021
        ((0.000, -0.020, 0.020), CONTRADICTED),  # holds 0, excludes 0.021
        ((-0.03, -0.070, 0.010), CONTRADICTED),
        ((0.010, 0.001, 0.019), SUPPORTED),  # a direction was claimed; that the effect is smaller is no fault
    ],
)
def test_a_printed_effect_that_the_interval_excludes_is_contradicted(ours, expected):
    mirrored = (-ours[0], -ours[2], -ours[1])
    assert word(SIZED, with_ends("e/l/d", *ours)) == expected
    assert word(LOST, with_ends("e/l/d", *mirrored)) == expected


def test_no_difference_is_said_only_where_two_one_sided_tests_say_it():
    within, wide = (with_ends("e/l/d", *ours) for ours in ((0.0, -0.02, 0.02), (-0.03, -0.07, 0.01)))
    assert "two one-sided tests" in claims.verdict(SIZED, within).reason
    assert "two one-sided tests" not in claims.verdict(SIZED, wide).reason


def test_printed_figures_that_contradict_their_own_claim_are_named():
    backwards = replace(ABOVE_0, printed=("published/less", "published/more"))
    found = claims.verdict(backwards, with_ends("e/l/d", -0.02, -0.045, 0.005))
    assert found.word == INCONCLUSIVE and "printed values themselves" in found.reason


def test_tolerated_difference_counts_as_none():
    assert word(replace(ABOVE_0, tolerance=0.01), with_ends("e/l/d", 0.02, 0.005, 0.035)) == INCONCLUSIVE


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        (0.75, SUPPORTED),
        (0.72, INCONCLUSIVE),
        (0.70, INCONCLUSIVE),
        (0.68, INCONCLUSIVE),
        (0.60, CONTRADICTED),
    ],
)
def test_the_tolerance_is_the_interval_of_an_excess(a, expected):
    found = claims.verdict(EXCESS, {"e/a/m": a, "e/b/m": 0.70})
    assert found.word == expected and np.ptp(found.interval) == pytest.approx(0.04)
    if expected != INCONCLUSIVE:
        assert found.p < 0.05


def test_excess_over_a_number():
    expected = [SUPPORTED, INCONCLUSIVE, INCONCLUSIVE, CONTRADICTED]
    assert [word(AUC, {"e/a/m": auc}) for auc in (0.9, 0.6, 0.5, 0.2)] == expected


@pytest.mark.parametrize(
    ("presumption", "expected"),
    [
        (Presumption("it never learned", "e/l/lowest", above=0.55), UNTESTABLE),
        (Presumption("it never learned", "e/l/lowest", above=0.45), SUPPORTED),
        (Presumption("too short"), UNTESTABLE),
    ],
)
def test_a_claim_whose_presumption_fails_is_not_testable_but_shown(presumption, expected):
    presuming = replace(ABOVE_0, presumes=presumption)
    numbers = with_ends("e/l/d", 0.02, 0.005, 0.035) | {"e/l/lowest": 0.5}
    found = claims.verdict(presuming, numbers)
    assert (
        found.word == expected
        and found.effect == 0.02
        and found.detectable == pytest.approx(0.0214, abs=1e-4)
    )
    if expected == UNTESTABLE:
        assert found.reason == presumption.otherwise and found.p is None
    del numbers["e/l/lowest"]
    assert (word(presuming, numbers) == NOT_RUN) == bool(presumption.number)


def test_the_correction_is_over_all_tested_claims():
    keys = "e/l/d", "e/l/m", "e/l/k"
    p = dict(zip(keys, (0.01, 0.03, 0.04), strict=True))
    several = [replace(ABOVE_0, id=key, ours=(key,)) for key in keys]
    numbers = {name: value for key in keys for name, value in with_ends(key, 0.02, 0.005, 0.035).items()}
    numbers |= {f"{key}/p": value for key, value in p.items()}
    judged = verdict_tables.table(numbers, [*several, UNHEARD])
    np.testing.assert_allclose(judged["p_holm"], [0.03, 0.06, 0.06, np.nan])
    assert verdict_tables.counted(judged)["significant after Holm"].sum() == 1


def rows(first, second=(0.5, 0.5, 0.5)):
    return dict(zip(FIRST + SECOND, (*first, *second), strict=True))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0.9, 0.8, 0.8), (0.6, 0.7, 0.6), SUPPORTED),
        (
            (0.9, 0.89, 0.8),
            (0.6, 0.7, 0.6),
            INCONCLUSIVE,
        ),  # the first row might be best in the second place as well
        ((0.9, 0.8, 0.8), (0.69, 0.7, 0.6), INCONCLUSIVE),
        ((0.8, 0.9, 0.8), (0.6, 0.7, 0.6), CONTRADICTED),
        ((0.8, 0.8, 0.9), (0.7, 0.6, 0.6), CONTRADICTED),
    ],
)
def test_order_of_bests(first, second, expected):
    assert word(EARLIER, rows(first, second)) == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [((0.8, 0.9, 0.8), SUPPORTED), ((0.8, 0.9, 0.89), INCONCLUSIVE), ((0.7, 0.8, 0.9), CONTRADICTED)],
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


def test_readable_table_shows_verdict_printed_value_and_ours_with_interval():
    numbers = with_ends("e/l/m", 0.7414, 0.7121, 0.7707) | with_ends("e/l/d", -0.02, -0.03, -0.01)
    numbers |= rows((0.9, 0.8, 0.8), (0.6, 0.7, 0.6)) | {"e/l/d/p": 0.0004, "e/l/seeds": 5}
    shown = verdict_tables.readable(verdict_tables.table(numbers, [VALUE, LOST, EARLIER])).iloc[:, :6]
    assert shown.iloc[0].tolist() == [*(INCONCLUSIVE, "0.765", "0.741 [0.712, 0.771]", "0.769", "0.042", "5")]
    # LOST claims a difference below 0: turned, so that positive is as claimed
    assert shown.iloc[1].tolist() == [SUPPORTED, "+0.021", "+0.020 [+0.010, +0.030]", "< 0.001", "0.014", "5"]
    assert shown.iloc[2].tolist() == [SUPPORTED, "", "A 1 against B 2", "", "", ""]


def test_other_runs_stand_beside_a_claim_and_are_not_counted():
    numbers = with_ends("e/l/d", -0.02, -0.03, -0.01) | with_ends("e/vgg16/d", 0.014, -0.011, 0.041)
    claim = replace(ABOVE_0, also={"VGG16": "e/vgg16/d", "not made": "e/other/d"})
    judged = verdict_tables.table(numbers, [claim])
    assert judged["why"].item().endswith("; VGG16: +0.014 [-0.011, +0.041], inconclusive")
    assert verdict_tables.counted(judged)[
        CONTRADICTED
    ].sum() == 1 and INCONCLUSIVE not in verdict_tables.counted(judged)


def test_chart_has_differences_turned_to_the_claimed_side(known):
    judged = verdict_tables.table(known)
    rows = verdict_tables.drawn(judged, known).set_index("label")
    without = known["ablations/without_consistency/difference/emotion/mean_probability"]
    row = rows.loc["SSSL − without R-Drop, quadrants"]
    assert row["what"] == "difference" and row["value"] == pytest.approx(-without)
    assert row["low"] < row["value"] < row["high"] and row["printed"] > 0
    assert "Ensemble − short, PR-AUC" not in rows.index  # its experiment is not among these numbers


OWN_MUSIC = {"sssl": {"4q", "pmemo"}, "mirable": {"mtg_jamendo"}, "selab": {"mtg_jamendo"}}


@pytest.mark.parametrize("claim", [claim for claim in ALL if claim.ours], ids=lambda claim: claim.id)
def test_runs_on_other_music_than_the_papers_are_replications(claim):
    from mer_companion.experiments import EXPERIMENTS

    experiment, label, *_ = claim.ours[0].split("/")
    runs = EXPERIMENTS[experiment].runs("cpu")
    run = (
        runs[label] if hasattr(runs[label], "dataset") else next(iter(runs.values()))
    )  # an ensemble's member
    on_own = run.dataset.partition(":")[0] in OWN_MUSIC[claim.paper]
    assert (claims.evidence(claim) == claims.REPLICATION) == (not on_own)


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


def test_a_claim_is_judged_on_other_collections_by_its_own_rule(tmp_path):
    home = COMMON | {"rule": "difference", "ours": "e/l/d", "side": "above", "tolerance": 0.0}
    home |= {"presumes": "luck", "elsewhere": {"Other": "f/l/d"}}
    path = tmp_path / "claims.yaml"
    lucky = {"luck": {"otherwise": "there is none"}}
    path.write_text(yaml.safe_dump({"presumptions": lucky, "claims": {"sssl": [home]}}))
    both = claims.load(path)
    assert [(one.id, one.collection) for one in both] == [("some", ""), ("some, Other", "Other")]
    numbers = with_ends("e/l/d", 0.02, 0.005, 0.035) | with_ends("f/l/d", -0.02, -0.035, -0.005)
    judged = verdict_tables.table(numbers | {"f/l/d/p": 0.02}, both)
    assert judged["verdict"].tolist() == [UNTESTABLE, CONTRADICTED]
    shown = verdict_tables.by_collection(judged)
    assert shown.loc["something"].to_dict() == {
        "4Q": f"{UNTESTABLE} +0.020",
        "Other": f"{CONTRADICTED} -0.020",
    }
    assert (
        verdict_tables.at_home(judged)["id"].tolist() == ["some"]
        and len(verdict_tables.of_paper(judged, "sssl")) == 1
    )


def test_p_values_are_corrected_on_each_collection_by_itself():
    several = [
        replace(ABOVE_0, id=f"{i}", ours=(f"e/l/{i}",), collection=c) for i, c in enumerate(("", "", "X"))
    ]
    numbers = {}
    for i, p in enumerate((0.01, 0.04, 0.03)):
        numbers |= with_ends(f"e/l/{i}", 0.02, 0.005, 0.035) | {f"e/l/{i}/p": p}
    assert verdict_tables.table(numbers, several)["p_holm"].tolist() == pytest.approx([0.02, 0.04, 0.03])


def test_unknown_presumption_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": {"sssl": [ENTRY | {"presumes": "luck"}]}}))
    with pytest.raises(claims.ClaimError, match="presumes 'luck'; there are"):
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


def test_printed_figures_themselves_are_supported():
    for claim in (claim for claim in ALL if "printed" in claims.RULES[claim.rule].needed):
        (ours,), (printed,) = claim.ours, claim.printed_keys
        value = PUBLISHED_NUMBERS[printed]
        numbers = {ours: value, f"{ours}/low": value - 0.01, f"{ours}/high": value + 0.01, printed: value}
        assert word(claim, numbers) == {"value": SUPPORTED, "rescored": RESCORED}[claim.rule]


def test_words_and_rules_are_explained_where_the_claims_are():
    assert tuple(claims.explained("words").index) == claims.WORDS
    assert set(claims.explained("rules").index) == set(claims.RULES)
    assert tuple(claims.explained("evidence").index) == verdict_tables.EVIDENCE


def test_table_before_anything_was_run():
    shown = verdict_tables.table(PUBLISHED_NUMBERS)
    assert len(shown) == len(ALL)
    assert set(shown["verdict"]) == {NOT_RUN, UNTESTABLE} and (shown["printed"] != "").all()


@pytest.mark.parametrize("key", sorted({key for claim in ALL for key in (*claim.ours, *claim.others)}))
def test_claims_are_judged_by_runs_that_exist(key):
    from mer_companion.experiments import EXPERIMENTS

    experiment, label, *_ = key.split("/")
    assert label in EXPERIMENTS[experiment].variants


@pytest.fixture(scope="module")
def known():
    """The numbers on which the claims on tags and the ablations rest, from the records."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "RESULTS", paths.DATA / "results")
        found = dict(PUBLISHED_NUMBERS)
        for name in ("ablations", "harmony", "long_or_short", "noisy_student", "networks_that_teach"):
            found |= numbers.scored(name, results.comparison(name, "cpu"))
        found |= numbers.negative_pseudo_labels(numbers.recorded_or_none("noisy_student"))
        return found | numbers.lowest_run(numbers.recorded_or_none("networks_that_teach"))


@pytest.mark.parametrize(
    ("name", "expected", "because"),
    [
        ("mixup_helps", INCONCLUSIVE, "0 and effects"),
        ("consistency_helps_arousal", INCONCLUSIVE, "0 and the printed effect"),
        ("hpcp_long_pr_auc", SUPPORTED, "claimed side"),
        ("co_teaching_rexnet", INCONCLUSIVE, "0 and the printed effect"),
        ("selab_ensemble", UNTESTABLE, "did not learn"),
        ("long_roc_auc_hpcp", UNTESTABLE, "185 s"),
        ("student_short_pr_auc", UNTESTABLE, "degenerate"),
    ],
)
def test_cases_that_were_judged_too_surely(known, name, expected, because):
    (claim,) = (claim for claim in ALL if claim.id == name)
    found = claims.verdict(claim, known)
    assert found.word == expected and because in found.reason and found.interval
