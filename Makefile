# make demo    train on crowd answers, see the annotators, export the classifier (TensorFlow, offline)
# make test    the test suite; BACKEND=jax or BACKEND=torch for another backend than TensorFlow
# make lint    style and types
PYTHON ?= python3.11
BACKEND ?= tensorflow
BIN := .venv/bin
RUN := KERAS_BACKEND=$(BACKEND) TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python

.PHONY: demo test lint clean

demo: .venv/demo
	KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/digits_crowd_layer.py

test: .venv/test-$(BACKEND)
	$(RUN) -m pytest

lint: .venv/test-tensorflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The CPU build of PyTorch; the newest release would bring gigabytes of CUDA.
.venv/test-torch: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet -e '.[tensorflow,torch,test]'
	touch $@

.venv/test-jax: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet -e '.[tensorflow,jax,test]'
	touch $@

.venv/test-tensorflow: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet -e '.[tensorflow,test]'
	touch $@

.venv/demo: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet -e '.[tensorflow,examples]'
	touch $@

.venv/pip:
	$(PYTHON) -m venv .venv
	touch $@

clean:
	rm -rf .venv build *.egg-info
