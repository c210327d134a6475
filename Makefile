# make lab        open the course in JupyterLab
# make test       run every test, and every notebook against its committed outputs
# make notebooks  run all notebooks and write them, with their outputs
# make bench      measure: a widget's answer, our attention against PyTorch's, ...
# make colab      run the tests with Colab's versions; make oldest: with the oldest we promise
#
# Each makes its environment first, with any Python >= 3.11; PYTHON=... chooses one.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help lab test notebooks bench colab oldest format clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# The stamp is written last, so a broken installation is made again, and a whole one is not.
$(INSTALLED): constraints.txt
.venv-colab/.installed: tests/colab.txt
.venv-oldest/.installed: tests/oldest.txt
%/.installed: pyproject.toml
	@"$(or $(PYTHON),python3)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "Attention Lab needs Python 3.11 or newer, and $(or $(PYTHON),python3) is not: install one, or name it with make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -m venv $* || \
	{ echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing into $*: once, and it takes a few minutes"
	$*/bin/python -m pip install $(PIP_OPTIONS) --quiet --disable-pip-version-check \
		--constraint $(filter %.txt,$^) --editable '.[lab,test]'
	@touch $@

# JUPYTER_CONFIG_PATH adds settings of the course (no news pop-up) to those of the user. The
# address is given, not a file to open: it is also right where no browser can be started.
lab: $(INSTALLED)
	JUPYTER_CONFIG_PATH="$(CURDIR)/tools/jupyter" $(BIN)/jupyter lab $(LAB_OPTIONS) \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb

# What starts kernels runs one after the other: two kernels that start at once can take the same
# port, and one of them dies ("Kernel died before replying to kernel_info", seen here).
test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m pytest -m "not kernel" -n 2 --dist worksteal \
		--cov=attention_lab --cov-report=term:skip-covered --cov-fail-under=95
	$(BIN)/python -m pytest -m kernel -rs --durations=5 tests
	$(BIN)/python -m pytest -o addopts= --nbval --nbval-cell-timeout=120 -q notebooks

# With these ipywidgets is 7.7.1. Every warning is an error there, too (pyproject.toml). The oldest
# JupyterLab and the front end of ipywidgets 7 are tried in the browser; the notebooks that train
# models for half a minute are not run there once more.
colab oldest: %: .venv-%/.installed
	.venv-$*/bin/python -m pytest -m "not kernel and not slow" -n 2 --dist worksteal -q tests
	.venv-$*/bin/python -m pytest -o addopts= --nbval --nbval-cell-timeout=120 -q notebooks
	[ $* = colab ] || .venv-$*/bin/python -m pytest -q -rs tests/test_browser.py -k "not (05_ or 08_ or 09_)"

notebooks: $(INSTALLED)
	$(BIN)/python tools/notebooks.py

bench: $(INSTALLED)
	$(BIN)/python benchmarks/bench.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv* *.egg-info .pytest_cache .ruff_cache .hypothesis
