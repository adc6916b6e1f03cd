"""The normalised frame is decided in physical space: how a file stores the heart changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from LGETextDetectLib.landmarks import Landmarks, Maps, SliceLandmarks
from LGETextDetectLib.manual_landmarks import contradict_geometry, with_manual
from LGETextDetectLib.normalised import (
    PIXEL_MM,
    SIZE,
    evidence_on_grid,
    in_usual_slices,
    normalise,
    scale_intensity,
)
from LGETextDetectLib.orientation import geometry_known, plane_axes, seen_from_apex
from LGETextDetectLib.patches import cut_patches, image_centres, patch_grids
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from LGETextTrainLib.patient import draw
from LGETextTrainLib.virtual_study import VirtualStudy, render_study

HEART = ((0,), (1,), (2, 3, 4), (5,))


def true_maps(volume: Volume, labels: np.ndarray, landmarks: Landmarks) -> Maps:
    """What a perfect network would say."""
    centres = volume.to_index([s.lv_centre for s in landmarks.slices])[:, 1:]
    parts = [cut_patches(volume.with_array(np.isin(labels, k).astype(np.float32)), centres) for k in HEART]
    return Maps(np.stack(parts, 1), patch_grids(volume, centres))


def stack_of(study: VirtualStudy):
    return normalise(study.volume, study.landmarks, true_maps(study.volume, study.labels, study.landmarks))


@pytest.fixture(scope="module")
def study() -> VirtualStudy:
    return render_study(draw(np.random.default_rng(21), scar_share=1.0))


def stored(study: VirtualStudy, transpose: bool, flip_rows: bool, flip_columns: bool, reverse: bool) -> VirtualStudy:
    """The same heart in another storage order: array and affine change together."""
    axes = (0, 2, 1) if transpose else (0, 1, 2)
    arrays = [study.volume.array.transpose(axes), study.labels.transpose(axes)]
    affine = study.volume.affine[:, [*axes, 3]].copy()
    for axis, flip in enumerate((reverse, flip_rows, flip_columns)):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (arrays[0].shape[axis] - 1)
            affine[:3, axis] *= -1
            arrays = [np.flip(a, axis) for a in arrays]
    count = len(arrays[0])
    marks = [study.landmarks.slices[count - 1 - k if reverse else k] for k in range(count)]
    slices = tuple(
        SliceLandmarks(k, m.lv_centre, m.rvip_anterior, m.rvip_inferior, m.confidence) for k, m in enumerate(marks)
    )
    volume = Volume(np.ascontiguousarray(arrays[0]), affine, study.volume.image_type)
    landmarks = Landmarks("manual", study.landmarks.apex, study.landmarks.base, slices)
    return VirtualStudy(volume, None, np.ascontiguousarray(arrays[1]), landmarks, study.finding, {}, {}, study.scarred)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("transpose", "rows", "columns"),
    [(True, False, False), (False, True, False), (False, True, True), (True, False, True)],
)
def test_storage_order_changes_nothing(
    study: VirtualStudy, transpose: bool, rows: bool, columns: bool, reverse: bool
) -> None:
    expected, found = stack_of(study), stack_of(stored(study, transpose, rows, columns, reverse))
    assert np.allclose(found.position, expected.position, atol=1e-5)
    assert np.abs(found.image - expected.image).max() < 0.02
    assert np.abs(found.maps - expected.maps).max() < 0.02


@pytest.mark.parametrize("plane", [(2, 1, 0), (1, 2, 0), (0, 2, 1)], ids=["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("columns", [False, True])
def test_storage_order_of_lost_geometry_changes_nothing(
    study: VirtualStudy, plane: tuple[int, ...], transpose: bool, rows: bool, columns: bool
) -> None:
    """A file that claims to be axial, coronal or sagittal: the networks get its usual view however it is stored."""
    usual = np.zeros((4, 4))
    usual[plane, (0, 1, 2)] = [9.0, *((1.4, 1.4) if plane[0] == 2 else (-1.4, 1.4))]  # feet are down
    usual[3, 3] = 1
    plain = replace(study, volume=replace(study.volume, affine=usual))
    other = stored(plain, transpose, rows, columns, False)
    assert not geometry_known(plain.volume) and seen_from_apex(plain.volume)
    assert seen_from_apex(other.volume) == (not (transpose ^ rows ^ columns))
    expected, found = (cut_patches(v, image_centres(v)) for v in (plain.volume, other.volume))
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_right_ventricle_left_and_base_first(study: VirtualStudy) -> None:
    stack = stack_of(study)
    _, columns = np.nonzero(stack.maps[len(stack.maps) // 3, 2] > 0.5)
    assert columns.mean() < SIZE / 2 - 10
    assert (np.diff(stack.position) > 0).all()


def test_insertion_points_lie_above_and_below_the_left(study: VirtualStudy) -> None:
    stack = stack_of(study)
    for index, grid in zip(stack.index, stack.grids, strict=True):
        mark = study.landmarks.slices[index]
        if mark.rvip_anterior is None:
            continue
        for point, above in ((mark.rvip_anterior, True), (mark.rvip_inferior, False)):
            row, column = np.linalg.pinv(grid[:3, 1:3]) @ (np.array(point) - grid[:3, 3])
            assert (row < (SIZE - 1) / 2) == above
            assert column < (SIZE - 1) / 2


def test_evidence_returns_to_its_place(study: VirtualStudy) -> None:
    stack = stack_of(study)
    muscle = stack.maps[:, 1]
    on_grid = evidence_on_grid(stack, muscle, study.volume)
    truth = np.isin(study.labels, (2, 3, 4))
    overlap = 2 * ((on_grid > 0.5) & truth).sum() / ((on_grid > 0.5).sum() + truth.sum())
    assert on_grid.shape == study.volume.array.shape
    assert overlap > 0.9


def test_scale_puts_muscle_at_zero_and_blood_at_one() -> None:
    cavity, muscle = np.zeros((40, 40)), np.zeros((40, 40))
    cavity[15:25, 15:25] = 1
    muscle[8:32, 8:32] = 1
    muscle -= cavity
    image = 100 + 400 * cavity
    scaled = scale_intensity(image, cavity, muscle)
    assert scaled[muscle > 0].mean() == pytest.approx(0, abs=1e-6)
    assert scaled[cavity > 0].mean() == pytest.approx(1, abs=1e-6)
    assert np.allclose(scale_intensity(image * 7 - 30, cavity, muscle), scaled, atol=1e-5)


def rings(count: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(S, 40, 40) image of blood 500 inside muscle 100, cavity and muscle."""
    away = np.hypot(*(np.mgrid[:40, :40] - 19.5))
    cavity, muscle = (np.repeat(m[None].astype(np.float32), count, 0) for m in (away < 8, (away >= 8) & (away < 14)))
    return 50 + 450 * cavity + 50 * muscle, cavity, muscle


def test_slices_scaled_by_the_scanner_one_by_one_look_alike() -> None:
    image, cavity, muscle = rings()
    gain, offset = np.array([1, 0.8, 1.4, 1, 1.1]), np.array([0, 90, -60, 0, 200])
    scaled = scale_intensity(image * gain[:, None, None] + offset[:, None, None], cavity, muscle)
    assert np.allclose(scaled[cavity > 0], 1)
    assert np.abs(scaled[muscle > 0]).max() < 0.15


def test_a_slice_full_of_scar_keeps_the_studys_scale() -> None:
    image, cavity, muscle = rings()
    image[2][muscle[2] > 0] = 600  # transmural all round, brighter than blood
    scaled = scale_intensity(image, cavity, muscle)
    assert scaled[2][muscle[2] > 0].min() > 1.1
    assert np.allclose(scaled[0][muscle[0] > 0], 0, atol=1e-5)


def test_frame_pixels_are_millimetres(study: VirtualStudy) -> None:
    for grid in stack_of(study).grids:
        assert np.linalg.norm(grid[:3, 1]) == pytest.approx(PIXEL_MM)
        assert np.linalg.norm(grid[:3, 2]) == pytest.approx(PIXEL_MM)


def only(landmarks: Landmarks, keep: set[int], points: tuple[str, ...]) -> Landmarks:
    """Landmarks of which a reader has set only some."""
    slices = tuple(
        SliceLandmarks(
            s.index,
            *(
                getattr(s, n) if s.index in keep and n in points else None
                for n in ("lv_centre", "rvip_anterior", "rvip_inferior")
            ),
            1.0,
        )
        for s in landmarks.slices
    )
    return Landmarks("manual", landmarks.apex, landmarks.base, slices)


def test_one_slice_set_by_hand_serves_the_study(study: VirtualStudy) -> None:
    keep = {k for k, s in enumerate(study.landmarks.slices) if s.rvip_anterior is not None}
    first, last = min(keep), max(keep)
    manual = only(study.landmarks, {first, last}, ("lv_centre", "rvip_anterior", "rvip_inferior"))
    merged = with_manual(None, manual, study.volume)
    assert merged.source == "manual"
    for true, found in zip(study.landmarks.slices[first : last + 1], merged.slices[first : last + 1], strict=True):
        assert np.linalg.norm(np.subtract(true.lv_centre, found.lv_centre)) < 1.0


def test_manual_points_override_automatic_ones(study: VirtualStudy) -> None:
    index = len(study.landmarks.slices) // 2
    by = 3.0 * plane_axes(study.volume)[0]
    moved = tuple(np.add(study.landmarks.slices[index].lv_centre, by).tolist())
    manual = only(study.landmarks, {index}, ())
    slices = [s if s.index != index else SliceLandmarks(index, moved, None, None, 1.0) for s in manual.slices]
    merged = with_manual(study.landmarks, Landmarks("manual", None, None, tuple(slices)), study.volume)
    assert merged.source == "mixed"
    assert merged.slices[index].lv_centre == pytest.approx(moved, abs=1e-3)


def test_an_insertion_point_on_the_centre_is_refused(study: VirtualStudy) -> None:
    slices = list(study.landmarks.slices)
    middle = len(slices) // 2
    slices[middle] = replace(slices[middle], rvip_inferior=slices[middle].lv_centre)
    by_hand = only(replace(study.landmarks, slices=tuple(slices)), {middle}, ("lv_centre", "rvip_inferior"))
    with pytest.raises(InputRefused) as refused:
        with_manual(study.landmarks, by_hand, study.volume)
    assert refused.value.code == "bad-landmarks" and f"slice {middle + 1} " in refused.value.cause


def test_points_that_a_network_found_are_not_called_bad_landmarks(study: VirtualStudy) -> None:
    found = replace(study.landmarks, source="auto", base=study.landmarks.apex)
    with pytest.raises(InputRefused) as refused:
        normalise(study.volume, found, true_maps(study.volume, study.labels, study.landmarks))
    assert refused.value.code == "no-heart"


def exchanged(landmarks: Landmarks) -> Landmarks:
    slices = tuple(replace(s, rvip_anterior=s.rvip_inferior, rvip_inferior=s.rvip_anterior) for s in landmarks.slices)
    return replace(landmarks, slices=slices)


def test_points_by_hand_that_contradict_the_geometry_are_noticed(study: VirtualStudy) -> None:
    by_hand = replace(study.landmarks, source="manual")
    assert not contradict_geometry(by_hand, study.volume)
    assert contradict_geometry(exchanged(by_hand), study.volume)
    assert contradict_geometry(replace(by_hand, apex=by_hand.base, base=by_hand.apex), study.volume)
    assert not contradict_geometry(replace(exchanged(by_hand), source="auto"), study.volume)


@pytest.mark.parametrize("mirrored", [False, True])
def test_exchanged_insertion_points_are_noticed_without_geometry(study: VirtualStudy, mirrored: bool) -> None:
    """The same heart in a file that says nothing of the body: points keep their pixels."""
    source = stored(study, False, not seen_from_apex(study.volume), False, False)
    lost = np.eye(4)[:, [2, 1, 0, 3]] @ np.diag([9.0, 1.4, 1.4, 1.0])
    plain = replace(source, volume=replace(source.volume, affine=lost))

    def moved(point):
        return None if point is None else tuple(plain.volume.to_lps(source.volume.to_index(point)))

    slices = tuple(
        replace(s, lv_centre=moved(s.lv_centre), rvip_anterior=moved(s.rvip_anterior), rvip_inferior=moved(s.rvip_inferior))
        for s in source.landmarks.slices
    )  # fmt: skip
    plain = replace(plain, landmarks=replace(source.landmarks, source="manual", slices=slices))
    plain = stored(plain, False, mirrored, False, False)
    assert not contradict_geometry(plain.landmarks, plain.volume)
    assert contradict_geometry(exchanged(plain.landmarks), plain.volume)


def test_no_insertion_point_is_refused(study: VirtualStudy) -> None:
    manual = only(study.landmarks, {3, 4}, ("lv_centre",))
    with pytest.raises(InputRefused) as refused:
        with_manual(None, manual, study.volume)
    assert refused.value.code == "bad-landmarks"


@pytest.mark.parametrize(("times", "averaged"), [(1, False), (2, True), (5, True), (8, True)])
def test_thin_slices_are_averaged_to_usual_ones(study: VirtualStudy, times: int, averaged: bool) -> None:
    stack = stack_of(study)
    apart = study.volume.spacing_mm[2] / times  # 7.2 mm in the study itself
    grids = np.repeat(stack.grids, times, 0)
    grids[:, :3, 0] /= times
    many = replace(
        stack, grids=grids, index=np.arange(times * len(stack.index)),
        **{name: np.repeat(getattr(stack, name), times, 0) for name in ("image", "maps", "position")},
    )  # fmt: skip
    usual, place = in_usual_slices(many)
    assert (len(usual.position) < len(many.position)) == averaged == (apart < 4)
    assert place.tolist() == sorted(place) and set(place) == set(range(len(usual.position)))
    lengths = {len(getattr(usual, name)) for name in ("image", "maps", "position", "index", "grids")}
    assert lengths == {len(usual.position)}
    if averaged:
        assert 0.7 * 8 < apart * len(many.position) / len(usual.position) < 1.3 * 8
        assert usual.image.mean() == pytest.approx(many.image.mean(), abs=0.02)
    else:
        assert usual is many
