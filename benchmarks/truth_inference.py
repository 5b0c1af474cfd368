"""Labels from the answers alone: every method beside crowd-kit's, what the labels are worth and the seconds they take.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/truth_inference.py
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/truth_inference.py --data ner_mturk --limit 120

Accuracy of the labels of the training items, or for NER-MTurk the span F1 of tags of single tokens (those of a chain:
`sequences.py`). All methods have their defaults, but for one start of EBCC where there are many answers; "crowdlab" has
the probabilities of a logistic regression on the features, fitted to the majority vote and cross-validated.
crowd-kit's aggregators run where it is installed, each in a process of its own, which is stopped after `--limit`
seconds. Seconds are of CPU time, one run each, all in one call.
"""

import argparse
import importlib.util
import multiprocessing
import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import keras_crowd as kc

AGGREGATION = kc.aggregation
MANY = 100_000  # answers, above which EBCC has one start
DATA = ("labelme", "music", "ner_mturk")
OURS = {
    "majority_vote": lambda a: AGGREGATION.majority_vote(a, ties="random", seed=0),
    "dawid_skene": lambda a: AGGREGATION.dawid_skene(a).labels,
    "dawid_skene, full": lambda a: AGGREGATION.dawid_skene(a, confusion="full").labels,
    "dawid_skene, class-wise": lambda a: AGGREGATION.dawid_skene(a, confusion="class_wise").labels,
    "dawid_skene, one coin": lambda a: AGGREGATION.dawid_skene(a, confusion="one_coin").labels,
    "ebcc": lambda a: AGGREGATION.ebcc(a, num_starts=10 if len(a) < MANY else 1).labels,
    "ebcc, one subtype": lambda a: AGGREGATION.ebcc(a, num_subtypes=1, num_starts=1).labels,
    "glad": lambda a: AGGREGATION.glad(a).labels,
    "mace": lambda a: AGGREGATION.mace(a).labels,
}
PEERS = {
    "dawid_skene, full": "DawidSkene",
    "dawid_skene, one coin": "OneCoinDawidSkene",
    "glad": "GLAD",
    "mace": "MACE",
}
ALONE = ("Wawa", "ZeroBasedSkill", "MMSR", "KOS")


def load(name):
    """Annotations of the training items, what their labels are worth in percent, and features where there are some."""
    data = getattr(kc.datasets, name).load_data()
    if name != "ner_mturk":
        return data.annotations, lambda labels: 100 * np.mean(labels == data.y_train), data.x_train

    def span_f1(tags):
        return 100 * kc.evaluation.span_scores(data.y_train, data.padded(tags), data.class_names).f1

    return data.token_annotations(), span_f1, None


def out_of_sample(annotations, x):
    """Class probabilities of each item by a model that was fitted to the votes of the others."""
    votes = AGGREGATION.majority_vote(annotations, ties="random", seed=0)
    model = LogisticRegression(max_iter=1000, C=0.1)
    found = np.zeros((annotations.num_items, annotations.num_classes))
    found[:, np.unique(votes)] = cross_val_predict(model, x, votes, method="predict_proba")
    return found


def timed(run):
    start = time.process_time()
    return run(), time.process_time() - start


def _aggregate(aggregator, frame, queue):
    import crowdkit.aggregation as theirs

    try:
        series, seconds = timed(lambda: getattr(theirs, aggregator)().fit_predict(frame))
        queue.put((series.sort_index().to_numpy(), seconds))
    except Exception as error:
        queue.put((type(error).__name__, 0.0))


def peer(aggregator, annotations, limit):
    """Labels and seconds of crowd-kit's aggregator; a word in place of the labels where it has none."""
    frame = pd.DataFrame(
        {
            "task": annotations.item_index,
            "worker": annotations.annotator_index,
            "label": annotations.answers,
        }
    )
    context = multiprocessing.get_context("fork")  # nothing is imported anew
    queue = context.Queue()
    process = context.Process(target=_aggregate, args=(aggregator, frame, queue))
    process.start()
    try:
        return queue.get(timeout=limit)
    except Exception:
        return f"not within {limit:g} s", limit
    finally:
        process.terminate()
        process.join()


def compare(name, limit):
    """Prints one table; returns what it holds."""
    annotations, score, x = load(name)
    print(
        f"\n## {name}: {annotations}\n\n| | labels | seconds | crowd-kit's labels | seconds | over ours |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    runs = {method: lambda run=run: run(annotations) for method, run in OURS.items()}
    if x is not None:
        f = out_of_sample(annotations, x)
        runs["crowdlab"] = lambda: AGGREGATION.crowdlab(annotations, f).labels
        found = {"the model of crowdlab": f.argmax(axis=1)}
        print(f"| the model of crowdlab | {score(found['the model of crowdlab']):.1f} | | | | |")
    else:
        found = {}
    with_peers = importlib.util.find_spec("crowdkit") is not None
    for method, run in runs.items():
        found[method], seconds = timed(run)
        cells = ["", "", ""]
        if with_peers and method in PEERS:
            cells = _cells(*peer(PEERS[method], annotations, limit), score, seconds)
        print(
            f"| {method} | {score(found[method]):.1f} | {seconds:.2f} | {' | '.join(cells)} |", flush=True
        )
    for aggregator in ALONE if with_peers else ():
        cells = _cells(*peer(aggregator, annotations, limit), score, None)
        print(f"| crowd-kit's {aggregator} | | | {' | '.join(cells)} |", flush=True)
    return found


def _cells(labels, seconds, score, ours):
    if isinstance(labels, str):
        return [labels, "", ""]
    return [f"{score(labels):.1f}", f"{seconds:.2f}", "" if ours is None else f"{seconds / ours:.0f}"]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", nargs="+", default=DATA, choices=DATA)
    parser.add_argument(
        "--limit", type=float, default=60.0, help="seconds of each of crowd-kit's aggregators"
    )
    arguments = parser.parse_args(argv)
    return {name: compare(name, arguments.limit) for name in arguments.data}


if __name__ == "__main__":
    main()
