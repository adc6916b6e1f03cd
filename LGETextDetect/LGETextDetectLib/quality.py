"""What a reader must know about a study before trusting its answer: coverage, landmarks, contrast, noise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import aha
from .finding import NEAR
from .ghosting import ghost_strength
from .landmarks import TAPERED, Landmarks
from .manual_landmarks import contradict_geometry
from .normalised import NormalisedStack
from .orientation import geometry_known
from .volume import Volume

Float32 = npt.NDArray[np.float32]

UNSEEN = "segments-not-seen"
FEW_SLICES = 3  # fewer cannot show base, middle and apex
THIN_GAP_MM = 15.0  # usual distances are 8-10 mm; at 15 mm a small scar fits between two slices
LOW_CONFIDENCE = 0.5  # of the landmarks: insertion points taken from the body's usual anatomy alone reach 0.48
UNRELIABLE_CONFIDENCE = 0.25  # below: the heart itself was hardly seen
MIN_HEART_SLICES = 3  # a whole stack that shows less heart was not understood
MIN_LV_PIXELS = 60  # 1 cm2 of cavity and wall on the normalised frame: less is no ventricle
SHORT_LV_MM = 55.0  # adult left ventricles are 70-100 mm long; a shorter covered length has an end missing
POOR_SEPARATION = (
    1.2  # blood from dark myocardium in their common SD; clinical studies have 1.2-3.3 (30 of EMIDEC, emidec.com)
)
NO_SEPARATION = 0.8  # virtual studies have 1.2 or more; of 14 real ones shown inverted 10 have less
GHOST = 0.06  # of ghost_strength, over four slices or more; one slice alone is alike itself by chance
HIGH_NOISE = 0.25  # SD of a pixel in units of the myocardium-blood step; the same studies have 0.06-0.15
NEAR_THRESHOLD = 0.1  # of probability: the answer would change with a small change of the image


@dataclass(frozen=True)
class Flag:
    """One remark on quality; severity is 'info', 'warning' or 'error', text plain clinical words."""

    code: str
    severity: str
    text: str


def heart_slices(position: Float32, heart: Float32) -> npt.NDArray[np.bool_]:
    """(S,) whether a slice at this place (S,) lies within the LV's length and its maps (S, 2+, 96, 96) show an LV."""
    inside = (position >= 0) & (position <= 1)
    return np.asarray(inside & (_lv_pixels(heart) >= MIN_LV_PIXELS), np.bool_)


def abstention_reasons(
    probability: float, band: tuple[float, float], stack: NormalisedStack, landmarks: Landmarks, heart: Float32
) -> list[str]:
    """Why no answer is given; empty when there is one.

    band: probabilities strictly between which none is given. heart: (S, 2, 96, 96) cavity and wall as the scar network saw them.
    """
    reasons = []
    if band[0] < probability < band[1]:
        reasons.append(NEAR)
    # Short stacks (1 or 2 slices) are answered as long as each of them shows the heart.
    seen = min(int(heart_slices(stack.position, maps).sum()) for maps in (stack.maps, heart))
    if seen < min(MIN_HEART_SLICES, len(stack.position)):
        reasons.append("too-few-slices-of-heart")
    if landmark_confidence(landmarks) < UNRELIABLE_CONFIDENCE:
        reasons.append("landmarks-unreliable")
    separation = contrast_and_noise(stack)[0]
    if separation < NO_SEPARATION:
        reasons.append("contrast-implausible")
    # The few sure pixels of a short stack near the apex are no reason; a flag says what was not measured.
    if np.isnan(separation) and len(stack.position) >= MIN_HEART_SLICES:
        reasons.append("contrast-not-measurable")
    return reasons


def landmark_confidence(landmarks: Landmarks) -> float:
    """Median confidence of the slices on which an LV centre was set; 0 when there is none."""
    known = [mark.confidence for mark in landmarks.slices if mark.lv_centre is not None]
    return float(np.median(known)) if known else 0.0


def quality_flags(
    volume: Volume, landmarks: Landmarks, stack: NormalisedStack, notes: Iterable[tuple[str, str]]
) -> list[Flag]:
    """Flags on the images and on how they were understood, in a fixed order; the reader's own notes come last."""
    flags = [*_coverage(volume, landmarks, stack), *_orientation(volume, landmarks), *_image(volume, stack)]
    flags += [Flag(code, "info", text) for code, text in notes]
    return flags


def unseen_segments(flags: Iterable[Mapping[str, str]]) -> set[int]:
    """Segments that no slice shows, by the flags of a result."""
    return {int(n) for flag in flags if flag["code"] == UNSEEN for n in re.findall(r"\d+", flag["text"])}


def answer_flags(distance: float, abstained: bool, fell_back: bool, unseen: Sequence[int]) -> list[Flag]:
    """Flags on the answer itself. distance: of the probability from the threshold; unseen: segments that no slice shows."""
    flags = []
    if unseen:
        flags.append(
            Flag(
                UNSEEN,
                "warning" if set(unseen) - set(aha.LEVEL_SEGMENTS["apex"]) else "info",
                f"No slice shows the wall of segment{'' if len(unseen) == 1 else 's'} {', '.join(map(str, unseen))}: "
                "nothing is said of scar there.",
            )
        )
    if not abstained and abs(distance) < NEAR_THRESHOLD:
        flags.append(
            Flag(
                "threshold-near",
                "warning",
                "The probability lies close to the threshold: treat the answer as borderline.",
            )
        )
    if fell_back:
        flags.append(
            Flag(
                "gpu-fallback",
                "info",
                "The graphics card or PyTorch could not be used, or memory ran out; the processor did the computation.",
            )
        )
    return flags


def _lv_pixels(heart: Float32) -> npt.NDArray[np.int64]:
    """(S,) pixels of cavity and wall."""
    return np.asarray((heart[:, 0] + heart[:, 1] > 0.5).sum((1, 2)), np.int64)


# --- coverage --------------------------------------------------------------------------------------------------------


def _coverage(volume: Volume, landmarks: Landmarks, stack: NormalisedStack) -> list[Flag]:
    flags = []
    count, gap = len(volume.array), volume.spacing_mm[2]
    if count < FEW_SLICES:
        flags.append(
            Flag("few-slices", "warning", f"Only {_slices(count)}: scar elsewhere in the ventricle cannot be seen.")
        )
    heart = heart_slices(stack.position, stack.maps)
    if not _base_covered(landmarks, stack):
        flags.append(
            Flag(
                "no-base", "warning", "The base of the left ventricle may not be covered: basal segments are uncertain."
            )
        )
    if not _apex_covered(stack, heart):
        flags.append(
            Flag(
                "no-apex",
                "warning",
                "The apex of the left ventricle may not be covered: apical segments are uncertain.",
            )
        )
    if count > 1 and gap > THIN_GAP_MM:
        flags.append(
            Flag("thin-coverage", "warning", f"Slices are {gap:.0f} mm apart: a small scar may lie between them.")
        )
    empty = sorted(int(k) for k in stack.index[~heart])
    if empty:
        names = ", ".join(str(k + 1) for k in empty)
        flags.append(
            Flag(
                "no-heart-on-slices",
                "info",
                f"{_slices(len(empty))} outside or without left ventricle (number {names}), not used for the answer.",
            )
        )
    return flags


def _slices(count: int) -> str:
    return f"{count} slice" + ("" if count == 1 else "s")


def _base_covered(landmarks: Landmarks, stack: NormalisedStack) -> bool:
    """Whether the stack reaches the mitral plane: a slice before it, or a plausible length of LV up to its end."""
    if bool((stack.position < 0).any()):
        return True
    if not bool(((stack.position >= 0) & (stack.position <= 1 / 3)).any()) or not landmarks.base or not landmarks.apex:
        return False
    length = float(np.linalg.norm(np.subtract(landmarks.apex, landmarks.base)))
    return length * (1 - float(stack.position.min())) >= SHORT_LV_MM


def _apex_covered(stack: NormalisedStack, heart: npt.NDArray[np.bool_]) -> bool:
    """Whether the stack reaches the apex: a slice beyond it, or an LV that has tapered on its last slice."""
    if bool((stack.position > 1).any()):
        return True
    if not bool(heart.any()) or float(stack.position.max()) < 2 / 3:
        return False
    area = _lv_pixels(stack.maps)[heart]
    return bool(area[-1] < TAPERED * area.max())


# --- landmarks and geometry ------------------------------------------------------------------------------------------


def _orientation(volume: Volume, landmarks: Landmarks) -> list[Flag]:
    flags = []
    if landmark_confidence(landmarks) < LOW_CONFIDENCE:
        flags.append(
            Flag(
                "low-landmark-confidence",
                "warning",
                "The heart's landmarks were found with low confidence: check them, segment names depend on them.",
            )
        )
    if contradict_geometry(landmarks, volume):
        flags.append(
            Flag(
                "landmarks-contradict-geometry",
                "warning",
                "Landmarks set by hand lie where no heart would by the file's geometry: check that anterior and inferior, apex "
                "and base are not exchanged.",
            )
        )
    if not geometry_known(volume):
        flags.append(
            Flag(
                "geometry-lost",
                "warning",
                "The file does not say how the images lay in the body; orientation was taken from the heart's shape alone.",
            )
        )
    return flags


# --- image quality ---------------------------------------------------------------------------------------------------


def _image(volume: Volume, stack: NormalisedStack) -> list[Flag]:
    flags = []
    if volume.image_type == "magnitude":
        flags.append(
            Flag(
                "magnitude-only",
                "info",
                "Magnitude images without a phase-sensitive (PSIR) pair: poorly nulled myocardium can look bright.",
            )
        )
    elif volume.image_type != "psir":
        flags.append(
            Flag(
                "image-type-unknown",
                "info",
                "The file does not say whether these are LGE images, PSIR or magnitude: the answer holds only if they are.",
            )
        )
    separation, noise = contrast_and_noise(stack)
    if np.isnan(separation):
        flags.append(
            Flag(
                "contrast-unknown",
                "warning",
                "Too little blood or myocardium was surely recognised to measure how they stand out from each other: "
                "inverted images or a wrong inversion time would not be noticed.",
            )
        )
    elif separation < POOR_SEPARATION:
        flags.append(
            Flag(
                "poor-nulling",
                "warning",
                "Remote myocardium is not clearly darker than blood: check the inversion time; enhancement may be missed or mimicked.",
            )
        )
    if np.isfinite(noise) and noise > HIGH_NOISE:
        flags.append(Flag("low-snr", "warning", "The images are noisy: small or faint enhancement may be missed."))
    if ghost_strength(volume) > GHOST * max(1.0, 2 / len(volume.array) ** 0.5):
        flags.append(
            Flag(
                "ghosting",
                "warning",
                "Fainter copies of the image lie over it, as breathing or an irregular heartbeat leave them: bands may look like enhancement.",
            )
        )
    return flags


def contrast_and_noise(stack: NormalisedStack) -> tuple[float, float]:
    """(separation, noise) on the slices that show the heart; NaN where too little of it is surely seen: not measured, not good.

    separation: median of blood minus median of dark myocardium over their pooled SD; dark is the lower half, so scar
    does not count. noise: SD between neighbouring pixels of the blood pool, in units of the myocardium-blood step.
    """
    heart = heart_slices(stack.position, stack.maps)
    image, maps = stack.image[heart], stack.maps[heart]
    blood, muscle = maps[:, 0] > 0.8, maps[:, 1] > 0.8
    if blood.sum() < MIN_LV_PIXELS or muscle.sum() < MIN_LV_PIXELS:
        return float("nan"), float("nan")
    values, wall = image[blood], image[muscle]
    dark = float(np.percentile(wall, 25))
    spread = np.hypot(_robust_sd(values), 1.4826 * float(np.median(np.abs(wall[wall <= np.median(wall)] - dark))) * 2)
    separation = (float(np.median(values)) - dark) / max(float(spread), 1e-6)
    return separation, _neighbour_noise(image, blood)


def _robust_sd(values: Float32 | Sequence[float]) -> float:
    array = np.asarray(values, float)
    return 1.4826 * float(np.median(np.abs(array - np.median(array))))


def _neighbour_noise(image: Float32, mask: npt.NDArray[np.bool_]) -> float:
    """SD of one pixel from differences of pixels two apart (neighbours share noise after resampling)."""
    both = mask[..., 2:] & mask[..., :-2]
    if both.sum() < MIN_LV_PIXELS:
        return float("nan")
    return _robust_sd((image[..., 2:] - image[..., :-2])[both]) / float(np.sqrt(2))
