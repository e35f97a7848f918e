"""The rows on a page: how many a form can submit."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from unfold.forms import PaginationInlineFormSet

MOST_NEW = 200
"""Rows that one request can add to the stored ones. Each takes milliseconds to validate and to show."""


class BoundedFormSet(PaginationInlineFormSet):
    """The rows of an object, and at most `most_new` more."""

    most_new = MOST_NEW

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self.absolute_max = self.max_num = len(self.get_queryset()) + self.most_new

    @cached_property
    def empty_form(self) -> Any:
        """The form of a new row. Django builds it again each time, and a page needs it several times."""
        return super().empty_form
