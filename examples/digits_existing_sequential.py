"""A crowd layer added to a Sequential that is already there, and taken off again after training.

    python examples/digits_existing_sequential.py

`model.add(crowd)` changes the model itself, whose own `Input` keeps its dtype. `kc.crowd_model(model, crowd)` leaves it
alone, and takes every other kind of model as well; `keras.Sequential([model, crowd])` would lose the dtype.
"""

import keras
from comparison import (
    SAVED_MODELS,
    accuracy,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_table,
)

import keras_crowd as kc


def train_on_crowd(model, data, epochs):
    """`model` is the user's own Sequential; it gains a layer."""
    crowd = kc.layers.CrowdsClassification(
        data.annotations.num_annotators, conn_type="CM", initial_accuracy=0.5
    )
    model.add(crowd)
    model.compile(
        kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(1e-3), learning_rate=1e-2),
        loss=kc.losses.MaskedCrowdCrossEntropy(),
        metrics=[kc.metrics.CrowdAccuracy()],
    )
    model.fit(data.x_train, data.annotations.dense(), epochs=epochs, batch_size=64, verbose=0)
    return kc.strip(model), crowd


def main(epochs=40, seeds=1, folder=SAVED_MODELS):
    data = digits_from_a_careless_crowd()
    found, (classifier, _) = compare(digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds)
    print_table(found)
    classifier.save(folder / "digits_classifier.keras")
    classifier.export(folder / "digits_existing_sequential", verbose=False)
    loaded = keras.models.load_model(folder / "digits_classifier.keras")
    print(f"\nloaded again: {100 * accuracy(loaded, data.x_test, data.y_test):.1f} %")
    return found


if __name__ == "__main__":
    main()
