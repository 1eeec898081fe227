# %% [markdown]
# # Questions that the paper leaves open
#
# **Question.** SSSL's paper {cite}`sun2024` states none of its settings, compares itself with no other semi-supervised method, takes out one part in one run, and
# says nothing of other collections or of what the training costs. Which of these questions can be answered here, and how surely?
#
# **Answer.** The table has a row for each check: the paired difference with its 95 % interval, the smallest difference that the same design would have seen in four of five
# repetitions (*detectable*), and what follows. *None beyond the margin* is said where the whole interval lies within the margin; an interval that contains zero and
# leaves the margin is *inconclusive*. A check whose records are not made yet says so.
#
# **Limits.** Most of these rest on frozen features of pretrained networks, on which a training takes seconds, so that every variant is trained for all folds of
# several partitions; what holds there need not hold for a network trained from its first layer. The intervals of this table are not corrected for its number of rows; the
# pages behind it do that.
#
# **Rerun.** The commands that make the records are on [the status page](../status).

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, open_questions, sensitivity, tables
from mer_companion.book.numbers import numbers, recorded_or_none

# %% tags=["hide-input"]
open_questions.table(numbers())

# %% [markdown]
# ## Settings: macro F1 and collapse
#
# A network has collapsed when it never predicts one of the four quadrants for the songs of its test fold. Macro F1 is then low whatever else the setting does, so the number of
# collapsed networks stands in a column of its own. Frozen features, five partitions of the songs, one setting at a time around the default, which is the row SSSL.

# %% tags=["hide-input"]
made = recorded_or_none("strong_sensitivity")
study = experiments.EXPERIMENTS["strong_sensitivity"].runs("cpu")["trainings"]
sensitivity.grid(made[0], study.cells[0].folds) if made else print("Not run yet: strong_sensitivity.")

# %% [markdown]
# With the slim network, one run of each setting on two folds:

# %% tags=["hide-input"]
sensitivity.of_runs(experiments.recorded("sensitivity", "cpu")).to_frame()

# %% [markdown]
# ## One network with four outputs, or one with two for each dimension?
#
# The paper prints valence and arousal beside the quadrants, from networks of their own as far as one can tell. Here one network answers all three, by adding up
# probabilities. Both ways, on frozen features, five runs, each with a partition of its own: `mer run two_outputs --preset cpu`. The design and its predictions were written down
# before ([data/registered/two_outputs.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/two_outputs.md)).
#
# With plain training, two outputs less four are {interval}`two_outputs/inherit_valence/difference/valence/mean_probability:+.3f` for valence and
# {interval}`two_outputs/inherit_arousal/difference/arousal/mean_probability:+.3f` for arousal. SSSL less plain training, with two outputs each, is
# {interval}`two_outputs/self_learning_valence/difference_from_inherit_valence/valence/mean_probability:+.3f` and
# {interval}`two_outputs/self_learning_arousal/difference_from_inherit_arousal/arousal/mean_probability:+.3f`. All four estimates are as small as was predicted.

# %% mystnb={"figure": {"name": "fig-two-outputs", "caption": "Accuracy with two outputs less that with four, and SSSL less plain training with two outputs, for valence and arousal, on the same songs; 95 % intervals over artists and runs. Filled: the interval leaves zero out."}, "image": {"alt": "Differences in accuracy for valence and arousal, with intervals."}} tags=["hide-input"]
two_outputs = results.comparison("two_outputs", "cpu")
figures.forest(tables.by_pair(two_outputs, "valence", "arousal"), "Difference in accuracy")

# %% [markdown]
# ## What does it cost?
#
# Minutes of a core (of a GPU for the last two) for one run on all tested folds, mean over runs. They are wall time of records that were made while the machine did other work; the
# [benchmarks](../speed) measure a training step alone.

# %% tags=["hide-input"]
open_questions.relative_cost(numbers(), "segments_to_songs", "paper_network", "memorisation")
