"""The bundled model through its backends: they agree, repeat themselves, and answer sentences as sentences mean."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib import aha
from LGETextDetectLib.backends import Chosen, OnDevice, choose, read_safetensors, single_precision
from LGETextDetectLib.bundle import default_bundle, open_bundle
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.landmarks import find_landmarks
from LGETextDetectLib.model import Engine, Prediction, answered_evidence, scarred_shares
from LGETextDetectLib.normalised import NormalisedStack, normalise
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.study import sample_study
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import load_study
from LGETextTrainLib.patient import draw
from LGETextTrainLib.virtual_study import render_study
from scipy import ndimage

SEPTUM = Meaning(True, segments=(2, 3, 8, 9, 14))
NO_SEPTUM = Meaning(True, negated=True, segments=(2, 3, 8, 9, 14))
ASKED = (SEPTUM, NO_SEPTUM, Meaning(False), Meaning(True, layers=("mid-wall",)))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(backend="onnx")


@pytest.fixture(scope="module")
def stack(engine: Engine) -> NormalisedStack:
    volume = load_study(sample_study()).volume
    return normalise(volume, *find_landmarks(volume, engine.segment))


@pytest.fixture(scope="module")
def prediction(engine: Engine, stack: NormalisedStack) -> Prediction:
    return engine.predict(stack, ASKED)


@pytest.mark.parametrize(
    ("slices", "low", "high"), [((4, 6), 1 / 3, 2 / 3), ((5, 6), 0.49, 0.51), ((0, 3), 2 / 3, 1.0)], ids=["two", "one", "apical"]
)  # fmt: skip
def test_a_part_of_a_ventricle_is_not_taken_for_the_whole(
    engine: Engine, slices: tuple[int, int], low: float, high: float
) -> None:
    """Adjacent slices are of one level; where the LV tapers to nothing is its apex. The sample runs apex to base."""
    whole = load_study(sample_study()).volume
    affine = whole.affine.copy()
    affine[:3, 3] = whole.to_lps([slices[0], 0, 0])
    part = Volume(whole.array[slices[0] : slices[1]], affine)
    position = normalise(part, *find_landmarks(part, engine.segment)).position
    assert low < position.min() and position.max() < high


def test_thin_slices_do_not_count_as_many(engine: Engine) -> None:
    """A heart without scar in slices five times as thin; the answer keeps a row for each."""
    source = render_study(draw(np.random.default_rng(12), scar_share=0.0)).volume
    affine = source.affine.copy()
    affine[:3, 3] = source.to_lps([-0.4, 0, 0])
    affine[:3, 0] /= 5
    thin = Volume(np.repeat(source.array, 5, 0), affine)
    plain, many = (
        engine.predict(normalise(volume, *find_landmarks(volume, engine.segment))) for volume in (source, thin)
    )
    assert many.probability == pytest.approx(plain.probability, abs=0.06)
    assert len(many.evidence) == len(many.heart) == len(many.slice_probability) == 5 * len(source.array)


def test_torch_says_what_onnx_says(prediction: Prediction, stack: NormalisedStack) -> None:
    pytest.importorskip("torch")
    engine = Engine(backend="torch", device="cpu")
    assert (engine.backend, engine.device) == ("torch", "cpu")
    other = engine.predict(stack, ASKED)
    assert other.probability == pytest.approx(prediction.probability, abs=1e-3)
    assert np.abs(other.segment_probability - prediction.segment_probability).max() < 1e-3
    assert np.abs(other.evidence - prediction.evidence).max() < 1e-3


def test_no_part_is_likelier_scarred_than_the_whole(prediction: Prediction) -> None:
    whole = prediction.probability + 1e-6  # single precision
    assert prediction.segment_probability.max() <= whole and prediction.slice_probability.max() <= whole
    septum, midwall = (
        p for p, asked in zip(prediction.prompt_probability, ASKED, strict=True) if asked in (SEPTUM, ASKED[3])
    )
    assert septum is not None and midwall is not None and max(septum, midwall) <= whole


def test_same_stack_same_answer(engine: Engine, prediction: Prediction, stack: NormalisedStack) -> None:
    again = engine.predict(stack, ASKED)
    assert again.probability == prediction.probability
    assert np.array_equal(again.evidence, prediction.evidence)


def test_no_answer_depends_on_what_else_is_asked(
    engine: Engine, prediction: Prediction, stack: NormalisedStack
) -> None:
    long = Meaning(True, segments=tuple(range(1, 17)), layers=("mid-wall", "subepicardial"), aetiology="non-ischaemic")
    septal = Meaning(True, segments=SEPTUM.segments, layers=("mid-wall",))
    alone, beside = (engine.predict(stack, meanings) for meanings in ((septal,), (septal, long)))
    assert alone.prompt_probability[0] == pytest.approx(beside.prompt_probability[0], abs=1e-6)
    for other in (alone, beside):
        assert other.segment_probability == pytest.approx(prediction.segment_probability, abs=1e-6)
        assert other.segment_layer == prediction.segment_layer


def test_negated_prompt_is_the_complement(prediction: Prediction) -> None:
    septum, no_septum, nothing, _ = prediction.prompt_probability
    assert septum + no_septum == pytest.approx(1)
    assert nothing is None


@pytest.mark.parametrize("count", [1, 2])
def test_only_segments_on_the_slices_given_are_named(engine: Engine, stack: NormalisedStack, count: int) -> None:
    middle = [k for k, p in enumerate(stack.position) if 0.45 < p < 0.6][:count]
    part = {name: getattr(stack, name)[middle] for name in ("image", "maps", "position", "index", "grids")}
    asked = [Meaning(True), Meaning(True, segments=(13, 14)), Meaning(True, segments=(8, 14))]
    few = engine.predict(NormalisedStack(**{**stack.__dict__, **part}), asked)
    assert few.segment_seen.nonzero()[0].tolist() == list(range(6, 12))
    assert few.segment_probability[~few.segment_seen].max() < 1e-4 and np.isfinite(few.probability)
    anywhere, apical, septal = few.prompt_probability
    assert apical is None and anywhere == pytest.approx(few.probability, abs=1e-6)
    assert septal == pytest.approx(few.segment_probability[7], abs=1e-6)


def test_prompt_of_one_segment_is_that_segment(engine: Engine, prediction: Prediction, stack: NormalisedStack) -> None:
    asked = [Meaning(True, segments=(n,)) for n in range(1, 18)]
    answers = engine.predict(stack, asked).prompt_probability
    assert answers == pytest.approx(prediction.segment_probability.tolist(), abs=1e-5)


def test_no_slice_is_likelier_scarred_than_the_study(prediction: Prediction) -> None:
    assert 0 < prediction.slice_probability.max() <= prediction.probability


def test_the_share_of_a_segment_is_of_its_own_wall() -> None:
    maps = np.zeros((2, 11, 96, 96), np.float32)
    radius = np.hypot(*(np.mgrid[:96, :96] - 47.5))
    maps[:, 1] = (radius > 18) & (radius < 26)
    maps[0, 2] = maps[0, 1] * (aha.segment_map("mid") == 9) * 0.5
    maps[1, 2] = maps[1, 1]  # of a slice beyond the apex
    shares = scarred_shares(maps, np.array([0.5, 1.2], np.float32))
    assert shares[8] == pytest.approx(0.5) and not np.delete(shares, 8).any()


def test_evidence_fades_where_the_answer_is_no() -> None:
    """Between two equally bright flecks the one in the segment that the text affirms is the stronger."""
    scar, probability = np.full((1, 96, 96), 0.8, np.float32), np.full(17, 0.05, np.float32)
    probability[9] = 0.7
    evidence = answered_evidence(scar, np.array([0.5], np.float32), probability)[0]
    segment = aha.segment_map("mid")
    inner = ndimage.binary_erosion(segment == 10, iterations=6)
    assert evidence[inner].min() > 0.75 and evidence[ndimage.binary_erosion(segment == 7, iterations=6)].max() < 0.1
    assert not answered_evidence(scar, np.array([1.2], np.float32), probability).any()  # beyond the apex


def test_scar_painted_over_with_muscle_is_gone(engine: Engine, prediction: Prediction, stack: NormalisedStack) -> None:
    """The answer follows the wall's signal: with the wall set to remote myocardium the same heart is scar-free."""
    image = stack.image.copy()
    wall = stack.maps[:, 1] > 0.3
    bright = wall & (image > 0.35)
    image[bright] = 0.0
    healed = engine.predict(NormalisedStack(**{**stack.__dict__, "image": image}))
    assert healed.probability < prediction.probability
    assert healed.evidence.sum() < 0.5 * prediction.evidence.sum()


@pytest.fixture
def copied_bundle(tmp_path: Path) -> Path:
    bundle = open_bundle(default_bundle())
    for name in (*bundle.manifest["files"], "manifest.json"):
        (tmp_path / name).write_bytes((bundle.folder / name).read_bytes())
    return tmp_path


def test_weights_are_tied_to_the_manifest(copied_bundle: Path) -> None:
    weights = bytearray((copied_bundle / "heart.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (copied_bundle / "heart.onnx").write_bytes(weights)
    with pytest.raises(InputRefused) as refused:
        open_bundle(copied_bundle)
    assert refused.value.code == "bad-bundle"


@pytest.mark.parametrize("name", ["scar.safetensors", "language.onnx", "tokenizer.json"])
def test_no_file_is_read_that_the_manifest_does_not_name(copied_bundle: Path, name: str) -> None:
    manifest = json.loads((copied_bundle / "manifest.json").read_text("utf-8"))
    del manifest["files"][name]
    (copied_bundle / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputRefused, match="bad-bundle"):
        open_bundle(copied_bundle)


def test_a_bundle_with_other_thresholds_is_another_model(copied_bundle: Path) -> None:
    manifest = json.loads((copied_bundle / "manifest.json").read_text("utf-8"))
    before = open_bundle(copied_bundle).sha256
    (copied_bundle / "manifest.json").write_text(json.dumps(manifest, indent=4), "utf-8")
    assert open_bundle(copied_bundle).sha256 == before
    manifest["thresholds"]["study"] = 0.6
    (copied_bundle / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert open_bundle(copied_bundle).sha256 != before


def test_safetensors_are_read_without_their_library(engine: Engine) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    path = engine.bundle.folder / "scar.safetensors"
    stored, found = safetensors.load_file(str(path)), read_safetensors(path)
    assert set(found) == {name for name in stored if not name.endswith(".scale")}
    for name, value in found.items():
        np.testing.assert_array_equal(value, stored[name] * stored.get(name + ".scale", 1))


@pytest.mark.parametrize(("backend", "device"), [("onnx", "cuda")])
def test_impossible_choice_is_refused(backend: str, device: str) -> None:
    with pytest.raises(InputRefused) as refused:
        choose(backend, device)
    assert refused.value.code == "no-gpu"


# --- devices, without one ---------------------------------------------------------------------------------------------


def broken() -> bool:
    raise RuntimeError("no kernel image is available for execution on the device")


@pytest.mark.parametrize(
    ("backend", "device", "gpu", "chosen"),
    [
        ("auto", "auto", lambda: True, Chosen("torch", "cuda")),
        ("torch", "auto", lambda: True, Chosen("torch", "cuda")),
        ("auto", "auto", lambda: False, Chosen("onnx", "cpu")),
        ("torch", "auto", lambda: False, Chosen("torch", "cpu")),
        ("torch", "cpu", broken, Chosen("torch", "cpu")),
        ("onnx", "auto", broken, Chosen("onnx", "cpu")),
    ],
)
def test_a_gpu_is_taken_where_there_is_one(backend: str, device: str, gpu, chosen: Chosen) -> None:
    pytest.importorskip("torch")
    assert choose(backend, device, gpu) == chosen


@pytest.mark.parametrize(("backend", "taken"), [("auto", "onnx"), ("torch", "torch")])
def test_a_gpu_that_does_not_compute_is_left_alone_and_said(backend: str, taken: str) -> None:
    pytest.importorskip("torch")
    chosen = choose(backend, "auto", broken)
    assert (chosen.backend, chosen.device) == (taken, "cpu") and "does not compute" in chosen.fault
    with pytest.raises(InputRefused) as refused:
        choose(backend, "cuda", broken)
    assert refused.value.code == "no-gpu" and refused.value.cause == chosen.fault


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("raise OSError('[WinError 126] The specified module could not be found')", "OSError"),
        ("raise ImportError('DLL load failed while importing _C')", "ImportError"),
        ("", "AttributeError"),  # what is left of it when its files are gone
    ],
)
def test_a_torch_that_cannot_be_loaded_is_left_alone_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, kind: str
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(content, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    chosen = choose("auto", "auto")
    assert chosen == Chosen("onnx", "cpu", f"PyTorch is installed but cannot be loaded ({kind}).")
    for backend, device, code in (
        ("torch", "auto", "no-torch"),
        ("torch", "cpu", "no-torch"),
        ("auto", "cuda", "no-gpu"),
    ):
        with pytest.raises(InputRefused) as refused:
            choose(backend, device)
        assert (refused.value.code, refused.value.cause) == (code, chosen.fault)
    assert choose("auto", "cpu") == choose("onnx", "auto") == Chosen("onnx", "cpu")
    sys.modules.pop("torch", None)


@pytest.mark.parametrize("failure", [RuntimeError, OSError, ImportError])
def test_a_gpu_whose_libraries_cannot_be_loaded_is_left_alone(failure: type[Exception]) -> None:
    pytest.importorskip("torch")

    def fail() -> bool:
        raise failure("libcudnn.so.9: cannot open shared object file")

    chosen = choose("auto", "auto", fail)
    assert (chosen.backend, chosen.device) == ("onnx", "cpu") and failure.__name__ in chosen.fault


@pytest.mark.parametrize(
    "message",
    ["CUDA out of memory. Tried to allocate 2.00 GiB", "MPS backend out of memory", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
     "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"],
)  # fmt: skip
def test_a_device_whose_memory_is_short_is_left_for_good(message: str) -> None:
    used: list[str] = []

    def work(device: str) -> str:
        used.append(device)
        if device != "cpu":
            raise RuntimeError(message)
        return device

    on_device = OnDevice("cuda", lambda: used.append("released"))
    assert (on_device(work), on_device(work)) == ("cpu", "cpu")
    assert used == ["cuda", "cpu", "released", "cpu"] and on_device.fell_back


@pytest.mark.parametrize(("device", "message"), [("cuda", "CUDA error: device-side assert"), ("cpu", "out of memory")])
def test_other_errors_are_not_taken_for_a_short_memory(device: str, message: str) -> None:
    def work(_: str) -> None:
        raise RuntimeError(message)

    on_device = OnDevice(device)
    with pytest.raises(RuntimeError, match=message):
        on_device(work)
    assert not on_device.fell_back


def test_networks_run_in_single_precision_as_the_thresholds_were_fitted(engine: Engine) -> None:
    torch = pytest.importorskip("torch")
    before = torch.backends.cudnn.allow_tf32
    with single_precision("cpu"):
        assert not torch.backends.cudnn.allow_tf32 and torch.backends.cudnn.deterministic
    assert torch.backends.cudnn.allow_tf32 == before
    with torch.autocast("cpu", torch.bfloat16):
        seen = Engine(backend="torch", device="cpu").segment(np.zeros((1, 2, 160, 160), np.float32))
    assert np.abs(seen - engine.segment(np.zeros((1, 2, 160, 160), np.float32))).max() < 1e-4


def test_bundle_stays_small() -> None:
    folder = default_bundle()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40e6
    assert not [path for path in folder.iterdir() if path.suffix in (".pt", ".pkl", ".pickle", ".bin")]
