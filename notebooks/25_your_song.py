# %% [markdown]
# # Your song
#
# **Question.** Which emotion does a song of yours express, second by second, and how certain is the prediction?
#
# **Answer.** For each song the model predicts a probability for each quadrant, and from these the probabilities of high valence and high arousal. On songs of artists that are not in the training set its accuracy is
# {interval}`model/accuracy:.2f` for quadrants, {interval}`model/arousal/accuracy:.2f` for arousal and {interval}`model/valence/accuracy:.2f` for valence. Its probabilities are calibrated on similar music: the mean difference
# between confidence and accuracy is {interval}`model/calibration_error/after:.3f` for songs, but {interval}`model/calibration_error/windows:.3f` for single seconds, if judged by the song's label.
# [The model card](../model) has the rest.
#
# **Your own file.** Without the book: `mer predict path/to/song.mp3`. With this page: `mer book --notebook 25_your_song --set song=path/to/song.mp3`. From Python:
#
# ```python
# from mer_core.predict import predict
# predict("song.mp3")
# ```
#
# **Limits.** The training data are {result}`model/songs:d` clips of half a minute, each with one label; single seconds were never labelled, and music unlike these clips is predicted unreliably. Without a file of yours
# the page shows a synthetic song, which is such a case.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same
song = ""  # the path of a sound file; empty: a synthetic song

# %% tags=["remove-cell"]
import pandas as pd

from mer_companion import experiments, results
from mer_companion.analysis import figures, tables
from mer_core import datasets, trained_model
from mer_core.emotion import in_words
from mer_core.predict import predict

# %% mystnb={"figure": {"name": "fig-your-song", "caption": "Along the song: probability of each quadrant, of high valence and of high arousal, and the uncertainty from 0 (certain) to 1 (uniform prediction). A point stands at the middle of its window."}, "image": {"alt": "Three line plots along the song: probabilities of four quadrants, of high valence and arousal, and the uncertainty."}} tags=["hide-input"]
emotion = predict(song or datasets.load("synthetic").table["path"].iloc[0])
course, labels = emotion.timeline, list(emotion.probabilities)
figures.emotion_course(course, labels, emotion.path.stem)

# %% tags=["hide-input"]
whole = {in_words(name): p for name, p in emotion.probabilities.items()}
pd.Series(whole | {"high valence": emotion.valence, "high arousal": emotion.arousal}).to_frame(
    "probability"
).round(2)

# %% [markdown]
# Valence and arousal are probabilities that they are high; `0.5` is undecided. They are not ratings: near `1` means certainly pleasant, not very pleasant.
#
# ## Uncertainty
#
# The uncertainty is the sum of three parts: the networks are uncertain in single windows (doubt), they contradict each other (disagreement), or the song changes (change); `mer_core.evaluation.uncertainty` has the
# equation.

# %% tags=["hide-input"]
pd.Series(emotion.uncertainty._asdict()).to_frame("uncertainty").round(2)

# %% [markdown]
# ## Calibration
#
# Each song of 4Q is predicted by networks trained on other folds, without its artist. Temperature scaling, fitted on the other folds, did not lower the negative log-likelihood: the temperature is
# {result}`model/temperature:.2f`, and the probabilities are those of the networks.

# %% mystnb={"figure": {"name": "fig-promises", "caption": "Reliability diagram: confidence (probability of the predicted quadrant) against accuracy in ten bins; the area of a point is its number of songs; lines: 95 % confidence intervals over artists. On the diagonal the model is calibrated."}, "image": {"alt": "Accuracy against confidence in ten bins, near the diagonal."}} tags=["hide-input"]
known = trained_model.shipped().card["out_of_fold"]
figures.reliability({"This model, artists held out": known["reliability"]}, "Confidence", "Accuracy")

# %% [markdown]
# ## Loudness
#
# The level of a file may have nothing to do with its music, so the model brings every file to {result}`model/loudness_db:.0f` dB re full scale: of {result}`model/level/n:d` training songs made
# {result}`model/level/quieter_by_db:.0f` dB quieter, the predicted quadrant changes for {result}`model/level/changed:.0%`. The previous model was trained with random gain instead (data augmentation by up to 10 dB). The cost of
# that on songs at their own level, one network, mean over seeds, is inconclusive:

# %% tags=["hide-input"]
tables.against(results.comparison("loudness", "cpu"), experiments.recorded("loudness", "cpu"))

# %% [markdown]
# ## How many labelled songs your own model takes
#
# `mer train` fits the same recipe to your own labels. Here it is trained on fewer songs of 4Q, equally many of each quadrant, and tested on all songs of other artists: three partitions, as
# [registered](https://github.com/mer-companion/mer-companion/blob/main/data/registered/fewer_songs.md). The rightmost point has all songs of the training folds.
#
# With `60` songs macro F1 is {interval}`fewer_songs/training_songs_60/emotion/mean_probability/macro_f1:.2f`, with `240` {interval}`fewer_songs/training_songs_240/emotion/mean_probability/macro_f1:.2f`; from there to all songs (about `720`) no further gain is detected (`240` − all:
# {interval}`fewer_songs/training_songs_240/difference/emotion/mean_probability/macro_f1:+.3f`). Sixty epochs instead of ten do not measurably help, even with `12` songs ({interval}`fewer_songs/training_songs_12_60_epochs/difference/emotion/mean_probability/macro_f1:+.3f`, `60` − `10` epochs), where a gain was predicted; the other predictions held.

# %% mystnb={"figure": {"name": "fig-fewer-songs", "caption": "Macro F1 by number of labelled training songs, 95 % confidence intervals over artists and runs."}, "image": {"alt": "Macro F1 rises with the number of training songs."}} tags=["hide-input"]
usual = experiments.EXPERIMENTS["fewer_songs"].bases["cpu"].training.epochs
fewer = tables.by_training_songs(results.comparison("fewer_songs", "cpu"), usual)
figures.by_condition(fewer, "Labelled training songs", "Macro F1", chance=0.25)

# %% [markdown]
# ## Choice of the head
#
# Heads on the features of a pretrained network, one seed each. In the row with the chosen setting, each fold takes the head with the best validation accuracy on its training songs. Differences between heads are
# inconclusive; that from the previous model, trained from random weights, is significant after Holm correction.

# %% tags=["hide-input"]
tables.against(results.comparison("pretrained_heads", "cpu"), experiments.recorded("pretrained_heads", "cpu"))
