# %% [markdown]
# # When does it help to doubt labels?
#
# **Question.** Under which kind of label noise, at which rate, does a method that doubts labels do better than one that believes them? And
# does SSSL help on strong features, those of a network that was pretrained on a million songs?
#
# **Answer.** It depends on whose label is wrong. Where the labels of whole songs are wrong, methods that doubt labels gain: hardly at `20 %`, and at
# `40 %`, wrong as listeners err, SSSL gains {interval}`noise_map/self_learning/listeners_song_40/musicnn/mean_probability/macro_f1_gain:+.3f` macro F1 on plain
# training, with one mixture for each class {interval}`noise_map/mixture_per_class/listeners_song_40/musicnn/mean_probability/macro_f1_gain:+.3f`, weighting windows
# by their clean probability {interval}`noise_map/weight/listeners_song_40/musicnn/mean_probability/macro_f1_gain:+.3f`, ELR
# {interval}`noise_map/elr/listeners_song_40/musicnn/mean_probability/macro_f1_gain:+.3f`. Where single windows are wrong no method gains, and at `60 %` (symmetric)
# SSSL loses {interval}`noise_map/self_learning/symmetric_window_60/musicnn/mean_probability/macro_f1_gain:+.3f`. These five differences remain after correction for
# all cells; that of SSSL at `40 %` symmetric noise of songs,
# {interval}`noise_map/self_learning/symmetric_song_40/musicnn/mean_probability/macro_f1_gain:+.3f`, does not. SSSL is meant for segments that depart from the label of
# their song; in this map it helps against songs with a wrong label.
#
# On the real labels of 4Q, in five trainings and three partitions, the difference in macro F1 (SSSL − plain training) is
# {interval}`strong_features/self_learning/none/musicnn/mean_probability/macro_f1_gain:+.3f` by mean probability and
# {interval}`strong_features/self_learning/none/musicnn/svm_in_sample/macro_f1_gain:+.3f` by the paper's support vector machine. Plain training reaches
# {interval}`strong_features/inherit/none/musicnn/mean_probability/macro_f1:.3f`.
#
# **Design.** Methods learn from the 900 clips of 4Q, whose labels are made wrong on purpose in six ways. The features are those of two frozen pretrained
# networks (MusiCNN), so that a training takes seconds. A cell of the map is one method under one kind and rate of noise: five seeds, one for each fold by
# artist, in two partitions of the songs (one for six of the methods). Tested labels are untouched, and methods meet the same wrong labels. The
# design and its predictions were written down before the runs ([data/registered/noise_map.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/noise_map.md));
# of three partitions, other features, other networks and ablations, two partitions were run, and nothing of the rest.
#
# **Limits.** One collection, one kind of features, default settings, none tuned. Intervals over two partitions miss the truth in up to one case of ten, not one of
# twenty. Fine-tuned networks and networks that memorise were not measured here ([the paper's network](23_paper_network) does).
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. To make them: `mer run noise_map --preset cpu` and
# `mer run strong_features --preset cpu`, with the audio of 4Q and the package `musicnn`, whose weights are read.

# %% tags=["parameters"]
preset = "smoke"  # what is computed at the end: smoke or cpu

# %% tags=["remove-cell"]
from mer_companion import experiments
from mer_companion.analysis import noise_map

# %% [markdown]
# ## What wrong labels cost
#
# Plain training believes every label. Wrong labels of single windows cost it little: the windows of a song overlap, and those with the right
# label outvote the others. Wrong labels of whole songs cost much.

# %% mystnb={"figure": {"name": "fig-map-plain", "caption": "Macro F1 of plain training on tested songs by the share of wrong training labels, for six kinds of noise; 95 % intervals over artists and partitions. Dotted: chance."}, "image": {"alt": "Macro F1 of plain training falls with the rate of wrong labels: hardly for window noise, steeply for song noise."}} tags=["hide-input"]
(record,) = experiments.recorded("noise_map", "cpu")
cells = noise_map.cells(record)
noise_map.plain_by_rate(cells)

# %% [markdown]
# ## Who gains
#
# Gain: macro F1 less that of plain training under the same noise, on the same songs.

# %% mystnb={"figure": {"name": "fig-map-gains", "caption": "Gain in macro F1 over plain training by the rate of wrong labels, a panel for each kind of noise."}, "image": {"alt": "Gains over plain training of seven methods, by kind and rate of noise."}} tags=["hide-input"]
noise_map.gains_by_rate(
    cells,
    (
        "self_learning",
        "mixture_per_class",
        "every_label_trusted",
        "drop",
        "weight",
        "elr",
        "generalised_cross_entropy",
    ),
)

# %% mystnb={"figure": {"name": "fig-map-medium", "caption": "Gain in macro F1 at 40 % wrong labels, and without noise (none). *: p below 0.05 after Holm's correction over all cells of the map."}, "image": {"alt": "Table of gains of all methods under seven conditions, coloured by sign."}} tags=["hide-input"]
noise_map.heatmap(cells, 0.4)

# %% [markdown]
# All cells, with intervals; `detectable` is the smallest gain that the cell would have shown with a power of `80 %`.

# %% tags=["hide-input"]
noise_map.listed(cells)

# %% [markdown]
# ## Why
#
# Three measures over the epochs, on the wrong labels alone: how well the loss tells them from right ones (AUC), how many windows the
# network predicts as their true class in spite of the label, and how many as labelled (memorised).

# %% mystnb={"figure": {"name": "fig-map-curves", "caption": "SSSL (solid) and plain training (dotted) at 40 % wrong labels, per epoch: detection of wrong labels, share of them predicted as their true class, share predicted as labelled. SSSL separates from the sixth epoch on."}, "image": {"alt": "Curves of detection, correction and memorisation over fifteen epochs for three kinds of noise."}} tags=["hide-input"]
noise_map.curves(
    record, "self_learning", 0.4, ("Windows, symmetric", "Songs, symmetric", "Songs, valence flipped")
)

# %% [markdown]
# Where windows are wrong on their own, plain training already corrects most of them, and SSSL corrects fewer. Where songs are wrong, plain training goes on to memorise
# their labels, and SSSL stops that from its first separation on: it predicts the true class of more wrong labels, and detects them better. The
# literature knows this as early learning followed by memorisation {cite}`liu2020elr`; here it shows at the level of songs.
#
# ## What was predicted
#
# | prediction | outcome |
# | --- | --- |
# | 1 without noise nothing gains, SSSL loses | held; after correction its loss is inconclusive in the map, and clear in the larger comparison on real labels (below) |
# | 2 window noise hardly costs; nothing gains | held up to `40 %` for symmetric noise; flipped valence at `60 %` is a majority of wrong labels and reverses valence |
# | 3 song noise costs much; weighting gains, replacing labels gains less | half: plain training loses as much as predicted; weighting and replacing gain alike |
# | 4 nothing gains more than a little under flipped valence and listeners' noise | failed: gains are as large as under symmetric noise |
# | 5 more gain with a network that memorises | not run |
# | 6 one mixture per class is better than one for all | the means agree for song noise at `40 %`; at `60 %` only where wrong labels spread over classes. Erased quadrants, predicted there, were not looked at |
# | 7 generalised cross-entropy is the best loss under song noise | failed: its gains do not exceed those of symmetric cross-entropy or ELR |

# %% [markdown]
# ## Real labels
#
# No noise is added here: does SSSL help on 4Q as it is, on strong features? Five trainings of each fold in each of three partitions, by the mean of the
# windows' probabilities and by the paper's support vector machine.

# %% tags=["hide-input"]
(strong,) = experiments.recorded("strong_features", "cpu")
noise_map.on_real_labels(strong)

# %% [markdown]
# ## What this machine computes

# %%
(computed,) = experiments.execute("noise_map", preset)
noise_map.listed(noise_map.cells(computed))
