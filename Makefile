# make demo    a provider, a site, and a login between them; then try it yourself
# make test    the whole suite
# Both need Python 3.11 or later and the package index, nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=
FUZZ_SECONDS ?= 300

.PHONY: demo test lint fuzz mutants e2e interop ci clean

demo: $(VENV)/.dev
	$(BIN)/python -m pkce_project.demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python tests/run.py $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy oauth_login

# The properties of tests/properties, for FUZZ_SECONDS.
fuzz: $(VENV)/.dev
	$(BIN)/python tests/fuzz.py $(FUZZ_SECONDS)

# Which changes of the rules' code does no test notice? A few minutes.
mutants: $(VENV)/.mutants
	$(BIN)/python tests/mutants.py $(ARGS)

# A real browser: Debian's Chromium, or the one that CHROMIUM names.
e2e: $(VENV)/.e2e
	$(BIN)/python -m pytest tests/e2e $(ARGS)

# A provider nobody here wrote: needs Node.
interop: $(VENV)/.dev tests/interop/node_modules/.installed
	$(BIN)/python -m pytest tests/interop $(ARGS)

ci:
	bash .ci/run

clean:
	rm -rf $(VENV) .demo .hypothesis mutants tests/interop/node_modules

$(VENV)/.dev: requirements.txt requirements-dev.txt constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -r requirements-dev.txt
	touch $@

$(VENV)/.e2e: $(VENV)/.dev requirements-e2e.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -r requirements-e2e.txt
	touch $@

$(VENV)/.mutants: $(VENV)/.dev requirements-mutants.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -r requirements-mutants.txt
	touch $@

tests/interop/node_modules/.installed: tests/interop/package-lock.json
	cd tests/interop && npm ci --silent
	touch $@
