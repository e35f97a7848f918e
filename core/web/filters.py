"""The filters of lists by a related object, of which there can be hundreds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import FieldListFilter, RelatedFieldListFilter
from django.utils.encoding import iri_to_uri
from django.utils.html import format_html, format_html_join

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.utils.safestring import SafeString

_LINK = (
    '<li class="border-b border-base-200 last:border-b-0 dark:border-base-700 {}">'
    '<a href="{}" title="{}" class="block px-3 py-2 hover:text-primary-600 dark:hover:text-primary-400">{}</a></li>'
)
_LIST = "border border-base-200 flex flex-col rounded-default shadow-xs dark:border-base-700"
_SELECTED = "font-semibold text-primary-600 dark:text-primary-400"
_OTHER = "hover:text-base-700 dark:hover:text-base-200"


class RelatedFilter(RelatedFieldListFilter):
    """Django's filter by a related object. It loads only the names, and builds the query of its links only once."""

    def field_choices(self, field: Any, request: Any, model_admin: Any) -> list[tuple[Any, Any]]:
        model = field.remote_field.model
        if "name" not in {each.name for each in model._meta.fields}:
            choices: list[tuple[Any, Any]] = super().field_choices(field, request, model_admin)
            return choices
        ordering = self.field_admin_ordering(field, request, model_admin) or ["name"]
        return list(model._default_manager.order_by(*ordering).values_list("pk", "name"))

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything = next(super().choices(changelist))
        yield everything
        query = everything["query_string"]
        prefix = f"{query}{'' if query == '?' else '&'}{self.lookup_kwarg}="
        for key, name in self.lookup_choices:
            selected = self.lookup_val is not None and str(key) in self.lookup_val
            yield {"selected": selected, "query_string": f"{prefix}{key}", "display": name}
        if self.include_empty_choice:
            *_, without = super().choices(changelist)
            yield without


# Before Django's own, for each list that filters by the name of a related field.
FieldListFilter.register(lambda field: bool(field.remote_field), RelatedFilter, take_priority=True)


def links(choices: Iterable[Mapping[str, Any]]) -> SafeString:
    """The choices of a filter as links. A template would spend most of the page's time on hundreds of them."""
    rows = (
        (
            _SELECTED if choice["selected"] else _OTHER,
            iri_to_uri(choice["query_string"]),
            choice["display"],
            choice["display"],
        )
        for choice in choices
    )
    return format_html('<ul class="{}">{}</ul>', _LIST, format_html_join("", _LINK, rows))
