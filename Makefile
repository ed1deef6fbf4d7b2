# One word each, the same here and in the gate. `make test` and the others use .venv, which
# `make .venv/bin` makes; say BIN=/path/to/bin to use another environment.

PYTHON ?= python3
BIN ?= .venv/bin

.PHONY: serve tui demo snap test check bench torture readers constraints

serve: $(BIN)
	$(BIN)/slowping serve

tui: $(BIN)
	$(BIN)/slowping tui

demo: $(BIN)
	$(BIN)/slowping demo

# The pictures of the README, and what the screens look like in the tests: see what has changed.
snap: $(BIN)
	$(BIN)/python -m slowping.demo.picture docs/pictures
	$(BIN)/pytest -q tests/tui --update-snapshots

test: $(BIN)
	$(BIN)/pytest -n 4

check: $(BIN)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 4

bench: $(BIN)
	$(BIN)/python -m benchmarks

# Nearly two hours: the runs that try to break what is promised, and the table of what they measured.
torture: $(BIN)
	-$(MAKE) readers
	$(BIN)/python -m tests.torture --write docs/reliability.md

# Programs of others, of Node, that read mails and verify signatures there; it goes without them too.
readers:
	npm install --no-audit --no-fund --prefix tests/laboratory/node

.venv/bin:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e '.[fast,test,check,bench,torture]'

# What a fresh environment gets today: run it, run `make check`, and commit both or neither.
constraints:
	fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	$(PYTHON) -m venv "$$fresh" && \
	"$$fresh/bin/pip" install -q '.[fast,test,check,bench,torture]' && \
	{ sed -n '/^#/p' constraints.txt; "$$fresh/bin/pip" freeze --exclude slowping; } > constraints.new && \
	mv constraints.new constraints.txt
