"""`CrowdsClassification`: from the classifier's classes to each annotator's answers."""

from .._registration import register
from .._typing import Tensor
from ..annotations import Classes
from ._classes_layer import ClassesLayer


@register
class CrowdsClassification(ClassesLayer):
    """Predicts what each annotator answers, from the classifier's class probabilities.

    With class probabilities `f` of an item, the logits of annotator `r` for answer `l` are

    | `conn_type` | logits | parameters per annotator | paper |
    |---|---|---|---|
    | `"MW"` | `sum_k f_k W_rkl` | K x K | AAAI-18 |
    | `"VW"` | `w_rl f_l` | K | AAAI-18 |
    | `"VB"` | `f_l + b_rl` | K | AAAI-18 |
    | `"VW+B"` | `w_rl f_l + b_rl` | 2 K | AAAI-18 |
    | `"SW"` | `s_r f_l` | 1 | AAAI-18 |
    | `"CM"` | `log sum_k f_k A_rkl`, `A_r = softmax(W_r)` over answers | K x K | ICLR-23 |
    | `"one_coin"` | the same, `A_rkk = p_r`, `A_rkl = (1 - p_r) E_kl` | 1 | after Dawid & Skene 1979 |
    | `"class_wise"` | the same, `A_rkk = p_rk`, `A_rkl = (1 - p_rk) E_kl` | K | after Dawid & Skene 1979 |
    | `"prototypes"` | the same, `A_r = sum_p w_rp B_p` | 4 | after Venanzi et al. 2014 |
    | `"CoNAL"` | `log [w_r(x) sum_k f_k C_kl + (1 - w_r(x)) sum_k f_k A_rkl]` | K x K + 20 | Chu et al., AAAI-21 |
    | `"item"` | `log sum_k f_k A_rkl(x)` | K x K + 32 | after Herde et al., TMLR-23 |
    | `"MaDL"` | the same, annotators differ by an embedding | 32 | Herde et al., TMLR-23 |
    | `"COINNet"` | `log [(1 - s_r(x)) sum_k f_k A_rkl + s_r(x) q_rl(x)]` | K x K + 32 | Nguyen et al., NeurIPS-24 |

    and `softmax` over the last axis is the predicted answer. Train on raw answers with
    `keras_crowd.losses.MaskedCrowdCrossEntropy`; the classifier below stays a plain Keras model.

    Annotators share the errors `E`, and the matrices `B_p`: for annotators with few answers, and for many classes.
    Functions of `x` are networks of features of the item, and `C` is the confusion of all annotators.

    After the layer is built `kernel` has a row per annotator, `W_r` as one row of K K numbers, and `bias` one of K.

    The layer computes in the variable dtype of its policy: float32 under a global mixed precision policy.
    Keras masks end here; mark padding as missing answers.

    Args:
        num_annotators: Integer. Number of annotators, R.
        conn_type: String, or instance of `keras_crowd.layers.connections.ClassConnection`. The connection, as above.
            Defaults to `"CM"`.
        from_logits: Boolean. Whether the inputs are logits, to be turned into probabilities by a softmax. Defaults to
            `False`.
        initial_accuracy: Float between 0 and 1. Probability with which every annotator starts to repeat a class that
            the classifier is sure of. Not for `"VB"`, `"prototypes"` and connections that look at features. Defaults to
            `0.4 + 0.6 / K`, that of an annotator who knows four of ten answers and guesses the others.
        kernel_initializer: Initializer of `W`, `w` or `s`, in place of `initial_accuracy`. The papers start from
            `keras_crowd.initializers.CrowdIdentity()`, an accuracy of `e / (e + K - 1)`, .28 for 10 classes: from
            there, training can lose classes.
        bias_initializer: Initializer of `b`. Defaults to zeros.
        classifier_regularizer: Regularizer of the class probabilities of the batch, in training:
            `keras_crowd.regularizers.ClassifierLogDet`; or `"auto"`: with `"CM"` and without
            `confusion_regularizer`, `ClassifierLogDet(1.0)` once `adapt` finds the classes about equally frequent,
            otherwise none. Give batches of many times as many items as there are classes. Defaults to `None`.
        confusion_regularizer: Regularizer of the confusions, in training, for connections that have them, as `"CM"`:
            `keras_crowd.regularizers.ConfusionLogDet` or `ConfusionTrace`.
        max_batch_slots: Integer. For very many annotators: the most slots that a training batch has (batch size times
            slots per item). Then `keras_crowd.optimizers.crowd_optimizer` touches in each step only the
            annotators of the batch, by `LazyAdam`; with other optimizers nothing changes. Training is on slots
            then, without `confusion_regularizer`. Adds that many rows of parameters, which have no effect.
        dtype: String or `keras.DTypePolicy`. Dtype policy of the layer. Defaults to the variable dtype of the global
            policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        probabilities: Class probabilities, floats `(batch, ..., classes)`.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where
            the logits are -1e30 and answers are left out. Without it the answers of all annotators are predicted.
        features: Features of the items, floats `(batch, ..., num_features)`, for connections that look at them
            (`layers.connections.ItemConnection`, as `"CoNAL"`); `keras_crowd.crowd_model` gives them. No gradient goes
            back into them.

    Input shape:
        `(batch, classes)`, or `(batch, ..., classes)` of any rank.

    Output shape:
        `(batch, ..., num_annotators, classes)`; with `annotators`, `(batch, ..., slots, classes)`.

    Example:

    >>> classifier = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=5)
    >>> model = keras.Sequential([classifier, crowd])
    >>> model.output_shape
    (None, 5, 10)
    >>> crowd.confusion().shape
    (5, 10, 10)

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer";
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023.
    """

    adapts_regularizer = True

    @property
    def answer_kind(self) -> Classes:
        return Classes(self._num_classes)

    def predict_answers(
        self,
        predictions: Tensor,
        annotators: Tensor | None,
        training: bool,
        mask: Tensor | None,
        features: Tensor | None = None,
    ) -> Tensor:
        return self.logits(predictions, annotators, training, None, features)
