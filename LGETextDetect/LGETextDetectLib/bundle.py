"""A model bundle: manifest, hashes, tokenizer, thresholds. Nothing in it is ever executed or unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .refusal import InputRefused

MODEL_NAME = "lge-virtual"
TOKENIZER = "tokenizer.json"
PADDING, UNKNOWN = 0, 1


@dataclass(frozen=True)
class Tokenizer:
    """Words to numbers; 0 is padding, 1 an unknown word."""

    words: tuple[str, ...]
    length: int

    def encode(self, sentences: list[str]) -> npt.NDArray[np.int64]:
        """Sentences to (P, L) word numbers; words beyond ``length`` are dropped."""
        number = {word: k for k, word in enumerate(self.words)}
        result = np.zeros((len(sentences), self.length), np.int64)
        for row, sentence in zip(result, sentences, strict=True):
            known = [number.get(word, UNKNOWN) for word in sentence.lower().replace(",", " , ").split()][: self.length]
            row[: len(known)] = known
        return result


@dataclass(frozen=True)
class Bundle:
    """A verified bundle folder. sha256: of its manifest, thus of thresholds and all files."""

    folder: Path
    name: str
    version: str
    sha256: str
    thresholds: dict[str, Any]
    tokenizer: Tokenizer
    manifest: dict[str, Any]


def default_bundle() -> Path:
    """Folder of the model that is used when none is named: LGETEXT_BUNDLE, or the bundled one."""
    return Path(os.environ["LGETEXT_BUNDLE"]) if "LGETEXT_BUNDLE" in os.environ else bundled_model()


def bundled_model() -> Path:
    """Folder of the program's own model: in Resources/Models beside the libraries. Raises InputRefused('bad-bundle')."""
    here = Path(__file__).resolve().parent
    places = [here.parents[1] / "Resources", here.parent / "Resources", here / "Resources"]
    for place in places:
        if (place / "Models" / MODEL_NAME / "manifest.json").is_file():
            return place / "Models" / MODEL_NAME
    raise InputRefused("bad-bundle", "no bundled model was found beside the program.")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_bundle(folder: Path) -> Bundle:
    """Read a bundle and check every file against its hash; raises InputRefused('bad-bundle')."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        files = dict(manifest["files"])
        for name in (TOKENIZER, *(path.name for path in folder.iterdir() if path.suffix in (".onnx", ".safetensors"))):
            if name not in files:
                raise InputRefused("bad-bundle", f"the bundle's manifest has no hash of the file {name}.")
        for name, expected in files.items():
            path = folder / name
            if path.parent != folder or not path.is_file():
                raise InputRefused("bad-bundle", f"the bundle's file {name} is missing.")
            if file_sha256(path) != expected:
                raise InputRefused("bad-bundle", f"the bundle's file {name} is not the one its manifest names.")
        words = json.loads((folder / TOKENIZER).read_text("utf-8"))
        tokenizer = Tokenizer(tuple(words["words"]), int(words["length"]))
        digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
        return Bundle(
            folder, manifest["name"], manifest["version"], digest, manifest["thresholds"], tokenizer, manifest
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused("bad-bundle", f"the bundle cannot be read ({type(error).__name__}).") from error
