"""Losses over the answers that were given. What is missing weighs nothing."""

from ._masked import MaskedCrowdBinaryCrossEntropy as MaskedCrowdBinaryCrossEntropy
from ._masked import MaskedCrowdCrossEntropy as MaskedCrowdCrossEntropy
from ._masked import MaskedCrowdGaussian as MaskedCrowdGaussian
from ._masked import MaskedCrowdHuber as MaskedCrowdHuber
from ._masked import MaskedCrowdMeanAbsoluteError as MaskedCrowdMeanAbsoluteError
from ._masked import MaskedCrowdMeanSquaredError as MaskedCrowdMeanSquaredError
from ._mixed import MixedCrowdCrossEntropy as MixedCrowdCrossEntropy
from ._union import UnionCrossEntropy as UnionCrossEntropy


def __dir__() -> list[str]:
    return [
        "MaskedCrowdBinaryCrossEntropy",
        "MaskedCrowdCrossEntropy",
        "MaskedCrowdGaussian",
        "MaskedCrowdHuber",
        "MaskedCrowdMeanAbsoluteError",
        "MaskedCrowdMeanSquaredError",
        "MixedCrowdCrossEntropy",
        "UnionCrossEntropy",
    ]
