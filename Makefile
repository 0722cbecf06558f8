# `make demo` shows what seqdec-gui does, `make test` runs every check. Both install what they need into .venv first.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS ?= gui,jax,keras2,onnx,tflite,reinvent,xlsx,mat,text,rdkit,subwords,bleu,sweep,tensorboard,mlflow,dev
# `make setup UNPINNED=1 VENV=.venv-unpinned` installs the newest versions instead of those in constraints.txt.
UNPINNED ?=
export UNPINNED
INSTALLED := $(VENV)/.installed
# A file to each worker: fixtures that take long are made once a file. Fast tests wait for processes and timers: three workers keep
# two cores busy.
PARALLEL := --dist loadfile
HOSTILE := build/hostile
QUICK := not slow and not timing and not pictures and not at_spi and not hostile

.PHONY: help setup demo test lint fast window timing slow long chaos hostile test-hosts test-cluster pictures test-xvfb test-at-spi dist constraints measure bench screenshots clean

help:
	@echo 'make demo         train the bundled example, export it, generate with it, open the window'
	@echo 'make test         lint and all tests (under 30 minutes on two cores)'
	@echo 'make fast         the tests that start no TensorFlow, JAX, run or window (a minute)'
	@echo 'make window       the tests of the window that start no TensorFlow, JAX or run (three minutes)'
	@echo 'make timing       the tests that measure time, one after the other'
	@echo 'make slow         the tests that train, export and generate'
	@echo 'make long         tests of half a minute and more, for what others show in part (15 minutes; not part of make test)'
	@echo 'make pictures     the window beside the pictures that were accepted (two minutes; not part of make test)'
	@echo 'make test-xvfb    the walk through the window and the canvas on a virtual screen'
	@echo 'make test-at-spi  what a screen reader finds in the window, on the accessibility bus (half a minute)'
	@echo 'make test-hosts   runs on a host, over a real sshd on loopback whose link is cut (installs it where that is possible)'
	@echo 'make test-cluster runs by several processes and in two network namespaces, lost processes among them (root for these)'
	@echo 'make lint         ruff, mypy and the import contracts'
	@echo 'make chaos        hurts runs, generating and exporting in every way that is to cost nothing (over an hour)'
	@echo 'make bench        samples per second beside plain Keras, as a table, bench.json and bench.svg'
	@echo 'make hostile      10,000 damaged files of every kind, and 300 bundles (SEED=1, INPUTS=10000; not part of make test)'
	@echo 'make dist         the source distribution and the wheel, in dist/'
	@echo 'make measure      how fast the window opens, draws and answers'
	@echo 'make screenshots  the pictures in docs/guide, every state of the window in screenshots/, and what is not as accepted'
	@echo '                  (ACCEPT=1: accept the window as it looks now)'
	@echo 'make setup        only install into $(VENV): the versions in constraints.txt, or the newest with UNPINNED=1'
	@echo 'make constraints  write the versions that $(VENV) has into constraints.txt'
	@echo 'make clean        remove caches and what the demo wrote; the installed $(VENV) stays'

setup: $(INSTALLED)

$(INSTALLED): setup.cfg setup.py pyproject.toml constraints.txt
	@tools/bootstrap.sh $(VENV) $(EXTRAS)
	@touch $@

demo: setup
	@tools/demo.sh $(BIN)

test: lint fast window timing slow test-xvfb test-at-spi

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fast: setup
	tools/run_tests.sh $(BIN)/python fast -m '$(QUICK)' -n 3 $(PARALLEL) --ignore tests/gui

window: setup
	QT_QPA_PLATFORM=offscreen tools/run_tests.sh $(BIN)/python window -m '$(QUICK)' -n 3 $(PARALLEL) tests/gui

timing: setup
	QT_QPA_PLATFORM=offscreen tools/run_tests.sh $(BIN)/python timing -m timing

# The walk through the window runs on a virtual screen.
slow: setup
	-@tools/openssh_server.sh
	QT_QPA_PLATFORM=offscreen tools/run_tests.sh $(BIN)/python slow -m 'slow and not long and not timing and not hostile and not cluster' \
		-n 2 $(PARALLEL) --ignore tests/gui/test_walk.py

long: setup
	QT_QPA_PLATFORM=offscreen tools/run_tests.sh $(BIN)/python long -m 'long and not timing and not cluster' -n 2 $(PARALLEL)

pictures: setup
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m pictures tests/gui/test_pictures.py

test-xvfb: setup
	tools/on_screen.sh tools/run_tests.sh $(BIN)/python xvfb -m 'not timing' tests/gui/test_walk.py \
		tests/gui/test_design_view.py tests/gui/test_design_view_keys.py tests/gui/test_design_view_panels.py

test-hosts: setup
	tools/openssh_server.sh
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m 'not timing and not pictures' tests/hosts tests/gui/test_hosts.py

test-cluster: setup
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m 'slow and not timing' tests/cluster

test-at-spi: setup
	tools/on_accessibility_bus.sh $(BIN)/python -m pytest -m at_spi tests/gui/test_at_spi.py

# The wheel is built from the source distribution, so that what the latter lacks is noticed. Without a cache: pip keeps wheels by
# the path of the source distribution.
dist: setup
	rm -rf dist
	$(BIN)/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")'
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --no-cache-dir -w dist dist/*.tar.gz

constraints: setup
	$(BIN)/python tools/make_constraints.py --extras $(EXTRAS)

measure: setup
	$(BIN)/python tools/measure_window.py

hostile: setup
	$(BIN)/python -m pytest -m hostile tests/hostile
	$(BIN)/python tools/fuzz_inputs.py --inputs $(or $(INPUTS),10000) --seed $(or $(SEED),1)
	$(BIN)/python tools/rows_in_rows_out.py --files 2000 --seed $(or $(SEED),1)
	rm -rf $(HOSTILE)
	$(BIN)/seqdec-gui train resources/examples/roman.seqdec --epochs 1 --run $(HOSTILE)/run >/dev/null
	$(BIN)/seqdec-gui export $(HOSTILE)/run --format bundle -o $(HOSTILE)/bundle.zip >/dev/null
	$(BIN)/python tools/fuzz_bundles.py $(HOSTILE)/bundle.zip 1987 42 --seed $(or $(SEED),1)

# Most faults without a framework, which only makes each start longer; then a part of them with it.
chaos: setup
	$(BIN)/python tools/chaos.py --engine numbers --kills 200 --files 132
	$(BIN)/python tools/chaos.py --engine tensorflow --kills 30 --files 22 --seed 2
	$(BIN)/python tools/chaos_tasks.py --tasks 48 --seed 3

bench: setup
	$(BIN)/seqdec-gui bench --json bench.json --chart bench.svg
	$(BIN)/seqdec-gui bench --generate --json bench-generate.json

screenshots: setup
ifdef ACCEPT
	$(BIN)/python tools/screenshots.py --accept
else
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/screenshots.py --every screenshots
	$(BIN)/python tools/screenshots.py --compare screenshots/changed
endif

clean:
	rm -rf screenshots pictures-changed bench.json bench-generate.json bench.svg build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
