# LGETextDetect: every task of the project; each makes the environment that it needs.
PYTHON ?= python3
ENV := .venv
TRAIN_ENV := .venv-train
SLICER_ENV := .venv-slicer
PIP := pip install --quiet --disable-pip-version-check
SLICER_TESTS := Testing/test_mrml.py Testing/test_slicer_modules.py Testing/test_packaging.py Testing/test_in_slicer.py Testing/test_train_module.py \
	Testing/test_slicer_layout.py Testing/test_slicer_sample.py

.PHONY: screenshots sample-study-sums hospital ablation train-screenshot demo test test-slicer check train evaluate evaluate-real evaluate-virtual robustness card calibrate sample-study bench clean env env-train env-slicer
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
	QT_QPA_PLATFORM=offscreen PYTHONPATH=Testing $(SLICER_ENV)/bin/python -m pytest -p slicer_coverage $(SLICER_TESTS) -rs

check: env-train
	$(TRAIN_ENV)/bin/ruff check LGETextDetect LGETextTrain Testing
	$(TRAIN_ENV)/bin/ruff format --check LGETextDetect LGETextTrain Testing
	$(TRAIN_ENV)/bin/mypy LGETextDetect/LGETextDetectLib LGETextTrain/LGETextTrainLib

train: env-train
	$(TRAIN_ENV)/bin/lgetext train recipes/full.toml --out runs/full

# Every figure of the model card again, from the bundle: its virtual test patients, PATIENTS of the held-back recipe, and the
# sets of real studies below REAL (one folder a set, each with a truth.csv), if there are any. PROMPTS: questions, one a line.
# BIOMEDCLIP, MED_FLAMINGO: folders with their weights (docs/evaluation.md).
REAL ?=
PATIENTS ?= 200
PROMPTS ?= Testing/prompts.txt
EVALUATION := out/evaluation
EVALUATE = $(TRAIN_ENV)/bin/lgetext evaluate --prompts $(PROMPTS) --report $(EVALUATION)/evaluation.md \
	$(if $(BIOMEDCLIP),--biomedclip $(BIOMEDCLIP)) $(if $(MED_FLAMINGO),--med-flamingo $(MED_FLAMINGO))

evaluate: env-train
	rm -rf $(EVALUATION)
	$(TRAIN_ENV)/bin/lgetext bundle --test
	$(MAKE) evaluate-virtual evaluate-real
	@echo "Tables and plots: $(EVALUATION)/evaluation.md. Research use, not for diagnosis."

evaluate-virtual: env-train
	rm -rf out/held-back
	$(TRAIN_ENV)/bin/lgetext phantom out/held-back --n $(PATIENTS) --seed 4711 --held-back
	$(EVALUATE) out/held-back --truth out/held-back/truth.csv --out $(EVALUATION)/held-back

evaluate-real: env-train
	@found=; for table in $(if $(REAL),$(wildcard $(REAL)/*/truth.csv)); do \
		found=1; folder=$$(dirname $$table); \
		$(EVALUATE) $$folder --truth $$table --out $(EVALUATION)/$$(basename $$folder) || exit 1; \
	done; \
	[ -n "$$found" ] || echo "Real studies: not there. make evaluate REAL=FOLDER, one folder a set, each with a truth.csv."

# How the answers of 60 held-back patients, and of the studies of SETS (folders, each with a truth.csv), move when their images are changed.
SETS ?=
robustness: env-train
	rm -rf out/robustness
	$(TRAIN_ENV)/bin/lgetext phantom out/robustness/held-back --n 60 --seed 4711 --held-back
	$(TRAIN_ENV)/bin/python Testing/robustness.py out/robustness/robustness.md out/robustness/held-back $(SETS)

# The figures of out/evaluation, and those of the virtual test patients computed again, into the bundled model's card.
card: env-train
	$(TRAIN_ENV)/bin/lgetext bundle --test --evaluations $(EVALUATION)

# The bundled model's thresholds, fitted again; the odds moved as the studies in KNOWN (a folder with a truth.csv) ask for too.
KNOWN ?=
calibrate: env-train
	$(TRAIN_ENV)/bin/lgetext bundle --calibrate $(if $(KNOWN),--known $(KNOWN))

# The bundled DICOM study: a virtual patient.
sample-study: env-train
	rm -rf Resources/SampleStudy
	$(TRAIN_ENV)/bin/python -c "from pathlib import Path; from LGETextTrainLib.sample_patient import write_sample; write_sample(Path('Resources/SampleStudy'))"
	$(MAKE) sample-study-sums

# What the module checks before it loads the sample study.
sample-study-sums:
	cd Resources/SampleStudy && find . -type f | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum > ../../LGETextDetect/Resources/SampleStudy.sha256

# The README's pictures: panel, slice views, 3D view and bull's eye of the sample study, rendered off-screen.
screenshots: env-slicer
	QT_QPA_PLATFORM=offscreen PYTHONPATH=Testing:LGETextDetect:LGETextTrain $(SLICER_ENV)/bin/python Testing/screenshots.py

# What training on a hospital's images and reports is worth, on a virtual hospital (200 studies, 400 others to test on).
hospital: env-train
	$(TRAIN_ENV)/bin/python -m LGETextTrainLib.hospital_trial proof out/hospital --document docs/hospital.md

# What each part of the method is worth there: five arms, three seeds.
ablation: env-train
	$(TRAIN_ENV)/bin/python -m LGETextTrainLib.hospital_trial ablation out/ablation --document docs/ablation.md

# The training panel beside the run that `make hospital` leaves.
train-screenshot: env-slicer
	QT_QPA_PLATFORM=offscreen PYTHONPATH=Testing:LGETextDetect:LGETextTrain $(SLICER_ENV)/bin/python Testing/train_screenshot.py \
		out/hospital/proof/trained-on-the-hospital-1 Resources/Screenshots/LGETextTrain.png

bench: env
	$(ENV)/bin/python Testing/bench.py

clean:
	rm -rf out build
