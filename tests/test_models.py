from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from mer_core import UserError, models
from mer_core.audio.features import LogMel, MelAndHPCP
from mer_core.audio.hpcp import HPCP
from mer_core.models import Network, backbones, crnn

TORCHVISION_VGG16 = 138_357_544  # parameters of the published network: 3 input channels, 1,000 outputs


def n_parameters(net):
    return sum(p.numel() for p in net.parameters())


def test_vgg16_differs_from_the_original_only_at_its_ends():
    with torch.device("meta"):
        net = Network("vgg16").build(4)
    one_channel_less = 2 * 64 * 3 * 3
    fewer_outputs = (4096 + 1) * (1000 - 4)
    assert n_parameters(net) == TORCHVISION_VGG16 - one_channel_less - fewer_outputs
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    dense = [m for m in net.modules() if isinstance(m, torch.nn.Linear)]
    assert (len(convolutions), len(dense)) == (13, 3)


def test_vgg_slim_is_a_small_fraction_of_vgg16():
    with torch.device("meta"):
        slim, full = (n_parameters(Network(name).build(4)) for name in ("vgg_slim", "vgg16"))
    assert 0.003 < slim / full < 0.01


@pytest.mark.parametrize("shape", [(128, 129), (64, 33), (64, 11), (128, 43)])
def test_one_logit_per_emotion_for_any_window(shape):
    assert Network("vgg_slim").build(4)(torch.randn(2, 1, *shape)).shape == (2, 4)


@pytest.mark.parametrize("architecture", models.ARCHITECTURES)
def test_a_few_steps_lower_the_loss(architecture):
    torch.manual_seed(0)
    net = Network(architecture, dropout=0.0).build(4).train()
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
    net = Network("vgg_slim").build(4)
    for m in net.trunk.modules():
        assert not isinstance(m, torch.nn.Dropout)
    assert sum(isinstance(m, torch.nn.Dropout) for m in net.head.modules()) == 2


def test_an_unknown_architecture_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="vgg16, vgg_slim"):
        Network("vgg19")


MEL = LogMel(n_mels=20, pool_frames=2)
BOTH = MelAndHPCP(
    LogMel(n_mels=20, pool_frames=2), HPCP(sample_rate=22050, window_samples=2048, hop_samples=512)
)


@pytest.mark.parametrize("features", [MEL, BOTH])
def test_crnn_gives_a_logit_per_tag_for_any_window(features):
    net = crnn.Settings(width=4, branch=8).build(7, features)
    assert len(net.branches) == (1 if features is MEL else 2)
    for n_frames in (9, 40):
        assert net(torch.randn(3, 1, features.n_values, n_frames)).shape == (3, 7)


def test_stored_steps_come_out_in_their_order():
    """Two mel steps and four HPCP steps of a frame follow one another in time."""
    levels, profile = torch.randn(1, 20, 6), torch.rand(1, 12, 12)
    both = MelAndHPCP(LogMel(n_mels=20), HPCP(sample_rate=22050, window_samples=2048, hop_samples=256))
    assert (both.mel_steps, both.hpcp_steps) == (1, 2)
    stored = torch.cat(
        [levels.transpose(1, 2), profile.transpose(1, 2).reshape(1, 6, 24)], dim=2
    )  # (1, frames, values)
    mel, hpcp = crnn.inputs_of_branches(stored.transpose(1, 2).unsqueeze(1), both)
    torch.testing.assert_close(mel[0, 0], levels[0])
    torch.testing.assert_close(hpcp[0, 0], profile[0])


def test_generalised_mean_lies_between_average_and_maximum():
    cell = torch.tensor([[[[0.1, 0.2], [0.3, 1.0]]]])
    means = [float(crnn.GeM(power)(cell).detach()) for power in (1.0, 3.0, 60.0)]
    assert means[0] == pytest.approx(0.4) and means[0] < means[1] < means[2] == pytest.approx(1.0, abs=0.03)


def test_the_released_student_has_no_way_around_its_blocks():
    quiet = crnn.Settings(width=4, branch=8, head_dropout=0.0)
    released, printed = (replace(quiet, plain_blocks=plain).build(3, MEL).eval() for plain in (True, False))
    x = torch.randn(2, 1, 20, 12)
    for net, depends in ((released, False), (printed, True)):
        before = net(x)
        with torch.no_grad():
            for branch in net.branches:
                for block in branch.blocks:
                    block.shortcut.weight.zero_()
        assert torch.allclose(before, net(x)) != depends


def test_blocks_are_bypassed_in_training_only():
    torch.manual_seed(0)
    net = crnn.Settings(width=4, branch=8, head_dropout=0.0, stochastic_depth=0.5).build(3, MEL)
    x = torch.randn(2, 1, 20, 12)
    net.eval()
    torch.testing.assert_close(net(x), net(x))
    net.train()
    assert len({round(net(x).sum().item(), 4) for _ in range(8)}) > 1
    with pytest.raises(ValueError, match="stochastic_depth is a probability"):
        crnn.Settings(stochastic_depth=1.0)


@pytest.mark.parametrize("name", ["efficientnet_b0", "rexnet_100", "mixnet_s", "resnet18", "regnety_004"])
def test_image_networks_hear_one_channel(name):
    net = backbones.Settings(name).build(5, MEL).eval()
    assert net(torch.randn(2, 1, 64, 96)).shape == (2, 5)


def test_weights_of_three_colours_are_summed_to_one_channel(tmp_path):
    colour = backbones.imported_timm().create_model("resnet18")
    torch.save(colour.state_dict(), tmp_path / "resnet18.pth")
    net = backbones.Settings("resnet18", weights=str(tmp_path / "resnet18.pth")).build(3, MEL)
    torch.testing.assert_close(net.trunk.conv1.weight, colour.conv1.weight.sum(dim=1, keepdim=True))
    grey = torch.rand(2, 1, 64, 64)
    net.eval(), colour.eval()
    torch.testing.assert_close(
        net.trunk(grey),
        colour.forward_head(colour.forward_features(grey.expand(-1, 3, -1, -1)), pre_logits=True),
    )
    with pytest.raises(UserError, match="Is it the same network"):
        backbones.Settings("mixnet_s", weights=str(tmp_path / "resnet18.pth")).build(3, MEL)
    with pytest.raises(UserError, match="timm has no network"):
        backbones.Settings("resnet19").build(3, MEL)
