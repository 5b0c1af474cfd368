"""Features and answers in batches, for features that memory does not hold: Keras, tf.data, PyTorch, Grain."""

from ._crowd_batches import CrowdBatches as CrowdBatches
from ._features import with_annotators as with_annotators
from ._grain_data import grain_data as grain_data
from ._mix_up import MixUp as MixUp
from ._shuffled import Shuffled as Shuffled
from ._shuffled import as_batch as as_batch
from ._tf_data import tf_data as tf_data
from ._torch_data import torch_data as torch_data


def __dir__() -> list[str]:
    return ["CrowdBatches", "MixUp", "grain_data", "tf_data", "torch_data", "with_annotators"]
