"""Where the scar is: slices, segments, layers, transmurality, and whether the strongest evidence points at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.finding import LAYERS

from .evaluated_case import Case, facts, patients
from .figures import auroc, estimate, rates, weighted_kappa

NOT_NAMED = "not named"
SCORES = 5  # transmurality 0-4
SEGMENTS = range(1, 18)


def slices(cases: Sequence[Case]) -> dict[str, Any]:
    """Slice AUROC where the truth table says which slices hold scar."""
    score, true, who = [], [], []
    for case in cases:
        flags = case.slice_truth
        if flags is not None:
            by_index = {row["index"]: row["probability"] or 0.0 for row in case.result["slices"]}
            score.append(np.array([by_index[k] for k in range(len(flags))], float))
            true.append(np.array(flags))
            who.append(case.patient)
    if not true:
        return {}
    joined = estimate("slice_auroc", lambda k: auroc(_join(score, k), _join(true, k)), who)
    return {"slices": sum(map(len, true)), **joined}


def _join(parts: Sequence[npt.NDArray[Any]], chosen: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    return np.concatenate([parts[k] for k in chosen])


def segments(cases: Sequence[Case]) -> dict[str, Any]:
    """Segment AUROC over all studies and over scarred ones alone, and how each of the 17 segments does."""
    rows = [case for case in cases if case.located]
    if not rows:
        return {}
    score = np.array([[s["probability"] for s in case.result["segments"]] for case in rows], float)
    true = np.array([[n in case.segments for n in SEGMENTS] for case in rows])
    named = np.array([[n in case.named for n in SEGMENTS] for case in rows])
    scarred = true.any(1)
    strongest = [t[np.argmax(s)] for s, t in zip(score[scarred], true[scarred], strict=True)]
    return {
        **estimate("segment_auroc", lambda k: auroc(score[k].ravel(), true[k].ravel()), patients(rows)),
        "segment_auroc_scarred": auroc(score[scarred].ravel(), true[scarred].ravel()),
        "strongest_segment_is_scarred": float(np.mean(strongest)) if strongest else float("nan"),
        **{f"segment_{name}": v for name, v in rates(named.ravel(), true.ravel()).items()},
        "by_segment": {
            str(n): {
                "scarred": int(true[:, n - 1].sum()),
                "auroc": auroc(score[:, n - 1], true[:, n - 1]),
                **{k: v for k, v in rates(named[:, n - 1], true[:, n - 1]).items() if k in ("sensitivity", "specificity")},
            }
            for n in SEGMENTS
        },
    }  # fmt: skip


def layers(cases: Sequence[Case]) -> dict[str, Any]:
    """Layer named against the true one.

    layer_accuracy: per scarred patient, at the truly scarred segment with the highest probability; a segment that the
    finding does not name counts as wrong. layer_accuracy_named: the same over patients in whom it is named.
    segment_layer_accuracy: over truly scarred segments that are named. layer_confusion: truly scarred segments, rows true.
    """
    known = [(case.patient, hit) for case in cases if (hit := _layer_hit(case)) is not None]
    if not known:
        return {}
    who, hits = zip(*known, strict=True)
    named = [right for right, was_named in hits if was_named]
    table = {layer: dict.fromkeys((*LAYERS, NOT_NAMED), 0) for layer in LAYERS}
    for case in cases:
        for number, layer in facts(case.finding):
            if layer is not None:
                table[layer][_found_layer(case, number)] += 1
    right = sum(table[layer][layer] for layer in LAYERS)
    found = sum(sum(row.values()) - row[NOT_NAMED] for row in table.values())
    correct = np.array([hit for hit, _ in hits], float)
    return {
        "layer_patients": len(hits),
        **estimate("layer_accuracy", lambda k: float(correct[k].mean()), who),
        "layer_accuracy_named": float(np.mean(named)) if named else float("nan"),
        "segment_layer_accuracy": right / found if found else float("nan"),
        "layer_confusion": {layer: row for layer, row in table.items() if any(row.values())},
    }


def _found_layer(case: Case, number: int) -> str:
    return str(case.result["segments"][number - 1]["layer"] or NOT_NAMED)


def _layer_hit(case: Case) -> tuple[bool, bool] | None:
    """(right, named) of the most probable truly scarred segment; None when the truth names no layer."""
    true: dict[int, set[str]] = {}
    for number, layer in facts(case.finding):
        if layer is not None:
            true.setdefault(number, set()).add(layer)
    if not true:
        return None
    best = max(true, key=lambda n: (float(case.result["segments"][n - 1]["probability"]), -n))
    found = _found_layer(case, best)
    return found in true[best], found != NOT_NAMED


def transmurality(cases: Sequence[Case]) -> dict[str, Any]:
    """Weighted kappa of the 0-4 score per segment, over patients without scar and with subendocardial or transmural scar.

    0 = not named, or truly free of scar. Segments named with another layer carry no score and are left out, counted as
    ``transmurality_without_score``.
    """
    found: list[list[int]] = []
    true: list[list[int]] = []
    left_out = 0
    kept = [case for case in cases if case.scored]
    for case in kept:
        pairs = [pair for n in SEGMENTS if (pair := _score_pair(case, n)) is not None]
        left_out += 17 - len(pairs)
        found.append([f for f, _ in pairs])
        true.append([t for _, t in pairs])
    if not found:
        return {}
    f, t = ([np.array(row, int) for row in rows] for rows in (found, true))
    both = [(a, b) for a, b in zip(np.concatenate(f), np.concatenate(t), strict=True) if a and b]
    return {
        **estimate("transmurality_kappa", lambda k: weighted_kappa(_join(f, k), _join(t, k), SCORES), patients(kept)),
        "transmurality_kappa_linear": weighted_kappa(np.concatenate(f), np.concatenate(t), SCORES, power=1),
        "transmurality_kappa_found": weighted_kappa([a for a, _ in both], [b for _, b in both], SCORES)
        if both
        else float("nan"),
        "transmurality_segments": int(sum(map(len, f))),
        "transmurality_without_score": left_out,
    }


def _score_pair(case: Case, number: int) -> tuple[int, int] | None:
    """(found, true) score of one segment; None when it is named without a score."""
    row = case.result["segments"][number - 1]
    if number in case.named and row["transmurality"] is None:
        return None
    scores = dict(pair.split(":") for pair in case.truth["transmurality"].split())
    true = int(scores.get(str(number), 0)) if number in case.segments else 0
    return (int(row["transmurality"]) if number in case.named else 0), true


def pointing(cases: Sequence[Case]) -> dict[str, Any]:
    """Is the strongest evidence on the scar?

    pointing: on the mask's scar, one pixel of tolerance in plane. pointing_segment: where there is no mask, on a scarred
    slice and in a truly scarred segment.
    """
    scarred = [case for case in cases if case.scarred and "peak" in case.measures]
    of_masks = [case for case in scarred if case.measures.get("points_at_scar") is not None]
    of_places = [case for case in scarred if case.located and case.slice_truth is not None]
    masked = np.array([case.measures["points_at_scar"] for case in of_masks], float)
    placed = np.array([_in_place(case) for case in of_places], float)
    figures: dict[str, Any] = {}
    if len(masked):
        figures |= {
            "pointing_patients": len(masked),
            **estimate("pointing", lambda k: float(masked[k].mean()), patients(of_masks)),
        }
    if len(placed):
        figures |= {
            "pointing_segment_patients": len(placed),
            **estimate("pointing_segment", lambda k: float(placed[k].mean()), patients(of_places)),
        }
    return figures  # fmt: skip


def _in_place(case: Case) -> bool:
    peak, flags = case.measures["peak"], case.slice_truth or []
    return bool(flags[peak["index"]]) and peak["segment"] in case.segments


def masks(cases: Sequence[Case]) -> dict[str, Any]:
    """Dice of the predicted cavity, myocardium and scar against the masks: mean over studies."""
    figures: dict[str, Any] = {}
    for name in ("cavity_dice", "myocardium_dice", "scar_dice"):
        kept = [case for case in cases if case.measures.get(name) is not None]
        values = np.array([case.measures[name] for case in kept], float)
        if kept:
            figures |= estimate(name, lambda k, values=values: float(values[k].mean()), patients(kept))  # type: ignore[misc]
    return figures
