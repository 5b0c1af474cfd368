"""Train any Keras model directly on the labels of many imperfect annotators."""

from . import aggregation as aggregation
from . import callbacks as callbacks
from . import datasets as datasets
from . import initializers as initializers
from . import layers as layers
from . import losses as losses
from . import metrics as metrics
from . import optimizers as optimizers
from . import regularizers as regularizers
from ._version import __version__ as __version__
from .annotations import Annotations as Annotations
from .models import strip as strip
from .models import validate as validate
