"""What an experiment is: a question, and the runs that answer it, written as changes of a preset's run."""

from dataclasses import dataclass, field, fields

from mer_companion.experiments.presets import SSSL
from mer_companion.runs.overrides import changed
from mer_companion.runs.settings import (
    Fusion,
    GroupMean,
    Named,
    NoiseMap,
    Ratings,
    Run,
    SongClassifier,
    Submission,
    TagEnsemble,
    Transfer,
)
from mer_core import UserError
from mer_core.audio.features import WindowFeatures
from mer_core.methods import METHODS, self_learning
from mer_core.models import heads


@dataclass(frozen=True)
class Experiment:
    """A question and the runs that answer it.

    ``variants`` maps a label to what it changes in the preset's run: ``{"method.temperature": 0.7}`` sets one
    field of one part, ``{"method": "elr"}`` takes another method, with the preset's warm-up where it has one.
    Those with ``sources`` are no networks but song-level baselines on these features; those with ``members``
    or ``tag_members`` join the predictions of other experiments' runs; those with ``ratings`` measure
    listeners' annotations, without audio; those with ``systems`` score published predictions; those with
    ``mean_of`` predict the mean of a group of songs.
    """

    question: str
    feeds: str
    variants: dict[str, dict]
    reference: str  # the run from which the others' differences are taken
    references: dict[str, str | tuple[str, ...]] = field(default_factory=dict)  # others, for some labels
    presets: tuple[str, ...] = tuple(SSSL)  # where the question makes sense
    seeds: tuple[int, ...] = (0,)  # at smoke the first only
    partitions: bool = False  # whether a seed also divides the songs into folds
    at_smoke: tuple[str, ...] = ()  # the labels that smoke makes; none named: all
    bases: dict[str, Run | NoiseMap | Transfer] = field(
        default_factory=lambda: SSSL
    )  # the runs that variants change, by preset

    def runs(self, preset: str) -> dict[str, Run | Named]:
        """The experiment's runs at a preset, by label.

        Raises
        ------
        UserError : the experiment has no runs at this preset
        """
        if preset not in self.presets:
            there = ", ".join(self.presets)
            raise UserError(f"this experiment has no runs at the preset {preset!r}; it has some at {there}.")
        base, smoke = self.bases[preset], preset == "smoke"
        labels = self.at_smoke if smoke and self.at_smoke else self.variants

        def own(changes: dict) -> dict:  # at smoke one fold, whatever a variant sets
            return changes | (
                {"folds.tested": base.folds.tested} if smoke and "folds.tested" in changes else {}
            )

        return {
            label: run_of(base, own(changes)) for label, changes in self.variants.items() if label in labels
        }

    def seeds_at(self, preset: str) -> tuple[int, ...]:
        return self.seeds[:1] if preset == "smoke" else self.seeds

    def set_by(self, seed: int) -> dict[str, int]:
        """The settings that a seed changes."""
        return {"seed": seed} | ({"folds.seed": seed} if self.partitions else {})

    @property
    def recorded_at(self) -> str:
        """The preset whose records the book shows: the paper's only where two cores do not suffice."""
        return "cpu" if "cpu" in self.presets else "paper"

    def references_of(self) -> dict[str, tuple[str, ...]]:
        """The labels that each label is compared with; none is compared with itself."""
        found = {label: self.references.get(label, self.reference) for label in self.variants}
        several = {label: (one,) if isinstance(one, str) else one for label, one in found.items()}
        return {label: tuple(r for r in others if r not in ("", label)) for label, others in several.items()}


def run_of(preset: Run, changes: dict) -> Run | Named:
    """A preset's run with these changes; or a run of another kind in its place."""
    if "ratings" in changes:
        return Ratings(dataset=changes["ratings"])
    if "systems" in changes:
        return Submission(systems=changes["systems"])
    if "mean_of" in changes:
        return changed(GroupMean(dataset=preset.dataset, folds=preset.folds), changes)
    if "tag_members" in changes:
        own = {{"tag_members": "members"}.get(name, name): value for name, value in changes.items()}
        return changed(TagEnsemble(dataset=preset.dataset), own)
    if "members" in changes:
        return changed(Fusion(dataset=preset.dataset, folds=preset.folds), changes)
    if "sources" in changes:
        same = {"dataset": preset.dataset, "features": preset.features, "folds": preset.folds}
        return changed(SongClassifier(**same), changes)
    return changed(preset, with_parts(preset, changes))


def with_parts(run: Run | Named, changes: dict) -> dict:
    """Changes in which a part that is only named has its settings: a method, or a front end.

    ``features: mel`` is the run's mel without HPCP; ``features: pretrained`` those of `WindowFeatures`,
    with a dense layer for a network where no other is named.
    """
    if not isinstance(run, Run):
        return changes
    found = dict(changes)
    if isinstance(name := changes.get("method"), str):
        found["method"] = settings_of(name, run.method)
    if changes.get("features") == "mel":
        found["features"] = run.features.mel
    if changes.get("features") == "pretrained":
        found = {"network": heads.Settings(), **found, "features": WindowFeatures()}
    return found


def settings_of(method: str, preset: self_learning.Settings) -> object:
    """Settings of a method, unlike its defaults only where they must agree with the preset's SSSL."""
    of = METHODS[method].Settings
    shared = [f.name for f in fields(of)] if issubclass(of, self_learning.Settings) else ["warmup_epochs"]
    return of(**{name: getattr(preset, name) for name in shared if name in {f.name for f in fields(of)}})
