"""Whole runs whose values need care: times without a zone, codes in files, phone numbers and control characters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from activations.models import Activation, FieldMapping, Record
from activations.setup import spec_from_db
from activations.setup.rules import online
from destinations import discovery
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import destination, map_fields, run, writes

if TYPE_CHECKING:
    from pathlib import Path

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_FILES_ROOT = tmp_path
    return tmp_path


def rows(path: Path, text: str, zone: str = "Europe/Paris") -> DataModel:
    """A model of a file."""
    path.write_text(text, "utf-8", newline="")
    engine = path.suffix.removeprefix(".")
    source = Source.objects.create(name=path.stem, engine=engine, config={"path": path.name}, timezone=zone)
    model = DataModel.objects.create(name=path.stem, source=source, table=path.stem, primary_key="id")
    refresh_columns(model)
    return model


def to(model: DataModel, service: str, match: tuple[str, str], *fields: Any, **config: Any) -> Activation:
    activation = Activation.objects.create(
        name=f"{model} to {service}",
        model=model,
        destination=destination(service.partition(".")[0], service, **config),
        mode="upsert",
        match_column=match[0],
        match_field=match[1],
        hold_first_creates=False,
        compare_first=False,
    )
    return map_fields(activation, *fields)


def sent(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What each request wrote, in the order of its match value."""
    bodies = [entry["body"] for entry in writes(sandbox)]
    values = [body["data"]["values"] if "data" in body else body for body in bodies]
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def test_times_without_a_zone_have_the_day_of_the_source(folder: Path, attio: Sandbox) -> None:
    """F2: Attio got the day before, because its date is that of the time in UTC."""
    text = (
        "id,name,domain,t,z\n"
        "1,A,a.com,2024-01-01 00:30:00,2024-01-01T00:30:00+01:00\n"
        "2,B,b.com,2024-03-31 02:30:00,2024-03-31T02:30:00+02:00\n"
        "3,C,c.com,2024-10-27 02:30:00,2024-10-27T02:30:00+01:00\n"
        "4,D,d.com,2024-07-01 00:00:00,2024-07-01T00:00:00+02:00\n"
    )
    model = rows(folder / "tz.csv", text)
    for column in ("t", "z"):
        activation = to(model, "attio.companies", ("domain", "domains"), (column, "foundation_date"))
        assert run(activation).state == "succeeded"
        days = [value["foundation_date"] for value in sent(attio)]
        assert days == ["2024-01-01", "2024-03-31", "2024-10-27", "2024-07-01"]
        Activation.objects.all().delete()
        activation.destination.delete()
        activation.destination.connection.delete()


def test_one_odd_value_leaves_the_other_times_on_the_clocks_of_the_source(folder: Path, intercom: Sandbox) -> None:
    """F3: beside "n/a", every other time of the column was taken as UTC."""
    intercom._switch({"data_attributes": [{"name": "seen", "data_type": "date"}]})
    clean = rows(folder / "tzclean.csv", "id,t\n1,2024-07-01 12:00:00\n2,2024-07-02 12:00:00\n")
    odd = rows(folder / "tzodd.csv", "id,t\n1,2024-07-01 12:00:00\n2,n/a\n")
    times = []
    for model in (clean, odd):
        activation = to(model, "intercom.companies", ("id", "company_id"), ("t", "seen"), region="us")
        run(activation)
        times.append(sent(intercom)[0]["custom_attributes"]["seen"])
        Activation.objects.all().delete()
        activation.destination.delete()
        activation.destination.connection.delete()
    assert times == [1719828000, 1719828000]


def test_codes_that_look_like_numbers_arrive_as_written(folder: Path, intercom: Sandbox) -> None:
    """F4: 12E4 was sent as company 120000, and 1.10 as 1.1."""
    model = rows(folder / "codes.csv", "id,name,plan\n12E4,A,1.10\n34567,B,2.50\n120000,C,3.00\n")
    activation = to(model, "intercom.companies", ("id", "company_id"), ("plan", "plan"), region="us")
    done = run(activation)
    assert (done.state, done.accepted) == ("succeeded", 3)
    plans = {body["company_id"]: body["plan"] for body in sent(intercom)}
    assert plans == {"12E4": "1.10", "34567": "2.50", "120000": "3.00"}


def test_an_upgrade_that_converts_alike_sends_nothing(folder: Path, attio: Sandbox, monkeypatch: Any) -> None:
    model = rows(folder / "same.csv", "id,name,domain,n\n1,A,a.com,1.5\n2,B,b.com,2.5\n")
    activation = to(model, "attio.companies", ("domain", "domains"), ("name", "name"), ("n", "description"))
    run(activation)
    writes(attio)
    before = set(Record.objects.values_list("row_digest", flat=True))
    monkeypatch.setattr("activations.planning.conversion.slots.CONVERSIONS", 99)
    done = run(activation)
    assert (done.unchanged, done.planned, writes(attio)) == (2, 0, [])
    assert before.isdisjoint(Record.objects.values_list("row_digest", flat=True))


def test_country_of_a_mapping_makes_national_numbers_sendable(folder: Path, attio: Sandbox) -> None:
    """F20: national numbers were refused."""
    model = rows(folder / "people.csv", "id,email,phone\n1,ada@a.com,01 42 68 53 00\n2,bob@b.com,+14155552671\n")
    activation = to(model, "attio.people", ("email", "email_addresses"), ("phone", "phone_numbers"))
    first = run(activation)
    assert (first.accepted, first.invalid) == (1, 1)
    assert "with its country code" in first.changes.get(outcome="invalid").message
    writes(attio)
    FieldMapping.objects.update(country="FR")
    second = run(Activation.objects.get())
    assert (second.accepted, second.unchanged) == (1, 1)
    assert [value["phone_numbers"] for value in sent(attio)] == [["+33142685300"]]


def test_country_belongs_to_phone_numbers_only(folder: Path, attio: Sandbox) -> None:
    model = rows(folder / "people.csv", "id,email,phone\n1,ada@a.com,01 42 68 53 00\n")
    activation = to(
        model, "attio.people", ("email", "email_addresses"),
        {"column": "phone", "target": "job_title", "country": "FR"},
        {"column": "phone", "target": "phone_numbers", "country": "FR"},
    )  # fmt: skip
    (problem,) = online(spec_from_db.spec(activation), discovery.fields(activation.destination, timezone.now()).fields)
    assert (problem.code, problem.where) == ("country", "job_title")


def test_control_characters_reach_neither_the_vendor_nor_the_database(folder: Path, attio: Sandbox) -> None:
    """F27: they were sent as they are."""
    lines = [
        {"id": "1", "name": "nul \x00 x", "domain": "a.com", "more": {"k\x07": "v\x1b"}},
        {"id": "2\x00", "name": "bell\x07", "domain": "b.com", "more": {}},
        {"id": "3", "name": "C", "domain": "c\x00.com", "more": {}},
        {"id": "4", "name": "\x00", "domain": "d.com", "more": {}},
    ]
    model = rows(folder / "odd.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    activation = to(model, "attio.companies", ("domain", "domains"), ("name", "name"), ("more", "description"))
    done = run(activation)
    assert (done.accepted, done.invalid) == (2, 2)
    values = sent(attio)
    assert sorted(value["name"] for value in values) == ["bell", "nul  x"]
    assert [value["description"] for value in values if "description" in value] == ['{"k": "v"}']
    assert sorted(change.key for change in done.changes.all() if change.outcome == "invalid") == ["3", "4"]
    assert "control characters" in done.changes.get(key="3").message
    assert run(activation).planned == 0
