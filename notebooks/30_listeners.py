# %% [markdown]
# # Label noise and listener disagreement
#
# **Question.** Is the noise that SSSL's mixture finds the noise that listeners report? And does SSSL help where label noise is theirs?
#
# **Answer.** The first in part (supported), the second is inconclusive. Labels with a low clean probability tend to be those that listeners disagree on: the rank correlation of
# 1 − clean probability with disagreement is {interval}`listeners_vgmidi/self_learning/none/musicnn/windows/doubt_in_training_correlation:.2f` over the windows of VGMIDI and
# {interval}`listeners_emotify/self_learning/none/musicnn/songs/doubt_in_training_pairwise_correlation:.2f` over the songs of Emotify. Most of this lies between songs: within the pieces of VGMIDI it is
# {interval}`listeners_vgmidi/self_learning/none/musicnn/within_pieces/doubt_in_training_correlation:.2f`. With one listener's answer for each training label ({result}`listeners_vgmidi/listeners/none/musicnn/songs/wrong_answers:.1%` of answers are not the label of all
# listeners in VGMIDI, {result}`listeners_emotify/listeners/none/musicnn/songs/wrong_answers:.1%` in Emotify), SSSL's gain in macro F1 on plain training is {interval}`listeners_vgmidi/self_learning/one_listener_song_100/musicnn/mean_probability/macro_f1_gain:+.3f` and
# {interval}`listeners_emotify/self_learning/one_listener_song_100/musicnn/mean_probability/macro_f1_gain:+.3f`.
#
# The mixture itself seems not to be what finds them: 1 − clean probability correlates with disagreement about as much as the loss of the same networks does
# ({interval}`listeners_vgmidi/self_learning/none/musicnn/windows/loss_in_training_correlation:.2f` and {interval}`listeners_emotify/self_learning/none/musicnn/songs/loss_in_training_pairwise_correlation:.2f`), or that of
# plain training on songs that it did not learn from ({interval}`listeners_vgmidi/inherit/none/musicnn/windows/loss_out_of_fold_correlation:.2f` and
# {interval}`listeners_emotify/inherit/none/musicnn/songs/loss_out_of_fold_pairwise_correlation:.2f`). Within pieces the seconds since the beginning correlate as much
# ({interval}`listeners_vgmidi/baseline/none/musicnn/within_pieces/second_correlation:.2f`), and half of the listeners, as a score for the other half, far more
# ({interval}`listeners_vgmidi/listeners/none/musicnn/within_pieces/half_correlation:.2f`).
#
# **Design.** Two collections say what single listeners answered. VGMIDI {cite}`ferreira2019`, 200 piano pieces of 24 series of games: about thirty listeners of each piece moved a point in the plane of
# valence and arousal; a window's disagreement is the share of them whose mean over its 3 s lies in another quadrant than the piece's label. Emotify {cite}`aljanaki2016`, 378 songs of
# 134 artists: listeners named the emotions they felt; a song's disagreement is how likely two of them answer with different quadrants. Networks learn from windows of 3 s on the
# features of a frozen pretrained network (MusiCNN {cite}`pons2019`), in five folds by series or artist and in three partitions into folds. *Clean probability in training* is the mean
# over the epochs at which SSSL separates: it is what the method acts on. *Out of fold* are networks that learned from neither the song nor its series or artist. The design and its
# predictions were written down before the runs
# ([data/registered/listeners.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/listeners.md)).
#
# **Limits.** Three partitions were run instead of five, one training each; the label of all listeners and symmetric noise for plain training and SSSL alone; features are those of MSD_musicnn
# alone. Intervals over 24 series and three partitions are somewhat narrow. The power is small for gains, above all on VGMIDI (`detectable` in the tables). A song's label comes from
# the answers that disagreement is measured on: where they are divided, it depends on few of them. So a correlation does not say that a label is wrong; the music may lie near a
# border between quadrants. VGMIDI's audio is rendered from MIDI. Emotify asks for felt emotions, 4Q for expressed ones.
#
# **Rerun.** `mer run listeners_vgmidi --preset cpu` and `mer run listeners_emotify --preset cpu`, with both collections, fluidsynth, and the weights from the package `musicnn`; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments
from mer_companion.analysis import listeners, noise_map

# %% [markdown]
# ## Disagreement by clean probability
#
# Of VGMIDI's windows with the lowest clean probability, {interval}`listeners_vgmidi/self_learning/none/musicnn/windows/disagreement_bin_1:.2f` of listeners disagree with the label, of those with the
# highest {interval}`listeners_vgmidi/self_learning/none/musicnn/windows/disagreement_bin_5:.2f`. Clean probability is no estimate of agreement: from the lowest to the highest fifth it runs over nearly
# its whole range, and disagreement over a small part of it.

# %% mystnb={"figure": {"name": "fig-listeners-bins", "caption": "Disagreement of listeners in fifths of VGMIDI's windows and of Emotify's songs, by the clean probability that the mixture gives their labels in training; 95 % intervals over series of games, or artists."}, "image": {"alt": "Disagreement of listeners falls as clean probability rises, for SSSL and plain training, in VGMIDI and Emotify."}} tags=["hide-input"]
records = [
    *experiments.recorded("listeners_vgmidi", "cpu"),
    *experiments.recorded("listeners_emotify", "cpu"),
]
rows = listeners.metrics(records)
listeners.by_clean_probability(rows)

# %% [markdown]
# ## Between and within songs
#
# Disagreement differs between classes and between songs, which the figure takes apart: over all windows, given the label's class, and within pieces, where only time
# remains; over songs, and *given the rest*: class, genre and the number of answers (partial correlation of ranks). *Against label* is the share of answers outside the song's label, in
# place of disagreeing pairs. Half of the listeners, as a score for the other half, is there for scale. It is no ceiling: half of a song's answers are noisier than all, and in Emotify,
# where they are few, SSSL correlates with all of them no less.

# %% mystnb={"figure": {"name": "fig-listeners-correlations", "caption": "Rank correlation with listeners' disagreement of SSSL's 1 − clean probability, of loss and entropy of networks that learned from other songs, and of half of the listeners with the other half; 95 % intervals over series or artists, and partitions."}, "image": {"alt": "Rank correlations with listeners' disagreement of four scores, for each question in a row."}} tags=["hide-input"]
found = listeners.found(rows)
listeners.correlations(found)

# %% [markdown]
# All scores, with baselines that use no sound: the seconds since the beginning, and the mean disagreement on the class in other series or by other artists. The verdict is on the prediction that disagreement
# rises with SSSL's 1 − clean probability, after Holm's correction over these questions; `detectable` is the smallest correlation (for AUC, distance from a half) that a score would
# have shown with a power of `80 %`.

# %% tags=["hide-input"]
listeners.association_table(found)

# %% [markdown]
# ## One listener's answer as label
#
# Each training song now has the answer of one of its listeners, drawn at random, as its label: real label noise at its real rate. Beside it, as many wrong labels spread
# evenly over the other quadrants (symmetric noise), and the label of all listeners, which tested songs always keep. No gain differs from zero after correction. On the label of all
# listeners SSSL's mean gain is negative on both, {interval}`listeners_vgmidi/self_learning/none/musicnn/mean_probability/macro_f1_gain:+.3f` and
# {interval}`listeners_emotify/self_learning/none/musicnn/mean_probability/macro_f1_gain:+.3f`, which is inconclusive after correction. In accuracy, which is not the measure of the design and not corrected, SSSL gains
# {interval}`listeners_emotify/self_learning/one_listener_song_100/musicnn/mean_probability/accuracy_gain:+.3f` and ELR {interval}`listeners_emotify/elr/one_listener_song_100/musicnn/mean_probability/accuracy_gain:+.3f` on Emotify with one listener's answers.

# %% mystnb={"figure": {"name": "fig-listeners-gains", "caption": "Gain in macro F1 over plain training with the same labels; 95 % intervals over series or artists, and partitions."}, "image": {"alt": "Gains in macro F1 of five methods over plain training under three kinds of labels, in VGMIDI and Emotify."}} tags=["hide-input"]
cells = listeners.gains(records)
listeners.gains_by_noise(cells)

# %% tags=["hide-input"]
listeners.noise_table(cells, rows)

# %% [markdown]
# What the labels themselves change: one listener's answers change plain training's macro F1 by {interval}`listeners_vgmidi/inherit/one_listener_song_100/musicnn/mean_probability/macro_f1_cost:+.3f` on VGMIDI and
# {interval}`listeners_emotify/inherit/one_listener_song_100/musicnn/mean_probability/macro_f1_cost:+.3f` on Emotify, as much symmetric noise by {interval}`listeners_vgmidi/inherit/symmetric_song_45/musicnn/mean_probability/macro_f1_cost:+.3f` and
# {interval}`listeners_emotify/inherit/symmetric_song_49/musicnn/mean_probability/macro_f1_cost:+.3f`. On Emotify the answers cost less than symmetric noise; on VGMIDI the difference is inconclusive. Answers beside the label are
# not spread evenly: they tell where else listeners put the song, which may be why. The p-values of this table are not corrected.

# %% tags=["hide-input"]
listeners.differences_table(rows)

# %% [markdown]
# ## What was predicted
#
# | prediction | outcome |
# | --- | --- |
# | 1 over VGMIDI's windows disagreement rises with 1 − clean probability | supported; correlation and AUC lie just above the range that was predicted |
# | 2 most of that lies between classes and pieces; within pieces hardly any | supported for the first; within pieces the correlation is above zero, and its interval includes the bound that was predicted |
# | 3 the entropy correlates less than the loss, out of fold | held by the means over VGMIDI's windows, and most within pieces, where the entropy's interval includes zero; differences were not tested. On Emotify, given class, genre and answers, they are alike |
# | 4 Emotify: given class, genre and answers, loss and 1 − clean probability rise with disagreement | supported, within the range |
# | 5 one listener's answers cost plain training much | inconclusive on both; the mean is as large as predicted on VGMIDI, and near zero on Emotify |
# | 6 under one listener's answers SSSL gains little, and inconclusively; no method gains much | held on Emotify; on VGMIDI the mean is negative, and inconclusive |
# | 7 the loss finds one listener's wrong answers less well than symmetric ones | supported for SSSL on VGMIDI; inconclusive for the other three |
