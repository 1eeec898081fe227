# %% [markdown]
# # Other collections
#
# **Question.** Does what SSSL and its alternatives gain or lose on 4Q hold on other music? And how well does a network trained on one collection
# predict another?
#
# **Answer.** SSSL gains on none of the four collections. On EMOPIA it loses {interval}`collections/emopia/self_learning/macro_f1_gain:+.3f` macro F1 against plain training, which
# remains after correction; on 4Q ({interval}`collections/4q/self_learning/macro_f1_gain:+.3f`), Emotify
# ({interval}`collections/emotify_quadrants/self_learning/macro_f1_gain:+.3f`) and VGMIDI ({interval}`collections/vgmidi/self_learning/macro_f1_gain:+.3f`) the difference is
# inconclusive after correction. So is the mean over collections, {interval}`collections/mean/self_learning/macro_f1_gain:+.3f`: they disagree (I²
# {result}`collections/mean/self_learning/i2:.0%`). With one mixture for each class the difference on EMOPIA is
# {interval}`collections/emopia/mixture_per_class/macro_f1_gain:+.3f` and the mean {interval}`collections/mean/mixture_per_class/macro_f1_gain:+.3f`, both inconclusive.
#
# Transfer between recorded music and rendered piano is poor: trained on 4Q, macro F1 is {interval}`across_collections/4q/4q/emotion/macro_f1:.2f` on other songs of
# 4Q, {interval}`across_collections/4q/emotify_quadrants/emotion/macro_f1:.2f` on Emotify and {interval}`across_collections/4q/emopia/emotion/macro_f1:.2f` on EMOPIA. Between the two piano collections it is not:
# trained on EMOPIA, {interval}`across_collections/emopia/vgmidi/emotion/macro_f1:.2f` on VGMIDI, against {interval}`across_collections/vgmidi/vgmidi/emotion/macro_f1:.2f` when trained on other pieces of VGMIDI (the difference was not tested).
# Training on all four collections instead of its own changes macro F1 by {interval}`across_collections/all/emopia/emotion/macro_f1_gain:+.3f` on EMOPIA; on 4Q, Emotify and VGMIDI the difference is inconclusive.
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
# score across collections may be due to what labels mean, to the sound, or to both. One partition into folds of the two that were registered, so
# intervals do not cover how songs fall into folds. Whether songs of EMOPIA, which are covers, are also among 4Q's in their own recordings was not checked. Levels of
# clips are equalised, so loudness as such is no cue. Features are standardised on the music learned from, and not again on the music tested; whether that would improve
# transfer was not tried. VGMIDI has few series of games: its intervals are wide.
#
# **Rerun.** `mer run collections --preset cpu` and `mer run across_collections --preset cpu`, with the audio of 4Q and Emotify, the MIDI of EMOPIA and VGMIDI, fluidsynth with the soundfont FluidR3, and
# the weights from the package `musicnn`; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

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
# `80 %`. By collection, beside the baseline that always predicts the most frequent class:

# %% tags=["hide-input"]
(transfer,) = experiments.recorded("across_collections", "cpu")
other_collections.by_collection(recorded, transfer)

# %% [markdown]
# ## Trained on one, tested on another
#
# Plain training. The network of a fold learns from its source's songs outside that fold and predicts the songs of that fold in every collection, so that home (framed)
# and elsewhere differ in nothing but the source. The last column joins all other collections of music in one test.

# %% mystnb={"figure": {"name": "fig-collections-matrix", "caption": "Macro F1 by the collections that networks learned from (rows) and were tested on (columns); framed: other songs of the same collection. Last row: always the most frequent class."}, "image": {"alt": "Matrix of macro F1: sources in rows, tested collections in columns; the diagonal is highest."}} tags=["hide-input"]
other_collections.heatmap(transfer, "macro_f1", "macro F1")

# %% mystnb={"figure": {"name": "fig-collections-calibration", "caption": "Calibration error of the same networks: how far confidence and accuracy lie apart."}, "image": {"alt": "Matrix of calibration errors: sources in rows, tested collections in columns; the diagonal is lowest."}} tags=["hide-input"]
other_collections.heatmap(transfer, "calibration_error", "calibration error")

# %% tags=["hide-input"]
other_collections.listed(transfer)

# %% [markdown]
# ## Pooling collections
#
# All four collections joined, or all but the tested one, instead of the tested one's own songs.

# %% tags=["hide-input"]
other_collections.pooling(transfer)

# %% [markdown]
# ## What was predicted
#
# Held against the records by code, in the order of the registered list.

# %% tags=["hide-input"]
other_collections.outcomes(recorded, transfer)
