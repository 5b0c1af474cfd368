"""A panel of judge models: from a JSON Lines file of verdicts to labels, whom to drop, and a small classifier of texts.

    KERAS_CROWD_DATA=folder python examples/judges.py

Texts are film reviews, and the question is whether the reviewer liked the film. No service is called: the verdicts are
simulated. Five models of one family are right about six times in ten, and wrong on the same reviews; three others are
right eight times in ten. People labeled 50 of the reviews; the gold of the others is for scoring alone.
"""

import gzip
import json
import os
import pathlib

import keras
import numpy as np

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


def reviews(split):
    """Texts, and 1 where the reviewer liked the film better than most."""
    folder = pathlib.Path(os.environ["KERAS_CROWD_DATA"])
    ratings = np.load(folder / "moviereviews.npz")[f"ratings_{split}"]
    with gzip.open(folder / f"moviereviews_texts_{split}.txt.gz", "rt", encoding="utf-8") as lines:
        return np.array(lines.read().splitlines(), object), (ratings > 0.6).astype(int)


def write_verdicts(path, liked):
    """A line per verdict, as a script that asks the models would write it."""
    rng = np.random.default_rng(0)
    family = np.where(rng.random(len(liked)) < 0.6, liked, 1 - liked)
    said = {f"family/{i}": (family, 0.95) for i in range(5)} | {
        f"other/{i}": (liked, 0.8) for i in range(3)
    }
    with open(path, "w", encoding="utf-8") as file:
        for judge, (opinion, share) in said.items():
            for i, verdict in enumerate(np.where(rng.random(len(liked)) < share, opinion, 1 - opinion)):
                line = {"review": i, "judge": judge, "verdict": ["disliked", "liked"][verdict]}
                file.write(json.dumps(line) + "\n")


def network(texts):
    words = keras.layers.TextVectorization(max_tokens=5000, output_mode="tf_idf")
    words.adapt(texts)
    return keras.Sequential([keras.Input((), dtype="string"), words, keras.layers.Dense(2, "softmax")])


def main(epochs=10, folder=SAVED_MODELS):
    keras.utils.set_random_seed(0)
    texts, liked = reviews("train")
    folder.mkdir(parents=True, exist_ok=True)
    write_verdicts(folder / "verdicts.jsonl", liked)

    answers = kc.io.read_long(folder / "verdicts.jsonl", "review", "judge", "verdict")
    gold = np.where(np.arange(len(texts)) < 50, liked, -1)  # what people said of 50 reviews
    weights = kc.selection.annotator_weights(answers, gold=gold)
    trainer = kc.EMTrainer(network(texts), annotator_weights=weights)
    trainer.fit(texts, answers, gold=gold, iterations=epochs, verbose=0)
    kc.io.write_labels(folder / "labels.csv", answers, trainer.posterior(), item="review")
    for judge, weight, confusion in zip(answers.annotators, weights, trainer.confusion(), strict=True):
        print(f"{judge} counts for {weight:.2f} judges, right in {100 * np.trace(confusion) / 2:.0f} %")

    votes, labels = kc.aggregation.majority_vote(answers), trainer.posterior().argmax(axis=1)
    new_texts, truth = reviews("test")
    predicted = trainer.classifier.predict(new_texts, verbose=0).argmax(axis=1)
    right = {"majority vote": (votes == liked)[gold < 0], "labels": (labels == liked)[gold < 0]}
    right["classifier"] = predicted == truth
    accuracy = {name: float(of.mean()) for name, of in right.items()}
    print(*(f"{name}: {100 * value:.1f} % right" for name, value in accuracy.items()), sep="\n")
    trainer.classifier.export(folder / "liked", verbose=False)
    return accuracy


if __name__ == "__main__":
    main()
