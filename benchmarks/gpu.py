"""Training on a GPU: does it agree with the CPU, and how near does it come to what the device can do?

    python -m benchmarks.gpu [--json FILE]

Random frames on the device and the project's own training steps (`steps.py`), plain and of SSSL with one
noisy label in eight. FLOPs are those that PyTorch counts in matrix products and convolutions, without
recurrent layers. Without a GPU, `--rehearse` takes every path on the CPU with small networks; its rates mean
nothing.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import islice, repeat
from pathlib import Path

import pandas as pd
import torch
from torch.nn import functional as F

from benchmarks.steps import CASES, METHODS, SLIM, VGG, Case, measured, per_second, steps
from mer_companion import provenance
from mer_core.device import BF16, FLOAT32, best_device, computes_with, device_name

COMPARED, TOLERANCE = 5, {FLOAT32: 1e-3, BF16: 5e-2}  # steps; greatest relative difference of their losses
TOGETHER_S, LIMIT_S = 2.5, 45  # side by side: how long all count; the longest of any
# numbers of processes side by side, modes of torch.compile, seconds until all processes count
SIDES = {"together": (4, 3, 2), "modes": ("default", "reduce-overhead"), "ready_s": 12}


def in_processes(pool, n: int, ready_s: float, case: Case) -> tuple[float, float]:
    """The same of `n` processes on one device, which count at the same time."""
    every = [(case, time.time() + ready_s, TOGETHER_S)] * n
    rates, flops = zip(*pool.starmap_async(measured, every, chunksize=1).get(LIMIT_S), strict=True)
    return sum(rates), flops[0]


def ceilings(device: torch.device, size: int) -> dict[str, float]:
    """FLOP/s in bf16 of a matrix product, size^3, and of 3 x 3 convolutions with size / 16 channels."""
    kind = {"device": device, "dtype": torch.bfloat16}
    a, b = torch.randn(2, size, size, **kind)
    x, kernels = (torch.randn(n, size // 16, m, m, **kind) for n, m in ((64, 64), (size // 16, 3)))
    x, kernels = (one.to(memory_format=torch.channels_last) for one in (x, kernels))
    endless = {
        "matrix product": (2 * size**3, (a @ b for _ in repeat(None))),
        "convolution": (18 * x.numel() * size // 16, (F.conv2d(x, kernels, padding=1) for _ in repeat(None))),
    }
    return {name: flops * per_second(work, device) for name, (flops, work) in endless.items()}


def agreement(device: torch.device, cases: list[Case], batch: int) -> list[dict]:
    """How far losses are from the CPU's in float32, without dropout, whose draws differ, and without TF32."""
    torch.backends.cudnn.allow_tf32, rows = False, []
    for case in cases:
        case = replace(case, network=replace(case.network, dropout=0.0), batch=batch, precision=FLOAT32)
        reference = torch.stack([*islice(steps(case, torch.device("cpu")), COMPARED)])
        for precision, limit in TOLERANCE.items():
            losses = torch.stack([*islice(steps(replace(case, precision=precision), device), COMPARED)])
            apart = float((losses.cpu() / reference - 1).abs().max())
            of = {"name": case.name, "method": case.method, "precision": precision, "tolerance": limit}
            rows.append(of | {"greatest_difference": apart, "agrees": apart <= limit})
    torch.backends.cudnn.allow_tf32 = True
    return rows


def calls(
    cases: tuple[Case, ...], together: tuple[int, ...], modes: tuple[str, ...], ready_s: float
) -> Iterator[tuple[Case, int, Callable]]:
    """(case, processes, function): every case; the first one also larger, side by side and compiled."""
    first, spawn = cases[0], multiprocessing.get_context("spawn")
    for case in cases:
        yield from ((replace(case, method=method), 1, measured) for method in METHODS)
    yield from ((replace(first, batch=batch), 1, measured) for batch in (128, 256, 512))
    with spawn.Pool(max(together)) as pool:  # leaving it ends what still runs
        for n in together:
            yield first, n, partial(in_processes, pool, n, ready_s if n == max(together) else ready_s / 3)
    for mode in modes:
        with spawn.Pool(1) as pool:
            yield replace(first, compiled=mode), 1, partial(in_processes, pool, 1, 0)


def row(case: Case, processes: int, call: Callable, ceiling: float, until: float) -> dict:
    """Windows and TFLOP a second, and their share of the matrix product's; or why there are none."""
    found = {"processes": processes, "windows_per_s": None, "tflops": None, "share": None, "note": ""}
    try:
        if time.time() > until:
            raise TimeoutError("the time was up")
        rate, flops = call(case)
    except Exception as error:
        found["note"] = f"not measured: {type(error).__name__} {error}".splitlines()[0]
    else:
        found |= {"windows_per_s": rate, "tflops": rate * flops / 1e12, "share": rate * flops / ceiling}
    return {name: value for name, value in asdict(case).items() if name != "network"} | found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write everything there too")
    parser.add_argument("--seconds", type=float, default=100, help="after these, nothing more is measured")
    parser.add_argument("--rehearse", action="store_true", help="small, and without a GPU")
    wanted, device, until = parser.parse_args(), best_device(), time.time()
    if device.type != "cuda" and not wanted.rehearse:
        print("There is no GPU here, so nothing is measured; --rehearse tries every step on the CPU.")
        return
    cases, compared, size, batch, how = CASES, [VGG, SLIM], 8192, 16, SIDES
    if wanted.rehearse:
        cases, compared, size = tuple(replace(case, batch=2) for case in CASES[2:5]), [SLIM], 256
        batch, how = 2, {"together": (2,), "modes": ("default",), "ready_s": 0}
        torch.set_num_threads(1)  # of a busy machine, where threads would wait for each other
    here = provenance.environment(device_name(), torch.get_num_threads()) | computes_with(device)
    made = {"environment": here, "code": provenance.code_state(), "ceilings": ceilings(device, size)}
    both = [replace(case, method=method) for case in compared for method in METHODS]
    made["agreement"] = agreement(device, both, batch)
    limits = made["ceilings"]["matrix product"], until + wanted.seconds
    made["rows"] = [row(*one, *limits) for one in calls(cases, **how)]
    for name in ("agreement", "rows"):
        table = pd.DataFrame(made[name])
        print(table.to_string(index=False, na_rep="not measured", float_format="{:.4g}".format))
    print({name: f"{rate / 1e12:.4g} TFLOP/s" for name, rate in made["ceilings"].items()}, here)
    if wanted.json:
        wanted.json.write_text(json.dumps(made, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
