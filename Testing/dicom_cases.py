"""A small oblique PSIR stack as DICOM, and one function for every way in which such a folder can differ from it.

A mutation takes an empty folder and the datasets of the sound series (slice order, explicit little endian) and writes
what the reader is to find. LEGAL ones leave the physical volume as it is, REFUSED ones must be refused with a code.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from LGETextDetectLib.volume import Volume
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MRImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
)

SLICES, ROWS, COLUMNS = 8, 40, 36  # JPEG 2000 encoders want 32 and more
ROW_MM, COLUMN_MM, SLICE_MM = 1.5, 1.25, 8.0
SLOPE, INTERCEPT = 0.5, -100.0
Mutation = Callable[[Path, list[Dataset]], None]


def oblique_axes() -> np.ndarray:
    """(3, 3) columns: along a row, along a column, normal; LPS, a usual short axis."""
    normal = np.array([0.53, -0.76, -0.33])
    along_row = np.cross([0.3, 0.2, 0.93], normal)
    axes = np.stack([along_row, np.cross(normal, along_row), normal], 1)
    return axes / np.linalg.norm(axes, axis=0)


def sound_volume(seed: int = 0, slices: int = SLICES) -> Volume:
    """What the sound series shows: random values that uint16 with the rescale holds exactly."""
    rng = np.random.default_rng(seed)
    axes = oblique_axes()
    affine = np.eye(4)
    affine[:3, :3] = axes[:, [2, 1, 0]] * (SLICE_MM, ROW_MM, COLUMN_MM)
    affine[:3, 3] = (-60.0, -40.0, 25.0)
    stored = rng.integers(0, 4000, (slices, ROWS, COLUMNS))
    return Volume((stored * SLOPE + INTERCEPT).astype(np.float32), affine, "psir")


def sound_series(volume: Volume | None = None, **tags: object) -> list[Dataset]:
    """One dataset a slice of ``volume``; ``tags`` replace those of a Siemens PSIR series."""
    volume = volume or sound_volume()
    return [_slice_dataset(volume, k, tags) for k in range(len(volume.array))]


def _slice_dataset(volume: Volume, k: int, tags: dict[str, object]) -> Dataset:
    _, row_step, column_step = volume.affine[:3, :3].T
    stored = np.round((volume.array[k] - INTERCEPT) / SLOPE).astype(np.uint16)
    values: dict[str, object] = {
        "SOPClassUID": MRImageStorage, "SOPInstanceUID": f"2.25.100{k}", "SeriesInstanceUID": "2.25.20", "StudyInstanceUID": "2.25.30",
        "FrameOfReferenceUID": "2.25.40", "Modality": "MR", "PatientID": "SECRET-ID", "PatientName": "Secret^Name", "StudyDate": "20240102",
        "AcquisitionDate": "20240102", "AcquisitionTime": f"1012{k:02d}.000000", "SeriesNumber": 7, "InstanceNumber": k + 1,
        "SeriesDescription": "LGE_SAX_PSIR", "ProtocolName": "LGE_SAX", "ImageType": ["ORIGINAL", "PRIMARY", "PSIR", "ND"],
        "ScanningSequence": ["GR", "IR"], "InversionTime": 300.0, "EchoTime": 1.5, "ContrastBolusAgent": "gadolinium",
        "Rows": ROWS, "Columns": COLUMNS, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "RescaleSlope": SLOPE, "RescaleIntercept": INTERCEPT, "SliceThickness": 6.0,
        "ImageOrientationPatient": [_ds(v) for v in (*_unit(column_step), *_unit(row_step))],
        "ImagePositionPatient": [_ds(v) for v in volume.to_lps((k, 0, 0))],
        "PixelSpacing": [float(np.linalg.norm(row_step)), float(np.linalg.norm(column_step))],
    }  # fmt: skip
    dataset = Dataset()
    for name, value in (values | tags).items():
        setattr(dataset, name, value)
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _ds(value: float) -> str:
    """A decimal string of at most 16 bytes, as headers hold it."""
    return f"{value:.10f}"[:16]


def stored_pixels(dataset: Dataset) -> np.ndarray:
    return np.frombuffer(dataset.PixelData, np.uint16).reshape(dataset.Rows, dataset.Columns)


def set_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = np.ascontiguousarray(pixels, np.uint16).tobytes()


def write(
    folder: Path, datasets: Sequence[Dataset], syntax: str = ExplicitVRLittleEndian, prefix: str = "IM"
) -> list[Path]:
    """Files IM0000.dcm, IM0001.dcm, ... in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{prefix}{k:04d}.dcm" for k in range(len(datasets))]
    for path, dataset in zip(paths, datasets, strict=True):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", MRImageStorage)
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        meta.TransferSyntaxUID = syntax
        little = syntax != ExplicitVRBigEndian
        implicit = syntax == ImplicitVRLittleEndian
        file = FileDataset(str(path), dataset, b"\0" * 128, meta, is_implicit_VR=implicit, is_little_endian=little)
        file.save_as(path, enforce_file_format=True)
    return paths


def another(datasets: Sequence[Dataset], number: int, **tags: object) -> list[Dataset]:
    """The series once more under its own identifiers, with other tags."""
    copies = [copy.deepcopy(dataset) for dataset in datasets]
    for dataset in copies:
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.{number}"
        dataset.SeriesInstanceUID = f"2.25.20.{number}"
        dataset.SeriesNumber = number
        for name, value in tags.items():
            setattr(dataset, name, value)
    return copies


def scrambled(dataset: Dataset) -> Dataset:
    """Other pixel values, so that a wrong choice shows."""
    set_pixels(dataset, stored_pixels(dataset)[::-1] // 2 + 7)
    return dataset


# --- legal -----------------------------------------------------------------------------------------------------------


def sound(folder: Path, series: list[Dataset]) -> None:
    write(folder, series)


def reversed_files(folder: Path, series: list[Dataset]) -> None:
    write(folder, series[::-1])


def shuffled_files(folder: Path, series: list[Dataset]) -> None:
    write(folder, [series[k] for k in (3, 0, 7, 1, 6, 2, 5, 4)])


def columns_flipped(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        restore(dataset, flip_columns=True)
    write(folder, series)


def rows_flipped(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        restore(dataset, flip_rows=True)
    write(folder, series)


def transposed(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        restore(dataset, transpose=True)
    write(folder, series)


def restore(dataset: Dataset, flip_rows: bool = False, flip_columns: bool = False, transpose: bool = False) -> None:
    """The same slice in another storage order, header and pixels together."""
    pixels = stored_pixels(dataset)
    along_row, along_column = np.split(np.array(dataset.ImageOrientationPatient, float), 2)
    position, (row_mm, column_mm) = np.array(dataset.ImagePositionPatient, float), map(float, dataset.PixelSpacing)
    if flip_columns:
        position, along_row, pixels = (
            position + along_row * column_mm * (pixels.shape[1] - 1),
            -along_row,
            pixels[:, ::-1],
        )
    if flip_rows:
        position, along_column, pixels = (
            position + along_column * row_mm * (pixels.shape[0] - 1),
            -along_column,
            pixels[::-1],
        )
    if transpose:
        along_row, along_column, pixels, row_mm, column_mm = along_column, along_row, pixels.T, column_mm, row_mm
    dataset.ImageOrientationPatient = [_ds(v) for v in (*along_row, *along_column)]
    dataset.ImagePositionPatient = [_ds(v) for v in position]
    dataset.PixelSpacing = [row_mm, column_mm]
    set_pixels(dataset, pixels)


def implicit(folder: Path, series: list[Dataset]) -> None:
    write(folder, series, ImplicitVRLittleEndian)


def deflated(folder: Path, series: list[Dataset]) -> None:
    write(folder, series, DeflatedExplicitVRLittleEndian)


def big_endian(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    write(folder, series, ExplicitVRBigEndian)


def _compressed(folder: Path, series: list[Dataset], syntax: str) -> None:
    for path in write(folder, series):
        file = pydicom.dcmread(path)
        file.compress(syntax, generate_instance_uid=False)
        file.save_as(path)


def rle(folder: Path, series: list[Dataset]) -> None:
    _compressed(folder, series, RLELossless)


def _encapsulated(folder: Path, series: list[Dataset], syntax: str, encode: Callable[[np.ndarray], bytes]) -> None:
    for path in write(folder, series):
        file = pydicom.dcmread(path)
        kind = np.int16 if file.PixelRepresentation else np.uint16
        file.PixelData = encapsulate([encode(stored_pixels(file).view(kind))])
        file["PixelData"].VR = "OB"
        file["PixelData"].is_undefined_length = True
        file.file_meta.TransferSyntaxUID = syntax
        file.save_as(path)


def jpeg_2000(folder: Path, series: list[Dataset]) -> None:
    _encapsulated(folder, series, JPEG2000Lossless, encode_array)


def jpeg_ls(folder: Path, series: list[Dataset]) -> None:
    _compressed(folder, series, JPEGLSLossless)


def jpeg_2000_signed(folder: Path, series: list[Dataset]) -> None:
    _signed(series)
    jpeg_2000(folder, series)


def _signed(series: list[Dataset]) -> None:
    """Stored values around 0, the intercept making up for it."""
    for dataset in series:
        dataset.PixelRepresentation = 1
        dataset.RescaleIntercept = INTERCEPT + 2000 * SLOPE
        dataset.PixelData = (stored_pixels(dataset).astype(np.int16) - 2000).tobytes()


def signed(folder: Path, series: list[Dataset]) -> None:
    _signed(series)
    write(folder, series)


def jpeg_lossless(folder: Path, series: list[Dataset]) -> None:
    _encapsulated(folder, series, JPEGLosslessSV1, lambda pixels: _jpeg(pixels, folder / "temporary.dcm"))


def _jpeg(pixels: np.ndarray, path: Path) -> bytes:
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG")
    writer.SetFileName(str(path))
    writer.Execute(sitk.GetImageFromArray(pixels[None]))
    file = pydicom.dcmread(str(path))
    assert file.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    path.unlink()
    return next(generate_frames(file.PixelData, number_of_frames=1))


def rescale_per_slice(folder: Path, series: list[Dataset]) -> None:
    for k, dataset in enumerate(series):
        set_pixels(dataset, stored_pixels(dataset) + 10 * k)
        dataset.RescaleIntercept = INTERCEPT - 10 * k * SLOPE
        if k % 2:
            set_pixels(dataset, stored_pixels(dataset) * 2)
            dataset.RescaleSlope = SLOPE / 2
    write(folder, series)


def inverted_greys(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        set_pixels(dataset, 65535 - stored_pixels(dataset))
        dataset.PhotometricInterpretation = "MONOCHROME1"
    write(folder, series)


def junk_beside(folder: Path, series: list[Dataset]) -> None:
    write(folder / "images", series)
    (folder / "DICOMDIR").write_bytes(b"\0" * 200)
    (folder / "notes.txt").write_text("nothing to see", "utf-8")
    (folder / "empty.dcm").touch()
    (folder / "picture.jpg").write_bytes(bytes(range(256)) * 4)
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID, report.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "2.25.9", "SR"
    write(folder, [report], prefix="report")


def non_ascii_path(folder: Path, series: list[Dataset]) -> None:
    write(folder / "Prüfung 心臓 é" / "тест", series)


def compressed_in_non_ascii_path(folder: Path, series: list[Dataset]) -> None:
    jpeg_2000(folder / "心臓", series)


def stored_twice(folder: Path, series: list[Dataset]) -> None:
    write(folder / "a", series)
    write(folder / "b" / "again", series[::-1])


def one_series_a_slice(folder: Path, series: list[Dataset]) -> None:
    for k, dataset in enumerate(series):
        dataset.SeriesInstanceUID, dataset.SeriesNumber = f"2.25.20.{k}", 10 + k
        dataset.SeriesDescription = f"LGE_SAX_sl{k + 1}_PSIR"
        write(folder / f"series{(k * 5) % 8}", [dataset])


def halves_in_two_series(folder: Path, series: list[Dataset]) -> None:
    write(folder / "upper", series[:5])
    write(folder / "lower", another(series[5:], 8))


def with_magnitude(folder: Path, series: list[Dataset]) -> None:
    mags = another(series, 6, SeriesDescription="LGE_SAX_MAG", ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    write(folder, [scrambled(dataset) for dataset in mags] + series)


def both_named_psir(folder: Path, series: list[Dataset]) -> None:
    mags = another(series, 6, ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    write(folder, [scrambled(dataset) for dataset in mags] + series)


def philips_one_series(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.SeriesDescription, dataset.ImageType = "sPSIR_SA", ["ORIGINAL", "PRIMARY", "CR", "R", "IR"]
    mags = another(series, 7, SeriesInstanceUID="2.25.20", ImageType=["ORIGINAL", "PRIMARY", "M_IR", "M", "IR"])
    write(folder, [d for pair in zip([scrambled(m) for m in mags], series, strict=True) for d in pair])


def ge_two_series(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.SeriesDescription, dataset.ImageType = "PS:MDE SAX", ["ORIGINAL", "PRIMARY", "OTHER"]
    mags = another(series, 70, SeriesDescription="MAG: MDE SAX")
    write(folder, [scrambled(dataset) for dataset in mags] + series)


def with_companions(folder: Path, series: list[Dataset]) -> None:
    """Cine, localizer, TI scout, long axis, T1 map and CT beside."""
    write(folder / "cine", _phases(series, 30, "TriggerTime", SeriesDescription="cine_SAX_tfisp"))
    write(folder / "scout", _phases(series[3:4], 31, "InversionTime", SeriesDescription="TI_scout_SAX"))
    write(
        folder / "map",
        another(series[2:5], 32, SeriesDescription="T1Map_MOLLI_SAX", ImageType=["DERIVED", "PRIMARY", "T1 MAP"]),
    )
    long_axis = another(series[:1], 33, SeriesDescription="LGE_4ch_PSIR", ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    write(folder / "lax", long_axis)
    planes = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])
    for k, plane in enumerate(planes):
        write(
            folder / f"loc{k}",
            another(series[:1], 40 + k, SeriesDescription="localizer", ImageOrientationPatient=plane),
        )
    write(folder / "ct", another(series, 50, Modality="CT", SeriesDescription="LGE_SAX_PSIR"))
    write(folder / "lge", series)


def _phases(series: list[Dataset], number: int, varying: str, **tags: object) -> list[Dataset]:
    result = []
    for phase in range(4):
        for dataset in another(series, number, **tags):
            dataset.SOPInstanceUID += f".{phase}"
            setattr(dataset, varying, 100.0 + 60 * phase)
            result.append(scrambled(dataset))
    return result


def repeated_later(folder: Path, series: list[Dataset]) -> None:
    """The acquisition was repeated: the later one counts."""
    earlier = another(series, 3, AcquisitionTime="095959.0")
    write(folder, series + [scrambled(dataset) for dataset in earlier])


def repeated_incomplete(folder: Path, series: list[Dataset]) -> None:
    """A later repeat was broken off: the one with most slices counts."""
    later = another(series[:5], 9, AcquisitionTime="115959.0")
    write(folder, [scrambled(dataset) for dataset in later] + series)


def one_slice_retaken(folder: Path, series: list[Dataset]) -> None:
    one_series_a_slice(folder, series)
    earlier = another(series[4:5], 99, AcquisitionTime="095959.0")
    write(folder / "spoilt", [scrambled(dataset) for dataset in earlier])


def two_slices_a_series(folder: Path, series: list[Dataset]) -> None:
    for k in (0, 4, 2, 6):
        write(folder / f"series{k}", another(series[k : k + 2], 10 + k, AcquisitionTime=f"1012{k * 7 % 8:02d}.0"))


def one_identifier_for_all(folder: Path, series: list[Dataset]) -> None:
    """Careless de-identification."""
    for dataset in series:
        dataset.SOPInstanceUID, dataset.PatientID, dataset.PatientName, dataset.StudyDate = "2.25.1", "", "", ""
    write(folder, series)


def without_prefix(folder: Path, series: list[Dataset]) -> None:
    """Files of before PS3.10: no preamble, no meta information."""
    for path in write(folder, series, ImplicitVRLittleEndian):
        data = path.read_bytes()
        path.write_bytes(data[144 + int.from_bytes(data[140:144], "little") :])


def without_description(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        del dataset.SeriesDescription, dataset.ProtocolName
    write(folder, series)


def rounded_positions(folder: Path, series: list[Dataset]) -> None:
    """Positions as some exporters round them: less than 1 % of a slice distance."""
    for dataset in series:
        dataset.ImagePositionPatient = [f"{float(v):.2f}" for v in dataset.ImagePositionPatient]
    write(folder, series)


def enhanced(folder: Path, series: list[Dataset]) -> None:
    write(folder, [multi_frame([series[k] for k in (3, 0, 7, 1, 6, 2, 5, 4)])])


def enhanced_rle(folder: Path, series: list[Dataset]) -> None:
    _compressed(folder, [multi_frame(series)], RLELossless)


def enhanced_jpeg_ls(folder: Path, series: list[Dataset]) -> None:
    _compressed(folder, [multi_frame(series)], JPEGLSLossless)


def enhanced_pair(folder: Path, series: list[Dataset]) -> None:
    """PSIR and magnitude frames in one object."""
    mags = another(series, 6, ImageType=["ORIGINAL", "PRIMARY", "M", "IR"])
    write(folder, [multi_frame([d for pair in zip([scrambled(m) for m in mags], series, strict=True) for d in pair])])


def multi_frame(series: Sequence[Dataset]) -> Dataset:
    """An Enhanced MR object of the slices, with functional groups."""
    result = copy.deepcopy(series[0])
    for name in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
        "SliceThickness",
        "InversionTime",
    ):
        delattr(result, name)
    result.SOPClassUID, result.NumberOfFrames = EnhancedMRImageStorage, len(series)
    result.PixelData = b"".join(dataset.PixelData for dataset in series)
    result.SharedFunctionalGroupsSequence = [
        _group(series[0], "PixelMeasuresSequence", "PixelSpacing", "SliceThickness")
    ]
    result.PerFrameFunctionalGroupsSequence = []
    for dataset in series:
        item = _group(dataset, "PlanePositionSequence", "ImagePositionPatient")
        item.update(_group(dataset, "PlaneOrientationSequence", "ImageOrientationPatient"))
        item.update(_group(dataset, "PixelValueTransformationSequence", "RescaleSlope", "RescaleIntercept"))
        frame_type = Dataset()
        frame_type.FrameType = dataset.ImageType
        item.MRImageFrameTypeSequence = [frame_type]
        result.PerFrameFunctionalGroupsSequence.append(item)
    return result


def _group(dataset: Dataset, sequence: str, *names: str) -> Dataset:
    inner, outer = Dataset(), Dataset()
    for name in names:
        setattr(inner, name, dataset[name].value)
    setattr(outer, sequence, [inner])
    return outer


def screen_shot_beside(folder: Path, series: list[Dataset]) -> None:
    """A picture of the screen under the description of the series."""
    write(folder, [*series, _screen_shot(series[4])])


def screen_shot_beside_single_slices(folder: Path, series: list[Dataset]) -> None:
    one_series_a_slice(folder, series)
    write(folder / "shot", [_screen_shot(series[4])])


def _screen_shot(dataset: Dataset) -> Dataset:
    (shot,) = another([dataset], 99, SOPClassUID=SecondaryCaptureImageStorage, AcquisitionTime="115959.0")
    del shot.ImageOrientationPatient, shot.ImagePositionPatient, shot.FrameOfReferenceUID
    return scrambled(shot)


def copies_without_geometry_beside(folder: Path, series: list[Dataset]) -> None:
    """Another series of the same description has lost its geometry, all of it."""
    copies = another(series, 99, AcquisitionTime="115959.0")
    for dataset in copies:
        del dataset.ImageOrientationPatient, dataset.ImagePositionPatient
        scrambled(dataset)
    write(folder, series + copies)


def other_frame_of_reference_beside(folder: Path, series: list[Dataset]) -> None:
    """A second stack, of other coordinates, that would continue the first one."""
    beyond = another(series[:3], 99, FrameOfReferenceUID="2.25.41", AcquisitionTime="095959.0")
    for dataset in beyond:
        _move(scrambled(dataset), -3 * SLICE_MM * oblique_axes()[:, 2])
    write(folder, series + beyond)


def single_slices_of_another_frame_of_reference(folder: Path, series: list[Dataset]) -> None:
    one_series_a_slice(folder, series)
    beyond = another(series[:2], 99, FrameOfReferenceUID="2.25.41", AcquisitionTime="095959.0")
    for k, dataset in enumerate(beyond):
        dataset.SeriesInstanceUID = f"2.25.21.{k}"
        _move(scrambled(dataset), -2 * SLICE_MM * oblique_axes()[:, 2])
    write(folder / "before", beyond)


def frame_of_reference_told_by_some(folder: Path, series: list[Dataset]) -> None:
    for dataset in series[::2]:
        dataset.FrameOfReferenceUID = ""
    one_series_a_slice(folder, series)


def modality_emptied(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.Modality = ""
    write(folder, series)


def retaken_within_its_series_without_times(folder: Path, series: list[Dataset]) -> None:
    """Only the order of the images tells which of two is the later one."""
    spoilt = another(series[4:5], 7, SeriesInstanceUID="2.25.20", InstanceNumber=0)
    for dataset in series + spoilt:
        del dataset.AcquisitionTime, dataset.AcquisitionDate
    write(folder, [scrambled(dataset) for dataset in spoilt] + series)


def slice_retaken_after_the_stack(folder: Path, series: list[Dataset]) -> None:
    """The repeat of a spoilt slice is a series of its own."""
    good = another(series[4:5], 9, AcquisitionTime="102500.0", SeriesDescription="LGE_SAX_PSIR_rep")
    write(folder / "stack", [*series[:4], scrambled(series[4]), *series[5:]])
    write(folder / "repeat", good)


def stack_retaken_within_its_series(folder: Path, series: list[Dataset]) -> None:
    """All slices, then all of them again, at another inversion time."""
    spoilt = another(series, 7, SeriesInstanceUID="2.25.20", InversionTime=240.0)
    for k, dataset in enumerate(spoilt):
        dataset.AcquisitionTime = f"1001{k:02d}.0"
    write(folder, [scrambled(dataset) for dataset in spoilt] + series)


def two_inversion_times_slice_by_slice(folder: Path, series: list[Dataset]) -> None:
    """Each slice at two times, one breath-hold after the other; the last image of all is the sought stack's."""
    other = another(series, 7, SeriesInstanceUID="2.25.20", InversionTime=240.0)
    for k, dataset in enumerate(other):
        dataset.AcquisitionTime = f"1012{k - 1:02d}.5" if k else "101159.0"
    write(folder, [scrambled(dataset) for dataset in other] + series)


def slice_retaken_within_its_own_series(folder: Path, series: list[Dataset]) -> None:
    one_series_a_slice(folder, series)
    spoilt = another(series[4:5], 14, SeriesInstanceUID="2.25.20.4", AcquisitionTime="101200.0", SeriesNumber=14)
    write(folder / "spoilt", [scrambled(dataset) for dataset in spoilt])


def broken_off_and_taken_up_again(folder: Path, series: list[Dataset]) -> None:
    """The second series begins with the slice at which the first one ended."""
    again = another(series[4:], 9)
    for dataset in again:
        dataset.AcquisitionTime = f"1030{dataset.AcquisitionTime[4:]}"
    write(folder / "first", [*series[:4], scrambled(series[4])])
    write(folder / "second", again)


def inversion_time_in_each_description(folder: Path, series: list[Dataset]) -> None:
    one_series_a_slice(folder, series)
    for k, dataset in enumerate(series):
        dataset.SeriesDescription = f"LGE SAX PSIR TI={300 + 5 * k}ms"
        write(folder / f"series{(k * 5) % 8}", [dataset])


def slices_named_in_words(folder: Path, series: list[Dataset]) -> None:
    for k, (dataset, name) in enumerate(zip(series, "un dos tres cuatro cinco seis siete ocho".split(), strict=True)):
        dataset.SeriesInstanceUID, dataset.SeriesDescription = f"2.25.20.{k}", f"realce tardío eje corto {name}"
        dataset.SpecificCharacterSet = "ISO_IR 192"
    write(folder, series)


def ge_one_series(folder: Path, series: list[Dataset]) -> None:
    """Magnitude and real images of one type and description; a private element tells them apart."""
    mags = [scrambled(d) for d in another(series, 7, SeriesInstanceUID="2.25.20")]
    for value, datasets in ((0, mags), (2, series)):
        for dataset in datasets:
            dataset.SeriesDescription, dataset.ImageType = "2D PSMDE SAX", ["ORIGINAL", "PRIMARY", "OTHER"]
            dataset.private_block(0x43, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", value)
    write(folder, [d for pair in zip(mags, series, strict=True) for d in pair])


def thin_slices_beside(folder: Path, series: list[Dataset]) -> None:
    """A 3D scan of more slices."""
    volume = sound_volume(3, 30)
    affine = volume.affine.copy()
    affine[:3, 0] /= 4
    write(folder / "3d", another(sound_series(Volume(volume.array, affine)), 9, SeriesDescription="3D_LGE_SAX_PSIR"))
    write(folder / "2d", series)


def long_axis_named_short_beside(folder: Path, series: list[Dataset]) -> None:
    """More slices under the name of the short axis, across it."""
    axes = oblique_axes()
    long = another(
        sound_series(sound_volume(4, 10)), 9, ImageOrientationPatient=[_ds(v) for v in (*axes[:, 0], *axes[:, 2])]
    )
    for k, dataset in enumerate(long):
        dataset.ImagePositionPatient = [_ds(v) for v in k * SLICE_MM * axes[:, 1]]
    write(folder / "long", long)
    write(folder / "short", series)


def fat_image_beside(folder: Path, series: list[Dataset]) -> None:
    """The fat half of a separation of water and fat, taken at once and named alike."""
    fat = another(series, 9, ImageType=["DERIVED", "PRIMARY", "PSIR", "FAT"])
    write(folder, [scrambled(dataset) for dataset in fat] + series)


LEGAL: tuple[Mutation, ...] = (
    sound, reversed_files, shuffled_files, columns_flipped, rows_flipped, transposed, implicit, deflated, big_endian, rle, jpeg_2000, jpeg_ls,
    jpeg_2000_signed, jpeg_lossless, signed, rescale_per_slice, inverted_greys, junk_beside, non_ascii_path, compressed_in_non_ascii_path,
    stored_twice, one_series_a_slice, halves_in_two_series, with_magnitude, both_named_psir, philips_one_series, ge_two_series, with_companions,
    repeated_later, repeated_incomplete, one_slice_retaken, two_slices_a_series, one_identifier_for_all, without_prefix, without_description, rounded_positions,
    enhanced, enhanced_rle, enhanced_jpeg_ls, enhanced_pair, screen_shot_beside, screen_shot_beside_single_slices, copies_without_geometry_beside,
    other_frame_of_reference_beside, single_slices_of_another_frame_of_reference, frame_of_reference_told_by_some, modality_emptied,
    retaken_within_its_series_without_times, slice_retaken_within_its_own_series, broken_off_and_taken_up_again, slice_retaken_after_the_stack, stack_retaken_within_its_series, two_inversion_times_slice_by_slice,
    inversion_time_in_each_description, slices_named_in_words, ge_one_series, thin_slices_beside, long_axis_named_short_beside, fat_image_beside,
)  # fmt: skip


# --- refused ---------------------------------------------------------------------------------------------------------


def no_orientation(folder: Path, series: list[Dataset]) -> None:
    del series[3].ImageOrientationPatient
    write(folder, series)


def no_orientation_at_all(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        del dataset.ImageOrientationPatient
    write(folder, series)


def skewed_orientation(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.ImageOrientationPatient = [0.8, 0.6, 0, 0.6, 0.8, 0]
    write(folder, series)


def zero_orientation(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.ImageOrientationPatient = [0, 0, 0, 0, 0, 0]
    write(folder, series)


def no_position(folder: Path, series: list[Dataset]) -> None:
    del series[2].ImagePositionPatient
    write(folder, series)


def nan_position(folder: Path, series: list[Dataset]) -> None:
    series[5].ImagePositionPatient = ["0", "nan", "0"]
    write(folder, series)


def lone_slice_without_position(folder: Path, series: list[Dataset]) -> None:
    del series[7].ImagePositionPatient
    one_series_a_slice(folder, series)


def no_pixel_spacing(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        del dataset.PixelSpacing
    write(folder, series)


def zero_pixel_spacing(folder: Path, series: list[Dataset]) -> None:
    series[0].PixelSpacing = [0, 1.25]
    write(folder, series)


def missing_slice(folder: Path, series: list[Dataset]) -> None:
    write(folder, series[:4] + series[5:])


def missing_slice_of_four(folder: Path, series: list[Dataset]) -> None:
    write(folder, [series[0], series[1], series[3]])


def missing_in_pair(folder: Path, series: list[Dataset]) -> None:
    write(
        folder,
        series[:-1] + another(series, 6, SeriesDescription="LGE_SAX_MAG", ImageType=["ORIGINAL", "PRIMARY", "M"]),
    )


def unequal_spacing(folder: Path, series: list[Dataset]) -> None:
    _move(series[4], 0.015 * SLICE_MM * oblique_axes()[:, 2])
    write(folder, series)


def _move(dataset: Dataset, by: np.ndarray) -> None:
    dataset.ImagePositionPatient = [_ds(v) for v in np.array(dataset.ImagePositionPatient, float) + by]


def tilted_slice(folder: Path, series: list[Dataset]) -> None:
    axes = oblique_axes()
    turned = axes[:, 1] * np.cos(0.1) + axes[:, 2] * np.sin(0.1)
    series[6].ImageOrientationPatient = [_ds(v) for v in (*axes[:, 0], *turned)]
    write(folder, series)


def shifted_slice(folder: Path, series: list[Dataset]) -> None:
    _move(series[3], 6.0 * oblique_axes()[:, 0])
    write(folder, series)


def mixed_matrix(folder: Path, series: list[Dataset]) -> None:
    set_pixels(series[3], stored_pixels(series[3])[:, :-2])
    write(folder, series)


def mixed_matrix_of_lone_slices(folder: Path, series: list[Dataset]) -> None:
    set_pixels(series[0], stored_pixels(series[0])[:, :-2])
    one_series_a_slice(folder, series)


def mixed_pixel_spacing(folder: Path, series: list[Dataset]) -> None:
    series[3].PixelSpacing = [1.6, 1.25]
    write(folder, series)


def slope_zero(folder: Path, series: list[Dataset]) -> None:
    series[1].RescaleSlope = 0
    write(folder, series)


def slope_not_a_number(folder: Path, series: list[Dataset]) -> None:
    series[1].RescaleSlope = "nan"
    write(folder, series)


def two_patients(folder: Path, series: list[Dataset]) -> None:
    for dataset in series[4:]:
        dataset.PatientID, dataset.PatientName = "OTHER", "Other^Name"
    write(folder, series)


def two_patients_in_two_studies(folder: Path, series: list[Dataset]) -> None:
    write(
        folder,
        series
        + another(
            series, 9, PatientID="OTHER", PatientName="Other^Name", StudyDate="20230101", StudyInstanceUID="2.25.31"
        ),
    )


def two_studies_of_one_patient(folder: Path, series: list[Dataset]) -> None:
    write(folder / "now", series)
    write(folder / "before", another(series, 9, StudyDate="20230101", StudyInstanceUID="2.25.31"))


def two_studies_with_equal_instances(folder: Path, series: list[Dataset]) -> None:
    """Careless de-identification: only the StudyInstanceUID tells them apart."""
    write(folder / "a", series)
    for dataset in series:
        dataset.StudyInstanceUID = "2.25.31"
    write(folder / "b", series)


def images_without_study(folder: Path, series: list[Dataset]) -> None:
    write(folder, series + another(series[:1], 9, StudyInstanceUID=""))


def truncated_file(folder: Path, series: list[Dataset]) -> None:
    path = write(folder, series)[2]
    path.write_bytes(path.read_bytes()[:-100])


def short_pixels(folder: Path, series: list[Dataset]) -> None:
    series[2].PixelData = series[2].PixelData[:-100]
    write(folder, series)


def truncated_rle(folder: Path, series: list[Dataset]) -> None:
    rle(folder, series)
    path = folder / "IM0002.dcm"
    path.write_bytes(path.read_bytes()[:-200])


def truncated_jpeg_2000(folder: Path, series: list[Dataset]) -> None:
    jpeg_2000(folder, series)
    path = folder / "IM0002.dcm"
    path.write_bytes(path.read_bytes()[:-300])


def half_a_jpeg_2000(folder: Path, series: list[Dataset]) -> None:
    """A sound file around half a code stream."""
    _encapsulated(folder, series, JPEG2000Lossless, lambda pixels: (data := encode_array(pixels))[: len(data) // 2])


def half_a_jpeg_ls(folder: Path, series: list[Dataset]) -> None:
    _half(folder, series, jpeg_ls)


def half_an_rle(folder: Path, series: list[Dataset]) -> None:
    _half(folder, series, rle)


def half_a_jpeg(folder: Path, series: list[Dataset]) -> None:
    _half(folder, series, jpeg_lossless)


def _half(folder: Path, series: list[Dataset], compress: Mutation) -> None:
    compress(folder, series)
    for path in sorted(folder.glob("*.dcm")):
        file = pydicom.dcmread(path)
        data = next(generate_frames(file.PixelData, number_of_frames=1))
        file.PixelData = encapsulate([data[: len(data) // 4 * 2]])
        file.save_as(path)


def damaged_jpeg_ls(folder: Path, series: list[Dataset]) -> None:
    jpeg_ls(folder, series)
    path = folder / "IM0002.dcm"
    data = path.read_bytes()
    path.write_bytes(data[:-400] + b"\x5a" * 392 + data[-8:])


def truncated_header(folder: Path, series: list[Dataset]) -> None:
    path = write(folder, series)[2]
    path.write_bytes(path.read_bytes()[:400])


def no_pixels(folder: Path, series: list[Dataset]) -> None:
    del series[2].PixelData
    write(folder, series)


def empty_pixels(folder: Path, series: list[Dataset]) -> None:
    series[2].PixelData = b""
    write(folder, series)


def unknown_compression(folder: Path, series: list[Dataset]) -> None:
    """MPEG-4 video as pixel data."""
    for dataset in series:
        dataset.PixelData = encapsulate([b"\0\1\2\3" * 16])
        dataset["PixelData"].is_undefined_length = True
    write(folder, series, "1.2.840.10008.1.2.4.102")


def unknown_syntax(folder: Path, series: list[Dataset]) -> None:
    write(folder, series)
    path = folder / "IM0002.dcm"
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0", 1))


def tiny_pixel_spacing(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.PixelSpacing = ["1e-9", "1e-9"]
    write(folder, series)


def constant(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        set_pixels(dataset, np.full((ROWS, COLUMNS), 77))
    write(folder, series)


def absurd_matrix(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.Rows = dataset.Columns = 65535
    write(folder, series)


def absurd_frames(folder: Path, series: list[Dataset]) -> None:
    series[0].NumberOfFrames = 2_000_000_000
    write(folder, series)


def absurd_deflated(folder: Path, series: list[Dataset]) -> None:
    """A megabyte that inflates to more than one."""
    series[0].PixelData = bytes(2**21)
    write(folder, series, DeflatedExplicitVRLittleEndian)


def time_series(folder: Path, series: list[Dataset]) -> None:
    write(folder, series + another(series, 7, SeriesInstanceUID="2.25.20", TemporalPositionIdentifier=2))


def multi_frame_without_geometry(folder: Path, series: list[Dataset]) -> None:
    whole = multi_frame(series)
    del whole.PerFrameFunctionalGroupsSequence, whole.SharedFunctionalGroupsSequence
    write(folder, [whole])


def mosaic(folder: Path, series: list[Dataset]) -> None:
    """Four slices in one picture."""
    rows = [np.hstack([stored_pixels(series[k]) for k in pair]) for pair in ((0, 1), (2, 3))]
    series[0].ImageType = ["ORIGINAL", "PRIMARY", "PSIR", "ND", "MOSAIC"]
    set_pixels(series[0], np.vstack(rows))
    write(folder, series[:1])


def mosaics(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "PSIR", "ND", "MOSAIC"]
    write(folder, series)


def several_frames_of_reference(folder: Path, series: list[Dataset]) -> None:
    for dataset in series[5:]:
        dataset.FrameOfReferenceUID = "2.25.41"
    write(folder, series)


def a_frame_of_reference_a_slice(folder: Path, series: list[Dataset]) -> None:
    for k, dataset in enumerate(series):
        dataset.FrameOfReferenceUID = f"2.25.40.{k}"
    one_series_a_slice(folder, series)


def two_images_of_each_slice_in_its_series(folder: Path, series: list[Dataset]) -> None:
    one_series_a_slice(folder, series)
    for k, dataset in enumerate(series):
        (other,) = another(
            [dataset], 10 + k, SeriesInstanceUID=dataset.SeriesInstanceUID, AcquisitionTime=f"1013{k:02d}.0"
        )
        write(folder / f"other{k}", [scrambled(other)])


def only_screen_shots(folder: Path, series: list[Dataset]) -> None:
    write(folder, [_screen_shot(dataset) for dataset in series])


def enhanced_time_series(folder: Path, series: list[Dataset]) -> None:
    write(folder, [multi_frame(series + series)])


def ct(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.Modality, dataset.SOPClassUID = "CT", "1.2.840.10008.5.1.4.1.1.2"
    write(folder, series)


def only_cine(folder: Path, series: list[Dataset]) -> None:
    write(folder, _phases(series, 30, "TriggerTime", SeriesDescription="cine_SAX_tfisp"))


def only_long_axis(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.SeriesDescription = "LGE_4ch_PSIR"
    write(folder, series)


def only_scout(folder: Path, series: list[Dataset]) -> None:
    write(folder, _phases(series[3:4], 31, "InversionTime", SeriesDescription="TI_scout_SAX"))


def only_map(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.SeriesDescription = "T1Map_MOLLI_SAX_postKM"
    write(folder, series)


def only_localizer(folder: Path, series: list[Dataset]) -> None:
    for dataset in series:
        dataset.SeriesDescription = "localizer_SAX"
    write(folder, series)


def only_junk(folder: Path, series: list[Dataset]) -> None:
    (folder / "notes.txt").write_text("no image", "utf-8")
    (folder / "IM0001.dcm").write_bytes(b"not DICOM at all" * 50)


def empty_folder(folder: Path, series: list[Dataset]) -> None:
    (folder / "nothing" / "below").mkdir(parents=True)


REFUSED: tuple[tuple[Mutation, str], ...] = (
    (no_orientation, "no-orientation"),
    (no_orientation_at_all, "no-orientation"),
    (skewed_orientation, "bad-orientation"),
    (zero_orientation, "bad-orientation"),
    (no_position, "no-position"),
    (nan_position, "no-position"),
    (lone_slice_without_position, "no-position"),
    (no_pixel_spacing, "bad-pixel-spacing"),
    (zero_pixel_spacing, "bad-pixel-spacing"),
    (missing_slice, "missing-slice"),
    (missing_slice_of_four, "missing-slice"),
    (missing_in_pair, "missing-slice"),
    (unequal_spacing, "unequal-spacing"),
    (tilted_slice, "unequal-spacing"),
    (shifted_slice, "shifted-slices"),
    (mixed_matrix, "mixed-matrix"),
    (mixed_matrix_of_lone_slices, "mixed-matrix"),
    (mixed_pixel_spacing, "mixed-matrix"),
    (slope_zero, "bad-rescale"),
    (slope_not_a_number, "bad-rescale"),
    (two_patients, "two-patients"),
    (two_patients_in_two_studies, "two-patients"),
    (two_studies_of_one_patient, "several-studies"),
    (two_studies_with_equal_instances, "several-studies"),
    (images_without_study, "several-studies"),
    (truncated_file, "pixels-truncated"),
    (short_pixels, "pixels-truncated"),
    (truncated_rle, "pixels-truncated"),
    (truncated_jpeg_2000, "pixels-truncated"),
    (half_a_jpeg_2000, "pixels-truncated"),
    (half_a_jpeg_ls, "pixels-truncated"),
    (half_an_rle, "pixels-truncated"),
    (half_a_jpeg, "pixels-truncated"),
    (damaged_jpeg_ls, "pixels-truncated"),
    (truncated_header, "damaged-file"),
    (no_pixels, "pixels-missing"),
    (empty_pixels, "pixels-missing"),
    (unknown_compression, "unreadable-pixels"),
    (unknown_syntax, "unreadable-pixels"),
    (tiny_pixel_spacing, "bad-pixel-spacing"),
    (constant, "constant-image"),
    (absurd_matrix, "absurd-size"),
    (absurd_frames, "absurd-size"),
    (time_series, "four-dimensional"),
    (multi_frame_without_geometry, "four-dimensional"),
    (enhanced_time_series, "four-dimensional"),
    (mosaic, "four-dimensional"),
    (mosaics, "four-dimensional"),
    (several_frames_of_reference, "no-position"),
    (a_frame_of_reference_a_slice, "no-position"),
    (two_images_of_each_slice_in_its_series, "four-dimensional"),
    (only_screen_shots, "no-orientation"),
    (ct, "wrong-modality"),
    (only_cine, "no-lge-series"),
    (only_long_axis, "no-lge-series"),
    (only_scout, "no-lge-series"),
    (only_map, "no-lge-series"),
    (only_localizer, "no-lge-series"),
    (only_junk, "not-an-image"),
    (empty_folder, "not-an-image"),
)
