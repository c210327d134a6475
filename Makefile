# make lab    open the course in JupyterLab
# make test   run every test, and every notebook against its committed outputs
#
# Both make the environment .venv first, with any Python >= 3.11; PYTHON=... chooses one.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help lab test notebooks format clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# The stamp is written last, so a broken installation is made again, and a whole one is not.
$(INSTALLED): pyproject.toml constraints.txt
	@"$(or $(PYTHON),python3)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "Attention Lab needs Python 3.11 or newer, and $(or $(PYTHON),python3) is not: install one, or name it with make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || \
	{ echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing into $(VENV): once, and it takes a few minutes"
	$(BIN)/python -m pip install $(PIP_OPTIONS) --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[lab,test]'
	@touch $(INSTALLED)

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
	$(BIN)/python -m pytest -m "not kernel" -n 2 --dist loadscope \
		--cov=attention_lab --cov-report=term:skip-covered --cov-fail-under=95
	$(BIN)/python -m pytest -m kernel -rs --durations=5 tests
	$(BIN)/python -m pytest -o addopts= --nbval --nbval-cell-timeout=120 -q notebooks

notebooks: $(INSTALLED)
	$(BIN)/python tools/notebooks.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis
