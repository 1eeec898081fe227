"""MusiCNN: a convolutional network pretrained on music tags (Pons and Serra, arXiv 1909.06654, 2019).

Written anew after the paper and its release (``musicnn`` 0.1.0, ISC licence: LICENSES/musicnn-ISC.txt), whose
weights `musicnn_weights` takes over. The front end has wide filters for timbre and long ones for rhythm, the
mid-end residual convolutions over time, the back end two dense layers behind maximum and mean over time (Pons
et al., "End-to-end learning for music audio tagging at scale", ISMIR 2018). T below: frames, 62.5 a second.

Its input is levels in dB, as the frame store keeps them; it compresses them itself.
"""

import torch
from torch import nn
from torch.nn import functional as F

from mer_core.audio.features import MUSICNN_LAYERS, MUSICNN_MEL

FEATURES = MUSICNN_MEL
WINDOW_FRAMES = 187  # of the windows that it was trained on
WINDOW_S = WINDOW_FRAMES / FEATURES.frames_per_second  # 2.992 s, in the release 3 s

TIMBRAL_CHANNELS, TIMBRAL_FRAMES = 204, 7
TIMBRAL_BANDS = (38, 67)  # 0.4 and 0.7 of all: filters that may slide over pitch
TEMPORAL_CHANNELS = 51
TEMPORAL_FRAMES = (128, 64, 32)  # up to 2 s, of one band each
FRONT_CHANNELS = len(TIMBRAL_BANDS) * TIMBRAL_CHANNELS + len(TEMPORAL_FRAMES) * TEMPORAL_CHANNELS  # 561
MIDDLE_CHANNELS, MIDDLE_FRAMES, MIDDLE_LAYERS = 64, 7, 3
REACH = max(TEMPORAL_FRAMES) // 2 + MIDDLE_LAYERS * (
    MIDDLE_FRAMES // 2
)  # frames around one that it depends on
CHANNELS = FRONT_CHANNELS + MIDDLE_LAYERS * MIDDLE_CHANNELS  # 753
PENULTIMATE, N_TAGS = MUSICNN_LAYERS["penultimate"], MUSICNN_LAYERS["tags"]
N_FEATURES = sum(MUSICNN_LAYERS.values())  # 1756
NORM_EPS = 1e-3  # TensorFlow's; torch's 1e-5 moves logits by 0.7
DROPOUT = 0.5  # before either dense layer
FRAMES_AT_ONCE = 256  # of a whole clip: what comes out stays in a processor's cache, which is twice as fast


def compressed(levels: torch.Tensor) -> torch.Tensor:
    """Levels in dB as MusiCNN was trained on them: log10(10,000 p + 1), p = 10^(level / 10), in float32."""
    return torch.log10(1 + 10 ** (4 + levels.float() / 10))


class BatchNorm(nn.Module):
    """Batch norm of (n, channels, ...) that keeps mean and variance of pretraining in fine-tuning, too."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=NORM_EPS)


class Branch(nn.Module):
    """One branch of the front end: convolution, ReLU, batch norm, maximum over frequency.

    (n, 1, 96, T) -> (n, channels, T), with as much silence before and behind as the filter needs.
    """

    def __init__(self, channels: int, bands: int, frames: int):
        super().__init__()
        self.before, self.after = (frames - 1) // 2, frames // 2  # an even filter reaches further ahead
        self.convolution = nn.Conv2d(1, channels, (bands, frames))
        self.norm = BatchNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.within(F.pad(x, (self.before, self.after)))

    def within(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, 96, before + T + after) -> (n, channels, T).

        ReLU and batch norm are monotone: their maximum is what becomes of the highest value, or of the lowest
        where the scale is negative. That takes half the time of applying both everywhere.
        """
        found = self.convolution(x)
        # two passes: on CPUs a tenth of the time that `aminmax` takes
        lowest, highest = found.amin(dim=2), found.amax(dim=2)
        return self.norm(F.relu(torch.where(self.norm.weight[:, None] < 0, lowest, highest)))

    def of_clip(self, x: torch.Tensor) -> torch.Tensor:
        """What `forward` gives, some frames at a time: (1, 1, 96, T) -> (1, channels, T)."""
        padded, reach = F.pad(x, (self.before, self.after)), self.before + self.after
        places = range(0, x.shape[3], FRAMES_AT_ONCE)
        return torch.cat([self.within(padded[..., t : t + FRAMES_AT_ONCE + reach]) for t in places], dim=2)


class MidEnd(nn.Module):
    """Three convolutions over time, two of them residual, densely connected: (n, 561, T) -> (n, 753, T)."""

    def __init__(self):
        super().__init__()
        widths = [FRONT_CHANNELS] + (MIDDLE_LAYERS - 1) * [MIDDLE_CHANNELS]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, MIDDLE_CHANNELS, MIDDLE_FRAMES, padding=MIDDLE_FRAMES // 2) for width in widths
        )
        self.norms = nn.ModuleList(BatchNorm(MIDDLE_CHANNELS) for _ in widths)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = [x]
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            new = norm(F.relu(convolution(found[-1])))
            found.append(new + found[-1] if i else new)
        return torch.cat(found, dim=1)


class MusiCNN(nn.Module):
    """(n, 1, 96, T) levels in dB -> (n, n_classes) logits, any T; a tag's probability is the logit's sigmoid.

    ``trunk`` ends in the pooled maps, ``head`` is the dense layers of the back end.
    """

    takes_decibels = True  # levels as they are: standardised bands would be another input

    def __init__(self, n_classes: int = N_TAGS):
        super().__init__()
        self.norm = BatchNorm(1)
        self.timbral = nn.ModuleList(Branch(TIMBRAL_CHANNELS, n, TIMBRAL_FRAMES) for n in TIMBRAL_BANDS)
        self.temporal = nn.ModuleList(Branch(TEMPORAL_CHANNELS, 1, n) for n in TEMPORAL_FRAMES)
        self.middle = MidEnd()
        self.head = nn.Sequential(
            BatchNorm(2 * CHANNELS), nn.Dropout(DROPOUT), nn.Linear(2 * CHANNELS, PENULTIMATE), nn.ReLU(),
            BatchNorm(PENULTIMATE), nn.Dropout(DROPOUT), nn.Linear(PENULTIMATE, n_classes),
        )  # fmt: skip

    def trunk(self, levels: torch.Tensor) -> torch.Tensor:
        """(n, 1, 96, T) levels in dB -> (n, 1506), maximum and mean over time of 753 maps (`pooled`)."""
        x = self.norm(compressed(levels))
        return self.trunk_of_maps(torch.cat([branch(x) for branch in self.branches], dim=1))

    def trunk_of_maps(self, maps: torch.Tensor) -> torch.Tensor:
        """The same behind the front end: (n, 561, T) of its maps -> (n, 1506)."""
        return pooled(self.middle(maps))

    def front_end_of_clip(self, levels: torch.Tensor) -> torch.Tensor:
        """The front end's maps of a whole clip: (96, T) levels in dB -> (1, 561, T)."""
        x = self.norm(compressed(levels)[None, None])
        return torch.cat([branch.of_clip(x) for branch in self.branches], dim=1)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(levels))

    @property
    def branches(self) -> list[Branch]:
        return [*self.timbral, *self.temporal]

    def features(self, levels: torch.Tensor, first: torch.Tensor, n_frames: int = WINDOW_FRAMES):
        """What it finds in windows of a clip, which is convolved once and then pooled over each window.

        Where windows overlap that takes half the time of answering each alone. Near its ends a window knows
        what comes before and after it, where one alone would know silence.

        Parameters
        ----------
        levels : (96, T) dB of the clip
        first : (n,) int tensor, frames at which windows begin
        n_frames : length of a window, at most T

        Returns
        -------
        (n, 1756) tensor: penultimate layer 200, logits 50, mean over time 753, maximum over time 753
        """
        maps = self.middle(self.front_end_of_clip(levels))
        return self.layers(maps[0].unfold(1, n_frames, 1)[:, first].transpose(0, 1))

    def layers(self, maps: torch.Tensor) -> torch.Tensor:
        """What is found in windows, (n, 1756), from their maps, (n, 753, n_frames)."""
        found = pooled(maps)
        penultimate = self.head[:-1](found)
        highest, mean = found.unflatten(1, (CHANNELS, 2)).unbind(2)
        return torch.cat([penultimate, self.head[-1](penultimate), mean, highest], dim=1)


def pooled(found: torch.Tensor) -> torch.Tensor:
    """Maximum and mean over time, (n, channels, T) -> (n, 2 * channels): first both of the first channel."""
    return torch.stack([found.amax(dim=2), found.mean(dim=2)], dim=2).flatten(1)
