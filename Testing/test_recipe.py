"""A recipe is refused by the name of what is wrong in it."""

from dataclasses import fields
from pathlib import Path

import pytest
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.recipe import (
    PAINTED_KINDS,
    CineTable,
    HospitalRecipe,
    PaintTable,
    Recipe,
    documented,
    read_hospital_recipe,
    read_recipe,
    write_hospital_recipe,
)

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.mark.parametrize("name", ["full.toml", "tiny.toml"])
def test_kept_recipes_are_read(name: str) -> None:
    recipe = read_recipe(RECIPES / name)
    assert recipe.heart.steps > 0
    assert recipe.calibration.test_patients > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("steps = 120\nbatch = 16\n\n[scar]", "stepps = 120\nbatch = 16\n\n[scar]"), "heart.stepps"),
        (("seed = 7", 'seed = "seven"'), "'seed' must be int"),
        (("patients = 40", "patients = -1"), "language.patients"),
        (("steps = 120\nbatch = 16", "steps = 120\nbatch = 0"), "'heart.batch' must be 1 at least"),
        (("[calibration]", "[calibratoin]"), "calibratoin"),
        (("seed = 7\n", ""), "'seed' is missing"),
        (("[heart]", "[heart"), "no readable TOML"),
    ],
)
def test_wrong_recipe_is_refused(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = (RECIPES / "tiny.toml").read_text("utf-8")
    assert change[0] in text
    path = tmp_path / "recipe.toml"
    path.write_text(text.replace(*change), "utf-8")
    with pytest.raises(InputRefused) as refused:
        read_recipe(path)
    assert refused.value.code == "bad-recipe"
    assert words in refused.value.cause


HOSPITAL = """
name = "h"
version = "1"
seed = 1
[data]
studies = "studies"
reports = "/abs/reports.csv"
"""


NO_KIND = "\n".join(f"{kind} = 0" for kind in PAINTED_KINDS)


def hospital(folder: Path, text: str = HOSPITAL) -> Path:
    path = folder / "hospital.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_table_of_data_makes_it_a_hospitals(tmp_path: Path) -> None:
    recipe = read_recipe(hospital(tmp_path))
    assert isinstance(recipe, HospitalRecipe)
    assert recipe.data.studies == str(tmp_path.resolve() / "studies") and recipe.data.reports == "/abs/reports.csv"
    assert isinstance(read_recipe(RECIPES / "tiny.toml"), Recipe)
    assert isinstance(read_recipe(RECIPES / "hospital.toml"), HospitalRecipe)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[data]", "[data]\nstudy = 1"), "unknown entry 'data.study'; known are max_left_out"),
        (("seed = 1", "seed = 1\n[paint]\nshare = 1.5"), "'paint.share' must be 1 at most"),
        (("seed = 1", "seed = 1\n[start]\nweights = 'some'"), "must be one of all, heart, none"),
        (("seed = 1", "seed = 1\n[run]\ntensorboard = 1"), "'run.tensorboard' must be bool"),
        (('reports = "/abs/reports.csv"', ""), "'data.reports' is missing"),
        (('name = "h"', 'name = "../h"'), "letters, digits"),
        (("seed = 1", "seed = 1\n[scar]\nbatch = 0"), "'scar.batch' must be 1 at least"),
        (("seed = 1", "seed = 1\n[scar]\naccumulate = 0"), "'scar.accumulate' must be 1 at least"),
        (("seed = 1", "seed = 1\n[text]\nbatch = 0"), "'text.batch' must be 1 at least"),
        (("seed = 1", "seed = 1\n[text]\nquestions = 0"), "'text.questions' must be 1 at least"),
        (("seed = 1", "seed = 1\n[text]\nheads = 7"), "'text.width' must be a multiple of 'text.heads', got 96 and 7"),
        (("seed = 1", "seed = 1\n[text]\nheads = 0"), "'text.heads' must be 1 at least"),
        (("seed = 1", "seed = 1\n[text]\nwidth = 0"), "'text.width' must be 1 at least"),
        (("seed = 1", f"seed = 1\n[paint]\n{NO_KIND}"), "'paint.ischaemic' and the other kinds are all 0"),
    ],
)
def test_a_wrong_hospital_recipe_is_refused(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    assert change[0] in HOSPITAL
    with pytest.raises(InputRefused) as refused:
        read_hospital_recipe(hospital(tmp_path, HOSPITAL.replace(*change)))
    assert refused.value.code == "bad-recipe" and words in refused.value.cause


def test_without_paintings_no_kind_need_be_drawn(tmp_path: Path) -> None:
    recipe = hospital(tmp_path, HOSPITAL.replace("seed = 1", f"seed = 1\n[paint]\nshare = 0\n{NO_KIND}"))
    assert read_hospital_recipe(recipe).paint.kinds() == {}
    assert set(PaintTable().kinds()) == {f.name for f in fields(PaintTable)} - {
        "share",
        "certainty",
        "varied_sentences",
    }


def test_virtual_recipes_are_no_hospitals() -> None:
    with pytest.raises(InputRefused, match="virtual patients"):
        read_hospital_recipe(RECIPES / "tiny.toml")


def test_every_entry_says_what_it_does() -> None:
    docs = documented(HospitalRecipe)
    assert len({doc.name for doc in docs}) == len(docs) > 40
    assert all(len(doc.said) > 8 and doc.kind in ("int", "float", "str", "bool") for doc in docs)


def test_a_written_recipe_is_read_back(tmp_path: Path) -> None:
    recipe = read_hospital_recipe(hospital(tmp_path, HOSPITAL.replace('"studies"', "'a \"b\" ü'")))
    write_hospital_recipe(recipe, tmp_path / "again" / "full.toml")
    assert read_hospital_recipe(tmp_path / "again" / "full.toml") == recipe


def test_the_documentation_lists_every_entry_as_it_is() -> None:
    text = (RECIPES.parent / "docs" / "training.md").read_text("utf-8")
    for doc in documented(HospitalRecipe):
        shown = (
            "must be given"
            if doc.default is None
            else (doc.default or "empty")
            if doc.kind == "str"
            else repr(doc.default)
        )
        assert f"| `{doc.name}` | {doc.kind} | {shown} | {doc.said} |" in text


def test_every_entry_of_the_cine_table_is_documented() -> None:
    text = (RECIPES.parent / "docs" / "training.md").read_text("utf-8")
    for doc in documented(CineTable, "cine."):
        assert f"| `{doc.name}` | {doc.kind} | {'empty' if doc.default == '' else doc.default} | {doc.said} |" in text


def test_a_folder_of_cine_counts_from_the_recipe(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text((RECIPES / "tiny.toml").read_text("utf-8") + '\n[cine]\nfolder = "cine"\n', "utf-8")
    assert read_recipe(recipe).cine.folder == str(tmp_path.resolve() / "cine")
    assert read_recipe(RECIPES / "tiny.toml").cine.folder == ""
