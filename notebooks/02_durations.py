# %% [markdown]
# # How long should a segment be?
#
# **Question.** SSSL tries segments of one to five seconds and reports the best for each question (Table 2, {cite}`sun2024`). What is left
# when the duration is chosen inside the training folds, without looking at the songs that are reported?
#
# One network with four outputs answers for quadrants, valence and arousal. Again: `mer run durations --preset cpu`.
#
# **Answer.** Chosen inside the training folds, SSSL reaches {interval}`durations/chosen_for_valence/valence/mean_probability/accuracy:.3f` for valence and
# {interval}`durations/chosen_for_arousal/arousal/mean_probability/accuracy:.3f` for arousal; what picking on the reported songs adds is in the second table.
#
# **Limits.** One training run for each duration.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. To make the records again, two cores and the audio of
# 4Q do; what it took is below the page. `preset` says what the last section computes.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke, cpu or paper

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, tables

# %% [markdown]
# ## What was recorded on 4Q
#
# SSSL at every duration, five artist folds, one seed. "Validation" is the accuracy on training songs, each heard by a network that
# had not learned from it: what a choice may rest on.

# %% tags=["hide-input"]
recorded = experiments.recorded("durations", "cpu")
compared = results.comparison("durations", "cpu")
tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-durations", "caption": "Accuracy by segment duration for quadrants, valence and arousal; 95 % intervals over artists. Hollow diamonds: printed in the paper's Table 2."}, "image": {"alt": "Accuracy against segment duration for three questions, ours with intervals beside the printed ones."}} tags=["hide-input"]
figures.by_duration(tables.by_duration(compared))

# %% [markdown]
# Table 2 for 4Q, ours beside the printed figures (F1: macro average for quadrants, the class "high" for the others):

# %% tags=["hide-input"]
tables.table_2(compared)

# %% [markdown]
# ## Chosen inside the training folds, or on the reported songs?
#
# For every test fold the duration with the best validation accuracy inside its training folds is taken, for each question on its
# own. Beside it: the best duration picked on the reported songs themselves, as a table of reported durations invites.

# %% tags=["hide-input"]
tables.nested_choice(compared, recorded)

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("durations", preset)
tables.against(results.comparison("durations", preset), computed)
