"""The version of keras_crowd, readable without importing Keras."""

__version__ = "0.1.0"
