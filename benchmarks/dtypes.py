"""Token ids under mixed precision: `crowd_model` keeps them, a Sequential around the classifier rounds them.

    KERAS_BACKEND=jax python benchmarks/dtypes.py --seeds 3

Imaginary texts: 5,000 words, each with a class of its own drawn at random, so that words of neighboring ids mean
different things; texts of 20 words, two fifths of them of the text's class, the others any. Annotators are right with
.5 to .8, three answers a text. The same classifier (embedding, mean, `Dense`) by Adam, batches of 64, last epoch; no
gold label is used to train. Test accuracy is that of the stripped model, as it is served.

float16 holds integers exactly up to 2,048, bfloat16 up to 256. The embedding has rows to spare: 4,999 becomes 5,000,
and for a row that is not there JAX gives NaN.
"""

import argparse

import keras
import numpy as np

import keras_crowd as kc

NUM_WORDS, NUM_ROWS, NUM_CLASSES, LENGTH, NUM_ANNOTATORS = 5_000, 5_120, 5, 20, 30
NUM_ITEMS, NUM_TEST, EPOCHS, BATCH_SIZE, OWN = 6_000, 3_000, 6, 64, 0.4
POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def draw(num_items, seed):
    """Token ids and annotations to train; token ids and labels to test."""
    rng = np.random.default_rng(seed)
    word_class = rng.integers(NUM_CLASSES, size=NUM_WORDS)
    labels = rng.integers(NUM_CLASSES, size=num_items + NUM_TEST)
    words = rng.integers(NUM_WORDS, size=(len(labels), LENGTH))
    for k in range(NUM_CLASSES):
        own = np.flatnonzero(word_class == k)
        of_class = (labels == k)[:, None] & (rng.random(words.shape) < OWN)
        words[of_class] = rng.choice(own, size=of_class.sum())
    confusion = kc.datasets.diagonally_dominant(NUM_ANNOTATORS, NUM_CLASSES, (0.5, 0.8), seed=seed)
    annotations = kc.datasets.simulate_answers(labels[:num_items], confusion, answers_per_item=3, seed=seed)
    words = words.astype("int32")
    return words[:num_items], annotations, words[num_items:], labels[num_items:]


def network():
    """Token ids to class probabilities."""
    tokens = keras.Input((LENGTH,), dtype="int32", name="tokens")
    hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(NUM_ROWS, 32)(tokens))
    return keras.Model(tokens, keras.layers.Dense(NUM_CLASSES, "softmax", dtype="float32")(hidden))


WAYS = {
    "`crowd_model(classifier, crowd)`": kc.crowd_model,
    "`keras.Sequential([classifier, crowd])`": lambda classifier, crowd: keras.Sequential(
        [classifier, crowd]
    ),
}


def train(way, policy, data, seed, epochs):
    """Test accuracy of the stripped model."""
    x, annotations, x_test, y_test = data
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(seed)
        crowd = kc.layers.CrowdsClassification(NUM_ANNOTATORS, "CM", initial_accuracy=0.6)
        model = WAYS[way](network(), crowd)
        model.compile(keras.optimizers.Adam(5e-3), kc.losses.MaskedCrowdCrossEntropy())
        model.fit(x, annotations.dense(), BATCH_SIZE, epochs, verbose=0)
        predicted = kc.strip(model).predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
    finally:
        keras.config.set_dtype_policy(before)
    return 100 * np.mean(predicted == y_test)


def main(arguments=None):
    """Prints the table; returns the accuracies by way and policy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--items", type=int, default=NUM_ITEMS)
    options = parser.parse_args(arguments)
    data = [draw(options.items, seed) for seed in range(options.seeds)]
    print(f"| | {' | '.join(POLICIES)} |\n|---{'|---' * len(POLICIES)}|")
    found = {}
    for way in WAYS:
        for policy in POLICIES:
            runs = [train(way, policy, some, seed, options.epochs) for seed, some in enumerate(data)]
            found[way, policy] = np.array(runs)
        row = [f"{found[way, policy].mean():.1f} +- {found[way, policy].std():.1f}" for policy in POLICIES]
        print(f"| {way} | {' | '.join(row)} |")
    return found


if __name__ == "__main__":
    main()
