"""Evaluation on result files whose figures can be counted by hand."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.finding import Finding, Lesion
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import write_nrrd
from LGETextTrainLib.evaluate import as_table, evaluate, write_evaluation

SCARRED = {"s1": (0.9, (4, 10)), "s2": (0.6, (9,)), "s3": (0.4, (4,))}
CLEAN = {"n1": (0.1, ()), "n2": (0.5, ()), "n3": (0.2, ())}


def result(probability: float, segments: tuple[int, ...], centre: list[float]) -> dict:
    """What evaluation reads of a result.json: three slices, threshold 0.55."""
    mark = {"lv_centre": centre, "rvip_anterior": [0.0, -5.0, 0.0], "rvip_inferior": [0.0, 5.0, 0.0]}
    return {
        "detection": {
            "present": probability >= 0.55,
            "probability": probability,
            "threshold": 0.55,
            "abstained": False,
        },
        "slices": [{"index": k, "probability": probability * (k == 1)} for k in range(3)],
        "segments": [{"probability": 0.8 if n in segments else 0.1, "layer": "mid-wall"} for n in range(1, 18)],
        "landmarks": {"slices": [{"index": k, **mark} for k in range(3)]},
        "finding": {"lesions": [{"segments": list(segments)}]},
        "prompts": [{"text": "scar in the inferior wall", "probability": 0.8 if 4 in segments else 0.1}],
        "caption": "",
    }


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Studies with masks, results, truth table: every centre is 4 mm off, but the last study's, which is 30 mm off."""
    root, results = tmp_path / "root", tmp_path / "results"
    root.mkdir()
    labels = np.zeros((3, 21, 21), np.float32)
    labels[1, 8:13, 8:13] = 1
    affine = np.array([[0, 0, 1.0, -10], [0, 1.0, 0, -10], [8.0, 0, 0, 0], [0, 0, 0, 1]])
    rows, findings = [], []
    for number, (name, (probability, segments)) in enumerate({**SCARRED, **CLEAN}.items()):
        write_nrrd(Volume(labels, affine), root / f"{name}_mask.nrrd")
        (results / name).mkdir(parents=True)
        off = 30.0 if number == 5 else 4.0
        (results / name / "result.json").write_text(json.dumps(result(probability, segments, [off, 0.0, 8.0])), "utf-8")
        rows.append(
            {"study": name, "lge": int(bool(segments)), "segments": " ".join(map(str, segments)),
             "layer": "mid-wall" if segments else "", "slices": "1" if segments else ""}
        )  # fmt: skip
        lesions = (Lesion(segments, "mid-wall"),) if segments else ()
        findings.append({"id": name, "finding": Finding("present" if segments else "absent", lesions).to_dict()})
    with (root / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (root / "findings.jsonl").write_text("".join(json.dumps(f) + "\n" for f in findings), "utf-8")
    (root / "rvip.csv").write_text("study,slice,anterior_deg,inferior_deg\ns1,1,90,270\ns2,1,135,270\n", "utf-8")
    return root, results, root / "truth.csv"


def test_figures_counted_by_hand(folders: tuple[Path, Path, Path]) -> None:
    figures = evaluate(*folders)
    assert figures["studies"] == 6
    assert figures["patient_auroc"] == pytest.approx(8 / 9)  # s3 (0.4) lies below n2 (0.5)
    assert figures["sensitivity"] == pytest.approx(2 / 3)
    assert figures["specificity"] == 1
    assert figures["balanced_accuracy"] == pytest.approx(5 / 6)
    assert figures["segment_auroc"] == 1
    assert figures["strongest_segment_is_scarred"] == 1
    assert figures["layer_accuracy"] == 1
    assert figures["slice_auroc"] > 0.9
    low, high = figures["patient_auroc_95"]
    assert 0 <= low < 8 / 9 < high <= 1


def test_landmarks_are_measured_in_mm_and_degrees(folders: tuple[Path, Path, Path]) -> None:
    figures = evaluate(*folders)
    assert figures["centre_slices"] == 6
    assert figures["centre_within_10_mm"] == pytest.approx(5 / 6)
    assert figures["centre_median_mm"] == pytest.approx(4)
    assert figures["rvips"] == 4
    assert figures["rvip_within_20_deg"] == pytest.approx(3 / 4)


def test_prompts_are_scored_against_the_findings(folders: tuple[Path, Path, Path]) -> None:
    root, results, truth = folders
    assert "prompt_auroc" not in evaluate(*folders)  # two inferior scars are too few
    path = root / "findings.jsonl"
    entries = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    entries[1]["finding"] = Finding("present", (Lesion((4,)),)).to_dict()
    path.write_text("".join(json.dumps(e) + "\n" for e in entries), "utf-8")
    figures = evaluate(root, results, truth)
    assert figures["prompts_scored"] == 1
    assert figures["prompt_auroc_mean"] == pytest.approx(7.5 / 9)  # the second scar ties with three clean studies


def test_missing_results_are_named(folders: tuple[Path, Path, Path]) -> None:
    root, results, truth = folders
    (results / "n3" / "result.json").unlink()
    assert evaluate(root, results, truth)["without_result"] == ["n3"]


def test_no_result_at_all_is_refused(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        evaluate(folders[0], tmp_path, folders[2])


def test_tables_are_written(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    figures = evaluate(*folders)
    write_evaluation(tmp_path / "out", figures, folders[1], folders[2])
    kept = json.loads((tmp_path / "out" / "figures.json").read_text("utf-8"))
    assert kept["patient_auroc"] == pytest.approx(figures["patient_auroc"], abs=1e-4)
    with (tmp_path / "out" / "cases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert {row["study"]: row["segments_found"] for row in rows}["s1"] == "4 10"
    assert "patient_auroc" in as_table(figures)
