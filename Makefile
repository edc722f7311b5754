# Everything runs from .venv, which any of the targets makes when it is missing or out of date.
# PYTHON may name the Python to make it with: make setup PYTHON=/opt/python3.13/bin/python3

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
# Each stamp says that .venv has what its target needs. What is installed for one may serve another too.
PRODUCTION := .venv/for-production
DEMO := .venv/for-demo
DEVELOPMENT := .venv/for-development

.DEFAULT_GOAL := help
.PHONY: help install setup demo test check bench chaos screenshots

help: ## Lists these targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 20

install: $(PRODUCTION) ## Only the environment, with what production needs; .venv/bin/stanch is the command

setup: $(DEVELOPMENT) ## The same with what development needs

# PORT counts where it is given to make itself; in the environment it is the port of stanch serve.
demo: $(DEMO) ## The whole product against a stand-in Slack and GitHub, on one web page, until Ctrl-C; PORT=8080
	@$(BIN)/stanch demo $(if $(filter command line,$(origin PORT)),--port '$(PORT)')

# Two workers; the tests of one file stay together, since they share its servers.
test: $(DEVELOPMENT) ## Every test, and at the end what was skipped and why
	@$(BIN)/pytest -n 2 --dist loadfile

check: $(DEVELOPMENT) ## Format, lint, types, who may import whom, docs
	@$(BIN)/ruff format --check --quiet . || { echo "Run .venv/bin/ruff format ." >&2; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --quiet tests/test_architecture.py tests/test_docs.py

bench: $(DEVELOPMENT) ## The benchmark table: the product beside its baselines
	@$(BIN)/python -m tests.bench

chaos: $(DEVELOPMENT) ## The long fault run with real processes
	@$(BIN)/python -m tests.chaos

screenshots: $(DEVELOPMENT) ## The README's pictures, taken anew
	@$(BIN)/python -m tests.browser.screenshots

# A dot a second until the line of the recipe ends, since pip says nothing for most of a minute.
DOTS = ( while sleep 1 && kill -0 $$$$ 2>/dev/null; do printf .; done ) & dots=$$!; \
  trap 'kill $$dots 2>/dev/null' EXIT; trap 'exit 130' INT TERM

# Makes .venv where there is none with a Python that is new enough.
define make_environment
@new_enough='import sys; sys.exit(sys.version_info < (3, 11))'; python=; \
if ! $(BIN)/python -c "$$new_enough" 2>/dev/null; then \
  for name in $(PYTHON); do "$$name" -c "$$new_enough" 2>/dev/null && python=$$name && break; done; \
  test -n "$$python" || { echo "Stanch needs Python 3.11 or newer; if it has another name here: make PYTHON=NAME" >&2; exit 1; }; \
  printf '%s' "Making .venv with $$("$$python" --version) "; \
  $(DOTS); "$$python" -m venv --clear .venv; made=$$?; echo; \
  test $$made -eq 0 || { echo "This Python can't make environments; on Debian, install python3-venv" >&2; exit 1; }; \
fi
endef

# Installs the project with the extra $(1), for $(2), with the options $(3) of pip.
# The package is built with the pinned build tools too, hence no isolation.
define install
@printf '%s' 'Installing what $(2) needs into .venv, only now and after changes '; $(DOTS); \
$(PIP) hatchling editables && $(PIP) $(3) --no-build-isolation -e '.$(1)'; done=$$?; echo; exit $$done
endef

$(PRODUCTION): pyproject.toml constraints.txt
	$(make_environment)
	$(call install,,production)
	@touch $(PRODUCTION)

# Python compiles what the demo imports, which takes less time than compiling all that is installed.
$(DEMO): pyproject.toml constraints.txt
	$(make_environment)
	$(call install,[demo],the demo,--no-compile)
	@touch $(PRODUCTION) $(DEMO)

$(DEVELOPMENT): pyproject.toml constraints.txt
	$(make_environment)
	$(call install,[dev],development)
	@touch $(PRODUCTION) $(DEMO) $(DEVELOPMENT)
