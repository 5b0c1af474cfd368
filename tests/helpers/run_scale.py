"""The snippets of `docs/scale.md` that are for this backend, on two devices, with small numbers of annotators."""

import keras
import numpy as np
from pages import ROOT, sources

import keras_crowd as kc

BACKEND = keras.backend.backend()
PAGE = ROOT / "docs" / "scale.md"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 512)).astype("float32")
ANSWERS = RNG.integers(-1, 10, (64, 59))


def given():
    """What the page takes as given, anew for each snippet."""
    return {
        "keras": keras,
        "kc": kc,
        "classifier": keras.Sequential([keras.Input((512,)), keras.layers.Dense(10, "softmax")]),
        "x": X,
        "answers": ANSWERS,
    }


def on_jax(sparse, data, model_parallel):
    names = {**given()}
    exec(sparse, names)
    ids = np.tile(np.arange(3), (64, 1))
    history = names["model"].fit((X, ids), ANSWERS[:, :3], verbose=0).history["loss"]
    exec(model_parallel, names)
    names["model"].compile("adam", loss=kc.losses.MaskedCrowdCrossEntropy())
    history += names["model"].fit(X, RNG.integers(-1, 10, (64, 1000)), verbose=0).history["loss"]
    shards = names["crowd"].trainable_variables[0].value.addressable_shards
    assert {shard.data.shape[0] for shard in shards} == {500}
    exec(data, names)
    names.update(given())
    model = kc.crowd_model(names["classifier"], kc.layers.CrowdsClassification(59))
    model.compile("adam", loss=kc.losses.MaskedCrowdCrossEntropy())
    return history + model.fit(X, ANSWERS, verbose=0).history["loss"]


def on_tensorflow(mirrored, workers):
    import tensorflow as tf

    names = {**given(), "tf": tf}
    exec(mirrored, names)
    history = names["model"].history.history["loss"]
    batches = tf.data.Dataset.from_tensor_slices((X, ANSWERS.astype("float32"))).batch(32)
    names = {**given(), "tf": tf, "batches": batches}
    exec(workers, names)
    return [*history, float(names["model"].get_metrics_result()["loss"])]


if __name__ == "__main__":
    keras.config.disable_interactive_logging()
    blocks = [source.replace("1_000_000", "1_000") for source in sources(PAGE)]
    is_tensorflow = ["tf.distribute" in block for block in blocks]
    mine = [
        block
        for block, of_tf in zip(blocks, is_tensorflow, strict=True)
        if of_tf == (BACKEND == "tensorflow")
    ]
    losses = on_tensorflow(*mine) if BACKEND == "tensorflow" else on_jax(*mine)
    assert np.isfinite(losses).all(), losses
