# %% [markdown]
# # What holds of the paper?
#
# **Question.** Each claim of SSSL {cite}`sun2024`, with the tolerance that was fixed before our records were made, and its verdict:
# reproduced, partly, not, or untestable here.
#
# Claims, rules and tolerances are data (`data/claims.yaml`, with the reason of each tolerance); the verdicts are computed
# (`mer_core.claims`). "Not run yet" means that a record is missing.

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
