"""Reports find their studies, splits keep patients whole, and wrong data gets a clear sentence before any training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from conftest import write_headers
from LGETextDetectLib.finding import Finding, Lesion
from LGETextDetectLib.refusal import REMEDIES, InputRefused
from LGETextTrainLib import data_check, hospital_cohort
from LGETextTrainLib.hospital_cohort import Cohort, Member, assign_splits, match_cohort
from LGETextTrainLib.identifiers import MARK, strip_identifiers
from LGETextTrainLib.prepared_study import Reading
from LGETextTrainLib.recipe import DataTable
from LGETextTrainLib.report_files import read_report_texts
from LGETextTrainLib.report_language import language_of
from LGETextTrainLib.run_record import begin_run
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SHARES = {"validation": 0.3, "test": 0.25}
SCARRED = Finding("present", (Lesion((4, 10), "subendocardial", 2),), "ischaemic")


def member(number: int, **changes: object) -> Member:
    """A readable member; even numbers are scar-free."""
    finding = Finding("absent") if number % 2 == 0 else SCARRED
    plain = Member(f"study-{number:012d}", number, finding, "en", False, Reading(f"{number:064d}", 9, "psir"))
    return replace(plain, **changes)


def members(count: int = 20, **changes: object) -> list[Member]:
    return assign_splits([member(k, **changes) for k in range(count)], SHARES, 1, {})


def cohort(**changes: int) -> Cohort:
    return replace(Cohort((), 20, 0, 0, 0), **changes)


def write_table(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", "utf-8")


def scans(
    folder: Path, patients: dict[str, str], unreported: Sequence[str] = (), images: str = "abcdefghijkl",
    column: Mapping[str, str] | None = None,
) -> tuple[Cohort, list[Member]]:  # fmt: skip
    """Studies by the PatientID of each, with a letter for the images of each, and their members.

    unreported: studies of the first patient without a report; column: what reports say of the patient.
    """
    for name in (*patients, *unreported):
        write_headers(
            folder / "in" / name / "a.dcm",
            patients.get(name, next(iter(patients.values()))),
            "1.2." + str(int.from_bytes(name.encode())),
        )
    rows = (f"{name},No LGE.,{(column or {}).get(name, '')}" for name in patients)
    write_table(folder / "reports.csv", "study,text,patient", *rows)
    found = match_cohort(folder / "in", folder / "reports.csv")
    return found, hospital_cohort.list_members(
        found, [Reading(k * 64, 9, "psir") for k in images[: len(found.matched)]]
    )


def refusal(folder: Path, found: Cohort, own: Sequence[Member], *rows: str) -> str:
    """What is said against a split file with these rows."""
    write_table(folder / "splits.csv", "study,split", *rows)
    with pytest.raises(InputRefused) as refused:
        hospital_cohort.read_splits(folder / "splits.csv", found, own)
    assert refused.value.code == "split-leak"
    return refused.value.cause


# --- wrong data ------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Callable[[], list[data_check.Problem]], str, str]] = {
    "missing images": (lambda: data_check.find_problems(cohort(without_images=8), members(), 0.2), "images-missing", "8 of 20 reports"),
    "empty reports": (
        lambda: data_check.find_problems(cohort(), [*members(), *(member(k, empty=True, finding=Finding()) for k in range(9))], 0.2),
        "empty-reports", "9 of 29 reports are empty",
    ),
    "an unread language": (
        lambda: data_check.find_problems(cohort(), [replace(m, language="it" if m.patient < 5 else "en") for m in members()], 0.2),
        "report-language", "5 reports are written in a language that is not read",
    ),
    "one class": (
        lambda: data_check.find_problems(cohort(), members(finding=Finding("absent")), 0.2), "one-class", "0 patients to train on",
    ),
    "three patients": (lambda: data_check.find_problems(cohort(), members(3), 0.2), "few-patients", "Only 3 patients"),
    "duplicates that disagree": (
        lambda: data_check.find_problems(cohort(), [*members(), member(21, duplicate_of="study-000000000000")], 0.2), "duplicate-studies",
        "their reports disagree",
    ),
    "split rows of no study": (
        lambda: data_check.find_problems(cohort(), members(), 0.2, 3), "split-unmatched", "3 rows of the split file",
    ),
    "unreadable studies": (
        lambda: data_check.find_problems(cohort(), [*members(), *(member(k, reading=Reading(code="no-heart", cause="-")) for k in range(6))], 0.2),
        "left-out", "6 of 26 studies cannot be read (6 no-heart)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_data_is_an_error_in_one_sentence(case: str) -> None:
    find, code, words = WRONG[case]
    first = find()[0]
    assert (first.severity, first.code) == ("error", code) and code in REMEDIES
    assert words in first.text and first.text.endswith(".") and "\n" not in first.text


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        (
            [replace(m, language="de" if m.patient < 9 else "en") for m in members()],
            "report-language",
            "2 languages (11 en, 9 de)",
        ),
        (
            [*members(), member(0, study="study-000000000000-21", duplicate_of="study-000000000000")],
            "duplicate-studies",
            "there twice",
        ),
        (
            [
                *members(),
                member(99, patient=0, finding=Finding("absent"), duplicate_of="study-000000000000", other_patient=True),
            ],
            "duplicate-studies",
            "the two patients are taken for one",
        ),
        ([*members(), member(30, empty=True, finding=Finding())], "empty-reports", "1 of 21"),
        (
            assign_splits([member(k) for k in range(20)], {"validation": 0.2, "test": 0.0}, 1, {}),
            "one-class",
            "Only 2 scarred and 2 scar-free studies to validate on: threshold and calibration, which take 3 of each, will not",
        ),
    ],
)
def test_what_can_be_lived_with_is_a_warning(changed: list[Member], code: str, words: str) -> None:
    (problem,) = data_check.find_problems(cohort(), changed, 0.2)
    assert (problem.severity, problem.code) == ("warning", code) and words in problem.text


def test_good_data_has_no_problem() -> None:
    assert data_check.find_problems(cohort(), members(), 0.2) == []
    assert data_check.count(cohort(), members())["splits"]["train"] == {"present": 5, "absent": 5}


# --- splits ----------------------------------------------------------------------------------------------------------


def test_splits_keep_patients_whole_and_both_classes_everywhere() -> None:
    twice = [*(member(k) for k in range(20)), *(member(k, study=f"again-{k}") for k in range(0, 20, 3))]
    split = assign_splits(twice, SHARES, 1, {})
    by_patient = {(m.patient, m.split) for m in split}
    assert len(by_patient) == 20
    for name in hospital_cohort.SPLITS:
        assert {m.finding.lge for m in split if m.split == name} == {"present", "absent"}
    assert split == assign_splits(twice, SHARES, 1, {})
    assert split != assign_splits(twice, SHARES, 2, {})


def test_a_split_file_is_kept_and_a_torn_patient_refused(tmp_path: Path) -> None:
    fixed = {m.patient: m.split for m in members()}
    more = assign_splits([member(k) for k in range(30)], SHARES, 9, fixed)
    assert {m.patient: m.split for m in more[:20]} == fixed and all(m.split for m in more)
    found, own = scans(tmp_path, {"scan0": "PID1", "scan1": "PID2", "scan2": "PID1"})
    assert refusal(tmp_path, found, own, "scan0,train", "scan2,test").startswith("The split file puts patient 1 into")


@pytest.mark.parametrize("again", ["scan1", "pseudonym", "scan1/a.dcm", "copy"])
def test_rows_that_contradict_each_other_are_refused(tmp_path: Path, again: str) -> None:
    """Under whatever name a study, or one with the same images, is listed a second time."""
    found, own = scans(tmp_path, {"copy": "PID2", "scan1": "PID1", "scan2": "PID3"}, images="aab")
    row = {"pseudonym": own[0].study, "scan1/a.dcm": found.matched[1].study.path}.get(again, again)
    assert refusal(tmp_path, found, own, "scan1,test", f"{row},train") == (
        f"The split file puts {own[0].study} into test and train."
    )


def test_no_folder_s_name_is_taken_for_a_pseudonym(tmp_path: Path) -> None:
    found, own = scans(tmp_path, {"scan1": "PID1", "scan2": "PID2"}, ["study-MUELLER_HANS"])
    write_table(tmp_path / "splits.csv", "study,split", "scan1,test", "study-MUELLER_HANS,test")
    splits = hospital_cohort.read_splits(tmp_path / "splits.csv", found, own)
    hospital_cohort.write_splits(tmp_path / "kept.csv", own, splits.of_study)
    assert splits.unmatched == 0 and "MUELLER" not in (tmp_path / "kept.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("named", "changes"),
    [
        ("scan1", {"reading": Reading(code="damaged-file", cause="-"), "study": "unread-0002"}),
        ("scan1", {"finding": Finding("not_stated")}),
        ("scan1", {"duplicate_of": "study-000000000009"}),
        ("unreported", {}),
    ],
)
def test_a_study_that_is_not_used_holds_its_patient(tmp_path: Path, named: str, changes: dict[str, object]) -> None:
    found, own = scans(tmp_path, {"scan0": "PID1", "scan1": "PID1", "scan2": "PID2", "scan3": "PID3"}, ["unreported"])
    own[1] = replace(own[1], **changes)
    write_table(tmp_path / "splits.csv", "study,split", f"{named},test")
    splits = hospital_cohort.read_splits(tmp_path / "splits.csv", found, own)
    assert splits.unmatched == 0
    for seed in range(6):
        assert assign_splits(own, {"validation": 0.3, "test": 0.0}, seed, splits.of_patient)[0].split == "test"


def test_other_shares_and_seeds_share_out_anew_until_a_run_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans(tmp_path, {f"scan{k}": f"PID{k}" for k in range(12)})
    monkeypatch.setattr(data_check, "prepare_all", lambda studies, *_, **__: [
        Reading(hashlib.sha256(s.name.encode()).hexdigest(), 9, "psir") for s in studies
    ])  # fmt: skip
    monkeypatch.setattr(data_check, "frame_folder", lambda folder, *_: folder)

    (tmp_path / "out").mkdir()

    def splits(test_share: float, seed: int = 1) -> tuple[list[str], list[str]]:
        data = DataTable(str(tmp_path / "in"), str(tmp_path / "reports.csv"), test_share=test_share)
        check = data_check.check_data(data, tmp_path, tmp_path / "out", seed)
        return [m.split for m in check.members], [p.code for p in check.problems if p.code == "recipe-changed"]

    first, second = splits(0.0), splits(0.25)
    assert "test" not in first[0] and second[0].count("test") == 3 and splits(0.25) == second
    third = splits(0.25, seed=2)
    assert third[0] != second[0] and third[1] == []
    begin_run(tmp_path / "out", {"name": "lge-x", "version": "1", "recipe": "r", "data": "d"})
    assert splits(0.0) == (third[0], ["recipe-changed"]) == splits(0.25)
    assert splits(0.25, seed=2) == third


# --- patients --------------------------------------------------------------------------------------------------------


def test_a_patient_named_by_some_reports_only_is_one(tmp_path: Path) -> None:
    """The column of one row, the PatientID of the others, and a third study by the column alone."""
    folders = {"scan0": "PID1", "scan1": "PID1", "scan2": "", "scan3": "PID3"}
    found, _ = scans(tmp_path, folders, column={"scan1": "R7", "scan2": "R7"})
    assert [matched.patient for matched in found.matched] == [1, 1, 1, 2]


def test_a_patient_id_that_all_studies_bear_joins_nobody_where_the_reports_tell_patients(tmp_path: Path) -> None:
    folders = dict.fromkeys(("scan0", "scan1", "scan2"), "ANON")
    found, _ = scans(tmp_path, folders, column={"scan0": "R1", "scan1": "R2", "scan2": "R1"})
    assert [matched.patient for matched in found.matched] == [1, 2, 1]
    (tmp_path / "reports.csv").unlink()
    assert {matched.patient for matched in scans(tmp_path, folders)[0].matched} == {1}


def test_the_same_images_make_two_patients_one(tmp_path: Path) -> None:
    """scan0 and scan2 hold the same images, scan3 is of scan2's patient: one person, in one split, whatever the seed."""
    folders = {f"scan{k}": f"PID{min(k, 2)}" for k in range(4)} | {f"scan{k}": f"PID{k}" for k in range(4, 10)}
    found, own = scans(tmp_path, folders, images="abacdefghi")
    assert [m.patient for m in own[:4]] == [1, 2, 1, 1] and [m.patient for m in found.matched[:4]] == [1, 2, 3, 3]
    assert own[2].duplicate_of == own[0].study and own[2].other_patient
    for seed in range(20):
        out = assign_splits(own, SHARES, seed, {})
        assert out[0].split == out[3].split != ""


def test_splits_survive_the_disk_and_studies_that_are_away(tmp_path: Path) -> None:
    all_of_them = members()
    hospital_cohort.write_splits(tmp_path / "splits.csv", all_of_them, {})
    fixed = hospital_cohort.read_splits(tmp_path / "splits.csv", cohort(), [])
    assert fixed.of_study == {m.study: m.split for m in all_of_them}
    hospital_cohort.write_splits(tmp_path / "splits.csv", all_of_them[:5], fixed.of_study)
    assert hospital_cohort.read_splits(tmp_path / "splits.csv", cohort(), []) == fixed


def test_rows_of_a_split_file_that_find_no_study_are_counted(tmp_path: Path) -> None:
    """A study without a report is in the folder, though unused: its row is right."""
    for number, name in enumerate(("scan1", "scan2", "unreported")):
        write_headers(tmp_path / "in" / name / "a.dcm", f"PID{number}", f"1.2.{number}")
    (tmp_path / "reports.csv").write_text("study,text\nscan1,No LGE.\nscan2,No LGE.\n", "utf-8")
    found = match_cohort(tmp_path / "in", tmp_path / "reports.csv")
    own = hospital_cohort.list_members(found, [Reading(letter * 64, 9, "psir") for letter in "ab"])
    rows = ["scan1,test", f"{own[1].study},train", "unreported,test", "scan_2,test", "study-0123456789ab,test"]
    (tmp_path / "splits.csv").write_text("\n".join(["study,split", *rows]) + "\n", "utf-8")
    splits = hospital_cohort.read_splits(tmp_path / "splits.csv", found, own)
    assert splits.unmatched == 2
    assert (splits.of_study[own[0].study], splits.of_study[own[1].study]) == ("test", "train")


def test_unusable_studies_get_no_split() -> None:
    out = assign_splits(
        [*members(), member(40, finding=Finding("uncertain")), member(41, duplicate_of="study-000000000001")],
        SHARES,
        1,
        {},
    )
    assert [m.split for m in out[-2:]] == ["", ""]


# --- matching --------------------------------------------------------------------------------------------------------


def test_reports_find_studies_by_any_name(tmp_path: Path) -> None:
    for number in range(4):
        write_headers(tmp_path / "in" / f"scan{number}" / "a.dcm", f"PID{number // 2}", f"1.2.{number}")
    rows = [("scan0", "No LGE."), ("1.2.1", "LGE present."), ("PID1", "Patient of two studies."), ("nobody", "No LGE.")]
    table = tmp_path / "reports.csv"
    table.write_text("study;text\n" + "".join(f'{s};"{t}"\n' for s, t in rows), "utf-8")
    matched = match_cohort(tmp_path / "in", table)
    assert [m.study.name for m in matched.matched] == ["scan0", "scan1"]
    assert len({m.patient for m in matched.matched}) == 1
    assert (matched.reports, matched.without_images, matched.without_report) == (4, 2, 2)


@pytest.mark.parametrize(
    ("folder", "patient", "text", "lge", "segments"),
    [
        ("Case 12 LGE", "PID1", "No LGE.", "absent", ()),
        ("HCM inferior 03", "PID1", "Scar in the inferior wall.", "present", (4, 10, 15)),
        ("scan", "Free^Jane", "The myocardium is free of scar.", "absent", ()),
        ("scan", "PID1", "LGE in segments 10 11 12.", "present", (10, 11, 12)),
        ("scan", "PID1", "LGE in segments 10-11-12.", "present", (10, 11, 12)),
        ("scan", "PID1", "Scar in segments 2 8 9 14 and 11 12 16.", "present", (2, 8, 9, 11, 12, 14, 16)),
    ],
)
def test_names_and_numbers_take_no_finding_away(
    tmp_path: Path, folder: str, patient: str, text: str, lge: str, segments: tuple[int, ...]
) -> None:
    """The finding is read before identifiers are stripped; what is kept of the text holds none."""
    write_headers(tmp_path / "in" / folder / "a.dcm", patient, "1.2.3")
    (tmp_path / "reports.csv").write_text(f'study;text\n1.2.3;"{text}"\n', "utf-8")
    (matched,) = match_cohort(tmp_path / "in", tmp_path / "reports.csv").matched
    (read,) = hospital_cohort.list_members(Cohort((matched,), 1, 0, 0, 0), [Reading("a" * 64, 9, "psir")])
    assert read.finding.lge == lge
    assert {n for lesion in read.finding.lesions for n in lesion.segments} == set(segments)
    assert not any(word.lower() in matched.text.lower().split() for word in (*folder.split(), patient) if len(word) > 3)


def test_reports_find_the_studies_of_one_folder(tmp_path: Path) -> None:
    """Files of all patients in one folder, as archives write them."""
    for number in range(6):
        write_headers(tmp_path / "in" / f"IM{number}", f"PID{number % 3}", f"1.2.{number % 3}")
    rows = [("1.2.0", "No LGE."), ("PID2", "LGE present."), ("in", "Whose?")]
    table = tmp_path / "reports.csv"
    table.write_text("study;text\n" + "".join(f'{s};"{t}"\n' for s, t in rows), "utf-8")
    matched = match_cohort(tmp_path / "in", table)
    assert [(m.study.path, m.text, m.patient) for m in matched.matched] == [
        ("IM0", "No LGE.", 1), ("IM2", "LGE present.", 2),
    ]  # fmt: skip
    assert "1.2.0" in matched.matched[0].private and "PID2" in matched.matched[1].private
    assert (matched.reports, matched.without_images, matched.without_report) == (3, 1, 1)


def test_reports_of_every_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"study": "s1", "text": "No LGE."}\n\n{"id": 7, "text": "x"}\n', "utf-8")
    assert [r.study for r in read_report_texts(tmp_path / "a.jsonl")] == [("s1",), ("7",)]
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "s3.txt").write_text("Keine Narbe.", "utf-8")
    write_report_object(folder / "sr.dcm", "9.9.9", ["No LGE.", "Normal."])
    read = {report.study: report.text for report in read_report_texts(folder)}
    assert read == {("s3",): "Keine Narbe.", ("9.9.9", "ACC1"): "No LGE.\nNormal."}


def write_report_object(path: Path, study: str, texts: list[str]) -> None:
    """A DICOM SR with text items inside a container."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.3.4"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    root, container = Dataset(), Dataset()
    root.file_meta, root.Modality, root.StudyInstanceUID, root.AccessionNumber = meta, "SR", study, "ACC1"
    container.ValueType, container.ContentSequence = "CONTAINER", []
    for text in texts:
        item = Dataset()
        item.ValueType, item.TextValue = "TEXT", text
        container.ContentSequence.append(item)
    root.ContentSequence = [container]
    root.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "id,report\n1,x\n", "no columns study and text"),
        ("a.csv", "study,text\nonly\n", "line 2 is too short"),
        ("a.csv", "study,text\na,No scar, but a thrombus.\n", "more cells"),
        ("a.csv", "study,text,Text\na,b,c\n", "twice"),
        ("a.jsonl", '{"study": "s"}\n', "Line 1 has no study and text"),
        ("a.jsonl", "nothing\n", "Line 1 is not JSON"),
        ("a.jsonl", b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_bad_table_is_refused_without_quoting_it(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputRefused) as refused:
        read_report_texts(tmp_path / name)
    assert refused.value.code == "bad-reports" and words in refused.value.cause


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Patient: Jane Canary, DOB 12/03/1961. No LGE.", "Dear Dr Canary, no scar.", "MRN: AB1234567\nNo LGE.", "Seen on 3 March 2021 by Prof. Canary.",
        "Call +44 20 7946 0958. No LGE.", "canary@hospital.example wrote: no LGE", "Accession 20210312 no LGE", "Frau Canary, geb. 12.03.1961: keine Narbe.",
    ],
)  # fmt: skip
def test_identifiers_are_stripped(text: str) -> None:
    stripped = strip_identifiers(text)
    assert MARK in stripped
    assert not any(word in stripped for word in ("Canary", "canary", "1961", "2021", "AB1234567", "7946", "20210312"))


@pytest.mark.parametrize(
    "text",
    [
        "LGE in segments 10 11 12.", "Scar (segments 10-11-12).", "Scar in segments 8-9-14.", "AHA 10/11/12: LGE.", "Narbe in Segment 10, 11 und 12.",
        "Scar in segments 2 8 9 14 and 11 12 16.",
    ],
)  # fmt: skip
def test_lists_of_segments_stay(text: str) -> None:
    assert strip_identifiers(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Scar in segment 4. 10.11.12 Dr Canary", "Scar in segment 4. [...]"),
        ("Segments 4 and 10, 12/11/2010.", "Segments 4 and 10, [...]."),
        ("Segment 4, phone 10 11 12 13.", "Segment 4, phone [...]."),
        ("LGE study of 10-11-12.", "LGE study of [...]."),
    ],
)
def test_dates_and_phones_beside_segments_go(text: str, left: str) -> None:
    assert strip_identifiers(text).replace(f"{MARK} {MARK}", MARK) == left


def test_measurements_stay_and_known_names_go() -> None:
    text = "EDV 182 ml, EF 45 %, 50-75 % of wall thickness, segments 4, 10 and 15, native T1 1020 ms."
    assert strip_identifiers(text) == text
    assert "Zebra" not in strip_identifiers("Zebra has no LGE, zebra's heart", ["Zebra^Tom"])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("There is no late gadolinium enhancement of the left ventricle.", "en"),
        ("Kein Nachweis einer Narbe im linken Ventrikel, die Wand ist normal.", "de"),
        ("Absence de rehaussement tardif dans la paroi du ventricule gauche.", "fr"),
        ("No hay realce tardío en la pared del ventrículo izquierdo.", "es"),
        ("Non si osserva impregnazione tardiva della parete del ventricolo sinistro.", "it"),
        ("42", ""),
    ],
)
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_table_holds_no_name_and_no_report(tmp_path: Path) -> None:
    check = data_check.DataCheck(
        tuple(members()), tuple("CANARY" for _ in range(20)), data_check.count(cohort(), members()), (), tmp_path
    )
    data_check.write_table(check, tmp_path)
    written = (tmp_path / "studies.csv").read_text("utf-8") + (tmp_path / "counts.json").read_text("utf-8")
    assert "CANARY" not in written and "study-000000000003" in written
    assert json.loads((tmp_path / "counts.json").read_text("utf-8"))["present"] == 10
    assert np.all([row.count(",") >= 9 for row in (tmp_path / "studies.csv").read_text("utf-8").splitlines()])
