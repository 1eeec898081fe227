# %% [markdown]
# # Song decision: support vector machine or mean probability
#
# **Question.** SSSL decides on a song by a support vector machine on seven statistics of its windows' probabilities. As printed, the machine
# learns from predictions that the network made for its own training songs. Does it matter that those are too sure of themselves?
#
# *Out of fold*: the machine learns from predictions of inner networks for songs they had not heard, and asks the same networks about
# the test songs; beside it what those networks say without the machine, for they heard half as many songs. *In sample*: as printed. Five
# artist folds of 4Q, one seed. Again: `mer run song_decision --preset cpu`.
#
# **Answer.** Not visibly, in one run. Out of fold, the machine reaches {interval}`song_decision/inherit/emotion/svm/accuracy:.3f` with plain training and
# {interval}`song_decision/self_learning/emotion/svm/accuracy:.3f` with SSSL; the mean of the same inner networks
# {interval}`song_decision/inherit/emotion/mean_probability_inner/accuracy:.3f` and
# {interval}`song_decision/self_learning/emotion/mean_probability_inner/accuracy:.3f`. Learned in sample, as printed, it reaches
# {interval}`song_decision/inherit/emotion/svm_in_sample/accuracy:.3f` and {interval}`song_decision/self_learning/emotion/svm_in_sample/accuracy:.3f`. Two things
# differ between these rows, and are not told apart: whose predictions the machine learns from, and that the inner networks were trained on half as many songs.
#
# **Limits.** One training run of each; two inner networks to a fold.
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

# %% tags=["hide-input"]
recorded = experiments.recorded("song_decision", "cpu")
compared = results.comparison("song_decision", "cpu")
tables.decision_table(compared)[["inherit", "self_learning"]]

# %% mystnb={"figure": {"name": "fig-decisions", "caption": "Song accuracy by the way to decide on a song, for both methods; 95 % intervals over artists. The inner networks of the out-of-fold machine heard half of the training songs."}, "image": {"alt": "Accuracy of five song decisions for plain training and SSSL."}} tags=["hide-input"]
figures.by_condition(tables.by_decision(compared, ("inherit", "self_learning")), "", "Song accuracy")

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("song_decision", preset)
tables.decision_table(results.comparison("song_decision", preset))
