"""A training recipe: frozen dataclasses read from TOML; an unknown key is refused by name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from LGETextDetectLib.refusal import InputRefused


@dataclass(frozen=True)
class ImageStage:
    """One image network: ``steps`` of ``batch`` slices, learning rate rising to ``peak``."""

    steps: int
    batch: int = 24
    peak: float = 2e-3


@dataclass(frozen=True)
class LanguageStage:
    """The text side: ``patients`` virtual studies seen through the scar network, then ``steps`` of ``batch`` studies.

    ``questions`` sentences a step, ``caption_weight`` of the caption loss; ``width``, ``layers``, ``heads`` of the
    transformers.
    """

    patients: int
    steps: int
    batch: int = 32
    questions: int = 48
    peak: float = 1e-3
    caption_weight: float = 0.3
    width: int = 96
    layers: int = 2
    heads: int = 4


@dataclass(frozen=True)
class Calibration:
    """``patients`` fresh virtual studies for threshold and calibration, ``test_patients`` others for the card."""

    patients: int
    test_patients: int


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run."""

    name: str
    version: str
    seed: int
    heart: ImageStage
    scar: ImageStage
    refine: ImageStage
    language: LanguageStage
    calibration: Calibration
    workers: int = field(default=1)


def read_recipe(path: Path) -> Recipe:
    """Recipe from a TOML file; raises InputRefused('bad-recipe') for a missing, unknown or wrong entry."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = "it cannot be opened" if isinstance(error, OSError) else str(error)
        raise InputRefused("bad-recipe", f"{path.name} is no readable TOML file ({why}).") from error
    recipe: Recipe = _build(Recipe, data, "")
    return recipe


def _build(kind: Any, data: dict[str, Any], where: str) -> Any:
    """One dataclass from a table; nested dataclasses from nested tables."""
    types = get_type_hints(kind)
    unknown = sorted(set(data) - set(types))
    if unknown:
        raise InputRefused("bad-recipe", f"unknown entry '{where}{unknown[0]}'; known are {', '.join(sorted(types))}.")
    values = {}
    for key, value in data.items():
        wanted = types[key]
        name = f"{where}{key}"
        if hasattr(wanted, "__dataclass_fields__"):
            if not isinstance(value, dict):
                raise InputRefused("bad-recipe", f"'{name}' must be a table.")
            values[key] = _build(wanted, value, f"{name}.")
        else:
            values[key] = _checked(value, wanted, name)
    required = [
        f.name for f in fields(kind) if f.name not in values and f.default.__class__.__name__ == "_MISSING_TYPE"
    ]
    if required:
        raise InputRefused("bad-recipe", f"entry '{where}{required[0]}' is missing.")
    return kind(**values)


def _checked(value: Any, wanted: type, name: str) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise InputRefused("bad-recipe", f"'{name}' must be {wanted.__name__}, got {value!r}.")
    if isinstance(value, (int, float)) and value < 0:
        raise InputRefused("bad-recipe", f"'{name}' must not be negative, got {value!r}.")
    return value
