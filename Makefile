# LGETextDetect: every task of the project; each makes the environment that it needs.
PYTHON ?= python3
ENV := .venv
TRAIN_ENV := .venv-train

.PHONY: demo test check train evaluate bench clean env env-train
env: $(ENV)/.ready
env-train: $(TRAIN_ENV)/.ready

# Inference only: no torch in it.
$(ENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(ENV)
	$(ENV)/bin/pip install --quiet --disable-pip-version-check -e .
	touch $@

# torch 2.13.0 first and alone, so that no resolver chooses another build.
$(TRAIN_ENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(TRAIN_ENV)
	$(TRAIN_ENV)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(TRAIN_ENV)/bin/pip install --quiet --disable-pip-version-check -e '.[train,dicom,dev]'
	touch $@

demo: env
	$(ENV)/bin/lgetext demo

test: env-train
	$(TRAIN_ENV)/bin/python -m pytest

check: env-train
	$(TRAIN_ENV)/bin/ruff check LGETextDetect LGETextTrain Testing
	$(TRAIN_ENV)/bin/ruff format --check LGETextDetect LGETextTrain Testing
	$(TRAIN_ENV)/bin/mypy LGETextDetect/LGETextDetectLib LGETextTrain/LGETextTrainLib

train: env-train
	$(TRAIN_ENV)/bin/lgetext train recipes/full.toml --out runs/full

REAL ?= ../shared/realdata
evaluate: env-train
	$(TRAIN_ENV)/bin/lgetext evaluate $(REAL)/emidec-dev --truth $(REAL)/emidec-dev/truth.csv --out out/emidec-dev
	$(TRAIN_ENV)/bin/lgetext evaluate $(REAL)/implant-dev --truth $(REAL)/implant-dev/truth.csv --out out/implant-dev

bench: env
	$(ENV)/bin/python Testing/bench.py

clean:
	rm -rf out build
