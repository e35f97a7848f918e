"""No form can submit so many rows that the server is busy with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse

from core.web.formsets import MOST_NEW, BoundedFormSet
from segments.models import Column, DataModel

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.options import InlineModelAdmin
    from django.test import Client

    from activations.models import Activation

pytestmark = pytest.mark.django_db
INLINES = [
    (page, inline)
    for page in admin.site._registry.values()
    for inline in (*page.inlines, *page.get_inlines(RequestFactory().get("/"), None))
]
PREFIXES = ("mappings", "schedules", "columns", "relations")


def test_every_form_with_rows_is_walked() -> None:
    assert {inline.model._meta.model_name for _, inline in INLINES} == {
        "fieldmapping",
        "schedule",
        "column",
        "relation",
    }


@pytest.mark.parametrize(("page", "inline"), INLINES, ids=lambda item: type(item).__name__)
def test_every_form_bounds_its_rows(page: ModelAdmin, inline: type[InlineModelAdmin]) -> None:
    assert issubclass(inline.formset, BoundedFormSet)


@pytest.mark.parametrize("total", ["201", "99999", "9" * 30, "x", ""])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_more_rows_than_allowed_are_refused_quickly(
    staff: Client, one_of_each: Activation, prefix: str, total: str
) -> None:
    name = "activations_activation" if prefix in PREFIXES[:2] else "segments_datamodel"
    values = {f"{other}-{count}_FORMS": "0" for other in PREFIXES for count in ("TOTAL", "INITIAL")}
    values |= {"name": "Away", f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": total}
    started = time.process_time()
    page = staff.post(reverse(f"admin:{name}_change", args=[1]), values)
    assert page.status_code == 200
    assert time.process_time() - started < 10
    (formset,) = [item.formset for item in page.context["inline_admin_formsets"] if item.formset.prefix == prefix]
    assert formset.non_form_errors()
    assert len(formset.forms) <= MOST_NEW


def test_model_with_many_columns_can_be_saved(staff: Client, one_of_each: Activation) -> None:
    model = DataModel.objects.get()
    Column.objects.bulk_create(Column(model=model, name=f"c{n}", type="text", position=n) for n in range(400))
    values = {f"{other}-{count}_FORMS": "0" for other in PREFIXES for count in ("TOTAL", "INITIAL")}
    values |= {"name": "Companies", "kind": "custom", "shape": "table", "table": "companies"}
    values |= {"columns-TOTAL_FORMS": "400", "columns-INITIAL_FORMS": "400"}
    for number, column in enumerate(model.columns.all()):
        values |= {f"columns-{number}-id": str(column.pk), f"columns-{number}-model": str(model.pk)}
        values |= {f"columns-{number}-name": column.name, f"columns-{number}-used": "on"}
    page = staff.post(reverse("admin:segments_datamodel_change", args=[model.pk]), values)
    assert page.status_code == 200
    (formset, *_) = [item.formset for item in page.context["inline_admin_formsets"]]
    assert (len(formset.forms), formset.is_valid()) == (400, True)
