# %% [markdown]
# # Can the Gaussian mixture model detect wrong labels?
#
# **Question.** SSSL assumes that windows with a wrong label have a larger loss, and that a Gaussian mixture model (GMM) of the losses separates them from the others. Is that so where the
# truth is known, and how much label noise is there in real music?
#
# **Answer.** It detects random noise, and less well the confusions that listeners make. The clean probability ranks right above wrong labels with a ROC-AUC of
# {result}`known_noise/self_learning_symmetric_20/windows/clean_probability/auc:.2f` if one label in five is replaced by any other,
# {result}`known_noise/self_learning_symmetric_40/windows/clean_probability/auc:.2f` if two in five are, and
# {result}`known_noise/self_learning_arousal_preserving_20/windows/clean_probability/auc:.2f` if one in five is replaced by the quadrant of the opposite valence; chance is a half. As a
# probability it is not calibrated at either end: of the windows with a clean probability below `0.1`,
# {result}`known_noise/self_learning_symmetric_20/windows/clean_probability/right_in_lowest_bin:.0%`,
# {result}`known_noise/self_learning_symmetric_40/windows/clean_probability/right_in_lowest_bin:.0%` and
# {result}`known_noise/self_learning_arousal_preserving_20/windows/clean_probability/right_in_lowest_bin:.0%` have a right label, and SSSL replaces those labels too; of those above `0.9`,
# {result}`known_noise/self_learning_symmetric_20/windows/clean_probability/right_in_highest_bin:.0%`,
# {result}`known_noise/self_learning_symmetric_40/windows/clean_probability/right_in_highest_bin:.0%` and
# {result}`known_noise/self_learning_arousal_preserving_20/windows/clean_probability/right_in_highest_bin:.0%`.
#
# In real music, listeners contradict the quadrant of the clip in {interval}`annotation_noise/pmemo/emotion/listeners/3_s_windows_that_differ_from_the_song:.1%` of PMEmo's three-second windows, and in
# more of DEAM's. A part of that is no change in the music: the clip lies near the border between two quadrants.
#
# **Limits.** Known noise: two folds, one training run, no interval for the AUC. Synthetic music: one fold, three runs. Continuous ratings are means over listeners, smoother than individual ones.
#
# **Rerun.** `mer run known_noise --preset cpu` (audio of 4Q), `mer run annotation_noise --preset cpu` (annotations only), `mer run drift --preset cpu` (synthetic); the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, names, tables

# %% [markdown]
# ## Synthetic music
#
# Synthetic songs depart from the emotion of their label for a share of their seconds, the drift. Three seeds each. AUC: the probability that a clean window
# has a higher clean probability than a wrong one; chance is a half. Average precision: of ranking the wrong ones first; chance is their
# share. Right labels: their share in the clean set and in all windows. Calibration error: the mean absolute difference between predicted probability and observed share, over bins.

# %% tags=["hide-input"]
drifting = experiments.recorded("drift", "cpu")
drift = tables.detection(drifting).assign(drift=lambda rows: rows["label"].str.split("_").str[-1].astype(int))
drift[drift["epoch"] == drift["epoch"].max()].groupby("drift").mean(numeric_only=True).drop(
    columns=["seed", "fold", "epoch"]
).round(3)

# %% mystnb={"figure": {"name": "fig-drift-auc", "caption": "Detection of wrong windows by the clean probability, per epoch, by drift in per cent: AUC, average precision, calibration error. Mean over three seeds and their range."}, "image": {"alt": "Detection AUC, average precision and calibration error per epoch for five amounts of drift."}} tags=["hide-input"]
figures.detection_by_epoch(drift.assign(drift=drift["drift"].map("{} % drift".format)), "drift")

# %% [markdown]
# ## Known label noise
#
# Real music, 4Q, two folds: known noise in the training labels, none in the test labels. *Symmetric*: any other quadrant.
# *Valence flips*: the quadrant of the opposite valence, a confusion that listeners make. *Songs*: all windows of a song get the same wrong label;
# otherwise each window is drawn independently, as if the emotion changed.

# %% mystnb={"figure": {"name": "fig-noise-auc", "caption": "Detection of replaced labels of 4Q by the clean probability, per epoch: AUC, average precision, calibration error. Mean of two folds and their range."}, "image": {"alt": "Detection AUC, average precision and calibration error per epoch for four kinds of label noise."}} tags=["hide-input"]
noisy = experiments.recorded("known_noise", "cpu")
together = [record for record in noisy if record["label"].startswith("self_learning")]
known = tables.detection(together).assign(
    noise=lambda rows: rows["label"].str.removeprefix("self_learning_").map(names.label)
)
figures.detection_by_epoch(known, "noise")

# %% mystnb={"figure": {"name": "fig-noise-reliability", "caption": "Calibration of the clean probability: share of right labels by clean probability, last epoch, two folds of 4Q; the area of a mark is its share of windows. A calibrated probability would lie on the diagonal."}, "image": {"alt": "Reliability curves of the clean probability for four kinds of label noise."}} tags=["hide-input"]
figures.reliability(
    {names.label(r["label"].removeprefix("self_learning_")): tables.reliability([r]) for r in together}
)

# %% [markdown]
# Does detection improve accuracy? *One GMM per class* is SSSL with a separate mixture for each quadrant, because a single mixture
# assigns most of a difficult quadrant to the noisy set.

# %% mystnb={"figure": {"name": "fig-noise-accuracy", "caption": "Accuracy on the test songs of two folds, whose labels are unchanged, by the noise in the training labels; 95 % confidence intervals over artists."}, "image": {"alt": "Accuracy of the baseline, SSSL and other methods under four kinds of label noise."}} tags=["hide-input"]
under_noise = results.comparison("known_noise", "cpu")
figures.by_condition(
    tables.under_noise(under_noise),
    "Noise in the training labels (kind, per cent)",
    "Song accuracy",
    chance=0.25,
)

# %% tags=["hide-input"]
tables.against(under_noise, noisy)

# %% [markdown]
# ## Label noise in real music
#
# PMEmo and DEAM also have continuous ratings, every half second. The share of three-second windows whose majority differs from the
# label of the whole clip is the label noise of a segment classifier; the share that differs from the clip's *own* majority is change within
# the clip. Only the annotations are needed. For quadrants:

# %% tags=["hide-input"]
rated = experiments.recorded("annotation_noise", "cpu")
tables.annotation_noise(rated, "emotion")

# %% mystnb={"figure": {"name": "fig-annotation-noise", "caption": "Continuous ratings of three-second windows, quadrants: share that differs from the clip's label, and from the clip's own majority. 95 % intervals over artists."}, "image": {"alt": "Shares of windows that differ from the clip's label or majority, per data set."}} tags=["hide-input"]
figures.annotation_noise(tables.annotation_noise_rows(rated))

# %% [markdown]
# For valence:

# %% tags=["hide-input"]
tables.annotation_noise(rated, "valence")

# %% [markdown]
# For arousal:

# %% tags=["hide-input"]
tables.annotation_noise(rated, "arousal")

# %% [markdown]
# Two corrections to DEAM. In its table of whole-song ratings the columns of valence and arousal are exchanged for the
# songs from Emotion in Music: "EiM, as distributed" correlates over time with the other column, as no other set does. And the continuous ratings
# are offset from the midpoint of the static scale by a constant, which is removed; "offset kept" shows its effect. Removing it can only
# lower the estimated noise, so the truth lies between the two.
