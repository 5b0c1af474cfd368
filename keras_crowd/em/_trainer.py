"""`EMTrainer`: a classifier and annotators, by turns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from .._arguments import whole_number
from ..aggregation._checks import imagined_answers
from ..annotations import Annotations, as_annotations
from ..ops import class_probabilities
from ._backup import Backup
from ._confusions import Confusions, checked_gold, population_prior
from ._features import as_features


class EMTrainer:
    """Trains a classifier on the answers of a crowd by expectation maximization (DL-EM).

    With class probabilities `f`, confusions `A`, answers `y` and Dirichlet priors `a`, each iteration is

        M:  A_rkl = (a_rkl + sum_i q_ik [y_ir = l]) / sum_l (...),   f: some epochs of `fit` on q
        E:  q_ik ~ f_ik prod_r A_r,k,y_ir

    The classifier stays a plain Keras model. Posteriors are computed in log space over the answers that
    were given, so the cost follows their number.

    Args:
        classifier: A built Keras model from features to class probabilities `(batch, classes)`. Compiled, it
            keeps its optimizer and loss, which must take distributions over the classes, as
            `"categorical_crossentropy"` does; else it is compiled with Adam and that.
        num_annotators: Number of annotators. Defaults to that of the answers.
        from_logits: Whether the classifier gives logits.
        prior: Answers of each annotator imagined beforehand: a positive number, or what you know of them as
            anything that broadcasts to `(annotators, true, answer)`. Defaults to `strength` answers to each
            class like those of all annotators together.
        strength: See `prior`. An annotator without answers has the prior's confusion.
        seed: Seed of the order of the items; call `keras.utils.set_random_seed` for all else.

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
        classifier: Any,
        num_annotators: int | None = None,
        *,
        from_logits: bool = False,
        prior: Any = None,
        strength: float = 10.0,
        seed: int = 0,
    ) -> None:
        if num_annotators is not None:
            whole_number("num_annotators", num_annotators)
        if not 0 < strength < np.inf:
            raise ValueError(f"`strength` must be a positive number. Received: strength={strength}")
        _check_loss(classifier)
        self.classifier = classifier
        self.num_annotators = num_annotators
        self.from_logits = from_logits
        self.prior = prior
        self.strength = strength
        self.seed = seed
        self._annotators: Any = None
        self._posterior: Any = None

    def fit(
        self,
        x: Any,
        answers: Any,
        *,
        gold: Any = None,
        start: Any = "dawid_skene",
        iterations: int = 50,
        epochs: int = 1,
        batch_size: int = 32,
        tolerance: float | None = None,
        callbacks: Sequence[Any] = (),
        backup_dir: str | os.PathLike[str] | None = None,
        verbose: int = 1,
    ) -> Any:
        """Trains.

        Args:
            x: Features: an array, or a list or dict of arrays; or, where they do not fit into memory,
                batches `(features, items)` with `items` the rows of the features in the answers, in any
                order, from anything that can be gone through again for every epoch (`tf.data.Dataset`,
                `keras.utils.PyDataset`, a PyTorch `DataLoader`).
            answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing; rows as in `x`.
            gold: True classes of some items, integers `(items,)`, `-1` where unknown. They are taken for
                the truth.
            start: Where the posteriors start: `"dawid_skene"`, `"majority_vote"`, or probabilities
                `(items, classes)`.
            iterations: Iterations of both steps, at most.
            epochs: Epochs of the classifier in each iteration.
            batch_size: Items in a batch.
            tolerance: Stop when the log-likelihood, per answer, rises by less than this.
            callbacks: Keras callbacks; what they call an epoch is an iteration, with `log_likelihood` and
                `loss` in the logs.
            backup_dir: Folder to keep every iteration in: after an interruption, the same call goes on from
                there, and ends as if there had been none (under PyTorch, if `Dropout` has a `seed` of its own:
                without, Keras takes PyTorch's global generator). Emptied of it at the end.
            verbose: 1 shows progress.

        Returns:
            Keras's `History`: `log_likelihood` (of the answers, with the log of the priors; it never falls
            if the classifier's own step does not fall) and `loss` of every iteration.

        Raises:
            ValueError: When the data do not fit each other or the classifier, before anything is trained.
        """
        annotations = self._checked(answers)
        for name, value in {"iterations": iterations, "epochs": epochs, "batch_size": batch_size}.items():
            whole_number(name, value)
        features = as_features(x, annotations.num_items, batch_size)
        prior = self.prior
        prior = population_prior(annotations, self.strength) if prior is None else prior
        gold = checked_gold(gold, annotations)
        annotators = Confusions(annotations, gold, imagined_answers("prior", prior, annotations))
        posterior = annotators.start(start)
        self._annotators = annotators
        self._compile()
        log = _Log(self.classifier, callbacks, iterations, verbose)
        backup = Backup(backup_dir, self.classifier, annotations)
        posterior, done = backup.restore(posterior, log)
        while done < iterations and not log.stopped:
            log.begin(done)
            annotators.maximize(posterior)
            loss = features.fit(
                self.classifier,
                posterior,
                annotators.informed,
                epochs,
                np.random.default_rng([self.seed, done]),
            )
            posterior, objective = annotators.expect(self._probabilities(features))
            log.end(done, {"log_likelihood": objective, "loss": loss}, tolerance, len(annotations))
            done += 1
            backup.save(posterior, log)
        annotators.maximize(posterior)
        self._posterior = posterior
        backup.delete()
        return log.finish()

    def posterior(self) -> np.ndarray:
        """Probability of each class for each training item, `(items, classes)`; rows sum to 1.

        `aggregation.posterior` gives the same for other answers and features.
        """
        self._check_fitted()
        return self._posterior.copy()

    def confusion(self) -> np.ndarray:
        """What each annotator answers to each class, `(annotators, true, answer)`; rows sum to 1."""
        self._check_fitted()
        return self._annotators.value.copy()

    def population(self) -> np.ndarray:
        """The confusion of an annotator of whom nothing is known, `(true, answer)`: the mean of the prior."""
        self._check_fitted()
        mean = self._annotators.prior.mean(axis=0)
        return mean / mean.sum(axis=-1, keepdims=True)

    def _checked(self, answers: Any) -> Annotations:
        shape = tuple(self.classifier.output_shape)
        if len(shape) != 2 or (shape[1] or 0) < 2:
            raise ValueError(
                f"`classifier` must have the output shape (batch, classes), at least 2. Received: {shape}"
            )
        annotations = as_annotations(answers, shape[1])
        if self.num_annotators not in (None, annotations.num_annotators):
            raise ValueError(
                f"`answers` must be those of num_annotators={self.num_annotators} annotators. "
                f"Received: {annotations.num_annotators}"
            )
        return annotations

    def _compile(self) -> None:
        if not self.classifier.compiled:
            loss = keras.losses.CategoricalCrossentropy(from_logits=self.from_logits)
            self.classifier.compile("adam", loss)

    def _probabilities(self, features: Any) -> np.ndarray:
        return class_probabilities(features.predict(self.classifier), self.from_logits)

    def _check_fitted(self) -> None:
        if self._posterior is None:
            raise ValueError("`fit` must be called first.")


class _Log:
    """Progress, history and callbacks; an epoch is an iteration."""

    def __init__(self, classifier: Any, callbacks: Sequence[Any], iterations: int, verbose: int) -> None:
        self.classifier = classifier
        self.history = keras.callbacks.History()
        self.callbacks = keras.callbacks.CallbackList(
            [*callbacks, self.history], model=classifier, epochs=iterations, verbose=verbose, steps=None
        )
        self.progress = keras.utils.Progbar(
            iterations,
            verbose=verbose,
            stateful_metrics=["log_likelihood", "loss"],
            unit_name="iteration",
        )
        self.stopped = False
        classifier.stop_training = False
        self.callbacks.on_train_begin()

    def begin(self, iteration: int) -> None:
        self.callbacks.on_epoch_begin(iteration)

    def end(self, iteration: int, logs: dict[str, float], tolerance: float | None, size: int) -> None:
        self.classifier.stop_training = False
        self.callbacks.on_epoch_end(iteration, logs)
        self.progress.update(iteration + 1, [(name, logs[name]) for name in ("log_likelihood", "loss")])
        self.stopped = bool(self.classifier.stop_training)
        values = self.history.history["log_likelihood"]
        if tolerance is not None and len(values) > 1:
            self.stopped |= values[-1] - values[-2] < tolerance * size

    def finish(self) -> Any:
        self.callbacks.on_train_end()
        return self.history


def _check_loss(classifier: Any) -> None:
    if not classifier.compiled:
        return
    loss = classifier.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    if "sparse" in str(name).lower():
        raise ValueError(
            "`classifier` must be compiled with a loss that takes distributions over the classes, as "
            f'"categorical_crossentropy" does. Received: loss={name!r}'
        )
