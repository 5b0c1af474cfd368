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
from arguments import arguments_and_votes, keras_hub_scorer, preset_of, small_scorer

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


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
