# A few lines over pip, snakemake and pytest: type those yourself if you would rather.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
STAMP := .venv/installed-$(shell cksum < envs/requirements.lock | cut -d' ' -f1)

.PHONY: run test release setup lock
run: setup
	snakemake --cores $(CORES) all

test: setup
	pytest -n $(CORES) --dist worksteal

# What takes too long for every change.
release: setup
	pytest -m release

setup: $(STAMP)
$(STAMP):
	python3 -m venv --clear .venv
	pip install --quiet --requirement envs/requirements.lock
	pip install --quiet --no-deps --editable .
	touch $@

# Pin what a fresh environment resolves to today.
lock:
	python3 -m venv --clear .venv-lock
	.venv-lock/bin/pip install --quiet '.[test]'
	.venv-lock/bin/pip freeze --exclude emoscope | sed 's/+cpu$$//' > envs/requirements.lock
	rm -rf .venv-lock
	python3 envs/write_conda.py
