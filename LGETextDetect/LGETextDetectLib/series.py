"""DICOM files -> the short-axis late enhancement stack in them, and why it was chosen; headers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .dicom_frames import Defect, Frame, read_headers
from .input_files import Source
from .refusal import InputRefused
from .series_kind import image_kind, named_psir, only_phase, stack_kind, stack_plane
from .stacks import MIN_STACK, Slices, gather, has_geometry, same_places, slice_affine, stack_defect
from .volume import THIN_MM, FloatArray

PAIR_SHARE = 0.5  # of the places of the smaller stack that a PSIR and its magnitude share
MIN_USUAL = 5  # slices of a stack that is preferred to a 3D scan
MIN_UNLABELLED = 3  # slices of a stack that is taken although nothing says what it shows


@dataclass(frozen=True)
class Stack:
    """Slices of one acquisition and what they show.

    frames: along their normal. spacing: row, column, slice distance in mm, None without a usable geometry. defect:
    (refusal code, cause) that forbids reading the stack. notes: (quality code, text), for the chosen stack only.
    """

    frames: tuple[Frame, ...]
    kind: str
    plane: str
    image_type: str  # psir | magnitude | unknown
    slices: int
    spacing: tuple[float, float, float] | None
    chosen: bool
    reason: str
    defect: Defect | None = None
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def affine(self) -> FloatArray:
        """(4, 4) from (slice, row, column, 1) to LPS mm, of a stack without defect."""
        return slice_affine(self.frames)


@dataclass(frozen=True)
class Inspection:
    """All stacks of a source in order of acquisition; at most one is chosen.

    mixture: (refusal code, cause) when the images are of several patients or studies, of which none may be chosen.
    """

    stacks: tuple[Stack, ...]
    files: int
    other_files: int
    duplicates: int
    mixture: Defect | None

    @property
    def chosen(self) -> Stack | None:
        """The stack that would be read."""
        return next((stack for stack in self.stacks if stack.chosen), None)

    def to_text(self) -> str:
        """A table for people; no identifiers, no file names."""
        rows = [("", "shows", "plane", "image", "slices", "row x column x slice mm", "why")]
        for number, stack in enumerate(self.stacks, 1):
            spacing = " x ".join(f"{mm:.2f}" for mm in stack.spacing) if stack.spacing else "unknown"
            mark = f"{'->' if stack.chosen else '  '} {number}"
            rows.append((mark, stack.kind, stack.plane, stack.image_type, str(stack.slices), spacing, stack.reason))
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[6]]) for row in rows
        ]
        lines.append(f"{self.files} files: {self.other_files} no DICOM image, {self.duplicates} images stored twice.")
        chosen = self.chosen
        defect = self.mixture or (chosen.defect if chosen else None)
        if defect:
            lines.append("Refused: {}: {}".format(*defect))
        elif chosen is None:
            lines.append("No short-axis late enhancement stack.")
        else:
            lines.extend(f"Note: {text}" for _, text in chosen.notes)
        return "\n".join(line.rstrip() for line in lines)


@dataclass(frozen=True)
class _Acquisition:
    """A stack that may be the one sought, with the other half of its PSIR - magnitude pair."""

    main: Stack
    pair: Stack | None

    @property
    def rank(self) -> tuple[object, ...]:
        slices = max(self.main.slices, self.pair.slices if self.pair else 0)
        usual = slices >= MIN_USUAL and self.main.spacing is not None and self.main.spacing[2] >= THIN_MM
        one_image_a_place = (self.main.defect or ("",))[0] != "four-dimensional"
        psir = self.main.image_type == "psir"
        placed = any(has_geometry(frame) for frame in self.main.frames)
        return placed, one_image_a_place, usual, slices, psir, max(frame.acquired for frame in self.main.frames)


def inspect_folder(source: Source) -> Inspection:
    """What a DICOM folder, one DICOM file or the files of a study hold, and which stack would be read.

    Raises InputRefused(not-found, damaged-file, absurd-size); a stack that must not be read carries its ``defect``, and
    a mixture of patients or studies stands in ``mixture``.
    """
    headers = read_headers(source)
    slices = gather(headers.frames)
    stacks = _settle_phases(_settle_pairs([_describe(item) for item in slices], slices), slices)
    numbers, remark = _candidates(stacks)
    candidates = [stacks[number] for number in numbers]
    mixture = _patient_mixture(candidates) or _study_mixture(candidates)
    chosen = tuple(_choose(stacks, slices, numbers, remark, headers.duplicates))
    return Inspection(chosen, headers.files, headers.other, headers.duplicates, mixture)


def choose_stack(inspection: Inspection) -> Stack:
    """The stack to read.

    Raises InputRefused: not-an-image without any DICOM image, wrong-modality without MR, two-patients, several-studies,
    no-lge-series, or the chosen stack's own defect.
    """
    stacks, chosen = inspection.stacks, inspection.chosen
    if not stacks:
        raise InputRefused("not-an-image", f"None of {inspection.files} files is a DICOM image.")
    if chosen is None and all(stack.kind == "other-modality" for stack in stacks):
        modalities = sorted({_modality(stack) for stack in stacks})
        raise InputRefused("wrong-modality", f"The images are {', '.join(modalities)}, not MR.")
    if inspection.mixture:
        raise InputRefused(*inspection.mixture)
    if chosen is None:
        seen = Counter(f"{stack.kind} {stack.plane}" for stack in stacks)
        listed = ", ".join(f"{count} x {name}" for name, count in sorted(seen.items()))
        raise InputRefused("no-lge-series", f"No short-axis late enhancement stack among: {listed}.")
    if chosen.defect:
        raise InputRefused(*chosen.defect)
    return chosen


def _modality(stack: Stack) -> str:
    """The modality as far as it is a plain code: the header could hold anything."""
    code = stack.frames[0].modality
    return code if len(code) == 2 and code.isalpha() else "of another modality"


# --- description -----------------------------------------------------------------------------------------------------


def _describe(item: Slices) -> Stack:
    first = item.frames[0]
    kind, kind_reason = stack_kind(item.frames, item.repeats)
    plane, plane_reason = stack_plane(item.frames, item.places)
    return Stack(
        frames=item.frames,
        kind=kind,
        plane=plane,
        image_type=image_kind(first)[0],
        slices=item.places or len(item.frames),
        spacing=_spacing(item),
        chosen=False,
        reason=f"{kind_reason}; {plane_reason}",
        defect=stack_defect(item),
    )


def _spacing(item: Slices) -> tuple[float, float, float] | None:
    located = [frame for frame in item.frames if has_geometry(frame)]
    if not located or located[0].spacing is None:
        return None
    affine = slice_affine([located[0]])
    row_mm, column_mm = located[0].spacing
    if item.places < 2:
        return row_mm, column_mm, float((affine[:3, 0] ** 2).sum() ** 0.5)
    normal = located[0].normal
    ends = [
        sum(a * b for a, b in zip(frame.position or (), normal, strict=True)) for frame in (located[0], located[-1])
    ]
    return row_mm, column_mm, abs(float(ends[1] - ends[0])) / (item.places - 1)


def _settle_pairs(stacks: list[Stack], slices: Sequence[Slices]) -> list[Stack]:
    """Both halves of a pair may be named PSIR: the one whose image type is magnitude is that, if the other is not."""
    settled = list(stacks)
    for number, stack in enumerate(stacks):
        if image_kind(stack.frames[0]) != ("psir", "weak"):
            continue
        partners = (other for other in range(len(stacks)) if _surely_psir(stacks[other].frames[0]))
        if any(_paired(slices[number], slices[other]) for other in partners):
            settled[number] = replace(stack, image_type="magnitude")
    return settled


def _surely_psir(frame: Frame) -> bool:
    kind, how = image_kind(frame)
    return kind == "psir" and how != "weak" and (named_psir(frame) or not only_phase(frame))


def _settle_phases(stacks: list[Stack], slices: Sequence[Slices]) -> list[Stack]:
    """A phase image beside the real part, or beside its magnitude when no word calls it PSIR, is a map of the phase."""
    settled = list(stacks)
    for number, stack in enumerate(stacks):
        if not only_phase(stack.frames[0]):
            continue
        better = ("psir",) if named_psir(stack.frames[0]) else ("psir", "magnitude")
        for other, rival in enumerate(stacks):
            sought = rival.kind == stack.kind and rival.image_type in better and not only_phase(rival.frames[0])
            if sought and _paired(slices[number], slices[other]):
                reason = f"a map of the phase beside its {rival.image_type} stack; {stack.reason}"
                settled[number] = replace(stack, kind="other", reason=reason)
    return settled


def _paired(one: Slices, other: Slices) -> bool:
    same_study = one.frames[0].study_date == other.frames[0].study_date
    return same_study and same_places(one, other) >= PAIR_SHARE * max(min(one.places, other.places), 1)


# --- choice ----------------------------------------------------------------------------------------------------------


def _choose(
    stacks: list[Stack], slices: Sequence[Slices], candidates: Sequence[int], remark: tuple[str, str] | None, duplicates: int
) -> list[Stack]:  # fmt: skip
    """The stacks with one of the candidates marked as chosen, its reason and notes completed."""
    if not candidates:
        return stacks
    acquisitions = _acquisitions(stacks, slices, candidates)
    best = max(acquisitions, key=lambda acquisition: acquisition.rank)
    main, pair = best.main, best.pair
    reason, notes = main.reason, [remark] if remark else []
    if pair is not None:
        reason += f"; preferred to its magnitude pair of {pair.slices} slices"
    if len(acquisitions) > 1:
        others = len(acquisitions) - 1
        reason += f"; chosen among {len(acquisitions)} acquisitions: slices of usual distance, then most slices, then PSIR, then the latest"
        notes.append(
            ("other-acquisitions", f"{others} other short-axis late enhancement acquisition(s) in the folder not used.")
        )
    retaken = next(item.retaken for stack, item in zip(stacks, slices, strict=True) if stack is main)
    if retaken:
        notes.append(("retaken-slices", f"{retaken} slice(s) were taken again: the latest image is used."))
    if duplicates:
        notes.append(("duplicate-images", f"{duplicates} image(s) stored twice were read once."))
    defect = main.defect
    if defect is None and pair is not None and pair.slices > main.slices:
        cause = f"The PSIR stack has {main.slices} slices, its magnitude pair {pair.slices}."
        defect = ("missing-slice", cause)
    defect = defect or _scattered(main, [stacks[n] for n in candidates])
    chosen = replace(main, chosen=True, reason=reason, notes=tuple(notes), defect=defect)
    return [chosen if stack is main else stack for stack in stacks]


def _scattered(main: Stack, candidates: Sequence[Stack]) -> Defect | None:
    """Whether one or two slices would be read because all of them are told in frames of reference of their own."""
    references = {stack.frames[0].frame_of_reference for stack in candidates if stack.slices < MIN_STACK}
    if main.slices >= MIN_STACK or len(references) < MIN_STACK:
        return None
    return "no-position", f"The slices are told in {len(references)} frames of reference, which make no stack."


def _candidates(stacks: Sequence[Stack]) -> tuple[list[int], tuple[str, str] | None]:
    """Numbers of the stacks of which one is to be read, surest first, with a note when that is not sure."""

    def those(kind: str, *planes: str) -> list[int]:
        return [n for n, stack in enumerate(stacks) if stack.kind == kind and stack.plane in planes]

    if sure := those("lge", "short-axis"):
        return sure, None
    if unclear := those("lge", "unclear"):
        return unclear, ("plane-unclear", "The header does not show that this is a short-axis stack.")
    unlabelled = [n for n in those("unknown", "short-axis", "unclear") if stacks[n].slices >= MIN_UNLABELLED]
    if len({stacks[n].image_type for n in unlabelled}) == len(unlabelled):
        return unlabelled, ("kind-unlabelled", "The header does not say that these are late enhancement images.")
    return [], None


def _acquisitions(stacks: Sequence[Stack], slices: Sequence[Slices], candidates: Sequence[int]) -> list[_Acquisition]:
    """Candidates with PSIR and magnitude of one acquisition paired: same places, nearest in time."""
    free = [n for n in candidates if stacks[n].image_type != "psir"]
    found = []
    for number in candidates:
        if stacks[number].image_type != "psir":
            continue
        partners = [n for n in free if stacks[n].image_type == "magnitude" and _paired(slices[number], slices[n])]
        partner = min(partners, key=lambda n: _apart(stacks[number], stacks[n]), default=None)
        if partner is not None:
            free.remove(partner)
        found.append(_Acquisition(stacks[number], None if partner is None else stacks[partner]))
    return found + [_Acquisition(stacks[n], None) for n in free]


def _apart(one: Stack, other: Stack) -> tuple[float, int]:
    """Distance of two stacks in time, then in series number."""
    (_, time_a, number_a), (_, time_b, number_b) = one.frames[0].acquired, other.frames[0].acquired
    return abs(_seconds(time_a) - _seconds(time_b)), abs(number_a - number_b)


def _seconds(time: str) -> float:
    digits = time.replace(":", "")
    try:
        return int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + float(digits[4:] or 0)
    except ValueError:
        return 0.0


def _patient_mixture(stacks: Sequence[Stack]) -> Defect | None:
    """Two identifiers or two names among the images that come into question; an empty one contradicts nothing."""
    identifiers, names = ({frame.patient[k] for stack in stacks for frame in stack.frames} - {""} for k in range(2))
    if len(identifiers) > 1 or len(names) > 1:
        return "two-patients", "The late enhancement images carry the identifiers of more than one patient."
    return None


def _study_mixture(stacks: Sequence[Stack]) -> Defect | None:
    """Two StudyInstanceUIDs, or one and none, among the images that come into question."""
    studies = [frame.study_uid for stack in stacks for frame in stack.frames]
    named, unnamed = set(studies) - {""}, studies.count("")
    if len(named) > 1:
        return "several-studies", f"The late enhancement images belong to {len(named)} studies."
    if named and unnamed:
        cause = f"{unnamed} of {len(studies)} late enhancement images name no study, the others one (StudyInstanceUID)."
        return "several-studies", cause
    return None
