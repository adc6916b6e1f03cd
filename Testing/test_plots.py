"""Plots are well-formed SVG, stand at the right place and say whose patients they show."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from LGETextTrainLib.plots import LEFT, SIDE, TOP, write_plots

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    "set": "a & b", "virtual": True, "studies": 4, "patient_auroc": 0.75, "patient_auroc_95": [0.5, None], "sensitivity": 1.0,
    "specificity": 0.5, "roc": [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]], "calibration_bins": [[0.25, 0.0, 3], [0.75, 1.0, 1]],
    "calibration_error": 0.25, "brier": 0.1, "abstention_curve": [[1.0, 0.5, 0.5], [0.5, 1.0, None]],
    "by_segment": {str(n): {"scarred": n, "sensitivity": None if n == 17 else n / 17} for n in range(1, 18)},
}  # fmt: skip


def test_all_plots_are_drawn(tmp_path: Path) -> None:
    paths = write_plots(tmp_path, FIGURES)
    assert [path.stem for path in paths] == ["roc", "reliability", "abstention", "segments"]
    for path in paths:
        root = ElementTree.fromstring(path.read_text("utf-8"))
        words = " ".join(text for text in root.itertext())
        assert "a & b (virtual patients, n = 4)" in words
        assert "not for diagnosis" in words


def test_curve_and_threshold_stand_at_their_values(tmp_path: Path) -> None:
    root = ElementTree.fromstring(write_plots(tmp_path, FIGURES)[0].read_text("utf-8"))
    line = root.find(f"{SVG}polyline")
    assert line is not None
    points = [tuple(float(v) for v in point.split(",")) for point in line.attrib["points"].split()]
    assert points == [(LEFT, TOP + SIDE), (LEFT + SIDE / 2, TOP), (LEFT + SIDE, TOP)]
    ring = root.find(f"{SVG}circle")
    assert ring is not None
    assert (float(ring.attrib["cx"]), float(ring.attrib["cy"])) == (LEFT + SIDE / 2, TOP)


def test_accuracy_is_drawn_where_a_balanced_one_is_not_defined(tmp_path: Path) -> None:
    root = ElementTree.fromstring(write_plots(tmp_path, FIGURES)[2].read_text("utf-8"))
    accuracy, balanced = (line.attrib["points"].split() for line in root.findall(f"{SVG}polyline"))
    assert (len(accuracy), len(balanced)) == (2, 1)


def test_bigger_bins_are_bigger_discs(tmp_path: Path) -> None:
    root = ElementTree.fromstring(write_plots(tmp_path, FIGURES)[1].read_text("utf-8"))
    first, second = (float(disc.attrib["r"]) for disc in root.findall(f"{SVG}circle"))
    assert first > second


def test_a_segment_without_patients_is_grey(tmp_path: Path) -> None:
    text = write_plots(tmp_path, FIGURES)[3].read_text("utf-8")
    assert 'fill="#e1e4e7"' in text
    assert ">94%<" in text  # 16 of 17


def test_only_what_there_is(tmp_path: Path) -> None:
    assert write_plots(tmp_path, {"set": "x", "virtual": False, "studies": 1}) == []
