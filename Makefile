# Fieldfare's commands; `make help` lists them. `make demo` and `make test` are the two to know.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Debug programs (registry, CLI, fleet) and release programs (agent, smoke runner) have a folder each.
DEBUG_BUILD := .build
RELEASE_BUILD := .build-release

.PHONY: help setup build demo test test-crash sanitize check fix bench bench-gate mutants fuzz fixtures-check format-check layers linkage clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages, and the speech runtime into .deps/
	@scripts/setup.sh

build: setup ## Build everything: registry, CLI and fleet for debugging, agent and smoke runner for release
	@scripts/build.sh

demo: build ## The main job, end to end, on this machine (KEEP=1 leaves registry and fleet running)
	@scripts/demo/main.py $(if $(filter 1,$(KEEP)),--keep)

test: ## All tests and gates, as CI runs them
	@scripts/setup.sh --for-tests
	@$(MAKE) --no-print-directory format-check
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory layers linkage
	@scripts/test.sh

test-crash: ## Kill, cut off and fail a device at every change of its disk (10,000 runs or more), swap its slots under readers, and let 5,000 agents lose their registry
	@scripts/setup.sh --for-tests
	@scripts/crash.sh
	@scripts/consumers.sh
	@scripts/herd.sh

sanitize: ## Run the agent's tests under the thread sanitizer and the address sanitizer (half an hour)
	@scripts/setup.sh --for-tests
	@scripts/sanitize.sh thread
	@scripts/sanitize.sh address

check: test test-crash sanitize fixtures-check ## Everything that must hold before a release

fix: ## Format the sources
	swift format -i --recursive --parallel Package.swift Sources Tests Benchmarks

format-check: ## Fail where a source file is not formatted
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

layers: ## Fail where a target imports upward or sideways
	@scripts/layers.py

linkage: ## Fail where the agent links what it must not, or weighs too much
	@scripts/linkage.sh

fixtures-check: ## Export and quantise the speech models anew, compare the bytes, measure their word error rate
	@scripts/setup.sh --for-fixtures
	@$(MAKE) --no-print-directory -C fixtures/asr check

bench: build ## Measure speed and size, as ratios against named peers
	@Benchmarks/run.sh

bench-gate: setup ## Simulate rollouts against the gate, and compare with the tables of docs/gate-simulation.md (over an hour)
	swift build --configuration release --static-swift-stdlib --scratch-path .build-release-server --product fieldfare-fleet
	.build-release-server/release/fieldfare-fleet simulate-probation
	.build-release-server/release/fieldfare-fleet simulate-gate
	.build-release-server/release/fieldfare-fleet simulate-releases

mutants: ## Remove named checks one at a time; each must turn a test red
	@scripts/mutants.py

fuzz: ## Feed the readers of bytes from outside with libFuzzer (SECONDS=60 for each; RUNS=N for executions instead)
	@scripts/setup.sh
	@scripts/fuzz.py $(if $(RUNS),--runs $(RUNS),--seconds $(or $(SECONDS),60))

clean: ## Remove what was built; the speech runtime stays
	rm -rf $(DEBUG_BUILD) $(RELEASE_BUILD) .build-*
