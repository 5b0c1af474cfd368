"""The papers' data sets, and simulated annotators. NumPy only; no part of Keras is needed here.

`labelme`, `music`, `moviereviews`, `ner_mturk` and `sentence_polarity` are modules, as those of `keras.datasets`:
`labelme.load_data(path)` reads a file or a folder that its docstring describes. `datasets.tfds` makes the same data of
the archives that their authors published.
"""

from . import labelme as labelme
from . import moviereviews as moviereviews
from . import music as music
from . import ner_mturk as ner_mturk
from . import sentence_polarity as sentence_polarity
from ._archives import TruncatedArchiveWarning as TruncatedArchiveWarning
from ._archives import unpack as unpack
from ._confusions import class_wise as class_wise
from ._confusions import diagonally_dominant as diagonally_dominant
from ._confusions import hammer_spammer as hammer_spammer
from ._confusions import pairwise_flipper as pairwise_flipper
from ._crowd_dataset import CrowdDataset as CrowdDataset
from ._crowd_sequences import CrowdSequences as CrowdSequences
from ._files import DATA_FOLDER as DATA_FOLDER
from .human_images import human_images as human_images
from .images import crowd_images as crowd_images
from .simulated import machine_annotators as machine_annotators
from .simulated import simulate_answers as simulate_answers
