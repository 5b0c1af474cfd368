"""GeoCrowdNet(F) in one call: the weight of its regularizer is chosen on held-out answers, not on gold labels.

    python examples/digits_fit_crowd.py

Prints the path of weights and the comparison, draws the path to `saved_models/digits_path.png`, and exports the
classifier. Offline: scikit-learn's digits, labeled by careless machine annotators.
"""

import matplotlib
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_annotators,
    print_table,
)

import keras_crowd as kc

matplotlib.use("agg")


def main(epochs=50, seeds=1, folder=SAVED_MODELS):
    data = digits_from_a_careless_crowd()
    print(data.annotations, "\n")
    paths = []

    def train_on_crowd(classifier, data, epochs):
        fit = kc.fit_crowd(
            classifier,
            data.x_train,
            data.annotations,
            weights=[0.0, 0.3, 1.0, 3.0],
            num_splits=2,
            epochs=epochs,
            crowd_learning_rate=1e-2,  # 50 epochs are few
        )
        paths.append(fit.path)
        return fit.classifier, fit.crowd

    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print(paths[-1])
    paths[-1].plot().figure.savefig(folder / "digits_path.png")
    print_table(found)
    print_annotators(classifier, crowd, data)
    classifier.export(folder / "digits_fit_crowd", verbose=False)
    return found


if __name__ == "__main__":
    main()
