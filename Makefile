# `make help` lists what this does. All of it needs Python 3.11 or later and a package
# index; some of it needs more, and says what.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=
FUZZ_SECONDS ?= 300

.PHONY: demo help test lint fuzz mutants e2e interop neighbours messages ci clean FORCE

demo: $(VENV)/.dev ## a provider, a site, and a login between them; then try it yourself
	$(BIN)/python -m pkce_project.demo $(ARGS)

help: ## this list
	@sed -nE 's/^([a-z0-9]+):.* ## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r target text; do printf '%-17s%s\n' "$$target" "$$text"; done

test: $(VENV)/.dev ## the whole suite, with its coverage
	$(BIN)/python tests/run.py $(ARGS)

lint: $(VENV)/.dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy oauth_login tests

fuzz: $(VENV)/.dev ## the properties of tests/properties, for FUZZ_SECONDS
	$(BIN)/python tests/fuzz.py $(FUZZ_SECONDS)

mutants: $(VENV)/.mutants ## which changes of the rules' code does no test notice? (minutes)
	$(BIN)/python tests/mutants.py $(ARGS)

e2e: $(VENV)/.e2e ## logins in a real browser: Debian's Chromium, or the one that CHROMIUM names
	$(BIN)/python -m pytest tests/e2e $(ARGS)

interop: $(VENV)/.dev tests/interop/node_modules/.installed ## logins at another project's provider (needs Node)
	$(BIN)/python -m pytest tests/interop $(ARGS)

neighbours: $(VENV)/.dev ## logins beside other people's packages, installed for real (minutes)
	$(BIN)/python -m pytest -q tests/neighbours $(ARGS)

# English says what the sources say; dates would differ in every run.
LOCALES = oauth_login/locale/*/LC_MESSAGES/django.po
DJANGO = DJANGO_SETTINGS_MODULE=tests.settings PYTHONPATH=.. $(abspath $(BIN))/python -m django
messages: $(VENV)/.dev ## the catalogues of texts: docs/translations.md (needs gettext)
	cd oauth_login && $(DJANGO) makemessages --all --no-obsolete --no-wrap \
	  --add-location file
	msgen --no-wrap -o oauth_login/locale/en/LC_MESSAGES/django.po \
	  oauth_login/locale/en/LC_MESSAGES/django.po
	sed -i '/^"POT-Creation-Date/d' $(LOCALES)
	cd oauth_login && $(DJANGO) compilemessages

ci: ## everything that must hold before a change lands (needs Debian); ARGS="lint suite" for some steps
	bash .ci/run $(ARGS)

clean: ## remove what the others made
	rm -rf $(VENV) .demo .hypothesis mutants tests/interop/node_modules

# The environment is whole if its Python runs, is new enough and has pip. One that is not,
# because its making was interrupted or its Python is gone, is made anew.
WHOLE := $(shell $(BIN)/python -c 'import sys, pip._internal.cli.main; print("yes" * (sys.version_info >= (3, 11)))' 2>&- || :)

# What is wrong with PYTHON, said before anything is made.
RUNS = $(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>&-)
IS_NEW = $(shell $(PYTHON) -c 'import sys; print("yes" * (sys.version_info >= (3, 11)))' 2>&-)
HAS_VENV = $(shell $(PYTHON) -c 'import venv, ensurepip; print("yes")' 2>&-)
INSTEAD = try: make PYTHON=/path/to/python3.11
CHECK = $(if $(RUNS),,$(error "$(PYTHON)" does not run, and Python 3.11 or later is needed; $(INSTEAD)))\
$(if $(IS_NEW),,$(error "$(PYTHON)" is Python $(RUNS), and 3.11 or later is needed; $(INSTEAD)))\
$(if $(HAS_VENV),,$(error "$(PYTHON)" has no venv (Debian: apt-get install python3-venv); $(INSTEAD)))
NEW_VENV = $(CHECK)$(PYTHON) -m venv $(if $(wildcard $(VENV)/pyvenv.cfg),--clear) $(VENV)

FORCE:

$(VENV)/.dev: requirements.txt requirements-dev.txt constraints.txt $(if $(WHOLE),,FORCE)
	$(if $(WHOLE),,$(NEW_VENV))
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
