"""Text: does a sentence say that a treatment is for a disease? From the answers of 15 workers to each sentence.

    KERAS_CROWD_DATA=folder python examples/sentences.py

Real answers of workers (relex) and sentences of medical papers; experts' labels of held-out sentences are for scoring
alone. The text is vectorized within the classifier, so that what is exported takes strings.
"""

import gzip
import json
import os
import pathlib

import keras
import numpy as np

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


def sentences_and_answers(folder):
    """Sentences with their two terms marked, answers `(items, workers)` of 0, 1 and -1, experts' labels, groups."""
    data = np.load(folder / "relex.npz")
    with gzip.open(folder / "relex_sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    marked = [
        row["sentence"].replace(row["term1"], " firstterm ").replace(row["term2"], " secondterm ")
        for row in rows
    ]
    ticked = data["answers"][:, data["treat_relations"]].any(axis=1).astype(int)
    annotations = kc.Annotations.from_coo(data["item"], data["worker"], ticked, items=range(len(rows)))
    return np.array(marked, object), annotations, data["expert_treat"], data["item_group"]


def network(texts):
    vectorize = keras.layers.TextVectorization(max_tokens=5000, output_sequence_length=60)
    vectorize.adapt(texts)
    return keras.Sequential(
        [
            keras.Input((), dtype="string"),
            vectorize,
            keras.layers.Embedding(5000, 64),
            keras.layers.SpatialDropout1D(0.3),
            keras.layers.Conv1D(64, 3, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, "softmax"),
        ]
    )


def main(epochs=10, folder=SAVED_MODELS):
    keras.utils.set_random_seed(0)
    texts, annotations, expert, group = sentences_and_answers(pathlib.Path(os.environ["KERAS_CROWD_DATA"]))
    held_out = group % 5 == 0
    known = held_out & (expert >= 0)
    train = annotations.select(items=np.flatnonzero(~held_out))

    classifier = network(texts[~held_out])
    crowd = kc.layers.CrowdsClassification(train.num_annotators)
    crowd.adapt(train)
    model = kc.crowd_model(classifier, crowd, slots=True)
    model.compile("adam", loss=kc.losses.MaskedCrowdCrossEntropy())
    ids, answers = train.slots()
    model.fit((texts[~held_out], ids), answers, epochs=epochs, verbose=0)

    predicted = classifier.predict(texts[known], verbose=0).argmax(axis=1)
    accuracy = float(np.mean(predicted == expert[known]))
    print(f"{100 * accuracy:.1f} % of {known.sum()} held-out sentences as the experts say")
    classifier.export(folder / "sentences", verbose=False)
    return accuracy


if __name__ == "__main__":
    main()
