"""Trained networks to a bundle: ONNX graphs, safetensors, tokenizer, thresholds, manifest, card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from LGETextDetectLib.backends import read_safetensors
from LGETextDetectLib.bundle import Tokenizer, file_sha256, open_bundle
from LGETextDetectLib.model import FIRST_WEIGHT, measures_read
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.tokens import MEASURES
from torch import Tensor, nn

from .language import LanguageConfig, LanguageModel
from .network import NETWORKS, HeartGraph, ScarGraph, UNet, shown_more
from .optimise import is_finished
from .stored_weights import read_weights_from, save_weights

CAPTION = "caption."  # its decoder serves training only: a file of its own, which detection does not open


def export_graph(
    module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], dynamic: dict[str, dict[int, str]], path: Path
) -> None:
    """One module as an ONNX file with dynamic axes, its weights under their own names: no layers are merged."""
    module.eval()
    with torch.inference_mode(False), torch.no_grad():
        torch.onnx.export(
            module, tuple(inputs.values()), str(path), input_names=list(inputs), output_names=outputs, dynamic_axes=dynamic, dynamo=False, opset_version=17,
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        )  # fmt: skip


def _network(kind: str, state: dict[str, Tensor]) -> UNet:
    settings: dict[str, Any] = NETWORKS[kind]
    network = UNet(settings["inputs"], settings["outputs"], tuple(settings["widths"]))
    network.load_state_dict({key: value.cpu() for key, value in state.items()})
    return network.eval()


def export_networks(heart: dict[str, Tensor], scar: dict[str, Tensor], language: LanguageModel, folder: Path) -> None:
    """Write heart, scar and language weights (stored_weights) and the graphs that read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, state, wrap, size, outputs in (
        ("heart", heart, HeartGraph, 160, ["probability"]), ("scar", scar, ScarGraph, 96, ["maps"]),
    ):  # fmt: skip
        network = _network(kind, state)
        image = torch.zeros(2, network.inputs, size, size)
        export_graph(
            wrap(network),
            {"image": image},
            outputs,
            {name: {0: "n"} for name in ("image", *outputs)},
            folder / f"{kind}.onnx",
        )
        save_weights(state, folder / f"{kind}.safetensors")
        read_weights_from(folder / f"{kind}.onnx", folder / f"{kind}.safetensors", "network.")
    config = language.config
    inputs = {
        "values": torch.zeros(72, config.values), "places": torch.zeros(72, config.places), "present": torch.ones(72),
        "allowed": torch.ones(3, 72), "affirm": torch.ones(3, 9, dtype=torch.long), "deny": torch.ones(3, 9, dtype=torch.long),
    }  # fmt: skip
    dynamic = {
        "values": {0: "t"},
        "places": {0: "t"},
        "present": {0: "t"},
        "allowed": {0: "p", 1: "t"},
        "affirm": {0: "p", 1: "l"},
        "deny": {0: "p", 1: "l"},
        "logits": {0: "p"},
    }
    export_graph(language.cpu(), inputs, ["logits", "head"], dynamic, folder / "language.onnx")
    whole = language.state_dict()
    save_weights({k: v for k, v in whole.items() if not k.startswith(CAPTION)}, folder / "language.safetensors")
    save_weights({k: v for k, v in whole.items() if k.startswith(CAPTION)}, folder / "caption.safetensors")
    read_weights_from(folder / "language.onnx", folder / "language.safetensors")


def refuse_unfinished(out: Path, stages: Mapping[str, int]) -> None:
    """Raise InputRefused('run-unfinished') unless every stage with steps (name -> steps) has ended in a run folder."""
    for stage, steps in stages.items():
        if steps and not is_finished(out / f"{stage}.pt"):
            raise InputRefused("run-unfinished", f"The training of '{stage}' has not ended in that run folder.")


@contextmanager
def replaced_bundle(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to make a bundle in; it takes its place when the block ends well.

    Until then, and when the block ends otherwise or is killed, ``folder`` is as it was: never a bundle that is not calibrated.
    """
    part, old = (folder.with_name(f".{folder.name}.{kind}") for kind in ("part", "old"))
    if old.is_dir() and not folder.exists():  # killed between the two renames below
        old.rename(folder)
    for left_over in (part, old):
        shutil.rmtree(left_over, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if old.is_dir() and not folder.exists():
            old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def changed_bundle(folder: Path) -> Iterator[Path]:
    """A copy of a bundle to change; it takes the bundle's place as :func:`replaced_bundle` says."""
    whole = folder.resolve()
    with replaced_bundle(whole) as made:
        shutil.copytree(whole, made, dirs_exist_ok=True)
        yield made


def read_networks(bundle: Path, seed: int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor], LanguageModel]:
    """Heart and scar weights and the text side of a bundle, to go on from; inverse of :func:`export_networks`.

    A bundle without caption.safetensors (older ones) gets a new caption decoder, drawn by ``seed``; measures of a token that
    its text side does not know begin without weight, so that it answers as before. Raises InputRefused('bad-bundle').
    """
    open_bundle(bundle)
    heart, scar, language = (
        {k: torch.from_numpy(v) for k, v in read_safetensors(bundle / f"{kind}.safetensors").items()}
        for kind in ("heart", "scar", "language")
    )
    language[FIRST_WEIGHT] = torch.nn.functional.pad(language[FIRST_WEIGHT], (0, MEASURES - measures_read(bundle)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LanguageModel(_config_of(language))
    caption = bundle / "caption.safetensors"
    if caption.is_file():
        language |= {k: torch.from_numpy(v) for k, v in read_safetensors(caption).items()}
    missing, foreign = model.load_state_dict(language, strict=False)
    if foreign or any(not name.startswith(CAPTION) for name in missing):
        raise InputRefused("bad-bundle", "the bundle's text side has other parts than this program's.")
    return heart, shown_more(scar), model


def _config_of(state: dict[str, Tensor]) -> LanguageConfig:
    """The sizes of a text side from the shapes of its weights."""
    words, width = state["text.bert.embeddings.word_embeddings.weight"].shape
    layers = {name.split(".")[4] for name in state if name.startswith("text.bert.encoder.layer.")}
    return LanguageConfig(
        state[FIRST_WEIGHT].shape[1], state["study.places.0.weight"].shape[1], words, width, len(layers),
        len(state["sharpness"]), len(state["text.bert.embeddings.position_embeddings.weight"]),
    )  # fmt: skip


def write_manifest(folder: Path, tokenizer: Tokenizer, facts: dict[str, Any]) -> None:
    """tokenizer.json and manifest.json; ``facts`` holds name, version, thresholds, training, licence."""
    (folder / "tokenizer.json").write_text(json.dumps({"words": tokenizer.words, "length": tokenizer.length}), "utf-8")
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != "manifest.json"}
    manifest = {
        **facts,
        "networks": NETWORKS,
        "input_frame": {"pixels": 96, "pixel_mm": 1.25, "heart_pixels": 160, "heart_pixel_mm": 1.4},
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
