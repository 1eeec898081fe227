# %% [markdown]
# # What holds of the papers?
#
# **Question.** Each claim of the three papers {cite}`sun2024,tan2021,pham2021`, those that they print and those that their methods rest on, with its
# verdict: reproduced, partly, not, or untestable here.
#
# Claims, rules and tolerances are data; the verdicts are computed. The tolerances follow from numbers of songs and were written before the
# records that they judge, with the few exceptions that the file names, each with its reason
# (`data/claims.yaml`). SSSL is judged on its own data set; the two papers on tags on another, the moods of 4Q, where only directions can be
# compared, and by what they published. Where a figure of ours rests on fewer songs than a tolerance was written for, it widens.
# "Not run yet" means that a record is missing.
#
# **Answer.** The first table counts; those below give every claim its verdict, our figure, the printed one and the reason. Values of SSSL are those of its own decision, a support
# vector machine that learns from answers out of fold; differences between methods are those of the mean probability, which trains nothing more.
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
# ## Every difference at a glance
#
# All paired differences in accuracy that this book reports, each from its own reference run.

# %% mystnb={"figure": {"name": "fig-all-differences", "caption": "Paired differences in song accuracy (quadrants) of every recorded run from its reference, 95 % intervals over artists, and seeds where there are several. Filled: the interval leaves zero out."}, "image": {"alt": "Forest plot of all differences from their references."}} tags=["hide-input"]
figures.forest(status.all_differences(), "Difference in accuracy from the reference")
