"""VGG16 (Simonyan and Zisserman, ICLR 2015) on spectrograms, as in SSSL, and a slim one for small machines.

Every network here has two parts, called one after the other by ``forward``: a ``trunk`` without dropout, from
spectrograms to features, and a ``head`` with dropout, from features to one logit per emotion. R-Drop's second
pass repeats only the head.
"""

import torch
from torch import nn

CONVOLUTIONS_PER_BLOCK = (2, 2, 3, 3, 3)  # configuration D of the paper: 13 convolutions and 3 dense layers


def blocks(widths: tuple[int, ...], *, batch_norm: bool, round_up: bool) -> nn.Sequential:
    """Blocks of 3x3 convolutions, each ending in a 2x2 maximum, which rounds odd lengths up or down."""
    layers: list[nn.Module] = []
    channels = 1
    for width, depth in zip(widths, CONVOLUTIONS_PER_BLOCK, strict=True):
        for _ in range(depth):
            layers.append(nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=not batch_norm))
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            channels = width
        layers.append(nn.MaxPool2d(2, ceil_mode=round_up))
    return nn.Sequential(*layers)


class VGG16(nn.Module):
    """VGG16 with one input channel and `n_classes` outputs, otherwise the original (SSSL, section 3.1).

    (batch, 1, n_mels, n_frames) -> (batch, n_classes) logits, both axes at least 32 (five halvings).
    """

    def __init__(self, n_classes: int, dropout: float = 0.5):
        super().__init__()
        self.trunk = nn.Sequential(
            blocks((64, 128, 256, 512, 512), batch_norm=False, round_up=False),
            nn.AdaptiveAvgPool2d(7),  # the original's grid before the dense layers, whatever the window
            nn.Flatten(),  # (batch, 512 * 7 * 7)
        )
        hidden = []
        for n_in in (512 * 7 * 7, 4096):
            hidden += [nn.Linear(n_in, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.head = nn.Sequential(*hidden, nn.Linear(4096, n_classes))
        for layer in self.modules():  # as torchvision: without batch norm PyTorch's default does not train
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, spectrograms: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(spectrograms))


class VGGSlim(nn.Module):
    """VGG16 at a quarter of its width, with batch norm and a small head: 0.7 % of the parameters.

    (batch, 1, n_mels, n_frames) -> (batch, n_classes) logits, any n_mels and n_frames.
    """

    def __init__(self, n_classes: int, dropout: float = 0.5):
        super().__init__()
        self.trunk = nn.Sequential(
            blocks((16, 32, 64, 128, 128), batch_norm=True, round_up=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),  # (batch, 128)
        )
        hidden = [nn.Linear(128, 128), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.head = nn.Sequential(nn.Dropout(dropout), *hidden, nn.Linear(128, n_classes))

    def forward(self, spectrograms: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(spectrograms))
