# The commands of the course. `make` alone lists them. PYTHON=... chooses the Python that makes .venv.
VENV := .venv
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(VENV)/$(BIN)/python
READY := $(VENV)/.ready
LAB_ARGS :=
COLAB_NOTEBOOKS :=
HOLDS_ARGS :=
BROWSER_ARGS :=

# Quotes hold in `sh`, so PYTHON may name a path with spaces. Without it, the first of these that fits is taken.
CANDIDATES := $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11)
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

# A .venv whose Python has gone, or that was moved or copied from elsewhere, is not ready, whatever its stamp says.
ALIVE := import course_utils, os, sys; sys.exit(not os.path.samefile(os.path.dirname(course_utils.__file__), "course_utils"))
ifneq ($(shell "$(RUN)" -I -c '$(ALIVE)' 2>/dev/null && echo alive),alive)
$(READY): again
endif

# Importing TensorFlow takes twice as long where Python may not keep the bytecode.
unexport PYTHONDONTWRITEBYTECODE

# All cores, up to four: each test process may load TensorFlow, which takes a gigabyte.
BOTH := -n logical --maxprocesses 4
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300 -p no:cacheprovider

# A notebook may import keras before course_utils, which sets the same.
export KERAS_BACKEND := tensorflow

.PHONY: help lab check test music notebooks weights bench colab colab-changes holds browser book slides canary again
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s%s\n", $$1, $$2}' Makefile

lab: export TF_CPP_MIN_LOG_LEVEL = 3
lab: $(READY) ## set up, and open JupyterLab on the first notebook (LAB_ARGS= for its options)
	@"$(RUN)" -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/00_welcome.ipynb $(LAB_ARGS)

check test: export COURSE_QUIET = 1
check test: export PYTHONHASHSEED = 0
check test: export TF_CPP_MIN_LOG_LEVEL = 3
check: $(READY) ## lint, and the tests that need no notebook, browser, training or composing: a minute and a half
	"$(RUN)" -m ruff check .
	"$(RUN)" -m pytest -q $(BOTH) --dist worksteal -m "not slow and not browser" tests

test: $(READY) ## set up; lint, all tests, every notebook, on all cores (COLAB=1: also on Colab's packages)
	"$(RUN)" -m ruff check .
	"$(RUN)" -m pytest -rs $(BOTH) --dist loadscope tests
	"$(RUN)" -m pytest $(BOTH) --dist loadfile $(NBVAL) notebooks
ifeq ($(COLAB),1)
	"$(RUN)" -m tools.colab $(or $(COLAB_NOTEBOOKS),notebooks/00_welcome.ipynb)
endif

music: $(READY) ## compose 30 seconds of four-part music: generated_music.wav, .mid, .musicxml and .svg
	"$(RUN)" -m course_utils compose --seconds 30 --seed 1 -o generated_music.wav

notebooks: $(READY) ## run again, in place, the notebooks whose code or helpers changed
	"$(RUN)" -m tools.execute

weights: $(READY) ## train the shipped weights with the full recipes (hours)
	"$(RUN)" -m benchmarks.weights && "$(RUN)" -m tools.manifest

bench: $(READY) ## measure speed and quality
	"$(RUN)" -m benchmarks

colab: $(READY) ## run the notebooks on Colab's packages (COLAB_NOTEBOOKS= for some of them)
	"$(RUN)" -m tools.colab $(COLAB_NOTEBOOKS)

colab-changes: $(READY) ## say how Colab's published packages differ from the lists in tests/colab
	"$(RUN)" -m tools.colab --changes

holds: $(READY) ## run all notebooks twice: read-only copy, no network, empty home, any order (HOLDS_ARGS="--python 3.12" ...)
	"$(RUN)" -m tools.holds $(HOLDS_ARGS)

browser: export COURSE_BROWSER = 1
browser: $(READY) ## try the widgets and run every notebook in JupyterLab in Chromium (needs chromium)
	"$(RUN)" -m pytest -rs tests/browser $(BROWSER_ARGS)

book: $(READY) ## render the notebooks as a site to read offline, build/book, and examine it
	"$(RUN)" -m tools.book
	COURSE_BOOK=build/book "$(RUN)" -m pytest -rs tests/browser/test_site.py

slides: $(READY) ## make slides of every notebook, build/slides
	"$(RUN)" -m tools.slides

canary: $(READY) ## run the unit tests on the newest releases of all packages, in .venv-canary
	@"$(RUN)" -m tools.uv venv --quiet --clear --python "$(RUN)" .venv-canary
	@"$(RUN)" -m tools.uv pip install --quiet --python .venv-canary --editable ".[tensorflow,lab,dev]"
	.venv-canary/$(BIN)/python -m pytest -rs -o filterwarnings=error::DeprecationWarning:course_utils tests

# The stamp goes first and comes back last: a set-up that was cut short is finished by the next command.
# uv installs several times faster than pip, which has to bring it first.
$(READY): requirements.txt pyproject.toml
	@rm -f "$@"
	@"$(RUN)" -m pip --version >/dev/null 2>&1 && "$(RUN)" -c '$(FITS)' || { \
	  for python in $(CANDIDATES); do \
	    "$$python" -c '$(FITS)' 2>/dev/null && exec "$$python" -m venv --clear "$(VENV)"; \
	  done; \
	  echo 'No Python 3.11, 3.12 or 3.13 that can make a virtual environment (Debian, Ubuntu: install python3-venv).' >&2; \
	  echo 'Install one, or say where it is: make lab PYTHON=/path/to/python3.12' >&2; exit 1; }
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.txt > "$(VENV)/uv.txt"
	@"$(RUN)" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$(VENV)/uv.txt"
	@"$(RUN)" -m tools.uv pip install --quiet --python "$(RUN)" --require-hashes --requirement requirements.txt
	@"$(RUN)" -m tools.uv pip install --quiet --python "$(RUN)" --no-deps --editable .
	@touch "$@"
