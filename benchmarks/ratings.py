"""Ratings from the answers alone: correlation with the truth of the mean rating and of `aggregation.raykar`.

    python benchmarks/ratings.py --half choosing     # what settled its priors
    KERAS_CROWD_DATA=folder python benchmarks/ratings.py --half reported
    KERAS_CROWD_DATA=folder python benchmarks/ratings.py --gold

Small sets of simulated raters with scales, biases and variances of their own, drawn anew for each seed, and
MovieReviews, whole and in part. "Affects": few items stir anything, errors grow with the truth, ratings are cut off at
both ends, some raters give next to nothing whatever they see. `--gold`: MovieReviews with the truth of 20 items given,
R2 of the others.
"""

import argparse
import functools

import numpy as np

import keras_crowd as kc


def crowd(
    seed, items, raters, per_item, scale=0.3, bias=0.5, noise=(0.3, 1.2), spam=0.0, uneven=0.0, clear=0.0
):
    """Truth `(items,)` and ratings `(items, raters)`; `clear`: how far items differ in noise."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=items)
    scales, biases = np.exp(rng.normal(0, scale, raters)), rng.normal(0, bias, raters)
    spread = np.exp(rng.uniform(*np.log(noise), raters)) * np.exp(rng.normal(0, clear, (items, 1)))
    ratings = scales * truth[:, None] + biases + spread * rng.normal(size=(items, raters))
    careless = rng.random(raters) < spam
    ratings[:, careless] = rng.permuted(ratings, axis=None)[:, careless]
    return truth, thinned(rng, ratings, per_item, np.exp(rng.normal(0, uneven, raters)))


def affects(seed, items, raters, per_item, nothing=0.6, lazy=0.2, error=0.4, scale=0.5):
    """Whole numbers from 0 to 100."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(items) < nothing, np.abs(rng.normal(0, 5, items)), rng.gamma(2, 30, items))
    scales = np.where(rng.random(raters) < lazy, 0.1, np.exp(rng.normal(0, scale, raters)))
    noise = (10 + error * truth)[:, None] * rng.normal(size=(items, raters))
    ratings = scales * truth[:, None] - np.abs(rng.normal(0, 20, raters)) + noise
    return truth, thinned(rng, np.round(np.clip(ratings, 0, 100)), per_item, np.ones(raters))


def thinned(rng, ratings, per_item, activity):
    """So many ratings of each item, from raters drawn by how active they are."""
    chance = rng.random(ratings.shape) ** (1 / activity)
    ratings[np.argsort(np.argsort(-chance, axis=1), axis=1) >= per_item] = np.nan
    return ratings


def movie_reviews(seed, items=None):
    data = kc.datasets.moviereviews.load_data()
    rows = np.random.default_rng(seed).permutation(len(data.y_train))[:items]
    return data.y_train[rows], data.annotations.dense()[rows]


HALVES = {
    "choosing": {
        "affects": functools.partial(affects, items=100, raters=38, per_item=10),
        "affects, great errors": functools.partial(
            affects, items=100, raters=38, per_item=10, lazy=0, error=0.8
        ),
        "all alike": functools.partial(
            crowd, items=200, raters=20, per_item=5, scale=0, bias=0, noise=(0.7, 0.7)
        ),
        "items differ": functools.partial(
            crowd, items=200, raters=20, per_item=5, scale=0.1, bias=0.1, noise=(0.7, 0.9), clear=0.8
        ),
        "variances": functools.partial(
            crowd, items=300, raters=10, per_item=5, scale=0, bias=0, noise=(0.2, 1.5)
        ),
        "biases": functools.partial(
            crowd, items=300, raters=10, per_item=5, scale=0, bias=0.8, noise=(0.6, 0.8)
        ),
        "all of it": functools.partial(crowd, items=300, raters=30, per_item=5),
        "uneven": functools.partial(crowd, items=1000, raters=80, per_item=5, uneven=1.5),
        "spammers": functools.partial(crowd, items=200, raters=30, per_item=8, spam=0.3),
    },
    "reported": {
        "affects, mostly nothing": functools.partial(
            affects, items=100, raters=38, per_item=10, nothing=0.8, lazy=0.3
        ),
        "affects, 5 ratings": functools.partial(affects, items=100, raters=20, per_item=5, lazy=0.1),
        "affects, clearer": functools.partial(
            affects, items=150, raters=38, per_item=10, nothing=0.3, lazy=0.1, scale=0.3
        ),
        "all alike, 3 ratings": functools.partial(
            crowd, items=100, raters=15, per_item=3, scale=0.05, bias=0.05, noise=(0.8, 0.85)
        ),
        "many raters": functools.partial(crowd, items=300, raters=100, per_item=5),
        "items differ, uneven": functools.partial(
            crowd, items=500, raters=40, per_item=6, scale=0.2, bias=0.3, clear=0.6, uneven=1.0
        ),
        "scales": functools.partial(
            crowd, items=1000, raters=50, per_item=10, scale=0.6, bias=0, noise=(0.5, 0.7)
        ),
        "a quarter spammers": functools.partial(crowd, items=400, raters=40, per_item=10, spam=0.25),
        "MovieReviews, 100 items": functools.partial(movie_reviews, items=100),
        "MovieReviews, 300 items": functools.partial(movie_reviews, items=300),
        "MovieReviews": movie_reviews,
    },
}


def correlations(task, seed):
    """Returns the correlations of the mean rating and of `raykar`, on the items that were rated."""
    truth, ratings = task(seed)
    rated = ~np.all(np.isnan(ratings), axis=1)
    found = kc.aggregation.mean_rating(ratings[rated]), kc.aggregation.raykar(ratings[rated]).truth
    return [np.corrcoef(truth[rated], values)[0, 1] for values in found]


def compared(half, seeds):
    print("| raters | mean rating | raykar | difference, lowest seed |\n|---|---|---|---|", flush=True)
    rows = {
        name: np.array([correlations(task, s) for s in range(seeds)]) for name, task in HALVES[half].items()
    }
    for name, found in rows.items():
        cells = [f"{values.mean():.3f} +- {values.std():.3f}" for values in found.T]
        gain = found[:, 1] - found[:, 0]
        print(f"| {name} | {' | '.join(cells)} | {gain.mean():+.3f}, {gain.min():+.3f} |", flush=True)
    return rows


def with_gold(seeds, known=20):
    """R2 of the items without gold, that of `raykar` with and without."""
    rows = []
    for seed in range(seeds):
        truth, ratings = movie_reviews(seed)
        gold = np.where(np.arange(len(truth)) < known, truth, np.nan)
        found = [kc.aggregation.raykar(ratings, gold=given).truth[known:] for given in (None, gold)]
        rows.append(
            [1 - np.mean((values - truth[known:]) ** 2) / np.var(truth[known:]) for values in found]
        )
    without, of_gold = np.array(rows).T
    print(
        f"R2 without gold {without.mean():.3f}, with {known} gold {of_gold.mean():.3f} +- {of_gold.std():.3f}"
    )
    return rows


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--half", choices=list(HALVES), default="choosing")
    parser.add_argument("--gold", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args(argv)
    return with_gold(arguments.seeds) if arguments.gold else compared(arguments.half, arguments.seeds)


if __name__ == "__main__":
    main()
