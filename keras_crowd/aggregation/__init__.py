"""Labels from answers alone, without features: baselines and warm starts. NumPy in, NumPy out."""

from ._annotator_regression import AnnotatorPopulation as AnnotatorPopulation
from ._annotator_regression import AnnotatorTable as AnnotatorTable
from ._annotator_table import annotator_table as annotator_table
from ._annotators import agreement as agreement
from ._annotators import annotator_accuracy as annotator_accuracy
from ._annotators import annotator_class_prior as annotator_class_prior
from ._answer_sums import TINY as TINY
from ._answer_sums import AnswerSums as AnswerSums
from ._answer_sums import expected_counts as expected_counts
from ._answer_sums import log_normalize as log_normalize
from ._bradley_terry import BradleyTerry as BradleyTerry
from ._bradley_terry import bradley_terry as bradley_terry
from ._bradley_terry import fitted_pairs as fitted_pairs
from ._calibrated_posterior import CalibratedPosterior as CalibratedPosterior
from ._calibrated_posterior import calibrated_posterior as calibrated_posterior
from ._comparisons import Comparisons as Comparisons
from ._crowdlab import Crowdlab as Crowdlab
from ._crowdlab import crowdlab as crowdlab
from ._dawid_skene import DawidSkene as DawidSkene
from ._dawid_skene import dawid_skene as dawid_skene
from ._draws import CrowdDraws as CrowdDraws
from ._draws import draw_crowd as draw_crowd
from ._draws import draw_states as draw_states
from ._ebcc import EBCC as EBCC
from ._ebcc import ebcc as ebcc
from ._given_answers import answers_and_probabilities as answers_and_probabilities
from ._given_answers import checked_gold as checked_gold
from ._given_answers import gold_classes as gold_classes
from ._given_answers import imagined_answers as imagined_answers
from ._glad import GLAD as GLAD
from ._glad import glad as glad
from ._label_posterior import held_out_label_cross_entropy as held_out_label_cross_entropy
from ._label_posterior import label_posterior as label_posterior
from ._label_sets import DawidSkeneLabels as DawidSkeneLabels
from ._label_sets import dawid_skene_labels as dawid_skene_labels
from ._label_sets import gold_labels as gold_labels
from ._label_sets import label_likelihoods as label_likelihoods
from ._label_sets import label_rates as label_rates
from ._label_sets import label_shares as label_shares
from ._label_sets import population_rates as population_rates
from ._label_sets import with_gold_labels as with_gold_labels
from ._label_table import label_table as label_table
from ._lines import shares_that_tell as shares_that_tell
from ._mace import MACE as MACE
from ._mace import mace as mace
from ._majority_vote import majority_vote as majority_vote
from ._one_coin import one_coin_confusion as one_coin_confusion
from ._pair_posterior import pair_posterior as pair_posterior
from ._posterior import held_out_cross_entropy as held_out_cross_entropy
from ._posterior import nats_given as nats_given
from ._posterior import posterior as posterior
from ._ratings import Deviations as Deviations
from ._ratings import answer_log_density as answer_log_density
from ._ratings import by_annotator as by_annotator
from ._ratings import deviations as deviations
from ._ratings import log_prior_of as log_prior_of
from ._ratings import mean_rating as mean_rating
from ._ratings import median_rating as median_rating
from ._ratings import noise_variance as noise_variance
from ._ratings import truth_given as truth_given
from ._raykar import Raykar as Raykar
from ._raykar import gold_ratings as gold_ratings
from ._raykar import on_scale_of_gold as on_scale_of_gold
from ._raykar import raykar as raykar
from ._start import check_answered as check_answered
from ._start import dawid_skene_start as dawid_skene_start
from ._start import possible as possible
from ._weighted_vote import WeightedVote as WeightedVote
from ._weighted_vote import weighted_vote as weighted_vote


def __dir__() -> list[str]:
    return [
        "AnnotatorPopulation",
        "EBCC",
        "GLAD",
        "MACE",
        "BradleyTerry",
        "Crowdlab",
        "DawidSkene",
        "DawidSkeneLabels",
        "Deviations",
        "Raykar",
        "WeightedVote",
        "agreement",
        "annotator_accuracy",
        "annotator_class_prior",
        "annotator_table",
        "bradley_terry",
        "crowdlab",
        "dawid_skene",
        "dawid_skene_labels",
        "deviations",
        "ebcc",
        "expected_counts",
        "glad",
        "held_out_cross_entropy",
        "held_out_label_cross_entropy",
        "label_posterior",
        "label_shares",
        "label_table",
        "mace",
        "majority_vote",
        "mean_rating",
        "median_rating",
        "pair_posterior",
        "posterior",
        "raykar",
        "weighted_vote",
    ]
