"""The one way to say no: a refusal with a code, its cause and a remedy."""

from __future__ import annotations


class InputRefused(Exception):
    """Input that must not be answered; ``code`` is a key of :data:`REMEDIES`."""

    def __init__(self, code: str, cause: str, remedy: str | None = None) -> None:
        if code not in REMEDIES:
            raise ValueError(f"unknown refusal code {code!r}")
        self.code = code
        self.cause = cause
        self.remedy = remedy or REMEDIES[code]
        super().__init__(f"{self.code}: {self.cause} Remedy: {self.remedy}")


REMEDIES: dict[str, str] = {
    "not-found": "Check the path.",
    "not-an-image": "Give a DICOM folder or one NRRD, NIfTI or MHA file.",
    "no-lge-series": "Give the folder of a study with a short-axis late gadolinium enhancement stack.",
    "damaged-file": "Copy or export the study again.",
    "absurd-size": "Export the series again; its header promises more pixels than a cardiac series has.",
    "no-orientation": "Export the series with its geometry (ImageOrientationPatient).",
    "bad-orientation": "Export the series with its original, orthogonal orientation.",
    "no-position": "Export the series with its geometry (ImagePositionPatient).",
    "bad-pixel-spacing": "Export the series with its PixelSpacing.",
    "bad-rescale": "Export the series with its original RescaleSlope.",
    "missing-slice": "Export all slices of the series.",
    "unequal-spacing": "Give a stack of equally spaced, parallel slices.",
    "shifted-slices": "Give a stack whose slices lie in line behind one another.",
    "mixed-matrix": "Give slices of one matrix and pixel size.",
    "two-patients": "Give the folder of one patient, or use lgetext batch, which answers every study of a folder.",
    "several-studies": "Give the folder of one study, or use lgetext batch, which answers every study of a folder.",
    "pixels-missing": "Export the series with its pixel data.",
    "pixels-truncated": "Copy or export the series again; pixel data end too early.",
    "unreadable-pixels": "Export the series uncompressed.",
    "constant-image": "Give a series with an image; every pixel is the same.",
    "nan-values": "Give a volume of finite numbers.",
    "four-dimensional": "Give one volume: a single time point of a single image.",
    "wrong-modality": "Give an MR study.",
    "bad-landmarks": "Place the landmarks again and save them as .mrk.json.",
    "out-occupied": "Name a new or empty output folder, or one that holds an older result.",
    "out-unwritable": "Free disk space, get the right to write there, or name an output folder on another disk.",
    "not-dicom": "Leave --dicom out, or give the DICOM folder of the study.",
    "no-highdicom": "Install the 'dicom' extra, or leave --dicom out.",
    "bad-prompts": "Give a UTF-8 text file with one prompt a line.",
    "bad-reports": "Give JSON lines with id and text, or a CSV file with the columns id and text, in UTF-8.",
    "bad-truth": "Give a CSV file in UTF-8 with the columns study and lge (0 or 1), a row a study: docs/evaluation.md.",
    "no-studies": "Give a folder with DICOM studies or volume files below it.",
    "no-sample": "Run from a full copy of the program: the sample study lies in Resources/SampleStudy.",
    "no-training-extra": "Install it, or use a machine that has it.",
    "no-dask": "Install the 'dask' extra, or leave --scheduler out.",
    "no-scheduler": "Check the address and that the scheduler runs, or leave --scheduler out.",
    "bad-recipe": "Correct the recipe; recipes/full.toml shows every entry.",
    "bad-bundle": "Reinstall the model bundle or export it again.",
    "bad-weights": "Give the folder as its documentation says: docs/evaluation.md.",
    "no-gpu": "Use --device cpu.",
    "no-torch": "Use --backend onnx.",
    "no-heart": "Check that this is a short-axis cardiac series, or place the landmarks by hand.",
    "few-patients": "Add studies with reports: at least 10 patients that a report calls scarred or scar-free.",
    "one-class": "Add studies of the other kind: both scarred and scar-free patients are needed.",
    "empty-reports": "Export the reports with their text.",
    "images-missing": "Export the missing studies, or take their reports out of the table; study names must agree.",
    "report-language": "Give reports in English, German, French or Spanish.",
    "duplicate-studies": "Keep each study once, with its own report.",
    "split-leak": "Put all studies of a patient into one split.",
    "split-unmatched": "Name each study by its folder or file, its path, or the name that check/studies.csv gives it; take out rows of studies that are not there.",
    "left-out": "Look at the data check's table for the reason of each study; raise data.max_left_out if it is right.",
    "data-changed": "Train the changed data in a new run folder, or restore the data.",
    "recipe-changed": "Use the recipe that the run was started with, or a new run folder.",
    "run-unfinished": "Finish the run with lgetext train, then export it.",
    "training-diverged": "Lower the stage's 'peak' in the recipe and train in a new run folder.",
    "gpu-memory": "Lower 'batch' and raise 'accumulate' as much in the recipe's tables of the networks, and train in a new run folder; or free the GPU and go on.",
    "run-busy": "Wait for it, stop it, or name another run folder.",
    "no-tensorboard": "Install tensorboard, or set run.tensorboard to false.",
}
