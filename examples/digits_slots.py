"""Many annotators, few answers per item: the crowd layer on slots, from a table of answers.

    python examples/digits_slots.py

2,000 annotators give three answers per digit. On slots a step costs what its answers cost; a dense table would be
1,300 x 2,000, nearly all of it holes.
"""

import keras
import numpy as np
import pandas as pd
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_table,
)

import keras_crowd as kc


def table_of_answers(labels, num_annotators=2000, seed=0):
    """What a labeling tool exports: one row per answer, with ids."""
    confusion = kc.datasets.diagonally_dominant(num_annotators, 10, accuracy=(0.2, 0.9), seed=seed)
    simulated = kc.datasets.simulate_answers(labels, confusion, answers_per_item=3, seed=seed)
    return pd.DataFrame(
        {
            "task": [f"digit-{i}" for i in simulated.item_index],
            "worker": [f"worker-{r}" for r in simulated.annotator_index],
            "label": simulated.answers.astype(str),
        }
    )


def many_annotators():
    data = digits_from_a_careless_crowd()
    annotations = kc.Annotations.from_dataframe(
        table_of_answers(data.y_train),
        item="task",
        annotator="worker",
        answer="label",
        items=[f"digit-{i}" for i in range(len(data.x_train))],  # the order of the rows of x
    )
    return kc.datasets.CrowdDataset(
        data.x_train, annotations, data.y_train, data.x_test, data.y_test, data.class_names
    )


def train_on_crowd(classifier, data, epochs):
    crowd = kc.layers.CrowdsClassification(
        data.annotations.num_annotators, conn_type="SW", initial_accuracy=0.5
    )
    model = kc.crowd_model(classifier, crowd, slots=True)
    model.compile(keras.optimizers.Adam(1e-3), loss=kc.losses.MaskedCrowdCrossEntropy())
    ids, answers = data.annotations.slots()
    kc.validate(model, (data.x_train, ids), answers)
    model.fit((data.x_train, ids), answers, epochs=epochs, batch_size=64, verbose=0)
    return kc.strip(model), crowd


def main(epochs=40, seeds=1, folder=SAVED_MODELS):
    data = many_annotators()
    print(data.annotations, "\n")
    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print_table(found)
    scores = kc.aggregation.annotator_accuracy(crowd.confusion())
    print(f"\nestimated accuracy of {len(scores):,} annotators: {scores.min():.2f} to {np.max(scores):.2f}")
    classifier.export(folder / "digits_slots", verbose=False)
    return found


if __name__ == "__main__":
    main()
