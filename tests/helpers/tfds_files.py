"""Small data sets of pictures, written to files as TensorFlow Datasets does."""

import numpy as np


def pictures(num_items, shape=(8, 6, 1), dtype=np.uint8, num_classes=3):
    """Random pictures whose first pixel is the label, and labels `0, 1, 2, 0, ...`."""
    rng = np.random.default_rng(num_items)
    images = rng.integers(0, np.iinfo(dtype).max, (num_items, *shape), dtype, endpoint=True)
    labels = np.arange(num_items) % num_classes
    images[:, 0, 0, 0] = labels
    return images, labels


def write(folder, name, image, label, splits, supervised_keys=("image", "label"), version="1.0.0"):
    """Writes a data set to `folder`; its name is not registered.

    Args:
        folder: Where data sets are.
        name: Name of the data set.
        image: Feature of the pictures.
        label: Feature of the labels.
        splits: Pictures and labels of each split.
        supervised_keys: What `as_supervised=True` gives.
        version: Version of the data set.
    """
    import tensorflow_datasets as tfds

    class Written(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version(version)

        def _info(self):
            features = {"id": tfds.features.Text(), "image": image, "label": label}  # as CIFAR-10 has them
            features = tfds.features.FeaturesDict(features)
            return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=supervised_keys)

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(*splits[split]) for split in splits}

        def _generate_examples(self, images, labels):
            for i, (image, label) in enumerate(zip(images, labels, strict=True)):
                yield i, {"id": str(i), "image": image, "label": label}

    Written.name = name
    Written(data_dir=folder).download_and_prepare()
