# %% [markdown]
# # Emotion along a song
#
# **Question.** The paper's Figure 2 shows one song. What do the timelines of other songs show, and does the model's course follow what
# listeners felt, second by second?
#
# Choose any song of 4Q by its id: `mer book --notebook 11_timelines --set song=MT0000040632`. Four PMEmo choruses have their audio here; the network that learned from 4Q hears
# them for the first time. Again: `mer run segments_to_songs --preset cpu`, `mer run elsewhere --preset cpu`.
#
# **Answer.** On average over the training runs, {result}`segments_to_songs/self_learning/MT0010465830/windows/share_q1:.0%` of the windows of the paper's song
# are called by its label, the others otherwise, as its Figure 2 has it. Whether the course follows what listeners felt, four choruses cannot say.
#
# **Limits.** A timeline shows what a network calls, not what is there; windows overlap by two thirds.
#
# **To run it.** Any laptop draws any song from the records. To make these again, two cores and the audio of 4Q do. `song` is an id of 4Q;
# `preset` changes nothing.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records
song = "MT0010465830"  # the song of Figure 2

# %% tags=["remove-cell"]
from contextlib import suppress

from mer_companion import experiments, results
from mer_companion.analysis import figures, tables
from mer_core.datasets import pmemo
from mer_core.datasets.tracks import DataError

# %% mystnb={"figure": {"name": "fig-any-timeline", "caption": "Probability of each quadrant along the chosen song; the network of the first seed, which never heard this artist in training."}, "image": {"alt": "Line plot of four probabilities along the chosen song."}} tags=["hide-input"]
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
# How often does one quadrant lead throughout a song, and how many lead at some time? Over all tested songs:

# %% tags=["hide-input"]
tables.leading(sssl)

# %% [markdown]
# ## Beside what listeners felt, where their ratings are at hand
#
# PMEmo's listeners moved a slider every half second, from the fifteenth on. The model's valence is the probability of a high one, a different
# quantity on the same side of the midpoint: the course can be compared, the height cannot.

# %% mystnb={"figure": {"name": "fig-pmemo-0", "caption": "First PMEmo chorus: probability of high valence and arousal as called by SSSL trained on 4Q, and the listeners' mean with its standard deviation where the annotations are at hand."}, "image": {"alt": "Valence and arousal as called, and as measured where ratings are at hand, along the first chorus."}} tags=["hide-input"]
heard = next(
    record
    for record in experiments.recorded("elsewhere", "cpu")
    if record["label"] == "self_learning_from_4q"
)
courses = tables.courses(heard, "pmemo:audible_only")
measured = None
with suppress(DataError):
    measured = pmemo.dynamic()
names = list(courses)
figures.valence_arousal_course(names[0], courses[names[0]], measured)

# %% mystnb={"figure": {"name": "fig-pmemo-1", "caption": "Second PMEmo chorus: the same, as called, and as measured where the annotations are at hand."}, "image": {"alt": "Valence and arousal as called, and as measured where ratings are at hand, along the second chorus."}} tags=["hide-input"]
figures.valence_arousal_course(names[1], courses[names[1]], measured)

# %% mystnb={"figure": {"name": "fig-pmemo-2", "caption": "Third PMEmo chorus: the same, as called, and as measured where the annotations are at hand."}, "image": {"alt": "Valence and arousal as called, and as measured where ratings are at hand, along the third chorus."}} tags=["hide-input"]
figures.valence_arousal_course(names[2], courses[names[2]], measured)

# %% mystnb={"figure": {"name": "fig-pmemo-3", "caption": "Fourth PMEmo chorus: the same, as called, and as measured where the annotations are at hand."}, "image": {"alt": "Valence and arousal as called, and as measured where ratings are at hand, along the fourth chorus."}} tags=["hide-input"]
figures.valence_arousal_course(names[3], courses[names[3]], measured)

# %% [markdown]
# Rank correlation of the called with the measured course, where both exist. With four songs of half a minute, whose seconds are
# not independent, it is an illustration and no evidence.

# %% tags=["hide-input"]
print("The annotations of PMEmo are not at hand.") if measured is None else tables.course_agreement(
    courses, measured
)
