"""A bundle whose text side reads fewer measures of a token still answers, and training goes on from it without a jump."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from conftest import write_untrained_bundle  # noqa: E402
from LGETextDetectLib.model import FIRST_WEIGHT, Engine  # noqa: E402
from LGETextDetectLib.normalised import NormalisedStack  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextDetectLib.tokens import MEASURES, OWN_MEASURES  # noqa: E402
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
    grids = np.tile(np.eye(4), (8, 1, 1))
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


def test_a_bundle_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    newer = write_untrained_bundle(tmp_path / "lge-untrained", MEASURES + 1)
    for use in (Engine, read_networks):
        with pytest.raises(InputRefused) as refused:
            use(newer)
        assert refused.value.code == "bad-bundle"
