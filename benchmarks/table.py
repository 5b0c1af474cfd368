"""All methods on all data sets in one protocol, one line of JSON per run, and the tables of `docs/results.md`.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/table.py runs.jsonl --data LabelMe Music --seeds 5
    python benchmarks/table.py runs.jsonl --tables                             # writes them into docs/results.md
    python benchmarks/table.py runs.jsonl --data LabelMe mine.npz --methods-from my_methods.py

Same features, same network (Dense 128 with dropout .5; a small convolutional one for images), Adam 1e-3, batches of
64, 50 epochs or as many as 1,000 steps take, the last epoch. A method that has settings (at most three, see
`table_methods.py`) is trained with each on 85 % of the answers, and then on all answers with the one that predicts the
other 15 % best: from the features and the other answers to the item where the method has confusions, from the features
alone where it has none. No gold label is used to train, stop or choose, but for the row "gold"; the test items are
looked at once, at the end of a run.

`--data MovieReviews NER` runs the rows of `regression.py` and `sequences.py`, in the protocols told there; their scores
are R2 and the F1 of spans.

A run that the file holds is not made again: the same command goes on where it was interrupted, and several at once may
write to one file. `--processes` makes runs side by side. With JAX, JAX_COMPILATION_CACHE_DIR=folder saves more than
half of the time of small networks.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import itertools
import json
import multiprocessing
import os
import pathlib
import time
import traceback

import keras
from table_data import data_of, name_of
from table_kinds import KINDS
from table_methods import GOLD, all_methods
from table_pages import write
from table_scores import choose, scores

import keras_crowd as kc

RESULTS = pathlib.Path(__file__).parents[1] / "docs" / "results.md"
FRACTION = 0.15


def read(path):
    """The runs of a file; a line that was not written whole is left out."""
    path, runs = pathlib.Path(path), []
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            runs.append(json.loads(line))
    return runs


def append(path, run):
    """One line, in one write."""
    path = pathlib.Path(path)
    torn = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (("\n" if torn else "") + json.dumps(run) + "\n").encode())
    finally:
        os.close(file)


def key_of(run):
    return run["data"], run["method"], run["seed"], run["epochs"]


@functools.lru_cache(maxsize=2)
def _task(data, seed):
    return data_of(data).make(seed)


def measure(data, method, seed, epochs, files=()):
    """One run: the choice of the setting, the training and what the test items say."""
    if data in KINDS:
        return timed(lambda: KINDS[data].measure(method, seed, epochs))
    task, method_of = _task(data, seed), all_methods(files)[method]
    if method == GOLD and task.y_train.min() < 0:
        return None
    epochs = epochs or kc.recipe.default_epochs(len(task.x_train))

    def run():
        setting, nats = choose(method_of, task, seed, epochs, FRACTION)
        keras.utils.set_random_seed(seed)
        classifier = task.build()
        found = method_of.train(classifier, task, seed, epochs, **setting)
        classifier = getattr(found, "classifier", classifier)
        return {"setting": setting, "nats": nats, **scores(task, classifier, found), "trained_for": epochs}

    return timed(run)


def timed(run):
    """What a run gives, with its seconds by the clock and of CPU time."""
    started, cpu = time.perf_counter(), time.process_time()
    line = run()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    keras.utils.clear_session()
    return {**line, "seconds": round(seconds, 2), "cpu": round(cpu, 2)}


def _described(job, run):
    """The line of a run, with what it was made with."""
    data, method, seed, epochs = job
    made = {"backend": keras.backend.backend(), "keras": keras.__version__, "version": kc.__version__}
    of = {
        "data": name_of(data),
        "method": method,
        "seed": seed,
        "epochs": epochs,
        "half": "choosing" if data in KINDS else data_of(data).half,
    }
    return {**of, **run, **made}


def perform(job, files):
    """The line of a run, or the error that it ended in."""
    try:
        run = measure(*job, files)
        return None if run is None else _described(job, run)
    except Exception:
        return traceback.format_exc()


def methods_for(data, asked, methods):
    """The methods to run on a data set: those asked for that it has, or all."""
    known = KINDS[data].methods if data in KINDS else methods
    return [method for method in asked or known if method in known]


def jobs_of(arguments, methods):
    """The runs that the file does not hold, seed by seed."""
    done = {key_of(run) for run in read(arguments.runs)}
    for seed, data in itertools.product(range(arguments.seeds), arguments.data):
        for method in methods_for(data, arguments.methods, methods):
            if (name_of(data), method, seed, arguments.epochs) not in done:
                yield data, method, seed, arguments.epochs


def results_of(jobs, arguments):
    """Each job with its line, as they come."""
    if arguments.processes == 1:
        for job in jobs:
            yield job, perform(job, arguments.methods_from)
        return
    context = multiprocessing.get_context("spawn")  # no backend survives a fork
    with concurrent.futures.ProcessPoolExecutor(arguments.processes, context) as pool:
        futures = {pool.submit(perform, job, arguments.methods_from): job for job in jobs}
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], future.result()


def make_runs(arguments):
    """Makes what is missing; gives the number of runs that failed."""
    methods = all_methods(arguments.methods_from)
    known = {method for data in arguments.data for method in methods_for(data, None, methods)}
    if unknown := set(arguments.methods or ()) - known:
        raise SystemExit(f"--methods must be among {sorted(known)}. Received: {sorted(unknown)}")
    failed = 0
    for job, run in results_of(list(jobs_of(arguments, methods)), arguments):
        if isinstance(run, dict):
            append(arguments.runs, run)
            print(*job[:3], f"{run['accuracy']:.1f} in {run['seconds']:.0f} s", flush=True)
        elif run is not None:
            failed += 1
            print(*job[:3], run, flush=True)
    return failed


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", metavar="RUNS", help="file of the runs, one line of JSON each")
    parser.add_argument("--data", nargs="+", default=["LabelMe", "Music"], metavar="NAME or FILE.npz")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="only these")
    parser.add_argument(
        "--methods-from", nargs="+", default=[], metavar="FILE.py", help="methods of your own"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="50, or as many as 1,000 steps take, unless given")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--tables", action="store_true", help="write the tables instead of making runs")
    parser.add_argument(
        "--into", default=RESULTS, metavar="FILE.md", help="where the tables go: docs/results.md"
    )
    arguments = parser.parse_args(argv)
    if arguments.tables:
        return write(read(arguments.runs), arguments.into)
    return make_runs(arguments)


if __name__ == "__main__":
    raise SystemExit(bool(main()))
