# Two commands: `make run` and `make test`. Both set themselves up (`make setup`), both can be repeated.
# The table of test lanes, with a minute budget each, is in tools/lanes.py.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.PHONY: help setup run test slow bench collector lint format lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create .venv and install the locked dependencies (idempotent)

$(STAMP): requirements/dev.lock pyproject.toml tools/setup_venv.py
	@$(PYTHON) tools/setup_venv.py $(VENV)

run: setup ## Start the proxy in front of an embedded flag service, or of UPSTREAM=https://…
	@$(BIN)/flags-proxy demo $(if $(UPSTREAM),--upstream $(UPSTREAM)) $(ARGS)

test: setup ## Lint, types, architecture, and every test lane that fits in 25 minutes
	@$(BIN)/python -m tools.lanes test $(ARGS)

slow: setup ## The long lanes: mutation testing, long differential runs, soak
	@$(BIN)/python -m tools.lanes slow $(ARGS)

bench: setup ## Benchmarks: ratios against a baseline measured in the same run
	@$(BIN)/python -m tools.lanes bench $(ARGS)

collector: setup ## Build a real OpenTelemetry collector (needs Go) and have it validate otel-collector.yaml
	@$(BIN)/python -m tools.collector

lint: setup ## Only the static lanes
	@$(BIN)/python -m tools.lanes lint

format: setup ## Format and fix what ruff can fix
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## Rewrite requirements/dev.lock from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra harness --extra load --group dev --group slow pyproject.toml -o requirements/dev.lock

clean: ## Remove everything make created
	rm -rf $(VENV) .lanes .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
