"""Evaluation on result files whose figures can be counted by hand."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.events import Events
from LGETextDetectLib.finding import Finding, Lesion, Meaning
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.results_table import failed_row, write_rows
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import write_nrrd
from LGETextDetectLib.wording import say
from LGETextTrainLib.evaluate import TRUTH_SHA256, EvaluationFolders, describe_set, evaluate
from LGETextTrainLib.evaluate_words import QUESTIONS, prompts, standing_prompts, wording_sensitivity, write_prompts
from LGETextTrainLib.evaluated_case import read_cases
from LGETextTrainLib.evaluation_report import report, write_report
from LGETextTrainLib.measures import FORMAT
from LGETextTrainLib.threshold_rules import rule_names
from LGETextTrainLib.write_evaluation import remove_evaluation, write_evaluation

# name: probability, segments named, layer named
SCARRED = {
    "s1": (0.9, (4, 10), "subendocardial"),
    "s2": (0.6, (9,), "mid-wall"),
    "s3": (0.4, (4,), "subendocardial"),
}
CLEAN = {"n1": (0.1, (), None), "n2": (0.5, (), None), "n3": (0.2, (), None)}
TRUE_LAYER = {"s1": "subendocardial", "s2": "subepicardial", "s3": "subendocardial"}
SIZE_ML = {"s1": 200, "s2": 150, "s3": 100, "n1": 90, "n2": 160, "n3": 120}
HEAD = {"s1": 0.9, "s2": 0.8, "s3": 0.7, "n1": 0.1, "n2": 0.2, "n3": 0.3}


def result(probability: float, segments: tuple[int, ...], layer: str | None, centre: list[float]) -> dict:
    """What evaluation reads of a result.json: three slices, threshold 0.55; lesions are said from 0.3 on."""
    mark = {"lv_centre": centre, "rvip_anterior": [0.0, -5.0, 0.0], "rvip_inferior": [0.0, 5.0, 0.0]}
    score = 2 if layer == "subendocardial" else None
    finding = Finding("present", (Lesion(segments, layer, score),)) if segments else Finding("absent")
    wordings = {text: probability for question in QUESTIONS for text in question.wordings}
    wordings |= {QUESTIONS[0].wordings[0]: probability + 0.05}
    wordings |= {question.negated: 1 - probability for question in QUESTIONS}
    asked = {"scar in the inferior wall": 0.8 if 4 in segments else 0.1, **wordings}
    return {
        "detection": {
            "present": probability >= 0.55, "probability": probability, "threshold": 0.55, "abstained": False, "reasons": [],
        },
        "slices": [{"index": k, "probability": probability * (k == 1)} for k in range(3)],
        "segments": [
            {"probability": 0.8 if n in segments else 0.1, "layer": layer if n in segments else None,
             "transmurality": score if n in segments else None}
            for n in range(1, 18)
        ],
        "landmarks": {"slices": [{"index": k, **mark} for k in range(3)]},
        "finding": finding.to_dict(),
        "prompts": [{"text": text, "probability": p} for text, p in asked.items()],
        "caption": say(finding),
        "model": {"name": "hand-made", "version": "1", "sha256": "0" * 64},
    }  # fmt: skip


def measures(name: str) -> dict:
    """What was measured beside the result: the strongest evidence of s3 lies on a slice without scar."""
    return {
        "format": FORMAT, "head_probability": HEAD[name], "cavity_ml": SIZE_ML[name], "segment_threshold": 0.5,
        "rules": {rule: {"share": SIZE_ML[name], "piece_mm2": 1.0} for rule in rule_names()},
        "peak": {"index": 0 if name == "s3" else 1, "segment": 9 if name == "s2" else 4, "evidence": 0.9},
        "points_at_scar": {"s1": True, "s2": True, "s3": False}.get(name), "myocardium_dice": 0.8,
    }  # fmt: skip


def build(folder: Path) -> EvaluationFolders:
    """Studies with masks, results, truth table: every centre is 4 mm off, but the last study's, which is 30 mm off."""
    root, results, measured = folder / "root", folder / "results", folder / "measures"
    root.mkdir()
    measured.mkdir()
    labels = np.zeros((3, 21, 21), np.float32)
    labels[1, 8:13, 8:13] = 1
    affine = np.array([[0, 0, 1.0, -10], [0, 1.0, 0, -10], [8.0, 0, 0, 0], [0, 0, 0, 1]])
    rows, findings = [], []
    for number, (name, (probability, segments, layer)) in enumerate({**SCARRED, **CLEAN}.items()):
        (results / name).mkdir(parents=True)
        for path in (root / f"{name}.nrrd", root / f"{name}_mask.nrrd", results / name / "evidence.nrrd"):
            write_nrrd(Volume(labels, affine), path)
        off = 30.0 if number == 5 else 4.0
        entry = result(probability, segments, layer, [off, 0.0, 8.0])
        (results / name / "result.json").write_text(json.dumps(entry), "utf-8")
        (measured / f"{name}.json").write_text(json.dumps(measures(name)), "utf-8")
        true_layer = TRUE_LAYER.get(name)
        rows.append(
            {"study": name, "lge": int(bool(segments)), "segments": " ".join(map(str, segments)), "layer": true_layer or "",
             "transmurality": " ".join(f"{n}:3" for n in segments), "slices": "1" if segments else ""}
        )  # fmt: skip
        lesions = (Lesion(segments, true_layer, 3 if true_layer == "subendocardial" else None),) if segments else ()
        findings.append({"id": name, "finding": Finding("present" if segments else "absent", lesions).to_dict()})
    with (root / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (root / "findings.jsonl").write_text("".join(json.dumps(f) + "\n" for f in findings), "utf-8")
    (root / "rvip.csv").write_text("study,slice,anterior_deg,inferior_deg\ns1,1,90,270\ns2,1,135,270\n", "utf-8")
    return EvaluationFolders(root, root / "truth.csv", results, measured)


@pytest.fixture
def folders(tmp_path: Path) -> EvaluationFolders:
    return build(tmp_path)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return evaluate(build(tmp_path_factory.mktemp("evaluated"))).figures


def test_presence_counted_by_hand(figures: dict) -> None:
    assert figures["studies"] == 6
    assert figures["patient_auroc"] == pytest.approx(8 / 9, abs=1e-4)  # s3 (0.4) lies below n2 (0.5)
    assert figures["sensitivity"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["specificity"] == 1
    assert figures["ppv"] == 1
    assert figures["npv"] == pytest.approx(3 / 4)
    assert figures["balanced_accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    for name in ("patient_auroc", "balanced_accuracy", "sensitivity", "npv"):
        low, high = figures[f"{name}_95"]
        assert 0 <= low <= figures[name] <= high <= 1
        assert low < high


def test_places_counted_by_hand(figures: dict) -> None:
    assert figures["segment_auroc"] == 1
    assert figures["strongest_segment_is_scarred"] == 1
    assert figures["by_segment"]["4"] == {"scarred": 2, "auroc": 1, "sensitivity": 1, "specificity": 1}
    assert figures["by_segment"]["17"]["sensitivity"] is None  # nobody has scar there
    assert figures["slice_auroc"] > 0.9
    assert figures["layer_accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["layer_confusion"]["subendocardial"]["subendocardial"] == 3
    assert figures["layer_confusion"]["subepicardial"]["mid-wall"] == 1


def test_transmurality_leaves_out_what_has_no_score(figures: dict) -> None:
    # s1 and s3 (three segments, true 3 and found 2) and the clean studies; the truth of s2 has another layer, no score.
    assert figures["transmurality_segments"] == 5 * 17
    by_chance = (4 * 82 * 3 + 9 * 3 * 82 + 1 * 3 * 3) / 85
    assert figures["transmurality_kappa"] == pytest.approx(1 - 3 / by_chance, abs=1e-4)


def test_pointing_and_masks(figures: dict) -> None:
    assert figures["pointing"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["pointing_segment"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["myocardium_dice"] == pytest.approx(0.8)


def test_heart_size_and_plain_head(figures: dict) -> None:
    assert figures["size_alone_auroc"] == pytest.approx(6 / 9, abs=1e-4)
    assert figures["size_against_answer_scar_free"] == pytest.approx(1)
    assert figures["head_auroc"] == 1
    assert figures["text_minus_head_auroc"] == pytest.approx(-1 / 9, abs=1e-4)


def test_captions_are_read_back(figures: dict) -> None:
    assert figures["caption_agrees_on_presence"] == 1
    assert figures["caption_names_the_table"] == 1
    assert figures["caption_right_on_presence"] == 1
    assert figures["caption_segment_f1"] == 1
    assert figures["caption_fact_f1"] == pytest.approx(2 * 3 / 8)  # the layer of one fact of four is wrong


def test_wordings_and_negation(figures: dict) -> None:
    assert figures["by_question"]["anywhere"]["median_difference"] == pytest.approx(0.05)
    assert figures["by_question"]["septum"]["median_difference"] == 0
    assert figures["by_question"]["anywhere"]["median_mirror_error"] == pytest.approx(0.01)


def test_prompts_of_studies_without_an_answer_are_left_out(folders: EvaluationFolders) -> None:
    path = folders.results / "n1" / "result.json"
    unanswered = json.loads(path.read_text("utf-8"))
    unanswered["detection"] |= {"present": None, "abstained": True, "reasons": ["contrast-implausible"]}
    unanswered["prompts"] = [{**row, "probability": None} for row in unanswered["prompts"]]
    path.write_text(json.dumps(unanswered), "utf-8")
    cases, _ = read_cases(folders.results, folders.truth)
    assert [case.name for case in cases if not case.answered] == ["n1"]
    assert (
        wording_sensitivity(cases)["by_question"]["septum"]["largest_difference"] == 0
    )  # not 1, as of what was misread
    given = folders.root / "prompts.jsonl"
    given.write_text(json.dumps({"text": "scar", "meaning": Meaning(True).to_dict()}) + "\n", "utf-8")
    assert prompts(cases, given)["prompts_scored"] == 0  # two scar-free studies with an answer are too few


def test_landmarks_are_measured_in_mm_and_degrees(figures: dict) -> None:
    assert figures["centre_slices"] == 6
    assert figures["centre_within_10_mm"] == pytest.approx(5 / 6, abs=1e-4)
    assert figures["centre_median_mm"] == pytest.approx(4)
    assert figures["rvips"] == 4
    assert figures["rvip_within_20_deg"] == pytest.approx(3 / 4)


def test_masks_that_cannot_be_compared_are_left_out_and_logged(folders: EvaluationFolders) -> None:
    class Log(Events):
        def log(self, text: str) -> None:
            lines.append(text)

    lines: list[str] = []
    write_nrrd(Volume(np.zeros((3, 21, 21), np.float32), np.eye(4)), folders.root / "s1_mask.nrrd")
    write_nrrd(Volume(np.arange(4 * 9.0, dtype=np.float32).reshape(4, 3, 3), np.eye(4)), folders.root / "n3_mask.nrrd")
    figures = evaluate(folders, events=Log()).figures
    assert figures["centre_slices"] == 4 and figures["centre_within_10_mm"] == 1  # n3 was the one far off
    assert [line.split(":")[0] for line in lines] == ["s1", "n3"]
    assert "constant" in lines[0] and "4 slices, the study 3" in lines[1]


def test_prompts_are_scored_against_the_findings(folders: EvaluationFolders, tmp_path: Path) -> None:
    given = tmp_path / "prompts.txt"
    given.write_text("scar in the inferior wall\napical scar\nwhat is the weather?\n", "utf-8")
    cases, _ = read_cases(folders.results, folders.truth)
    assert prompts(cases, given) == {"prompts_scored": 0, "prompts_not_scored": 3}  # two inferior scars are too few
    path = folders.root / "findings.jsonl"
    entries = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    entries[1]["finding"] = Finding("present", (Lesion((4,)),)).to_dict()
    path.write_text("".join(json.dumps(e) + "\n" for e in entries), "utf-8")
    figures = evaluate(replace(folders, prompts=given)).figures
    assert list(figures["prompt_auroc"]) == ["scar in the inferior wall"]
    assert figures["prompt_auroc_mean"] == pytest.approx(
        7.5 / 9, abs=1e-4
    )  # the second scar ties with three clean studies


def test_a_stated_meaning_counts_not_the_program_s_own(folders: EvaluationFolders, tmp_path: Path) -> None:
    given = tmp_path / "prompts.jsonl"
    anywhere = Meaning(True).to_dict()
    lines = [
        {"text": "scar in the inferior wall", "meaning": anywhere},
        {"text": "brightening of the pump", "meaning": anywhere},
    ]
    given.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    cases, _ = read_cases(folders.results, folders.truth)
    figures = prompts(cases, given)
    assert figures["prompts_read_as_stated"] == 0
    assert figures["prompt_auroc"]["scar in the inferior wall"] == pytest.approx(7.5 / 9)  # truth: scar anywhere
    assert figures["prompt_auroc"]["brightening of the pump"] == 0.5  # not asked, not understood


def test_without_measures_and_findings_less_is_said(folders: EvaluationFolders) -> None:
    (folders.root / "findings.jsonl").unlink()
    figures = evaluate(replace(folders, measures=None)).figures
    assert not {"pointing", "head_auroc", "size_alone_auroc", "prompt_auroc"} & set(figures)
    assert figures["layer_accuracy"] == pytest.approx(2 / 3, abs=1e-4)  # from the table's own layer
    assert [row["system"] for row in figures["systems"]] == ["text answer (shipped)", "always positive"]


def told(folders: EvaluationFolders, **cells: dict[str, str] | None) -> dict:
    """Figures by the truth table alone, after some cells (column -> study -> cell) or whole columns (None) were changed."""
    (folders.root / "findings.jsonl").unlink()
    with folders.truth.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, own in cells.items():
        for row in rows:
            if own is None:
                del row[column]
            else:
                row[column] = own.get(row["study"], row.get(column, ""))
    with folders.truth.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return evaluate(folders).figures


def test_scar_without_a_place_is_not_scar_nowhere(folders: EvaluationFolders) -> None:
    figures = told(folders, segments={"s3": ""}, slices={"s3": ""}, transmurality={"s3": ""})
    assert figures["by_segment"]["4"] == {"scarred": 1, "auroc": 1, "sensitivity": 1, "specificity": 1}
    assert figures["segment_specificity"] == 1 and figures["caption_segment_f1"] == 1
    assert figures["slices"] == 5 * 3
    assert figures["transmurality_segments"] == 4 * 17
    assert figures["pointing_segment_patients"] == 2


def test_a_score_that_is_not_given_is_not_0(folders: EvaluationFolders) -> None:
    assert told(folders, transmurality={"s3": ""})["transmurality_segments"] == 4 * 17


def test_facts_count_where_their_layers_are_known(folders: EvaluationFolders) -> None:
    figures = told(folders, layer={"s2": "subepicardial mid-wall"})
    assert figures["caption_fact_f1"] == 1 and figures["caption_segment_f1"] == 1  # s2's was the wrong one


def test_without_layers_only_segments_of_captions_count(folders: EvaluationFolders) -> None:
    path = folders.results / "n1" / "result.json"
    called = json.loads(path.read_text("utf-8")) | {"caption": say(Finding("present", (Lesion((4,), "mid-wall"),)))}
    path.write_text(json.dumps(called), "utf-8")
    figures = told(folders, layer=None)
    assert "caption_fact_f1" not in figures and figures["caption_segment_f1"] == pytest.approx(8 / 9, abs=1e-4)


def test_studies_of_one_patient_are_drawn_together(folders: EvaluationFolders, figures: dict) -> None:
    one = told(folders, patient=dict.fromkeys((*SCARRED, *CLEAN), "P1"))
    assert (one["studies"], one["patients"], figures["patients"]) == (6, 1, 6)
    for row in (one, *one["systems"]):  # a resample of one patient is that patient
        for name in [name.removesuffix("_95") for name in row if name.endswith("_95")]:
            assert row[f"{name}_95"] == [row[name]] * 2, name


def test_named_patients_of_a_study_each_change_nothing(folders: EvaluationFolders, figures: dict) -> None:
    names = (*SCARRED, *CLEAN)
    named = told(folders, patient={name: f"P{name}" for name in names})
    assert named.pop(TRUTH_SHA256) != figures[TRUTH_SHA256]
    assert named == {name: value for name, value in figures.items() if name != TRUTH_SHA256}


def test_systems_stand_in_one_table(folders: EvaluationFolders) -> None:
    scores = {name: float(name[0] == "s") for name in (*SCARRED, *CLEAN)}
    rows = {row["system"]: row for row in evaluate(folders, {"other": scores, "absent": None}).figures["systems"]}
    assert rows["other"]["auroc"] == rows["other"]["balanced_accuracy"] == 1
    assert "weights not given" in rows["absent"]["note"]
    assert rows["always positive"]["balanced_accuracy"] == 0.5
    assert rows["plain head, no text"]["best_balanced_accuracy_on_this_set"] == 1
    assert rows["FWHM, share of myocardium"]["auroc"] == pytest.approx(6 / 9, abs=1e-4)


def test_missing_results_are_named(folders: EvaluationFolders) -> None:
    (folders.results / "n3" / "result.json").unlink()
    assert evaluate(folders).figures["without_result"] == ["n3"]


def test_an_older_result_of_a_study_that_the_batch_did_not_answer_does_not_count(folders: EvaluationFolders) -> None:
    rows = [failed_row(name, name, "error" if name == "n2" else "ok", "") for name in ("s1", "s2", "s3", "n1", "n2")]
    write_rows(folders.results / "results.csv", rows)
    assert evaluate(folders).figures["without_result"] == ["n2", "n3"]


def test_no_result_at_all_is_refused(folders: EvaluationFolders, tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        evaluate(replace(folders, results=tmp_path))


def test_results_of_two_models_are_refused(folders: EvaluationFolders) -> None:
    path = folders.results / "n3" / "result.json"
    entry = json.loads(path.read_text("utf-8"))
    entry["model"]["version"] = "2"
    path.write_text(json.dumps(entry), "utf-8")
    with pytest.raises(InputRefused):
        evaluate(folders)


def test_tables_are_written(folders: EvaluationFolders, tmp_path: Path) -> None:
    evaluation = evaluate(folders)
    write_evaluation(tmp_path / "out", folders, evaluation)
    kept = json.loads((tmp_path / "out" / "figures.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(evaluation.figures))
    with (tmp_path / "out" / "cases.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["study"]: row for row in csv.DictReader(file)}
    assert len(rows) == 6
    assert rows["s1"]["segments_found"] == "4 10"
    assert rows["s1"]["points_at_scar"] == "True"


def test_an_older_evaluation_is_taken_away_and_another_truth_table_noticed(
    folders: EvaluationFolders, tmp_path: Path
) -> None:
    out, said = tmp_path / "out", []
    events = Events()
    events.warning = lambda code, _: said.append(code)  # type: ignore[method-assign]
    (folders.root / "cohort.json").write_text('{"virtual": true}', "utf-8")
    remove_evaluation(out, folders.truth, events)
    for changed in (False, True):
        write_evaluation(out, folders, evaluate(folders))
        (out / "results").mkdir(exist_ok=True)
        (out / "mine.svg").touch()
        folders.truth.write_bytes(folders.truth.read_bytes() + b"\n" * changed)
        remove_evaluation(out, folders.truth, events)
        assert sorted(path.name for path in out.iterdir()) == ["mine.svg", "results"]
        assert said == ["truth-changed"] * changed


def test_an_evaluation_cut_off_while_it_is_written_has_no_figures(
    folders: EvaluationFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("LGETextTrainLib.write_evaluation.write_plots", stop)
    with pytest.raises(KeyboardInterrupt):
        write_evaluation(tmp_path / "out", folders, evaluate(folders))
    assert not (tmp_path / "out" / "figures.json").exists()


def test_virtual_and_real_stand_apart(folders: EvaluationFolders, tmp_path: Path) -> None:
    real = evaluate(folders)
    assert describe_set(folders.root) == {"set": "root", "virtual": False, "about": ""}
    (folders.root / "cohort.json").write_text('{"virtual": true, "about": "six made by hand"}', "utf-8")
    virtual = replace(real, figures=real.figures | describe_set(folders.root))
    for name, evaluation in (("a", real), ("b", virtual)):
        write_evaluation(tmp_path / "sets" / name, folders, evaluation)
    assert not list((tmp_path / "sets" / "a").glob("*.png"))  # no picture of a person
    assert (tmp_path / "sets" / "b" / "failure-missed.png").is_file()
    assert write_report(tmp_path / "new" / "evaluation.md") == 0
    assert write_report(tmp_path / "sets" / "evaluation.md") == 2
    text = (tmp_path / "sets" / "evaluation.md").read_text("utf-8")
    first, second = text.split("## Real patients")
    assert "six made by hand" in first and "six made by hand" not in second
    for part in (first, second):
        assert "| patient AUROC | 0.889 (" in part
        assert "not run" not in part  # nothing was asked for
        assert "0.830" in part and "2502.12948" in part
    assert "![roc](b/roc.svg)" in first
    assert "not for diagnosis" in text


def test_report_says_what_is_not_there() -> None:
    assert report([]).count("Not there") == 2


def test_prompt_file_holds_given_and_standing_prompts(tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text(f"apical scar\n{standing_prompts()[0]}\n", "utf-8")
    lines = write_prompts(tmp_path / "out" / "prompts.txt", given).read_text("utf-8").splitlines()
    assert lines[0] == "apical scar"
    assert len(lines) == len(set(lines)) == 1 + len(standing_prompts())


def test_prompts_may_be_json_lines(tmp_path: Path) -> None:
    given = tmp_path / "given.jsonl"
    given.write_text('{"text": "apical\\nscar", "meaning": {}}\n{"text": ""}\n', "utf-8")
    assert write_prompts(tmp_path / "a.txt", given).read_text("utf-8").splitlines()[0] == "apical scar"
    given.write_text("apical scar\n", "utf-8")
    with pytest.raises(InputRefused, match="bad-prompts"):
        write_prompts(tmp_path / "a.txt", given)


def test_wordings_mean_the_same() -> None:
    from LGETextDetectLib.wording import read_prompt

    for question in QUESTIONS:
        meanings = {read_prompt(text) for text in question.wordings}
        assert len(meanings) == 1, question.name
        assert read_prompt(question.negated) == replace(meanings.pop(), negated=True), question.name
