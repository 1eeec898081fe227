# %% [markdown]
# # The second stage: from windows to a song
#
# **Question.** SSSL decides on a song by a support vector machine on seven statistics of its windows' probabilities. As printed, the machine
# learns from predictions that the network made for its own training songs. Does it matter that those are too sure of themselves?
#
# *Out of fold*: the machine learns from predictions of inner networks for songs they had not heard, and asks the same networks about
# the test songs; beside it what those networks say without the machine, for they heard half as many songs. *In sample*: as printed. Five
# artist folds of 4Q, one seed. Again: `mer run song_decision --preset cpu`.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke, cpu or paper

# %% tags=["remove-cell"]
from mer_core import experiments, figures, results, tables

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
