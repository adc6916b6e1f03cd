"""What ships: CMake lists against the tree, a package built with a stand-in Slicer, and what the Extensions Index checks."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULES = ("LGETextDetect", "LGETextTrain")
REPOSITORY = "SlicerLGETextDetect"
MODULES_FOLDER = "lib/Slicer-0.0/qt-scripted-modules"
DATA = ("Resources/Models", "Resources/SampleStudy")
NO_COMPILER_TEST = ("-DCMAKE_C_COMPILER_FORCED=ON", "-DCMAKE_CXX_COMPILER_FORCED=ON")  # nothing is compiled
OPTIONAL = ("slicer", "highdicom", "torch", "vtk")  # what a library file may lack where it is not used
NOT_SHIPPED = {"CMakeLists.txt"}

# The Extensions Index's entry schema v1.0.2: its required entries, and all that it allows, with their types.
INDEX_SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)
INDEX_REQUIRED = {"$schema", "category", "scm_url"}
INDEX_ALLOWED = {
    "$schema": str, "category": str, "scm_url": str, "scm_revision": str, "scm_type": str, "build_dependencies": list,
    "dicom_support_rule": str, "build_subdirectory": str, "enabled": bool, "tier": int,
}  # fmt: skip


def tree(folder: Path) -> set[str]:
    """Files below a folder that belong to the project, as relative names."""
    names = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return {n.as_posix() for n in names if not any(part.startswith((".", "__pycache__")) for part in n.parts)}


def listed(module: str) -> list[str]:
    """What a module's CMakeLists.txt ships."""
    text = (ROOT / module / "CMakeLists.txt").read_text("utf-8")
    lists = re.findall(r"set\(MODULE_PYTHON_(?:SCRIPTS|RESOURCES)\s+([^)]*?)\)", text)
    return [name.replace("${MODULE_NAME}", module) for names in lists for name in names.split()]


@pytest.mark.parametrize("module", MODULES)
def test_every_file_of_the_tree_is_listed_once(module: str) -> None:
    names = listed(module)
    assert len(names) == len(set(names))
    files = tree(ROOT / module) - NOT_SHIPPED
    assert files == set(names), f"add to {module}/CMakeLists.txt: {files - set(names)}; take out: {set(names) - files}"


def test_names_do_not_collide_in_the_one_folder_of_all_modules() -> None:
    everything = [name for module in MODULES for name in listed(module)]
    assert len(everything) == len(set(everything))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked package's folder of scripted modules."""
    if shutil.which("cmake") is None:
        pytest.skip("NOT RUN: no cmake here; the package was not built")
    build, unpacked = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("package")
    configure = [
        "cmake",
        "-S",
        str(ROOT),
        "-B",
        str(build),
        f"-DSlicer_DIR={HERE / 'stand_in_slicer'}",
        *NO_COMPILER_TEST,
    ]
    for command in (configure, ["cmake", "--build", str(build), "--target", "package"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.unpack_archive(build / "LGETextDetect.tar.gz", unpacked)
    (folder,) = unpacked.rglob(MODULES_FOLDER)
    return folder


def test_package_holds_exactly_what_is_listed_and_the_data(package: Path) -> None:
    data = {f"{folder}/{name}" for folder in DATA for name in tree(ROOT / folder)}
    recipes = {f"Resources/Recipes/{name}" for name in tree(ROOT / "recipes")}
    assert tree(package) == {name for module in MODULES for name in listed(module)} | data | recipes


def run_in_package(package: Path, program: str, folder: Path) -> str:
    """Run a program with nothing but the package on the path, away from the source tree; returns what it printed."""
    start = f"import sys; sys.path.insert(0, {str(package)!r})\n"
    command = [sys.executable, "-I", "-c", start + program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_libraries_import_from_the_package(package: Path, tmp_path: Path) -> None:
    program = f"""
import importlib, pkgutil
import LGETextDetectLib, LGETextTrainLib, LGETextTrainLib.recipe
names = [m.name for m in pkgutil.walk_packages(LGETextDetectLib.__path__, "LGETextDetectLib.")]
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in {OPTIONAL!r}:
            raise
print(LGETextDetectLib.__file__, LGETextTrainLib.__file__, len(names))
"""
    detect, train, count = run_in_package(package, program, tmp_path).split()
    assert Path(detect).parents[1] == Path(train).parents[1] == package
    assert int(count) > 20


def test_the_command_line_runs_from_the_package(package: Path, tmp_path: Path) -> None:
    program = "sys.argv = ['lgetext', '--version']\nfrom LGETextDetectLib.cli import main\nsys.exit(main())"
    assert run_in_package(package, program, tmp_path).startswith("lgetext ")


def test_the_packaged_library_finds_its_model(package: Path, tmp_path: Path) -> None:
    if not (ROOT / "Resources" / "Models").is_dir():
        pytest.skip("NOT RUN: no model bundle in this checkout")
    program = "from LGETextDetectLib.bundle import default_bundle\nprint(default_bundle())"
    assert run_in_package(package, program, tmp_path).startswith(str(package / "Resources" / "Models"))


def test_modules_open_from_the_package(package: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("slicer") is None or importlib.util.find_spec("PySide6") is None:
        pytest.skip("slicer-core and PySide6 are not installed here; `make test-slicer` runs this test in .venv-slicer")
    program = f"""
sys.path.append({str(HERE)!r})
import slicer_stand_in
slicer_stand_in.install()
import LGETextDetect, LGETextTrain
for widget in (LGETextDetect.LGETextDetectWidget, LGETextTrain.LGETextTrainWidget):
    with slicer_stand_in.panel(widget) as panel:
        assert "not for diagnosis" in panel.ui.researchLabel.text
assert LGETextDetect.REQUIREMENTS.is_file() and LGETextTrain.REQUIREMENTS.is_file()
print(LGETextDetect.__file__)
"""
    assert Path(run_in_package(package, program, tmp_path).strip()).parent == package


# --- what pip installs ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install .` puts into site-packages, made by its own build step from a copy of the tree."""
    pytest.importorskip("setuptools", reason="NOT RUN: no setuptools here; what pip installs was not built")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in (*MODULES, "Resources"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-c",
        "import setuptools; setuptools.setup()",
        "-q",
        "build_py",
        "--build-lib",
        str(built),
    ]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return built


@pytest.mark.parametrize("folder", DATA)
def test_pip_installs_the_data(installed: Path, folder: str) -> None:
    assert tree(installed / "LGETextDetectLib" / folder) == tree(ROOT / folder)


def test_what_pip_installs_finds_its_model_and_study(installed: Path, tmp_path: Path) -> None:
    if not (ROOT / "Resources" / "Models").is_dir():
        pytest.skip("NOT RUN: no model bundle in this checkout")
    program = """
from LGETextDetectLib.bundle import default_bundle, open_bundle
from LGETextDetectLib.study import sample_study
print(open_bundle(default_bundle()).folder, sample_study(), sep="\\n")
"""
    folders = run_in_package(installed, program, tmp_path).splitlines()
    assert all(Path(folder).is_relative_to(installed) for folder in folders) and len(folders) == 2


def test_pip_installs_every_file_of_both_libraries(installed: Path) -> None:
    for module in MODULES:
        library = f"{module}Lib"
        files = {name for name in tree(ROOT / module / library) if name.endswith((".py", ".json"))}
        assert files <= tree(installed / library)


# --- what the Extensions Index checks --------------------------------------------------------------------------------


def extension(entry: str) -> str:
    """A set(EXTENSION_...) of the top CMakeLists.txt; it must stand on one line."""
    (value,) = re.findall(
        rf'^set\(EXTENSION_{entry} "(.*)"\)$', (ROOT / "CMakeLists.txt").read_text("utf-8"), re.MULTILINE
    )
    return str(value)


def test_index_entry_fits_the_schema() -> None:
    (path,) = ROOT.glob("*.json")
    entry = json.loads(path.read_text("utf-8"))
    assert entry.keys() >= INDEX_REQUIRED
    assert all(type(value) is INDEX_ALLOWED[key] for key, value in entry.items())  # KeyError: not allowed
    assert entry["$schema"] == INDEX_SCHEMA
    assert 1 <= entry["tier"] <= 5 and all(type(name) is str for name in entry["build_dependencies"])


def test_index_entry_and_cmake_say_the_same() -> None:
    entry = json.loads((ROOT / "LGETextDetect.json").read_text("utf-8"))
    assert entry["category"] == extension("CATEGORY") == "Cardiac"
    assert entry["scm_url"].rsplit("/", 1)[-1].removesuffix(".git") == REPOSITORY
    assert extension("HOMEPAGE") == entry["scm_url"]
    assert "project(LGETextDetect)" in (ROOT / "CMakeLists.txt").read_text("utf-8")
    assert (extension("DEPENDS") == "NA") == (entry["build_dependencies"] == [])
    assert "not for diagnosis" in extension("DESCRIPTION") and extension("CONTRIBUTORS")


@pytest.mark.parametrize(
    ("modality", "description", "suggested"),
    [
        ("MR", "SA PSIR LGE 10 min", True),
        ("MR", "delayed enhancement", True),
        ("MR", "cine SA", False),
        ("CT", "LGE", False),
    ],
)
def test_dicom_support_rule_suggests_the_extension_for_lge(modality: str, description: str, suggested: bool) -> None:
    rule_engine = pytest.importorskip("rule_engine", reason="`make test-slicer` runs this test in .venv-slicer")
    rule = rule_engine.Rule(json.loads((ROOT / "LGETextDetect.json").read_text("utf-8"))["dicom_support_rule"])
    assert rule.matches({"Modality": modality, "SeriesDescription": description}) is suggested


def test_screenshot_is_at_its_address_and_all_pictures_of_the_readme_are_there() -> None:
    assert (ROOT / extension("SCREENSHOTURLS").split(f"/{REPOSITORY}/main/")[1]).is_file()
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert pictures and all((ROOT / name).is_file() for name in pictures)


def test_icon_is_a_png_of_128_pixels_at_its_address() -> None:
    inside = extension("ICONURL").split(f"/{REPOSITORY}/main/")[1]
    head = (ROOT / inside).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", head[16:24]) == (128, 128)


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_its_own_icon(module: str) -> None:
    head = (ROOT / module / "Resources" / "Icons" / f"{module}.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:24]) == (128, 128)


def test_licence_lies_in_the_root_and_resources_hold_no_code() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    folders = [ROOT / "Resources", *(ROOT / module / "Resources" for module in MODULES)]
    assert not [name for folder in folders for name in tree(folder) if name.endswith((".py", ".sh", ".cmake"))]


def test_every_make_target_that_is_written_about_has_a_rule() -> None:
    """A name that stands under .PHONY only would say 'Nothing to be done' and succeed."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    rules = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    assert phony <= rules, phony - rules
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    said = {
        name for text in texts for name in re.findall(r"(?:`|^ *)make ([a-z-]+)", text.read_text("utf-8"), re.MULTILINE)
    }
    assert "demo" in said and said <= rules, said - rules


def test_the_program_and_its_package_name_one_version() -> None:
    (packaged,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    library = (ROOT / "LGETextDetect" / "LGETextDetectLib" / "__init__.py").read_text("utf-8")
    assert f'__version__ = "{packaged}"' in library
