# 守园 Shouyuan. `make run` sets everything up and runs the demonstration; `make test` sets up and tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 4
COMPILE := uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml

.PHONY: run test lint bench accuracy format lock clean help
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(READY): requirements.lock pyproject.toml
	@echo "==> Python environment in $(VENV) (first time: a minute or two) / 正在准备 Python 环境"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, found " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY) ## set up, then run the demonstration campus (Ctrl-C stops it)
	@$(BIN)/shouyuan up --demo

test: $(READY) ## set up, then run every test
	@echo "==> tests / 正在运行测试"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(READY) ## style, types, import arrows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## let the formatter write
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY) ## print the measurements
	@for one in bench/[a-z]*.py; do echo "== $$one"; $(BIN)/python $$one || exit 1; done

accuracy: $(READY) ## judge the rules on a simulated school year, and on real recordings where they lie beside the checkout (half an hour)
	@$(BIN)/python -m bench.accuracy

lock: ## renew requirements.lock, and requirements-run.lock without the tools of tests (needs uv)
	$(COMPILE) --group dev -o requirements.lock
	$(COMPILE) -c requirements.lock -o requirements-run.lock

clean: ## remove the environment and caches, never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
