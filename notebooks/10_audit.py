# %% [markdown]
# # Audit: can SSSL's printed values hold together?
#
# **Question.** SSSL {cite}`sun2024` comes without code, folds or a definition of its F1. Which printed values are consistent with each other, and under which definitions?
#
# **Answer.** With labels split at the midpoint and F1 of the class "high", every F1 printed for PMEmo's valence lies below always answering "high":
# {result}`audit/pmemo/valence/always_high/f1:.3f` against at most {result}`published/sssl/3/PMEmo/2-Stage [8]/valence_f1:.3f`, whichever way ties are
# counted. With about as many high songs as low ones all binary rows of PMEmo (but "SVM [23]") and 4Q are possible with that F1, and none is below the constant answer.
#
# **Limits.** Arithmetic on printed values shows that a definition, table or copy differs from what the text suggests, not that an experiment was not made. Each section names what would change its
# conclusion; only the authors can decide.
#
# **Cost and rerun.** A laptop, no audio: `mer book --notebook 10_audit`.

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
# ## F1 against a constant answer
#
# Most songs of PMEmo have high valence, so that the constant answer "high" scores well by some definitions. The paper states neither the split nor the F1. Split at the midpoint,
# ties counted as high, which gives the quadrants that PMEmo's makers publish; and PMEmo split at the medians of its ratings:

# %% tags=["hide-input"]
audit.in_percent(audit.trivial(counts | {"PMEmo, medians": at_medians}))

# %% mystnb={"figure": {"name": "fig-audit-trivial", "caption": "Every F1 that Tables 2 and 3 print (circles) and what the better of two constant answers scores, by three definitions of F1 (bars; positive: F1 of “high”); labels divided at the midpoint of the scale."}, "image": {"alt": "Printed F1 per data set and target beside the F1 of constant answers."}} tags=["hide-input"]
beside = audit.beside_trivial(pairs, counts)
figures.beside_trivial(beside)

# %% tags=["hide-input"]
audit.below_trivial(beside)

# %% [markdown]
# The counts are of printed F1 below the constant answer, quoted rows included; "SVM [23]" scores recordings of listeners, not songs. A macro or weighted F1, or a split at the median, would place all printed
# values above.
#
# ## Accuracy and F1 in one row
#
# Both come from one confusion matrix. For given numbers of high and low songs we try every matrix. "Possible" allows half a song; "off by" is the larger of the two misses in points, for scores pooled
# over folds. For means of ten stratified folds "folds ±d" is a proven bound: some fold's accuracy must lie more than d − 1 points from the printed one; "s.d. of a fold" is the binomial standard deviation. PMEmo, split at
# the midpoint, without "SVM [23]":

# %% tags=["hide-input"]
printed = pairs.query("dataset == 'PMEmo' and system != 'SVM [23]'").drop_duplicates(
    ["target", "accuracy", "f1"]
)
audit.in_percent(audit.verdicts(audit.reachability(printed, supports["PMEmo"])))

# %% [markdown]
# The same with the ratings split at their medians, ties counted as high:

# %% tags=["hide-input"]
halves = {name: tuple(at_medians[name]) for name in ("valence", "arousal")}
audit.in_percent(audit.verdicts(audit.reachability(printed, halves)))

# %% [markdown]
# Other shares of high songs:

# %% mystnb={"figure": {"name": "fig-audit-shares", "caption": "At which shares of high songs each pair of accuracy and F1 that is printed for PMEmo is possible, to half a song, pooled over the folds."}, "image": {"alt": "For each printed pair, marks at the shares of high songs that allow it, by three definitions of F1."}} tags=["hide-input"]
reachable = audit.reachable_shares(printed, tracks["PMEmo"], np.arange(0.3, 0.91, 0.02))
marks = {
    target: {"midpoint": high / (low + high), "median": 0.5}
    for target, (low, high) in supports["PMEmo"].items()
}
figures.reachable_shares(reachable, marks)

# %% [markdown]
# How many pairs one definition allows together at one share, and the shares that allow the most:

# %% tags=["hide-input"]
audit.possible_together(reachable, printed)

# %% [markdown]
# 4Q has as many high songs as low ones:

# %% tags=["hide-input"]
audit.in_percent(audit.verdicts(audit.reachability(pairs.query("dataset == '4Q'"), supports["4Q"])))

# %% [markdown]
# **Conclusion.** At the midpoint no single F1 gives all rows of the method on PMEmo, unless its folds differ many times more than by chance. F1 of the high class with balanced classes gives every row of PMEmo and
# 4Q. Folds without stratification, or a different F1 in each column, would weaken this.
#
# ## Accuracies as counts of songs (GRIM test)
#
# An accuracy is a whole number of songs divided by the number of songs. "By chance" is the share of all percentages from fifty up that a protocol can give.

# %% tags=["hide-input"]
protocols = {name: {"pooled": [n], "ten equal folds": audit.fold_sizes(n)} for name, n in tracks.items()}
protocols["4Q"]["ten folds, each quadrant dealt out apart"] = audit.fold_sizes(*counts["4Q"]["four_class"])
audit.granularity(pairs, protocols)

# %% [markdown]
# **Conclusion.** Ten equal folds of 4Q give whole songs, pooled or averaged. The quoted accuracies satisfy this, few of SSSL's do. Unequal folds (each quadrant dealt out separately), repetitions, missing clips, rounding within
# folds, or segment accuracies would explain it. For PMEmo and EiM the test says nearly nothing.
#
# ## Table 3 against Table 2
#
# Table 3 should repeat the best rows of Table 2. Each row of Table 3 stands beside the row of Table 2 that differs in the fewest digits; "points" is its accuracy minus the best accuracy in Table 2.

# %% tags=["hide-input"]
audit.in_percent(audit.across_tables(pairs))

# %% [markdown]
# **Conclusion.** For 4Q the method's valence is not in Table 2, and the ablation *without* R-Drop has a higher valence accuracy than any row *with* it. For PMEmo the ablation's arousal equals the full method's at another
# duration. A typing error, or a second run for Table 3, would explain this.
#
# ## Clip lengths behind Table 1
#
# A clip of d seconds holds ⌊d − w⌋ + 1 windows of w seconds, without padding. Lengths of 4Q and PMEmo are those of their files (`data/clip_seconds.csv`); the paper gives EiM's clips one length.

# %% tags=["hide-input"]
durations = {
    "EiM": np.full(
        int(published.query("dataset == 'EiM' and metric == 'songs'")["value"].iloc[0]), audit.EIM_CLIP_S
    )
}
durations |= {dataset: audit.clip_lengths(dataset) for dataset in ("4Q", "PMEmo")}
audit.segment_table(published, durations)

# %% [markdown]
# The EiM clips that section 3.2 of the paper says it uses, by window duration:

# %% tags=["hide-input"]
used = np.full(tracks["EiM"], audit.EIM_CLIP_S)
cuts = {"whole clips": used, "first 30 s": np.minimum(used, 30)}
pd.DataFrame(
    {f"{w} s": {name: audit.segment_counts(d, w).sum() for name, d in cuts.items()} for w in range(1, 6)}
)

# %% [markdown]
# **Conclusion.** All three data sets are counted as if nearly every clip lasted thirty seconds. 4Q's do, if a started second counts; EiM's are longer and counted before duplicates were removed; PMEmo's vary, so short
# ones seem padded. Most steps to a longer window lose more segments than there are songs ("lost"), which a hop of one second cannot do. Clips cut and padded beforehand, or a slightly shorter hop, would explain it.
#
# ## The exponent of Eq. 4
#
# Sharpening should make likely classes likelier. The printed exponent is −k/T, where k numbers the classes. Usual sharpening, and three readings of the printed one:

# %% tags=["hide-input"]
prediction = pd.Series([0.2, 0.4, 0.1, 0.3], index=["Q1", "Q2", "Q3", "Q4"])
sharpened = {reading: audit.sharpen_as_printed(prediction, 0.5, reading) for reading in audit.READINGS}
readings = pd.DataFrame({"prediction": prediction, **sharpened}).T
readings.map("{:.3f}".format)

# %% [markdown]
# **Conclusion.** A minus sign reverses the order of the classes. We take it for a misprint of 1/T and train with 1/T; the authors' code would decide.
#
# ## Selection among five durations
#
# Table 3 takes the best duration for each target on the folds that it reports. Among five equally good systems one is always best by chance; by how much depends on how often they agree (correlation rho), which we
# simulate:

# %% mystnb={"figure": {"name": "fig-audit-selection", "caption": "By how much the best of five equally good systems beats their mean on the same songs (points, with the central 95 % of simulations), against the per cent of songs on which two of them are both right or both wrong. Dashed: best minus mean of the five durations in Table 2."}, "image": {"alt": "Gain of the best of five equal systems against their agreement in four panels, with the printed gain as a dashed line."}} tags=["hide-input"]
selected = audit.durations_by_selection(pairs, tracks, (0.0, 0.5, 0.8, 0.95))
figures.gain_by_selection(selected)

# %% tags=["hide-input"]
gains = selected.pivot(index=["dataset", "target", "printed"], columns="rho", values="gain")
gains.rename(columns="rho = {}".format).rename_axis(columns=None)

# %% [markdown]
# **Conclusion.** Part of the printed gain is selection bias: for arousal about all of it, for valence less if the durations agree on most songs. A duration chosen in nested cross-validation would remove it.
#
# ## Input of the quoted systems

# %% tags=["hide-input"]
audit.in_percent(audit.quoted_rows(pairs, counts))

# %% [markdown]
# **Conclusion.** "SVM [23]" classifies the skin conductance of listeners, one recording per listener and song; it is no audio baseline. The row of audio embeddings has one accuracy for two data sets.
#
# ## Questions for the authors
#
# - Where is PMEmo's scale split, and how are ties counted?
# - Which F1 is printed, averaged over folds or pooled?
# - How were the folds made, and do the accuracies count songs?
# - Which row of 4Q is right, that of Table 2 or of Table 3?
# - How long is the audio that Table 1 counts, and which EiM clips were used?
# - What is the exponent of Eq. 4 in the code?
