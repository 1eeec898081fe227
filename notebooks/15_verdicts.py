# %% [markdown]
# # Verdicts on the papers' claims
#
# **Question.** Which claims of the three papers {cite}`sun2024,tan2021,pham2021` are supported, which contradicted, which inconclusive, and which cannot be tested here?
#
# **Answer.** SSSL's printed accuracies for quadrants and valence on 4Q are contradicted, those for arousal are inconclusive; that handling noisy labels helps is contradicted by the slim network
# (accuracy difference SSSL − inherited labels {interval}`segments_to_songs/self_learning/difference/emotion/mean_probability:+.3f`; not significant after Holm correction) and
# inconclusive with the setting nearest to the paper, VGG16 with its SVM ({interval}`paper_network/self_learning/difference/emotion/svm_in_sample:+.3f`). Of the claims of the two tagging papers our
# training runs support one, on HPCP (not significant after correction); most others need the audio of MTG-Jamendo.
#
# The table counts. *Re-scored*: published predictions, nothing trained. *Reproduction*: the paper's own data set, its method re-implemented, mostly with a smaller network and folds by
# artist. *Conceptual replication*: other music. The last column counts claims that are supported or contradicted with p below one in twenty after Holm correction over all claims tested by a p-value.

# %% tags=["parameters"]
preset = "smoke"  # nothing here trains: every preset judges the same records

# %% tags=["remove-cell"]
from mer_companion.analysis import claims, verdict_chart, verdict_tables
from mer_companion.book.numbers import numbers

# %% tags=["hide-input"]
known = numbers()
judged = verdict_tables.table(known)
verdict_tables.counted(judged)

# %% mystnb={"figure": {"name": "fig-verdicts", "caption": "Every claim of which our runs have a number: the printed value or difference (hollow diamond) beside ours with its 95 % confidence interval (by rule *above*: its tolerance), coloured by verdict. Differences are positive where claimed. Marks without an interval are re-scored predictions or compared with a fixed number."}, "image": {"alt": "Printed and own value of every claim, with intervals, coloured by verdict."}} tags=["hide-input"]
verdict_chart.verdicts(verdict_tables.drawn(judged, known))

# %% [markdown]
# ## SSSL
#
# *Ours* is a value, or a difference that is positive where claimed. *Detectable* is the smallest effect found with a power of four in five. With one run the interval
# covers the choice of artists only, not seed-to-seed variation, and is too narrow.

# %% tags=["hide-input"]
verdict_tables.of_paper(judged, "sssl")

# %% [markdown]
# ## Mirable
#
# Printed on MTG-Jamendo, ours on the mood words of 4Q ([more](17_mirable)).

# %% tags=["hide-input"]
verdict_tables.of_paper(judged, "mirable")

# %% [markdown]
# ## SELAB-HCMUS
#
# Likewise ([more](20_selab)).

# %% tags=["hide-input"]
verdict_tables.of_paper(judged, "selab")

# %% [markdown]
# ## On other collections
#
# Claims on long and short input, HPCP and co-teaching, judged again on [Emotify](29_emotify): verdict and effect. Long input is a minute there. The networks differ from the
# papers': a smaller one from scratch, and a dense layer on MusiCNN's features; co-teaching, claimed for ReXNet, is compared with two of these trained independently.
# p-values are corrected within each collection.

# %% tags=["hide-input"]
verdict_tables.by_collection(judged)

# %% [markdown]
# ## Rules
#
# Claims, rules and tolerances are data (`data/claims.yaml`); the verdicts are computed, from uncorrected intervals. Tolerances follow from numbers of songs and were fixed before the records that they judge, with
# the few exceptions that the file names, each with its reason. The four verdicts were introduced when the records were known; the former ones (reproduced, partly, not)
# did not separate contradicted from inconclusive claims.
#
# **Limits.** A contradicted accuracy means that our training does not reach it, not that the authors' did not. Values of SSSL use its SVM, fitted out of fold; differences between methods use the mean
# probability, which trains nothing further, and the table adds the SVM's. Differences judged by rule *above* have no paired interval, but a tolerance.
#
# **Cost and rerun.** A laptop, no audio: `mer book --notebook 15_verdicts`.

# %% tags=["hide-input"]
claims.explained("words")

# %% tags=["hide-input"]
claims.explained("evidence")

# %% tags=["hide-input"]
claims.explained("rules")
