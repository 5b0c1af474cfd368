"""A report of a crowd: tables, pictures, and one HTML file that opens anywhere.

Needs pandas, matplotlib and jinja2 (`pip install 'keras_crowd[report]'`). Never imports Keras.
"""

from ._crowd_report import crowd_report as crowd_report
from ._report import CrowdReport as CrowdReport


def __dir__() -> list[str]:
    return ["CrowdReport", "crowd_report"]
