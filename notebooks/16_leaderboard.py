# %% [markdown]
# # The leaderboard, scored again
#
# **Question.** Three editions of MediaEval's task *Emotions and Themes in Music* were decided on one test set, by one figure each. Several teams
# published what their systems answered. How sure are those figures, and which differences are more than chance?
#
# No audio is needed. The test set is that of MTG-Jamendo's mood/theme part {cite}`bogdanov2019`, 56 tags; PR-AUC is the mean over tags of the average precision. Intervals resample artists, of whom the test set has
# few. Again: `mer leaderboard --fetch`, then `mer run leaderboard --preset cpu`.
#
# **Answer.** The best of the published predictions reach {interval}`leaderboard/sail_usc_ensemble_all_data/all tags/scores/pr_auc:.3f`, the plain mean of three
# editions' systems {interval}`leaderboard/mean_of_three_editions/all tags/scores/pr_auc:.3f`: the interval of their difference contains zero and stays within a hundredth (below).
# Of next neighbours only the last two can be told apart; higher up it takes systems some ranks from one another. Thresholds found on the test songs flatter: the mean's F is
# {result}`leaderboard/mean_of_three_editions/all tags/thresholds_on_test/f_score:.3f` with them,
# {result}`leaderboard/mean_of_three_editions/all tags/thresholds_from_other_half/f_score:.3f` with thresholds from other artists.
#
# **Limits.** Only systems whose predictions are public; one test set, whose tracks come from few artists. The plain means join the best system of each edition, which its test
# score has told.
#
# **To run it.** A laptop; to make the records again, the published predictions, which `--fetch` downloads, and no audio. `preset` changes
# nothing.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, interactive_figures, tag_tables
from mer_companion.runs import leaderboard

# %% tags=["hide-input"]
recorded = experiments.recorded("leaderboard", "cpu")
compared, cards = results.comparison("leaderboard", "cpu"), leaderboard.cards()
tag_tables.leaderboard(compared, cards)

# %% mystnb={"figure": {"name": "fig-leaderboard", "caption": "PR-AUC of every published submission and of two plain means of strangers' systems; 95 % intervals over artists."}, "image": {"alt": "PR-AUC with interval for each submission."}} tags=["hide-input"]
figures.intervals(tag_tables.leaderboard_scores(compared, cards), "PR-AUC, 56 tags")

# %% [markdown]
# The same to explore: point at a system for its figures, drag over a part to see it larger.

# %% tags=["hide-input"]
board = interactive_figures.leaderboard(tag_tables.leaderboard_scores(compared, cards), "PR-AUC, 56 tags")
interactive_figures.shown(
    board, "explore-leaderboard", "PR-AUC with its interval for every published submission, best first"
)

# %% [markdown]
# Intervals overlap, but systems are judged by the same tracks: what counts is the difference on the same resamples. *Surely better*: p below one in twenty after
# Holm's correction over all pairs. The plain means are of the best system of each edition, which their test scores have told.

# %% tags=["hide-input"]
tag_tables.leaderboard_differences(compared, cards)

# %% [markdown]
# ## Tag by tag
#
# A rare tag rests on few artists, and one of them may hold most of its tracks.

# %% mystnb={"figure": {"name": "fig-tags", "caption": "Average precision of every tag for the plain mean of three editions' systems, with 95 % intervals over artists; the tick is what scores that know nothing would reach."}, "image": {"alt": "Average precision with interval for each of 56 tags beside chance."}} tags=["hide-input"]
mean = next(record for record in recorded if record["label"] == "mean_of_three_editions")
figures.by_tag(tag_tables.by_tag(mean))

# %% [markdown]
# ## Beside Mirable's tables
#
# Mirable published three matrices {cite}`tan2021`. Their scores agree with its Tables 1 and 2 but for rounding, if F is computed with thresholds that
# were found on the test songs' own labels, as the task's script does. And they show what the paper does not say: the published "short" half of the ensemble is
# the row `short-hpcp`, not the `short-normal` that text and Table 2 name.

# %% tags=["hide-input"]
tag_tables.mirable_beside_printed(compared)

# %% [markdown]
# ## Your own
#
# `mer leaderboard path/to/matrix.npz` scores a matrix of yours (arrays `track_id`, `tags` and `values`, in any order; or a CSV with names; or a bare
# `.npy` in the official order) and shows its line among the others.
