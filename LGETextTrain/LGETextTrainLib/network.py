"""The two image networks: one U-Net finds the heart, the same U-Net started from it looks for scar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from LGETextDetectLib.finding import LAYERS
from LGETextDetectLib.looks import FIRST_LOOK, OLDER_INPUTS, SCAR_INPUTS, look_twice
from LGETextDetectLib.model import SCAR_STEM
from LGETextDetectLib.unet import HeartGraph, ScarGraph, UNet, scar_probabilities
from torch import Tensor

from .precision import mixed_precision

ScarSight = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
HEART_WIDTHS = (8, 32, 64, 128, 160)  # narrow at full resolution, where batch normalisation costs most
SCAR_WIDTHS = (16, 32, 64, 128, 160)
HEART_INPUTS = 2  # global and local contrast
HEART_CLASSES = 4  # background, cavity, myocardium, RV
SCAR_OUTPUTS = 5 + len(LAYERS)  # background, cavity, myocardium; scar and no-reflow given myocardium; layer given scar
NETWORKS = {
    "heart": {"inputs": HEART_INPUTS, "outputs": HEART_CLASSES, "widths": list(HEART_WIDTHS)},
    "scar": {"inputs": SCAR_INPUTS, "outputs": SCAR_OUTPUTS, "widths": list(SCAR_WIDTHS)},
}

__all__ = [
    "SCAR_INPUTS",
    "HeartGraph",
    "ScarGraph",
    "UNet",
    "heart_network",
    "scar_network",
    "scar_probabilities",
    "start_from_heart",
    "trained_scar",
]


def heart_network() -> UNet:
    """A new heart network."""
    return UNet(HEART_INPUTS, HEART_CLASSES, HEART_WIDTHS)


def scar_network() -> UNet:
    """A new scar network; until a first look is shown to it in training, it has no weight."""
    network = UNet(SCAR_INPUTS, SCAR_OUTPUTS, SCAR_WIDTHS)
    with torch.no_grad():
        network.get_parameter(SCAR_STEM)[:, FIRST_LOOK] = 0
    return network


def one_look(state: Mapping[str, Tensor]) -> ScarSight:
    """The scar network on the CPU: numpy input (S, 18, 96, 96) -> maps (S, 11, 96, 96)."""
    network = scar_network()
    network.load_state_dict({key: value.cpu() for key, value in state.items()})
    graph = ScarGraph(network).eval()

    def see(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode(), mixed_precision("cpu"):
            return np.asarray(graph(torch.from_numpy(image)).float().numpy(), np.float32)

    return see


def trained_scar(state: Mapping[str, Tensor]) -> ScarSight:
    """The scar network as detection uses it: numpy input (S, 18, 96, 96) of a stack -> maps (S, 11, 96, 96) of two looks."""
    return partial(look_twice, one_look(state))


def shown_more(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a scar network of an older bundle as today's: what it was not shown has no weight."""
    first = state[SCAR_STEM]
    if first.shape[1] == SCAR_INPUTS:
        return state
    wider = torch.zeros(len(first), SCAR_INPUTS, *first.shape[2:])
    wider[:, OLDER_INPUTS] = first
    return {**state, SCAR_STEM: wider}


def start_from_heart(scar_net: UNet, heart_state: dict[str, Tensor]) -> int:
    """Copy every weight of the heart network that fits into the scar network; number of tensors copied."""
    own = scar_net.state_dict()
    fitting = {k: v for k, v in heart_state.items() if k in own and own[k].shape == v.shape}
    scar_net.load_state_dict({**own, **fitting})
    return len(fitting)
