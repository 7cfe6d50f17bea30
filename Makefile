# make demo    a provider, a site, and a login between them; then try it yourself
# make test    the whole suite
# Both need Python 3.11 or later and the package index, nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=
FUZZ_SECONDS ?= 300

.PHONY: demo test lint fuzz mutants e2e interop messages ci clean

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

# The catalogues of texts, from the sources and back into them: docs/translations.md.
# Needs gettext. English says what the sources say; dates would differ in every run.
LOCALES = oauth_login/locale/*/LC_MESSAGES/django.po
DJANGO = DJANGO_SETTINGS_MODULE=tests.settings PYTHONPATH=.. $(abspath $(BIN))/python -m django
messages: $(VENV)/.dev
	cd oauth_login && $(DJANGO) makemessages --all --no-obsolete --no-wrap \
	  --add-location file
	msgen --no-wrap -o oauth_login/locale/en/LC_MESSAGES/django.po \
	  oauth_login/locale/en/LC_MESSAGES/django.po
	sed -i '/^"POT-Creation-Date/d' $(LOCALES)
	cd oauth_login && $(DJANGO) compilemessages

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
