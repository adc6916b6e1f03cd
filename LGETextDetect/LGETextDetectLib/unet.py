"""The U-Net of both image networks, in plain torch; imported only by backends.py (torch) and by training."""

from __future__ import annotations

import itertools
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional


def _block(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Module:
    norm = nn.Sequential(OrderedDict(N=nn.BatchNorm2d(outputs), A=nn.ReLU()))
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, adn=norm))


class UNet(nn.Module):
    """(N, inputs, H, W) -> logits (N, outputs, H, W); H and W multiples of 16."""

    def __init__(self, inputs: int, outputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.inputs = inputs
        pairs = list(itertools.pairwise(widths))
        self.stem = _block(inputs, widths[0])
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairs)
        self.up = nn.ModuleList(_block(b, a, kernel=1) for a, b in pairs)
        self.merge = nn.ModuleList(_block(2 * a, a) for a in widths[:-1])
        self.out = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        skips = [self.stem(image)]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            raised = functional.interpolate(up(features), scale_factor=2.0, mode="nearest")
            features = merge(torch.cat([raised, skips.pop()], 1))
        return self.out(features)


def heart_probabilities(logits: Tensor) -> Tensor:
    """(N, 4, H, W) logits -> probabilities of background, cavity, myocardium, RV."""
    return logits.float().softmax(1)


def scar_probabilities(logits: Tensor) -> Tensor:
    """(N, 12, H, W) logits -> cavity, myocardium, scar, no-reflow and the seven layers of scar (N, 11, H, W).

    Scar includes its core; the layers (finding.LAYERS) are those that the lesion would have if the pixel is scar.
    """
    heart = logits[:, :3].float().softmax(1)
    given = logits[:, 3:5].float().sigmoid()
    scar = heart[:, 2] * given[:, 0]
    seen = torch.stack([heart[:, 1], heart[:, 2], scar, scar * given[:, 1]], 1)
    return torch.cat([seen, logits[:, 5:].float().softmax(1)], 1)


class HeartGraph(nn.Module):
    """What is exported as heart.onnx: (N, 2, 160, 160) -> probabilities (N, 4, 160, 160)."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return heart_probabilities(self.network(image))


class ScarGraph(nn.Module):
    """What is exported as scar.onnx: (N, 18, 96, 96) -> maps (N, 11, 96, 96)."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return scar_probabilities(self.network(image))
