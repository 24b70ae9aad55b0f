# `make run` starts acr3d, `make test` tests it; both get what they need first.

SHELL = /bin/bash
WORKERS ?= 2
ARGS ?=
GUNICORN = .venv/bin/gunicorn -c gunicorn.conf.py wsgi:app
FLASK = .venv/bin/flask --app wsgi
LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 pyproject.toml
LOCK_BLENDER = .venv/bin/uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 --group blender

.PHONY: help setup blender run test lint lock

help: ## Say what there is
	@sed -nE 's/^([a-z]+):.*## /\1\t/p' Makefile | expand -t 10

setup: ## Make .venv and the copies of the front-end files; quick when nothing changed
	@scripts/setup.sh run

blender: ## Install Blender for level light (optional; Python 3.11, x86-64 Linux, 1 GB)
	@scripts/blender.sh

run: setup ## Start the app on http://127.0.0.1:5000 (PORT=…), with demo parts and an admin account
	@$(FLASK) db upgrade
	@$(FLASK) users first
	@$(FLASK) demo
	@exec $(GUNICORN)

test: ## Get what the tests need and run them (ARGS="tests/test_x.py -k …", WORKERS=0 for one process)
	@scripts/test-tools.sh
	@scripts/setup.sh test
	@.venv/bin/pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: ## Check style and types
	@scripts/setup.sh test
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

lock: ## Bring the lock files up to date with pyproject.toml and package.json
	@scripts/setup.sh test
	@$(LOCK) $(ARGS) -o requirements.txt
	@$(LOCK) $(ARGS) --group dev -c requirements.txt -o requirements-dev.txt
	@$(LOCK_BLENDER) $(ARGS) -o requirements-blender.txt
	@npm install --package-lock-only --ignore-scripts --no-audit --no-fund
