# Everything here works from a fresh clone: the virtual environment is made when first needed.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-slow lint bench clean

help:
	@echo "make demo       49 agents on a broker of their own play the paper's scenes; Ctrl-C ends it"
	@echo "make test       lint, types, import rules and tests"
	@echo "make test-slow  many seeds and long runs"
	@echo "make bench      the figures, measured on this machine"

$(VENV)/.run: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later with venv is needed (on Debian: apt-get install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(VENV)/.run
	$(BIN)/gridglow up

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests in real time get the machine to themselves, and come first: what follows loads every core.
test: lint
	$(BIN)/pytest -m "live and not slow"
	$(BIN)/pytest -n auto -m "not live and not slow"

# Whole compose projects, many seeds, five hundred meters, long fuzzing.
test-slow: $(VENV)/.dev
	$(BIN)/pytest -m "live and slow"
	$(BIN)/pytest -n auto -m "slow and not live"

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
