"""What is done to a whole model with a crowd layer: checks before `fit`, repair and the classifier after it.

And whole models: `JointCrowdModel` (the joint likelihood of an item's answers); over sequences `CRFTagger` (one tag
a token) and `HiddenCRF` (the answers of a crowd).
"""

from ._align_classes import align_classes as align_classes
from ._crf_tagger import CRFTagger as CRFTagger
from ._hidden_crf import HiddenCRF as HiddenCRF
from ._joint_crowd_model import JointCrowdModel as JointCrowdModel
from ._strip import crowd_layer as crowd_layer
from ._strip import strip as strip
from ._validate import validate as validate
