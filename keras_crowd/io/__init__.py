"""Answers from the files of labeling tools, and labels back into them.

`read_*` gives `Annotations` and refuses whatever is malformed, saying where it is; `write_*` gives a tool back what
was learned. Parquet and Hugging Face data sets need `pip install 'keras_crowd[io]'`, the rest nothing.
"""

from ._argilla import read_argilla_rankings as read_argilla_rankings
from ._conll import TokenAnswers as TokenAnswers
from ._conll import read_conll as read_conll
from ._conll import write_conll as write_conll
from ._doccano import read_doccano as read_doccano
from ._hugging_face import hugging_face_columns as hugging_face_columns
from ._hugging_face import read_hugging_face as read_hugging_face
from ._label_studio import read_label_studio as read_label_studio
from ._label_studio import write_label_studio as write_label_studio
from ._label_studio_min import read_label_studio_min as read_label_studio_min
from ._label_studio_pairs import read_label_studio_pairs as read_label_studio_pairs
from ._labels import write_annotators as write_annotators
from ._labels import write_labels as write_labels
from ._labels import write_questions as write_questions
from ._long import read_long as read_long
from ._long import write_long as write_long
from ._mturk import read_mturk as read_mturk
from ._nested import read_nested as read_nested
from ._preference_files import write_chosen_rejected as write_chosen_rejected
from ._preference_files import write_preferences as write_preferences
from ._preference_files import write_scores as write_scores
from ._preferences import read_preferences as read_preferences
from ._preferences import read_rankings as read_rankings
from ._prodigy import read_prodigy as read_prodigy
from ._prodigy import write_prodigy as write_prodigy
from ._sagemaker import read_sagemaker as read_sagemaker
from ._sagemaker import write_sagemaker as write_sagemaker
from ._toloka import read_toloka as read_toloka
from ._wide import read_wide as read_wide
from ._wide import write_wide as write_wide
