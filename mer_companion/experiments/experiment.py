"""What an experiment is: a question, and the runs that answer it, written as changes of a preset's run."""

from dataclasses import dataclass, field, fields

from mer_companion.experiments.presets import SSSL
from mer_companion.runs.ensembles import Fusion
from mer_companion.runs.leaderboard import Submission
from mer_companion.runs.listener_ratings import Ratings
from mer_companion.runs.settings import Run, changed
from mer_companion.runs.song_classifiers import SongClassifier
from mer_companion.runs.tag_ensembles import TagEnsemble
from mer_core import UserError
from mer_core.methods import METHODS, self_learning


@dataclass(frozen=True)
class Experiment:
    """A question and the runs that answer it.

    ``variants`` maps a label to what it changes in the preset's run: ``{"method.temperature": 0.7}`` sets one
    field of one part, ``{"method": "elr"}`` takes another method, with the preset's warm-up where it has one.
    Those with ``sources`` are no networks but probes, song-level baselines on these features; those with
    ``members`` join the answers of other experiments' runs; those with ``ratings`` measure listeners'
    annotations and hear nothing; those with ``systems`` score published predictions."""

    question: str
    feeds: str
    variants: dict[str, dict]
    reference: str  # the run from which the others' differences are taken
    references: dict[str, str | tuple[str, ...]] = field(
        default_factory=dict
    )  # another one for some, or several
    presets: tuple[str, ...] = tuple(SSSL)  # where the question makes sense
    seeds: tuple[int, ...] = (0,)  # at smoke the first only
    at_smoke: tuple[str, ...] = ()  # the labels that smoke makes; none named: all
    bases: dict[str, Run] = field(default_factory=lambda: SSSL)  # the runs that variants change, by preset

    def runs(
        self, preset: str
    ) -> dict[str, Run | SongClassifier | Fusion | Ratings | Submission | TagEnsemble]:
        """The experiment's runs at a preset, by label.

        Raises
        ------
        UserError : the experiment has no runs at this preset
        """
        if preset not in self.presets:
            raise UserError(
                f"this experiment has no runs at the preset {preset!r}; it has some at {', '.join(self.presets)}."
            )
        labels = self.at_smoke if preset == "smoke" and self.at_smoke else self.variants
        base = self.bases[preset]
        fewer = (
            {"folds.tested": base.folds.tested} if preset == "smoke" else {}
        )  # one fold, whatever a variant asks for
        return {
            label: run_of(base, changes | (fewer if "folds.tested" in changes else {}))
            for label, changes in self.variants.items()
            if label in labels
        }

    def seeds_at(self, preset: str) -> tuple[int, ...]:
        return self.seeds[:1] if preset == "smoke" else self.seeds

    @property
    def recorded_at(self) -> str:
        """The preset whose records the book shows: that of two cores, or the paper's where only a GPU can
        bear it.
        """
        return "cpu" if "cpu" in self.presets else "paper"

    def references_of(self) -> dict[str, tuple[str, ...]]:
        """The labels that each label is compared with; none is compared with itself."""
        found = {label: self.references.get(label, self.reference) for label in self.variants}
        several = {label: (one,) if isinstance(one, str) else one for label, one in found.items()}
        return {
            label: tuple(one for one in others if one not in ("", label)) for label, others in several.items()
        }


def run_of(preset: Run, changes: dict) -> Run | SongClassifier | Fusion | Ratings | Submission | TagEnsemble:
    """A preset's run with these changes; or a probe, joined answers or listeners' ratings in its place."""
    if "ratings" in changes:
        return Ratings(dataset=changes["ratings"])
    if "tag_members" in changes:
        members = {"members": changes["tag_members"]} | {
            k: v for k, v in changes.items() if k != "tag_members"
        }
        return changed(TagEnsemble(dataset=preset.dataset), members)
    if "systems" in changes:
        return Submission(systems=changes["systems"])
    if "members" in changes:
        return changed(Fusion(dataset=preset.dataset, folds=preset.folds), changes)
    if "sources" in changes:
        return changed(
            SongClassifier(dataset=preset.dataset, features=preset.features, folds=preset.folds), changes
        )
    if changes.get("features") == "mel":
        changes = changes | {"features": preset.features.mel}
    if isinstance(changes.get("method"), str):
        changes = changes | {"method": settings_of(changes["method"], preset.method)}
    return changed(preset, changes)


def settings_of(method: str, preset: self_learning.Settings) -> object:
    """Settings of a method that differ from its defaults only where they must agree with the preset's SSSL."""
    of = METHODS[method].Settings
    shared = [f.name for f in fields(of)] if issubclass(of, self_learning.Settings) else ["warmup_epochs"]
    return of(**{name: getattr(preset, name) for name in shared if name in {f.name for f in fields(of)}})
