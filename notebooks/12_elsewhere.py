# %% [markdown]
# # From real to synthetic music and back
#
# **Question.** How accurate is a network trained on 4Q on the synthetic corpus of this project, and the other way round?
#
# **Answer.** Little of what is learned transfers. In both directions and for both methods accuracy for valence is not distinguishable from chance; for arousal it is above chance in two of four runs, for
# quadrants in two, and below chance in one. Within the synthetic corpus, on artists with other timbres, accuracy stays above chance for all three targets. Transfer between collections of real music is measured
# on [its own page](28_collections).
#
# **Limits.** One fold and one training run each. The synthetic corpus consists of simple tones, and the step to it is larger than that between collections of recorded music.
#
# **Rerun.** `mer run elsewhere --preset cpu`, with the audio of 4Q; with that of PMEmo or Emotion in Music also on these, e.g. `--set 'external_tests=["pmemo"]'`. The cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments
from mer_companion.analysis import figures, tables

# %% mystnb={"figure": {"name": "fig-elsewhere", "caption": "Accuracy for four quadrants by training and test collection; 95 % confidence intervals over artists. Dotted: the most frequent class."}, "image": {"alt": "Accuracy at home and elsewhere for networks trained on 4Q and on the synthetic corpus."}} tags=["hide-input"]
recorded = experiments.recorded("elsewhere", "cpu")
figures.intervals(tables.elsewhere(recorded), "Accuracy, four quadrants", chance=0.25)

# %% [markdown]
# Accuracy by mean probability at home (held-out songs of the same collection) and elsewhere (all songs of the other one); chance is one in four, and one in two for valence and arousal.

# %% tags=["hide-input"]
tables.elsewhere_table(recorded)
