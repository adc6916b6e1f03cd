"""Give the heart network's wall back what it lost: scar as bright as blood or fat is easily cut off the wall.

The wall of a ventricle seen in short axis is smooth. Each border is therefore compared with a curve of low order that
follows its innermost (epicardium: outermost) course; what lies outside that curve becomes myocardium again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
RAYS = 72
REACH_PX = 44.0
STEP_PX = 0.5
ORDER = 2  # harmonics of a border: shifted and elliptic, no bays
LESS_WEIGHT = 0.06  # of border points on the side to which a lost lesion pulls, against 0.94 on the other
EPI_SLACK_PX, ENDO_SLACK_PX = 0.0, 0.3  # by which a border may leave its curve
THINNEST_PX = 1.5
ITERATIONS = 12
MIN_CAVITY, MIN_LV = 40, 120  # pixels below which a slice is left as it is
MENDED = 0.9  # probability of myocardium where it was given back

_IN_PLANE = ndimage.generate_binary_structure(3, 1) & (np.arange(3) == 1)[:, None, None]
_ANGLE = np.arange(RAYS) * 2 * np.pi / RAYS
_RADIUS = np.arange(0, REACH_PX, STEP_PX)
_BASIS = np.stack(
    [np.ones(RAYS)] + [wave(k * _ANGLE) for k in range(1, ORDER + 1) for wave in (np.cos, np.sin)], axis=1
)


def mend_wall(maps: Float32) -> Float32:
    """(S, C, H, W) probabilities with cavity and myocardium first -> the same with bays of the wall filled."""
    lv = _largest_pieces(maps[:, 0] + maps[:, 1] > 0.5)
    cavity = (maps[:, 0] > 0.5) & lv
    fit = np.flatnonzero((cavity.sum((1, 2)) >= MIN_CAVITY) & (lv.sum((1, 2)) >= MIN_LV))
    if not len(fit):
        return maps
    centre = np.array([ndimage.center_of_mass(lv[k]) for k in fit])
    epi, endo = (_outermost(mask[fit], centre) for mask in (lv, cavity))
    outer = np.maximum(epi, _curve(epi, -1.0) - EPI_SLACK_PX)
    inner = np.minimum(np.minimum(endo, _curve(endo, 1.0) + ENDO_SLACK_PX), outer - THINNEST_PX)
    result = maps.copy()
    for k, place, *borders in zip(fit, centre, outer, epi, inner, endo, strict=True):
        given = _given_back(place, borders, maps.shape[-2:])
        result[k, 1][given] = np.maximum(result[k, 1][given], MENDED)
        result[k, 0][given] = np.minimum(result[k, 0][given], 1 - MENDED)
    return result


def _largest_pieces(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(S, H, W): every slice's largest connected piece."""
    labels, _ = ndimage.label(ndimage.binary_opening(masks, _IN_PLANE), _IN_PLANE)
    size = np.bincount(labels.ravel())
    size[0] = 0
    largest = size[labels].reshape(len(masks), -1).argmax(1)
    name = labels.reshape(len(masks), -1)[np.arange(len(masks)), largest]
    return np.asarray((labels == name[:, None, None]) & (name > 0)[:, None, None])


def _outermost(masks: npt.NDArray[np.bool_], centre: Floats) -> Floats:
    """(N, H, W) masks and (N, 2) centres (row, column) -> (N, RAYS) radius in pixels of the outermost pixel."""
    rows = centre[:, 0, None, None] + _RADIUS[:, None] * np.sin(_ANGLE)
    columns = centre[:, 1, None, None] + _RADIUS[:, None] * np.cos(_ANGLE)
    shape = masks.shape[1:]
    inside = (rows >= 0) & (rows <= shape[0] - 1) & (columns >= 0) & (columns <= shape[1] - 1)
    row, column = (np.clip(np.rint(v).astype(int), 0, n - 1) for v, n in zip((rows, columns), shape, strict=True))
    hit = masks[np.arange(len(masks))[:, None, None], row, column] & inside
    return np.asarray((hit * _RADIUS[:, None]).max(1), np.float64)


def _curve(radius: Floats, side: float) -> Floats:
    """(N, RAYS) low-order curve that leaves most of the border on one side (an expectile fit; side 1: it hugs the inside)."""
    weight = np.full(radius.shape, 0.5)
    ridge = 1e-6 * np.eye(_BASIS.shape[1])
    for _ in range(ITERATIONS):
        matrix = np.einsum("rk,nr,rl->nkl", _BASIS, weight, _BASIS) + ridge
        right = np.einsum("rk,nr->nk", _BASIS, weight * radius)
        curve = np.linalg.solve(matrix, right[..., None])[..., 0] @ _BASIS.T
        weight = np.where((radius - curve) * side > 0, LESS_WEIGHT, 1 - LESS_WEIGHT)
    return np.asarray(curve, np.float64)


def _given_back(centre: Floats, borders: list[Floats], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(H, W) pixels between the new and the old borders: outer, epicardium, inner, endocardium (RAYS,) each."""
    rows, columns = (np.arange(n) - c for n, c in zip(shape, centre, strict=True))
    near = np.nonzero(rows[:, None] ** 2 + columns[None] ** 2 <= borders[0].max() ** 2)
    row, column = rows[near[0]], columns[near[1]]
    radius = np.hypot(row, column)
    ray = (np.arctan2(row, column) % (2 * np.pi)) * (RAYS / (2 * np.pi))
    outer, epi, inner, endo = (np.interp(ray, np.arange(RAYS + 1), np.append(b, b[0])) for b in borders)
    beyond = (radius <= outer) & (radius > epi - 0.5) & (outer > epi)
    within = (radius > inner) & (radius <= endo + 0.5) & (inner < endo) & (radius <= outer)
    result = np.zeros(shape, bool)
    result[near] = beyond | within
    return result
