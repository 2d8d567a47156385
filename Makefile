# All tasks of developers and CI. `make help` lists the targets.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA    ?=
COVERAGE ?=
CHANNEL ?= MOODLE
PORT    ?= 8000
# Of the sandbox of course-discovery and the Open edX LMS.
OPEN_EDX_PORT ?= $(shell expr $(PORT) + 2)
SAMPLE := enterprise_catalog/catalog/sample_catalog.jsonl
OPEN_EDX := enterprise_catalog/sandbox/open_edx
# Processes that run tests at the same time, by default 3 in each half. Tests often wait, above all those that start
# processes, so these numbers keep two cores busy. Servers that are given are for one process only.
WORKERS ?= $(if $(TEST_DATABASE_URL)$(TEST_REDIS_URL),0)

# Must also run on Python 2.7. The message names the interpreter, because PATH may contain several.
PYTHON_CHECK := import sys; sys.version_info >= (3, 11) or sys.exit("Python %d.%d.%d at %s is not supported. \
	Python 3.11 or later is needed; name one with: make PYTHON=python3.12 ..." % (sys.version_info[:3] + (sys.executable,)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow test-on-sqlite test-on-mariadb coverage-report test-django60 test-all soak quality benchmark benchmark-audit-view benchmark-growing-data benchmark-fleet run migrate docs pictures changelog requirements upgrade licenses format clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.base ## Fill a catalog from course-discovery, sync it to an LMS, change it, sync again  [DATA=path.jsonl CHANNEL=MOODLE]
	@$(BIN)/python manage.py demo --channel $(CHANNEL) $(if $(DATA),--data '$(DATA)')

# CONTRIBUTING.rst lists what each half runs, and which tests are slow. Both halves run at the same time, because their
# tests often wait; each half's output is shown when it ends. With servers that are given, and with `make -j1 test`, they
# run one after the other. Both run even if one fails. One half without selected tests is fine; two such halves are a
# failure.
AT_ONCE = $(if $(filter -j%,$(MAKEFLAGS))$(TEST_DATABASE_URL)$(TEST_REDIS_URL),,--jobs=2 --output-sync)
SPEED = not slow
test: $(VENV)/.test ## Run each test on SQLite or on MariaDB, each half with WORKERS processes  [ARGS="-k diff" WORKERS=2]
	@rm -f $(VENV)/.exit-code-of-*
	@$(MAKE) --no-print-directory --keep-going $(AT_ONCE) test-on-sqlite test-on-mariadb || true
	@failed=0; ran=0; \
	for half in sqlite mariadb; do \
		code=$$(cat $(VENV)/.exit-code-of-$$half 2>/dev/null || echo "none, interrupted"); \
		case $$code in \
			0) outcome=passed; ran=1 ;; \
			5) outcome="no test selected" ;; \
			*) outcome="FAILED (exit code $$code)"; failed=1 ;; \
		esac; \
		echo "== tests on $$half: $$outcome"; \
	done; \
	if [ $$failed = 0 ] && [ $$ran = 0 ]; then echo "No test was selected in either half ($(SPEED))."; fi; \
	[ $$failed = 0 ] && [ $$ran = 1 ]

test-slow: ## Run the tests that make test leaves to CI, in the same way  [ARGS="-k alerts" WORKERS=2]
	@$(MAKE) --no-print-directory test SPEED=slow

# A worker runs whole files. Files with long tests come first (tests/services.py).
PARALLEL = --numprocesses $(or $(WORKERS),$(1)) --dist loadfile --no-loadscope-reorder

# What runs where is in CONTRIBUTING.rst. Bytecode saves each worker the compilation of all tests, 6 s of CPU time.
test-on-sqlite test-on-mariadb soak: export PYTHONDONTWRITEBYTECODE =
test-on-sqlite: $(VENV)/.test
	$(BIN)/python -m pytest $(call PARALLEL,3) $(if $(COVERAGE),--cov --cov-report= $(if $(filter not,$(SPEED)),,--cov-append)) -m "$(SPEED) and (not processes or django_db)" $(ARGS); $(call store_exit_code,sqlite)

test-on-mariadb: $(VENV)/.test
	$(BIN)/python -m pytest $(call PARALLEL,3) --mariadb -m "$(SPEED) and (not processes and django_db or processes and not django_db)" $(ARGS); $(call store_exit_code,mariadb)

# The tracer of Python 3.11 doubles the CPU time of the code that it traces, so only the SQLite half is measured, and only
# with COVERAGE=1.
coverage-report: $(VENV)/.test ## Report branch coverage after make test test-slow COVERAGE=1: the total, and files below 90 %
	@$(BIN)/coverage report --sort=cover | awk 'NR <= 2 || /^TOTAL/ || $$NF + 0 < 90'

# Exit code 5 of pytest: no test was selected.
store_exit_code = code=$$?; echo $$code > $(VENV)/.exit-code-of-$(1); [ $$code = 0 ] || [ $$code = 5 ]

# Tests that use much of Django. The complete set on Django 6.0 takes as long as `make test`; tox runs it.
DJANGO60_TESTS := tests/catalog tests/api tests/admin_pages/test_every_page.py \
	$(addprefix tests/integrated_channels/,audit/test_bulk.py sync/test_engine.py)
# Django 6.0 needs Python 3.12. Searches PATH, then the versions that pyenv has installed.
PYTHON312 ?= $(shell for python in python3.13 python3.12 $$HOME/.pyenv/versions/3.13.*/bin/python \
	$$HOME/.pyenv/versions/3.12.*/bin/python; do \
	$$python -c "" 2>/dev/null && echo $$python && break; done)

test-django60: ## Run a sample of the tests on Django 6.0 and SQLite  [ARGS="-k diff" PYTHON312=python3.13]
	@[ "$(PYTHON312)" ] || { echo "Django 6.0 needs Python 3.12 or 3.13, and neither was found." \
		"Name one with: make test-django60 PYTHON312=..." >&2; exit 1; }
	@$(MAKE) --no-print-directory VENV=$(VENV)-django60 PYTHON=$(PYTHON312) $(VENV)-django60/.django60
	$(VENV)-django60/bin/python -m pytest $(call PARALLEL,3) -m "not processes" $(DJANGO60_TESTS) $(ARGS)

test-all: $(VENV)/.dev ## Run the tests on each installed Python version, on Django 5.2 and 6.0
	$(BIN)/tox

soak: $(VENV)/.test ## Run the long form of resilience, refresh, staleness, fuzzing and accessibility tests  [ARGS="-k kills --seed 7"]
	REQUIRE_SERVICES=1 STALENESS_SECONDS=60 $(BIN)/python -m pytest --soak -o timeout=7200 $(call PARALLEL,2) \
		tests/integrated_channels/resilience tests/web/test_any_request.py tests/api/test_any_input.py \
		tests/catalog/test_staleness.py tests/catalog/discovery/test_killed_refreshes.py \
		tests/admin_pages/test_accessibility.py tests/benchmarks \
		tests/integrated_channels/monitoring/test_picture.py $(ARGS)

quality: $(VENV)/.quality ## Run CI's static checks: everything but tests, demo and docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

benchmark: BENCHMARK ?= --sizes 1000,10000,50000,200000 --runs 15 --load-seconds 30 --documents 10000 --sharers 2000 \
	--sync-sizes 5000,50000 --change-sizes 5000,50000,200000 --slow-lms-items 5000 --docs
benchmark: $(VENV)/.test ## Measure catalog and syncs on a private MariaDB; results go into the docs  [ARGS=--open-edx BENCHMARK="--sizes 1000,10000"]
	$(BIN)/python -m tests.benchmarks $(BENCHMARK) $(ARGS)

benchmark-audit-view: $(VENV)/.test ## Check the statements and rows of admin pages with 10 million rows  [BENCHMARK="--transmissions 1000000"]
	$(BIN)/python -m tests.benchmarks.audit_view $(BENCHMARK)

benchmark-growing-data: $(VENV)/.test ## Explain a run's statements, and remove old rows, with 100 million attempts  [BENCHMARK="--attempts 1000000"]
	$(BIN)/python -m tests.benchmarks.growing_data $(BENCHMARK)

benchmark-fleet: BENCHMARK ?= --docs
benchmark-fleet: $(VENV)/.test ## Measure 10,000 configurations with all processes; results go into the docs  [BENCHMARK="--configurations 1000"]
	$(BIN)/python -m tests.benchmarks.fleet $(BENCHMARK)

format: $(VENV)/.quality ## Format the code and apply automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migrate: $(VENV)/.base ## Migrate the local database
	$(BIN)/python manage.py migrate

# The local settings save the ports, so commands in other shells use them.
run: export LOCAL_PORT = $(PORT)
run: export LOCAL_OPEN_EDX_PORT = $(OPEN_EDX_PORT)
run: $(VENV)/.base ## Run web service, workers, scheduler and course-discovery; admin at http://127.0.0.1:PORT/admin/  [PORT=8000 DATA=path.jsonl]
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py ensure_local_admin
	@trap 'trap - INT TERM EXIT; kill 0' INT TERM EXIT; \
	$(BIN)/celery -A enterprise_catalog worker --loglevel INFO --hostname scheduler@%h --queues scheduler --pool solo & \
	$(BIN)/celery -A enterprise_catalog worker --loglevel INFO --queues interactive,changes,celery,sweep & \
	$(BIN)/celery -A enterprise_catalog beat --loglevel INFO & \
	$(BIN)/python manage.py run_sandbox --service OPEN_EDX --port $(OPEN_EDX_PORT) --knob accepts_any_token=1 \
		--data '$(or $(DATA),$(SAMPLE))' --data $(OPEN_EDX)/sample_pathways.jsonl \
		--customers $(OPEN_EDX)/sample_customers.json & \
	$(BIN)/python manage.py runserver --noreload 127.0.0.1:$(PORT)

# Tests with the fixture `pictures`.
pictures: $(VENV)/.test ## Renew the screenshots in docs/images; browser tests take them
	$(BIN)/python -m pytest --pictures tests/integrated_channels/admin/test_planted_causes.py \
		tests/integrated_channels/monitoring/test_picture.py

docs: $(VENV)/.doc ## Build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

changelog: $(VENV)/.doc ## Move the fragments in changelog.d/ into CHANGELOG.rst, under the version in setup.cfg
	$(BIN)/towncrier build --yes --version "$$(sed -n 's/^version = //p' setup.cfg)"

requirements: ## Install all development dependencies
	@$(MAKE) --no-print-directory $(VENV)/.dev

upgrade: $(VENV)/.dev ## Update all pins: compile requirements/*.in to *.txt
	cd requirements && for name in base production tracing test quality doc dev; do \
		../$(BIN)/uv pip compile --quiet --upgrade --universal --no-strip-extras --generate-hashes --no-header \
			--fork-strategy fewest --python-version 3.11 --annotation-style line \
			--output-file $$name.txt $$name.in || exit 1; \
	done
	cd requirements && ../$(BIN)/uv pip compile --quiet --upgrade --universal --no-strip-extras --generate-hashes \
		--no-header --python-version 3.12 --annotation-style line --output-file django60.txt django60.in
	@echo "Install the new versions with make requirements, then update the list of licenses with make licenses."

licenses: $(VENV)/.dev ## Update docs/reference/licenses.rst from the installed packages
	$(BIN)/python -m tests.docs.licenses

clean: ## Remove the virtual environment, caches and built docs
	rm -rf $(VENV) $(VENV)-django60 .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache docs/_build

# --- virtual environment: one stamp file per requirements file --------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c '$(PYTHON_CHECK)'
	@existed=$$(test -e $(VENV) && echo yes); echo "$(PYTHON) -m venv $(VENV)"; \
	$(PYTHON) -m venv $(VENV) || { [ "$$existed" ] || rm -rf $(VENV); exit 1; }

$(VENV)/.%: requirements/%.txt | $(BIN)/python
	@$(BIN)/python -c '$(PYTHON_CHECK)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(VENV)/.django60: requirements/test.txt requirements/django60.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/django60.txt
	@touch $@

# mysqlclient needs a C compiler. If its build fails, all other packages are still installed, and the MariaDB tests are
# skipped with the reason.
$(VENV)/.test: requirements/test.txt requirements/production.txt | $(BIN)/python
	@$(BIN)/python -c '$(PYTHON_CHECK)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/production.txt || { \
		awk '/^[^ #]/ {skip = /^mysqlclient==/} !skip' requirements/production.txt > $(VENV)/without-mysqlclient.txt && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/without-mysqlclient.txt && \
		echo "mysqlclient could not be built (it needs libmariadb-dev, pkg-config and a C compiler)"; }
	@touch $@
