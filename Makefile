# Needs Python 3.11 or newer and make; everything else is installed into .venv by the first target that wants it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

STORE ?= demo/store
PYTEST_WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
DEV := $(VENV)/.dev
RUNTIME := $(VENV)/.runtime
BOOT := $(VENV)/.boot
# BERTopic as it comes, with umap-learn and hdbscan; Lacuna's own environment stays without.
THEIRS := .venv-bench/.done
# The tools that list and audit what the runtime is made of; they are no part of it.
AUDIT := .venv-audit/.done
# The locks and what says how to install the project; a change of any of them installs again, and nothing else does.
LOCKS := requirements.lock requirements-boot.lock pyproject.toml setup.py

export GX_ANALYTICS_ENABLED := false

.PHONY: help demo test test-slow coverage bench bench-topics docs lint audit sbom lock report clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "; print "make <target>\n"} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Mine a made-up company's conversations and show its backlog
	@$(BIN)/lacuna demo --store demo/store --folder demo

test: $(DEV) ## Run the tests, but for the slow ones
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "not slow" --rooms $(ARGS)

test-slow: $(DEV) ## Run the slow tests: whole shops week by week, kills, schedulers
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m slow --rooms $(ARGS)

coverage: $(DEV) ## Run the tests and list the lines that none of them reaches (slower)
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --cov --cov-report=term-missing:skip-covered $(ARGS)

bench: $(DEV) ## Measure time and memory of each step, and what redaction finds
	@$(BIN)/python -m tests.bench $(ARGS)
	@if [ -z "$(ARGS)" ]; then $(MAKE) --no-print-directory $(THEIRS) && $(BIN)/python -m tests.bench redaction; fi

bench-topics: $(DEV) $(THEIRS) ## Measure topics beside BERTopic as it comes
	@$(BIN)/python -m tests.bench topics $(ARGS)

docs: $(DEV) ## Write the documents anew that are written from the code
	@$(BIN)/python -m tests.house.reference

lint: $(DEV) ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@mkdir -p $(VENV)/namespace/lacuna  # the type checker reads folders, not what is installed
	@for folder in data_contracts models pipelines; do ln -sfn ../../../$$folder $(VENV)/namespace/lacuna/$$folder; done
	@$(BIN)/mypy

audit: $(DEV) $(AUDIT) ## Ask whether locked packages have known vulnerabilities
	@$(BIN)/python -m tests.house.audit .venv-audit/bin/pip-audit

sbom: $(DEV) $(AUDIT) ## Write build/sbom.json: what the runtime is made of, as CycloneDX
	@mkdir -p build
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/runtime
	@$(BIN)/uv pip sync --quiet --python build/runtime/bin/python --require-hashes requirements.lock
	@.venv-audit/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-format JSON --output-file build/sbom.json build/runtime/bin/python
	@rm -rf build/runtime
	@echo build/sbom.json

lock: $(BOOT) ## Write the lock files again (ARGS=--upgrade for newer versions)
	@printf 'uv\nsetuptools>=80\n' | $(COMPILE) --no-annotate - -o requirements-boot.lock
	@$(COMPILE) --override overrides.txt pyproject.toml -o requirements.lock
	@$(COMPILE) --override overrides.txt --extra airflow $(DRIVERS) --extra http --extra onnx \
		--extra sentence-transformers --group test --group lint -c requirements.lock pyproject.toml \
		-o requirements-dev.lock
	@$(COMPILE) --override overrides.txt --extra airflow --extra celery --extra kubernetes $(DRIVERS) \
		-c requirements.lock -c requirements-dev.lock pyproject.toml -o requirements-airflow.lock
	@$(COMPILE) --group audit -c requirements.lock -o requirements-audit.lock
	@grep -v -e umap -e hdbscan -e llvmlite overrides.txt > $(VENV)/overrides-bench.txt
	@$(COMPILE) --override $(VENV)/overrides-bench.txt --group bench -c requirements.lock -o requirements-bench.lock

DRIVERS = --extra gs --extra mcp --extra postgres --extra s3 --extra sources
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(ARGS)

report: ## Open the latest report of STORE (default: the demo's), or print its path
	@latest=$$(ls -d $(STORE)/runs/[0-9]*/report.html 2>/dev/null | sort | tail -n 1); \
	if [ -z "$$latest" ]; then echo "no report in $(STORE): run 'make demo' first" >&2; exit 1; fi; \
	echo "$$latest"; \
	if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] && command -v xdg-open >/dev/null; then xdg-open "$$latest"; \
	elif [ "$$(uname)" = Darwin ]; then open "$$latest"; fi

clean: ## Remove the environment, the demo and all caches
	@rm -rf $(VENV) .venv-audit .venv-bench demo build *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The installer itself is pinned by hash; it then installs the rest by hash.
$(BOOT): requirements-boot.lock
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Lacuna needs Python 3.11 or newer with its venv module; none was found." >&2; \
		echo "  -> install it (Debian: apt install python3-venv), or name one: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; fi; \
	if [ ! -x $(BIN)/python ]; then echo "Making $(VENV) with $$($$found --version)"; "$$found" -m venv $(VENV); fi; \
	if [ ! -x $(BIN)/pip ]; then $(BIN)/python -m ensurepip --upgrade >/dev/null; fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-boot.lock
	@touch $@

# A development environment holds all that the runtime needs: it is never cut back to that.
$(RUNTIME): $(LOCKS) $(BOOT)
	@if [ -e $(DEV) ]; then $(MAKE) --no-print-directory $(DEV); else \
		echo "Installing the locked packages into $(VENV); this is done once and takes up to a minute"; \
		$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock requirements-boot.lock && \
		$(INSTALL); fi
	@touch $@

$(DEV): requirements-dev.lock $(LOCKS) $(BOOT)
	@echo "Installing the locked packages into $(VENV), those for development included"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock requirements-boot.lock
	@$(INSTALL)
	@touch $(RUNTIME) $@

$(THEIRS): requirements-bench.lock $(BOOT)
	@echo "Installing BERTopic as it comes into .venv-bench, for comparison only"
	@$(BIN)/python -m venv .venv-bench
	@$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements-bench.lock
	@touch $@

$(AUDIT): requirements-audit.lock $(BOOT)
	@$(BIN)/python -m venv --without-pip .venv-audit
	@$(BIN)/uv pip sync --quiet --python .venv-audit/bin/python --require-hashes requirements-audit.lock
	@touch $@

INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
