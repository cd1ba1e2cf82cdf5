# Everything a person or CI does with this project. `make run` and `make test` set up what they need first.

HOST ?= 127.0.0.1
PORT ?= 8000
SEEDS ?= 100
PYTHON ?= python3
BIN := .venv/bin
NODE_BIN := $(shell command -v npm >/dev/null 2>&1 && echo system || echo wheel)
NPM := $(if $(filter system,$(NODE_BIN)),npm,$(CURDIR)/$(BIN)/npm)

.PHONY: run worker test test-browser simulate simulate-hosting attack check bench set-up set-up-tests browser-modules clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

run: set-up  ## set up and serve Glassplane on HOST:PORT (127.0.0.1:8000)
	@HOST=$(HOST) PORT=$(PORT) $(BIN)/python manage.py serve

worker: set-up  ## with REDIS_URL set: one more process that runs clusters
	@$(BIN)/python -m visualizer.hosting.worker

test: set-up-tests  ## set up and run all quick tests
	$(BIN)/python -m pytest -q -n 2 --ignore=tests/browser
	$(NPM) test --silent

test-browser: set-up-tests  ## go through lessons and a class in a real browser, and look at every state of every page with axe and the tab key
	$(BIN)/python -m pytest -q tests/browser

simulate: set-up-tests  ## break SEEDS clusters (100), each by a plan of its own, and judge every invariant over each
	$(BIN)/python -m tests.simulate --seeds $(SEEDS) --jobs 2

simulate-hosting: set-up-tests  ## kill and stop servers, workers, clusters and the database under twenty learners for half an hour
	$(BIN)/python -m tests.outages

attack: set-up-tests  ## attack a server with everything that ever took one down, beside a bystander who must not notice
	$(BIN)/python -m tests.attacks

check: set-up-tests  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run --silent check

bench: set-up-tests  ## measure speed and size, print the figures
	$(BIN)/python -m tests.bench

clean:  ## remove everything that can be made again
	rm -rf .venv .set-up-* node_modules static/vendor var build dist .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -o -name '*_pb2.py*' | xargs rm -rf

# --- set-up: each step leaves a stamp and runs again only when its inputs change ---------------------------------

set-up: .set-up-runtime browser-modules

set-up-tests: .set-up-development .set-up-system browser-modules

.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Glassplane needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.set-up-runtime: requirements/runtime.lock pyproject.toml hatch_build.py $(wildcard cluster_engine/rpc/*.proto) | .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/runtime.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.set-up-development: requirements/development.lock .set-up-runtime
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/development.lock
	@touch $@

# Programs the tests drive: Chromium, redis-server, kubectl. Where apt or root is missing their tests are skipped, loudly.
.set-up-system: tests/set_up_system.sh
	sh tests/set_up_system.sh
	@touch $@

browser-modules: .set-up-browser

.set-up-browser: package.json package-lock.json | .set-up-runtime
ifeq ($(NODE_BIN),wheel)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/node.lock
endif
	$(NPM) ci --silent --no-audit --no-fund
	$(NPM) run --silent vendor
	@touch $@
