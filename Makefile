# Two commands for visitors: `make book` and `make test`. Each installs what it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin
CONSTRAINTS := --constraint constraints.txt  # `make test CONSTRAINTS=` takes the newest versions instead

.NOTPARALLEL:  # one installation at a time
.PHONY: book test test-book pdf lint drift links cluster bench records report report-slow coverage lock clean

book: .venv/book-ready  ## synthetic corpus -> every notebook at smoke -> strict offline HTML
	$(BIN)/mer book --preset smoke

pdf: .venv/book-ready  ## the book, and all of it as one PDF; needs a Chromium
	$(BIN)/mer book --preset smoke --pdf

test: .venv/test-ready .venv/musicnn-weights  ## the test suite but for the built book; tests on real data join in when MER_DATA is set
	$(BIN)/python -m pytest -m "not browser" --numprocesses auto --dist loadfile

report: .venv/test-ready .venv/musicnn-weights  ## the same, and their counts for the page on promises
	$(BIN)/python -m pytest -m "not browser" --numprocesses auto --dist loadfile --report

report-slow: .venv/test-ready .venv/musicnn-weights  ## an hour and more of damage: changed bytes, killed runs, deliberate faults
	$(BIN)/python -m pytest -m slow --report
	$(BIN)/python tests/mutation.py

coverage: .venv/coverage-ready .venv/musicnn-weights  ## which share of the packages' lines the ordinary tests run, for the same page
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -m "not browser"
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage json
	$(BIN)/python -m mer_companion.book.promises coverage.json

test-book: book .venv/browser-ready  ## what must hold for the built book, looked at in a Chromium
	$(BIN)/python -m pytest -m browser tests/test_rendered_book.py

lint: .venv/lint-ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

drift: .venv/book-ready  ## every number that this machine can make again, held against its record
	$(BIN)/mer drift

links: .venv/book-ready  ## the book's links to elsewhere, in a folder of their own; needs a network and a book
	$(BIN)/jupyter-book build book --all --keep-going --builder linkcheck --path-output _linkcheck

cluster: .venv/test-ready .venv/cluster-ready  ## the same experiment on every engine, with losses; Slurm needs root
	$(BIN)/python -m tests.cluster

bench: .venv/test-ready  ## how fast this machine is beside what one would otherwise use, in a quarter of an hour; leave it alone meanwhile
	$(BIN)/python -m benchmarks

records: .venv/book-ready  ## the recorded experiments on real audio; needs MER_DATA
	$(BIN)/mer run all --preset cpu

# MusiCNN's released weights, which tests compare with the original's answers; its code, which needs TensorFlow, is not used.
.venv/musicnn-weights: .venv/test-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --no-deps musicnn
	touch $@

# Each command installs the extra of pyproject.toml that it needs, once. Exact versions are pip constraints: they bind what gets
# installed, and leave to pip which build of torch fits the machine.
.venv/%-ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --editable ".[$*]"
	touch $@

lock: .venv/dev-ready  ## write constraints.txt anew from what is installed
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//; s/+cu[0-9]*$$//' > constraints.txt

clean:
	rm -rf _build _linkcheck book/executed book/generated book/_assets book/node_modules data/cache data/results/smoke
