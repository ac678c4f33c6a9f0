# make run     sets up .venv on first use, then runs the scenario checkpoint_blockade (again: the same bytes)
# make test    sets up .venv on first use, then runs the tests
# make app     opens the lab in a browser
# make lint    checks style, types, imports and spelling; make coverage prints what the tests reach
# make slow    repeats the experiments over many seeds; make lessons runs the notebooks
# make proof   measures anew, in minutes, what tests/proof keeps of the longest experiments: after a change of results
# make PYTHON=python3.12 ...   chooses the Python that .venv is made from

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: run app test slow proof bounds coverage lessons benchmark turns lint clean

run: $(VENV)/installed
	$(BIN)/tumorlab run checkpoint_blockade --overwrite

app: $(VENV)/installed-lab
	$(BIN)/tumorlab app

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2

slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 -m slow

proof: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 -m proof

# The engine once more with every index checked, which compiled loops otherwise do not do.
bounds: $(VENV)/installed-test
	NUMBA_BOUNDSCHECK=1 TUMORLAB_CACHE=$(VENV)/bounds $(BIN)/python -m pytest -n 2 tests/golden/test_golden.py \
		tests/simulation/test_chosen_cells.py tests/simulation/test_invariants.py tests/simulation/test_population.py \
		tests/simulation/kinds tests/simulation/treatments/test_treatments.py tests/experiments/reference/test_plain_mesa.py

# What the tests reach, line by line and branch by branch; compiled loops cannot be seen.
coverage: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term

lessons: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --nbmake --nbmake-timeout=600 notebooks

benchmark: $(VENV)/installed
	$(BIN)/tumorlab benchmark

# make turns BEFORE=../another-checkout   what a change did to the time of a step, in the least processor time of runs in turn
turns: $(VENV)/installed
	$(BIN)/python -m experiments.reference.turns $(BEFORE)

lint: $(VENV)/installed-test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/codespell

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, for example: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing (about a minute) ..."
	$(PIP) .
	@touch $@

$(VENV)/installed-lab: $(VENV)/installed
	$(PIP) ".[lab]"
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) ".[test]"
	@touch $@
