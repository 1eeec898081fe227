"""The chart of verdicts as a part of a page."""

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from mer_companion import folders
from mer_companion.analysis import claims, verdict_chart, verdict_tables


@pytest.fixture(scope="module")
def rows():
    columns = ["paper", "what", "label", "value", "low", "high", "printed", "verdict"]
    content = [
        ("sssl", "value", "Accuracy", 0.6, 0.5, 0.7, 0.8, claims.CONTRADICTED),
        ("sssl", "difference", "A − B", -0.03, -0.1, 0.1, np.nan, claims.INCONCLUSIVE),
        ("mirable", "value", "PR-AUC", 0.14, np.nan, np.nan, 0.14, claims.RESCORED),
    ]
    return pd.DataFrame(content, columns=columns)


@pytest.fixture(scope="module")
def chart(rows):
    return BeautifulSoup(verdict_chart.page(rows), "html.parser").div


def left(mark) -> float:
    return float(re.search(r"left:([\d.]+)%", mark["style"])[1])


def test_every_result_has_its_numbers_and_its_verdict_as_text(chart):
    texts = [item.get_text(" ", strip=True) for item in chart.select("li")]
    assert texts[0].startswith("Accuracy") and "0.600 [0.500, 0.700]" in texts[0] and "0.800" in texts[0]
    assert "−0.030 [−0.100, +0.100]" in texts[1] and "printed" not in texts[1]
    assert [text.rpartition(" ")[2] for text in texts[:2]] == ["contradicted", "inconclusive"]
    assert "[" not in texts[2] and texts[2].endswith(claims.RESCORED)


def test_marks_stand_where_the_axis_says(chart):
    first = chart.section
    ticks = {float(tick.text): left(tick) for tick in first.select(".scale span")}
    places = [left(mark) for mark in first.select("li i:not(.interval)")]
    assert places == pytest.approx(np.interp([0.6, 0.8], list(ticks), list(ticks.values())), abs=0.1)
    [zero] = [
        tick
        for tick in chart.select("section")[1].select(".scale span")
        if not float(tick.text.replace("−", "-"))
    ]
    assert left(chart.select_one(".zero")) == left(zero)


def test_style_has_a_rule_for_every_choice_and_the_chart_a_class_for_every_rule(chart):
    style = (folders.BOOK / "_style/verdicts.css").read_text(encoding="utf-8")
    rules = dict.fromkeys(re.findall(r':has\(\[value="(\w+)"\]:checked\)', style))
    assert set(rules) == {*verdict_tables.PAPERS, *(kind for kind, _ in verdict_chart.MARKS.values())}
    offered = {button["value"] for button in chart.select("input")} - {"all"}
    assert offered == {"sssl", "mirable", "contradicted", "inconclusive", "supported"} <= set(rules)
    assert len(chart.select("input[checked]")) == 2 == len(chart.select("input[value=all]"))
