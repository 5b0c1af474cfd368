"""The papers' data sets as data sets of TensorFlow Datasets; importing this registers them.

Needs `pip install 'keras_crowd[datasets]'`. The data are not ours to give: each builder says, in
`MANUAL_DOWNLOAD_INSTRUCTIONS`, which archive to unpack in a folder of yours, and reads its files as their authors
published them:

    files = tfds.download.DownloadConfig(manual_dir="folder")
    builder = tfds.builder("labelme_mturk")
    builder.download_and_prepare(download_config=files)
"""

from ._annotations import read_annotations as read_annotations
from ._builders import ConllNerMTurk as ConllNerMTurk
from ._builders import LabelMeMTurk as LabelMeMTurk
from ._builders import MovieReviewsMTurk as MovieReviewsMTurk
from ._builders import MusicGenreMTurk as MusicGenreMTurk
from ._builders import SentencePolarityMTurk as SentencePolarityMTurk
