"""GeoCrowdNet(F) in one call: how far replicas agree chooses the weight of its regularizer, without gold labels.

    python examples/digits_fit_crowd.py

Prints a summary and the comparison, and exports the classifier. Offline: scikit-learn's digits, labeled by careless
machine annotators.
"""

from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_annotators,
    print_table,
)

import keras_crowd as kc


def main(epochs=50, seeds=1, folder=SAVED_MODELS):
    data = digits_from_a_careless_crowd()
    print(data.annotations, "\n")
    fits = []

    def train_on_crowd(classifier, data, epochs):
        fit = kc.fit_crowd(
            classifier,
            data.x_train,
            data.annotations,
            epochs=epochs,
        )
        fits.append(fit)
        return fit.classifier, fit.crowd

    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print(fits[-1])
    print_table(found)
    print_annotators(classifier, crowd, data)
    classifier.export(folder / "digits_fit_crowd", verbose=False)
    return found


if __name__ == "__main__":
    main()
