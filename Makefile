# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
export ITCARE_HOME ?= $(CURDIR)/.demo
export UV_PYTHON_DOWNLOADS := never

.PHONY: help demo test test-slow lint bench clean environment components

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

environment:
	@sh .ci/environment.sh

components: environment
	@bash .ci/components.sh

demo: environment ## a real visit of this computer, judged, recorded and shown in the browser (NO_SERVE=1: no browser)
	@bash .ci/demo.sh

test: components ## every test, on real components
	@unset ITCARE_HOME; .venv/bin/pytest -m "not slow" -n 2 --dist loadfile $(PYTEST_ARGS)

test-slow: components ## the long sweeps as well
	@unset ITCARE_HOME; .venv/bin/pytest -m "slow or not slow" $(PYTEST_ARGS)

lint: environment ## formatting, types, import order, Ansible
	@bash .ci/lint.sh

bench: ## figures beside a peer or a target in the same run; fails when one is missed
	@sh .ci/environment.sh bench
	@keep=--keep; if [ -z "$$ITCARE_BENCH_HOME" ]; then keep=; ITCARE_BENCH_HOME=$$(mktemp -d) && trap 'rm -rf "$$ITCARE_BENCH_HOME"' EXIT; fi; \
	export ITCARE_BENCH_HOME; missed=; \
	for name in recording ledger growth help temp_cleanup "publish $$keep" pages; do .venv/bin/python -m benchmarks.$$name || missed="$$missed $$name"; echo; done; \
	if [ -n "$$missed" ]; then echo "missed:$$missed" >&2; exit 1; fi; echo "bench: every gate held"

clean: ## remove the environment, the demo and caches
	rm -rf .venv .boot .demo .demo-recovery .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache itcare-spool
