"""The wall's borders of a heart whose cavity is contoured.

Epicardium: the strongest edge near the border that a network found.

Bright-blood cine shows the wall's outer edge sharply against fat and RV blood, less so against lung. The border is the
path round the ventricle with the least cost (edge, distance from the network's border, bending), by dynamic programming.
Endocardium: the contours run outside all trabeculae, late enhancement readers draw it between those and the blood.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
RAYS = 96
STEP_PX = 0.5
REACH_PX = 90.0
THINNEST_PX = 2.4  # 3 mm
INWARDS_PX, OUTWARDS_PX = 8.0, 1.5  # from the network's border
EXPECTED_PX = -2.0  # where the edge is expected: a network trained on virtual hearts draws the epicardium too large
PULL, BEND = 0.01, 0.6
EDGE_INTO_LUNG = 0.7  # worth of a falling edge beside a rising one
STRONGEST_EDGE = 0.5  # steps a pixel; more counts no more
MOST_BEND = 4  # radial steps from ray to ray
BLOOD = 0.5  # steps over muscle: where blood ends
TRABECULAE_PX = 5.0  # what lies further inwards is papillary muscle
INWARDS_SHARE = 0.35  # of the way from the contour to the blood
SMOOTH_RAYS = 3.0
FOUND_ORDER, BORDER_ORDER = 4, 6  # harmonics kept of the network's border and of the result

_ANGLE = np.arange(RAYS) * 2 * np.pi / RAYS
_RADIUS = np.arange(0, REACH_PX, STEP_PX)


def epicardium(image: npt.NDArray[np.float32], cavity: Bools, found: Bools) -> Bools:
    """(H, W) signal in blood-myocardium steps, contoured cavity, LV found by a network -> LV with its cavity (H, W)."""
    centre = np.array(ndimage.center_of_mass(cavity))
    endo = _outermost(cavity, centre)
    expected = _smooth(np.maximum(_outermost(found, centre), endo + THINNEST_PX), FOUND_ORDER)
    edges = np.gradient(_polar(ndimage.gaussian_filter(image, 0.6), centre), STEP_PX, axis=0)
    worth = np.minimum(np.abs(edges), STRONGEST_EDGE) * np.where(edges > 0, 1.0, EDGE_INTO_LUNG)
    radius = _RADIUS[:, None]
    cost = PULL * (radius - expected - EXPECTED_PX) ** 2 - worth
    innermost = np.maximum(endo + THINNEST_PX, expected - INWARDS_PX)
    outermost = np.maximum(expected + OUTWARDS_PX, innermost + 1)
    cost[(radius < innermost) | (radius > outermost)] = 1e3
    border = _smooth(_RADIUS[_cheapest_round(cost)], BORDER_ORDER)
    return _within(border, centre, image.shape) | cavity


def endocardium(image: npt.NDArray[np.float32], contoured: Bools) -> Bools:
    """(H, W) signal in blood-myocardium steps, contoured cavity -> the cavity without the outer part of its trabeculae."""
    centre = np.array(ndimage.center_of_mass(contoured))
    contour = _outermost(contoured, centre)
    near = (_RADIUS[:, None] >= contour - TRABECULAE_PX) & (_RADIUS[:, None] <= contour)
    bright = near & (_polar(ndimage.gaussian_filter(image, 0.5), centre) >= BLOOD)
    blood = np.where(bright, _RADIUS[:, None], contour - TRABECULAE_PX).max(0)
    border = ndimage.gaussian_filter1d(contour - INWARDS_SHARE * (contour - blood), SMOOTH_RAYS, mode="wrap")
    return _within(border, centre, image.shape) & contoured


def _within(border: Floats, centre: Floats, shape: tuple[int, ...]) -> Bools:
    """Mask (H, W) of what lies within a border (rays,) about a centre."""
    rows, columns = np.indices(shape)
    angle = np.arctan2(centre[0] - rows, columns - centre[1]) % (2 * np.pi)
    reach = np.interp(angle, np.append(_ANGLE, 2 * np.pi), np.append(border, border[0]))
    return np.asarray(np.hypot(rows - centre[0], columns - centre[1]) <= reach, bool)


def _polar(image: npt.NDArray[np.floating], centre: Floats) -> Floats:
    """(radii, rays) of an image about a centre (row, column)."""
    rows, columns = centre[0] - _RADIUS[:, None] * np.sin(_ANGLE), centre[1] + _RADIUS[:, None] * np.cos(_ANGLE)
    return np.asarray(ndimage.map_coordinates(image, [rows, columns], order=1, mode="nearest"), np.float64)


def _outermost(mask: Bools, centre: Floats) -> Floats:
    """(rays,) largest radius at which a mask is met, 0 where it is not."""
    inside = _polar(mask.astype(np.float32), centre) > 0.5
    return np.asarray(np.where(inside, _RADIUS[:, None], 0).max(0), np.float64)


def _smooth(radius: Floats, order: int) -> Floats:
    waves = np.fft.rfft(radius)
    waves[order + 1 :] = 0
    return np.fft.irfft(waves, RAYS)


def _cheapest_round(cost: Floats) -> npt.NDArray[np.int64]:
    """(radii, rays) -> (rays,) radial index; two turns, of which the middle one is kept, so that the ends meet."""
    turns = np.tile(np.arange(RAYS), 2)
    bends = np.arange(-MOST_BEND, MOST_BEND + 1)
    total, came_from = cost[:, 0].copy(), []
    for ray in turns[1:]:
        choices = np.stack([np.roll(total, bend) + BEND * (bend * STEP_PX) ** 2 for bend in bends])
        came_from.append(choices.argmin(0))
        total = choices.min(0) + cost[:, ray]
    path = [int(total.argmin())]
    for choice in reversed(came_from):
        path.append((path[-1] - int(bends[choice[path[-1]]])) % len(cost))
    whole = np.array(path[::-1])
    return np.roll(whole[RAYS // 2 : RAYS // 2 + RAYS], RAYS // 2)
