# make demo   a report on synthetic corpora, in under a minute
# make test   all tests, and the types
# make lab    JupyterLab in my-notebooks/, copies of notebooks/: running them changes no file of the repository
# make lessons the notebooks for a class, with and without solutions, and slides
# make docs   the site, in docs/_build/html; with NOTEBOOKS=all all notebooks are run for it
# make browser-test every notebook in a real browser, as a person uses it; needs a Chromium
# make fuzz   thousands of damaged files through every reader; takes long
# make kills  kill what carries out a plan, 200 times, and look whether anything is lost; takes an hour
# make types  the type checker alone
# make benchmarks  what is waited for, beside what others take for it; DATA=folder with EmoDB
# make clean  away with what make has made
#
# Each makes .venv first if it is missing or older than the pinned packages.
# Another Python: make PYTHON=/path/to/python3.12 demo

VENV  := .venv
STAMP := $(VENV)/.installed
# The pins were frozen on 3.11. An old python3 comes first on many systems, and
# version managers put names on the path that do not run: hence the trial.
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && \
	echo $$python && break; done)

.PHONY: benchmarks browser-test demo test lab lessons docs types fuzz kills clean

demo: $(STAMP)
	$(VENV)/bin/serlab demo

test: $(STAMP)
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal -q

lab: $(STAMP)
	$(VENV)/bin/serlab lab my-notebooks

# Pictures of panel and lessons go into build/screenshots.
browser-test: $(STAMP)
	SERLAB_BROWSER_TESTS=all SERLAB_SCREENSHOTS=build/screenshots $(VENV)/bin/python -m pytest tests/browser -q

# Students get notebooks without solutions; who teaches gets a course of nbgrader.
lessons: $(STAMP)
	$(VENV)/bin/serlab lessons build/lessons/student --force
	$(VENV)/bin/serlab lessons build/lessons/instructor --instructor --force
	$(VENV)/bin/serlab lessons build/lessons/slides --slides --force

types: $(STAMP)
	$(VENV)/bin/python -m mypy

DATA := $(SERLAB_DATA)
benchmarks: $(STAMP)
	$(VENV)/bin/python -m benchmarks --data "$(DATA)"

# Cases of each target: make fuzz CASES=10000
CASES := 2000
fuzz: $(STAMP)
	$(VENV)/bin/python -m tests.fuzz -n $(CASES)

KILLS := 200
kills: $(STAMP)
	$(VENV)/bin/python benchmarks/kill_plans.py --kills $(KILLS)

# Notebook 00 takes half a minute and is shown as it was run; the others on demand.
NOTEBOOKS := 00
docs: $(STAMP)
	$(VENV)/bin/python docs/_ext/rendered_notebooks.py $(NOTEBOOKS)
	$(VENV)/bin/python -m sphinx --fail-on-warning --fresh-env --write-all --quiet docs docs/_build/html
	@echo docs/_build/html/index.html

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist docs/_build

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "serlab needs Python 3.11 or later, and there is none on the path." \
		"Install it, or say where it is: make PYTHON=/path/to/python3"; exit 1; } >&2
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu:" \
		"apt install python3-venv"; exit 1; } >&2
	@echo 'Installing packages into $(VENV): once, a few minutes.'
	$(VENV)/bin/python -m pip install --quiet -c constraints.txt -e '.[all,docs,test]'
	@touch $@
