"""Painted scars lie where they are said to lie, look like scar, and their report says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from LGETextDetectLib import aha
from LGETextDetectLib.finding import LAYERS, Finding, Lesion
from LGETextDetectLib.looks import network_image
from LGETextDetectLib.wording import read_report
from LGETextTrainLib.painted_report import agrees, painted_report
from LGETextTrainLib.painted_samples import PaintedSamples, SampleStudy, moved, reported_labels, with_painting
from LGETextTrainLib.painted_scar import KINDS, draw_painting, paint_scar, scar_free_labels
from LGETextTrainLib.phantom import LABELS
from LGETextTrainLib.prepared_study import Prepared
from LGETextTrainLib.recipe import PaintTable, ScarTable
from LGETextTrainLib.samples import EarlierNetworks
from LGETextTrainLib.truth import layer_labels, segments_of

NONE = dict.fromkeys((kind.replace("-", "_") for kind in KINDS), 0.0)
SLICES = 9


def heart(seed: int = 0) -> Prepared:
    """A round ventricle: cavity of 14 pixels, wall of 8, dark with a little noise; blood 1, lung -1."""
    row, column = np.indices((96, 96)) - 47.5
    radius = np.hypot(row, column)
    cavity, muscle = radius < 14, (radius >= 14) & (radius < 22)
    maps = np.zeros((SLICES, 3, 96, 96), np.float32)
    maps[:, 0][:, cavity], maps[:, 1][:, muscle] = 0.97, 0.95
    image = np.random.default_rng(seed).normal(0, 0.08, (SLICES, 96, 96)) + np.where(
        cavity, 1.0, np.where(muscle, 0.0, -1.0)
    )
    return Prepared(
        image.astype(np.float32),
        maps,
        ((np.arange(SLICES) + 0.5) / SLICES).astype(np.float32),
        np.full(SLICES, 0.9, np.float32),
    )


def only(kind: str) -> PaintTable:
    return replace(PaintTable(), **{**NONE, kind.replace("-", "_"): 1.0})


@pytest.mark.parametrize("kind", KINDS)
def test_a_painting_is_scar_of_its_kind(kind: str) -> None:
    study = heart()
    for seed in range(4):
        painted = paint_scar(np.random.default_rng(seed), study, only(kind))
        assert painted is not None
        scar = np.isin(painted.labels, (LABELS["scar"], LABELS["no_reflow"]))
        assert not (scar & ~(study.maps[:, 1] > 0.5)).any(), "scar outside the myocardium"
        bright = painted.labels == LABELS["scar"]
        assert painted.image[bright].mean() > study.image[bright].mean() + 0.3
        layers = {lesion.layer for lesion in painted.finding.lesions}
        assert layers <= ({"subendocardial", "transmural"} if kind == "ischaemic" else {kind})
        depth = np.stack([aha.radial_depth(m[0] > 0.5, m[1] > 0.5) for m in study.maps])[scar]
        if kind == "subepicardial":
            assert np.median(depth) > 0.6
        if kind == "mid-wall":
            assert 0.3 < np.median(depth) < 0.7


def test_segments_named_are_those_that_hold_the_scar() -> None:
    study, angle = heart(), aha.frame_angles()
    painted = paint_scar(np.random.default_rng(5), study, only("ischaemic"))
    assert painted is not None
    scar = np.isin(painted.labels, (3, 4))
    held = set()
    for mask, position in zip(scar, study.position, strict=True):
        numbers, counts = np.unique(aha.segment_of(angle[mask], aha.level_of(float(position))), return_counts=True)
        held |= {int(n) for n, count in zip(numbers, counts, strict=True) if count > 60}
    named = {n for lesion in painted.finding.lesions for n in lesion.segments}
    assert held <= named


def test_the_same_seed_paints_the_same_and_remote_wall_stays() -> None:
    study = heart()
    one, two = (paint_scar(np.random.default_rng(3), study, PaintTable()) for _ in range(2))
    assert one is not None and two is not None and one.painting == two.painting
    assert np.array_equal(one.image, two.image)
    lung = study.maps[:, :2].sum(1) == 0
    assert np.corrcoef(one.image[lung], study.image[lung])[0, 1] > 0.95


def test_nothing_is_painted_where_the_heart_is_unsure() -> None:
    study = heart()
    unsure = study.maps.copy()
    left = aha.frame_angles() % 360
    weak = (left > 90) & (left < 270)
    unsure[:, 1][:, weak] *= 0.6  # still called wall, but not surely
    for seed in range(6):
        painted = paint_scar(np.random.default_rng(seed), replace(study, maps=unsure), PaintTable())
        if painted is not None:
            assert not np.isin(painted.labels, (3, 4))[:, weak].any()
    assert (
        paint_scar(np.random.default_rng(0), replace(study, certainty=np.zeros(SLICES, np.float32)), PaintTable())
        is None
    )


def test_kinds_follow_the_recipe() -> None:
    rng = np.random.default_rng(0)
    kinds = {draw_painting(rng, replace(only("patchy"), mid_wall=1.0)).kind for _ in range(40)}
    assert kinds == {"patchy", "mid-wall"}


@pytest.mark.parametrize("varied", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "EF 60 %. No late gadolinium enhancement. Mild MR.",
        "LGE: none.\nCONCLUSION: Normal study. No scar.",
        "Keine späte Anreicherung.",
        "",
    ],
)
def test_the_report_says_what_was_painted(text: str, varied: bool) -> None:
    finding = Finding("present", (Lesion((4, 10), "subendocardial", 2),), "ischaemic", False)
    for seed in range(6):
        written = painted_report(np.random.default_rng(seed), text, finding, varied)
        assert agrees(read_report(written), finding)
    if "EF" in text:
        assert written.startswith("EF 60 %") and "Mild MR" in written and "No late gadolinium" not in written


def test_bright_wall_in_reported_segments_counts_as_scar() -> None:
    study = heart()
    image = study.image.copy()
    lateral = (aha.frame_angles() < 30) | (aha.frame_angles() > 330)
    everywhere = study.maps[:, 1] > 0.5
    image[everywhere & lateral] = 1.0
    labels = reported_labels(replace(study, image=image), Finding("present", (Lesion((6, 12), "transmural", 4),)))
    scar = labels == LABELS["scar"]
    assert scar.any() and not scar[:, ~lateral].any() and not scar[-1].any()


@pytest.mark.parametrize(
    ("lesions", "taught"),
    [
        ((Lesion((4,), "subendocardial"),), True),
        ((Lesion((4,), "subendocardial"), Lesion((6,))), True),
        ((Lesion((4,), "subendocardial"), Lesion((6,), certainty="possible")), False),
        ((Lesion((4,), "transmural"), Lesion((), "patchy")), False),
        ((Lesion(),), False),
    ],
)
def test_only_reports_that_tell_all_scar_teach_where_it_is(
    lesions: tuple[Lesion, ...], taught: bool, tmp_path: Path
) -> None:
    """Else bright wall would be taught as healthy, or as scar, where the report does not say so."""
    told = SampleStudy("a" * 64, Finding("present", lesions))
    free = SampleStudy("b" * 64, Finding("absent"))
    samples = PaintedSamples(tmp_path, [told, free], PaintTable(), ScarTable(), EarlierNetworks({}, None))
    assert samples.scarred == ([told] if taught else []) and samples.free == [free]


def test_a_lesion_without_a_layer_gets_no_other_lesion_s() -> None:
    study = heart()
    bright = replace(study, image=np.ones_like(study.image))
    angle = np.broadcast_to(np.radians(-aha.frame_angles()).astype(np.float32), study.image.shape)
    for lesions, expected in (
        ((Lesion((4,), "subendocardial"), Lesion((6,))), {4: "subendocardial", 6: None}),
        ((Lesion((4,)), Lesion((6,), "mid-wall")), {4: None, 6: "mid-wall"}),
        ((Lesion((4,), "subendocardial"), Lesion((4, 6))), {4: None, 6: None}),
    ):
        finding = Finding("present", lesions)
        labels = reported_labels(bright, finding)
        layer = layer_labels(finding, study.position, labels, angle)
        segment = segments_of(study.position, labels, np.degrees(-angle) % 360)
        for number, name in expected.items():
            own = (labels == LABELS["scar"]) & (segment == number)
            assert own.any() and set(layer[own]) == {0 if name is None else 1 + LAYERS.index(name)}


def test_moving_keeps_image_maps_and_labels_together() -> None:
    study = heart()
    shown, (labels,) = moved(np.random.default_rng(1), study, scar_free_labels(study))
    cavity = labels == LABELS["cavity"]
    assert shown.maps[:, 0][cavity].mean() > 0.9 and shown.image[cavity].mean() > 0.7


def test_a_painted_heart_found_anew_is_shown_with_a_mended_wall_as_in_use() -> None:
    row, column = np.indices((160, 160)) - 79.5
    radius, bay = np.hypot(row, column), np.abs(np.arctan2(row, column)) < 0.45
    ring = (radius >= 12.5) & (radius < 20)
    cut = ring & bay & (radius < 17)  # a lesion as bright as blood, taken for cavity
    seen = np.zeros((SLICES, 4, 160, 160), np.float32)
    seen[:, 1][:, (radius < 12.5) | cut], seen[:, 2][:, ring & ~cut] = 1, 1
    painted = paint_scar(np.random.default_rng(1), heart(), PaintTable())
    assert painted is not None
    shown = with_painting(np.random.default_rng(2), heart(), painted, lambda patches: seen[: len(patches)])
    scale = (1.4 / 1.25) ** 2  # pixels of the frame in one of the patch
    wall = network_image(shown.image, shown.maps)[:, 2]
    given_back = (wall > 0.5).sum((1, 2)) / scale - (ring & ~cut).sum()
    assert (given_back > 0.4 * cut.sum()).all()  # without mending: less than none
