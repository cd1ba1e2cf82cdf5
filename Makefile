# Everything a person or CI does with this project. `make run` and `make test` set up what they need first.

SEEDS ?= 100
EPOCH ?= now
FUZZ_SECONDS ?= 120
PYTHON ?= python3
BIN := .venv/bin
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm

.PHONY: run worker test test-long lessons captures test-pythons test-browser test-set-up simulate simulate-hosting attack fuzz jitter check bench set-up \
  set-up-tests python clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

run: set-up  ## set up and serve Glassplane on HOST:PORT (127.0.0.1:8000)
	@$(BIN)/python manage.py serve

worker: set-up  ## with REDIS_URL set: one more process that runs clusters
	@$(BIN)/python -m visualizer.hosting.worker

test: set-up-tests  ## set up and run all quick tests
	$(BIN)/python -m pytest -q -n 4 --dist worksteal $(QUICK)
	$(NPM) test --silent

test-long: set-up-tests  ## the tests that take seconds of CPU each, and every comparison with the real kubectl
	$(BIN)/python -m pytest -q -n 4 --dist worksteal -m long $(APART)

lessons: set-up-tests  ## play every lesson in every way it can be played, and every incident
	$(BIN)/python manage.py lessons check
	$(BIN)/python manage.py lessons check --incidents

captures: set-up-tests  ## have the real tshark read what every run has sent, lessons' and one on bad links, and compare with its journal
	$(BIN)/python -m tests.captures

test-pythons: set-up-tests  ## the quick tests on each other Python from 3.11 on that is installed here
	$(BIN)/python -m tests.pythons $(QUICK)

test-browser: set-up-tests  ## go through lessons and a class in a real browser, and look at every state of every page with axe and the tab key
	$(BIN)/python -m pytest -q tests/browser

test-set-up: set-up-tests  ## set up a copy with nothing but Python, make and a shell, cut off at every step, and open its page
	$(BIN)/python -m pytest -q tests/set_up

simulate: set-up-tests  ## break SEEDS clusters (100), each by a plan of its own, and judge every invariant over each
	$(BIN)/python -m tests.simulate --seeds $(SEEDS) --jobs 2 --epoch $(EPOCH)

simulate-hosting: set-up-tests  ## kill and stop servers, workers, clusters and the database under twenty learners for half an hour
	$(BIN)/python -m tests.outages

attack: set-up-tests  ## attack a server with everything that ever took one down, beside a bystander who must not notice
	$(BIN)/python -m tests.attacks

fuzz: set-up-tests  ## hostile input at everything that reads what visitors write, FUZZ_SECONDS (120) for each target
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --jobs 2

jitter: set-up-tests  ## the tests of what runs in real time, while their processes are stopped at random moments
	$(BIN)/python -m tests.jitter -n 3 --dist worksteal $(REAL_TIME)

check: set-up-tests  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run --silent check

bench: set-up-tests  ## measure speed and size, print the figures
	$(BIN)/python -m tests.bench

clean:  ## remove everything that can be made again
	rm -rf .venv .pythons node_modules static/vendor var build dist .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -o -name '*_pb2.py*' | xargs rm -rf

APART := --ignore=tests/browser --ignore=tests/set_up
QUICK := -m "not long" $(APART)
REAL_TIME := tests/web tests/rooms tests/people tests/foreign tests/captures tests/engine/cluster tests/engine/world

# --- set-up: set_up.py knows which steps are done -----------------------------------------------------------------

set-up: python
	@$(PYTHON) set_up.py serve

set-up-tests: python
	@$(PYTHON) set_up.py tests
	@sh tests/set_up_system.sh

python:
	@command -v $(PYTHON) >/dev/null || { echo "Glassplane needs Python 3.11 or newer, and there is no $(PYTHON) here; \`make run PYTHON=…\` names another." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = ".".join(map(str, sys.version_info[:3])); sys.exit(sys.version_info < (3, 11) and "Glassplane needs Python 3.11 or newer, and $(PYTHON) is " + v + "; `make run PYTHON=…` names another." or 0)'
