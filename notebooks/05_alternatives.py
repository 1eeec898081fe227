# %% [markdown]
# # Other ways to learn from doubtful labels
#
# **Question.** SSSL is one of many answers to doubtful labels. What do others reach in the same loop, with the same network, epochs, folds
# and seed?
#
# Every method runs once, with the settings that its own paper gives, so that none is tuned more than another; compute is shown
# beside. Again: `mer run alternatives --preset cpu`.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke, cpu or paper

# %% tags=["remove-cell"]
from mer_core import experiments, figures, results, tables

# %% [markdown]
# ## What was recorded on 4Q
#
# - `label_smoothing`: a tenth of every label is spread over all classes;
# - `soft_labels`: labels move half-way towards the network's own predictions {cite}`mao2022`;
# - `elr`: agreement with one's own past predictions is rewarded {cite}`liu2020elr`;
# - `co_teaching`: two networks, each learning from what the other finds easy {cite}`han2018`;
# - `fixmatch`: the mixture's noisy windows count only where the prediction is sure, under masking {cite}`sohn2020`;
# - `two_stage`: an autoencoder of windows, then a BiLSTM over songs; no window inherits a label {cite}`he2022`.

# %% tags=["hide-input"]
recorded = experiments.recorded("alternatives", "cpu")
compared = results.comparison("alternatives", "cpu")
tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-alternatives", "caption": "Accuracy less that of plain training on the same songs of two folds, 95 % intervals over artists. Right of zero: better than believing every label. Filled: the interval leaves zero out."}, "image": {"alt": "Differences in accuracy from plain training for each method, with intervals."}} tags=["hide-input"]
figures.forest(tables.differences(compared), "Accuracy less plain training's, two folds of 4Q")

# %% [markdown]
# Majority vote and maximum run length {cite}`sarkar2020` are ways to decide on a song rather than to train; for each method:

# %% tags=["hide-input"]
tables.decision_table(compared).T

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("alternatives", preset)
tables.against(results.comparison("alternatives", preset), computed)
