# make setup | demo | test | test-all | soak | lint | docs | lock | reference | examples | mutate |
#      compare | bench | servers | readers | cluster | clean
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all soak lint docs lock reference examples mutate compare bench \
  servers readers cluster clean
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header
TEXT_FILES := '*.md' '*.yml' '*.yaml' '*.toml' '*.sql' '*.sh' Makefile Dockerfile

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## .venv from the lock

.venv/.ready: requirements-dev.lock pyproject.toml scripts/setup.sh
	scripts/setup.sh
	@touch $@

demo: setup ## four simulated weeks, in data/demo
	@$(BIN)/python -m homeiot_batch demo

test: setup ## the fast tests, in minutes; all tests with INTEGRATION_TESTS=1
	$(BIN)/python -m pytest

test-all: setup ## all tests: with real servers, and those that take long
	INTEGRATION_TESTS=1 $(BIN)/python -m pytest

soak: setup ## nights of faults and kills with a real server; NIGHTS=60 KILLS=500 SEED=...
	NIGHTS=$${NIGHTS:-60} KILLS=$${KILLS:-500} INTEGRATION_TESTS=1 \
	  $(BIN)/python -m pytest tests/soak --numprocesses 0 --capture no

lint: setup ## every linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_density.py scripts/homeiot_batch
	$(BIN)/python scripts/check_width.py $$(git ls-files $(TEXT_FILES))
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/sqlfluff lint --disable-progress-bar dbt/models dbt/tests
	$(BIN)/snakemake --lint --config parquet_base_dir=data/demo/lint marker_dir=data/demo/lint \
	  duckdb_path=data/demo/lint/lint.duckdb report_dir=data/demo/lint/report

docs: setup ## the pages in docs/ as a site, in docs/_build; a link that leads nowhere is an error
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going docs docs/_build
	@echo docs/_build/index.html

lock: ## exact versions with hashes, from the ranges in pyproject.toml
	$(COMPILE) pyproject.toml --output-file requirements.lock $(LOCK_OPTIONS)
	$(COMPILE) pyproject.toml --group dev --constraint requirements.lock \
	  --output-file requirements-dev.lock $(LOCK_OPTIONS)
	$(COMPILE) pyproject.toml --extra slurm --constraint requirements.lock \
	  --output-file requirements-slurm.lock $(LOCK_OPTIONS)
	for version in 1.4 1.5; do \
	  echo "duckdb==$$version.*" | $(COMPILE) - --no-annotate \
	    --output-file tests/readers/duckdb-$$version.lock $(LOCK_OPTIONS) || exit; done
	printf 'duckdb==1.5.*\npandas\npolars\n' | $(COMPILE) - --no-annotate \
	  --output-file tests/readers/notebooks.lock $(LOCK_OPTIONS)

reference: setup ## the settings' schema, and the pages' tables, from the code
	$(BIN)/python -m tests.docs.settings_reference
	$(BIN)/python -m tests.workflow.crash_matrix
	$(BIN)/python -m tests.docs.tables_reference

examples: setup ## the readings of the houses in examples/, from tests/examples
	$(BIN)/python -m tests.examples.make

mutate: setup ## each protection taken out of a copy of the code: a test must notice (17 minutes)
	$(BIN)/python -m tests.mutations

compare: setup ## what the commit BEFORE and this one make of the same three weeks, whole rows
	$(BIN)/python scripts/compare_commits.py $(BEFORE)

bench: setup ## how fast the batch is beside what its work costs at least, into docs/benchmarks.md
	$(BIN)/python -m benchmarks.bench --write

servers: ## the InfluxDB 2.7 and 1.13, influx_inspect and Telegraf that the tests start
	tests/servers/build.sh

readers: setup ## DuckDB 1.4 and 1.5, pandas and polars, for tests of the read copy, into a cache
	tests/readers/build.sh $(BIN)/python

cluster: ## the batch with Snakemake's executor for Slurm, in .tools/cluster, for its tests
	scripts/setup.sh requirements-slurm.lock .tools/cluster

clean: ## what the commands above made, but no data
	rm -rf .venv .tools docs/_build .pytest_cache .ruff_cache .hypothesis .import_linter_cache \
	  dbt/target dbt/logs
