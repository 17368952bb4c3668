# What a newcomer types: `make demo` and `make test`. Everything these need is made below this folder
# (.venv and .tools), from the lock files, and made again only when a lock file changes.
#
#   make demo     watch Locus take a sprint from tasks to a branch with reviewed commits   ARGS="--provider claude"
#   make test     the test suite                                                           ARGS="tests/cli -k up"
#   make check    what a change must pass: style, types, import contracts, the long tests
#   make bench    the measurements of docs/benchmarks.md                                   ARGS="claims"
#   make faults   hundreds of killed workers; writes the table of docs/reliability.md           ARGS="3": processes
#   make mutants  the tests must notice when a guard is taken out of the product
#   make screenshots  pictures of every page into docs/images, with the Chromium of this machine
#   make setup    only what the above set up
#   make clean    remove what they set up
#
# From another folder: make -C path/to/locus test

PYTHON ?= python3
ARGS ?=
# Processes that run tests at once; each has a PostgreSQL of its own. 0: all in one, for a debugger.
# Half as many again as there are processors: a test waits for processes and clocks a third of its time.
WORKERS ?= $(shell "$(PYTHON)" -c "import os; print(max(2, (os.cpu_count() or 2) * 3 // 2))")
BIN := .venv/bin

# uv installs exactly what uv.lock says. Its own version is pinned here, because the lock file cannot.
UV_VERSION := 0.13.9
UV_HOME := .tools/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
# Compiled when they are set up, because some environments forbid Python to do it when it runs.
COMPILE = $(BIN)/python -m compileall -q src -x '/demo/(project|solutions)/'
SYNC = VIRTUAL_ENV= UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never \
       $(UV) sync --quiet --frozen --python "$$(command -v $(PYTHON))"

RUNTIME := .tools/runtime.stamp
DEVELOPMENT := .tools/development.stamp
AGENTS := .tools/agents.stamp

ifeq ($(wildcard uv.lock),)
$(error Name the folder of the Makefile with -C, as in: make -C path/to/locus test)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts bench faults mutants setup tools agents clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(RUNTIME)
	@$(BIN)/locus demo $(ARGS)

test: $(DEVELOPMENT) tools
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: lint types contracts tools
	@LOCUS_EXAMPLES=$${LOCUS_EXAMPLES:-1000} $(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(DEVELOPMENT)
	@$(BIN)/ruff check src tests bench
	@$(BIN)/ruff format --check src tests bench

types: $(DEVELOPMENT)
	@$(BIN)/mypy

contracts: $(DEVELOPMENT)
	@$(BIN)/lint-imports

bench: $(DEVELOPMENT)
	@$(BIN)/python -m bench $(ARGS)

faults: $(DEVELOPMENT)
	@LOCUS_FAULTS=long $(BIN)/pytest -n 0 tests/faults/test_zoo.py tests/local/worker/test_remotes.py
	@$(BIN)/python -m tests.faults long $(ARGS)

mutants: $(DEVELOPMENT)
	@$(BIN)/python -m tests.mutants $(ARGS)

screenshots: $(DEVELOPMENT)
	@$(BIN)/python -m tests.support.screenshots $(ARGS)

setup: $(DEVELOPMENT) tools

agents: tools

# The agent CLIs that the tests drive. Without npm those tests are reported as skipped, unless LOCUS_REQUIRE_REAL=1.
tools:
	@if command -v npm >/dev/null 2>&1; then \
	    $(MAKE) --no-print-directory $(AGENTS); \
	elif [ "$${LOCUS_REQUIRE_REAL:-}" = 1 ]; then \
	    echo "npm is not installed, and LOCUS_REQUIRE_REAL=1 asks for the agent CLIs that it installs." >&2; exit 1; \
	else \
	    echo "npm is not installed: the tests that drive the real claude and codex will be skipped." >&2; \
	fi

$(UV):
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "Locus needs Python 3.11 or later, and $(PYTHON) is not. Another one: make PYTHON=python3.12 ..." >&2; \
	    exit 1; }
	@echo "Setting up: uv $(UV_VERSION)"
	@rm -rf $(UV_HOME) && mkdir -p .tools
	@"$(PYTHON)" -m venv $(UV_HOME) || { rm -rf $(UV_HOME); \
	    echo "This Python cannot make virtual environments. On Debian: apt install python3-venv" >&2; exit 1; }
	@$(UV_HOME)/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)" \
	    || { rm -rf $(UV_HOME); exit 1; }

# Only what runs the product, so that the first demo has less to wait for. --inexact: it takes nothing away again.
$(RUNTIME): uv.lock pyproject.toml | $(UV)
	@echo "Setting up: the Python packages that Locus runs on"
	@$(SYNC) --no-dev --all-extras --inexact && $(COMPILE)
	@touch $@

$(DEVELOPMENT): uv.lock pyproject.toml | $(UV)
	@echo "Setting up: Python packages"
	@$(SYNC) --all-extras && $(COMPILE)
	@touch $(RUNTIME) $@

$(AGENTS): tests/agents/package.json tests/agents/package-lock.json
	@echo "Setting up: the agent CLIs that the tests drive"
	@mkdir -p .tools/agents
	@cp tests/agents/package.json tests/agents/package-lock.json .tools/agents/
	@cd .tools/agents && npm ci --silent --no-audit --no-fund
	@touch $@

clean:
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
