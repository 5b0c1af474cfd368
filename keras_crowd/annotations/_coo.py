"""`Annotations.from_coo`: three parallel arrays of any kind of answers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from ._duplicates import checked_unknown
from ._long_form import Read
from ._readers import from_classes_or_ratings
from ._rules import Duplicates, Empty, Judged, Unknown, is_of_sets
from ._set_coder import SetCoder
from ._set_readers import from_cells


def from_coo(
    item: Any,
    annotator: Any,
    answer: Any,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    ratings: bool = False,
    sets: bool = False,
    label_sep: str | None = None,
    empty: Empty | None = None,
    judged: Judged | None = None,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
) -> Read:
    """Reads three parallel arrays: who said what of which item. Ids may be anything hashable.

    Args:
        item: Item id of each answer.
        annotator: Annotator id of each answer.
        answer: Class id of each answer. Floats without `classes=` are numeric ratings; **whole numbers are
            classes** unless `ratings=True`. A missing answer (`None` or `NaN`) drops its row. Or soft answers,
            distributions over the classes: an array `(answers, classes)`; a data frame with a column per class, its
            names their ids; or for each answer a list, or a dict such as `{"cat": 0.7, "dog": 0.3}`, among which may
            stand hard ones, as ids. A row of zeros, or of `NaN`, is missing.
        items: All item ids, **in the order of the rows of your features**. Items that nobody
            answered may be among them. Defaults to the ids seen, sorted (in order of appearance
            when they cannot be sorted).
        annotators: All annotator ids, likewise. Defaults to `None`.
        classes: All class ids, in the order of the classifier's outputs; a number `K` means
            `0, ..., K - 1`. Defaults likewise.
        ratings: Boolean. Whether the answers are ratings although they may be whole numbers: 4 in one file and 4.5 in
            the next are then of one kind. Defaults to `False`: whole numbers are classes.
        sets: Boolean. Whether the answers are sets of labels, of which an annotator ticks several. An answer is then a
            list of labels; a dict of labels that says true or false of each; a text of labels between `label_sep`; or
            one label, and the rows of an annotator about an item together are the set. Defaults to `False`.
        label_sep: String. What stands between the labels of a text, such as `";"`. Defaults to `None`: a text is one
            label.
        empty: What a blank (`None`, `NaN` or an empty text) means in sets: `"nothing"`, the annotator ticked nothing;
            or `"missing"`, the annotator did not answer. Defaults to `None`: a blank is refused. An empty list always
            means that nothing was ticked.
        judged: Which labels the annotators were shown; of others nothing is known (-1). `"all"`; `"listed"`, those of
            which a dict says something; or a dict of item ids and the labels shown of each. Defaults to `"listed"`
            for dicts and to `"all"` for anything else.
        duplicates: What to do when an annotator answered an item more than once: `"error"`; keep the `"first"` or the
            `"last"` answer; or the one given most often, `"majority"` (classes only). Where rows of one label are
            joined to a set, only the same label twice is an error. Defaults to `"error"`.
        unknown: What to do with answers that are not among `classes`: `"error"`, or `"drop"` them. Defaults to
            `"error"`.

    Raises:
        ValueError: When lengths disagree, an id is missing or unknown, an annotator answered an
            item twice, or nobody answered at all.
    """
    checked_unknown(unknown)
    rules: dict[str, Any] = {"items": items, "annotators": annotators, "duplicates": duplicates}
    of_sets: dict[str, Any] = {"label_sep": label_sep, "empty": empty, "judged": judged}
    if is_of_sets({"sets": sets, "ratings": ratings, **of_sets}):
        coder = SetCoder("answer", classes=classes, unknown=unknown, **of_sets)
        return from_cells(item, annotator, answer, coder, **rules)
    return from_classes_or_ratings(
        item, annotator, answer, classes=classes, ratings=ratings, unknown=unknown, **rules
    )
