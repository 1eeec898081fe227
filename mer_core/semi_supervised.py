"""The equations of semi-supervised learning as small tensor functions (SSSL, sections 2.1.3 and 2.1.4).

All take exclusive classes, or with ``tagged`` any number of tags. A tag is then a pair of classes, absent and
present, and what is a sum over classes for one label is a mean over tags.
"""

import torch
from torch.nn import functional as F

from mer_core.device import send


def distributions(probabilities: torch.Tensor, tagged: bool) -> torch.Tensor:
    """Probabilities that add up to 1 along the last axis: (n, n_classes), or of tags (n, n_tags, 2)."""
    return torch.stack([1 - probabilities, probabilities], dim=-1) if tagged else probabilities


def log_distributions(logits: torch.Tensor, tagged: bool) -> torch.Tensor:
    """The logarithms of a prediction's `distributions`, from its logits."""
    if tagged:
        return torch.stack([F.logsigmoid(-logits), F.logsigmoid(logits)], dim=-1)
    return F.log_softmax(logits, dim=1)


def of_windows(values: torch.Tensor) -> torch.Tensor:
    """(n,) values as they are; of tags the mean over (n, n_tags)."""
    return values if values.ndim == 1 else values.mean(dim=1)


def sharpen(probabilities: torch.Tensor, temperature: float, tagged: bool = False) -> torch.Tensor:
    """Make a prediction more decided: the likely emotion likelier, the others less so.

        S(p)_j = p_j^(1/T) / sum_k p_k^(1/T)                                       (Eq. 4, sign corrected)

    As printed, Eq. 4 has the exponent -k/T, which would reverse the order of the emotions. T = 1 changes
    nothing, T = 0 is the limit of a hard label.

    Parameters
    ----------
    probabilities : (n, n_classes) tensor, rows sum to 1; or of tags, each in [0, 1]
    temperature : T >= 0

    >>> sharpen(torch.tensor([[0.8, 0.2]]), temperature=0.5)
    tensor([[0.9412, 0.0588]])
    """
    p = distributions(probabilities, tagged)
    if temperature == 0:
        sharp = F.one_hot(p.argmax(dim=-1), p.shape[-1]).to(p)
    else:  # exp(log p / T), normalised: p^(1/T) without underflow
        sharp = p.clamp_min(1e-12).log().div(temperature).softmax(dim=-1)
    return sharp[..., 1] if tagged else sharp


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, tagged: bool = False) -> torch.Tensor:
    """Mean cross-entropy, -(1/n) sum_i sum_j y_ij log f_ij (Eq. 2; Eq. 7 with its minus sign restored)."""
    return -(distributions(targets, tagged) * log_distributions(logits, tagged)).sum(dim=-1).mean()


def divergences(targets: torch.Tensor, probabilities: torch.Tensor, tagged: bool = False) -> torch.Tensor:
    """(n,) losses of predictions above what soft labels themselves leave open: Kullback-Leibler divergences.

        KL(y || f) = sum_j y_j log y_j - sum_j y_j log f_j

    Of a hard label the first sum is 0, and this is the cross-entropy. Where listeners are divided the
    cross-entropy of the best prediction is their entropy: a mixture of cross-entropies would take division
    for a wrong label.

    >>> divergences(torch.tensor([[1.0, 0.0], [0.5, 0.5]]), torch.tensor([[0.5, 0.5], [0.5, 0.5]]))
    tensor([0.6931, 0.0000])
    """
    y, f = distributions(targets, tagged), distributions(probabilities, tagged).clamp_min(1e-12)
    return of_windows((torch.xlogy(y, y) - y * f.log()).sum(dim=-1))


def mixup_weights(n: int, alpha: float, generator: torch.Generator) -> torch.Tensor:
    """(n,) mixing weights max(delta, 1 - delta) with delta ~ Beta(alpha, alpha), drawn per pair.

    The maximum keeps the first partner dominant, so that a mixture still belongs to the set of its first
    partner. Partners are drawn symmetrically, hence it changes nothing in the distribution of mixtures.
    alpha = 0 is the limit of no mixing: weights 1.
    """
    if alpha == 0:
        return torch.ones(n)
    alphas = torch.full((n,), alpha)
    gammas = torch._standard_gamma(torch.stack([alphas, alphas]), generator=generator)
    delta = gammas[0] / gammas.sum(dim=0).clamp_min(1e-12)
    return torch.maximum(delta, 1 - delta)


def mixup(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Blend pairs of examples, or of labels: delta x_p + (1 - delta) x_q (Eq. 6), one weight per row."""
    weights = weights.to(first).view(-1, *[1] * (first.ndim - 1))
    return second.lerp(first, weights)


def mixed_pairs(
    levels: torch.Tensor, targets: torch.Tensor, alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch mixed with itself in another order: examples and soft labels blended by the same weights."""
    partner = send(torch.randperm(len(levels), generator=generator), levels.device)
    weights = send(mixup_weights(len(levels), alpha, generator), levels.device)
    return mixup(levels, levels[partner], weights), mixup(targets, targets[partner], weights)


def linear_ramp(epoch: int, ramp_epochs: int) -> float:
    """Share of a weight that rises over `ramp_epochs`, from 1 / ramp_epochs in epoch 0; 0 epochs: 1 at once.

    >>> [linear_ramp(epoch, ramp_epochs=2) for epoch in range(3)]
    [0.5, 1.0, 1.0]
    """
    return min(1.0, (epoch + 1) / max(ramp_epochs, 1))


def symmetric_kl(logits_1: torch.Tensor, logits_2: torch.Tensor, tagged: bool = False) -> torch.Tensor:
    """Disagreement of two dropout passes, per row: (KL(P1 || P2) + KL(P2 || P1)) / 2 (Eq. 8, the summand)."""
    log_1, log_2 = log_distributions(logits_1, tagged), log_distributions(logits_2, tagged)
    return of_windows(0.5 * ((log_1.exp() - log_2.exp()) * (log_1 - log_2)).sum(dim=-1))


def r_drop(
    logits_1: torch.Tensor, logits_2: torch.Tensor, noisy: torch.Tensor, tagged: bool = False
) -> torch.Tensor:
    """Disagreement of two passes over the noisy set (Eq. 8), as a mean over the batch.

    The paper sums over U; with a sum the weight lambda would depend on the batch size, with a mean over U on
    the size of U. Dividing by the batch avoids both: a batch without noisy rows costs nothing, a wholly noisy
    one costs the mean.
    """
    return (symmetric_kl(logits_1, logits_2, tagged) * noisy).mean()


def mask(levels: torch.Tensor, longest_share: float, generator: torch.Generator) -> torch.Tensor:
    """Mask a strip of bands and one of time in each window (SpecAugment, Park et al. 2019).

    A strip's length is uniform between 0 and `longest_share` of its axis; it is filled with the window's mean
    level.

    Parameters
    ----------
    levels : (n, 1, n_mels, n_frames) tensor in dB
    longest_share : in [0, 1)

    Returns
    -------
    a masked copy, same shape
    """
    n, _, *sizes = levels.shape
    bands, times = (send(strips(n, size, longest_share * size, generator), levels.device) for size in sizes)
    masked = bands[:, None, :, None] | times[:, None, None, :]
    return torch.where(masked, levels.mean(dim=(2, 3), keepdim=True), levels)


def strips(n: int, size: int, longest: float, generator: torch.Generator) -> torch.Tensor:
    """(n, size) bool: in each row a strip of uniform length, up to `longest`, at a uniform place."""
    length, start = torch.rand(2, n, 1, generator=generator)
    length = length * min(longest, size)
    start = start * (size - length)
    position = torch.arange(size)
    return (position >= start) & (position < start + length)
