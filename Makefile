# Everything runs from .venv, which any of the targets makes when it is missing or out of date.
# PYTHON may name the Python to make it with: make setup PYTHON=/opt/python3.13/bin/python3

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
BIN := .venv/bin
STAMP := .venv/set-up

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench chaos screenshots

help: ## Lists these targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 20

setup: $(STAMP) ## Only the environment; .venv/bin/stanch is the command

demo: $(STAMP) ## The whole product against a stand-in Slack and GitHub, on one web page, until Ctrl-C
	@$(BIN)/stanch demo

# Two workers; the tests of one file stay together, since they share its servers.
test: $(STAMP) ## Every test, and at the end what was skipped and why
	@$(BIN)/pytest -n 2 --dist loadfile

check: $(STAMP) ## Format, lint, types, who may import whom, docs
	@$(BIN)/ruff format --check --quiet . || { echo "Run .venv/bin/ruff format ." >&2; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --quiet tests/test_architecture.py tests/test_docs.py

bench: $(STAMP) ## The benchmark table: the product beside its baselines
	@$(BIN)/python -m tests.bench

chaos: $(STAMP) ## The long fault run with real processes
	@$(BIN)/python -m tests.chaos

screenshots: $(STAMP) ## The README's pictures, taken anew
	@$(BIN)/python -m tests.browser.screenshots

# The package is built with the pinned build tools too, hence no isolation.
$(STAMP): pyproject.toml constraints.txt
	@new_enough='import sys; sys.exit(sys.version_info < (3, 11))'; python=; \
	if ! $(BIN)/python -c "$$new_enough" 2>/dev/null; then \
	  for name in $(PYTHON); do "$$name" -c "$$new_enough" 2>/dev/null && python=$$name && break; done; \
	  test -n "$$python" || { echo "Stanch needs Python 3.11 or newer; if it has another name here: make PYTHON=NAME" >&2; exit 1; }; \
	  echo "Making .venv with $$("$$python" --version)"; \
	  "$$python" -m venv --clear .venv || { echo "This Python can't make environments; on Debian, install python3-venv" >&2; exit 1; }; \
	fi
	@echo "Installing the versions of constraints.txt into .venv (about a minute, only now and after changes)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt hatchling editables
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $(STAMP)
