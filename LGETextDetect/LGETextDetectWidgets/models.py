"""Model bundles that the panel offers: the bundled one, and those that LGETextTrain or the user put beside them."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
from LGETextDetectLib.bundle import default_bundle, open_bundle
from LGETextDetectLib.refusal import InputRefused

FOLDERS_SETTING = "LGETextDetect/ModelsFolder"
CARD = "MODEL_CARD.md"
UNLISTED = "."  # begins the name of a folder that is no model yet, or none any more


@dataclass(frozen=True)
class Model:
    """A bundle that can be chosen; ``key`` is what a scene keeps: '' is the bundled model, else its folder's name."""

    key: str
    title: str
    folder: Path


def models_folder() -> Path:
    """Where bundles of this user lie: the application's setting, else a folder beside Slicer's settings file."""
    chosen = qt.QSettings().value(FOLDERS_SETTING) or ""
    return Path(chosen) if chosen else Path(qt.QSettings().fileName()).parent / "LGETextDetect" / "Models"


def available_models() -> list[Model]:
    """The bundled model first, then the user's by name; what has no readable manifest is left out."""
    found = []
    try:
        bundled = default_bundle()
        found.append(Model("", _title(bundled) + " (bundled)", bundled))
    except (InputRefused, OSError, ValueError, KeyError):
        pass  # Apply says what is wrong
    folder = models_folder()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith(UNLISTED):
            continue
        try:
            found.append(Model(path.name, _title(path), path))
        except (OSError, ValueError, KeyError):
            continue
    return found


def model_of(key: str) -> Model:
    """The model of a key; raises InputRefused('bad-bundle') when it is not here any more."""
    for model in available_models():
        if model.key == key:
            return model
    raise InputRefused("bad-bundle", f"The model '{key}' is not on this machine." if key else "No model is installed.")


def install_model(bundle: Path) -> Model:
    """Copy a bundle to the user's models, checked first; an older one of the same name and version is replaced.

    Raises InputRefused('bad-bundle'), and OSError when it cannot be replaced, as on Windows while one of its files is open:
    then the older one stays as it was.
    """
    opened = open_bundle(bundle)
    target = models_folder() / f"{opened.name}-{opened.version}"
    mark = secrets.token_hex(4)
    part, old = (target.with_name(f"{UNLISTED}{target.name}.{kind}-{mark}") for kind in ("part", "old"))
    try:
        shutil.copytree(bundle, part)
        _put_in_place(part, target, old)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for left in models_folder().iterdir():  # of this call or an earlier one, which an open file kept
        if left.name.startswith(f"{UNLISTED}{target.name}."):
            shutil.rmtree(left, ignore_errors=True)
    return Model(target.name, _title(target), target)


def _put_in_place(part: Path, target: Path, old: Path) -> None:
    """Move ``part`` to ``target`` and what is there to ``old``; on an OSError ``target`` is as it was."""
    replaces = target.exists()
    if replaces:
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if replaces:
            old.rename(target)
        raise


def card_text(model: Model) -> str:
    """The model's card, Markdown; what the manifest says where there is no card."""
    card = model.folder / CARD
    if card.is_file():
        return card.read_text("utf-8")
    manifest = _manifest(model.folder)
    return f"# {_title(model.folder)}\n\nThis bundle has no card.\n\n{manifest.get('intended_use', '')}\n"


def _manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text("utf-8")))


def _title(folder: Path) -> str:
    manifest = _manifest(folder)
    return f"{manifest['name']} {manifest['version']}"
