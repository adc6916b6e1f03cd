"""Apply a drawn patient: parameters -> labels -> signal -> acquired image, as batched torch operations.

All slices of a patient are rendered together, on the CPU or a GPU. Random textures come from the patient's own seed,
so the same patient and grid always give the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .patient import ANGLES, TISSUE, Patient, Scar

LABELS = {"background": 0, "cavity": 1, "myocardium": 2, "scar": 3, "no_reflow": 4, "rv": 5}


@dataclass(frozen=True)
class Pose:
    """How the heart lies in the pixel grid: heart frame -> image; mm and radians.

    ``shift`` is the heart's place relative to the image's middle (x to the right, y down), ``stretch`` scales x and y.
    """

    rows: int
    columns: int
    row_mm: float
    column_mm: float
    turn: float = 0.0
    mirrored: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    stretch: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Rendered:
    """Signal (S, H, W), labels (S, H, W) uint8, wall depth 0 endocardium .. 1 epicardium and angle (S, H, W)."""

    image: Tensor
    labels: Tensor
    depth: Tensor
    angle: Tensor


class _Fields:
    """Smooth random fields (S, H, W) of unit SD from one seed; ``knots`` sets the smoothness over 224 mm."""

    def __init__(self, seed: int, slices: int, pose: Pose, device: torch.device) -> None:
        self.generator = torch.Generator("cpu").manual_seed(seed)
        self.slices, self.pose, self.device = slices, pose, device

    def __call__(self, knots: float) -> Tensor:
        rows = max(round(knots * self.pose.rows * self.pose.row_mm / 224), 2)
        columns = max(round(knots * self.pose.columns * self.pose.column_mm / 224), 2)
        coarse = torch.randn(self.slices, 1, rows + 2, columns + 2, generator=self.generator).to(self.device)
        fine = functional.interpolate(
            coarse, size=(self.pose.rows, self.pose.columns), mode="bilinear", align_corners=True
        )
        return fine[:, 0] * 1.4

    def white(self) -> Tensor:
        return torch.randn(self.slices, self.pose.rows, self.pose.columns, generator=self.generator).to(self.device)


def blur(image: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur of (S, H, W) in plane, edges repeated."""
    radius = max(1, int(np.ceil(2.5 * sigma_px)))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=image.device) / max(sigma_px, 1e-3)) ** 2)
    taps = taps / taps.sum()
    padded = functional.pad(image[:, None], (radius,) * 4, mode="replicate")
    return functional.conv2d(functional.conv2d(padded, taps[None, None, None]), taps[None, None, :, None])[:, 0]


def render(patient: Patient, pose: Pose, device: torch.device | str = "cpu") -> Rendered:
    """All slices of a patient on one grid: place, label, colour, acquire."""
    device = torch.device(device)
    fields = _Fields(patient.seed, len(patient.anatomy.s), pose, device)
    heart_x, heart_y, body_x, body_y = _heart_coordinates(patient, pose, fields)
    radius, angle = torch.sqrt(heart_x**2 + heart_y**2) + 1e-3, torch.atan2(heart_y, heart_x)
    tissue = _label_body(patient, body_x, body_y, fields)
    tissue, labels, depth = _label_heart(patient, tissue, heart_x, heart_y, radius, angle, fields)
    scar, core = _place_scars(patient, labels, depth, heart_x, heart_y, radius, angle, pose)
    image = _chemical_shift(patient, _colour(patient, tissue, labels, angle, scar, core, fields), tissue)
    image = _acquire(patient, image, body_x, body_y, fields)
    labels = torch.where(core, LABELS["no_reflow"], torch.where(scar, LABELS["scar"], labels)).to(torch.uint8)
    return Rendered(image, labels, depth, angle)


def _heart_coordinates(patient: Patient, pose: Pose, fields: _Fields) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    device = fields.device
    x = (torch.arange(pose.columns, device=device) - (pose.columns - 1) / 2) * pose.column_mm - pose.shift[0]
    y = (torch.arange(pose.rows, device=device) - (pose.rows - 1) / 2) * pose.row_mm - pose.shift[1]
    slow, fast = patient.scan.warp_mm
    warp_x, warp_y = (fields(6) * slow + fields(16) * fast for _ in range(2))
    calm = torch.clamp(torch.sqrt(x[None, :] ** 2 + y[:, None] ** 2) / 40, 0.25, 1)  # the heart itself is warped less
    image_x = x[None, None, :] * pose.stretch[0] + warp_x * calm
    image_y = y[None, :, None] * pose.stretch[1] + warp_y * calm
    sign = -1.0 if pose.mirrored else 1.0
    cos, sin = float(np.cos(pose.turn)), float(np.sin(pose.turn))
    heart_x, heart_y = (image_x * cos + image_y * sin) * sign, -image_x * sin + image_y * cos
    return heart_x, heart_y, heart_x + warp_x, heart_y + warp_y


def _label_body(patient: Patient, x: Tensor, y: Tensor, fields: _Fields) -> Tensor:
    body = patient.body
    tissue = torch.full(x.shape, TISSUE["lung"], dtype=torch.long, device=x.device)
    wobble = fields(4) * 8
    if body.lung_vessels < 9:
        tissue[fields(28) > body.lung_vessels] = TISSUE["vessel"]
    if body.liver is not None:
        along, across = _turned(x, y, body.liver[0])
        liver = along + wobble - across**2 * body.liver[2] > body.liver[1]
        tissue[liver] = TISSUE["liver"]
        tissue[liver & (fields(16) > 1.8)] = TISSUE["vessel"]
    if body.mediastinum is not None:
        tissue[_turned(x, y, body.mediastinum[0])[0] + wobble > body.mediastinum[1]] = TISSUE["mediastinum"]
    for ex, ey, a, b, turn, number, hollow in body.ellipses.tolist():
        along, across = _turned(x - ex, y - ey, turn)
        distance = (along / a) ** 2 + (across / b) ** 2
        tissue[distance < 1] = int(hollow if hollow >= 0 else number)
        if hollow >= 0:  # a ring that is no heart
            tissue[distance < 0.45] = int(number)
    if body.chest is not None:
        direction, distance, curvature, muscle_mm, fat_mm = body.chest
        along, across = _turned(x, y, direction)
        beyond = along + wobble * 0.7 + across**2 * -curvature - distance
        tissue[beyond > 0] = TISSUE["muscle"]
        rib = ((across % 26) - 13) ** 2 / 50 + ((beyond - muscle_mm / 2) / (muscle_mm * 0.38 + 1)) ** 2 < 1
        tissue[rib & (beyond > 0)] = TISSUE["bone"]
        tissue[beyond > muscle_mm] = TISSUE["fat"]
        tissue[beyond > muscle_mm + fat_mm] = TISSUE["air"]
    return tissue


def _turned(x: Tensor, y: Tensor, direction: float) -> tuple[Tensor, Tensor]:
    cos, sin = float(np.cos(direction)), float(np.sin(direction))
    return x * cos + y * sin, -x * sin + y * cos


def _profile(values: np.ndarray, angle: Tensor) -> Tensor:
    """(S, 360) polar profile at (S, H, W) angles, linear between samples."""
    table = torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(angle.device)
    position = (angle * (ANGLES / (2 * np.pi))) % ANGLES
    low = position.long() % ANGLES
    weight = position - position.floor()
    flat = low.flatten(1)
    first = torch.gather(table, 1, flat).view_as(angle)
    return first + (torch.gather(table, 1, (flat + 1) % ANGLES).view_as(angle) - first) * weight


def _label_heart(
    patient: Patient, tissue: Tensor, x: Tensor, y: Tensor, radius: Tensor, angle: Tensor, fields: _Fields
) -> tuple[Tensor, Tensor, Tensor]:
    a = patient.anatomy
    epi, endo = _profile(a.epi, angle), _profile(a.endo, angle)
    rv, wall, fat = _profile(a.rv, angle), _profile(a.rv_wall, angle), _profile(a.fat, angle)
    outside = epi + rv + wall
    tissue = torch.where(radius < outside + fat + a.pericardium_mm, TISSUE["pericardium"], tissue)
    tissue = torch.where(radius < outside + fat, TISSUE["epicardial_fat"], tissue)
    tissue = torch.where(radius < outside, TISSUE["rv_wall"], tissue)
    in_rv = (radius < epi + rv) & (radius >= epi)
    rough = fields(28)
    tissue = torch.where(
        in_rv,
        torch.where((rough > a.rv_roughness) & (radius > epi + rv * 0.3), TISSUE["rv_wall"], TISSUE["rv"]),
        tissue,
    )
    cavity, myocardium = radius < endo, (radius < epi) & (radius >= endo)
    tissue = torch.where(myocardium, TISSUE["myocardium"], torch.where(cavity, TISSUE["cavity"], tissue))
    muscle = radius > endo - _profile(a.trabeculae, angle)
    depth_mm, sparse = a.meshwork
    if depth_mm:
        muscle = muscle | ((radius > endo - depth_mm) & (fields(60) > sparse))
    for p in range(a.papillary.shape[1]):
        where, distance, radial, tangential = (
            torch.from_numpy(v).to(x.device)[:, None, None] for v in a.papillary[:, p].T.copy()
        )
        along = x * torch.cos(where) + y * torch.sin(where) - distance
        across = -x * torch.sin(where) + y * torch.cos(where)
        muscle = muscle | ((along / (radial + 1e-3)) ** 2 + (across / (tangential + 1e-3)) ** 2 < 1)
    tissue = torch.where(cavity & muscle, TISSUE["papillary"], tissue)
    recess, rareness = a.recesses
    if recess:
        inner = myocardium & (radius < endo + recess * (epi - endo))
        tissue = torch.where(inner & (fields(60) > rareness), TISSUE["cavity"], tissue)
    gap_at, gap_width = (torch.from_numpy(v.copy()).to(x.device)[:, None, None] for v in a.outflow.T)
    gap = myocardium & (torch.remainder(angle - gap_at + np.pi, 2 * np.pi) - np.pi).abs().lt(gap_width)
    tissue = torch.where(gap, TISSUE["atrium"], tissue)
    labels = torch.where(cavity, LABELS["cavity"], torch.where(myocardium & ~gap, LABELS["myocardium"], 0))
    labels = torch.where(in_rv, LABELS["rv"], labels)
    return tissue, labels, (radius - endo) / (epi - endo + 1e-3)


def _place_scars(
    patient: Patient, labels: Tensor, depth: Tensor, x: Tensor, y: Tensor, radius: Tensor, angle: Tensor, pose: Pose
) -> tuple[Tensor, Tensor]:
    """Masks of scar (with its dark core) and of the core alone."""
    scar = torch.zeros_like(labels, dtype=torch.bool)
    core = torch.zeros_like(scar)
    for item in patient.scars:
        mask, dark = _one_scar(item, patient, depth, x, y, angle, pose)
        scar, core = scar | mask, core | dark
    scar = scar & (labels == LABELS["myocardium"])
    return scar, core & scar


def _one_scar(
    scar: Scar, patient: Patient, depth: Tensor, x: Tensor, y: Tensor, angle: Tensor, pose: Pose
) -> tuple[Tensor, Tensor]:
    s = torch.from_numpy(patient.anatomy.s).to(x.device)[:, None, None]
    low, high = scar.levels
    fields = _Fields(scar.seed, len(s), pose, x.device)
    jitter = _profile(scar.jitter, angle) + fields(28) * 0.07
    along = ((s - (low + high) / 2) / ((high - low) / 2)).abs()
    envelope = torch.clamp(1 - along**3, 0, 1)
    half_width = scar.half_width * (1 + scar.widening * torch.clamp(s, 0, 1) ** 2)
    away = (torch.remainder(angle - scar.angle - scar.drift * (s - 0.5) + np.pi, 2 * np.pi) - np.pi).abs() / half_width
    share = torch.clamp(1 - away**scar.power, 0, 1) * envelope
    inside = (away < 1) & (along < 1)
    none = torch.zeros_like(depth, dtype=torch.bool)
    if scar.kind == "ischaemic":
        reach = scar.depth * share + jitter * (share > 0)
        mask = inside & (depth < reach)
        dark = mask & (away < 0.7) & (depth < reach * scar.no_reflow) & (depth > 0.08) if scar.no_reflow else none
        return mask, dark
    if scar.kind == "mid-wall":
        return inside & ((depth - scar.centre - 0.5 * jitter).abs() < scar.thickness * (0.4 + 0.6 * share)), none
    if scar.kind == "subepicardial":
        return inside & (depth > 1 - scar.depth * share - 0.5 * jitter), none
    if scar.kind == "insertion-point":
        mask = none
        for number, where in enumerate(patient.anatomy.rvip):
            if number == scar.seed % 3:  # one of three: anterior only, inferior only, both
                continue
            size = 2.5 + 4 * scar.centre * (1 - 0.5 * scar.thickness)
            distance = _profile(patient.anatomy.epi, torch.full_like(angle, where)) - size * 0.7
            near = (x - distance * np.cos(where)) ** 2 + (y - distance * np.sin(where)) ** 2
            mask = mask | (near < size**2 * (1 + 2 * jitter)) & (along < 1)
        return mask, none
    if scar.kind == "patchy":
        return (fields(12) + 0.4 * fields(28) > 0.9) & (away < 1.3) & (along < 1), none
    return (depth < scar.depth + jitter) & (along < 1), none


def _base_volume(patient: Patient, angle: Tensor) -> Tensor:
    """(S, H, W) share of blood that a basal wall holds by partial volume, falling off smoothly along the wall."""
    where, width, share = (
        torch.from_numpy(v.copy()).to(angle.device)[:, None, None] for v in patient.anatomy.base_volume.T
    )
    away = (torch.remainder(angle - where + np.pi, 2 * np.pi) - np.pi).abs() / (width + 1e-3)
    return share * torch.clamp(1 - away**2, 0, 1)


def _colour(
    patient: Patient, tissue: Tensor, labels: Tensor, angle: Tensor, scar: Tensor, core: Tensor, fields: _Fields
) -> Tensor:
    scan = patient.scan
    signal, texture = (torch.from_numpy(v).to(tissue.device) for v in (scan.signal, scan.texture))
    s = torch.from_numpy(patient.anatomy.s).to(tissue.device)[:, None, None]
    image = signal[tissue] + texture[tissue] * (fields(50) * 0.6 + fields(28) * 0.6)
    image = image - (tissue == TISSUE["cavity"]) * (s > 0.75) * scan.apex_blood_loss * scan.step
    image = image + (tissue == TISSUE["myocardium"]) * _base_volume(patient, angle) * scan.step
    if scan.inhomogeneity:
        image = image + (tissue == TISSUE["myocardium"]) * fields(4) * scan.step * scan.inhomogeneity
    if patient.scars:
        amount = torch.where(core, scan.no_reflow_contrast, scar.float())
        heart = (labels == LABELS["myocardium"]) | (labels == LABELS["cavity"])
        amount = blur(amount, scan.partial_volume_px) * heart
        gain = scan.scar_contrast * abs(scan.step) * (1 + scan.scar_texture * fields(28))
        image = image + amount * gain * (labels == LABELS["myocardium"])
    return image


def _chemical_shift(patient: Patient, image: Tensor, tissue: Tensor) -> Tensor:
    """Fat is displaced along one axis: signal is lost where it leaves water."""
    depth = patient.scan.chemical_shift
    if not depth:
        return image
    fat = (tissue == TISSUE["fat"]) | (tissue == TISSUE["epicardial_fat"])
    lost = fat & ~torch.roll(fat, 1 if patient.seed % 2 else -1, 1 + patient.seed // 2 % 2)
    return image - lost * abs(patient.scan.step) * depth


def _acquire(patient: Patient, image: Tensor, x: Tensor, y: Tensor, fields: _Fields) -> Tensor:
    scan = patient.scan
    deviation, slope, direction = scan.bias
    far = torch.clamp(_turned(x, y, direction)[0], -110, 110)
    image = blur(image * torch.exp(fields(3) * deviation + far * slope), scan.blur_px)
    share, pixels = scan.ghost
    if share:
        image = image + share * (torch.roll(image, int(pixels), 1) - image.mean((1, 2), keepdim=True))
    scale = scan.noise / max(0.25, 1 / (1 + 2.5 * scan.noise_blur_px))  # blurring takes the noise down again
    image = image + blur(fields.white(), scan.noise_blur_px) * scale
    if not scan.psir:
        image = torch.sqrt(image**2 + (blur(fields.white(), scan.noise_blur_px) * scale) ** 2)
    strength, width_px = scan.sharpening
    if strength:
        image = image + strength * (image - blur(image, width_px))
    offset = (scan.slice_offset - scan.slice_offset.min()) * abs(scan.step)
    gain, offset = (torch.from_numpy(v).to(image.device)[:, None, None] for v in (scan.slice_gain, offset))
    return _window(image, *scan.window) * gain + offset


def _window(image: Tensor, low_percent: float, high_percent: float, gamma: float) -> Tensor:
    """Clip the study to its percentiles and bend its grey scale, as an exported window does."""
    if (low_percent, high_percent, gamma) == (0.0, 100.0, 1.0):
        return image
    every = image[:, ::3, ::3].flatten()
    low, high = (float(torch.quantile(every, p / 100)) for p in (low_percent, high_percent))
    span = max(high - low, 1e-6)
    return ((image - low) / span).clamp(0, 1) ** gamma * span + low
