# The two commands of the README are `make demo` and `make test`; each sets up all it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := outputs/demo
DEMO_ARGS := --data ShapesVideo_8frame_nopack --model TinyQwen2.5-VL --judge exact --work_dir $(DEMO)

.PHONY: demo test torture lint types format docs gallery sweep bench clean

# imagecorruptions requires opencv-python, which would overwrite the files of opencv-python-headless.
$(READY): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[hf,dev,bench]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps imagecorruptions==1.1.2
	touch $(READY)

demo: $(READY)  ## the main job on the embedded default, clean and under noise
	$(BIN)/torchrun --nproc-per-node=2 run.py $(DEMO_ARGS)
	$(BIN)/torchrun --nproc-per-node=2 run.py $(DEMO_ARGS) --noise_name gaussian --ratio 0.9
	$(BIN)/vidharness compare $(DEMO)

test: $(READY)  ## all tests, slow ones too, with the coverage of harness/
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='harness/*' --fail-under=90 --skip-covered

torture: $(READY)  ## real runs killed 200 times at every kind of moment, then compared with undisturbed ones
	$(BIN)/python -m pytest -q -s tests/test_torture.py --kills 200

lint: $(READY) types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## write the generated parts of README.md and docs/ anew
	$(BIN)/python docs/generate.py

gallery: $(READY)  ## draw every noise, measure what it changes, write docs/noises.md
	$(BIN)/python docs/gallery.py

sweep: $(READY)  ## the embedded model under every noise; writes docs/robustness.md
	$(BIN)/python -m benchmarks.sweep --processes 2

bench: $(READY)  ## every noise beside a copy and imagecorruptions; decoding beside decord and PyAV; storing beside pickling
	$(BIN)/python -m benchmarks.noises
	$(BIN)/python -m benchmarks.decoding
	$(BIN)/python -m benchmarks.claiming
	$(BIN)/python -m benchmarks.appending

clean:
	rm -rf $(VENV) build dist outputs *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage*
