# %% [markdown]
# # Does the small front end matter?
#
# **Question.** The paper hears 128 mel bands at 43 frames a second. On two cores that is too slow for 900 songs in ten minutes. What do
# half the bands, and frames averaged by four, cost in accuracy?
#
# One fold of 4Q, plain training, the same network, epochs and seed; only the front end differs. Again: `mer run front_end --preset cpu`.
#
# **Answer.** No cost that one fold could show: {interval}`front_end/bands128_pool1/emotion/mean_probability/accuracy:.3f` with all bands and frames,
# {interval}`front_end/bands64_pool4/emotion/mean_probability/accuracy:.3f` with the preset's front end, a difference of
# {interval}`front_end/bands64_pool4/difference/emotion/mean_probability:+.3f`. [The paper's network with its own front end](23_paper_network), in one run of all folds, scores about as much as the slim one.
#
# **Limits.** One fold, one training run.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. To make the records again, two cores and the audio of
# 4Q do; what it took is below the page. `preset` says what the last section computes.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke or cpu

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, tables

# %% [markdown]
# ## What was recorded on 4Q

# %% tags=["hide-input"]
recorded = experiments.recorded("front_end", "cpu")
compared = results.comparison("front_end", "cpu")
tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-front-end", "caption": "Song accuracy by front end, one fold, 95 % intervals over artists. One fold cannot tell two points apart; it can tell that nothing has broken."}, "image": {"alt": "Accuracy with interval for three front ends."}} tags=["hide-input"]
figures.intervals(tables.scores(compared), "Song accuracy, one fold of 4Q")

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("front_end", preset)
tables.against(results.comparison("front_end", preset), computed)
