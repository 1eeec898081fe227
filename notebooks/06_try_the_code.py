# %% [markdown]
# # Try the code
#
# **Question.** Does the code run on this computer, and what does each step of SSSL and its baseline produce?
#
# **Answer.** This page trains both methods in seconds, at the preset `smoke`, on 48 short synthetic songs, of which 16 are tested. **None of its numbers is a result.** The songs are simple tones and easy to tell
# apart, the networks are tiny, and another seed may reverse the order of the methods. The results on recorded music are on [the page of the headline comparison](01_segments_to_songs) and those after it.
#
# **Other experiments.** `mer run NAME --preset smoke` trains any of them in the same way; [the table of experiments](../status) has the names. [The regression report](../drift) compares all of them with a stored reference.
#
# **Rerun.** `mer book --notebook 06_try_the_code`; with the audio of 4Q, `--preset cpu` shows or makes the real records in its place.

# %% tags=["parameters"]
preset = "smoke"  # smoke: synthetic corpus, seconds; cpu: 900 real clips on two cores; paper: as printed, for a GPU

# %% tags=["remove-cell"]
import numpy as np

from mer_companion import experiments, results
from mer_companion.analysis import figures, tables
from mer_core import datasets

# %% [markdown]
# ## The songs

# %%
(_, run), *_ = experiments.jobs("segments_to_songs", preset)
tracks = datasets.load(run.dataset)
songs = tracks.table.groupby("label").agg(
    songs=("track_id", "size"), artists=("group", "nunique"), seconds=("duration_s", "sum")
)
songs.rename_axis("quadrant")

# %% [markdown]
# ## Training and song decisions

# %%
computed = experiments.execute("segments_to_songs", preset)
tables.decision_table(results.comparison("segments_to_songs", preset))

# %% mystnb={"figure": {"name": "fig-confusion-here", "caption": "Confusion matrices of a smoke run: labels in rows, predictions in columns. Synthetic songs; not a result."}, "image": {"alt": "Confusion matrix for each method, synthetic songs."}} tags=["hide-input"]
figures.confusions(
    {r["label"]: np.array(r["confusion"]["mean_probability"]) for r in computed}, tracks.classes
)

# %% [markdown]
# ## One song along its time

# %% mystnb={"figure": {"name": "fig-timeline-here", "caption": "Probability of each quadrant along one synthetic test song; the strip below shows the true emotion of every second. Not a result."}, "image": {"alt": "Line plot of four probabilities along one synthetic test song."}} tags=["hide-input"]
here = computed[-1]
song = results.tested_tracks(here)[0]
probabilities, seconds = results.timeline(here, song)
figures.song_timeline(
    probabilities, seconds, tracks.classes, here["config"]["window_s"], song, tracks.second_labels.get(song)
)

# %% [markdown]
# ## The Gaussian mixture model
#
# Losses of the training windows with the two Gaussians fitted to them. As the true emotion of every second is known, the last figure shows how well the clean probability ranks windows with a right label above the
# others. [Detection of wrong labels](09_wrong_labels) has the recorded results.

# %% mystnb={"figure": {"name": "fig-mixture-here", "caption": "Losses of the training windows and the fitted mixture, synthetic songs. Not a result."}, "image": {"alt": "Histograms of losses with fitted Gaussian curves, synthetic songs."}} tags=["hide-input"]
figures.loss_mixtures(here["log"][0])

# %% mystnb={"figure": {"name": "fig-detection", "caption": "Detection of wrong labels by the clean probability, per epoch after the warm-up, synthetic songs. Dotted: chance. Not a result."}, "image": {"alt": "Line plot of detection AUC and purity over epochs, synthetic songs."}} tags=["hide-input"]
known = [row for row in here["log"][0] if row.get("auc") is not None]
figures.clean_detection(known) if known else print(
    "The true label of every second of this data set is unknown."
)
