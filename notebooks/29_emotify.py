# %% [markdown]
# # Emotify: listeners' shares as labels
#
# **Question.** Listeners disagree. Is it better to train on the share of listeners who felt an emotion (soft labels) than on tags, and do the claims on input length and on two networks replicate on another collection?
#
# **Answer.** SSSL, which sharpens its soft labels, lowers the rank correlation with the shares, by
# {interval}`shares/sssl/difference/all tags/scores/spearman:+.3f` (significant after Holm correction over all comparisons); without sharpening the difference is {interval}`shares/sssl_unsharpened/difference/all tags/scores/spearman:+.3f`
# (inconclusive). Trained on shares instead of tags the correlation differs by {interval}`shares/long/difference_from_tags/all tags/scores/spearman:+.3f` and ROC-AUC by {interval}`shares/long/difference_from_tags/all tags/scores/roc_auc:+.3f` (both inconclusive).
# Three gains that the papers print on MTG-Jamendo are excluded by the intervals here (contradicted): in PR-AUC short − long input {interval}`shares/short/difference/all tags/scores/pr_auc:+.3f`, with HPCP − without
# {interval}`shares/hpcp/difference/all tags/scores/pr_auc:+.3f`, and co-teaching − two networks that do not teach {interval}`shares/co_teaching/difference_from_two_networks/all tags/scores/pr_auc:+.3f`.
#
# The network on pretrained features reaches a ROC-AUC of {interval}`shares/long/all tags/scores/roc_auc:.3f` and a correlation of {interval}`shares/long/all tags/scores/spearman:.2f` with the shares, mean over emotions. Half
# of the listeners reach about as much for the other half, whose shares are noisier than those of all. Emotions on which listeners agree are predicted best: the rank correlation over emotions is
# {result}`shares/long/spearman_by_reliability:.2f`.
#
# **Data and design.** Emotify {cite}`aljanaki2016`: 400 excerpts of about a minute, four genres; for each, 11 to 59 listeners chose at most three of nine emotions that they *felt*. The label of a song is the share of
# listeners for each emotion; a tag is an emotion with a larger share than at the median song. Five folds by artist. Design and predictions were registered before the runs
# ([data/registered/emotify.md](https://github.com/mer-companion/mer-companion/blob/main/data/registered/emotify.md)).
#
# **Limits.** Three training runs. Songs of all folds are scored together, although each fold has a network of its own. Emotions are felt here, expressed in the other collections. MusiCNN's training songs may include
# some of these. The networks are small heads on pretrained features; the small networks from scratch, part of the design, have not been run for want of time; the results do not extend to
# networks trained from random weights.
#
# **Rerun.** `mer run shares --preset cpu`, with the audio of Emotify (`mer data emotify`) and the weights from the package `musicnn`; the cost is stated at the end of the page.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset shows the same records

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import figures, shares, verdict_tables
from mer_companion.book.numbers import numbers

# %% [markdown]
# ## Predictions beside the agreement of listeners
#
# The shares rest on some tens of listeners. The correlation $r$ between two halves of the listeners (bar) limits what any prediction can reach: the ceiling (diamond) is $\sqrt{2r/(1+r)}$, as the shares of all
# listeners are less noisy than those of a half. Where it is low, a low score says little about the network.

# %% mystnb={"figure": {"name": "fig-emotify-ceiling", "caption": "Spearman's correlation of predicted with measured shares of listeners, by emotion: a head on pretrained features (dots, 95 % confidence intervals over artists), the mean of the song's genre (squares), half of the listeners for the other half (bars), and the ceiling (diamonds)."}, "image": {"alt": "Correlation with the shares of listeners for nine emotions, beside split-half reliability and ceiling."}} tags=["hide-input"]
recorded = experiments.recorded("shares", "cpu")
compared = results.comparison("shares", "cpu")
emotions = shares.by_emotion(recorded)
shares.beside_ceiling(emotions)

# %% tags=["hide-input"]
shares.emotions_table(emotions, ("genre", "tags", "long"))

# %% [markdown]
# ## Shares or tags, long or short input, one network or two
#
# All on frozen features of MusiCNN {cite}`pons2019`, a dense layer of 256 units and an output for each emotion. *Long*: input is the mean over the minute, *short*: 3 s from anywhere in it; *two networks* are averaged. The mean of the
# genre over training songs is a baseline that ignores the audio; in folds by artist it is lower where the share of the test songs is higher, so that its correlation can be negative.

# %% tags=["hide-input"]
shares.measures(compared, recorded)

# %% mystnb={"figure": {"name": "fig-emotify-pairs", "caption": "Paired differences in Spearman's correlation and in ROC-AUC, means over nine emotions, on the same songs; 95 % confidence intervals over artists and training runs. Filled: the uncorrected interval excludes zero."}, "image": {"alt": "Differences between ways to predict the shares of listeners, with intervals."}} tags=["hide-input"]
pairs = shares.pairs(compared, "spearman", "roc_auc", "pr_auc", "cross_entropy")
figures.forest(pairs[pairs["name"].isin(["spearman", "roc_auc"])], "Difference")

# %% tags=["hide-input"]
shares.pairs_table(pairs)

# %% [markdown]
# ## Beside the papers
#
# The claims of Mirable and SELAB that can be judged here, by the rules of [the verdicts](15_verdicts).

# %% tags=["hide-input"]
verdict_tables.beside(numbers(), "shares")

# %% [markdown]
# ## Registered predictions
#
# | prediction | outcome |
# | --- | --- |
# | 1 all beat the genre baseline in every measure; ROC-AUC within a range | held, but for the range: some ROC-AUC lie at its upper end or just above |
# | 2 shares gain a little in rank correlation, hardly in ROC-AUC | the means agree; inconclusive |
# | 3 long and short hardly differ | held on pretrained features |
# | 4 HPCP adds next to nothing | held on pretrained features: the mean is below zero |
# | 5 co-teaching and two networks hardly differ, and gain little on one | held |
# | 6 SSSL loses in rank correlation where it sharpens, and only there | held |
# | 7 correlation follows reliability; none passes its ceiling | held; as predicted joyful activation is best and amazement worst |
# | 8 networks from scratch lose | not run |
