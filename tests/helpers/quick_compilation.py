"""Compilers that hurry, in every process of a test run: tests compile much and compute little.

To be imported before a backend. What is set in the environment stays; processes that tests start inherit it. JAX's
cache of compilations is not used: programs that JAX 0.5 reads back from it write into arrays that were given away.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS", "--xla_llvm_disable_expensive_passes=true --xla_backend_optimization_level=0"
)
