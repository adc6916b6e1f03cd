"""Training samples of the two image networks, made from virtual patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from LGETextDetectLib.looks import FIRST_LOOK, OF_SLICE, SCAR_INPUTS, WALLS, network_image, with_look, without_wall
from LGETextDetectLib.normalised import PIXEL_MM, SIZE, scale_to_heart
from LGETextDetectLib.patches import PATCH_MM, PATCH_SIZE, normalise_patch, resample_separably
from scipy import ndimage

from . import phantom, truth
from .diagnostic import draw_clinical
from .harder_hearts import harder
from .network import HeartGraph, ScarSight, heart_network, one_look
from .patient import Patient, draw
from .precision import mixed_precision

Sample = dict[str, npt.NDArray[np.generic]]
Make = Callable[[np.random.Generator], Sample]
Heart = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
NO_HEART = 0.05
SCAR_LOST = 0.5
CLINICAL_SHARE = 0.3  # of the image networks' patients
SEEN_SHARE = 0.6  # of the refined samples; the others keep the network fit for masks of other origin
TRAINED_KINDS = (0.36, 0.14, 0.32, 0.06, 0.06, 0.06)  # of the scar samples: subepicardial scar is the hardest to learn
ALONE_SHARE = 0.3  # of the scar samples' slices: the network finds the wall by itself, as for the first look
HEART_HIDDEN, LOOK_HIDDEN = 0.07, 0.035  # of the slices: one of the two walls is not there
END_SHARE = 0.1  # of the slices for either side: the stack ends here, for all that the network knows
SLICE_SHIFT_PX = 1  # by which a breath-hold moves the slices above and below
HEART_WALL = tuple(k for k in range(SCAR_INPUTS) if k % OF_SLICE in (1, 2))
HEART_OF_LABEL = np.array([0, 1, 2, 2, 2, 3], np.uint8)


def _frame(
    rng: np.random.Generator, image: npt.NDArray[np.float32], heart: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Crop the field of view as real exports do: edges repeated in ``image`` (S, H, W), in place; mask of what is left."""
    size = image.shape[-1]
    inside = np.argwhere((heart == 1) | (heart == 2))
    seen = np.ones(image.shape[1:], bool)
    if rng.random() < 0.35 and len(inside):
        low = np.maximum(inside[:, 1:].min(0) - rng.integers(3, 45, 2), 0)
        high = np.minimum(inside[:, 1:].max(0) + rng.integers(3, 45, 2), size - 1)
        rows, columns = (np.clip(np.arange(size), a, b) for a, b in zip(low, high, strict=True))
        image[:] = image[:, rows][:, :, columns]
        seen = (rows == np.arange(size))[:, None] & (columns == np.arange(size))[None]
    return seen


def heart_samples(rng: np.random.Generator) -> Sample:
    """Slices of one patient anywhere in the frame: image (S, 2, 160, 160) float16, labels (S, 160, 160) uint8."""
    patient = harder(rng, draw_clinical(rng) if rng.random() < CLINICAL_SHARE else draw(rng))
    away = 1.0 if rng.random() > NO_HEART else 4.0  # some frames show no heart at all
    pose = phantom.Pose(
        PATCH_SIZE, PATCH_SIZE, PATCH_MM, PATCH_MM, turn=rng.uniform(0, 2 * np.pi), mirrored=bool(rng.random() < 0.5),
        shift=tuple(away * rng.uniform(-58, 58, 2)), stretch=tuple(rng.uniform(0.88, 1.12, 2)),
    )  # fmt: skip
    rendered = phantom.render(patient, pose)
    image = rendered.image.numpy()
    labels = rendered.labels.numpy()
    labels[:, ~_frame(rng, image, HEART_OF_LABEL[labels])] = 0
    network = normalise_patch(image)
    network[:, 0] = network[:, 0] * np.exp(rng.normal(-0.1, 0.3)) + rng.normal(0, 0.25)
    return {"image": network.astype(np.float16), "labels": labels}


def soften_masks(
    rng: np.random.Generator, labels: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """True labels (S, H, W) -> cavity, myocardium, RV probabilities (S, 3, H, W) with errors like the heart network's."""
    truth = _lose_scar(rng, labels, depth)
    result = np.zeros((len(labels), 3, *labels.shape[1:]), np.float32)
    inner_error, outer_error = rng.normal(0.2, 0.6), rng.normal(0.1, 0.6)
    for number, heart in enumerate(truth):
        wobble = ndimage.gaussian_filter(rng.standard_normal(heart.shape).astype(np.float32), 8)
        wobble *= rng.uniform(0, 1.2) / max(float(wobble.std()), 1e-6)
        inner, outer = (_distance(mask) for mask in (heart == 1, (heart == 1) | (heart == 2)))
        cavity = 1 / (1 + np.exp(np.clip((inner + wobble + inner_error + rng.normal(0, 0.3)) / 0.6, -30, 30)))
        filled = 1 / (1 + np.exp(np.clip((outer + wobble[::-1] + outer_error + rng.normal(0, 0.3)) / 0.6, -30, 30)))
        result[number] = cavity, np.clip(filled - cavity, 0, 1), heart == 3
    return result


def _lose_scar(
    rng: np.random.Generator, labels: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """Heart classes of labels; in some patients parts of the scar are taken for cavity or for fat, as on real images."""
    heart = HEART_OF_LABEL[labels]
    if rng.random() < SCAR_LOST:
        field = ndimage.gaussian_filter(rng.standard_normal(labels.shape).astype(np.float32), (1, 6, 6))
        lost = (labels == 3) & (field > rng.uniform(-1, 1) * field.std())
        heart[lost] = np.where(depth[lost] < 0.5, 1, 0)
    return heart


def _distance(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Signed distance in pixels, negative inside; far away when the mask is empty."""
    if not mask.any():
        return np.full(mask.shape, 30, np.float32)
    return np.asarray(ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask), np.float32)


def heart_maps(rng: np.random.Generator, image: npt.NDArray[np.float32], heart: Heart) -> npt.NDArray[np.float32]:
    """Frames (S, 96, 96) -> cavity, myocardium, RV (S, 3, 96, 96) as the heart network sees them.

    The frame is shown to it turned by quarters at random, on its own pixels, edges repeated as for a cropped export.
    """
    to_patch = _centred(PATCH_SIZE) * (PATCH_MM / PIXEL_MM) + (SIZE - 1) / 2
    to_frame = _centred(SIZE) * (PIXEL_MM / PATCH_MM) + (PATCH_SIZE - 1) / 2
    quarters = int(rng.integers(4))
    patches = np.stack([np.rot90(resample_separably(slice_, to_patch, to_patch), quarters) for slice_ in image])
    seen = np.rot90(heart(normalise_patch(patches)), -quarters, (2, 3))
    return np.stack([[resample_separably(c, to_frame, to_frame) for c in channels[1:]] for channels in seen])


def _centred(count: int) -> npt.NDArray[np.float64]:
    """(count,) pixel places counted from the middle."""
    return np.asarray(np.arange(count) - (count - 1) / 2, np.float64)


def normalised_patient(
    rng: np.random.Generator, patient: Patient, heart: Heart | None = None
) -> tuple[npt.NDArray[np.float32], phantom.Rendered]:
    """A patient in the normalised frame with landmark errors: network input (S, 18, 96, 96) and what was rendered.

    The heart's maps come from ``heart``, or without it from the truth with drawn errors.
    """
    pose = phantom.Pose(
        SIZE, SIZE, PIXEL_MM, PIXEL_MM, turn=rng.normal(0, 0.14), shift=tuple(rng.normal(0, 1.6, 2)),
        stretch=tuple(rng.uniform(0.9, 1.1, 2)),
    )  # fmt: skip
    rendered = phantom.render(patient, pose)
    signal = rendered.image.numpy()
    if heart:
        maps = heart_maps(rng, signal, heart)
    else:
        maps = soften_masks(rng, rendered.labels.numpy(), rendered.depth.numpy())
    image = scale_to_heart(signal, maps)
    image = image * np.exp(rng.normal(0, 0.08)) + rng.normal(0, 0.05)
    return network_image(image, maps), rendered


def scar_samples(rng: np.random.Generator, heart: Heart | None = None, look: ScarSight | None = None) -> Sample:
    """Slices of one patient in the normalised frame: image (S, 18, 96, 96) float16, labels and layer (S, 96, 96) uint8.

    ``heart`` gives the heart's maps and ``look`` those of a first look at the stack, if they are there yet.
    """
    clinical = rng.random() < CLINICAL_SHARE
    patient = harder(rng, draw_clinical(rng, 0.6, TRAINED_KINDS) if clinical else draw(rng, 0.72, TRAINED_KINDS))
    image, rendered = normalised_patient(rng, patient, heart)
    labels, angle, position = rendered.labels.numpy(), rendered.angle.numpy(), patient.anatomy.s
    finding = truth.describe(patient, labels, angle, PIXEL_MM**2).finding
    return {
        "image": disturbed(rng, seen_before(image, look)).astype(np.float16), "labels": labels,
        "layer": truth.layer_labels(finding, position, labels, angle),
    }  # fmt: skip


def seen_before(image: npt.NDArray[np.float32], look: ScarSight | None) -> npt.NDArray[np.float32]:
    """A stack's input (S, 18, 96, 96) with a first look of ``look`` in it."""
    return image if look is None else with_look(image, look(without_wall(image)))


def disturbed(rng: np.random.Generator, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Network input (S, 18, 96, 96) as it also comes: neighbours shifted by another breath-hold or not there, walls hidden."""
    image = image.copy()
    for slice_ in image:
        own, *neighbours = (slice_[k : k + OF_SLICE] for k in range(0, SCAR_INPUTS, OF_SLICE))
        for neighbour in neighbours:
            moved_by = rng.integers(-SLICE_SHIFT_PX, SLICE_SHIFT_PX + 1, 2)
            neighbour[:] = own if rng.random() < END_SHARE else np.roll(neighbour, moved_by, (1, 2))
        chance = rng.random() - ALONE_SHARE
        for share, hidden in ((0.0, WALLS), (HEART_HIDDEN, HEART_WALL), (HEART_HIDDEN + LOOK_HIDDEN, FIRST_LOOK)):
            if chance < share:
                slice_[list(hidden)] = 0
                break
    return image


class EarlierNetworks:
    """The networks of earlier stages, through which samples are seen; travels to worker processes, which make them at need."""

    def __init__(self, heart: Mapping[str, torch.Tensor], scar: Mapping[str, torch.Tensor] | None) -> None:
        self._states = [{key: value.cpu() for key, value in state.items()} for state in (heart, scar or {})]

    def __getstate__(self) -> dict[str, object]:
        return {"_states": self._states}

    @cached_property
    def heart(self) -> Heart:
        """Patches (S, 2, 160, 160) -> probabilities (S, 4, 160, 160)."""
        return trained_heart(self._states[0])

    @cached_property
    def look(self) -> ScarSight | None:
        """One look of the scar network: (S, 18, 96, 96) -> maps (S, 11, 96, 96); None where it is not trained yet."""
        return one_look(self._states[1]) if self._states[1] else None


class SeenSamples:
    """Scar samples with a first look in them, of which most come with the maps of a trained heart network."""

    def __init__(self, networks: EarlierNetworks) -> None:
        self.networks = networks

    def __call__(self, rng: np.random.Generator) -> Sample:
        return scar_samples(rng, self.networks.heart if rng.random() < SEEN_SHARE else None, self.networks.look)


def trained_heart(state: Mapping[str, torch.Tensor]) -> Heart:
    """The heart network as a function of numpy patches (S, 2, 160, 160) -> probabilities (S, 4, 160, 160)."""
    network = heart_network()
    network.load_state_dict({key: value.cpu() for key, value in state.items()})
    graph = HeartGraph(network.to(memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]

    def see(patches: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        batch = torch.from_numpy(np.ascontiguousarray(patches)).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), mixed_precision("cpu"):
            return np.asarray(graph(batch).float().numpy(), np.float32)

    return see
