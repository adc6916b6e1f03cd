"""A prepared study is what detection sees, survives the disk, and can be turned back to how it was acquired."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from dicom_cases import another, sound_series, sound_volume, write
from LGETextDetectLib.bundle import file_sha256
from LGETextDetectLib.manual_landmarks import maps_around
from LGETextDetectLib.model import Engine
from LGETextDetectLib.normalised import PIXEL_MM, SIZE, in_usual_slices, normalise
from LGETextDetectLib.studies_below import Study, find_studies
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import write_nrrd
from LGETextTrainLib import prepared_study
from LGETextTrainLib.diagnostic import draw_clinical
from LGETextTrainLib.prepared_study import (
    Prepared,
    Reading,
    as_acquired,
    frame_folder,
    load_prepared,
    prepare,
    prepare_all,
    save_prepared,
)
from LGETextTrainLib.virtual_study import render_study
from scipy import ndimage


def blank(patches: np.ndarray) -> np.ndarray:
    """A heart network that sees nothing: only the landmarks count here."""
    return np.zeros((len(patches), 4, 160, 160), np.float32)


@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_back_a_frame_is_the_image_as_acquired(mirrored: bool) -> None:
    study = render_study(draw_clinical(np.random.default_rng(3)))
    volume = study.volume
    if mirrored:
        affine = volume.affine.copy()
        affine[:3, 3] = volume.to_lps((0, 0, volume.array.shape[2] - 1))
        affine[:3, 2] *= -1
        volume = replace(volume, array=np.ascontiguousarray(volume.array[:, :, ::-1]), affine=affine)
    stack = normalise(volume, study.landmarks, maps_around(volume, study.landmarks, blank))
    middle = len(stack.image) // 2
    index = int(stack.index[middle])
    centre = volume.to_index(np.array(study.landmarks.slices[index].lv_centre))[1:]
    row, column = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    places = [row * PIXEL_MM / volume.spacing_mm[0] + centre[0], column * PIXEL_MM / volume.spacing_mm[1] + centre[1]]
    acquired = ndimage.map_coordinates(volume.array[index], places, order=1, mode="nearest")
    inside = np.hypot(row, column) < 35
    shown = as_acquired(stack.image, stack)[middle]
    assert np.corrcoef(acquired[inside], shown[inside])[0, 1] > 0.97


def test_a_study_survives_the_disk(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    study = Prepared(*(rng.random(shape).astype(np.float32) for shape in ((2, 96, 96), (2, 3, 96, 96), (2,), (2,))))
    save_prepared(study, tmp_path / ("a" * 24 + ".npz"))
    again = load_prepared(tmp_path, "a" * 64)
    assert np.allclose(again.image, study.image, atol=1e-3) and np.array_equal(again.position, study.position)
    assert again.stack().maps.shape == (2, 3, 96, 96)


def test_a_study_from_the_disk_is_answered_slice_by_slice() -> None:
    study = Prepared(*(np.zeros(shape, np.float32) for shape in ((9, 96, 96), (9, 3, 96, 96), (9,), (9,))))
    usual, place = in_usual_slices(study.stack())
    assert len(usual.image) == 9 and place.tolist() == list(range(9))


def test_thin_slices_are_learnt_as_they_are_answered(bundled_model: Path, tmp_path: Path) -> None:
    source = render_study(draw_clinical(np.random.default_rng(3))).volume
    affine = source.affine.copy()
    affine[:3, 3] = source.to_lps([-0.4, 0, 0])
    affine[:3, 0] /= 5
    thin = Volume(np.repeat(source.array, 5, 0), affine)
    write_nrrd(source, tmp_path / "usual.nrrd")
    write_nrrd(thin, tmp_path / "thin.nrrd")
    segment = Engine(bundled_model, "onnx").segment
    usual, thin_study = (prepare(tmp_path / f"{name}.nrrd", segment)[0] for name in ("usual", "thin"))
    assert abs(len(thin_study.image) - len(usual.image)) <= 2
    assert len(thin_study.maps) == len(thin_study.position) == len(thin_study.certainty) == len(thin_study.image)
    assert thin_study.certainty.mean() == pytest.approx(usual.certainty.mean(), abs=0.1)


def test_what_cannot_be_read_is_told_and_remembered(untrained_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.nrrd").write_bytes(b"NRRD0004\n")
    studies = [Study("empty", "empty.nrrd", tmp_path / "empty.nrrd")]
    (first,) = prepare_all(studies, untrained_bundle, tmp_path / "out")
    assert first.code and first.cause and not first.sha256
    told: list[int] = []
    assert prepare_all(studies, untrained_bundle, tmp_path / "out", report=told.append) == [first]
    assert told == [1], "it was read again"


def test_studies_of_one_folder_are_prepared_each_alone(untrained_bundle: Path, tmp_path: Path) -> None:
    first, second = sound_series(), another(sound_series(sound_volume(1)), 9, StudyInstanceUID="2.25.31")
    paths = write(tmp_path / "in", [dataset for pair in zip(first, second, strict=True) for dataset in pair])
    studies = find_studies(tmp_path / "in")
    readings = prepare_all(studies, untrained_bundle, tmp_path / "out")
    assert len(studies) == 2 and "several-studies" not in {reading.code for reading in readings}
    os.utime(paths[1], (1, 1))
    told: list[int] = []
    assert prepare_all(studies, untrained_bundle, tmp_path / "out", report=told.append) == readings
    assert told == [1, 2], "only the changed one was read again"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Studies are prepared without looking at an image: noise about 1 in an upright one, about 2 in one as acquired."""
    read: list[bool] = []

    def prepare(source: object, segment: object, upright: bool) -> tuple[Prepared, str, str]:
        read.append(upright)
        image = np.random.default_rng(0).normal(1 if upright else 2, 0.1, (2, 96, 96)).astype(np.float32)
        return Prepared(image, np.stack([image] * 3, 1), np.zeros(2), np.zeros(2)), "a" * 64, "psir"

    monkeypatch.setattr(prepared_study, "prepare", prepare)
    return read


def test_every_frame_gives_its_own_images_back(untrained_bundle: Path, tmp_path: Path, counted: list[bool]) -> None:
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\n")
    studies = [Study("a", "a.nrrd", tmp_path / "a.nrrd")]
    shown = []
    for upright in (True, False, True):
        (reading,) = prepare_all(studies, untrained_bundle, tmp_path / "out", normalise_orientation=upright)
        folder = frame_folder(tmp_path / "out", untrained_bundle, upright)
        shown.append(round(float(load_prepared(folder, reading.sha256).image.mean())))
    assert (shown, counted) == ([1, 2, 1], [True, False])


def test_another_heart_network_has_a_frame_of_its_own(untrained_bundle: Path, tmp_path: Path) -> None:
    """Its weights alone may differ: the graph holds none."""
    other = shutil.copytree(untrained_bundle, tmp_path / "other")
    weights = other / "heart.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\1\2\3\4")
    manifest = json.loads((other / "manifest.json").read_text("utf-8"))
    manifest["files"]["heart.safetensors"] = file_sha256(weights)
    (other / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert frame_folder(tmp_path, other, True) != frame_folder(tmp_path, untrained_bundle, True)


@pytest.mark.parametrize("damage", ["missing", "cut off", "empty", "a flipped bit"])
def test_a_prepared_file_that_cannot_be_read_is_made_again(
    untrained_bundle: Path, tmp_path: Path, counted: list[bool], damage: str
) -> None:
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\n")
    studies = [Study("a", "a.nrrd", tmp_path / "a.nrrd")]
    readings = prepare_all(studies, untrained_bundle, tmp_path / "out")
    folder = frame_folder(tmp_path / "out", untrained_bundle, True)
    (file,) = folder.glob("*.npz")
    content = file.read_bytes()
    half = len(content) // 2
    flipped = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
    file.unlink()
    if damage != "missing":
        file.write_bytes({"cut off": content[:half], "empty": b"", "a flipped bit": flipped}[damage])
    assert prepare_all(studies, untrained_bundle, tmp_path / "out") == readings
    assert len(counted) == 2 and load_prepared(folder, readings[0].sha256).image.shape == (2, 96, 96)


def make_dying(bundle: Path, folder: Path, upright: bool) -> Callable[[tuple[str, str]], Reading]:
    return partial(die_or_read, folder)


def die_or_read(folder: Path, task: tuple[str, str]) -> Reading:
    if "killer" in str(task[1]):
        os._exit(1)
    empty = np.zeros(0, np.float32)
    save_prepared(Prepared(empty, empty, empty, empty), folder / f"{'a' * 24}.npz")
    return Reading("a" * 64, 3, "psir")


def test_a_study_whose_worker_died_is_tried_again(
    untrained_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_study, "_Preparer", make_dying)
    studies = []
    for name in ("good", "killer"):
        (tmp_path / f"{name}.nrrd").write_bytes(b"NRRD0004\n")
        studies.append(Study(name, f"{name}.nrrd", tmp_path / f"{name}.nrrd"))
    good, lost = prepare_all(studies, untrained_bundle, tmp_path / "out", workers=2)
    assert good.sha256 and lost.code == "damaged-file" and "ended its process" in lost.cause
    told: list[int] = []
    assert prepare_all(studies, untrained_bundle, tmp_path / "out", workers=2, report=told.append) == [good, lost]
    assert told == [1, 2], "only the lost one was read again"


def test_an_index_that_remembers_dead_workers_forgets_them(tmp_path: Path) -> None:
    kept = {"a": Reading("a" * 64, 3, "psir"), "b": Reading(code="no-heart", cause="None found.")}
    prepared_study._write_index(tmp_path, {**kept, "c": prepared_study.LOST})
    assert prepared_study._read_index(tmp_path) == kept
