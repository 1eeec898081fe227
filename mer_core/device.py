"""What this machine computes with: device, precision and memory format."""

import math
import os
import platform
from contextlib import contextmanager

import joblib
import torch

from mer_core import RequestError
from mer_core.processes import DEVICE

AUTO, BF16, FLOAT32 = "auto", "bf16", "float32"
PRECISIONS = (AUTO, BF16, FLOAT32)
FRAMES_LIMIT = "MER_FRAMES_GB"  # environment variable: larger frames are not copied to a GPU
FRAMES_SHARE = 0.5  # of a GPU's free memory; the rest is for networks and batches
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # environment variables
ONEDNN_LIMIT = "ONEDNN_MAX_CPU_ISA"  # environment variable by which oneDNN does without newer instructions
# those of its values that keep bf16
BF16_LIMITS = ("DEFAULT", "ALL", "AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512", "AVX512_CORE_AMX")


def cores() -> int:
    """Cores that this process may use: in a container, or bound to some cores, fewer than the machine has."""
    return joblib.cpu_count()


@contextmanager
def threads_of_children(n: int):
    """Give every process that is started meanwhile `n` threads for torch, BLAS and scikit-learn's OpenMP.

    Otherwise each would take all cores, and processes side by side would wait for each other.
    """
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    os.environ.update(dict.fromkeys(THREAD_LIMITS, str(n)))
    try:
        yield
    finally:
        restore(before)


def restore(environment: dict[str, str | None]) -> None:
    """Set environment variables back to what they were; None: there was none."""
    for name, value in environment.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def devices() -> list[str]:
    """The names of what PyTorch can compute on here."""
    n = torch.cuda.device_count()
    found = ["cpu", *(["cuda"] if n else []), *(f"cuda:{i}" for i in range(n))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def best_device() -> torch.device:
    """The GPU where there is one, which then looks for the fastest convolutions of the shapes it meets; else
    the CPU.

    ``$MER_DEVICE`` (cpu, cuda, cuda:1) decides otherwise.

    Raises
    ------
    RequestError : a device is requested that is not here
    """
    torch.backends.cudnn.benchmark = True
    wanted, here = os.environ.get(DEVICE, "auto"), devices()
    if wanted not in ("auto", *here):
        known = f"there are auto, {', '.join(here)}"
        raise RequestError(f"no device {wanted!r} here; {known}. GPUs need a build of PyTorch for them.")
    return torch.device("cuda" if "cuda" in here else "cpu") if wanted == "auto" else torch.device(wanted)


def gpus() -> list[str]:
    """The GPUs that jobs side by side are spread over: all, unless ``$MER_DEVICE`` names a device."""
    if os.environ.get(DEVICE, "auto") != "auto":
        return []
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())]


def device_name() -> str:
    device = best_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def has_native_bf16(device: torch.device) -> bool:
    """Whether bfloat16 products are instructions of this device, not emulated.

    On x86 that takes AVX-512 BF16 or AMX, and oneDNN must be free to use them: with plain AVX-512 or AVX2 it
    converts to float32 and back around every product, and a training step takes about ten times as long as in
    float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not onednn_has_bf16():
        return False
    if platform.machine() not in ("x86_64", "AMD64"):
        return True  # on ARM, oneDNN has asked the processor itself
    allowed = os.environ.get(ONEDNN_LIMIT, "DEFAULT").upper() in BF16_LIMITS
    return allowed and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def onednn_has_bf16() -> bool:
    """Whether oneDNN, which computes convolutions on CPUs, takes bfloat16 here, be it emulated."""
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


def precision_on(device: torch.device, wanted: str = AUTO) -> str:
    """The precision of convolutions and dense layers; AUTO: bf16 where the device has it, else float32."""
    if wanted != AUTO:
        return wanted
    return BF16 if has_native_bf16(device) else FLOAT32


def memory_format_on(device: torch.device) -> torch.memory_format:
    """Channels last on CPUs, where it is faster in either precision, and on CUDA's tensor cores."""
    return torch.channels_last if device.type in ("cpu", "cuda") else torch.contiguous_format


def is_asynchronous(device: torch.device) -> bool:
    """Whether the device computes behind the program, which waits as soon as it looks at a value there."""
    return device.type == "cuda"


def room_for_frames(device: torch.device) -> float:
    """Bytes of frames that are kept on a device; ``$MER_FRAMES_GB`` decides otherwise."""
    if chosen := os.environ.get(FRAMES_LIMIT):
        return float(chosen) * 1e9
    return torch.cuda.mem_get_info(device)[0] * FRAMES_SHARE if device.type == "cuda" else math.inf


def send(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Values of the CPU on the device; the program does not wait for them to arrive."""
    if is_asynchronous(device):
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def computes_with(device: torch.device, wanted: str = AUTO) -> dict[str, str]:
    """How networks are computed on a device, as records note it beside its name."""
    return {"precision": precision_on(device, wanted), "instruction_set": instruction_set(device)}


def instruction_set(device: torch.device) -> str:
    """What PyTorch's kernels use here: AVX512, AVX2, ... of a CPU; the compute capability of a GPU."""
    if device.type == "cuda":
        return "sm_{}{}".format(*torch.cuda.get_device_capability(device))
    return torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else device.type
