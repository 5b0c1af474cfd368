"""Run by `test_distribution.py` in processes of its own: trains every head in several ways and saves what came out.

python train_heads.py OUT devices             one device, then both devices of this process
python train_heads.py OUT worker INDEX PORT   one of two processes
"""

import contextlib
import sys

import heads as every_head
import keras
import numpy as np

import keras_crowd as kc

OUT, HOW, *REST = sys.argv[1:]
FOUND = {}


def fit(model, x, y, size, recorder):
    return model.fit(x, y, size, shuffle=False, verbose=0, callbacks=[recorder]).history


def train(run, scope=contextlib.nullcontext, part=None, fit=fit):
    """Trains everything in a scope; `part`: the half of every batch that is this process's."""

    def take(array):
        if part is None:
            return array
        halves = array.reshape(every_head.STEPS, 2, every_head.BATCH // 2, *array.shape[1:])
        return halves[:, part].reshape(-1, *array.shape[1:])

    size = every_head.BATCH if part is None else every_head.BATCH // 2
    with scope():
        names = every_head.DISTRIBUTED if HOW == "devices" else every_head.OF_PROCESSES
        recorder, model = every_head.Recorder(names), every_head.compiled(names)
        if run == "one" and keras.config.backend() == "tensorflow":  # under a strategy Keras does it
            every_head.with_variables(model, names)
        logs = fit(model, *keras.tree.map_structure(take, every_head.data(names)), size, recorder)
        FOUND.update({f"{run}/{name}": value for name, value in recorder.history().items()})
        FOUND.update({f"{run}/logs/{name}": value[-1] for name, value in logs.items()})
        for name, (joint, x, y) in every_head.joint_models().items() if HOW == "devices" else ():
            recorder = every_head.Recorder(names=())
            fit(joint, x, y, size, recorder)
            FOUND[f"{run}/{name}"] = recorder.history()[""]
    return model


def maximize_expectation(run, scope=contextlib.nullcontext):
    x, y = every_head.data(steps=4)  # one batch, so that its order does not matter
    with scope():
        start = keras.initializers.RandomNormal(stddev=1.0, seed=1)
        dense = keras.layers.Dense(every_head.CLASSES, "softmax", kernel_initializer=start)
        classifier = keras.Sequential([keras.Input((5,)), dense])
        classifier.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
        trainer = kc.EMTrainer(classifier)
        log = trainer.fit(x["x"], y["MW"], iterations=3, batch_size=64, verbose=0)
    FOUND[f"{run}/em/posterior"], FOUND[f"{run}/em/confusion"] = trainer.posterior(), trainer.confusion()
    FOUND[f"{run}/em/log_likelihood"] = log.history["log_likelihood"]


def train_on_sums(run, scope=contextlib.nullcontext):
    """The mean over a whole batch, its number of answers told by `sample_weight`: exact in the logs as well."""
    x, y = every_head.data(["MW"])
    count = (y["MW"] >= 0).reshape(every_head.STEPS, -1).sum(axis=1)
    with scope():
        model = every_head.model(["MW"])
        loss = kc.losses.MaskedCrowdCrossEntropy(reduction="sum")
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), {"MW": loss})
        weight = np.repeat(1 / count, every_head.BATCH)
        logs = model.fit(x, y, every_head.BATCH, sample_weight={"MW": weight}, shuffle=False, verbose=0)
    FOUND[f"{run}/sum/loss"] = logs.history["loss"]
    FOUND[f"{run}/sum/parameters"] = every_head.parameters(every_head.parts(model, "MW"))


def on_tensorflow():
    import tensorflow as tf

    if HOW == "worker":
        strategy = tf.distribute.MultiWorkerMirroredStrategy()

        def by_steps(model, x, y, size, recorder):
            """Keras's own `fit` fails with this strategy, whatever the model (keras-team/keras#20585)."""

            @tf.function
            def step(batch):
                strategy.run(model.train_step, args=(batch,))

            model.optimizer.build(model.trainable_variables)  # made in `step`, it would be traced again
            recorder.set_model(model)
            recorder.on_train_begin()
            for batch in tf.data.Dataset.from_tensor_slices((x, y)).batch(size):
                step(batch)
                recorder.on_train_batch_end(0)
            return {name: [float(value)] for name, value in model.get_metrics_result().items()}

        train("two", strategy.scope, part=int(REST[0]), fit=by_steps)
        return
    device = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
    for run, scope in {
        "one": contextlib.nullcontext,
        "two": tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope,
    }.items():
        train(run, scope)
        maximize_expectation(run, scope)
        train_on_sums(run, scope)


def on_jax():
    distribution = keras.distribution
    if HOW == "worker":
        index, port = int(REST[0]), REST[1]
        distribution.initialize(f"127.0.0.1:{port}", num_processes=2, process_id=index)
        train("two", distribution.DataParallel(auto_shard_dataset=False).scope, part=index)
        return
    mesh = distribution.DeviceMesh((1, 2), ("batch", "model"))
    layouts = distribution.LayoutMap(mesh)
    for name in every_head.HEADS:
        layouts.update(kc.distribution.layout_map(mesh, every_head.HEADS[name].layer(name)))
    ways = {
        "one": contextlib.nullcontext,
        "two": distribution.DataParallel().scope,
        "model": distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch").scope,
    }
    for run, scope in ways.items():
        model = train(run, scope)
        if run != "model":
            maximize_expectation(run, scope)
    kernel = model.get_layer("MW").kernel
    kept = [v for v in model.optimizer.variables if v.path.endswith("MW_annotators_kernel_momentum")]
    FOUND["model/shards"] = [v.value.addressable_shards[0].data.shape for v in (kernel, *kept)]


on_jax() if keras.config.backend() == "jax" else on_tensorflow()
np.savez(OUT, **FOUND)
