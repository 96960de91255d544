# Callboard. `make` lists what there is to make.
.DEFAULT_GOAL := help
.SILENT:
SHELL  := /bin/sh
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PINS   := .ci/constraints.txt
PIP    := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -q -c $(PINS)
ARGS   ?=

# Tests start the program again and again: it is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv demo run test check faults coverage format clean

help: ## list the targets
	awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Callboard needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) >&2 \
	  || { echo 'No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }

$(VENV)/.run: pyproject.toml $(PINS) | $(BIN)/python
	echo 'Setting up .venv (once) ...' >&2
	$(PIP) -e . >&2
	touch $@

$(VENV)/.dev: $(VENV)/.run
	echo 'Setting up the tools for tests (once) ...' >&2
	$(PIP) -e '.[dev]' >&2
	$(PIP) -e '.[postgresql-tests]' >&2 2>/dev/null \
	  || echo 'No PostgreSQL server for this machine in the index: its tests are skipped.' >&2
	touch $@

venv: $(VENV)/.run ## only make the environment (.venv)

demo: $(VENV)/.run ## open the terminal on a sample production (ARGS="--headless --seconds 60 --json")
	if [ -t 0 ] && [ -t 1 ] || echo ' $(ARGS) ' | grep -q -e --headless; then \
	  $(BIN)/callboard demo $(ARGS); \
	else \
	  echo 'No terminal here: the demo runs headless.' >&2; $(BIN)/callboard demo --headless $(ARGS); \
	fi

run: $(VENV)/.run ## open Callboard on your own production
	$(BIN)/callboard $(ARGS)

test: $(VENV)/.dev ## run every test and print the coverage
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'proof and not long' $(ARGS)
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not long and not proof' --cov --cov-report=term:skip-covered $(ARGS)

check: $(VENV)/.dev ## formatter, linter, strict types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

faults: $(VENV)/.dev ## the long proofs: the process killed at random, again and again
	$(BIN)/python -m pytest -m long --timeout 1800 $(ARGS)

format: $(VENV)/.dev ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist build
