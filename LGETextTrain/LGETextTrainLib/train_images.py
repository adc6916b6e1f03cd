"""Training of the two image networks: the heart network, and the scar network started from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import losses, samples
from .network import UNet, heart_network, scar_network, scar_probabilities, start_from_heart
from .recipe import ImageStage

Log = Callable[[dict[str, object]], None]


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over 150 steps (or a tenth), then half a cosine down to 2 %."""
    warm = min(150, max(steps // 10, 1))
    return float(peak * min(1.0, (step + 1) / warm) * (0.49 * (1 + np.cos(np.pi * min(step / steps, 1.0))) + 0.02))


class Average:
    """Exponential moving average of a network's weights; what is kept in the end."""

    def __init__(self, network: nn.Module) -> None:
        self.state = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        keep = min(0.998, (1 + step) / (10 + step))
        for key, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].mul_(keep).add_(value, alpha=1 - keep)
            else:
                self.state[key].copy_(value)


def train_image_network(
    network: UNet, make: Callable[..., samples.Sample], loss_of: Callable[[Tensor, dict[str, Tensor]], tuple[Tensor, dict[str, float]]],
    *, steps: int, batch: int, peak: float, seed: int, checkpoint: Path, log: Log, workers: int = 1,
) -> dict[str, Tensor]:  # fmt: skip
    """Optimise one U-Net on endless virtual samples; resumes from its checkpoint; returns averaged weights."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average, optimiser, first = Average(network), torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=1e-3), 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        average.state, first = saved["average"], int(saved["step"])
    start = saved_at = time.monotonic()
    sums: dict[str, float] = {}
    stream = samples.batches(make, seed + first, batch, workers)
    for step in range(first, steps):
        data = {key: torch.from_numpy(value).to(device) for key, value in next(stream).items()}
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        network.train()
        with torch.autocast(device.type, torch.bfloat16):
            logits = network(data["image"].float().contiguous(memory_format=torch.channels_last))
        loss, terms = loss_of(logits, data)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update(network, step)
        for key, value in {"loss": float(loss.detach()), **terms}.items():
            sums[key] = sums.get(key, 0.0) + value
        if (step + 1) % 50 == 0:
            log(
                {
                    "stage": checkpoint.stem,
                    "step": step + 1,
                    "seconds": round(time.monotonic() - start, 1),
                    **{k: round(v / 50, 4) for k, v in sums.items()},
                }
            )
            sums = {}
        if time.monotonic() - saved_at > 120 or step + 1 == steps:
            _save(checkpoint, network, optimiser, average, step + 1)
            saved_at = time.monotonic()
    stream.close()
    return average.state


def _save(path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, average: Average, step: int) -> None:
    partial = path.with_suffix(".partial")
    torch.save(
        {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "average": average.state, "step": step},
        partial,
    )
    partial.replace(path)


def _dice(found: Tensor, true: Tensor) -> float:
    return float(2 * (found & true).sum() / ((found.sum() + true.sum()) + 1e-6))


def heart_terms(logits: Tensor, data: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Loss of the heart network and the Dice of each class."""
    target = data["heart"].long()
    found = logits.argmax(1)
    return losses.heart_loss(logits, target), {
        n: _dice(found == k, target == k) for k, n in ((1, "dice_cavity"), (2, "dice_myocardium"), (3, "dice_rv"))
    }


def scar_terms(logits: Tensor, data: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Loss of the scar network and the Dice of myocardium and scar."""
    labels = data["labels"].long()
    scar = (labels == 3) | (labels == 4)
    heart = torch.where(scar, 2, torch.where(labels == 5, 0, labels))
    loss = losses.scar_loss(logits, heart, scar.float(), (labels == 4).float())
    found = scar_probabilities(logits.detach())
    return loss, {"dice_myocardium": _dice(found[:, 1] > 0.5, heart == 2), "dice_scar": _dice(found[:, 2] > 0.5, scar)}


def train_heart(stage: ImageStage, seed: int, folder: Path, log: Log, workers: int = 1) -> dict[str, Tensor]:
    """First stage: find the heart anywhere in the frame."""
    torch.manual_seed(seed)
    return train_image_network(
        heart_network(), samples.heart_samples, heart_terms, steps=stage.steps, batch=stage.batch, peak=stage.peak, seed=seed,
        checkpoint=folder / "heart.pt", log=log, workers=workers,
    )  # fmt: skip


def train_scar(
    heart: dict[str, Tensor], stage: ImageStage, seed: int, folder: Path, log: Log, workers: int = 1
) -> dict[str, Tensor]:
    """Second stage: the same network, started from the first, looks for scar in the normalised frame."""
    torch.manual_seed(seed)
    network = scar_network()
    log({"stage": "scar", "tensors_from_heart": start_from_heart(network, heart)})
    return train_image_network(
        network, samples.scar_samples, scar_terms, steps=stage.steps, batch=stage.batch, peak=stage.peak, seed=seed + 1,
        checkpoint=folder / "scar.pt", log=log, workers=workers,
    )  # fmt: skip


def refine_scar(
    heart: dict[str, Tensor],
    scar: dict[str, Tensor],
    stage: ImageStage,
    seed: int,
    folder: Path,
    log: Log,
    workers: int = 1,
) -> dict[str, Tensor]:
    """Third stage: the scar network goes on, now mostly with the maps that the heart network gives it in use."""
    torch.manual_seed(seed)
    network = scar_network()
    network.load_state_dict({key: value.cpu() for key, value in scar.items()})
    return train_image_network(
        network, samples.SamplesSeenByHeart(heart), scar_terms, steps=stage.steps, batch=stage.batch, peak=stage.peak, seed=seed + 2,
        checkpoint=folder / "refined.pt", log=log, workers=workers,
    )  # fmt: skip
