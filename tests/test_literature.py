import pandas as pd
import pytest

from mer_companion import experiments
from mer_companion.analysis import figures, literature_tables
from mer_companion.experiments import comparison, literature, record_of
from mer_companion.experiments.literature import ARTIST, JOINED, SONG10
from mer_companion.runs.settings import Fusion, SongClassifier
from mer_core.datasets.splits import Folds

RUNS = experiments.EXPERIMENTS["literature"].runs("cpu")
PAIRS = [
    (label, other)
    for label, others in experiments.EXPERIMENTS["literature"].references_of().items()
    for other in others
]


def run_of_member(member):
    name, _, label = member.partition("/")
    return experiments.EXPERIMENTS[name].runs("cpu")[label]


def test_means_weigh_all_members_alike_and_share_their_folds():
    means = {label: run for label, run in RUNS.items() if isinstance(run, Fusion)}
    assert len(means) == 2 * len(JOINED) + 1
    for label, run in means.items():
        folds = {run_of_member(member).folds for member in run.members}
        assert folds == {run.folds} and not run.chosen_for, label


def test_protocols_differ_in_folds_only():
    for name in JOINED:
        by_artist, by_song = (
            [(m.sources, m.classifier) for m in map(run_of_member, RUNS[f"{name}_{protocol}"].members)]
            for protocol in (ARTIST, SONG10)
        )
        assert by_artist == by_song
    assert (RUNS[f"msd_{ARTIST}"].folds.by, RUNS[f"msd_{ARTIST}"].folds.n) == ("artist", 5)
    assert (RUNS[f"msd_{SONG10}"].folds.by, RUNS[f"msd_{SONG10}"].folds.n) == ("song", 10)


def test_published_features_are_in_no_row_that_does_not_name_them():
    for label, run in RUNS.items():
        sources = run.sources if isinstance(run, SongClassifier) else run.members
        named = "top100" in label or label.startswith("everything")
        assert any("top100" in source for source in sources) == named, label


@pytest.mark.parametrize(("label", "other"), PAIRS)
def test_every_difference_changes_one_thing(label, other):
    pairs = zip(literature_tables.parts_of(label), literature_tables.parts_of(other), strict=True)
    assert sum(own != theirs for own, theirs in pairs) == 1


def compared(scores):
    """A comparison of these labels' macro F1, the first being the others' reference."""
    row = {"target": "emotion", "decision": "whole_song", "name": "macro_f1", "seeds": [0], "n": 9}
    first = next(iter(scores))
    rows = [row | {"label": k, "against": None, "value": v} for k, v in scores.items()]
    rows += [row | {"label": k, "against": first, "value": v - scores[first]} for k, v in scores.items()][1:]
    table = pd.DataFrame(rows).assign(p=0.5, p_holm=1.0, p_t=None)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1)


def test_differences_are_told_by_what_changes():
    table = literature_tables.explained(
        compared({"msd_artist": 0.7, "mtt_artist": 0.6, "svm_msd_artist": 0.75, "msd_song10": 0.8})
    )
    rows = {change: (row["to"], row.iloc[2][:6]) for (change, _), row in table.iterrows()}
    assert rows == {
        "features": ("MTT", "-0.100"),
        "classifier": ("SVM", "+0.050"),
        "protocol": ("ten folds by song", "+0.100"),
    }


def test_figures_under_protocols_show_every_mean_and_what_is_printed():
    rows = literature_tables.means(compared({"msd_artist": 0.7, "msd_song10": 0.8, "svm_msd_artist": 0.1}))
    assert list(rows["value"]) == [0.7, 0.8]
    printed = literature_tables.published()
    assert printed["Louro et al. 2024, F1"] == pytest.approx(0.802)
    legend = figures.by_protocol(rows, "Macro F1", printed).legends[0]
    assert {text.get_text() for text in legend.get_texts()} == {*printed, *rows["protocol"]}


def test_protocols_with_other_numbers_of_folds_are_compared_song_by_song():
    corpus = "synthetic:n_songs=32,n_artists=32,song_s=4"
    runs = {n: SongClassifier(dataset=corpus, folds=Folds(n=n, by="song", inner=0)) for n in (2, 4)}
    records = [record_of(run, "protocols", "smoke", f"folds_{n}") for n, run in runs.items()]
    rows = comparison.compare({"folds_4": ("folds_2",)}, records)
    pairs = [row for row in rows if row.get("against") and row["decision"] == "whole_song"]
    assert pairs and all(row["p_t"] is None and row["n"] == 32 for row in pairs)


def test_classifiers_that_baselines_has_recorded_are_not_recorded_again():
    assert literature.members(("hand_made",), ARTIST) == (
        "baselines/svm_hand_made_artist",
        "baselines/logistic_hand_made_artist",
    )
    assert not {label for label in RUNS if label in literature.BASELINES}
