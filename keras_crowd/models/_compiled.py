"""Whether a model with a crowd layer was compiled for the answers of a crowd."""

from __future__ import annotations

from typing import Any

import keras

from .._typing import Config
from ..layers import CrowdLayer


def check_compiled(model: keras.Model, crowd: CrowdLayer) -> None:
    """Whether the loss and the metrics of the crowd layer's output are for answers, if there are any yet."""
    if not model.compiled:
        return
    loss = of_output(model, crowd, model.loss)
    if loss is not None and not _fits(loss, crowd.answer_losses):
        usual = [f"`{_public_name(known)}()`" for known in crowd.answer_losses[:1]]
        raise ValueError(
            f"`model` must be compiled with a loss for crowd answers that are {crowd.answer_kind.name}, here "
            f"{', '.join(usual) or 'one of your own'}. Received: loss={_name(loss)!r}"
        )
    allowed = [metric.__name__ for metric in crowd.answer_metrics]
    wrong = [_name(m) for m in _metrics_of(model, crowd) if _origin(m) and _short(m) not in allowed]
    if wrong:
        raise ValueError(
            f"`model` must be compiled with metrics for crowd answers that are {crowd.answer_kind.name}, as "
            f"`keras_crowd.metrics.{', '.join(allowed)}()`: those of Keras count a missing answer as a wrong one. "
            f"Received: metrics={wrong}"
        )


def check_likelihood_compiled(model: keras.Model) -> None:
    """Whether a model whose loss is its own was compiled without another, and without metrics over its output."""
    model.check_loss()
    wrong = [_name(metric) for metric in _leaves(_compiled_metrics(model)) if _origin(metric)]
    if wrong:
        raise ValueError(
            f"{type(model).__name__} must be compiled without metrics of `keras` or `keras_crowd`: they would compare "
            "the truth that it predicts with the answers. Use `keras_crowd.callbacks.GoldValidation`. "
            f"Received: metrics={wrong}"
        )


def of_output(model: keras.Model, crowd: CrowdLayer, given: Any) -> Any:
    """Returns what is given for the crowd layer's output, where something is given for each output of a model."""
    if isinstance(given, dict) and "class_name" not in given:
        if len(model.outputs) == len(given) == 1:
            return next(iter(given.values()))
        return given.get(model.output_names[_index(model, crowd)])
    if isinstance(given, list | tuple) and len(given) == len(model.outputs) > 1:
        return given[_index(model, crowd)]
    return given


def _index(model: keras.Model, crowd: CrowdLayer) -> int:
    found = [i for i, output in enumerate(model.outputs) if output is crowd.output]
    return found[0] if found else 0


def _metrics_of(model: keras.Model, crowd: CrowdLayer) -> list[Any]:
    return _leaves([of_output(model, crowd, given) for given in _compiled_metrics(model)])


def _compiled_metrics(model: keras.Model) -> list[Any]:
    """Metrics as Keras writes them: a name, or a dict with `class_name`, in the structures given to `compile`."""
    config = (model.get_compile_config() or {}) if model.compiled else {}
    return [config.get("metrics"), config.get("weighted_metrics")]


def _leaves(given: object) -> list[Any]:
    if isinstance(given, list | tuple):
        return [leaf for part in given for leaf in _leaves(part)]
    if isinstance(given, dict) and "class_name" not in given:
        return _leaves([*given.values()])
    return [] if given is None else [given]


def _fits(loss: object, allowed: tuple[type, ...]) -> bool:
    """Whether a loss is one of those allowed, or the user's own."""
    if isinstance(loss, list | tuple):
        return all(_fits(part, allowed) for part in loss)
    module = getattr(loss, "__module__", None) or type(loss).__module__
    return isinstance(loss, allowed) or not (isinstance(loss, str) or _is_ours_or_keras(module))


def _public_name(cls: type) -> str:
    """The name by which users import a class, without the private file that it stands in."""
    parts = [*cls.__module__.split("."), cls.__name__]
    return ".".join(part for part in parts if not part.startswith("_"))


def _is_ours_or_keras(module: str) -> bool:
    return module.split(".")[0] in ("keras", "keras_crowd")


def _origin(metric: str | Config) -> bool:
    """Whether a metric is Keras's or this package's, and not the user's own."""
    if isinstance(metric, str):
        return True
    if metric.get("class_name") == "function":
        return hasattr(keras.metrics, _short(metric)) or hasattr(keras.losses, _short(metric))
    return _is_ours_or_keras(metric.get("module") or "")


def _short(metric: str | Config) -> str:
    if isinstance(metric, str):
        return metric
    return str(metric["config"] if metric.get("class_name") == "function" else metric["class_name"])


def _name(thing: object) -> str:
    if isinstance(thing, dict):
        return _short(thing)
    return str(getattr(thing, "name", getattr(thing, "__name__", thing)))
