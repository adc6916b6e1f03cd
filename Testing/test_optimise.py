"""The training loop: killed and resumed it ends with the same weights, and two processes give what one gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import loop_worker  # noqa: E402
from conftest import LIBRARIES  # noqa: E402
from LGETextDetectLib.events import Cancelled  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextTrainLib.optimise import STOP_FILE, Average, Loop, optimise  # noqa: E402
from LGETextTrainLib.processes import Processes  # noqa: E402
from LGETextTrainLib.sample_stream import sample_source  # noqa: E402

WORKER = Path(__file__).with_name("loop_worker.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": LIBRARIES, "OMP_NUM_THREADS": "1"}
STEPS, PARTS = 12, 2


def run_through(folder: Path) -> None:
    """Train to the end in a process of its own, as all are compared: other numbers of threads differ in the last digits."""
    subprocess.run([sys.executable, str(WORKER), str(folder), str(STEPS), str(PARTS)], env=ENVIRONMENT, check=True)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """Final weights of one process that ran through."""
    folder = tmp_path_factory.mktemp("loop")
    run_through(folder)
    return torch.load(folder / "final.pt", weights_only=True)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], tolerance: float = 0.0) -> bool:
    return all(torch.allclose(one[k].float(), other[k].float(), rtol=0, atol=tolerance) for k in one)


def test_killed_and_resumed_is_the_same_run(uninterrupted: dict[str, torch.Tensor], tmp_path: Path) -> None:
    command = [sys.executable, str(WORKER), str(tmp_path), str(STEPS), str(PARTS)]
    child = subprocess.Popen(command, env={**ENVIRONMENT, "SLOW": "0.1"}, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(2):
        child.stdout.readline()  # the looks at steps 0 and 3: it is on its way
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "final.pt").exists() and (tmp_path / "squares.pt").exists()
    run_through(tmp_path)
    assert same(torch.load(tmp_path / "final.pt", weights_only=True), uninterrupted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_with_all_its_workers_it_writes_a_checkpoint_and_goes_on(
    uninterrupted: dict[str, torch.Tensor], tmp_path: Path, number: int
) -> None:
    command = [sys.executable, str(WORKER), str(tmp_path), str(STEPS), str(PARTS)]
    child = subprocess.Popen(
        command, env={**ENVIRONMENT, "SLOW": "0.1", "WORKERS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    for _ in range(2):
        child.stdout.readline()  # the looks at steps 0 and 3
    os.killpg(child.pid, number)
    _, said = child.communicate(timeout=240)  # it must end by itself, its workers too
    assert "Cancelled" in said and "worker" not in said.replace("loop_worker", "")
    saved = torch.load(tmp_path / "squares.pt", weights_only=True)["facts"]
    assert 3 <= json.loads(saved)["step"] < STEPS
    run_through(tmp_path)
    assert same(torch.load(tmp_path / "final.pt", weights_only=True), uninterrupted)


def test_two_processes_give_what_one_gives(uninterrupted: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, str(WORKER), str(tmp_path), str(STEPS), str(PARTS)], env=ENVIRONMENT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert same(torch.load(tmp_path / "final.pt", weights_only=True), uninterrupted, tolerance=1e-4)


def test_a_finished_run_trains_nothing(uninterrupted: dict[str, torch.Tensor], tmp_path: Path) -> None:
    loop_worker.train(tmp_path, 3, 1)
    before = (tmp_path / "squares.pt").stat().st_mtime_ns
    loop_worker.train(tmp_path, 3, 1)
    assert (tmp_path / "squares.pt").stat().st_mtime_ns == before


def small_loop(folder: Path, loop: Loop, scores: list[float], processes: Processes | None = None) -> list[int]:
    """Run a one-weight model whose validation scores are given; the steps at which it was looked at."""
    model, looked = torch.nn.Linear(1, 1), []

    def validate(judged: torch.nn.Module) -> dict[str, float]:
        looked.append(len(looked))
        return {"score": scores[len(looked) - 1]}

    optimise(
        model, lambda keys: iter(keys), lambda key: (model(torch.ones(1, 1)).square().sum(), {}), loop, folder / "one.pt",
        lambda entry: None, validate=validate, processes=processes or Processes(),
    )  # fmt: skip
    return looked


def test_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    loop = Loop("one", 100, 0.1, 0, validate_every=1, patience=3)
    assert len(small_loop(tmp_path, loop, [1, 2, 1, 1, 1, 9])) == 5
    saved = torch.load(tmp_path / "one.pt", weights_only=True)
    assert '"best_score": 2' in saved["facts"] and '"done": true' in saved["facts"]


def test_what_only_gets_worse_ends_as_it_began(tmp_path: Path) -> None:
    model = torch.nn.Linear(1, 1)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    scores = iter([3.0, 2.0, 1.0])
    state = optimise(
        model, lambda keys: iter(keys), lambda key: (model(torch.ones(1, 1)).square().sum(), {}),
        Loop("one", 2, 0.1, 0, validate_every=1), tmp_path / "one.pt", lambda entry: None,
        validate=lambda judged: {"score": next(scores)},
    )  # fmt: skip
    assert same(state, before) and not same(model.state_dict(), before)


def test_a_stop_file_ends_it_with_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / STOP_FILE).touch()
    with pytest.raises(Cancelled):
        small_loop(tmp_path, Loop("one", 100, 0.1, 0), [])
    assert '"step": 1' in torch.load(tmp_path / "one.pt", weights_only=True)["facts"]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_refused_and_never_saved(tmp_path: Path, wrong: float) -> None:
    model = torch.nn.Linear(1, 1)

    def loss_of(key: tuple[int, int]) -> tuple[torch.Tensor, dict[str, float]]:
        return model(torch.ones(1, 1)).square().sum() * (wrong if key[0] == 3 else 1.0), {}

    with pytest.raises(InputRefused) as refused:
        optimise(
            model, lambda keys: iter(keys), loss_of, Loop("one", 9, 0.1, 0, checkpoint_s=0.0), tmp_path / "one.pt",
            lambda entry: None,
        )  # fmt: skip
    assert refused.value.code == "training-diverged" and "step 4" in refused.value.cause
    saved = torch.load(tmp_path / "one.pt", weights_only=True)
    assert '"step": 3' in saved["facts"] and all(value.isfinite().all() for value in saved["model"].values())
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_more_processes_than_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="accumulate"):
        small_loop(tmp_path, Loop("one", 1, 0.1, 0, accumulate=1), [], Processes(0, 2))


def test_a_step_is_shown_the_same_slices_wherever_it_starts() -> None:
    keys = [(step, part) for step in range(9) for part in range(2)]
    stream = dict(zip(keys, sample_source(loop_worker.squares, 1, 4, 0)(keys), strict=True))
    later = dict(zip(keys[11:], sample_source(loop_worker.squares, 1, 4, 0)(keys[11:]), strict=True))
    own = dict(zip(keys[1::2], sample_source(loop_worker.squares, 1, 4, 0)(keys[1::2]), strict=True))
    for key, sample in (*later.items(), *own.items()):
        assert np.array_equal(sample["image"], stream[key]["image"])
    assert not np.array_equal(stream[(0, 0)]["image"], stream[(0, 1)]["image"])


def test_average_follows_the_weights() -> None:
    model = torch.nn.Linear(1, 1)
    average = Average(model)
    with torch.no_grad():
        model.weight.fill_(5.0)
    for step in range(200):
        average.update(model, step)
    assert float(average.state["weight"]) == pytest.approx(5.0, abs=0.05)


@pytest.mark.parametrize(
    ("device", "local", "asked", "workers"),
    [("cuda", "1", 1, 15), ("cuda", "2", 1, 7), ("cuda", "2", 12, 12), ("cuda", "16", 1, 1), ("cuda", "1", 0, 0), ("cpu", "1", 1, 1)],
)  # fmt: skip
def test_beside_a_gpu_all_cores_but_one_read_and_paint(
    monkeypatch: pytest.MonkeyPatch, device: str, local: str, asked: int, workers: int
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", local)
    monkeypatch.setattr("LGETextTrainLib.processes.cores", lambda: 16)
    monkeypatch.setattr(Processes, "device", property(lambda self: torch.device(device)))
    assert Processes().workers(asked) == workers
