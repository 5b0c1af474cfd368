"""The papers' data sets as data sets of TensorFlow Datasets; importing this registers them.

Needs `pip install 'keras_crowd[datasets]'`. The data are not ours to give: each builder says, in
`MANUAL_DOWNLOAD_INSTRUCTIONS`, which files to put where, and reads them as their authors published them.
"""

from ._annotations import read_annotations as read_annotations
from ._builders import ConllNerMTurk as ConllNerMTurk
from ._builders import LabelMeMTurk as LabelMeMTurk
from ._builders import MovieReviewsMTurk as MovieReviewsMTurk
from ._builders import MusicGenreMTurk as MusicGenreMTurk
from ._builders import SentencePolarityMTurk as SentencePolarityMTurk
