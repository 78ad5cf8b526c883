# The verbs of development. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
DEMO_DATA ?= .byline/demo
DATA ?= .byline/serve

# uv where it is there, plain pip where it is not. Everything is pinned by hash.
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
  INSTALL = uv pip install -q --compile-bytecode --python $(BIN)/python
else
  INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check
endif

.PHONY: help setup run serve test explore check coverage fix openapi docs screenshot migration lock lint types contracts browser outsiders clean bench-ingest bench-search bench-filter bench-feed bench-peer bench-log bench-optouts bench-reads bench-hour test-postgres

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	@echo "==> making $(VENV) (Python 3.11 or newer)" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.server: requirements/server.txt pyproject.toml byline/pyproject.toml | $(BIN)/python
	@echo "==> installing the server's locked packages" >&2
	@$(INSTALL) --require-hashes -r requirements/server.txt
	@$(INSTALL) --no-deps --no-build-isolation -e ./byline -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.server
	@echo "==> installing what the tests need" >&2
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.dev ## make .venv with everything in it

run: $(VENV)/.server ## set up, load the demo datasets, serve pages, API and worker on 127.0.0.1:8080 (PORT=)
	@BYLINE_DATA_DIR=$(DEMO_DATA) $(BIN)/byline-registry demo --port $(PORT)

serve: $(VENV)/.server ## the same without the demo, in .byline/serve (DATA=)
	@BYLINE_DATA_DIR=$(DATA) $(BIN)/byline-registry init
	@BYLINE_DATA_DIR=$(DATA) $(BIN)/byline-registry serve --port $(PORT)

# Three at once on two cores: a third of their time is waiting for servers of their own.
test: $(VENV)/.dev ## the tests, with real PostgreSQL, S3 and (where there is one) Chromium on loopback
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

explore: $(VENV)/.dev ## the property tests on examples nobody has seen yet, the tests in an order of their own
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 3 --dist worksteal --hypothesis-profile=explore $(ARGS)

# What asks the database and the store in its own way; the rest of the suite does not change with them.
PG_QUICK := $(addprefix tests/registry/publishing/test_,submitting.py retracting.py killed.py) \
  $(addprefix tests/registry/optouts/test_,match.py status.py) tests/api/test_manifests.py tests/api/test_journey.py
PARTS ?= tests
test-postgres: $(VENV)/.dev ## the same tests with PostgreSQL for SQLite and SeaweedFS for the folder (PARTS= some of them)
	@PATH="$(CURDIR)/$(BIN):$$PATH" TEST_DATABASE=postgresql TEST_STORE=s3 $(BIN)/python -m pytest -n 3 --dist worksteal \
	  -m "not browser" $(ARGS) $(PARTS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(BIN)/mypy
	@$(BIN)/mypy tests

contracts: $(VENV)/.dev
	@$(BIN)/lint-imports

check: lint types contracts ## everything CI asks: lint, types, import contracts, the README's test command, drift, then a part on PostgreSQL and S3
	@$(MAKE) --no-print-directory test ARGS="--randomly-seed=1 $(ARGS)"
	@$(MAKE) --no-print-directory test-postgres PARTS="$(PG_QUICK)"

# Tracing doubles what the tests cost, so it is a run of its own.
coverage: $(VENV)/.dev ## the tests with branch coverage: fails below what pyproject.toml asks for
	@$(MAKE) --no-print-directory test ARGS="--randomly-seed=1 --cov --cov-report=term:skip-covered $(ARGS)"

fix: $(VENV)/.dev ## format and mend what a machine can
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

openapi: $(VENV)/.server ## write openapi.yaml as the app says it
	@$(BIN)/python -m api.openapi

docs: $(VENV)/.server ## write the pages that are made from the source (error codes, settings)
	@PYTHONPATH=. $(BIN)/python tests/house/error_codes.py
	@$(BIN)/python -m registry.config > docs/settings.md

screenshot: $(VENV)/.dev ## docs/screenshot.png from a running `make run`
	@PYTHONPATH=. $(BIN)/python tests/house/screenshot.py http://127.0.0.1:$(PORT)

migration: $(VENV)/.dev ## a new migration from the models: make migration NAME="what changed"
	@$(BIN)/alembic -c migrations/alembic.ini revision --autogenerate -m "$(NAME)"

lock: $(VENV)/.dev ## renew requirements/*.txt from requirements/*.in
	@for f in server dev; do $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements/$$f.in -o requirements/$$f.txt; done

bench-ingest: $(VENV)/.dev ## 1 M records from submitted to published, beside DuckDB alone; again with 20 M keys standing
	@$(BIN)/python -m benchmarks.ingest

bench-search: $(VENV)/.dev ## 100,000 contributors, beside SQLite FTS5
	@$(BIN)/python -m benchmarks.search

bench-filter: $(VENV)/.dev ## 2 M rows against 1 M keys, beside reading and rewriting the file
	@$(BIN)/python -m benchmarks.filter

bench-feed: $(VENV)/.dev ## 10 M fingerprints: first sync, a delta of 10,000, bytes each
	@$(BIN)/python -m benchmarks.feed

$(VENV)/peer/.done: requirements/bench.txt | $(VENV)/.dev
	@$(BIN)/python -m venv --without-pip $(VENV)/peer
	@$(BIN)/uv pip install -q --require-hashes --python $(VENV)/peer/bin/python -r requirements/bench.txt
	@touch $@

bench-peer: $(VENV)/.dev $(VENV)/peer/.done ## 2 M rows: datadiligence with its own defaults, and ours, at 0, 20 and 80 ms
	@$(BIN)/python -m benchmarks.peer $(VENV)/peer/bin/python

bench-log: $(VENV)/.dev ## the log: published entries/s, POST to receipt, an audit's rate
	@$(BIN)/python -m benchmarks.log

bench-optouts: $(VENV)/.dev ## one wish among 1,000 datasets; a million rows against a million standing wishes
	@$(BIN)/python -m benchmarks.optouts

bench-reads: $(VENV)/.dev ## look-ups and contributor pages a second, beside a trivial Flask route
	@$(BIN)/python -m benchmarks.reads

bench-hour: $(VENV)/.dev ## opt-outs at 10,000 an hour beside searches and an ingest (SECONDS=600)
	@$(BIN)/python -m benchmarks.hour $(SECONDS)

browser: ## install Chromium for the browser tests, where this user may (Debian)
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium >/dev/null; } || \
	  echo "no Chromium here: the browser tests will be skipped" >&2

outsiders: $(VENV)/.dev ## install Go and its mod packages (Debian), aics-tlog (Python >= 3.12) and img2dataset, which the tests run, where they install
	@command -v go >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends golang-go golang-golang-x-mod-dev >/dev/null; } || \
	  echo "no Go here: the tests that have it read our logs will be skipped" >&2
	@{ for python in python3.14 python3.13 python3.12 $$(ls -d $$HOME/.pyenv/versions/3.1[2-9]*/bin/python3 2>/dev/null); do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && break; done && \
	  $$python -m venv --clear --without-pip $(VENV)/outsiders && \
	  $(BIN)/uv pip install -q --require-hashes --python $(VENV)/outsiders/bin/python -r requirements/outsiders.txt; } || \
	  { rm -rf $(VENV)/outsiders; echo "no Python 3.12 with aics-tlog here: the tests that have it read our logs will be skipped" >&2; }
	@{ $(PYTHON) -m venv --clear --without-pip $(VENV)/img2dataset && \
	  $(BIN)/uv pip install -q --require-hashes --python $(VENV)/img2dataset/bin/python -r requirements/img2dataset.txt; } || \
	  { rm -rf $(VENV)/img2dataset; echo "no img2dataset here: the test that runs it will be skipped" >&2; }

clean: ## forget the virtual environment and the demo's data
	@rm -rf $(VENV) .byline
