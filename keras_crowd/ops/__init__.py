"""The mathematics of both papers as pure functions over `keras.ops`.

Symbols: `x` are predictions of numbers `(batch, T)` for T targets, `s` and `b` an annotator's scale and bias;
`f` are class probabilities `(..., K)`, `k` a true class, `l` an answer, `r` one of R annotators.
Parameters come for all annotators, leading axis `(R, ...)`, or for the slots of each item,
leading axes `(batch, S, ...)`; results have the annotators or slots as their axis before the last.
"""

from ._annotators import SLOT_GRADIENTS as SLOT_GRADIENTS
from ._annotators import SLOT_IDS as SLOT_IDS
from ._annotators import add_rows as add_rows
from ._annotators import annotator_rows as annotator_rows
from ._annotators import centered as centered
from ._annotators import held as held
from ._annotators import rows_of_few as rows_of_few
from ._annotators import slot_gradients as slot_gradients
from ._annotators import slot_ids as slot_ids
from ._annotators import slot_owners as slot_owners
from ._annotators import without_empty_slots as without_empty_slots
from ._chains import FORBIDDEN as FORBIDDEN
from ._chains import ChainPotentials as ChainPotentials
from ._chains import bio_rules as bio_rules
from ._chains import chain_log_likelihood as chain_log_likelihood
from ._chains import chain_log_partition as chain_log_partition
from ._chains import chain_marginals as chain_marginals
from ._chains import tag_evidence as tag_evidence
from ._chains import viterbi as viterbi
from ._classes import answer_distributions as answer_distributions
from ._classes import answer_evidence as answer_evidence
from ._classes import answer_targets as answer_targets
from ._classes import answered_classes as answered_classes
from ._classes import answers_of_somebody as answers_of_somebody
from ._classes import as_if_real as as_if_real
from ._classes import at_class as at_class
from ._classes import check_answer_shape as check_answer_shape
from ._classes import class_codes as class_codes
from ._classes import class_probabilities as class_probabilities
from ._classes import crowd_cross_entropy as crowd_cross_entropy
from ._classes import identity_scale as identity_scale
from ._classes import is_answered as is_answered
from ._classes import log_joint as log_joint
from ._classes import matrix_logits as matrix_logits
from ._classes import mixture_logits as mixture_logits
from ._classes import one_hot_answers as one_hot_answers
from ._classes import two_classes as two_classes
from ._classes import vector_logits as vector_logits
from ._classes import without_padding as without_padding
from ._groups import annotator_groups as annotator_groups
from ._groups import from_groups as from_groups
from ._groups import to_groups as to_groups
from ._label_sets import binary_cross_entropy as binary_cross_entropy
from ._label_sets import check_set_shape as check_set_shape
from ._label_sets import label_log_joint as label_log_joint
from ._label_sets import label_targets as label_targets
from ._label_sets import log_probabilities as log_probabilities
from ._label_sets import odds as odds
from ._label_sets import side_by_side as side_by_side
from ._label_sets import tick_logits as tick_logits
from ._log_det import confusion_gram as confusion_gram
from ._log_det import gram as gram
from ._log_det import mean_log_eigenvalue as mean_log_eigenvalue
from ._log_det import mean_log_row_sum as mean_log_row_sum
from ._log_det import num_rows as num_rows
from ._means import item_sums as item_sums
from ._means import mean_over_observed as mean_over_observed
from ._means import weighted_mean as weighted_mean
from ._preferences import graded_logits as graded_logits
from ._preferences import normal_penalty as normal_penalty
from ._preferences import preference_logits as preference_logits
from ._preferences import symmetric_thresholds as symmetric_thresholds
from ._preferences import with_random_answers as with_random_answers
from ._ratings import affine_answers as affine_answers
from ._ratings import check_rating_shape as check_rating_shape
from ._ratings import cumulative_log_probabilities as cumulative_log_probabilities
from ._ratings import gaussian_cross_entropy as gaussian_cross_entropy
from ._ratings import huber as huber
from ._ratings import over_targets as over_targets
from ._ratings import predicted_means as predicted_means
from ._ratings import rating_errors as rating_errors
from ._ratings import rating_targets as rating_targets
from ._ratings import variance_penalty as variance_penalty
from ._replicas import with_gradient_of_whole_batch as with_gradient_of_whole_batch
from ._shared_confusions import coin_log_confusion as coin_log_confusion
from ._shared_confusions import coin_logits as coin_logits
from ._shared_confusions import prototype_log_confusion as prototype_log_confusion
from ._shared_confusions import prototype_logits as prototype_logits
