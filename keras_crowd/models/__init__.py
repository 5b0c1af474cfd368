"""What is done to a whole model with a crowd layer: checks before `fit`, repair and the classifier after it.

And whole models over sequences: `CRFTagger` (one tag a token), `HiddenCRF` (the answers of a crowd).
"""

from ._align_classes import align_classes as align_classes
from ._crf_tagger import CRFTagger as CRFTagger
from ._hidden_crf import HiddenCRF as HiddenCRF
from ._strip import crowd_layer as crowd_layer
from ._strip import strip as strip
from ._validate import validate as validate
