# %% [markdown]
# # Does the small front end matter?
#
# **Question.** The paper's input has 128 mel bands at 43 frames a second, which is too slow for two cores. What do half the bands, and frames averaged by four, cost in accuracy?
#
# **Answer.** Inconclusive, in one fold: accuracy is {interval}`front_end/bands128_pool1/emotion/mean_probability/accuracy:.3f` with all bands and frames and
# {interval}`front_end/bands64_pool4/emotion/mean_probability/accuracy:.3f` with the front end of the `cpu` preset, a difference of {interval}`front_end/bands64_pool4/difference/emotion/mean_probability:+.3f`.
# [The paper's network with its own front end](23_paper_network) was trained on all folds.
#
# **Limits.** One fold, plain training, one run; a cost of several hundredths cannot be excluded.
#
# **Rerun.** `mer run front_end --preset cpu`, with the audio of 4Q; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, tables

# %% mystnb={"figure": {"name": "fig-front-end", "caption": "Song accuracy by front end; the same network, epochs and seed; one fold of 4Q, 95 % confidence intervals over artists."}, "image": {"alt": "Accuracy with interval for three front ends."}} tags=["hide-input"]
recorded = experiments.recorded("front_end", "cpu")
compared = results.comparison("front_end", "cpu")
figures.intervals(tables.scores(compared), "Song accuracy, one fold of 4Q")

# %% tags=["hide-input"]
tables.against(compared, recorded)
