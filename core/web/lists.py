"""The lists of the admin: which query parameters they accept, and the selection of rows for an action."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views import main
from django.core.exceptions import ValidationError
from django.db.models import DateField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import capfirst, smart_split
from unfold.admin import ModelAdmin, checkbox
from unfold.decorators import display
from unfold.templatetags import unfold_list
from unfold.views import ChangeList

from core.errors import Misconfigured
from core.text.folding import folded
from core.web.endpoints import MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import Model, QuerySet
    from django.http import QueryDict
    from unfold.admin import ModelAdmin as _ModelAdmin
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object

LONGEST_SEARCH = 200
"""In characters."""
FIRST_YEAR, LAST_YEAR = 1900, 9998
"""Of the years that a list can be narrowed to. The end of 9999 is beyond what Python can represent."""
ALWAYS = {*main.IGNORED_PARAMS, main.SEARCH_VAR, main.PAGE_VAR, main.ERROR_FLAG}
"""The parameters that every list has."""
_PLACE = "PLACE-OF-A-KEY"
_CHECKBOX = checkbox.render(ACTION_CHECKBOX_NAME, _PLACE)
_NUMBER = re.compile(r"[0-9]{1,5}")
_ORDER = re.compile(r"(-?[0-9]{1,3}(\.-?[0-9]{1,3}){0,30})?")


_build_headers = unfold_list.result_headers


def _headers_once(changes: Any) -> list[dict[str, Any]]:
    """The headers of a list. Unfold builds them again for each row, which takes a sixth of the time of a long page."""
    if not hasattr(changes, "built_headers"):
        changes.built_headers = list(_build_headers(changes))
    headers: list[dict[str, Any]] = changes.built_headers
    return headers


unfold_list.result_headers = _headers_once


class PreparedChangeList(ChangeList):
    """The rows of one page, with what their columns need loaded for all of them together."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)  # type: ignore[has-type, unused-ignore]
        self.model_admin.prepare_rows(request, rows)
        self.result_list = rows


class BoundedList(_ModelAdmin):
    """A list that can be searched, sorted and filtered as its page offers, and in no other way.

    Django accepts any lookup on the model's own fields in the query string, including regular expressions, and prefixes
    of fields that the page never shows.
    """

    show_facets = ShowFacets.NEVER
    list_per_page = 25
    # Templates of Unfold ask for it in each row, which is expensive if it's missing.
    list_sections: ClassVar[Sequence[Any]] = ()
    has_many_rows: ClassVar[bool] = False
    """Whether only the database can search it, which on SQLite knows no accents and no case beyond ASCII."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PreparedChangeList

    @display(description=ModelAdmin.action_checkbox.short_description)  # type: ignore[untyped-decorator, unused-ignore]
    def action_checkbox(self, obj: Model) -> SafeString:
        """The same checkbox as Unfold's, without rendering its template for each row."""
        return SafeString(_CHECKBOX.replace(_PLACE, escape(obj.pk)))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that have each word in one of the searched fields, in any case and with or without accents.

        One query reads the searched fields of the whole list, unless it can have many rows.
        """
        words, names = search_words(search_term), self.get_search_fields(request)
        if not words or not names or self.has_many_rows:
            found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
            return found
        rows = queryset.order_by().values_list("pk", *names)
        return queryset.filter(pk__in=[pk for pk, *texts in rows if mentions(texts, words)]), False

    # Django's own log of changes. The audit log has them, and all that happens outside of these pages.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any: ...

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Loads what the columns show of all rows of a page, so that no column queries for its row."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.refuse_query(request)
        extra_context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        if not all(self._is_key(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            messages.warning(request, "The selection could not be read. Select the rows again.")
            return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    def refuse_query(self, request: HttpRequest) -> None:
        """Raises Misconfigured if the query string has a parameter or a value that no link of the list has."""
        dates = self.date_parameters()
        known = {*ALWAYS, *dates, *self.filter_parameters(request)}
        if not known.issuperset(request.GET):
            raise Misconfigured(
                "list_filter_unknown",
                "This list has no such filter. Open the list again, and use the filters that it offers.",
            )
        if len(request.GET.get(main.SEARCH_VAR, "")) > LONGEST_SEARCH:
            raise Misconfigured("search_too_long", f"Search for at most {LONGEST_SEARCH} characters.")
        if not is_usable(request.GET, dates):
            raise Misconfigured("list_query_invalid", "The address of this list is not valid. Open the list again.")

    def filter_parameters(self, request: HttpRequest) -> Iterator[str]:
        """The query parameters that the links of the list's filters use."""
        for item in self.get_list_filter(request):
            if isinstance(item, type) and issubclass(item, SimpleListFilter):
                yield str(item.parameter_name)
            else:
                yield from _field_parameters(self.model, item if isinstance(item, str) else item[0])

    def date_parameters(self) -> list[str]:
        """The query parameters that narrow the list to a year, a month and a day."""
        name = self.date_hierarchy
        return [f"{name}__{part}" for part in ("year", "month", "day")] if name else []

    def _is_key(self, text: str) -> bool:
        with suppress(ValidationError):
            self.opts.pk.to_python(text)
            return len(text) <= MOST_DIGITS
        return False


def is_usable(query: QueryDict, dates: Iterable[str]) -> bool:
    """Whether a list can do something with the values of its query: each once, numbers as numbers, possible years.

    Args:
        dates: the names of the parameters that are a part of a date.
    """
    numbers = [str(query[name]) for name in (main.PAGE_VAR, *dates) if name in query]
    years = [str(value)[:4] for name, value in query.items() if name.endswith(("__year", "__gte", "__lt"))]
    return (
        all(len(values) == 1 for _, values in query.lists())
        and all(_NUMBER.fullmatch(value) for value in numbers)
        and all(_NUMBER.fullmatch(year) and FIRST_YEAR <= int(year) <= LAST_YEAR for year in years)
        and _ORDER.fullmatch(query.get(main.ORDER_VAR, "")) is not None
    )


def search_words(text: str) -> list[str]:
    """PURE. The words of a search, folded. Quotation marks keep words together."""
    return [folded(word.strip("\"'")) for word in smart_split(text)]


def mentions(texts: Iterable[str | None], words: Iterable[str]) -> bool:
    """PURE. Whether each folded word is in one of the texts."""
    known = [folded(text) for text in texts if text]
    return all(any(word in text for text in known) for word in words)


def _field_parameters(model: type[Model], path: str) -> Iterator[str]:
    field: Any = get_fields_from_path(model, path)[-1]
    yield from (path, f"{path}__exact", f"{path}__isnull")
    if field.is_relation:
        yield f"{path}__{field.target_field.name}__exact"
    if isinstance(field, DateField):
        yield from (f"{path}__gte", f"{path}__lt")
