# What can be done here. 'make help' (or just 'make') lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

bin := .venv/bin
submit := scripts/submit.sh

# The demo's size: the force is made up, so any size and seed will do.
demo_out := build/demo
demo_feeds = $(demo_out)/feeds
employees := 13000
person_records := 300000
seed := 20261121

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: ## Python environment in .venv, Java 17 and the Delta jars: all that a run needs
	@scripts/setup.sh demo

.PHONY: setup-test
setup-test: ## the same, with the tools for tests and checks
	@scripts/setup.sh dev

.PHONY: demo
demo: setup ## make up a force, screen its whole history, measure the result and write the HTML report
	rm -rf $(demo_out)
	@$(MAKE) --no-print-directory demo-feeds
	@$(MAKE) --no-print-directory demo-estate
	@$(MAKE) --no-print-directory demo-next

# The demo's two halves; the tests of the jobs run them at a size of their own.
.PHONY: demo-feeds demo-estate
demo-feeds:
	$(submit) synthesise -- --out $(demo_feeds) --employees $(employees) --person-records $(person_records) --seed $(seed)

demo-estate:
	$(submit) backfill -- --feeds $(demo_feeds) --out $(demo_out)/estate
	$(submit) evaluate -- --feeds $(demo_feeds) --out $(demo_out)/estate

.PHONY: demo-next
demo-next: ## say where the demo lies, and what to try on it, command by command (after make demo)
	@$(bin)/python scripts/demo_next.py --feeds $(demo_feeds) --out $(demo_out)/estate

.PHONY: demo-small
demo-small: ## the same with 400 employees and 8,000 person records, in a few minutes
	@$(MAKE) --no-print-directory demo demo_out=build/demo-small employees=400 person_records=8000

.PHONY: test
test: setup-test ## all tests but those that need a Hadoop estate or take minutes
	LINKAGE_QUICK=0 $(bin)/python -m pytest -q -n auto --dist worksteal tests/unit
	LINKAGE_QUICK=0 $(bin)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 25 -m "not estate and not slow" \
		tests/laws/test_daily_laws.py tests/laws/test_nominal_laws.py tests/flows tests/laws tests/graphframes
	$(bin)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 25 -m "not estate and not slow" tests/jobs/test_daily_job.py \
		tests/jobs/test_person_file_jobs.py tests/jobs/test_clerical_job.py tests/jobs

.PHONY: test-slow
test-slow: setup-test ## the tests that take minutes (other histories of the nominals, other seeds, files in another order)
	$(bin)/python -m pytest -n 2 --dist loadfile -m "slow and not estate" tests/flows tests/laws tests/jobs

# A soak's sizes; another seed tries other histories and other points.
soak_worlds := 200
soak_days := 4
soak_seed := 20261122
soak_kill_times := 20

.PHONY: soak
soak: setup-test ## the laws of the days at length: many worlds, four days, every kill point, kills at any moment (hours; soak_seed=… for another)
	LINKAGE_DAY_WORLDS=$(soak_worlds) LINKAGE_DAYS=$(soak_days) LINKAGE_DAY_SEED=$(soak_seed) $(bin)/python -m pytest -q -rs tests/laws/test_daily_laws.py
	LINKAGE_KILLS=all LINKAGE_DAY_SEED=$(soak_seed) $(bin)/python -m pytest -q -s -m slow tests/laws/test_kill_laws.py tests/laws/test_retain_laws.py
	LINKAGE_KILL_TIMES=$(soak_kill_times) LINKAGE_DAY_SEED=$(soak_seed) $(bin)/python -m pytest -q -s tests/jobs/test_kill_times_job.py

.PHONY: test-oracle
test-oracle: ## match weights against a reference in plain Python and against Splink on DuckDB (part of CI)
	@scripts/setup.sh dev bench
	LINKAGE_ORACLE=required $(bin)/python -m pytest -q tests/oracle

.PHONY: lint
lint: setup-test ## format, lint, types and import contracts
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports

.PHONY: check
check: lint ## the same and the unit tests, properties on a tenth of their examples: for every change
	LINKAGE_QUICK=1 $(bin)/python -m pytest -q -n auto --dist worksteal -m "not thorough" tests/unit

# The benchmark's sizes (person records), roster and Spark master; feeds are made once and kept under build/bench.
bench_sizes := 300000,1000000,3000000
bench_peer_sizes := 1000000,3000000
bench_master := local[2]

.PHONY: setup-bench
setup-bench: ## the same as setup, with Splink and what measuring needs
	@scripts/setup.sh demo bench

.PHONY: bench
bench: setup-bench ## seconds per stage, memory and growth on made-up forces: docs/benchmarks (half an hour; bench_sizes=…)
	$(bin)/python -m bench.run --sizes $(bench_sizes) --employees $(employees) --seed $(seed) --master '$(bench_master)'
	$(bin)/python -m bench.page

.PHONY: bench-peers
bench-peers: setup-bench ## Splink on DuckDB and on Spark, on the standard tables that bench has left
	$(bin)/python -m bench.peers --sizes $(bench_peer_sizes) --master '$(bench_master)'
	$(bin)/python -m bench.page

.PHONY: bench-nominals
bench-nominals: setup-bench ## the job nominals on made-up forces: seconds, memory, accuracy, growth: docs/benchmarks (an hour; bench_sizes=…)
	$(bin)/python -m bench.nominals --sizes $(bench_sizes) --employees $(employees) --seed $(seed) --master '$(bench_master)'
	$(bin)/python -m bench.page

bench_day_sizes := 1000000,3000000

.PHONY: bench-daily
bench-daily: setup-bench ## a day of changed records, and of employees who move, on made-up forces: docs/benchmarks (an hour; bench_day_sizes=…)
	$(bin)/python -m bench.daily --sizes $(bench_day_sizes) --employees $(employees) --seed $(seed) --master '$(bench_master)'
	$(bin)/python -m bench.page

.PHONY: thirty-days
thirty-days: setup-bench ## a made-up force in thirty days against one backfill, row for row: docs/benchmarks (an hour)
	$(bin)/python -m bench.thirty_days --employees $(employees) --seed $(seed) --master '$(bench_master)'
	$(bin)/python -m bench.page

# GraphFrames needs its jars: docs/nominals.md says where they are looked for.
bench_engines := driver
bench_edges := 1000000,3000000,10000000
bench_graph_memory := 6g

.PHONY: bench-components
bench-components: setup-bench ## connected components of random graphs: seconds, memory, the check (bench_engines='driver graphframes' bench_edges=…)
	for engine in $(bench_engines); do \
	  $(bin)/python -m bench.components --engine $$engine --edges $(bench_edges) --check \
	    --driver-memory $(bench_graph_memory) --into docs/benchmarks/components.json || exit 1; \
	done
	$(bin)/python -m bench.page

.PHONY: bench-files
bench-files: setup-bench ## the whole job on a labelled file beside Splink on Spark and on DuckDB (OPEN_DATA=DIR)
	@[ -n '$(OPEN_DATA)' ] || { echo "bench-files: name the folder of the labelled sets: make bench-files OPEN_DATA=DIR (docs/accuracy.md says which sets)"; exit 2; }
	$(bin)/python -m bench.peer_files --data '$(OPEN_DATA)' --master '$(bench_master)'
	$(bin)/python -m bench.page

.PHONY: accuracy
accuracy: setup ## link and dedupe on labelled files (OPEN_DATA=DIR), a made-up force's figures (FORCE=…): docs/accuracy.md
	$(bin)/python -m bench.accuracy.run $(if $(OPEN_DATA),--data '$(OPEN_DATA)') $(if $(FORCE),--force '$(FORCE)') --master '$(bench_master)'
	$(bin)/python -m bench.accuracy.page

.PHONY: robust
robust: setup ## link and dedupe where training goes wrong in practice, on made-up files: docs/robustness.md (half an hour)
	$(bin)/python -m bench.accuracy.robust --master '$(bench_master)'
	$(bin)/python -m bench.accuracy.robust_page

.PHONY: wheel
wheel: setup ## the package as a wheel, for the cluster
	rm -rf build/dist build/lib build/bdist.*
	$(bin)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/dist .

.PHONY: clean
clean: ## remove what runs and tests have made (build, caches)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis spark-warehouse metastore_db derby.log
	find src tests jobs scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: distclean
distclean: clean ## remove the Python environment too (the jars' cache in the home folder stays)
	rm -rf .venv src/*.egg-info
