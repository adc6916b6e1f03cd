"""The command line: ``lgetext``, also ``python -m LGETextDetectLib``. Everything heavy is imported when it is used."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TextIO

from . import __version__
from .child_process import stop_when_asked
from .events import (
    Cancelled,
    Events,
    JsonEvents,
    TerminalEvents,
    failure_place,
    quiet_libraries,
    refusal_line,
    stop_writing,
)
from .output_folder import check_writable, written_below
from .refusal import InputRefused

DONE, USAGE, REFUSED, INTERNAL, CANCELLED = 0, 2, 3, 4, 130
BACKENDS, DEVICES = ("auto", "onnx", "torch"), ("auto", "cpu", "cuda")  # as backends.py; a test says so
TRAINING_COMMANDS = {
    "phantom": "write virtual patients: DICOM series, truth, report text",
    "train": "train a model from a recipe and bundle it",
    "check-data": "say whether a recipe's studies and reports can be trained on",
    "preview-scars": "paint scars into a recipe's scar-free studies, to look at",
    "evaluate": "detect below a folder and compare with a truth table",
    "export": "write a finished run's bundle again from its checkpoints; trains nothing",
    "bundle": "check a bundle's hashes and print what it is",
}
TRAINING_LIBRARIES = ("LGETextTrainLib", "torch", "monai", "transformers", "safetensors", "onnx")
Command = Callable[[argparse.Namespace, Events], int]


class UsageError(Exception):
    """Arguments that argparse cannot check; exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 2 usage, 3 refused, 4 internal, 5 batch with failures, 130 cancelled."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a prompt or path may hold what the console cannot show
    try:
        with stop_when_asked():
            return _run(words)
    except KeyboardInterrupt:
        # One that came within exec(), as when a dataclass is made, has Python end by a signal, unless exec() ends well after it.
        exec("")
        return _cancelled()


def _run(words: list[str]) -> int:
    try:
        arguments = build_parser(words).parse_args(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    except InputRefused as refused:
        print(refusal_line(refused.code, refused.cause, refused.remedy), file=sys.stderr)
        return REFUSED
    events: Events = JsonEvents() if arguments.events else TerminalEvents()
    try:
        with quiet_libraries():
            return int(arguments.run(arguments, events))
    except Exception as error:
        return _failed(error, arguments, events)


def _cancelled() -> int:
    with _or_unread(sys.stderr):
        print("cancelled", file=sys.stderr, flush=True)
    return CANCELLED


def _failed(error: Exception, arguments: argparse.Namespace, events: Events) -> int:
    """Say once, on one line of standard error, why a command ended; returns the exit code."""
    if isinstance(events, TerminalEvents):
        events.clear()
    if arguments.debug and not isinstance(error, Cancelled):
        traceback.print_exception(error)
    if isinstance(error, Cancelled):
        return _cancelled()
    if isinstance(error, BrokenPipeError):  # who asked has gone, or `| head` has read enough of a long list
        stop_writing(sys.stdout)
        return CANCELLED
    if isinstance(error, UsageError):
        print(f"lgetext {arguments.command}: error: {error}", file=sys.stderr)
        return USAGE
    if isinstance(error, InputRefused):
        code, cause, remedy, line = (
            error.code,
            error.cause,
            error.remedy,
            refusal_line(error.code, error.cause, error.remedy),
        )
    else:
        code, cause, remedy = "internal", failure_place(error), "Run again with --debug and report the traceback."
        line = f"internal error: {cause} {remedy}"
    if isinstance(events, JsonEvents):
        with _or_unread(sys.stdout):
            events.error(code, cause, remedy)
    with _or_unread(sys.stderr):
        print(line, file=sys.stderr, flush=True)
    return REFUSED if isinstance(error, InputRefused) else INTERNAL


# --- parser ----------------------------------------------------------------------------------------------------------


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser; the training library is asked for its commands only when ``words`` name one of them."""
    parser = argparse.ArgumentParser(
        prog="lgetext", allow_abbrev=False, description="Find scar in late gadolinium enhancement cardiac MR, from text.",
        epilog="Exit codes: 0 done, 2 usage, 3 input refused, 4 internal error, 5 batch with refused or failed studies, "
        "130 cancelled. Research use, not for diagnosis.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"lgetext {__version__}")
    _add_common(parser, False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_detect(commands)
    _add_query(commands)
    _add_batch(commands)
    inspect = _command(commands, "inspect", _inspect, "say what would be read and why; no model")
    inspect.add_argument("input", type=Path, metavar="INPUT")
    demo = _command(commands, "demo", _demo, "detect on the bundled sample study")
    demo.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR")
    _add_engine(demo)
    reports = _command(commands, "reports", _reports, "report text to findings: what training would understand")
    reports.add_argument("input", type=Path, metavar="IN", help=".jsonl or .csv with id and text")
    reports.add_argument("output", type=Path, metavar="OUT.jsonl")
    reports.add_argument("--explain", action="store_true", help="also print which words gave what")
    _add_training(commands, next((word for word in words if not word.startswith("-")), ""))
    return parser


def _add_common(parser: argparse.ArgumentParser, default: Any) -> None:
    parser.add_argument(
        "--events", action="store_true", default=default, help="JSON lines on standard output, for programs"
    )
    parser.add_argument("--debug", action="store_true", default=default, help="print the traceback of an error")


def _command(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(run=run)
    _add_common(parser, argparse.SUPPRESS)
    return parser


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=BACKENDS, default="auto")
    parser.add_argument("--device", choices=DEVICES, default="auto")


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--phi", choices=("keep", "strip"), default="strip", help="name results by PatientID or by a pseudonym"
    )
    parser.add_argument("--dicom", action="store_true", help="also write scar_seg.dcm and report_sr.dcm")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="prompts to answer, one a line, UTF-8")
    _add_engine(parser)


def _add_detect(commands: Any) -> None:
    parser = _command(commands, "detect", _detect, "detect scar in one study and write the result")
    parser.add_argument(
        "input", type=Path, metavar="INPUT", help="DICOM folder of one study, or one NRRD, NIfTI or MHA file"
    )
    parser.add_argument(
        "--landmarks", type=Path, metavar="F.mrk.json", help="points set by hand, they override found ones"
    )
    parser.add_argument(
        "--prompt", action="append", default=[], metavar="TEXT", help="a prompt to answer; may be repeated"
    )
    _add_outputs(parser)


def _add_query(commands: Any) -> None:
    parser = _command(commands, "query", _query, "score free prompts for one study; writes nothing")
    parser.add_argument("input", type=Path, metavar="INPUT")
    parser.add_argument("prompt", nargs="*", metavar="TEXT")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="prompts, one a line, UTF-8")
    parser.add_argument("--landmarks", type=Path, metavar="F.mrk.json")
    _add_engine(parser)


def _add_batch(commands: Any) -> None:
    parser = _command(commands, "batch", _batch, "detect in every study below a folder")
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument(
        "--workers", type=positive, default=0, metavar="N", help="processes; the number of cores by default"
    )
    parser.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="i/n", help="only the i-th of n parts of the studies"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="hand the studies to this Dask cluster")
    parser.add_argument(
        "--resume", action="store_true", help="skip studies that have a result of this model and these prompts"
    )
    _add_outputs(parser)


def _add_training(commands: Any, chosen: str) -> None:
    """The training side's commands: their names for --help, their arguments only when one is called."""
    if chosen not in TRAINING_COMMANDS:
        for name, text in TRAINING_COMMANDS.items():
            commands.add_parser(name, help=text, add_help=False)
        return
    _training_library(chosen).add_commands(commands)
    for name in TRAINING_COMMANDS:
        commands.choices[name].set_defaults(run=_train_side)
        _add_common(commands.choices[name], argparse.SUPPRESS)


def positive(text: str) -> int:
    """An argument that is a number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number from 1 is expected")
    return number


def _shard(text: str) -> tuple[int, int]:
    part, _, count = text.partition("/")
    if not (part.isdecimal() and count.isdecimal() and 1 <= int(part) <= int(count)):
        raise argparse.ArgumentTypeError(f"expected i/n with 1 <= i <= n, got {text!r}")
    return int(part), int(count)


# --- commands --------------------------------------------------------------------------------------------------------


def _detect(arguments: argparse.Namespace, events: Events) -> int:
    from .outputs.write_outputs import check_output, write_outputs
    from .study import DetectOptions, detect, read_prompts

    check_output(arguments.out)
    prompts = (*arguments.prompt, *(read_prompts(arguments.prompts) if arguments.prompts else ()))
    options = DetectOptions(arguments.landmarks, prompts, arguments.phi == "keep")
    detection = detect(arguments.input, _engine(arguments), options, events)
    write_outputs(arguments.out, detection, arguments.dicom)
    _show_finding(arguments, events)
    return DONE


def _demo(arguments: argparse.Namespace, events: Events) -> int:
    from .outputs.write_outputs import check_output, write_outputs
    from .study import detect, sample_study

    check_output(arguments.out)
    write_outputs(arguments.out, detect(sample_study(), _engine(arguments), events=events))
    _show_finding(arguments, events)
    return DONE


def _query(arguments: argparse.Namespace, events: Events) -> int:
    from .study import DetectOptions, detect, read_prompts
    from .summary_text import query_text

    prompts = (*arguments.prompt, *(read_prompts(arguments.prompts) if arguments.prompts else ()))
    if not prompts:
        raise UsageError("give at least one TEXT, or --prompts FILE")
    result = detect(arguments.input, _engine(arguments), DetectOptions(arguments.landmarks, prompts), events).result
    events.result({name: result[name] for name in ("detection", "quality", "prompts")})
    _print(events, query_text(result))
    return DONE


def _batch(arguments: argparse.Namespace, events: Events) -> int:
    from .batch import BatchOptions, run_batch

    options = BatchOptions(
        workers=arguments.workers, shard=arguments.shard, scheduler=arguments.scheduler, resume=arguments.resume,
        prompts=arguments.prompts, backend=arguments.backend, device=arguments.device, keep_phi=arguments.phi == "keep",
        dicom=arguments.dicom,
    )  # fmt: skip
    return run_batch(arguments.root, arguments.out, options, events)


def _inspect(arguments: argparse.Namespace, events: Events) -> int:
    from .series import choose_stack, inspect_folder
    from .volume_files import is_volume_file

    if is_volume_file(arguments.input):
        from .volume_files import load_study

        loaded = load_study(arguments.input)
        facts = loaded.facts
        spacing = " x ".join(f"{mm:.2f}" for mm in facts.spacing_mm)
        lines = [f"1 volume file: {facts.slices} slices, spacing {spacing} mm, {facts.image_type}", loaded.reason]
        text = "\n".join([*lines, *(f"{code}: {note}" for code, note in loaded.notes)])
        events.result({"text": text})
        _print(events, text)
        return DONE
    inspection = inspect_folder(arguments.input)
    events.result({"text": inspection.to_text()})
    _print(events, inspection.to_text())
    choose_stack(inspection)
    return DONE


def _reports(arguments: argparse.Namespace, events: Events) -> int:
    from .reports import explanation, read_reports, write_findings

    if (
        os.path.exists(arguments.input)
        and os.path.exists(arguments.output)
        and arguments.output.samefile(arguments.input)
    ):
        raise UsageError("OUT must not be IN")
    check_writable(arguments.output.parent)
    count = 0
    with written_below(arguments.output.parent):
        for identifier, text, finding in write_findings(read_reports(arguments.input), arguments.output):
            count += 1
            if arguments.explain:
                _print(events, explanation(identifier, text, finding))
    events.result({"reports": count})
    _print(events, f"{count} reports read: {arguments.output}")
    return DONE


def _train_side(arguments: argparse.Namespace, events: Events) -> int:
    out = getattr(arguments, "out", None)
    if out is not None:
        check_writable(out)
    try:
        with written_below(out) if out is not None else nullcontext():
            return int(_training_library(arguments.command).run(arguments.command, arguments, events))
    except ModuleNotFoundError as error:
        raise _without_extra(error, arguments.command) from error


def _training_library(command: str) -> Any:
    """LGETextTrainLib.cli; raises InputRefused('no-training-extra') where it is not installed."""
    try:
        return importlib.import_module("LGETextTrainLib.cli")
    except ModuleNotFoundError as error:
        raise _without_extra(error, command) from error


def _without_extra(error: ModuleNotFoundError, command: str) -> Exception:
    if (error.name or "").split(".")[0] not in TRAINING_LIBRARIES:
        return error
    return InputRefused("no-training-extra", f"'{command}' needs the training extra: pip install lgetextdetect[train]")


# --- what commands share ---------------------------------------------------------------------------------------------


def _engine(arguments: argparse.Namespace) -> Any:
    from .model import Engine

    return Engine(backend=arguments.backend, device=arguments.device)


def _show_finding(arguments: argparse.Namespace, events: Events) -> None:
    """Hand on and print the result as it stands in the output folder."""
    from .summary_text import finding_text

    result = json.loads((arguments.out / "result.json").read_text("utf-8"))
    events.result(result)
    _print(events, finding_text(result, arguments.out / "report.html"))


def _print(events: Events, text: str) -> None:
    """Print for a person; with --events the result event has said it already."""
    if isinstance(events, TerminalEvents):
        events.clear()
        with _or_unread(sys.stdout):
            print(text, flush=True)


@contextmanager
def _or_unread(stream: TextIO) -> Iterator[None]:
    """Write to a stream in this block; its reader may have gone or its disk be full, and what was asked for is done all the same."""
    try:
        yield
    except OSError:
        stop_writing(stream)
