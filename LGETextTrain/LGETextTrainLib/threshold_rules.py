"""Scar by intensity threshold inside the predicted myocardium: n standard deviations and full width at half maximum.

The rules readers use (Kim et al., Circulation 1999;100:1992, 2 SD; Bondarenko et al., J Cardiovasc Magn Reson 2005;7:481,
n SD; Amado et al., J Am Coll Cardiol 2004;44:2383, FWHM; compared by Flett et al., JACC Cardiovasc Imaging 2011;4:150),
made automatic: no reader draws the remote region or chooses the hyperenhanced one. Our own code.

Remote myocardium: on each slice the 60-degree sector of the wall with the lowest mean signal, out of 12 that start 30
degrees apart. Half maximum: half way between the mean of the remote region and the study's brightest myocardium (99th
percentile, so that one pixel of fat does not decide).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import aha
from LGETextDetectLib.normalised import PIXEL_MM, NormalisedStack
from scipy import ndimage

SDS = (2, 3, 4, 5, 6)
SECTOR_DEG, START_EVERY_DEG = 60, 30
MIN_REMOTE_PIXELS = 15  # 23 mm2 of wall: fewer give no standard deviation
MIN_WALL_PIXELS = 40  # less myocardium on a slice is no short-axis wall
BRIGHTEST_PERCENT = 99.0

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RuleScore:
    """How much a rule calls scar: share of the myocardium, and the largest piece on any slice in mm2."""

    share: float
    piece_mm2: float


@dataclass(frozen=True)
class Remote:
    """Mean and standard deviation of the remote myocardium of one slice."""

    mean: float
    sd: float


def rule_scores(stack: NormalisedStack, myocardium: npt.NDArray[np.float32]) -> dict[str, RuleScore]:
    """Scores of all rules by name ('2sd' .. '6sd', 'fwhm'); zeros where no myocardium, (S, 96, 96) probability, was found."""
    walls = [_wall(myocardium[k], float(place)) for k, place in enumerate(stack.position)]
    remotes = {
        k: remote
        for k, wall in enumerate(walls)
        if wall.sum() >= MIN_WALL_PIXELS and (remote := find_remote(stack.image[k], wall)) is not None
    }
    if not remotes:
        return {name: RuleScore(0.0, 0.0) for name in rule_names()}
    brightest = float(np.percentile(np.concatenate([stack.image[k][walls[k]] for k in remotes]), BRIGHTEST_PERCENT))
    cuts: dict[str, Callable[[Remote], float]] = {f"{n}sd": _n_sd(n) for n in SDS}
    cuts["fwhm"] = lambda remote: (remote.mean + brightest) / 2
    return {
        name: _score({k: (stack.image[k] > cut(remote)) & walls[k] for k, remote in remotes.items()}, walls)
        for name, cut in cuts.items()
    }


def rule_names() -> tuple[str, ...]:
    """Names of the rules in the order of the tables."""
    return (*(f"{n}sd" for n in SDS), "fwhm")


def find_remote(signal: npt.NDArray[np.float32], wall: Mask) -> Remote | None:
    """The darkest 60-degree sector of a wall (96, 96); None when no sector holds enough pixels."""
    angle = aha.frame_angles(signal.shape)[wall]
    pixels = signal[wall].astype(float)
    best: Remote | None = None
    for start in range(0, 360, START_EVERY_DEG):
        inside = pixels[np.mod(angle - start, 360) < SECTOR_DEG]
        if len(inside) >= MIN_REMOTE_PIXELS and (best is None or inside.mean() < best.mean):
            best = Remote(float(inside.mean()), float(inside.std()))
    return best


def _n_sd(n: int) -> Callable[[Remote], float]:
    return lambda remote: remote.mean + n * remote.sd


def _wall(myocardium: npt.NDArray[np.float32], position: float) -> Mask:
    """Predicted myocardium of a slice; none outside the LV."""
    return np.asarray((myocardium > 0.5) & (0 <= position <= 1), np.bool_)


def _score(scars: dict[int, Mask], walls: list[Mask]) -> RuleScore:
    total = sum(int(walls[k].sum()) for k in scars)
    return RuleScore(
        sum(int(scar.sum()) for scar in scars.values()) / max(total, 1),
        max(largest_piece(scar) for scar in scars.values()) * PIXEL_MM**2,
    )


def largest_piece(mask: Mask) -> int:
    """Pixels of the largest connected piece (edges and corners connect) of a mask; 0 when it is empty."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    return int(np.bincount(labels.ravel())[1:].max()) if count else 0
