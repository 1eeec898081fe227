# %% [markdown]
# # Do two networks know more together?
#
# **Question.** Both MediaEval papers end with a weighted mean of two systems and find it best: Mirable's of short and long input {cite}`tan2021`,
# SELAB's of two co-taught networks {cite}`pham2021`. What does that add?
#
# The weight is chosen on validation songs, by ROC-AUC for Mirable and by PR-AUC for SELAB. Again: `mer run long_and_short --preset cpu` and `mer run networks_that_teach --preset cpu`.
#
# **Answer.** Here, hardly more than the better of them; but the long network is a student of degenerate thresholds ([noisy student](19_noisy_student)), so that this does not
# test the claim. Long and short together differ from short alone by {interval}`long_and_short/ensemble/difference_from_short_hpcp/all tags/scores/pr_auc:+.3f` in
# PR-AUC: nearly all weight goes to the short network. The two co-taught networks differ from ReXNet by {interval}`networks_that_teach/ensemble/difference_from_rexnet_co_teaching/all tags/scores/pr_auc:+.3f`;
# few validation songs do not settle their weight, as the second figure shows, and one of the networks never learned. On MTG-Jamendo, where Mirable's halves are about equally good, its
# published ensemble ranks better than either: ROC-AUC {result}`leaderboard/mirable_ensemble/all tags/scores/roc_auc:.3f` against
# {result}`leaderboard/mirable_short/all tags/scores/roc_auc:.3f` and {result}`leaderboard/mirable_long_hpcp_noisy/all tags/scores/roc_auc:.3f`.
#
# **Limits.** Two members each; the weight rests on few validation songs.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. The records were made on a GPU; two cores and the
# audio of 4Q make them too, in more time. `preset` says what the last section computes.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke, cpu or paper

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import claims, figures, tag_tables
from mer_companion.book.numbers import numbers

# %% [markdown]
# ## Long and short

# %% tags=["hide-input"]
recorded = experiments.recorded("long_and_short", "cpu")
compared = results.comparison("long_and_short", "cpu")
tag_tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-weights", "caption": "ROC-AUC on validation songs by the weight of the short network in the mean, one line per training run; ringed: the chosen weight."}, "image": {"alt": "Validation ROC-AUC against the weight of the short network."}} tags=["hide-input"]
figures.ensemble_weights(
    [record for record in recorded if record["label"] == "ensemble"], "Weight of the short network"
)

# %% [markdown]
# ## EfficientNet-B0 and ReXNet

# %% tags=["hide-input"]
taught = experiments.recorded("networks_that_teach", "cpu")
tag_tables.against(results.comparison("networks_that_teach", "cpu"), taught)

# %% mystnb={"figure": {"name": "fig-weights-selab", "caption": "PR-AUC on validation songs by the weight of EfficientNet-B0 in the mean, one line per training run; ringed: the chosen weight."}, "image": {"alt": "Validation PR-AUC against the weight of EfficientNet-B0."}} tags=["hide-input"]
figures.ensemble_weights(
    [record for record in taught if record["label"] == "ensemble"], "Weight of EfficientNet-B0"
)

# %% [markdown]
# ## Beside the papers

# %% tags=["hide-input"]
claims.beside(numbers(), "long_and_short", "networks_that_teach")

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("long_and_short", preset)
tag_tables.against(results.comparison("long_and_short", preset), computed)
