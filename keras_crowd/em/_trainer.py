"""`EMTrainer`: a classifier (or regressor, or tagger) and annotators, by turns."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from .._arguments import flag, number, whole_number
from .._typing import Features, Regularizer
from ..annotations import Answers
from ..regularizers import ClassifierLogDet
from ..selection import RegularizationPath
from ._arguments import check_regularizable, check_types, checked_answer_weight, checked_regularizer
from ._backups import Backups
from ._choice import choose
from ._kinds import problem_for
from ._network import Network, check_loss, network_for
from ._problem import Data, Prior, Problem
from ._training import DEFAULT_WEIGHT, TEMPERED, Course, Setting, Training


class EMTrainer:
    """Trains a classifier on the answers of a crowd by expectation maximization (DL-EM).

    With class probabilities `f`, confusions `A`, answers `y` and Dirichlet priors `a`, each iteration is

        M:  A_rkl = (a_rkl + sum_i q_ik [y_ir = l]) / sum_l (...),   f: some epochs of `fit` on q
        E:  q_ik ~ f_ik prod_r A_r,k,y_ir

    A network that confirms its own labels makes posteriors too sure. Two settings counter that. Every answer can count
    as a part `w` of an answer (`answer_weight`: `a_rkl + w sum_i ...`, `A_r,k,y_ir ^ w`), and `fit` on `q` can have a
    penalty on the class probabilities that rises over the first half of the iterations (`classifier_regularizer`).
    Where classes are clear and about equally frequent, both help much; elsewhere they do harm. `answer_weight="auto"`
    trains both ways on four fifths of the answers and takes the way that predicts the others better. This takes *three
    trainings instead of one*; callbacks see only the last one.

    The classifier stays a plain Keras model. Posteriors are computed in log space over the given answers, so the cost
    grows with their number.

    A tagger `(batch, time, classes)` is trained likewise, each token by itself. For a regressor `(batch, 1)` the
    annotators have biases `b` and variances `v` (Raykar et al.), with `t` that of the truth around `f`:

        M:  b_r = mean of y_ir - z_i,   v_r = mean of (y_ir - z_i - b_r)^2 + V_i,   f: `fit` on z
        E:  1/V_i = 1/t + sum_r 1/v_r,   z_i = V_i (f_i/t + sum_r (y_ir - b_r) / v_r)

    The biases have mean 0 over all answers, and each variance has `strength` pseudo-answers of the common variance.
    With `gold`, the answers are first brought to its level and scale, by the line from the estimates of these items to
    their truth.

    A `models.HiddenCRF` is a tagger whose true tags are a chain: `q` are the marginals of the chain given all answers
    to a sequence, and the epochs of `fit` are on the likelihood of the answers, confusions held. Its crowd
    layer must not be trainable; it gets the confusions.

    Args:
        classifier: A Keras model of any kind from features to class probabilities `(batch, classes)` or `(batch, time,
            classes)`, or to numbers `(batch, 1)`; or a `models.HiddenCRF`. A single output with answers that are
            classes is the probability of class 1 of two. A compiled classifier keeps its optimizer and loss, which must
            take distributions over the classes, as `"categorical_crossentropy"` does (numbers: `"mse"`; one output for
            two classes: `"binary_crossentropy"`); otherwise it is compiled with Adam and such a loss. A KerasHub task
            is trained without its preprocessor, through which the features go once beforehand.
        num_annotators: Integer. Number of annotators. Defaults to that of the answers.
        from_logits: Boolean. Whether the classifier gives logits. Defaults to `False`.
        prior: Pseudo-counts of each annotator's answers: a positive number, or what you know about them, as anything
            that broadcasts to `(annotators, true, answer)`. Defaults to `strength` answers to each class like those of
            all annotators together. For classes.
        strength: Float. See `prior`. An annotator without answers has the prior's confusion. Defaults to 10.0.
        seed: Integer. Seed of the order of the items; call `keras.utils.set_random_seed` for everything else. Defaults
            to 0.
        problem: A subclass of `keras_crowd.em.Problem`, for a kind of answers of your own. Defaults to `None`, that of
            the classifier and the answers.
        answer_weight: Float in (0, 1], how much of an independent observation an answer is, for classes and tags; or
            `"auto"`, for a classifier of items: 0.5 with the classifier regularizer if that predicts held-out answers
            better, else 1 without. Defaults to 1.
        annotator_weights: How many independent annotators each one counts for, positive, `(annotators,)`, for classes
            and tags: `A_r,k,y_ir ^ w_r`. `selection.annotator_weights` finds them where annotators err together.
            Defaults to `None`, 1 each.
        classifier_regularizer: Penalty on the class probabilities of the batch, for a classifier of items. Defaults to
            `None`: none, or `regularizers.ClassifierLogDet(3.0)` with `answer_weight="auto"`.

    Attributes:
        path: `selection.RegularizationPath` of the last `fit`: the nats of the held-out answers without (weight 0) and
            with the regularizer, and what was chosen; `None` where nothing was.

    Example:

    >>> trainer = keras_crowd.EMTrainer(classifier)
    >>> history = trainer.fit(x, answers, iterations=3, verbose=0)
    >>> trainer.posterior().shape, trainer.confusion().shape
    ((20, 10), (5, 10, 10))

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "EM algorithm"; V. Raykar
        et al., "Learning from crowds", JMLR 11, 2010 (the priors).
    """

    def __init__(
        self,
        classifier: keras.Model,
        num_annotators: int | None = None,
        *,
        from_logits: bool = False,
        prior: npt.ArrayLike | None = None,
        strength: float = 10.0,
        seed: int = 0,
        problem: type[Problem] | None = None,
        answer_weight: float | Literal["auto"] = 1.0,
        annotator_weights: npt.ArrayLike | None = None,
        classifier_regularizer: Regularizer = None,
    ) -> None:
        if num_annotators is not None:
            whole_number("num_annotators", num_annotators)
        number("strength", strength, above=0)
        whole_number("seed", seed, low=0)
        flag("from_logits", from_logits)
        check_types(classifier, problem)
        check_loss(classifier, from_logits)
        self.answer_weight = checked_answer_weight(answer_weight)
        self.annotator_weights = annotator_weights
        self.classifier_regularizer = checked_regularizer(classifier_regularizer)
        self.path: RegularizationPath | None = None
        self.classifier = classifier
        self.num_annotators = num_annotators
        self.from_logits = from_logits
        self.prior = prior
        self.strength = strength
        self.seed = seed
        self.problem = problem
        self._training: Training | None = None

    def fit(
        self,
        x: Features,
        answers: Answers,
        *,
        gold: npt.ArrayLike | None = None,
        start: npt.ArrayLike | None = None,
        iterations: int = 50,
        epochs: int = 1,
        batch_size: int = 32,
        tolerance: float | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        backup_dir: str | os.PathLike[str] | None = None,
        verbose: int = 1,
    ) -> keras.callbacks.History:
        """Trains the classifier and estimates the annotators, by turns.

        Args:
            x: Features: an array, or a list or dict of arrays (a data frame's rows are matched to the items by its
                index, unless that is a plain range); or, where they do not fit into memory,
                batches `(features, items)` with `items` the rows of the features in the answers, in any
                order, from anything that can be gone through again for every epoch (`tf.data.Dataset`,
                `keras.utils.PyDataset`, a PyTorch `DataLoader`).
            answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing, or soft answers, floats
                `(items, annotators, classes)` with zeros; rows as in `x`. For a tagger `(items, time, annotators)`,
                or that and the classes (a `HiddenCRF` with `slots=True`: slots, as in its
                `fit`); for a regressor floats, `NaN` for missing.
            gold: True classes of some items, integers `(items,)` or `(items, time)`, `-1` where unknown; ids of the
                classes `(items,)`, `None` where unknown; or true numbers `(items,)`, `NaN` where unknown. A series is
                matched to the items by its index, as `x`. They are taken as the truth. Not for a `HiddenCRF`. Defaults
                to `None`.
            start: Where the posteriors start: `"dawid_skene"` (the default: `aggregation.dawid_skene`),
                `"majority_vote"`, or probabilities `(items, classes)`; for a regressor `"raykar"` (the default) or
                `"mean_rating"`.
            iterations: Integer. Largest number of iterations of both steps. Defaults to 50.
            epochs: Integer. Epochs of the classifier in each iteration. Defaults to 1.
            batch_size: Integer. Items in a batch. Defaults to 32.
            tolerance: Float. Stop when the log-likelihood, per answer, rises by less than this. Defaults to `None`.
            callbacks: Keras callbacks; what they call an epoch is an iteration, with `log_likelihood` and `loss` in the
                logs. Defaults to `()`.
            backup_dir: Folder for backups. After an interruption, the same call (with more `iterations`, if you like)
                continues from the backup and ends as if there had been no interruption (under PyTorch, if `Dropout` has
                a `seed` of its own; otherwise Keras uses PyTorch's global generator). Numbers and arrays of callbacks
                are kept. Batches are read through as often as before, to restore their order. Writing takes at most a
                twentieth of the time. The file is deleted when training ends. Defaults to `None`, no backup.
            verbose: Integer. 1 shows progress. Defaults to 1.

        Returns:
            Keras's `History`: `log_likelihood` (of the answers, with the log of the priors; it never falls
            if the classifier's own step does not fall) and `loss` of every iteration.

        Raises:
            ValueError: When the data do not fit each other or the classifier, before anything is trained.

        Warns:
            RuntimeWarning: When a class that the answers use has vanished from the classifier's predictions.
        """
        for name, value in {"iterations": iterations, "epochs": epochs, "batch_size": batch_size}.items():
            whole_number(name, value)
        if tolerance is not None:
            number("tolerance", tolerance)
        network, x = network_for(self.classifier, x, self.from_logits)
        kind: type[Problem] = self.problem or problem_for(network, answers)
        make: Callable[..., Problem] = kind
        setting, beside = self._setting(kind, network)

        def training_of(some: Answers, setting: Setting) -> Training:
            prior = Prior(self.prior, self.strength, setting.answer_weight, self.annotator_weights)
            problem = make(network, Data(x, some, gold, batch_size), prior)
            self._check_annotators(problem)
            posterior = problem.start(start)
            network.compile(problem.default_loss())
            return Training(problem, setting.regularizer, posterior)

        training = training_of(answers, setting)
        course = Course(iterations, epochs, tolerance, self.seed, verbose)
        given = {"epochs": epochs, "batch_size": batch_size, "gold": gold, "start": start}
        backups = Backups(backup_dir, training.problem, {**self._given, **given})
        self.path = None
        if beside:
            annotations = training.problem.annotations
            setting, self.path = choose(beside, annotations, training_of, course, backups)
            training = training_of(answers, setting)
        self._training = training
        history = training.fit(course, backups(setting), callbacks, checked=True)
        backups.of_choice.delete()
        return history

    def _setting(self, kind: type[Problem], network: Network) -> tuple[Setting, Setting | None]:
        """The setting to train under, and that which is to be tried beside it, if any."""
        regularizer, weight = self.classifier_regularizer, self.answer_weight
        if self.annotator_weights is not None and not kind.weighs_answers:
            raise ValueError(
                "`annotator_weights` are for answers that are classes or tags (a `HiddenCRF` has its own). "
                f"Received: annotator_weights={self.annotator_weights}, {kind.__name__}"
            )
        if weight == "auto" or regularizer is not None:
            check_regularizable(kind, network.model, "auto" if weight == "auto" else None)
        if weight == "auto":
            return Setting(), Setting(TEMPERED, regularizer or ClassifierLogDet(DEFAULT_WEIGHT))
        if weight != 1 and not kind.weighs_answers:
            raise ValueError(
                "`answer_weight` must be 1 except for answers that are classes or tags (a `HiddenCRF` has its own). "
                f"Received: answer_weight={weight}, {kind.__name__}"
            )
        return Setting(weight, regularizer), None

    @property
    def _given(self) -> dict[str, Any]:
        names = ("from_logits", "prior", "strength", "seed", "annotator_weights")
        return {name: getattr(self, name) for name in names}

    def _check_annotators(self, problem: Problem) -> None:
        found = problem.annotations.num_annotators
        if self.num_annotators not in (None, found):
            raise ValueError(
                f"`answers` must be those of num_annotators={self.num_annotators} annotators. Received: {found}"
            )

    def posterior(self) -> np.ndarray:
        """Returns the probability of each class for each training item, `(items, classes)` or `(items, time, classes)`.

        For ratings, it is the mean and the variance of the truth, `(items, 2)`. `aggregation.posterior` and
        `aggregation.raykar` compute the same for other answers and features.
        """
        rows = self._last_training().problem.rows
        return self._last_training().posterior.reshape(*rows, -1).copy()

    def confusion(self) -> np.ndarray:
        """Returns each annotator's confusion matrix, `(annotators, true, answer)`; rows sum to 1."""
        return self._estimate("confusion")

    def population(self) -> np.ndarray:
        """Returns the confusion of an unknown annotator, `(true, answer)`: the mean confusion of the priors."""
        return self._estimate("population")

    def bias(self) -> np.ndarray:
        """Returns the bias of each annotator of ratings, `(annotators,)`; without gold, its mean is 0."""
        return self._estimate("bias")

    def precision(self) -> np.ndarray:
        """Returns one over the variance of the noise of each annotator of ratings, `(annotators,)`."""
        return self._estimate("precision")

    def estimates(self) -> dict[str, np.ndarray]:
        """Returns all that is known of the annotators, by name; for a `problem` of your own, what it returns."""
        return {name: np.array(value) for name, value in self._last_training().problem.estimates().items()}

    def _estimate(self, name: str) -> np.ndarray:
        estimates = self.estimates()
        if name not in estimates:
            raise ValueError(
                f"Of these annotators {', '.join(estimates)} are known. Received: a request for the {name}"
            )
        return estimates[name]

    def _last_training(self) -> Training:
        if self._training is None:
            raise ValueError("`fit` must be called first.")
        return self._training
