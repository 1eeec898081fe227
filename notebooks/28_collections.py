# %% [markdown]
# # Other collections
#
# **Question.** Does what SSSL and its alternatives gain or lose on 4Q hold on other music?
#
# **Answer.** On the mean of four collections, SSSL's difference in macro F1 from plain training is {interval}`collections/mean/self_learning/macro_f1_gain:+.3f`; on
# 4Q it is {interval}`collections/4q/self_learning/macro_f1_gain:+.3f`, on EMOPIA {interval}`collections/emopia/self_learning/macro_f1_gain:+.3f`, on Emotify
# {interval}`collections/emotify_quadrants/self_learning/macro_f1_gain:+.3f`, on VGMIDI {interval}`collections/vgmidi/self_learning/macro_f1_gain:+.3f`.
#
# **Collections.** 4Q {cite}`panda2018`: recorded music, half a minute a clip. EMOPIA {cite}`hung2021`: clips of pop piano. VGMIDI {cite}`ferreira2019`: phrases of
# game music for piano. Both are MIDI, {term}`rendered` here with one piano. Emotify {cite}`aljanaki2016`: recorded excerpts of a minute in four genres; its listeners named
# emotions that they felt, which a mapping of ours turns into quadrants. The synthetic corpus is shown beside them and enters no mean.
#
# **Design.** The same settings everywhere, none of them tuned on these collections: numbers of a pretrained network (MusiCNN) for each window of three seconds,
# every clip brought to one level, and one hidden layer. Five folds by artist (4Q, Emotify), song (EMOPIA) or series of games (VGMIDI), five trainings.
# Design and predictions were written down before the runs
# ([data/registered/collections.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/collections.md)).
#
# **Limits.** Four collections and one kind of features; two of the collections are rendered, one piano each, and Emotify's quadrants are a mapping of felt emotions, so a low
# score there may be due to what labels mean, to the sound, or to both. One partition into folds of the two that were registered, so
# intervals do not cover how songs fall into folds. Whether songs of EMOPIA, which are covers, are also among 4Q's in their own recordings was not checked. Levels of
# clips are equalised, so loudness as such is no cue.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. To make them: `mer run collections --preset cpu`, with the audio of 4Q and Emotify, the MIDI of EMOPIA and VGMIDI, fluidsynth with the soundfont FluidR3, and the package
# `musicnn`, whose weights are read.

# %% tags=["parameters"]
preset = "smoke"  # what is computed at the end: smoke or cpu

# %% tags=["remove-cell"]
from mer_companion import experiments
from mer_companion.analysis import other_collections

# %% [markdown]
# ## Methods on each collection
#
# Gain: macro F1 less that of plain training on the same songs. The last line but one is the {term}`random-effects mean` over the four collections of music; its
# interval is that of Hartung and Knapp {cite}`hartung2001`, wide because there are four.

# %% mystnb={"figure": {"name": "fig-collections-forest", "caption": "Gain in macro F1 over plain training on tested songs, by collection and method; 95 % intervals over groups and trainings, and random-effects means over the four collections of music."}, "image": {"alt": "Gains of four methods over plain training on five collections and their random-effects means."}} tags=["hide-input"]
recorded = experiments.recorded("collections", "cpu")
gains = other_collections.gains(recorded)
other_collections.forest(gains)

# %% tags=["hide-input"]
other_collections.over_collections(gains)

# %% [markdown]
# I² and Q say how far the collections disagree beyond chance; `detectable` is the smallest mean gain that the design would have shown with a power of
# `80 %`. By collection:

# %% tags=["hide-input"]
other_collections.scores(recorded)

# %% [markdown]
# Training on one collection and testing on another, and pooling collections, are designed and registered (`mer run across_collections --preset cpu`) but not run yet.

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("collections", preset)
other_collections.scores(computed)
