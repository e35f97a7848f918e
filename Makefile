# Needs only python3 (3.11 or newer), git and make. The environment lives in .venv/, the state in var/.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --no-input
# Tests keep away from the state of an installation that runs beside them.
TEST_VAR := $(or $(VAR_DIR),$(CURDIR)/var/test)

.DEFAULT_GOAL := help
.PHONY: help up demo test chaos lint bench clean

help: ## show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/installed ## run web, worker, beat and the vendor simulators (PORT=8000, SANDBOX=0 without simulators)
	@exec $(RUN) manage.py up

demo: $(VENV)/installed ## run two real activations against the simulators, from nothing to a table of what was sent
	@exec $(RUN) manage.py demo

test: export VAR_DIR := $(TEST_VAR)
test: lint ## check style, types and migrations, and run all tests
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) -m pytest

chaos: $(VENV)/installed ## kill the processes 200 times on each database, and prove that nothing is lost (CHAOS="--kills 20 --seed 1")
	@exec $(RUN) -m tests.chaos $(CHAOS)

lint: export VAR_DIR := $(TEST_VAR)
lint: $(VENV)/installed-for-tests ## check style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	$(RUN) -m tests.language

bench: export VAR_DIR := $(TEST_VAR)
bench: $(VENV)/installed ## measure planning, delivering and reading as ratios (BENCH="--rows 10000000 --only plan --write")
	$(RUN) -m tests.bench $(BENCH)

clean: ## remove the environment and caches; the state in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Name a newer one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) lacks its venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up the environment in $(VENV)/ …"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: requirements.txt | $(VENV)/made
	@echo "Installing what requirements.txt names …"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/installed-for-tests: requirements-dev.txt $(VENV)/installed
	@echo "Installing what requirements-dev.txt names …"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
