"""A virtual patient is its parameters: replayed exactly, and its truth agrees with its pixels and its sentence."""

import numpy as np
import pytest
import torch
from LGETextTrainLib import phantom, truth
from LGETextTrainLib.patient import draw
from LGETextTrainLib.virtual_study import heart_axes, render_study


def patients(count: int, **options: float) -> list:
    return [draw(np.random.default_rng((11, number)), **options) for number in range(count)]


def test_same_patient_same_pixels() -> None:
    first, second = (render_study(draw(np.random.default_rng(3))) for _ in range(2))
    assert np.array_equal(first.volume.array, second.volume.array)
    assert np.array_equal(first.volume.affine, second.volume.affine)
    assert first.finding == second.finding


def test_scar_lies_in_the_wall_and_is_said() -> None:
    for patient in patients(12, scar_share=1.0):
        study = render_study(patient)
        scar = np.isin(study.labels, (3, 4))
        assert (study.finding.lge == "present") == bool(study.scarred.any())
        if study.finding.lge == "present":
            named = {n for lesion in study.finding.lesions for n in lesion.segments}
            assert named
            assert scar.any()


def test_scar_free_patients_are_scar_free() -> None:
    for patient in patients(6, scar_share=0.0):
        study = render_study(patient)
        assert study.finding.lge == "absent"
        assert not np.isin(study.labels, (3, 4)).any()


def test_landmarks_lie_on_the_labels() -> None:
    for patient in patients(8):
        study = render_study(patient)
        for mark, labels in zip(study.landmarks.slices, study.labels, strict=True):
            _, row, column = study.volume.to_index(mark.lv_centre)
            middle = np.argwhere(np.isin(labels, (1, 2, 3, 4))).mean(0)
            row_mm, column_mm, _ = study.volume.spacing_mm
            assert np.hypot((middle[0] - row) * row_mm, (middle[1] - column) * column_mm) < 12


def test_heart_axes_point_like_real_hearts() -> None:
    axes = heart_axes(np.random.default_rng(0))
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert axes[:, 2] @ np.array([0.53, -0.76, -0.33]) > 0.8
    assert -axes[:, 1] @ np.array([-0.1, -0.53, 0.83]) > 0.5  # anterior insertion point is anterior


def test_transmurality_of_a_full_wall_is_four() -> None:
    patient = patients(1)[0]
    rendered = phantom.render(patient, phantom.Pose(96, 96, 1.25, 1.25))
    labels = rendered.labels.numpy().copy()
    labels[np.isin(labels, (2, 3, 4))] = 3
    described = truth.describe_labels(patient.anatomy.s, "ischaemic", labels, rendered.angle.numpy(), 1.25**2)
    assert set(described.transmurality[described.share > 0]) == {4}
    assert described.share.max() == pytest.approx(1)


def test_blur_keeps_the_mean() -> None:
    image = torch.rand(2, 40, 40)
    assert phantom.blur(image, 1.0).mean().item() == pytest.approx(image.mean().item(), abs=0.01)
