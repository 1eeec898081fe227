# %% [markdown]
# # Hear where a song leaves its label
#
# **Question.** What does it sound like when a second of music does not have its song's emotion, and would the mixture notice?
#
# These songs are made by code: happy is major and fast, tense is minor, fast and low, sad is minor, slow and soft, calm is major and slow
# (`mer_core.datasets.synthetic`). Each has one label, and passages that depart from it. Press play: the line moves along what sounds, what a network
# hears, and how far the mixture doubts the label there: above the dotted line SSSL would erase it. A click on the figure jumps to that second.
#
# **Answer.** The mixture tells true from departed windows of songs that the network had never heard with an area under the curve of
# {result}`hear/inherit_20/windows/clean_probability/auc:.2f`; chance is a half. But it doubts a *loss*, and a loss is also large where the network is wrong:
# look for tall bars where nothing departs, and for departures without one: where the network predicts the label all the same, the loss stays small.
#
# **Limits.** Music made by code departs more abruptly than real music does; it serves to understand, not to claim. The network is the one of plain training, first
# run, on songs a fifth of whose seconds depart, and it is asked about songs it never heard; [elsewhere](09_wrong_labels) SSSL judges the windows that it learns from. How well the mixture finds wrong labels in real music is [a page of its own](09_wrong_labels).
#
# Shows records, and makes the songs anew in seconds; runs anywhere. Records again: `mer run drift --preset cpu`.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records
songs_shown = 4  # the first tested song of each quadrant

# %% tags=["remove-cell"]
from IPython.display import display

from mer_companion import experiments
from mer_companion.analysis import clean_probability, interactive_figures
from mer_companion.analysis.figures import in_words
from mer_core import datasets
from mer_core.audio import decoding
from mer_core.datasets import synthetic

# %% tags=["remove-cell"]
record = next(record for record in experiments.recorded("drift", "cpu") if record["label"] == "inherit_20")
tracks = datasets.load(record["config"]["dataset"])
threshold = experiments.presets.SSSL["cpu"].method.clean_threshold  # tau
windows = clean_probability.judged(record, tracks)
of_quadrant = (
    windows.merge(tracks.table[["track_id", "label", "path"]])
    .drop_duplicates("label")
    .sort_values("label")[:songs_shown]
)

# %% tags=["hide-input"]
for song in of_quadrant.itertuples():
    own, truth = windows[windows["track_id"] == song.track_id], tracks.second_labels[song.track_id]
    timeline = interactive_figures.song(
        own, tracks.classes, song.label, truth, record["config"]["window_s"], threshold
    )
    what = f"Song {song.track_id}, labelled {in_words(song.label)}: truth, prediction and clean probability along it"
    sound = decoding.read(song.path, synthetic.SAMPLE_RATE), synthetic.SAMPLE_RATE
    display(interactive_figures.shown(timeline, f"hear-{song.track_id}", what, sound))
