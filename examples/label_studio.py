"""From Label Studio and back: its export, a model trained on the answers, predictions to import.

    python examples/label_studio.py

1. The export is made here, of digits that careful and careless annotators have labeled; put your own in its place
   (Export, format JSON; it has the tasks that somebody annotated). Features are yours: row `i` of `x_train` is task
   `items[i]`.
2. A classifier is trained on all answers, below a crowd layer that learns how far each annotator is to be trusted.
3. Classifier and answers together give the posterior of each task: its label, and how sure that is.
4. The tasks are written with these labels as predictions. Import the file into a project with the same labeling
   interface (the tasks will be new ones there), and sort by prediction score to look at the least sure first.
"""

import json

import keras
import numpy as np
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_annotators,
    print_table,
    train_on_answers,
)

import keras_crowd as kc


def write_export(path, annotations):
    """What Label Studio exports of a project with `<Choices name="digit" toName="image">`."""
    tasks = [
        {"id": i, "data": {"image": f"/data/upload/{i}.png"}, "annotations": []}
        for i in annotations.items.tolist()
    ]
    answers = zip(annotations.item_index, annotations.annotator_index, annotations.answers, strict=True)
    for number, (i, r, k) in enumerate(answers):
        result = {
            "from_name": "digit",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [str(annotations.classes[k])]},
        }
        annotation = {"id": number, "completed_by": int(r), "was_cancelled": False, "result": [result]}
        tasks[i]["annotations"].append(annotation)
    path.write_text(json.dumps(tasks))


def digits_of_label_studio(path):
    """Features, and the answers as they are read from the export."""
    made = digits_from_a_careless_crowd()
    write_export(path, made.annotations)
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
    crowd = kc.layers.CrowdsClassification(
        data.annotations.num_annotators, conn_type="CM", initial_accuracy=0.5
    )
    return train_on_answers(classifier, crowd, data, epochs=epochs)


def print_labels(data, posterior, count=3):
    """How good the labels are, which gold alone can tell, and the tasks to look at first."""
    right = np.mean(posterior.argmax(axis=1) == data.y_train)
    votes = np.mean(kc.aggregation.majority_vote(data.annotations) == data.y_train)
    print(f"\nlabels to import that are right: {100 * right:.1f} % (majority vote {100 * votes:.1f} %)")
    labels = kc.aggregation.label_table(data.annotations, posterior)
    for i in labels["confidence"].argsort()[:count]:
        label, sure = labels["label"][i], 100 * labels["confidence"][i]
        print(
            f"look at task {labels['item'][i]}: {label} is {sure:.0f} % probable, gold says {data.y_train[i]}"
        )


def main(epochs=40, seeds=1, folder=SAVED_MODELS):
    export, predictions = folder / "label_studio_export.json", folder / "label_studio_predictions.json"
    folder.mkdir(parents=True, exist_ok=True)
    data = digits_of_label_studio(export)
    print(data.annotations)
    print(kc.evaluation.answer_statistics(data.annotations), "\n")
    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print_table(found)
    print_annotators(classifier, crowd, data)

    posterior = kc.aggregation.posterior(
        data.annotations, classifier.predict(data.x_train, verbose=0), crowd.confusion()
    )
    kc.io.write_label_studio(predictions, export, data.annotations, posterior, model_version="crowd layer")
    annotators = kc.aggregation.annotator_table(data.annotations, posterior, crowd.confusion())
    kc.io.write_annotators(
        folder / "label_studio_annotators.csv",
        data.annotations,
        annotator="completed_by",
        agreement=annotators["agreement"],
        accuracy=annotators["accuracy"],
    )
    print_labels(data, posterior)
    print(f"\nto import: {predictions}")
    classifier.export(folder / "label_studio", verbose=False)
    return found


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main()
