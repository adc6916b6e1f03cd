"""What the scar network is shown of every slice, and how it looks twice: the second time it sees what it saw the first time.

A lesion as bright as blood or fat is easily cut off the wall on one slice; the slices above and below show where it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .refusal import InputRefused
from .wall_shape import mend_wall

Float32 = npt.NDArray[np.float32]
See = Callable[[Float32], Float32]
# Of a slice: signal; cavity and myocardium of the heart network; cavity, myocardium and scar of the first look.
OF_SLICE = 6
SCAR_INPUTS = 3 * OF_SLICE  # of the slice itself, of the one above, of the one below
SIGNAL = (0, OF_SLICE, 2 * OF_SLICE)
WALLS = tuple(k for k in range(SCAR_INPUTS) if k not in SIGNAL)
FIRST_LOOK = tuple(k for k in range(SCAR_INPUTS) if k % OF_SLICE >= 3)
OLDER_INPUTS = (0, 1, 2, OF_SLICE, 2 * OF_SLICE)  # all that bundles up to 0.8.0 are shown


def above_and_below(stack: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """(S, ...) to the same of the slice above and of the slice below each; at an end the slice itself."""
    return np.concatenate([stack[:1], stack[:-1]]), np.concatenate([stack[1:], stack[-1:]])


def network_image(image: Float32, maps: Float32) -> Float32:
    """Normalised signal (S, 96, 96) and heart maps (S, 3, 96, 96) to the scar network's input (S, 18, 96, 96) before any look.

    The wall that it is shown is the widest that the heart may have; what of it is myocardium is its own to say.
    """
    unseen = np.zeros((len(image), OF_SLICE - 3, *image.shape[1:]), np.float32)
    own = np.concatenate([image[:, None], mend_wall(maps)[:, :2], unseen], 1)
    return np.concatenate([own, *above_and_below(own)], 1).astype(np.float32)


def without_wall(image: Float32) -> Float32:
    """The scar network's input with every wall hidden: it then looks for cavity and wall by itself."""
    image = image.copy()
    image[:, WALLS] = 0
    return image


def with_look(image: Float32, maps: Float32) -> Float32:
    """The scar network's input (S, 18, 96, 96) of a whole stack with the maps (S, >= 3, 96, 96) of a first look shown in it."""
    image, seen = image.copy(), maps[:, : OF_SLICE - 3]
    image[:, FIRST_LOOK] = np.concatenate([seen, *above_and_below(seen)], 1)
    return image


def look_twice(see: See, image: Float32) -> Float32:
    """Mean of the maps (S, 11, 96, 96) of two looks at a stack: one at the signal alone, one at all walls, its own among them.

    The heart network's wall may have lost a lesion as bright as blood or fat; the wall that is not shown cannot.
    """
    first = see(without_wall(image))
    return np.asarray((first + see(with_look(image, first))) / 2, np.float32)


def as_shown_to(see: See, inputs: int) -> See:
    """A scar network of ``inputs`` channels as one of today's: an older bundle's is not shown what it does not know.

    Raises InputRefused('bad-bundle') for any other number.
    """
    if inputs not in (SCAR_INPUTS, len(OLDER_INPUTS)):
        raise InputRefused(
            "bad-bundle", f"The model's scar network takes {inputs} images, this program has {SCAR_INPUTS}."
        )
    return see if inputs == SCAR_INPUTS else lambda image: see(np.ascontiguousarray(image[:, OLDER_INPUTS]))
