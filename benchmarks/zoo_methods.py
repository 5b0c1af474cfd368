"""What `benchmarks/zoo.py` compares: each method trains a classifier on a task."""

import functools

import keras
from quality import fit, train_on_labels

import keras_crowd as kc

EPOCHS, BATCH_SIZE = 50, 64
PAPERS_START = kc.initializers.CrowdIdentity()
ITEMS = ("CoNAL", "item", "MaDL", "COINNet")  # connections that look at features of the items


def vote(task, seed):
    return kc.aggregation.majority_vote(task.annotations, ties="random", seed=seed)


def on_vote(classifier, task, seed, epochs):
    train_on_labels(classifier, task.x_train, vote(task, seed), epochs)


def on_gold(classifier, task, seed, epochs):
    train_on_labels(classifier, task.x_train, task.y_train, epochs)


def on_crowd(classifier, task, seed, epochs, conn_type="CM", adapted=True, regularizer="auto", start=None):
    """One `fit` of a crowd layer, as in the README."""
    crowd = kc.layers.CrowdsClassification(
        task.annotations.num_annotators,
        conn_type,
        kernel_initializer=start,
        classifier_regularizer=regularizer,
    )
    if adapted:
        crowd.adapt(task.annotations)
    model = kc.crowd_model(classifier, crowd, slots=True)
    ids, answers = task.annotations.slots()
    optimizer = keras.optimizers.Adam(1e-3)
    fit(model, optimizer, kc.losses.MaskedCrowdCrossEntropy(), [task.x_train, ids], answers, epochs)


def as_in_readme(classifier, task, seed, epochs, regularizer=None):
    """README's lines: batches of 32, Keras's own."""
    answers = task.annotations.dense()
    crowd = kc.layers.CrowdsClassification(
        task.annotations.num_annotators, "CM", classifier_regularizer=regularizer
    )
    crowd.adapt(answers)
    model = kc.crowd_model(classifier, crowd)
    model.compile("adam", loss=kc.losses.MaskedCrowdCrossEntropy(), metrics=[kc.metrics.CrowdAccuracy()])
    model.fit(task.x_train, answers, epochs=epochs, verbose=0)


def mix_up(classifier, task, seed, epochs, alpha, form="slots"):
    """README's lines, on items (or single answers and their annotators) that are mixed."""
    crowd = kc.layers.CrowdsClassification(task.annotations.num_annotators, "CM")
    crowd.adapt(task.annotations)
    model = kc.crowd_model(classifier, crowd, slots=True)
    name = "MixedCrowdCrossEntropy" if form == "answers" else "MaskedCrowdCrossEntropy"
    model.compile("adam", loss=getattr(kc.losses, name)())
    mixed = kc.pipelines.MixUp(task.x_train, task.annotations, alpha=alpha, form=form, seed=seed)
    model.fit(mixed, epochs=epochs, verbose=0)


def fit_crowd(classifier, task, seed, epochs, weights=None):
    """The defaults; 50 epochs or 1,000 steps."""
    given = {"weights": weights, "seed": seed, "verbose": 0}
    fewer = {} if epochs == EPOCHS else {"epochs": epochs}
    kc.fit_crowd(classifier, task.x_train, task.annotations, **given, **fewer)


def em(classifier, task, seed, epochs, answer_weight=1.0):
    """Trains as many iterations of one epoch each; the defaults otherwise."""
    classifier.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy")
    trainer = kc.EMTrainer(classifier, answer_weight=answer_weight, seed=seed)
    trainer.fit(task.x_train, task.annotations, iterations=epochs, batch_size=BATCH_SIZE, verbose=0)
    return trainer.posterior()


def joint(classifier, task, seed, epochs):
    crowd = kc.layers.CrowdsClassification(
        task.annotations.num_annotators, "CM", classifier_regularizer=None
    )
    crowd.adapt(task.annotations)
    model = kc.models.JointCrowdModel(classifier, crowd, slots=True)
    ids, answers = task.annotations.slots()
    fit(model, keras.optimizers.Adam(1e-3), None, [task.x_train, ids], answers, epochs)


def mbem(classifier, task, seed, epochs):
    """Two iterations, as in the paper, of half of the epochs each."""
    classifier.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy")
    trainer = kc.EMTrainer(classifier, problem=kc.em.MBEM, seed=seed)
    course = {"start": "majority_vote", "iterations": 2, "epochs": max(epochs // 2, 1)}
    trainer.fit(task.x_train, task.annotations, **course, batch_size=BATCH_SIZE, verbose=0)
    return trainer.posterior()


def max_mig(classifier, task, seed, epochs):
    model = kc.models.MaxMIG(classifier, task.annotations.num_annotators, slots=True)
    model.adapt(task.annotations)
    ids, answers = task.annotations.slots()
    fit(model, keras.optimizers.Adam(1e-3), None, [task.x_train, ids], answers, epochs)


def doctor_net(classifier, task, seed, epochs):
    """Heads in place of the last layer; their mean, laid over the same features, is what is measured."""
    encoder = keras.Model(classifier.inputs[0], classifier.layers[-1].input)
    model = kc.models.DoctorNet(encoder, task.annotations.num_annotators, task.num_classes)
    fit(
        model,
        keras.optimizers.Adam(1e-3),
        None,
        task.x_train,
        task.annotations.dense(),
        epochs,
    )
    return model.classifier


def union_net(classifier, task, seed, epochs):
    model = kc.crowd_model(
        classifier, kc.layers.CrowdsClassification(task.annotations.num_annotators, "MW")
    )
    optimizer, loss = keras.optimizers.Adam(1e-3), kc.losses.UnionCrossEntropy()
    fit(model, optimizer, loss, task.x_train, task.annotations.dense(), epochs)


REFERENCES = {"vote": on_vote, "gold": on_gold}
METHODS = {
    **{
        f"{conn_type}, the papers' start": functools.partial(
            on_crowd, conn_type=conn_type, adapted=False, regularizer=None, start=PAPERS_START
        )
        for conn_type in ("MW", "CM")
    },
    **{
        f"{conn_type}, not adapted": functools.partial(
            on_crowd, conn_type=conn_type, adapted=False, regularizer=None
        )
        for conn_type in ("MW", "CM")
    },
    "CM, adapted": on_crowd,
    "as in README": as_in_readme,
    "as in README, auto": functools.partial(as_in_readme, regularizer="auto"),
    **{f"mixup {alpha}": functools.partial(mix_up, alpha=alpha) for alpha in (0.4, 1.0)},
    **{
        f"Annot-Mix {alpha}": functools.partial(mix_up, alpha=alpha, form="answers") for alpha in (0.4, 1.0)
    },
    "CM, no penalty": functools.partial(on_crowd, regularizer=None),
    **{
        f"CM, log det {weight}": functools.partial(
            on_crowd, regularizer=kc.regularizers.ClassifierLogDet(weight)
        )
        for weight in (0.5, 1.0, 2.0)
    },
    **{
        f"CM, normalized log det {weight}": functools.partial(
            on_crowd, regularizer=kc.regularizers.ClassifierLogDet(weight, normalized=True)
        )
        for weight in (0.5, 1.0)
    },
    **{f"{name}, adapted": functools.partial(on_crowd, conn_type=name, regularizer=None) for name in ITEMS},
    "fit_crowd": fit_crowd,
    "fit_crowd, weights": functools.partial(fit_crowd, weights=kc.selection.REPLICA_WEIGHTS),
    "EM": em,
    "EM, chosen": functools.partial(em, answer_weight="auto"),
    "joint": joint,
    "MBEM": mbem,
    "Max-MIG": max_mig,
    "DoctorNet": doctor_net,
    "UnionNet-B": union_net,
}
