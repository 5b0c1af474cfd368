"""Text: which relations does a sentence state? From sets of relations that 15 workers ticked for each sentence.

    KERAS_CROWD_DATA=folder python examples/relations.py

Real answers of workers (relex) and sentences of medical papers. Experts know two of the relations, `cause` and `treat`;
their labels of held-out sentences are for scoring alone. The classifier that is exported takes strings."""

import gzip
import json
import os
import pathlib

import keras
import numpy as np
from sklearn.metrics import average_precision_score

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"
GOLD = ("cause", "treat")


def sentences_and_answers(folder):
    """Sentences with their two terms marked, sets of 10 relations, experts' labels `(items, 2)`, groups.

    What the experts call `cause` and `treat` is several boxes of the form that the workers ticked.
    """
    data = np.load(folder / "relex.npz")
    with gzip.open(folder / "relex_sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    marked = [
        row["sentence"].replace(row["term1"], " firstterm ").replace(row["term2"], " secondterm ")
        for row in rows
    ]
    boxes = [data[f"{name}_relations"] for name in GOLD]
    others = ~np.any(boxes, axis=0)
    ticked = [data["answers"][:, of].max(axis=1) for of in boxes]
    ticked = np.column_stack([*ticked, data["answers"][:, others]]).astype(int)
    labels = [*GOLD, *data["relations"][others].tolist()]
    of = {"items": range(len(rows)), "classes": labels}
    answers = kc.Annotations.from_sets(data["item"], data["worker"], ticked, **of)
    expert = np.stack([data[f"expert_{name}"] for name in GOLD], axis=1)
    return np.array(marked, object), answers, expert, data["item_group"]


def network(texts, num_labels):
    vectorize = keras.layers.TextVectorization(max_tokens=5000, output_mode="tf_idf", ngrams=2)
    vectorize.adapt(texts)
    hidden = [keras.layers.Dropout(0.3), keras.layers.Dense(64, "relu"), keras.layers.Dropout(0.5)]
    layers = [vectorize, *hidden, keras.layers.Dense(num_labels, "sigmoid")]
    return keras.Sequential([keras.Input((), dtype="string"), *layers])


def main(epochs=10, folder=SAVED_MODELS):
    keras.utils.set_random_seed(0)
    texts, answers, expert, group = sentences_and_answers(pathlib.Path(os.environ["KERAS_CROWD_DATA"]))
    held_out = group % 5 == 0
    train = answers.select(items=np.flatnonzero(~held_out))

    classifier = network(texts[~held_out], answers.num_classes)
    crowd = kc.layers.CrowdsMultiLabel(train.num_annotators)
    crowd.adapt(train)
    model = kc.crowd_model(classifier, crowd, slots=True)
    model.compile("adam", loss=kc.losses.MaskedCrowdBinaryCrossEntropy())
    ids, ticked = train.slots()
    model.fit((texts[~held_out], ids), ticked, epochs=epochs, verbose=0)

    precisions, predicted = [], classifier.predict(texts[held_out], verbose=0)
    known = expert[held_out] >= 0
    for name, of, truth, p in zip(GOLD, known.T, expert[held_out].T, predicted.T, strict=False):
        precisions.append(float(average_precision_score(truth[of], p[of])))
        shown = f"average precision {precisions[-1]:.2f} ({truth[of].mean():.2f} by chance)"
        print(f"{name}: {shown} on {of.sum()} held-out sentences")
    classifier.export(folder / "relations", verbose=False)
    return precisions


if __name__ == "__main__":
    main()
