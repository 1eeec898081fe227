# %% [markdown]
# # Does it help to hear harmony?
#
# **Question.** Mirable {cite}`tan2021` lets a second branch hear harmonic pitch class profiles (HPCP): which of the twelve pitch classes sound, whatever
# their octave {cite}`gomez2006`. It reports that this helps throughout. Does it, here?
#
# Twice: on the moods of 4Q, three training runs, and on its four quadrants with the same network and SSSL's folds. Our HPCP is that of Essentia, which the
# paper used, written anew; an optional test compares both, frame by frame. Again: `mer run harmony --preset cpu` and `mer run harmony_on_quadrants --preset cpu`.
#
# **Answer.** The interval excludes zero for PR-AUC with long input alone, before [the correction over all claims](15_verdicts); the other three hold both zero and what the paper prints. PR-AUC differs by {interval}`harmony/long_hpcp/difference/all tags/scores/pr_auc:+.3f` for long input and by
# {interval}`harmony/short_hpcp/difference/all tags/scores/pr_auc:+.3f` for short input, ROC-AUC by {interval}`harmony/long_hpcp/difference/all tags/scores/roc_auc:+.3f` and
# {interval}`harmony/short_hpcp/difference/all tags/scores/roc_auc:+.3f`. On quadrants accuracy differs by {interval}`harmony_on_quadrants/hpcp/difference/emotion/mean_probability:+.3f`.
#
# **Limits.** A small network on few songs; one training run on the quadrants.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. The records were made on a GPU; two cores and the
# audio of 4Q make them too, in more time. `preset` says what the last section computes.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke or cpu

# %% tags=["remove-cell"]
import torch

from mer_companion import experiments, results
from mer_companion.analysis import claims, figures, tables, tag_tables
from mer_companion.book.numbers import numbers
from mer_core import datasets
from mer_core.audio import decoding
from mer_core.audio.hpcp import HPCP, hpcp

# %% [markdown]
# ## What HPCP hears
#
# Two songs of the synthetic corpus: chords in major and in minor. A row is a pitch class, from A upwards.

# %% mystnb={"figure": {"name": "fig-hpcp", "caption": "Harmonic pitch class profiles of two synthetic songs, one in major (Q1) and one in minor (Q3); the brighter, the stronger the pitch class."}, "image": {"alt": "Two chromagrams: pitch classes over time for a song in major and one in minor."}} tags=["hide-input"]
songs = datasets.load("synthetic:drift=0,n_songs=8,n_artists=8,song_s=8")
paths = {label: songs.table.query("label == @label")["path"].iloc[0] for label in ("Q1", "Q3")}
samples = {
    label: torch.from_numpy(decoding.read(path, HPCP.sample_rate))[None] for label, path in paths.items()
}
figures.pitch_classes({label: hpcp(own, HPCP())[0].numpy() for label, own in samples.items()}, seconds=8)

# %% [markdown]
# ## On moods

# %% tags=["hide-input"]
recorded = experiments.recorded("harmony", "cpu")
compared = results.comparison("harmony", "cpu")
tag_tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-harmony", "caption": "PR-AUC and ROC-AUC with mel and HPCP less those with mel alone, on the same songs; 95 % intervals over artists and training runs. Filled: the interval leaves zero out."}, "image": {"alt": "Differences between mel with HPCP and mel alone in two measures."}} tags=["hide-input"]
figures.forest(tag_tables.both_differences(compared), "With HPCP less mel alone")

# %% [markdown]
# ## On quadrants

# %% tags=["hide-input"]
on_quadrants = experiments.recorded("harmony_on_quadrants", "cpu")
tables.against(results.comparison("harmony_on_quadrants", "cpu"), on_quadrants)

# %% [markdown]
# ## Beside the paper

# %% tags=["hide-input"]
claims.beside(numbers(), "harmony")

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("harmony", preset)
tag_tables.against(results.comparison("harmony", preset), computed)
