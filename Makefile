# Everything runs from .venv, which each target creates or updates when it has to.
# PYTHON names the Python for it: make setup PYTHON=/opt/python3.13/bin/python3

# The system's is first: one that was built without profile-guided optimization, as pyenv does by default, takes a sixth
# longer for the tests.
PYTHON ?= /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11
BIN := .venv/bin
AUDIT := .venv/audit/bin/pip-audit
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
# With it, each process that a test or the demo starts would compile Stanch anew.
unexport PYTHONDONTWRITEBYTECODE
# A stamp says that .venv has what its target needs. The larger sets include the smaller ones.
PRODUCTION := .venv/for-production
DEMO := .venv/for-demo
DEVELOPMENT := .venv/for-development

.DEFAULT_GOAL := help
.PHONY: help install setup demo test check audit bench chaos steady fuzz coverage screenshots

help: ## Lists these targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 20

install: $(PRODUCTION) ## Sets up .venv with what production needs; the command is .venv/bin/stanch

setup: $(DEVELOPMENT) ## The same with what development needs

# Only PORT on the command line of make is used; in the environment it is the port of stanch serve.
demo: $(DEMO) ## The whole bot against a stand-in Slack and GitHub, on one web page, until Ctrl-C; PORT=8080
	@$(BIN)/stanch demo $(if $(filter command line,$(origin PORT)),--port '$(PORT)')

# One worker more than the smallest machine has cores: one of them takes the tests that mostly wait, see tests/conftest.py.
# Most tests run on one kind of database, SQLite or PostgreSQL; make test DATABASES=both runs each on both, which takes
# nearly twice as long.
test: $(DEVELOPMENT) ## Every test; lists at the end what was skipped and why; DATABASES=both
	@$(BIN)/pytest -n 3 $(if $(filter both,$(DATABASES)),--both-databases)

check: $(DEVELOPMENT) ## Format, lint, types, import contracts, docs
	@$(BIN)/ruff format --check --quiet . || { echo "Run .venv/bin/ruff format ." >&2; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --quiet tests/test_architecture.py tests/test_docs.py

# In an environment of its own, since its packages are none of Stanch's. All versions are pinned, so nothing is resolved.
audit: ## Asks PyPI which pinned packages have known vulnerabilities; fails for what it can't ask about
	$(make_environment)
	@test -x $(AUDIT) || { $(BIN)/python -m venv .venv/audit && \
	  .venv/audit/bin/python -m pip install -qq --disable-pip-version-check pip-audit==2.10.1; }
	@$(AUDIT) --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

bench: $(DEVELOPMENT) ## The benchmark table: the product beside its baselines
	@$(BIN)/python -m tests.bench

chaos: $(DEVELOPMENT) ## Every story with a fault at every point, then real processes in trouble; STORY=close, FROM=sqlite/close/after/7, PART=disk
	@$(BIN)/python -m tests.chaos $(if $(STORY),--story '$(STORY)') $(if $(FROM),--from '$(FROM)') $(if $(PART),--part '$(PART)')

steady: $(DEVELOPMENT) ## An hour of mixed load on a real process: memory, tables, the log; MINUTES=10 shortens it
	@$(BIN)/python -m tests.chaos.steady $(if $(MINUTES),--minutes '$(MINUTES)')

# Beside the environment, since atheris has no wheel for every Python that Stanch supports.
fuzz: $(DEVELOPMENT) ## Searches each parser for bytes that it can't take, 20 seconds each; needs Python 3.11 to 3.13
	@test -d .venv/fuzz/atheris || $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps \
	  --target .venv/fuzz atheris==3.0.0
	@PYTHONPATH=.venv/fuzz:. $(BIN)/python -m tests.fuzz

# Beside the environment, as atheris. Python runs sitecustomize.py in each worker of pytest and in each process that a test
# starts; one that is killed leaves nothing. tests/uncovered.toml lists what is not covered, with its reason or as a gap.
coverage: $(DEVELOPMENT) ## Every test, then the lines and branches of bot, integrations and storage that none of them ran
	@test -d .venv/coverage/coverage || $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps \
	  --target .venv/coverage coverage==7.17.3
	@echo 'import coverage; coverage.process_startup()' > .venv/coverage/sitecustomize.py
	@rm -f .coverage .coverage.*
	@export PYTHONPATH='$(CURDIR)/.venv/coverage' COVERAGE_FILE='$(CURDIR)/.coverage'; \
	  COVERAGE_PROCESS_START='$(CURDIR)/pyproject.toml' $(BIN)/pytest -n 4 --quiet $(TESTS); \
	  $(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report; \
	  $(BIN)/python -m coverage json --quiet -o .coverage.json && $(BIN)/python -m tests.uncovered .coverage.json

screenshots: $(DEVELOPMENT) ## The README's pictures, taken anew
	@$(BIN)/python -m tests.browser.screenshots

# Prints a dot a second until the recipe's line ends: pip prints nothing for most of a minute.
DOTS = ( while sleep 1 && kill -0 $$$$ 2>/dev/null; do printf .; done ) & dots=$$!; \
  trap 'kill $$dots 2>/dev/null' EXIT; trap 'exit 130' INT TERM

# Creates .venv, unless there is one with a Python that is new enough. Debian's has ensurepip only with python3-venv.
define make_environment
@new_enough='import sys, ensurepip; sys.exit(sys.version_info < (3, 11))'; python=; \
if ! $(BIN)/python -c "$$new_enough" 2>/dev/null; then \
  for name in $(PYTHON); do "$$name" -c "$$new_enough" 2>/dev/null && python=$$name && break; done; \
  test -n "$$python" || { echo "Stanch needs Python 3.11 or newer, on Debian with python3-venv;" \
    "if it has another name here: make PYTHON=NAME" >&2; exit 1; }; \
  printf '%s' "Making .venv with $$("$$python" --version) "; \
  $(DOTS); "$$python" -m venv --clear .venv; made=$$?; echo; exit $$made; \
fi
endef

# Installs the project with the extra $(1), for $(2), with the options $(3) of pip.
# No build isolation, so that the pinned build tools are used.
define install
@printf '%s' 'Installing what $(2) needs into .venv, only now and after changes '; $(DOTS); \
$(PIP) hatchling editables && $(PIP) $(3) --no-build-isolation -e '.$(1)'; done=$$?; echo; exit $$done
endef

$(PRODUCTION): pyproject.toml constraints.txt
	$(make_environment)
	$(call install,,production)
	@touch $(PRODUCTION)

# Without --no-compile pip compiles all packages, which takes longer than compiling those that the demo imports.
$(DEMO): pyproject.toml constraints.txt
	$(make_environment)
	$(call install,[demo],the demo,--no-compile)
	@touch $(PRODUCTION) $(DEMO)

$(DEVELOPMENT): pyproject.toml constraints.txt
	$(make_environment)
	$(call install,[dev],development)
	@touch $(PRODUCTION) $(DEMO) $(DEVELOPMENT)
