# %% [markdown]
# # Emotify: listeners' shares as labels
#
# **Question.** Listeners disagree. Is it better to learn the share of listeners who felt an emotion than yes or no, and do the findings on long and short input, HPCP and
# co-teaching, made on the moods of 4Q, hold on another collection?
#
# **Answer.** ANSWER
#
# Emotify {cite}`aljanaki2016`: 400 excerpts of about a minute, four genres; of each, 11 to 59 listeners named at most three of nine emotions that they *felt*. The label of a song is, for each emotion, the share who
# named it. Five folds by artist, three training runs; every song is tested once, by networks that know none of its artist's. The tags are the emotions with a larger share than at the median song.
# Design and predictions were written down before the runs
# ([data/registered/emotify.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/emotify.md)).
#
# **Limits.** LIMITS
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. To make them: `mer run shares --preset cpu` and `mer run shares_from_scratch --preset cpu`, with the audio of Emotify
# (`mer data emotify`) and the package `musicnn`, whose weights are read.

# %% tags=["parameters"]
preset = "smoke"  # what is computed at the end: smoke or cpu

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import claims, figures, shares, tag_tables
from mer_companion.book.numbers import numbers

# %% [markdown]
# ## How near to what listeners agree on
#
# Shares are those of some tens of listeners. Half of a song's listeners predict the other half only so well (a bar); a perfect prediction of what listeners feel on average would
# reach the ceiling, $\sqrt{2r/(1+r)}$ for a correlation $r$ between halves (a diamond): the shares of all listeners are twice as many answers as a half, and less noisy. Where that is low, a low score says little of the network.

# %% mystnb={"figure": {"name": "fig-emotify-ceiling", "caption": "Spearman's correlation of predicted with measured shares of listeners, by emotion: a head on pretrained features (dots, 95 % intervals over artists), the mean of the song's genre (squares), half of the listeners for the other half (bars), and what a perfect prediction would reach (diamonds)."}, "image": {"alt": "Correlation with the shares of listeners for nine emotions, beside split-half reliability and ceiling."}} tags=["hide-input"]
recorded = experiments.recorded("shares", "cpu")
compared = results.comparison("shares", "cpu")
emotions = shares.by_emotion(recorded)
shares.beside_ceiling(emotions)

# %% tags=["hide-input"]
shares.emotions_table(emotions, ("genre", "tags", "long"))

# %% [markdown]
# ## Shares or tags, long or short, one network or two
#
# All on frozen features of MusiCNN {cite}`pons2019`, a dense layer of 256 units and an output for each emotion. `long` learns from the mean over the minute, `short` from 3 s anywhere in it; in `co-teaching` two networks hand each
# other their easiest songs and are averaged, as are the `two networks` that it is to be compared with. The last three learn from all windows of 3 s, as SSSL does.

# %% tags=["hide-input"]
shares.measures(compared, recorded)

# %% mystnb={"figure": {"name": "fig-emotify-pairs", "caption": "Paired differences in Spearman's correlation and in ROC-AUC, means over nine emotions, on the same songs; 95 % intervals over artists and training runs. Filled: the interval leaves zero out."}, "image": {"alt": "Forest plot of differences between ways to learn shares of listeners."}} tags=["hide-input"]
pairs = shares.pairs(compared, "spearman", "roc_auc", "pr_auc", "cross_entropy")
figures.forest(pairs[pairs["name"].isin(["spearman", "roc_auc"])], "Difference")

# %% tags=["hide-input"]
shares.pairs_table(pairs)

# %% [markdown]
# ## Small networks from scratch
#
# SCRATCH

# %% tags=["hide-input"]
from_scratch = experiments.recorded("shares_from_scratch", "cpu")
compared_scratch = results.comparison("shares_from_scratch", "cpu")
shares.measures(compared_scratch, from_scratch)

# %% mystnb={"figure": {"name": "fig-emotify-scratch", "caption": "The same of small networks from scratch."}, "image": {"alt": "Forest plot of differences between small networks from scratch."}} tags=["hide-input"]
pairs_scratch = shares.pairs(compared_scratch, "pr_auc", "roc_auc", "spearman")
figures.forest(pairs_scratch[pairs_scratch["name"] != "spearman"], "Difference")

# %% tags=["hide-input"]
shares.pairs_table(pairs_scratch)

# %% [markdown]
# ## Beside the papers
#
# The claims of Mirable and SELAB that can be judged here, by the rules of [what holds of the papers](15_verdicts).

# %% tags=["hide-input"]
claims.beside(numbers(), "shares", "shares_from_scratch")

# %% [markdown]
# ## What was predicted
#
# PREDICTED
#
# ## What this machine computes

# %%
computed = experiments.execute("shares", preset)
tag_tables.against(results.comparison("shares", preset), computed)
