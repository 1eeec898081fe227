# %% [markdown]
# # SELAB-HCMUS: co-teaching and ensemble
#
# **Question.** In co-teaching {cite}`han2018` two networks exchange their small-loss examples; the others, whose labels may be wrong, are discarded. SELAB-HCMUS {cite}`pham2021` trains
# EfficientNet-B0 and ReXNet in this way, reports that both improve, and that their weighted mean is best. Does this replicate on other music?
#
# **Answer.** Inconclusive: for ReXNet PR-AUC differs (co-teaching − alone) by
# {interval}`networks_that_teach/rexnet_co_teaching/difference_from_rexnet/all tags/scores/pr_auc:+.3f`. The claims on EfficientNet-B0 and on the ensemble are not testable,
# as one co-taught run did not learn (ROC-AUC {result}`networks_that_teach/efficientnet_co_teaching/lowest_roc_auc:.2f`).
#
# This is a conceptual replication on the mood words of 4Q: {result}`networks_that_teach/rexnet/n:d` test songs, three training runs, 20 seconds of input, one tag per example, mixup, masks
# and a forget rate of one in twenty as printed; a coarser spectrogram and fewer epochs.
#
# **Limits.** The networks start from random weights, the paper's from weights pretrained on images. Here each network has a peer of its own, which only teaches.
#
# **Cost.** A training run of the co-taught ReXNet took {result}`networks_that_teach/rexnet_co_teaching/core_minutes:.1f` minutes of a GPU; the totals are at the end of the page.
#
# **Rerun** (the audio of 4Q is needed for the first line only):
#
# ```
# mer run networks_that_teach --preset cpu
# mer book --notebook 20_selab
# ```

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import claims, figures, tables, tag_tables, verdict_chart, verdict_tables
from mer_companion.book.numbers import numbers

# %% mystnb={"figure": {"name": "fig-selab", "caption": "SELAB-HCMUS's claims of a difference in PR-AUC: printed on MTG-Jamendo (hollow diamonds) and ours on the moods of 4Q, with 95 % confidence intervals over artists and training runs. Positive: as claimed."}, "image": {"alt": "Printed differences of SELAB-HCMUS beside ours with intervals, coloured by verdict."}} tags=["hide-input"]
known = numbers()
judged = verdict_tables.table(known)
trained = judged[(judged["paper"] == "selab") & (judged["evidence"] == claims.REPLICATION)]
verdict_chart.verdicts(verdict_tables.drawn(trained, known))

# %% [markdown]
# ## Ours beside the paper

# %% tags=["hide-input"]
verdict_tables.readable(trained[trained["verdict"] != claims.NOT_RUN])

# %% [markdown]
# ## All runs
#
# For EfficientNet-B0 PR-AUC differs (co-teaching − alone) by {interval}`networks_that_teach/efficientnet_co_teaching/difference/all tags/scores/pr_auc:+.3f`. Alone, ReXNet has the higher
# ROC-AUC, by {interval}`networks_that_teach/rexnet/difference/all tags/scores/roc_auc:+.3f`. The ensemble differs from the co-taught ReXNet by
# {interval}`networks_that_teach/ensemble/difference_from_rexnet_co_teaching/all tags/scores/pr_auc:+.3f` in PR-AUC; its weight, chosen by PR-AUC on few validation songs, varies widely between runs.

# %% tags=["hide-input"]
recorded = experiments.recorded("networks_that_teach", "cpu")
tag_tables.against(results.comparison("networks_that_teach", "cpu"), recorded)

# %% [markdown]
# ## The other image networks
#
# SELAB-HCMUS also tried MixNet-S, ResNet and RegNet before it chose EfficientNet-B0 and ReXNet. One training run of each, without co-teaching, on the same folds (`mer run image_networks --preset cpu`): all three learn;
# one run each does not rank them.

# %% tags=["hide-input"]
others = experiments.recorded("image_networks", "cpu")
tag_tables.against(results.comparison("image_networks", "cpu"), others).drop(
    columns=["difference in PR-AUC", "difference in ROC-AUC"]
)

# %% [markdown]
# ## Known label noise
#
# Where two in five labels of 4Q are replaced at random and the forget rate is two in five, co-teaching does select correct labels:
# {result}`known_noise/co_teaching_symmetric_40/windows/kept/truly_clean:.0%` of the windows kept in the last epoch are labelled correctly, of all windows three in five. On tags, a loss may be large because a mood is
# rare; we have not tested this explanation.

# %% mystnb={"figure": {"name": "fig-purity", "caption": "Share of correct labels among the windows kept by co-teaching, by epoch, beside that among all windows; mean and range over two folds."}, "image": {"alt": "Share of correct labels over epochs, among kept windows and among all."}} tags=["hide-input"]
noisy = experiments.recorded("known_noise", "cpu")
kept = tables.purity([record for record in noisy if record["label"] == "co_teaching_symmetric_40"])
figures.by_epoch(kept, "share", "Share of correct labels", "noise", "windows")
