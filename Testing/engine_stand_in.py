"""A child process in the place of the engine: answers at once, or as its last word says, so that tests need no model.

``detect INPUT --out DIR [--prompt=TEXT]`` reads the volume and writes a small result; prompts 'refuse', 'crash' and 'hang'
(with a grandchild that holds a lock on INPUT/../lock) do what they say. ``train RECIPE --out DIR`` does the same by the
recipe's content.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
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


def detect(source: Path, out: Path, prompts: list[str], landmarks: Path | None) -> int:
    import numpy as np
    from LGETextDetectLib import aha
    from LGETextDetectLib.landmarks import Landmarks, SliceLandmarks
    from LGETextDetectLib.markups import read_markups, write_markups
    from LGETextDetectLib.volume_files import load_study, write_nrrd

    volume = load_study(source).volume
    send("progress", stage="read", done=1, total=4)
    send("log", text="reading done")
    middle = [(n - 1) / 2 for n in volume.array.shape[1:]]
    marks = [tuple(float(v) for v in volume.to_lps([k, *middle])) for k in range(len(volume.array))]
    found = Landmarks("auto", marks[-1], marks[0], tuple(SliceLandmarks(k, m, m, m, 0.9) for k, m in enumerate(marks)))
    found = read_markups(landmarks, volume) if landmarks else found
    out.mkdir()
    write_markups(found, out / "landmarks.mrk.json")
    write_nrrd(volume.with_array((volume.array == volume.array.max()).astype(np.float32)), out / "evidence.nrrd")
    segments = [
        {"aha": n, "name": name, "probability": 0.5, "layer": None, "transmurality": None}
        for n, name in aha.NAMES.items()
    ]
    answers = [{"text": text, "understood": True, "probability": 0.7} for text in prompts]
    detection = {"present": True, "probability": 0.9, "threshold": 0.5, "abstained": False, "reasons": []}
    result = {
        "schema_version": 1, "detection": detection, "caption": "Subendocardial scar.", "segments": segments,
        "prompts": answers, "quality": [], "landmarks": {"source": found.source},
    }  # fmt: skip
    (out / "result.json").write_text(json.dumps(result), "utf-8")
    send("result", data=result)
    return 0


def main(words: list[str]) -> int:
    command, source = words[0], Path(words[1])
    out = Path(words[words.index("--out") + 1])
    prompts = [word.removeprefix("--prompt=") for word in words if word.startswith("--prompt=")]
    orders = prompts if command == "detect" else [source.read_text("utf-8").strip()]
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
    points = Path(words[words.index("--landmarks") + 1]) if "--landmarks" in words else None
    return detect(source, out, prompts, points)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
