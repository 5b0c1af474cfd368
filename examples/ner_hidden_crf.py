"""Named entities from a crowd: a CRF over the hidden truth, on sentences tagged by 47 workers of MTurk.

    KERAS_CROWD_DATA=folder python examples/ner_hidden_crf.py

Needs `ner_mturk.npz` and `glove_twitter_25d.npz` in that folder, and nervaluate. Prints span F1 of the majority vote
and of the hidden CRF on new sentences and on the training sentences, and how good each annotator is, estimated without
gold tags; exports the tagger with Viterbi inside.
"""

import pathlib

import keras
import ner

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


def fit_hidden_crf(model, codes, data, labels, epochs, seed=0, by_previous_answer=False):
    """Trains in rounds, each with the confusions of the annotators against what the last one inferred.

    Left to the gradient, a rare class would come to stand for whatever annotators disagree about.

    Args:
        model: That of `hidden_crf`.
        codes: Features of the first sentences of `data`, or of all.
        data: `CrowdSequences`.
        labels: Tags of all tokens to start from, `(tokens,)`.
        epochs: In all; those of a round are `ner.ROUND`.
        seed: Seed of the order.
        by_previous_answer: Whether `data` is `CrowdSequences.by_previous_answer()`.

    Returns:
        The inferred tags of the sentences of `codes`.
    """
    answers, annotators = data.answers[: len(codes)], data.annotators[: len(codes)]
    batches, infer = ner.Batches(codes, answers, annotators, seed), model.truth_tagger()
    tags = data.padded(labels)
    for done in range(0, epochs, ner.ROUND):
        given = data, tags[data.is_token]
        found = ner.confusions(*given) if by_previous_answer else ner.confusions_of_tokens(*given)
        model.crowd.set_confusion(found)
        ner.fit(model, batches, min(ner.ROUND, epochs - done))
        tags[: len(codes)] = ner.predict(infer, codes, answers, annotators)
    return tags[: len(codes)]


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
    truth = fit_hidden_crf(model, codes, answered, votes, epochs, by_previous_answer=short)
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
    ner.print_annotators(data, truth)
    tagger.export(folder / "ner_hidden_crf", verbose=False)
    return found


if __name__ == "__main__":
    main()
