"""How long a hospital's training will take at most and how much memory it will hold, measured on one step of each stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .cohort import join_cases
from .data_check import DataCheck
from .hospital_cases import seen_case
from .language import LanguageModel
from .network import SCAR_INPUTS, scar_network, trained_scar
from .painted_samples import PaintedSamples, SampleStudy
from .prepared_study import load_prepared
from .processes import ALONE
from .recipe import HospitalRecipe
from .samples import EarlierNetworks
from .train_images import image_loss, on_device, scar_terms
from .train_language import LanguageLoss, Terms, ask

COPIES = 5  # of the weights: averaged, best, two of the optimiser, one written


@dataclass(frozen=True)
class Estimate:
    """minutes: without early stopping; memory_gib: of the main process."""

    minutes: float
    memory_gib: float


def estimate_run(
    recipe: HospitalRecipe, check: DataCheck, heart: dict[str, Tensor], scar: dict[str, Tensor], language: LanguageModel
) -> Estimate:
    """Time one sample, one step of each network and one case, and multiply; nothing that is trained is touched."""
    chosen = check.chosen("train")
    studies = [SampleStudy(check.members[k].reading.sha256, check.members[k].finding, "") for k in chosen]
    table = replace(recipe.scar, virtual_share=0.0)
    make = PaintedSamples(check.prepared, studies, recipe.paint, table, EarlierNetworks(heart, scar))
    rng = np.random.default_rng(0)
    make(rng)  # the networks are made at the first call
    sample_s = _timed(lambda: make(rng), 3)
    slices = len(make(rng)["image"])
    network = on_device(scar_network(), torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    loss_of = image_loss(network, scar_terms, next(network.parameters()).device)
    image = np.zeros((recipe.scar.batch, SCAR_INPUTS, 96, 96), np.float16)
    blank = {"image": image} | dict.fromkeys(("labels", "layer"), np.zeros((recipe.scar.batch, 96, 96), np.uint8))
    pass_s = _timed(lambda: loss_of(blank)[0].backward(), 2)
    made_s = sample_s * recipe.scar.batch / max(slices, 1) / max(ALONE.workers(recipe.run.workers), 1)
    scar_s = (
        recipe.scar.steps * recipe.scar.accumulate * (max(pass_s, made_s) if recipe.run.workers else pass_s + made_s)
    )
    case_s, text_s = _text_times(recipe, check.prepared, studies, scar, language)
    free = sum(study.finding.lge == "absent" for study in studies)
    painted = free * recipe.text.painted if recipe.paint.share else 0
    cases_s = len(studies) * case_s + (painted + recipe.text.virtual_patients) * (case_s + sample_s)
    minutes = (scar_s + cases_s + recipe.text.steps * recipe.text.accumulate * text_s) / 60
    weights = sum(value.numel() * value.element_size() for value in [*scar.values(), *language.state_dict().values()])
    held = COPIES * weights + (len(studies) + painted + recipe.text.virtual_patients) * 9000 * 10
    return Estimate(minutes, (_resident_bytes() + held) / 2**30)


def _text_times(
    recipe: HospitalRecipe, prepared: Path, studies: list[SampleStudy], scar: dict[str, Tensor], language: LanguageModel
) -> tuple[float, float]:
    """Seconds to see one case and to make one pass of the text side, on a copy."""
    sight, first = trained_scar(scar), studies[0]
    seen = load_prepared(prepared, first.sha256)
    unknown = np.full(len(seen.image), -1, np.int8)
    case = seen_case(seen, sight, first, unknown)
    case_s = _timed(lambda: seen_case(seen, sight, first, unknown), 2)
    copy = LanguageModel(language.config)
    batch = join_cases([case] * min(recipe.text.batch, 8))
    part = ask(np.random.default_rng(0), batch, recipe.text.questions)
    loss_of = LanguageLoss(copy, [case], Terms(), torch.device("cpu"))
    pass_s = _timed(lambda: loss_of(part)[0].backward(), 2)
    return case_s, pass_s * recipe.text.batch / min(recipe.text.batch, 8)


def _timed(work: Callable[[], object], times: int) -> float:
    started = time.monotonic()
    for _ in range(times):
        work()
    return (time.monotonic() - started) / times


def _resident_bytes() -> float:
    """Peak so far; Linux counts in KiB, macOS in bytes, Windows not at all."""
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
