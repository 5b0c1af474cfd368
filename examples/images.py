"""A small convolutional network on images, from the answers of annotators of whom most are careless.

    python examples/images.py

Offline: scikit-learn's digits, 8 x 8 pixels, labeled by 20 simulated annotators: 6 are right 8 times in 10, 14 guess.
For your own images, give `fit` a `tf.data.Dataset` of batches of images and answers (`keras_crowd.pipelines`).
"""

import pathlib

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


def network():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.RandomTranslation(0.1, 0.1),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10, "softmax"),
        ]
    )


def main(epochs=60, folder=SAVED_MODELS):
    keras.utils.set_random_seed(0)
    digits = load_digits()
    images = digits.images[..., None].astype("float32") / 16
    x, x_test, y, y_test = train_test_split(images, digits.target, test_size=500, random_state=0)
    annotators = kc.datasets.hammer_spammer(20, 10, hammer_fraction=0.3, accuracy=0.8, seed=0)
    answers = kc.datasets.simulate_answers(y, annotators, answers_per_item=4, seed=0).dense()

    classifier = network()
    crowd = kc.layers.CrowdsClassification(num_annotators=20)
    crowd.adapt(answers)
    model = kc.crowd_model(classifier, crowd)
    model.compile("adam", loss=kc.losses.MaskedCrowdCrossEntropy(), metrics=[kc.metrics.CrowdAccuracy()])
    model.fit(x, answers, epochs=epochs, verbose=0)

    on_votes = network()
    on_votes.compile("adam", "sparse_categorical_crossentropy")
    on_votes.fit(x, kc.aggregation.majority_vote(answers, ties="random", seed=0), epochs=epochs, verbose=0)

    found = {
        "network on the majority vote": on_votes.predict(x_test, verbose=0),
        "network below the crowd layer": classifier.predict(x_test, verbose=0),
    }
    found = {name: float(np.mean(p.argmax(1) == y_test)) for name, p in found.items()}
    for name, accuracy in found.items():
        print(f"{name:30} {100 * accuracy:.1f} % of the test images right")
    recalls = np.diagonal(crowd.confusion(), axis1=1, axis2=2).mean(axis=1)
    print(f"trusted most: annotators {np.argsort(recalls)[:-7:-1].tolist()}")
    classifier.export(folder / "digit_images", verbose=False)
    return found


if __name__ == "__main__":
    main()
