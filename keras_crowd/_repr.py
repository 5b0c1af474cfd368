"""Short representations of objects that hold arrays."""

import dataclasses

import numpy as np

_FEW = 8


def one_line(self: object) -> str:
    """A `__repr__` in one line: arrays by dtype and shape, short vectors by their values."""
    names = (
        [field.name for field in dataclasses.fields(self)]
        if dataclasses.is_dataclass(self)
        else getattr(self, "_fields")  # noqa: B009
    )
    return f"{type(self).__name__}({', '.join(f'{name}={_shown(getattr(self, name))}' for name in names)})"


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray) and (value.ndim != 1 or value.size > _FEW):
        return f"<{value.dtype} {value.shape}>"
    if isinstance(value, list | tuple | dict) and len(value) > _FEW:
        return f"<{type(value).__name__} of {len(value):,}>"
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 120 else f"<{type(value).__name__}>"
