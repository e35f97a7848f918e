"""Registers the screens with the Django admin, which imports this module."""

from segments.screens.computed_admin import ComputedFieldAdmin
from segments.screens.model_admin import DataModelAdmin
from segments.screens.segment_admin import SegmentAdmin
from segments.screens.source_admin import SourceAdmin

__all__ = ["ComputedFieldAdmin", "DataModelAdmin", "SegmentAdmin", "SourceAdmin"]
