"""Real hearts to train on: the Sunnybrook Cardiac Data (CC0), bright-blood cine with the LV cavity contoured.

Its blood, wall, fat and lung are ordered in brightness as in late enhancement, no wall is enhanced, and trabeculae,
papillary muscles and chests are real. Scars are painted into these hearts as into a hospital's scar-free studies.
Radau et al., Evaluation Framework for Algorithms Segmenting Short Axis Cardiac MRI, MIDAS Journal 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.landmarks import Maps, find_landmarks
from LGETextDetectLib.normalised import SIZE, NormalisedStack, normalise, scale_intensity
from LGETextDetectLib.orientation import BASE_TO_APEX, TO_RV
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from scipy import ndimage

from .array_files import save_arrays
from .cine_border import endocardium, epicardium
from .phantom import LABELS

FILE = "endo_805.npz"
PIXEL_MM, SLICE_MM = 1.25, 9.0  # nominal; the files keep no geometry of their own
FRAMES = 20  # of a heart beat; a slice's frames follow each other
SYSTOLE = range(3, 14)  # of them
MIN_SLICES = 4
MIN_DICE, MIN_MEDIAN_DICE = 0.5, 0.7  # of the network's cavity with the contour: less, and its wall is not believed
BRIGHT, MOST_BRIGHT = (
    0.6,
    0.2,
)  # steps over muscle, and the share of the wall that may be so: more, and it holds blood of the RV
RV_NEAR_PX = 4  # RV blood lies within this of the LV
Segment = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CineStack:
    """One heart in one phase, base to apex, as displayed (RV left, anterior up): image, contoured cavity (S, H, W)."""

    patient: str
    image: npt.NDArray[np.float32]
    cavity: Bools


@dataclass(frozen=True, eq=False)
class CineHeart:
    """A heart as training takes it.

    image, labels: (S, H, W) whole slices in blood-myocardium steps, phantom.LABELS without scar. position: (S,), 0 base .. 1 apex.
    to_image: (S, 2, 3), normalised (row, column, 1) -> (row, column) of the slice.
    """

    image: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    position: npt.NDArray[np.float32]
    to_image: npt.NDArray[np.float64]

    def normalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
        """Image and labels in the normalised frame (S, 96, 96)."""
        image, labels = (
            np.stack([warped(a, m, (SIZE, SIZE), order) for a, m in zip(array, self.to_image, strict=True)])
            for array, order in ((self.image, 1), (self.labels, 0))
        )
        return image.astype(np.float32), labels.astype(np.uint8)


def warped(
    image: npt.NDArray[np.generic], matrix: npt.NDArray[np.float64], shape: tuple[int, int], order: int
) -> npt.NDArray[np.generic]:
    """(H, W) read at ``matrix`` (2, 3) @ (row, column, 1) of every pixel of ``shape``; edges repeated."""
    return np.asarray(ndimage.affine_transform(image, matrix[:, :2], matrix[:, 2], shape, order=order, mode="nearest"))


def read_cine(folder: Path) -> Iterator[CineStack]:
    """Stacks of both phases of every patient: the longest run of neighbouring slices that are contoured.

    ``folder`` holds endo_805.npz: image and endo (N, 256, 256) uint8, patient (N,) names, frame (N,) counted from 1 through
    all slices of 20. Raises InputRefused('bad-recipe') when it does not.
    """
    try:
        with np.load(folder / FILE, allow_pickle=False) as data:
            image, endo, patient, frame = (data[name] for name in ("image", "endo", "patient", "frame"))
    except (OSError, ValueError, KeyError) as error:
        raise InputRefused(
            "bad-recipe", f"The cine folder holds no {FILE} with image, endo, patient and frame."
        ) from error
    systolic = np.isin(frame % FRAMES, SYSTOLE)
    for name in dict.fromkeys(patient.tolist()):
        for phase in (False, True):
            chosen = np.flatnonzero((patient == name) & (systolic == phase))
            chosen = chosen[np.argsort(frame[chosen])]
            gaps = np.flatnonzero(np.diff((frame[chosen] - 1) // FRAMES) != 1) + 1
            run = max(np.split(chosen, gaps), key=len)
            if len(run) >= MIN_SLICES:
                yield CineStack(name, image[run].astype(np.float32), endo[run] > 0)


def as_volume(stack: CineStack) -> Volume:
    """The stack where a usual heart lies in patient space."""
    axis = BASE_TO_APEX / np.linalg.norm(BASE_TO_APEX)
    lateral = -(TO_RV - axis * (TO_RV @ axis))
    lateral /= np.linalg.norm(lateral)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 2] = axis * SLICE_MM, lateral * PIXEL_MM
    affine[:3, 1] = np.cross(lateral, axis) * PIXEL_MM
    return Volume(stack.image, affine, "magnitude")


def cine_hearts(folder: Path, segment: Segment, report: Callable[[int], None] = lambda done: None) -> list[CineHeart]:
    """All hearts whose wall the network finds where the contours say; cavity as contoured, epicardium at its edge."""
    hearts = []
    for number, stack in enumerate(read_cine(folder), start=1):
        heart = _heart(stack, segment)
        if heart is not None:
            hearts.append(heart)
        report(number)
    return hearts


def _heart(stack: CineStack, segment: Segment) -> CineHeart | None:
    volume = as_volume(stack)
    try:
        landmarks, maps = find_landmarks(volume, segment)
        normalised = normalise(volume, landmarks, maps)
    except InputRefused:
        return None
    found = np.stack([_on_image(volume, maps, k) for k in range(len(stack.image))])
    heart = _labelled(stack, found, normalised)
    good = _dice(found[:, 0] > 0.5, stack.cavity)
    good[_bright_share(heart) > MOST_BRIGHT] = 0
    kept = _believed(good)
    return None if kept is None else CineHeart(*(getattr(heart, f.name)[kept] for f in fields(CineHeart)))


def _on_image(volume: Volume, maps: Maps, index: int) -> npt.NDArray[np.float32]:
    """(3, H, W) cavity, myocardium and RV probability on a slice's own pixels."""
    grid = maps.grids[index]
    pixels = np.moveaxis(np.indices(volume.array.shape[1:]), 0, -1)
    points = volume.to_lps(np.concatenate([np.full((*pixels.shape[:2], 1), index), pixels], -1))
    where = np.moveaxis((points - grid[:3, 3]) @ np.linalg.pinv(grid[:3, 1:3]).T, -1, 0)
    channels = maps.probabilities[index, 1:]
    return np.stack([ndimage.map_coordinates(c, where, order=1) for c in channels]).astype(np.float32)


def _dice(found: Bools, cavity: Bools) -> npt.NDArray[np.float64]:
    """(S,) of every slice."""
    both = 2 * (found & cavity).sum((1, 2))
    return np.asarray(both / np.maximum(found.sum((1, 2)) + cavity.sum((1, 2)), 1), np.float64)


def _bright_share(heart: CineHeart) -> npt.NDArray[np.float64]:
    """(S,) share of the wall that is nearly as bright as blood."""
    wall = heart.labels == LABELS["myocardium"]
    return np.asarray((wall & (heart.image > BRIGHT)).sum((1, 2)) / np.maximum(wall.sum((1, 2)), 1), np.float64)


def _believed(dice: npt.NDArray[np.float64]) -> slice | None:
    """The slices to keep: ends where network and contour differ are cut off; None when the rest is not believed."""
    good = np.flatnonzero(dice >= MIN_DICE)
    if len(good) < MIN_SLICES:
        return None
    kept = slice(int(good[0]), int(good[-1]) + 1)
    return kept if np.median(dice[kept]) >= MIN_MEDIAN_DICE and dice[kept].min() >= MIN_DICE else None


def _labelled(stack: CineStack, found: npt.NDArray[np.float32], normalised: NormalisedStack) -> CineHeart:
    lv = np.stack([_piece_at(f[0] + f[1] > 0.5, c) for f, c in zip(found, stack.cavity, strict=True)])
    rough = scale_intensity(stack.image, stack.cavity, lv & ~stack.cavity)
    whole = np.stack([epicardium(i, c, m) for i, c, m in zip(rough, stack.cavity, lv, strict=True)])
    rv = np.stack([_touching(f[2] > 0.5, w) for f, w in zip(found, whole, strict=True)])
    labels = np.where(rv, LABELS["rv"], 0).astype(np.uint8)
    cavity = np.stack([endocardium(i, c) for i, c in zip(rough, stack.cavity, strict=True)])
    labels[whole], labels[cavity] = LABELS["myocardium"], LABELS["cavity"]
    place, volume = np.argsort(normalised.index), as_volume(stack)
    return CineHeart(
        scale_intensity(stack.image, stack.cavity, whole & ~stack.cavity), labels, normalised.position[place],
        np.stack([_to_image(volume, normalised.grids[k]) for k in place]),
    )  # fmt: skip


def _touching(rv: Bools, lv: Bools) -> Bools:
    """Pieces of RV blood that come near the LV."""
    pieces, _ = ndimage.label(rv)
    near = np.unique(pieces[ndimage.binary_dilation(lv, iterations=RV_NEAR_PX)])
    return np.asarray(np.isin(pieces, near[near > 0]), bool)


def _piece_at(lv: Bools, cavity: Bools) -> Bools:
    """The filled piece of a found LV that overlaps the contoured cavity most, with the cavity."""
    pieces, _ = ndimage.label(ndimage.binary_fill_holes(lv))
    overlap = np.bincount(pieces[cavity], minlength=2)
    overlap[0] = 0
    return np.asarray((pieces == overlap.argmax()) & overlap.any() | cavity, bool)


def _to_image(volume: Volume, grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(2, 3): row and column of the frame -> row and column of the slice."""
    corners = volume.to_index(grid[:3, 3] + np.stack([np.zeros(3), grid[:3, 1], grid[:3, 2]]))[:, 1:]
    return np.stack([corners[1] - corners[0], corners[2] - corners[0], corners[0]], 1)


def save_hearts(hearts: list[CineHeart], path: Path) -> None:
    """One .npz: all slices end to end; no pickle, no name."""
    joined = {
        "image": np.concatenate([h.image for h in hearts]).astype(np.float16),
        **{n: np.concatenate([getattr(h, n) for h in hearts]) for n in ("labels", "position", "to_image")},
    }
    save_arrays(path, {"lengths": [len(h.position) for h in hearts], **joined})


def load_hearts(path: Path) -> list[CineHeart]:
    """Inverse of :func:`save_hearts`."""
    with np.load(path, allow_pickle=False) as data:
        ends = np.cumsum(data["lengths"])[:-1]
        parts = [np.split(data[name], ends) for name in ("image", "labels", "position", "to_image")]
    return [CineHeart(i.astype(np.float32), *rest) for i, *rest in zip(*parts, strict=True)]
