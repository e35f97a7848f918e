"""Every list of the admin accepts the filters that it offers, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse

from core.errors import Misconfigured
from segments.models import Source

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_of_each")]
REDIRECTED = ("computedfield",)
"""Computed fields are listed on the page of their model."""
LISTS = {
    model: f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    for model in admin.site._registry
    if model._meta.model_name not in REDIRECTED
}


def attacks(model: Any) -> list[str]:
    """Look-ups on each field of the model, on fields of related models, and on fields that don't exist."""
    names = ["nonsense", "source__secrets", "connection__secrets", "destination__connection__secrets", "user__password"]
    for field in model._meta.get_fields():
        names.append(field.name)
        if field.related_model:
            names += [f"{field.name}__{other.name}" for other in field.related_model._meta.get_fields()]
    lookups = ("regex", "iregex", "startswith", "contains", "gt", "in", "range", "length", "year__gt")
    return [f"{name}__{lookup}" for name in names for lookup in lookups]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_no_list_accepts_a_lookup_that_it_does_not_offer(staff: Client, model: Any) -> None:
    for attack in attacks(model):
        with pytest.raises(Misconfigured):
            admin.site._registry[model].changelist_view(RequestFactory().get("/", {attack: "^(.+)+#$"}))
    answer = staff.get(reverse(LISTS[model]), {attack: "^(.+)+#$"})
    assert answer.status_code == 400
    assert "This list has no such filter" in answer.content.decode()


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_every_link_of_a_list_works(staff: Client, model: Any) -> None:
    page = staff.get(reverse(LISTS[model]))
    changelist = page.context["cl"]
    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            answer = staff.get(reverse(LISTS[model]) + choice["query_string"])
            assert answer.status_code == 200, choice["query_string"]
    for query in ("?q=a", "?o=1.-2", "?p=1", "?all=", "?_facets=True", "?e=1"):
        assert staff.get(reverse(LISTS[model]) + query).status_code == 200, query
    if changelist.date_hierarchy:
        name = changelist.date_hierarchy
        day = {f"{name}__year": "2026", f"{name}__month": "11", f"{name}__day": "29"}
        assert staff.get(reverse(LISTS[model]), day).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "a" * 201, "q=" + "a+" * 150, "p=99999999999999999999", "p=x", "p=-1", "o=1&o=2", "o=x", "q=a&q=b",
        "_to_field=secrets",
    ],
)  # fmt: skip
def test_no_list_accepts_a_query_that_nobody_means(staff: Client, query: str) -> None:
    for model, name in LISTS.items():
        assert staff.get(f"{reverse(name)}?{query}").status_code == 400, model


@pytest.mark.parametrize("year", ["0", "1", "9999", "99999", "x", "-5"])
def test_runs_of_an_impossible_year_are_refused(staff: Client, year: str) -> None:
    assert staff.get("/admin/activations/run/", {"created_at__year": year}).status_code == 400


@pytest.mark.parametrize("key", ["x", "9" * 30, "", "1 or 1", "\N{SUPERSCRIPT TWO}"])
def test_unreadable_selection_is_refused_with_a_message(staff: Client, key: str) -> None:
    values = {"action": "delete_selected", "_selected_action": key, "index": 0}
    for name in LISTS.values():
        answer = staff.post(reverse(name), values, follow=True)
        assert answer.status_code == 200, name
        assert "The selection could not be read" in answer.content.decode(), name
    assert Source.objects.exists()


@pytest.mark.parametrize(
    "value", ["9" * 30, "x", "-1", "0001-01-01 00:00:00+14:00", "9999-12-31 23:00:00-14:00", "", "None"]
)
@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_no_filter_fails_on_an_odd_value(staff: Client, model: Any, value: str) -> None:
    changelist = staff.get(reverse(LISTS[model])).context["cl"]
    for spec in changelist.filter_specs:
        for parameter in spec.expected_parameters():
            answer = staff.get(reverse(LISTS[model]), {parameter: value}, follow=True)
            assert answer.status_code in (200, 400), parameter
