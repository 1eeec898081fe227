# %% [markdown]
# # Budget, setting or method?
#
# **Question.** Where SSSL scores less than believing every label: does it lack epochs, is a setting wrong, or is it the method? One
# change at a time, two folds of 4Q. `mixup_without_separation` trusts every label, so that only mixup remains of SSSL; with hardly
# any mixup only the separation and its agreement term remain. Again: `mer run why_less --preset cpu`.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke or cpu

# %% tags=["remove-cell"]
from mer_core import experiments, figures, results

# %% [markdown]
# ## What was recorded on 4Q
#
# Accuracy on the songs of two folds; the difference, song by song, from plain training (for twenty epochs, from plain training for
# twenty); the validation accuracy, on songs of the training folds heard by networks that had not learned from them; and the cost. A
# run that has no record yet is not in the table.

# %% tags=["hide-input"]
recorded = experiments.recorded("why_less", "cpu")
results.against(recorded)

# %% mystnb={"figure": {"name": "fig-why-less", "caption": "Song accuracy by mean probability on two folds of 4Q, 95 % intervals over artists."}, "image": {"alt": "Accuracy with interval for variants of SSSL and of plain training."}} tags=["hide-input"]
figures.intervals(results.pooled(recorded), "Song accuracy, two folds of 4Q")
# %% [markdown]
# Budget does not mend it: with twice the epochs SSSL falls behind. The record's log shows how: once a quadrant's windows are mostly
# called noisy, their labels are replaced by the predictions that had doubted them, and the quadrant fades (the share of labels
# kept, per quadrant, is `clean_share`). The mixture of all quadrants together invites this. Losses at three epochs of that run:

# %% mystnb={"figure": {"name": "fig-why-less-mixture", "caption": "Losses and their mixture in the longest recorded run of SSSL, first fold."}, "image": {"alt": "Three histograms of losses with two fitted Gaussian curves each."}} tags=["hide-input"]
longest = max((r for r in recorded if r["label"].startswith("self_learning")), key=lambda r: r["config"]["training"]["epochs"])
figures.loss_mixtures(longest["log"][0])
# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("why_less", preset)
results.against(computed)
