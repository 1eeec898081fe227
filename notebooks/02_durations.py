# %% [markdown]
# # How long should a segment be?
#
# **Question.** SSSL tries segments of one to five seconds and reports the best duration for each target (Table 2, {cite}`sun2024`). What accuracy remains if the duration, a
# hyperparameter, is chosen by nested cross-validation inside the training folds?
#
# **Answer.** Chosen inside the training folds, SSSL's accuracy by mean probability is {interval}`durations/chosen_for_valence/valence/mean_probability/accuracy:.3f` for valence and
# {interval}`durations/chosen_for_arousal/arousal/mean_probability/accuracy:.3f` for arousal, a little below that of the duration that is best on the reported songs (second table). For quadrants no
# duration differs significantly from three seconds after Holm correction: the effect of the duration is inconclusive.
#
# **Limits.** One training run for each duration, so that the intervals over artists do not include seed-to-seed variation. The difference due to selection on the reported songs has no interval.
#
# **Rerun.** `mer run durations --preset cpu`, with the audio of 4Q; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, tables

# %% mystnb={"figure": {"name": "fig-durations", "caption": "Accuracy of SSSL on 4Q by segment duration for quadrants, valence and arousal, by mean probability; five folds by artist, one seed, 95 % confidence intervals over artists. Hollow diamonds: printed in the paper's Table 2, by its support vector machine (SVM)."}, "image": {"alt": "Accuracy against segment duration for three targets, ours with intervals beside the printed values."}} tags=["hide-input"]
recorded = experiments.recorded("durations", "cpu")
compared = results.comparison("durations", "cpu")
figures.by_duration(tables.by_duration(compared))

# %% [markdown]
# ## Beside the paper
#
# Table 2 for 4Q, ours with both song decisions (F1: macro average for quadrants, the class "high" for the others). From two seconds on the printed accuracies for valence lie above our
# intervals with either decision; most of those for arousal lie inside. What differs is listed with [the headline comparison](01_segments_to_songs).

# %% tags=["hide-input"]
tables.table_2(compared)

# %% [markdown]
# ## Chosen inside the training folds, or on the reported songs
#
# For each test fold and target we take the duration with the best validation accuracy, that on training songs predicted out of fold by inner networks. For comparison: the duration that is best on
# the reported songs themselves, which is selection on test data; the last column is the difference between the two accuracies.

# %% tags=["hide-input"]
tables.nested_choice(compared, recorded)

# %% [markdown]
# All runs, quadrants:

# %% tags=["hide-input"]
tables.against(compared, recorded)
