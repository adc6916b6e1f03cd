"""A folder that holds several studies: each gets its own answer, and nothing is mixed or lost."""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import write_headers
from dicom_cases import another, sound_series, sound_volume, two_patients, write
from LGETextDetectLib import cli, dicom_frames, studies_below
from LGETextDetectLib.batch import BatchOptions, run_batch
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.results_table import failed_row, read_rows, write_rows
from LGETextDetectLib.studies_below import DAMAGED, Study, StudyKey, _study_of, find_studies, source_at
from LGETextDetectLib.study import detect
from LGETextDetectLib.volume_files import load_study
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian


def found(root: Path) -> list[tuple[str, str, str | list[str]]]:
    """Name, path and files of every study; '/' where a whole folder or one volume file is read."""
    studies = find_studies(root)
    return [(study.name, study.path, files(study, root)) for study in studies]


def files(study: Study, root: Path) -> str | list[str]:
    if isinstance(study.source, Path):
        return "/"
    return [path.relative_to(root).as_posix() for path in study.source]


def damage(path: Path) -> None:
    """A DICOM file that ends at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 128 + b"DICM" + b"junk")


# --- which files are one study ---------------------------------------------------------------------------------------


def test_a_flat_folder_is_as_many_studies_as_it_names(tmp_path: Path) -> None:
    for number, (patient, study) in enumerate([("A", "1.1"), ("B", "1.2"), ("A", "1.1"), ("A", "1.3"), ("B", "1.2")]):
        write_headers(tmp_path / "all" / f"IM{number}", patient, study)
    assert found(tmp_path) == [
        ("all_IM0", "all/IM0", ["all/IM0", "all/IM2"]),
        ("all_IM1", "all/IM1", ["all/IM1", "all/IM4"]),
        ("all_IM3", "all/IM3", ["all/IM3"]),  # another study of the first patient
    ]
    assert [(name, path) for name, path, _ in found(tmp_path / "all")] == [
        ("IM0", "IM0"), ("IM1", "IM1"), ("IM3", "IM3"),
    ]  # fmt: skip


def test_series_folders_of_several_studies_are_put_together(tmp_path: Path) -> None:
    for series, study in (("s1", "1.1"), ("s2", "1.2"), ("s3", "1.1"), ("deep/s4", "1.1")):
        write_headers(tmp_path / series / "1.dcm", "A", study)
    assert found(tmp_path) == [
        ("deep", "deep/s4/1.dcm", ["deep/s4/1.dcm", "s1/1.dcm", "s3/1.dcm"]),
        ("s2", "s2", "/"),
    ]


def test_a_study_in_a_folder_of_its_own_and_in_a_mixed_one_is_one(tmp_path: Path) -> None:
    write_headers(tmp_path / "alone" / "a", "A", "1.1")
    write_headers(tmp_path / "alone" / "more" / "b", "A", "1.1")
    write_headers(tmp_path / "mixed" / "c", "A", "1.1")
    write_headers(tmp_path / "mixed" / "d", "B", "1.2")
    assert found(tmp_path) == [
        ("alone", "alone/a", ["alone/a", "alone/more/b", "mixed/c"]),
        ("mixed_d", "mixed/d", ["mixed/d"]),
    ]


def test_the_files_above_folders_of_other_studies_are_one_study(tmp_path: Path) -> None:
    for name in ("1", "2"):
        write_headers(tmp_path / "p" / name, "A", "1.1")
    write_headers(tmp_path / "p" / "later" / "1", "A", "1.2")
    assert found(tmp_path) == [("later", "p/later", "/"), ("p_1", "p/1", ["p/1", "p/2"])]


def test_names_stay_when_other_studies_are_added(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        for number in range(4):
            write_headers(tmp_path / folder / f"IM{number}", f"{folder}{number % 2}", f"1.{ord(folder)}.{number % 2}")
    before = found(tmp_path)
    for number in range(9):
        write_headers(tmp_path / "x" / f"A{number}", "new", "1.9")
        write_headers(tmp_path / "w" / f"IM{number}", f"w{number}", f"1.8.{number}")
    assert [study for study in found(tmp_path) if study in before] == before


def test_folders_of_different_patients_under_one_study_stay_apart(tmp_path: Path) -> None:
    """Careless de-identification gives one UID to all."""
    for patient in "ab":
        write_headers(tmp_path / patient / "1", patient, "1.1")
    write_headers(tmp_path / "c" / "1", "c", "1.2")
    assert [path for _, path, _ in found(tmp_path)] == ["a", "b", "c"]


def test_two_patients_in_one_study_are_refused_and_not_taken_apart(tmp_path: Path) -> None:
    two_patients(tmp_path / "p", sound_series())
    (study,) = find_studies(tmp_path)
    with pytest.raises(InputRefused, match="two-patients"):
        load_study(study.source)


def test_damaged_files_and_files_of_no_study_beside_several_are_listed_apart(tmp_path: Path) -> None:
    for number in range(4):
        write_headers(tmp_path / f"IM{number}", "AB"[number % 2], f"1.{number % 2}")
    damage(tmp_path / "IM4")
    damage(tmp_path / "IM5")
    for number, patient in enumerate("ACC"):
        write_headers(tmp_path / f"no{number}", patient, "")
    (tmp_path / "notes.txt").write_text("no image", "utf-8")
    assert [files for *_, files in found(tmp_path)] == [
        ["IM0", "IM2"], ["IM1", "IM3"], ["IM4"], ["IM5"], ["no0"], ["no1", "no2"],
    ]  # fmt: skip


def test_a_file_of_no_study_beside_the_only_one_has_it_refused(tmp_path: Path) -> None:
    write(tmp_path / "p", [*sound_series(), *another(sound_series()[:1], 9, StudyInstanceUID="")])
    (study,) = find_studies(tmp_path)
    with pytest.raises(InputRefused, match=r"several-studies: 1 of 9 late enhancement images name no study"):
        load_study(study.source)


def test_what_names_the_study_is_read_and_nothing_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without the DICOM prefix, deflated, and of a file that is cut off behind it; never inflated beyond reason."""
    plain, old, deflated, cut, bomb = (tmp_path / name for name in ("plain", "old", "deflated", "cut", "bomb"))
    dataset = sound_series()[0]
    write(plain, [dataset])
    write(old, [dataset], ImplicitVRLittleEndian)
    write(deflated, [dataset], DeflatedExplicitVRLittleEndian)
    data = (old / "IM0000.dcm").read_bytes()
    (old / "IM0000.dcm").write_bytes(data[144 + int.from_bytes(data[140:144], "little") :])
    write(cut, [dataset])
    data = (cut / "IM0000.dcm").read_bytes()
    (cut / "IM0000.dcm").write_bytes(data[: data.index(b"2.25.30") + 20])
    for folder in (plain, old, deflated, cut):
        assert _study_of(folder / "IM0000.dcm") == StudyKey("SECRET-ID", "2.25.30"), folder.name
    dataset.PixelData = bytes(2**21)
    write(bomb, [dataset], DeflatedExplicitVRLittleEndian)
    monkeypatch.setattr(dicom_frames, "MAX_INFLATED", 2**20)
    assert _study_of(bomb / "IM0000.dcm") == DAMAGED


def test_many_headers_are_read_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        write_headers(tmp_path / "all" / f"IM{number}", "AB"[number % 2], f"1.{number % 2}")
    damage(tmp_path / "all" / "damaged")
    expected = find_studies(tmp_path)
    said: list[tuple[str, int, int]] = []
    events = Events()
    monkeypatch.setattr(events, "progress", lambda *step: said.append(step))
    monkeypatch.setattr(studies_below, "FILES_A_WORKER", 3)
    monkeypatch.setattr(studies_below, "FILES_A_TASK", 2)
    assert find_studies(tmp_path, events=events) == expected
    assert said == [("headers", done, 8) for done in (2, 4, 6, 8)]
    monkeypatch.setattr(studies_below, "_study_of", lambda _: pytest.fail("this process has read a header"))
    assert find_studies(tmp_path, workers=4, events=events) == expected
    assert len(expected) == 3 and len(said) == 8


@pytest.mark.parametrize("folder", ["-001", "'-001", "=x", "tab\there", " a"])
def test_a_row_whose_path_no_table_can_hold_is_found_again(folder: str, tmp_path: Path) -> None:
    write_headers(tmp_path / folder / "1", "A", "1.1")
    write_headers(tmp_path / "other" / "1", "B", "1.2")
    (tmp_path / "-v.nrrd").touch()
    (tmp_path / "'-001" / "-001").mkdir(parents=True, exist_ok=True)
    studies = find_studies(tmp_path)
    rows = [failed_row(study.name, study.path, "refused", "x") for study in studies]
    write_rows(tmp_path / "out.csv", rows)
    assert [source_at(tmp_path, row["path"]) for row in read_rows(tmp_path / "out.csv")] == [
        study.source for study in studies
    ]
    assert len(studies) == 3


def test_the_source_of_a_row_is_found_again(tmp_path: Path) -> None:
    for number in range(4):
        write_headers(tmp_path / "all" / f"IM{number}", "AB"[number % 2], f"1.{number % 2}")
    write_headers(tmp_path / "c" / "1", "C", "1.9")
    (tmp_path / "v.nrrd").touch()
    for study in find_studies(tmp_path):
        assert source_at(tmp_path, study.path) == study.source
        assert pickle.loads(pickle.dumps(study)) == study
    (tmp_path / "all" / "IM0").unlink()
    with pytest.raises(InputRefused, match="not-found"):
        source_at(tmp_path, "all/IM0")


# --- one study is asked for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["detect", "{}", "--out", "o"], ["inspect", "{}"], ["query", "{}", "any scar?"]])
def test_a_folder_of_several_studies_is_refused_with_a_way_out(
    command: Sequence[str],
    tmp_path: Path,
    untrained_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LGETEXT_BUNDLE", str(untrained_bundle))
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in", sound_series() + another(sound_series(), 9, StudyInstanceUID="2.25.31"))
    assert cli.main([word.format(tmp_path / "in") for word in command]) == 3
    said = capsys.readouterr()
    assert said.err.startswith("refused [several-studies]: The late enhancement images belong to 2 studies.")
    assert "lgetext batch" in said.err and said.err.count("\n") == 1
    assert "2.25" not in said.err + said.out and not (tmp_path / "o").exists()


def test_images_of_another_study_beside_the_only_late_enhancement_do_no_harm(tmp_path: Path) -> None:
    cine = another(sound_series(), 9, StudyInstanceUID="2.25.31", SeriesDescription="Cine_SAX")
    write(tmp_path / "mixed", sound_series() + cine)
    write(tmp_path / "alone", sound_series())
    assert load_study(tmp_path / "mixed").facts.sha256 == load_study(tmp_path / "alone").facts.sha256


# --- whole batches ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three virtual patients as DICOM, a folder each."""
    from LGETextTrainLib.dicom_study import write_dicom_study
    from LGETextTrainLib.patient import draw
    from LGETextTrainLib.virtual_study import render_study

    root = tmp_path_factory.mktemp("apart")
    for number in range(3):
        study = render_study(draw(np.random.default_rng((5, number)), scar_share=1.0))
        write_dicom_study(study, root / f"p{number}", number, identity=f"SECRET-{number}")
    return root


def flatten(apart: Path, flat: Path, patients: Sequence[int]) -> None:
    """All files of these patients in one folder, one of each patient in turn."""
    flat.mkdir(parents=True)
    paths = {number: sorted(path for path in (apart / f"p{number}").rglob("*.dcm")) for number in patients}
    for place in range(max(map(len, paths.values()))):
        for number in patients:
            if place < len(paths[number]):
                (flat / f"IM{place:03d}{number}").write_bytes(paths[number][place].read_bytes())


def answer(path: Path) -> dict:
    return {key: value for key, value in json.loads(path.read_text("utf-8")).items() if key != "seconds"}


class Log(Events):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)


def test_a_batch_answers_every_study_of_a_flat_folder_as_if_it_lay_alone(
    apart: Path, tmp_path: Path, bundled_model: Path
) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    flatten(apart, root / "all", (0, 1))
    damage(root / "all" / "damaged")
    assert run_batch(root, out, BatchOptions(workers=2)) == 5
    rows = read_rows(out / "results.csv")
    assert [(row["study"], row["path"], row["status"]) for row in rows] == [
        ("all_IM0000", "all/IM0000", "ok"), ("all_IM0001", "all/IM0001", "ok"), ("all_damaged", "all/damaged", "refused"),
    ]  # fmt: skip
    engine = Engine(bundled_model)
    for number in range(2):
        alone = detect(apart / f"p{number}", engine).result
        assert json.loads(json.dumps({**alone, "seconds": 0})) == answer(out / f"all_IM000{number}" / "result.json") | {
            "seconds": 0
        }
    written = "".join(path.read_text("utf-8", "replace") for path in out.rglob("*") if path.is_file())
    assert "SECRET" not in written and "2.25." not in written

    _add_a_study_and_resume(apart, root, out)


def _add_a_study_and_resume(apart: Path, root: Path, out: Path) -> None:
    """What is done stays; a study whose images are exchanged is detected again, its neighbours are not."""
    for path in (apart / "p2").rglob("*.dcm"):
        (root / "all" / f"0{path.parent.name}{path.name}").write_bytes(path.read_bytes())
    log = Log()
    for shard in (1, 2):
        run_batch(root, out, BatchOptions(workers=1, resume=True, shard=(shard, 2)), log)
    assert [line for line in log.lines if "already" in line] == [
        "1 of 2 studies are done already", "1 of 2 studies are done already",
    ]  # fmt: skip
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok", "ok", "ok", "refused"]


def write_two(root: Path, change: Callable[[list[Dataset]], None] = lambda series: None) -> None:
    """Two studies of noise in one folder."""
    first, second = sound_series(), another(sound_series(sound_volume(1)), 9, StudyInstanceUID="2.25.31")
    change(second)
    write(root, [dataset for pair in zip(first, second, strict=True) for dataset in pair])


def test_the_images_of_a_study_are_compared_alone(tmp_path: Path) -> None:
    """What --resume compares: exchanged pixels of one study change its hash and no other's."""

    def darker(series: list[Dataset]) -> None:
        series[3].PixelData = bytes(8) + series[3].PixelData[8:]

    write_two(tmp_path / "before")
    write_two(tmp_path / "after", darker)
    before, after = (
        [load_study(s.source).facts for s in find_studies(tmp_path / name)] for name in ("before", "after")
    )
    assert [facts.files for facts in before] == [8, 8]
    assert before[0].sha256 == after[0].sha256 and before[1].sha256 != after[1].sha256
