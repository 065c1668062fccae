# Two verbs need nothing but make and Python 3.11: `make demo` and `make test`. Each sets up .venv
# once, and again when a pyproject.toml changes.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup clients page page-dev page-once test test-all coverage check static docs snapshots serve demo bench bench-compare soak moving bi-sql proto release clean

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?=
# Some machines keep Python from writing what it compiles. Each program that a test starts would then
# compile the product anew.
export PYTHONDONTWRITEBYTECODE :=
# Test files are spread over two processes; TEST_SPREAD= runs them in one.
TEST_SPREAD   ?= -n 2 --dist loadfile --no-loadscope-reorder
# What pytest is given, for instance: make test TEST_FLAGS="tests/unit/language -x". A path may name
# any tests, those of `make test-all` too.
TEST_FLAGS    ?=
# What the demo is given, for instance: make demo DEMO_FLAGS=--exit
DEMO_FLAGS    ?=
INSTALLATION  ?= .flightframe-demo/installation.yaml
SERVE_FLAGS   ?=
# What the benchmarks are given, for instance: make bench BENCH_FLAGS=--quick
BENCH_FLAGS   ?=
# What the soak is given, for instance: make soak SOAK_FLAGS="--minutes 60 --seed 7"
SOAK_FLAGS    ?=
# What the moving sources are given, for instance: make moving MOVING_FLAGS="--backend sqlite --seed 7"
MOVING_FLAGS  ?=

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.tools ## .venv with the product and its tools

clients: $(VENV)/.tools ## what the tests of foreign clients need: Node, Java and Python environments
	@$(BIN)/python tests/clients/foreign/foreign_prepare.py

page: $(VENV)/.product ## build the page, the workbench: with the Node of the machine, else with one that is fetched
	@$(BIN)/python .ci/page.py

page-dev: $(VENV)/.product ## serve the page from its sources, over a server at FLIGHTFRAME_URL (http://127.0.0.1:8000)
	@$(BIN)/python .ci/page.py --dev

# Where the page cannot be built, what needs it goes on without, and says so.
page-once: $(VENV)/.product ## build the page where it is missing or older, and go on without it where that cannot be done
	@$(BIN)/python .ci/page.py --once

# Where a path names tests of foreign clients, what those need is prepared first.
test: $(VENV)/.tools $(if $(findstring tests/clients,$(TEST_FLAGS)),clients) $(if $(findstring tests/workbench,$(TEST_FLAGS)),page-once) ## the tests to run after an edit, in minutes (sets up .venv first)
	@TEST_PART=test $(BIN)/python -m pytest $(TEST_SPREAD) $(TEST_FLAGS)

test-all: clients page-once ## all the other tests: laws, clients over sockets, crashes, mutations, docs (three quarters of an hour)
	@TEST_PART=test-all $(BIN)/python -m pytest $(TEST_SPREAD) $(TEST_FLAGS)

coverage: $(VENV)/.tools ## how many lines of the pure core its own tests run; below 98 % it fails
	@$(BIN)/python .ci/coverage.py

check: static coverage test test-all ## exactly what CI runs: style, types, contracts, pages, tests, coverage

static: $(VENV)/.tools ## the checks that run nothing: style, types, contracts, pages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=client:server $(BIN)/lint-imports
	@$(BIN)/python docs/generate.py --check

docs: $(VENV)/.tools ## regenerate the generated pages, then run every example in the docs
	@$(BIN)/python docs/generate.py
	@$(BIN)/python -m pytest tests/docs

snapshots: $(VENV)/.tools ## rewrite the kept plans and SQL of tests/golden, to be read before they are committed
	@$(BIN)/python -m pytest tests/golden --write-golden

serve: $(VENV)/.product ## serve INSTALLATION=path/to/installation.yaml
	@$(BIN)/flightframe serve $(INSTALLATION) $(SERVE_FLAGS)

demo: page-once ## write the retail demonstration, warm up and serve it (sets up .venv first)
	@$(BIN)/flightframe demo $(DEMO_FLAGS)

bench: $(VENV)/.tools ## measure beside DuckDB, bare Flight servers and peers; keeps it in benchmarks/results
	@mkdir -p benchmarks/results; now=benchmarks/results/$$(date +%Y-%m-%dT%H-%M-%S); \
	$(BIN)/python -m flightframe_server bench --json $$now.json --plot $$now.svg $(BENCH_FLAGS)

bench-compare: $(VENV)/.tools ## compare the last two measurements
	@$(BIN)/python benchmarks/compare.py

soak: $(VENV)/.tools ## ten minutes of mixed clients, moving data and faults: nothing wrong, nothing leaked
	@PYTHONPATH=client:server:tests/hostile:tests/soak $(BIN)/python tests/soak/soak.py $(SOAK_FLAGS)

moving: $(VENV)/.tools ## an hour of files that move in every way under eight clients: right, or refused
	@PYTHONPATH=client:server:tests/moving $(BIN)/python tests/moving/moving.py $(MOVING_FLAGS)

bi-sql: $(VENV)/.tools ## ten thousand SELECTs by chance against the flat table: equal, or refused
	@BI_SQL_CASES=10000 BI_SQL_WRITES=1000 BI_SQL_CHANGES=2000 $(BIN)/python -m pytest -q tests/conformance/test_bi_queries.py tests/conformance/test_bi_mutations.py tests/conformance/test_outer_mutations.py tests/conformance/test_outer_queries.py tests/conformance/test_outer_answers.py $(TEST_FLAGS)

proto: $(VENV)/.tools ## regenerate the wire modules from proto/
	@$(BIN)/python -m grpc_tools.protoc -I proto --python_out=client --pyi_out=client proto/flightframe/wire/*.proto

release: check ## write CHANGELOG.md from the news fragments, tag, build the three distributions into dist/
	@.ci/release

clean: ## remove what these verbs made, the demonstration included
	rm -rf $(VENV) .clients workbench/node_modules server/flightframe_server/web/page dist build .flightframe-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# One environment, two stamps: the product alone is enough for a demonstration.
$(VENV)/.tools: pyproject.toml client/pyproject.toml .ci/install.py | $(BIN)/python
	@echo "installing flightframe and the tools to work on it into $(VENV): a minute or two, some 300 MB ..."
	@$(BIN)/python .ci/install.py -e ./client -e . --group dev
	@touch $(VENV)/.product $@

$(VENV)/.product: pyproject.toml client/pyproject.toml .ci/install.py | $(BIN)/python
	@echo "installing flightframe into $(VENV): a minute, some 200 MB ..."
	@$(BIN)/python .ci/install.py -e ./client -e .
	@touch $@

$(BIN)/python:
	@set -e; \
	for python in $(PYTHON) python3.11 python3 python3.12 python3.13; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "making $(VENV) with $$("$$python" --version) ..."; \
	    "$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); \
	      echo "that Python has no venv module: on Debian or Ubuntu, apt install python3-venv" >&2; exit 1; }; \
	    exit 0; \
	  fi; \
	done; \
	echo "flightframe needs Python 3.11 or newer, and found $$(python3 --version 2>&1)." >&2; \
	echo "Install one, or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	exit 1
