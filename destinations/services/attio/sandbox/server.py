"""A simulated Attio workspace over HTTP, after Attio's documentation and recorded answers.

Switches (`POST /_sandbox/switches`):
    reads_per_second, writes_per_second   the limits (100 and 25); 0 is unlimited
    scopes                                what the token may do, a list or a text with spaces
    revoked                               the token is unknown from now on
    workspace_name, workspace_logo_url    as `/v2/self` gives them
    enrichment                            true: Attio fills in empty attributes 250 ms after a create; "overwrite": also filled ones
    conflict_names_record                 false: a uniqueness conflict does not name the other record
    conflict_names_attribute              "id": it names the attribute by its id, and repeats the value; "slug" (default)
    strips_www                            true: a domain is kept without `www.`; false (default): `www.acme.com` is another domain
    two_owners                            "first": an upsert whose values two records hold updates the one and leaves the other
                                          its value; "refuse" (default): it is a uniqueness conflict
    paged_options                         true: options and statuses obey `limit` and `offset`, too
    malformed_ids                         404: an id that is no UUID is an unknown record; 400 (default): it is a malformed request
    unclearable                           types of which a value can't be taken away, e.g. ["checkbox", "currency"]
    query_clauses                         a query with more filters than this scores too high, and is answered 429 however often it comes
    record_cap                            {"most", "status", "code"}: an object with so many records takes no new one
    empty_patch                           "ignore": a PATCH with [] leaves a single value as it is; "clear" (default) empties it
    concurrent_write_conflicts            how many of the next writes are answered 409
    merging                               ids of records that are being merged: reads and writes of them wait
    companies_from_emails                 true: a new person makes the company of the email domain
Actions of the same call:
    attributes    adds attributes: [{"api_slug", "type", "title", "is_multiselect", "is_unique", "is_required", "is_writable", "options",
                  "object" ("companies"), "allowed_objects" (slugs)}]
    archive, unarchive    slugs of company attributes
    archive_options       {slug: [titles]}
    add_options           {slug: [titles]}
    members       email addresses of members of the workspace
    merge         [id, id]: two companies become a third with a new id
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import Collection, Reply, Request
from destinations.services.attio.sandbox import access, query
from destinations.services.attio.sandbox.controls import ACTIONS, set_archived
from destinations.services.attio.sandbox.errors import Refusal, json_type, not_found, payload
from destinations.services.attio.sandbox.errors import query as bad_query
from destinations.services.attio.sandbox.examples import company
from destinations.services.attio.sandbox.panel import ALL_SCOPES, SWITCHES, refused
from destinations.services.attio.sandbox.request_parsing import json_object, page, values
from destinations.services.attio.sandbox.store import (
    Merge,
    Record,
    Store,
    appended,
    instant,
    prepended,
    replaced,
    unique_key,
)
from destinations.services.attio.sandbox.workspace import Workspace

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.validation import Kept

OBJECT = "/v2/objects/([^/]+)"
DEFAULT_LIMIT = 500


class AttioSandbox(Sandbox):
    """One workspace. Reads and writes have a token bucket each; every refusal leaves the state as it was."""

    slug = "attio"
    label = "Attio"
    switch_table = SWITCHES
    routes = (
        ("GET", "/v2/self", "self_"),
        ("GET", "/v2/objects", "objects"),
        ("GET", OBJECT, "object"),
        ("GET", OBJECT + "/attributes", "attributes"),
        ("GET", OBJECT + "/attributes/([^/]+)", "attribute"),
        ("GET", OBJECT + "/attributes/([^/]+)/options", "options"),
        ("GET", OBJECT + "/attributes/([^/]+)/statuses", "statuses"),
        ("POST", OBJECT + "/records", "create"),
        ("PUT", OBJECT + "/records", "assert_"),
        ("POST", OBJECT + "/records/query", "query"),
        ("GET", OBJECT + "/records/([^/]+)", "read"),
        ("PATCH", OBJECT + "/records/([^/]+)", "patch"),
        ("PUT", OBJECT + "/records/([^/]+)", "put"),
        ("DELETE", OBJECT + "/records/([^/]+)", "delete"),
    )

    def reset(self) -> None:
        self.workspace = Workspace(self.token)
        self.buckets = {"reads": access.Bucket(), "writes": access.Bucket()}
        self.switches = {"reads_per_second": 100, "writes_per_second": 25, "scopes": ALL_SCOPES}

    def state(self) -> dict[str, Any]:
        """Companies as `records`, people, and the slugs of all company attributes."""
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
            name: Collection(store.records, store.readable, store.schema.listed)
            for name, store in self.workspace.stores.items()
        }

    def archive(self, kind: str, name: str, archived: bool) -> None:
        set_archived(self.workspace, f"{kind}.{name}", archived)

    def example(self, number: int) -> None:
        store = self.workspace.stores["companies"]
        self.workspace.create(store, self.workspace.taken(store, company(number)), _now())

    def error_reply(self, status: int, message: str = "") -> Reply:
        return refused(status, message, time.time())

    def guard(self, request: Request) -> Reply | None:
        try:
            access.authenticate(request, self.token, revoked=bool(self.switches.get("revoked")))
            access.pace(request, self.buckets, self.switches, time.time())
            access.authorise(request, access.scopes(self.switches))
        except Refusal as refusal:
            return refusal.reply()
        self._enrich()
        return None

    def unknown(self, request: Request) -> Reply:
        return not_found(f'Could not find endpoint "{request.method} {request.path}".').reply()

    def headers(self, request: Request) -> dict[str, str]:
        found = {"x-attio-execution-id": str(uuid.uuid4()), "x-accurate-at": instant(_now())}
        if request.path.endswith("/records/query"):
            found["x-attio-record-query-score"] = "0"
        return found

    def self_(self, request: Request) -> Reply:
        if access.token_of(request) != self.token or self.switches.get("revoked"):
            return Reply(body={"active": False})
        shown = {
            name: self.switches[name] for name in ("workspace_name", "workspace_logo_url") if name in self.switches
        }
        return Reply(body={**self.workspace.introduced(access.scopes(self.switches)), **shown})

    def objects(self, request: Request) -> Reply:
        return _data([store.schema.described() for store in self.workspace.stores.values()])

    def object(self, request: Request, name: str) -> Reply:
        return _data(self.workspace.store(name).schema.described())

    def attributes(self, request: Request, name: str) -> Reply:
        with_archived = request.query.get("show_archived") == "true"
        found = self.workspace.store(name).schema.attributes.values()
        shown = [item.described() for item in found if with_archived or not item.archived]
        return _data(page(request, shown))

    def attribute(self, request: Request, name: str, slug: str) -> Reply:
        return _data(self.workspace.store(name).schema.get(slug).described())

    def options(self, request: Request, name: str, slug: str) -> Reply:
        return self._choices(request, name, slug, "select")

    def statuses(self, request: Request, name: str, slug: str) -> Reply:
        return self._choices(request, name, slug, "status")

    def create(self, request: Request, name: str) -> Reply:
        store = self.workspace.store(name)
        sent = self.workspace.taken(store, values(request))
        self._conflict()
        return self._described(store, self._created(store, sent))

    def assert_(self, request: Request, name: str) -> Reply:
        store = self.workspace.store(name)
        asked = request.query.get("matching_attribute")
        if not asked:
            raise bad_query(["matching_attribute"], "string", "undefined")
        attribute = store.schema.find(asked)
        if attribute is None or attribute.archived:
            raise Refusal("value_not_found", f'No attribute was found for matching_attribute slug/ID "{asked}".')
        if not attribute.unique or not attribute.writable:
            raise Refusal(
                "matching_attribute_definition_not_unique",
                "The matching attribute specified is not a unique attribute.",
            )
        sent = self.workspace.taken(store, values(request))
        if not sent.get(attribute.slug):
            raise Refusal("missing_value", f'Required value for attribute with ID "{attribute.id}" was not provided.')
        self._conflict()
        owners = (store.owner(attribute, kept) for kept in sent[attribute.slug])
        record = next((owner for owner in owners if owner), None)
        if record is None:
            return self._described(store, self._created(store, sent))
        self._refuse_merging(record.id, 400)
        if self.switches.get("two_owners") == "first":
            sent[attribute.slug] = [
                kept for kept in sent[attribute.slug] if store.owner(attribute, kept) in (None, record)
            ]
        self.workspace.update(store, record, sent, {attribute.slug: appended}, _now())
        return self._described(store, record)

    def read(self, request: Request, name: str, record_id: str) -> Reply:
        store = self.workspace.store(name)
        self._refuse_merging(record_id, 404)
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
        asked = json_object(request) if request.body else {}
        access.score(asked.get("filter"), self.switches.get("query_clauses"), time.time())
        found = query.matching(store, asked.get("filter"))
        if asked.get("sorts"):
            found = query.ordered(store, list(found), asked["sorts"])
        offset, limit = asked.get("offset", 0), asked.get("limit", DEFAULT_LIMIT)
        if not isinstance(offset, int) or not isinstance(limit, int) or offset < 0 or limit < 0:
            raise payload(["limit"], "number", json_type(limit))
        return _data([store.described(record, self.workspace.slug) for record in islice(found, offset, offset + limit)])

    def _route(self, request: Request) -> Reply:
        try:
            return super()._route(request)
        except Refusal as refusal:
            return refusal.reply()

    def _update(self, request: Request, name: str, record_id: str, merge: Merge) -> Reply:
        store = self.workspace.store(name)
        self._refuse_merging(record_id, 400)
        record = self.workspace.record(store, record_id)
        sent = self.workspace.taken(store, values(request))
        if merge is prepended and self.switches.get("empty_patch") == "ignore":
            sent = {slug: items for slug, items in sent.items() if items}
        self._conflict()
        self.workspace.update(store, record, sent, merge, _now())
        return self._described(store, record)

    def _created(self, store: Store, sent: dict[str, list[Kept]]) -> Record:
        cap = self.switches.get("record_cap")
        if cap and len(store.records) >= cap["most"]:
            raise Refusal(cap["code"], "The workspace holds as many records as its plan allows.", status=cap["status"])
        record = self.workspace.create(store, sent, _now(), enrich=bool(self.switches.get("enrichment")))
        if store.schema.slug == "people" and self.switches.get("companies_from_emails"):
            self._company_of(store, record, sent)
        return record

    def _company_of(self, people: Store, person: Record, sent: dict[str, list[Kept]]) -> None:
        """The company of a person's email domain, made where there is none."""
        companies = self.workspace.stores["companies"]
        for email in sent.get("email_addresses", ())[:1]:
            host = {"domain": email["email_domain"], "root_domain": email["email_root_domain"]}
            owner = companies.records.get(companies.owners.get(("domains", unique_key(host)), ""))
            company = owner or self.workspace.create(companies, {"domains": [host]}, _now())
            link = {"target_object": "companies", "target_record_id": company.id}
            self.workspace.update(people, person, {"company": [link]}, replaced, _now())

    def _described(self, store: Store, record: Record) -> Reply:
        return _data(store.described(record, self.workspace.slug))

    def _choices(self, request: Request, name: str, slug: str, kind: str) -> Reply:
        attribute = self.workspace.store(name).schema.get(slug)
        if attribute.type != kind:
            raise Refusal("validation_type", f"This attribute is not a {kind} attribute.")
        with_archived = request.query.get("show_archived") == "true"
        shown = [attribute.described_choice(item) for item in attribute.choices if with_archived or not item.archived]
        return _data(page(request, shown) if self.switches.get("paged_options") else shown)

    def _conflict(self) -> None:
        left = int(self.switches.get("concurrent_write_conflicts") or 0)
        if left:
            self.switches["concurrent_write_conflicts"] = left - 1
            raise Refusal(
                "concurrent_write_conflict", "The record is being changed by another request. Try again.", status=409
            )

    def _refuse_merging(self, record_id: str, status: int) -> None:
        if record_id in (self.switches.get("merging") or ()):
            raise Refusal("merge_in_progress", f'Record with ID "{record_id}" is being merged.', status=status)

    def _enrich(self) -> None:
        self.workspace.enrich(_now(), overwrite=self.switches.get("enrichment") == "overwrite")

    def _switch(self, wanted: dict[str, Any]) -> None:
        for name in [name for name in wanted if name in ACTIONS]:
            ACTIONS[name](self.workspace, wanted.pop(name))
        super()._switch(wanted)
        for store in self.workspace.stores.values():
            store.names_owner = self.switches.get("conflict_names_record") is not False
            store.names_slug = self.switches.get("conflict_names_attribute") != "id"
        self.workspace.strips_www = bool(self.switches.get("strips_www"))
        self.workspace.unclearable = set(self.switches.get("unclearable") or ())
        self.workspace.malformed_ids = int(self.switches.get("malformed_ids") or 400)


def _now() -> datetime:
    return datetime.now(UTC)


def _data(found: Any) -> Reply:
    return Reply(body={"data": found})
