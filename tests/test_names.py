"""Readable names in tables and figures, for every name that code and records use."""

import re

import numpy as np
import pandas as pd
import pytest

from mer_companion.analysis import names, page_tables, palette
from mer_companion.experiments import EXPERIMENTS, noise, strong_features

LABELS = sorted({label for experiment in EXPERIMENTS.values() for label in experiment.variants})


@pytest.mark.parametrize(
    "label", [*LABELS, *noise.METHODS, *strong_features.ABLATED, *strong_features.AROUND]
)
def test_every_label_of_a_run_has_words(label):
    assert names.words_of(label), f"give its pieces words in {names.__name__}"
    assert "_" not in names.label(label)


def test_labels_of_an_experiment_stay_apart():
    for name, experiment in EXPERIMENTS.items():
        shown = [names.label(label) for label in experiment.variants]
        assert len(set(shown)) == len(shown), name


def test_tables_show_words_and_a_dash_for_what_is_missing():
    index = pd.MultiIndex.from_tuples(
        [("self_learning", "emotion"), ("tau_0.3", "valence")], names=["label", None]
    )
    table = pd.DataFrame(
        {"macro_f1": [0.5, np.nan], "n": pd.array([1, None], dtype="Int64"), "of": [None, "elr"]}, index
    )
    for shown in (page_tables.html(table), page_tables.markdown(table)):
        assert not re.search(r"nan|<NA>|&lt;NA|None|[a-z]_[a-z]", shown, re.IGNORECASE)
        assert all(words in shown for words in ("SSSL", "τ = 0.3", "quadrants", "Macro F1", "ELR"))
        assert shown.count(page_tables.MISSING) == 3


def test_rows_without_names_have_no_numbers():
    table = pd.DataFrame({"a": ["x", "y"]})
    assert "<th>0</th>" not in page_tables.html(table) and "0" not in page_tables.markdown(table)


def test_methods_look_alike_everywhere_and_unlike_each_other():
    looks = [palette.of_method(name) for name in noise.METHODS]
    assert len(set(looks)) == len(looks)
    assert palette.of_method("self_learning_20_epochs") == palette.of_method("self_learning")
    with pytest.raises(KeyError, match="give its method a colour"):
        palette.of_method("unheard_of")
