# make demo    train on crowd answers, see the annotators, export the classifier, write a report (TensorFlow, offline)
# make test    the test suite; BACKEND=jax or BACKEND=torch for another backend than TensorFlow
# make test-lowest    what matters, on the lowest releases that pyproject.toml admits, under JAX
# make docs    the site of docs/, into site/, offline once its packages are installed; warnings are errors
# make dist    the source distribution and the wheel, into dist/, each tried with the README's snippet in a fresh environment that has BACKEND alone
# make lint    style, types, and the worst habits of docstrings and pages
PYTHON ?= python3.11
BACKEND ?= tensorflow
BIN := .venv/bin
# Python compiles what it imports, which is a fraction of what is installed, and keeps it, whatever the environment says:
# compiled anew in each process, TensorFlow and Keras take 24 s to import instead of 8.
export PYTHONDONTWRITEBYTECODE =
PIP := $(BIN)/pip install --quiet --no-compile
# tests/test_backend.py compares them with pyproject.toml.
LOWEST := keras==3.10.0 numpy==1.26.0 jax==0.5.0 jaxlib==0.5.0
ON_LOWEST := backend contracts lazy_adam layers losses models older_keras optimizers recipe
RUN := KERAS_BACKEND=$(BACKEND) TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python

.PHONY: demo test test-lowest docs dist lint clean

demo: .venv/demo
	@# TensorFlow writes lines of its own before its log level counts: they are shown only where something fails.
	@KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/digits_crowd_layer.py \
	  2> .venv/demo.log || { cat .venv/demo.log >&2; exit 1; }

# By files, in their order: what a module trains for its tests is trained once.
test: .venv/test-$(BACKEND)
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-lowest: .venv-lowest/test
	KERAS_BACKEND=jax .venv-lowest/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	  $(wildcard $(ON_LOWEST:%=tests/test_%.py) $(ON_LOWEST:%=tests/*/test_%.py))

# Reads the sources, imports nothing: it needs no backend.
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dist: .venv/dist
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*
	for file in dist/*; do \
	  $(PYTHON) -m venv --clear .venv-dist && \
	  .venv-dist/bin/pip install --quiet $(if $(filter torch,$(BACKEND)),torch==2.13.0) "$$file[$(BACKEND)]" && \
	  (cd .venv-dist && PYTHONPATH=../tests/helpers KERAS_BACKEND=$(BACKEND) bin/python -c "import pages; pages.run(pages.README)") \
	  || exit 1; \
	done

lint: .venv/test-tensorflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/helpers/prose.py

# The CPU build of PyTorch; the newest release would bring gigabytes of CUDA.
.venv/test-torch: pyproject.toml | .venv/pip
	$(PIP) torch==2.13.0
	$(PIP) -e '.[tensorflow,torch,onnx,test]'
	touch $@

.venv/test-jax: pyproject.toml | .venv/pip
	$(PIP) -e '.[tensorflow,jax,test]'
	touch $@

.venv/test-tensorflow: pyproject.toml | .venv/pip
	$(PIP) -e '.[tensorflow,test]'
	touch $@

.venv-lowest/test: pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/pip install --quiet --no-compile -e '.[jax]' $(LOWEST) hypothesis pytest pytest-xdist scipy
	touch $@

.venv/docs: pyproject.toml | .venv/pip
	$(PIP) -e '.[docs]'
	touch $@

.venv/dist: | .venv/pip
	$(PIP) build twine
	touch $@

.venv/demo: pyproject.toml | .venv/pip
	$(PIP) -e '.[tensorflow,examples]'
	touch $@

.venv/pip:
	$(PYTHON) -m venv .venv
	touch $@

clean:
	rm -rf .cache .venv .venv-dist .venv-lowest build dist site *.egg-info
