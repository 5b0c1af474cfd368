"""From Label Studio and back: its export, a model trained on the answers, predictions to import.

    python examples/label_studio.py

1. The export is made here; put your own in its place (Export, format JSON). Row `i` of `x_train` is task `items[i]`.
2. A classifier is trained on all answers, under a crowd layer that learns how far to trust each annotator.
3. Classifier and answers together give each task's label and its probability.
4. The labels are written as predictions. Import them into a project with the same labeling interface, and sort by
   prediction score to look at the least certain first.
"""

import keras
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_annotators,
    print_table,
)
from projects import print_labels, write_label_studio_export

import keras_crowd as kc


def digits_of_label_studio(path):
    """Features, and the answers as they are read from the export."""
    made = digits_from_a_careless_crowd()
    write_label_studio_export(path, made.annotations)
    annotations = kc.io.read_label_studio(
        path,
        items=range(len(made.x_train)),  # the ids of the tasks, in the order of the rows of x
        classes=made.class_names,  # in the order of the classifier's outputs
        duplicates="last",  # whoever changed their mind
    )
    return kc.datasets.CrowdDataset(
        made.x_train, annotations, made.y_train, made.x_test, made.y_test, made.class_names
    )


def train_on_crowd(classifier, data, epochs):
    crowd = kc.layers.CrowdsClassification(data.annotations.num_annotators)
    crowd.adapt(data.annotations.dense())
    model = kc.crowd_model(classifier, crowd)
    model.compile(keras.optimizers.Adam(1e-3), kc.losses.MaskedCrowdCrossEntropy())
    kc.validate(model, data.x_train, data.annotations.dense())
    model.fit(data.x_train, data.annotations.dense(), batch_size=64, epochs=epochs, verbose=0)
    return classifier, crowd


def main(epochs=40, seeds=1, folder=SAVED_MODELS):
    export, predictions = folder / "label_studio_export.json", folder / "label_studio_predictions.json"
    folder.mkdir(parents=True, exist_ok=True)
    data = digits_of_label_studio(export)
    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print_table(found)
    print_annotators(classifier, crowd, data)

    posterior = kc.aggregation.posterior(
        data.annotations, classifier.predict(data.x_train, verbose=0), crowd.confusion()
    )
    kc.io.write_label_studio(predictions, export, data.annotations, posterior, model_version="crowd layer")
    table = kc.aggregation.annotator_table(data.annotations, posterior, crowd.confusion())
    columns = {name: table[name] for name in ("agreement", "accuracy")}
    path = folder / "label_studio_annotators.csv"
    kc.io.write_annotators(path, data.annotations, annotator="completed_by", **columns)
    print_labels(data, posterior)
    print(f"\nto import: {predictions}")
    classifier.export(folder / "label_studio", verbose=False)
    return found


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main()
