# `make demo` and `make test` need nothing but Python and make. Each installs the rest.

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $$python -c '$(SUPPORTED)' 2> /dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000
WEB_PORT ?= $(or $(MFCC_WEB_PORT),8000)
PROFILE ?= local
COMPUTE ?= $(MFCC_COMPUTE)
CORPUS ?= $(HOME)/.cache/mfcc_corpus
RUNTIME := .venv-databricks
RUNTIME_PYTHON ?= python3.12
RUNTIME_PACKAGES := deploy/databricks/runtime-18.txt
RUNTIME_TESTS := mfcc_assets_tests/deploy/test_databricks_runtime.py
ASSETS ?= library_report
SHARDS ?= 0...f

# A pipe fails if its first command does.
SHELL := bash
.SHELLFLAGS := -o pipefail -c

# Shows how far an installation is, instead of a line for each package and each requirement.
COUNT_PACKAGES := /^(Collecting|Processing) / { printf "\r  %d packages found", ++n; fflush() } \
  /^Installing collected/ { printf "\r  %d packages found, installing them …\n", n; fflush() }

export MFCC_HOME ?= $(CURDIR)/mfcc_data
export DAGSTER_HOME := $(MFCC_HOME)/dagster

# PROFILE=azurite runs the same commands with Azurite, the Cosmos server and PostgreSQL instead of a folder.
ifeq ($(PROFILE),azurite)
INSTALLED := $(VENV)/.installed-servers
WITH_SERVERS := $(BIN)/python -m mfcc_assets_tests.services
else
INSTALLED := $(VENV)/.installed
endif

# COMPUTE=spark does the heavy work of the same commands on Spark.
ifneq ($(COMPUTE),)
export MFCC_COMPUTE := $(COMPUTE)
endif
ifeq ($(COMPUTE),spark)
INSTALLED += $(VENV)/.installed-spark
endif

# dg takes the environment of this folder, whichever one is activated. The module makes the home of Dagster first.
DG := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/python -m mfcc_assets.defs.launch -m dagster_dg_cli.cli

.DEFAULT_GOAL := help
.PHONY: help demo dev web defs launch test test-databricks coverage lint bench docs screenshots clean

help:  ## Show these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED)  ## Recommend from the starter library, end to end. PROFILE=azurite uses local servers in place of Azure's, and COMPUTE=spark does the heavy work on Spark.
	@$(WITH_SERVERS) $(BIN)/python -m mfcc_assets.demo

dev: $(INSTALLED)  ## Open the Dagster UI of the library, with daemon and sensors, and the pages. PROFILE works as in demo.
	@$(WITH_SERVERS) $(BIN)/python -m mfcc_assets.defs.dev --port "$(PORT)" --web-port "$(WEB_PORT)"

web: $(INSTALLED)  ## Open the pages for listeners in the browser. PROFILE works as in demo.
	@$(WITH_SERVERS) $(BIN)/mfcc web --open --port $(WEB_PORT)

defs: $(VENV)/.installed-dg  ## Check the definitions of Dagster and list them, with dg.
	@$(DG) check defs && $(DG) list defs

launch: $(VENV)/.installed-dg  ## Launch a run with dg: ASSETS=library_report, or JOB=library. SHARDS=0...f is the default.
	@$(DG) launch $(if $(JOB),--job $(JOB) --partition-range $(SHARDS),--assets $(ASSETS)) \
	  && echo "The run succeeded. The list of runs in the UI of make dev has it."

# Three processes run the tests, because each waits for servers a third of its time. Those of one file stay together,
# because they share servers and libraries. The longest files come first; see mfcc_assets_tests/conftest.py.
TESTS := -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-test lint  ## Run `make lint`, then the whole test suite.
	@$(BIN)/python $(TESTS)

coverage: $(VENV)/.installed-test  ## Run the whole test suite, and show which lines it does not reach. That takes longer.
	@$(BIN)/python $(TESTS) --cov

lint: $(VENV)/.installed-lint  ## Check style, types, boundaries between packages, dependencies and dead code.
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry . 2> /dev/null || $(BIN)/deptry .
	@$(BIN)/vulture
	@$(DG) check defs

test-databricks: $(VENV)/.installed-test  ## Test the wheel on Spark with the packages of a Databricks runtime. It needs RUNTIME_PYTHON=python3.12.
	@test -x $(RUNTIME)/bin/python || $(RUNTIME_PYTHON) -m venv $(RUNTIME)
	@$(RUNTIME)/bin/pip install --disable-pip-version-check -r $(RUNTIME_PACKAGES) pytest | awk '$(COUNT_PACKAGES)'
	@$(RUNTIME)/bin/pip install --disable-pip-version-check -c $(RUNTIME_PACKAGES) ".[azure]" | awk '$(COUNT_PACKAGES)'
	@PYTHON_OF_RUNTIME=$(CURDIR)/$(RUNTIME)/bin/python $(BIN)/python -m pytest $(RUNTIME_TESTS)

bench: $(VENV)/.installed-bench  ## Compare the package with its peers on real music, in the folder CORPUS=….
	@$(BIN)/python -m mfcc_assets_tests.benchmarks --corpus $(CORPUS) --work $(CORPUS)/.work $(SECTIONS)

clean:  ## Remove the environment and caches, but not the library.
	rm -rf $(VENV) $(RUNTIME) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUPPORTED)' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or name it with make PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): 320 MB to download, 1.2 GB on disk, about a minute …"
	@$(BIN)/pip install --disable-pip-version-check --use-pep517 -c constraints.txt -e . | awk '$(COUNT_PACKAGES)'
	@$(BIN)/python -c "from mfcc_assets.warm_up import warm_up; warm_up()"
	@touch $@

$(VENV)/.installed-dg: $(VENV)/.installed
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[dg]"
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[lint]"
	@touch $@

$(VENV)/.installed-servers: $(VENV)/.installed mfcc_assets_tests/services/package-lock.json mfcc_assets_tests/services/install.sh
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[servers]"
	@sh mfcc_assets_tests/services/install.sh $(VENV)
	@touch $@

$(VENV)/.installed-spark: $(VENV)/.installed
	@echo "Installing Spark: about 0.5 GB to download, 0.7 GB on disk, a few minutes …"
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[spark]"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed-servers
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@

# aeon requires numba below 0.64 and pandas below 3.1, but the measured distance also works with the versions pinned here.
$(VENV)/.installed-bench: $(VENV)/.installed-test
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[bench]"
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt --no-deps aeon
	@touch $@

screenshots: $(VENV)/.installed-test  ## Renew the pictures of the Dagster UI and of the pages. It needs Chromium, and the library of `make demo`.
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[screenshots]"
	@$(BIN)/python -m docs.take_screenshots

docs: $(VENV)/.installed  ## Build the documentation site into site/, and check its links.
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[docs]"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open site/index.html."
