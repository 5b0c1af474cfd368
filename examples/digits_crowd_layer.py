"""The main job: train on the answers of a careless crowd, look at the annotators, export the classifier.

    python examples/digits_crowd_layer.py

Offline: scikit-learn's digits, labeled by 30 weak machine annotators. Prints a comparison, draws the
confusion matrices of the annotators trusted most and least, exports a SavedModel and writes a report of the crowd.
"""

import keras
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    explain_dawid_skene,
    print_annotators,
    print_table,
)
from pictures import draw_confusions

import keras_crowd as kc


def train_on_crowd(classifier, data, epochs):
    crowd = kc.layers.CrowdsClassification(
        data.annotations.num_annotators,
        conn_type="CM",
        initial_accuracy=0.5,
        classifier_regularizer=kc.regularizers.ClassifierLogDet(1.0),  # all digits are equally frequent
    )
    # The first epochs are on the majority vote, so that no class is lost before the annotators are known.
    votes, warm_up = kc.aggregation.majority_vote(data.annotations), min(5, epochs - 1)
    classifier.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    classifier.fit(data.x_train[votes >= 0], votes[votes >= 0], batch_size=64, epochs=warm_up, verbose=0)
    # Then the answers. Each annotator is seen in few batches, so the crowd layer learns ten times as fast.
    model = kc.crowd_model(classifier, crowd)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(1e-3), learning_rate=1e-2)
    # Twenty steps per call of the backend are the same steps in less time.
    model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy(), steps_per_execution=20)
    answers = data.annotations.dense()
    kc.validate(model, data.x_train, answers)
    model.fit(data.x_train, answers, batch_size=64, epochs=epochs - warm_up, verbose=0)
    return classifier, crowd


def main(epochs=40, seeds=3, folder=SAVED_MODELS):
    data = digits_from_a_careless_crowd()
    print(data.annotations, "\n")
    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print_table(found)
    explain_dawid_skene(found, data)
    order = print_annotators(classifier, crowd, data)
    draw_confusions(
        crowd.confusion(),
        [("least trusted", order[0]), ("next", order[1]), ("next", order[-2]), ("most trusted", order[-1])],
        folder / "digits_annotators.png",
    )
    classifier.export(folder / "digits", verbose=False)
    print(f"\nexported the classifier to {folder / 'digits'}")
    print(f"drew four annotators in {folder / 'digits_annotators.png'}")
    images = data.x_train.reshape(-1, 8, 8)
    report = kc.report.crowd_report(
        data.annotations, crowd=crowd, classifier=classifier, x=data.x_train, gold=data.y_train, show=images
    )
    report.to_html(folder / "digits_report.html")
    print(f"wrote a report of the crowd, for a browser: {folder / 'digits_report.html'}")
    return found


if __name__ == "__main__":
    main()
