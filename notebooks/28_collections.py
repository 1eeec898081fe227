# %% [markdown]
# # Other collections
#
# **Question.** Do the differences between SSSL, its alternatives and plain training on 4Q replicate on other collections? And how well does a network trained on one collection predict another?
#
# **Answer.** SSSL is not shown to gain on any of the four collections. Its difference in macro F1 (SSSL − plain training) is {interval}`collections/emopia/self_learning/macro_f1_gain:+.3f` on EMOPIA, a loss that remains
# significant after Holm correction; on 4Q ({interval}`collections/4q/self_learning/macro_f1_gain:+.3f`), Emotify ({interval}`collections/emotify_quadrants/self_learning/macro_f1_gain:+.3f`) and VGMIDI
# ({interval}`collections/vgmidi/self_learning/macro_f1_gain:+.3f`) it is inconclusive after correction, as is the mean over collections, {interval}`collections/mean/self_learning/macro_f1_gain:+.3f` (I²
# {result}`collections/mean/self_learning/i2:.0%`: the collections disagree). With one mixture per class the difference on EMOPIA is {interval}`collections/emopia/mixture_per_class/macro_f1_gain:+.3f` and the mean
# {interval}`collections/mean/mixture_per_class/macro_f1_gain:+.3f`, both inconclusive.
#
# Transfer between recorded music and rendered piano is poor: trained on 4Q, macro F1 is {interval}`across_collections/4q/4q/emotion/macro_f1:.2f` on other songs of 4Q,
# {interval}`across_collections/4q/emotify_quadrants/emotion/macro_f1:.2f` on Emotify and {interval}`across_collections/4q/emopia/emotion/macro_f1:.2f` on EMOPIA. Between the two piano collections it is better:
# trained on EMOPIA, {interval}`across_collections/emopia/vgmidi/emotion/macro_f1:.2f` on VGMIDI, against {interval}`across_collections/vgmidi/vgmidi/emotion/macro_f1:.2f` when trained on other pieces of VGMIDI
# (the difference was not tested). Training on all four collections instead of one changes macro F1 by {interval}`across_collections/all/emopia/emotion/macro_f1_gain:+.3f` on EMOPIA; on the others the difference is
# inconclusive.
#
# **Collections.** 4Q {cite}`panda2018`: recorded music, half a minute per clip. EMOPIA {cite}`hung2021`: clips of pop piano. VGMIDI {cite}`ferreira2019`: phrases of game music for piano. Both are MIDI,
# {term}`rendered` here with one piano. Emotify {cite}`aljanaki2016`: recorded excerpts of a minute in four genres, whose listeners named emotions that they felt; we map these to quadrants. The synthetic corpus is
# shown beside them and enters no mean.
#
# **Design.** The same settings everywhere, none tuned on these collections: features of a pretrained network (MusiCNN) for each window of three seconds, clips normalised in loudness, one hidden layer. Five folds by
# artist (4Q, Emotify), song (EMOPIA) or series of games (VGMIDI), five training runs. Design and predictions were registered before the runs
# ([data/registered/collections.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/collections.md)).
#
# **Limits.** Four collections, one kind of features. Two collections are rendered, and Emotify's quadrants are a mapping of felt emotions, so poor transfer may be due to the labels, the sound or both. One of
# the two registered partitions was run: intervals do not cover the choice of folds. Songs of EMOPIA, which are covers, may be in 4Q in their original recordings; this was not checked. Features are
# standardised on the training music; standardising them on the test music, which might improve transfer, was not tried. VGMIDI has few series of games and wide intervals.
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
# Gain: difference in macro F1 from plain training on the same songs. The last line but one is the {term}`random-effects mean` over the four collections of music; its
# interval is that of Hartung and Knapp {cite}`hartung2001`, wide because there are four.

# %% mystnb={"figure": {"name": "fig-collections-forest", "caption": "Gain in macro F1 over plain training on tested songs, by collection and method; 95 % confidence intervals over groups and training runs, and random-effects means over the four collections of music."}, "image": {"alt": "Gains of four methods over plain training on five collections and their random-effects means."}} tags=["hide-input"]
recorded = experiments.recorded("collections", "cpu")
gains = other_collections.gains(recorded)
other_collections.forest(gains)

# %% tags=["hide-input"]
other_collections.over_collections(gains)

# %% [markdown]
# I² and Q measure how far the collections disagree beyond chance; `detectable` is the smallest mean gain that the design detects with a power of `80 %`. By collection, beside always predicting the most
# frequent class:

# %% tags=["hide-input"]
(transfer,) = experiments.recorded("across_collections", "cpu")
other_collections.by_collection(recorded, transfer)

# %% [markdown]
# ## Trained on one, tested on another
#
# Plain training. The network of a fold is trained on its source's songs outside that fold and tested on the songs of that fold in every collection, so that only the source differs between home (framed) and
# elsewhere. The last column joins all other collections of music in one test.

# %% mystnb={"figure": {"name": "fig-collections-matrix", "caption": "Macro F1 by training collection (rows) and test collection (columns); framed: other songs of the same collection. Last row: always the most frequent class."}, "image": {"alt": "Matrix of macro F1: sources in rows, tested collections in columns; the diagonal is highest."}} tags=["hide-input"]
other_collections.heatmap(transfer, "macro_f1", "macro F1")

# %% mystnb={"figure": {"name": "fig-collections-calibration", "caption": "Calibration error of the same networks: mean absolute difference between confidence and accuracy."}, "image": {"alt": "Matrix of calibration errors: sources in rows, tested collections in columns; the diagonal is lowest."}} tags=["hide-input"]
other_collections.heatmap(transfer, "calibration_error", "calibration error")

# %% tags=["hide-input"]
other_collections.listed(transfer)

# %% [markdown]
# ## Pooling collections
#
# Training on all four collections, or on all but the tested one, instead of on the tested one alone.

# %% tags=["hide-input"]
other_collections.pooling(transfer)

# %% [markdown]
# ## Registered predictions
#
# Evaluated by code, in the order of the registered list.

# %% tags=["hide-input"]
other_collections.outcomes(recorded, transfer)
