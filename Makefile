# Requires only python3 (3.11 or newer), git and make. The environment is in .venv/, the state in var/.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --no-input
# Tests use a state directory of their own, so that they don't interfere with an installation that is running.
TEST_PROCESSES ?= 2
TEST_VAR := $(or $(VAR_DIR),$(CURDIR)/var/test)

.DEFAULT_GOAL := help
.PHONY: help up demo test test-postgres proofs chaos soak lint bench clean audit sbom scan

help: ## list the available targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/installed ## run web, worker, beat and the vendor simulators (PORT=8000, SANDBOX=0 without simulators, LOGS=1 with logs)
	@exec $(RUN) manage.py up

demo: $(VENV)/installed ## set everything up, run two real activations against the simulators, print what was sent
	@exec $(RUN) manage.py demo

test: export VAR_DIR := $(TEST_VAR)
test: lint ## check style, types, wording and migrations, and run all tests
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

# TEST_POSTGRES_URL and REDIS_URL, or the default ports of this machine. Also kills processes 20 times on PostgreSQL.
test-postgres: export VAR_DIR := $(TEST_VAR)
test-postgres: $(VENV)/installed-for-tests ## run the parts of the tests that may depend on it on PostgreSQL and Redis, which must be running
	$(RUN) -m tests.servers --numprocesses $(TEST_PROCESSES) --dist loadfile
	$(RUN) -m tests.chaos --kills 20 --seed 7 --database postgres

chaos: $(VENV)/installed ## kill processes 200 times on each database, prove that nothing is lost (CHAOS="--kills 20 --seed 1")
	@exec $(RUN) -m tests.chaos $(CHAOS)

# By name, because these files are not collected with the other tests: they take minutes.
PROOFS := tests/crash/many_workers.py tests/crash/rolling.py tests/crash/moving.py
proofs: export VAR_DIR := $(TEST_VAR)
proofs: $(VENV)/installed-for-tests ## prove shared limits, throughput of several workers, rolling restart, moving house, restore
	$(RUN) -m pytest --capture no $(PROOFS)

soak: $(VENV)/installed ## half an hour of changes, faults and kills, then compare the destinations with the source (SOAK="--minutes 3")
	@exec $(RUN) -m tests.soak $(SOAK)

scan: export VAR_DIR := $(TEST_VAR)
scan: export DJANGO_SETTINGS_MODULE := dinmo.settings
scan: $(VENV)/installed-for-tests ## scan a running installation for vulnerabilities; takes about ten minutes (SCAN="--only headers --keep")
	$(RUN) -m tests.scan $(SCAN)

lint: export VAR_DIR := $(TEST_VAR)
lint: $(VENV)/installed-for-tests ## check style, types, wording and licenses
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	$(RUN) -m tests.language
	@$(RUN) -m piplicenses > $(VENV)/licenses.csv && echo "All licenses are on the list in pyproject.toml."

# These tools have an environment of their own, because some of what they need would change how requests works.
TOOLS := $(VENV)/tools
audit: $(TOOLS)/installed ## look for known vulnerabilities in what is installed; needs a network
	@$(TOOLS)/bin/pip-audit --strict --progress-spinner off --path "$$($(RUN) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || { \
		echo "Either a vulnerability is listed above, or the service could not be reached or does not know a package: then NOTHING was audited." >&2; exit 1; }

sbom: $(TOOLS)/installed ## write sbom.json, the list of everything that is installed (CycloneDX)
	@$(TOOLS)/bin/cyclonedx-py environment $(RUN) --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file sbom.json
	@echo "sbom.json has $$(grep -c '"purl"' sbom.json) packages."

bench: export VAR_DIR := $(TEST_VAR)
bench: $(VENV)/installed ## measure planning, delivery, adoption, reading and pages as ratios (BENCH="--rows 10000000 --only plan --write")
	$(RUN) -m tests.bench $(BENCH)

clean: ## remove the environment and caches; keep the state in var/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) was not found. Install Python 3.11 or newer, or choose one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is required, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Choose a newer one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "The venv module of $(PYTHON) is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up the environment in $(VENV)/ …"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: requirements.txt | $(VENV)/made
	@echo "Installing requirements.txt …"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(TOOLS)/installed: requirements-tools.txt $(VENV)/installed
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements-tools.txt
	@touch $@

$(VENV)/installed-for-tests: requirements-dev.txt $(VENV)/installed
	@echo "Installing requirements-dev.txt …"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
