"""Progress on stderr, so that stdout has nothing but results."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

_PATIENCE = 2.0  # seconds before a step is announced


class Progress:
    """Says which step runs once it takes longer than a moment, and how long it took."""

    def __init__(self, quiet: bool, patience: float = _PATIENCE) -> None:
        self.quiet, self.patience = quiet, patience

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Watches one step."""
        if self.quiet:
            yield
            return
        begin, said = time.monotonic(), threading.Event()

        def announce() -> None:
            said.set()
            print(f"keras-crowd: {name} ...", file=sys.stderr, flush=True)

        timer = threading.Timer(self.patience, announce)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        if said.is_set():
            seconds = time.monotonic() - begin
            print(f"keras-crowd: {name}: {seconds:.1f} s", file=sys.stderr, flush=True)
