"""A child process in the place of the training side: answers at once, so that the panel's tests need no torch.

``train RECIPE --out DIR``: holds the run folder's lock, logs curves, and ends when told to by the stop file, or at once
when DIR holds a file 'quick'. ``check-data`` and ``preview-scars`` write their page; a reports path that holds 'bad' is
refused.
"""

import json
import signal
import sys
import time
from pathlib import Path

from LGETextTrainLib.recipe import read_hospital_recipe
from LGETextTrainLib.run_history import STOP_FILE
from LGETextTrainLib.run_lock import run_lock
from LGETextTrainLib.run_record import begin_run, end_run

COUNTS = {"present": 5, "absent": 7, "uncertain": 1, "not_stated": 0, "usable": 12, "patients": 11}


def send(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def log(out: Path, **entry: object) -> None:
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": 1.0, **entry}) + "\n")


def train(out: Path) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the stop file is what it listens to
    with run_lock(out):
        facts = {"name": "lge-x", "version": "1", "began": 5.0, "studies": 12, "recipe": "", "data": ""}
        begin_run(out, facts)
        for step in (50, 100):
            send("progress", stage="scar", done=step, total=400)
            log(
                out,
                stage="scar",
                step=step,
                loss=2.0 - step / 100,
                validation={"score": -1.0, "loss": 1.0, "auroc": 0.7},
            )
        while not (out / STOP_FILE).exists() and not (out / "quick").exists():
            time.sleep(0.02)
        if (out / STOP_FILE).exists():
            return 130
        log(out, stage="done", validation_auroc=0.8)
        (out / "bundle" / "lge-x").mkdir(parents=True, exist_ok=True)
        (out / "bundle" / "lge-x" / "manifest.json").write_text('{"name": "lge-x", "version": "1"}', "utf-8")
        end_run(out)
    return 0


def main(words: list[str]) -> int:
    command, recipe = words[0], Path(words[1])
    out = Path(words[words.index("--out") + 1])
    if command == "train":
        return train(out)
    if "bad" in read_hospital_recipe(recipe).data.reports:
        send("error", code="bad-reports", cause="The table has no columns study and text.", remedy="Give them.")
        return 3
    send("progress", stage="check", done=3, total=12)
    folder, page = ("check", "check.html") if command == "check-data" else ("preview", "preview.html")
    (out / folder).mkdir(parents=True, exist_ok=True)
    (out / folder / page).write_text("<html></html>", "utf-8")
    send("result", data={"counts": COUNTS, "page": page} if command == "check-data" else {"page": page})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
