"""The step that chooses the rows: a table with a preview or a query, with the key and the name of a row guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from core.audit import recording
from core.errors import Problem
from core.text.names import free_name
from dinmo.start import guesses
from segments.models import DataModel, Source
from segments.reading import read
from segments.screens.model_forms import ModelForm
from segments.screens.source_api import rows_json
from segments.sources import catalog, discovery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.contract import Service

PREVIEW_ROWS = 50
"""The sample by which key and name are guessed."""
SHOWN_ROWS = 8


@dataclass
class Preview:
    """The first rows of a table or a query, and the guesses about its columns."""

    table: str = ""
    sql: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    key: guesses.Guess = field(default_factory=lambda: guesses.Guess("", sure=False))
    display: str = ""
    problem: str = ""


def tables(source: Source) -> list[dict[str, Any]]:
    """The tables and views of the source, as last listed.

    Raises:
        Misconfigured, Unavailable
    """
    return list(catalog.get(source, timezone.now()).tables)


def preview(source: Source, table: str = "", sql: str = "") -> Preview:
    """Reads the first rows within the time limit of a page. A problem becomes part of the preview."""
    model = DataModel(source=source, table=table, sql=sql)
    try:
        infos = discovery.discover(source, table=table, sql=sql, seconds=settings.SOURCE_PREVIEW_SECONDS)
        rows = read.preview(read.selection(model), now=timezone.now(), limit=PREVIEW_ROWS)
    except Problem as problem:
        return Preview(table, sql, problem=problem.message)
    types = {info.name: str(info.type) for info in infos}
    key = guesses.key(types, rows, table)
    shown = rows_json(rows[:SHOWN_ROWS])
    return Preview(table, sql, list(types), shown["rows"], key, guesses.display(types, key.column))


def save(source: Source, service: Service, posted: Mapping[str, Any]) -> DataModel | str:
    """Creates the model of the chosen rows, after checking its key. Returns why that is not possible, if it isn't.

    Args:
        posted: `table` or `sql`, `key` and `display`.
    """
    table, sql = str(posted.get("table") or ""), str(posted.get("sql") or "")
    form = ModelForm(
        {
            "name": free_name(wanted_name(source.name, table), _is_model),
            "source": source.pk,
            "kind": kind_for(service),
            "shape": "table" if table else "sql",
            "table": table,
            "sql": sql,
            "primary_key": str(posted.get("key") or ""),
        }
    )
    if not form.is_valid():
        return " ".join(str(message) for messages in form.errors.values() for message in messages)
    model: DataModel = form.save(commit=False)
    names = {info.name for info in form.discovered or ()}
    display = str(posted.get("display") or "")
    model.display_column = display if display in names else ""
    model.key_warning = form.key_warning or ""
    with recording():
        model.save()
        discovery.store_columns(model, form.discovered or [])
    return model


def kind_for(service: Service) -> str:
    """PURE. The kind of model that suits a service: companies and the like are custom, people are users."""
    people = "users" in service.accepts and service.record_nouns[0] in ("person", "contact", "user", "lead")
    return "users" if people or "custom" not in service.accepts else "custom"


def wanted_name(source: str, table: str) -> str:
    """PURE. The name of a model: that of its table, or of its source for a query."""
    words = table.rpartition(".")[2].replace("_", " ").replace("-", " ").strip()
    return f"{words[:1].upper()}{words[1:]}" if words else f"{source} query"


def _is_model(name: str) -> bool:
    return DataModel.objects.filter(name=name).exists()
