.PHONY: setup demo test soak check bench pictures clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_TO_BENCH := $(VENV)/.ready-to-bench

$(READY): pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]' 1>&2
	@touch $@

setup: $(READY)

demo: $(READY)
	@$(BIN)/calcinosis-pathway demo $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

soak: $(READY)
	$(BIN)/python -m tests.faults $(ARGS)
	$(BIN)/python -m pytest tests/pathway/test_properties.py --hypothesis-profile soak --timeout 3600

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(READY_TO_BENCH): $(READY)
	-@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]' 1>&2 && touch $@

bench: $(READY_TO_BENCH)
	$(BIN)/python -m benchmarks $(ARGS)

pictures: $(READY)
	$(BIN)/python -m tools.pictures

clean:
	rm -rf $(VENV) var build .pytest_cache .mypy_cache .ruff_cache
