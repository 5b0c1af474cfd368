"""What the NER example and benchmark share: features of tokens, an encoder, batches of like lengths."""

import os
import pathlib
import zlib

import keras
import numpy as np

import keras_crowd as kc

WIDTHS, NUM_AFFIXES, UNKNOWN = (16, 32, 64, 128), 2000, 1
LEARNING_RATE, ANSWER_WEIGHT, ROUND = 2e-3, 0.5, 2
BATCH_TOKENS = 1024  # so that a token of a long sentence counts as much as one of a short sentence


class Features:
    """Five codes a token: word, GloVe row, casing, prefix, suffix; 0 is padding, `UNKNOWN` an unknown word."""

    def __init__(self, sentences):
        words = dict.fromkeys(word.lower() for tokens in sentences for word in tokens)
        self.words = {word: i for i, word in enumerate(words, 2)}
        with np.load(pathlib.Path(os.environ[kc.datasets.DATA_FOLDER]) / "glove_twitter_25d.npz") as glove:
            self.vectors = np.concatenate([np.zeros((2, 25), "float32"), glove["vectors"]])
            self.glove = {word: i for i, word in enumerate(map(str, glove["words"]), 2)}

    def __call__(self, sentences, width):
        table = np.zeros((len(sentences), width, 5), "int32")
        for row, tokens in zip(table, sentences, strict=True):
            row[: len(tokens)] = [self.codes(str(token)) for token in tokens]
        return table

    def codes(self, token):
        lower = token.lower()
        prefix, suffix = (1 + zlib.crc32(part.encode()) % NUM_AFFIXES for part in (token[:3], token[-3:]))
        return (
            self.words.get(lower, UNKNOWN),
            self.glove.get(lower, UNKNOWN),
            _casing(token),
            prefix,
            suffix,
        )


def _casing(token):
    digits = sum(character.isdigit() for character in token)
    tests = (token.islower(), token.isupper(), token[:1].isupper(), token.isdigit(), digits > 0, True)
    return 1 + tests.index(True)


@keras.saving.register_keras_serializable("ner")
class WordDropout(keras.layers.Layer):
    """Takes a word for an unknown one now and then in training, or unknown words would never be learned."""

    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, words, training=False):
        if not training:
            return words
        forgotten = keras.random.uniform(keras.ops.shape(words), seed=self.seed_generator) < self.rate
        return keras.ops.where(keras.ops.logical_and(forgotten, words > 0), UNKNOWN, words)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


def encoder(features, num_classes, units=64, activation=None):
    """Embeddings of the five codes, a bidirectional GRU, and scores (or probabilities) of the tags."""
    codes = keras.Input((None, 5), dtype="int32", name="codes")
    glove = keras.initializers.Constant(features.vectors)
    tables = [
        keras.layers.Embedding(len(features.words) + 2, 40, mask_zero=True),
        keras.layers.Embedding(
            *features.vectors.shape, embeddings_initializer=glove, trainable=False, mask_zero=True
        ),
        keras.layers.Embedding(8, 8, mask_zero=True),
        keras.layers.Embedding(NUM_AFFIXES + 1, 16, mask_zero=True),
        keras.layers.Embedding(NUM_AFFIXES + 1, 16, mask_zero=True),
    ]
    words, *others = (codes[..., i] for i in range(5))
    columns = [WordDropout(0.1)(words), *others]
    hidden = [table(column) for table, column in zip(tables, columns, strict=True)]
    hidden = keras.layers.Concatenate()(hidden)
    hidden = keras.layers.Dropout(0.5)(hidden)
    hidden = keras.layers.Bidirectional(keras.layers.GRU(units, return_sequences=True))(hidden)
    hidden = keras.layers.Dropout(0.5)(hidden)
    return keras.Model(codes, keras.layers.Dense(num_classes, activation)(hidden))


class Batches(keras.utils.PyDataset):
    """Batches of sentences of like lengths, cut to few widths so that few shapes are compiled.

    All have about as many tokens: 64 sentences of up to 16, 32 of up to 32, and so on.

    Args:
        codes: Features `(sentences, time, 5)`.
        y: Tags `(sentences, time)` or answers `(sentences, time, slots)`.
        annotators: `(sentences, slots)`, for models on slots.
        seed: Seed of the order.
    """

    def __init__(self, codes, y, annotators=None, seed=0):
        super().__init__()
        self.codes, self.y, self.annotators = codes, y, annotators
        self.groups = by_width(codes)
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def on_epoch_end(self):
        self.batches = []
        for width, rows, number in self.groups:
            filled = number * (BATCH_TOKENS // width)  # the last batch is filled up with others
            parts = np.split(np.resize(self.rng.permutation(rows), filled), number)
            self.batches += [(width, part) for part in parts]
        self.rng.shuffle(self.batches)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        width, rows = self.batches[index]
        x, y = self.codes[rows, :width], self.y[rows, :width]
        return (x if self.annotators is None else (x, self.annotators[rows])), y


def by_width(codes):
    """Which sentences fit in which width, and in how many batches, `[(width, rows, batches)]`."""
    lengths = np.sum(codes[..., 0] > 0, axis=1)
    fits = np.searchsorted(WIDTHS, lengths)
    groups = [(min(width, codes.shape[1]), np.flatnonzero(fits == i)) for i, width in enumerate(WIDTHS)]
    return [(width, rows, -(-len(rows) // (BATCH_TOKENS // width))) for width, rows in groups if len(rows)]


def predict(model, codes, *others):
    """Tags or class probabilities of all sentences, width by width; `-1` (or zeros) at the rest."""
    found = None
    for width, rows, _ in by_width(codes):
        given = [codes[rows, :width], *(a[rows, :width] if a.ndim == 3 else a[rows] for a in others)]
        values = model.predict(given if others else given[0], batch_size=256, verbose=0)
        if found is None:
            found = np.full(
                (*codes.shape[:2], *values.shape[2:]), -1 if values.ndim == 2 else 0, values.dtype
            )
        found[rows, :width] = values
    return found


def decay(codes, epochs, learning_rate=LEARNING_RATE):
    """A learning rate that falls to 0 along a cosine, over so many epochs of `Batches`."""
    steps = epochs * sum(number for *_, number in by_width(codes))
    return keras.optimizers.schedules.CosineDecay(learning_rate, steps)


def fit(model, batches, epochs):
    model.fit(batches, epochs=epochs, verbose=0, shuffle=False)


def votes(annotations):
    """Majority vote in which no tie goes to "O", class 0: more entities are overlooked than invented."""
    shares = kc.aggregation.majority_vote(annotations, soft=True)
    shares[:, 0] *= 0.99
    return shares.argmax(axis=1)


def hidden_crf(encoder, data, answer_weight=ANSWER_WEIGHT):
    """A hidden CRF whose confusions are not left to the gradient."""
    crowd = kc.layers.CrowdsSequenceLabeling(data.num_annotators, "CM", trainable=False)
    crf = kc.layers.LinearChainCRF(labels=data.class_names)
    return kc.models.HiddenCRF(encoder, crowd, crf, slots=True, answer_weight=answer_weight)


def spans_are_short(data, tokens=3):
    """Whether annotators' spans have fewer tokens than that on average.

    Then the recipe takes `data.by_previous_answer()`: the rest of a missed span is no error of its own. Of long spans
    that leaves the two ends, where annotators seldom agree to the token, and the model comes to think there are none.
    """
    outside = [k for k, name in enumerate(data.class_names) if name == "O"]
    begins = [k for k, name in enumerate(data.class_names) if name.startswith("B-")]
    inside = np.sum((data.answers >= 0) & ~np.isin(data.answers, outside))
    return bool(inside < tokens * np.sum(np.isin(data.answers, begins)))


def confusions_of_tokens(data, labels):
    """Confusions of annotators against labels, each token by itself."""
    return kc.warm_start.from_labels(data.token_annotations(), labels)


def confusions(data, labels):
    """Confusions of `data.by_previous_answer()` against labels, drawn towards those of all after that answer."""
    annotations, num_classes = data.token_annotations(), len(data.class_names)
    previous = np.arange(data.num_annotators) % num_classes
    after = [annotations.select(annotators=previous == k) for k in range(num_classes)]
    found = np.stack([kc.warm_start.from_labels(part, labels) for part in after], axis=1)
    return found.reshape(-1, num_classes, num_classes)


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
