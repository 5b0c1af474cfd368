"""Choice of the questions to ask next. NumPy in, NumPy out."""

from ._activelab import activelab_scores as activelab_scores
from ._gain import expected_gain as expected_gain
from ._questions import next_questions as next_questions


def __dir__() -> list[str]:
    return ["activelab_scores", "expected_gain", "next_questions"]
