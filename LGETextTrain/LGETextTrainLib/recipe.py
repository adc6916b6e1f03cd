"""Training recipes: frozen dataclasses read from TOML; an unknown key is refused by name, every entry documents itself."""

# ruff: noqa: RUF009 - entry() and table() are dataclasses.field with what an entry must say of itself
from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from LGETextDetectLib.refusal import InputRefused

WEIGHTS = ("all", "heart", "none")
PAINTED_KINDS = ("ischaemic", "mid_wall", "subepicardial", "insertion_point", "patchy", "diffuse")


def entry(
    said: str, default: Any = MISSING, *, least: float = 0, most: float = math.inf, choices: tuple[str, ...] = ()
) -> Any:
    """A field of a recipe: what it does, its default (none: it must be given), its least and largest value or its choices."""
    return dataclasses.field(default=default, metadata={"said": said, "least": least, "most": most, "choices": choices})


def table(kind: Any, said: str) -> Any:
    """A table of a recipe all of whose entries have defaults."""
    return dataclasses.field(default_factory=kind, metadata={"said": said})


@dataclass(frozen=True)
class ImageStage:
    """One image network."""

    steps: int = entry("optimiser steps", most=1_000_000)
    batch: int = entry("slices in one pass through the network", 24, least=1, most=4096)
    peak: float = entry("highest learning rate", 2e-3, most=1.0)
    accumulate: int = entry(
        "passes whose gradients make one step; processes of torchrun share them", 1, least=1, most=1024
    )


@dataclass(frozen=True)
class LanguageStage:
    """The text side on virtual patients."""

    patients: int = entry("virtual studies seen through the scar network", most=1_000_000)
    steps: int = entry("optimiser steps", most=1_000_000)
    batch: int = entry("studies in one pass", 32, least=1, most=4096)
    questions: int = entry("sentences asked in one pass", 48, least=1, most=4096)
    peak: float = entry("highest learning rate", 1e-3, most=1.0)
    caption_weight: float = entry("weight of the caption loss", 0.3, most=100)
    layer_weight: float = entry("weight of the choice between the seven layers of a place", 0.5, most=100)
    width: int = entry("width of the transformers", 96, least=1, most=4096)
    layers: int = entry("layers of the text encoder", 2, most=48)
    heads: int = entry("attention heads", 4, least=1, most=64)
    accumulate: int = entry(
        "passes whose gradients make one step; processes of torchrun share them", 1, least=1, most=1024
    )


@dataclass(frozen=True)
class CineTable:
    """Real hearts of public cine with painted scars."""

    folder: str = entry("folder with the contoured cine (docs/training.md); empty: virtual patients alone", "")
    share: float = entry(
        "share of real hearts among the samples with which the scar network is refined", 0.45, most=0.9
    )
    case_share: float = entry("share of real hearts among the studies of the text side", 0.35, most=0.9)


@dataclass(frozen=True)
class Calibration:
    """Fresh virtual patients after training."""

    patients: int = entry("virtual studies for threshold and calibration")
    test_patients: int = entry("other virtual studies for the card")


@dataclass(frozen=True)
class Recipe:
    """A training on virtual patients: everything that decides it."""

    name: str = entry("name of the bundle")
    version: str = entry("version of the bundle")
    seed: int = entry("every random number follows from it")
    heart: ImageStage = entry("finds LV and RV anywhere in the frame")
    scar: ImageStage = entry("looks for scar, started from the heart network")
    refine: ImageStage = entry("the scar network with the heart network's own maps")
    language: LanguageStage = entry("sentences and studies in one space")
    calibration: Calibration = entry("threshold and figures")
    cine: CineTable = table(CineTable, "real hearts among the virtual ones")
    workers: int = entry(
        "processes that make samples; beside a GPU at least its share of the cores, less one; 0: none", 1, most=256
    )


@dataclass(frozen=True)
class DataTable:
    """Which studies and reports."""

    studies: str = entry("folder with a study in each sub-folder (DICOM) or file (NRRD, NIfTI, MHA)")
    reports: str = entry("table (.csv, .jsonl) with study and text, or folder of .txt and DICOM SR files")
    splits: str = entry(
        "CSV file with study and split (train, validation, test); empty: made here and kept in the run folder", ""
    )
    validation_share: float = entry(
        "share of the patients for early stopping, threshold and calibration", 0.2, most=0.6
    )
    test_share: float = entry("share of the patients kept for the evaluation page alone", 0.0, most=0.6)
    max_left_out: float = entry(
        "share of studies that may be unreadable, empty or unmatched before training is refused", 0.2, most=1.0
    )
    normalise_orientation: bool = entry(
        "turn every heart the same way up; false only to measure what that is worth", True
    )


@dataclass(frozen=True)
class StartTable:
    """What the training starts from."""

    bundle: str = entry("folder of a model bundle; empty: the bundled model", "")
    weights: str = entry(
        "all: scar network and text side go on from the bundle; heart: both are new, the scar network started from the heart network "
        "(segmentation); none: both are new", "all", choices=WEIGHTS,
    )  # fmt: skip
    kept: float = entry(
        "share of the bundle's weights in the mean that is kept of networks that go on from it: learnt from few studies, the "
        "mean holds better on other patients than either", 0.5, most=1.0,
    )  # fmt: skip


@dataclass(frozen=True)
class PaintTable:
    """Scars painted into studies that their report calls scar-free."""

    share: float = entry(
        "share of the passes over scar-free studies in which one is painted; 0: none ever", 0.6, most=1.0
    )
    ischaemic: float = entry("how often this kind is drawn, relative to the others", 0.45, most=1000)
    mid_wall: float = entry("how often this kind is drawn", 0.17, most=1000)
    subepicardial: float = entry("how often this kind is drawn", 0.17, most=1000)
    insertion_point: float = entry("how often this kind is drawn", 0.08, most=1000)
    patchy: float = entry("how often this kind is drawn", 0.07, most=1000)
    diffuse: float = entry("how often this kind is drawn", 0.06, most=1000)
    certainty: float = entry(
        "mean probability of the wall that the heart network must give where a scar is painted", 0.8, most=0.99
    )
    varied_sentences: bool = entry(
        "word the painted scar as a reader would, in many ways; false: one canonical sentence", True
    )

    def kinds(self) -> dict[str, float]:
        """How often each kind is drawn that is drawn at all."""
        return {kind: often for kind in PAINTED_KINDS if (often := getattr(self, kind))}


@dataclass(frozen=True)
class ScarTable:
    """The scar network on painted and scar-free studies."""

    steps: int = entry("optimiser steps at most", 400, most=1_000_000)
    batch: int = entry("slices in one pass", 24, least=1, most=4096)
    peak: float = entry("highest learning rate", 4e-4, most=1.0)
    accumulate: int = entry(
        "passes whose gradients make one step; processes of torchrun share them", 1, least=1, most=1024
    )
    virtual_share: float = entry(
        "share of the slices from virtual patients, so that nothing learnt before is lost", 0.3, most=0.9
    )
    reported_share: float = entry(
        "share of the real studies that are scarred ones: bright wall in the segments and layers that the report names counts as scar", 0.25, most=0.9
    )  # fmt: skip
    seen_share: float = entry("share of painted studies whose heart is found again on the painted image", 0.5, most=1.0)


@dataclass(frozen=True)
class TextTable:
    """The text side on real reports, painted scars and virtual patients."""

    steps: int = entry("optimiser steps at most", 600, most=1_000_000)
    batch: int = entry("studies in one pass", 32, least=1, most=4096)
    questions: int = entry("sentences asked in one pass", 48, least=1, most=4096)
    peak: float = entry(
        "highest learning rate; a text side that is new (start.weights) needs about 1e-3", 5e-5, most=1.0
    )
    accumulate: int = entry(
        "passes whose gradients make one step; processes of torchrun share them", 1, least=1, most=1024
    )
    caption_weight: float = entry("weight of the caption loss; 0: none", 0.3, most=100)
    layer_weight: float = entry("weight of the choice between the seven layers of a place", 0.5, most=100)
    supervised_weight: float = entry("weight of the plain classifier's and the slices' own losses", 1.0, most=100)
    painted: int = entry("paintings of every scar-free study", 4, most=1000)
    virtual_patients: int = entry(
        "virtual studies mixed in, so that nothing learnt before is lost", 200, most=1_000_000
    )
    width: int = entry("width of the transformers when they are new", 96, least=1, most=4096)
    layers: int = entry("layers of the text encoder when it is new", 2, most=48)
    heads: int = entry("attention heads when they are new", 4, least=1, most=64)


@dataclass(frozen=True)
class RunTable:
    """How a training runs, whatever it learns."""

    validate_every: int = entry("steps between looks at the validation patients", 50, most=1_000_000)
    patience: int = entry("looks without improvement after which a stage stops", 5, most=1000)
    checkpoint_minutes: float = entry("minutes between checkpoints", 2.0, most=1440)
    workers: int = entry(
        "processes that read studies and paint; beside a GPU at least its share of the cores, less one; 0: none",
        1,
        most=256,
    )
    tensorboard: bool = entry("also write TensorBoard files (needs the package tensorboard)", False)


@dataclass(frozen=True)
class HospitalRecipe:
    """A training on a hospital's images and reports: everything that decides it."""

    name: str = entry("name of the new bundle")
    version: str = entry("version of the new bundle")
    seed: int = entry("every random number follows from it")
    data: DataTable = entry("studies and reports")
    start: StartTable = table(StartTable, "what the training starts from")
    paint: PaintTable = table(PaintTable, "painted scars")
    scar: ScarTable = table(ScarTable, "the scar network")
    text: TextTable = table(TextTable, "the text side")
    run: RunTable = table(RunTable, "how it runs")


@dataclass(frozen=True)
class EntryDoc:
    """One entry of a recipe for a form: dotted name, type, default (None: must be given), what it does, choices."""

    name: str
    kind: str
    default: Any
    said: str
    choices: tuple[str, ...]


def documented(kind: Any = HospitalRecipe, where: str = "") -> list[EntryDoc]:
    """Every entry of a recipe in order, tables flattened to dotted names."""
    types = get_type_hints(kind)
    docs: list[EntryDoc] = []
    for item in fields(kind):
        if dataclasses.is_dataclass(types[item.name]):
            docs += documented(types[item.name], f"{where}{item.name}.")
            continue
        default = None if item.default is MISSING else item.default
        docs.append(
            EntryDoc(
                f"{where}{item.name}",
                types[item.name].__name__,
                default,
                item.metadata["said"],
                item.metadata["choices"],
            )
        )
    return docs


def read_recipe(path: Path) -> Recipe | HospitalRecipe:
    """A recipe of either kind; one with a table [data] is a hospital's. Paths in it count from the file's own folder.

    Raises InputRefused('bad-recipe') for a missing, unknown or wrong entry.
    """
    content = _load(path)
    if "data" not in content:
        return _virtual_recipe(path, content)
    recipe: HospitalRecipe = build_recipe(HospitalRecipe, content)
    _refuse_heads(recipe.text, "text")
    if recipe.paint.share and not recipe.paint.kinds():
        raise InputRefused(
            "bad-recipe", f"'paint.{PAINTED_KINDS[0]}' and the other kinds are all 0, but 'paint.share' is not."
        )
    if not re.fullmatch(r"\w[\w.-]{0,79}", recipe.name):
        raise InputRefused("bad-recipe", f"'name' must be letters, digits, dots and dashes, got {recipe.name!r}.")
    paths = [
        _resolved(path, entry_path) for entry_path in (recipe.data.studies, recipe.data.reports, recipe.data.splits)
    ]
    data = dataclasses.replace(recipe.data, studies=paths[0], reports=paths[1], splits=paths[2])
    start = dataclasses.replace(recipe.start, bundle=_resolved(path, recipe.start.bundle))
    return dataclasses.replace(recipe, data=data, start=start)


def _virtual_recipe(path: Path, content: dict[str, Any]) -> Recipe:
    recipe: Recipe = build_recipe(Recipe, content)
    _refuse_heads(recipe.language, "language")
    cine = dataclasses.replace(recipe.cine, folder=_resolved(path, recipe.cine.folder))
    return dataclasses.replace(recipe, cine=cine)


def _refuse_heads(stage: LanguageStage | TextTable, name: str) -> None:
    """The heads of a transformer share its width."""
    if stage.width % stage.heads:
        raise InputRefused(
            "bad-recipe", f"'{name}.width' must be a multiple of '{name}.heads', got {stage.width} and {stage.heads}."
        )


def read_hospital_recipe(path: Path) -> HospitalRecipe:
    """A hospital's recipe; raises InputRefused('bad-recipe'), also for a recipe of virtual patients."""
    recipe = read_recipe(path)
    if not isinstance(recipe, HospitalRecipe):
        raise InputRefused("bad-recipe", f"{path.name} has no table [data]: it trains on virtual patients.")
    return recipe


def write_hospital_recipe(recipe: HospitalRecipe, path: Path) -> None:
    """The recipe as TOML with every entry and what it does; read back by :func:`read_hospital_recipe`."""
    lines, open_table = ["# Research use, not for diagnosis."], ""
    for doc in documented():
        inside, _, name = doc.name.rpartition(".")
        if inside != open_table:
            lines += ["", f"[{inside}]"]
            open_table = inside
        holder = getattr(recipe, inside) if inside else recipe
        lines.append(f"{name} = {_toml(getattr(holder, name))}  # {doc.said}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
    return repr(value)


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = "it cannot be opened" if isinstance(error, OSError) else str(error)
        raise InputRefused("bad-recipe", f"{path.name} is no readable TOML file ({why}).") from error


def _resolved(recipe: Path, entry_path: str) -> str:
    return str((recipe.resolve().parent / Path(entry_path).expanduser()).resolve()) if entry_path else ""


def build_recipe(kind: Any, data: dict[str, Any], where: str = "") -> Any:
    """One dataclass from a table; nested dataclasses from nested tables. Raises InputRefused('bad-recipe')."""
    types = get_type_hints(kind)
    unknown = sorted(set(data) - set(types))
    if unknown:
        raise InputRefused("bad-recipe", f"unknown entry '{where}{unknown[0]}'; known are {', '.join(sorted(types))}.")
    values = {}
    for item in fields(kind):
        name = f"{where}{item.name}"
        if item.name not in data:
            if item.default is MISSING and item.default_factory is MISSING:
                raise InputRefused("bad-recipe", f"entry '{name}' is missing.")
            continue
        if dataclasses.is_dataclass(types[item.name]):
            if not isinstance(data[item.name], dict):
                raise InputRefused("bad-recipe", f"'{name}' must be a table.")
            values[item.name] = build_recipe(types[item.name], data[item.name], f"{name}.")
        else:
            values[item.name] = _checked(data[item.name], types[item.name], name, item.metadata)
    return kind(**values)


def _checked(value: Any, wanted: type, name: str, rule: Any) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise InputRefused("bad-recipe", f"'{name}' must be {wanted.__name__}, got {value!r}.")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not rule["least"] <= value <= rule["most"]:
        limit = f"must be {rule['least']:g} at least" if value < rule["least"] else f"must be {rule['most']:g} at most"
        raise InputRefused("bad-recipe", f"'{name}' {limit}, got {value!r}.")
    if rule["choices"] and value not in rule["choices"]:
        raise InputRefused("bad-recipe", f"'{name}' must be one of {', '.join(rule['choices'])}, got {value!r}.")
    return value
