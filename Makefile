# `make install`, then `make demo` or `make test`. CPU only unless you install another torch.
PYTHON ?= python3
BIN = .venv/bin
WORKERS = $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)")
# A process more than there are cores, as some wait for a browser or a program; each on one thread, and threads that wait do
# not spin. Tests are compiled once, whatever the shell says.
# `.venv/bin/coverage report -m` shows what `make check-all` has left untested.
TESTS = PYTHONDONTWRITEBYTECODE= OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# The two commands work on a fresh clone: they install first.
install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: install
	$(BIN)/actionformer demo runs/demo --overwrite

style: install
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: install
	$(BIN)/mypy

check: style types

quick-tests: install
	$(TESTS) -m "not slow"

all-tests: install
	$(TESTS) --hypothesis-profile thorough --cov --cov-report=

# Types are checked beside the tests.
test: style
	$(MAKE) --jobs=2 types quick-tests

check-all: style
	$(MAKE) --jobs=2 types all-tests

.PHONY: install demo style types check quick-tests all-tests test check-all
