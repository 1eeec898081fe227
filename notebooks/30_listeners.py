# %% [markdown]
# # Label noise and listener disagreement
#
# **Question.** SSSL's mixture says which labels are likely wrong. Are these the labels that listeners disagree with?
#
# **Answer.** ANSWER
#
# **Design.** Two collections say what single listeners answered. VGMIDI: about thirty listeners of each piano piece moved a point in the plane of
# valence and arousal while it played; a window's disagreement is the share of them whose mean over these three seconds lies in another quadrant
# than the piece's label. Emotify: listeners named the emotions they felt in each song; a song's disagreement is how likely two of them answer with
# different quadrants. Networks learn from the windows of both collections, on the features of a frozen pretrained network (MusiCNN): five folds by
# series of games or artist, in five partitions. Clean probability in training is the mean, over the epochs at which SSSL separates, that the mixture gives a training
# window: it is what the method acts on. Out of fold is what a network says that learned from neither the song nor its series or artist. The design and its
# predictions were written down before the runs
# ([data/registered/listeners.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/listeners.md)).
#
# **Limits.** LIMITS
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`, on synthetic music. To make them:
# `mer run listeners_vgmidi --preset cpu` and `mer run listeners_emotify --preset cpu`, with both collections, fluidsynth, and the package `musicnn`,
# whose weights are read.

# %% tags=["parameters"]
preset = "smoke"  # what is computed at the end: smoke or cpu

# %% tags=["remove-cell"]
from mer_companion import experiments
from mer_companion.analysis import listeners, noise_map

# %% [markdown]
# ## Where the mixture doubts

# %% mystnb={"figure": {"name": "fig-listeners-bins", "caption": "Listeners' disagreement in fifths of VGMIDI's windows and of Emotify's songs, by the clean probability that the mixture gives their labels in training; 95 % intervals over series of games, or artists."}, "image": {"alt": "Mean disagreement of listeners against clean probability, for SSSL and plain training, in VGMIDI and Emotify."}} tags=["hide-input"]
(vgmidi,) = experiments.recorded("listeners_vgmidi", "cpu")
(emotify,) = experiments.recorded("listeners_emotify", "cpu")
rows = listeners.metrics([vgmidi, emotify])
found = listeners.found(rows)
listeners.by_clean_probability(rows)

# %% [markdown]
# Most of what differs between windows differs between classes and pieces. The next figure takes that apart: over all windows, given the label's
# class, and within pieces, where only time remains; over songs, and given class, genre and the number of answers. As a ceiling, half of the listeners rank windows
# and songs for the other half.

# %% mystnb={"figure": {"name": "fig-listeners-correlations", "caption": "Rank correlation with listeners' disagreement of SSSL's 1 - clean probability, of the loss and the entropy of networks that learned from other songs, and of the other half of the listeners; 95 % intervals over series or artists, and trainings."}, "image": {"alt": "Forest of rank correlations with listeners' disagreement, seven questions in rows, four scores in colours."}} tags=["hide-input"]
listeners.correlations(found)

# %% [markdown]
# All scores, with baselines that use no sound. The verdict is on the prediction that disagreement rises with SSSL's doubt, after Holm's correction over
# these questions; `detectable` is the smallest correlation (for AUC, distance from a half) that a score would have shown with a power of `80 %`.

# %% tags=["hide-input"]
listeners.association_table(found)

# %% [markdown]
# ## One listener's answer for a label
#
# Now each training song is labelled by one of its listeners, drawn at random: real label noise at its real rate. Beside it, as many wrong labels spread
# evenly over the other quadrants (symmetric), and the labels as they are. Tested songs keep the label of all their listeners.

# %% mystnb={"figure": {"name": "fig-listeners-gains", "caption": "Gain in macro F1 over plain training with the same labels: the collection's own, one listener's answers, and as many symmetric wrong labels; 95 % intervals over series or artists, and partitions."}, "image": {"alt": "Gains in macro F1 of five methods over plain training under three kinds of labels, in VGMIDI and Emotify."}} tags=["hide-input"]
cells = listeners.gains([vgmidi, emotify])
listeners.gains_by_noise(cells)

# %% tags=["hide-input"]
listeners.noise_table(cells, rows)

# %% [markdown]
# ## What was predicted
#
# PREDICTED

# %% [markdown]
# ## What this machine computes

# %%
(computed,) = experiments.execute("listeners_vgmidi", preset)
noise_map.listed(noise_map.cells(computed))
