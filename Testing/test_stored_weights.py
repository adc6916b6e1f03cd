"""Weights are stored once, in 8 bits: what both backends read, and what rounding costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.backends import TorchGraph, load_onnx, read_safetensors
from LGETextDetectLib.bundle import open_bundle

torch = pytest.importorskip("torch")

from LGETextTrainLib.network import NETWORKS  # noqa: E402
from LGETextTrainLib.stored_weights import LARGE, save_weights  # noqa: E402


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1, (2, 18, 96, 96)).astype(np.float32)


def test_weights_can_be_read_by_whom_other_files_can(tmp_path: Path) -> None:
    save_weights({"steps": torch.tensor(7)}, tmp_path / "w.safetensors")
    (tmp_path / "other").touch()
    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_every_number_is_rounded_to_its_own_channels_half_step_at_most(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    spread = torch.tensor([1e-4, 1.0, 30.0])[:, None, None, None]
    state = {
        "matrix": torch.randn(3, 50, 3, 3, generator=generator) * spread, "zero": torch.zeros(4, LARGE),
        "bias": torch.randn(LARGE, generator=generator), "small": torch.randn(2, 3, generator=generator), "steps": torch.tensor(7),
    }  # fmt: skip
    save_weights(state, tmp_path / "w.safetensors")
    found = read_safetensors(tmp_path / "w.safetensors")
    assert set(found) == set(state)
    half_step = np.abs(state["matrix"].numpy()).max((1, 2, 3), keepdims=True) / 127 / 2
    assert found["matrix"].dtype == np.float32
    assert (np.abs(found["matrix"] - state["matrix"].numpy()) <= half_step * 1.001).all()
    for name in ("zero", "bias", "small", "steps"):
        np.testing.assert_array_equal(found[name], state[name].numpy())


def test_graph_and_torch_answer_the_same_from_one_file(untrained_bundle: Path, image: np.ndarray) -> None:
    graph, weights = untrained_bundle / "scar.onnx", untrained_bundle / "scar.safetensors"
    assert graph.stat().st_size < 0.1 * weights.stat().st_size
    numbers = sum(value.size for value in read_safetensors(weights).values())
    assert weights.stat().st_size < 1.1 * numbers
    found = load_onnx(graph)(image=image)[0]
    np.testing.assert_allclose(found, TorchGraph("scar", weights, NETWORKS["scar"], "cpu")(image=image)[0], atol=1e-4)


def test_the_graph_reads_the_weights_file(untrained_bundle: Path, image: np.ndarray, tmp_path: Path) -> None:
    for kind in ("scar.onnx", "scar.safetensors"):
        shutil.copy(untrained_bundle / kind, tmp_path)
    before = load_onnx(tmp_path / "scar.onnx")(image=image)[0]
    weights = tmp_path / "scar.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-900_000:] = bytes(900_000)  # most matrices are nought
    weights.write_bytes(raw)
    assert np.abs(load_onnx(tmp_path / "scar.onnx")(image=image)[0] - before).max() > 1e-3


def test_bundled_weights_answer_alike_in_both_backends(image: np.ndarray) -> None:
    from LGETextDetectLib.bundle import default_bundle

    bundle = open_bundle(default_bundle())
    settings = bundle.manifest["networks"]["scar"]
    shown = np.ascontiguousarray(image[:, : settings["inputs"]])
    found = load_onnx(bundle.folder / "scar.onnx")(image=shown)[0]
    torch_graph = TorchGraph("scar", bundle.folder / "scar.safetensors", settings, "cpu")
    np.testing.assert_allclose(found, torch_graph(image=shown)[0], atol=1e-3)
