# %% [markdown]
# # Questions that the paper leaves open
#
# **Question.** SSSL's paper {cite}`sun2024` states none of its hyperparameters, compares itself with no other semi-supervised method, has one ablation in one run, and reports neither other collections nor the cost of
# training. Which of these questions can be answered here, and with what certainty?
#
# **Answer.** On real labels no check shows a gain of SSSL or of another method over plain training. On strong features and real labels the difference in macro F1 from plain training is
# {interval}`strong_features/self_learning/none/musicnn/mean_probability/macro_f1_gain:+.3f` for SSSL, {interval}`noise_map/mixmatch/none/musicnn/mean_probability/macro_f1_gain:+.3f` for MixMatch and
# {interval}`noise_map/dividemix/none/musicnn/mean_probability/macro_f1_gain:+.3f` for DivideMix (losses, uncorrected intervals). SSSL
# gains where two songs in five are mislabelled at random: {interval}`noise_confirmed/self_learning/symmetric_song_40/musicnn/mean_probability/macro_f1_gain:+.3f`, significant in new partitions ([map of label noise](26_noise_map)), and, not significantly after correction, in a network that memorises.
# The other checks are losses, inconclusive, or exclude an effect beyond the margin.
#
# Each row of the table is one check: the paired difference with its 95 % confidence interval, the smallest difference that the design detects with a power of four in five (*detectable*), and the verdict. *None beyond
# the margin*: the whole interval lies within the margin; an interval that contains zero and exceeds the margin is *inconclusive*.
#
# **Limits.** Most checks use frozen features of pretrained networks, on which training takes seconds, so that every variant is trained in all folds of several partitions; this need not hold for networks trained from
# random weights. The intervals of this table are not corrected for its number of rows; the pages behind it correct theirs.
#
# **Rerun.** The commands that make the records are on [the status page](../status).

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, open_questions, sensitivity, tables
from mer_companion.book.numbers import numbers

# %% tags=["hide-input"]
open_questions.table(numbers())

# %% [markdown]
# ## Settings: macro F1 and collapse
#
# A network has collapsed if it never predicts one of the four quadrants for the songs of its test fold. Macro F1 is then low for that reason alone, so collapsed networks are counted in a column of their own. Frozen
# features, two partitions of the songs (five were registered), one hyperparameter at a time around the default, the row SSSL.
#
# No setting is shown to exceed plain training, and no network collapsed. Relative to the default, three settings have the lowest macro F1: one epoch of warm-up,
# {interval}`strong_sensitivity/warmup_epochs=1/none/musicnn/mean_probability/macro_f1_gain_on_self_learning:+.3f`, `λ = 10`, {interval}`strong_sensitivity/consistency_weight=10/none/musicnn/mean_probability/macro_f1_gain_on_self_learning:+.3f`, and `τ = 0.9`, {interval}`strong_sensitivity/clean_threshold=0.9/none/musicnn/mean_probability/macro_f1_gain_on_self_learning:+.3f`. Only the last
# is significant after Holm correction. Losses of warm-up and τ were predicted; λ was expected to matter by less than a hundredth. With `λ = 0.3`, the setting of the single collapsed run from scratch, macro F1
# changes by {interval}`strong_sensitivity/consistency_weight=0.3/none/musicnn/mean_probability/macro_f1_gain_on_self_learning:+.3f`.

# %% tags=["hide-input"]
(made,) = experiments.recorded("strong_sensitivity", "cpu")
study = experiments.EXPERIMENTS["strong_sensitivity"].runs("cpu")["trainings"]
sensitivity.grid(made, study.cells[0].folds)

# %% [markdown]
# With the slim network, one run of each setting on two folds:

# %% tags=["hide-input"]
sensitivity.of_runs(experiments.recorded("sensitivity", "cpu")).to_frame()

# %% [markdown]
# ## One network with four outputs, or one with two for each dimension?
#
# The paper reports valence and arousal besides the quadrants, probably from separate networks. Here one network with four outputs predicts all three, by adding probabilities. Both ways, on frozen features, five
# runs, each with its own partition: `mer run two_outputs --preset cpu`. Design and predictions were registered before
# ([data/registered/two_outputs.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/two_outputs.md)).
#
# With plain training the accuracy difference (two outputs − four) is {interval}`two_outputs/inherit_valence/difference/valence/mean_probability:+.3f` for valence and
# {interval}`two_outputs/inherit_arousal/difference/arousal/mean_probability:+.3f` for arousal. With two outputs the difference (SSSL − plain training) is
# {interval}`two_outputs/self_learning_valence/difference_from_inherit_valence/valence/mean_probability:+.3f` and
# {interval}`two_outputs/self_learning_arousal/difference_from_inherit_arousal/arousal/mean_probability:+.3f`. All four estimates are as small as predicted.

# %% mystnb={"figure": {"name": "fig-two-outputs", "caption": "Accuracy differences for valence and arousal on the same songs: two outputs − four, and SSSL − plain training. Methods named with a dimension have two outputs; 95 % confidence intervals over artists and runs. Filled: the interval excludes zero."}, "image": {"alt": "Differences in accuracy for valence and arousal, with intervals."}} tags=["hide-input"]
two_outputs = results.comparison("two_outputs", "cpu")
figures.forest(tables.by_pair(two_outputs, "valence", "arousal"), "Difference in accuracy")

# %% [markdown]
# ## Ten folds by song, as in the paper
#
# The paper averages over ten folds, apparently of songs, so that an artist's clips can lie on both sides. Both methods in ten folds by song and in ten by artist, on frozen features, three partitions each:
# `mer run ten_folds --preset cpu`; `--preset paper` trains VGG16 instead, for a GPU ([design](https://github.com/mer-companion/mer-companion/blob/main/data/registered/ten_folds.md)). The accuracy difference
# (SSSL − plain training) is {interval}`ten_folds/self_learning_song10/difference/emotion/mean_probability:+.3f` by song and {interval}`ten_folds/self_learning_artist10/difference/emotion/mean_probability:+.3f` by artist; plain training
# (by song − by artist) differs by {interval}`ten_folds/inherit_song10/difference/emotion/mean_probability:+.3f`. All three lie in the predicted ranges; none is significant after Holm correction.

# %% mystnb={"figure": {"name": "fig-ten-folds", "caption": "Accuracy differences in ten folds: SSSL − plain training by song and by artist, and plain training by song − by artist; 95 % confidence intervals over artists and runs. Filled: the interval excludes zero."}, "image": {"alt": "Three accuracy differences in ten folds, with intervals."}} tags=["hide-input"]
figures.forest(tables.by_pair(results.comparison("ten_folds", "cpu"), "emotion"), "Difference in accuracy")

# %% [markdown]
# ## Cost of training
#
# Minutes of a core (of a GPU for the last two) for one run on all tested folds, mean over runs. This is wall time on a machine that had
# other work; the [benchmarks](../speed) measure a training step alone.

# %% tags=["hide-input"]
open_questions.relative_cost(numbers(), "segments_to_songs", "paper_network", "memorisation")
