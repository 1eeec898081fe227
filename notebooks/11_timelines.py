# %% [markdown]
# # Emotion along a song
#
# **Question.** The paper's Figure 2 shows the predicted probabilities along one song. Does our network predict the same course, and do other songs change as much?
#
# **Answer.** In part. As in Figure 2 most windows of this song, labelled happy (Q1), are predicted as Q1: {result}`segments_to_songs/self_learning/MT0010465830/windows/share_q1:.0%` on average over five training
# runs. The passages that differ are others: the paper describes sadness (Q3) from the first seconds until the seventh; in the run drawn below tension (Q2) leads in the first two windows, and only two of the
# five runs predict Q3 before the seventh second.
#
# Choose any song of 4Q by its id: `mer book --notebook 11_timelines --set song=MT0000040632`.
#
# **Limits.** A timeline shows predictions, not emotions: nobody labelled the seconds of 4Q. Windows overlap by two thirds, so that neighbouring predictions are similar in any case.
#
# **Rerun.** `mer run segments_to_songs --preset cpu` and `mer run elsewhere --preset cpu`, with the audio of 4Q; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records
song = "MT0010465830"  # the song of Figure 2

# %% tags=["remove-cell"]
from contextlib import suppress

from mer_companion import experiments, results
from mer_companion.analysis import figures, tables
from mer_core.datasets import pmemo
from mer_core.datasets.tracks import DataError

# %% mystnb={"figure": {"name": "fig-any-timeline", "caption": "Probability of each quadrant along the chosen song, SSSL, first seed. No song of this artist is in the training set."}, "image": {"alt": "Line plot of four probabilities along the chosen song."}} tags=["hide-input"]
sssl = next(
    record
    for record in experiments.recorded("segments_to_songs", "cpu")
    if record["label"] == "self_learning"
)
probabilities, seconds = results.timeline(sssl, song)
figures.song_timeline(
    probabilities, seconds, sssl["data"]["classes"], sssl["config"]["window_s"], f"{song}, SSSL"
)

# %% [markdown]
# Over all test songs: how many different quadrants are predicted within a song, and the share of its windows that have the most frequent one.

# %% tags=["hide-input"]
tables.leading(sssl)

# %% [markdown]
# ## Beside listeners' ratings
#
# PMEmo's listeners rated valence and arousal every half second, from the fifteenth second on. The audio of four of its choruses was available here, and the network trained on 4Q predicts them. The model's
# valence is the probability that valence is high, a different quantity from a rating: courses can be compared, levels cannot. Four clips of half a minute, whose seconds are not independent, are an
# illustration and no evidence. The ratings cannot be redistributed; this section is shown where `MER_DATA` holds them.

# %% mystnb={"figure": {"name": "fig-pmemo", "caption": "A PMEmo chorus: predicted probability of high valence and of high arousal (SSSL trained on 4Q), and the listeners' mean rating with its standard deviation."}, "image": {"alt": "Valence and arousal along a chorus, predicted and rated."}} tags=["hide-input"]
transferred = next(
    record
    for record in experiments.recorded("elsewhere", "cpu")
    if record["label"] == "self_learning_from_4q"
)
courses = tables.courses(transferred, "pmemo:audible_only")
measured = None
with suppress(DataError):
    measured = pmemo.dynamic()
first = next(iter(courses))
print("Not shown: MER_DATA does not hold PMEmo's ratings.") if measured is None else (
    figures.valence_arousal_course(first, courses[first], measured)
)

# %% [markdown]
# Rank correlation of predicted probabilities with ratings:

# %% tags=["hide-input"]
print("Not shown: MER_DATA does not hold PMEmo's ratings.") if measured is None else (
    tables.course_agreement(courses, measured)
)
