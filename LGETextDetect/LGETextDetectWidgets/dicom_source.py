"""The DICOM files behind a volume node, by Slicer's own database: for the better stack of its study, and DICOM objects."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import slicer
from LGETextDetectLib.refusal import InputRefused

UIDS_ATTRIBUTE = "DICOM.instanceUIDs"  # what Slicer's importer leaves on a volume
STACK_ATTRIBUTE = (
    "LGETextDetect.BestStack"  # on a stack that the module's reader chose: UIDs of the volume it was chosen from
)
SAMPLE_ATTRIBUTE = "LGETextDetect.Sample"  # on the bundled virtual patient, whose files lie beside the library


def database() -> Any:
    """Slicer's DICOM database; None when there is none or it is closed."""
    found = getattr(slicer, "dicomDatabase", None)
    return found if found is not None and found.isOpen else None


def instance_files(volume_node: Any) -> list[Path]:
    """The files that a volume was loaded from; none when it does not come from DICOM."""
    uids = (volume_node.GetAttribute(UIDS_ATTRIBUTE) or "").split() if volume_node is not None else []
    known = database()
    paths = [Path(known.fileForInstance(uid)) for uid in uids] if known is not None else []
    return [path for path in paths if path.is_file()]


def header_value(volume_node: Any, tag: str) -> str:
    """A header entry of a volume's first file, such as '0008,0008'; empty when there is none."""
    files = instance_files(volume_node)
    return str(database().fileValue(str(files[0]), tag)) if files else ""


def is_dicom(volume_node: Any) -> bool:
    """Whether the volume's own DICOM files can be had."""
    if volume_node is None:
        return False
    return volume_node.GetAttribute(SAMPLE_ATTRIBUTE) is not None or bool(instance_files(volume_node))


def study_files(volume_node: Any) -> list[Path]:
    """All files of the study that a volume belongs to."""
    files = instance_files(volume_node)
    known = database()
    if not files or known is None:
        return []
    series = known.seriesForFile(str(files[0]))
    study = known.studyForSeries(series)
    return [Path(path) for one in known.seriesForStudy(study) for path in known.filesForSeries(one)]


def check_files(folder: Path, sums: Path) -> None:
    """Raise InputRefused('no-sample') unless a folder's files are those of a list of SHA-256 sums and names."""
    for line in sums.read_text("utf-8").splitlines():
        digest, name = line.split("  ", 1)
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise InputRefused("no-sample", f"The sample study's file {name} is missing or damaged.")


def source_folder(volume_node: Any) -> tempfile.TemporaryDirectory:
    """A temporary folder with the DICOM files of which the engine reads this very volume. Raises as :func:`gathered`."""
    from LGETextDetectLib.study import sample_study

    if volume_node.GetAttribute(SAMPLE_ATTRIBUTE) is not None:
        return gathered(sorted(path for path in sample_study().rglob("*.dcm")))
    whole_study = volume_node.GetAttribute(STACK_ATTRIBUTE) is not None
    return gathered(study_files(volume_node) if whole_study else instance_files(volume_node))


def gathered(files: Sequence[Path]) -> tempfile.TemporaryDirectory:
    """A temporary folder with links to files (copies where links are not allowed), named by number.

    Raises InputRefused('not-dicom') when there are none.
    """
    if not files:
        raise InputRefused("not-dicom", "The volume's DICOM files are not in Slicer's database.")
    folder = tempfile.TemporaryDirectory(prefix="LGETextDetect-dicom-")
    for number, path in enumerate(files):
        target = Path(folder.name) / f"{number:05d}.dcm"
        try:
            target.symlink_to(path.resolve())
        except OSError:  # Windows without the right to make links
            shutil.copyfile(path, target)
    return folder


def load_best_stack(volume_node: Any) -> Any:
    """A new volume node with the stack that the module's own reader chooses from the volume's study.

    It names its own frames as its source, so that DICOM export and other modules refer to these. Raises InputRefused when
    the files are not there or no stack of the study is fit.
    """
    from LGETextDetectLib import mrml
    from LGETextDetectLib.volume_files import load_study

    from .panel_words import IMAGE_TYPE_ATTRIBUTE

    with gathered(study_files(volume_node)) as folder:
        loaded = load_study(Path(folder))
    node = mrml.volume_to_node(loaded.volume, slicer.mrmlScene, "LGE short axis")
    node.SetAttribute(IMAGE_TYPE_ATTRIBUTE, loaded.volume.image_type)
    node.SetAttribute(STACK_ATTRIBUTE, volume_node.GetAttribute(UIDS_ATTRIBUTE))
    node.SetAttribute(UIDS_ATTRIBUTE, " ".join(dict.fromkeys(frame.sop_uid for frame in loaded.frames or ())))
    return node
