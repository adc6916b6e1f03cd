"""Virtual patients on disk: a DICOM study each, with masks, landmarks, truth table and, if asked, report text."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LGETextDetectLib.events import Events
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.markups import write_markups
from LGETextDetectLib.volume_files import write_nrrd
from LGETextDetectLib.wording import write_report

from .diagnostic import draw_clinical
from .dicom_study import in_reading_order, write_dicom_study
from .held_back import draw_held_back
from .patient import Patient
from .virtual_study import VirtualStudy, render_study

COLUMNS = (
    "study",
    "patient",
    "lge",
    "segments",
    "layer",
    "transmurality",
    "aetiology",
    "no_reflow",
    "area_mm2",
    "slices",
    "slice_lge",
)


Draw = Callable[[np.random.Generator, float], Patient]


def virtual_studies(
    count: int, seed: int, scar_share: float = 0.5, draw: Draw = draw_clinical
) -> Iterator[VirtualStudy]:
    """``count`` studies of diagnostic quality; study k depends on the seed and k alone."""
    for number in range(count):
        yield render_study(draw(np.random.default_rng((seed, number)), scar_share))


def write_cohort(out: Path, count: int, seed: int, reports: bool, events: Events, held_back: bool = False) -> None:
    """Write ``count`` studies below ``out``; ``held_back``: from the recipe that training never draws from.

    cohort.json (what they are); <study>/ DICOM series; <study>_mask.nrrd (0 background, 1 LV cavity, 2 myocardium, 3 scar, 4 no-reflow, 5 RV);
    landmarks/<study>.mrk.json; truth.csv; findings.jsonl; with ``reports`` reports.jsonl. Slices count in input order.
    """
    recipe = "held-back recipe (shifted contrast, noise, anatomy)" if held_back else "training's recipe"
    about = f"{count} virtual patients of diagnostic quality, {recipe}, seed {seed}"
    names = (f"virtual-{seed}-{number:04d}" for number in range(count))
    drawn = virtual_studies(count, seed, draw=draw_held_back if held_back else draw_clinical)
    members = (
        CohortMember(name, name, (seed, number), study)
        for number, (name, study) in enumerate(zip(names, drawn, strict=True))
    )
    written = write_members(out, about, members, count, events)
    if reports:
        texts: list[dict[str, object]] = [
            {"id": name, "text": write_report(np.random.default_rng((seed, number, 2)), finding)}
            for number, (name, finding) in enumerate(written)
        ]
        _write_lines(out / "reports.jsonl", texts)


@dataclass(frozen=True, eq=False)
class CohortMember:
    """A study to be written: its name, PatientID, the seeds of its DICOM identifiers, and what was rendered."""

    name: str
    identity: str
    seeds: tuple[int, ...]
    study: VirtualStudy


def write_members(
    out: Path, about: str, members: Iterable[CohortMember], count: int, events: Events
) -> list[tuple[str, Finding]]:
    """Write studies and the truth about them as :func:`write_cohort` says; their names and findings."""
    (out / "landmarks").mkdir(parents=True, exist_ok=True)
    (out / "cohort.json").write_text(json.dumps({"virtual": True, "about": about}) + "\n", "utf-8")
    rows: list[dict[str, object]] = []
    written: list[tuple[str, Finding]] = []
    for member in members:
        study, name = in_reading_order(member.study), member.name
        write_dicom_study(study, out / name, seed=member.seeds, identity=member.identity)
        write_nrrd(study.volume.with_array(study.labels.astype(np.float32)), out / f"{name}_mask.nrrd")
        write_markups(study.landmarks, out / "landmarks" / f"{name}.mrk.json")
        rows.append(truth_row(name, member.identity, study))
        written.append((name, study.finding))
        events.progress("phantom", len(written), count)
    with (out / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    _write_lines(out / "findings.jsonl", [{"id": name, "finding": f.to_dict()} for name, f in written])
    return written


def truth_row(name: str, patient: str, study: VirtualStudy) -> dict[str, object]:
    """One row of truth.csv."""
    lesions = study.finding.lesions
    row_mm, column_mm, _ = study.volume.spacing_mm
    scar = np.isin(study.labels, (3, 4))
    return {
        "study": name, "patient": patient, "lge": int(study.finding.lge == "present"),
        "segments": " ".join(str(n) for n in sorted({n for lesion in lesions for n in lesion.segments})),
        "layer": " ".join(sorted({lesion.layer for lesion in lesions if lesion.layer})),
        "transmurality": " ".join(f"{n}:{score}" for n, score in sorted(study.transmurality.items()) if score),
        "aetiology": study.finding.aetiology or "", "no_reflow": int(bool(study.finding.no_reflow)),
        "area_mm2": round(float(scar.sum()) * row_mm * column_mm),
        "slices": " ".join(str(k) for k in np.flatnonzero(study.scarred)),
        "slice_lge": " ".join(str(int(v)) for v in study.scarred),
    }  # fmt: skip


def _write_lines(path: Path, entries: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), "utf-8")
