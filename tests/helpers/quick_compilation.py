"""Compilers that hurry, in every process of a test run: tests compile much and compute little.

To be imported before a backend. What is set in the environment stays; processes that tests start inherit it.
"""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault(
    "XLA_FLAGS", "--xla_llvm_disable_expensive_passes=true --xla_backend_optimization_level=0"
)
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # What one worker has compiled, the others need not; the process that starts the workers removes it.
    folder = tempfile.mkdtemp(prefix="keras_crowd_tests_")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
