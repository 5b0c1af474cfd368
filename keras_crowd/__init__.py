"""Train any Keras model directly on the labels of many imperfect annotators.

Answers go into `Annotations`; `crowd_model` puts a layer of `layers` on top of the classifier, to be trained with
a loss of `losses`; `validate` checks the data before `fit`, and `strip` gives the classifier back afterwards.
`fit_crowd` does all of it in one call, and chooses the weight of the regularizer (`selection`); `align_classes`
puts classes back that have changed places. `metrics`, `callbacks`, `regularizers`, `initializers`, `optimizers` and
`distribution` are what Keras calls so. NumPy only: `annotations` (the kinds of answers), `aggregation` (labels from
answers alone), `acquisition` (what to ask next), `warm_start`, `evaluation`, `datasets`, `io` (files of labeling
tools) and `report` (one page that shows a crowd).
"""

from . import acquisition as acquisition
from . import aggregation as aggregation
from . import annotations as annotations
from . import datasets as datasets
from . import evaluation as evaluation
from . import io as io
from . import report as report
from . import warm_start as warm_start
from ._command_line import is_command_line as _is_command_line
from ._version import __version__ as __version__
from .annotations import Annotations as Annotations

if not _is_command_line():  # that has a backend to wait for, and no use for it
    from . import _backend as _backend  # isort: skip  before all that imports Keras
    from . import callbacks as callbacks
    from . import distribution as distribution
    from . import em as em
    from . import initializers as initializers
    from . import layers as layers
    from . import losses as losses
    from . import metrics as metrics
    from . import models as models
    from . import optimizers as optimizers
    from . import pipelines as pipelines
    from . import regularizers as regularizers
    from . import selection as selection
    from .em import EMTrainer as EMTrainer
    from .models import align_classes as align_classes
    from .models import crowd_model as crowd_model
    from .models import strip as strip
    from .models import validate as validate
    from .recipe import fit_crowd as fit_crowd

_INNER = {"ops", "recipe"}  # where things live that stand above


def __dir__() -> list[str]:
    return [
        name for name in globals() if name == "__version__" or not (name.startswith("_") or name in _INNER)
    ]
