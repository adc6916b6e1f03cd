"""Training of the two image networks: the heart network, and the scar network started from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from . import losses, samples
from .cine_samples import CineScarSamples, Mixed
from .network import UNet, heart_network, scar_network, scar_probabilities, start_from_heart
from .optimise import Log, Loop, PartLoss, optimise
from .precision import mixed_precision
from .processes import ALONE, Processes
from .recipe import ImageStage
from .sample_stream import sample_source
from .samples import Make
from .varied import Varied

TermsOf = Callable[[Tensor, dict[str, Tensor]], tuple[Tensor, dict[str, float]]]


def image_loss(network: nn.Module, terms_of: TermsOf, device: torch.device) -> PartLoss:
    """Loss of a network on a batch of numpy samples, in mixed precision."""

    def loss_of(sample: samples.Sample) -> tuple[Tensor, dict[str, float]]:
        data = {key: torch.from_numpy(value).to(device) for key, value in sample.items()}
        with mixed_precision(device.type):
            logits = network(data["image"].float().contiguous(memory_format=torch.channels_last))
        return terms_of(logits, data)

    return loss_of


def on_device(network: UNet, device: torch.device) -> UNet:
    """The network where it trains, in the memory order that trains three times faster."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def train_image_network(
    network: UNet, make: Make, terms_of: TermsOf, stage: ImageStage, seed: int, checkpoint: Path, log: Log, workers: int,
    processes: Processes,
) -> dict[str, Tensor]:  # fmt: skip
    """Optimise one U-Net on endless virtual samples; resumes from its checkpoint; returns averaged weights."""
    network = on_device(network, processes.device)
    loop = Loop(checkpoint.stem, stage.steps, stage.peak, seed, stage.accumulate)
    source = sample_source(make, seed, stage.batch, processes.workers(workers))
    return optimise(
        network, source, image_loss(network, terms_of, processes.device), loop, checkpoint, log, processes=processes
    )


def _dice(found: Tensor, true: Tensor) -> float:
    return float(2 * (found & true).sum() / ((found.sum() + true.sum()) + 1e-6))


def heart_terms(logits: Tensor, data: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Loss of the heart network and the Dice of each class."""
    labels = data["labels"].long()
    scar = (labels == 3) | (labels == 4)
    target = torch.where(scar, 2, torch.where(labels == 5, 3, labels))
    found = logits.argmax(1)
    return losses.heart_loss(logits, target, scar.float()), {
        n: _dice(found == k, target == k) for k, n in ((1, "dice_cavity"), (2, "dice_myocardium"), (3, "dice_rv"))
    }


def scar_terms(logits: Tensor, data: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Loss of the scar network and the Dice of myocardium and scar."""
    labels = data["labels"].long()
    scar = (labels == 3) | (labels == 4)
    heart = torch.where(scar, 2, torch.where(labels == 5, 0, labels))
    layer = data["layer"].long() * scar
    loss = losses.scar_loss(logits, heart, scar.float(), (labels == 4).float(), layer)
    found = scar_probabilities(logits.detach())
    named = (found[:, 4:].argmax(1) + 1 == layer)[layer > 0]
    return loss, {
        "dice_myocardium": _dice(found[:, 1] > 0.5, heart == 2), "dice_scar": _dice(found[:, 2] > 0.5, scar),
        "layer": float(named.float().mean()) if len(named) else 0.0,
    }  # fmt: skip


def train_heart(
    stage: ImageStage, seed: int, folder: Path, log: Log, workers: int = 1, processes: Processes = ALONE
) -> dict[str, Tensor]:
    """First stage: find the heart anywhere in the frame."""
    torch.manual_seed(seed)
    return train_image_network(
        heart_network(), samples.heart_samples, heart_terms, stage, seed, folder / "heart.pt", log, workers, processes
    )


def train_scar(
    heart: dict[str, Tensor], stage: ImageStage, seed: int, folder: Path, log: Log, workers: int = 1,
    processes: Processes = ALONE,
) -> dict[str, Tensor]:  # fmt: skip
    """Second stage: the same network, started from the first, looks for scar in the normalised frame."""
    torch.manual_seed(seed)
    network = scar_network()
    copied = start_from_heart(network, heart)
    if processes.speaks:
        log({"stage": "scar", "tensors_from_heart": copied})
    return train_image_network(
        network, samples.scar_samples, scar_terms, stage, seed + 1, folder / "scar.pt", log, workers, processes
    )


def refine_scar(
    heart: dict[str, Tensor], scar: dict[str, Tensor], stage: ImageStage, seed: int, folder: Path, log: Log, workers: int = 1,
    processes: Processes = ALONE, cine: Path | None = None, share: float = 0.0,
) -> dict[str, Tensor]:  # fmt: skip
    """Third stage: the scar network goes on, now mostly with the maps that the heart network gives it in use, its first look,
    and every slice changed once more.

    With ``cine`` (cine_hearts.save_hearts), ``share`` of its samples are real hearts with painted scars.
    """
    torch.manual_seed(seed)
    network = scar_network()
    network.load_state_dict({key: value.cpu() for key, value in scar.items()})
    networks = samples.EarlierNetworks(heart, scar)
    make: Make = samples.SeenSamples(networks)
    if cine is not None:
        make = Mixed(make, CineScarSamples(cine, networks), share)
    return train_image_network(
        network, Varied(make), scar_terms, stage, seed + 2, folder / "refined.pt", log, workers, processes
    )
