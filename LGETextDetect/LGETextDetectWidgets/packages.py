"""Python packages that the engine needs and Slicer lacks: asked for once, floors and wheels only, also without internet."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

WHEELS_SETTING = "LGETextDetect/WheelFolder"
WHEELS_VARIABLE = "LGETEXT_WHEELS"
SLICERS_OWN = ("numpy", "SimpleITK", "pydicom", "vtk", "highdicom")  # other modules rely on these very versions


def ensure_packages(requirements: Path, requester: str) -> None:
    """Ask once for the packages that are missing and install them; raises RuntimeError when the user declines.

    Nothing is installed while tests run. With a folder of wheels (:func:`wheel_folder`) the internet is not used.
    """
    missing = missing_packages(requirements)
    if not missing or slicer.app.testingEnabled():
        return
    question = _("{requester} needs these Python packages: {missing}. Install them now?").format(
        requester=requester, missing=", ".join(missing)
    )
    if not slicer.util.confirmOkCancelDisplay(question):
        raise RuntimeError(_("The packages {missing} were not installed.").format(missing=", ".join(missing)))
    _install(missing, wheel_folder())


def _install(missing: Sequence[str], wheels: Path | None) -> None:
    """pip, wheels only, held to the versions of Slicer's own packages.

    By slicer.util on every version of Slicer: what newer ones offer for this passes pip no option.
    """
    source = [] if wheels is None else ["--no-index", "--find-links", str(wheels)]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in own_versions()), "utf-8")
        slicer.util.pip_install(["--only-binary", ":all:", *source, "--constraint", str(constraints), *missing])
    importlib.invalidate_caches()  # this process has looked for them before


def own_versions() -> list[str]:
    """Slicer's own packages as they are, ``name==version`` each."""
    lines = []
    for name in SLICERS_OWN:
        try:
            lines.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return lines


def library_ready() -> bool:
    """Whether the library's own imports are there, so that results in the scene can be read before the first Apply."""
    return importlib.util.find_spec("scipy") is not None


def required_packages(requirements: Path) -> list[str]:
    """The requirements of a file, without comments and options."""
    lines = (line.strip() for line in requirements.read_text("utf-8").splitlines())
    return [line for line in lines if line and line[0] not in "#-"]


def missing_packages(requirements: Path) -> list[str]:
    """The requirements of a file that this Python does not meet."""
    from packaging.requirements import Requirement

    return [line for line in required_packages(requirements) if not _satisfied(Requirement(line))]


def _satisfied(requirement: Any) -> bool:
    try:
        return importlib.metadata.version(requirement.name) in requirement.specifier
    except importlib.metadata.PackageNotFoundError:
        return False


def wheel_folder() -> Path | None:
    """Folder of wheels for machines without internet: LGETEXT_WHEELS, else the application's setting; None without."""
    chosen = os.environ.get(WHEELS_VARIABLE) or qt.QSettings().value(WHEELS_SETTING) or ""
    return Path(chosen) if chosen and Path(chosen).is_dir() else None
