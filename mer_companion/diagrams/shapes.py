"""The shapes that a network really has: one forward pass, watched."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from mer_companion.runs.settings import Run
from mer_core.audio.features import frames_within

META, CPU = "meta", "cpu"  # tensors without values, which cost nothing; real ones, for what needs values

Shape = tuple[int, ...]  # without the batch


@dataclass(frozen=True)
class Output:
    """What a module was given and what it gave: its name in the network, its class, and both shapes."""

    name: str
    kind: str
    given: Shape
    shape: Shape


@dataclass(frozen=True)
class Observed:
    """A network's input, the outputs of its modules in the order of the pass, and its number of weights."""

    given: Shape
    outputs: list[Output]
    parameters: int

    def named(self, name: str) -> Output:
        """The output of one module."""
        return next(out for out in self.outputs if out.name == name)

    def of_kind(self, *kinds: str, within: str = "") -> list[Output]:
        """Outputs of modules of some classes, of the part whose name begins so."""
        return [out for out in self.outputs if out.kind in kinds and out.name.startswith(within)]


def observe(build: Callable[[], nn.Module], given: Shape, device: str = META) -> Observed:
    """Build a network and pass one example of this shape through it."""
    outputs = []

    def watch(name: str, module: nn.Module) -> None:
        def note(_, inputs, found) -> None:
            tensors = (inputs[0], found[0] if isinstance(found, tuple) else found)
            shapes = (tuple(t.shape[1:]) if torch.is_tensor(t) else () for t in tensors)
            outputs.append(Output(name, type(module).__name__, *shapes))

        module.register_forward_hook(note)

    with torch.device(device), torch.inference_mode():
        network = build().eval()
        for name, module in network.named_modules():
            watch(name, module)
        network(torch.zeros(1, *given))
    return Observed(given, outputs, sum(weight.numel() for weight in network.parameters()))


@cache
def of_run(run: Run, n_classes: int, device: str = META) -> Observed:
    """The network of a run, given one of its windows."""
    given = (1, run.features.n_values, frames_within(run.window_s, run.features))
    return observe(lambda: run.network.build(n_classes, run.features), given, device)
