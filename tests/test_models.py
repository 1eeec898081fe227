import pytest
import torch
from torch.nn import functional as F

from mer_core import models
from mer_core.models import Network, build

TORCHVISION_VGG16 = 138_357_544  # parameters of the published network: 3 input channels, 1,000 outputs


def n_parameters(net):
    return sum(p.numel() for p in net.parameters())


def test_vgg16_differs_from_the_original_only_at_its_ends():
    with torch.device("meta"):
        net = build(Network("vgg16"), 4)
    one_channel_less = 2 * 64 * 3 * 3
    fewer_outputs = (4096 + 1) * (1000 - 4)
    assert n_parameters(net) == TORCHVISION_VGG16 - one_channel_less - fewer_outputs
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    dense = [m for m in net.modules() if isinstance(m, torch.nn.Linear)]
    assert (len(convolutions), len(dense)) == (13, 3)


def test_vgg_slim_is_a_small_fraction_of_vgg16():
    with torch.device("meta"):
        slim, full = (n_parameters(build(Network(name), 4)) for name in ("vgg_slim", "vgg16"))
    assert 0.003 < slim / full < 0.01


@pytest.mark.parametrize("shape", [(128, 129), (64, 33), (64, 11), (128, 43)])
def test_one_logit_per_emotion_for_any_window(shape):
    assert build(Network("vgg_slim"), 4)(torch.randn(2, 1, *shape)).shape == (2, 4)


@pytest.mark.parametrize("architecture", models.ARCHITECTURES)
def test_a_few_steps_lower_the_loss(architecture):
    torch.manual_seed(0)
    net = build(Network(architecture, dropout=0.0), 4).train()
    levels, labels = torch.randn(8, 1, 32, 32), torch.arange(8) % 4
    optimizer = torch.optim.Adam(net.parameters(), 1e-4 if architecture == "vgg16" else 3e-3)
    losses = []
    for _ in range(6):
        loss = F.cross_entropy(net(levels), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_only_the_head_drops():
    net = build(Network("vgg_slim"), 4)
    for m in net.trunk.modules():
        assert not isinstance(m, torch.nn.Dropout)
    assert sum(isinstance(m, torch.nn.Dropout) for m in net.head.modules()) == 2


def test_an_unknown_architecture_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="vgg16, vgg_slim"):
        Network("vgg19")
