"""A child process in the place of the engine: answers at once, or as its last word says, so that tests need no model.

``detect INPUT --out DIR [--prompt=TEXT]`` reads the volume and writes a small result, ``query`` and ``batch`` too; prompts 'refuse', 'crash' and 'hang'
(with a grandchild that holds a lock on INPUT/../lock) do what they say. ``train RECIPE --out DIR`` does the same by the
recipe's content.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def send(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def hang(folder: Path) -> None:
    """Wait for a signal with a grandchild that does not end by itself and ignores being asked to."""
    program = (
        "import fcntl, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); lock = open(sys.argv[1], 'w'); "
        "fcntl.flock(lock, fcntl.LOCK_EX); print('locked', flush=True); signal.pause()"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(folder / "lock")], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    send("progress", stage="hanging", done=1, total=4)
    signal.pause()


def is_locked(path: Path) -> bool:
    """Whether a process still holds the lock."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


MEANING = {
    "understood": True, "negated": False, "segments": [4, 10, 15], "layers": [], "aetiology": None, "no_reflow": None,
    "min_transmurality": None,
}  # fmt: skip


def answers(prompts: list[str]) -> list[dict]:
    """0.70 to every question but 'rain?', which is not understood."""
    known = [text != "rain?" for text in prompts]
    return [
        {"text": text, "understood": k, "probability": 0.7 if k else None, "meaning": {**MEANING, "understood": k}}
        for text, k in zip(prompts, known, strict=True)
    ]


def found_landmarks(volume):
    """LV centre in every slice's middle, insertion points two pixels to its left."""
    from LGETextDetectLib.landmarks import Landmarks, SliceLandmarks

    row, column = ((n - 1) / 2 for n in volume.array.shape[1:])

    def at(*index: float) -> tuple[float, float, float]:
        x, y, z = (float(v) for v in volume.to_lps(index))
        return x, y, z

    slices = tuple(
        SliceLandmarks(k, at(k, row, column), at(k, row - 1.5, column - 2), at(k, row + 1.5, column - 2), 0.9)
        for k in range(len(volume.array))
    )
    return Landmarks("auto", at(len(volume.array) - 0.5, row, column), at(-0.5, row, column), slices)


def result_of(prompts: list[str], volume, source: str) -> dict:
    """As much of result.json as the panel shows."""
    from LGETextDetectLib import aha
    from LGETextDetectLib.volume_files import volume_hash

    segments = [
        {"aha": n, "name": name, "probability": 0.05 * n, "layer": "subendocardial" if n == 4 else None, "transmurality": None}
        for n, name in aha.NAMES.items()
    ]  # fmt: skip
    slices = [
        {"index": k, "position_mm": 8.0 * k, "level": "mid", "probability": 0.1 * k} for k in range(len(volume.array))
    ]
    lesion = {"segments": [4], "layer": "subendocardial", "transmurality": None, "certainty": "definite"}
    return {
        "schema_version": 1, "study": "stand-in", "input": {"sha256": volume_hash(volume)},
        "detection": {"present": True, "probability": 0.9, "threshold": 0.5, "abstained": False, "reasons": []},
        "caption": "Subendocardial scar.", "finding": {"lge": "present", "lesions": [lesion]}, "segments": segments,
        "slices": slices, "prompts": answers(prompts), "landmarks": {"source": source},
        "quality": [{"code": "few-slices", "severity": "warning", "text": "Few slices."}],
        "model": {"name": "stand-in", "version": "0", "sha256": "", "backend": "onnx", "device": "cpu"},
    }  # fmt: skip


def detect(source: Path, out: Path, prompts: list[str], landmarks: Path | None) -> int:
    import numpy as np
    from LGETextDetectLib.manual_landmarks import with_manual
    from LGETextDetectLib.markups import read_markups, write_markups
    from LGETextDetectLib.volume_files import load_study, write_nrrd

    volume = load_study(source).volume
    send("progress", stage="read", done=1, total=4)
    send("log", text="reading done")
    found = found_landmarks(volume)
    if landmarks:
        found = with_manual(found, read_markups(landmarks, volume), volume)
    out.mkdir()
    write_markups(found, out / "landmarks.mrk.json")
    write_nrrd(volume.with_array((volume.array == volume.array.max()).astype(np.float32)), out / "evidence.nrrd")
    result = result_of(prompts, volume, found.source)
    (out / "result.json").write_text(json.dumps(result), "utf-8")
    (out / "report.html").write_text("<p>Subendocardial scar.</p>", "utf-8")
    if "--dicom" in sys.argv:
        (out / "scar_seg.dcm").write_bytes(b"SEG")
        (out / "report_sr.dcm").write_bytes(b"SR")
    send("result", data=result)
    return 0


def wait_half_done(root: Path, part: Path) -> bool:
    """Leave a half-written folder there until ``root`` holds a file 'go'; False when asked to stop before."""
    part.mkdir()
    send("progress", stage="hanging", done=0, total=2)
    try:
        while not (root / "go").exists():
            time.sleep(0.02)
        return True
    except KeyboardInterrupt:
        return False
    finally:
        time.sleep(0.2)  # cleaning up takes a while
        part.rmdir()


def batch(root: Path, out: Path) -> int:
    """One study with a result, one refused; waits half done when ``root`` holds a file 'slow'."""
    from LGETextDetectLib.child_process import stop_when_asked
    from LGETextDetectLib.results_table import done_row, failed_row, write_rows

    out.mkdir(exist_ok=True)
    if (root / "slow").exists():
        with stop_when_asked():
            if not wait_half_done(root, out / ".a.part-0"):
                return 130
    detect(root / "a.nrrd", out / "a", [], None)
    result = json.loads((out / "a" / "result.json").read_text("utf-8"))
    result["input"] |= {"slices": 4, "image_type": "psir"}
    result["seconds"] = {"total": 1.0}
    send("progress", stage="batch", done=1, total=2)
    write_rows(out / "results.csv", [done_row("a", "a.nrrd", result), failed_row("b", "b.nrrd", "refused", "no-heart")])
    return 5


def main(words: list[str]) -> int:
    command, source = words[0], Path(words[1])
    out = Path(words[words.index("--out") + 1]) if "--out" in words else source
    if command == "batch":
        return batch(source, out)
    prompts = [word.removeprefix("--prompt=") for word in words if word.startswith("--prompt=")]
    if "--prompts" in words:
        prompts = Path(words[words.index("--prompts") + 1]).read_text("utf-8").splitlines()
    orders = prompts if command in ("detect", "query") else [source.read_text("utf-8").strip()]
    if "refuse" in orders:
        send("error", code="constant-image", cause="Every pixel is the same.", remedy="Give a series with an image.")
        return 3
    if "crash" in orders:
        print("Traceback: something broke \u00e9", file=sys.stderr)
        return 1
    if "hang" in orders:
        hang(Path(os.environ["ENGINE_STAND_IN_FOLDER"]))
    if command == "train":
        send("progress", stage="heart", done=3, total=120)
        print("a plain line", flush=True)
        return 0
    if command == "query":
        verdict = {"present": True, "probability": 0.9, "threshold": 0.5, "abstained": False, "reasons": []}
        send("result", data={"detection": verdict, "quality": [], "prompts": answers(prompts)})
        return 0
    points = Path(words[words.index("--landmarks") + 1]) if "--landmarks" in words else None
    return detect(source, out, prompts, points)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
