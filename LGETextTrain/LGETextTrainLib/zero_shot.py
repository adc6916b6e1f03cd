"""General medical vision-language models on the same normalised stacks, zero-shot, when the user has their weights.

Every slice of the LV is one image: normalised signal from dark myocardium to bright blood as grey. A patient's score is the
mean of its two highest slice probabilities: a lesion on one slice alone may be a fleck. Prompts stand with
each model. 0.5 is the threshold, since nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from LGETextDetectLib.events import Events
from LGETextDetectLib.outputs.slice_pictures import WINDOW
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume_files import load_study
from torch import Tensor
from torch.nn import functional

Scores = dict[str, float]
SliceModel = Callable[[Tensor], Tensor]  # (S, 96, 96) grey 0-1 -> (S,) probability of scar
HIGHEST = 2  # slices that make the patient's score
CLIP_MEAN, CLIP_SD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def check_parts(biomedclip: Path | None, med_flamingo: Path | None) -> None:
    """Raise InputRefused('bad-weights') when a folder that is given lacks what its model is read from first."""
    for folder, part in ((biomedclip, "open_clip_config.json"), (med_flamingo, "language"), (med_flamingo, "vision")):
        if folder is not None and not (folder / part).exists():
            raise InputRefused("bad-weights", f"There is no {part} in {folder}.")


def zero_shot_scores(
    results: Path, biomedclip: Path | None, med_flamingo: Path | None, events: Events
) -> dict[str, Scores | None]:
    """Per model its score of every study below ``results``; None for a model whose folder was not given."""
    scores: dict[str, Scores | None] = {"BiomedCLIP, zero-shot": None, "Med-Flamingo, zero-shot": None}
    if biomedclip is not None:
        from .zero_shot_biomedclip import load_biomedclip

        scores["BiomedCLIP, zero-shot"] = score_studies(results, load_biomedclip(biomedclip), events, "biomedclip")
    if med_flamingo is not None:
        from .zero_shot_med_flamingo import load_med_flamingo

        scores["Med-Flamingo, zero-shot"] = score_studies(
            results, load_med_flamingo(med_flamingo), events, "med-flamingo"
        )
    return scores


def score_studies(results: Path, model: SliceModel, events: Events, stage: str) -> Scores:
    """Score of every study below ``results`` from its normalised.nrrd."""
    paths = sorted(results.glob("*/normalised.nrrd"))
    scores = {}
    for number, path in enumerate(paths, start=1):
        scores[path.parent.name] = study_score(model(grey_slices(load_study(path).volume.array)))
        events.progress(stage, number, len(paths))
    return scores


def grey_slices(normalised: npt.NDArray[np.float32]) -> Tensor:
    """(S, 96, 96) normalised signal to grey 0-1, the window of the report's pictures."""
    low, high = WINDOW
    return torch.from_numpy(np.clip((normalised - low) / (high - low), 0, 1).astype(np.float32))


def study_score(slices: Tensor) -> float:
    """Mean of the two highest slice probabilities."""
    return float(slices.topk(min(HIGHEST, len(slices))).values.mean())


def as_photos(grey: Tensor, size: int, mean: tuple[float, ...] = CLIP_MEAN, sd: tuple[float, ...] = CLIP_SD) -> Tensor:
    """(S, H, W) grey 0-1 to (S, 3, size, size) in the units of a CLIP-like image encoder, bicubic."""
    large = functional.interpolate(
        grey[:, None], size=(size, size), mode="bicubic", antialias=True, align_corners=False
    )
    shift, scale = (torch.tensor(v)[None, :, None, None] for v in (mean, sd))
    return (large.clamp(0, 1).expand(-1, 3, -1, -1) - shift) / scale


def read_weights(folder: Path, names: tuple[str, ...]) -> dict[str, Tensor]:
    """Tensors of the first of these files that is there; nothing in a file is executed. Raises InputRefused('bad-weights')."""
    for path in (folder / name for name in names):
        if not path.is_file():
            continue
        try:
            if path.suffix == ".safetensors":
                from safetensors.torch import load_file

                return dict(load_file(str(path)))
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise InputRefused("bad-weights", f"{path.name} cannot be read ({type(error).__name__}).") from error
        state = loaded.get("state_dict", loaded.get("model_state_dict", loaded))
        return {str(key).removeprefix("module."): value for key, value in state.items()}
    raise InputRefused("bad-weights", f"The folder holds none of {', '.join(names)}.")


def layer_count(state: dict[str, Tensor], prefix: str) -> int:
    """How many numbered layers follow a prefix among the names of a state."""
    return len({key[len(prefix) :].split(".")[0] for key in state if key.startswith(prefix)})
