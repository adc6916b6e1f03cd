"""Draw a virtual patient: every number of its heart, scar, body and scan, from one Generator.

The heart lives in its own short-axis frame: x to the lateral wall, y to the inferior wall (mm), seen from the
apex with the septum on the left; angle 0 points lateral and grows towards inferior. Long-axis position ``s`` is 0 at
the base of the LV and 1 at its apex. Nothing here touches a pixel: :mod:`phantom` applies what is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

ANGLES = 360  # samples of every polar profile
THETA = np.arange(ANGLES) / ANGLES * 2 * np.pi
LEAN_SHARE = 0.5  # of the hearts
SCAR_KINDS = ("ischaemic", "mid-wall", "subepicardial", "insertion-point", "patchy", "diffuse")
SCAR_SHARES = (0.47, 0.16, 0.17, 0.07, 0.07, 0.06)
TISSUES = (
    "air lung muscle fat liver stomach vessel spine bone cavity papillary myocardium no_reflow rv rv_wall "
    "epicardial_fat pericardium mediastinum atrium"
).split()
TISSUE = {name: number for number, name in enumerate(TISSUES)}
T1_MS = {  # post-contrast, 10-15 min, 1.5 T
    "muscle": (420, 620), "fat": (220, 290), "liver": (330, 470), "stomach": (300, 1200), "vessel": (290, 390),
    "spine": (300, 700), "bone": (250, 700), "cavity": (280, 380), "myocardium": (400, 530), "no_reflow": (380, 520),
    "pericardium": (260, 500), "mediastinum": (260, 500), "lung": (300, 700), "air": (300, 700),
}  # fmt: skip

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Polar profiles (S, 360) in mm over the slices at ``s`` (S,); ``rvip`` = anterior, inferior angle (rad)."""

    s: Array
    epi: Array
    endo: Array
    rv: Array
    rv_wall: Array
    fat: Array
    trabeculae: Array
    meshwork: tuple[float, float]  # depth (mm) below the endocardium of a broken layer of trabeculae, and its density
    recesses: tuple[float, float]  # depth (share of the wall) and rareness of blood between trabeculae, seen as wall
    rv_roughness: float  # threshold of the RV's trabeculae, lower = more
    pericardium_mm: float
    rvip: tuple[float, float]
    papillary: Array  # (S, P, 4): angle, distance, radial and tangential half axes (mm)
    base_volume: (
        Array  # (S, 3): angle, half width and share of blood or fat in a basal wall that the slice cuts obliquely
    )
    outflow: Array  # (S, 2): angle and half width of a gap in the basal wall, width 0 = none
    length_mm: float


@dataclass(frozen=True, eq=False)
class Scar:
    """One scar: its kind and where it lies; all shares refer to wall depth 0 (endocardium) .. 1 (epicardium)."""

    kind: str
    angle: float
    drift: float  # change of angle per unit s
    half_width: float
    levels: tuple[float, float]
    depth: float
    power: float
    centre: float
    thickness: float
    jitter: Array  # (S, 360)
    no_reflow: float  # share of the depth, 0 = none
    seed: int
    widening: float = 0.0  # share by which the half width has grown at the apex


@dataclass(frozen=True, eq=False)
class Body:
    """What surrounds the heart, in the heart frame turned by ``turn``: half planes and ellipses, by tissue."""

    chest: tuple[float, float, float, float, float] | None  # direction, distance, curvature, muscle mm, fat mm
    liver: tuple[float, float, float] | None  # direction, distance, curvature
    mediastinum: tuple[float, float] | None
    ellipses: Array  # (E, 7): x, y, a, b, angle, tissue, hollow tissue or -1
    lung_vessels: float  # threshold, 9 = none


@dataclass(frozen=True, eq=False)
class Scan:
    """Contrast and acquisition; signals in units of the image's scale."""

    psir: bool
    signal: Array  # (tissues,)
    texture: Array  # (tissues,) SD
    step: float  # blood minus myocardium
    scar_contrast: float  # times the step
    scar_texture: float
    no_reflow_contrast: float
    partial_volume_px: float
    inhomogeneity: float
    bias: tuple[float, float, float]  # SD, slope per mm, direction
    blur_px: float
    noise: float
    noise_blur_px: float
    ghost: tuple[float, float]  # share, shift in pixels
    apex_blood_loss: float
    slice_gain: Array  # (S,)
    slice_offset: Array  # (S,) in steps: what a scanner adds that scales its slices one by one
    warp_mm: tuple[float, float]
    sharpening: tuple[float, float]  # strength and width (px) of the vendor's filter, strength 0 = none
    chemical_shift: float  # depth of the dark rim between fat and water, in steps
    window: tuple[float, float, float]  # lower and upper percentile kept, gamma; (0, 100, 1) = untouched


@dataclass(frozen=True, eq=False)
class Patient:
    """A virtual patient as its parameters; the same patient always renders to the same pixels."""

    seed: int
    anatomy: Anatomy
    body: Body
    scan: Scan
    scars: tuple[Scar, ...] = field(default=())


def _harmonics(rng: np.random.Generator, slices: Array, first: int, last: int, power: float) -> Array:
    """(S, 360) smooth random profile, SD about 1, that changes slowly along the long axis."""
    total = np.zeros((len(slices), ANGLES))
    for k in range(first, last + 1):
        amplitude = (rng.standard_normal() + 0.5 * rng.standard_normal() * (slices - 0.5)) / k**power
        phase = rng.uniform(0, 2 * np.pi) + 0.5 * rng.standard_normal() * (slices - 0.5)
        total += amplitude[:, None] * np.cos(k * THETA[None] + phase[:, None])
    return total.astype(np.float32)


def wrap(angle: npt.NDArray[np.floating] | float) -> npt.NDArray[np.floating]:
    """Angle to [-pi, pi)."""
    return (np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """LV, RV and fat of one heart."""
    first, last = rng.uniform(-0.08, 0.10), rng.uniform(0.86, 1.03)
    length_mm = rng.uniform(68, 108)
    count = int(np.clip(round(length_mm * (last - first) / rng.uniform(7, 11.5)) + 1, 5, 13))
    s = np.linspace(first, last, count).astype(np.float32)
    taper = rng.uniform(0.55, 0.8)
    radius = rng.uniform(26, 41) * (1 - taper * np.clip(s, 0, 1) ** rng.uniform(2.0, 3.2))
    radius = np.maximum(radius, 8)
    shape = 1 + 0.05 * _harmonics(rng, s, 2, 2, 0) + 0.03 * _harmonics(rng, s, 3, 6, 1)
    epi = radius[:, None] * np.clip(shape, 0.75, 1.25)
    wall = rng.uniform(5.5, 12) if rng.random() < 0.85 else rng.uniform(9, 17)
    thickness = wall * (1 + 0.13 * _harmonics(rng, s, 1, 4, 0.7)) * (1 - 0.25 * np.clip(s, 0, 1)[:, None])
    if rng.random() < 0.08:  # asymmetric hypertrophy, mostly septal
        where = np.pi + rng.normal(0, 0.6)
        thickness += rng.uniform(3, 10) * np.exp(-((wrap(THETA - where) / rng.uniform(0.5, 1.2)) ** 2))[None]
    thickness = np.minimum(np.clip(thickness, 3.5, None), epi - rng.uniform(1.5, 6))
    thickness = np.maximum(thickness, 1.5)
    half = np.deg2rad(np.clip(rng.normal(112, 16), 75, 155)) / 2 * np.ones(2)  # the frame is the septum midline
    delta = wrap(THETA - np.pi)  # > 0: towards anterior, since angles grow clockwise through inferior, left, anterior
    half_profile = np.where(delta > 0, half[0], half[1])
    height = radius * rng.uniform(0.35, 1.4) * np.clip(1.25 - np.clip(s, 0, 1) ** 2 * rng.uniform(0.5, 1.15), 0.1, 1.1)
    bump = np.clip(1 - np.abs(delta / half_profile) ** rng.uniform(1.3, 3.5), 0, 1) ** rng.uniform(0.5, 1.0)
    rv = bump[None] * (1 + rng.uniform(-0.35, 0.35) * np.sin(delta))[None] * height[:, None]
    rv = np.clip(rv * (1 + 0.1 * _harmonics(rng, s, 2, 7, 0.8)), 0, None)
    if rng.random() < 0.35:
        rv[s > rng.uniform(0.75, 0.95)] = 0
    fat = np.clip(_harmonics(rng, s, 1, 8, 0.6) * rng.uniform(1, 6) + rng.uniform(-4, 3), 0, 14)
    edges = (np.pi + half[0], np.pi - half[1])
    if rng.random() < LEAN_SHARE:  # little fat away from the RV and its grooves
        free = np.min([np.abs(wrap(THETA - edge)) for edge in (*edges, np.pi)], 0) > 0.5
        fat = np.where(free[None], fat * rng.uniform(0, 0.3), fat)
    for edge in edges:  # fat of the interventricular grooves
        fat += rng.uniform(0, 8) * rng.random() * np.exp(-((wrap(THETA - edge) / 0.22) ** 2))[None]
    inner = (epi - thickness).mean(1)
    papillary = np.zeros((count, 3, 4), np.float32)
    if rng.random() < 0.85:
        for p in range(int(rng.integers(1, 4))):
            where = (0.9, -0.7, 2.2)[p] + rng.normal(0, 0.35)
            lo, hi = rng.uniform(0.15, 0.4), rng.uniform(0.6, 0.85)
            inside = (s > lo) & (s < hi) & (inner > 8)
            size = rng.uniform(0.08, 0.32, 2)
            papillary[:, p] = np.stack(
                [
                    np.full(count, where),
                    inner * rng.uniform(0.5, 0.97),
                    inner * size[0] * inside,
                    inner * size[1] * inside,
                ],
                1,
            )
    outflow = np.zeros((count, 2), np.float32)
    if rng.random() < 0.5:
        outflow[s < rng.uniform(-0.02, 0.12)] = (
            rng.uniform(-2.3, -1.4) if rng.random() < 0.6 else rng.uniform(2.6, 3.9),
            rng.uniform(0.2, 0.7),
        )
    base_volume = np.zeros((count, 3), np.float32)
    for k in np.flatnonzero(s < rng.uniform(0.0, 0.2)):  # outflow tract and mitral annulus: bright, but no scar
        if rng.random() < 0.6:
            where = rng.uniform(-2.6, -1.2) if rng.random() < 0.5 else rng.uniform(-np.pi, np.pi)
            base_volume[k] = where, rng.uniform(0.25, 1.0), rng.uniform(0.2, 0.9)
    return Anatomy(
        s=s, epi=epi.astype(np.float32), endo=(epi - thickness).astype(np.float32), rv=rv.astype(np.float32),
        rv_wall=(rng.uniform(1.2, 4) * np.clip(rv / 6, 0, 1)).astype(np.float32), fat=fat.astype(np.float32),
        trabeculae=np.clip(_harmonics(rng, s, 5, 24, 0.3) * rng.uniform(0, 0.6), 0, 4),
        meshwork=(float(rng.uniform(0, 6) * (rng.random() < 0.7)), float(rng.uniform(0.2, 1.4))),
        recesses=(float(rng.uniform(0.1, 0.35) * (rng.random() < 0.4)), float(rng.uniform(1.1, 2.2))), rv_roughness=float(rng.uniform(0.9, 2.2)),
        pericardium_mm=float(rng.uniform(0, 2) * (rng.random() < 0.5)),
        rvip=(float(np.pi + half[0]), float(np.pi - half[1])), base_volume=base_volume,
        papillary=papillary, outflow=outflow,
        length_mm=float(length_mm),
    )  # fmt: skip


def draw_scar(rng: np.random.Generator, anatomy: Anatomy, kind: str) -> Scar:
    """Where one scar of the given kind lies."""
    angle, half = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(14, 60))
    low, high = sorted(rng.uniform(-0.15, 1.15, 2))
    if high - low < 0.2:
        low, high = low - 0.12, high + 0.12
    if kind == "ischaemic":
        half = np.deg2rad(rng.uniform(14, 75) if rng.random() < 0.6 else rng.uniform(40, 140))
    elif kind == "mid-wall" and rng.random() < 0.6:
        angle = np.pi + rng.normal(0, 0.4)
    elif kind == "subepicardial" and rng.random() < 0.6:
        angle = np.deg2rad(30) + rng.normal(0, 0.45)
    elif kind in ("insertion-point", "diffuse") and rng.random() < 0.6:
        low, high = -0.2, rng.uniform(0.5, 1.2)
    depth = rng.uniform(0.25, 0.75) if rng.random() < 0.55 else rng.uniform(0.7, 1.4)
    if kind == "diffuse":
        depth = rng.uniform(0.25, 0.6)
    if kind == "subepicardial":
        depth = rng.uniform(0.25, 0.5)
    jitter = _harmonics(rng, anatomy.s, 3, 20, 0.5) * rng.uniform(0, 0.14)
    no_reflow = float(rng.uniform(0.4, 0.8)) if kind == "ischaemic" and depth > 0.6 and rng.random() < 0.3 else 0.0
    return Scar(
        kind=kind, angle=float(angle), drift=float(rng.normal(0, 0.35)), half_width=float(half), levels=(float(low), float(high)),
        depth=float(depth), power=float(rng.uniform(1.5, 6)), centre=float(rng.uniform(0.4, 0.6)),
        thickness=float(rng.uniform(0.13, 0.26)), jitter=jitter, no_reflow=no_reflow, seed=int(rng.integers(2**31)),
    )  # fmt: skip


def thin_wall(anatomy: Anatomy, scar: Scar, share: float) -> Anatomy:
    """An old infarct thins the wall over it by up to ``share``."""
    away = np.abs(wrap(THETA[None] - (scar.angle + scar.drift * (anatomy.s[:, None] - 0.5)))) / scar.half_width
    inside = ((anatomy.s > scar.levels[0]) & (anatomy.s < scar.levels[1]))[:, None]
    wall = (anatomy.epi - anatomy.endo) * (1 - share * np.clip(1 - away**2, 0, 1) * inside)
    endo = anatomy.epi - np.maximum(wall, np.minimum(3.0, anatomy.epi - anatomy.endo))
    return Anatomy(**{**anatomy.__dict__, "endo": endo.astype(np.float32)})


def draw_body(rng: np.random.Generator) -> Body:
    """Chest wall in front, liver below, lung beside; directions follow real anatomy for two patients in three."""
    honest = rng.random() < 0.65
    front = np.deg2rad(225) + rng.normal(0, 0.5) if honest else rng.uniform(0, 2 * np.pi)
    below = np.deg2rad(110) + rng.normal(0, 0.5) if honest else front + rng.choice([-1, 1]) * rng.uniform(0.9, 2.4)
    rows = []
    for _ in range(int(rng.integers(0, 7))):
        tissue = TISSUE[
            str(rng.choice(["fat", "vessel", "liver", "stomach", "mediastinum", "lung", "muscle", "atrium"]))
        ]
        hollow = TISSUE["muscle" if rng.random() < 0.5 else "stomach"] if rng.random() < 0.35 else -1
        rows.append((*rng.uniform(-110, 110, 2), *rng.uniform(4, 32, 2), rng.uniform(0, np.pi), tissue, hollow))
    if rng.random() < 0.5:
        rows.append(
            (
                -np.cos(front) * rng.uniform(70, 130),
                -np.sin(front) * rng.uniform(70, 130),
                *rng.uniform(14, 26, 2),
                0,
                TISSUE["spine"],
                -1,
            )
        )
    return Body(
        chest=(front, rng.uniform(28, 95), rng.uniform(-0.004, 0.0015), rng.uniform(5, 24), rng.uniform(4, 45)) if rng.random() < 0.9 else None,
        liver=(below, rng.uniform(25, 75), rng.uniform(-0.003, 0.003)) if rng.random() < 0.8 else None,
        mediastinum=(front + np.pi + rng.uniform(-0.8, 0.8), rng.uniform(35, 90)) if rng.random() < 0.75 else None,
        ellipses=np.array(rows, np.float32).reshape(-1, 7), lung_vessels=float(rng.uniform(1.7, 3.0)) if rng.random() < 0.8 else 9.0,
    )  # fmt: skip


def _physical_signal(rng: np.random.Generator) -> Array:
    """Inversion recovery near the null of remote myocardium: M0 (1 - 2 exp(-TI/T1) + exp(-TR/T1))."""
    t1 = {name: rng.uniform(*span) for name, span in T1_MS.items()}
    t1 |= {"rv": t1["cavity"] * rng.uniform(0.93, 1.07), "atrium": t1["cavity"] * rng.uniform(0.93, 1.07)}
    t1 |= {
        "papillary": t1["myocardium"] * rng.uniform(0.92, 1.05),
        "rv_wall": rng.uniform(380, 540),
        "epicardial_fat": rng.uniform(220, 300),
    }
    inversion, repetition = t1["myocardium"] * np.log(2) * rng.uniform(0.78, 1.25), rng.uniform(1200, 2200)
    m0 = {name: rng.uniform(0.75, 1.15) for name in TISSUES}
    m0 |= {
        "air": rng.uniform(0, 0.02),
        "lung": rng.uniform(0.03, 0.3),
        "bone": rng.uniform(0.1, 0.9),
        "fat": rng.uniform(0.6, 1.6),
    }
    m0 |= {"cavity": rng.uniform(0.9, 1.2), "myocardium": rng.uniform(0.8, 1.05)}
    m0 |= {
        "epicardial_fat": m0["fat"] * rng.uniform(0.5, 1.1),
        "rv": m0["cavity"] * rng.uniform(0.9, 1.1),
        "papillary": m0["myocardium"],
    }
    signal = np.array([m0[n] * (1 - 2 * np.exp(-inversion / t1[n]) + np.exp(-repetition / t1[n])) for n in TISSUES])
    if rng.random() < 0.12:
        signal[[TISSUE["fat"], TISSUE["epicardial_fat"]]] *= rng.uniform(0, 0.6)
    if signal[TISSUE["cavity"]] - signal[TISSUE["myocardium"]] < 0.06:
        signal[TISSUE["cavity"]] = signal[TISSUE["myocardium"]] + rng.uniform(0.06, 0.25)
        signal[TISSUE["rv"]] = signal[TISSUE["cavity"]] * rng.uniform(0.9, 1.1)
    return np.asarray(signal, np.float32)


def _random_signal(rng: np.random.Generator) -> Array:
    """Contrast that no physics foresees, so that the networks rely on shape more than on levels."""
    signal = rng.uniform(0, 1, len(TISSUES))
    signal[TISSUE["air"]] = rng.uniform(0, 0.35)
    signal[TISSUE["lung"]] = signal[TISSUE["air"]] + rng.uniform(-0.1, 0.3)
    signal[TISSUE["cavity"]] = signal[TISSUE["myocardium"]] + rng.uniform(0.08, 0.55)
    signal[TISSUE["rv"]] = signal[TISSUE["cavity"]] + rng.uniform(-0.07, 0.07)
    signal[TISSUE["papillary"]] = signal[TISSUE["myocardium"]] + rng.uniform(-0.06, 0.06)
    signal[TISSUE["rv_wall"]] = signal[TISSUE["myocardium"]] + rng.uniform(-0.12, 0.12)
    if rng.random() < 0.6:
        signal[TISSUE["epicardial_fat"]] = signal[TISSUE["cavity"]] + rng.uniform(0, 0.6)
        signal[TISSUE["fat"]] = signal[TISSUE["epicardial_fat"]] + rng.uniform(-0.1, 0.4)
    return np.asarray(signal, np.float32)


def draw_scan(rng: np.random.Generator, slices: int, physical_share: float = 0.6) -> Scan:
    """Contrast, texture, coil, blur and noise of one acquisition."""
    physical = rng.random() < physical_share
    signal = _physical_signal(rng) if physical else _random_signal(rng)
    step = float(signal[TISSUE["cavity"]] - signal[TISSUE["myocardium"]])
    heart = [TISSUE[n] for n in ("cavity", "myocardium", "papillary", "rv", "rv_wall", "atrium", "no_reflow")]
    if rng.random() < 0.75:  # the body is up to four times as contrasted as the heart
        gain, kept = np.exp(rng.uniform(0, np.log(4))), signal.copy()
        signal = signal * gain
        keep = heart + [TISSUE[n] for n in ("liver", "vessel", "epicardial_fat", "muscle") if rng.random() < 0.5]
        signal[keep] = kept[keep]
        if rng.random() < 0.7:
            signal[TISSUE["lung"]] = signal[TISSUE["myocardium"]] + step * rng.uniform(-0.7, 0.7)
    texture = rng.uniform(0, 0.12, len(TISSUES)) * (abs(step) * 2 if physical else 0.8)
    for name in ("myocardium", "cavity", "rv", "papillary"):
        texture[TISSUE[name]] = abs(step) * rng.uniform(0, 0.2)
    contrast = (
        float(np.clip(np.exp(rng.normal(np.log(1.05), 0.42)), 0.35, 2.6))
        if rng.random() < 0.6
        else float(rng.uniform(0.8, 1.2))
    )
    noise = float(np.exp(rng.uniform(np.log(0.015), np.log(0.3))) * step)
    slice_gain, slice_offset = _draw_slice_scaling(rng, slices)
    return Scan(
        psir=bool(not physical or rng.random() < 0.65 or magnitude_share(signal) < 0), signal=signal.astype(np.float32), texture=texture.astype(np.float32), step=step,
        scar_contrast=contrast, scar_texture=float(rng.uniform(0, 0.25)), no_reflow_contrast=float(rng.uniform(-0.1, 0.6)),
        partial_volume_px=float(rng.uniform(0.3, 1.0)), inhomogeneity=float(rng.uniform(0, 0.22) if rng.random() < 0.5 else 0),
        bias=(float(rng.uniform(0, 0.22)), float(rng.uniform(0, 0.011) * (rng.random() < 0.75)), float(rng.uniform(0, 2 * np.pi))),
        blur_px=float(rng.uniform(0.5, 1.6)), noise=noise, noise_blur_px=float(rng.uniform(0.3, 1.3)),
        ghost=(float(rng.uniform(0.03, 0.2) if rng.random() < 0.12 else 0), float(rng.uniform(15, 60))),
        apex_blood_loss=float(rng.uniform(0, 0.5)), slice_gain=slice_gain, slice_offset=slice_offset,
        warp_mm=(float(rng.uniform(0, 3)), float(rng.uniform(0, 0.9))),
        sharpening=(float(rng.uniform(0.2, 1.5) if rng.random() < 0.45 else 0), float(rng.uniform(0.9, 2.0))),
        chemical_shift=float(rng.uniform(0.3, 2.0) if rng.random() < 0.35 else 0), window=_draw_window(rng),
    )  # fmt: skip


def magnitude_share(signal: Array) -> float:
    """What a magnitude image keeps of the step between blood and myocardium; below 0 it shows blood the darker."""
    blood, muscle = (float(signal[TISSUE[name]]) for name in ("cavity", "myocardium"))
    return (abs(blood) - abs(muscle)) / (blood - muscle)


def _draw_slice_scaling(rng: np.random.Generator, slices: int) -> tuple[Array, Array]:
    """Gain and offset (steps) of every slice: nearly even, or in half of the scans as if scaled one by one."""
    uneven = rng.random() < 0.5
    gain = np.exp(rng.normal(0, rng.uniform(0.08, 0.35) if uneven else 0.05, slices))
    offset = rng.normal(0, rng.uniform(0, 0.6), slices) if uneven else np.zeros(slices)
    return gain.astype(np.float32), offset.astype(np.float32)


def _draw_window(rng: np.random.Generator) -> tuple[float, float, float]:
    """Window of an exported image: half of them are clipped and bent, as 8-bit exports are."""
    if rng.random() < 0.5:
        return 0.0, 100.0, 1.0
    return float(rng.uniform(0, 1.5)), float(rng.uniform(97, 100)), float(rng.uniform(0.65, 1.5))


def draw(rng: np.random.Generator, scar_share: float = 0.55, kind_shares: tuple[float, ...] = SCAR_SHARES) -> Patient:
    """One virtual patient of training: ranges wide enough to hold every real one."""
    anatomy = draw_anatomy(rng)
    scars: list[Scar] = []
    if rng.random() < scar_share:
        kind = str(rng.choice(SCAR_KINDS, p=kind_shares))
        scars.append(draw_scar(rng, anatomy, kind))
        if kind == "ischaemic" and rng.random() < 0.5:
            anatomy = thin_wall(anatomy, scars[0], rng.uniform(0, 0.5))
        if kind == "ischaemic" and rng.random() < 0.12:
            scars.append(draw_scar(rng, anatomy, "ischaemic"))
    return Patient(
        seed=int(rng.integers(2**31)),
        anatomy=anatomy,
        body=draw_body(rng),
        scan=draw_scan(rng, len(anatomy.s)),
        scars=tuple(scars),
    )
