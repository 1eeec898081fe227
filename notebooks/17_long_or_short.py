# %% [markdown]
# # Long or short?
#
# **Question.** Mirable {cite}`tan2021` finds that a network that hears short input finds moods better by PR-AUC, and one that hears long input by
# ROC-AUC. Does that hold on other music?
#
# The moods of 4Q: 54 words of AllMusic, artists divided among training, validation and test, three training runs. *Short* is 9 seconds,
# as printed; *long* is 25 seconds, nearly the whole clip, where the paper has three minutes. Both take as many steps in an epoch. The network is the
# paper's with fewer channels. Again: `mer run long_or_short --preset cpu`.
#
# **Answer.** The paper's claim is not tested by clips of half a minute. Of nine seconds and twenty-five, short is better in PR-AUC with mel alone; the intervals of
# the other three differences contain zero. With mel alone PR-AUC differs by {interval}`long_or_short/short_mel/difference/all tags/scores/pr_auc:+.3f` and ROC-AUC by
# {interval}`long_or_short/short_mel/difference/all tags/scores/roc_auc:+.3f`; with HPCP by {interval}`long_or_short/short_hpcp/difference/all tags/scores/pr_auc:+.3f` and
# {interval}`long_or_short/short_hpcp/difference/all tags/scores/roc_auc:+.3f`. That long input ranks better by ROC-AUC does not show in the paper's own table either, where mel is alone.
#
# Features of a network that was pretrained on more music: a dense layer on them differs from the recorded network with short input and HPCP by
# {interval}`tags_pretrained/long/difference/all tags/scores/pr_auc:+.3f` in PR-AUC and {interval}`tags_pretrained/long/difference/all tags/scores/roc_auc:+.3f` in ROC-AUC. On these
# features no further difference is distinguishable from zero: short less long is {interval}`tags_pretrained/short/difference/all tags/scores/pr_auc:+.3f` in PR-AUC, co-teaching adds
# {interval}`tags_pretrained/co_teaching/difference/all tags/scores/pr_auc:+.3f`, the network with HPCP {interval}`tags_pretrained/with_hpcp/difference/all tags/scores/pr_auc:+.3f`.
#
# **Limits.** Clips of half a minute: a mood that shows only over minutes cannot be found. Few songs: {result}`long_or_short/short_mel/n:d` in the test. The paper's long input lasts three minutes. The pretrained
# network's own tags include moods, and its training songs may include some of these.
#
# **To run it.** Any laptop shows the records and computes the last section at `smoke`. The records were made on a GPU; two cores and the
# audio of 4Q make them too, in more time. `preset` says what the last section computes.

# %% tags=["parameters"]
preset = "smoke"  # what is computed below: smoke, cpu or paper

# %% tags=["remove-cell"]
from mer_companion import experiments, results
from mer_companion.analysis import claims, figures, tag_tables
from mer_companion.book.numbers import numbers

# %% tags=["hide-input"]
recorded = experiments.recorded("long_or_short", "cpu")
compared = results.comparison("long_or_short", "cpu")
tag_tables.against(compared, recorded)

# %% mystnb={"figure": {"name": "fig-long-or-short", "caption": "PR-AUC and ROC-AUC of short input less those of long input, on the same songs; 95 % intervals over artists and training runs. Filled: the interval leaves zero out."}, "image": {"alt": "Differences between short and long input in two measures."}} tags=["hide-input"]
figures.forest(tag_tables.both_differences(compared), "Short less long")

# %% [markdown]
# ## With features of a pretrained network
#
# The same question, and HPCP and co-teaching beside it, on features of MusiCNN {cite}`pons2019`, trained on the Million Song Dataset and frozen: a dense layer of 256 units and an
# output for each mood learn from one window of three seconds (`short`) or from the mean over a clip of 25 seconds (`long`); in `co-teaching` two such heads with long input
# hand each other their easiest windows, with a forget rate of one in twenty, and are averaged. `mel + HPCP` is the recorded network with short input, `with hpcp` its
# weighted mean with `long`, the weight chosen on validation songs. Again: `mer run tags_pretrained --preset cpu`.

# %% tags=["hide-input"]
on_pretrained = experiments.recorded("tags_pretrained", "cpu")
pretrained = results.comparison("tags_pretrained", "cpu")
tag_tables.against(pretrained, on_pretrained)

# %% mystnb={"figure": {"name": "fig-tags-pretrained", "caption": "PR-AUC and ROC-AUC less those of the reference that the table names, on the same songs; 95 % intervals over artists and training runs. Filled: the interval leaves zero out."}, "image": {"alt": "Differences between heads on pretrained features, and from the recorded network with HPCP, in two measures."}} tags=["hide-input"]
figures.forest(tag_tables.both_differences(pretrained), "Difference from the reference")

# %% [markdown]
# ## Beside the paper
#
# Its own Table 1 contradicts the sentence on ROC-AUC where mel is alone: there, short input has the higher figure.

# %% tags=["hide-input"]
claims.beside(numbers(), "long_or_short")

# %% [markdown]
# ## What this machine computes

# %%
computed = experiments.execute("long_or_short", preset)
tag_tables.against(results.comparison("long_or_short", preset), computed)
