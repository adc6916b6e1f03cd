"""Imports run one way: a file of the detection library imports only files that stand above it here.

The order is the way of the data: words and numbers first, then series -> volume -> landmarks -> normalised stack ->
model -> result -> outputs, then what runs them.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DETECT = ROOT / "LGETextDetect" / "LGETextDetectLib"
TRAIN = ROOT / "LGETextTrain" / "LGETextTrainLib"
ORDER = """
    refusal output_folder child_process detached_child events aha finding
    wording reports questions
    result_files data_files input_files inflated volume orientation padding dicom_frames dicom_pixels nifti series_kind stacks series volume_files
    patches ghosting heart landmarks manual_landmarks markups wall_shape normalised segment_places
    looks views wall_regions surroundings tokens unet bundle backends decisions model
    quality result outputs study
    worker_pool results_table studies_below summary_text batch cli __main__ mrml mrml_roles mrml_tables mrml_results mrml_bundle
""".split()
ORDER_INSIDE = {
    "wording": """
        lexicon phrase_table phrases headings words marks sentences
        levels places reading tables clauses colons amounts comparisons forms topics scope lesions earlier votes referents report
        statements sides shorthand background unasked prompt write
    """.split(),
    "outputs": """
        bullseye_svg slice_pictures report_style report_words report_html dicom_codes dicom_sources dicom_report dicom_objects write_outputs
    """.split(),
}
FRAMEWORKS = {
    "torch": {"backends", "unet"},
    "onnxruntime": {"backends"},
    "slicer": {"mrml", "mrml_results", "mrml_bundle"},
    "vtk": {"mrml", "mrml_results", "mrml_tables"},
    "qt": set(),
    "transformers": set(),
    "monai": set(),
}


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """(dotted name, at file scope) of every import; names inside the package begin with a dot."""
    tree = ast.parse(path.read_text("utf-8"))
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [base] if node.module else [base + alias.name for alias in node.names]
            found += [(name, id(node) in top) for name in names]
    return found


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("folder", ["", *ORDER_INSIDE])
def test_every_file_has_its_place(folder: str) -> None:
    order = ORDER_INSIDE.get(folder, ORDER)
    names = {p.stem for p in files(DETECT) if p.parent == DETECT / folder} | (set() if folder else set(ORDER_INSIDE))
    assert names <= set(order), f"say where {sorted(names - set(order))} stand"
    assert set(order) <= names, f"{sorted(set(order) - names)} are gone"


@pytest.mark.parametrize("path", files(DETECT), ids=lambda p: p.relative_to(DETECT).as_posix())
def test_imports_point_up(path: Path) -> None:
    folder = "" if path.parent == DETECT else path.parent.name
    for name, _ in imports_of(path):
        if not name.startswith("."):
            assert name.split(".")[0] != "LGETextTrainLib" or path.stem == "cli", f"{path.name} imports {name}"
            continue
        target = name.lstrip(".").split(".")[0]
        beside = folder and not name.startswith("..")
        order, place = (ORDER_INSIDE[folder], path.stem) if beside else (ORDER, folder or path.stem)
        if target != "__version__":
            assert order.index(target) < order.index(place), f"{path.name} imports {target}, which stands below it"


@pytest.mark.parametrize("path", files(DETECT), ids=lambda p: p.stem)
def test_frameworks_stay_where_they_belong(path: Path) -> None:
    for name, at_file_scope in imports_of(path):
        framework = name.split(".")[0]
        if framework in FRAMEWORKS:
            assert path.stem in FRAMEWORKS[framework], f"{path.name} imports {framework}"
            assert not (at_file_scope and path.stem == "backends"), "backends imports frameworks when used"


@pytest.mark.parametrize("path", files(TRAIN), ids=lambda p: p.stem)
def test_training_knows_no_slicer(path: Path) -> None:
    assert not {name.split(".")[0] for name, _ in imports_of(path)} & {"slicer", "vtk", "qt"}


def test_shells_hold_no_algorithm() -> None:
    for shell in (ROOT / "LGETextDetect" / "LGETextDetect.py", ROOT / "LGETextTrain" / "LGETextTrain.py"):
        assert not {name.split(".")[0] for name, _ in imports_of(shell)} & {
            "scipy",
            "torch",
            "onnxruntime",
            "pydicom",
        }
