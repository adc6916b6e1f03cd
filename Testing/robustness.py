"""How the answer moves when the same hearts come from another scanner, export or breath-hold: a table for each set of studies.

Usage: robustness.py DOCUMENT ROOT [ROOT ...], each ROOT with truth.csv. Called by ``make robustness``. Every study is read, its signal
put in units in which blood is 1 and dark muscle 0.2 (a well nulled magnitude image), changed, written as NRRD and detected again.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.studies_below import find_studies
from LGETextDetectLib.study import detect, locate
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import load_study, write_nrrd
from LGETextTrainLib.figures import auroc
from LGETextTrainLib.truth_table import read_truth
from scipy import ndimage

Array = np.ndarray
MUSCLE = 0.2  # of blood, in a magnitude image
POORLY_NULLED = 0.5
FALL_OFF_PER_MM = 0.008


def in_steps(volume: Volume, engine: Engine) -> Volume:
    """The volume with blood at 1 and dark muscle at 0.2, by the engine's own heart; grids of patches and image differ, so by place."""
    _, maps = locate(volume, engine)
    signals: dict[int, list[Array]] = {1: [], 2: []}
    for k, grid in enumerate(maps.grids):
        for channel, found in signals.items():
            pixels = np.argwhere(maps.probabilities[k, channel] > 0.8)
            places = volume.to_index(pixels @ grid[:3, 1:3].T + grid[:3, 3])[:, 1:]
            found.append(ndimage.map_coordinates(volume.array[k], places.T, order=1, mode="nearest"))
    blood = float(np.median(np.concatenate(signals[1])))
    muscle = float(np.percentile(np.concatenate(signals[2]), 25))
    return volume.with_array(((volume.array - muscle) / (blood - muscle) * (1 - MUSCLE) + MUSCLE).astype(np.float32))


def stored(volume: Volume, order: str) -> Volume:
    """The same image stored otherwise; places in the body stay."""
    array, affine = volume.array, volume.affine.copy()
    if order == "exchanged":
        return Volume(np.ascontiguousarray(array.swapaxes(1, 2)), affine[:, [0, 2, 1, 3]])
    axis = ("slices", "rows", "columns").index(order)
    affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
    affine[:3, axis] *= -1
    return Volume(np.ascontiguousarray(np.flip(array, axis)), affine)


def filled_up(volume: Volume) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_lps([0, -40, -60])
    return Volume(np.pad(volume.array, ((0, 0), (40, 40), (60, 60))), affine)


def fall_off(volume: Volume, rng: np.random.Generator) -> Array:
    """Factor of a coil that loses 0.8 % a millimetre in some direction; 1 in the image's middle."""
    direction = rng.uniform(0, 2 * np.pi)
    _, row, column = np.indices(volume.array.shape)
    row_mm, column_mm = (
        (place - place.mean()) * mm for place, mm in zip((row, column), volume.spacing_mm, strict=False)
    )
    return np.exp(FALL_OFF_PER_MM * (np.cos(direction) * column_mm + np.sin(direction) * row_mm))


def noisy(image: Array, rng: np.random.Generator, deviation: float) -> Array:
    """Rician noise."""
    return np.hypot(image + rng.normal(0, deviation, image.shape), rng.normal(0, deviation, image.shape))


def ghosted(image: Array, share: float) -> Array:
    shift = image.shape[1] // 4
    return image + share * (np.roll(image, shift, 1) + np.roll(image, -shift, 1))


def nulled_less(image: Array) -> Array:
    return (image - MUSCLE) / (1 - MUSCLE) * (1 - POORLY_NULLED) + POORLY_NULLED


def with_pixels(volume: Volume, factors: tuple[float, float, float]) -> Volume:
    """Pixels and slices ``factors`` times as large; in plane averaged over."""
    smooth = ndimage.gaussian_filter(volume.array, [0, *(0.42 * max(f - 1, 0) * 1.5 for f in factors[1:])])
    places = [np.arange(0, size - 1 + 1e-6, factor) for size, factor in zip(volume.array.shape, factors, strict=True)]
    image = ndimage.map_coordinates(smooth, np.meshgrid(*places, indexing="ij"), order=1)
    return Volume(np.asarray(image, np.float32), volume.affine @ np.diag([*factors, 1.0]))


def shifted(volume: Volume, rng: np.random.Generator) -> Array:
    """Every slice at a breath-hold of its own, 3 mm apart in both directions (SD)."""
    moves = rng.normal(0, 3, (len(volume.array), 2)) / volume.spacing_mm[:2]
    return np.stack(
        [ndimage.shift(image, move, order=1, mode="nearest") for image, move in zip(volume.array, moves, strict=True)]
    )


def every_second(volume: Volume) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 0] *= 2
    return Volume(volume.array[::2], affine)


def gains(volume: Volume, rng: np.random.Generator) -> Array:
    return volume.array * rng.uniform(0.5, 1.6, (len(volume.array), 1, 1))


Change = Callable[[Volume, np.random.Generator], "Volume | Array"]
CHANGES: dict[str, Change] = {
    "as it is": lambda v, rng: v,
    "slices stored in reverse": lambda v, rng: stored(v, "slices"),
    "columns stored in reverse": lambda v, rng: stored(v, "columns"),
    "rows and columns exchanged": lambda v, rng: stored(v, "exchanged"),
    "matrix filled up with zeros": lambda v, rng: filled_up(v),
    "other units (x 1000 - 200)": lambda v, rng: v.array * 1000 - 200,
    "8 bits": lambda v, rng: np.round(np.clip(v.array / np.percentile(v.array, 99.5), 0, 1) * 255),
    "noise, 12 % of blood": lambda v, rng: noisy(v.array, rng, 0.12),
    "noise, 20 %": lambda v, rng: noisy(v.array, rng, 0.2),
    "coil's fall-off": lambda v, rng: v.array * fall_off(v, rng),
    "coil's fall-off, muscle half as bright as blood": lambda v, rng: nulled_less(v.array) * fall_off(v, rng),
    "two ghosts of 6 %": lambda v, rng: ghosted(v.array, 0.06),
    "two ghosts of 12 %": lambda v, rng: ghosted(v.array, 0.12),
    "brighter than 1.3 blood cut off": lambda v, rng: np.minimum(v.array, 1.3),
    "grey scale bent, power 0.6": lambda v, rng: np.maximum(v.array, 0) ** 0.6,
    "grey scale bent, power 1.5": lambda v, rng: np.maximum(v.array, 0) ** 1.5,
    "every slice in units of its own": gains,
    "slices 3 mm apart by breathing": shifted,
    "pixels 1.5 times as large": lambda v, rng: with_pixels(v, (1, 1.5, 1.5)),
    "pixels half as large": lambda v, rng: with_pixels(v, (1, 0.5, 0.5)),
    "slices interpolated, four for one": lambda v, rng: with_pixels(v, (0.25, 1, 1)),
    "every second slice missing": lambda v, rng: every_second(v),
}  # fmt: skip


def answer(volume: Volume, engine: Engine) -> dict[str, Any]:
    """The study's answer, or the code of its refusal; the file's name is no part of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changed.nrrd"
        write_nrrd(replace(volume, array=np.ascontiguousarray(volume.array, np.float32)), path)
        try:
            result = detect(path, engine).result
        except InputRefused as refused:
            return {"refused": refused.code}
    return {**result["detection"], "flags": {flag["code"] for flag in result["quality"]}}


def answers(root: Path, engine: Engine, events: Events) -> tuple[dict[str, list[dict[str, Any]]], Array]:
    """Every study's answer to every change, and whether it is scarred."""
    true = {row["study"]: float(row["lge"]) == 1 for row in read_truth(root / "truth.csv").rows}
    studies = [study for study in find_studies(root) if study.name in true]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CHANGES}
    for number, study in enumerate(studies):
        events.progress(root.name, number, len(studies))
        image = in_steps(load_study(study.source).volume, engine)
        for name, change in CHANGES.items():
            rng = np.random.default_rng(zlib.crc32(f"{study.name} {name}".encode()))
            changed = change(image, rng)
            found[name].append(
                answer(changed if isinstance(changed, Volume) else image.with_array(changed.astype(np.float32)), engine)
            )
    events.progress(root.name, len(studies), len(studies))
    return found, np.array([true[study.name] for study in studies])


def table(found: dict[str, list[dict[str, Any]]], scarred: Array) -> str:
    """Markdown: a row a change."""
    usual = found["as it is"]
    lines = [
        "| change | AUROC | scarred: yes / no answer / no | scar-free: yes / no answer / no | probability moves, median (most) | refused | flagged anew |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in found.items():
        answered = np.array([row.get("probability") is not None for row in rows])
        probability = np.array(
            [row["probability"] if known else np.nan for row, known in zip(rows, answered, strict=True)]
        )
        before = np.array([row["probability"] if row.get("probability") is not None else np.nan for row in usual])
        moved = np.abs(probability - before)[answered & np.isfinite(before)]
        counts = [
            Counter(row.get("present", "refused") for row, true in zip(rows, scarred, strict=True) if true == side)
            for side in (True, False)
        ]
        said = [f"{count[True]} / {count[None]} / {count[False]}" for count in counts]
        flags = Counter(
            flag
            for row, plain in zip(rows, usual, strict=True)
            for flag in row.get("flags", set()) - plain.get("flags", set())
        )
        often = ", ".join(f"{flag} {count}" for flag, count in flags.most_common() if count * 10 >= len(rows))
        lines.append(
            f"| {name} | {auroc(probability[answered], scarred[answered]):.3f} | {said[0]} | {said[1]} | "
            f"{np.median(moved):.3f} ({moved.max():.2f}) | {int((~answered).sum()) or ''} | {often} |"
        )
    return "\n".join(lines)


def main() -> None:
    document, *roots = (Path(word) for word in sys.argv[1:])
    engine, parts = Engine(), []
    for root in roots:
        found, scarred = answers(root, engine, Events())
        parts.append(
            f"### {root.name}: {len(scarred)} studies, {int(scarred.sum())} scarred\n\n{table(found, scarred)}\n"
        )
        print(parts[-1], flush=True)
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text("\n".join([*parts, "Research use, not for diagnosis.\n"]), "utf-8")


if __name__ == "__main__":
    main()
