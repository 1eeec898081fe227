"""Where the time of a run goes: stages as shares of wall time, and FLOP/s beside this machine's best."""

import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from mer_companion import folders
from mer_companion.runs import cross_validation, make_records
from mer_companion.runs.settings import Run
from mer_core import datasets, device, mixture
from mer_core.audio import decoding, features
from mer_core.segments import Segments
from mer_core.training import Learner

STAGES: dict[str, tuple[Callable, ...]] = {
    "read or make the data set": (datasets.load,),
    "decode and resample": (decoding.read,),
    "features": (features.frames_of,),
    "gather windows": (Segments.spectrograms,),
    "forward": (Learner.trunk, Learner.head),
    "backward and optimizer": (Learner.step,),
    "loss mixture": (mixture.fit, mixture.partition),
    "song stage and scores": (make_records.record_of_networks, make_records.record_of_tags),
}  # none calls another one's
STEPS, ROUNDS = 12, 5  # training steps that are looked into; of each ceiling the best of so many
PRODUCT = 2048  # rows and columns of the large matrix product
CONVOLUTION = (32, 128, 64, 64)  # windows, channels, height, width of the large 3 x 3 convolution


@contextmanager
def from_nothing() -> Iterator[None]:
    """An empty cache and no records, both deleted at the end: what was made before would hide its cost."""
    with tempfile.TemporaryDirectory() as folder, folders.apart(Path(folder)):
        yield


def shares_of_stages(call: Callable[[], object]) -> tuple[float, dict[str, float]]:
    """Seconds that a call takes in this thread, and each stage's share of them; the rest is ``other``."""
    profiler = cProfile.Profile()
    profiler.runcall(call)
    stats = pstats.Stats(profiler)
    cumulative = {key: row[3] for key, row in stats.stats.items()}
    seconds = {stage: [cumulative.get(_key(one), 0.0) for one in own] for stage, own in STAGES.items()}
    shares = {stage: sum(spent) / stats.total_tt for stage, spent in seconds.items()}
    return stats.total_tt, shares | {"other": 1 - sum(shares.values())}


def _key(function: Callable) -> tuple[str, int, str]:
    """How cProfile names a function."""
    code = getattr(function, "__wrapped__", function).__code__
    return code.co_filename, code.co_firstlineno, code.co_name


def convolutions_of(run: Run) -> dict[str, float]:
    """What convolutions take of a run's training steps: ``share`` of their time, ``flop_per_s`` meanwhile."""
    _, data = cross_validation.load_segments(run, device.best_device())
    learner = Learner(run.network, run.training, data, run.seed)
    learner.model.train()
    batch = torch.arange(min(run.training.batch_size, len(data)), device=data.device)

    def step() -> None:
        learner.step(learner.loss(learner.logits(data.spectrograms(batch)), data.label[batch]))

    step()
    with FlopCounterMode(display=False) as counter:
        step()
    flops = sum(n for name, n in counter.get_flop_counts()["Global"].items() if "conv" in str(name))
    on_gpu = data.device.type == "cuda"
    activity = ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU
    with _silent(), profile(activities=[activity]) as profiler:
        for _ in range(STEPS):
            step()
    clock = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    times = {row.key: getattr(row, clock) for row in profiler.key_averages()}
    microseconds = sum(time for name, time in times.items() if "conv" in name)
    return {"share": microseconds / sum(times.values()), "flop_per_s": STEPS * flops / (microseconds * 1e-6)}


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what torch's profiler itself writes, whenever it starts and stops, off the terminal."""
    before = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def ceilings(precision: str) -> dict[str, float]:
    """FLOP/s of a large matrix product, and of a large 3 x 3 convolution with its gradients."""
    here, n, channels, height, width = device.best_device(), *CONVOLUTION
    kind = {"device": here, "dtype": torch.bfloat16 if precision == device.BF16 else torch.float32}

    def four_dimensional(*shape: int) -> torch.Tensor:
        layout = device.memory_format_on(here)
        return torch.randn(shape, **kind).to(memory_format=layout).requires_grad_()

    a = torch.randn(PRODUCT, PRODUCT, **kind)
    images, kernels = four_dimensional(*CONVOLUTION), four_dimensional(channels, channels, 3, 3)

    def convolve() -> None:
        found = F.conv2d(images, kernels, padding=1)
        torch.autograd.grad(found, (images, kernels), torch.ones_like(found))

    return {
        "matrix product": 2 * PRODUCT**3 / _fastest(lambda: a @ a, here),
        "convolution": 3 * 2 * 9 * n * channels**2 * height * width / _fastest(convolve, here),
    }


def _fastest(call: Callable[[], object], here: torch.device) -> float:
    """The shortest time that a call takes, in seconds, after a first one."""

    def seconds() -> float:
        began = time.perf_counter()
        call()
        if here.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    return min([seconds() for _ in range(1 + ROUNDS)][1:])


def report(run: Run, seconds: float, shares: dict[str, float]) -> Iterator[str]:
    """Lines for a terminal: stages, and how well convolutions use the machine. Frames must be cached."""
    here = device.computes_with(device.best_device(), run.training.precision)
    threads = torch.get_num_threads()
    yield f"{seconds:.1f} s on {device.device_name()} ({', '.join(here.values())}, threads: {threads})"
    for stage, share in shares.items():
        yield f"  {stage:<24}{share:6.1%}"
    found, best = convolutions_of(run), ceilings(here["precision"])
    of_networks = found["share"] * (shares["forward"] + shares["backward and optimizer"])
    yield f"convolutions: {found['share']:.0%} of a training step, about {of_networks:.0%} of the wall time"
    yield f"  at {found['flop_per_s'] / 1e9:.0f} GFLOP/s: " + ", ".join(
        f"{found['flop_per_s'] / ceiling:.0%} of a large {name} here ({ceiling / 1e9:.0f} GFLOP/s)"
        for name, ceiling in best.items()
    )
