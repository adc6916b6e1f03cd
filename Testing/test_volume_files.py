"""NRRD, NIfTI and MetaImage by their own geometry; what is no image, or not one volume, is refused."""

import gzip
import os
import re
import shutil
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_cases import oblique_axes, sound_series, sound_volume, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from LGETextDetectLib import nifti, volume_files
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.series import inspect_folder
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import is_volume_file, load_study, volume_hash, write_nrrd
from LGETextTrainLib.dicom_study import VENDORS, Layout, in_reading_order, write_dicom_study
from LGETextTrainLib.patient import draw
from LGETextTrainLib.virtual_study import VirtualStudy, render_study
from scipy.spatial.transform import Rotation
from test_series import same_physical_volume


def image_of(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.array)
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    image.SetSpacing(spacing[::-1].tolist())
    image.SetDirection((volume.affine[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    image.SetOrigin(volume.affine[:3, 3].tolist())
    return image


def stored(volume: Volume, order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Volume:
    """The same physical volume in another storage order."""
    array, affine = volume.array, volume.affine.copy()
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
            array = np.flip(array, axis)
    return Volume(np.ascontiguousarray(array.transpose(order)), affine[:, [*order, 3]])


# --- legal -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_format_and_handedness(suffix: str, mirrored: bool, tmp_path: Path) -> None:
    volume = stored(sound_volume(), (0, 1, 2), (False, False, mirrored))
    path = tmp_path / f"心臓{suffix}"
    sitk.WriteImage(image_of(volume), str(path))
    study = load_study(path)
    same_physical_volume(study.volume, sound_volume(), 1e-3)
    assert np.allclose(study.volume.affine, volume.affine, atol=1e-3)
    assert (study.facts.kind, study.facts.files, study.facts.image_type, study.frames) == ("volume", 1, "unknown", None)
    assert study.facts.identity is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([0, 1, 2]), flips=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_any_storage_order_of_a_file(order: list[int], flips: tuple[bool, bool, bool], tmp_path: Path) -> None:
    """Also with the slices along another axis: they are recognised by their distance."""
    path = tmp_path / "volume.nrrd"
    write_nrrd(stored(sound_volume(), (order[0], order[1], order[2]), flips), path)
    study = load_study(path)
    same_physical_volume(study.volume, sound_volume(), 1e-9)
    assert study.facts.spacing_mm[2] == pytest.approx(8.0)


@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(range(8)),
    turned=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    axes_seed=st.integers(0, 2**32 - 1),
)
def test_any_storage_order_of_a_series(
    order: list[int],
    turned: tuple[bool, bool, bool],
    origin: tuple[float, float, float],
    axes_seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from dicom_cases import restore

    folder = tmp_path_factory.mktemp("series")
    affine = sound_volume().affine.copy()
    axes, _ = np.linalg.qr(np.random.default_rng(axes_seed).standard_normal((3, 3)))
    axes[:, 0] *= np.sign(axes[:, 0] @ np.cross(axes[:, 2], axes[:, 1]))  # slices along row x column
    affine[:3, :3], affine[:3, 3] = axes * np.linalg.norm(affine[:3, :3], axis=0), origin
    volume = Volume(sound_volume().array, affine)
    series = sound_series(volume)
    for dataset in series:
        restore(dataset, *turned)
    write(folder, [series[k] for k in order])
    same_physical_volume(load_study(folder).volume, volume, 1e-3)


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_few_slices_are_answered(slices: int, tmp_path: Path) -> None:
    write(tmp_path, sound_series(sound_volume(slices=slices)))
    study = load_study(tmp_path)
    same_physical_volume(study.volume, sound_volume(slices=slices))
    assert study.facts.spacing_mm[2] == pytest.approx(8.0 if slices > 1 else 6.0)  # of one slice: its thickness


def test_one_dicom_file(tmp_path: Path) -> None:
    path = write(tmp_path, sound_series())[3]
    assert np.array_equal(load_study(path).volume.array[0], sound_volume().array[3])


def test_two_dimensional_file_is_one_slice(tmp_path: Path) -> None:
    picture = sitk.GetImageFromArray(sound_volume().array[0])
    picture.SetSpacing((1.25, 1.5))
    sitk.WriteImage(picture, str(tmp_path / "a.nrrd"))
    study = load_study(tmp_path / "a.nrrd")
    assert study.volume.array.shape == (1, 40, 36)
    assert study.facts.spacing_mm[:2] == pytest.approx((1.5, 1.25))


def test_one_time_point_of_four_dimensions_is_a_volume(tmp_path: Path) -> None:
    image = sitk.JoinSeries([image_of(sound_volume())])
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    same_physical_volume(load_study(tmp_path / "a.nrrd").volume, sound_volume(), 1e-6)


def _without_codes(path: Path) -> Path:
    return _nifti_header(path, 252, struct.pack("<hh", 0, 0))


def _with_qform_only(path: Path) -> Path:
    sitk.WriteImage(image_of(stored(sound_volume(), (0, 1, 2), (True, False, False))), str(path / "a.nii"))
    data = bytearray((path / "a.nii").read_bytes())
    data[254:256] = struct.pack("<h", 0)
    (path / "a.nii").write_bytes(bytes(data))
    return path / "a.nii"


def _scaled_integers(path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray((sound_volume().array * 2).astype(np.int16)), str(path / "a.nii"))
    data = bytearray((path / "a.nii").read_bytes())
    data[112:120] = struct.pack("<2f", 0.5, -7.0)
    (path / "a.nii").write_bytes(bytes(data))
    return path / "a.nii"


@pytest.mark.parametrize("make", [_without_codes, _with_qform_only, _scaled_integers], ids=lambda m: m.__name__)
def test_nifti_is_read_as_by_itk(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    image, volume = sitk.ReadImage(str(path)), load_study(path).volume
    assert np.allclose(volume.array, sitk.GetArrayFromImage(image))
    for index in ((0, 0, 0), (2, 5, 3), (7, 1, 30)):
        assert np.allclose(volume.to_lps(index), image.TransformIndexToPhysicalPoint(index[::-1]), atol=1e-4)


@pytest.mark.parametrize(("unit", "mm"), [(0, 1.0), (2, 1.0), (1, 1000.0), (3, 0.001)])
@pytest.mark.parametrize("by_qform", [False, True])
def test_nifti_lengths_in_metres_and_micrometres(unit: int, mm: float, by_qform: bool, tmp_path: Path) -> None:
    path = _with_qform_only(tmp_path) if by_qform else tmp_path / "a.nii"
    if not by_qform:
        sitk.WriteImage(image_of(sound_volume()), str(path))
    expected = load_study(path).volume
    data = bytearray(path.read_bytes())
    for start, count in ((80, 3), (268, 3), (280, 12)):  # pixdim, qoffset, srow
        lengths = np.frombuffer(data, "<f4", count, start) / np.float32(mm)
        data[start : start + 4 * count] = lengths.astype("<f4").tobytes()
    data[123] = unit
    path.write_bytes(bytes(data))
    assert np.allclose(load_study(path).volume.affine, expected.affine, atol=1e-3)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (2, 0, 1)])
def test_slices_of_nearly_cubic_voxels_run_along_the_heart(order: tuple[int, int, int], tmp_path: Path) -> None:
    """A navigated 3D scan, 1.5 x 1.25 x 1.8 mm, stored along any axis."""
    source = sound_volume(slices=60)
    source.affine[:3, 0] *= 1.8 / 8
    write_nrrd(stored(source, order, (False, False, False)), tmp_path / "a.nrrd")
    same_physical_volume(load_study(tmp_path / "a.nrrd").volume, source, 1e-9)


@pytest.mark.parametrize("tilt_deg", [0.0, 4.0, 8.0])
def test_an_axial_scan_of_cubic_voxels_is_not_cut_anew(tilt_deg: float, tmp_path: Path) -> None:
    """Its coronal planes lie within reach of a short axis, but were not meant to be one."""
    tilt = Rotation.from_euler("xyz", [tilt_deg] * 3, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.eye(3)[:, [2, 1, 0]] * 1.7
    source = Volume(np.random.default_rng(0).normal(size=(40, 60, 60)).astype(np.float32), affine)
    write_nrrd(source, tmp_path / "a.nrrd")
    assert np.allclose(load_study(tmp_path / "a.nrrd").volume.affine, affine)


def test_big_endian_nifti(tmp_path: Path) -> None:
    header = bytearray(348)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">8h", header, 40, 3, 36, 40, 8, 1, 1, 1, 1)
    struct.pack_into(">2h", header, 70, 4, 16)
    struct.pack_into(">8f", header, 76, 1, 1.25, 1.5, 8, 1, 1, 1, 1)
    struct.pack_into(">3f", header, 108, 352, 0, 0)
    header[344:348] = b"n+1\0"
    values = (sound_volume().array * 2).astype(">i2")
    (tmp_path / "a.nii").write_bytes(bytes(header) + bytes(4) + values.tobytes())
    study = load_study(tmp_path / "a.nii")
    assert np.array_equal(study.volume.array, values.astype(np.float32))
    assert study.facts.spacing_mm == pytest.approx((1.5, 1.25, 8.0))


def test_integers_are_read(tmp_path: Path) -> None:
    for kind in (np.uint8, np.int16, np.uint16, np.float64):
        volume = sound_volume()
        image = sitk.GetImageFromArray((volume.array % 100).astype(kind))
        sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
        assert np.array_equal(
            load_study(tmp_path / "a.nii.gz").volume.array, (volume.array % 100).astype(kind).astype(np.float32)
        )


# --- written ---------------------------------------------------------------------------------------------------------


def test_nrrd_round_trip_is_exact_and_deterministic(tmp_path: Path) -> None:
    volume = stored(sound_volume(), (0, 2, 1), (True, False, True))
    for name in ("a.nrrd", "b.nrrd"):
        write_nrrd(volume, tmp_path / name)
    assert (tmp_path / "a.nrrd").read_bytes() == (tmp_path / "b.nrrd").read_bytes()
    found = load_study(tmp_path / "a.nrrd").volume
    assert np.array_equal(found.array, volume.array)
    assert np.allclose(found.affine, volume.affine, atol=1e-12)


def test_nrrd_keeps_a_shear(tmp_path: Path) -> None:
    affine = sound_volume().affine.copy()
    affine[:3, 0] += 0.5 * oblique_axes()[:, 0]
    write_nrrd(Volume(sound_volume().array, affine), tmp_path / "a.nrrd")
    assert np.allclose(load_study(tmp_path / "a.nrrd").volume.affine, affine, atol=1e-9)


def test_hash_is_of_pixels_and_geometry(tmp_path: Path) -> None:
    write_nrrd(sound_volume(), tmp_path / "one.nrrd")
    sitk.WriteImage(image_of(sound_volume()), str(tmp_path / "two.mha"))
    write(tmp_path / "dicom", sound_series(PatientID="ANOTHER", PatientName="Another^Name", StudyInstanceUID="2.25.77"))
    hashes = {load_study(tmp_path / name).facts.sha256 for name in ("one.nrrd", "two.mha", "dicom")}
    assert len(hashes) == 1
    array = sound_volume().array.copy()
    array[0, 0, 0] += 0.5
    assert volume_hash(Volume(array, sound_volume().affine)) not in hashes
    moved = sound_volume().affine.copy()
    moved[0, 3] += 0.01
    assert volume_hash(Volume(sound_volume().array, moved)) not in hashes


# --- refused ---------------------------------------------------------------------------------------------------------


def nan_value(path: Path) -> Path:
    array = sound_volume().array.copy()
    array[3, 4, 5] = np.nan
    return _image(path / "a.nrrd", array)


def infinite_value(path: Path) -> Path:
    array = sound_volume().array.copy()
    array[3, 4, 5] = np.inf
    return _image(path / "a.nii.gz", array)


def beyond_single_precision(path: Path) -> Path:
    array = sound_volume().array.astype(np.float64)
    array[3, 4, 5] = 1e300
    return _image(path / "a.mha", array)


def _image(path: Path, array: np.ndarray) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    return path


def constant(path: Path) -> Path:
    return _image(path / "a.nrrd", np.full((4, 30, 30), 7, np.int16))


def four_dimensions(path: Path) -> Path:
    sitk.WriteImage(sitk.JoinSeries([image_of(sound_volume(k)) for k in range(3)]), str(path / "a.nii.gz"))
    return path / "a.nii.gz"


def four_dimensions_nrrd(path: Path) -> Path:
    sitk.WriteImage(sitk.JoinSeries([image_of(sound_volume(k)) for k in range(3)]), str(path / "a.nrrd"))
    return path / "a.nrrd"


def colours(path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 30, 30, 3), np.uint8), isVector=True), str(path / "a.mha"))
    return path / "a.mha"


def complex_numbers(path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(sound_volume().array.astype(np.complex64)), str(path / "a.mha"))
    return path / "a.mha"


def truncated_nrrd(path: Path) -> Path:
    write_nrrd(sound_volume(), path / "a.nrrd")
    return _cut(path / "a.nrrd", 0.6)


def truncated_mha(path: Path) -> Path:
    return _cut(_image(path / "a.mha", sound_volume().array), 0.6)


def truncated_nifti(path: Path) -> Path:
    return _cut(_image(path / "a.nii", sound_volume().array), 0.6)


def truncated_nifti_gz(path: Path) -> Path:
    return _cut(_image(path / "a.nii.gz", sound_volume().array), 0.6)


def short_nifti_gz(path: Path) -> Path:
    """Sound gzip of too few bytes."""
    whole = gzip.decompress(_image(path / "a.nii.gz", sound_volume().array).read_bytes())
    (path / "a.nii.gz").write_bytes(gzip.compress(whole[: len(whole) // 2]))
    return path / "a.nii.gz"


def truncated_nifti_header(path: Path) -> Path:
    return _cut(_image(path / "a.nii", sound_volume().array), 0.001)


def _cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def missing_data_file(path: Path) -> Path:
    _image(path / "a.mhd", sound_volume().array)
    (path / "a.raw").unlink()
    return path / "a.mhd"


def nifti_without_spacing(path: Path) -> Path:
    return _nifti_header(path, 80, struct.pack("<f", 0.0))


def nifti_with_nan_spacing(path: Path) -> Path:
    return _nifti_header(path, 88, struct.pack("<f", float("nan")))


def nifti_with_nan_origin(path: Path) -> Path:
    return _nifti_header(path, 292, struct.pack("<f", float("nan")), 268)


def nifti_with_skewed_axes(path: Path) -> Path:
    path = _nifti_header(path, 252, struct.pack("<hh", 0, 2))
    data = bytearray(path.read_bytes())
    data[280:328] = struct.pack("<12f", 1, 0.8, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0)
    path.write_bytes(bytes(data))
    return path


def absurd_nifti(path: Path) -> Path:
    return _nifti_header(path, 40, struct.pack("<8h", 3, 32767, 32767, 32767, 1, 1, 1, 1))


def _nifti_header(path: Path, offset: int, value: bytes, also: int | None = None) -> Path:
    file = _image(path / "a.nii", sound_volume().array)
    data = bytearray(file.read_bytes())
    for place in (offset, *([also] if also else [])):
        data[place : place + len(value)] = value
    file.write_bytes(bytes(data))
    return file


def _nrrd_header(path: Path, old: bytes, new: bytes) -> Path:
    file = path / "a.nrrd"
    write_nrrd(sound_volume(), file)
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, 1))
    return file


def absurd_nrrd(path: Path) -> Path:
    return _nrrd_header(path, b"sizes: 36 40 8", b"sizes: 360000 400000 8000")


def nrrd_with_skewed_axes(path: Path) -> Path:
    write_nrrd(
        Volume(sound_volume().array, np.array([[0, 0, 1.0, 0], [0, 1.0, 0.8, 0], [8.0, 0, 0, 0], [0, 0, 0, 1.0]])),
        path / "a.nrrd",
    )
    return path / "a.nrrd"


def nrrd_with_zero_axis(path: Path) -> Path:
    write_nrrd(
        Volume(sound_volume().array, np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [8.0, 0, 0, 0], [0, 0, 0, 1.0]])),
        path / "a.nrrd",
    )
    data = (path / "a.nrrd").read_bytes()
    (path / "a.nrrd").write_bytes(data.replace(b"(1.0,0.0,0.0)", b"(0.0,0.0,0.0)", 1))
    return path / "a.nrrd"


def nrrd_of_no_space(path: Path) -> Path:
    return _nrrd_header(path, b"space: left-posterior-superior", b"space dimension: 3")


def nrrd_of_a_space_without_body(path: Path) -> Path:
    return _nrrd_header(path, b"space: left-posterior-superior", b"space: 3D-right-handed")


def nan_mha(path: Path) -> Path:
    array = sound_volume().array.copy()
    array[3, 4, 5] = np.nan
    return _image(path / "a.mha", array)


def truncated_compressed_mha(path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(sound_volume().array), str(path / "a.mha"), useCompression=True)
    return _cut(path / "a.mha", 0.6)


def absurd_mha(path: Path) -> Path:
    file = _image(path / "a.mha", sound_volume().array)
    file.write_bytes(file.read_bytes().replace(b"DimSize = 36 40 8", b"DimSize = 36000 40000 8000", 1))
    return file


def mha_without_spacing(path: Path) -> Path:
    file = _image(path / "a.mha", sound_volume().array)
    file.write_bytes(file.read_bytes().replace(b"ElementSpacing = 1 1 1", b"ElementSpacing = 0 1 1", 1))
    return file


def text_named_nifti(path: Path) -> Path:
    (path / "a.nii.gz").write_text("not an image")
    return path / "a.nii.gz"


def empty_nrrd(path: Path) -> Path:
    (path / "a.nrrd").touch()
    return path / "a.nrrd"


def picture(path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(900, dtype=np.uint8).reshape(30, 30)), str(path / "a.png"))
    return path / "a.png"


def text(path: Path) -> Path:
    (path / "a.txt").write_text("no image")
    return path / "a.txt"


def nothing(path: Path) -> Path:
    return path / "not" / "there"


def damaged_nifti_checksum(path: Path) -> Path:
    """All image data are there and look sound; only the checksum at the file's end knows better."""
    return _flipped(_compressed(path / "a.nii.gz"), -6)


def nifti_without_checksum(path: Path) -> Path:
    return _cut(_compressed(path / "a.nii.gz"), 0.999)


def damaged_detached_nrrd(path: Path) -> Path:
    _flipped_at_half(_compressed(path / "a.nhdr").with_suffix(".raw.gz"))
    return path / "a.nhdr"


def damaged_detached_mhd(path: Path) -> Path:
    _flipped_at_half(_compressed(path / "a.mhd").with_suffix(".zraw"))
    return path / "a.mhd"


def missing_compressed_data_file(path: Path) -> Path:
    _compressed(path / "a.mhd").with_suffix(".zraw").unlink()
    return path / "a.mhd"


def short_mha(path: Path) -> Path:
    """Sound compressed data of too few slices."""
    file = _compressed(path / "a.mha")
    file.write_bytes(file.read_bytes().replace(b"DimSize = 36 40 8", b"DimSize = 36 40 9", 1))
    return file


def mha_that_ends_before_its_data(path: Path) -> Path:
    file = _compressed(path / "a.mha")
    length = re.search(rb"CompressedDataSize = (\d+)", data := file.read_bytes())[1]
    file.write_bytes(data.replace(length, b"%d" % (int(length) - 2), 1))
    return file


def compressed_list_of_files(path: Path) -> Path:
    file = _compressed(path / "a.mhd")
    file.write_bytes(file.read_bytes().replace(b"ElementDataFile = a.zraw", b"ElementDataFile = LIST\na.zraw\na.zraw"))
    return file


def _compressed(path: Path) -> Path:
    sitk.WriteImage(image_of(sound_volume()), str(path), useCompression=True)
    return path


def _flipped(path: Path, place: int) -> Path:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))
    return path


def _flipped_at_half(path: Path) -> Path:
    return _flipped(path, path.stat().st_size // 2)


REFUSED: tuple[tuple[Callable[[Path], Path], str], ...] = (
    (damaged_nifti_checksum, "damaged-file"),
    (nifti_without_checksum, "pixels-truncated"),
    (damaged_detached_nrrd, "damaged-file"),
    (damaged_detached_mhd, "damaged-file"),
    (missing_compressed_data_file, "pixels-truncated"),
    (short_mha, "pixels-truncated"),
    (mha_that_ends_before_its_data, "pixels-truncated"),
    (compressed_list_of_files, "unreadable-pixels"),
    (nan_value, "nan-values"),
    (nan_mha, "nan-values"),
    (infinite_value, "nan-values"),
    (beyond_single_precision, "nan-values"),
    (constant, "constant-image"),
    (four_dimensions, "four-dimensional"),
    (four_dimensions_nrrd, "four-dimensional"),
    (colours, "four-dimensional"),
    (complex_numbers, "four-dimensional"),
    (truncated_nrrd, "pixels-truncated"),
    (truncated_mha, "pixels-truncated"),
    (truncated_compressed_mha, "pixels-truncated"),
    (truncated_nifti, "pixels-truncated"),
    (truncated_nifti_gz, "pixels-truncated"),
    (short_nifti_gz, "pixels-truncated"),
    (truncated_nifti_header, "damaged-file"),
    (missing_data_file, "pixels-truncated"),
    (nifti_without_spacing, "bad-pixel-spacing"),
    (nifti_with_nan_spacing, "bad-pixel-spacing"),
    (nifti_with_nan_origin, "no-position"),
    (nifti_with_skewed_axes, "bad-orientation"),
    (nrrd_with_skewed_axes, "bad-orientation"),
    (nrrd_with_zero_axis, "bad-pixel-spacing"),
    (nrrd_of_no_space, "no-orientation"),
    (nrrd_of_a_space_without_body, "no-orientation"),
    (mha_without_spacing, "bad-pixel-spacing"),
    (absurd_nifti, "absurd-size"),
    (absurd_nrrd, "absurd-size"),
    (absurd_mha, "absurd-size"),
    (text_named_nifti, "damaged-file"),
    (empty_nrrd, "damaged-file"),
    (picture, "not-an-image"),
    (text, "not-an-image"),
    (nothing, "not-found"),
)


@pytest.mark.parametrize(("mutation", "code"), REFUSED, ids=lambda v: getattr(v, "__name__", v))
def test_refused(mutation: Callable[[Path], Path], code: str, tmp_path: Path) -> None:
    path = mutation(tmp_path)
    with pytest.raises(InputRefused) as refused:
        load_study(path)
    assert refused.value.code == code
    assert path.name not in str(refused.value)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".mha"])
def test_no_flipped_bit_of_a_compressed_file_is_answered(suffix: str, tmp_path: Path) -> None:
    file = _compressed(tmp_path / f"a{suffix}")
    sound, size = file.read_bytes(), file.stat().st_size
    for place in range(size // 3, size - 8, size // 40):
        file.write_bytes(sound)
        _flipped(file, place)
        with pytest.raises(InputRefused, match=r"damaged-file|pixels-truncated"):
            load_study(file)


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".nii.gz", ".mha", ".mhd"])
def test_compressed_files_are_read(suffix: str, tmp_path: Path) -> None:
    same_physical_volume(load_study(_compressed(tmp_path / f"心臓{suffix}")).volume, sound_volume(), 1e-3)


def test_gzip_in_parts_is_read(tmp_path: Path) -> None:
    whole = gzip.decompress(_compressed(tmp_path / "a.nii.gz").read_bytes())
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(whole[:5000]) + gzip.compress(whole[5000:]) + bytes(512))
    same_physical_volume(load_study(tmp_path / "a.nii.gz").volume, sound_volume(), 1e-3)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".mha"])
def test_compressed_data_are_not_inflated_beyond_reason(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nifti, "MOST_BESIDE", 2**23)
    monkeypatch.setattr(volume_files, "MOST_BESIDE", 2**23)
    path = _compressed(tmp_path / f"a{suffix}")
    load_study(path)  # what is imported and allocated once
    data = path.read_bytes()
    endless = zlib.compressobj(9, wbits=15 if suffix == ".mha" else 31)
    endless = endless.compress(bytes(2**26)) + endless.flush()
    if suffix == ".nii.gz":
        endless = gzip.compress(gzip.decompress(data) + bytes(2**26))
    start = {".nrrd": data.find(b"\n\n") + 2, ".nii.gz": 0, ".mha": data.find(b"LOCAL\n") + 6}[suffix]
    path.write_bytes(re.sub(rb"CompressedDataSize = \d+\n", b"", data[:start]) + endless)
    tracemalloc.start()
    with pytest.raises(InputRefused, match="absurd-size"):
        load_study(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
@pytest.mark.parametrize(("suffix", "readable"), [(".mha", False), (".nrrd", False), (".nii.gz", True)])
def test_a_name_that_is_no_text_ends_nothing(suffix: str, readable: bool, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"K\xe4the") / f"a{suffix}"
    try:
        path.parent.mkdir()
    except OSError:
        pytest.skip("the disk takes text alone")
    shutil.copy(_compressed(tmp_path / f"a{suffix}"), path)
    if readable:
        same_physical_volume(load_study(path).volume, sound_volume(), 1e-3)
    else:
        with pytest.raises(InputRefused, match=r"unreadable-pixels: .*Rename the file"):
            load_study(path)


def test_volume_files_by_name(tmp_path: Path) -> None:
    for name, expected in (
        ("a.nrrd", True),
        ("A.NII.GZ", True),
        ("a_mask.nii.gz", True),
        ("a.gz", False),
        ("a.dcm", False),
    ):
        (tmp_path / name).touch()
        assert is_volume_file(tmp_path / name) is expected
    assert not is_volume_file(tmp_path)


# --- virtual patients as DICOM ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def psir_study() -> VirtualStudy:
    studies = (render_study(draw(np.random.default_rng((9, k)))) for k in range(40))
    return next(study for study in studies if study.magnitude is not None)


@pytest.mark.parametrize("vendor", sorted(VENDORS))
@pytest.mark.parametrize("series_per_slice", [False, True])
def test_virtual_study_is_found_among_its_companions(
    vendor: str, series_per_slice: bool, psir_study: VirtualStudy, tmp_path: Path
) -> None:
    paths = write_dicom_study(psir_study, tmp_path, 5, layout=Layout(vendor, True, series_per_slice))
    study = load_study(tmp_path)
    assert study.facts.image_type == "psir"
    true = in_reading_order(psir_study).volume
    assert np.abs(study.volume.array - true.array).max() <= 0.51 * np.ptp(true.array) / 4095
    assert np.allclose(study.volume.affine, true.affine, atol=1e-6)
    kinds = {(stack.kind, stack.plane) for stack in inspect_folder(tmp_path).stacks}
    assert {("cine", "short-axis"), ("scout-ti", "short-axis"), ("lge", "long-axis"), ("lge", "short-axis")} <= kinds
    assert {kind for kind, _ in kinds} == {"cine", "scout-ti", "lge", "localizer"}
    assert len(paths) == len(set(paths)) == sum(1 for path in tmp_path.rglob("*.dcm"))


def test_virtual_study_is_deterministic(psir_study: VirtualStudy, tmp_path: Path) -> None:
    first, second = (write_dicom_study(psir_study, tmp_path / name, 5, "A") for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    other = write_dicom_study(psir_study, tmp_path / "c", 6, "A")
    assert first[0].read_bytes() != other[0].read_bytes()
    assert load_study(tmp_path / "a").facts.identity == "A"


def test_reading_order_keeps_every_voxel_where_it_is(psir_study: VirtualStudy) -> None:
    true = psir_study.volume
    affine = true.affine.copy()
    affine[:3, 3], affine[:3, 0] = true.to_lps((len(true.array) - 1, 0, 0)), -affine[:3, 0]
    other = replace(psir_study, volume=Volume(true.array[::-1].copy(), affine, true.image_type))
    first, second = in_reading_order(psir_study), in_reading_order(other)
    assert np.array_equal(first.volume.array, second.volume.array)
    assert np.allclose(first.volume.affine, second.volume.affine)
    for study in (first, second):
        same_physical_volume(study.volume, true)
    moved = first if first is not psir_study else second
    count = len(moved.labels)
    assert [mark.index for mark in moved.landmarks.slices] == list(range(count))
    assert np.array_equal(moved.labels, psir_study.labels[::-1])
    assert moved.landmarks.slices[0].lv_centre == psir_study.landmarks.slices[-1].lv_centre
