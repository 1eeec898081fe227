# %% [markdown]
# # What holds of the papers?
#
# **Question.** Each claim of the three papers {cite}`sun2024,tan2021,pham2021`, those that they print and those that their methods rest on, with its
# verdict: supported, contradicted, inconclusive, or not testable here.
#
# Claims, rules and tolerances are data (`data/claims.yaml`); the verdicts are computed. The tolerances follow from numbers of songs and were
# written before the records that they judge, with the few exceptions that the file names, each with its reason. The four words came later,
# when the records were known: before, a claim was reproduced, partly or not, and "not" was said of much that is only unknown.
#
# **Answer.** The first table counts. *Supported (re-scored)* is said of published predictions that we only scored again. The last column
# counts the claims that are supported or contradicted significantly after Holm's correction over all claims tested by a p-value; few are. Not among
# them is SSSL's first claim, that doubting labels helps: its interval by itself excludes a gain, its corrected p-value is large.
#
# **How to read the tables.** The words go by the intervals, uncorrected. *Effect* is the difference that is judged, or our figure less the printed one. *Detectable* is the
# smallest effect that the same design would have seen in four of five repetitions; what a paper prints below that, we could hardly have
# found. Where *runs* is 1, the interval covers the choice of artists alone and not how training runs differ: it is too narrow, and the detectable effect
# too small.
#
# **Limits.** SSSL is judged on its own data set, by a smaller network and on folds that keep artists apart: that a printed accuracy is contradicted
# says that our training does not give it, not that the authors' did not. Its values are those of its own decision, a support vector machine that learns from
# answers out of fold; differences between methods are those of the mean probability, which trains nothing more. The two papers on tags are
# judged on another data set, the moods of 4Q, where only directions can be compared, and by what they published. An excess of one figure
# over another has no paired interval: its tolerance stands for it.
#
# **To run it.** Any laptop, no audio: nothing here trains, and `preset` changes nothing.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset judges the same records

# %% tags=["remove-cell"]
from mer_companion.analysis import claims, figures
from mer_companion.book import status
from mer_companion.book.numbers import numbers

# %% tags=["hide-input"]
judged = claims.table(numbers())
claims.counted(judged)

# %% [markdown]
# ## The words and the rules
#
# As the file of claims has them.

# %% tags=["hide-input"]
claims.explained("words")

# %% tags=["hide-input"]
claims.explained("rules")

# %% [markdown]
# ## SSSL

# %% tags=["hide-input"]
claims.of_paper(judged, "sssl")

# %% [markdown]
# ## Mirable
#
# Printed differences are those on MTG-Jamendo.

# %% tags=["hide-input"]
claims.of_paper(judged, "mirable")

# %% [markdown]
# ## SELAB-HCMUS

# %% tags=["hide-input"]
claims.of_paper(judged, "selab")

# %% [markdown]
# ## On other collections
#
# Claims on long and short input, HPCP and co-teaching, judged again on [Emotify](29_emotify): verdict and effect. Long input is a minute there. The networks are others than the
# papers': a smaller one from scratch, and a dense layer on MusiCNN's features; co-teaching, claimed of ReXNet, is compared with two of these that do not teach each
# other. Each collection's p-values are corrected by themselves.

# %% tags=["hide-input"]
claims.by_collection(judged)

# %% [markdown]
# ## Every difference at a glance
#
# All paired differences in accuracy that this book reports, each from its own reference run.

# %% mystnb={"figure": {"name": "fig-all-differences", "caption": "Paired differences in song accuracy (quadrants) of every recorded run from its reference, 95 % intervals over artists, and seeds where there are several. Filled: the interval leaves zero out."}, "image": {"alt": "Forest plot of all differences from their references."}} tags=["hide-input"]
figures.forest(status.all_differences(), "Difference in accuracy from the reference")
