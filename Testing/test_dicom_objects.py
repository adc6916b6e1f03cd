"""Segmentation and report are valid DICOM in the source's study, say what result.json says, and keep identity out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from LGETextDetectLib import aha
from LGETextDetectLib.dicom_frames import read_headers
from LGETextDetectLib.outputs import dicom_codes
from LGETextDetectLib.outputs.dicom_objects import write_dicom_objects
from LGETextDetectLib.outputs.write_outputs import write_outputs
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from sample_detection import Sample, sample_detection, sample_loaded, sample_volume

MR, ENHANCED = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
MAKERS_OWN = "1.3.46.670589.11.0.0.12.1"  # MR Spectrum of a maker: highdicom knows no such class
SECRETS = ("Hidden", "ID-4711", "19500101", "Dr Known", "ACC-99", "St Elsewhere", "secret remark", "20200203")


def base_header(volume: Volume, sop_class: str, name: str, series: str) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=[name])
    data.StudyInstanceUID, data.SeriesInstanceUID = (generate_uid(entropy_srcs=[s]) for s in ("study", series))
    data.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    data.PatientName, data.PatientID, data.PatientBirthDate = "Hidden^Name", "ID-4711", "19500101"
    data.ReferringPhysicianName, data.AccessionNumber, data.InstitutionName = "Dr Known", "ACC-99", "St Elsewhere"
    data.PatientComments, data.StudyDate, data.Modality = "secret remark", "20200203", "MR"
    data.Rows, data.Columns = volume.array.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    return data


def numbers(values: Any) -> list[str]:
    return [f"{v:.9g}" for v in values]


def cosines(volume: Volume) -> list[str]:
    row, column = (volume.affine[:3, axis] / np.linalg.norm(volume.affine[:3, axis]) for axis in (2, 1))
    return numbers([*row, *column])


def write_single_frames(folder: Path, volume: Volume, sop_class: str) -> None:
    """One series a slice, as many scanners do."""
    for k, pixels in enumerate(volume.array):
        data = base_header(volume, sop_class, f"slice {k}", f"series {k}")
        data.ImagePositionPatient, data.ImageOrientationPatient = (
            numbers(volume.affine[:3, 3] + k * volume.affine[:3, 0]),
            cosines(volume),
        )
        data.PixelSpacing, data.SliceThickness = numbers(volume.spacing_mm[:2]), "8"
        data.PixelData = pixels.astype(np.uint16).tobytes()
        data.save_as(folder / f"{k:02d}.dcm", enforce_file_format=True)


def item(**values: Any) -> Dataset:
    data = Dataset()
    for name, value in values.items():
        setattr(data, name, value)
    return data


def write_enhanced(folder: Path, volume: Volume, sop_class: str, frames: list[int], name: str = "whole") -> None:
    """A multi-frame file that holds slices ``frames`` in this order."""
    data = base_header(volume, sop_class, name, "series")
    data.NumberOfFrames = len(frames)
    measures = item(PixelSpacing=numbers(volume.spacing_mm[:2]), SliceThickness="8")
    orientation = item(ImageOrientationPatient=cosines(volume))
    data.SharedFunctionalGroupsSequence = [
        item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[orientation])
    ]
    data.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=numbers(volume.affine[:3, 3] + k * volume.affine[:3, 0]))],
            FrameContentSequence=[item(FrameComments="secret remark")],
        )
        for k in frames
    ]
    data.PixelData = b"".join(volume.array[k].astype(np.uint16).tobytes() for k in frames)
    data.save_as(folder / f"{name}.dcm", enforce_file_format=True)


def dicom_sample(
    folder: Path, kind: str = "single", identity: str | None = "ID-4711", sop_class: str = "", **options: Any
) -> Sample:
    """A detection whose source frames lie in ``folder``, in slice order; sop_class: the kind's own by default."""
    source = folder / "source"
    source.mkdir(parents=True)
    volume = sample_volume(4)
    if kind == "single":
        write_single_frames(source, volume, sop_class or MR)
    elif kind == "enhanced":
        write_enhanced(source, volume, sop_class or ENHANCED, [3, 1, 0, 2])
    else:  # two files of two frames
        write_enhanced(source, volume, sop_class or ENHANCED, [0, 1], "a")
        write_enhanced(source, volume, sop_class or ENHANCED, [2, 3], "b")
    frames = read_headers(source).frames
    along = [float(np.array(f.position) @ volume.affine[:3, 0]) for f in frames]
    ordered = tuple(frames[k] for k in np.argsort(along))
    loaded = sample_loaded(volume)
    facts = replace(loaded.facts, kind="dicom", files=4, identity=identity)
    return sample_detection(loaded=replace(loaded, facts=facts, frames=ordered), slices=4, **options)


def written(folder: Path, sample: Sample) -> tuple[Dataset, Dataset]:
    out = folder / "out"
    out.mkdir()
    write_dicom_objects(out, sample)
    return pydicom.dcmread(out / "scar_seg.dcm"), pydicom.dcmread(out / "report_sr.dcm")


def mask_by_position(segmentation: Dataset) -> dict[tuple[float, ...], np.ndarray]:
    pixels = segmentation.pixel_array.reshape(-1, segmentation.Rows, segmentation.Columns)
    places = [g.PlanePositionSequence[0].ImagePositionPatient for g in segmentation.PerFrameFunctionalGroupsSequence]
    return {tuple(round(float(v), 3) for v in place): frame for place, frame in zip(places, pixels, strict=True)}


@pytest.mark.parametrize("kind", ["single", "enhanced", "two-files"])
def test_segmentation_lies_on_the_source_frames(tmp_path: Path, kind: str) -> None:
    sample = dicom_sample(tmp_path, kind)
    segmentation, _ = written(tmp_path, sample)
    masks = mask_by_position(segmentation)
    for k, evidence in enumerate(sample.evidence):
        place = sample.loaded.volume.affine[:3, 3] + k * sample.loaded.volume.affine[:3, 0]
        mask = masks.get(tuple(round(float(v), 3) for v in place))
        assert np.array_equal(evidence >= 0.5, np.zeros_like(evidence, bool) if mask is None else mask.astype(bool))
    assert masks


@pytest.mark.parametrize("sop_class", [MR, ENHANCED, MAKERS_OWN])
@pytest.mark.parametrize("kind", ["single", "enhanced", "two-files"])
def test_both_refer_to_the_true_instances(tmp_path: Path, kind: str, sop_class: str) -> None:
    sample = dicom_sample(tmp_path, kind, sop_class=sop_class)
    segmentation, report = written(tmp_path, sample)
    true = {(f.series_uid, f.sop_uid) for f in sample.loaded.frames}
    for sequence in (
        segmentation.ReferencedSeriesSequence,
        report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence,
    ):
        name = (
            "ReferencedInstanceSequence"
            if sequence is segmentation.ReferencedSeriesSequence
            else "ReferencedSOPSequence"
        )
        assert {(s.SeriesInstanceUID, r.ReferencedSOPInstanceUID) for s in sequence for r in s[name]} == true
        assert {r.ReferencedSOPClassUID for s in sequence for r in s[name]} == {sop_class}
    assert {segmentation.StudyInstanceUID, report.StudyInstanceUID} == {generate_uid(entropy_srcs=["study"])}
    volume = sample.loaded.volume
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        place = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        frame = sample.loaded.frames[round(float(np.linalg.norm(place - volume.affine[:3, 3]) / volume.spacing_mm[2]))]
        assert source.ReferencedSOPInstanceUID == frame.sop_uid
        assert source.ReferencedSOPClassUID == sop_class
        assert source.get("ReferencedFrameNumber") == (None if kind == "single" else frame.index + 1)


def test_segment_terminology(tmp_path: Path) -> None:
    segmentation, _ = written(tmp_path, dicom_sample(tmp_path))
    (segment,) = segmentation.SegmentSequence
    assert segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "85756007"
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "12402003"
    assert segment.AnatomicRegionSequence[0].CodeValue == "87878005"
    assert segment.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "lge-test"


@pytest.mark.parametrize("probability", [0.05, 0.5])
def test_no_pixel_is_scar_without_the_answer_scar(tmp_path: Path, probability: float) -> None:
    sample = dicom_sample(tmp_path, probability=probability)
    segmentation, _ = written(tmp_path, sample)
    assert (sample.evidence >= 0.5).any() and sample.result["detection"]["present"] is not True
    assert not segmentation.pixel_array.any()


def test_no_evidence_gives_a_valid_empty_segmentation(tmp_path: Path) -> None:
    sample = dicom_sample(tmp_path)
    segmentation, _ = written(tmp_path, replace(sample, evidence=np.zeros_like(sample.evidence)))
    assert not segmentation.pixel_array.any()


def groups(report: Dataset) -> dict[str, dict[str, Any]]:
    """Content of every measurement group by its tracking identifier: concept meaning -> value."""
    (container,) = [c for c in report.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == "126010"]
    result = {}
    for group in container.ContentSequence:
        said: dict[str, Any] = {}
        for content in group.ContentSequence:
            name = content.ConceptNameCodeSequence[0].CodeMeaning
            if content.ValueType == "CODE":
                said[name] = content.ConceptCodeSequence[0].CodeValue
            elif content.ValueType == "NUM":
                said[name] = float(content.MeasuredValueSequence[0].NumericValue)
            elif content.ValueType == "TEXT":
                said[name] = content.TextValue
        result[said["Tracking Identifier"]] = said
    return result


def test_report_says_what_the_result_says(tmp_path: Path) -> None:
    sample = dicom_sample(tmp_path)
    _, report = written(tmp_path, sample)
    said = groups(report)
    assert len(said) == 18
    assert said["Left ventricle"]["Probability of scar"] == sample.result["detection"]["probability"]
    assert said["Left ventricle"]["Late Contrast Enhancement"] == "52101004"
    for row in sample.result["segments"]:
        group = said[f"AHA segment {row['aha']}"]
        assert group["Finding Site"] == dicom_codes.SEGMENT_SITES[row["aha"]].value
        assert group["Probability of scar"] == row["probability"]
        layer = dicom_codes.LAYERS[row["layer"]].value if row["layer"] else None
        assert group.get("Layer of the wall") == layer
        score = row["transmurality"]
        assert group.get("Transmurality score") == (None if score is None else f"TRANSMURALITY-{score}")
    texts = [c.TextValue for c in report.ContentSequence if c.ValueType == "TEXT"]
    assert sample.result["caption"] in texts
    assert "Research use, not for diagnosis." in texts


def test_a_segment_that_no_slice_shows_is_uncertain(tmp_path: Path) -> None:
    seen = np.ones(17, bool)
    seen[16] = False
    _, report = written(tmp_path, dicom_sample(tmp_path, segment_seen=seen))
    apex, lateral = (groups(report)[f"AHA segment {n}"] for n in (17, 16))
    assert "Probability of scar" not in apex and "Probability of scar" in lateral
    assert apex["Scarred Myocardium"] == dicom_codes.PRESENCE["uncertain"].value != lateral["Scarred Myocardium"]


@pytest.mark.parametrize(("probability", "code"), [(0.02, "272519000"), (0.5, "82334004"), (0.97, "52101004")])
def test_report_of_every_answer(tmp_path: Path, probability: float, code: str) -> None:
    _, report = written(tmp_path, dicom_sample(tmp_path, probability=probability))
    assert groups(report)["Left ventricle"]["Late Contrast Enhancement"] == code


def test_segment_codes_are_the_dictionary_s() -> None:
    walls = {"apex": "apex_of_left_ventricle"}
    for number, name in aha.NAMES.items():
        word = walls.get(name, f"left ventricle {name} segment").replace(" ", "_")
        assert dicom_codes.SEGMENT_SITES[number].meaning.lower().replace(" ", "_") == word
        assert dicom_codes.SEGMENT_SITES[number].value in {getattr(codes.cid3717, n).value for n in codes.cid3717.dir()}


@pytest.mark.parametrize("kind", ["single", "enhanced", "two-files"])
def test_identity_is_stripped(tmp_path: Path, kind: str) -> None:
    sample = dicom_sample(tmp_path, kind)
    for data in written(tmp_path, sample):
        text = str(data)
        assert not [secret for secret in SECRETS if secret in text]
        assert data.PatientID == str(data.PatientName) == sample.result["study"] != "ID-4711"


def test_identity_is_kept_when_asked(tmp_path: Path) -> None:
    for data in written(tmp_path, dicom_sample(tmp_path, keep_phi=True)):
        assert (data.PatientID, str(data.PatientName), data.PatientBirthDate) == ("ID-4711", "Hidden^Name", "19500101")


def test_sparse_headers_are_enough(tmp_path: Path) -> None:
    sample = dicom_sample(tmp_path)
    for path in (tmp_path / "source").iterdir():
        data = pydicom.dcmread(path)
        for name in (
            "FrameOfReferenceUID",
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "StudyDate",
            "SliceThickness",
        ):
            delattr(data, name)
        data.save_as(path)
    segmentation, report = written(tmp_path, sample)
    assert segmentation.FrameOfReferenceUID
    assert report.PatientID == sample.result["study"]


def test_names_beyond_ascii_are_kept(tmp_path: Path) -> None:
    sample = dicom_sample(tmp_path, keep_phi=True)
    for path in (tmp_path / "source").iterdir():
        data = pydicom.dcmread(path)
        data.SpecificCharacterSet, data.PatientName = "ISO_IR 100", "Müller^Zoë"
        data.save_as(path)
    for data in written(tmp_path, sample):
        assert str(data.PatientName) == "Müller^Zoë"


def change_sources(folder: Path, change: Callable[[Dataset], None]) -> None:
    """Change the header of every source file; odd values are meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted((folder / "source").iterdir()):
            data = pydicom.dcmread(path)
            change(data)
            data.save_as(path)


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 6", "Plain^Name"),
        ("ISO-IR 100", "Müller^Zoë"),
        ("UTF-8", "Müller^Žofie"),
        ("NONSENSE", "Plain^Name"),
    ],
)
@pytest.mark.parametrize("keep", [True, False])
def test_every_character_set_becomes_utf8(tmp_path: Path, declared: str | list[str], name: str, keep: bool) -> None:
    def change(data: Dataset) -> None:
        data.SpecificCharacterSet, data.PatientName, data.PatientComments = declared, name, name.split("=")[-1]

    sample = dicom_sample(tmp_path, keep_phi=keep)
    change_sources(tmp_path, change)
    for data in written(tmp_path, sample):
        assert data.SpecificCharacterSet == "ISO_IR 192"
        assert str(data.PatientName) == (name if keep else sample.result["study"])
        assert data.get("PatientComments", "") == (name.split("=")[-1] if keep else "")


@pytest.mark.parametrize(
    ("attribute", "odd", "sound"),
    [
        ("PatientSex", "male", "F"),
        ("PatientBirthDate", "19999999", "19501231"),
        ("StudyDate", "garbage", "20200203"),
        ("StudyTime", "25:99", "101112"),
    ],
)
def test_dates_times_and_sex_that_are_none_are_left_empty(tmp_path: Path, attribute: str, odd: str, sound: str) -> None:
    for value, kept in ((odd, ""), (sound, sound)):
        sample = dicom_sample(tmp_path / value, keep_phi=True)
        change_sources(tmp_path / value, lambda data, value=value: setattr(data, attribute, value))
        for data in written(tmp_path / value, sample):
            assert (data.get(attribute) or "") == kept
            assert data.PatientID == "ID-4711"


@pytest.mark.parametrize("how", ["absent", "empty"])
@pytest.mark.parametrize(
    "missing", [("StudyInstanceUID",), ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")]
)
def test_uids_that_are_missing_grow_from_the_pixels(tmp_path: Path, missing: tuple[str, ...], how: str) -> None:
    def change(data: Dataset) -> None:
        for name in missing:
            delattr(data, name) if how == "absent" else setattr(data, name, "")

    studies = set()
    for patient in ("a", "b"):
        sample = dicom_sample(tmp_path / patient)
        change_sources(tmp_path / patient, change)
        frames = tuple(replace(frame, study_uid="") for frame in sample.loaded.frames)
        facts = replace(sample.loaded.facts, sha256=patient * 64)
        loaded = replace(sample.loaded, frames=frames, facts=facts)
        segmentation, report = written(tmp_path / patient, replace(sample, loaded=loaded))
        assert segmentation.StudyInstanceUID == report.StudyInstanceUID and segmentation.FrameOfReferenceUID
        assert all(series.SeriesInstanceUID for series in segmentation.ReferencedSeriesSequence)
        studies.add(segmentation.StudyInstanceUID)
    assert len(studies) == 2


@pytest.mark.parametrize("name", ["sop_uid", "sop_class"])
def test_an_image_that_cannot_be_referred_to_is_refused(tmp_path: Path, name: str) -> None:
    sample = dicom_sample(tmp_path)
    first, *others = sample.loaded.frames
    loaded = replace(sample.loaded, frames=(replace(first, **{name: ""}), *others))
    with pytest.raises(InputRefused, match="not-dicom"):
        write_outputs(tmp_path / "out", replace(sample, loaded=loaded), dicom=True)
    assert not (tmp_path / "out").exists()


def test_vanished_source_is_refused(tmp_path: Path) -> None:
    sample = dicom_sample(tmp_path)
    next((tmp_path / "source").iterdir()).unlink()
    with pytest.raises(InputRefused, match="damaged-file"):
        write_outputs(tmp_path / "out", sample, dicom=True)
    assert not (tmp_path / "out").exists()


def test_same_input_same_uids(tmp_path: Path) -> None:
    first, second = (written(tmp_path / name, dicom_sample(tmp_path / name)) for name in "ab")
    for a, b in zip(first, second, strict=True):
        for data in (a, b):
            for name in ("ContentDate", "ContentTime", "InstanceCreationDate", "InstanceCreationTime"):
                data.pop(name, None)
            for equipment in data.get("ContributingEquipmentSequence", []):
                equipment.pop("ContributionDateTime", None)
        assert a == b


def test_volume_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refusal:
        write_outputs(tmp_path / "out", sample_detection(), dicom=True)
    assert refusal.value.code == "not-dicom"
    assert not list(tmp_path.iterdir())


def test_files_appear_beside_the_others(tmp_path: Path) -> None:
    write_outputs(tmp_path / "out", dicom_sample(tmp_path), dicom=True)
    assert {"scar_seg.dcm", "report_sr.dcm", "result.json"} <= {p.name for p in (tmp_path / "out").iterdir()}
