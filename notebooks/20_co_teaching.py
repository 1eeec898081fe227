# %% [markdown]
# # Does a network learn better from what another finds easy?
#
# **Question.** In co-teaching {cite}`han2018` two networks hand each other the examples of smallest loss; the rest, perhaps wrongly labelled, teach nobody.
# SELAB-HCMUS {cite}`pham2021` lets EfficientNet-B0 and ReXNet teach each other moods and reports that both gain.
#
# The moods of 4Q, three training runs: both networks from random weights, one tag for each example, mixup, masks, a forget rate of one in twenty; 20 seconds
# of input as printed, in a coarser picture, and fewer epochs. Each of the two is trained with a peer of its own, which only teaches. Again: `mer run networks_that_teach --preset cpu`.
#
# **Answer.** These runs cannot tell. PR-AUC differs by {interval}`networks_that_teach/efficientnet_co_teaching/difference/all tags/scores/pr_auc:+.3f` for EfficientNet-B0, where one of the co-taught
# runs never learned: its ROC-AUC is {result}`networks_that_teach/efficientnet_co_teaching/lowest_roc_auc:.2f`, so that nothing
# compared with it, below and in [ensembles](21_ensembles), tests a claim. For ReXNet PR-AUC differs by {interval}`networks_that_teach/rexnet_co_teaching/difference_from_rexnet/all tags/scores/pr_auc:+.3f`. Alone, ReXNet is the better of the two by
# {interval}`networks_that_teach/rexnet/difference/all tags/scores/roc_auc:+.3f` in ROC-AUC. Perhaps a loss is easily large where a mood is rare, and to leave such examples out is no help. Where labels are known to be wrong,
# co-teaching does keep right ones: {result}`known_noise/co_teaching_symmetric_40/windows/kept/truly_clean:.0%` of those kept are right in the last epoch, of all windows three in five.
#
# **Limits.** Networks made for pictures, from nothing, tested on {result}`networks_that_teach/rexnet/n:d` songs. The paper begins with weights learned from pictures.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. The records were made on a GPU; two cores and the
# audio of 4Q make them too, in more time. `preset` says what the last section computes.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke, cpu or paper

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import claims, figures, tables, tag_tables
from mer_companion.book.numbers import numbers

# %% tags=["hide-input"]
recorded = experiments.recorded("networks_that_teach", "cpu")
compared = results.comparison("networks_that_teach", "cpu")
tag_tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-co-teaching", "caption": "PR-AUC and ROC-AUC less those of the reference that the table names, on the same songs; 95 % intervals over artists and training runs. Filled: the interval leaves zero out."}, "image": {"alt": "Differences of co-taught networks from networks alone in two measures."}} tags=["hide-input"]
figures.forest(tag_tables.both_differences(compared), "Difference from the reference")

# %% [markdown]
# ## What it keeps, where one can tell
#
# On 4Q with two in five labels made wrong, and a forget rate of two in five: of the windows that the other network found easy, how many have the right label?

# %% mystnb={"figure": {"name": "fig-purity", "caption": "Share of right labels among the windows kept by co-teaching, by epoch, beside that among all windows; mean and range over two folds."}, "image": {"alt": "Share of right labels over epochs, among kept windows and among all."}} tags=["hide-input"]
known = [
    record
    for record in experiments.recorded("known_noise", "cpu")
    if record["label"] == "co_teaching_symmetric_40"
]
figures.by_epoch(tables.purity(known), "share", "Share of right labels", "noise", "windows")

# %% [markdown]
# ## Beside the paper

# %% tags=["hide-input"]
claims.beside(numbers(), "networks_that_teach", "selab_as_released")

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("networks_that_teach", preset)
tag_tables.against(results.comparison("networks_that_teach", preset), computed)
