"""Plain words for a result: what a cardiologist reads instead of codes and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import aha
from ..quality import unseen_segments

TRANSMURALITY = {0: "no scar", 1: "1-25 %", 2: "26-50 %", 3: "51-75 %", 4: "76-100 %"}
REASONS = {
    "near-threshold": "The probability lies too close to the threshold for an answer.",
    "too-few-slices-of-heart": "Too few slices show the left ventricle.",
    "contrast-implausible": "Blood and myocardium do not stand out from each other as in late enhancement images.",
    "contrast-not-measurable": "Too little blood or myocardium was surely recognised to tell whether these are late enhancement images.",
    "landmarks-unreliable": "The left ventricle and the RV insertion points could not be found reliably.",
}
LEVEL_WORDS = {
    "basal": "basal",
    "mid": "mid-ventricular",
    "apical": "apical",
    "apex": "apex",
    "outside": "outside the LV",
}
SEVERITIES = {"info": "Note", "warning": "Caution", "error": "Problem"}
UNANSWERED = {
    True: "not answered, as the study has no answer",
    False: "no slice shows it",
}  # why a prompt that was understood has no probability, by whether the images are unfit
_LAYER_WORDS = {
    "insertion-point": "RV insertion points", "mid-wall": "mid-wall", None: "layer not determined",
}  # fmt: skip


def headline(detection: Mapping[str, Any]) -> str:
    """The answer in two or three words."""
    return {True: "Scar detected", False: "No scar detected", None: "No answer"}[detection["present"]]


def explanation(detection: Mapping[str, Any]) -> list[str]:
    """Sentences below the headline."""
    probability, threshold = (f"{100 * float(detection[key]):.1f} %" for key in ("probability", "threshold"))
    if detection["abstained"]:
        reasons = [REASONS.get(reason, str(reason)) for reason in detection["reasons"]]
        return [
            *reasons,
            f"The model's probability is {probability} (threshold {threshold}). Read the images without it.",
        ]
    side = "at or above" if detection["present"] else "below"
    return [f"Probability of late gadolinium enhancement {probability}, {side} the threshold of {threshold}."]


def layer_words(layer: str | None) -> str:
    """A lesion's layer as a report words it."""
    return _LAYER_WORDS.get(layer, str(layer))


def segment_words(numbers: Sequence[int]) -> str:
    """Segments by name, one level after the other: 'basal inferior (4), mid inferior (10)'."""
    return ", ".join(f"{aha.NAMES[n]} ({n})" for n in numbers)


def scmr_headings(result: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The finding below the reporting headings of SCMR 2022, each with its lines."""
    finding = result["finding"]
    lesions = finding["lesions"]
    return [
        ("Location", [segment_words(lesion["segments"]) for lesion in lesions] or ["None"]),
        ("Myocardial distribution", [layer_words(lesion["layer"]) for lesion in lesions] or ["None"]),
        ("Extent", _extent(lesions)),
        ("Interpretation", _interpretation(finding)),
    ]


def _extent(lesions: Sequence[Mapping[str, Any]]) -> list[str]:
    if not lesions:
        return ["None"]
    lines = []
    for lesion in lesions:
        count = len(lesion["segments"])
        words = f"{count} of 17 segments"
        if lesion["transmurality"] is not None:
            words += f", up to {TRANSMURALITY[lesion['transmurality']]} of the wall's thickness"
        lines.append(words)
    return lines


def _interpretation(finding: Mapping[str, Any]) -> list[str]:
    if finding["lge"] == "absent":
        return ["No late gadolinium enhancement of the left ventricular myocardium."]
    if finding["lge"] != "present":
        named = " Segments named are possible, not found." if finding["lesions"] else ""
        return ["Undetermined: the model gives no answer for this study." + named]
    lines = {
        "ischaemic": ["Ischaemic pattern (infarct)."],
        "non-ischaemic": ["Non-ischaemic pattern."],
        None: ["Pattern not determined."],
    }[finding["aetiology"]]
    core = {True: "Microvascular obstruction (no-reflow) suspected.", False: "No microvascular obstruction seen."}
    return lines + ([core[finding["no_reflow"]]] if finding["no_reflow"] is not None else [])


def segment_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The 17 segments of a result as they are shown: probability None where no slice shows the segment."""
    unseen = unseen_segments(result["quality"])
    return [{**row, "probability": None if row["aha"] in unseen else row["probability"]} for row in result["segments"]]


def probability_words(probability: float | None) -> str:
    """A segment's probability; None when no slice shows it."""
    return "not seen" if probability is None else f"{probability:.2f}"


def prompt_words(prompt: Mapping[str, Any], unfit: bool) -> str:
    """What a prompt was understood to ask, and why it has no answer although it was understood.

    unfit: whether the study's images are, so that no prompt is answered.
    """
    words = meaning_words(prompt["meaning"])
    return f"{words}; {UNANSWERED[unfit]}" if prompt["understood"] and prompt["probability"] is None else words


def meaning_words(meaning: Mapping[str, Any]) -> str:
    """What a prompt was understood to ask."""
    if not meaning["understood"]:
        return "not understood as a question about scar"
    parts = ["no" if meaning["negated"] else "some"]
    if meaning["aetiology"]:
        parts.append(str(meaning["aetiology"]))
    if meaning["layers"]:
        parts.append(" or ".join(str(layer) for layer in meaning["layers"]))
    parts.append("scar")
    if meaning["min_transmurality"]:
        parts.append(f"of at least {TRANSMURALITY[meaning['min_transmurality']]} transmurality")
    if meaning["no_reflow"]:
        parts.append("with microvascular obstruction")
    numbers = meaning["segments"]
    parts.append("anywhere" if not numbers else f"in segment{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}")
    return " ".join(parts)
