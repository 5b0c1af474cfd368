"""Training of `fit_crowd` on sets of labels."""

import keras
import numpy as np

from ._fit_features import Arrays, Batches
from ._training import Training
from .aggregation import label_posterior
from .annotations import Annotations
from .layers import CrowdsMultiLabel


class LabelSetTraining(Training):
    """Trains on sets of labels; a setting is the connection, which each training has from the start."""

    crowd: CrowdsMultiLabel

    def __init__(
        self,
        classifier: keras.Model,
        features: Arrays | Batches,
        annotations: Annotations,
        epochs: int,
        from_logits: bool,
        conn_type: str,
    ) -> None:
        crowd = CrowdsMultiLabel(annotations.num_annotators, conn_type, from_logits=from_logits)  # type: ignore[arg-type]
        super().__init__(classifier, features, annotations, epochs, crowd)

    def probabilities(self) -> np.ndarray:
        outputs = np.asarray(self.features.predict(self.classifier), float)
        return 0.5 * (1 + np.tanh(0.5 * outputs)) if self.crowd.from_logits else outputs

    def annotators(self) -> tuple[np.ndarray, ...]:
        return self.crowd.sensitivity(), self.crowd.specificity()

    def posterior(self, annotations: Annotations) -> np.ndarray:
        return label_posterior(annotations, self.probabilities(), *self.annotators())
