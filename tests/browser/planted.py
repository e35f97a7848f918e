"""An installation in which everything that a person, a source or a vendor can name is an attack on the browser."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from activations import tasks
from activations.models import Activation, Change, Exchange, FieldMapping, Run, Warning
from activations.runs import requests
from destinations.models import Connection, Destination, Discovery
from destinations.sandbox.wire import Fault
from segments.models import ComputedField, DataModel, Segment, Source
from segments.sources.discovery import refresh_columns
from tests.browser.conftest import TOKEN
from tests.browser.installation import install

if TYPE_CHECKING:
    from pathlib import Path

    from destinations.sandbox.base import Sandbox

MARK = "planted"
"""In every payload, to see that a page shows it."""
MARKUP = (
    f"{MARK}\"><img src='x-{MARK}' onerror=window.__xss=1><script>window.__xss=2</script>"
    "' onmouseover='window.__xss=3 </textarea></script><svg onload=window.__xss=4>{{7*7}}${7*7}\u202e"
)
URL = f"javascript:window.__xss=5//{MARK}"
COLUMN = f"{MARK}<img src=x onerror=window.__xss=6>{{7*7}}"


def plant(shop: Path, attio: Sandbox) -> None:
    """Installs everything, runs an activation whose records are accepted and rejected, and renames all rows."""
    _rows(shop)
    attio._switch({"attributes": [{"api_slug": "planted", "type": "text", "title": MARKUP}]})
    attio.faults.append(
        Fault("reply", "PUT", times=2, status=400, body={"code": "validation_type", "message": f"{MARKUP} {URL}"})
    )
    record = {"id": {"record_id": MARKUP[:200]}, "web_url": URL, "created_at": "2026-01-01T00:00:00Z", "values": {}}
    attio.faults.append(Fault("reply", "PUT", status=200, body={"data": record}))
    activation = install(shop.name, TOKEN, execute=lambda run_id: None)
    refresh_columns(DataModel.objects.get())
    FieldMapping.objects.create(activation=activation, column=COLUMN, target="planted", position=9)
    _run(activation)
    _names()
    _answers()


def _rows(shop: Path) -> None:
    with closing(sqlite3.connect(shop)) as database, database:
        quoted = COLUMN.replace('"', '""')
        database.execute(f'alter table companies add column "{quoted}" text')
        database.execute(f'update companies set "{quoted}" = ?, name = name || ?', (MARKUP + "\n" + URL, MARKUP))
        database.execute("update companies set country = ? where id = 2", (MARKUP,))
        database.execute("update companies set country = ? where id = 4", (URL,))


def _run(activation: Activation) -> None:
    DataModel.objects.update(display_column="name")
    Run.objects.exclude(number=99).delete()
    tasks.execute(requests.request(activation, Run.Trigger.MANUAL, enqueue=False).pk)


def _names() -> None:
    """Renames rows past the validation of forms, as a version with a defect or a person at the database could."""
    for model in (Source, DataModel, Segment, Connection, Destination, Activation):
        for row in model._default_manager.all():
            model._default_manager.filter(pk=row.pk).update(name=f"{MARKUP}\n{row.pk}"[:200])
    ComputedField.objects.filter(type="text").update(
        definition={"labels": [{"label": MARKUP, "where": {"all": []}}], "otherwise": URL}
    )
    Segment.objects.update(description=MARKUP, tags=[MARKUP, URL])
    DataModel.objects.update(key_warning=MARKUP)


def _answers() -> None:
    """What vendors and sources said."""
    failed: dict[str, Any] = {"health": "failed", "health_message": f"{MARKUP} {URL}", "health_at": timezone.now()}
    Source.objects.update(**failed)
    Connection.objects.update(**failed, workspace_name=MARKUP, workspace_facts={"logo_url": URL, "name": MARKUP})
    Run.objects.filter(state="failed").update(error_code=MARKUP[:60], error_message=f"{MARKUP} {URL}")
    Warning.objects.update(message=f"{MARKUP} {URL}")
    Change.objects.update(remote_id=MARKUP[:200], request_id=MARKUP[:200])
    Change.objects.filter(outcome="rejected").update(message=f"{MARKUP} {URL}", code=MARKUP[:80], field=MARKUP[:200])
    Exchange.objects.update(url=URL, request=MARKUP, response=f"<html>{MARKUP}</html>")
    for found in Discovery.objects.all():
        Discovery.objects.filter(pk=found.pk).update(fields=[{**field, "label": MARKUP} for field in found.fields])
