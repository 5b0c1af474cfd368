"""Named entities from a crowd: a CRF over the hidden truth, on sentences tagged by 47 workers of MTurk.

    KERAS_CROWD_DATA=folder python examples/ner_hidden_crf.py

Needs `ner_mturk.npz` and `glove_twitter_25d.npz` in that folder, and nervaluate. Prints span F1 of the majority vote
and of the hidden CRF on new sentences and on the training sentences, and how good each annotator is, estimated without
gold tags; exports the tagger with Viterbi inside.
"""

import pathlib

import keras
import ner
import numpy as np

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


def print_annotators(data, truth):
    """F1 of the annotators who tagged most, against inferred and against gold tags."""
    given = data.annotators[: len(truth)], data.answers[: len(truth)]
    scores = [
        kc.evaluation.annotator_span_scores(*given, tags, data.class_names, data.num_annotators)[:, 2]
        for tags in (truth, data.y_train[: len(truth)])
    ]
    sentences = np.bincount(given[0][given[0] >= 0], minlength=data.num_annotators)
    print(f"\n{'annotator':<12}{'sentences':>10}{'estimated F1':>15}{'on gold':>10}")
    for r in np.argsort(-sentences)[:8]:
        print(f"{r:<12}{sentences[r]:>10}{100 * scores[0][r]:>15.0f}{100 * scores[1][r]:>10.0f}")


def main(epochs=8, folder=SAVED_MODELS, limit=None):
    data = kc.datasets.ner_mturk.load_data()
    print(data, "\n")
    votes = ner.votes(data.token_annotations())
    features = ner.Features(data.tokens_train)
    codes = features(data.tokens_train, data.answers.shape[1])[:limit]
    keras.utils.set_random_seed(0)
    short = ner.spans_are_short(data)
    answered = data.by_previous_answer() if short else data
    model = ner.hidden_crf(ner.encoder(features, len(data.class_names)), answered)
    model.compile(keras.optimizers.Adam(ner.decay(codes, epochs)))
    truth = ner.fit_hidden_crf(model, codes, answered, votes, epochs, by_previous_answer=short)
    tagger = model.tagger()
    test_codes = features(data.tokens_test, data.y_test.shape[1])[:limit]
    test_tags = ner.predict(tagger, test_codes)
    train_gold, test_gold = data.y_train[: len(codes)], data.y_test[: len(test_codes)]
    found = {
        "majority vote, training sentences": (train_gold, data.padded(votes)[: len(codes)]),
        "hidden CRF, training sentences": (train_gold, truth),
        "hidden CRF, new sentences": (test_gold, test_tags),
    }
    found = {name: kc.evaluation.span_scores(*tags, data.class_names) for name, tags in found.items()}
    for name, scores in found.items():
        print(f"{name:<36}P {scores.precision:.3f}  R {scores.recall:.3f}  F1 {scores.f1:.3f}")
    print_annotators(data, truth)
    tagger.export(folder / "ner_hidden_crf", verbose=False)
    return found


if __name__ == "__main__":
    main()
