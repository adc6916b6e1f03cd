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
    wording_lexicon wording_phrase_table wording_phrases wording_headings wording_words wording_marks wording_sentences
    wording_levels wording_places wording_reading wording_tables wording_clauses wording_colons wording_amounts wording_comparisons wording_forms wording_topics wording_scope wording_lesions wording_earlier wording_votes wording_referents wording_report
    wording_statements wording_sides wording_shorthand wording_background wording_unasked wording_prompt wording_write wording reports questions
    result_files data_files input_files inflated volume orientation padding dicom_frames dicom_pixels nifti series_kind stacks series volume_files
    patches heart landmarks manual_landmarks markups wall_shape normalised segment_places
    looks views wall_regions surroundings tokens unet bundle backends decisions model
    quality result outputs study
    worker_pool results_table studies_below summary_text batch cli __main__ mrml mrml_roles mrml_tables mrml_results mrml_bundle
""".split()
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


def test_every_file_has_its_place() -> None:
    names = {p.stem for p in files(DETECT) if p.parent == DETECT}
    assert names <= set(ORDER), f"say where {sorted(names - set(ORDER))} stand"
    assert set(ORDER) <= names | {"outputs"}, f"{sorted(set(ORDER) - names - {'outputs'})} are gone"


@pytest.mark.parametrize("path", files(DETECT), ids=lambda p: p.stem)
def test_imports_point_up(path: Path) -> None:
    inside_outputs = path.parent.name == "outputs"
    place = ORDER.index("outputs" if inside_outputs else path.stem)
    for name, _ in imports_of(path):
        if not name.startswith("."):
            assert name.split(".")[0] != "LGETextTrainLib" or path.stem == "cli", f"{path.name} imports {name}"
            continue
        level = len(name) - len(name.lstrip("."))
        target = name.lstrip(".").split(".")[0]
        if target == "__version__" or (inside_outputs and level == 1):
            continue
        assert ORDER.index(target) < place, f"{path.name} imports {target}, which stands below it"


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
