"""The loss terms, each by its name in the literature."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def soft_dice(probability: Tensor, target: Tensor, smooth: float = 10.0) -> Tensor:
    """1 - Dice over the batch for (N, C, H, W) probabilities and 0/1 targets, mean of the classes."""
    axes = (0, 2, 3)
    overlap, total = (probability * target).sum(axes), (probability + target).sum(axes)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def heart_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus Dice for (N, 4, H, W) logits and (N, H, W) class numbers."""
    weight = torch.tensor([0.6, 1.0, 1.7, 0.8], device=logits.device)
    one_hot = functional.one_hot(target, 4).permute(0, 3, 1, 2).float()
    logits = logits.float()
    return functional.cross_entropy(logits, target, weight=weight) + 0.7 * soft_dice(logits.softmax(1)[:, 1:], one_hot[:, 1:])


def scar_loss(logits: Tensor, heart: Tensor, scar: Tensor, core: Tensor) -> Tensor:
    """(N, 5, H, W) logits; heart (N, H, W) classes 0-2, scar and its dark core (N, H, W) 0/1.

    Scar is a conditional sigmoid inside the true myocardium, plus Dice of the joint probability.
    """
    logits = logits.float()
    weight = torch.tensor([0.6, 1.0, 1.4], device=logits.device)
    one_hot = functional.one_hot(heart, 3).permute(0, 3, 1, 2).float()
    probability = logits[:, :3].softmax(1)
    loss = functional.cross_entropy(logits[:, :3], heart, weight=weight) + 0.5 * soft_dice(probability[:, 1:], one_hot[:, 1:])
    inside = (heart == 2).float() * (1 + scar)
    conditional = functional.binary_cross_entropy_with_logits(logits[:, 3], scar, reduction="none")
    loss = loss + (conditional * inside).sum() / (inside.sum() + 1)
    joint = probability[:, 2] * logits[:, 3].sigmoid()
    loss = loss + 0.7 * soft_dice(joint[:, None], scar[:, None])
    dark = functional.binary_cross_entropy_with_logits(logits[:, 4], core, reduction="none")
    return loss + 0.3 * (dark * scar).sum() / (scar.sum() + 1)
