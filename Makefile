# The only door: people and CI both call these targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
UV := .tools/uv/bin/uv
RUN := .venv/bin
PYTHON ?= python3
export UV_PYTHON ?= $(PYTHON)

.PHONY: help demo test e2e check thorough lint fuzz endurance soak bench decisions docs generated stage stages-json clean images images-load image-sizes image-sbom image-scan cluster-up cluster-load cluster-down deploy pin port-forward submit user manifests-scan

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(UV): ci/install_uv.sh
	@PYTHON=$(PYTHON) sh ci/install_uv.sh

.venv/.installed: pyproject.toml uv.lock $(wildcard components/*/pyproject.toml gate/pyproject.toml serving/pyproject.toml) | $(UV)
	@echo "installing into .venv (once; from the cache where possible) ..."
	@$(UV) sync --quiet --frozen --compile-bytecode --no-install-project
	@$(UV) sync --quiet --frozen --compile-bytecode
	@$(RUN)/python -m compileall -q modelwarrant components pipelines gate serving
	@touch $@

setup: .venv/.installed  ## Install everything into this folder

demo: setup  ## See the whole lifecycle on the flights of 2013, in a minute
	@$(RUN)/warrant demo

test: setup  ## Run the tests (under five minutes)
	$(RUN)/pytest -q -n 2 --hypothesis-profile ci -m "not statistical and not slow and not cluster"

e2e: setup  ## Run the lifecycle and all else that needs a cluster, on the cluster of KUBECONFIG
	$(RUN)/python -m ci.e2e $(TESTS)

check: setup lint  ## What a pull request must pass
	$(UV) lock --check
	$(RUN)/python ci/check_generated.py
	$(MAKE) test

lint: setup  ## Style, types, import directions and docstrings
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/interrogate -q modelwarrant components pipelines gate serving

thorough: check fuzz  ## Also false-alarm rates, power, slow tests, property tests on new examples, schemathesis
	$(RUN)/pytest -q -n 2 --hypothesis-profile default -m "statistical or slow or (hypothesis and not cluster)" --timeout 1200

fuzz: setup  ## Ask the service what schemathesis makes from its OpenAPI document
	$(RUN)/python -m ci.fuzz

endurance: setup  ## The service for ten minutes at 1,000 requests a second, through kills, swaps, an outage
	$(RUN)/python -m ci.endurance

soak: setup  ## Kill 1,000 writers and 50 times the store over 5,000 entries
	WARRANT_SOAK=whole $(RUN)/pytest -q -s -m slow --timeout 3600 tests/storage/test_soak.py

bench: setup  ## Measure again what the documents state
	$(RUN)/python ci/bench.py

decisions: setup  ## Compare rules of promotion in two minutes; with TABLES=DIR publish the full run in docs/decisions
	$(RUN)/warrant benchmark decisions $(if $(TABLES),--tables $(TABLES) --out docs/decisions,--quick)

docs: setup  ## Check that every path, target and flag in the documents exists
	$(RUN)/pytest -q tests/contracts/test_docs.py

generated: setup  ## Write the generated files again: compiled pipelines
	$(RUN)/python ci/compile_pipelines.py

stage: setup  ## Write a new stage: make stage NAME=score_batch
	@$(RUN)/python ci/new_stage.py "$${NAME:-}"

stages-json: setup  ## Print the stages as JSON, for CI matrices
	@$(RUN)/python ci/stages.py

images: setup  ## Build every image, or STAGE=detect_drift's; holds them to their budgets
	@$(RUN)/python -m ci.images build $(if $(STAGE),--image $(STAGE))

images-load: setup  ## Give one archive of all images to LOADER, a program that knows the node
	@$(RUN)/python -m ci.images load $(if $(LOADER),--loader "$(LOADER)")

image-sizes: setup  ## What the images weigh, also compressed
	@$(RUN)/python -m ci.images sizes --compressed

image-sbom: setup  ## List what is in each image, by syft or trivy
	@$(RUN)/python -m ci.images sbom

image-scan: setup  ## Look for known vulnerabilities, by trivy or grype
	@$(RUN)/python -m ci.images scan

cluster-up: setup  ## Start kind or minikube (CLUSTER=...) with everything in it
	$(RUN)/python -m ci.cluster up $(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(MODEL),--model $(MODEL))

cluster-load: setup  ## Bring our images into the node of kind or minikube
	$(RUN)/python -m ci.cluster load $(if $(CLUSTER),--cluster $(CLUSTER))

cluster-down: setup  ## Remove that cluster
	$(RUN)/python -m ci.cluster down $(if $(CLUSTER),--cluster $(CLUSTER))

deploy: setup  ## Bring OVERLAY to the cluster of the current kubeconfig
	@$(RUN)/python -m ci.cluster deploy $(if $(OVERLAY),--overlay $(OVERLAY)) $(if $(MODEL),--model $(MODEL))

pin: setup  ## Have serving trust the ledger of MODEL that the gate began
	@$(RUN)/python -m ci.cluster pin $(if $(MODEL),--model $(MODEL))

submit: setup  ## Run PROJECT on Kubeflow Pipelines and follow it to the gate's verdict
	@WARRANT_GATE=$${WARRANT_GATE:-modelwarrant-system} $(RUN)/warrant submit --watch --project $(or $(PROJECT),warrant.yaml)

port-forward: setup  ## Reach Kubeflow Pipelines, serving and the gate's pages from here
	@$(RUN)/python -m ci.cluster forward

user: setup  ## Make a kubeconfig for another person, NAME
	@$(RUN)/python -m ci.cluster user $(if $(NAME),--name $(NAME))

manifests-scan: setup  ## Check the rendered production overlay with checkov
	@$(RUN)/python -m ci.scan_manifests

clean:  ## Remove everything that make made
	rm -rf .venv .tools demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
