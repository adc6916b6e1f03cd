"""Is this cohort fit to be learnt from? Everything that speaks against it, said before any training starts."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from LGETextDetectLib.refusal import InputRefused

from .calibrate import MIN_CLASS, enough_of_both
from .hospital_cohort import (
    Cohort,
    Member,
    Splits,
    assign_splits,
    class_counts,
    list_members,
    match_cohort,
    read_splits,
    write_splits,
)
from .prepared_study import frame_folder, prepare_all
from .recipe import DataTable
from .report_language import READ
from .run_record import read_run
from .whole_file import written_whole

MIN_PATIENTS = 10
MIN_TRAIN, MIN_VALIDATION = 2, 1  # patients of each class
LANGUAGE_SHARE = 0.1  # of the reports that may be in a language which is not read
HOW_SPLIT = "splits.json"
OTHER_SHARES = "The run in this folder began with other shares, another seed or a split file: its splits are kept."
COLUMNS = ("study", "patient", "split", "lge", "segments", "layers", "language", "slices", "image_type", "left_out")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: severity 'error' forbids training, 'warning' does not; code is one of refusal.REMEDIES."""

    severity: str
    code: str
    text: str


@dataclass(frozen=True)
class DataCheck:
    """What was found. texts: the members' reports without identifiers, in the members' order, never written down."""

    members: tuple[Member, ...]
    texts: tuple[str, ...]
    counts: dict[str, Any]
    problems: tuple[Problem, ...]
    prepared: Path

    def chosen(self, split: str) -> list[int]:
        """Numbers of the usable members of one split."""
        return [k for k, member in enumerate(self.members) if member.split == split]

    def refuse_errors(self) -> None:
        """Raise the first error as InputRefused; nothing when there is none."""
        for problem in self.problems:
            if problem.severity == "error":
                raise InputRefused(problem.code, problem.text)

    def fingerprint(self) -> str:
        """Changes when images, what is understood of reports, or splits do."""
        facts = [[m.reading.sha256, m.finding.to_dict(), m.split, m.patient] for m in self.members]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def check_data(
    data: DataTable, bundle: Path, out: Path, seed: int, *, workers: int = 1, normalise_orientation: bool = True,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> DataCheck:  # fmt: skip
    """Match, read and judge a cohort; prepared studies stay in ``out``/prepared, the splits in ``out``/splits.csv.

    Other shares or another seed than before share the patients out anew, unless a run has begun in ``out``.

    Raises InputRefused for what leaves nothing to judge (not-found, no-studies, bad-reports, images-missing, split-leak).
    """
    cohort = match_cohort(Path(data.studies), Path(data.reports))
    if not cohort.matched:
        raise InputRefused("images-missing", f"None of the {cohort.reports} reports names a study of the folder.")
    studies = [matched.study for matched in cohort.matched]
    readings = prepare_all(
        studies, bundle, out / "prepared", workers=workers, normalise_orientation=normalise_orientation,
        report=lambda done: report(done, len(studies)),
    )  # fmt: skip
    members = list_members(cohort, readings)
    kept = out / "splits.csv"
    how = {
        "validation_share": data.validation_share,
        "test_share": data.test_share,
        "seed": seed,
        "own": not data.splits,
    }
    changed = not data.splits and kept.is_file() and _kept_how(out) not in ({}, how)
    anew = changed and not read_run(out)  # nothing has been learnt yet: no patient can be torn from split to split
    source = Path(data.splits) if data.splits else kept
    splits = read_splits(source, cohort, members) if data.splits or (kept.is_file() and not anew) else Splits({})
    unmatched = splits.unmatched if data.splits else 0  # of the run's own file: studies that are away
    shares = {"validation": data.validation_share, "test": data.test_share}
    members = assign_splits(members, shares, seed, splits.of_patient)
    if not unmatched and (anew or not changed):
        write_splits(kept, members, splits.of_study)
        _keep_how(out, how)
    problems = find_problems(cohort, members, data.max_left_out, unmatched)
    if changed and not anew:
        problems.append(Problem("warning", "recipe-changed", OTHER_SHARES))
    texts = tuple(matched.text for matched in cohort.matched)
    prepared = frame_folder(out / "prepared", bundle, normalise_orientation)
    return DataCheck(tuple(members), texts, count(cohort, members), tuple(problems), prepared)


def _kept_how(out: Path) -> dict[str, Any]:
    """Shares and seed by which ``out``/splits.csv was made; {} where that is not known."""
    try:
        return dict(json.loads((out / HOW_SPLIT).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _keep_how(out: Path, how: Mapping[str, Any]) -> None:
    with written_whole(out / HOW_SPLIT) as partial:
        partial.write_text(json.dumps(how, indent=1) + "\n", "utf-8")


def find_problems(
    cohort: Cohort, members: Sequence[Member], max_left_out: float, unmatched_splits: int = 0
) -> list[Problem]:
    """Everything that is wrong, errors first; ``unmatched_splits``: rows of the hospital's split file without a study."""
    found = [
        *_splits(unmatched_splits), *_unmatched(cohort, max_left_out), *_empty(members, max_left_out), *_languages(members), *_duplicates(members),
        *_refused(members, max_left_out), *_classes(members), *_validation(members),
    ]  # fmt: skip
    return sorted(found, key=lambda problem: problem.severity != "error")


def _severity(part: int, whole: int, limit: float) -> str:
    return "error" if part > limit * whole else "warning"


def _splits(unmatched: int) -> list[Problem]:
    """A row that finds no study may have meant to keep a patient out of training."""
    if not unmatched:
        return []
    return [Problem("error", "split-unmatched", f"{unmatched} rows of the split file name no study of the folder.")]


def _unmatched(cohort: Cohort, limit: float) -> list[Problem]:
    found = []
    if cohort.without_images:
        text = f"{cohort.without_images} of {cohort.reports} reports name no study of the folder."
        found.append(Problem(_severity(cohort.without_images, cohort.reports, limit), "images-missing", text))
    if cohort.without_report:
        text = f"{cohort.without_report} studies have no report and are not used."
        found.append(Problem("warning", "images-missing", text))
    if cohort.ambiguous:
        text = f"{cohort.ambiguous} studies are named by several reports and are not used."
        found.append(Problem("warning", "duplicate-studies", text))
    return found


def _empty(members: Sequence[Member], limit: float) -> list[Problem]:
    empty = sum(member.empty for member in members)
    if not empty:
        return []
    return [
        Problem(_severity(empty, len(members), limit), "empty-reports", f"{empty} of {len(members)} reports are empty.")
    ]


def _languages(members: Sequence[Member]) -> list[Problem]:
    written = Counter(member.language for member in members if member.language)
    listed = ", ".join(f"{count} {name}" for name, count in written.most_common())
    unread = sum(count for name, count in written.items() if name not in READ)
    if unread:
        text = f"{unread} reports are written in a language that is not read (found: {listed})."
        return [Problem(_severity(unread, len(members), LANGUAGE_SHARE), "report-language", text)]
    if len(written) > 1:
        text = f"The reports are written in {len(written)} languages ({listed}); plain statements of each are read."
        return [Problem("warning", "report-language", text)]
    return []


def _duplicates(members: Sequence[Member]) -> list[Problem]:
    first = {member.study: member for member in members}
    copies = [member for member in members if member.duplicate_of]
    if not copies:
        return []
    apart = [m for m in copies if m.finding.lge != first[m.duplicate_of].finding.lge]
    others = [m for m in copies if m.other_patient and m not in apart]
    found = []
    if apart:
        text = f"{len(apart)} studies hold the images of another study but their reports disagree on scar ({_named(apart)})."
        found.append(Problem("error", "duplicate-studies", text))
    if others:
        text = (
            f"{len(others)} studies hold the images of another patient's study; the first is kept, and the two patients "
            f"are taken for one ({_named(others)})."
        )
        found.append(Problem("warning", "duplicate-studies", text))
    if same := [m for m in copies if m not in apart and m not in others]:
        text = f"{len(same)} studies are there twice; the first of each is kept ({_named(same)})."
        found.append(Problem("warning", "duplicate-studies", text))
    return found


def _named(members: Sequence[Member]) -> str:
    names = ", ".join(member.study for member in members[:3])
    return names + (", ..." if len(members) > 3 else "")


def _refused(members: Sequence[Member], limit: float) -> list[Problem]:
    codes = Counter(member.reading.code for member in members if member.reading.code)
    if not codes:
        return []
    listed = ", ".join(f"{count} {code}" for code, count in codes.most_common())
    text = f"{codes.total()} of {len(members)} studies cannot be read ({listed})."
    return [Problem(_severity(codes.total(), len(members), limit), "left-out", text)]


def _classes(members: Sequence[Member]) -> list[Problem]:
    usable = [member for member in members if member.usable]
    patients = {member.patient for member in usable}
    if len(patients) < MIN_PATIENTS:
        return [
            Problem(
                "error", "few-patients", f"Only {len(patients)} patients can be learnt from; {MIN_PATIENTS} are needed."
            )
        ]
    found = []
    for state, word in (("present", "scarred"), ("absent", "scar-free")):
        count = {
            split: len({m.patient for m in usable if m.split == split and m.finding.lge == state})
            for split in ("train", "validation")
        }
        if count["train"] < MIN_TRAIN or count["validation"] < MIN_VALIDATION:
            text = f"Only {count['train']} patients to train on and {count['validation']} to validate on are called {word} by their reports."
            found.append(Problem("error", "one-class", text))
    return found


def _validation(members: Sequence[Member]) -> list[Problem]:
    """Too few studies to fit thresholds to are said beforehand."""
    scarred = [member.finding.lge == "present" for member in members if member.split == "validation"]
    if enough_of_both(scarred):
        return []
    text = (
        f"Only {sum(scarred)} scarred and {len(scarred) - sum(scarred)} scar-free studies to validate on: threshold and calibration, "
        f"which take {MIN_CLASS} of each, will not be fitted to them."
    )
    return [Problem("warning", "one-class", text)]


def count(cohort: Cohort, members: Sequence[Member]) -> dict[str, Any]:
    """The check's numbers, by name."""
    usable = [member for member in members if member.usable]
    by_split = Counter((m.split, m.finding.lge) for m in usable)
    return {
        "reports": cohort.reports, "reports_without_images": cohort.without_images, "studies_without_report": cohort.without_report,
        "studies_of_several_reports": cohort.ambiguous, "matched": len(members), **class_counts(members),
        "empty_reports": sum(m.empty for m in members), "refused": dict(Counter(m.reading.code for m in members if m.reading.code)),
        "duplicates": sum(bool(m.duplicate_of) for m in members), "languages": dict(Counter(m.language or "unknown" for m in members)),
        "usable": len(usable), "patients": len({m.patient for m in usable}),
        "splits": {split: {state: by_split[(split, state)] for state in ("present", "absent")} for split in ("train", "validation", "test")},
    }  # fmt: skip


def left_out(member: Member) -> str:
    """Why a member is not used; '' when it is."""
    if member.reading.code:
        return member.reading.code
    if member.duplicate_of:
        return f"duplicate of {member.duplicate_of}"
    if member.empty:
        return "empty report"
    return "" if member.usable else f"report: {member.finding.lge}"


def table_row(member: Member) -> dict[str, object]:
    """One row of studies.csv; no identifier, no word of the report."""
    lesions = member.finding.lesions
    return {
        "study": member.study, "patient": member.patient, "split": member.split, "lge": member.finding.lge,
        "segments": " ".join(str(n) for n in sorted({n for lesion in lesions for n in lesion.segments})),
        "layers": " ".join(sorted({lesion.layer for lesion in lesions if lesion.layer})), "language": member.language,
        "slices": member.reading.slices, "image_type": member.reading.image_type, "left_out": left_out(member),
    }  # fmt: skip


def write_table(check: DataCheck, folder: Path) -> None:
    """studies.csv and counts.json of a check."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "studies.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(table_row(member) for member in check.members)
    problems = [{"severity": p.severity, "code": p.code, "text": p.text} for p in check.problems]
    (folder / "counts.json").write_text(json.dumps({**check.counts, "problems": problems}, indent=1) + "\n", "utf-8")


def write_names(data: DataTable, check: DataCheck, path: Path) -> None:
    """names.csv: the pseudonym, name and path of every study of the check. Holds names: for the hospital's own eyes."""
    cohort = match_cohort(Path(data.studies), Path(data.reports))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = zip(check.members, cohort.matched, strict=True)
        csv.writer(file).writerows(
            [("study", "name", "path"), *((m.study, c.study.name, c.study.path) for m, c in rows)]
        )


def as_text(check: DataCheck) -> str:
    """The check for a terminal: counts, then one line a problem."""
    counts = check.counts
    lines = [
        f"{counts['matched']} studies with a report ({counts['reports']} reports; {counts['reports_without_images']} without images, "
        f"{counts['studies_without_report']} studies without report)",
        f"reports: {counts['present']} present, {counts['absent']} absent, {counts['uncertain']} uncertain, {counts['not_stated']} not stated",
        f"usable: {counts['usable']} studies of {counts['patients']} patients",
        *(f"  {split}: {own['present']} scarred, {own['absent']} scar-free" for split, own in counts["splits"].items()),
        *(f"{p.severity} [{p.code}]: {p.text}" for p in check.problems),
    ]  # fmt: skip
    return "\n".join(lines if check.problems else [*lines, "Nothing speaks against training."])
