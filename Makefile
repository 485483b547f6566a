# `make install`, then `make demo` or `make test`. CPU only unless you install another torch.
PYTHON ?= python3
BIN = .venv/bin

# The two commands work on a fresh clone: they install first.
install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: install
	$(BIN)/actionformer demo runs/demo --overwrite

check: install
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

test: check
	OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -m "not slow"

check-all: check
	OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest

.PHONY: install demo check test check-all
