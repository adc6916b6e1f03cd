"""Studies of a folder matched with their reports, and split by patient: what a hospital trains on."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

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
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Matched:
    """A study and the report that names it. patient: groups studies of one person; names never leave this object.

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

    ``unused`` holds names and paths of the studies of the folder that are not matched.
    """

    matched: tuple[Matched, ...]
    reports: int
    without_images: int
    without_report: int
    ambiguous: int
    unused: frozenset[str] = field(repr=False, default=frozenset())


@dataclass(frozen=True)
class Splits:
    """What a split file says: the split of each pseudonym, and how many rows name no study of the folder."""

    of_study: Mapping[str, str]
    unmatched: int = 0


@dataclass(frozen=True)
class Member:
    """One matched study as it may be shown: a pseudonym, what its report says, how reading it ended, its split."""

    study: str
    patient: int
    finding: Finding
    language: str
    empty: bool
    reading: Reading
    duplicate_of: str = ""
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
    patients: dict[str, int] = {}
    matched = []
    for number, (study, header) in enumerate(zip(studies, headers, strict=True)):
        if len(chosen.get(number, [])) != 1:
            continue
        report = chosen[number][0]
        person = report.patient or header["PatientID"] or f"study {study.name}"
        private = (study.name, study.path, *header.values(), report.patient)
        patient = patients.setdefault(person, len(patients) + 1)
        text = strip_identifiers(report.text, private)
        matched.append(Matched(study, patient, read_report(report.text), text, private))
    found = sum(len(reports_of) for reports_of in chosen.values())
    several = sum(len(reports_of) > 1 for reports_of in chosen.values())
    used = {m.study.path for m in matched}
    unused = frozenset(name for study in studies if study.path not in used for name in (study.name, study.path))
    return Cohort(tuple(matched), len(texts), len(texts) - found, len(studies) - len(chosen), several, unused)


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
    """Members in the cohort's order, named by the hash of their pixels; a study whose pixels were there is a duplicate."""
    members: list[Member] = []
    first: dict[str, str] = {}
    for number, (matched, reading) in enumerate(zip(cohort.matched, readings, strict=True), start=1):
        name = f"study-{reading.sha256[:12]}" if reading.sha256 else f"unread-{number:04d}"
        original = first.get(reading.sha256, "") if reading.sha256 else ""
        first.setdefault(reading.sha256, name)
        members.append(
            Member(
                f"{name}-{number}" if original else name, matched.patient, matched.finding,
                language_of(matched.text), not matched.text.strip(), reading, original,
            )
        )  # fmt: skip
    return members


def assign_splits(
    members: Sequence[Member], shares: Mapping[str, float], seed: int, fixed: Mapping[str, str]
) -> list[Member]:
    """Members with a split each: as ``fixed`` says of any study of the patient, else by the patient's hash and class.

    shares: of validation and test; the rest trains. Both classes are shared out apart, at least one patient of each to
    every split that is wanted. Raises InputRefused('split-leak') when ``fixed`` tears a patient apart.
    """
    patients: dict[int, list[Member]] = {}
    for member in members:
        if member.usable:
            patients.setdefault(member.patient, []).append(member)
    decided: dict[int, str] = {}
    for patient, own in patients.items():
        named = {fixed[m.study] for m in own if m.study in fixed}
        if len(named) > 1:
            raise InputRefused(
                "split-leak", f"The split file puts patient {patient} into {' and '.join(sorted(named))}."
            )
        if named:
            decided[patient] = named.pop()
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

    A pseudonym keeps its split while its study is away.

    Raises InputRefused(not-found, bad-recipe).
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
    names: dict[str, str] = {study: study for study, _ in rows if study.startswith("study-")}
    for matched, member in zip(cohort.matched, members, strict=True):
        names |= {name: member.study for name in (matched.study.name, matched.study.path, member.study)}
    there = {member.study for member in members} | cohort.unused
    unmatched = sum(names.get(study, study) not in there for study, _ in rows)
    return Splits({names[study]: split for study, split in rows if study in names}, unmatched)


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
