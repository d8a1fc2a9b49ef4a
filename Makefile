# A few lines over pip, snakemake and pytest: type those yourself if you would rather.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
STAMP := .venv/installed-$(shell cksum < envs/requirements.lock | cut -d' ' -f1)

.PHONY: run test release archive setup lock
run: setup
	snakemake --cores $(CORES) all

test: setup
	pytest -n $(CORES) --dist worksteal

# What takes too long for every change.
release: setup
	pip install --quiet --constraint envs/requirements.lock --editable '.[storage]'
	pytest -m release

# The last commit as a release: results from it name that commit, without git.
archive:
	@version=$$(git show HEAD:workflow/emoscope/__init__.py | sed -n 's/^__version__ = "\(.*\)"/\1/p') && \
	git archive --format=tar.gz --prefix="emoscope-$$version/" --output="emoscope-$$version.tar.gz" HEAD && \
	echo "emoscope-$$version.tar.gz"

setup: $(STAMP)
$(STAMP):
	python3 -m venv --clear .venv
	pip install --quiet --requirement envs/requirements.lock
	pip install --quiet --no-deps --editable .
	touch $@

# Pin what a fresh environment resolves to today.
lock:
	python3 -m venv --clear .venv-lock
	.venv-lock/bin/pip install --quiet '.[test]' 'python-dateutil<3' 'soupsieve<3'  # botocore wants that; Python 3.11.2 this
	.venv-lock/bin/pip freeze --exclude emoscope | sed 's/+cpu$$//' > envs/requirements.lock
	.venv-lock/bin/python envs/write_conda.py
	rm -rf .venv-lock
