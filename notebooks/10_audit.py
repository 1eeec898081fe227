# %% [markdown]
# # Can these figures stand together?
#
# **Question.** SSSL {cite}`sun2024` comes without code, folds or a definition of its F1. Which of its printed figures can hold
# together, and under which definitions? Every section says what it assumes and what would change its answer. Nothing here says
# that an experiment was not made: where a figure cannot be, a definition, a table or a copy differs from what the text lets one
# expect, and only the authors can say which.
#
# **To run it.** Any laptop, no audio: nothing here trains, and `preset` changes nothing.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset computes the same

# %% tags=["remove-cell"]

import numpy as np
import pandas as pd

from mer_companion.analysis import audit, figures, tables
from mer_core import datasets

pd.set_option("display.precision", 2, "display.max_colwidth", None)
published = tables.published()
pairs = audit.printed_pairs(published)
cards = {name: datasets.card(name.lower())["expected"] for name in ("PMEmo", "4Q", "EiM")}
tracks = {name: card["tracks"] for name, card in cards.items()}
counts = {name: audit.class_counts(card) for name, card in cards.items()}
at_medians = audit.class_counts(datasets.card("pmemo")["at_medians"])
supports = {
    name: {target: tuple(counts[name][target]) for target in ("valence", "arousal")}
    for name in ("PMEmo", "4Q")
}

# %% [markdown]
# ## Does the F1 beat a constant answer?
#
# Most songs of PMEmo are happy, so that answering "high" to every song, without listening, scores well by some definitions. The
# paper says neither where it divides the scale nor which F1 it prints. Divided at the midpoint, with ties counted as high, which
# gives the quadrants that PMEmo's makers publish; and PMEmo once more, divided at the medians of its ratings:

# %% tags=["hide-input"]
audit.in_percent(audit.trivial(counts | {"PMEmo, medians": at_medians}))

# %% mystnb={"figure": {"name": "fig-audit-trivial", "caption": "Every F1 that Tables 2 and 3 print (circles) and what the better of two constant answers scores, by three definitions of F1 (bars); labels divided at the midpoint of the scale."}, "image": {"alt": "Printed F1 per data set and target beside the F1 of constant answers."}} tags=["hide-input"]
beside = audit.beside_trivial(pairs, counts)
figures.beside_trivial(beside)

# %% [markdown]
# How many of the printed F1 lie below the constant answer's:

# %% tags=["hide-input"]
audit.below_trivial(beside)

# %% [markdown]
# **What follows.** If F1 is that of the high class and the scale is divided at its midpoint, then every F1 printed for PMEmo's
# valence, quoted ones included, is below that of a constant answer, and most of those for arousal are.
#
# **What would change it.** A macro or weighted F1; or labels divided at the median, for then half of the songs are high, as in
# 4Q, and every printed figure is above. The next section asks which of these the figures themselves allow.

# %% [markdown]
# ## Can an accuracy and an F1 stand in one row?
#
# Accuracy and F1 come from one table of counts. For given numbers of high and low songs we try every such table and ask how near
# it comes to a printed pair. "Possible" leaves half a song of room; "off by" is the larger of the two misses, in points, for
# scores of all folds pooled.
#
# The paper averages over ten folds, which is looser. For that, "folds ±d" is a proven bound: in some fold the accuracy must lie
# more than d − 1 points away from the printed one, and even then every fold would have to err in the most lopsided way. "No
# folds" means that no stratified folds whatever give the pair. The column "s.d. of a fold" says how much chance alone moves a
# fold.
#
# First PMEmo, divided at the midpoint. The row of "SVM [23]" is left out: it counts recordings of listeners, not songs.

# %% tags=["hide-input"]
printed = pairs.query("dataset == 'PMEmo' and system != 'SVM [23]'").drop_duplicates(
    ["target", "accuracy", "f1"]
)
audit.in_percent(audit.verdicts(audit.reachability(printed, supports["PMEmo"])))

# %% [markdown]
# The same pairs when the ratings are divided at their medians, with ties counted as high, so that about half of the songs are:

# %% tags=["hide-input"]
halves = {name: tuple(at_medians[name]) for name in ("valence", "arousal")}
audit.in_percent(audit.verdicts(audit.reachability(printed, halves)))

# %% [markdown]
# And for other shares of high songs:

# %% mystnb={"figure": {"name": "fig-audit-shares", "caption": "At which shares of high songs each pair of accuracy and F1 that is printed for PMEmo is possible, to half a song, pooled over the folds."}, "image": {"alt": "For each printed pair, marks at the shares of high songs that allow it, by three definitions of F1."}} tags=["hide-input"]
reachable = audit.reachable_shares(printed, tracks["PMEmo"], np.arange(0.3, 0.91, 0.02))
marks = {
    target: {"midpoint": high / (low + high), "median": 0.5}
    for target, (low, high) in supports["PMEmo"].items()
}
figures.reachable_shares(reachable, marks)

# %% [markdown]
# How many of these pairs one definition allows together at one share, and the shares at which it allows the most:

# %% tags=["hide-input"]
audit.possible_together(reachable, printed)

# %% [markdown]
# 4Q has as many high songs as low ones:

# %% tags=["hide-input"]
audit.in_percent(audit.verdicts(audit.reachability(pairs.query("dataset == '4Q'"), supports["4Q"])))

# %% [markdown]
# **What follows.** With the scale divided at its midpoint, no one definition of F1 gives all of the method's rows for PMEmo,
# unless its folds differ many times more than chance makes them. But one reading gives every row of PMEmo, quoted ones included,
# and every row of 4Q: F1 of the high class, with about as many high songs as low ones. It is the kindest reading: under it no
# printed F1 is below a constant answer's.
#
# **What would change it.** Folds that are not stratified loosen the bound. So would one F1 in one column and another in the next;
# F1 counted over the answers of both classes together equals the accuracy, as some quoted rows have it. A reader who divides
# PMEmo at the midpoint should not compare with these rows.

# %% [markdown]
# ## Can ten folds give these percentages?
#
# An accuracy is a number of right songs divided by a number of songs, so that most percentages of two decimals are no accuracy of
# so few songs (the GRIM test). "By chance" is the share of all percentages, from fifty up, that a protocol can give.

# %% tags=["hide-input"]
protocols = {name: {"pooled": [n], "ten equal folds": audit.fold_sizes(n)} for name, n in tracks.items()}
protocols["4Q"]["ten folds, each quadrant dealt out apart"] = audit.fold_sizes(*counts["4Q"]["four_class"])
audit.granularity(pairs, protocols)

# %% [markdown]
# **What follows.** Ten equal folds of 4Q give whole songs out of all songs, pooled or averaged. The quoted accuracies of 4Q are
# such; few of SSSL's are. So most of these are no accuracies of whole songs over ten equal folds of the complete data set. For
# PMEmo and EiM, whose folds differ by a song, averages can give nearly anything and the test says next to nothing.
#
# **What would change it.** Folds of unequal size, as come about when each quadrant is dealt out apart; several repetitions; a few
# clips left out; figures rounded coarsely in each fold before averaging; or accuracies that count segments instead of songs.

# %% [markdown]
# ## Does Table 3 repeat Table 2?
#
# Table 2 prints the method at every segment duration; Table 3 should repeat its best rows. Beside each row of Table 3 stands the
# one of Table 2 that differs from it in the fewest digits; "points" is the accuracy less the best accuracy in Table 2.

# %% tags=["hide-input"]
audit.in_percent(audit.across_tables(pairs))

# %% [markdown]
# **What follows.** For 4Q the method's valence has no equal in Table 2, and the ablation *without* the agreement term has a
# higher valence accuracy than any row of Table 2 *with* it. For PMEmo the ablation's arousal equals the full method's at another
# duration, in both figures.
#
# **What would change it.** A slip of the hand: the odd row is a digit away from Table 2 in each of its figures. But the ablation
# has a row as near to one that cannot be its own, so nearness proves nothing. A second run made for Table 3 would do as well.

# %% [markdown]
# ## How long were the clips that Table 1 counts?
#
# Windows start at every whole second, and the paper pads nothing. Then a clip of d seconds holds ⌊d − w⌋ + 1 windows of w
# seconds. The lengths of 4Q and PMEmo are those of their files and tables, in whole and begun seconds (`data/clip_seconds.csv`); the paper gives
# EiM's clips one length.

# %% tags=["hide-input"]
durations = {
    "EiM": np.full(
        int(published.query("dataset == 'EiM' and metric == 'songs'")["value"].iloc[0]), audit.EIM_CLIP_S
    )
}
durations |= {dataset: audit.clip_lengths(dataset) for dataset in ("4Q", "PMEmo")}
audit.segment_table(published, durations)

# %% [markdown]
# The clips of EiM that section 3.2 of the paper says it uses, by duration of the window:

# %% tags=["hide-input"]
used = np.full(tracks["EiM"], audit.EIM_CLIP_S)
cuts = {"whole clips": used, "first 30 s": np.minimum(used, 30)}
pd.DataFrame(
    {f"{w} s": {name: audit.segment_counts(d, w).sum() for name, d in cuts.items()} for w in range(1, 6)}
)

# %% [markdown]
# **What follows.** All three data sets are counted as if nearly every clip lasted thirty seconds. 4Q's do, if a begun second
# counts. EiM's are longer, so they were cut; and they are counted as before duplicates were removed. PMEmo's are shorter or
# longer: whole clips would give many more segments, clips cut and not padded would give fewer, so that short ones seem to have
# been filled up. And most steps to a longer window lose more segments than there are songs ("lost"), which starts at every whole
# second cannot do, whatever the lengths.
#
# **What would change it.** Clips cut and padded before they came to the segmentation; other audio of PMEmo than the published
# choruses; a hop of whole frames, a hair below a second.

# %% [markdown]
# ## Does Eq. 4 sharpen?
#
# Sharpening should make a likely class likelier. Printed is the exponent −k/T, where k numbers the classes. One prediction, usual
# sharpening, and three readings of the print:

# %% tags=["hide-input"]
prediction = pd.Series([0.2, 0.4, 0.1, 0.3], index=["Q1", "Q2", "Q3", "Q4"])
sharpened = {reading: audit.sharpen_as_printed(prediction, 0.5, reading) for reading in audit.READINGS}
readings = pd.DataFrame({"prediction": prediction, **sharpened}).T
readings.map("{:.3f}".format)

# %% mystnb={"figure": {"name": "fig-audit-sharpen", "caption": "A prediction, what usual sharpening (exponent 1/T) makes of it, and three readings of the exponent as printed."}, "image": {"alt": "Five bar charts of four class probabilities."}} tags=["hide-input"]
figures.sharpened(readings)

# %% [markdown]
# **What follows.** With a minus sign the order of the classes is reversed: the least likely one is taught. If k is the class's
# own number, the numbering of the classes has a say as well. We take it for a misprint of 1/T and train with 1/T.
#
# **What would change it.** The exponent in the authors' code.

# %% [markdown]
# ## How much does the best of five gain by luck?
#
# Table 3 takes the best duration for each target, chosen on the folds that it reports. Of five equally good systems one always
# comes first. How far it stays above their mean depends on how alike they answer, which the paper does not say; so we simulate
# several degrees.

# %% mystnb={"figure": {"name": "fig-audit-luck", "caption": "By how much the best of five equally good systems beats their mean on the same songs (points, with the central 95 % of simulations), against the per cent of songs on which two of them are both right or both wrong. Dashed: the best less the mean of the five durations that Table 2 prints."}, "image": {"alt": "Gain by luck against agreement in four panels, with the printed gain as a dashed line."}} tags=["hide-input"]
luck = audit.durations_by_luck(pairs, tracks, (0.0, 0.5, 0.8, 0.95))
figures.luck_of_best(luck)

# %% [markdown]
# The expected gain in points, by the correlation rho of the systems' answers, beside the gain as printed:

# %% tags=["hide-input"]
luck.pivot(index=["dataset", "target", "printed"], columns="rho", values="gain")

# %% [markdown]
# **What follows.** Part of the printed best is luck, about the gain shown: it should come off before the comparison with a system
# that was not chosen so. For arousal the printed differences between durations are hardly larger than luck makes them; for
# valence they are, if the durations answer alike.
#
# **What would change it.** A duration chosen on other songs, in folds within the folds; or predictions for each song, which would
# give the agreement.

# %% [markdown]
# ## What did the quoted systems hear?

# %% tags=["hide-input"]
audit.in_percent(audit.quoted_rows(pairs, counts))

# %% [markdown]
# **What follows.** The work quoted as "SVM [23]" recognises emotion from the skin conductance of listeners, so that its row says
# little of what audio can do. It scores one recording for each listener and song; the constant answer beside it is that of the
# songs. The row of audio embeddings has one accuracy for two data sets.
#
# **What would change it.** The same classifier run on audio for the comparison; the paper mentions none.

# %% [markdown]
# ## What should one ask the authors?
#
# - Where is the scale of PMEmo divided, and what becomes of ties?
# - Which F1 is printed, and is it averaged over folds or taken of all songs at once?
# - How were the folds made, and do the accuracies count songs?
# - Which row of 4Q is right, that of Table 2 or that of Table 3?
# - How long is the audio that Table 1 counts, and which clips of EiM were used?
# - What is the exponent of Eq. 4 in the code?
