"""Real hearts of contoured cine: read, wall found, scars painted in, shown to both networks. The cine here is rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training environment has torch")

from LGETextDetectLib.model import Engine  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextTrainLib import cine_samples, phantom, samples  # noqa: E402
from LGETextTrainLib.cine_border import endocardium, epicardium  # noqa: E402
from LGETextTrainLib.cine_hearts import FILE, CineHeart, cine_hearts, load_hearts, read_cine, save_hearts  # noqa: E402
from LGETextTrainLib.cohort import virtual_cases  # noqa: E402
from LGETextTrainLib.diagnostic import draw_clinical  # noqa: E402
from LGETextTrainLib.export import read_networks  # noqa: E402
from LGETextTrainLib.phantom import LABELS  # noqa: E402
from LGETextTrainLib.recipe import ImageStage, read_recipe  # noqa: E402
from LGETextTrainLib.samples import EarlierNetworks  # noqa: E402
from LGETextTrainLib.train import real_hearts  # noqa: E402
from LGETextTrainLib.train_images import refine_scar  # noqa: E402

PATIENTS = 4
ED_FRAME = 20


@pytest.fixture(scope="module")
def rendered() -> list[phantom.Rendered]:
    """Scar-free virtual hearts as displayed: RV left, anterior up, 256 x 256 at 1.25 mm, base to apex."""
    pose = phantom.Pose(256, 256, 1.25, 1.25)
    return [phantom.render(draw_clinical(np.random.default_rng((31, k)), 0.0), pose) for k in range(PATIENTS)]


@pytest.fixture(scope="module")
def folder(rendered: list[phantom.Rendered], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as contoured cine on disk; the first patient lacks its third slice's contour."""
    image, endo, patient, frame = [], [], [], []
    for number, heart in enumerate(rendered):
        signal, labels = heart.image.numpy(), heart.labels.numpy()
        low, high = np.percentile(signal, (0.5, 99.5))
        for k in np.flatnonzero((labels == LABELS["cavity"]).sum((1, 2)) > 40):
            if number == 0 and k == 2:
                continue
            image.append((255 * np.clip((signal[k] - low) / (high - low), 0, 1)).astype(np.uint8))
            endo.append((labels[k] == LABELS["cavity"]).astype(np.uint8))
            patient.append(f"P{number}")
            frame.append(ED_FRAME * (k + 1))
    out = tmp_path_factory.mktemp("cine")
    np.savez(out / FILE, image=image, endo=endo, patient=patient, frame=frame)
    return out


@pytest.fixture(scope="module")
def hearts(folder: Path) -> list[CineHeart]:
    found = cine_hearts(folder, Engine(backend="onnx").segment)
    assert len(found) >= 2
    return found


@pytest.fixture(scope="module")
def kept(hearts: list[CineHeart], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "cine.npz"
    save_hearts(hearts, path)
    return path


def test_a_stack_is_the_longest_run_of_neighbouring_slices(folder: Path) -> None:
    stacks = {stack.patient: stack for stack in read_cine(folder)}
    with np.load(folder / FILE) as data:
        first = data["frame"][data["patient"] == "P0"]
    assert len(stacks["P0"].image) == max(2, len(first) - 2)
    assert all(len(stack.image) == len(stack.cavity) for stack in stacks.values())


@pytest.mark.parametrize("content", [None, {"image": np.zeros((2, 4, 4))}])
def test_a_folder_without_the_cine_is_refused_by_name(tmp_path: Path, content: dict[str, np.ndarray] | None) -> None:
    if content is not None:
        np.savez(tmp_path / FILE, **content)
    with pytest.raises(InputRefused, match=FILE) as refused:
        list(read_cine(tmp_path))
    assert refused.value.code == "bad-recipe"


def test_the_border_goes_to_the_edge_and_not_to_what_the_network_drew() -> None:
    rows, columns = np.indices((128, 128))
    radius = np.hypot(rows - 63.0, columns - 64.0)
    image = np.where(radius < 20, 1.0, np.where(radius < 28, 0.0, 0.9)).astype(np.float32)
    lv = epicardium(image, radius < 20, radius < 32)
    assert np.sqrt(lv.sum() / np.pi) == pytest.approx(28, abs=0.8)


def test_wall_and_place_of_the_hearts_are_those_that_were_rendered(
    hearts: list[CineHeart], folder: Path, rendered: list[phantom.Rendered]
) -> None:
    for heart in hearts:
        assert np.all(np.diff(heart.position) > 0)
        _, labels = heart.normalised()
        cavity, rv = labels == LABELS["cavity"], labels == LABELS["rv"]
        middle = len(labels) // 2
        assert np.abs(np.argwhere(cavity[middle]).mean(0) - 47.5).max() < 6
        if rv.sum() > 100:
            assert np.argwhere(rv)[:, 2].mean() < 44  # seen from the apex, septum left
    assert any((heart.labels == LABELS["rv"]).sum() > 100 for heart in hearts)
    heart = max(hearts, key=lambda h: len(h.position))
    dice = [_wall_dice(heart, true.labels.numpy()) for true in rendered]
    assert max(dice) > 0.75


def _wall_dice(heart: CineHeart, true: np.ndarray) -> float:
    """Best overlap of a heart's walls with consecutive slices of a rendered one."""
    found, wall = heart.labels == LABELS["myocardium"], true == LABELS["myocardium"]
    starts = range(max(len(true) - len(found), 0) + 1)
    pairs = [(found[: len(wall[k : k + len(found)])], wall[k : k + len(found)]) for k in starts]
    return max(float(2 * (a & b).sum() / (a.sum() + b.sum())) for a, b in pairs)


def test_hearts_are_kept_without_loss_that_matters(hearts: list[CineHeart], kept: Path) -> None:
    for before, after in zip(hearts, load_hearts(kept), strict=True):
        np.testing.assert_array_equal(before.labels, after.labels)
        np.testing.assert_allclose(before.image, after.image, atol=5e-3)
        np.testing.assert_allclose(before.to_image, after.to_image)


def test_what_is_painted_lies_in_the_wall_and_is_brighter(hearts: list[CineHeart]) -> None:
    plain, before = hearts[0].normalised()
    for seed in range(20):
        painted = cine_samples.paint(np.random.default_rng(seed), hearts[0])
        if painted.scarred.any():
            break
    scar = painted.labels == LABELS["scar"]
    assert scar.any() and np.all(before[scar] == LABELS["myocardium"])
    assert (painted.signal - plain)[scar].mean() > 0.3
    assert painted.finding.lge == "present"


def test_trabeculae_belong_to_the_cavity_only_in_part() -> None:
    rows, columns = np.indices((128, 128))
    radius, angle = np.hypot(rows - 63.0, columns - 64.0), np.arctan2(63.0 - rows, columns - 64.0)
    blood = np.where(np.cos(angle) > 0, 20, 24)  # trabeculae of 4 pixels on one side
    cavity = endocardium((radius < blood).astype(np.float32), radius < 24)
    row = cavity[63]
    assert np.flatnonzero(row).min() == pytest.approx(64 - 24, abs=1)
    assert np.flatnonzero(row).max() == pytest.approx(64 + 24 - 0.35 * 4, abs=1)


def test_samples_are_those_of_the_virtual_ones_in_kind_and_the_same_every_time(kept: Path) -> None:
    heart, scar, _ = read_networks(Engine(backend="onnx").bundle.folder)
    make = cine_samples.CineScarSamples(kept, EarlierNetworks(heart, scar))
    first, again = (make(np.random.default_rng(5)) for _ in range(2))
    assert first["image"].shape[1:] == (18, 96, 96) and first["image"].dtype == np.float16
    assert {*np.unique(first["labels"])} <= set(LABELS.values())
    assert np.isfinite(first["image"]).all()
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])


def test_real_hearts_come_in_the_share_that_was_asked_for() -> None:
    mixed = cine_samples.Mixed(lambda rng: {"real": np.zeros(1)}, lambda rng: {"real": np.ones(1)}, 0.25)
    rng = np.random.default_rng(2)
    assert np.mean([mixed(rng)["real"][0] for _ in range(2000)]) == pytest.approx(0.25, abs=0.03)


def test_cases_of_real_hearts_have_what_was_painted_for_truth(hearts: list[CineHeart]) -> None:
    heart, scar, _ = read_networks(Engine(backend="onnx").bundle.folder)
    cases = virtual_cases(6, 3, heart, scar, hearts=hearts, cine_share=1.0)
    assert {case.finding.lge for case in cases} == {"absent", "present"}
    for case in cases:
        assert (case.finding.lge == "present") == bool(case.scarred.any())
        assert case.present.any() and np.isfinite(case.values.astype(float)).all()


def test_the_scar_network_is_refined_with_the_recipes_cine(folder: Path, tmp_path: Path) -> None:
    recipe_file = tmp_path / "recipe.toml"
    tiny = (Path(__file__).parent.parent / "recipes" / "tiny.toml").read_text("utf-8")
    recipe_file.write_text(tiny + f'\n[cine]\nfolder = "{folder.as_posix()}"\nshare = 0.9\n', "utf-8")
    recipe = read_recipe(recipe_file)
    heart, scar, _ = read_networks(Engine(backend="onnx").bundle.folder)
    cine = real_hearts(recipe, heart, tmp_path, lambda entry: None)
    assert cine is not None and len(load_hearts(cine)) >= 2
    after = refine_scar(
        heart, scar, ImageStage(2, 8), 1, tmp_path, lambda entry: None, 0, cine=cine, share=recipe.cine.share
    )
    assert any(not torch.equal(scar[name], after[name]) for name in scar)
    assert all(torch.isfinite(value).all() for value in after.values() if value.dtype.is_floating_point)


def test_without_cine_nothing_is_prepared(tmp_path: Path) -> None:
    recipe = read_recipe(Path(__file__).parent.parent / "recipes" / "tiny.toml")
    assert real_hearts(recipe, {}, tmp_path, lambda entry: None) is None
    assert not list(tmp_path.iterdir())


def test_the_look_of_late_enhancement_keeps_blood_brighter_than_muscle(hearts: list[CineHeart]) -> None:
    for seed in range(5):
        image = cine_samples.as_enhancement(np.random.default_rng(seed), hearts[0].image)
        blood, muscle = (np.median(image[hearts[0].labels == LABELS[name]]) for name in ("cavity", "myocardium"))
        assert blood - muscle > 0.5


def test_no_real_heart_is_counted_as_scarred_before_paint(kept: Path) -> None:
    assert not any(np.isin(h.labels, (LABELS["scar"], LABELS["no_reflow"])).any() for h in load_hearts(kept))
    assert 0 < cine_samples.PAINTED_SHARE < 1 and samples.SEEN_SHARE > 0
