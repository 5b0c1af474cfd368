"""Callbacks for training on crowd answers."""

from ._crowd_freeze import CrowdFreeze as CrowdFreeze
from ._crowd_monitor import CrowdMonitor as CrowdMonitor
from ._gold_validation import GoldValidation as GoldValidation
from ._regularizer_schedule import RegularizerSchedule as RegularizerSchedule
from ._span_validation import SpanValidation as SpanValidation
