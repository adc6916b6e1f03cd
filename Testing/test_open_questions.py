"""What a report does not say is open: neither taught as "no" nor counted, while a finding that says all decides all."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from LGETextDetectLib.finding import ENDOCARDIAL, LAYERS, Finding, Lesion, Meaning  # noqa: E402
from LGETextDetectLib.tokens import MEASURES, PLACES  # noqa: E402
from LGETextDetectLib.wall_regions import PER_SLICE  # noqa: E402
from LGETextDetectLib.wording import read_report  # noqa: E402
from LGETextTrainLib import hospital_training  # noqa: E402
from LGETextTrainLib.ask import PRESENCE, SEGMENTS, random_question, segment_answers  # noqa: E402
from LGETextTrainLib.calibrate import first_thresholds, fit_thresholds  # noqa: E402
from LGETextTrainLib.cohort import Case, join_cases  # noqa: E402
from LGETextTrainLib.diagnostic import draw_clinical  # noqa: E402
from LGETextTrainLib.hospital_evaluation import Reported, ReportedOutcome, reported_metrics  # noqa: E402
from LGETextTrainLib.processes import ALONE  # noqa: E402
from LGETextTrainLib.recipe import LanguageStage  # noqa: E402
from LGETextTrainLib.train_language import (  # noqa: E402
    LanguageLoss,
    Terms,
    new_language_model,
    report_sentence,
    truth_table,
)
from LGETextTrainLib.virtual_study import render_study  # noqa: E402

INFERIOR, SEPTUM = (4, 10, 15), (2, 3, 8, 9, 14)


def asked(**fields: object) -> Meaning:
    return Meaning(True, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("report", "question", "answer"),
    [
        ("Transmural infarct. LGE present.", PRESENCE, True),
        ("Transmural infarct. LGE present.", asked(segments=(4,)), None),
        ("Transmural infarct. LGE present.", asked(segments=tuple(range(1, 18))), True),
        ("Transmural infarct. LGE present.", asked(layers=("transmural",)), True),
        ("Transmural infarct. LGE present.", asked(layers=("mid-wall",)), False),
        ("Transmural infarct. LGE present.", asked(segments=(4,), layers=("mid-wall",)), False),
        ("Transmural infarct. LGE present.", asked(no_reflow=True), None),
        ("Scar in the inferior wall.", asked(segments=(10,)), True),
        ("Scar in the inferior wall.", asked(segments=SEPTUM), False),
        ("Scar in the inferior wall.", asked(segments=(10,), layers=("mid-wall",)), None),
        ("Scar in the inferior wall.", asked(segments=SEPTUM, layers=("mid-wall",)), False),
        ("Scar in the inferior wall.", asked(layers=("transmural",)), None),
        ("Scar in the inferior wall.", asked(aetiology="ischaemic"), None),
        ("Scar in the inferior wall.", asked(segments=SEPTUM, aetiology="ischaemic"), False),
        ("Scar in the inferior wall.", asked(min_transmurality=3), None),
        ("Scar in the inferior wall.", asked(negated=True, segments=SEPTUM), True),
        ("Scar in the inferior wall.", asked(negated=True, layers=("mid-wall",)), None),
        ("Subendocardial scar in the inferior wall, no MVO.", asked(no_reflow=True), False),
        ("Subendocardial scar in the inferior wall, no MVO.", asked(min_transmurality=1), True),
        ("Subendocardial scar in the inferior wall, no MVO.", asked(min_transmurality=3), None),
        ("Subendocardial scar in the inferior wall, no MVO.", asked(min_transmurality=4), False),
        ("Mid-wall LGE in the septum.", asked(min_transmurality=1), False),
        ("Transmural infarct. Scar in the inferior wall.", asked(segments=SEPTUM), False),
        ("Transmural infarct. Scar in the inferior wall.", asked(segments=(4,), layers=("transmural",)), None),
        ("No LGE.", PRESENCE, False),
        ("No LGE.", asked(segments=(4,), layers=("mid-wall",), aetiology="ischaemic"), False),
        ("Possible scar in the inferior wall.", PRESENCE, None),
        ("Possible scar in the inferior wall.", asked(segments=SEPTUM), False),
        ("Normal right ventricle.", PRESENCE, None),
    ],
)  # fmt: skip
def test_what_a_report_decides(report: str, question: Meaning, answer: bool | None) -> None:
    assert question.decided_for(read_report(report)) is answer


def test_a_doubtful_lesion_beside_a_sure_one_decides_nothing_where_it_may_lie() -> None:
    finding = Finding("present", (Lesion((4,), "mid-wall"), Lesion((9,), certainty="possible")))
    assert [asked(segments=(n,)).decided_for(finding) for n in (4, 9, 1)] == [True, None, False]


def complete_finding(rng: np.random.Generator) -> Finding:
    """What a virtual patient's truth may say: nothing in it is left open."""
    if rng.random() < 0.2:
        return Finding("absent")
    ischaemic = bool(rng.random() < 0.5)
    lesions = []
    for layer in ENDOCARDIAL if ischaemic else [str(rng.choice(LAYERS[1:3]))]:
        segments = tuple(int(n) for n in rng.permutation(np.arange(1, 18))[: rng.integers(1, 6)])
        score = {"transmural": 4, "subendocardial": int(rng.integers(0, 4))}.get(layer)
        lesions.append(Lesion(segments, layer, score))
    return Finding("present", tuple(lesions), *(("ischaemic", bool(rng.random() < 0.3)) if ischaemic else ("non-ischaemic", None)))  # fmt: skip


def test_the_truth_of_a_virtual_patient_decides_every_question() -> None:
    rng = np.random.default_rng(0)
    rendered = [render_study(draw_clinical(np.random.default_rng(k), 0.8)).finding for k in range(8)]
    for finding in [*rendered, *(complete_finding(rng) for _ in range(200))]:
        for question in [PRESENCE, *SEGMENTS, *(random_question(rng) for _ in range(100))]:
            assert question.decided_for(finding) is question.true_for(finding)


def test_the_table_marks_what_is_open() -> None:
    findings = tuple(
        read_report(text) for text in ("Transmural infarct. LGE present.", "Scar in the inferior wall.", "No LGE.")
    )
    true, decided = truth_table([PRESENCE, asked(segments=(1,)), asked(layers=("mid-wall",))], findings)
    assert true.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert decided.tolist() == [[True, False, True], [True, True, False], [True, True, True]]
    scarred, known = segment_answers(findings)
    assert [int(row.sum()) for row in known] == [0, 17, 17] and np.flatnonzero(scarred[1] & known[1]).tolist() == [
        3,
        9,
        14,
    ]


def test_the_sentence_of_scar_without_more_affirms() -> None:
    assert report_sentence(Finding("present")) == "there is late enhancement in anywhere"


# --- training and validation -----------------------------------------------------------------------------------------


def case_of(finding: Finding, seed: int = 0) -> Case:
    """Tokens of noise on six slices."""
    rng, count = np.random.default_rng(seed), 6 * PER_SLICE
    values, places = rng.random((count, MEASURES)), rng.random((count, PLACES))
    return Case(
        values.astype(np.float16), places.astype(np.float16), np.ones(count, bool), finding, np.full(6, -1, np.int8)  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_question_that_is_left_open_teaches_nothing() -> None:
    model = new_language_model(LanguageStage(1, 1e-3, 2, 4, 0), 0).eval()
    cases = [case_of(read_report("Transmural infarct. LGE present."))]
    loss = LanguageLoss(model, cases, Terms(), torch.device("cpu"))
    contrast = []
    for questions in ([PRESENCE], [PRESENCE, asked(segments=(4,)), asked(no_reflow=True)]):
        torch.manual_seed(1)
        contrast.append(loss((join_cases(cases), questions, []))[1]["contrast"])
    assert contrast[0] == pytest.approx(contrast[1], abs=1e-6)


def test_open_segments_do_not_count_in_validation() -> None:
    """A patient whose report gives no place changes nothing in how well the places of the others are told."""
    cases = [case_of(Finding("absent"), 1), case_of(read_report("Scar in the inferior wall."), 2)]
    thin = case_of(read_report("Transmural infarct. LGE present."), 3)
    hospital = SimpleNamespace(processes=ALONE)
    model = new_language_model(LanguageStage(1, 1e-3, 2, 4, 0), 0).eval()
    with torch.inference_mode():
        judged = [hospital_training._judge_text(hospital, chosen)(model) for chosen in (cases, [*cases, thin])]  # type: ignore[arg-type]
    assert judged[0]["segment_auroc"] == judged[1]["segment_auroc"]


def outcome(finding: Finding, probability: float, segments: np.ndarray, patient: int) -> ReportedOutcome:
    prediction = SimpleNamespace(probability=probability, head_probability=probability, segment_probability=segments)
    return ReportedOutcome(prediction, Reported(finding), patient)  # type: ignore[arg-type]


def outcomes_of(reports: list[str]) -> list[ReportedOutcome]:
    """Scar-free patients, and one of each report, whose inferior wall is seen to be scarred."""
    scarred = np.full(17, 0.1)
    scarred[[3, 9, 14]] = 0.8
    free = [outcome(Finding("absent"), 0.1, np.full(17, 0.05), k) for k in range(5)]
    return [*free, *(outcome(read_report(text), 0.9, scarred, 10 + k) for k, text in enumerate(reports))]


def test_reports_without_a_place_move_no_threshold_and_no_figure_of_segments() -> None:
    placed = ["Scar in the inferior wall."] * 4
    named, more = outcomes_of(placed), outcomes_of([*placed, *["Transmural infarct. LGE present."] * 4])
    assert fit_thresholds(named)["segment"] == fit_thresholds(more)["segment"]
    metrics = reported_metrics(more, fit_thresholds(more))
    assert metrics["segment_auroc"] == 1.0 and metrics["studies"] == 13


def test_without_any_place_the_segments_keep_their_first_threshold() -> None:
    outcomes = outcomes_of(["LGE is present."] * 4)
    assert fit_thresholds(outcomes)["segment"] == first_thresholds()["segment"]
    assert reported_metrics(outcomes, first_thresholds())["segment_auroc"] is None
