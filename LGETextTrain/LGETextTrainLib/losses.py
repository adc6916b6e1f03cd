"""The loss terms, each by its name in the literature."""

from __future__ import annotations

import torch
from monai.losses.dice import DiceLoss
from torch import Tensor
from torch.nn import functional

# 1 - Dice over the whole batch, mean of the classes; for (N, C, H, W) probabilities and 0/1 targets.
soft_dice = DiceLoss(batch=True, smooth_nr=10.0, smooth_dr=10.0)
SEEN_PX = 12  # scar that a slice is to be called scarred for, and as many pixels of evidence as decide it


def heart_loss(logits: Tensor, target: Tensor, scar: Tensor) -> Tensor:
    """Cross-entropy plus Dice for (N, 4, H, W) logits and (N, H, W) class numbers.

    ``scar`` (N, H, W) 0/1: myocardium as bright as blood or fat, easily cut off the wall, counts twice.
    """
    weight = torch.tensor([0.6, 1.0, 1.7, 0.8], device=logits.device)
    one_hot = functional.one_hot(target, 4).permute(0, 3, 1, 2).float()
    logits = logits.float()
    each = functional.cross_entropy(logits, target, weight=weight, reduction="none") * (1 + scar)
    return each.sum() / (weight[target] * (1 + scar)).sum() + 0.7 * soft_dice(logits.softmax(1)[:, 1:], one_hot[:, 1:])


def small_lesion_weight(scar: Tensor) -> Tensor:
    """(N, 1, 1) weight of a slice's scar pixels, so that a lesion of 50 pixels is not drowned by one of 800."""
    area = scar.sum((1, 2), keepdim=True)
    return (200 / (area + 1)).sqrt().clamp(0.7, 3.0)


def slice_loss(joint: Tensor, scar: Tensor) -> Tensor:
    """Cross-entropy of whether a slice holds scar, told by its strongest evidence; joint, scar (N, H, W).

    Slices with less scar than ``SEEN_PX`` teach nothing. This is what keeps false flecks out of scar-free hearts: a pixel's
    loss hardly feels them.
    """
    area = scar.sum((1, 2))
    scarred = area >= SEEN_PX
    strongest = functional.avg_pool2d(joint[:, None], 3, 1, 1).flatten(1).topk(SEEN_PX, 1).values.mean(1)
    each = functional.binary_cross_entropy(strongest.clamp(1e-4, 1 - 1e-4), scarred.float(), reduction="none")
    told = (scarred | (area == 0)).float()
    return (each * told).sum() / told.sum().clamp(min=1)


def scar_loss(logits: Tensor, heart: Tensor, scar: Tensor, core: Tensor, layer: Tensor) -> Tensor:
    """(N, 12, H, W) logits; heart (N, H, W) classes 0-2, scar and its dark core (N, H, W) 0/1, layer (N, H, W) 0 = not known.

    Scar is a conditional sigmoid inside the true myocardium, plus Dice of the joint probability, plus what a slice's
    strongest evidence tells; scarred wall counts three and a half times as wall. The layer is a class (1-7,
    finding.LAYERS) inside the true scar.
    """
    logits = logits.float()
    weight = torch.tensor([0.7, 1.0, 1.35], device=logits.device)
    one_hot = functional.one_hot(heart, 3).permute(0, 3, 1, 2).float()
    probability = logits[:, :3].softmax(1)
    each = functional.cross_entropy(logits[:, :3], heart, weight=weight, reduction="none") * (1 + 2.5 * scar)
    loss = each.sum() / (weight[heart] * (1 + 2.5 * scar)).sum() + 0.5 * soft_dice(probability[:, 1:], one_hot[:, 1:])
    inside = (heart == 2).float() * (1 + scar * small_lesion_weight(scar))
    conditional = functional.binary_cross_entropy_with_logits(logits[:, 3], scar, reduction="none")
    loss = loss + (conditional * inside).sum() / (inside.sum() + 1)
    joint = probability[:, 2] * logits[:, 3].sigmoid()
    loss = loss + 0.7 * soft_dice(joint[:, None], scar[:, None]) + 0.35 * slice_loss(joint, scar)
    dark = functional.binary_cross_entropy_with_logits(logits[:, 4], core, reduction="none")
    loss = loss + 0.3 * (dark * scar).sum() / (scar.sum() + 1)
    known = (layer > 0).float() * small_lesion_weight(scar)
    named = functional.cross_entropy(logits[:, 5:], (layer - 1).clamp(min=0), reduction="none")
    return loss + 0.3 * (named * known).sum() / (known.sum() + 1)


def report_contrast(match: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE of CLIP for (B, B) study-report scores; ``same`` (B, B) is 1 where two reports say the same."""
    terms = [-(scores.log_softmax(1) + (1 - same) * -1e4).logsumexp(1) for scores in (match.float(), match.float().T)]
    return torch.stack([term.mean() for term in terms]).mean()
