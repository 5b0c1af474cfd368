"""Keeps the finished part of a long training on disk, and checks that it belongs to the same call."""

from __future__ import annotations

import json
import os
import pathlib
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from ._files import checksum_of, write_npz

_SHARE = 0.05  # of the time may go into writing
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile)
_NUMBERS = bool | int | float | np.ndarray | np.generic
_LEFT_OUT = {"name", "registered_name", "inbound_nodes", "input_layers", "output_layers"} | {
    "build_config",
    "compile_config",
}


class Backup:
    """Arrays in a file that is only ever replaced whole, with checksums of all that they were made of.

    Args:
        file: The `.npz` file; `None` for no backup at all.
        given: What the arrays depend on, by the names that users know: arrays, numbers, texts, or structures of
            these. A file that was made of anything else is refused.
    """

    def __init__(self, file: str | os.PathLike[str] | None, given: Mapping[str, Any]) -> None:
        self.file = None if file is None else pathlib.Path(file)
        self._signature = {} if file is None else {name: _checksum(value) for name, value in given.items()}
        self._written, self._cost = time.monotonic(), 0.0

    @classmethod
    def within(
        cls,
        folder: str | os.PathLike[str] | None,
        name: str,
        given: Mapping[str, Any] = MappingProxyType({}),
    ) -> Backup:
        """The file of that name in a folder; for `None` no backup at all."""
        return cls(None if folder is None else pathlib.Path(folder) / name, given)

    def load(self) -> dict[str, np.ndarray]:
        """The arrays that were kept; none if there is no file.

        Raises:
            ValueError: When the file is of something else, or cannot be read.
        """
        if self.file is None or not self.file.exists():
            return {}
        saved = self._read()
        names = saved.pop("given_names", np.empty(0, str)).tolist()
        values = saved.pop("given_values", np.empty(0)).tolist()
        kept = dict(zip(names, values, strict=False))
        others = [name for name, value in self._signature.items() if kept.get(name) != value]
        if others:
            raise ValueError(
                f"`backup_dir` must hold a backup of the same call: delete {self.file} to start again, or "
                f"name another place. Received: a backup that differs in: {', '.join(others)}"
            )
        return saved

    def due(self) -> bool:
        """Whether writing now leaves enough of the time for the work itself."""
        if self.file is None:
            return False
        return time.monotonic() - self._written >= self._cost * (1 - _SHARE) / _SHARE

    def save(self, **arrays: Any) -> None:
        """Replaces what was kept."""
        if self.file is None:
            return
        names, values = np.array([*self._signature]), np.array([*self._signature.values()])
        begin = time.monotonic()
        try:
            write_npz(self.file, given_names=names, given_values=values, **arrays)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror}: the backup was not written. What was kept before is whole; the same call "
                "goes on from there",
                str(self.file),
            ) from error
        self._written = time.monotonic()
        self._cost = self._written - begin

    def delete(self) -> None:
        """Removes the file: all is done."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _read(self) -> dict[str, np.ndarray]:
        try:
            with open(self.file, "rb") as opened, np.load(opened) as file:  # type: ignore[arg-type]
                return dict(file)
        except PermissionError:
            raise
        except (*_UNREADABLE, zlib.error) as error:
            raise ValueError(
                f"`backup_dir` must hold a backup as it was written: delete {self.file} to start again. "
                f"Received: a file that cannot be read ({type(error).__name__}: {error})"
            ) from error


NO_BACKUP = Backup(None, {})
"""Keeps nothing."""


class TrainingBackup(keras.callbacks.Callback):
    """Keeps variables, logs and the other callbacks' state after an epoch, and goes on from there.

    Goes after the callbacks whose state it keeps. `restore` comes before training, the callbacks' state when
    training begins, for they reset it then.

    Args:
        backup: Where.
        model: The compiled model, whose variables and optimizer are kept.
        callbacks: The others. What is kept of them are numbers and arrays that change in training.
        more: Gives further arrays to keep.
    """

    def __init__(
        self,
        backup: Backup,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        more: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        super().__init__()
        self.backup, self.callbacks, self.more = backup, callbacks, more
        self.variables = [] if backup.file is None else training_variables(model)
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.stopped = False
        self._saved: dict[str, np.ndarray] = {}
        self._at_start: list[dict[str, Any]] = []

    def restore(self) -> dict[str, np.ndarray]:
        """Assigns the variables that were kept; returns all that was, or nothing."""
        self._saved = saved = self.backup.load()
        if not saved:
            return saved
        set_values(self.variables, saved)
        self.epoch, self.stopped = saved["epoch"].tolist(), bool(saved["stopped"])
        logs = [name for name in saved if name.startswith("log_")]
        self.history = {name.removeprefix("log_"): saved[name].tolist() for name in logs}
        return saved

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._at_start = [_numbers(callback) for callback in self.callbacks]
        for name, callback in self._named():
            for key in [key for key in self._saved if key.startswith(name)]:
                _set_number(callback, key.removeprefix(name), self._saved[key])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.stopped = bool(self.model.stop_training)
        if self.backup.due():
            self._save()

    def _save(self) -> None:
        variables = values_of(self.variables)
        logs = {f"log_{name}": np.asarray(values) for name, values in self.history.items()}
        state = {}
        for (name, callback), before in zip(self._named(), self._at_start, strict=True):
            now = _numbers(callback)
            changed = [key for key in now if key not in before or not np.array_equal(now[key], before[key])]
            state.update({name + key: now[key] for key in changed})
        epoch = np.asarray(self.epoch, int)
        self.backup.save(
            epoch=epoch, stopped=np.asarray(self.stopped), **variables, **logs, **state, **self.more()
        )

    def _named(self) -> list[tuple[str, Any]]:
        return [(f"callback_{i}_{type(c).__name__}.", c) for i, c in enumerate(self.callbacks)]


def training_variables(model: keras.Model) -> list[keras.Variable]:
    """All that training changes of a compiled model: its own variables and the optimizer's."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def values_of(variables: Sequence[keras.Variable]) -> dict[str, np.ndarray]:
    """Copies of the values of variables, named as backups keep them."""
    return {f"variable_{i}": np.array(kops.convert_to_numpy(v)) for i, v in enumerate(variables)}


def set_values(variables: Sequence[keras.Variable], saved: Mapping[str, np.ndarray]) -> None:
    """Sets variables to what `values_of` gave."""
    for i, variable in enumerate(variables):
        variable.assign(saved[f"variable_{i}"])


def description(thing: keras.Model | keras.optimizers.Optimizer) -> str:
    """Returns what Keras saves of a model or an optimizer, without names; of a model, its shapes as well."""
    shapes = [tuple(v.shape) for v in thing.variables] if isinstance(thing, keras.Model) else []
    return f"{_config(thing)} {shapes}"


def _config(thing: keras.Model | keras.optimizers.Optimizer) -> str:
    try:
        config = keras.saving.serialize_keras_object(thing)
    except (NotImplementedError, TypeError, ValueError, AttributeError):
        return type(thing).__name__
    return json.dumps(_without_names(config), sort_keys=True, default=lambda value: type(value).__name__)


def _without_names(config: Any) -> Any:
    if isinstance(config, dict):
        return {str(k): _without_names(value) for k, value in config.items() if k not in _LEFT_OUT}
    return [_without_names(part) for part in config] if isinstance(config, list | tuple) else config


def _checksum(value: object) -> int:
    """Returns a checksum of values, types and shapes."""
    leaves = [np.asarray(leaf) for leaf in keras.tree.flatten(value)]
    return checksum_of(part for leaf in leaves for part in (leaf.dtype.str, leaf.shape, leaf))


def _numbers(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """The attributes that are numbers, arrays or lists of them, these one by one."""
    found = {}
    for name, value in vars(callback).items():
        if name == "min_delta":  # a setting, of which Keras changes the sign at the first epoch
            continue
        if isinstance(value, _NUMBERS):
            found[name] = value
        elif isinstance(value, list) and all(isinstance(part, _NUMBERS) for part in value):
            found.update({f"{name}/{i}": part for i, part in enumerate(value)})
    return found


def _set_number(callback: keras.callbacks.Callback, name: str, value: np.ndarray) -> None:
    name, is_list, index = name.partition("/")
    if not is_list:
        setattr(callback, name, value if value.ndim else value.item())
        return
    parts = getattr(callback, name, None) or []
    setattr(callback, name, [*parts[: int(index)], value])
