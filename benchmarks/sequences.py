"""Span precision, recall and F1 on NER-MTurk: crowd layers, CRFs, and a CRF over the hidden truth.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/sequences.py --seeds 5

One encoder for all (`examples/ner.py`: word, GloVe, casing and affix embeddings, word dropout .1, bidirectional GRU
of 64), Adam from 2e-3 to 0 along a cosine, batches of about 1,024 tokens, 8 epochs, the last epoch. No gold tag is
used to train or stop, but for the rows "gold". "Majority vote" is the one that comes with the data, in which no tie
goes to "O": with random ties it is 5 points worse on the training sentences. Crowd layers train the first 3 epochs on
a majority vote, as AAAI-18 does, then at 10 times the learning rate. The hidden CRF has a confusion for each answer of
an annotator to the token before, 2 epochs that with the vote, then by turns 2 that with the tags inferred last; it
counts an answer as half of one, and keeps the rules of BIO, which tags of the vote and some of gold break. "train" is
truth inference: tags of the training sentences given their answers (for "majority vote", the vote itself).

*Gap closed* is (F1 - majority vote + CRF) / (gold + CRF - majority vote + CRF) on test sentences. `--choose` prints how
well held-out answers are predicted instead (an annotator's whole sentence is held out, 15 % of them), `--cost` what a
training step costs. Models are compiled anew for every seed: with JAX, JAX_COMPILATION_CACHE_DIR=folder saves half of
the time.
"""

import argparse
import dataclasses
import os
import pathlib
import sys
import time

import keras
import numpy as np

import keras_crowd as kc

sys.path.append(str(pathlib.Path(__file__).parents[1] / "examples"))
import ner
from ner_hidden_crf import fit_hidden_crf

EPOCHS, WARM_UP, CROWD_RATE = 8, 3, 10
JIT = keras.backend.backend() != "torch"


class Problem:
    """The data set with its features, majority votes and the start of the confusions."""

    def __init__(self, limit=None, seed=0, held_out=0.0):
        self.data = data = kc.datasets.ner_mturk.load_data()
        rng = np.random.default_rng(seed)
        drawn = rng.random(data.annotators.shape) < held_out
        self.held_out = drawn[:, None] & (data.answers >= 0)
        self.kept = dataclasses.replace(data, answers=np.where(self.held_out, -1, data.answers))
        self.votes = ner.votes(self.kept.token_annotations())
        self.features = ner.Features(data.tokens_train)
        self.codes = self.features(data.tokens_train, data.answers.shape[1])[:limit]
        self.test_codes = self.features(data.tokens_test, data.y_test.shape[1])[:limit]
        self.rows = slice(limit)
        self.seed = seed

    def encoder(self, activation=None):
        return ner.encoder(self.features, len(self.data.class_names), activation=activation)

    def adam(self, epochs):
        return keras.optimizers.Adam(ner.decay(self.codes, epochs))

    def batches(self, y, annotators=None):
        annotators = None if annotators is None else annotators[self.rows]
        return ner.Batches(self.codes, y[self.rows], annotators, seed=self.seed)

    def answered(self, previous=True):
        """The answers, each annotator split by the answer before if asked."""
        return self.kept.by_previous_answer() if previous else self.kept

    def fit_hidden_crf(self, model, epochs, previous=True):
        data = self.answered(previous)
        return fit_hidden_crf(model, self.codes, data, self.votes, epochs, self.seed, previous)

    def scores(self, tags, split="test"):
        true = self.data.y_test if split == "test" else self.data.y_train
        return kc.evaluation.span_scores(true[self.rows], tags, self.data.class_names)


def plain(tags):
    def run(problem, epochs):
        model = problem.encoder("softmax")
        model.compile(
            problem.adam(epochs),
            keras.losses.SparseCategoricalCrossentropy(ignore_class=-1),
            jit_compile=JIT,
        )
        ner.fit(model, problem.batches(tags(problem)), epochs)
        return ner.predict(model, problem.test_codes).argmax(axis=-1), None

    return run


def crf_tagger(problem, epochs):
    model = kc.models.CRFTagger(problem.encoder())
    model.compile(problem.adam(epochs), jit_compile=JIT)
    return model


def with_crf(tags):
    def run(problem, epochs):
        model = crf_tagger(problem, epochs)
        ner.fit(model, problem.batches(tags(problem)), epochs)
        return ner.predict(model.tagger(), problem.test_codes), None

    return run


def crowd_layer(conn_type):
    def run(problem, epochs):
        encoder = problem.encoder("softmax")
        loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
        warm_up = min(WARM_UP, epochs - 1)
        encoder.compile(problem.adam(warm_up), loss, jit_compile=JIT)
        ner.fit(encoder, problem.batches(problem.data.padded(problem.votes)), warm_up)
        annotators = keras.Input((None,), dtype="int32", name="annotators")
        crowd = kc.layers.CrowdsSequenceLabeling(
            problem.data.num_annotators, conn_type, initial_accuracy=0.9
        )
        model = keras.Model([encoder.input, annotators], crowd(encoder.outputs[0], annotators=annotators))
        fast = ner.decay(problem.codes, epochs - warm_up, CROWD_RATE * ner.LEARNING_RATE)
        optimizer = kc.optimizers.crowd_optimizer(model, problem.adam(epochs - warm_up), fast)
        model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy(), jit_compile=JIT)
        ner.fit(model, problem.batches(problem.kept.answers, problem.kept.annotators), epochs - warm_up)
        return ner.predict(encoder, problem.test_codes).argmax(axis=-1), None

    return run


def hidden_model(problem, epochs, previous=True, **kwargs):
    model = ner.hidden_crf(problem.encoder(), problem.answered(previous), **kwargs)
    model.compile(problem.adam(epochs), jit_compile=JIT)
    return model


def hidden_crf(previous=True, **kwargs):
    def run(problem, epochs):
        model = hidden_model(problem, epochs, previous, **kwargs)
        tags = problem.fit_hidden_crf(model, epochs, previous)
        return ner.predict(model.tagger(), problem.test_codes), tags

    return run


def published(problem):
    """The vote that comes with the data: a tie never goes to "O"."""
    with np.load(pathlib.Path(os.environ[kc.datasets.DATA_FOLDER]) / "ner_mturk.npz") as arrays:
        return problem.data.padded(arrays["train_mv"])


def gold(problem):
    return problem.data.y_train


LOW, HIGH = "majority vote + CRF", "gold + CRF"
METHODS = {
    LOW: with_crf(published),
    HIGH: with_crf(gold),
    "hidden CRF": hidden_crf(),
    "majority vote": plain(published),
    "gold": plain(gold),
    **{conn_type: crowd_layer(conn_type) for conn_type in ("MW", "VW", "VW+B", "CM")},
    "hidden CRF, answers of weight 1": hidden_crf(answer_weight=1.0),
    "hidden CRF, each answer by itself": hidden_crf(previous=False),
}


def benchmark(methods, seeds, epochs, limit):
    print(f"\n## NER-MTurk: {seeds} seeds, {epochs} epochs, {keras.backend.backend()}\n")
    print("| method | test P / R / F1 | lowest F1 | gap closed | train P / R / F1 |\n|---|---|---|---|---|")
    found = {}
    for method in dict.fromkeys([LOW, HIGH, *methods]):
        test, train = [], []
        for seed in range(seeds):
            keras.utils.set_random_seed(seed)
            problem = Problem(limit, seed)
            tags, truth = METHODS[method](problem, epochs)
            test.append(problem.scores(tags))
            if method == "majority vote":
                truth = published(problem)[problem.rows]
            train += [] if truth is None else [problem.scores(truth, "train")]
            keras.utils.clear_session()
        found[method] = 100 * np.array(test)
        print(_row(method, found, 100 * np.array(train)), flush=True)
    return found


def _row(method, found, train):
    f1 = {name: values[:, 2].mean() for name, values in found.items()}
    width = f1.get(HIGH, f1[LOW]) - f1[LOW]
    gap = (f1[method] - f1[LOW]) / width if width else float("nan")
    inferred = _triple(train) if len(train) else "-"
    return f"| {method} | {_triple(found[method])} | {found[method][:, 2].min():.1f} | {gap:.2f} | {inferred} |"


def _triple(values):
    precision, recall, f1 = values.mean(axis=0)
    return f"{precision:.1f} / {recall:.1f} / {f1:.1f} +- {values[:, 2].std():.1f}"


def choose(seeds, limit):
    """Nats of a held-out token answer, given the sentence and the answers that were kept; at weight 1."""
    print("\n| epochs | nats |\n|---|---|")
    for epochs in (4, 8):
        nats = [held_out_nats(Problem(limit, seed, 0.15), epochs) for seed in range(seeds)]
        print(f"| {epochs} | {np.mean(nats):.4f} +- {np.std(nats):.4f} |", flush=True)


def held_out_nats(problem, epochs):
    keras.utils.set_random_seed(problem.seed)
    model = hidden_model(problem, epochs, answer_weight=1.0)
    problem.fit_hidden_crf(model, epochs)
    every, kept = (
        model.answer_log_likelihood(
            (problem.codes, data.annotators[problem.rows]), data.answers[problem.rows]
        ).sum()
        for data in (problem.data.by_previous_answer(), problem.answered())
    )
    return (kept - every) / np.sum(problem.held_out[problem.rows])


def cost(rounds, limit):
    """A training step of the hidden CRF over that of the tagger with CRF; they take turns, an epoch each."""
    problem = Problem(limit)
    answered = problem.answered()
    epochs = [
        (crf_tagger(problem, EPOCHS), problem.batches(published(problem))),
        (hidden_model(problem, EPOCHS), problem.batches(answered.answers, answered.annotators)),
    ]
    times = np.array([[timed_epoch(*epoch) for epoch in epochs] for _ in range(rounds + 1)])[1:]
    print(f"\n## Milliseconds a step, {keras.backend.backend()}, {rounds} rounds\n")
    print("| model | ms | over the tagger (median) | middle half |\n|---|---|---|---|")
    steps, names = len(epochs[0][1]), ("tagger with CRF", "hidden CRF")
    for name, ms, ratios in zip(names, 1e3 * times.T / steps, (times / times[:, :1]).T, strict=True):
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        print(f"| {name} | {np.median(ms):.1f} | {middle:.2f} | {low:.2f} to {high:.2f} |")
    return middle


def timed_epoch(model, batches):
    begin = time.perf_counter()
    ner.fit(model, batches, epochs=1)
    return time.perf_counter() - begin


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="METHOD"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--limit", type=int, help="use so many sentences only")
    parser.add_argument("--choose", action="store_true", help="print the table of held-out answers instead")
    parser.add_argument("--cost", action="store_true", help="time a training step instead")
    parser.add_argument("--rounds", type=int, default=20, help="epochs of each that --cost times")
    arguments = parser.parse_args(argv)
    if arguments.cost:
        return cost(arguments.rounds, arguments.limit)
    if arguments.choose:
        return choose(arguments.seeds, arguments.limit)
    return benchmark(arguments.methods, arguments.seeds, arguments.epochs, arguments.limit)


if __name__ == "__main__":
    main()
