# %% [markdown]
# # Other methods for noisy labels on 4Q
#
# **Question.** SSSL is one of many methods for learning with noisy labels. What do others reach with the same network, epochs, folds and seed?
#
# **Answer.** For none of the segment-level methods does the accuracy differ significantly from plain training with its setting chosen likewise; the differences are
# {interval}`alternatives/self_learning_chosen/difference/emotion/mean_probability:+.3f` for SSSL, {interval}`alternatives/co_teaching_chosen/difference/emotion/mean_probability:+.3f` for co-teaching,
# {interval}`alternatives/elr_chosen/difference/emotion/mean_probability:+.3f` for ELR, {interval}`alternatives/fixmatch_chosen/difference/emotion/mean_probability:+.3f` for FixMatch and
# {interval}`alternatives/soft_labels_chosen/difference/emotion/mean_probability:+.3f` for soft labels: all inconclusive. Two-stage training, which SSSL's Table 3 quotes, differs by
# {interval}`alternatives/two_stage_chosen/difference/emotion/mean_probability:+.3f` (after Holm correction p = {result}`alternatives/two_stage_chosen/difference/emotion/mean_probability/p_holm:.3f` by the bootstrap; not
# significant by a t-test over the two folds).
#
# The mean of two networks trained plainly differs from one by {interval}`alternatives/two_networks/difference/emotion/mean_probability:+.3f` (p = {result}`alternatives/two_networks/difference/emotion/mean_probability/p_holm:.2f`
# after correction). It is the fair baseline for methods with two networks, such as co-teaching.
#
# **Limits.** Two folds, one training run of each method: differences of a few hundredths could not have been detected. On these folds the five headline runs of SSSL score between
# {result}`segments_to_songs/self_learning/two_folds/lowest:.3f` and {result}`segments_to_songs/self_learning/two_folds/highest:.3f`, and the run here is among the best of them, although its
# validation accuracy is below that of plain training. [On all five folds](01_segments_to_songs) SSSL does not exceed plain training.
#
# **Rerun.** `mer run alternatives --preset cpu`, with the audio of 4Q; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, tables

# %% mystnb={"figure": {"name": "fig-alternatives", "caption": "Accuracy difference from plain training on the same songs of two folds of 4Q, the setting of each method chosen between two on validation songs (inherited labels: with or without label smoothing). One training run each, whose variation is not in the 95 % confidence intervals over artists. Right of zero: better than trusting every label. Filled: the uncorrected interval excludes zero."}, "image": {"alt": "Differences in accuracy from plain training for each method, with intervals."}} tags=["hide-input"]
recorded = experiments.recorded("alternatives", "cpu")
compared = results.comparison("alternatives", "cpu")
differences = tables.differences(compared)
chosen = differences[differences["label"].str.endswith("_chosen")]
named = chosen.assign(label=chosen["label"].str.removesuffix("_chosen"))
figures.forest(named, "Accuracy, difference from plain training, two folds")

# %% [markdown]
# ## Methods and settings
#
# Each method was trained with two settings, its usual one and a milder one that is nearer to plain training; each fold takes the one with the better validation accuracy, on training songs
# predicted out of fold. Usual settings come from other tasks, mostly images; values that their papers leave open are ours.
#
# - *Inherited labels*: every label is trusted (plain training); second setting: label smoothing, a tenth of every label spread over all classes.
# - *Soft labels*: labels move towards the network's own predictions {cite}`mao2022`, half-way (ours); milder: a quarter of the way.
# - *ELR*: agreement with past predictions is rewarded {cite}`liu2020elr`, with weight 3 as for CIFAR-10; milder: 1.
# - *Co-teaching*: two networks, each trained on the small-loss windows of the other {cite}`han2018`; a tenth is discarded (ours); milder: a twentieth.
# - *FixMatch*: windows of the noisy set are trained on pseudo-labels under masking, if the prediction exceeds a confidence of `0.95` {cite}`sohn2020`; milder: `0.8`.
# - *Two-stage training*: an autoencoder of windows, then a BiLSTM over the song; no window inherits a label {cite}`he2022`; up to half is masked (ours); milder: a quarter.
# - *SSSL*: a label is kept from a clean probability of `0.5` on; milder: `0.3`.

# %% tags=["hide-input"]
tables.against(compared, recorded)

# %% [markdown]
# The song decision is a separate choice. For each method with its usual setting, with majority vote and maximum run length {cite}`sarkar2020` beside mean probability and SVM:

# %% tags=["hide-input"]
decided = tables.decision_table(compared).drop(index="Most frequent class (no music)").T
decided = decided.rename_axis(index="method", columns=None)
decided[~decided.index.str.endswith(("_chosen", "_gentle"))]
