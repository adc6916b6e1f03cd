"""Landmarks survive the way to Slicer's markups and back; foreign and hostile files are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from LGETextDetectLib.landmarks import Landmarks, SliceLandmarks
from LGETextDetectLib.manual_landmarks import with_manual
from LGETextDetectLib.markups import markups_document, read_markups, write_markups
from LGETextDetectLib.refusal import InputRefused
from sample_detection import sample_landmarks, sample_volume

VOLUME = sample_volume(5)
AUTO = sample_landmarks(VOLUME)


def points(landmarks: Landmarks) -> list[Any]:
    return [
        landmarks.apex,
        landmarks.base,
        *((s.lv_centre, s.rvip_anterior, s.rvip_inferior) for s in landmarks.slices),
    ]


def test_round_trip(tmp_path: Path) -> None:
    partly = replace(AUTO, slices=(SliceLandmarks(0, None, None, None, 0.0), *AUTO.slices[1:]))
    write_markups(partly, tmp_path / "a.mrk.json")
    back = read_markups(tmp_path / "a.mrk.json", VOLUME)
    assert back.source == "manual"
    assert [s.index for s in back.slices] == list(range(5))
    assert back.slices[0] == SliceLandmarks(0, None, None, None, 0.0)
    for a, b in zip(points(back)[3:], points(partly)[3:], strict=True):
        assert np.allclose(a, b, atol=1e-3)
    assert np.allclose(back.apex, AUTO.apex, atol=1e-3)


def test_document_is_one_lps_point_list_with_names() -> None:
    document = markups_document(AUTO)
    (markup,) = document["markups"]
    assert document["@schema"].endswith("markups-schema-v1.0.3.json#")
    assert (markup["type"], markup["coordinateSystem"], markup["coordinateUnits"]) == ("Fiducial", "LPS", "mm")
    labels = [p["label"] for p in markup["controlPoints"]]
    assert labels[:5] == ["apex", "base", "lv_centre_0", "rvip_anterior_0", "rvip_inferior_0"]
    assert len(labels) == len(set(labels)) == 2 + 3 * 5
    assert [p["id"] for p in markup["controlPoints"]] == [str(k) for k in range(1, 18)]


def test_ras_file_is_the_same_place(tmp_path: Path) -> None:
    document = markups_document(AUTO)
    document["markups"][0]["coordinateSystem"] = "RAS"
    for point in document["markups"][0]["controlPoints"]:
        x, y, z = point["position"]
        point["position"] = [-x, -y, z]
    path = tmp_path / "ras.mrk.json"
    path.write_text(json.dumps(document))
    assert np.allclose(read_markups(path, VOLUME).slices[2].lv_centre, AUTO.slices[2].lv_centre, atol=1e-3)


def test_place_decides_the_slice_not_the_number(tmp_path: Path) -> None:
    near_slice_3 = np.array(AUTO.slices[3].lv_centre) + 0.4 * VOLUME.affine[:3, 0]
    path = written(
        tmp_path, [control("LV centre", near_slice_3), control("rvip_anterior_0", AUTO.slices[3].rvip_anterior)]
    )
    back = read_markups(path, VOLUME)
    assert [s.index for s in back.slices if s.lv_centre] == [3]
    assert back.slices[3].rvip_anterior is not None
    assert (back.apex, back.base) == (None, None)


@pytest.mark.parametrize("off", [(0.4, -0.4), (-0.45, 0.45), (0.0, 0.3)])
@pytest.mark.parametrize("auto", [AUTO, None], ids=["beside found ones", "alone"])
def test_points_set_beside_their_slices_plane_are_written_as_they_are_read(
    tmp_path: Path, auto: Landmarks | None, off: tuple[float, float]
) -> None:
    """Centre and insertion point lie by these shares of the gap off the plane of slice 1."""
    gap, mark = VOLUME.affine[:3, 0], AUTO.slices[1]
    path = written(
        tmp_path,
        [
            control("lv_centre_1", mark.lv_centre + off[0] * gap),
            control("rvip_anterior_1", mark.rvip_anterior + off[1] * gap),
            control("rvip_inferior_1", mark.rvip_inferior + off[1] * gap),
        ],
    )
    merged = with_manual(auto, read_markups(path, VOLUME), VOLUME)
    write_markups(merged, tmp_path / "landmarks.mrk.json")
    back = read_markups(tmp_path / "landmarks.mrk.json", VOLUME)
    assert back.slices == tuple(replace(s, confidence=1.0) for s in merged.slices)
    assert np.allclose((back.apex, back.base), (merged.apex, merged.base), atol=1e-3)
    for index, slice_ in enumerate(merged.slices):
        for lps in (slice_.lv_centre, slice_.rvip_anterior, slice_.rvip_inferior):
            assert VOLUME.to_index(lps)[0] == pytest.approx(index, abs=1e-3)


def test_insertion_points_beyond_a_tight_crop_are_read_back(tmp_path: Path) -> None:
    crop = replace(VOLUME, array=VOLUME.array[:, 26:38, 26:38].copy(), affine=VOLUME.affine.copy())
    crop.affine[:3, 3] = VOLUME.to_lps([0, 26, 26])
    write_markups(AUTO, tmp_path / "a.mrk.json")
    back = read_markups(tmp_path / "a.mrk.json", crop)
    assert (np.abs(crop.to_index(AUTO.slices[0].rvip_anterior)[1:] - 5.5) > 6.5).any()
    for before, after in zip(AUTO.slices, back.slices, strict=True):
        assert np.allclose(after.rvip_anterior, before.rvip_anterior, atol=1e-3)


@pytest.mark.parametrize(
    ("label", "index", "slice_"),
    [
        ("lv_centre_1", 1.7, 1),  # between two slices the name decides
        ("lv_centre_2", 1.3, 2),
        ("lv_centre_1", 1.95, 2),  # on another slice than the name says
        ("lv_centre_7", 1.7, 2),  # a plain counter
        ("lv_centre", 1.7, 2),
        ("lv_centre_0", -0.8, 0),
        ("lv_centre_4", 4.8, 4),
    ],
)
def test_the_number_decides_between_two_slices(tmp_path: Path, label: str, index: float, slice_: int) -> None:
    place = np.array(AUTO.slices[0].lv_centre) + index * VOLUME.affine[:3, 0]
    back = read_markups(written(tmp_path, [control(label, place)]), VOLUME)
    assert [s.index for s in back.slices if s.lv_centre] == [slice_]


def test_points_not_yet_placed_are_skipped(tmp_path: Path) -> None:
    pending = {**control("rvip_inferior", (0, 0, 0)), "positionStatus": "preview"}
    back = read_markups(written(tmp_path, [control("lv_centre", AUTO.slices[1].lv_centre), pending]), VOLUME)
    assert back.slices[1].rvip_inferior is None


def control(label: str, position: Any) -> dict[str, Any]:
    return {"label": label, "position": [float(v) for v in position]}


def written(folder: Path, controls: list[dict[str, Any]], **markup: Any) -> Path:
    path = folder / "points.mrk.json"
    path.write_text(
        json.dumps({"markups": [{"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": controls, **markup}]})
    )
    return path


CENTRE = control("lv_centre", AUTO.slices[1].lv_centre)
REFUSED: dict[str, Callable[[Path], Path]] = {
    "no points": lambda folder: written(folder, []),
    "unknown name": lambda folder: written(folder, [CENTRE, control("<b>aorta", AUTO.apex)]),
    "twice on a slice": lambda folder: written(folder, [CENTRE, {**CENTRE, "label": "lv_centre_7"}]),
    "apex twice": lambda folder: written(folder, [CENTRE, control("apex", AUTO.apex), control("apex", AUTO.base)]),
    "outside the image": lambda folder: written(folder, [control("lv_centre", np.array(AUTO.apex) + 500)]),
    "beyond the stack": lambda folder: written(
        folder, [control("lv_centre", np.array(AUTO.apex) + VOLUME.affine[:3, 0])]
    ),
    "before the first slice": lambda folder: written(
        folder, [control("lv_centre_1", AUTO.slices[0].lv_centre - 0.8 * VOLUME.affine[:3, 0])]
    ),
    "centre beside the image": lambda folder: written(folder, [control("lv_centre_1", VOLUME.to_lps([1, 32, -8]))]),
    "insertion point far beside the image": lambda folder: written(
        folder, [control("rvip_anterior_1", VOLUME.to_lps([1, 32, -40]))]
    ),
    "endless number": lambda folder: written(folder, [{**CENTRE, "label": "lv_centre_" + "1" * 5000}]),
    "apex in another room": lambda folder: written(folder, [CENTRE, control("apex", (4000, 0, 0))]),
    "not a number": lambda folder: written(folder, [{"label": "lv_centre", "position": [float("nan"), 0, 0]}]),
    "beyond all numbers": lambda folder: written(folder, [{"label": "lv_centre", "position": [1e308, -1e308, 1e308]}]),
    "infinite": lambda folder: written(folder, [{"label": "lv_centre", "position": [1e999, 0, 0]}]),
    "too long a number": lambda folder: raw(
        folder, '{"markups": [{"controlPoints": [{"label": "lv_centre", "position": [1' + "0" * 400 + ", 0, 0]}]}]}"
    ),
    "text": lambda folder: written(folder, [{"label": "lv_centre", "position": ["1", "2", "3"]}]),
    "two numbers": lambda folder: written(folder, [{"label": "lv_centre", "position": [1, 2]}]),
    "other system": lambda folder: written(folder, [CENTRE], coordinateSystem="IJK"),
    "other unit": lambda folder: written(folder, [CENTRE], coordinateUnits="cm"),
    "points are numbers": lambda folder: written(folder, [1, 2]),  # type: ignore[list-item]
    "nested": lambda folder: raw(folder, "[" * 100_000),
    "empty": lambda folder: raw(folder, ""),
    "a list": lambda folder: raw(folder, "[]"),
    "markups is text": lambda folder: raw(folder, '{"markups": "x"}'),
    "binary": lambda folder: raw(folder, "\x00\ufffd"),
}


def raw(folder: Path, text: str) -> Path:
    path = folder / "raw.mrk.json"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(InputRefused) as refusal:
        read_markups(make(tmp_path), VOLUME)
    assert refusal.value.code == "bad-landmarks"


def test_apex_and_base_alone_are_enough(tmp_path: Path) -> None:
    back = read_markups(written(tmp_path, [control("apex", AUTO.apex), control("base", AUTO.base)]), VOLUME)
    assert np.allclose((back.apex, back.base), (AUTO.apex, AUTO.base), atol=1e-3)
    merged = with_manual(AUTO, replace(back, apex=AUTO.base), VOLUME)
    assert merged.source == "mixed" and np.allclose(merged.apex, AUTO.base, atol=1e-3)
    assert np.allclose([s.rvip_inferior for s in merged.slices], [s.rvip_inferior for s in AUTO.slices], atol=1e-3)


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refusal:
        read_markups(tmp_path / "none.mrk.json", VOLUME)
    assert refusal.value.code == "not-found"
