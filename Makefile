# LGETextDetect: every task of the project; each makes the environment that it needs.
PYTHON ?= python3
ENV := .venv
TRAIN_ENV := .venv-train
SLICER_ENV := .venv-slicer
PIP := pip install --quiet --disable-pip-version-check
SLICER_TESTS := Testing/test_mrml.py Testing/test_slicer_modules.py Testing/test_packaging.py Testing/test_in_slicer.py

.PHONY: demo test test-slicer check train evaluate evaluate-real evaluate-virtual sample-study bench clean env env-train env-slicer
env: $(ENV)/.ready
env-train: $(TRAIN_ENV)/.ready
env-slicer: $(SLICER_ENV)/.ready

# Inference only: no torch in it.
$(ENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(ENV)
	$(ENV)/bin/$(PIP) -e .
	touch $@

# torch 2.13.0 first and alone, so that no resolver chooses another build.
$(TRAIN_ENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(TRAIN_ENV)
	$(TRAIN_ENV)/bin/$(PIP) torch==2.13.0
	$(TRAIN_ENV)/bin/$(PIP) -e '.[train,dicom,dev]'
	touch $@

# Slicer's MRML without the application, and Qt: what the module tests need.
$(SLICER_ENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(SLICER_ENV)
	$(SLICER_ENV)/bin/$(PIP) slicer-core==5.13.31053.0 PySide6-Essentials==6.12.0
	$(SLICER_ENV)/bin/$(PIP) -e '.[slicer-test]'
	touch $@

demo: env
	$(ENV)/bin/lgetext demo

test: env-train test-slicer
	$(TRAIN_ENV)/bin/python -m pytest

test-slicer: env-slicer
	QT_QPA_PLATFORM=offscreen $(SLICER_ENV)/bin/python -m pytest $(SLICER_TESTS) -rs

check: env-train
	$(TRAIN_ENV)/bin/ruff check LGETextDetect LGETextTrain Testing
	$(TRAIN_ENV)/bin/ruff format --check LGETextDetect LGETextTrain Testing
	$(TRAIN_ENV)/bin/mypy LGETextDetect/LGETextDetectLib LGETextTrain/LGETextTrainLib

train: env-train
	$(TRAIN_ENV)/bin/lgetext train recipes/full.toml --out runs/full

# REAL: folder with the two validation sets (EMIDEC studies, and lesions painted into its scar-free hearts).
REAL ?= ../shared/realdata
evaluate: evaluate-virtual evaluate-real

evaluate-real: env-train
	$(TRAIN_ENV)/bin/lgetext evaluate $(REAL)/emidec-dev --truth $(REAL)/emidec-dev/truth.csv --out out/emidec-dev
	$(TRAIN_ENV)/bin/lgetext evaluate $(REAL)/implant-dev --truth $(REAL)/implant-dev/truth.csv --out out/implant-dev

PROMPTS ?= Testing/prompts.txt
evaluate-virtual: env-train
	$(TRAIN_ENV)/bin/lgetext phantom out/virtual --n 100 --seed 4711 --reports
	$(TRAIN_ENV)/bin/lgetext evaluate out/virtual --truth out/virtual/truth.csv --prompts $(PROMPTS) --out out/virtual-evaluation

# The bundled DICOM study: a virtual patient.
sample-study: env-train
	rm -rf Resources/SampleStudy
	$(TRAIN_ENV)/bin/python -c "from pathlib import Path; from LGETextTrainLib.sample_patient import write_sample; write_sample(Path('Resources/SampleStudy'))"

bench: env
	$(ENV)/bin/python Testing/bench.py

clean:
	rm -rf out build
