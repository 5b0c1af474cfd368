"""Files of answers: options of the command line are the arguments of the readers of `keras_crowd.io`."""

from __future__ import annotations

import argparse
import functools
import inspect
import pathlib
from collections.abc import Callable
from typing import Any

from .. import io
from ..annotations import INTEGER, Annotations, Rules
from ._errors import UsageError

_LONG = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".parquet")


@functools.wraps(io.read_conll)
def _conll(path: str, **given: Any) -> Annotations:
    return io.read_conll(path, **given).annotations


@functools.wraps(io.read_rankings)
def _rankings(path: str, **given: Any) -> Annotations:
    return io.read_rankings(path, **given).annotations


@functools.wraps(io.read_argilla_rankings)
def _argilla_rankings(path: str, **given: Any) -> Annotations:
    return io.read_argilla_rankings(path, **given).annotations


@functools.wraps(io.read_hugging_face)
def _hugging_face(path: str, **given: Any) -> Annotations:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("--format hugging-face needs pyarrow: pip install 'keras_crowd[io]'") from error
    return io.read_hugging_face(parquet.read_table(path), **given)


_READERS: dict[str, Callable[..., Annotations]] = {
    "argilla-rankings": _argilla_rankings,
    "chosen-rejected": functools.partial(
        io.read_preferences, item_a="chosen", item_b="rejected", annotator=None, winner=None
    ),
    "conll": _conll,
    "doccano": io.read_doccano,
    "hugging-face": _hugging_face,
    "label-studio": io.read_label_studio,
    "label-studio-min": io.read_label_studio_min,
    "label-studio-pairs": io.read_label_studio_pairs,
    "long": io.read_long,
    "mturk": io.read_mturk,
    "nested": io.read_nested,
    "preferences": io.read_preferences,
    "prodigy": io.read_prodigy,
    "rankings": _rankings,
    "sagemaker": io.read_sagemaker,
    "toloka": io.read_toloka,
    "wide": io.read_wide,
}
UNORDERED = (
    "argilla-rankings",
    "chosen-rejected",
    "rankings",
)  # preferences whose order is not the one that annotators saw
# Names of the readers' arguments, how often an option of the name may be given, and what it means.
_ONE, _SOME, _FLAG, _NUMBER = "one", "some", "flag", "number"
_OPTIONS: dict[str, tuple[str, str]] = {
    "item": (_SOME, "column or key of item ids; several columns together tell items apart"),
    "annotator": (_ONE, "column of annotator ids"),
    "answer": (_ONE, "column of the answers"),
    "classes": (_SOME, "all classes, in their order"),
    "ratings": (_FLAG, "whole numbers are ratings, not classes"),
    "sets": (_FLAG, "answers are sets of labels"),
    "label_sep": (_ONE, "what stands between the labels of a set"),
    "empty": (_ONE, "what a blank means in sets: nothing or missing"),
    "judged": (_ONE, "which labels annotators were shown: all or listed"),
    "duplicates": (_ONE, "second answers of an annotator to an item: error, first, last or majority"),
    "unknown": (_ONE, "answers that are not among the classes: error or drop"),
    "columns": (_SOME, "wide tables: the annotators' columns"),
    "probabilities": (_SOME, "columns of probabilities, in place of the answer"),
    "ticks": (_SOME, "columns of true and false, one per label, in place of the answer"),
    "missing": (_SOME, "texts that mean that there is no answer"),
    "from_name": (_ONE, "Label Studio: name of the control"),
    "predictions": (_FLAG, "Label Studio: predictions answer as well"),
    "field": (_ONE, "name of the field of the answer (mturk, sagemaker)"),
    "status": (_SOME, "states of the assignments to read (mturk, toloka)"),
    "label": (_ONE, "Prodigy: the label that was asked for"),
    "rejected": (_ONE, "Prodigy: rejected tasks: error or drop"),
    "outer": (_ONE, "nested: what the outer keys are, item or annotator"),
    "token": (_NUMBER, "conll: the column of tokens, from 0"),
    "first_answer": (_NUMBER, "conll: the first column of answers"),
    "item_a": (_ONE, "preferences: column of the first item"),
    "item_b": (_ONE, "preferences: column of the second item"),
    "winner": (_ONE, "preferences: column that says which is better"),
    "shown_first": (_ONE, "preferences: column of the item seen first"),
    "question": (_ONE, "Argilla: name of the ranking question"),
    "prompt": (_ONE, "preferences: column of what the items answer"),
    "choices": (_SOME, "preferences: what stands for first, second and tie"),
    "grades": (_NUMBER, "preferences: how many grades of being better"),
    "rank": (_ONE, "rankings: column of the ranks"),
    "sep": (_ONE, "what stands between the fields of a text table"),
    "names": (_SOME, "names of all columns of a text table without a header"),
    "encoding": (_ONE, "encoding of text files"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--format` and the arguments of all readers."""
    group = parser.add_argument_group("how to read the files (each format has some of these options)")
    formats = f"{', '.join(_READERS)}; default: by the ending of the first file"
    group.add_argument("--format", choices=_READERS, metavar="FORMAT", help=formats)
    for name, (kind, text) in _OPTIONS.items():
        how: dict[str, Any] = {"help": text, "default": None}
        if kind == _SOME:
            how |= {"nargs": "+", "action": "extend"}
        elif kind == _FLAG:
            how |= {"action": "store_true"}
        elif kind == _NUMBER:
            how |= {"type": int}
        if kind != _FLAG:
            how["metavar"] = "N" if kind == _NUMBER else "NAME"
        group.add_argument(f"--{name.replace('_', '-')}", **how)


def read_answers(arguments: argparse.Namespace, items: list[str] | None = None) -> Annotations:
    """Reads all files.

    Args:
        arguments: What the user said.
        items: Ids of all items, also of those that nobody answered. Defaults to `None`: items without an answer are
            left out.
    """
    read, given = reader_and_arguments(arguments)
    if items is not None:
        if "rules" not in inspect.signature(read).parameters:
            raise UsageError("--items is for formats of classes, such as long and wide.")
        given["items"] = items
    if read is io.read_doccano:
        found = read(arguments.answers, **given)
    else:
        parts = [read(path, **given) for path in arguments.answers]
        found = parts[0] if len(parts) == 1 else Annotations.concat(parts)
    answered = found.answers_per_item() > 0
    return found if items is not None or answered.all() else found.select(items=answered.tolist())


def reader_and_arguments(
    arguments: argparse.Namespace,
) -> tuple[Callable[..., Annotations], dict[str, Any]]:
    """The reader of the format, and what it is told beside the file."""
    format_ = arguments.format or _format_of(arguments.answers[0])
    return _READERS[format_], _given(arguments, format_, _READERS[format_])


def item_names(arguments: argparse.Namespace) -> str | list[str]:
    """Names of the columns of item ids, as in the files."""
    names = arguments.item or ["item"]
    return names[0] if len(names) == 1 else names


def _format_of(path: str) -> str:
    suffixes = [suffix.lower() for suffix in pathlib.Path(path).suffixes]
    last = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if last in _LONG:
        return "long"
    if last == ".conll":
        return "conll"
    raise UsageError(
        f"--format must say what the file is: of the ending {last!r} there are several formats, or none. "
        f"Received: {path}"
    )


def _given(arguments: argparse.Namespace, format_: str, reader: Callable[..., Any]) -> dict[str, Any]:
    """Returns what the user said as the arguments of the reader."""
    parameters = inspect.signature(reader).parameters
    known = set(parameters) | (set(Rules.__annotations__) if "rules" in parameters else set())
    said = {name: getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name) is not None}
    others = [_option(name) for name in said if name not in known]
    if others:
        raise UsageError(
            f"--format {format_} takes no {', '.join(others)}. "
            f"It takes {', '.join(_option(name) for name in _OPTIONS if name in known)}."
        )
    required = [
        _option(name)
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and name in _OPTIONS and name not in said
    ]
    if required:
        raise UsageError(f"--format {format_} needs {', '.join(required)}.")
    return {name: _value(name, value) for name, value in said.items()}


def _value(name: str, value: Any) -> Any:
    """Lists as the readers take them: one item column by its name, classes that are integers as such."""
    if name == "item" and len(value) == 1:
        return value[0]
    if name in ("classes", "choices") and all(INTEGER(text) for text in value):
        codes = [int(text) for text in value]
        return codes[0] if name == "classes" and len(codes) == 1 else codes
    return value


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
