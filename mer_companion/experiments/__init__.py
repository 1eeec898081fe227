"""The papers' runs as data: which question, which runs at which preset, what they feed."""

from mer_companion.experiments.run import EXPERIMENTS, compare, execute, jobs, record_of, recorded

__all__ = ["EXPERIMENTS", "compare", "execute", "jobs", "record_of", "recorded"]
