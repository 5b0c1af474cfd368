"""Draws what a crowd layer learned of real annotators beside what gold labels say of them.

    KERAS_CROWD_DATA=folder python examples/annotators.py

LabelMe: 59 annotators from Amazon Mechanical Turk, eight kinds of scenes, about 2.5 answers per image. Training uses
no gold label. Gold labels serve only for the lower row of the picture.
"""

import pathlib

import keras
import numpy as np
from pictures import draw_learned_and_counted

import keras_crowd as kc

PICTURE = pathlib.Path(__file__).parents[1] / "docs" / "images" / "annotators.png"


def learned_confusions(x, answers, epochs):
    classifier = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(8, "softmax"),
        ]
    )
    crowd = kc.layers.CrowdsClassification(num_annotators=answers.shape[1])
    crowd.adapt(answers)
    model = kc.crowd_model(classifier, crowd)
    model.compile("adam", loss=kc.losses.MaskedCrowdCrossEntropy())
    model.fit(x, answers, batch_size=64, epochs=epochs, verbose=0)
    return crowd.confusion()


def counted_confusions(annotations, gold):
    """Shares of each annotator's answers to each gold class; `NaN` for classes the annotator never saw."""
    counts = np.zeros((annotations.num_annotators, 8, 8))
    where = annotations.annotator_index, gold[annotations.item_index], annotations.answers
    np.add.at(counts, where, 1)
    total = counts.sum(axis=2, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)


def main(epochs=50, path=PICTURE):
    keras.utils.set_random_seed(0)
    data = kc.datasets.labelme.load_data()
    learned = learned_confusions(data.x_train, data.annotations.dense(), epochs)
    counted = counted_confusions(data.annotations, data.y_train)
    given = data.annotations.answers_per_annotator()
    busy = np.flatnonzero(given >= 60)
    recalls = np.diagonal(learned, axis1=1, axis2=2).mean(axis=1)
    order = busy[recalls[busy].argsort()]
    annotators = order[np.linspace(0, len(order) - 1, 4).astype(int)]
    titles = [f"annotator {r}, {given[r]} answers" for r in annotators]
    draw_learned_and_counted(learned, counted, annotators, titles, data.class_names, path)
    return np.corrcoef(recalls[busy], np.nanmean(np.diagonal(counted, axis1=1, axis2=2), axis=1)[busy])[
        0, 1
    ]


if __name__ == "__main__":
    print(f"learned and counted recalls of the busy annotators correlate {main():.2f}; drew {PICTURE}")
