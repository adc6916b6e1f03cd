"""A study's images as one volume: a DICOM folder or one NRRD, NIfTI or MHA file, each by its own geometry."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .data_files import data_place
from .dicom_frames import MAX_SAMPLES, ORTHOGONAL, Frame, is_dicom, plausible_mm
from .dicom_pixels import read_pixels
from .events import quiet_libraries
from .inflated import MOST_BESIDE, TOO_SHORT, inflate
from .input_files import Source
from .nifti import read_nifti_header, read_nifti_values
from .orientation import BASE_TO_APEX
from .refusal import InputRefused
from .series import choose_stack, inspect_folder
from .volume import FloatArray, Volume

NIFTI = (".nii", ".nii.gz")
IMAGE_IO = {".nrrd": "NrrdImageIO", ".nhdr": "NrrdImageIO", ".mha": "MetaImageIO", ".mhd": "MetaImageIO"}  # SimpleITK's
THICK = 1.5  # an axis whose spacing is this much larger than the two others' is the one across the slices
FEW = 8  # slices: scans of nearly cubic voxels have more
NEAR_HEART_DEG = 28.0  # of an axis of such a scan from a heart's usual long axis: two spreads of real hearts
NEARLY_AXIAL_DEG = 15.0  # of every axis from the body's: then none of them is meant to be a heart's
MIN_DETERMINANT = 0.5  # of the axes' directions: 1 when orthogonal
GEOMETRY_DECIMALS = 4  # mm, in the hash


@dataclass(frozen=True)
class InputFacts:
    """What was read. files: that hold the volume's slices; spacing_mm: row, column, slice; sha256: of pixels and geometry.

    identity: the patient's identifier, only ever shown when the user asks to keep it.
    """

    kind: str  # dicom | volume
    files: int
    image_type: str  # psir | magnitude | unknown
    slices: int
    spacing_mm: tuple[float, float, float]
    sha256: str
    identity: str | None


@dataclass(frozen=True, eq=False)
class LoadedStudy:
    """One volume with where it came from. frames: DICOM source frames in slice order; notes: (quality code, text)."""

    volume: Volume
    facts: InputFacts
    frames: tuple[Frame, ...] | None
    reason: str
    notes: tuple[tuple[str, str], ...]


def is_volume_file(path: Path) -> bool:
    """Whether the name is that of an NRRD, NIfTI or MetaImage file."""
    return _suffix(path) is not None and os.path.isfile(path)


def load_study(source: Source) -> LoadedStudy:
    """Read a DICOM folder (searched recursively), DICOM files of one study, or one NRRD, NIfTI or MHA file.

    What libraries would print about odd headers is kept quiet, wherever it is called: it quotes them.
    Raises InputRefused with the code, cause and remedy of whatever forbids an answer.
    """
    with quiet_libraries():
        return _load(source)


def _load(source: Source) -> LoadedStudy:
    if isinstance(source, tuple):
        return _load_dicom(source)
    if not os.path.exists(source):
        raise InputRefused("not-found", "The input path does not exist, or cannot be reached.")
    if not (source.is_dir() or source.is_file()):  # reading a pipe would never end
        raise InputRefused("not-an-image", "The input is neither a file nor a folder.")
    if source.is_dir() or is_dicom(source):
        return _load_dicom(source)
    if not is_volume_file(source):
        raise InputRefused("not-an-image", "The file is neither DICOM nor NRRD, NIfTI or MHA.")
    return _load_volume(source)


def _load_dicom(source: Source) -> LoadedStudy:
    stack = choose_stack(inspect_folder(source))
    volume = Volume(_checked(read_pixels(stack.frames)), stack.affine, stack.image_type)
    notes = list(stack.notes)
    blank = [k + 1 for k, pixels in enumerate(volume.array) if float(np.ptp(pixels)) == 0]
    if blank:
        notes.append(("blank-slices", f"{len(blank)} slice(s) hold no image (number {', '.join(map(str, blank))})."))
    files = len({frame.path for frame in stack.frames})
    identity = next((frame.patient[0] for frame in stack.frames if frame.patient[0]), None)
    return LoadedStudy(volume, _facts("dicom", files, volume, identity), stack.frames, stack.reason, tuple(notes))


def _facts(kind: str, files: int, volume: Volume, identity: str | None) -> InputFacts:
    return InputFacts(
        kind, files, volume.image_type, len(volume.array), volume.spacing_mm, volume_hash(volume), identity
    )


def volume_hash(volume: Volume) -> str:
    """SHA-256 of shape, geometry (0.1 um) and pixels; the same on every machine, whatever the files were called."""
    digest = hashlib.sha256(np.array(volume.array.shape, "<i8").tobytes())
    digest.update((np.round(volume.affine, GEOMETRY_DECIMALS) + 0.0).astype("<f8").tobytes())
    digest.update(np.ascontiguousarray(volume.array, "<f4").tobytes())
    return digest.hexdigest()


def _checked(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if not np.isfinite(array).all():
        raise InputRefused("nan-values", "The image holds values that are no finite number.")
    if float(array.min()) == float(array.max()):
        raise InputRefused("constant-image", "Every pixel of the image has the same value.")
    return array


# --- NRRD, NIfTI, MHA ------------------------------------------------------------------------------------------------


def _suffix(path: Path) -> str | None:
    name = path.name.casefold()
    return next((suffix for suffix in (*NIFTI, *IMAGE_IO) if name.endswith(suffix)), None)


def _load_volume(path: Path) -> LoadedStudy:
    array, affine = _read_volume(path)
    volume = Volume(_checked(array), affine)
    reason = "a volume file is read as it is, with its own geometry"
    return LoadedStudy(volume, _facts("volume", 1, volume, None), None, reason, ())


def _read_volume(path: Path) -> tuple[npt.NDArray[np.float32], FloatArray]:
    """(slice, row, column) values and affine to LPS mm."""
    if _suffix(path) in NIFTI:
        header = read_nifti_header(path)
        _check_size(header.size, 1)
        affine = _checked_affine(header.affine[:, [2, 1, 0, 3]], header.spacing)
        array = read_nifti_values(path, header)
    else:
        array, affine = _read_image(path)
    return slices_first(array, affine)


def _read_image(path: Path) -> tuple[npt.NDArray[np.float32], FloatArray]:
    """NRRD and MetaImage, by SimpleITK."""
    sitk: Any = import_module("SimpleITK")  # when used: it takes a third of a second
    _check_name(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(IMAGE_IO[_suffix(path) or ""])
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(str(error)) from error
    shape = _check_size(reader.GetSize(), reader.GetNumberOfComponents())
    n = min(reader.GetDimension(), 3)
    axes, spacing, origin = np.eye(3), np.ones(3), np.zeros(3)
    axes[:n, :n] = np.array(reader.GetDirection()).reshape((reader.GetDimension(),) * 2)[:n, :n]
    spacing[:n], origin[:n] = reader.GetSpacing()[:n], reader.GetOrigin()[:n]
    if not np.allclose(axes, np.eye(3)):
        _check_space(reader)
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = (axes * spacing)[:, ::-1], origin
    affine = _checked_affine(affine, spacing)
    voxel = sitk.GetArrayViewFromImage(sitk.Image([1, 1], reader.GetPixelID()))
    _check_compressed(path, math.prod(shape) * voxel.itemsize)
    try:
        values = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise InputRefused("pixels-truncated", TOO_SHORT) from error
    with np.errstate(over="ignore"):
        return values.reshape(shape).astype(np.float32), affine


def _check_space(reader: Any) -> None:
    """Directions of an NRRD file without a space of the body's own, as "3D-right-handed", would be taken for LPS."""
    named = reader.HasMetaDataKey("NRRD_space")
    of_body = named and reader.GetMetaData("NRRD_space").startswith("left-posterior-superior")  # as turned by ITK
    own = not named and reader.GetDimension() > 3  # ITK itself names the space of no file of four dimensions
    if reader.GetImageIO() == "NrrdImageIO" and not (of_body or own):
        raise InputRefused(
            "no-orientation",
            "The file's directions are told in no space of the body.",
            "Write the file with its space, such as left-posterior-superior.",
        )


def _check_name(path: Path) -> None:
    """SimpleITK ends the whole process at a name that is no text."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputRefused(
            "unreadable-pixels", "The file's path is no UTF-8 text.", "Rename the file, or the folder that it lies in."
        ) from error


def _check_compressed(path: Path, needed: int) -> None:
    """Inflate compressed image data to their checksum: SimpleITK passes over damage and fills up what is missing."""
    try:
        place = data_place(path)
        if not place.compressed:
            return
        if len(place.files) != 1:
            raise InputRefused("unreadable-pixels", "The image data are compressed in several files.")
        with place.files[0].open("rb") as file:
            file.seek(place.first)
            found = sum(map(len, inflate(file, needed + MOST_BESIDE, place.length)))
    except OSError as error:
        raise InputRefused("pixels-truncated", TOO_SHORT) from error
    if found < needed:
        raise InputRefused("pixels-truncated", TOO_SHORT)


def _unreadable(message: str) -> InputRefused:
    if "orthonormal" in message.casefold():
        return InputRefused("bad-orientation", "The file's axes are not orthogonal.")
    return InputRefused("damaged-file", "The file is damaged or not of the format that its name says.")


def _check_size(size: tuple[int, ...], components: int) -> tuple[int, int, int]:
    """Slices, rows, columns of a single grey image, before anything is allocated."""
    if components != 1:
        raise InputRefused("four-dimensional", f"The file holds {components} values at each voxel.")
    if any(n != 1 for n in size[3:]):
        raise InputRefused(
            "four-dimensional", f"The file holds {' x '.join(map(str, size))} voxels in {len(size)} dimensions."
        )
    columns, rows, slices = (*size[:3], 1, 1)[:3]
    if min(columns, rows) < 2 or slices < 1 or float(columns) * rows * slices > MAX_SAMPLES:
        raise InputRefused("absurd-size", f"The header promises {columns} x {rows} x {slices} voxels.")
    return slices, rows, columns


def _checked_affine(affine: FloatArray, spacing: FloatArray) -> FloatArray:
    """The affine of (slice, row, column); raises InputRefused(bad-pixel-spacing, no-position, bad-orientation)."""
    if not plausible_mm(spacing):
        raise InputRefused("bad-pixel-spacing", "A voxel spacing is zero or no number.")
    if not np.isfinite(affine[:3, 3]).all():
        raise InputRefused("no-position", "The origin is no number.")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not plausible_mm(lengths) or abs(np.linalg.det(affine[:3, :3] / lengths)) < MIN_DETERMINANT:
        raise InputRefused("bad-orientation", "The file's axes are no number, or lie in one plane.")
    return affine + 0.0  # no negative zeros


def slices_first(array: npt.NDArray[np.float32], affine: FloatArray) -> tuple[npt.NDArray[np.float32], FloatArray]:
    """Turn the array so that its first axis runs across the slices."""
    across = _slice_axis(array.shape, affine)
    if across:
        order = [across, *(axis for axis in range(3) if axis != across)]
        array, affine = array.transpose(order), affine[:, [*order, 3]]
    rows, columns = affine[:3, 1], affine[:3, 2]
    if abs(float(rows @ columns)) > ORTHOGONAL * float(np.linalg.norm(rows) * np.linalg.norm(columns)):
        raise InputRefused("bad-orientation", "The file's rows and columns are not orthogonal.")
    return np.ascontiguousarray(array), affine


def _slice_axis(shape: tuple[int, ...], affine: FloatArray) -> int:
    """The thick axis where there is one; of others, the one along a heart's usual long axis where one clearly is; else 0."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    thick = int(np.argmax(spacing))
    if spacing[thick] > THICK * np.delete(spacing, thick).max():
        return thick if shape[thick] < max(np.delete(shape, thick)) else 0
    axes = affine[:3, :3] / spacing
    axial = np.abs(axes).max(0).min() > np.cos(np.radians(NEARLY_AXIAL_DEG))  # or coronal, or sagittal
    if min(shape) < FEW or axial:
        return 0
    along = np.abs(BASE_TO_APEX @ axes) / np.linalg.norm(BASE_TO_APEX)
    return int(np.argmax(along)) if along.max() > np.cos(np.radians(NEAR_HEART_DEG)) else 0


def written_affine(path: Path) -> FloatArray:
    """The affine that :func:`write_nrrd` wrote, to the last digit: :func:`volume_hash` may hang on it.

    Other readers take directions and spacing apart. Raises OSError or ValueError for other files.
    """
    header = path.read_bytes().partition(b"\n\n")[0].decode("ascii")
    fields = dict(line.split(": ", 1) for line in header.splitlines()[1:])
    words = f"{fields.get('space directions')} {fields.get('space origin')}".replace(")", " ").replace("(", " ").split()
    affine = np.eye(4)
    affine[:3, [2, 1, 0, 3]] = np.array([[float(v) for v in word.split(",")] for word in words]).T
    return affine


def write_nrrd(volume: Volume, path: Path) -> None:
    """Gzip-compressed NRRD in LPS; the same volume gives the same bytes."""
    columns = ["({})".format(",".join(repr(float(v) + 0.0) for v in volume.affine[:3, axis])) for axis in (2, 1, 0, 3)]
    header = [
        "NRRD0004",
        "type: float",
        "dimension: 3",
        "space: left-posterior-superior",
        "sizes: {} {} {}".format(*volume.array.shape[::-1]),
        f"space directions: {' '.join(columns[:3])}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {columns[3]}",
    ]
    pixels = np.ascontiguousarray(volume.array, "<f4").tobytes()
    path.write_bytes(("\n".join(header) + "\n\n").encode("ascii") + gzip.compress(pixels, compresslevel=6, mtime=0))
