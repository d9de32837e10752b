# Two commands do everything on a machine with git, make and Python >= 3.12:
#   make demo   sets up and runs the device study on scikit-learn's digits
#   make test   sets up, lints, type-checks and runs the fast tests
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: demo test test-slow test-kill test-lowest bench docs wheel lint requirements clean

# Where bytecode may not be written, each of the many processes compiles torch's modules anew.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

demo: $(READY)
	$(BIN)/rpu-ssnn run digits_devices --out out/digits_devices

test: lint
	$(BIN)/python -m pytest -n 2

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

# Fifty SIGKILLs at random moments of a small study: some minutes.
test-kill: $(READY)
	$(BIN)/python -m pytest -m slow -s tests/studies/execution/test_many_kills.py

# The fast tests with the lowest releases of all dependencies that pyproject.toml allows, as far as
# they have wheels for this Python; in an environment of its own. Old releases call what others
# have deprecated since, which is not ours to mend.
LOWEST := .venv-lowest
test-lowest: $(READY)
	rm -rf $(LOWEST) && $(BIN)/uv venv --quiet --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --only-binary :all: --all-extras \
		--python $(LOWEST)/bin/python pyproject.toml -o $(LOWEST)/lowest.txt
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python -r $(LOWEST)/lowest.txt
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps --no-build-isolation -e .
	$(LOWEST)/bin/python -m pytest -n 2 -W default::DeprecationWarning -W default::FutureWarning

bench: $(READY)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/native.py
	$(BIN)/python benchmarks/workers.py

# The site, into out/site; a broken link or a page outside the navigation is an error.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

# Builds the wheel, installs it into an environment of its own, and runs the demo study from there.
wheel: $(READY)
	tools/check_wheel.sh

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports pyproject.toml

# The first Python >= 3.12 found; PYTHON=... chooses another.
$(READY): requirements.txt requirements-uv.txt pyproject.toml tools/find_python.sh
	@echo "installing the tested versions into $(VENV), which takes some minutes at most"
	python=$$(tools/find_python.sh "$(PYTHON)") && rm -rf $(VENV) && "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	$(BIN)/rpu-ssnn doctor
	touch $@

# Renews the pins; --no-header keeps machine paths out of the file.
requirements: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-header \
		--python-version 3.12 --all-extras pyproject.toml -o requirements.txt

clean:
	rm -rf $(VENV) out build *.egg-info
