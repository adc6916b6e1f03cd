"""Whoever searches for studies and whoever reads one see the same files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import write_headers
from LGETextDetectLib.dicom_frames import is_dicom, read_headers
from LGETextDetectLib.input_files import files_of, walk
from LGETextDetectLib.outputs.write_outputs import write_outputs
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.studies_below import Study, find_studies
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from sample_detection import sample_detection


def link(place: Path, target: Path) -> None:
    """A link to a folder, where the system lets us make one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("no links can be made here")


def slices(folder: Path, study: str, *names: str) -> None:
    """Files with the headers of a study, told apart by their SOPInstanceUID's absence alone."""
    for name in names:
        write_headers(folder / name, patient=study, study=study)


def read(source: Path) -> list[str]:
    """Files that are read of a folder, relative to it."""
    return [path.relative_to(source).as_posix() for path in files_of(source)]


def by_path(root: Path) -> dict[str, Study]:
    return {study.path: study for study in find_studies(root)}


def test_a_linked_series_belongs_to_the_study_for_both(tmp_path: Path) -> None:
    slices(tmp_path / "root" / "a", "1.1", "1", "2")
    slices(tmp_path / "archive", "1.1", "3")
    link(tmp_path / "root" / "a" / "series", tmp_path / "archive")
    (study,) = find_studies(tmp_path / "root")
    assert (study.path, study.source) == ("a", tmp_path / "root" / "a")
    assert read(tmp_path / "root" / "a") == ["1", "2", "series/3"]
    assert read_headers(study.source).files == 3


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    slices(tmp_path / "a", "1.1", "1")
    slices(tmp_path / "b", "1.2", "1")
    link(tmp_path / "a" / "self", tmp_path / "a")
    link(tmp_path / "a" / "up", tmp_path)
    assert sum(len(place.files) for place in walk(tmp_path, lambda _: None)) == 2
    assert read(tmp_path / "a") == ["1", "up/b/1"]  # alone, the folder holds what its link leads to
    studies = by_path(tmp_path)
    assert {path: study.name for path, study in studies.items()} == {"a/1": "a", "b": "b"}
    assert files_of(studies["a/1"].source) == [tmp_path / "a" / "1"]  # in the batch that is another study


def test_a_study_is_not_read_with_the_files_of_another_that_it_links_to(tmp_path: Path) -> None:
    slices(tmp_path / "a", "1.1", "1", "2")
    slices(tmp_path / "b", "1.2", "1")
    link(tmp_path / "b" / "earlier", tmp_path / "a")
    studies = by_path(tmp_path)
    assert [files_of(study.source) for study in studies.values()] == [
        [tmp_path / "a" / "1", tmp_path / "a" / "2"], [tmp_path / "b" / "1"],
    ]  # fmt: skip
    assert [study.name for study in studies.values()] == ["a", "b"]


def test_a_link_within_a_study_leaves_it_one_folder(tmp_path: Path) -> None:
    slices(tmp_path / "a", "1.1", "s1/1", "s2/2")
    link(tmp_path / "a" / "latest", tmp_path / "a" / "s2")
    (study,) = find_studies(tmp_path)
    assert (study.name, study.path, study.source) == ("a", "a", tmp_path / "a")
    assert len(files_of(study.source)) == 2


def test_hidden_files_masks_and_results_are_input_for_neither(tmp_path: Path) -> None:
    slices(tmp_path / "a", "1.1", "1.dcm", ".2.dcm", ".old/3.dcm", "1_mask.dcm", "sub/X_MASK.dcm")
    write_outputs(tmp_path / "a" / "result", sample_detection())
    write_outputs(tmp_path / "result", sample_detection())
    slices(tmp_path / "a" / "result", "1.1", "scar_seg.dcm")
    assert read(tmp_path / "a") == ["1.dcm"]
    assert [(study.name, study.path) for study in find_studies(tmp_path)] == [("a", "a")]


FIRST_VALUES = [(8, 0, 0, 0), (8, 0, 21, 19), (8, 5, 90, 0), (8, 8, 7, 0), (8, 22, 300, 0), (2, 0, 4, 0), (8, 1, 4, 0)]


@pytest.mark.parametrize("values", FIRST_VALUES)
def test_grey_values_are_not_taken_for_a_tag(values: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "pixels").write_bytes(np.array([*values, *range(100, 600)], "<u2").tobytes())
    assert not is_dicom(tmp_path / "pixels")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    "first",
    [
        {"SpecificCharacterSet": ["ISO_IR 100", "ISO 2022 IR 87"]},
        {"SpecificCharacterSet": "", "ImageType": ["ORIGINAL"]},
        {"ImageType": ["ORIGINAL", "PRIMARY"]},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"},
        {"LengthToEnd": 500},
    ],
)
def test_files_without_the_prefix_are_known_by_their_first_element(
    first: dict[str, object], syntax: UID, tmp_path: Path
) -> None:
    dataset = Dataset()
    for name, value in {**first, "SOPInstanceUID": "1.2", "PatientComments": "A" * 200}.items():
        if name == "LengthToEnd":
            dataset.add_new(0x00080001, "UL", value)
        else:
            setattr(dataset, name, value)
    implicit = syntax == ImplicitVRLittleEndian
    dataset.save_as(tmp_path / "a", implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert (tmp_path / "a").read_bytes()[:2] == b"\x08\0"
    assert is_dicom(tmp_path / "a")


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_a_data_file_belongs_to_the_header_beside_it(suffix: str, tmp_path: Path) -> None:
    """Even where its first grey values read as a whole element."""
    grey = sitk.GetImageFromArray(np.arange(8 * 30 * 30, dtype=np.uint16).reshape(8, 30, 30))
    sitk.WriteImage(grey, str(tmp_path / f"heart{suffix}"))
    (tmp_path / "heart.raw").write_bytes(b"\x08\0\x08\0CS\x08\0ORIGINAL" + bytes(14400 - 16))
    assert is_dicom(tmp_path / "heart.raw")
    assert [(study.name, study.path) for study in find_studies(tmp_path)] == [("heart", f"heart{suffix}")]
    slices(tmp_path, "1.1", "1.dcm")
    assert read(tmp_path) == ["1.dcm", f"heart{suffix}"]


def test_images_beside_a_result_are_not_lost_with_it(tmp_path: Path) -> None:
    write_outputs(tmp_path / "a", sample_detection())
    slices(tmp_path / "a", "1.1", "1.dcm")
    assert read(tmp_path / "a") == ["1.dcm"]
    (tmp_path / "a" / "result.json").write_text('{"of": "another program"}', "utf-8")
    assert "evidence.nrrd" in read(tmp_path / "a")


def test_a_result_alone_is_no_study(tmp_path: Path) -> None:
    write_outputs(tmp_path / "a", sample_detection())
    with pytest.raises(InputRefused, match="no-studies"):
        find_studies(tmp_path)


def test_a_folder_that_is_gone_or_closed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputRefused, match="not-found"):
        files_of(tmp_path / "none")
    monkeypatch.setattr(os, "walk", lambda root, onerror, followlinks: onerror(PermissionError(13, "closed", root)))
    with pytest.raises(InputRefused, match="damaged-file"):
        files_of(tmp_path)
