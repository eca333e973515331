# `make run` on a fresh machine does everything. scripts/setup.py says how.

# Name another one with  make setup PYTHON=/path/to/python3.12
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.DEFAULT_GOAL := help
.PHONY: help python setup setup-dev run test lint bench constraints clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */make \1|/' | \
		awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

setup: python  ## .venv, system packages, starter models; quick when they are there
	@$(PYTHON) scripts/setup.py

setup-dev: python  ## the same, and what tests and checks need
	@$(PYTHON) scripts/setup.py --dev

python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON). Install Python 3.11, 3.12 or 3.13, or name one with PYTHON=." >&2; \
		exit 1; }

run: setup  ## hear a question answered aloud
	@$(BIN)/samantha demo

test: setup-dev  ## the whole suite
	@$(BIN)/python -m pytest

lint: setup-dev  ## format, style, types and the rules of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup  ## how quick a spoken turn is on this machine
	@$(BIN)/samantha bench latency

constraints:  ## write down the versions now in .venv, after changing them on purpose
	@$(BIN)/python -m pip list --format=freeze --exclude-editable --exclude pip --exclude setuptools \
		> constraints.txt

clean:  ## remove .venv and what tools left; models and settings stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
