"""Compilers that hurry, and one thread for each process of a test run: tests compile much and compute little.

To be imported before a backend. What is set in the environment stays; processes that tests start inherit it. JAX's
cache of compilations is not used: programs that JAX 0.5 reads back from it write into arrays that were given away.
Two workers keep two cores busy; a second thread in each would only wait for the first, and spin. XLA ends a process
that gives it a flag it does not know, so the flag that saves most, the emitters of fusions that go through MLIR, is
left out for older releases.
"""

import importlib.metadata
import os

KNOWS_FUSION_EMITTERS = {"jaxlib": (0, 10), "tensorflow": (2, 21)}


def _knows(package: str, since: tuple[int, ...]) -> bool:
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return True
    return tuple(int(part) for part in version.split(".")[:2]) >= since


FLAGS = [
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_backend_optimization_level=0",
    "--xla_cpu_multi_thread_eigen=false",
    "--xla_cpu_parallel_codegen_split_count=1",
]
if all(_knows(package, since) for package, since in KNOWS_FUSION_EMITTERS.items()):
    FLAGS.append("--xla_cpu_use_fusion_emitters=false")

os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
