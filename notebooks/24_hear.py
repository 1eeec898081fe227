# %% [markdown]
# # Play songs that depart from their label
#
# **Question.** What does it sound like when a part of a song does not have the emotion of its label, and does the Gaussian mixture model detect it?
#
# These songs are synthetic (`mer_core.datasets.synthetic`): happy is major and fast; tense is minor, fast and low; sad is minor, slow and soft; calm is major and slow. Each has one label, and
# passages that depart from it. Press play: the figure follows the audio and shows the network's prediction and, as bars, one minus the clean probability; above the dotted line SSSL would
# replace the label. A click on the figure jumps to that second.
#
# **Answer.** For songs that were not in the training set, the mixture ranks windows with a right label above those that depart with a ROC-AUC of
# {result}`hear/inherit_20/windows/clean_probability/auc:.2f`; chance is a half. It is a mixture of *losses*, and the loss is also large where the network is wrong: see the high bars where nothing
# departs. Where the network predicts the label despite a departure, the loss stays small, and the departure is missed.
#
# **Limits.** Synthetic music departs more abruptly than real music; this page illustrates and supports no claim. The network is the baseline's, first run, trained on songs of which a fifth
# of the seconds depart, and applied to test songs; SSSL separates its training windows ([detection of wrong labels](09_wrong_labels), also in real music).
#
# **Rerun.** Nothing is trained here; songs are synthesised in seconds. Records: `mer run drift --preset cpu`.

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
