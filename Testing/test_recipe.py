"""A recipe is refused by the name of what is wrong in it."""

from pathlib import Path

import pytest
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.recipe import read_recipe

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
