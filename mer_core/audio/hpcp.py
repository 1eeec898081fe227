"""Harmonic pitch class profiles, as Essentia's ``hpcpgram`` computes them, written after its documentation.

All functions take a batch of clips as a torch tensor and run where that tensor lies, CPU or GPU.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch

NARROWEST_BAND_HZ = 200.0


@dataclass(frozen=True)
class HPCP:
    """Settings of harmonic pitch class profiles; the defaults are ``hpcpgram``'s, which Mirable used."""

    sample_rate: int = 44100  # Hz
    window_samples: int = 4096  # Blackman-Harris window of three terms, and length of the Fourier transform
    hop_samples: int = 2048
    size: int = 12  # pitch classes, a multiple of 12; the first is that of the reference
    reference_hz: float = 440.0
    low_hz: float = 100.0  # of spectral peaks
    high_hz: float = 4000.0
    threshold: float = 1e-5  # magnitude that a peak must exceed
    max_peaks: int = 100  # the lowest ones of a frame
    split_hz: float | None = 500.0  # two bands of equal say, below and above; None: one
    window_semitones: float = 1.0  # over which a peak spreads
    harmonics: int = 0  # each peak also counts for the notes whose 2nd, 3rd, ... harmonic it could be

    def __post_init__(self):
        if self.size < 12 or self.size % 12:
            raise ValueError(f"size is a multiple of 12, got {self.size}")
        edges = [self.low_hz, *([self.split_hz] if self.split_hz else []), self.high_hz]
        if any(above - below < NARROWEST_BAND_HZ for below, above in pairwise(edges)):
            raise ValueError(f"bands are at least {NARROWEST_BAND_HZ:g} Hz wide, got edges at {edges} Hz")
        if self.high_hz > self.sample_rate / 2:
            nyquist = f"half the sample rate ({self.sample_rate / 2:g} Hz)"
            raise ValueError(f"high_hz is at most {nyquist}, got {self.high_hz:g}")

    @property
    def bin_hz(self) -> float:
        return self.sample_rate / self.window_samples

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip, centred on every hop, the last one at or behind its end."""
        return -(-n_samples // self.hop_samples) + 1


def hpcp(samples: torch.Tensor, settings: HPCP) -> torch.Tensor:
    """Which pitch classes sound, whatever their octave and loudness: harmony.

    Spectral peaks p of magnitude a_p and frequency f_p, each spread over the nearest classes k:

        H[k] = sum_p a_p^2 cos^2(pi d(k, f_p) / w),   |d| <= w / 2,  d in semitones, octaves folded

    below and above ``split_hz`` on its own, each divided by its maximum; their sum divided by its maximum
    (Gomez 2006, as in Essentia). A frame without peaks stays zero.

    Parameters
    ----------
    samples : (n_clips, n_samples) float32 tensor; shorter clips padded with zeros at the end

    Returns
    -------
    (n_clips, settings.size, settings.n_frames(n_samples)) float32 tensor in [0, 1]
    """
    spectrum = magnitudes(samples, settings)
    frame, frequency, magnitude = spectral_peaks(spectrum.flatten(0, 1), settings)
    energy = magnitude.square() * (frequency >= settings.low_hz)
    bands = [energy]
    if settings.split_hz:
        low = frequency < settings.split_hz
        bands = [energy * low, energy * ~low]
    n = spectrum.shape[0] * spectrum.shape[1]
    profiles = (_unit_maximum(profile_of(frame, frequency, band, n, settings)) for band in bands)
    profile = _unit_maximum(sum(profiles))
    return profile.unflatten(0, spectrum.shape[:2]).transpose(1, 2)


def magnitudes(samples: torch.Tensor, settings: HPCP) -> torch.Tensor:
    """(n_clips, n_frames, n_bins) magnitudes to just above ``high_hz``; sinusoids peak at their amplitude."""
    n, hop = settings.window_samples, settings.hop_samples
    phase = 2 * torch.pi * torch.arange(n, device=samples.device) / (n - 1)
    window = 0.44959 - 0.49364 * phase.cos() + 0.05677 * (2 * phase).cos()
    padded = torch.nn.functional.pad(samples, (n // 2, n // 2 + -samples.shape[1] % hop))
    spectrum = torch.stft(padded, n, hop, window=window * 2 / window.sum(), center=False, return_complex=True)
    highest = min(int(settings.high_hz / settings.bin_hz) + 3, spectrum.shape[1] - 1)
    return spectrum[:, :highest].abs().transpose(1, 2)


def spectral_peaks(spectrum: torch.Tensor, settings: HPCP) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Frame, Hz and magnitude of the peaks of spectra (n_frames, n_bins), by parabolic interpolation.

    A plateau counts once, at its middle. The lowest allowed bin is a peak as it stands if the next one is
    lower. Only the first ``max_peaks`` of a frame, by frequency, are kept.
    """
    first = math.ceil(settings.low_hz / settings.bin_hz)
    bins = torch.arange(spectrum.shape[1], device=spectrum.device)
    left, right = torch.roll(spectrum, 1, dims=1), torch.roll(spectrum, -1, dims=1)
    rises, started = spectrum > left, bins.expand_as(spectrum)
    if bool((spectrum == left).any()):  # in digital silence, and hardly anywhere else
        # where a run of equals began
        started = torch.where((spectrum != left) | (bins <= first), bins, 0).cummax(dim=1).values
        rises = torch.gather(rises, 1, started)
    rises = rises & (started > first)
    falls = (spectrum > right) & (spectrum > settings.threshold) & (bins < spectrum.shape[1] - 1)
    frame, at = torch.nonzero(falls & (rises | ((bins == first) & (started == bins))), as_tuple=True)
    here, before, after, start = spectrum[frame, at], left[frame, at], right[frame, at], started[frame, at]
    curve = before - 2 * here + after
    interpolated = (start == at) & (at > first)
    offset = torch.where(interpolated, 0.5 * (before - after) / torch.where(curve == 0, 1.0, curve), 0.0)
    frequency = torch.where(interpolated, at + offset, (start + at) / 2) * settings.bin_hz
    in_band = frequency <= settings.high_hz
    order = torch.arange(len(frame), device=frame.device)
    rank = order - torch.searchsorted(frame, frame)  # in its frame, by frequency
    kept = in_band & (rank < settings.max_peaks)
    return frame[kept], frequency[kept], (here - 0.25 * (before - after) * offset)[kept]


def profile_of(
    frame: torch.Tensor, frequency: torch.Tensor, energy: torch.Tensor, n_frames: int, settings: HPCP
) -> torch.Tensor:
    """Energies of peaks gathered by frame and pitch class, (n_frames, size); all three (n_peaks,)."""
    per_semitone = settings.size / 12
    width = settings.window_semitones * per_semitone
    found = torch.zeros(n_frames * settings.size, device=energy.device)
    for semitones, strength in harmonic_series(settings.harmonics).items():
        note = settings.size * torch.log2(frequency / settings.reference_hz) - semitones * per_semitone
        lowest, highest = torch.ceil(note - width / 2), torch.floor(note + width / 2)
        for nearest in (lowest + step for step in range(int(width) + 1)):
            distance = (nearest - note) / per_semitone
            weight = torch.cos(torch.pi * distance / settings.window_semitones).square()
            weight = weight * (nearest <= highest) * strength**2
            found.index_add_(0, frame * settings.size + nearest.long() % settings.size, weight * energy)
    return found.view(n_frames, settings.size)


def harmonic_series(n_harmonics: int) -> dict[float, float]:
    """Semitones, within an octave, from a peak down to the notes it may be a harmonic of, and weights."""
    found: dict[float, float] = {}
    for n in range(1, n_harmonics + 2):
        semitones = round(12 * math.log2(n) % 12, 6) % 12
        found[semitones] = found.get(semitones, 0.0) + 1 / max(1.0, 0.5 * math.log2(n))
    return found


def _unit_maximum(profile: torch.Tensor) -> torch.Tensor:
    """Each frame divided by its maximum; silence stays silent."""
    highest = profile.amax(dim=1, keepdim=True)
    return profile / torch.where(highest > 0, highest, 1.0)
