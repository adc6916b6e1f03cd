"""result.json agrees with itself: schema, threshold, abstention, finding, segments, quality."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import LGETextDetectLib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LGETextDetectLib.aha import INSERTION_SEGMENTS
from LGETextDetectLib.finding import LAYERS, Finding, Meaning
from LGETextDetectLib.landmarks import Landmarks
from LGETextDetectLib.outputs.report_words import REASONS
from LGETextDetectLib.outputs.write_outputs import result_text
from LGETextDetectLib.quality import quality_flags
from LGETextDetectLib.result import build_result, calibrated, named_from, rounded
from LGETextDetectLib.wording import read_report
from sample_detection import (
    SECONDS,
    SHA,
    sample_detection,
    sample_engine,
    sample_landmarks,
    sample_loaded,
    sample_prediction,
    sample_stack,
    sample_volume,
)

SCHEMA = json.loads((Path(LGETextDetectLib.__file__).parent / "result_schema.json").read_text("utf-8"))
SCAR_ANYWHERE, SCAR_FREE = Meaning(True), Meaning(True, negated=True)


def valid(result: dict[str, Any]) -> dict[str, Any]:
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result


def result_of(probability: float = 0.91, **options: Any) -> dict[str, Any]:
    return valid(sample_detection(probability, **options).result)


def test_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_fields_in_the_documented_order() -> None:
    result = result_of(prompts=(("scar?", SCAR_ANYWHERE, 0.9),))
    assert list(result) == [
        "schema_version", "study", "input", "landmarks", "orientation", "detection", "slices", "segments", "finding",
        "caption", "prompts", "quality", "model", "seconds",
    ]  # fmt: skip
    assert list(result["input"]) == ["kind", "files", "image_type", "slices", "spacing_mm", "sha256"]
    assert list(result["detection"]) == ["present", "probability", "threshold", "abstained", "reasons"]
    assert list(result["slices"][0]) == ["index", "position_mm", "level", "probability"]
    assert list(result["segments"][0]) == ["aha", "name", "probability", "layer", "transmurality"]
    assert list(result["prompts"][0]) == ["text", "understood", "probability", "meaning"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: r.update(extra=1),
        lambda r: r["detection"].update(present=None),
        lambda r: r["detection"].update(abstained=True),
        lambda r: r["detection"].update(probability=1.2),
        lambda r: r["finding"].update(lge="absent"),
        lambda r: r["finding"].update(lesions=[]),
        lambda r: r["segments"].pop(),
        lambda r: r["segments"][0].update(layer="epicardial"),
        lambda r: r["prompts"][0].update(understood=False),
        lambda r: r.pop("caption"),
    ],
)
def test_schema_refuses(spoil: Any) -> None:
    result = json.loads(result_text(result_of(prompts=(("scar?", SCAR_ANYWHERE, 0.9),))))
    spoil(result)
    with pytest.raises(jsonschema.ValidationError):
        valid(result)


# --- answer and abstention -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "present", "lge"),
    [(0.0, False, "absent"), (0.46, False, "absent"), (0.45997, False, "absent"), (0.4602, None, "uncertain"),
     (0.5398, None, "uncertain"), (0.53996, True, "present"), (0.54, True, "present"), (1.0, True, "present")],
)  # fmt: skip
def test_answer_by_rounded_probability(probability: float, present: bool | None, lge: str) -> None:
    result = result_of(probability)
    assert (result["detection"]["present"], result["finding"]["lge"]) == (present, lge)
    assert result["detection"]["abstained"] == (present is None) == bool(result["detection"]["reasons"])


def test_absent_names_nothing() -> None:
    result = result_of(0.1)
    assert result["finding"] == Finding("absent").to_dict()
    assert all(row["layer"] is None and row["transmurality"] is None for row in result["segments"])


def test_abstention_names_segments_as_possible() -> None:
    finding = result_of(0.5)["finding"]
    assert {lesion["certainty"] for lesion in finding["lesions"]} == {"possible"}
    assert (finding["aetiology"], finding["no_reflow"]) == (None, None)


def test_lesions_are_grouped_by_layer() -> None:
    assert result_of()["finding"] == {
        "lge": "present",
        "lesions": [
            {"segments": [4, 10], "layer": "subendocardial", "transmurality": 3, "certainty": "definite"},
            {"segments": [9], "layer": "mid-wall", "transmurality": None, "certainty": "definite"},
        ],
        "aetiology": "ischaemic",
        "no_reflow": False,
    }


def test_no_segment_is_likelier_than_the_study_that_is_called_free_of_scar() -> None:
    """Neither in words nor in the table; the order of the segments stays."""
    threshold = named_from(sample_engine().bundle.thresholds)
    for probability in (0.02, 0.3, 0.44):
        rows = result_of(probability)["segments"]
        assert max(row["probability"] for row in rows) < threshold
    named = result_of(0.9)["segments"]
    assert max(row["probability"] for row in named) >= threshold


def test_most_probable_segment_is_named_when_none_passes() -> None:
    segments = np.full(17, 0.05, np.float32)
    segments[12] = 0.2
    result = result_of(segment_probability=segments)
    assert [lesion["segments"] for lesion in result["finding"]["lesions"]] == [[13]]
    over = [r["aha"] for r in result["segments"] if r["probability"] >= named_from(sample_engine().bundle.thresholds)]
    assert over == [13]  # in the table, too


@pytest.mark.parametrize(
    ("ischaemic", "layer", "expected"),
    [(0.9, "subendocardial", "ischaemic"), (0.9, "transmural", "ischaemic"), (0.9, "subepicardial", None),
     (0.5, "subendocardial", None), (0.1, "mid-wall", "non-ischaemic")],
)  # fmt: skip
def test_aetiology(ischaemic: float, layer: str, expected: str | None) -> None:
    finding = result_of(segment_layer=(layer,) * 17, ischaemic_probability=ischaemic)["finding"]
    assert finding["aetiology"] == expected
    assert (finding["no_reflow"] is None) == (expected == "non-ischaemic")


@pytest.mark.parametrize("probability", [0.47, 0.53])
def test_a_study_too_near_to_the_threshold_names_its_likeliest_segment_as_possible(probability: float) -> None:
    """In words and in the table, although no segment is likelier than the study."""
    segments = np.full(17, 0.05, np.float32)
    segments[12] = 0.3
    result = result_of(probability, segment_probability=segments)
    assert result["detection"]["reasons"] == ["near-threshold"]
    (lesion,) = result["finding"]["lesions"]
    assert (lesion["segments"], lesion["certainty"]) == ([13], "possible")
    assert result["segments"][12]["probability"] >= named_from(sample_engine().bundle.thresholds)


def test_segments_with_a_layer_are_the_named_ones() -> None:
    result = result_of()
    assert [row["aha"] for row in result["segments"] if row["layer"]] == [4, 9, 10]


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 1),
    st.lists(st.floats(0, 1, width=32), min_size=17, max_size=17),
    st.lists(st.sampled_from([*LAYERS, None]), min_size=17, max_size=17),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_every_prediction_gives_a_consistent_result(
    probability: float, segments: list[float], layers: list[str | None], ischaemic: float, no_reflow: float
) -> None:
    layers = [
        None if layer == "insertion-point" and n not in INSERTION_SEGMENTS else layer
        for n, layer in enumerate(layers, 1)
    ]
    scores = tuple(3 if layer == "subendocardial" else 4 if layer == "transmural" else None for layer in layers)
    stack = sample_stack(VOLUME)
    prediction = sample_prediction(
        stack, probability, segment_probability=np.array(segments, np.float32), segment_layer=tuple(layers),
        segment_transmurality=scores, ischaemic_probability=ischaemic, no_reflow_probability=no_reflow,
    )  # fmt: skip
    result = build_result(sample_loaded(VOLUME), sample_landmarks(VOLUME), stack, prediction, [], sample_engine())
    valid({**result, "seconds": SECONDS})
    if (present := result["detection"]["present"]) is not None:
        likeliest = max(row["probability"] for row in result["segments"])
        assert (likeliest >= named_from(sample_engine().bundle.thresholds)) == present
    finding = Finding.from_dict(result["finding"])
    assert read_report(result["caption"]) == finding
    named = {n for lesion in finding.lesions for n in lesion.segments}
    assert named >= {row["aha"] for row in result["segments"] if row["layer"]}


VOLUME = sample_volume(4)


# --- prompts ---------------------------------------------------------------------------------------------------------


def test_prompt_probability_is_null_when_not_understood_or_not_seen() -> None:
    asked = (("LVEF?", Meaning(), None), ("scar?", SCAR_ANYWHERE, 0.8), ("LVEF?", Meaning(), 0.3), ("apex?", Meaning(True, segments=(17,)), None))  # fmt: skip
    rows = result_of(prompts=asked)["prompts"]
    answers = [(row["understood"], row["probability"]) for row in rows]
    assert answers == [(False, None), (True, 0.91), (False, None), (True, None)]


@pytest.mark.parametrize("probability", [0.2, 0.5, 0.91])
def test_prompts_agree_with_the_segments_of_the_result(probability: float) -> None:
    """Also where the study's answer bounds or raises what is said of its segments."""
    inferior, midwall = Meaning(True, segments=(4, 10)), Meaning(True, segments=(4, 10), layers=("mid-wall",))
    denied = Meaning(True, negated=True, segments=(4, 10))
    result = result_of(probability, prompts=(("a", inferior, 0.93), ("b", midwall, 0.95), ("c", denied, 0.07), ("d", midwall, 0.01)))  # fmt: skip
    there = max(result["segments"][n - 1]["probability"] for n in (4, 10))
    answers = [row["probability"] for row in result["prompts"]]
    assert answers == pytest.approx([there, there, 1 - there, 0.01])


def test_no_prompt_has_a_probability_where_the_images_are_unfit() -> None:
    asked = (("scar?", SCAR_ANYWHERE, 0.95), ("no scar", SCAR_FREE, 0.05), ("LVEF?", Meaning(), None))
    near = result_of(0.5, prompts=asked)
    assert near["detection"]["reasons"] == ["near-threshold"]
    assert near["prompts"][0]["probability"] is not None  # other questions may well be answered
    unfit = result_of(0.5, prompts=asked, heart=np.zeros_like(sample_detection().prediction.heart))
    assert "too-few-slices-of-heart" in unfit["detection"]["reasons"]
    assert [row["probability"] for row in unfit["prompts"]] == [None, None, None]
    valid(unfit)
    unfit["prompts"][0]["probability"] = 0.95
    with pytest.raises(jsonschema.ValidationError):
        valid(unfit)


def test_the_schema_knows_every_reason() -> None:
    assert set(SCHEMA["properties"]["detection"]["properties"]["reasons"]["items"]["enum"]) == set(REASONS)


def test_all_probabilities_are_calibrated_as_the_study_s() -> None:
    volume = sample_volume(4)
    stack = sample_stack(volume)
    prediction = sample_prediction(stack, 0.7, prompt_probability=(0.7, 0.3, 0.7))
    asked = [("scar?", SCAR_ANYWHERE), ("no scar", SCAR_FREE), ("inferior?", Meaning(True, segments=(4,)))]
    engine = sample_engine(calibration={"a": 2.0, "b": -0.5})
    result = build_result(sample_loaded(volume), sample_landmarks(volume), stack, prediction, asked, engine)
    study = result["detection"]["probability"]
    assert study != 0.7
    inferior = result["segments"][3]["probability"]
    assert [row["probability"] for row in result["prompts"]] == [study, pytest.approx(1 - study), inferior]
    for row, raw in zip(result["slices"], prediction.slice_probability, strict=True):
        assert row["probability"] == pytest.approx(calibrated(float(raw), engine.bundle.thresholds), abs=1e-4)
    lowest = int(np.argmin(prediction.segment_probability))
    raw = float(prediction.segment_probability[lowest])
    assert result["segments"][lowest]["probability"] == pytest.approx(
        calibrated(raw, engine.bundle.thresholds), abs=1e-4
    )


def test_calibration_names_no_other_segments() -> None:
    """The manifest's threshold is one of the text's own answers."""
    plain = result_of()
    volume = sample_volume(4)
    stack = sample_stack(volume)
    engine = sample_engine(calibration={"a": 0.7, "b": 0.6})
    moved = build_result(sample_loaded(volume), sample_landmarks(volume), stack, sample_prediction(stack), [], engine)
    assert moved["detection"]["present"] and plain["detection"]["present"]
    assert moved["finding"]["lesions"] == plain["finding"]["lesions"]


def test_broken_text_of_a_command_line_can_be_written() -> None:
    rows = result_of(prompts=(("scar\udcff?", SCAR_ANYWHERE, 0.8),))["prompts"]
    rows[0]["text"].encode("utf-8")


# --- numbers, names, places ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "a", "b", "expected"), [(0.5, 1, 0, 0.5), (0.2, 1, 0, 0.2), (0.5, 1, 1, 0.7311), (0.0, 1, 0, 0.0), (1.0, 3, 0, 1.0)])  # fmt: skip
def test_calibration(p: float, a: float, b: float, expected: float) -> None:
    assert calibrated(p, {"calibration": {"a": a, "b": b}}) == pytest.approx(expected, abs=1e-4)


def test_numbers_are_finite_and_have_no_negative_zero() -> None:
    assert str(rounded(-0.00001, 2)) == "0.0"
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="finite"):
            rounded(value, 2)


def test_study_is_a_pseudonym_unless_identity_is_kept() -> None:
    loaded = sample_loaded(sample_volume(4))
    known = replace(loaded, facts=replace(loaded.facts, identity="4711"))
    assert result_of(loaded=known)["study"] == f"study-{SHA[:12]}"
    assert "4711" not in result_text(result_of(loaded=known))
    assert result_of(loaded=known, keep_phi=True)["study"] == "4711"
    assert result_of(loaded=loaded, keep_phi=True)["study"] == f"study-{SHA[:12]}"


def test_slices_in_input_order_with_positions_from_the_first() -> None:
    volume = sample_volume(6)
    stack = sample_stack(volume)
    turned = replace(stack, index=stack.index[::-1].copy(), apex_first=True)  # the input ran apex to base
    prediction = sample_prediction(stack)
    result = build_result(sample_loaded(volume), sample_landmarks(volume), turned, prediction, [], sample_engine())
    assert [row["index"] for row in result["slices"]] == list(range(6))
    assert [row["position_mm"] for row in result["slices"]] == [0, 9, 18, 27, 36, 45]
    assert [row["level"] for row in result["slices"]] == ["apical", "apical", "mid", "mid", "basal", "basal"]
    assert result["slices"][5]["probability"] == pytest.approx(0.9)


def test_same_input_same_bytes() -> None:
    assert result_text(result_of()) == result_text(result_of())


# --- quality ---------------------------------------------------------------------------------------------------------


def codes(result: dict[str, Any]) -> set[str]:
    return {flag["code"] for flag in result["quality"]}


def flags_of(**changes: Any) -> set[str]:
    volume, landmarks, stack = VOLUME8, sample_landmarks(VOLUME8), sample_stack(VOLUME8)
    volume, landmarks = changes.pop("volume", volume), changes.pop("landmarks", landmarks)
    return {flag.code for flag in quality_flags(volume, landmarks, replace(stack, **changes), ())}


VOLUME8 = sample_volume()
STACK8 = sample_stack(VOLUME8)


def test_a_good_study_has_no_flags() -> None:
    assert result_of()["quality"] == []


def sure(confidence: float) -> Landmarks:
    landmarks = sample_landmarks(VOLUME8)
    return replace(landmarks, slices=tuple(replace(s, confidence=confidence) for s in landmarks.slices))


def upside_down() -> Landmarks:
    landmarks = sample_landmarks(VOLUME8)
    return replace(landmarks, source="manual", apex=landmarks.base, base=landmarks.apex)


def axis_aligned() -> Any:
    affine = np.diag([9.0, 2.0, 2.0, 1.0])[[2, 1, 0, 3]]
    return replace(VOLUME8, affine=affine)


def wide_gap() -> Any:
    affine = VOLUME8.affine.copy()
    affine[:3, 0] *= 2
    return replace(VOLUME8, affine=affine)


def untapered() -> np.ndarray:
    return np.repeat(STACK8.maps[:1], len(STACK8.maps), 0)


def noisy(scale: float) -> np.ndarray:
    return (STACK8.image + np.random.default_rng(2).normal(0, scale, STACK8.image.shape)).astype(np.float32)


def ghosted(share: float) -> Any:
    array = VOLUME8.array + share * (np.roll(VOLUME8.array, 25, 1) + np.roll(VOLUME8.array, -25, 1))
    return replace(VOLUME8, array=array)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("low-landmark-confidence", {"landmarks": sure(0.4)}),
        ("geometry-lost", {"volume": axis_aligned()}),
        ("landmarks-contradict-geometry", {"landmarks": upside_down()}),
        ("thin-coverage", {"volume": wide_gap()}),
        ("magnitude-only", {"volume": replace(VOLUME8, image_type="magnitude")}),
        ("image-type-unknown", {"volume": replace(VOLUME8, image_type="unknown")}),
        ("no-apex", {"maps": untapered()}),
        ("no-apex", {"position": STACK8.position * 0.6}),
        ("no-base", {"position": 0.4 + STACK8.position * 0.6}),
        ("no-heart-on-slices", {"position": STACK8.position - 0.2}),
        ("poor-nulling", {"image": STACK8.image * np.float32(0.1) + np.random.default_rng(3).normal(0, 0.2, STACK8.image.shape).astype(np.float32)}),
        ("contrast-unknown", {"maps": STACK8.maps * np.float32(0.7)}),
        ("low-snr", {"image": noisy(0.6)}),
        ("ghosting", {"volume": ghosted(0.1)}),
    ],
)  # fmt: skip
def test_flag(code: str, changes: dict[str, Any]) -> None:
    assert code in flags_of(**changes)


def test_few_slices_are_answered_and_flagged() -> None:
    for count in (1, 2):
        result = result_of(slices=count)
        assert result["detection"]["present"] is True
        assert "few-slices" in codes(result)


def test_notes_of_the_reader_are_passed_on() -> None:
    result = result_of(loaded=sample_loaded(VOLUME8, notes=(("duplicates", "Two objects came twice."),)))
    assert result["quality"] == [{"code": "duplicates", "severity": "info", "text": "Two objects came twice."}]


def test_near_the_threshold_is_flagged() -> None:
    assert "threshold-near" in codes(result_of(0.56))
    assert "threshold-near" not in codes(result_of(0.65))


def test_segments_that_no_slice_shows_are_flagged() -> None:
    seen = np.ones(17, bool)
    seen[16] = False
    (flag,) = result_of(segment_seen=seen)["quality"]
    assert (flag["code"], flag["severity"]) == ("segments-not-seen", "info")
    seen[:2] = False
    (flag,) = result_of(segment_seen=seen)["quality"]
    assert flag["severity"] == "warning" and "segments 1, 2, 17" in flag["text"]


def test_gpu_fallback_is_flagged() -> None:
    engine = sample_engine()
    engine.fell_back = True
    stack = sample_stack(VOLUME8)
    result = build_result(
        sample_loaded(VOLUME8), sample_landmarks(VOLUME8), stack, sample_prediction(stack), [], engine
    )
    assert "gpu-fallback" in codes(result)


def test_a_stack_with_hardly_any_heart_is_not_answered() -> None:
    maps = STACK8.maps.copy()
    maps[2:] = 0
    result = build_result(
        sample_loaded(VOLUME8),
        sample_landmarks(VOLUME8),
        replace(STACK8, maps=maps),
        sample_prediction(STACK8),
        [],
        sample_engine(),
    )
    assert result["detection"]["reasons"] == ["too-few-slices-of-heart"]


def test_unreliable_landmarks_are_not_answered() -> None:
    result = build_result(sample_loaded(VOLUME8), sure(0.2), STACK8, sample_prediction(STACK8), [], sample_engine())
    assert (result["detection"]["present"], result["detection"]["reasons"]) == (None, ["landmarks-unreliable"])


def test_an_inverted_image_is_not_answered() -> None:
    inverted = replace(STACK8, image=1 - STACK8.image)
    prediction = sample_prediction(inverted)
    result = build_result(sample_loaded(VOLUME8), sample_landmarks(VOLUME8), inverted, prediction, [], sample_engine())
    assert (result["detection"]["present"], result["detection"]["reasons"]) == (None, ["contrast-implausible"])
    assert result["finding"]["lge"] == "uncertain"


def test_contrast_that_cannot_be_measured_is_not_taken_for_good() -> None:
    """Blood and wall of the right size, none of it surer than 0.7: whether the images are inverted cannot be told."""
    unsure = replace(STACK8, maps=STACK8.maps * np.float32(0.7))
    prediction = sample_prediction(unsure)
    result = build_result(sample_loaded(VOLUME8), sample_landmarks(VOLUME8), unsure, prediction, [], sample_engine())
    assert result["detection"]["reasons"] == ["contrast-not-measurable"]
    assert codes(result) >= {"contrast-unknown"} and "poor-nulling" not in codes(result)
    valid({**result, "seconds": SECONDS})


def test_a_short_stack_of_unknown_contrast_is_answered_with_a_warning() -> None:
    volume = sample_volume(2)
    stack = sample_stack(volume)
    unsure = replace(stack, maps=stack.maps * np.float32(0.7))
    prediction = sample_prediction(unsure)
    result = build_result(sample_loaded(volume), sample_landmarks(volume), unsure, prediction, [], sample_engine())
    assert result["detection"]["present"] is True
    assert "contrast-unknown" in codes(result)
