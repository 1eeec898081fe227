# %% [markdown]
# # Your song
#
# **Question.** What does your own music express, second by second, and how sure may one be?
#
# Choose any sound file: `mer book --notebook 25_your_song --set song=path/to/song.mp3`, or without the book `mer predict path/to/song.mp3`.
# From Python it takes two lines:
#
# ```python
# from mer_core.predict import predict
# predict("song.mp3")
# ```
#
# **Answer.** A probability for each quadrant, and from them those of high valence and of high arousal. Songs of artists that the networks had
# never heard get the right one of four quadrants with accuracy {interval}`model/accuracy:.2f`, high or low arousal with
# {interval}`model/arousal/accuracy:.2f`, high or low valence with {interval}`model/valence/accuracy:.2f`. What the
# probabilities of songs promise is kept to within {interval}`model/calibration_error/after:.3f` on average; those of single seconds, held against the song's label, to within
# {interval}`model/calibration_error/windows:.3f`. The model card, on the next page of the book, has the rest.
#
# **Limits.** The networks learned from {result}`model/songs:d` clips of half a minute, each with one label; single seconds were never labelled. Without
# a song of yours, the page shows one made by code, which is like nothing they ever heard. How loud a file was made hardly counts: of {result}`model/level/n:d` songs
# that they learned from, {result}`model/level/changed:.0%` are called otherwise when they are {result}`model/level/quieter_by_db:.0f` dB quieter.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same
song = ""  # the path of a sound file; empty: a song made by code

# %% tags=["remove-cell"]
import pandas as pd

from mer_companion import experiments, results
from mer_companion.analysis import figures, tables
from mer_core import datasets, trained_model
from mer_core.emotion import in_words
from mer_core.predict import predict

# %% tags=["hide-input"]
emotion = predict(song or datasets.load("synthetic").table["path"].iloc[0])
course, labels = emotion.timeline, list(emotion.probabilities)
whole = {in_words(name): p for name, p in emotion.probabilities.items()}
pd.Series(whole | {"high valence": emotion.valence, "high arousal": emotion.arousal}).to_frame(
    "probability"
).round(2)

# %% [markdown]
# Valence and arousal are probabilities that they are high, from `0` to `1`; `0.5` is undecided. They are no ratings: near `1` means surely pleasant,
# not very pleasant.

# %% mystnb={"figure": {"name": "fig-your-song", "caption": "Along the song: probability of each quadrant, of high valence and of high arousal, and how unsure that is, from 0 (sure) to 1 (knows nothing). A point stands at the middle of what the networks hear at a time."}, "image": {"alt": "Three line plots along the song: probabilities of four quadrants, of high valence and arousal, and the uncertainty."}} tags=["hide-input"]
figures.emotion_course(course, labels, emotion.path.stem)

# %% [markdown]
# ## How unsure, and why
#
# The uncertainty lies between `0`, sure, and `1`, knows nothing. It is the sum of three parts: networks that waver while they listen (doubt), networks
# that are sure of different things (disagreement), and a song that changes (change). See `mer_core.evaluation.uncertainty` for the equation.

# %% tags=["hide-input"]
pd.Series(emotion.uncertainty._asdict()).to_frame("uncertainty").round(2)

# %% [markdown]
# ## Is the model calibrated?
#
# Each song of 4Q is predicted by networks trained on other folds, without its artist: of the songs predicted with some confidence, the share
# predicted correctly. For this comparison the temperature, {result}`model/temperature:.2f` on all folds, was fitted on the other folds. Temperature
# scaling lowers the negative log-likelihood by {interval}`model/surprise_saved:.3f` nats a song.

# %% mystnb={"figure": {"name": "fig-promises", "caption": "Confidence, the probability of the leading quadrant, against accuracy, the share of songs predicted rightly, in ten equal bins; a larger point stands for more songs; lines: 95 % intervals over artists. On the diagonal the model is calibrated."}, "image": {"alt": "Accuracy against confidence in ten bins, near the diagonal."}} tags=["hide-input"]
known = trained_model.shipped().card["out_of_fold"]
figures.reliability({"The recipe of this model": known["reliability"]}, "Confidence", "Accuracy")

# %% [markdown]
# ## Does it matter how loud a file is?
#
# Files may differ in level for reasons that are not the music's. This model brings every file to one level, {result}`model/loudness_db:.0f` dB re full scale.
# The model before it had learned to bear other levels: each window was made louder or softer by up to 10 dB while its networks learned. What that cost on
# songs at their own level, a network alone, mean over seeds:

# %% tags=["hide-input"]
tables.against(results.comparison("loudness", "cpu"), experiments.recorded("loudness", "cpu"))

# %% [markdown]
# ## Which head?
#
# The candidates on a pretrained network's features, one seed each; *chosen* takes in every fold the one that did best on its training songs:

# %% tags=["hide-input"]
tables.against(results.comparison("pretrained_heads", "cpu"), experiments.recorded("pretrained_heads", "cpu"))
