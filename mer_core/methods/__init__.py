"""How segment labels are trusted: one file per method, each with its ``Settings`` and a ``train`` function.

``train(learner, segments, settings)`` leaves the trained network in the learner and figures of every epoch in its log.
"""

from mer_core.methods import inherit, self_learning

METHODS = {"inherit": inherit, "self_learning": self_learning}
