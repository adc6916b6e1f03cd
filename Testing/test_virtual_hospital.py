"""The virtual hospital: reports that say what is there in words of their own, images of another look."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from LGETextDetectLib.events import Events
from LGETextDetectLib.finding import LAYERS, Finding, Lesion
from LGETextDetectLib.wording import read_report, write_report
from LGETextTrainLib import virtual_hospital
from LGETextTrainLib.diagnostic import draw_clinical, poorly_nulled
from LGETextTrainLib.hospital_reports import hospital_report
from LGETextTrainLib.truth_table import patient_of, read_truth
from LGETextTrainLib.virtual_hospital import (
    CLEAR_OF_NOISE,
    draw_hospital,
    hospital_studies,
    is_reported,
    write_hospital,
)

PLACES = ((4, 10), (1, 7, 13), (2, 3, 8, 9), (5, 11, 16), (6,), (3, 9, 14), (4, 5, 10, 11, 15, 17))


def findings(count: int) -> list[Finding]:
    """Half scar-free, half with one lesion of every layer in turn."""
    made = []
    for number in range(count):
        layer = LAYERS[number % len(LAYERS)]
        segments = (
            (2, 3, 8, 9)
            if layer == "insertion-point"
            else tuple(range(1, 17))
            if layer == "diffuse"
            else PLACES[number % len(PLACES)]
        )
        score = {"transmural": 4, "subendocardial": 1 + number % 3}.get(layer)
        cause = "ischaemic" if layer in ("transmural", "subendocardial") else "non-ischaemic"
        made.append(Finding("absent") if number % 2 else Finding("present", (Lesion(segments, layer, score),), cause))
    return made


def test_no_magnitude_image_is_poorly_nulled() -> None:
    scans = [draw_hospital(np.random.default_rng((7, number))).scan for number in range(60)]
    assert any(not scan.psir for scan in scans) and any(poorly_nulled(scan) for scan in scans)
    assert not [scan for scan in scans if poorly_nulled(scan) and not scan.psir]


def test_no_scar_is_reported_that_looks_like_blood_or_like_the_border_of_the_cavity() -> None:
    drawn = [draw_hospital(np.random.default_rng((8, number)), 1.0) for number in range(60)]
    assert all(abs(p.scan.scar_contrast - 1) * p.scan.step >= CLEAR_OF_NOISE * p.scan.noise for p in drawn)
    infarct = next(p for p in drawn if p.scars[0].kind == "ischaemic")
    thin, deep = (replace(infarct.scars[0], depth=depth) for depth in (0.1, 1.0))
    dark, bright = (replace(infarct.scan, scar_contrast=contrast) for contrast in (0.7, 1.4))
    assert not is_reported(thin, infarct.anatomy, dark)
    assert is_reported(thin, infarct.anatomy, bright) and is_reported(deep, infarct.anatomy, dark)


def test_reports_are_read_as_what_they_say_in_nearly_all() -> None:
    meant = findings(280)
    read = [read_report(hospital_report(np.random.default_rng(k), f)) for k, f in enumerate(meant)]
    assert np.mean([a.lge == b.lge for a, b in zip(meant, read, strict=True)]) >= 0.97
    assert not any(a.lge == "present" and b.lge == "absent" for a, b in zip(meant, read, strict=True))
    pairs = [
        ({n for x in a.lesions for n in x.segments}, {n for x in b.lesions for n in x.segments})
        for a, b in zip(meant, read, strict=True)
    ]
    assert np.mean([a == b for a, b in pairs if a]) >= 0.9


def test_the_reporters_speak_otherwise_than_the_projects_writer() -> None:
    """Hardly any sentence of one is a sentence of the other."""

    def sentences(write) -> set[str]:
        texts = [write(np.random.default_rng(k), f) for k, f in enumerate(findings(120))]
        return {
            re.sub(r"\d+", "#", s.strip().lower())
            for text in texts
            for s in re.split(r"[.\n]", text)
            if len(s.split()) > 4
        }

    own, project = sentences(hospital_report), sentences(write_report)
    assert len(own & project) <= 0.05 * len(own)


def test_the_hospital_looks_otherwise() -> None:
    own = [draw_hospital(np.random.default_rng(k)) for k in range(30)]
    others = [draw_clinical(np.random.default_rng(k)) for k in range(30)]
    noise = [np.median([p.scan.noise / abs(p.scan.step) for p in group]) for group in (own, others)]
    size = [np.median([p.anatomy.epi.max() for p in group]) for group in (own, others)]
    assert noise[0] > 1.5 * noise[1] and size[0] < size[1]
    assert 0.15 < np.mean([bool(p.scars) for p in own]) < 0.6


def test_a_study_follows_from_seed_and_number_and_some_patients_come_twice() -> None:
    (_, one), (_, two) = (list(hospital_studies(2, 9))[1] for _ in range(2))
    assert np.array_equal(one.volume.array, two.volume.array)


def test_the_truth_tells_who_came_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_hospital, "SECOND_STUDY", 1.0)
    write_hospital(tmp_path, 2, 3, Events())
    rows = read_truth(tmp_path / "studies" / "truth.csv").rows
    assert [patient_of(row) for row in rows] == ["H3-00001", "H3-00001"] and len({row["study"] for row in rows}) == 2


def test_the_hospital_is_written_with_reports_and_truth(tmp_path: Path) -> None:
    write_hospital(tmp_path, 2, 3, Events())
    with (tmp_path / "reports.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["study"] for row in rows] == ["hospital-3-0000", "hospital-3-0001"]
    truth = [json.loads(line) for line in (tmp_path / "studies" / "findings.jsonl").read_text("utf-8").splitlines()]
    for row, line in zip(rows, truth, strict=True):
        assert read_report(row["text"]).lge in (line["finding"]["lge"], "not_stated")
        assert (tmp_path / "studies" / row["study"]).is_dir()
