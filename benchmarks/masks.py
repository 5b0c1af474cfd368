"""Networks that segment images, from the masks of annotators who paint too wide or too narrow, miss objects or guess.

    KERAS_BACKEND=jax python benchmarks/masks.py --crowds "all too wide" --seeds 2

Offline: images of 32 x 32 pixels with one to three blobs on a noisy texture, each painted by three of six simulated
annotators. The first table has the Dice coefficients of the masks of the training images, in %; the second those of
networks that were trained on these masks, on other images. Gold masks are used in the rows that name them.

The way to use zones was settled on the crowds of `CHOOSING`, with seeds below 100. docs/results.md reports the others.
"""

import argparse

import keras
import numpy as np
from scipy import ndimage
from table_pages import spread

import keras_crowd as kc

SIZE, MOST, PER_ITEM, NUM_GOLD = 32, 3, 3, 10
EDGES = (-2, -1, 0, 1, 2)  # distances from the annotator's outline, in pixels, positive inside
NUM_ZONES, INSIDE = len(EDGES) + 1, slice(len(EDGES) // 2 + 1, None)
NUM_ITEMS, NUM_TEST, EPOCHS, BATCH_SIZE = 150, 200, 12, 10

# Pixels that the outline lies too far outside, its spread, the spread of the place, the share of missed objects.
CAREFUL, USUAL, CARELESS = (0, 0.5, 0.3, 0.0), (0, 0.7, 0.5, 0.05), (0, 2.0, 2.0, 0.2)
CHOOSING = {
    "two are careful": [CAREFUL] * 2 + [CARELESS] * 4,
    "wide and narrow": [CAREFUL, USUAL, *[(width, *USUAL[1:]) for width in (3, 2, -1, -2)]],
    "most too wide": [CAREFUL, USUAL, *[(width, *USUAL[1:]) for width in (1, 2, 2, 3)]],
    "objects missed": [(*USUAL[:3], missed) for missed in (0, 0.1, 0.3, 0.4, 0.5, 0.5)],
}
REPORTED = {
    "one is careful": [CAREFUL] + [CARELESS] * 5,
    "all alike": [(0, 1.0, 1.0, 0.1)] * 6,
    "all too wide": [(width, *USUAL[1:]) for width in (0.5, 1, 1, 1.5, 2, 2)],
    "two paint another image": ["another image"] * 2 + [USUAL] * 3 + [CARELESS],
    "two paint boxes": ["box", "box", USUAL, USUAL, CARELESS, CARELESS],
}
CROWDS = CHOOSING | REPORTED


def smooth(rng, shape, width):
    widths = (0,) * (len(shape) - 2) + (width, width)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), widths, mode="wrap")
    return noise / noise.std()


def scenes(num_items, rng):
    """Images, the pixels' distances inside each object `(items, objects, size, size)`, and masks."""
    center = rng.uniform(4, SIZE - 4, (2, num_items, MOST, 1, 1))
    radius = rng.uniform(3, 6, (num_items, MOST, 1, 1))
    there = rng.random((num_items, MOST)) < [1, 0.6, 0.3]
    y, x = np.mgrid[:SIZE, :SIZE]
    inside = radius - np.hypot(y - center[0], x - center[1])
    inside += 0.8 * smooth(rng, inside.shape, 3)
    inside[~there] = -2 * SIZE
    of_any = inside.max(axis=1)
    images = rng.uniform(0.8, 1.4, (num_items, 1, 1)) / (1 + np.exp(-1.5 * of_any))
    images += 0.2 * smooth(rng, of_any.shape, 2) + 0.2 * rng.normal(size=of_any.shape)
    return images[..., None].astype("float32"), inside, of_any > 0


def painted(inside, crowd, rng):
    """Masks `(items, size, size, annotators)`, -1 where an annotator was not asked."""
    masks = np.stack([painted_by(annotator, inside, rng) for annotator in crowd], axis=-1)
    asked = rng.random((len(inside), len(crowd))).argsort(axis=1) < PER_ITEM
    return np.where(asked[:, None, None], masks, -1)


def painted_by(annotator, inside, rng):
    if annotator == "another image":
        return rng.permutation(painted_by(USUAL, inside, rng))
    width, of_outline, of_place, missed = USUAL if annotator == "box" else annotator
    objects = inside + width + of_outline * smooth(rng, inside.shape, 4) > 0
    shifts = np.rint(of_place * rng.normal(size=(*objects.shape[:2], 2))).astype(int)
    for index in np.ndindex(objects.shape[:2]):
        objects[index] = ndimage.shift(objects[index].astype(int), shifts[index], order=0)
    objects[rng.random(objects.shape[:2]) < missed] = False
    if annotator == "box":
        for one in objects.reshape(-1, SIZE, SIZE):
            one[ndimage.find_objects(one.astype(int))[0] if one.any() else ()] |= one.any()
    return objects.any(axis=1).astype(int)


def zones(masks):
    """Classes of the pixels of each mask by their distance from its outline; -1 where there is none."""
    images = np.moveaxis(masks, -1, 1).reshape(-1, SIZE, SIZE)
    found = np.array([zones_of(image) for image in images])
    return np.moveaxis(found.reshape(len(masks), -1, SIZE, SIZE), 1, -1)


def zones_of(mask):
    if mask.max() < 1:  # not painted, or left empty: far outside everywhere
        return mask
    within, without = (ndimage.distance_transform_edt(part) for part in (mask, mask == 0))
    return np.digitize(np.where(mask > 0, within - 0.5, 0.5 - without), EDGES)


def vote(masks):
    return np.where(masks > 0, 1, 0).sum(axis=-1) / (masks >= 0).sum(axis=-1)


def by_agreement(masks):
    """The vote of whole annotators, each weighted by kappa with the others' vote, near the outlines."""
    near = (masks > 0).any(axis=-1)
    kappa = np.nan_to_num(kc.evaluation.cohen_kappa(masks[near]), nan=0)
    np.fill_diagonal(kappa, 0)
    weights = np.maximum(kappa.sum(axis=1), 1e-3) ** 2
    return np.where(masks > 0, weights, 0).sum(axis=-1) / np.where(masks >= 0, weights, 0).sum(axis=-1)


def staple(masks, near):
    probabilities = np.zeros(near.shape)
    found = kc.aggregation.dawid_skene(masks[near], 2, confusion="full")
    probabilities[near] = found.posterior[:, 1]
    return probabilities


def of_zones(answers, gold=None):
    """Probabilities of the zones `(items, size, size, zones)`."""
    near = (answers > 0).any(axis=-1)
    probabilities = np.zeros((*near.shape, NUM_ZONES))
    probabilities[..., 0] = 1
    known = None if gold is None else gold[near]
    found = kc.aggregation.dawid_skene(answers[near], NUM_ZONES, confusion="full", gold=known)
    probabilities[near] = found.posterior
    return probabilities


def ratings(masks, near):
    """Signed distances as ratings: whether a pixel is inside, by `raykar`."""
    distances = np.where(masks < 0, np.nan, np.clip(zones(masks) - NUM_ZONES / 2 + 0.5, -2, 2))
    inside = np.zeros(near.shape)
    inside[near] = kc.aggregation.raykar(distances[near]).truth > 0
    return inside


def network(num_classes=1):
    layers = [keras.Input((SIZE, SIZE, 1))]
    for rate in (1, 2, 4):
        layers += [
            keras.layers.Conv2D(12, 3, padding="same", dilation_rate=rate, use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
        ]
    top = keras.layers.Conv2D(num_classes, 1, activation="sigmoid" if num_classes == 1 else "softmax")
    return keras.Sequential([*layers, top])


def trained(images, targets, epochs):
    classifier = network(1 if targets.ndim == 3 else targets.shape[-1])
    loss = "binary_crossentropy" if targets.ndim == 3 else "categorical_crossentropy"
    classifier.compile(keras.optimizers.Adam(1e-2), loss)
    targets = targets[..., None] if targets.ndim == 3 else targets
    classifier.fit(images, targets, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    return classifier


def below_a_crowd_layer(images, answers, num_classes, epochs):
    """Pixels are tokens."""
    classifier, (num_items, _, _, num_annotators) = network(num_classes), answers.shape
    tokens = answers.reshape(num_items, -1, num_annotators)
    crowd = kc.layers.CrowdsSequenceLabeling(num_annotators)
    crowd.adapt(tokens)
    pixels = keras.Sequential([classifier, keras.layers.Reshape((-1, num_classes))])
    model = kc.crowd_model(pixels, crowd, x=images[:1])
    model.compile(keras.optimizers.Adam(1e-2), loss=kc.losses.MaskedCrowdCrossEntropy())
    model.fit(images, tokens, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    return classifier


def predicted(classifier, images):
    """The probability that a pixel is inside."""
    found = classifier.predict(images, batch_size=100, verbose=0)
    inside = {1: slice(None), 2: slice(1, None)}.get(found.shape[-1], INSIDE)
    return found[..., inside].sum(axis=-1)


def dice(found, gold):
    found, gold = found.reshape(len(gold), -1) > 0.5, gold.reshape(len(gold), -1)
    both, all_ = (found & gold).sum(axis=1), found.sum(axis=1) + gold.sum(axis=1)
    return 100 * np.mean(np.where(all_ > 0, 2 * both / np.maximum(all_, 1), 1))


def measured(crowd, seed, epochs, num_items=NUM_ITEMS):
    """Dice coefficients of masks, and of networks, in %, by method."""
    rng = np.random.default_rng(seed)
    images, inside, gold = scenes(num_items + NUM_TEST, rng)
    x, x_test, gold, gold_test = images[:num_items], images[num_items:], gold[:num_items], gold[num_items:]
    masks = painted(inside[:num_items], crowd, rng)
    answers = zones(masks)
    near = (answers > 0).any(axis=-1)
    known = np.where(np.arange(num_items)[:, None, None] < NUM_GOLD, zones(gold[..., None] + 0)[..., 0], -1)
    asked = [masks[:, 0, 0, r] >= 0 for r in range(len(crowd))]
    labels = {
        "mean annotator": None,
        "vote": vote(masks),
        "vote by agreement": by_agreement(masks),
        "STAPLE, all pixels": staple(masks, np.full(near.shape, True)),
        "STAPLE, near": staple(masks, near),
        "ratings": ratings(masks, near),
        "zones": of_zones(answers)[..., INSIDE].sum(axis=-1),
        "zones, 10 gold masks": of_zones(answers, known)[..., INSIDE].sum(axis=-1),
    }
    of_labels = {name: dice(found, gold) for name, found in labels.items() if found is not None}
    alone = [dice(masks[there, ..., r], gold[there]) for r, there in enumerate(asked)]
    of_labels = {"mean annotator": np.mean(alone), **of_labels}
    train = {
        "vote": lambda: trained(x, labels["vote"], epochs),
        "zones": lambda: trained(x, labels["zones"], epochs),
        "zones, 10 gold masks": lambda: trained(x, labels["zones, 10 gold masks"], epochs),
        "crowd layer, zones": lambda: below_a_crowd_layer(x, answers, NUM_ZONES, epochs),
        "crowd layer, two classes": lambda: below_a_crowd_layer(x, masks, 2, epochs),
        "gold": lambda: trained(x, gold + 0.0, epochs),
    }
    of_networks = {}
    for name, make in train.items() if epochs else ():
        keras.utils.set_random_seed(seed)
        of_networks[name] = dice(predicted(make(), x_test), gold_test)
    return of_labels, of_networks


def print_table(found):
    """One column per crowd."""
    print(f"\n| | {' | '.join(found)} |\n{'|---' * (1 + len(found))}|")
    for method in next(iter(found.values()))[0]:
        cells = [spread(np.array([run[method] for run in runs])) for runs in found.values()]
        print(f"| {method} | {' | '.join(cells)} |", flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crowds", nargs="+", choices=list(CROWDS), default=list(REPORTED))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="0 for the masks alone")
    parser.add_argument("--items", type=int, default=NUM_ITEMS)
    arguments = parser.parse_args(argv)
    found = {}
    for name in arguments.crowds:
        first = 0 if name in CHOOSING else 100
        seeds = range(first, first + arguments.seeds)
        runs = [measured(CROWDS[name], seed, arguments.epochs, arguments.items) for seed in seeds]
        found[name] = [list(part) for part in zip(*runs, strict=True)]
    for part in range(2 if arguments.epochs else 1):
        print_table({name: runs[part] for name, runs in found.items()})
    return found


if __name__ == "__main__":
    main()
