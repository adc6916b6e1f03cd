"""Landmarks to and from Slicer's markups files (.mrk.json): one fiducial list with named control points."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from .landmarks import Landmarks, Point, SliceLandmarks
from .refusal import InputRefused
from .volume import Volume

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
LIST_NAME = "LGE landmarks"
MAX_BYTES = 10_000_000  # a landmark list is a few kilobytes
MAX_OFF_MM = 250.0  # apex and base may lie beyond the stack, but not beyond the chest
FAR_MM = 1e6  # from the scanner's centre: coordinates beyond are none
BEYOND_EDGE_MM = {"lv_centre": 10.0, "rvip_anterior": 60.0, "rvip_inferior": 60.0}  # of a crop: a ventricle's size
ON_SLICE = 0.1  # of the gap: a point this near to a slice lies on it, whatever its name says
POINT_NAMES = ("lv_centre", "rvip_anterior", "rvip_inferior")
_POINT = re.compile(r"(lv_centre|rvip_anterior|rvip_inferior)(_?\d{1,9})?")
_ENDS = ("apex", "base")
_PLAIN_ORIENTATION = [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0]  # what Slicer writes for a free point
_DISPLAY = {
    "visibility": True,
    "glyphType": "Sphere3D",
    "glyphScale": 2.0,
    "textScale": 2.5,
    "propertiesLabelVisibility": True,
}


def markups_document(landmarks: Landmarks) -> dict[str, Any]:
    """The markups file's content: LPS mm, points in a fixed order, confidence in each point's description."""
    points: list[tuple[str, Point, str]] = []
    for name in _ENDS:
        place: Point | None = getattr(landmarks, name)
        if place is not None:
            points.append((name, place, landmarks.source))
    for mark in landmarks.slices:
        for name in POINT_NAMES:
            place = getattr(mark, name)
            if place is not None:
                points.append((f"{name}_{mark.index}", place, f"confidence {mark.confidence:.2f}"))
    controls = [_control_point(number, *point) for number, point in enumerate(points, 1)]
    markup = {
        "type": "Fiducial", "name": LIST_NAME, "coordinateSystem": "LPS", "coordinateUnits": "mm", "locked": False,
        "fixedNumberOfControlPoints": False, "labelFormat": "%N-%d", "lastUsedControlPointNumber": len(controls),
        "controlPoints": controls, "display": _DISPLAY,
    }  # fmt: skip
    return {"@schema": SCHEMA, "markups": [markup]}


def write_markups(landmarks: Landmarks, path: Path) -> None:
    """Write a .mrk.json file that Slicer opens as one point list."""
    text = json.dumps(markups_document(landmarks), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", "utf-8")


def _control_point(number: int, label: str, lps: Point, description: str) -> dict[str, Any]:
    return {
        "id": str(number), "label": label, "description": description, "associatedNodeID": "",
        "position": [round(float(v), 3) for v in lps], "orientation": _PLAIN_ORIENTATION,
        "selected": True, "locked": False, "visibility": True, "positionStatus": "defined",
    }  # fmt: skip


def read_markups(path: Path, volume: Volume) -> Landmarks:
    """Landmarks set by hand, every point as it lies and given to a slice of ``volume``.

    Takes LPS and RAS files. The place decides on the slice; between two slices the number in a point's name does, where it
    is that of one of them, else the nearer one is taken. Raises InputRefused('bad-landmarks') for anything else than named,
    finite, distinct points at the stack; beyond the images' edge :data:`BEYOND_EDGE_MM` are allowed.
    """
    ends: dict[str, Point] = {}
    marks: dict[tuple[int, str], Point] = {}
    for label, lps in _named_points(_content(path)):
        name = re.sub(r"[\s\-]+", "_", label.strip().lower()).replace("center", "centre")
        match = _POINT.fullmatch(name)
        if name in _ENDS:
            _check_near(lps, volume, name)
            if name in ends:
                raise InputRefused("bad-landmarks", f"The point {name} is given twice.")
            ends[name] = lps
        elif match:
            number = int(match[2].lstrip("_")) if match[2] else None
            key = (_slice_of(lps, volume, match[1], number), match[1])
            if key in marks:
                raise InputRefused("bad-landmarks", f"Slice {key[0] + 1} has two points {key[1]}.")
            marks[key] = lps
        else:
            raise InputRefused(
                "bad-landmarks", f"A point has an unknown name; known are {', '.join((*_ENDS, *POINT_NAMES))}."
            )
    if not marks and not ends:
        raise InputRefused("bad-landmarks", "The file names no landmark.")
    return Landmarks("manual", ends.get("apex"), ends.get("base"), _slices(marks, len(volume.array)))


def _slices(marks: dict[tuple[int, str], Point], count: int) -> tuple[SliceLandmarks, ...]:
    """One entry a slice; confidence 1 where anything was set by hand."""
    rows = []
    for index in range(count):
        centre, anterior, inferior = (marks.get((index, name)) for name in POINT_NAMES)
        rows.append(SliceLandmarks(index, centre, anterior, inferior, float(any((centre, anterior, inferior)))))
    return tuple(rows)


def _content(path: Path) -> dict[str, Any]:
    """The file's JSON object."""
    if not path.is_file():
        raise InputRefused("not-found", "The landmark file does not exist.")
    if path.stat().st_size > MAX_BYTES:
        raise InputRefused("bad-landmarks", "The landmark file is far too large for a point list.")
    try:
        data = json.loads(path.read_text("utf-8-sig"), parse_int=float)  # no whole number is too long
    except (OSError, ValueError, RecursionError) as error:
        raise InputRefused("bad-landmarks", "The landmark file is no readable JSON.") from error
    if not isinstance(data, dict) or not isinstance(data.get("markups"), list):
        raise InputRefused("bad-landmarks", "The landmark file holds no markups.")
    return data


def _named_points(data: dict[str, Any]) -> list[tuple[str, Point]]:
    """Label and LPS mm of every placed point of every list in the file."""
    points = []
    for markup in data["markups"]:
        if not isinstance(markup, dict):
            raise InputRefused("bad-landmarks", "The landmark file's markups are malformed.")
        sign = _lps_sign(markup)
        controls = markup.get("controlPoints")
        for control in controls if isinstance(controls, list) else ():
            if not isinstance(control, dict):
                raise InputRefused("bad-landmarks", "The landmark file's points are malformed.")
            if control.get("positionStatus", "defined") == "defined":
                points.append((str(control.get("label", "")), _position(control.get("position"), sign)))
    return points


def _lps_sign(markup: dict[str, Any]) -> float:
    """Sign of the first two coordinates that turns the file's system into LPS."""
    system = str(markup.get("coordinateSystem", "LPS")).upper()
    if system not in ("LPS", "RAS"):
        raise InputRefused("bad-landmarks", "The landmark file's coordinate system is neither LPS nor RAS.")
    if str(markup.get("coordinateUnits", "mm")).lower() != "mm":
        raise InputRefused("bad-landmarks", "The landmark file's unit is not mm.")
    return 1.0 if system == "LPS" else -1.0


def _position(value: object, sign: float) -> Point:
    if not isinstance(value, list) or len(value) != 3:
        raise InputRefused("bad-landmarks", "A point has no position of three numbers.")
    numbers = [v for v in value if isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) <= FAR_MM]
    if len(numbers) != 3:
        raise InputRefused("bad-landmarks", "A point's position is no place in mm.")
    return sign * float(numbers[0]), sign * float(numbers[1]), float(numbers[2])


def _slice_of(lps: Point, volume: Volume, kind: str, number: int | None) -> int:
    """Index of a point's slice, see :func:`read_markups`; ``number`` is that of its name."""
    place, *in_plane = (float(v) for v in volume.to_index(lps))
    last, below = len(volume.array) - 1, math.floor(place)
    chosen, reach = min(max(math.floor(place + 0.5), 0), last), 0.5
    between = {below, below + 1} & {*range(last + 1)} if ON_SLICE < place - below < 1 - ON_SLICE else set()
    if number is not None and number in between:
        chosen, reach = number, 1.0
    half = (np.array(volume.array.shape[1:]) - 1) / 2
    beyond_mm = (np.abs(in_plane - half) - half - 0.5) * volume.spacing_mm[:2]
    if abs(place - chosen) > reach + 1e-6 or float(beyond_mm.max()) > BEYOND_EDGE_MM[kind]:
        raise InputRefused("bad-landmarks", f"A point {kind} lies outside the image stack.")
    return chosen


def _check_near(lps: Point, volume: Volume, name: str) -> None:
    """Apex and base must lie within reach of the stack."""
    size = np.array(volume.array.shape)
    nearest = volume.to_lps(np.clip(volume.to_index(lps), 0, size - 1))
    if float(np.linalg.norm(nearest - np.array(lps))) > MAX_OFF_MM:
        raise InputRefused("bad-landmarks", f"The point {name} lies far from the image stack.")
