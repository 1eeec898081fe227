import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mer_core import models
from mer_core.semi_supervised import mixup, mixup_weights, r_drop, sharpen, soft_cross_entropy, symmetric_kl


@pytest.fixture
def predictions():
    return torch.rand(20, 4, generator=torch.Generator().manual_seed(0)).softmax(dim=1)


def test_sharpening_keeps_a_distribution_and_its_order(predictions):
    sharp = sharpen(predictions, 0.5)
    torch.testing.assert_close(sharp.sum(dim=1), torch.ones(20))
    assert torch.equal(sharp.argsort(dim=1), predictions.argsort(dim=1))
    assert torch.all(sharp.amax(dim=1) >= predictions.amax(dim=1))


def test_temperature_one_changes_nothing_and_zero_decides(predictions):
    torch.testing.assert_close(sharpen(predictions, 1.0), predictions)
    torch.testing.assert_close(sharpen(predictions, 1e-4), F.one_hot(predictions.argmax(dim=1), 4).float())


def test_the_exponent_as_printed_would_reverse_the_emotions():
    p = torch.tensor([[0.7, 0.2, 0.1]])
    as_printed = p ** (-1 / 0.5) / (p ** (-1 / 0.5)).sum()
    assert as_printed.argmax() == p.argmin() and sharpen(p, 0.5).argmax() == p.argmax()


def test_mixing_weights_are_beta_folded_to_the_upper_half():
    weights = mixup_weights(40_000, 1.0, torch.Generator().manual_seed(0))
    assert weights.min() >= 0.5 and weights.max() <= 1
    assert weights.mean().item() == pytest.approx(0.75, abs=0.005)  # max(u, 1 - u) of a uniform u
    sharp = mixup_weights(40_000, 0.1, torch.Generator().manual_seed(0))
    assert sharp.mean() > 0.9  # small alpha: nearly one partner only


def test_mixture_of_labels_is_linear():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    torch.testing.assert_close(mixup(a, b, torch.tensor([0.8])), torch.tensor([[0.8, 0.2]]))


def test_loss_of_a_mixture_is_the_mixture_of_losses(predictions):
    logits = predictions.log()
    first, second = F.one_hot(torch.arange(20) % 4, 4).float(), F.one_hot(torch.arange(20) % 3, 4).float()
    weight = torch.full((20,), 0.7)
    blended = soft_cross_entropy(logits, mixup(first, second, weight))
    apart = 0.7 * F.cross_entropy(logits, torch.arange(20) % 4) + 0.3 * F.cross_entropy(
        logits, torch.arange(20) % 3
    )
    torch.testing.assert_close(blended, apart)


def test_symmetric_kl_by_hand():
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    by_hand = 0.5 * (np.sum(p * np.log(p / q)) + np.sum(q * np.log(q / p)))
    found = symmetric_kl(torch.tensor(np.log([p])), torch.tensor(np.log([q])))
    assert found.item() == pytest.approx(by_hand)


def test_r_drop_counts_only_the_noisy_set(predictions):
    one, two = predictions.log(), predictions.flip(0).log()
    nobody, everybody = torch.zeros(20, dtype=torch.bool), torch.ones(20, dtype=torch.bool)
    assert r_drop(one, two, nobody) == 0 and r_drop(one, one, everybody) == 0
    some = nobody.clone()
    some[:5] = True
    torch.testing.assert_close(r_drop(one, two, some), symmetric_kl(one, two)[:5].sum() / 20)


@pytest.mark.parametrize("architecture", ["vgg_slim", "vgg16"])
def test_one_trunk_and_two_heads_equal_two_full_passes(architecture):
    """Under the same dropout masks: same value, same gradient. Only the head drops, so the trunk's second
    pass is the first.
    """
    torch.manual_seed(0)
    net = models.Network(architecture).build(4).double()  # exact enough to tell rounding from a difference
    levels, noisy = torch.randn(6, 1, 32, 32).double(), torch.tensor([1, 1, 0, 1, 0, 1], dtype=torch.bool)

    def masked(seed, call, x):
        torch.manual_seed(seed)
        return call(x)

    features = net.trunk(levels)
    shared = r_drop(masked(1, net.head, features), masked(2, net.head, features), noisy)
    full = r_drop(masked(1, net, levels), masked(2, net, levels), noisy)
    assert shared.item() > 0
    torch.testing.assert_close(shared, full)
    weights = list(net.parameters())
    for a, b in zip(torch.autograd.grad(shared, weights), torch.autograd.grad(full, weights), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
