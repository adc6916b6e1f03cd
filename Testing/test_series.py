"""Every legal way to store a study gives the same physical volume; every refused one is refused with its code."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from dicom_cases import (
    LEGAL,
    REFUSED,
    SLICE_MM,
    Mutation,
    absurd_deflated,
    absurd_frames,
    absurd_matrix,
    another,
    mosaic,
    one_slice_retaken,
    repeated_later,
    scrambled,
    sound_series,
    sound_volume,
    stored_twice,
    time_series,
    with_companions,
    with_magnitude,
    write,
)
from LGETextDetectLib import dicom_frames
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.series import choose_stack, inspect_folder
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import load_study
from pydicom import config

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")  # some series are meant to be invalid

IDENTIFIERS = ("secret", "2.25.", "IM0")


def same_physical_volume(found: Volume, expected: Volume, tolerance_mm: float = 1e-4) -> None:
    """Each voxel of ``found`` lies on a voxel of ``expected`` and has its value; none is left over."""
    assert found.array.size == expected.array.size
    index = np.stack(np.meshgrid(*map(np.arange, found.array.shape), indexing="ij"), -1)
    where = np.round(expected.to_index(found.to_lps(index))).astype(int)
    assert np.abs(expected.to_lps(where) - found.to_lps(index)).max() <= tolerance_mm
    assert np.unique(where.reshape(-1, 3), axis=0).shape == (found.array.size, 3)
    assert np.array_equal(expected.array[tuple(np.moveaxis(where, -1, 0))], found.array)


@pytest.mark.parametrize("mutation", LEGAL, ids=lambda m: m.__name__)
def test_legal(mutation: Mutation, tmp_path: Path) -> None:
    mutation(tmp_path, sound_series())
    study = load_study(tmp_path)
    same_physical_volume(study.volume, sound_volume(), 0.02 if mutation.__name__ == "rounded_positions" else 1e-4)
    assert study.volume.image_type == "psir"
    assert study.facts.slices == len(sound_volume().array)
    assert study.facts.spacing_mm == pytest.approx(study.volume.spacing_mm)
    assert study.frames is not None
    for k, frame in enumerate(study.frames):
        assert np.allclose(study.volume.to_lps((k, 0, 0)), frame.position, atol=0.02)


@pytest.mark.parametrize(("mutation", "code"), REFUSED, ids=lambda v: getattr(v, "__name__", v))
def test_refused(mutation: Mutation, code: str, tmp_path: Path) -> None:
    mutation(tmp_path, sound_series())
    with pytest.raises(InputRefused) as refused:
        load_study(tmp_path)
    assert refused.value.code == code
    line = str(refused.value)
    assert refused.value.cause and refused.value.remedy and "\n" not in line
    assert not any(word.casefold() in line.casefold() for word in (*IDENTIFIERS, str(tmp_path)))


@pytest.mark.parametrize("mutation", [absurd_matrix, absurd_frames])
def test_absurd_sizes_are_refused_before_allocation(mutation: Mutation, tmp_path: Path) -> None:
    mutation(tmp_path, sound_series())
    tracemalloc.start()
    with pytest.raises(InputRefused, match="absurd-size"):
        load_study(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_deflated_file_is_not_inflated_beyond_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absurd_deflated(tmp_path, sound_series())
    monkeypatch.setattr(dicom_frames, "MAX_INFLATED", 2**20)
    tracemalloc.start()
    with pytest.raises(InputRefused, match="absurd-size"):
        inspect_folder(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 2**20  # two pieces of one MiB at most


def test_many_large_slices_are_refused_before_reading(tmp_path: Path) -> None:
    """Each slice is of a possible size, together they are not."""
    series = sound_series(sound_volume(slices=9))
    for dataset in series:
        dataset.Rows = dataset.Columns = 4096
    write(tmp_path, series)
    with pytest.raises(InputRefused, match="absurd-size"):
        load_study(tmp_path)


@pytest.mark.parametrize(
    ("mutation", "code"),
    [
        (repeated_later, "other-acquisitions"),
        (one_slice_retaken, "retaken-slices"),
        (stored_twice, "duplicate-images"),
    ],
    ids=lambda v: getattr(v, "__name__", v),
)
def test_what_was_decided_is_noted(mutation: Mutation, code: str, tmp_path: Path) -> None:
    mutation(tmp_path, sound_series())
    assert [note for note, _ in load_study(tmp_path).notes] == [code]


def test_a_mosaic_is_refused_with_its_own_remedy(tmp_path: Path) -> None:
    mosaic(tmp_path, sound_series())
    with pytest.raises(InputRefused, match="Export the series with each slice as an image"):
        load_study(tmp_path)
    assert "Refused: four-dimensional: A picture is a mosaic" in inspect_folder(tmp_path).to_text()


def test_sound_series_has_no_note(tmp_path: Path) -> None:
    write(tmp_path, sound_series())
    assert load_study(tmp_path).notes == ()


def test_blank_slice_is_noted(tmp_path: Path) -> None:
    series = sound_series()
    series[2].PixelData = bytes(len(series[2].PixelData))
    write(tmp_path, series)
    assert load_study(tmp_path).notes == (("blank-slices", "1 slice(s) hold no image (number 3)."),)


@pytest.mark.filterwarnings("default")
def test_headers_are_not_quoted_by_libraries(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    """As the panel in Slicer and a cluster's worker read: nobody has silenced the libraries before."""
    with config.disable_value_validation():
        series = sound_series(FrameOfReferenceUID="1.2.MUSTERMANN")
        write(tmp_path, series)
    recwarn.clear()
    load_study(tmp_path)
    assert "MUSTERMANN" not in caplog.text + "".join(str(said.message) for said in recwarn)


def test_reason_says_why_psir(tmp_path: Path) -> None:
    with_magnitude(tmp_path, sound_series())
    assert "preferred to its magnitude pair" in load_study(tmp_path).reason


def test_inspection_lists_every_stack_without_identifiers(tmp_path: Path) -> None:
    with_companions(tmp_path, sound_series())
    inspection = inspect_folder(tmp_path)
    kinds = sorted({stack.kind for stack in inspection.stacks})
    assert kinds == ["cine", "lge", "localizer", "map", "other-modality", "scout-ti"]
    assert [stack.kind for stack in inspection.stacks if stack.chosen] == ["lge"]
    text = inspection.to_text()
    assert not any(word.casefold() in text.casefold() for word in (*IDENTIFIERS, "tmp"))
    assert text.count("->") == 1
    assert all(stack.reason for stack in inspection.stacks)


def test_inspection_shows_what_would_be_refused(tmp_path: Path) -> None:
    time_series(tmp_path, sound_series())
    inspection = inspect_folder(tmp_path)
    assert inspection.chosen is not None
    assert "Refused: four-dimensional" in inspection.to_text()
    with pytest.raises(InputRefused, match="four-dimensional"):
        choose_stack(inspection)


@pytest.mark.parametrize(
    ("tags", "kind", "plane"),
    [
        ({"SeriesDescription": "SA_LGE_PSIR"}, "lge", "short-axis"),
        ({"SeriesDescription": "DE_overview_SAX"}, "lge", "short-axis"),
        ({"SeriesDescription": "psir_single-shot_kurze_Achse"}, "lge", "short-axis"),
        ({"SeriesDescription": "Late Gd 2ch"}, "lge", "long-axis"),
        ({"SeriesDescription": "LGE_3CH_PSIR"}, "lge", "long-axis"),
        ({"SeriesDescription": "LGE tra"}, "lge", "long-axis"),
        ({"SeriesDescription": "MDE SAX 10min"}, "lge", "short-axis"),
        ({"SeriesDescription": "TI_Scout_LGE"}, "scout-ti", "short-axis"),
        ({"SeriesDescription": "Cine_SAX_post_LGE"}, "cine", "short-axis"),
        ({"SeriesDescription": "T1_MOLLI_SAX_postGd_T1MAP"}, "map", "short-axis"),
        (
            {"SeriesDescription": "SAX", "ProtocolName": "", "ImageType": ["DERIVED", "PRIMARY", "T1 MAP"]},
            "map",
            "short-axis",
        ),
        ({"SeriesDescription": "perfusion_stress_SAX"}, "perfusion", "short-axis"),
        ({"SeriesDescription": "T2_STIR_SAX"}, "other", "short-axis"),
        (
            {
                "SeriesDescription": "",
                "ProtocolName": "",
                "ScanningSequence": "GR",
                "InversionTime": None,
                "ContrastBolusAgent": "",
            },
            "unknown",
            "short-axis",
        ),
        (
            {
                "SeriesDescription": "SAX_trufi",
                "ProtocolName": "",
                "ScanningSequence": "GR",
                "InversionTime": None,
                "ContrastBolusAgent": "",
            },
            "other",
            "short-axis",
        ),
        (
            {
                "SeriesDescription": "снимки",
                "ProtocolName": "",
                "SpecificCharacterSet": "ISO_IR 192",
                "ScanningSequence": "GR",
                "InversionTime": None,
                "ContrastBolusAgent": "",
            },
            "unknown",
            "short-axis",
        ),
        ({"SeriesDescription": "", "ProtocolName": "", "ScanningSequence": "SE"}, "other", "short-axis"),
        *(
            ({"SeriesDescription": "LGE_SAX", "ImageType": ["DERIVED", "PRIMARY", *types]}, "other", "short-axis")
            for types in (
                ["I"],
                ["I_IR", "I", "IR"],
                ["IMAGINARY"],
                ["M", "SUB"],
                ["SUBTRACTION"],
                ["M", "MIP"],
                ["MINIP"],
            )
        ),
        ({"SeriesDescription": "LGE_SAX_SUB"}, "other", "short-axis"),
        ({"SeriesDescription": "LGE SAX MIP"}, "other", "short-axis"),
        *(
            ({"SeriesDescription": words, "ImageType": ["DERIVED", "PRIMARY", "M", *types]}, kind, "short-axis")
            for words, types, kind in (
                ("LGE_SAX", ["FAT"], "other"),
                ("LGE_SAX", ["F"], "other"),
                ("LGE_SAX", ["WATER"], "lge"),
                ("FAT LGE SAX", [], "other"),
                ("LGE Dixon SAX_F", [], "other"),
                ("LGE_FatSat SAX", [], "lge"),
                ("LGE fat water SAX", [], "lge"),
            )
        ),
        ({"SeriesDescription": "LGE 4C"}, "lge", "long-axis"),
        ({"SeriesDescription": "LGE_PSIR_2cv"}, "lge", "long-axis"),
        ({"SeriesDescription": "LGE lange Achse"}, "lge", "long-axis"),
        ({"SeriesDescription": "LA LGE"}, "lge", "long-axis"),
        ({"SeriesDescription": "LGE_PSIR_LA"}, "lge", "long-axis"),
        ({"SeriesDescription": "Realce tardio a la altura", "ProtocolName": ""}, "lge", "short-axis"),
        (
            {"SeriesDescription": "étude de la viabilité", "ProtocolName": "", "SpecificCharacterSet": "ISO_IR 192"},
            "lge",
            "short-axis",
        ),
        ({"SeriesDescription": "LGE_SAX", "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "lge", "short-axis"),
        (
            {"SeriesDescription": "LGE_SAX", "ImageOrientationPatient": [0.53, -0.76, -0.33, 0.82, 0.57, 0]},
            "lge",
            "unclear",
        ),
        ({"SeriesDescription": "LGE_SAX", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, "lge", "short-axis"),
        ({"SeriesDescription": "LGE", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer", "short-axis"),
    ],
)
def test_kind_and_plane(tags: dict[str, object], kind: str, plane: str, tmp_path: Path) -> None:
    write(tmp_path, sound_series(**tags))
    (stack,) = inspect_folder(tmp_path).stacks
    assert (stack.kind, stack.plane) == (kind, plane)


LATE = (
    "DE", "DE_overview_SAX", "DE eje corto", "SAX DE", "SA_DE_10min", "T1_DE_SAX", "4CH DE PSIR", "MAG_DE_SA", "DE-MRI", "Late SAX", "LateGd_SA",
    "late_10min", "Realce tardío eje corto", "REALCE TARDIO SAX", "Realce tardio de gadolinio", "Viabilidad eje corto", "Cicatriz", "Rehaussement tardif petit axe",
    "viabilité petit axe", "séquence de rehaussement tardif", "Realce tardio eixo curto", "Sequência de realce tardio", "Enhancement tardivo asse corto",
    "LGE post stress", "LGE_post_perfusion SAX", "DE after rest perf", "LGE plan petit axe", "DelEnh_SA", "DEMRI", "LE_SAX", "LE kurze Achse", "Retard petit axe",
    "遅延造影 短軸", "遅延造影", "LGE短軸", "短軸LGE", "延迟强化 短轴", "心肌延迟增强", "延遲顯影短軸", "지연조영 단축", "ＬＧＥ　ＳＡ", "LGE korte as",
    "Spätanreicherung kurze Achse", "Spa\u0308tanreicherung SA", "Spaetaufnahmen SAX", "Spatanreicherung", "Vitalität SAX", "Narbe SA",
)  # fmt: skip
NOT_LATE = (
    "SSFP DE EJE CORTO", "SSFP de SAX", "T1 TSE lateral SAX", "T1 tse laterale", "Corte de 3D", "imagen de 4 camaras", "SA de 8 cortes", "coupe de 2 ch", "T1 de la pared lateral",
    "vista SA de 2D", "isolated gre SAX", "Latenz SAX", "le coeur",
)  # fmt: skip
OTHERS = {
    "map": ("Mapa T1 de eje corto", "MAPA_T2_SAX", "mapas T1", "Mappa T1 asse corto", "Mapeo T1 SA", "mapeamento T1 tardio", "Cartographie T1 tardive",
            "Carte T1", "T1-Kartierung kurze Achse", "T1 Karte nach KM spät"),
    "other": ("Secuencia de sangre negra eje corto", "sangre oscura SAX", "sangue preto eixo curto", "sangue escuro", "sangue nero tardivo", "sang noir petit axe", "Schwarzblut SA",
              "schwarzes Blut spät", "dunkles Blut SA", "sustracción realce tardío", "Soustraction tardive", "Subtraktion LGE"),
    "cine": ("Ciné petit axe", "cine de eje corto", "电影短轴", "シネ 短軸", "ｼﾈ短軸", "cine post stress"),
    "early": ("EGE SAX tras contraste de gadolinio", "realce precoz", "rehaussement précoce", "Frühes Enhancement"),
    "perfusion": ("realce primer paso", "心肌灌注", "post stress perfusion SAX", "rest perfusion post stress"),
    "flow": ("Flujo aórtico DE",),
    "localizer": ("DE_localizador", "Lokalizer DE SA", "定位", "LGE SAX plan"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        *((description, "lge") for description in LATE),
        *((description, kind) for kind, descriptions in OTHERS.items() for description in descriptions),
    ],
)
def test_words_of_several_languages(description: str, kind: str, tmp_path: Path) -> None:
    assert kind_by_words(tmp_path, description) == kind


@pytest.mark.parametrize("description", NOT_LATE)
def test_words_that_only_look_like_late_enhancement(description: str, tmp_path: Path) -> None:
    assert kind_by_words(tmp_path, description) in ("other", "unknown")


def kind_by_words(folder: Path, description: str) -> str:
    """What a series shows of which nothing but its description tells anything."""
    silent = {"ProtocolName": "", "ScanningSequence": "GR", "InversionTime": None, "ContrastBolusAgent": ""}
    write(folder, sound_series(SeriesDescription=description, SpecificCharacterSet="ISO_IR 192", **silent))
    return inspect_folder(folder).stacks[0].kind


@pytest.mark.parametrize(
    ("description", "image_type", "expected"),
    [
        ("LGE_SAX_PSIR", ["ORIGINAL", "PRIMARY", "PSIR"], "psir"),
        ("LGE_SAX_PSIR", ["ORIGINAL", "PRIMARY", "M"], "psir"),  # some scanners write M for every reconstruction
        ("LGE_SAX_MAG", ["ORIGINAL", "PRIMARY", "M"], "magnitude"),
        ("LGE_SAX", ["ORIGINAL", "PRIMARY", "M"], "magnitude"),
        ("LGE_SAX", ["ORIGINAL", "PRIMARY", "R", "IR"], "psir"),
        ("PSIR_SA", ["ORIGINAL", "PRIMARY", "M_IR", "M", "IR"], "magnitude"),
        ("PSIR_SA", ["ORIGINAL", "PRIMARY", "CR", "R", "IR"], "psir"),
        ("LGE_SAX", ["ORIGINAL", "PRIMARY", "OTHER"], "unknown"),
    ],
)
def test_image_type(description: str, image_type: list[str], expected: str, tmp_path: Path) -> None:
    write(tmp_path, sound_series(SeriesDescription=description, ImageType=image_type))
    assert load_study(tmp_path).facts.image_type == expected


def test_real_part_is_preferred_to_the_phase(tmp_path: Path) -> None:
    series = sound_series(SeriesDescription="LGE_SAX", ImageType=["ORIGINAL", "PRIMARY", "R", "IR"])
    phase = another(series, 9, ImageType=["ORIGINAL", "PRIMARY", "P", "IR"], AcquisitionTime="115959.0")
    write(tmp_path, [scrambled(dataset) for dataset in phase] + series)
    same_physical_volume(load_study(tmp_path).volume, sound_volume())


@pytest.mark.parametrize(
    ("types", "description", "shown"),
    [
        (["P", "ND"], "LGE_SAX", "magnitude"),
        (["PHASE MAP", "P", "IR"], "LGE_SAX_P", "magnitude"),
        (["P", "ND"], "LGE_SAX_PSIR", "psir"),  # some scanners call the phase-sensitive image so
        (["P", "ND"], "LGE_PSIR_SAX_PHASE", "psir"),
        (["PSIR", "P"], "LGE_SAX", "psir"),
        (["R", "P"], "LGE_SAX", "psir"),
    ],
)
def test_a_map_of_the_phase_is_not_preferred_to_its_magnitude(
    types: list[str], description: str, shown: str, tmp_path: Path
) -> None:
    magnitude = sound_series(
        SeriesDescription="LGE_SAX", ProtocolName="LGE_SAX_PSIR", ImageType=["ORIGINAL", "PRIMARY", "M", "ND"]
    )
    phase = another(
        magnitude,
        9,
        SeriesDescription=description,
        ImageType=["ORIGINAL", "PRIMARY", *types],
        AcquisitionTime="115959.0",
    )
    write(tmp_path, magnitude + [scrambled(dataset) for dataset in phase])
    study = load_study(tmp_path)
    assert study.volume.image_type == shown
    assert ("preferred to its magnitude pair" in study.reason) == (shown == "psir")
    assert not study.notes


def test_magnitude_and_map_of_the_phase_in_one_series(tmp_path: Path) -> None:
    series = sound_series(SeriesDescription="LGE_SAX", ImageType=["ORIGINAL", "PRIMARY", "M_IR", "M", "IR"])
    phase = another(series, 7, SeriesInstanceUID="2.25.20", ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "IR"])
    write(tmp_path, [d for pair in zip([scrambled(p) for p in phase], series, strict=True) for d in pair])
    study = load_study(tmp_path)
    same_physical_volume(study.volume, sound_volume())
    assert study.volume.image_type == "magnitude"


def test_imaginary_part_is_not_read_beside_its_magnitude(tmp_path: Path) -> None:
    series = sound_series(SeriesDescription="LGE_SAX", ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    imaginary = another(series, 9, ImageType=["ORIGINAL", "PRIMARY", "I", "ND"], AcquisitionTime="115959.0")
    write(tmp_path, [scrambled(dataset) for dataset in imaginary] + series)
    study = load_study(tmp_path)
    same_physical_volume(study.volume, sound_volume())
    assert study.notes == ()


def test_averaged_series_is_preferred_to_its_repetitions(tmp_path: Path) -> None:
    series = sound_series()
    repeated = [
        scrambled(d)
        for k in (1, 2)
        for d in another(series, 10 + k, SeriesInstanceUID="2.25.21", SeriesDescription="LGE_SAX_PSIR_rep")
    ]
    write(tmp_path, series + repeated)
    same_physical_volume(load_study(tmp_path).volume, sound_volume())


def test_only_magnitude_is_read(tmp_path: Path) -> None:
    write(tmp_path, sound_series(SeriesDescription="LGE_SAX_MAG", ImageType=["ORIGINAL", "PRIMARY", "M"]))
    same_physical_volume(load_study(tmp_path).volume, sound_volume())


def test_slices_are_ordered_along_their_normal(tmp_path: Path) -> None:
    write(tmp_path, sound_series()[::-1])
    volume = load_study(tmp_path).volume
    normal = np.cross(volume.affine[:3, 2], volume.affine[:3, 1])
    assert volume.affine[:3, 0] @ normal / np.linalg.norm(normal) == pytest.approx(SLICE_MM, abs=1e-6)


def test_two_unlabelled_stacks_are_not_guessed(tmp_path: Path) -> None:
    silent = {
        "SeriesDescription": "",
        "ProtocolName": "",
        "ScanningSequence": "GR",
        "InversionTime": None,
        "ContrastBolusAgent": "",
    }
    series = sound_series(**silent)
    write(tmp_path / "one", series)
    assert load_study(tmp_path).notes[0][0] == "kind-unlabelled"
    write(tmp_path / "two", another(series, 9, AcquisitionTime="115959.0"))
    with pytest.raises(InputRefused, match="no-lge-series"):
        load_study(tmp_path)


def test_nothing_is_written_beside_the_input(tmp_path: Path) -> None:
    paths = write(tmp_path, sound_series())
    before = {path: path.read_bytes() for path in paths}
    load_study(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
