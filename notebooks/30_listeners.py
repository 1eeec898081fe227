# %% [markdown]
# # Label noise and listener disagreement
#
# **Question.** Are the labels that SSSL's Gaussian mixture model judges to be noisy those on which listeners disagree? And does SSSL help where the label noise is that of listeners?
#
# **Answer.** The first is supported, in part; the second is inconclusive. The rank correlation of 1 − clean probability with the disagreement of listeners is
# {interval}`listeners_vgmidi/self_learning/none/musicnn/windows/doubt_in_training_correlation:.2f` over the windows of VGMIDI and
# {interval}`listeners_emotify/self_learning/none/musicnn/songs/doubt_in_training_pairwise_correlation:.2f` over the songs of Emotify. Most of this lies between songs: within the pieces of VGMIDI it is
# {interval}`listeners_vgmidi/self_learning/none/musicnn/within_pieces/doubt_in_training_correlation:.2f`. If each training label is one listener's answer
# ({result}`listeners_vgmidi/listeners/none/musicnn/songs/wrong_answers:.1%` of answers differ from the label of all listeners in VGMIDI, {result}`listeners_emotify/listeners/none/musicnn/songs/wrong_answers:.1%` in Emotify), the
# difference in macro F1 (SSSL − plain training) is {interval}`listeners_vgmidi/self_learning/one_listener_song_100/musicnn/mean_probability/macro_f1_gain:+.3f` and
# {interval}`listeners_emotify/self_learning/one_listener_song_100/musicnn/mean_probability/macro_f1_gain:+.3f`.
#
# The mixture seems to add little: the loss of the same networks correlates with disagreement about as much
# ({interval}`listeners_vgmidi/self_learning/none/musicnn/windows/loss_in_training_correlation:.2f` and {interval}`listeners_emotify/self_learning/none/musicnn/songs/loss_in_training_pairwise_correlation:.2f`), and so does that of
# plain training, out of fold ({interval}`listeners_vgmidi/inherit/none/musicnn/windows/loss_out_of_fold_correlation:.2f` and
# {interval}`listeners_emotify/inherit/none/musicnn/songs/loss_out_of_fold_pairwise_correlation:.2f`). Within pieces the time since the beginning correlates as much
# ({interval}`listeners_vgmidi/baseline/none/musicnn/within_pieces/second_correlation:.2f`), and the disagreement of one half of the listeners with that of the other far more
# ({interval}`listeners_vgmidi/listeners/none/musicnn/within_pieces/half_correlation:.2f`). These differences were not tested.
#
# **Data and design.** Two collections publish the answers of single listeners. VGMIDI {cite}`ferreira2019`, 200 piano pieces from 24 series of games: about thirty listeners of each piece moved a point in the plane of
# valence and arousal; the disagreement of a window is the share of listeners whose mean over its 3 s lies in another quadrant than the piece's label. Emotify {cite}`aljanaki2016`, 378 songs of 134 artists: listeners
# named the emotions that they felt; the disagreement of a song is the probability that two of them answer with different quadrants. Networks are trained on windows of 3 s, on features of a frozen pretrained network
# (MusiCNN {cite}`pons2019`), in five folds by series or artist and three partitions. *Clean probability in training* is its mean over the epochs in which SSSL separates. *Out of fold*: from networks trained on neither the
# song nor its series or artist. Design and predictions were registered before the runs
# ([data/registered/listeners.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/listeners.md)).
#
# **Limits.** Three of the five registered partitions, one training run each; the label of all listeners and symmetric noise for plain training and SSSL only; one kind of features. Intervals over 24 series and three
# partitions are somewhat narrow, and the power is small for gains, above all on VGMIDI (`detectable`). The label comes from the answers whose disagreement is measured, and rests on few of them where they are divided: a
# correlation does not show that a label is wrong, as the music may lie near a border between quadrants. VGMIDI is rendered from MIDI. Emotify asks for felt emotions, 4Q for expressed ones.
#
# **Rerun.** `mer run listeners_vgmidi --preset cpu` and `mer run listeners_emotify --preset cpu`, with both collections, fluidsynth, and the weights from the package `musicnn`; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments
from mer_companion.analysis import listeners

# %% [markdown]
# ## Disagreement by clean probability
#
# Of VGMIDI's windows in the lowest fifth of clean probability, {interval}`listeners_vgmidi/self_learning/none/musicnn/windows/disagreement_bin_1:.2f` of listeners disagree with the label, of those with the
# highest {interval}`listeners_vgmidi/self_learning/none/musicnn/windows/disagreement_bin_5:.2f`. Clean probability does not estimate agreement: from the lowest to the highest fifth it covers nearly its whole
# range, disagreement a small part of it.

# %% mystnb={"figure": {"name": "fig-listeners-bins", "caption": "Disagreement of listeners in fifths of VGMIDI's windows and of Emotify's songs, by the clean probability of their labels in training; 95 % confidence intervals over series of games, or artists."}, "image": {"alt": "Disagreement of listeners falls as clean probability rises, for SSSL and plain training, in VGMIDI and Emotify."}} tags=["hide-input"]
records = [
    *experiments.recorded("listeners_vgmidi", "cpu"),
    *experiments.recorded("listeners_emotify", "cpu"),
]
rows = listeners.metrics(records)
listeners.by_clean_probability(rows)

# %% [markdown]
# ## Between and within songs
#
# Disagreement differs between classes and between songs. The figure separates these: over all windows, given the label's class, and within pieces, where only time remains; over songs, and *given the rest*: class,
# genre and number of answers (partial rank correlation). *Against label* is the share of answers outside the song's label instead of disagreeing pairs. The correlation between halves of the listeners is shown for
# scale; it is no ceiling, as half of the answers are noisier than all of them.

# %% mystnb={"figure": {"name": "fig-listeners-correlations", "caption": "Rank correlation with listeners' disagreement of SSSL's 1 − clean probability, of loss and entropy of networks that learned from other songs, and of half of the listeners with the other half; 95 % confidence intervals over series or artists, and partitions."}, "image": {"alt": "Rank correlations with listeners' disagreement of four scores, for each question in a row."}} tags=["hide-input"]
found = listeners.found(rows)
listeners.correlations(found)

# %% [markdown]
# All scores, with baselines that use no audio: the time since the beginning, and the mean disagreement on the class in other series or by other artists. The verdict is on the prediction that disagreement rises with
# SSSL's 1 − clean probability, after Holm correction over these rows; `detectable` is the smallest correlation (for AUC, distance from a half) detected with a power of `80 %`.

# %% tags=["hide-input"]
listeners.association_table(found)

# %% [markdown]
# ## One listener's answer as label
#
# The label of each training song is the answer of one of its listeners, drawn at random: real label noise at its real rate. It is compared with as many wrong labels spread evenly over the other quadrants
# (symmetric noise), and with the label of all listeners, which test songs always keep. No gain is significant after Holm correction. On the label of all listeners SSSL's mean gain is negative on both, {interval}`listeners_vgmidi/self_learning/none/musicnn/mean_probability/macro_f1_gain:+.3f` and
# {interval}`listeners_emotify/self_learning/none/musicnn/mean_probability/macro_f1_gain:+.3f`, both inconclusive. In accuracy, which is not the registered measure and whose intervals are not corrected, SSSL's gain is
# {interval}`listeners_emotify/self_learning/one_listener_song_100/musicnn/mean_probability/accuracy_gain:+.3f` and ELR's {interval}`listeners_emotify/elr/one_listener_song_100/musicnn/mean_probability/accuracy_gain:+.3f` on Emotify with one listener's answers.

# %% mystnb={"figure": {"name": "fig-listeners-gains", "caption": "Gain in macro F1 over plain training with the same labels; 95 % confidence intervals over series or artists, and partitions."}, "image": {"alt": "Gains in macro F1 of five methods over plain training under three kinds of labels, in VGMIDI and Emotify."}} tags=["hide-input"]
cells = listeners.gains(records)
listeners.gains_by_noise(cells)

# %% tags=["hide-input"]
listeners.noise_table(cells, rows)

# %% [markdown]
# The effect of the labels on plain training: with one listener's answers its macro F1 changes by {interval}`listeners_vgmidi/inherit/one_listener_song_100/musicnn/mean_probability/macro_f1_cost:+.3f` on VGMIDI and
# {interval}`listeners_emotify/inherit/one_listener_song_100/musicnn/mean_probability/macro_f1_cost:+.3f` on Emotify, with as much symmetric noise by {interval}`listeners_vgmidi/inherit/symmetric_song_45/musicnn/mean_probability/macro_f1_cost:+.3f` and
# {interval}`listeners_emotify/inherit/symmetric_song_49/musicnn/mean_probability/macro_f1_cost:+.3f`. On Emotify the cost of the answers is lower than that of symmetric noise (uncorrected p in the table);
# on VGMIDI the difference is inconclusive. Answers other than the label are not spread evenly, which may be the reason.

# %% tags=["hide-input"]
listeners.differences_table(rows)

# %% [markdown]
# ## Registered predictions
#
# | prediction | outcome |
# | --- | --- |
# | 1 over VGMIDI's windows disagreement rises with 1 − clean probability | supported; correlation and AUC lie just above the range that was predicted |
# | 2 most of that lies between classes and pieces; within pieces hardly any | supported for the first part; within pieces the correlation is above zero, and its interval includes the predicted bound |
# | 3 the entropy correlates less than the loss, out of fold | the means agree on VGMIDI, most within pieces, where the entropy's interval includes zero; on Emotify, given class, genre and answers, they are similar. Differences were not tested |
# | 4 Emotify: given class, genre and answers, loss and 1 − clean probability rise with disagreement | supported, within the range |
# | 5 one listener's answers cost plain training much | inconclusive on both; the mean is as large as predicted on VGMIDI, and near zero on Emotify |
# | 6 under one listener's answers SSSL gains little, and inconclusively; no method gains much | held on Emotify; on VGMIDI the mean is negative: inconclusive |
# | 7 the loss detects one listener's wrong answers less well than symmetric ones | supported for SSSL on VGMIDI; inconclusive for the other three |
