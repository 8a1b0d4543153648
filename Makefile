# Two commands on a fresh machine with only python3 and make: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help demo up test check bench pictures lock clean chaos chaos-clicks

help:  ## show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/.run: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Dateline needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 demo"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 cannot make a virtual environment (on Debian: apt-get install python3-venv)"; exit 2; }
	@echo "Installing the pinned packages into $(VENV) (about a minute, once) ..."
	@$(BIN)/python .ci/install.py requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing what tests and checks need (about a minute, once) ..."
	@$(BIN)/python .ci/install.py requirements-dev.lock
	@touch $@

demo: $(VENV)/.run  ## the main job, end to end, on embedded engines (ARGS=--once for one round)
	@$(BIN)/dateline demo $(ARGS)

up: $(VENV)/.run  ## the real thing: engines, web, track, workers, beat in one terminal
	@$(BIN)/dateline up $(ARGS)

test: $(VENV)/.dev  ## the whole test suite, on engines it starts itself
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: $(VENV)/.dev  ## ruff, mypy, import-linter, migrations; pip-audit where it is reachable
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/dateline manage makemigrations --check --dry-run
	@$(BIN)/python .ci/audit.py

bench: $(VENV)/.dev  ## every promise of the speed table: medians and ratios, JSON and a table
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.dev  ## kill -9 hundreds of times over a large send (ARGS=--recipients 100000 --kills 200 --seed 7)
	@$(BIN)/python -m tests.chaos.large $(ARGS)

chaos-clicks: $(VENV)/.dev  ## kill -9 whoever counts, all numbers against a recount (ARGS=--minutes 10 --seed 7)
	@$(BIN)/python -m tests.chaos.clicks $(ARGS)

pictures: $(VENV)/.dev  ## the pictures of docs/designs.md and docs/desk.md (needs Chromium)
	@$(BIN)/python docs/pictures/make.py
	@$(BIN)/python -m docs.pictures.desk

lock:  ## resolve the dependencies again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:  ## forget the environment and the embedded data
	rm -rf $(VENV) var
