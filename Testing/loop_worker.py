"""A small training in a process of its own, for the tests of the loop: ``python loop_worker.py FOLDER STEPS ACCUMULATE``.

A U-Net learns squares in noise through the project's own loop and sample stream. With SLOW set every step waits, with WORKERS set other processes make the samples, so
that the test can stop or kill it on the way. Writes final.pt; started by torchrun, the processes share every step.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from LGETextDetectLib.unet import UNet
from LGETextTrainLib.optimise import Loop, optimise
from LGETextTrainLib.processes import joined_processes
from LGETextTrainLib.sample_stream import sample_source
from LGETextTrainLib.samples import Sample
from torch.nn import functional


def squares(rng: np.random.Generator) -> Sample:
    """Three slices (3, 1, 16, 16) with a square each, and where it is."""
    image, labels = rng.normal(0, 0.3, (3, 1, 16, 16)), np.zeros((3, 16, 16), np.uint8)
    for slice_, label in zip(image, labels, strict=True):
        row, column = rng.integers(0, 10, 2)
        slice_[0, row : row + 6, column : column + 6] += 1
        label[row : row + 6, column : column + 6] = 1
    return {"image": image.astype(np.float32), "labels": labels}


def train(folder: Path, steps: int, accumulate: int) -> None:
    torch.manual_seed(0)
    network = UNet(1, 2, (4, 8, 8, 8, 8))

    def loss_of(sample: Sample) -> tuple[torch.Tensor, dict[str, float]]:
        if "SLOW" in os.environ:
            time.sleep(float(os.environ["SLOW"]))
        image = torch.from_numpy(sample["image"]) + 0.01 * torch.randn(len(sample["image"]), 1, 16, 16)
        return functional.cross_entropy(network(image), torch.from_numpy(sample["labels"]).long()), {}

    def validate(judged: torch.nn.Module) -> dict[str, float]:
        data = squares(np.random.default_rng(99))
        logits = judged(torch.from_numpy(data["image"]))
        return {"score": -float(functional.cross_entropy(logits, torch.from_numpy(data["labels"]).long()))}

    def log(entry: dict[str, object]) -> None:
        print(json.dumps(entry), flush=True)

    with joined_processes() as processes:
        loop = Loop("squares", steps, 1e-2, 5, accumulate, validate_every=3, patience=50, checkpoint_s=0.0)
        state = optimise(
            network, sample_source(squares, 5, 4, int(os.environ.get("WORKERS", "0"))), loss_of, loop, folder / "squares.pt", log, validate=validate,
            processes=processes,
        )  # fmt: skip
        if processes.speaks:
            torch.save(state, folder / "final.pt")


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
