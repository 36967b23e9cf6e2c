"""Keras, told to run on TensorFlow before it is imported."""

from __future__ import annotations

import os

# Read when the library is imported.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # pyright: ignore[reportMissingImports]

__all__ = ["keras"]
