"""Features and answers in batches, for features that memory does not hold: Keras, tf.data, PyTorch."""

from ._crowd_batches import CrowdBatches as CrowdBatches
from ._tf_data import tf_data as tf_data
