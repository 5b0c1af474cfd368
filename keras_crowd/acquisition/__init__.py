"""Choice of the questions to ask next. NumPy in, NumPy out."""

from ._activelab import activelab_scores as activelab_scores
from ._curve import AccuracyCurve as AccuracyCurve
from ._curve import accuracy_curve as accuracy_curve
from ._gain import expected_gain as expected_gain
from ._questions import next_questions as next_questions


def __dir__() -> list[str]:
    return ["AccuracyCurve", "accuracy_curve", "activelab_scores", "expected_gain", "next_questions"]
