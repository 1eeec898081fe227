# Two commands for visitors: `make book` and `make test`. Each sets itself up in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
CONSTRAINTS := --constraint constraints.txt  # `make test CONSTRAINTS=` takes the newest versions instead

.PHONY: book test test-book pdf lint drift links bench records lock clean

book: $(READY)  ## synthetic corpus -> every notebook at smoke -> strict offline HTML
	$(BIN)/mer book --preset smoke

pdf: $(READY)  ## the book, and all of it as one PDF; needs a Chromium
	$(BIN)/mer book --preset smoke --pdf

test: $(READY)  ## the test suite but for the built book; tests on real data join in when MER_DATA is set
	$(BIN)/python -m pytest -m "not browser"

test-book: book  ## what must hold for the built book, looked at in a Chromium
	$(BIN)/python -m pytest -m browser tests/test_rendered_book.py

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

drift: $(READY)  ## every number that this machine can make again, held against its record
	$(BIN)/mer drift

links: $(READY)  ## the book's links to elsewhere, in a folder of their own; needs a network and a book
	$(BIN)/jupyter-book build book --all --keep-going --builder linkcheck --path-output _linkcheck

bench: $(READY)  ## how fast this machine is beside what one would otherwise use, in a quarter of an hour; leave it alone meanwhile
	$(BIN)/python -m benchmarks

records: $(READY)  ## the recorded experiments on real audio; needs MER_DATA
	$(BIN)/mer run all --preset cpu

# Exact versions as pip constraints: they bind what gets installed, and leave to pip which build of torch fits the machine.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --editable ".[backbones,book,notebooks,embeddings,export,dev]"
	touch $(READY)

lock: $(READY)  ## write constraints.txt anew from what is installed
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//; s/+cu[0-9]*$$//' > constraints.txt

clean:
	rm -rf _build _linkcheck book/executed book/generated book/_assets book/node_modules data/cache data/results/smoke
