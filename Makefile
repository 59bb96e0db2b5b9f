# Two commands do all the set-up on a fresh machine:
#   make demo    a simulated clinic, backed up as its clock runs, and the dashboard
#   make test    all tests; with root and apt it also installs what they need of Debian's packages
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEBIAN := orthanc orthanc-dicomweb orthanc-postgresql postgresql dcmtk chromium-headless-shell unixodbc tdsodbc freetds-bin nginx-light

unexport PYTHONDONTWRITEBYTECODE  # each process of a test would compile the whole project again

.PHONY: demo test tests lint run bench mutants pictures clean

demo: $(VENV)/run
	$(BIN)/python -m demo $(ARGS)

# Beside each other: mypy alone would leave the other cores idle for half a minute.
test: $(VENV)/dev debian
	@$(MAKE) --no-print-directory --jobs 2 lint tests

tests: $(VENV)/dev
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

run: $(VENV)/run
	$(BIN)/python -m streamlit run app/main.py

bench: $(VENV)/dev debian
	$(BIN)/python -m benchmarks $(ARGS)

# Which changes to the clinical arithmetic no test would notice; docs/mutation.md has the last answer.
mutants: $(VENV)/dev
	$(BIN)/python -m tests.mutation $(or $(ARGS),recovery/course)

# One picture of every page, of the simulated clinic, for README and documentation.
pictures: $(VENV)/dev debian
	$(BIN)/python -m demo.run.pictures docs $(ARGS)

$(VENV)/run: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev: requirements.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/run

# Where a release of Debian has no Chromium without windows, the whole one does.
# Without root and apt the tests that need these skip, and say how to install them.
.PHONY: debian
debian:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  missing=$$(for p in $(DEBIAN); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	  if [ -n "$$missing" ]; then \
	    apt-get update -qq && \
	    missing=$$(for p in $$missing; do apt-cache show $$p >/dev/null 2>&1 && echo $$p || echo chromium; done) && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing || \
	    echo "not installed: $$missing; the tests that need them will skip"; \
	    for p in orthanc nginx postgresql; do service $$p stop >/dev/null 2>&1 || true; done; \
	  fi; \
	else \
	  echo "no root or no apt: for all tests, install $(DEBIAN)"; \
	fi

clean:
	rm -rf $(VENV) demo-data .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
