"""The answers of many annotators: one container, three forms. NumPy only."""

from ._answer_kind import AnswerKind as AnswerKind
from ._classes import check_classes as check_classes
from ._classes import is_several as is_several
from ._coerce import Answers as Answers
from ._coerce import are_ratings as are_ratings
from ._coerce import are_sets as are_sets
from ._coerce import as_annotations as as_annotations
from ._coerce import as_answers as as_answers
from ._coerce import as_label_sets as as_label_sets
from ._coerce import as_preferences as as_preferences
from ._coerce import as_ratings as as_ratings
from ._coerce import checksum as checksum
from ._coerce import in_place_of_codes as in_place_of_codes
from ._coerce import kind_given as kind_given
from ._coerce import of_annotators as of_annotators
from ._coerce import refuse_preferences as refuse_preferences
from ._coerce import with_ratings as with_ratings
from ._container import Annotations as Annotations
from ._container import some_answers as some_answers
from ._distributions import Distributions as Distributions
from ._distributions import distributions_of as distributions_of
from ._distributions import with_typed_keys as with_typed_keys
from ._duplicates import checked_rule as checked_rule
from ._duplicates import checked_unknown as checked_unknown
from ._duplicates import kept_rows as kept_rows
from ._duplicates import refuse_majority as refuse_majority
from ._duplicates import repeated_rows as repeated_rows
from ._factors import encode as encode
from ._forms import to_dense as to_dense
from ._forms import to_sequence_slots as to_sequence_slots
from ._forms import to_slots as to_slots
from ._frames import by_ids as by_ids
from ._frames import labels_as_codes as labels_as_codes
from ._frames import rows_by_id as rows_by_id
from ._frames import rows_like as rows_like
from ._frames import with_unknown as with_unknown
from ._grade_codes import ComparisonError as ComparisonError
from ._grades import without_grades as without_grades
from ._ids import MISSING as MISSING
from ._ids import column as column
from ._ids import id_array as id_array
from ._ids import objects as objects
from ._index import has_index as has_index
from ._index import refuse_sparse as refuse_sparse
from ._kinds import Classes as Classes
from ._kinds import Ratings as Ratings
from ._kinds import Tags as Tags
from ._kinds import kind_of as kind_of
from ._label_sets import LabelSets as LabelSets
from ._numbers import INTEGER as INTEGER
from ._numbers import NUMBER as NUMBER
from ._numbers import as_rating as as_rating
from ._numbers import float_beside_words as float_beside_words
from ._numbers import refuse_classes_of_ratings as refuse_classes_of_ratings
from ._preferences import Preferences as Preferences
from ._preferences import pair_index as pair_index
from ._rankings import Rankings as Rankings
from ._rankings import from_rankings as from_rankings
from ._rules import Duplicates as Duplicates
from ._rules import Empty as Empty
from ._rules import Judged as Judged
from ._rules import Rules as Rules
from ._rules import Unknown as Unknown
from ._rules import is_of_sets as is_of_sets
from ._rules import refuse_others as refuse_others
from ._set_coder import SetCoder as SetCoder
from ._set_rows import join_labels as join_labels
from ._set_rows import ticks_columns as ticks_columns
from ._set_rows import with_judged as with_judged
from ._shares import classes_per_annotator as classes_per_annotator
from ._shares import share as share
from ._tuples import joined_codes as joined_codes
from ._votes import Votes as Votes
from ._votes import refuse_soft as refuse_soft


def __dir__() -> list[str]:
    return [
        "AnswerKind",
        "Annotations",
        "Classes",
        "LabelSets",
        "Preferences",
        "Rankings",
        "Ratings",
        "Tags",
        "from_rankings",
        "pair_index",
        "without_grades",
    ]
