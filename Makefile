# `make run` starts acr3d, `make test` tests it; both install what they need first. `make help` lists the rest.

SHELL = /bin/bash
WORKERS ?= 3
DIST ?= worksteal
MARKED = not proof
DOSE ?= full
ARGS ?=
# Keep compiled files, even where the environment turns them off: tests and servers start faster.
export PYTHONDONTWRITEBYTECODE =

GUNICORN = .venv/bin/gunicorn -c gunicorn.conf.py wsgi:app
FLASK = .venv/bin/flask --app wsgi
LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 pyproject.toml
LOCK_MESHOPT = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-deps --python-version 3.11 --group meshopt
LOCK_USDZ = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-deps --python-version 3.11 --group usdz
LOCK_CUTOUT = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --group cutout -c requirements.txt
LOCK_SPIN = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --group spin -c requirements.txt
LOCK_WORKERS = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --group workers -c requirements.txt
LOCK_BLENDER = .venv/bin/uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 --group blender

.PHONY: help setup run test proof lint docs cutout spin usdz meshopt workers blender lock

help: ## List the commands
	@sed -nE 's/^([a-z]+):.*## /\1\t/p' Makefile | expand -t 10

setup: ## Create .venv and copy the front-end files; takes a moment when nothing changed
	@scripts/setup.sh run
	@scripts/cutout.sh --if-possible

run: setup ## Start the app on http://127.0.0.1:5000 (PORT=…) with demo parts and an admin account
	@$(FLASK) db upgrade
	@$(FLASK) users first
	@$(FLASK) demo
	@exec $(GUNICORN)

test: ## Install what the tests need and run them (ARGS="tests/test_x.py -k …", WORKERS=0 for one process)
	@scripts/test-tools.sh
	@scripts/setup.sh test
	@.venv/bin/pytest -n $(WORKERS) --dist $(DIST) -m "$(MARKED)" $(ARGS)

proof: ## Run the heavy tests in full: kills, outages, hostile texts, mutated files (DOSE=small for a part of them)
	@ACR3D_PROOF=$(DOSE) $(MAKE) --no-print-directory test MARKED=proof

lint: ## Check style, types, imports, and that every hash is pinned
	@scripts/setup.sh test
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@PYTHONPATH=. .venv/bin/python scripts/check_locks.py

docs: ## Write docs/cli.md from the commands' own help
	@PYTHONPATH=. .venv/bin/python scripts/cli_reference.py >docs/cli.md

cutout: ## Install the learned cut-out, which finds parts on any background (optional; Node.js, 2 GB of memory)
	@scripts/setup.sh run
	@scripts/cutout.sh

spin: setup ## Install spin capture: a model from a video on the printed sheet (optional; 200 MB)
	@scripts/spin.sh

usdz: ## Try again to install OpenUSD, which writes AR files for iPhones
	@rm -f .venv/usdz
	@scripts/setup.sh run

meshopt: setup ## Install the faster simplifier of level light (optional; x86-64 Linux with AVX2)
	@.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-meshopt.txt

workers: setup ## Install Procrastinate, for worker processes on several hosts (optional; PostgreSQL)
	@.venv/bin/python -m pip install --quiet --require-hashes -r requirements-workers.txt

blender: ## Install Blender for the "light" level (optional; Python 3.11, x86-64 Linux, 1 GB)
	@scripts/blender.sh

lock: ## Update the lock files from pyproject.toml and package.json
	@scripts/setup.sh test
	@$(LOCK) $(ARGS) -o requirements.txt
	@$(LOCK) $(ARGS) --group dev -c requirements.txt -o requirements-dev.txt
	@$(LOCK_MESHOPT) $(ARGS) -o requirements-meshopt.txt
	@$(LOCK_USDZ) $(ARGS) -o requirements-usdz.txt
	@$(LOCK_CUTOUT) $(ARGS) -o requirements-cutout.txt
	@$(LOCK_SPIN) $(ARGS) -o requirements-spin.txt
	@$(LOCK_WORKERS) $(ARGS) -o requirements-workers.txt
	@$(LOCK_BLENDER) $(ARGS) -o requirements-blender.txt
	@npm install --package-lock-only --ignore-scripts --no-audit --no-fund
