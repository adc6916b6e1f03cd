"""Truth tables as hospitals write them: read, or refused by row and column before anything is detected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.truth_table import patient_of, read_truth


@pytest.mark.parametrize(
    "content",
    [
        b"study,lge\na,1\nb,0\n",
        b"\xef\xbb\xbfstudy,lge\r\na,1\r\nb,0\r\n",  # Excel: byte order mark
        b"study;lge;note\na;1;seen, sure\nb;0;\n",  # Excel where the comma is decimal
        b"lge,study\n1.0,a\n0.0,b\n",  # pandas
        b"study, lge\n a , 1\n\nb,0\n,\n",
    ],
)
def test_usual_ways_to_write_a_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "truth.csv").write_bytes(content)
    assert [(row["study"], row["lge"]) for row in read_truth(tmp_path / "truth.csv").rows] == [("a", "1"), ("b", "0")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("study,lge\na,1\nb,present\n", r"row 3, column 'lge'.*'present'"),
        ("study,lge\na,\n", r"row 2, column 'lge'"),
        ("study,lge\na,2\n", r"row 2, column 'lge'"),
        ("study,lge\n,1\n", r"row 2, column 'study'"),
        ("study,lge\na,1\nb,0\na,0\n", r"row 4, column 'study'.*row 2 already"),
        ("study,scar\na,1\n", r"no column 'lge'; its columns are study, scar"),
        ("study\tlge\na\t1\n", r"no column 'study'"),
        ("study,lge\na,1,4\n", r"row 2: more cells"),
        ("study,lge,segments\na,1,4 18\n", r"row 2, column 'segments'"),
        ("study,lge,segments\na,1,4.0\n", r"row 2, column 'segments'"),
        ("study,lge,slice_lge\na,1,0 yes\n", r"row 2, column 'slice_lge'"),
        ("study,lge,slices\na,1,-1\n", r"row 2, column 'slices'"),
        ("study,lge,transmurality\na,1,4:5\n", r"row 2, column 'transmurality'"),
        ("study,lge,segments\na,1,4\nb,0,4\n", r"study b: scar-free"),
        ("study,lge,slice_lge\nb,0.0,0 1\n", r"study b: scar-free"),
        ("study,lge\n", r"no row of a study"),
        ("", r"no row of a study"),
    ],
)
def test_a_wrong_table_is_refused_by_row_and_column(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "truth.csv").write_text(content, "utf-8")
    with pytest.raises(InputRefused, match=said) as refused:
        read_truth(tmp_path / "truth.csv")
    assert refused.value.code == "bad-truth"


def test_without_a_patient_a_study_is_one(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("study,lge,patient\na,1,P1\nb,0,\n", "utf-8")
    assert [patient_of(row) for row in read_truth(tmp_path / "truth.csv").rows] == ["P1", "b"]
    assert patient_of({"study": "a", "lge": "1"}) == "a"


def test_a_table_in_another_encoding_or_nowhere(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_bytes("study,lge\nM\u00fcller,1\n".encode("latin-1"))
    for name, code in (("truth.csv", "bad-truth"), ("nowhere.csv", "not-found")):
        with pytest.raises(InputRefused) as refused:
            read_truth(tmp_path / name)
        assert refused.value.code == code


def test_findings_beside_the_table_are_read_and_checked(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("study,lge\na,0\n", "utf-8")
    assert not read_truth(tmp_path / "truth.csv").findings
    line = json.dumps({"id": "a", "finding": Finding("absent").to_dict()})
    (tmp_path / "findings.jsonl").write_text(line + "\n", "utf-8")
    assert read_truth(tmp_path / "truth.csv").findings == {"a": Finding("absent")}
    (tmp_path / "truth.csv").write_text("study,lge\na,1\n", "utf-8")
    with pytest.raises(InputRefused, match=r"study a: lge is 1, but findings\.jsonl beside it says absent"):
        read_truth(tmp_path / "truth.csv")
    (tmp_path / "findings.jsonl").write_text('\n{"id": "a"}\n', "utf-8")
    with pytest.raises(InputRefused, match=r"findings\.jsonl, row 2"):
        read_truth(tmp_path / "truth.csv")


def test_a_wrong_path_ends_the_evaluation_before_it_begins(lgetext: Callable, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = lgetext("evaluate", tmp_path / "no-studies-here", "--truth", "truht.csv", "--out", tmp_path / "out")
    assert done.returncode == 3 and "[not-found]" in done.stderr and "truht.csv" in done.stderr
    (tmp_path / "truth.csv").write_text("study,lge\na,1\n", "utf-8")
    for option in ("--biomedclip", "--med-flamingo"):
        done = lgetext("evaluate", tmp_path, "--truth", "truth.csv", "--out", tmp_path / "out", option, tmp_path)
        assert done.returncode == 3 and "[bad-weights]" in done.stderr
    assert not (tmp_path / "out").exists()
