"""The HTTP endpoints of the simulated Attio, modeled on its documentation and on recorded answers.

For the switches, see `panel`.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from destinations.sandbox.access import Bucket, token_of
from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import Collection, Reply, Request
from destinations.services.attio.sandbox import access, controls, query
from destinations.services.attio.sandbox.errors import ApiError, not_found
from destinations.services.attio.sandbox.examples import company
from destinations.services.attio.sandbox.panel import ALL_SCOPES, SWITCHES, error_reply
from destinations.services.attio.sandbox.request_parsing import (
    json_object,
    matching_attribute,
    page,
    page_bounds,
    values,
)
from destinations.services.attio.sandbox.store import Merge, Record, Store, appended, prepended, replaced, vendor_time
from destinations.services.attio.sandbox.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.sandbox import wire
    from destinations.services.attio.sandbox.references import ValueData

OBJECT = "/v2/objects/([^/]+)"
DEFAULT_LIMIT = 500


class AttioSandbox(Sandbox):
    """One workspace. Reads and writes have a token bucket each. A rejected request changes nothing."""

    slug = "attio"
    label = "Attio"
    switch_table = SWITCHES
    routes = (
        ("GET", "/v2/self", "token_info"),
        ("GET", "/v2/objects", "objects"),
        ("GET", OBJECT, "object"),
        ("GET", OBJECT + "/attributes", "attributes"),
        ("GET", OBJECT + "/attributes/([^/]+)", "attribute"),
        ("GET", OBJECT + "/attributes/([^/]+)/options", "options"),
        ("GET", OBJECT + "/attributes/([^/]+)/statuses", "statuses"),
        ("POST", OBJECT + "/records", "create"),
        ("PUT", OBJECT + "/records", "upsert"),
        ("POST", OBJECT + "/records/query", "query"),
        ("GET", OBJECT + "/records/([^/]+)", "read"),
        ("PATCH", OBJECT + "/records/([^/]+)", "patch"),
        ("PUT", OBJECT + "/records/([^/]+)", "put"),
        ("DELETE", OBJECT + "/records/([^/]+)", "delete"),
    )

    def reset(self) -> None:
        self.workspace = Workspace(self.token)
        self.buckets = {"reads": Bucket(), "writes": Bucket()}
        self.switches = {"reads_per_second": 100, "writes_per_second": 25, "scopes": ALL_SCOPES}

    def state(self) -> dict[str, Any]:
        """The companies as `records`, the people, and the slugs of all company attributes."""
        self._enrich()
        companies, people = (self.workspace.stores[name] for name in ("companies", "people"))
        return {
            "records": self.workspace.readable(companies),
            "people": self.workspace.readable(people),
            "attributes": list(companies.schema.attributes),
        }

    def collections(self) -> dict[str, Collection]:
        self._enrich()
        return {
            name: Collection(store.records, store.readable, store.schema.listed, store.plain_values)
            for name, store in self.workspace.stores.items()
        }

    def archive(self, kind: str, name: str, archived: bool) -> None:
        controls.set_archived(self.workspace, f"{kind}.{name}", archived)

    def edit(self, kind: str, remote_id: str, values: Mapping[str, Any], by: wire.Editor) -> None:
        controls.edit(self.workspace, kind, remote_id, values, by)

    def example(self, number: int) -> None:
        store = self.workspace.stores["companies"]
        self.workspace.create(store, self.workspace.parse_values(store, company(number)), _now())

    def error_reply(self, status: int, message: str = "") -> Reply:
        return error_reply(status, message, time.time())

    def guard(self, request: Request) -> Reply | None:
        access.authenticate(request, self.token, revoked=bool(self.switches.get("revoked")))
        access.check_rate(request, self.buckets, self.switches, time.time())
        access.authorize(request, access.scopes(self.switches))
        self._enrich()
        return None

    def refusal(self, error: wire.ApiError) -> Reply:
        """The response of an error that Attio words; this simulator raises no other."""
        return error.reply() if isinstance(error, ApiError) else self.error_reply(error.status, error.message)

    def unknown(self, request: Request) -> Reply:
        return not_found(f'Could not find endpoint "{request.method} {request.path}".').reply()

    def headers(self, request: Request) -> dict[str, str]:
        headers = {"x-attio-execution-id": str(uuid.uuid4()), "x-accurate-at": vendor_time(_now())}
        if request.path.endswith("/records/query"):
            headers["x-attio-record-query-score"] = "0"
        return headers

    def token_info(self, request: Request) -> Reply:
        if token_of(request) != self.token or self.switches.get("revoked"):
            return Reply(body={"active": False})
        overrides = {
            name: self.switches[name] for name in ("workspace_name", "workspace_logo_url") if name in self.switches
        }
        return Reply(body={**self.workspace.token_info(access.scopes(self.switches)), **overrides})

    def objects(self, request: Request) -> Reply:
        return _data([store.schema.described() for store in self.workspace.stores.values()])

    def object(self, request: Request, name: str) -> Reply:
        return _data(self.workspace.store(name).schema.described())

    def attributes(self, request: Request, name: str) -> Reply:
        with_archived = request.query.get("show_archived") == "true"
        attributes = self.workspace.store(name).schema.attributes.values()
        listed = [item.described() for item in attributes if with_archived or not item.archived]
        return _data(page(request, listed))

    def attribute(self, request: Request, name: str, slug: str) -> Reply:
        return _data(self.workspace.store(name).schema.get(slug).described())

    def options(self, request: Request, name: str, slug: str) -> Reply:
        return self._choices(request, name, slug, "select")

    def statuses(self, request: Request, name: str, slug: str) -> Reply:
        return self._choices(request, name, slug, "status")

    def create(self, request: Request, name: str) -> Reply:
        store = self.workspace.store(name)
        sent = self.workspace.parse_values(store, values(request))
        controls.check_conflict(self.switches)
        return self._described(store, self._create(store, sent))

    def upsert(self, request: Request, name: str) -> Reply:
        store = self.workspace.store(name)
        attribute = matching_attribute(request, store.schema)
        sent = self.workspace.parse_values(store, values(request))
        if not sent.get(attribute.slug):
            raise ApiError("missing_value", f'Required value for attribute with ID "{attribute.id}" was not provided.')
        controls.check_conflict(self.switches)
        owners = (store.owner(attribute, data) for data in sent[attribute.slug])
        record = next((owner for owner in owners if owner), None)
        if record is None:
            return self._described(store, self._create(store, sent))
        controls.check_merging(self.switches, record.id, 400)
        if self.switches.get("two_owners") == "first":
            sent[attribute.slug] = [
                data for data in sent[attribute.slug] if store.owner(attribute, data) in (None, record)
            ]
        self.workspace.update(store, record, sent, {attribute.slug: appended}, _now())
        return self._described(store, record)

    def read(self, request: Request, name: str, record_id: str) -> Reply:
        store = self.workspace.store(name)
        controls.check_merging(self.switches, record_id, 404)
        return self._described(store, self.workspace.record(store, record_id))

    def patch(self, request: Request, name: str, record_id: str) -> Reply:
        return self._update(request, name, record_id, prepended)

    def put(self, request: Request, name: str, record_id: str) -> Reply:
        return self._update(request, name, record_id, replaced)

    def delete(self, request: Request, name: str, record_id: str) -> Reply:
        store = self.workspace.store(name)
        store.remove(self.workspace.record(store, record_id))
        return Reply(body={})

    def query(self, request: Request, name: str) -> Reply:
        store = self.workspace.store(name)
        body = json_object(request) if request.body else {}
        access.check_query_score(body.get("filter"), self.switches.get("query_clauses"), time.time())
        records = query.find_records(store, body.get("filter"))
        if body.get("sorts"):
            records = query.sort_records(store, list(records), body["sorts"])
        offset, limit = page_bounds(body, DEFAULT_LIMIT)
        selected = islice(records, offset, offset + limit)
        return _data([store.described(record, self.workspace.slug) for record in selected])

    def _update(self, request: Request, name: str, record_id: str, merge: Merge) -> Reply:
        store = self.workspace.store(name)
        controls.check_merging(self.switches, record_id, 400)
        record = self.workspace.record(store, record_id)
        sent = self.workspace.parse_values(store, values(request))
        if merge is prepended and self.switches.get("empty_patch") == "ignore":
            sent = {slug: items for slug, items in sent.items() if items}
        controls.check_conflict(self.switches)
        self.workspace.update(store, record, sent, merge, _now())
        return self._described(store, record)

    def _create(self, store: Store, sent: dict[str, list[ValueData]]) -> Record:
        controls.check_record_cap(self.switches, len(store.records))
        record = self.workspace.create(store, sent, _now(), enrich=bool(self.switches.get("enrichment")))
        if store.schema.slug == "people" and self.switches.get("companies_from_emails"):
            self.workspace.create_company_of(record, sent.get("email_addresses", []), _now())
        return record

    def _described(self, store: Store, record: Record) -> Reply:
        return _data(store.described(record, self.workspace.slug))

    def _choices(self, request: Request, name: str, slug: str, kind: str) -> Reply:
        attribute = self.workspace.store(name).schema.get(slug)
        if attribute.type != kind:
            raise ApiError("validation_type", f"This attribute is not a {kind} attribute.")
        with_archived = request.query.get("show_archived") == "true"
        choices = [attribute.described_choice(item) for item in attribute.choices if with_archived or not item.archived]
        return _data(page(request, choices) if self.switches.get("paged_options") else choices)

    def _enrich(self) -> None:
        self.workspace.enrich(_now(), overwrite=self.switches.get("enrichment") == "overwrite")

    def _switch(self, wanted: dict[str, Any]) -> None:
        for name in [name for name in wanted if name in controls.ACTIONS]:
            controls.ACTIONS[name](self.workspace, wanted.pop(name))
        super()._switch(wanted)
        controls.apply_switches(self.workspace, self.switches)


def _now() -> datetime:
    return datetime.now(UTC)


def _data(content: Any) -> Reply:
    return Reply(body={"data": content})
