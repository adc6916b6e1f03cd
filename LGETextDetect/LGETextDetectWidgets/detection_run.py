"""One run of the engine for the panel: what is asked of it, its child process, and what becomes of its answer."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from LGETextDetectLib import mrml_roles
from LGETextDetectLib.child_process import Child
from LGETextDetectLib.refusal import REMEDIES, InputRefused

from . import engine_process
from .engine_process import EngineFailed, library_path
from .models import model_of

LOG_LINES = 10  # of the engine's log, in an error


@dataclass(frozen=True)
class Request:
    """What is wanted of a volume node.

    landmarks_node: its points override found ones; of a list that the engine made, only those moved by hand, and only
    of this volume's.
    model: key of models.py. only_landmarks: the rest of the result is not shown. dicom_folder: the study's own files
    instead of the node's pixels, for DICOM objects.
    """

    volume_node: Any
    prompts: Sequence[str] = ()
    landmarks_node: Any = None
    device: str = "auto"
    model: str = ""
    command: str = "detect"
    only_landmarks: bool = False
    dicom_folder: Path | None = None


class DetectionRun:
    """An engine under way: the child process and the temporary folder that it reads and writes."""

    def __init__(self, request: Request, folder: tempfile.TemporaryDirectory, child: Child) -> None:
        self.request = request
        self.child = child
        self.error: dict[str, Any] | None = None
        self.answer: dict[str, Any] = {}
        self.log: list[str] = []
        self._folder = folder

    @property
    def grace_s(self) -> float:
        """For the engine to clean up after Cancel."""
        return engine_process.GRACE_S

    @property
    def result_folder(self) -> Path:
        return Path(self._folder.name) / "result"

    def take_events(self) -> list[dict[str, Any]]:
        """The engine's events since the last call; at once."""
        events = self.child.poll()
        for event in events:
            if event["event"] == "error":
                self.error = event
            elif event["event"] == "result":
                self.answer = dict(event.get("data", {}))
            elif event["event"] == "log":
                self.log = [*self.log[1 - LOG_LINES :], str(event.get("text", ""))]
        return events

    def check(self) -> None:
        """Raise what a finished engine reported: InputRefused or EngineFailed."""
        self.take_events()
        if self.error is not None:
            code, cause, remedy = (str(self.error.get(key, "")) for key in ("code", "cause", "remedy"))
            if code in REMEDIES:
                raise InputRefused(code, cause, remedy)
            raise EngineFailed(f"{code}: {cause} {remedy}", self.log)
        if self.child.exit_code != 0:
            raise EngineFailed(f"The engine ended with exit code {self.child.exit_code}.", self.log)

    def keep_folder(self) -> tempfile.TemporaryDirectory:
        """Hand over the temporary folder: :meth:`close` leaves it to whoever took it."""
        folder, self._folder = self._folder, tempfile.TemporaryDirectory(prefix="LGETextDetect-")
        return folder

    def close(self) -> None:
        """End what still runs and remove the temporary files."""
        self.child.kill()
        self._folder.cleanup()


def start_run(request: Request, engine: Sequence[str]) -> DetectionRun:
    """Write the input, start the engine and return at once.

    Raises InputRefused for a volume that cannot be read and for another volume's landmarks.
    """
    from LGETextDetectLib import mrml
    from LGETextDetectLib.volume_files import write_nrrd

    _check_landmarks(request)
    volume = mrml.volume_from_node(request.volume_node)
    folder = tempfile.TemporaryDirectory(prefix="LGETextDetect-")
    try:
        source = request.dicom_folder or Path(folder.name) / "input.nrrd"
        if request.dicom_folder is None:
            write_nrrd(volume, source)
        words = [request.command, str(source), "--device", request.device, "--events"]
        words += _landmark_words(request, Path(folder.name) / "landmarks.mrk.json")
        if request.command == "query":
            words += ["--prompts", str(_prompt_file(request.prompts, Path(folder.name) / "prompts.txt"))]
        else:
            words += ["--out", str(Path(folder.name) / "result")]
            words += [f"--prompt={text}" for text in request.prompts]  # one word: a prompt may start with a dash
            words += ["--dicom"] if request.dicom_folder is not None else []
        environment = library_path()
        if request.model:
            environment["LGETEXT_BUNDLE"] = str(model_of(request.model).folder)
        return DetectionRun(request, folder, Child([*engine, *words], environment=environment))
    except BaseException:
        folder.cleanup()
        raise


def _prompt_file(prompts: Sequence[str], path: Path) -> Path:
    path.write_text("\n".join(" ".join(text.split()) for text in prompts) + "\n", "utf-8")
    return path


def _check_landmarks(request: Request) -> None:
    """Raise InputRefused for points found in another volume: here they would pass for points set by hand."""
    node = request.landmarks_node
    if node is None or not mrml_roles.made_here(node):
        return
    if node.GetNodeReferenceID(mrml_roles.INPUT_ROLE) != request.volume_node.GetID():
        raise InputRefused(
            "bad-landmarks",
            f"'{node.GetName()}' was found in another volume.",
            "Press Auto, or choose points of this volume.",
        )


def _landmark_words(request: Request, path: Path) -> list[str]:
    """The --landmarks argument; none when nothing was set by hand.

    The study's own files know nothing of transforms in the scene: points for them are brought below the volume's.
    """
    from LGETextDetectLib import mrml

    node = request.landmarks_node
    if node is None:
        return []
    placed = mrml.parent_to_world(request.volume_node) if request.dicom_folder is not None else np.eye(4)
    by_hand_only = mrml_roles.made_here(node)
    points = mrml.node_to_markups_file(node, path, by_hand_only, from_world=np.linalg.inv(placed))
    return ["--landmarks", str(path)] if points else []


def show_run(run: DetectionRun) -> Any:
    """The nodes of a finished detection (mrml_results.ResultNodes, or the landmarks' node alone).

    Raises InputRefused or EngineFailed, and then the scene is as it was.
    """
    from LGETextDetectLib import mrml_results

    run.check()
    request = run.request
    scene = request.volume_node.GetScene()
    if scene is None:
        raise EngineFailed("The input volume was removed from the scene meanwhile.")
    landmarks_node = request.landmarks_node
    if landmarks_node is not None and landmarks_node.GetScene() is None:
        landmarks_node = None
    load = mrml_results.load_landmarks if request.only_landmarks else mrml_results.load_result
    try:
        return load(run.result_folder, request.volume_node, scene, landmarks_node)
    except (OSError, ValueError, KeyError, InputRefused) as error:
        raise EngineFailed(f"The engine's result cannot be shown ({error}).", run.log) from error
