# A few lines over pip, snakemake and pytest: type those yourself if you would rather.
# For what jobs start: make 3.81, which macOS has, looks up the commands below without it.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
STAMP := .venv/installed-$(shell (cat envs/requirements.lock; pwd -P) | cksum | cut -d' ' -f1)

.PHONY: run test release archive setup lock
run: setup
	.venv/bin/snakemake --cores $(CORES) all

test: setup
	.venv/bin/pytest -n $(CORES) --dist worksteal

# What takes too long for every change.
release: setup
	.venv/bin/pip install --quiet --constraint envs/requirements.lock --editable '.[storage]'
	.venv/bin/pytest -m release

# The last commit as a release: results from it name that commit, without git. Without the version's tag its name has the commit.
archive:
	@version=$$(git show HEAD:workflow/emoscope/__init__.py | sed -n 's/^__version__ = "\(.*\)"/\1/p') && \
	if [ -z "$$(git tag --points-at HEAD --list "v$$version")" ]; then version="$$version-$$(git rev-parse --short HEAD)"; fi && \
	git archive --format=tar.gz --prefix="emoscope-$$version/" --output="emoscope-$$version.tar.gz" HEAD && \
	echo "emoscope-$$version.tar.gz"

setup: $(STAMP)
$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "emoscope needs Python 3.11 or later, and $(PYTHON) is " + sys.version.split()[0] + "; name another: make PYTHON=python3.11 ...")'
	grep -qsF "$$(pwd -P)/.venv/bin/python" .venv/bin/pip || $(PYTHON) -m venv --clear .venv  # where it lies stands in its scripts
	.venv/bin/pip install --quiet --no-compile --requirement envs/requirements.lock
	.venv/bin/pip install --quiet --no-deps --editable .
	.venv/bin/python -m compileall -qq -j 0 -x /tests/ .venv/lib || true  # pip does so on one core, tests of packages included
	rm -f .venv/installed-*
	touch $@

# Pin what a fresh environment resolves to today.
lock:
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/pip install --quiet '.[test]' 'python-dateutil<3' 'soupsieve<3'  # botocore wants that; Python 3.11.2 this
	.venv-lock/bin/pip freeze --exclude emoscope | sed 's/+cpu$$//' > envs/requirements.lock
	.venv-lock/bin/python envs/write_conda.py
	rm -rf .venv-lock
