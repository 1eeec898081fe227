# %% [markdown]
# # Other methods for noisy labels on 4Q
#
# **Question.** SSSL is one of many answers to doubtful labels. What do others reach in the same loop, with the same network, epochs, folds
# and seed?
#
# Every method has two trials, as usually set and nearer to plain training, on the same two folds; each fold takes the trial that did better on
# training songs that its networks had not heard. Compute is shown beside. Again: `mer run alternatives --preset cpu`.
#
# **Answer.** For none does the interval exclude zero; these runs could have shown differences of about a tenth, no smaller ones. Less plain training chosen likewise, SSSL scores
# {interval}`alternatives/self_learning_chosen/difference/emotion/mean_probability:+.3f`, co-teaching
# {interval}`alternatives/co_teaching_chosen/difference/emotion/mean_probability:+.3f`, ELR
# {interval}`alternatives/elr_chosen/difference/emotion/mean_probability:+.3f`, FixMatch's way
# {interval}`alternatives/fixmatch_chosen/difference/emotion/mean_probability:+.3f`, soft labels
# {interval}`alternatives/soft_labels_chosen/difference/emotion/mean_probability:+.3f`. The mean of two plain networks differs from one by
# {interval}`alternatives/two_networks/difference/emotion/mean_probability:+.3f` (not significant after correction): a method with two networks, as co-teaching, should be compared with that.
#
# **Limits.** Two folds, one training run of each: on these folds SSSL's five headline runs score between
# {result}`segments_to_songs/self_learning/two_folds/lowest:.3f` and {result}`segments_to_songs/self_learning/two_folds/highest:.3f`, and the one here is among the
# best. Of validation songs, which its networks had not heard either, it knew fewer than plain training did.
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
# What is usual comes from other tasks, mostly images; where a paper leaves a number open it is ours, and the second trial changes one number:
#
# - `inherit`: every label believed; second, `label_smoothing`: a tenth of every label is spread over all classes;
# - `soft_labels`: labels move towards the network's own predictions {cite}`mao2022`, half-way (ours); second: a quarter of the way;
# - `elr`: agreement with one's own past predictions is rewarded {cite}`liu2020elr`, weight 3 as for CIFAR-10; second: 1;
# - `co_teaching`: two networks, each learning from what the other finds easy {cite}`han2018`; a tenth is left out (ours); second: a twentieth;
# - `fixmatch`: the mixture's noisy windows count only where the prediction is sure, under masking {cite}`sohn2020`: `0.95`; second: `0.8`;
# - `two_stage`: an autoencoder of windows, then a BiLSTM over songs; no window inherits a label {cite}`he2022`; up to half is masked (ours);
#   second: a quarter;
# - `self_learning`: SSSL, a label is kept from a clean probability of `0.5` on; second: `0.3`;
# - `two_networks`: two runs of plain training that answer together, the fair comparison for `co_teaching`.
#
# `..._chosen` is the choice inside the training folds. SSSL does better on these two folds than [on all five](01_segments_to_songs).

# %% tags=["hide-input"]
recorded = experiments.recorded("alternatives", "cpu")
compared = results.comparison("alternatives", "cpu")
tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-alternatives", "caption": "Accuracy of each method, chosen between its two trials, less that of plain training, chosen likewise, on the same songs of two folds; one training run each, whose luck is not in the 95 % intervals over artists. Right of zero: better than believing every label. Filled: the interval leaves zero out."}, "image": {"alt": "Differences in accuracy from plain training for each method, with intervals."}} tags=["hide-input"]
differences = tables.differences(compared)
figures.forest(
    differences[differences["label"].str.endswith("_chosen")],
    "Accuracy less plain training's, two folds of 4Q",
)

# %% [markdown]
# Majority vote and maximum run length {cite}`sarkar2020` are ways to decide on a song rather than to train; for each method:

# %% tags=["hide-input"]
decided = tables.decision_table(compared).T
decided[~decided.index.str.endswith(("_chosen", "_gentle"))]

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("alternatives", preset)
tables.against(results.comparison("alternatives", preset), computed)
