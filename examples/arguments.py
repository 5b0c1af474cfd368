"""What the reward model needs: arguments with votes on their pairs, and two scorers of a text."""

import keras
import numpy as np

import keras_crowd as kc

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
