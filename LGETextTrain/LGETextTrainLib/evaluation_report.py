"""All evaluated sets in one Markdown document: virtual and real patients apart, every figure named, with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .baselines import published_rows
from .whole_file import written_whole

NOTICE = "**Research use, not for diagnosis.**"
REAL_SOURCE = (
    "Sets named emidec-* and implant-* hold, or are made from, public EMIDEC studies (Lalande et al., emidec.com, CC BY-NC-SA 4.0), "
    "used for validation only."
)
ROWS: tuple[tuple[str, str], ...] = (
    ("patient_auroc", "patient AUROC"), ("balanced_accuracy", "balanced accuracy at the shipped threshold"),
    ("sensitivity", "sensitivity"), ("specificity", "specificity"), ("ppv", "PPV"), ("npv", "NPV"),
    ("abstained", "abstained, patients"), ("balanced_accuracy_answered", "balanced accuracy of those answered"),
    ("brier", "Brier score"), ("calibration_error", "expected calibration error"),
    ("calibration_error_by_chance", "the same by chance, were every probability right"),
    ("head_auroc", "plain head, patient AUROC"), ("text_minus_head_auroc", "text answer minus plain head, AUROC"),
    ("slice_auroc", "slice AUROC"), ("segment_auroc", "segment AUROC"), ("segment_auroc_scarred", "segment AUROC, scarred patients"),
    ("segment_sensitivity", "segments named, sensitivity"), ("segment_specificity", "segments named, specificity"),
    ("strongest_segment_is_scarred", "most probable segment is scarred"),
    ("layer_accuracy", "layer right, per scarred patient"), ("layer_accuracy_named", "layer right where the segment is named"),
    ("segment_layer_accuracy", "layer right, per named scarred segment"),
    ("transmurality_kappa", "transmurality 0-4, quadratic kappa"), ("transmurality_kappa_linear", "transmurality 0-4, linear kappa"),
    ("transmurality_kappa_found", "the same where scar is both true and named, quadratic"),
    ("pointing", "strongest evidence on the scar (1 pixel)"), ("pointing_segment", "strongest evidence in a scarred slice and segment"),
    ("myocardium_dice", "myocardium Dice"), ("cavity_dice", "cavity Dice"), ("scar_dice", "scar Dice, scarred patients"),
    ("centre_within_10_mm", "LV centre within 10 mm, slices"), ("centre_median_mm", "LV centre, median error (mm)"),
    ("rvip_within_20_deg", "RV insertion points within 20 degrees"), ("rvip_median_deg", "RV insertion points, median error (degrees)"),
    ("caption_agrees_on_presence", "caption agrees with the segment table on presence"),
    ("caption_names_the_table", "caption names exactly the table's segments"), ("caption_right_on_presence", "caption right on presence"),
    ("caption_fact_f1", "caption facts (segment, layer), F1"), ("caption_segment_f1", "caption segments, F1"),
    ("prompt_auroc_mean", "prompts, mean AUROC"), ("prompts_scored", "prompts scored"),
    ("prompts_read_as_stated", "prompts read as their file states"),
    ("wording_difference_median", "five wordings, median difference"), ("wording_difference_95_percent", "five wordings, 95th percentile"),
    ("negation_mirror_error_median", "negation, median distance from the mirror"),
    ("size_alone_auroc", "LV cavity volume alone, AUROC"), ("size_against_answer_scar_free", "answer against LV size, scar-free (Spearman)"),
    ("size_against_answer_scarred", "answer against LV size, scarred (Spearman)"),
)  # fmt: skip
PLOTS = ("roc", "reliability", "abstention", "segments")


def read_sets(folder: Path) -> list[dict[str, Any]]:
    """figures.json of every evaluated set directly below ``folder``, virtual ones first, each with its folder's name."""
    found = [
        {**json.loads(path.read_text("utf-8")), "folder": path.parent.name}
        for path in sorted(folder.glob("*/figures.json"))
    ]
    return sorted(found, key=lambda figures: (not figures["virtual"], figures["set"]))


def write_report(path: Path) -> int:
    """Write one document of all sets beside it; returns how many there are."""
    sets = read_sets(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        partial.write_text(report(sets), "utf-8")
    return len(sets)


def report(sets: Sequence[Mapping[str, Any]]) -> str:
    """Markdown of all sets, virtual and real patients in tables of their own."""
    parts = ["# Evaluation", NOTICE, "Intervals are 95 % bootstrap intervals over patients (1,000 resamples)."]
    for virtual, heading in ((True, "Virtual patients"), (False, "Real patients")):
        chosen = [figures for figures in sets if figures["virtual"] == virtual]
        parts.append(f"## {heading}")
        if not chosen:
            parts.append("Not there: no such set was evaluated.")
            continue
        parts += [main_table(chosen), *(set_section(figures) for figures in chosen)]
        if not virtual:
            parts.append(REAL_SOURCE)
    return "\n\n".join(parts) + "\n"


def main_table(sets: Sequence[Mapping[str, Any]]) -> str:
    """One column a set, one row a figure that any of them has."""
    rows = [("studies (with scar)", [f"{s['studies']} ({s['positive']})" for s in sets])]
    rows.append(("patients", [str(s.get("patients", s["studies"])) for s in sets]))
    rows.append(("without a result, not counted", [str(len(s.get("without_result", ()))) for s in sets]))
    rows += [(text, [with_interval(s, name) for s in sets]) for name, text in ROWS if any(name in s for s in sets)]
    return table(("figure", *(str(s["set"]) for s in sets)), [(text, *cells) for text, cells in rows])


def set_section(figures: Mapping[str, Any]) -> str:
    """Baselines, layers, segments, prompts and plots of one set."""
    parts = [f"### {figures['set']}"]
    if figures.get("about"):
        parts.append(str(figures["about"]))
    parts.append(f"Model: {figures['model']}. Without a result: {len(figures['without_result'])} studies.")
    parts.append(systems_table(figures["systems"]))
    if figures.get("layer_confusion"):
        parts.append(
            "Layer of truly scarred segments, rows true, columns named:\n\n"
            + confusion_table(figures["layer_confusion"])
        )
    if figures.get("by_segment"):
        rows = [
            (n, r["scarred"], *(cell(r[k]) for k in ("auroc", "sensitivity", "specificity")))
            for n, r in figures["by_segment"].items()
        ]
        parts.append(table(("segment", "patients with scar there", "AUROC", "sensitivity", "specificity"), rows))
    if figures.get("by_question"):
        rows = [(q, *(cell(v) for v in r.values())) for q, r in figures["by_question"].items()]
        parts.append(
            table(
                (
                    "question",
                    "median difference of five wordings",
                    "largest",
                    "negation, median distance from the mirror",
                ),
                rows,
            )
        )
    if figures.get("prompt_auroc"):
        parts.append(table(("prompt", "AUROC"), [(text, cell(v)) for text, v in figures["prompt_auroc"].items()]))
    parts.append(" ".join(f"![{name}]({figures['folder']}/{name}.svg)" for name in PLOTS if _has(figures, name)))
    return "\n\n".join(part for part in parts if part)


def _has(figures: Mapping[str, Any], plot: str) -> bool:
    source = {
        "roc": "roc",
        "reliability": "calibration_bins",
        "abstention": "abstention_curve",
        "segments": "by_segment",
    }
    return bool(figures.get(source[plot])) and "folder" in figures


def systems_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The text answer, baselines and published figures."""
    cells = [
        (row["system"], with_interval(row, "auroc"), with_interval(row, "balanced_accuracy"),
         cell(row.get("best_balanced_accuracy_on_this_set")), row.get("note", ""))
        for row in (*rows, *published_rows())
    ]  # fmt: skip
    return table(
        ("system", "patient AUROC", "balanced accuracy at its threshold", "at the best threshold on this set", "note"),
        cells,
    )


def confusion_table(confusion: Mapping[str, Mapping[str, int]]) -> str:
    """Rows true layer, columns named layer; columns without any count are left out."""
    columns = [c for c in next(iter(confusion.values())) if any(row[c] for row in confusion.values())]
    return table(("true", *columns), [(layer, *(row[c] for c in columns)) for layer, row in confusion.items()])


def with_interval(figures: Mapping[str, Any], name: str) -> str:
    """A figure as text, with its interval where it has one."""
    bounds = figures.get(f"{name}_95")
    text = cell(figures.get(name))
    return f"{text} ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds and None not in bounds else text


def cell(value: Any) -> str:
    """A number with three decimals, a count as it is, '-' for what is undefined."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |" for line in lines)
