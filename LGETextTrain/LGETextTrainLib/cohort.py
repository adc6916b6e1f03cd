"""Cases of the text side: tokens of a study and what is true of it, cached on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.looks import network_image
from LGETextDetectLib.normalised import PIXEL_MM
from LGETextDetectLib.tokens import away_from_base, segments_of_tokens, study_tokens
from LGETextDetectLib.wall_regions import PER_SLICE
from torch import Tensor

from . import samples, truth
from .array_files import save_arrays
from .cine_hearts import CineHeart
from .cine_samples import seen_heart
from .diagnostic import draw_clinical
from .harder_hearts import harder
from .network import ScarSight, trained_scar
from .patient import draw

SCAR_SHARE, CLINICAL_SHARE = 0.55, 0.7
MISSED_END = 0.2  # share of stacks whose first (or last) slice is not taken for LV


@dataclass(frozen=True, eq=False)
class Case:
    """values (T, F), places (T, G), present (T,) of one study, its finding and its scarred slices (S,)."""

    values: npt.NDArray[np.float16]
    places: npt.NDArray[np.float16]
    present: npt.NDArray[np.bool_]
    finding: Finding
    scarred: npt.NDArray[np.bool_]


def virtual_case(rng: np.random.Generator, heart: samples.Heart, scar: ScarSight) -> Case:
    """Draw a patient, see it through both image networks as detection would, and read off the truth."""
    drawn = draw_clinical(rng, SCAR_SHARE) if rng.random() < CLINICAL_SHARE else draw(rng, SCAR_SHARE)
    patient = harder(rng, drawn)
    image, rendered = samples.normalised_patient(rng, patient, heart)
    labels, angle = rendered.labels.numpy(), rendered.angle.numpy()
    true = truth.describe(patient, labels, angle, PIXEL_MM**2)
    return _seen_case(rng, image, scar, true.finding, true.scarred)


def cine_case(rng: np.random.Generator, hearts: Sequence[CineHeart], heart: samples.Heart, scar: ScarSight) -> Case:
    """A real heart, painted or not, seen through both image networks."""
    study, painted, _, _ = seen_heart(rng, hearts[int(rng.integers(len(hearts)))], heart)
    return _seen_case(rng, network_image(study.image, study.maps), scar, painted.finding, painted.scarred)


def _seen_case(
    rng: np.random.Generator, image: npt.NDArray[np.float32], scar: ScarSight, finding: Finding, scarred: npt.NDArray[np.bool_]
) -> Case:  # fmt: skip
    """What the scar network makes of its input (S, 18, 96, 96), beside what is true."""
    position = seen_positions(rng, len(image)).astype(np.float32)
    tokens = study_tokens(image[:, 0], scar(image), position)
    return Case(tokens.values.astype(np.float16), tokens.places.astype(np.float16), tokens.present, finding, scarred)


def seen_positions(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """(S,) places between base 0 and apex 1 as detection gives them: even steps, an end slice missed now and then."""
    first, last = (int(rng.random() < MISSED_END) for _ in range(2))
    return (np.arange(count) + 0.5 - first) / (count - first - last)


def virtual_cases(
    count: int,
    seed: int,
    heart_state: dict[str, Tensor],
    scar_state: dict[str, Tensor],
    report: Callable[[int], None] = lambda done: None,
    hearts: Sequence[CineHeart] = (),
    cine_share: float = 0.0,
) -> list[Case]:
    """``count`` studies, virtual or, in ``cine_share`` of them, of real ``hearts``; case k depends on the seed and k alone."""
    scar, heart = trained_scar(scar_state), samples.trained_heart(heart_state)
    cases = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        real = bool(hearts) and np.random.default_rng((seed, number, 1)).random() < cine_share
        cases.append(cine_case(rng, hearts, heart, scar) if real else virtual_case(rng, heart, scar))
        if number % 50 == 49:
            report(number + 1)
    return cases


def save_cases(cases: list[Case], path: Path) -> None:
    """One .npz: all tokens end to end, findings as JSON; no pickle."""
    lengths = np.array([len(case.present) for case in cases])
    findings = json.dumps([case.finding.to_dict() for case in cases])
    joined = {
        name: np.concatenate([getattr(case, name) for case in cases])
        for name in ("values", "places", "present", "scarred")
    }
    save_arrays(path, {"lengths": lengths, "findings": np.frombuffer(findings.encode(), np.uint8), **joined})


def load_cases(path: Path) -> list[Case]:
    """Inverse of :func:`save_cases`."""
    with np.load(path, allow_pickle=False) as data:
        ends = np.cumsum(data["lengths"])[:-1]
        parts = [np.split(data[name], ends) for name in ("values", "places", "present")]
        scarred = np.split(data["scarred"], ends // PER_SLICE)
        findings = [Finding.from_dict(entry) for entry in json.loads(data["findings"].tobytes())]
    return [Case(v, p, m, f, s) for v, p, m, f, s in zip(*parts, findings, scarred, strict=True)]


@dataclass(frozen=True, eq=False)
class CaseBatch:
    """Padded cases: values (B, T, F), places (B, T, G), present (B, T), slice truth (B, S) with -1 = no slice.

    trusted (B, T): present and away from the base; member (B, T, 17): segments of which a token may hold a part.
    """

    values: Tensor
    places: Tensor
    present: Tensor
    trusted: Tensor
    member: Tensor
    scarred: Tensor
    findings: tuple[Finding, ...]


def join_cases(cases: list[Case], device: torch.device | str = "cpu") -> CaseBatch:
    """Pad cases to the longest."""
    longest = max(len(case.present) for case in cases)
    shape = (len(cases), longest)
    values = torch.zeros(*shape, cases[0].values.shape[1])
    places = torch.zeros(*shape, cases[0].places.shape[1])
    present, scarred = torch.zeros(*shape), torch.full((len(cases), longest // PER_SLICE), -1.0)
    trusted, member = torch.zeros(*shape), torch.zeros(*shape, 17)
    for row, case in enumerate(cases):
        length, position = len(case.present), case.places[::PER_SLICE, 0]
        trusted[row, :length] = torch.from_numpy((case.present & away_from_base(position)).astype(np.float32))
        member[row, :length] = torch.from_numpy(segments_of_tokens(position))
        values[row, :length] = torch.from_numpy(case.values.astype(np.float32))
        places[row, :length] = torch.from_numpy(case.places.astype(np.float32))
        present[row, :length] = torch.from_numpy(case.present.astype(np.float32))
        scarred[row, : len(case.scarred)] = torch.from_numpy(case.scarred.astype(np.float32))
    findings = tuple(case.finding for case in cases)
    return CaseBatch(
        values.to(device),
        places.to(device),
        present.to(device),
        trusted.to(device),
        member.to(device),
        scarred.to(device),
        findings,
    )
