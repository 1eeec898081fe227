import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mer_core import models
from mer_core.semi_supervised import (
    divergences,
    linear_ramp,
    mask,
    mixed_pairs,
    mixup,
    mixup_weights,
    r_drop,
    sharpen,
    soft_cross_entropy,
    strips,
    symmetric_kl,
)

QUARTER = torch.tensor([[0.25, 0.75]]).log()  # logits of two classes
ODDS_OF_3 = torch.tensor([[3.0, 3.0, 3.0]]).log()  # of three tags, each with probability 0.75


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


def test_losses_of_shares_have_their_hand_values():
    y, logs = torch.tensor([[0.7, 0.3]]), np.log([0.25, 0.75])
    assert soft_cross_entropy(QUARTER, y).item() == pytest.approx(-(0.7 * logs[0] + 0.3 * logs[1]))
    tags = torch.tensor([[0.7, 0.3, 0.7]])  # each predicted with 0.75
    by_tag = [share * logs[1] + (1 - share) * logs[0] for share in tags[0].tolist()]
    assert soft_cross_entropy(ODDS_OF_3, tags, tagged=True).item() == pytest.approx(-np.mean(by_tag))
    entropy = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    found = divergences(tags, ODDS_OF_3.sigmoid(), tagged=True).item()
    assert found == pytest.approx(-np.mean(by_tag) - entropy, rel=1e-5)
    y, f = torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.2, 0.3, 0.5]])
    assert divergences(y, f).item() == pytest.approx(0.3 * np.log(2.5))  # (0.5 - 0.2) log(0.5 / 0.2)


def test_tags_are_pairs_of_classes():
    share, logit = torch.tensor([[0.8]]), torch.tensor([[1.3]])
    assert sharpen(share, 0.5, tagged=True).item() == pytest.approx(0.9412, abs=1e-4)
    assert sharpen(torch.tensor([[0.6, 0.4, 0.9]]), 0, tagged=True).tolist() == [[1.0, 0.0, 1.0]]
    assert sharpen(torch.tensor([[0.6]]), 0, tagged=True).tolist() == [[1.0]]
    pair, other = torch.tensor([[0.0, 1.3]]), torch.tensor([[0.0, -0.4]])
    expected = symmetric_kl(pair, other)
    torch.testing.assert_close(symmetric_kl(logit, torch.tensor([[-0.4]]), tagged=True), expected)
    torch.testing.assert_close(soft_cross_entropy(logit, share, True),
                               soft_cross_entropy(pair, torch.tensor([[0.2, 0.8]])))  # fmt: skip


def test_pairs_are_mixed_alike_in_examples_and_labels():
    one_each = torch.eye(8)
    levels, targets = mixed_pairs(one_each, one_each, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(levels, targets)
    torch.testing.assert_close(levels.sum(dim=1), torch.ones(8))
    assert (levels.diagonal() >= 0.5).all() and ((levels > 0).sum(dim=1) == 2).sum() >= 5


def test_a_ramp_without_epochs_is_up_at_once():
    assert linear_ramp(0, 0) == linear_ramp(5, 1) == 1


def test_a_strip_is_uniform_in_length_and_place():
    drawn = strips(20_000, 10, 4.0, torch.Generator().manual_seed(0))
    edges = drawn.int().diff(dim=1, prepend=torch.zeros(20_000, 1, dtype=torch.int))
    assert ((edges == 1).sum(dim=1) <= 1).all() and drawn.sum(dim=1).max() == 4  # one piece
    assert drawn.sum(dim=1).float().mean().item() == pytest.approx(2, abs=0.05)
    share = drawn.float().mean(dim=0)[1:]  # at 1 to 9 of an axis from 0 to 10: alike from both ends
    torch.testing.assert_close(share, share.flip(0), atol=0.02, rtol=0)
    assert share[-1] > 0.05
    assert not strips(50, 10, 0.0, torch.Generator().manual_seed(0)).any()


def test_masked_are_a_strip_of_bands_and_one_of_time_at_the_mean_level():
    levels = torch.randn(500, 1, 12, 30, generator=torch.Generator().manual_seed(1))
    masked = mask(levels, 0.5, torch.Generator().manual_seed(0))
    changed = (masked != levels)[:, 0]
    bands, times = changed.all(dim=2), changed.all(dim=1)
    assert torch.equal(changed, bands[:, :, None] | times[:, None, :])
    assert bands.sum(dim=1).float().mean().item() == pytest.approx(3, abs=0.3)
    assert times.sum(dim=1).float().mean().item() == pytest.approx(7.5, abs=0.6)
    mean = levels.mean(dim=(2, 3), keepdim=True).expand_as(levels)
    torch.testing.assert_close(masked[:, 0][changed], mean[:, 0][changed])


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
