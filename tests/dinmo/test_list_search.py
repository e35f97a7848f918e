"""The search of every list finds names in any case, and with or without accents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activations.models import Activation
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client

pytestmark = pytest.mark.django_db
NAMED = (Source, DataModel, Segment, Connection, Destination, Activation)


def found(staff: Client, model: type[Model], text: str) -> list[str]:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return [str(row) for row in staff.get(address, {"q": text}).context["cl"].result_list]


@pytest.mark.parametrize("model", NAMED, ids=lambda model: model.__name__)
def test_name_is_found_in_any_case_and_without_accents(
    staff: Client, one_of_each: Activation, model: type[Model]
) -> None:
    row = model._default_manager.get()
    model._default_manager.filter(pk=row.pk).update(name="Élan Straße")
    for text in ("elan", "ÉLAN", "strasse STRAßE", '"élan str"'):
        assert len(found(staff, model, text)) == 1, text
    assert found(staff, model, "elan nowhere") == []


def test_run_is_found_by_the_name_of_its_activation(staff: Client, one_of_each: Activation) -> None:
    Activation.objects.update(name="Élan")
    runs = reverse("admin:activations_run_changelist")
    assert len(staff.get(runs, {"q": "ELAN"}).context["cl"].result_list) == one_of_each.runs.count() > 0
    assert not staff.get(runs, {"q": "nowhere"}).context["cl"].result_list


def test_search_of_many_rows_takes_as_many_queries_as_of_one(staff: Client, one_of_each: Activation) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            found(staff, Source, "SHOP")
        return len(captured)

    Source.objects.update(name="Shop")
    queries()
    few = queries()
    Source.objects.bulk_create(Source(name=f"Shop {number}", engine="sqlite", config={}) for number in range(20))
    assert queries() == few
    assert len(found(staff, Source, "shop")) == 21
