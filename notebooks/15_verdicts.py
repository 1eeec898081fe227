# %% [markdown]
# # What holds of the paper?
#
# **Question.** Each claim of SSSL {cite}`sun2024`, those that it prints and those that its method rests on, with its verdict: reproduced,
# partly, not, or untestable here.
#
# Claims, rules and tolerances are data; the verdicts are computed. The tolerances follow from numbers of songs and were written before the
# records that they judge, with the few exceptions that the file names, each with its reason
# (`data/claims.yaml`). Where a figure of ours rests on fewer songs than a tolerance was written for, it widens.
# "Not run yet" means that a record is missing.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset judges the same records

# %% tags=["remove-cell"]
from mer_core import book, claims, figures

# %% tags=["hide-input"]
numbers = book.numbers()
judged = claims.table(numbers)
judged["verdict"].value_counts().rename("claims").to_frame()

# %% tags=["hide-input"]
judged.set_index("claim")

# %% [markdown]
# ## Every difference at a glance
#
# All paired differences in accuracy that this book reports, each from its own reference run.

# %% mystnb={"figure": {"name": "fig-all-differences", "caption": "Paired differences in song accuracy (quadrants) of every recorded run from its reference, 95 % intervals over artists, and seeds where there are several. Filled: the interval leaves zero out."}, "image": {"alt": "Forest plot of all differences from their references."}} tags=["hide-input"]
figures.forest(book.all_differences(), "Difference in accuracy from the reference")
