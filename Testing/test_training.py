"""The whole training, tiny: it trains, exports, bundles and detects; and what is stopped goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from LGETextDetectLib import cli  # noqa: E402
from LGETextDetectLib.bundle import open_bundle  # noqa: E402
from LGETextDetectLib.events import Cancelled, Events  # noqa: E402
from LGETextDetectLib.finding import Finding, Lesion  # noqa: E402
from LGETextDetectLib.manual_landmarks import maps_around  # noqa: E402
from LGETextDetectLib.model import Engine  # noqa: E402
from LGETextDetectLib.normalised import normalise  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextTrainLib import losses  # noqa: E402
from LGETextTrainLib.cohort import load_cases, save_cases, seen_positions, virtual_cases  # noqa: E402
from LGETextTrainLib.network import heart_network, scar_network, start_from_heart  # noqa: E402
from LGETextTrainLib.patient import draw  # noqa: E402
from LGETextTrainLib.recipe import Recipe, read_recipe  # noqa: E402
from LGETextTrainLib.run_history import summary_of  # noqa: E402
from LGETextTrainLib.train import cine_fingerprint, export_training, recipe_digest, run_training  # noqa: E402
from LGETextTrainLib.train_language import report_sentence  # noqa: E402
from LGETextTrainLib.virtual_study import render_study  # noqa: E402

TINY = read_recipe(Path(__file__).parents[1] / "recipes" / "tiny.toml")


class Stages(Events):
    """Remembers how far every stage came."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, int]] = {}

    def progress(self, stage: str, done: int, total: int) -> None:
        self.last[stage] = (done, total)


class CancelledAt(Events):
    """Ends the training at a stage, as Ctrl-C and SIGTERM do."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage == self.stage:
            raise Cancelled


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Stages]:
    """A run folder, its bundle and its stages; the recipe of the tests."""
    out, stages = tmp_path_factory.mktemp("run"), Stages()
    return out, run_training(TINY, out, stages), stages


def test_every_stage_ran_to_its_end(run: tuple[Path, Path, Stages]) -> None:
    _, _, stages = run
    assert set(stages.last) == {"heart", "scar", "refined", "language", "calibration", "test"}
    assert all(done == total or total - done < 50 for done, total in stages.last.values())


def test_losses_fall(run: tuple[Path, Path, Stages]) -> None:
    lines = [json.loads(line) for line in (run[0] / "log.jsonl").read_text("utf-8").splitlines()]
    for stage in ("heart", "scar"):
        values = [line["loss"] for line in lines if line["stage"] == stage and "loss" in line]
        assert values[-1] < values[0]


def test_bundle_is_whole_and_answers(run: tuple[Path, Path, Stages]) -> None:
    bundle = open_bundle(run[1])
    assert bundle.name == "lge-tiny"
    assert {"heart.onnx", "scar.onnx", "language.onnx", "metrics.json", "MODEL_CARD.md"} <= set(
        bundle.manifest["files"]
    )
    engine = Engine(run[1], "onnx")
    study = render_study(draw(np.random.default_rng(5), 1.0))
    maps = maps_around(study.volume, study.landmarks, engine.segment)
    prediction = engine.predict(normalise(study.volume, study.landmarks, maps))
    assert 0 <= prediction.probability <= 1
    assert prediction.segment_probability.shape == (17,)


def test_card_tells_the_figures_of_metrics(run: tuple[Path, Path, Stages]) -> None:
    metrics = json.loads((run[1] / "metrics.json").read_text("utf-8"))
    card = (run[1] / "MODEL_CARD.md").read_text("utf-8")
    for name, value in metrics.items():
        assert f"| {name} | {json.dumps(value)} |" in card
    assert "not for diagnosis" in card


def test_finished_run_is_taken_as_it_ended(run: tuple[Path, Path, Stages]) -> None:
    written = [run[0] / "heart.pt", run[1] / "manifest.json"]
    before = [path.stat().st_mtime_ns for path in written]
    stages = Stages()
    assert run_training(replace(TINY, workers=3), run[0], stages) == run[1]
    assert [path.stat().st_mtime_ns for path in written] == before and not stages.last


def test_a_run_cut_off_before_its_bundle_is_calibrated_has_none(run: tuple[Path, Path, Stages], tmp_path: Path) -> None:
    out = shutil.copytree(run[0], tmp_path / "run", ignore=shutil.ignore_patterns("bundle"))
    with pytest.raises(Cancelled):
        run_training(TINY, out, CancelledAt("calibration"))
    assert summary_of(out).bundle is None and not list((out / "bundle").iterdir())
    stages = Stages()
    assert open_bundle(export_training(TINY, out, stages)).sha256 == open_bundle(run[1]).sha256
    assert summary_of(out).bundle == out / "bundle" / "lge-tiny" and set(stages.last) == {"calibration", "test"}
    with pytest.raises(Cancelled):
        export_training(TINY, out, CancelledAt("calibration"))
    assert open_bundle(out / "bundle" / "lge-tiny").sha256 == open_bundle(run[1]).sha256


def test_export_refuses_an_unfinished_run_and_trains_nothing(
    run: tuple[Path, Path, Stages], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, recipe = tmp_path / "run", Path(__file__).parents[1] / "recipes" / "tiny.toml"
    assert cli.main(["export", str(recipe), "--out", str(out)]) == 3
    assert "[run-unfinished]" in capsys.readouterr().err and not out.exists()
    shutil.copytree(run[0], out, ignore=shutil.ignore_patterns("bundle"))
    saved = torch.load(out / "language.pt", weights_only=True)
    torch.save({**saved, "facts": json.dumps(json.loads(saved["facts"]) | {"done": False})}, out / "language.pt")
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert cli.main(["export", str(recipe), "--out", str(out)]) == 3
    assert "'language' has not ended" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


@pytest.mark.parametrize(
    "changed",
    [
        replace(TINY, seed=8), replace(TINY, version="0.0.2"), replace(TINY, heart=replace(TINY.heart, steps=9000)),
        replace(TINY, language=replace(TINY.language, peak=0.1)), replace(TINY, cine=replace(TINY.cine, share=0.1)),
    ],
)  # fmt: skip
def test_a_run_goes_on_only_with_its_own_recipe(run: tuple[Path, Path, Stages], changed: Recipe) -> None:
    before = open_bundle(run[1]).sha256
    with pytest.raises(InputRefused) as refused:
        run_training(changed, run[0], Events())
    assert refused.value.code == "recipe-changed"
    assert open_bundle(run[1]).sha256 == before


def test_checkpoints_of_an_unknown_recipe_are_not_taken_over(run: tuple[Path, Path, Stages], tmp_path: Path) -> None:
    shutil.copy(run[0] / "heart.pt", tmp_path / "heart.pt")
    with pytest.raises(InputRefused) as refused:
        run_training(TINY, tmp_path, Events())
    assert refused.value.code == "recipe-changed"


def test_other_cine_is_other_data(tmp_path: Path) -> None:
    recipe = replace(TINY, cine=replace(TINY.cine, folder=str(tmp_path / "cine")))
    with pytest.raises(InputRefused, match="endo_805"):
        run_training(recipe, tmp_path / "run", Events())
    (tmp_path / "cine").mkdir()
    prints = []
    for content in (b"one", b"two"):
        (tmp_path / "cine" / "endo_805.npz").write_bytes(content)
        prints.append(cine_fingerprint(recipe))
    assert len({*prints, cine_fingerprint(TINY)}) == 3
    assert recipe_digest(recipe) == recipe_digest(TINY), "where the cine lies is no part of the recipe"


def test_cases_survive_the_disk(tmp_path: Path) -> None:
    cases = virtual_cases(2, 9, heart_network().state_dict(), scar_network().state_dict())
    save_cases(cases, tmp_path / "cases.npz")
    for saved, case in zip(load_cases(tmp_path / "cases.npz"), cases, strict=True):
        assert saved.finding == case.finding
        assert np.array_equal(saved.values, case.values)
        assert np.array_equal(saved.scarred, case.scarred)


def test_scar_network_starts_from_the_heart_network() -> None:
    heart, scar = heart_network(), scar_network()
    copied = start_from_heart(scar, heart.state_dict())
    assert copied > 40
    inner = "down.2.0.conv.weight"
    assert torch.equal(scar.state_dict()[inner], heart.state_dict()[inner])


def test_small_lesions_weigh_more() -> None:
    scar = torch.zeros(2, 40, 40)
    scar[0, :4, :5], scar[1, :30, :30] = 1, 1
    small, large = losses.small_lesion_weight(scar).flatten().tolist()
    assert small > 2 * large


def test_a_false_fleck_in_a_scar_free_slice_costs_and_a_scar_too_small_to_report_teaches_nothing() -> None:
    scar, seen = torch.zeros(2, 32, 32), torch.zeros(2, 32, 32)
    seen[:, 4:10, 4:10] = 0.9
    fleck = losses.slice_loss(seen, scar)
    assert fleck > 1.5 and losses.slice_loss(torch.zeros_like(seen), scar) < 0.01
    scar[:, 4:10, 4:10] = 1
    assert losses.slice_loss(seen, scar) < 0.2 < 1.5 < losses.slice_loss(torch.zeros_like(seen), scar)
    scar[:] = 0
    scar[:, 4:6, 4:6] = 1  # four pixels
    assert losses.slice_loss(seen, scar) == 0
    evidence = seen.clone().requires_grad_()
    losses.slice_loss(evidence, torch.zeros_like(scar)).backward()
    assert (
        evidence.grad is not None and evidence.grad[:, 5:9, 5:9].amin() > 0 and evidence.grad[:, 20:].abs().max() == 0
    )


def test_report_contrast_is_least_for_the_right_pairs() -> None:
    same = torch.eye(3)
    right, wrong = torch.eye(3) * 9, torch.roll(torch.eye(3), 1, 0) * 9
    assert losses.report_contrast(right, same) < 0.01 < losses.report_contrast(wrong, same)
    # Two studies with the same report are no negatives of each other.
    assert losses.report_contrast(torch.zeros(2, 2), torch.ones(2, 2)) < 1e-6


def test_seen_positions_lie_about_the_ventricle() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        position = seen_positions(rng, 9)
        assert (np.diff(position) > 0).all()
        assert ((position >= 0) & (position <= 1)).sum() >= 7


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (Finding("absent"), "there is no late enhancement in anywhere"),
        (
            Finding("present", (Lesion((4, 10, 15), "transmural", 4),), "ischaemic"),
            "there is ischaemic transmural late enhancement in inferior wall",
        ),
    ],
)
def test_report_sentence(finding: Finding, sentence: str) -> None:
    assert report_sentence(finding) == sentence
