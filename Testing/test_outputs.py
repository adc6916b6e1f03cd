"""Result folders are complete or not there; every file opens, says the same as result.json and loads nothing."""

from __future__ import annotations

import base64
import errno
import json
import os
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK
from LGETextDetectLib import aha
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.outputs import write_outputs as module
from LGETextDetectLib.outputs.bullseye_svg import RAMP, RINGS, bullseye_svg, ramp_colour, segment_level, wedge_angles
from LGETextDetectLib.outputs.report_html import report_html
from LGETextDetectLib.outputs.report_words import prompt_words, segment_rows
from LGETextDetectLib.outputs.slice_pictures import EVIDENCE_RGB, png_bytes, slice_pictures
from LGETextDetectLib.outputs.write_outputs import ALWAYS, check_output, normalised_volume, remove_result, write_outputs
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.result_files import holds_result
from sample_detection import Sample, sample_detection

HOSTILE = "</q><script>alert(1)</script><img src=https://example.org/x onerror='alert(1)'>\"&\x00"
SAMPLE = sample_detection(
    prompts=(
        ("Scar in the inferior wall?", Meaning(True, segments=(4, 10, 15)), 0.94),
        (HOSTILE, Meaning(), None),
        ("Apex?", Meaning(True, segments=(17,)), None),
    )
)
SVG = "{http://www.w3.org/2000/svg}"


def test_only_the_files_of_a_result_are_taken_away(tmp_path: Path) -> None:
    own, old, mixed = (tmp_path / name for name in ("own", "old", "mixed"))
    own.mkdir()
    (own / "report.html").write_text("mine")
    for folder in (old, mixed):
        write_outputs(folder, SAMPLE)
    (mixed / "notes.txt").write_text("mine")
    for folder in (own, old, mixed, tmp_path / "none"):
        remove_result(folder)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        "mixed", "mixed/notes.txt", "own", "own/report.html",
    ]  # fmt: skip


# --- all or nothing --------------------------------------------------------------------------------------------------


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_all_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    write_outputs(tmp_path / "deep" / "er" / "out", SAMPLE)
    assert names(tmp_path / "deep" / "er" / "out") == set(ALWAYS)
    assert names(tmp_path / "deep" / "er") == {"out"}


def test_write_time_is_added_to_the_result_only_in_the_file(tmp_path: Path) -> None:
    write_outputs(tmp_path / "out", SAMPLE)
    written = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    seconds = written.pop("seconds")
    assert seconds["write"] > 0
    assert seconds["total"] == pytest.approx(0.7 + seconds["write"], abs=2e-3)
    assert written == {key: value for key, value in SAMPLE.result.items() if key != "seconds"}
    assert SAMPLE.result["seconds"]["write"] == 0


def test_same_input_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_outputs(tmp_path / name, SAMPLE)
    for name in set(ALWAYS) - {"result.json"}:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), ValueError("bug")])
@pytest.mark.parametrize("step", ["write_nrrd", "report_html", "_flush_to_disk", "_swap"])
def test_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(module, step, fail)
    with pytest.raises(type(error)):
        write_outputs(tmp_path / "new" / "out", SAMPLE)
    assert not names(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("step", ["write_nrrd", "report_html", "_flush_to_disk", "_swap"])
def test_a_disk_that_is_full_or_closed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    def fail(*given: Any) -> None:
        raise OSError(number, "Told by the system", str(given[-1]) if given and isinstance(given[-1], Path) else None)

    monkeypatch.setattr(module, step, fail)
    with pytest.raises(InputRefused) as refused:
        write_outputs(tmp_path / "new" / "out", SAMPLE)
    assert refused.value.code == "out-unwritable" and "told by the system" in refused.value.cause
    assert not names(tmp_path)


def test_a_source_that_cannot_be_read_is_not_taken_for_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "study" / "1.dcm"))

    monkeypatch.setattr(module, "report_html", fail)
    with pytest.raises(PermissionError):
        write_outputs(tmp_path / "results" / "out", SAMPLE)


@pytest.mark.parametrize("below", ["file/out", "file/more/out", "link/out", "x" * 300 + "/out"])
def test_a_place_that_cannot_be_written_is_refused_before_work(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at all")
    before = names(tmp_path)
    for attempt in (check_output, lambda folder: write_outputs(folder, SAMPLE)):
        with pytest.raises(InputRefused) as refused:
            attempt(tmp_path / below)
        assert refused.value.code == "out-unwritable"
    assert names(tmp_path) == before


def test_looking_whether_a_folder_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    assert check_output(tmp_path / "new" / "out") == tmp_path / "new" / "out"
    assert not names(tmp_path)


@pytest.mark.parametrize("step", ["write_nrrd", "report_html", "_flush_to_disk", "_swap"])
def test_an_older_result_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    write_outputs(tmp_path / "out", SAMPLE)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, fail)
    with pytest.raises(KeyboardInterrupt):
        write_outputs(tmp_path / "out", sample_detection(0.1))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("name", ["report.html", "result.json"])
@pytest.mark.parametrize("way", ["out", "in"])
def test_an_older_result_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    out = tmp_path / "out"
    write_outputs(out, SAMPLE)
    (out / "scar_seg.dcm").write_bytes(b"of the older result")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    rename = Path.rename
    failed: list[Path] = []

    def fail_once(self: Path, target: Path) -> Path:
        if not failed and self.name == name and (self.parent == out) == (way == "out"):
            failed.append(self)
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(KeyboardInterrupt):
        write_outputs(out, sample_detection(0.1))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert names(tmp_path) == {"out"}


def test_files_of_two_results_never_lie_beside_a_result_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write_outputs(out, SAMPLE)
    rename = Path.rename
    seen: list[set[str]] = []

    def watch(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        seen.append({path.name for path in out.iterdir() if path.is_file()})
        return moved

    monkeypatch.setattr(Path, "rename", watch)
    write_outputs(out, sample_detection(0.1))
    assert len(seen) == 2 * len(ALWAYS) and not any("result.json" in files for files in seen[:-1])
    assert seen[-1] == set(ALWAYS)


def test_a_folder_that_exists_stays_the_same_folder_and_nothing_is_made_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a mount point, a shell's working folder, or a folder in a place that cannot be written."""
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    os.utime(tmp_path, (0, 0))
    place = out.stat().st_ino
    for probability in (0.91, 0.1):
        check_output(Path())
        write_outputs(Path(), sample_detection(probability))
        assert names(Path()) == set(ALWAYS)
    assert (out.stat().st_ino, tmp_path.stat().st_mtime) == (place, 0)


@pytest.mark.parametrize("name", ["x" * 255, "検" * 85])
def test_the_longest_names_of_folders_can_be_written(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        write_outputs(tmp_path / name, SAMPLE)
    assert names(tmp_path) == {name} and names(tmp_path / name) == set(ALWAYS)


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_killed_process_left_in_the_folder_is_cleared(tmp_path: Path, whole: bool) -> None:
    out = tmp_path / "out"
    write_outputs(out, SAMPLE)
    older = out / ".out.part-0123abcd" / "older"
    older.mkdir(parents=True)
    if not whole:
        (out / "result.json").rename(older / "result.json")
    assert holds_result(out) == whole
    write_outputs(out, SAMPLE)
    assert names(out) == set(ALWAYS)
    older.mkdir(parents=True)
    remove_result(out)
    assert not out.exists()


def test_an_older_result_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_outputs(tmp_path / "out", SAMPLE)
    (tmp_path / "out" / "scar_seg.dcm").write_bytes(b"of the older result")
    write_outputs(tmp_path / "out", sample_detection(0.1))
    assert names(tmp_path / "out") == set(ALWAYS)
    assert json.loads((tmp_path / "out" / "result.json").read_text())["detection"]["present"] is False
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("foreign", ["thesis.docx", "result.json/"])
def test_foreign_files_are_never_overwritten(tmp_path: Path, foreign: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / foreign).mkdir() if foreign.endswith("/") else (out / foreign).write_text("years of work")
    with pytest.raises(InputRefused) as refusal:
        write_outputs(out, SAMPLE)
    assert refusal.value.code == "out-occupied"
    assert names(out) == {foreign.strip("/")}


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputRefused, match="out-occupied"):
        write_outputs(tmp_path / "out", SAMPLE)
    assert (tmp_path / "out").read_text() == "mine"


def test_paths_beyond_ascii(tmp_path: Path) -> None:
    write_outputs(tmp_path / "Größe 心臓", SAMPLE)
    assert names(tmp_path / "Größe 心臓") == set(ALWAYS)


# --- volumes ---------------------------------------------------------------------------------------------------------


def test_evidence_lies_on_the_input_grid(tmp_path: Path) -> None:
    write_outputs(tmp_path / "out", SAMPLE)
    image = SimpleITK.ReadImage(str(tmp_path / "out" / "evidence.nrrd"))
    volume = SAMPLE.loaded.volume
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), SAMPLE.evidence)
    for index in ([0, 0, 0], [3, 10, 20]):
        assert np.allclose(image.TransformIndexToPhysicalPoint(index[::-1]), volume.to_lps(index), atol=1e-6)


def test_normalised_stack_tells_every_slice_s_place(tmp_path: Path) -> None:
    write_outputs(tmp_path / "out", SAMPLE)
    image = SimpleITK.ReadImage(str(tmp_path / "out" / "normalised.nrrd"))
    stack = SAMPLE.stack
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), stack.image)
    places = [[float(v) for v in place.split()] for place in image.GetMetaData("lgetext_slice_origins_lps").split(";")]
    assert np.allclose(places, stack.grids[:, :3, 3], atol=1e-3)
    assert image.GetMetaData("lgetext_slice_index") == "0 1 2 3 4 5 6 7"
    assert np.allclose(image.TransformIndexToPhysicalPoint((5, 7, 0)), (stack.grids[0] @ [0, 7, 5, 1])[:3], atol=1e-6)


def test_normalised_stack_of_one_slice_is_a_volume() -> None:
    volume = normalised_volume(sample_detection(slices=1).stack)
    assert volume.spacing_mm == pytest.approx((1.25, 1.25, 9.0))


# --- bull's eye ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(1, 18))
def test_wedges_are_the_segments(number: int) -> None:
    first, last = wedge_angles(number)
    for angle in (first + 1, (first + last) / 2, last - 1):
        assert aha.segment_of(angle, segment_level(number)) == number


def test_bullseye_is_the_right_way_up() -> None:
    root = ElementTree.fromstring(bullseye_svg(SAMPLE.result["segments"], [4, 9, 10]))
    place = {}
    for group in root.iter(f"{SVG}g"):
        texts = group.findall(f"{SVG}text")
        if len(texts) == 2 and (texts[0].text or "").isdigit():
            place[int(texts[0].text)] = (float(texts[0].get("x")), float(texts[0].get("y")))
    assert set(place) == set(range(1, 18))
    middle = place[17]
    for anterior, inferior in ((1, 4), (7, 10), (13, 15)):
        assert place[anterior][1] < middle[1] < place[inferior][1]
    for septal, lateral in ((2, 6), (3, 5), (8, 12), (9, 11), (14, 16)):
        assert place[septal][0] < middle[0] < place[lateral][0]
    assert place[2][1] < middle[1] < place[3][1]
    assert place[6][1] < middle[1] < place[5][1]
    assert RINGS["basal"][0] > RINGS["mid"][0] > RINGS["apical"][0]


def test_every_wedge_has_a_title() -> None:
    root = ElementTree.fromstring(bullseye_svg(SAMPLE.result["segments"], [4]))
    wedges = [e for e in root if e.tag in (f"{SVG}path", f"{SVG}circle")]
    titles = [e.findtext(f"{SVG}title") for e in wedges]
    assert len(titles) == 17
    assert "Segment 4, basal inferior: probability 0.93, subendocardial, transmurality score 2" in titles


def test_a_segment_that_no_slice_shows_is_hatched_and_not_called_improbable() -> None:
    seen = np.ones(17, bool)
    seen[15:] = False
    sample = sample_detection(segment_seen=seen)
    root = ElementTree.fromstring(bullseye_svg(segment_rows(sample.result), []))
    hatched = [e for e in root if e.get("fill") == "url(#not-seen)"]
    assert [e.findtext(f"{SVG}title") for e in hatched] == [
        "Segment 16, apical lateral: not seen",
        "Segment 17, apex: not seen",
    ]
    assert "<td" in (html := report_html(sample)) and html.count("not seen</td>") == 2


def test_colours_darken_with_probability() -> None:
    light = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in (ramp_colour(p) for p in np.linspace(0, 1, 101))]
    assert (np.diff(light) < 0).all()
    assert ramp_colour(0) == RAMP[0][1]
    assert ramp_colour(1) == RAMP[-1][1]


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 7), (4, 6, 3), (3, 5, 4)])
def test_png_round_trip(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (tmp_path / "a.png").write_bytes(png_bytes(pixels))
    assert np.array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "a.png"))), pixels)


def decoded(png: bytes) -> np.ndarray:
    """Pixels of a PNG that png_bytes wrote: one IDAT chunk, lines as differences from the one above."""
    width, height, channels = (
        int.from_bytes(png[16:20], "big"),
        int.from_bytes(png[20:24], "big"),
        {0: 1, 6: 4}[png[25]],
    )
    at = png.index(b"IDAT")
    raw = zlib.decompress(png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at], "big")])
    lines = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * channels)[:, 1:]
    return np.cumsum(lines, 0, np.uint8).reshape(height, width, channels).squeeze()


def test_pictures_show_evidence_where_it_is() -> None:
    first = slice_pictures(SAMPLE.stack, SAMPLE.prediction, SAMPLE.landmarks)[0]
    plain, overlay = decoded(first.plain), decoded(first.overlay)
    rows, columns = np.nonzero((overlay[..., :3] == EVIDENCE_RGB).all(-1))
    size = len(overlay)
    assert size % len(plain) == 0
    assert rows.min() > size / 2  # the scar is inferior: below the middle
    assert abs(columns.mean() - size / 2) < size * 0.03
    assert not overlay[:20, :20, 3].any()
    assert (
        plain[len(plain) // 2, len(plain) // 2] > plain[len(plain) // 2 + 22, len(plain) // 2] + 60
    )  # blood over wall


def test_insertion_points_lie_left() -> None:
    blank = replace(SAMPLE.prediction, evidence=0 * SAMPLE.prediction.evidence)
    overlay = decoded(slice_pictures(SAMPLE.stack, blank, SAMPLE.landmarks)[0].overlay)
    rows, columns = np.nonzero((overlay == (255, 255, 255, 255)).all(-1))
    middle = len(overlay) / 2
    assert (columns < middle).all()
    assert (rows < middle).any()
    assert (rows > middle).any()


def test_pictures_follow_the_stack_base_to_apex() -> None:
    pictures = slice_pictures(SAMPLE.stack, SAMPLE.prediction, SAMPLE.landmarks)
    assert [p.index for p in pictures] == list(SAMPLE.stack.index)


# --- report ----------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


HTML = report_html(SAMPLE)
PAGE = Page(HTML)


def test_report_loads_and_runs_nothing() -> None:
    assert not {tag for tag, _ in PAGE.tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in PAGE.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "srcset", "action", "data", "xlink:href"):
            value = attributes.get(name) or "#"
            assert value.startswith(("data:image/png;base64,", "#")), value
    assert not re.search(r"url\(|@import", HTML)
    policy = next(a["content"] for t, a in PAGE.tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_hostile_text_stays_text() -> None:
    assert "<script" not in HTML
    assert "onerror='" not in HTML
    assert "\x00" not in HTML
    assert HOSTILE.replace("\x00", "\ufffd") in PAGE.text


def test_report_says_what_a_cardiologist_looks_for() -> None:
    for words in (
        "Research use, not for diagnosis", "Scar detected", "91.0 %", "threshold of 50.0 %", SAMPLE.result["caption"],
        "Location", "Myocardial distribution", "Extent", "Interpretation", "basal inferior (4), mid inferior (10)",
        "up to 51-75 %", "Ischaemic pattern", "not understood", "some scar in segment 17; no slice shows it", "lge-test 0.0.1", "f" * 64, "onnx on cpu",
    ):  # fmt: skip
        assert words in PAGE.text, words


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.1, ("No scar detected", "No late gadolinium enhancement")),
        (0.5, ("No answer", "too close to the threshold", "possible, not found")),
    ],
)
def test_report_of_other_answers(probability: float, words: tuple[str, ...]) -> None:
    text = Page(report_html(sample_detection(probability))).text
    assert all(word in text for word in words)


def test_report_of_unfit_images_answers_no_prompt() -> None:
    asked = (("any scar?", Meaning(True), 0.774),)
    unfit = sample_detection(0.5, prompts=asked, heart=np.zeros_like(SAMPLE.prediction.heart))
    text = Page(report_html(unfit)).text
    assert "some scar anywhere; not answered, as the study has no answer" in text and "77" not in text


@pytest.mark.parametrize(("unfit", "why"), [(True, "as the study has no answer"), (False, "; no slice shows it")])
def test_why_a_prompt_has_no_probability(unfit: bool, why: str) -> None:
    prompt = {"understood": True, "probability": None, "meaning": Meaning(True, segments=(17,)).to_dict()}
    assert prompt_words(prompt, unfit).endswith(why)
    assert why not in prompt_words({**prompt, "probability": 0.3}, unfit)


def test_report_is_accessible() -> None:
    assert dict(PAGE.tags)["html"]["lang"] == "en"
    images = [a for tag, a in PAGE.tags if tag == "img"]
    assert len(images) == 3 * len(SAMPLE.stack.index)
    assert [bool(a["alt"]) for a in images] == [True, True, False] * len(SAMPLE.stack.index)  # the layer is silent
    assert all(a.get("scope") in ("col", "row") for tag, a in PAGE.tags if tag == "th")
    assert all(a.get("role") == "img" for tag, a in PAGE.tags if tag == "svg")
    assert HTML.count("<table") == HTML.count("<caption")
    ids = [a["id"] for _, a in PAGE.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_pictures_of_the_report_are_pngs() -> None:
    sources = [a["src"] or "" for tag, a in PAGE.tags if tag == "img"]
    assert all(base64.b64decode(source.split(",")[1]).startswith(b"\x89PNG") for source in sources)


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two #rrggbb colours."""
    lights = []
    for colour in (first, second):
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(lights) / min(lights)


@pytest.mark.parametrize("probability", np.linspace(0, 1, 21))
def test_numbers_on_the_bullseye_are_readable(probability: float) -> None:
    svg = bullseye_svg([{**row, "probability": probability} for row in SAMPLE.result["segments"]], [])
    fill = re.search(r'<path d="[^"]*" fill="(#\w{6})"', svg)
    ink = re.search(r'<g fill="(#\w{6})" text-anchor', svg)
    assert fill is not None
    assert ink is not None
    assert contrast(fill[1], ink[1]) >= 4.5


def test_report_holds_no_times() -> None:
    other = Sample(
        **{**vars(SAMPLE), "result": {**SAMPLE.result, "seconds": dict.fromkeys(SAMPLE.result["seconds"], 9.0)}}
    )
    assert report_html(other) == HTML
