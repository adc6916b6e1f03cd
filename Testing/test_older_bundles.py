"""A bundle whose text side reads fewer measures of a token still answers, and training goes on from it without a jump."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from conftest import write_untrained_bundle  # noqa: E402
from LGETextDetectLib.backends import load_onnx  # noqa: E402
from LGETextDetectLib.looks import OLDER_INPUTS, SCAR_INPUTS, network_image  # noqa: E402
from LGETextDetectLib.model import FIRST_WEIGHT, SCAR_STEM, Engine  # noqa: E402
from LGETextDetectLib.normalised import NormalisedStack  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextDetectLib.tokens import MEASURES, OWN_MEASURES  # noqa: E402
from LGETextDetectLib.views import VIEWS  # noqa: E402
from LGETextTrainLib import export, network  # noqa: E402
from LGETextTrainLib.export import export_networks, read_networks, write_manifest  # noqa: E402


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_bundle(tmp_path_factory.mktemp("older") / "lge-untrained", OWN_MEASURES)


@pytest.fixture(scope="module")
def stack() -> NormalisedStack:
    """A round ventricle in noise, on eight slices."""
    rng = np.random.default_rng(3)
    row, column = np.mgrid[:96, :96] - 47.5
    radius = np.hypot(row, column)
    image = (radius < 18) * 1.0 + rng.normal(0, 0.2, (8, 96, 96))
    maps = np.stack([radius < 18, (radius >= 18) & (radius < 28), row < -100])[None].repeat(8, 0)
    position = (np.arange(8) + 0.5) / 8
    grids = np.tile(np.diag([8.0, 1, 1, 1]), (8, 1, 1))
    return NormalisedStack(
        image.astype(np.float32), maps.astype(np.float32), position.astype(np.float32), np.arange(8), grids, 0.0, False, False
    )  # fmt: skip


def test_an_older_bundle_answers_and_its_text_side_goes_on_where_it_was(
    older: Path, stack: NormalisedStack, tmp_path: Path
) -> None:
    before = Engine(older, "onnx").predict(stack)
    heart, scar, language = read_networks(older)
    first = language.state_dict()[FIRST_WEIGHT]
    assert first.shape[1] == MEASURES and not first[:, OWN_MEASURES:].any() and first[:, :OWN_MEASURES].any()
    export_networks(heart, scar, language, tmp_path)
    bundle = Engine(older).bundle
    facts = {key: value for key, value in bundle.manifest.items() if key not in ("files", "networks", "input_frame")}
    write_manifest(tmp_path, bundle.tokenizer, facts)
    after = Engine(tmp_path, "onnx").predict(stack)
    assert after.probability == pytest.approx(before.probability, abs=1e-3)
    assert np.allclose(after.segment_probability, before.segment_probability, atol=1e-3)


@pytest.fixture()
def narrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle whose scar network is shown five channels, as up to 0.8.0."""
    with monkeypatch.context() as patched:
        inputs = len(OLDER_INPUTS)
        patched.setattr(network, "SCAR_INPUTS", inputs)
        patched.setattr(network, "FIRST_LOOK", ())
        patched.setitem(export.NETWORKS["scar"], "inputs", inputs)
        return write_untrained_bundle(tmp_path / "lge-untrained", MEASURES)


def test_a_scar_network_that_is_shown_less_looks_as_it_did_and_goes_on_where_it_was(
    narrow: Path, stack: NormalisedStack, tmp_path: Path
) -> None:
    engine = Engine(narrow, "onnx")
    shown = network_image(stack.image, stack.maps)[:, list(OLDER_INPUTS)]
    hidden = shown.copy()
    hidden[:, 1:3] = 0
    graph = load_onnx(narrow / "scar.onnx")
    looks = [view.back(graph(image=view.show(image))[0]) for view in VIEWS for image in (shown, hidden)]
    by_hand = np.mean(looks, axis=0)
    maps = engine.read_tokens(stack)[1]
    assert np.allclose(maps, by_hand, atol=1e-5) and not np.allclose(maps, graph(image=shown)[0], atol=1e-3)
    heart, scar, language = read_networks(narrow)
    assert scar[SCAR_STEM].shape[1] == SCAR_INPUTS
    export_networks(heart, scar, language, tmp_path / "on")
    facts = {k: v for k, v in engine.bundle.manifest.items() if k not in ("files", "networks", "input_frame")}
    write_manifest(tmp_path / "on", engine.bundle.tokenizer, facts)
    assert np.allclose(Engine(tmp_path / "on", "onnx").read_tokens(stack)[1], maps, atol=1e-3)


def test_a_bundle_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    newer = write_untrained_bundle(tmp_path / "lge-untrained", MEASURES + 1)
    for use in (Engine, read_networks):
        with pytest.raises(InputRefused) as refused:
            use(newer)
        assert refused.value.code == "bad-bundle"
