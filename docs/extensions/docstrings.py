"""Lays out docstrings in Keras's form for mkdocstrings, which reads Google's.

Both have `Args:`, `Returns:` and `Raises:`. Keras writes examples without indentation, and has sections that Google has
not: `Call arguments:`, `Input shape:`, `Output shape:`, `Reference:`.
"""

import functools
import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"((?:^(?:>>>|\.\.\. ).*\n?)(?:^.+\n?)*)", re.MULTILINE)
SECTION = re.compile(
    r"^(Call arguments|Input shape|Output shape|References?):\n((?:^(?: {4}.*)?\n?)+)", re.MULTILINE
)
GROUP = re.compile(r"^( {4})(\w+(?:, \w+)+): (.*\n(?: {8}.*\n)*)", re.MULTILINE)
ARGUMENT = re.compile(r"^(\**\w+): ", re.MULTILINE)


def laid_out(text: str) -> str:
    """The docstring `text` with examples fenced and Keras's own sections as paragraphs under a bold title."""
    text = re.sub(r"^Examples?:\n", "**Example**\n", text, flags=re.MULTILINE)
    text = GROUP.sub(_one_by_one, text)
    text = SECTION.sub(_as_paragraphs, text)
    return EXAMPLE.sub(lambda found: f"```pycon\n{found[1].rstrip()}\n```\n", text)


def _as_paragraphs(found: re.Match[str]) -> str:
    body = re.sub(r"^ {4}", "", found[2], flags=re.MULTILINE).strip("\n")
    if found[1] == "Call arguments":
        body = ARGUMENT.sub(r"- `\1`: ", body)
    return f"**{found[1]}**\n\n{body}\n\n"


def _one_by_one(found: re.Match[str]) -> str:
    """Gives each of several arguments that are described together a line of its own."""
    return "".join(f"{found[1]}{name}: {found[3]}" for name in found[2].split(", "))


@functools.cache
def _rules() -> griffe.Class:
    return griffe.load("keras_crowd.annotations._rules", search_paths=["."])["Rules"]


def _name_rules(function: griffe.Function) -> None:
    """Puts the `Rules` that the docstring describes one by one into the signature, in place of `**rules`."""
    text = function.docstring.value if function.docstring else ""
    for name, rule in _rules().attributes.items():
        if "rules" in function.parameters and re.search(f"^ {{4}}{name}: ", text, re.MULTILINE):
            kind = griffe.ParameterKind.keyword_only
            function.parameters.add(griffe.Parameter(name, annotation=rule.annotation, kind=kind))


class KerasDocstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed; readers of tables get the arguments of `Rules` that they name."""

    def on_instance(self, *, obj: griffe.Object | griffe.Alias, **kwargs: Any) -> None:
        if not obj.is_alias and obj.docstring:
            obj.docstring.value = laid_out(obj.docstring.value)
        if isinstance(obj, griffe.Function):
            _name_rules(obj)
