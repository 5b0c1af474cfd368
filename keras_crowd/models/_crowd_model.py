"""`crowd_model`: any classifier with a crowd layer on top."""

import keras

from .._typing import Features
from ..layers import CrowdLayer
from ..pipelines import with_annotators
from ._functional import model_below, warn_of_own_training
from ._item_features import item_features


def crowd_model(
    classifier: keras.Model,
    crowd: keras.layers.Layer,
    slots: bool = False,
    *,
    features: str | None = None,
    x: Features | None = None,
) -> keras.Model:
    """Puts a crowd layer on top of any Keras model, and returns both as a functional model.

    The model has the inputs of the classifier: their structure, names, shapes and dtypes (which
    `keras.Sequential([classifier, crowd])` loses). It shares the classifier's weights: training it trains the
    classifier.

    A classifier that ends in one sigmoid has two classes. A KerasHub task is taken without its preprocessor: fit on
    `classifier.preprocessor(x)`.

    Args:
        classifier: A Keras model of one output: class probabilities, or logits if `crowd` has `from_logits=True`;
            numbers `(batch, 1)` for `CrowdsRegression` and `CrowdsOrdinal`. Sequential, functional or
            subclassed, with any inputs.
        crowd: A crowd layer of `keras_crowd.layers`.
        slots: Boolean. Whether the model works on slots. Then the annotators of the slots are its last input,
            `"annotators"`, int32 `(batch, slots)`; a dict of inputs gets them under that key. Defaults to `False`.
        features: String. For a crowd layer whose connection looks at features of the items
            (`layers.connections.ItemConnection`, as `"CoNAL"`): name of the layer of the classifier whose output they
            are, `(batch, ..., num_features)`; that of an `Input` for the features themselves. Defaults to `None`, what
            the last layer with weights takes: the last hidden layer, where the classifier ends in a `Dense`. A model
            within the classifier counts as one layer. Training changes the features by the classifier alone.
        x: Features, a few rows are enough. Needed for subclassed models and for Sequential models without an
            `Input`, which do not know their inputs. Defaults to `None`.

    Returns:
        A functional `keras.Model` from the features (and annotators) to what each annotator is predicted to answer.

    Raises:
        ValueError: When the classifier has several outputs, or its inputs are not known and `x` is not given; when
            `features` is no such layer, or the crowd layer takes none.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=5)
    >>> keras_crowd.crowd_model(classifier, crowd).output_shape
    (None, 5, 10)
    >>> keras_crowd.crowd_model(classifier, crowd, slots=True).output_shape
    (None, None, 10)
    """
    if not isinstance(crowd, CrowdLayer):
        raise ValueError(
            "`crowd` must be a crowd layer of `keras_crowd.layers`, and `classifier` come before it. "
            f"Received: crowd of type {type(crowd).__name__}"
        )
    if crowd.num_predictions != 1:
        raise ValueError(
            "`crowd` must take the prediction of one item; two that are compared get their layer by "
            f"`keras_crowd.models.preference_model`. Received: {type(crowd).__name__} {crowd.name!r}"
        )
    below = model_below(classifier, crowd.prediction_kind, crowd.from_logits, x)
    warn_of_own_training(classifier, "the model of `crowd_model`")
    prediction = below.outputs[0]
    given = {"features": tensor} if (tensor := item_features(below, crowd, features)) is not None else {}
    if not slots:
        return keras.Model(below.input, crowd(prediction, **given))
    annotators = keras.Input((None,), dtype="int32", name="annotators")
    answers = crowd(prediction, annotators=annotators, **given)
    return keras.Model(with_annotators(below.input, annotators), answers)
