"""`EMTrainer`: a classifier (or regressor, or tagger) and annotators, by turns."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from .._arguments import flag, number, whole_number
from .._backup import Backup, TrainingBackup, description
from ..annotations import checksum
from ..models import is_task
from ..ops import class_probabilities
from ._chains import Chains
from ._confusions import Confusions
from ._log import Log
from ._network import is_sparse, name_of_loss, network_for
from ._problem import problem_for
from ._raters import Raters


class EMTrainer:
    """Trains a classifier on the answers of a crowd by expectation maximization (DL-EM).

    With class probabilities `f`, confusions `A`, answers `y` and Dirichlet priors `a`, each iteration is

        M:  A_rkl = (a_rkl + sum_i q_ik [y_ir = l]) / sum_l (...),   f: some epochs of `fit` on q
        E:  q_ik ~ f_ik prod_r A_r,k,y_ir

    The classifier stays a plain Keras model. Posteriors are computed in log space over the answers that
    were given, so the cost follows their number.

    A tagger `(batch, time, classes)` is trained likewise, each token by itself. For a regressor `(batch, 1)` the
    annotators have biases `b` and variances `v` (Raykar et al.), with `t` that of the truth around `f`:

        M:  b_r = mean of y_ir - z_i,   v_r = mean of (y_ir - z_i - b_r)^2 + V_i,   f: `fit` on z
        E:  1/V_i = 1/t + sum_r 1/v_r,   z_i = V_i (f_i/t + sum_r (y_ir - b_r) / v_r)

    The biases have mean 0 over all answers, and each variance has `strength` imagined answers of all.

    A `models.HiddenCRF` is a tagger whose true tags are a chain: `q` are the marginals of the chain given all answers
    to a sequence, and the epochs of `fit` are on the likelihood of the answers, confusions held. Its crowd
    layer must not be trainable; it gets the confusions.

    Args:
        classifier: A Keras model of any kind from features to class probabilities `(batch, classes)` or
            `(batch, time, classes)`, or to numbers `(batch, 1)`; or a `models.HiddenCRF`. One output and answers that
            are classes are the probability of class 1 of two. Compiled, it keeps its
            optimizer and loss, which must take distributions over the classes, as
            `"categorical_crossentropy"` does (numbers: `"mse"`; one output for two classes:
            `"binary_crossentropy"`); else it is compiled with Adam and that. A KerasHub task is trained without its
            preprocessor, through which the features go once before.
        num_annotators: Number of annotators. Defaults to that of the answers.
        from_logits: Whether the classifier gives logits.
        prior: Answers of each annotator imagined beforehand: a positive number, or what you know of them as
            anything that broadcasts to `(annotators, true, answer)`. Defaults to `strength` answers to each
            class like those of all annotators together. For classes.
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
        number("strength", strength, above=0)
        whole_number("seed", seed, low=0)
        flag("from_logits", from_logits)
        _check_classifier(classifier, from_logits)
        self.classifier = classifier
        self.num_annotators = num_annotators
        self.from_logits = from_logits
        self.prior = prior
        self.strength = strength
        self.seed = seed
        self.network: Any = classifier
        self.output_shape: tuple[int | None, ...] = ()
        self._annotators: Any = None
        self._rows: tuple[int, ...] = ()
        self._posterior: Any = None

    def fit(
        self,
        x: Any,
        answers: Any,
        *,
        gold: Any = None,
        start: Any = None,
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
                classes `(items,)`, `None` where unknown; or true numbers `(items,)`, `NaN` where unknown. A series
                is matched to the items by its index, as `x`. They are taken for the truth. Not for a `HiddenCRF`.
            start: Where the posteriors start: `"dawid_skene"` (the default), `"majority_vote"`, or probabilities
                `(items, classes)`; for a regressor `"raykar"` (the default) or `"mean_rating"`.
            iterations: Iterations of both steps, at most.
            epochs: Epochs of the classifier in each iteration.
            batch_size: Items in a batch.
            tolerance: Stop when the log-likelihood, per answer, rises by less than this.
            callbacks: Keras callbacks; what they call an epoch is an iteration, with `log_likelihood` and
                `loss` in the logs.
            backup_dir: Folder in which to keep what is done: after an interruption, the same call (with more
                `iterations`, if you like) goes on from there, and ends as if there had been none (under PyTorch,
                if `Dropout` has a `seed` of its own: without, Keras takes PyTorch's global generator). What is
                kept of callbacks are their numbers and arrays. Batches are gone through as often as before, to
                come to the same order. Iterations are written as often as a twentieth of the time allows. The
                file is deleted when training ends. Defaults to `None`, no backup.
            verbose: 1 shows progress.

        Returns:
            Keras's `History`: `log_likelihood` (of the answers, with the log of the priors; it never falls
            if the classifier's own step does not fall) and `loss` of every iteration.

        Raises:
            ValueError: When the data do not fit each other or the classifier, before anything is trained.
        """
        for name, value in {"iterations": iterations, "epochs": epochs, "batch_size": batch_size}.items():
            whole_number(name, value)
        if tolerance is not None:
            number("tolerance", tolerance)
        self.network, self.output_shape, x = network_for(self.classifier, x)
        annotators, rows, features = problem_for(self, x, answers, gold, batch_size)
        posterior = annotators.start(start)
        self._annotators, self._rows = annotators, rows
        self._compile()
        settings = {"epochs": epochs, "batch_size": batch_size, "gold": gold, "start": start}
        backup = self._backup(backup_dir, features, settings)
        kept = TrainingBackup(backup, self.network, callbacks, lambda: {"posterior": self._posterior})
        self._posterior = kept.restore().get("posterior", posterior)
        done = len(kept.epoch)
        features.skip(done * (epochs + 1))
        rise = None if tolerance is None else tolerance * len(annotators.annotations)
        log = Log(self.network, callbacks, kept, iterations, rise, verbose)
        while done < iterations and not log.stopped:
            self._iterate(log, features, epochs, done)
            done += 1
        annotators.maximize(self._posterior)
        history = log.finish()
        backup.delete()
        return history

    def _iterate(self, log: Log, features: Any, epochs: int, iteration: int) -> None:
        """M-step and E-step, and what is told of them."""
        annotators, rows = self._annotators, self._rows
        log.begin(iteration)
        annotators.maximize(self._posterior)
        targets = annotators.targets(self._posterior)
        targets = targets if targets.ndim > len(rows) else targets.reshape(*rows, -1)
        loss = features.fit(
            self.network,
            targets[..., 1:] if self._of_two_classes() else targets,
            annotators.informed.reshape(rows),
            epochs,
            np.random.default_rng([self.seed, iteration]),
        )
        self._posterior, objective = annotators.expect(self._predictions(features))
        log.end(iteration, {"log_likelihood": objective, "loss": loss})

    def _backup(self, folder: Any, features: Any, settings: dict[str, Any]) -> Backup:
        """What is kept in the folder, and of which call."""
        if folder is None:
            return Backup(None, {})
        annotations = self._annotators.annotations
        given = {
            "answers": [checksum(annotations), annotations.num_items, annotations.num_annotators],
            "features": features.checksums(),
            "classifier": description(self.network),
            "optimizer": description(self.network.optimizer),
            "loss": description(self.network.loss),
            "from_logits": self.from_logits,
            "prior": self.prior,
            "strength": self.strength,
            "seed": self.seed,
        }
        return Backup(pathlib.Path(folder) / "em.npz", {**given, **settings})

    def posterior(self) -> np.ndarray:
        """Probability of each class for each training item, `(items, classes)` or `(items, time, classes)`.

        For numbers mean and variance of the truth, `(items, 2)`. `aggregation.posterior` and
        `aggregation.raykar` give the same for other answers and features.
        """
        self._check_fitted()
        return self._posterior.reshape(*self._rows, -1).copy()

    def confusion(self) -> np.ndarray:
        """What each annotator answers to each class, `(annotators, true, answer)`; rows sum to 1."""
        return self._fitted(Confusions).value.copy()

    def population(self) -> np.ndarray:
        """The confusion of an annotator of whom nothing is known, `(true, answer)`: the mean of those of the priors."""
        prior = self._fitted(Confusions).prior
        return (prior / prior.sum(axis=-1, keepdims=True)).mean(axis=0)

    def bias(self) -> np.ndarray:
        """Of a regressor what each annotator adds, `(annotators,)`; mean 0 over all answers."""
        return self._fitted(Raters).bias.copy()

    def precision(self) -> np.ndarray:
        """Of a regressor one over the variance of each annotator's noise, `(annotators,)`."""
        return 1 / self._fitted(Raters).variance

    def _compile(self) -> None:
        if not self.network.compiled:
            self.network.compile("adam", self._default_loss())
        elif self.network.loss is None and not isinstance(self._annotators, Chains):
            self.network.compile(self.network.optimizer, self._default_loss())

    def _default_loss(self) -> Any:
        if isinstance(self._annotators, Chains):
            return None
        if isinstance(self._annotators, Raters):
            return "mse"
        if self._of_two_classes():
            return keras.losses.BinaryCrossentropy(from_logits=self.from_logits)
        return keras.losses.CategoricalCrossentropy(from_logits=self.from_logits)

    def _of_two_classes(self) -> bool:
        """Whether the classifier has one output for two classes."""
        return type(self._annotators) is Confusions and self.output_shape[-1] == 1

    def _predictions(self, features: Any) -> Any:
        if isinstance(self._annotators, Chains):
            return self._annotators.predictions(features)
        outputs = features.predict(self.network)
        if isinstance(self._annotators, Confusions):
            outputs = class_probabilities(outputs, self.from_logits)
        return outputs.reshape(-1, outputs.shape[-1])

    def _check_fitted(self) -> None:
        if self._posterior is None:
            raise ValueError("`fit` must be called first.")

    def _fitted(self, kind: type) -> Any:
        """What is known of the annotators, of the kind asked for."""
        self._check_fitted()
        if not isinstance(self._annotators, kind):
            has = "biases and precisions" if isinstance(self._annotators, Raters) else "confusions"
            raise ValueError(
                f"These annotators have {has}. Received: classifier of output {self.output_shape}"
            )
        return self._annotators


def _check_classifier(classifier: Any, from_logits: bool) -> None:
    if not isinstance(classifier, keras.Model):
        raise ValueError(f"`classifier` must be a Keras model. Received: {type(classifier).__name__}")
    loss = classifier.loss if classifier.compiled else None
    if is_sparse(loss):
        if is_task(classifier):  # the loss that it is made with
            return
        raise ValueError(
            "`classifier` must be compiled with a loss that takes distributions over the classes, as "
            f'"categorical_crossentropy" does. Received: loss={name_of_loss(loss)!r}'
        )
    if getattr(loss, "from_logits", from_logits) != from_logits:
        raise ValueError(
            "`from_logits` must be that of the loss which the classifier was compiled with. "
            f"Received: from_logits={from_logits}, a loss with from_logits={not from_logits}"
        )
