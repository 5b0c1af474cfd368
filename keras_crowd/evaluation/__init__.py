"""Errors of estimates (confusions, annotators, labels, probabilities), and the agreement of answers.

NumPy in, NumPy out.

Answers are observed; the true classes are hidden, and what is learned without gold labels may have them in
another order. A *permutation* here always says which estimated class stands for each true one:
`confusion[:, permutation, :]`, `probabilities[:, permutation]` and `np.argsort(permutation)[labels]` are in
the order of the truth. Where no permutation is better than leaving things as they are, it is that.

Alignment needs SciPy (`pip install scipy`).
"""

from ._agreement import PairwiseAgreement as PairwiseAgreement
from ._agreement import answer_entropy as answer_entropy
from ._agreement import krippendorff_alpha as krippendorff_alpha
from ._agreement import num_classes_used as num_classes_used
from ._agreement import pairwise_agreement as pairwise_agreement
from ._alignment import ConfusionError as ConfusionError
from ._alignment import align_to_answers as align_to_answers
from ._alignment import aligned_accuracy as aligned_accuracy
from ._alignment import class_alignment as class_alignment
from ._alignment import classifier_alignment as classifier_alignment
from ._alignment import confusion_error as confusion_error
from ._annotators import AnnotatorCorrelation as AnnotatorCorrelation
from ._annotators import annotator_correlation as annotator_correlation
from ._answer_statistics import AnswerStatistics as AnswerStatistics
from ._answer_statistics import answer_statistics as answer_statistics
from ._confusion_corrected import confusion_corrected_mean as confusion_corrected_mean
from ._dependence import AnnotatorDependence as AnnotatorDependence
from ._dependence import annotator_dependence as annotator_dependence
from ._kappa import cohen_kappa as cohen_kappa
from ._kappa import fleiss_kappa as fleiss_kappa
from ._prediction_powered import MeanEstimate as MeanEstimate
from ._prediction_powered import prediction_powered_mean as prediction_powered_mean
from ._probabilities import brier_score as brier_score
from ._probabilities import calibration_error as calibration_error
from ._probabilities import effective_rank as effective_rank
from ._spans import SpanScores as SpanScores
from ._spans import annotator_span_scores as annotator_span_scores
from ._spans import span_scores as span_scores
