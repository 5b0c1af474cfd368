"""Reward model: a language model with LoRA learns from comparisons of answers, by raters who differ.

    KERAS_CROWD_DATA=folder python examples/reward_model.py                                # a small encoder
    KERAS_CROWD_DATA=folder python examples/reward_model.py --seed 1                       # other debates held out
    KERAS_CROWD_DATA=folder python examples/reward_model.py --preset bert_base_en          # of KerasHub

Which of two arguments convinces more, or neither: 84,445 votes of 3,815 workers (UKPConvArg1). The votes on 3 of 16
debates are held out. The scorer is an encoder and one unit; of a backbone of KerasHub only low-rank updates (LoRA) are
trained. What is exported takes token ids to scores and knows nothing of workers.
"""

import argparse
import os
import pathlib

import keras
import numpy as np

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"
LENGTH, WORDS, RANK = 128, 8000, 4


def arguments_and_votes(folder, seed):
    """Texts, votes on the debates to train on, and those on the debates held out."""
    import pandas as pd

    votes = pd.read_parquet(folder / "convarg_votes.parquet")
    pairs = pd.read_parquet(folder / "convarg_pairs.parquet").set_index("pair").loc[votes["pair"]]
    texts = pd.read_parquet(folder / "convarg_texts.parquet")["text"].to_numpy(object)
    table = {
        "first": pairs["a1"],
        "second": pairs["a2"],
        "worker": votes["worker"],
        "choice": votes["choice"],
    }
    table = pd.DataFrame({name: np.asarray(column) for name, column in table.items()})
    debates = pairs["debate"].cat.codes.to_numpy()
    held_out = np.isin(debates, np.random.default_rng(seed).permutation(16)[:3])
    workers = sorted(votes["worker"].unique().tolist())
    return texts, *(
        kc.Annotations.from_preference_table(
            table[rows], "first", "second", "worker", "choice", choices=(0, 1, 2), annotators=workers
        )
        for rows in (~held_out, held_out)
    )


def small_scorer(texts):
    """Token ids of the texts, and a small scorer with attention, trained from the start."""
    tokens = keras.layers.TextVectorization(max_tokens=WORDS, output_sequence_length=LENGTH)
    tokens.adapt(texts)
    ids = keras.Input((LENGTH,), dtype="int32", name="token_ids")
    hidden = keras.layers.Embedding(WORDS, 64)(ids)
    mixed = keras.layers.MultiHeadAttention(2, 32)(hidden, hidden)
    hidden = keras.layers.LayerNormalization()(keras.layers.Add()([hidden, mixed]))
    pooled = keras.layers.GlobalMaxPooling1D()(hidden)
    return np.asarray(tokens(texts.tolist()), "int32"), with_score(ids, pooled)


def keras_hub_scorer(backbone, preprocessor, texts):
    """The same on a backbone of KerasHub, which is frozen but for its LoRA."""
    backbone.enable_lora(RANK)
    x = {name: np.asarray(ids) for name, ids in preprocessor(texts.tolist()).items()}
    inputs, output = backbone.input, backbone.output
    hidden = output["sequence_output"] if isinstance(output, dict) else output
    pooled = keras.layers.GlobalAveragePooling1D()(hidden, mask=inputs["padding_mask"])
    return x, with_score(inputs, pooled)


def with_score(inputs, pooled):
    return keras.Model(inputs, keras.layers.Dense(1, name="score")(keras.layers.Dropout(0.5)(pooled)))


def preset_of(name):
    """Backbone and preprocessor of KerasHub; downloads weights."""
    import keras_hub

    task = keras_hub.models.TextClassifier.from_preset(name, num_classes=1)
    task.preprocessor.sequence_length = LENGTH
    return task.backbone, task.preprocessor


def inputs_of(x, answers):
    """Features of both items of each pair, and the workers of the slots."""
    size = len(next(iter(x.values())) if isinstance(x, dict) else x)
    index = kc.annotations.pair_index(answers.items, items=range(size))[1]
    return kc.models.pair_features(x, index, answers.slots()[0])


def main(
    epochs=3, backbone=None, preprocessor=None, limit=None, folder=SAVED_MODELS, learning_rate=1e-3, seed=0
):
    keras.utils.set_random_seed(seed)
    texts, train, test = arguments_and_votes(pathlib.Path(os.environ["KERAS_CROWD_DATA"]), seed)
    train, test = (answers.select(items=answers.items[:limit]) for answers in (train, test))
    x, scorer = small_scorer(texts) if backbone is None else keras_hub_scorer(backbone, preprocessor, texts)
    crowd = kc.layers.CrowdsPreference(train.num_annotators, "reliability", ties=True)
    crowd.adapt(train)
    model = kc.models.preference_model(scorer, crowd, slots=True)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(learning_rate), 1e-3)
    accuracy, nats = kc.metrics.CrowdAccuracy(name="accuracy"), kc.metrics.CrowdCrossEntropy(name="nats")
    model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy(), metrics=[accuracy, nats])
    model.fit(inputs_of(x, train), train.slots()[1], batch_size=64, epochs=epochs, verbose=2)

    found = model.evaluate(inputs_of(x, test), test.slots()[1], verbose=0, return_dict=True)
    print(f"{100 * found['accuracy']:.1f} % of the votes on new debates, {found['nats']:.3f} nats")
    candidates = np.unique(kc.annotations.pair_index(test.items)[0])[:10]  # any number, one pass each
    rows = {name: ids[candidates] for name, ids in x.items()} if isinstance(x, dict) else x[candidates]
    score = scorer.predict(rows, verbose=0)[:, 0]
    print("from the most to the least convincing:", candidates[np.argsort(-score)].tolist())
    kc.io.write_scores(folder / "argument_scores.csv", candidates, score)
    scorer.export(folder / "reward_model", verbose=False)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preset", help="of KerasHub, such as bert_base_en")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the debates held out, and of the weights")
    options = parser.parse_args()
    main(options.epochs, *(preset_of(options.preset) if options.preset else ()), seed=options.seed)
