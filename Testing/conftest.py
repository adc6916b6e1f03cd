"""What several test files need: a bundle without training, a virtual study on disk, and the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.bundle import default_bundle
from LGETextDetectLib.refusal import InputRefused
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = os.pathsep.join(str(ROOT / name) for name in ("LGETextDetect", "LGETextTrain"))


def child_environment(bundle: Path) -> dict[str, str]:
    """Environment of a child process that finds the libraries and uses this bundle."""
    paths = [LIBRARIES, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1", "LGETEXT_BUNDLE": str(bundle)}


def write_headers(path: Path, patient: str, study: str, media_class: str = "1.2.840.10008.5.1.4.1.1.4") -> None:
    """A DICOM file with hardly more than the identifiers of its patient and study."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = media_class, "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.PatientID, dataset.StudyInstanceUID, dataset.Modality = patient, study, "MR"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


@dataclass(frozen=True)
class StudyFiles:
    """One virtual study: a volume file, and its true landmarks as points set by hand."""

    volume: Path
    landmarks: Path


def write_untrained_bundle(folder: Path, measures: int) -> Path:
    """A bundle of the real architecture with random weights, made by the real exporter; its answers mean nothing.

    measures: of a token, that its text side reads.
    """
    import torch
    from LGETextDetectLib.tokens import PLACES
    from LGETextTrainLib.calibrate import first_thresholds
    from LGETextTrainLib.export import export_networks, write_manifest
    from LGETextTrainLib.language import LanguageConfig, LanguageModel
    from LGETextTrainLib.network import heart_network, scar_network
    from LGETextTrainLib.train_language import make_tokenizer

    torch.manual_seed(0)
    heart, scar = heart_network().eval(), scar_network().eval()
    tokenizer = make_tokenizer()
    config = LanguageConfig(measures, PLACES, len(tokenizer.words), 48)
    export_networks(heart.state_dict(), scar.state_dict(), LanguageModel(config).eval(), folder)
    facts = {
        "name": "lge-untrained",
        "version": "0.0.0",
        "licence": "Apache-2.0",
        "thresholds": first_thresholds(),
        "training": {},
    }
    (folder / "MODEL_CARD.md").write_text("# lge-untrained\nRandom weights, for tests.\n", "utf-8")
    write_manifest(folder, tokenizer, facts)
    return folder


@pytest.fixture(scope="session")
def untrained_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with random weights."""
    pytest.importorskip("torch")
    from LGETextDetectLib.tokens import MEASURES

    return write_untrained_bundle(tmp_path_factory.mktemp("untrained") / "lge-untrained", MEASURES)


@pytest.fixture(scope="session")
def bundled_model() -> Path:
    """The trained model of the program; without it nothing that needs a found heart can be tested."""
    try:
        return default_bundle().resolve()
    except InputRefused:
        pytest.skip("there is NO trained model beside the program: detection of a heart is NOT tested")


@pytest.fixture(scope="session")
def study_files(tmp_path_factory: pytest.TempPathFactory) -> StudyFiles:
    """A virtual patient with scar as NRRD with its true landmarks."""
    from LGETextDetectLib.markups import write_markups
    from LGETextDetectLib.volume_files import write_nrrd
    from LGETextTrainLib.patient import draw
    from LGETextTrainLib.virtual_study import render_study

    study = render_study(draw(np.random.default_rng(21), scar_share=1.0))
    folder = tmp_path_factory.mktemp("study")
    files = StudyFiles(folder / "heart.nrrd", folder / "heart.mrk.json")
    write_nrrd(study.volume, files.volume)
    write_markups(study.landmarks, files.landmarks)
    return files


@pytest.fixture
def lgetext(untrained_bundle: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``lgetext`` as its own process with the untrained bundle; returns its exit code and output."""

    def run(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "LGETextDetectLib", *map(str, words)]
        return subprocess.run(
            command,
            env={**child_environment(untrained_bundle), **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return run
