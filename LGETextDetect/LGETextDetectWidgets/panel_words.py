"""What the panel says, as plain text: the series, the finding, answers, flags, errors, stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util
from LGETextDetectLib import mrml_roles
from LGETextDetectLib.refusal import InputRefused
from slicer.i18n import tr as _

from .packages import library_ready

NOTICE = "Research use, not for diagnosis"
IMAGE_TYPE_ATTRIBUTE = "LGETextDetect.ImageType"
MIN_SLICES, MAX_PLANE_MM, MIN_GAP_MM = 3, 4.0, 3.0  # outside of these it is hardly a short-axis LGE stack
STAGES = {
    "read": "Reading the series",
    "landmarks": "Finding the left ventricle",
    "normalise": "Turning the heart upright",
    "model": "Looking for scar",
    "headers": "Looking for studies",
    "compare": "Comparing images with earlier results",
    "batch": "Studies done",
}
EXAMPLES = (
    "is there any scar?",
    "subendocardial scar in the inferior wall",
    "mid-wall scar in the septum",
    "no scar in the lateral wall",
    "transmural infarct in the LAD territory",
    "microvascular obstruction",
)


def volume_text(volume_node: Any) -> str:
    """One line about a volume node: kind of images, slices and spacing; or why it is unfit."""
    if volume_node is None:
        return ""
    problem = volume_problem(volume_node) or place_problem(volume_node)
    if problem:
        return problem
    columns, rows, slices = volume_node.GetImageData().GetDimensions()
    column_mm, row_mm, slice_mm = volume_node.GetSpacing()
    kind = {"psir": "PSIR", "magnitude": _("magnitude")}.get(image_type(volume_node), _("PSIR or magnitude not stated"))
    line = _("{kind}: {slices} slices of {rows} x {columns}, {row:.2f} x {column:.2f} mm, {gap:.1f} mm apart").format(
        kind=kind, slices=slices, rows=rows, columns=columns, row=row_mm, column=column_mm, gap=slice_mm
    )
    return "\n".join([line, *volume_doubts(volume_node)])


def volume_problem(volume_node: Any) -> str:
    """Why a volume cannot be read at all; empty when it can."""
    if mrml_roles.made_here(volume_node):
        return _("Unfit: the volume is part of a result; choose the images that it belongs to.")
    image = volume_node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        return _("Unfit: the volume holds no image.")
    scalars = image.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() != image.GetNumberOfPoints():
        return _("Unfit: the volume holds no image.")  # it is being filled: its size is told before its values
    if image.GetNumberOfScalarComponents() != 1:
        return _("Unfit: several values per voxel; choose one image of the series.")
    values = np.asarray(slicer.util.arrayFromVolume(volume_node))
    if not np.isfinite(values).all():
        return _("Unfit: the volume has voxels that are no finite number.")
    return ""


def place_problem(volume_node: Any) -> str:
    """Why a volume cannot be read where transforms put it; empty when it can, or when the library is not there yet."""
    if volume_node.GetParentTransformNode() is None or not library_ready():
        return ""
    from LGETextDetectLib import mrml

    try:
        mrml.engine_volume(volume_node)
    except InputRefused as error:
        return _("Unfit: {cause} {remedy}").format(cause=error.cause, remedy=error.remedy)
    return ""


def volume_doubts(volume_node: Any) -> list[str]:
    """What speaks against a short-axis LGE stack although the volume can be read."""
    slices = volume_node.GetImageData().GetDimensions()[2]
    column_mm, row_mm, slice_mm = volume_node.GetSpacing()
    low, high = volume_node.GetImageData().GetScalarRange()
    doubts = []
    if low == high:
        doubts.append(_("Every voxel is the same: this will be refused."))
    if slices < MIN_SLICES:
        doubts.append(_("So few slices do not cover a ventricle."))
    if max(column_mm, row_mm) > MAX_PLANE_MM or slice_mm < MIN_GAP_MM:
        doubts.append(_("This spacing is unusual for a short-axis LGE stack: is it the right series?"))
    return doubts


def image_type(volume_node: Any) -> str:
    """'psir', 'magnitude' or 'unknown', from the series' reader or the DICOM header."""
    known = volume_node.GetAttribute(IMAGE_TYPE_ATTRIBUTE)
    if known:
        return str(known)
    from .dicom_source import header_value

    words = f"{header_value(volume_node, '0008,0008')} {header_value(volume_node, '0008,103e')}".upper()
    if "PSIR" in words or "\\PS\\" in words or "PHASE SENS" in words:
        return "psir"
    return "magnitude" if "\\M\\" in words or "_MAG" in words else "unknown"


def result_text(result: Mapping[str, Any]) -> str:
    """The finding in words; an abstention is shown as one, never as 'no scar'."""
    detection = result["detection"]
    answer = {True: _("Scar found."), False: _("No scar found."), None: _("No answer: look at the images.")}
    numbers = _("Probability {p:.2f}, threshold {t:.2f}").format(p=detection["probability"], t=detection["threshold"])
    lines = [answer[detection["present"]], result["caption"], numbers]
    if detection["abstained"]:
        from LGETextDetectLib.outputs.report_words import REASONS

        lines[1:2] = [REASONS.get(reason, str(reason)) for reason in detection["reasons"]]
    return "\n".join(lines)


def flags_text(quality: Sequence[Mapping[str, str]]) -> str:
    """Quality flags in plain words, the serious ones first; notes too."""
    order = {"error": 0, "warning": 1, "info": 2}
    words = {"error": _("Problem"), "warning": _("Caution"), "info": _("Note")}
    ranked = sorted(quality, key=lambda flag: order[flag["severity"]])
    return "\n".join(f"{words[flag['severity']]}: {flag['text']}" for flag in ranked)


def device_text(model: Mapping[str, Any]) -> str:
    """Which model answered, and where it ran."""
    place = {"cpu": "CPU", "cuda": "GPU"}.get(str(model["device"]), str(model["device"]))
    return _("{name} {version} on {place} ({backend})").format(
        name=model["name"], version=model["version"], place=place, backend=model["backend"]
    )


def answer_rows(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The prompts of result.json, or of a query's event, as question, probability and what was understood."""
    from LGETextDetectLib.finding import images_unfit

    unfit = images_unfit(result["detection"]["reasons"])
    return [_answer_row(prompt, unfit) for prompt in result["prompts"]]


def _answer_row(prompt: Mapping[str, Any], unfit: bool) -> tuple[str, str, str]:
    from LGETextDetectLib.outputs.report_words import prompt_words

    known = prompt["probability"] is not None
    probability = f"{prompt['probability']:.2f}" if known else _("no answer")
    meaning = prompt_words(prompt, unfit)
    words = (
        _("Understood: {meaning}").format(meaning=meaning) if prompt["understood"] else meaning[0].upper() + meaning[1:]
    )
    return str(prompt["text"]), probability, words


def error_text(error: Exception) -> str:
    """Code, cause and remedy of a refusal; else the message."""
    if isinstance(error, InputRefused):
        return f"[{error.code}] {error.cause}\n{error.remedy}"
    return str(error)


def stage_text(stage: str) -> str:
    """A stage of the engine as a person names it."""
    return _(STAGES.get(stage, stage))
