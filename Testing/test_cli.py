"""The command line: exit codes, one line for a refusal, nothing half written, nothing heavy before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import LGETextDetectLib.backends
import LGETextDetectLib.series
import pytest
from conftest import ROOT, StudyFiles, child_environment, write_headers
from LGETextDetectLib import cli, summary_text
from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.events import Cancelled
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.volume_files import load_study, write_nrrd
from LGETextTrainLib import cli as training_cli

RESULT_FILES = {"result.json", "report.html", "landmarks.mrk.json", "normalised.nrrd", "evidence.nrrd", "bullseye.svg"}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, untrained_bundle: Path
) -> Run:
    """Run ``lgetext`` in this process, in an empty folder with the untrained bundle: exit code, output, errors."""
    monkeypatch.setenv("LGETEXT_BUNDLE", str(untrained_bundle))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*words: object) -> tuple[int, str, str]:
        code = cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def written(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "here").rglob("*"))


# --- usage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["", "detect", "query", "batch", "inspect", "demo", "reports", *cli.TRAINING_COMMANDS]
)
def test_help_of_every_command(run: Run, command: str) -> None:
    code, out, err = run(*[command] * bool(command), "--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: lgetext")


@pytest.mark.parametrize(
    "words",
    [
        [], ["nonsense"], ["detect"], ["detect", "x"], ["detect", "x", "--out", "o", "--backend", "magic"], ["detect", "x", "--ou", "o"],
        ["query", "x"], ["batch", "x", "--out", "o", "--shard", "3/2"], ["batch", "x", "--out", "o", "--shard", "0/2"],
        ["batch", "x", "--out", "o", "--workers", "0"], ["train"], ["reports", "x"],
        ["evaluate", "x", "--truth", "t.csv", "--workers", "0"], ["phantom", "o", "--n", "-3"], ["phantom", "o", "--n", "0", "--hospital"],
        ["phantom", "o", "--seed", "-5"], ["phantom", "o", "--held-back", "--hospital"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(run: Run, tmp_path: Path, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "error: " in err
    assert written(tmp_path) == []


def test_choices_are_those_of_the_backends() -> None:
    assert (cli.BACKENDS, cli.DEVICES) == (LGETextDetectLib.backends.BACKENDS, LGETextDetectLib.backends.DEVICES)


def test_training_commands_are_those_of_the_training_side() -> None:
    import argparse

    commands = argparse.ArgumentParser().add_subparsers()
    training_cli.add_commands(commands)
    assert set(commands.choices) == set(cli.TRAINING_COMMANDS)


# --- refusals and errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["detect", "missing", "--out", "o"], "not-found"),
        (["detect", "{text}", "--out", "new/o"], "not-an-image"),
        (["detect", "{volume}", "--out", "o"], "no-heart"),
        (["detect", "{volume}", "--out", "o", "--landmarks", "{text}"], "bad-landmarks"),
        (["detect", "{volume}", "--out", "o", "--prompts", "missing"], "not-found"),
        (["detect", "{volume}", "--out", "{text}"], "out-occupied"),
        (["detect", "{volume}", "--out", "{text}/o"], "out-unwritable"),
        (["demo", "--out", "{text}/o"], "out-unwritable"),
        (["batch", "{folder}", "--out", "{text}/o"], "out-unwritable"),
        (["reports", "missing.csv", "{text}/o.jsonl"], "out-unwritable"),
        (["phantom", "{text}/o", "--n", "1"], "out-unwritable"),
        (["phantom", "{folder}", "--n", "1"], "out-occupied"),
        (["phantom", "{folder}", "--n", "1", "--hospital"], "out-occupied"),
        (["train", "missing.toml", "--out", "{text}/o"], "out-unwritable"),
        (["detect", "{volume}", "--out", "o", "--landmarks", "{landmarks}", "--dicom"], "not-dicom"),
        (["detect", "{volume}", "--out", "o", "--backend", "onnx", "--device", "cuda"], "no-gpu"),
        (["query", "{volume}", "any scar?"], "no-heart"),
        (["inspect", "{folder}"], "not-an-image"),
        (["inspect", "missing"], "not-found"),
        *(
            ([*words, "x" * 300, "--out", "o"], "not-found")
            for words in (["detect"], ["detect", "{volume}", "--prompts"])
        ),
        (["inspect", "x" * 300], "not-found"),
        (["reports", "missing.jsonl", "a/b/c.jsonl"], "not-found"),
        (["reports", "missing.jsonl", "{text}"], "not-found"),
        (["batch", "missing", "--out", "o"], "not-found"),
        (["batch", "{folder}", "--out", "o"], "no-studies"),
        (["batch", "{folder}", "--out", "o", "--events"], "no-studies"),
        (["reports", "missing.csv", "new/o.jsonl"], "not-found"),
        (["reports", "{text}", "new/o.jsonl"], "bad-reports"),
        (["train", "missing.toml", "--out", "o"], "bad-recipe"),
    ],
)
def test_refused_is_exit_code_3_one_line_and_nothing_written(
    run: Run, tmp_path: Path, study_files: StudyFiles, words: list[str], code: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "text.txt").write_text("no image", "utf-8")
    places = {
        "text": folder / "text.txt",
        "folder": folder,
        "volume": study_files.volume,
        "landmarks": study_files.landmarks,
    }
    exit_code, _, err = run(*(word.format(**places) for word in words))
    assert exit_code == 3
    assert err.startswith(f"refused [{code}]: ") and " Remedy: " in err
    assert err.count("\n") == 1
    assert written(tmp_path) == []


def test_a_broken_bundle_is_refused(
    run: Run, tmp_path: Path, study_files: StudyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LGETEXT_BUNDLE", str(tmp_path / "none"))
    code, _, err = run("detect", study_files.volume, "--out", "o")
    assert code == 3 and err.startswith("refused [bad-bundle]: ") and written(tmp_path) == []


def test_internal_error_is_one_line_without_the_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise ValueError("Doe^John")

    monkeypatch.setattr(LGETextDetectLib.series, "inspect_folder", fail)
    code, out, err = run("inspect", ".")
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert err.startswith("internal error: ValueError in ") and "Doe" not in err
    code, out, err = run("inspect", ".", "--debug", "--events")
    assert code == 4 and "Traceback" in err
    assert json.loads(out) == {
        "event": "error",
        "code": "internal",
        **{k: json.loads(out)[k] for k in ("cause", "remedy")},
    }


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files is set by POSIX means")
def test_a_full_disk_is_refused_and_leaves_nothing(
    untrained_bundle: Path, tmp_path: Path, study_files: StudyFiles
) -> None:
    """The system refuses to write more than 20 kB to any file: what a full disk does, as itself."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        "from LGETextDetectLib.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["detect", str(study_files.volume), "--landmarks", str(study_files.landmarks), "--out", "new/o"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=child_environment(untrained_bundle), cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (
        done.returncode == 3 and done.stderr.startswith("refused [out-unwritable]: ") and done.stderr.count("\n") == 1
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("reason", [KeyboardInterrupt, Cancelled])
def test_cancelled_is_exit_code_130(run: Run, monkeypatch: pytest.MonkeyPatch, reason: type[BaseException]) -> None:
    def cancel(_: Path) -> None:
        raise reason

    monkeypatch.setattr(LGETextDetectLib.series, "inspect_folder", cancel)
    assert run("inspect", ".") == (130, "", "cancelled\n")


@pytest.mark.skipif(os.name == "nt", reason="a process asks another to end by POSIX means here")
def test_cancelled_is_exit_code_130_wherever_the_request_meets_it() -> None:
    """Python ends itself by a signal when it was interrupted within exec(), as the import of a library with dataclasses may be."""
    code = """
import os, signal, sys
from LGETextDetectLib import cli
cli.build_parser = lambda words: exec("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
sys.exit(cli.main([]))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=child_environment(Path()), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (cli.CANCELLED, "cancelled\n")


def test_training_without_its_library_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "LGETextTrainLib.cli", None)
    code, _, err = run("train", "recipe.toml", "--out", "o")
    assert code == 3 and "'train' needs the training extra: pip install lgetextdetect[train]" in err


def test_training_without_torch_says_what_to_install(untrained_bundle: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from LGETextDetectLib.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["train", str(ROOT / "recipes" / "tiny.toml"), "--out", str(tmp_path / "run")]
    environment = child_environment(untrained_bundle)
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "needs the training extra: pip install lgetextdetect[train]" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


# --- nobody reads ---


def unread(untrained_bundle: Path, folder: Path, *words: object, stream: str = "stdout") -> int:
    """Exit code of ``lgetext`` when nobody reads a stream of it any more."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "LGETextDetectLib", *map(str, words)]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: writer}
    try:
        environment = child_environment(untrained_bundle)
        return subprocess.run(command, env=environment, cwd=folder, check=False, **streams).returncode
    finally:
        os.close(writer)


def test_a_batch_goes_on_when_nobody_reads_its_log(untrained_bundle: Path, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / "x.nrrd").write_bytes(b"NRRD0004\n")
    assert unread(untrained_bundle, tmp_path, "batch", "root", "--out", "out", "--workers", "1", stream="stderr") == 5
    rows = (tmp_path / "out" / "results.csv").read_text("utf-8").splitlines()
    assert [row.split(",")[2] for row in rows] == ["status", "refused", "refused"]


def test_what_is_asked_for_is_done_when_nobody_reads_the_answer(untrained_bundle: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(k), "text": "No late enhancement."}) for k in range(5)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), "utf-8")
    assert unread(untrained_bundle, tmp_path, "reports", "in.jsonl", "out.jsonl", "--explain") == 0
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(("words", "code"), [([], cli.DONE), (["--events"], cli.INTERNAL)])
def test_a_full_disk_behind_standard_output_gives_no_traceback(
    untrained_bundle: Path, tmp_path: Path, study_files: StudyFiles, words: list[str], code: int
) -> None:
    command = [sys.executable, "-m", "LGETextDetectLib", "inspect", str(study_files.volume), *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            env=child_environment(untrained_bundle),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == code and done.stderr.count("\n") == len(words)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_batch_goes_on_when_the_disk_of_its_log_is_full(untrained_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x.nrrd").write_bytes(b"NRRD0004\n")
    command = [sys.executable, "-m", "LGETextDetectLib", "batch", "root", "--out", "out", "--workers", "1"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=child_environment(untrained_bundle), cwd=tmp_path, stderr=full, check=False)
    assert done.returncode == 5 and (tmp_path / "out" / "results.csv").is_file()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_named_like_a_volume_is_no_study(run: Run, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    os.mkfifo(tmp_path / "root" / "a.nrrd")
    for words, code in (
        (["detect", tmp_path / "root" / "a.nrrd"], "not-an-image"),
        (["batch", tmp_path / "root"], "no-studies"),
    ):
        exit_code, _, err = run(*words, "--out", "o")
        assert exit_code == 3 and err.startswith(f"refused [{code}]: ")


def test_a_job_ends_and_does_not_call_itself_done_when_its_program_has_gone(
    untrained_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x.nrrd").write_bytes(b"NRRD0004\n")
    assert unread(untrained_bundle, tmp_path, "batch", "root", "--out", "out", "--events") == cli.CANCELLED


@pytest.mark.parametrize(("words", "stream"), [(["--events"], "stdout"), ([], "stderr")])
def test_a_refusal_that_nobody_reads_is_one(
    untrained_bundle: Path, tmp_path: Path, words: list[str], stream: str
) -> None:
    assert unread(untrained_bundle, tmp_path, "inspect", "nothing", *words, stream=stream) == cli.REFUSED


# --- what is imported ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], "numpy scipy pydicom SimpleITK onnxruntime torch LGETextTrainLib"),
        (["batch", "--help"], "numpy scipy pydicom SimpleITK onnxruntime torch LGETextTrainLib"),
        (["phantom", "--help"], "numpy scipy pydicom SimpleITK onnxruntime torch"),
        (["inspect", "."], "scipy SimpleITK onnxruntime torch LGETextTrainLib"),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(
    untrained_bundle: Path, tmp_path: Path, words: list[str], unwanted: str
) -> None:
    write_headers(tmp_path / "1.dcm", "A", "1.1")
    code = "import sys; from LGETextDetectLib.cli import main; main(sys.argv[1:]); print('modules', *sys.modules)"
    environment = child_environment(untrained_bundle)
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert not set(unwanted.split()) & set(done.stdout.rpartition("modules")[2].split())


# --- answers ---------------------------------------------------------------------------------------------------------


def test_detect_prints_the_finding_and_writes_the_result(run: Run, tmp_path: Path, study_files: StudyFiles) -> None:
    (tmp_path / "prompts.txt").write_bytes(b"\xef\xbb\xbfany scar in the septum?\r\n\r\n")
    given = ["--landmarks", study_files.landmarks, "--prompt", "is it raining?", "--prompts", tmp_path / "prompts.txt"]
    code, out, err = run("detect", study_files.volume, "--out", "new/result", *given)
    folder = tmp_path / "here" / "new" / "result"
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert (code, err) == (0, "")
    assert {path.name for path in folder.iterdir()} == RESULT_FILES
    assert [path.name for path in folder.parent.iterdir()] == ["result"]
    assert [row["text"] for row in result["prompts"]] == ["is it raining?", "any scar in the septum?"]
    probability, threshold = result["detection"]["probability"], result["detection"]["threshold"]
    for piece in (
        result["caption"], f"{probability:.2f} (threshold {threshold:.2f})", "backend onnx, device cpu", str(Path("new/result/report.html")),
        "is it raining?", *(flag["text"] for flag in result["quality"]),
    ):  # fmt: skip
        assert piece in out
    assert out.endswith("Research use, not for diagnosis.\n")


def test_detect_tells_a_program_in_json_lines_only(run: Run, tmp_path: Path, study_files: StudyFiles) -> None:
    code, out, err = run("detect", study_files.volume, "--out", "o", "--landmarks", study_files.landmarks, "--events")
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert {event["event"] for event in events} == {"progress", "result"}
    assert events[-1]["data"] == json.loads((tmp_path / "here" / "o" / "result.json").read_text("utf-8"))


def test_bundle_tells_a_program_in_json_lines_only(run: Run, untrained_bundle: Path) -> None:
    code, output, _ = run("bundle", "--events")
    (event,) = (json.loads(line) for line in output.splitlines())
    assert code == 0 and event["event"] == "result"
    bundle = open_bundle(untrained_bundle)
    assert event["data"] == {"name": "lge-untrained", "version": "0.0.0", "sha256": bundle.sha256}
    code, output, _ = run("bundle")
    assert code == 0 and output.startswith("lge-untrained 0.0.0, sha256 ") and "Random weights" in output


def test_query_prints_a_table(run: Run, tmp_path: Path, study_files: StudyFiles) -> None:
    code, out, err = run(
        "query", study_files.volume, "no scar in the inferior wall", "hello", "--landmarks", study_files.landmarks
    )
    *study, empty, heading, first, second, notice = out.splitlines()
    assert (code, err, empty) == (0, "", "")
    assert study[0].startswith("Detection:   ") and study[1].startswith("Quality:     ")
    assert heading.split() == ["Prompt", "Understood", "Probability", "Asked"]
    assert first.startswith("no scar in the inferior wall  yes") and first.endswith(
        "there is no late enhancement in inferior wall"
    )
    assert second.split()[:3] == ["hello", "no", "-"]
    assert notice == "Research use, not for diagnosis."
    assert written(tmp_path) == []


def test_query_says_that_a_study_has_no_answer(
    run: Run, tmp_path: Path, bundled_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundled sample study shown inverted: bright wall, dark blood."""
    monkeypatch.setenv("LGETEXT_BUNDLE", str(bundled_model))
    volume = load_study(ROOT / "Resources" / "SampleStudy").volume
    write_nrrd(volume.with_array(volume.array.max() - volume.array), tmp_path / "inverted.nrrd")
    code, out, _ = run("query", tmp_path / "inverted.nrrd", "is there any scar?", "hello")
    verdict, quality, *_ = out.splitlines()
    assert code == 0
    assert verdict == "Detection:   no answer (contrast-implausible)" and "[warning]" in out
    assert quality.startswith("Quality:     [")
    row = next(line for line in out.splitlines() if line.startswith("is there any scar?"))
    assert row.split("  ", 1)[1].split() == [
        "yes",
        "not",
        "answered",
        "there",
        "is",
        "late",
        "enhancement",
        "in",
        "anywhere",
    ]
    _, out, _ = run("query", tmp_path / "inverted.nrrd", "is there any scar?", "--events")
    data = json.loads(out.splitlines()[-1])["data"]
    assert list(data) == ["detection", "quality", "prompts"]
    assert data["detection"]["reasons"] == ["contrast-implausible"] and data["prompts"][0]["probability"] is None
    assert {"poor-nulling"} <= {flag["code"] for flag in data["quality"]}


def test_inspect_says_what_a_volume_file_is(run: Run, study_files: StudyFiles) -> None:
    code, out, _ = run("inspect", study_files.volume)
    assert code == 0 and out.startswith("1 volume file: ")


def test_a_hostile_prompt_stays_on_its_line() -> None:
    prompt = {
        "text": "a\x1b[2J\nb" + "c" * 100,
        "understood": False,
        "probability": None,
        "meaning": Meaning().to_dict(),
    }
    table = summary_text.prompts_table([prompt])
    assert len(table.splitlines()) == 2 and "\x1b" not in table


def test_demo_prints_the_finding_of_the_sample_study(
    run: Run, tmp_path: Path, bundled_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (ROOT / "Resources" / "SampleStudy").is_dir():
        pytest.skip("there is NO Resources/SampleStudy: lgetext demo is NOT tested")
    monkeypatch.setenv("LGETEXT_BUNDLE", str(bundled_model))
    code, out, _ = run("demo")
    assert code == 0 and str(Path("out/demo/report.html")) in out and "Caption:" in out
    assert {path.name for path in (tmp_path / "here" / "out" / "demo").iterdir()} == RESULT_FILES


# --- reports ---------------------------------------------------------------------------------------------------------

REPORTS = {
    "7": "Normal LV. No late gadolinium enhancement.",
    "x": 'LGE: "subendocardial" enhancement of the basal inferior wall,\n50-75 %.',
}


def test_reports_of_both_formats_give_the_same_findings(run: Run, tmp_path: Path) -> None:
    lines = [json.dumps({"id": key, "text": text}) for key, text in REPORTS.items()]
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n\n".join(lines).encode())
    rows = ["text,other,id", *('"{}",,{}'.format(text.replace('"', '""'), key) for key, text in REPORTS.items())]
    (tmp_path / "in.csv").write_text("\n".join(rows), "utf-8")
    for name in ("in.jsonl", "in.csv"):
        code, out, err = run("reports", tmp_path / name, "new/out.jsonl", "--explain")
        found = [json.loads(line) for line in (tmp_path / "here" / "new" / "out.jsonl").read_text("utf-8").splitlines()]
        assert (code, err) == (0, "")
        assert [entry["id"] for entry in found] == ["7", "x"]
        assert [entry["finding"]["lge"] for entry in found] == ["absent", "present"]
        assert found[1]["finding"]["lesions"] == [
            {"segments": [4], "layer": "subendocardial", "transmurality": 3, "certainty": "definite"}
        ]
        assert "7: absent" in out and "x: present" in out and "2 reports read" in out
    assert written(tmp_path) == ["new", "out.jsonl"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"id": 1, "text": "x"}\n{"id": 2}\n'),
        ("a.jsonl", b'{"id": 1, "text": "x"}\n[]\n'),
        ("a.jsonl", b'{"id": null, "text": "x"}\n'),
        ("a.jsonl", b'{"id": 1, "text": "\xff"}\n'),
        ("a.csv", b"id,report\n1,x\n"),
        ("a.csv", b"id,text\n1\n"),
        ("a.csv", b"id,text\n1,No late enhancement in the septum, but transmural scar of the inferior wall.\n"),
        ("a.csv", b"id,text,text\n1,x,y\n"),
        ("a.jsonl", b'{"id": 1, "text": "' + b"x" * 1_000_001 + b'"}\n'),
        ("a.csv", b"id,text\n1," + b"x" * 1_000_001),
        ("a.csv", b""),
    ],
)
def test_malformed_reports_are_refused_and_nothing_is_written(
    run: Run, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    code, out, err = run("reports", tmp_path / name, "new/o.jsonl")
    assert (code, out) == (3, "")
    assert err.startswith("refused [bad-reports]: ")
    assert written(tmp_path) == []


def test_reports_never_overwrite_themselves(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": 1, "text": "x"}\n', "utf-8")
    assert run("reports", path, path)[0] == 2
    assert path.read_text("utf-8") == '{"id": 1, "text": "x"}\n'
