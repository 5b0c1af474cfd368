"""Span precision, recall and F1 on NER-MTurk: crowd layers, CRFs, and a CRF over the hidden truth.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/sequences.py --seeds 5

One encoder for all (`examples/ner.py`: word, GloVe, casing and affix embeddings, bidirectional GRU of 64), Adam
2e-3, batches of 64, 8 epochs, the last epoch. No gold tag is used to train, stop or choose, but for the rows "gold".
Ties of the majority vote are random. Crowd layers train the first 3 epochs on the majority vote, as AAAI-18 does,
then at 10 times the learning rate; the hidden CRF starts from the confusions of each annotator with the majority vote.
"train" is truth inference: tags of the training sentences given their answers (for "majority vote", the vote itself).

*Gap closed* is (F1 - majority vote + CRF) / (gold + CRF - majority vote + CRF) on test sentences. `--choose` prints how
well held-out answers are predicted instead (an annotator's whole sentence is held out, 15 % of them).
"""

import argparse
import dataclasses
import pathlib
import sys
import time

import keras
import numpy as np

import keras_crowd as kc

sys.path.append(str(pathlib.Path(__file__).parents[1] / "examples"))
import ner

EPOCHS, WARM_UP, CROWD_RATE = 8, 3, 10
JIT = keras.backend.backend() != "torch"


class Problem:
    """The data set with its features, majority votes and the start of the confusions."""

    def __init__(self, limit=None, seed=0, held_out=0.0):
        self.data = data = kc.datasets.ner_mturk.load_data()
        rng = np.random.default_rng(seed)
        self.held_out = (rng.random(data.annotators.shape) < held_out) & (data.annotators >= 0)
        self.answers = np.where(self.held_out[:, None], -1, data.answers)
        self.annotations = dataclasses.replace(data, answers=self.answers).token_annotations()
        self.votes = kc.aggregation.majority_vote(self.annotations, ties="random", seed=seed)
        self.features = ner.Features(data.tokens_train)
        self.codes = self.features(data.tokens_train, data.answers.shape[1])[:limit]
        self.test_codes = self.features(data.tokens_test, data.y_test.shape[1])[:limit]
        self.rows = slice(limit)
        self.seed = seed

    def encoder(self, activation=None):
        return ner.encoder(self.features, len(self.data.class_names), activation=activation)

    def batches(self, y, slots=False):
        annotators = self.data.annotators[self.rows] if slots else None
        return ner.Batches(self.codes, y[self.rows], annotators, seed=self.seed)

    def scores(self, tags, split="test"):
        true = self.data.y_test if split == "test" else self.data.y_train
        return kc.evaluation.span_scores(true[self.rows], tags, self.data.class_names)


def adam():
    return keras.optimizers.Adam(ner.LEARNING_RATE)


def plain(tags):
    def run(problem, epochs):
        model = problem.encoder("softmax")
        model.compile(adam(), keras.losses.SparseCategoricalCrossentropy(ignore_class=-1), jit_compile=JIT)
        ner.fit(model, problem.batches(tags(problem)), epochs)
        return ner.predict(model, problem.test_codes).argmax(axis=-1), None

    return run


def crf_tagger(problem):
    model = kc.models.CRFTagger(problem.encoder())
    model.compile(adam(), jit_compile=JIT)
    return model


def with_crf(tags):
    def run(problem, epochs):
        model = crf_tagger(problem)
        ner.fit(model, problem.batches(tags(problem)), epochs)
        return ner.predict(model.tagger(), problem.test_codes), None

    return run


def crowd_layer(conn_type):
    def run(problem, epochs):
        encoder = problem.encoder("softmax")
        loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
        encoder.compile(adam(), loss, jit_compile=JIT)
        warm_up = min(WARM_UP, epochs - 1)
        ner.fit(encoder, problem.batches(problem.data.padded(problem.votes)), warm_up)
        annotators = keras.Input((None,), dtype="int32", name="annotators")
        crowd = kc.layers.CrowdsSequenceLabeling(
            problem.data.num_annotators, conn_type, initial_accuracy=0.9
        )
        model = keras.Model([encoder.input, annotators], crowd(encoder.outputs[0], annotators=annotators))
        optimizer = kc.optimizers.crowd_optimizer(model, adam(), CROWD_RATE * ner.LEARNING_RATE)
        model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy(), jit_compile=JIT)
        ner.fit(model, problem.batches(problem.answers, slots=True), epochs - warm_up)
        return ner.predict(encoder, problem.test_codes).argmax(axis=-1), None

    return run


def untrained_hidden_crf(problem, start):
    confusion = start(problem)
    crowd = kc.layers.CrowdsSequenceLabeling(
        problem.data.num_annotators, "CM", kernel_initializer=kc.initializers.FromConfusion(confusion)
    )
    model = kc.models.HiddenCRF(problem.encoder(), crowd, slots=True)
    model.compile(adam(), jit_compile=JIT)
    return model


def trained_hidden_crf(problem, epochs, start):
    model = untrained_hidden_crf(problem, start)
    ner.fit(model, problem.batches(problem.answers, slots=True), epochs)
    return model


def hidden_crf(start):
    def run(problem, epochs):
        model = trained_hidden_crf(problem, epochs, start)
        given = problem.codes, problem.answers[problem.rows], problem.data.annotators[problem.rows]
        tags = ner.predict(model.truth_tagger(), *given)
        return ner.predict(model.tagger(), problem.test_codes), tags

    return run


def from_votes(problem):
    return kc.warm_start.from_labels(problem.annotations, problem.votes)


def from_dawid_skene(problem):
    return kc.warm_start.from_dawid_skene(problem.annotations, shrinkage=20.0)


def majority(problem):
    return problem.data.padded(problem.votes)


def gold(problem):
    return problem.data.y_train


LOW, HIGH = "majority vote + CRF", "gold + CRF"
METHODS = {
    LOW: with_crf(majority),
    HIGH: with_crf(gold),
    "hidden CRF": hidden_crf(from_votes),
    "majority vote": plain(majority),
    "gold": plain(gold),
    **{conn_type: crowd_layer(conn_type) for conn_type in ("MW", "VW", "VW+B", "CM")},
    "hidden CRF, Dawid-Skene start": hidden_crf(from_dawid_skene),
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
                truth = majority(problem)[problem.rows]
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
    """Nats of a held-out token answer, given the sentence and the answers that were kept."""
    print("\n| start | epochs | nats |\n|---|---|---|")
    for name, start in {"majority vote": from_votes, "Dawid-Skene": from_dawid_skene}.items():
        for epochs in (4, 8):
            nats = [held_out_nats(Problem(limit, seed, 0.15), start, epochs) for seed in range(seeds)]
            print(f"| {name} | {epochs} | {np.mean(nats):.4f} +- {np.std(nats):.4f} |", flush=True)


def held_out_nats(problem, start, epochs):
    keras.utils.set_random_seed(problem.seed)
    model = trained_hidden_crf(problem, epochs, start)
    x = (problem.codes, problem.data.annotators[problem.rows])
    every = problem.data.answers[problem.rows]
    kept = problem.answers[problem.rows]
    gain = model.answer_log_likelihood(x, every) - model.answer_log_likelihood(x, kept)
    return -gain.sum() / np.sum((every >= 0) & (kept < 0))


def cost(rounds, limit):
    """Seconds of an epoch `(rounds, 2)` of the tagger with CRF and of the hidden CRF, which take turns."""
    problem = Problem(limit)
    epochs = [
        (crf_tagger(problem), problem.batches(majority(problem))),
        (untrained_hidden_crf(problem, from_votes), problem.batches(problem.answers, slots=True)),
    ]
    times = np.array([[timed_epoch(*epoch) for epoch in epochs] for _ in range(rounds + 1)])[1:]
    low, middle, high = np.percentile(times[:, 1] / times[:, 0], [25, 50, 75])
    tagger, hidden = 1e3 * np.median(times, axis=0) / len(epochs[0][1])
    print(f"\n## Milliseconds a step, {keras.backend.backend()}, {rounds} rounds\n")
    print("| tagger with CRF | hidden CRF | ratio (median) | middle half |\n|---|---|---|---|")
    print(f"| {tagger:.1f} | {hidden:.1f} | {middle:.2f} | {low:.2f} to {high:.2f} |")
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
