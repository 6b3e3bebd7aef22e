# Two commands on a fresh machine: `make run` serves, `make test` tests. Both install what they need.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 1
PROCESSES ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test check format bench bench-guard bench-all requirements
.DEFAULT_GOAL := run

.venv/installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --quiet --requirement requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(PIP) install --quiet --requirement requirements-dev.txt
	@touch $@

run: .venv/installed
	@exec $(BIN)/python manage.py serve --prepare --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: .venv/installed-dev
	$(BIN)/python -m pytest -m "not alone" --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest -m alone

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	GATEWAYZ_DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks

# An hour and a half on a machine of its own; writes benchmarks/RESULTS.md, results.svg, history.csv.
bench-all: .venv/installed-dev
	-$(BIN)/python -m benchmarks compare --record
	-$(BIN)/python -m benchmarks scale --record
	-$(BIN)/python -m benchmarks soak --minutes 60 --record

bench-guard: .venv/installed-dev
	$(BIN)/python -m benchmarks guard

requirements: .venv/installed-dev
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe --output-file=requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe --output-file=requirements-stripe.txt requirements-stripe.in
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe --output-file=requirements-dev.txt requirements-dev.in
