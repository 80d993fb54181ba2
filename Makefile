# Each target sets up what it needs in .venv; nothing else is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: up demo test check proof bench fix pins clean help
.DEFAULT_GOAL := help

help: ## what can be done
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/run: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev: .venv/run requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

up: .venv/run ## run the product with the example municipality; Ctrl-C stops it
	$(BIN)/kasane up --example $(ARGS)

demo: .venv/run ## the whole path once in a temporary folder; ARGS="--out DIR --json"
	@$(BIN)/kasane demo $(ARGS)

test: .venv/dev ## all tests
	$(BIN)/pytest $(ARGS)

check: .venv/dev ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

proof: .venv/dev ## the wall's proofs at their full depth; hours
	KASANE_HISTORIES=3000 KASANE_RACES=20000 KASANE_WITHDRAWALS=2000 $(BIN)/pytest tests/contracts tests/wall tests/proof tests/intake/test_permits.py tests/test_withdrawal.py $(ARGS)

bench: .venv/dev ## ratios measured side by side
	$(BIN)/python -m bench $(ARGS)

fix: .venv/dev ## format, and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins: .venv/dev ## renew requirements/*.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml --group pyproject.toml:build -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group pyproject.toml:dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt

clean: ## remove what running and testing left
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
