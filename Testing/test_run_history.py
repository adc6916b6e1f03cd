"""Runs without a panel: the lock, how a run stands, time left, curves."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

import pytest
from LGETextDetectLib.events import Events
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib import cli
from LGETextTrainLib import run_lock as run_lock_module
from LGETextTrainLib.run_history import AttachedRun, RunHistory, TimeLeft, minutes_words, summary_of
from LGETextTrainLib.run_lock import run_lock, running_process
from LGETextTrainLib.run_record import begin_run, end_run, has_ended, read_run
from LGETextTrainLib.training_curves import all_svgs, curves_of, read_log


def test_one_training_a_folder(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        assert running_process(tmp_path) is not None
        with pytest.raises(InputRefused) as refused, run_lock(tmp_path):
            pass
        assert refused.value.code == "run-busy"
    assert running_process(tmp_path) is None and running_process(tmp_path / "nowhere") is None


@pytest.mark.parametrize("command", ["check-data", "preview-scars"])
def test_the_data_of_a_running_training_are_not_checked(tmp_path: Path, command: str) -> None:
    """A check may replace prepared studies and splits that the training reads."""
    recipe = Path(__file__).parents[1] / "recipes" / "hospital.toml"
    arguments = argparse.Namespace(recipe=recipe, out=tmp_path, names=False, events=False, n=1)
    with run_lock(tmp_path), pytest.raises(InputRefused) as refused:
        cli.run(command, arguments, Events())
    assert refused.value.code == "run-busy"


def test_a_check_keeps_others_out_and_is_no_training(tmp_path: Path) -> None:
    with run_lock(tmp_path, trains=False):
        assert running_process(tmp_path) is None
        with pytest.raises(InputRefused), run_lock(tmp_path):
            pass


def test_a_look_at_the_lock_refuses_nobody(tmp_path: Path) -> None:
    """The panel asks who trains by taking the lock for a moment."""
    with (tmp_path / "running.lock").open("a+b") as looking:
        assert run_lock_module._take(looking)
        threading.Timer(0.03, run_lock_module._give_back, [looking]).start()
        with run_lock(tmp_path):
            assert running_process(tmp_path) is not None


def test_who_has_ended_is_named_no_more(tmp_path: Path) -> None:
    """Another process's check may hold the lock next; the number of a process that has ended may be anybody's."""
    with run_lock(tmp_path):
        pass
    assert not (tmp_path / "running.lock").read_bytes().strip()


def test_how_a_run_stands(tmp_path: Path) -> None:
    assert summary_of(tmp_path).state == "not started"
    (tmp_path / "log.jsonl").write_text(
        '{"stage": "text", "step": 4, "time": 9.5, "validation": {"auroc": 0.7}}\n{"sta', "utf-8"
    )
    summary = summary_of(tmp_path)
    assert (summary.state, summary.began, summary.figure) == ("stopped", 9.5, "validation AUROC 0.70")
    with run_lock(tmp_path):
        assert summary_of(tmp_path).state == "running"


def test_a_run_is_done_when_it_says_so_itself(tmp_path: Path) -> None:
    begin_run(tmp_path, {"name": "lge-x", "version": "1", "recipe": "r", "data": "d"})
    (tmp_path / "log.jsonl").write_text('{"stage": "done", "validation_auroc": 0.7}\n', "utf-8")
    for name in ("lge-x", ".lge-x.part"):
        (tmp_path / "bundle" / name).mkdir(parents=True)
        (tmp_path / "bundle" / name / "manifest.json").write_text("{}", "utf-8")
    assert (summary_of(tmp_path).state, summary_of(tmp_path).bundle) == ("stopped", None)
    end_run(tmp_path)
    assert (summary_of(tmp_path).state, summary_of(tmp_path).bundle) == ("done", tmp_path / "bundle" / "lge-x")


def test_a_run_record_keeps_its_beginning_and_refuses_another_run(tmp_path: Path) -> None:
    facts = {"name": "lge-x", "version": "1", "recipe": "r", "data": "d"}
    begin_run(tmp_path, facts)
    began = read_run(tmp_path)
    end_run(tmp_path)
    begin_run(tmp_path, facts)
    assert read_run(tmp_path) == began | {"state": "done"}
    for name in ("recipe", "data"):
        with pytest.raises(InputRefused) as refused:
            begin_run(tmp_path, facts | {name: "other"})
        assert refused.value.code == f"{name}-changed"
    assert not has_ended(tmp_path, tmp_path / "bundle"), "a run without its bundle has not ended"


def test_the_newest_run_comes_first_and_lost_ones_are_left_out(tmp_path: Path) -> None:
    history = RunHistory(tmp_path / "deep" / "runs.json")
    assert history.folders() == []
    for name in ("a", "b", "a"):
        (tmp_path / name).mkdir(exist_ok=True)
        history.add(tmp_path / name)
    (tmp_path / "b").rmdir()
    assert history.folders() == [(tmp_path / "a").resolve()] and history.running() is None


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """As for another user's file: the tests may run as one to whom all is open."""
    opened = Path.open

    def open_others(self: Path, *words: object, **named: object) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(self, *words, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", open_others)


def test_a_lock_that_cannot_be_written_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_lock(tmp_path):
        pass
    refuse_to_open(monkeypatch, tmp_path / "running.lock")
    assert running_process(tmp_path) is None and summary_of(tmp_path).state == "not started"


def test_one_bad_run_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = RunHistory(tmp_path / "runs.json")
    for name in ("good", "odd", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.jsonl").touch()
        history.add(tmp_path / name)
    (tmp_path / "odd" / "run.json").write_text('{"began": "yesterday", "studies": "many"}', "utf-8")
    refuse_to_open(monkeypatch, (tmp_path / "closed").resolve() / "log.jsonl")
    assert [(run.folder.name, run.state) for run in history.runs()] == [
        ("closed", "unreadable"), ("odd", "stopped"), ("good", "not started"),
    ]  # fmt: skip
    assert history.running() is None and history.runs()[1].began is None and history.runs()[1].studies is None


@pytest.mark.parametrize("listed", ["{}", "7", "[7, null]", "nothing"])
def test_a_broken_list_of_runs_is_an_empty_one(tmp_path: Path, listed: str) -> None:
    (tmp_path / "runs.json").write_text(listed, "utf-8")
    assert RunHistory(tmp_path / "runs.json").runs() == []


def test_an_attached_run_gives_the_events_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "slicer-events.jsonl").write_text('{"event": "progress", "stage": "scar"}\nplain\npart', "utf-8")
    run = AttachedRun(tmp_path)
    assert [event["event"] for event in run.poll()] == ["progress", "log", "log"]
    assert run.finished and run.exit_code == 1 and run.poll() == []


def test_time_left_follows_the_pace_of_the_stage() -> None:
    left = TimeLeft()
    assert left.of("scar", 100, 400, 10.0) is None
    assert left.of("scar", 200, 400, 20.0) == pytest.approx(20.0)
    assert left.of("text", 1, 10, 30.0) is None
    assert (minutes_words(None), minutes_words(20), minutes_words(300), minutes_words(9000)) == (
        "", "about 20 s left", "about 5 min left", "about 2.5 h left",
    )  # fmt: skip


def test_curves_keep_the_later_of_two_values_and_are_drawn(tmp_path: Path) -> None:
    lines = [
        {"stage": "scar", "step": 50, "loss": 2.0}, {"stage": "scar", "step": 100, "loss": 1.5}, {"stage": "scar", "step": 50, "loss": 1.9},
        {"stage": "scar", "step": 100, "validation": {"score": -1.0, "loss": 1.2}}, {"stage": "device", "name": "cpu"},
    ]  # fmt: skip
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    curves = {curve.name: curve for curve in curves_of(read_log(tmp_path / "log.jsonl"))}
    assert curves["loss"].values == (1.9, 1.5) and curves["validation loss"].steps == (100,)
    ((title, svg),) = all_svgs(read_log(tmp_path / "log.jsonl"))
    assert (
        title == "scar" and svg.count("<polyline") == 2 and "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    )


def test_what_is_no_number_is_not_drawn(tmp_path: Path) -> None:
    """No validation report names a segment: their AUROC is not defined."""
    text = "".join(
        f'{{"stage": "text", "step": {k}, "validation": {{"auroc": 0.{k}, "segment_auroc": NaN, "loss": {loss}}}}}\n'
        for k, loss in ((3, "Infinity"), (6, "1.5"))
    )
    (tmp_path / "log.jsonl").write_text(text, "utf-8")
    curves = {curve.name: curve.values for curve in curves_of(read_log(tmp_path / "log.jsonl"))}
    assert curves == {"validation auroc": (0.3, 0.6), "validation loss": (1.5,)}
    ((_, svg),) = all_svgs(read_log(tmp_path / "log.jsonl"))
    assert "nan" not in svg and "inf" not in svg
