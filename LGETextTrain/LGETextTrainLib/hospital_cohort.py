"""Studies of a folder matched with their reports, and split by patient: what a hospital trains on."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from LGETextDetectLib.dicom_frames import is_dicom
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.input_files import Source, files_of, pass_closed
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.studies_below import Study, find_studies
from LGETextDetectLib.wording import read_report
from pydicom import dcmread

from .identifiers import strip_identifiers
from .prepared_study import Reading
from .report_files import ReportText, read_report_texts
from .report_language import language_of
from .whole_file import written_whole

HEADER_TAGS = ["PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber"]
Key = TypeVar("Key", bound=Hashable)
SPLITS = ("train", "validation", "test")
PSEUDONYM = re.compile("study-[0-9a-f]{12}")  # of a study by its pixels; no folder's name is taken for one


@dataclass(frozen=True)
class Matched:
    """A study and the report that names it. patient: of one person by PatientID or report; names never leave this object.

    ``finding`` is read from the whole report: its vocabulary is closed, so no identifier can enter it, and a name that is
    also a word of the report ("inferior", "Free") cannot take that word away. ``text`` is the report without identifiers;
    ``private`` holds what must not be written anywhere: the study's name and the header's identifiers.
    """

    study: Study
    patient: int
    finding: Finding
    text: str
    private: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Cohort:
    """matched; numbers of reports without images, of studies without a report and of studies named by several reports.

    ``unused`` holds names and paths of the studies of the folder that are not matched, and the patient of each.
    """

    matched: tuple[Matched, ...]
    reports: int
    without_images: int
    without_report: int
    ambiguous: int
    unused: Mapping[str, int] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Splits:
    """What a split file says: the split of each pseudonym and of each patient, and how many rows name no study of the folder.

    of_patient: whatever study of theirs is named, also one that cannot be learnt from.
    """

    of_study: Mapping[str, str]
    of_patient: Mapping[int, str] = field(default_factory=dict)
    unmatched: int = 0


@dataclass(frozen=True)
class Member:
    """One matched study as it may be shown: a pseudonym, what its report says, how reading it ended, its split.

    patient: of one person by PatientID, report or images. other_patient: whether it holds the images of a study that went
    by another patient, so that the two are taken for one.
    """

    study: str
    patient: int
    finding: Finding
    language: str
    empty: bool
    reading: Reading
    duplicate_of: str = ""
    other_patient: bool = False
    split: str = ""

    @property
    def usable(self) -> bool:
        """Whether it can be learnt from: readable, once there, called scarred or scar-free."""
        return not self.reading.code and not self.duplicate_of and self.finding.lge in ("present", "absent")


def match_cohort(studies_root: Path, reports: Path) -> Cohort:
    """Match every report to its study by folder or file name, path, StudyInstanceUID, AccessionNumber or PatientID.

    Raises InputRefused(not-found, no-studies, bad-reports).
    """
    studies = find_studies(studies_root)
    headers = [_header(study.source) for study in studies]
    texts = read_report_texts(reports)
    chosen = _match(studies, headers, texts)
    used = [number for number in range(len(studies)) if len(chosen.get(number, [])) == 1]
    patient = _patients(headers, chosen, [*used, *sorted(set(range(len(studies))) - set(used))])
    matched = []
    for number in used:
        study, report = studies[number], chosen[number][0]
        private = (study.name, study.path, *headers[number].values(), report.patient)
        text = strip_identifiers(report.text, private)
        matched.append(Matched(study, patient[number], read_report(report.text), text, private))
    found = sum(len(reports_of) for reports_of in chosen.values())
    several = sum(len(reports_of) > 1 for reports_of in chosen.values())
    unused = {n: patient[k] for k in patient if k not in used for n in (studies[k].name, studies[k].path)}
    return Cohort(tuple(matched), len(texts), len(texts) - found, len(studies) - len(chosen), several, unused)


def _patients(
    headers: Sequence[Mapping[str, str]], chosen: Mapping[int, Sequence[ReportText]], order: Sequence[int]
) -> dict[int, int]:
    """Number of each study -> its patient, counted from 1 in ``order``: studies that share a PatientID or a report's patient.

    Where every study bears the same PatientID, as after some anonymisers, and all reports name a patient, it tells nothing.
    """
    named = [{report.patient for report in chosen.get(number, [])} - {""} for number in range(len(headers))]
    identifiers = [header["PatientID"] for header in headers]
    if len(set(identifiers)) == 1 and all(named[number] for number in chosen):
        identifiers = [""] * len(headers)
    names = {k: [*sorted(named[k]), *filter(None, [identifiers[k]])] for k in order}
    group = _joined([(("study", k), *names[k]) for k in order])
    numbers: dict[Hashable, int] = {}
    return {k: numbers.setdefault(group[("study", k)], len(numbers) + 1) for k in order}


def _joined(sets: Sequence[Sequence[Hashable]]) -> dict[Hashable, Hashable]:
    """Everything in the sets -> what stands for its group: sets that share something are one group."""
    above: dict[Hashable, Hashable] = {}

    def top(item: Hashable) -> Hashable:
        while above.setdefault(item, item) != item:
            item = above[item]
        return item

    for first, *others in sets:
        for other in others:
            above[top(other)] = top(first)
    return {item: top(item) for own in sets for item in own}


def _header(source: Source) -> dict[str, str]:
    """Identifiers of the first DICOM file of a study; empty for a volume file."""
    first = next((path for path in files_of(source, pass_closed) if is_dicom(path)), None)
    if first is None:
        return dict.fromkeys(HEADER_TAGS, "")
    try:
        header = dcmread(first, stop_before_pixels=True, specific_tags=HEADER_TAGS)
    except Exception:  # a damaged file: reading the study will say so
        return dict.fromkeys(HEADER_TAGS, "")
    return {tag: str(header.get(tag) or "") for tag in HEADER_TAGS}


def _match(
    studies: Sequence[Study], headers: Sequence[Mapping[str, str]], texts: Sequence[ReportText]
) -> dict[int, list[ReportText]]:
    """Number of each study -> the reports that name it; the first kind of name that fits a report decides."""
    keys: list[dict[str, list[int]]] = [{}, {}, {}, {}, {}]
    for number, (study, header) in enumerate(zip(studies, headers, strict=True)):
        names = (study.name, study.path, header["StudyInstanceUID"], header["AccessionNumber"], header["PatientID"])
        for known, name in zip(keys, names, strict=True):
            if name:
                known.setdefault(name, []).append(number)
    found: dict[int, list[ReportText]] = {}
    for report in texts:
        fitting = (known[name] for known in keys for name in report.study if name in known)
        numbers = next((n for n in fitting if len(n) == 1), None)  # a patient of several studies names none of them
        if numbers is not None:
            found.setdefault(numbers[0], []).append(report)
    return found


def list_members(cohort: Cohort, readings: Sequence[Reading]) -> list[Member]:
    """Members in the cohort's order, named by the hash of their pixels; a study whose pixels were there is a duplicate.

    Patients whose studies hold the same images are one.
    """
    patient = _patients_by_images(cohort, readings)
    members: list[Member] = []
    first: dict[str, tuple[str, int]] = {}
    for number, (matched, reading) in enumerate(zip(cohort.matched, readings, strict=True), start=1):
        name = f"study-{reading.sha256[:12]}" if reading.sha256 else f"unread-{number:04d}"
        original, other = first.get(reading.sha256, ("", 0)) if reading.sha256 else ("", 0)
        first.setdefault(reading.sha256, (name, matched.patient))
        members.append(
            Member(
                f"{name}-{number}" if original else name, patient[matched.patient], matched.finding, language_of(matched.text),
                not matched.text.strip(), reading, original, bool(original) and other != matched.patient,
            )
        )  # fmt: skip
    return members


def _patients_by_images(cohort: Cohort, readings: Sequence[Reading]) -> dict[int, int]:
    """Every patient -> the first of those whose studies hold the same images."""
    shown: dict[str, list[int]] = {}
    for matched, reading in zip(cohort.matched, readings, strict=True):
        shown.setdefault(reading.sha256 or f"patient {matched.patient}", []).append(matched.patient)
    group = _joined(list(shown.values()))
    least: dict[Hashable, int] = {}
    for patient in sorted({matched.patient for matched in cohort.matched}):
        least.setdefault(group[patient], patient)
    return {matched.patient: least[group[matched.patient]] for matched in cohort.matched}


def assign_splits(
    members: Sequence[Member], shares: Mapping[str, float], seed: int, fixed: Mapping[int, str]
) -> list[Member]:
    """Members with a split each: as ``fixed`` says of the patient, else by the patient's hash and class.

    shares: of validation and test; the rest trains. Both classes are shared out apart, at least one patient of each to
    every split that is wanted.
    """
    patients: dict[int, list[Member]] = {}
    for member in members:
        if member.usable:
            patients.setdefault(member.patient, []).append(member)
    decided = {patient: fixed[patient] for patient in patients if patient in fixed}
    for scarred in (True, False):
        own_class = [p for p, own in patients.items() if any(m.finding.lge == "present" for m in own) == scarred]
        order = sorted(own_class, key=lambda p: _lot(patients[p], seed))
        for split in ("validation", "test"):
            wanted = round(shares[split] * len(order)) or int(shares[split] > 0 and len(order) >= len(SPLITS))
            left = [p for p in order if p not in decided]
            missing = wanted - sum(decided.get(p) == split for p in order)
            decided |= {p: split for p in left[: max(missing, 0)]}
        decided |= {p: "train" for p in order if p not in decided}
    return [replace(m, split=decided[m.patient]) if m.usable else m for m in members]


def _lot(members: Sequence[Member], seed: int) -> str:
    return hashlib.sha256(f"{seed} {min(m.study for m in members)}".encode()).hexdigest()


def read_splits(path: Path, cohort: Cohort, members: Sequence[Member]) -> Splits:
    """The splits of a CSV file with study and split; a study is named by its pseudonym, its folder or file, or its path.

    A pseudonym keeps its split while its study is away; a study that cannot be learnt from holds its patient all the same.

    Raises InputRefused(not-found, bad-recipe), and 'split-leak' when rows tear a study or a patient apart.
    """
    if not path.is_file():
        raise InputRefused("not-found", "The split file of the recipe does not exist.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(row["study"].strip(), row["split"].strip()) for row in csv.DictReader(file)]
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise InputRefused("bad-recipe", "The split file is no CSV table with the columns study and split.") from error
    wrong = sorted({split for _, split in rows} - set(SPLITS))
    if wrong:
        raise InputRefused("bad-recipe", f"The split file names '{wrong[0]}'; a split is one of {', '.join(SPLITS)}.")
    joined = {matched.patient: member.patient for matched, member in zip(cohort.matched, members, strict=True)}
    patient_of = {name: joined.get(patient, patient) for name, patient in cohort.unused.items()}
    pseudonym_of = {study: study for study, _ in rows if PSEUDONYM.fullmatch(study)}
    for matched, member in zip(cohort.matched, members, strict=True):
        for name in (matched.study.name, matched.study.path, member.study):
            patient_of[name] = member.patient
            if member.reading.sha256:
                pseudonym_of[name] = member.duplicate_of or member.study
    of_study: dict[str, str] = {}
    of_patient: dict[int, str] = {}
    for study, split in rows:
        if study in pseudonym_of:
            _hold(of_study, pseudonym_of[study], split, pseudonym_of[study])
        if study in patient_of:
            _hold(of_patient, patient_of[study], split, f"patient {patient_of[study]}")
    return Splits(of_study, of_patient, sum(study not in patient_of for study, _ in rows))


def _hold(splits: dict[Key, str], key: Key, split: str, said: str) -> None:
    """Note a row of a split file; ``said`` names what it is of, without an identifier."""
    before = splits.setdefault(key, split)
    if before != split:
        raise InputRefused("split-leak", f"The split file puts {said} into {' and '.join(sorted((before, split)))}.")


def write_splits(path: Path, members: Sequence[Member], fixed: Mapping[str, str]) -> None:
    """The split of every usable study by its pseudonym, and those ``fixed`` before; read back by :func:`read_splits`."""
    kept = {**fixed, **{m.study: m.split for m in members if m.usable}}
    with written_whole(path) as partial:
        partial.write_text(
            "\n".join(["study,split", *(f"{study},{split}" for study, split in kept.items())]) + "\n", "utf-8"
        )


def class_counts(members: Sequence[Member]) -> dict[str, int]:
    """How many reports say present, absent, uncertain, not_stated."""
    counted = Counter(member.finding.lge for member in members)
    return {state: counted.get(state, 0) for state in ("present", "absent", "uncertain", "not_stated")}
