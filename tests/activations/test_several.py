"""Records that the destination finds by several match values: whose each is, while rows come, go and trade domains."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from activations.models import Activation, Record, Run
from tests.activations.conftest import TOKEN, Shop, map_fields, run, writes
from tests.activations.listed import Keeping, Listed
from tests.activations.machine import SMALL, World
from tests.activations.vendor import MATCH

if TYPE_CHECKING:
    from pathlib import Path

    from destinations.sandbox.base import Sandbox

EXAMPLES = int(os.environ.get("SEVERAL_EXAMPLES", "8"))
pytestmark = pytest.mark.django_db(transaction=True)

Company = tuple[int, str, str]
"""Key, name, domains."""


class Tale:
    """Companies with their domains, and what Attio makes of them."""

    def __init__(self, shop: Shop, attio: Sandbox, activation: Activation) -> None:
        self.shop, self.attio, self.activation = shop, attio, activation

    def run(self, *companies: Company, **options: Any) -> Run:
        """A run over exactly these companies."""
        self.shop.run("delete from companies")
        self.shop.add(*((key, name, domains, None, "pro", 1) for key, name, domains in companies))
        return run(Activation.objects.get(), **options)

    def in_mode(self, mode: str) -> None:
        Activation.objects.update(mode=mode)

    def there(self) -> dict[str, set[str]]:
        """Name → domains of every company in Attio."""
        return {record["values"]["name"]: set(record["values"]["domains"]) for record in self.attio.state()["records"]}

    def by_hand(self, method: str, path: str = "", **values: Any) -> None:
        """Somebody makes a company in Attio, or changes one."""
        url = f"{os.environ['ATTIO_API_URL']}/v2/objects/companies/records{path}"
        answer = requests.request(
            method, url, json={"data": {"values": values}}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
        )
        assert answer.ok, answer.text

    def told(self, done: Run, key: int) -> str:
        """What became of a row."""
        change = done.changes.get(key=str(key))
        return f"{change.outcome} {change.code}: {change.message}"

    def owners(self) -> list[str]:
        """Attio's ids in the baseline, each as often as rows have it."""
        return list(Record.objects.exclude(remote_id="").exclude(accepted_at=None).values_list("remote_id", flat=True))


@pytest.fixture
def tale(shop: Shop, attio: Sandbox, to_attio: Activation) -> Tale:
    return Tale(shop, attio, to_attio)


def test_a_row_takes_over_a_leavers_record_by_its_second_domain_and_the_returner_gets_one_of_its_own(
    tale: Tale,
) -> None:
    tale.run((1, "One", "a.com, b.com"))
    assert tale.run((2, "Two", "b.com")).accepted == 1
    assert tale.there() == {"Two": {"a.com", "b.com"}}
    done = tale.run((1, "One", "c.com"), (2, "Two", "b.com"))
    assert (done.accepted, done.unchanged) == (1, 1)
    assert tale.there() == {"One": {"c.com"}, "Two": {"a.com", "b.com"}}


def test_a_returner_does_not_write_to_the_record_that_went_to_another_row(tale: Tale) -> None:
    tale.run((1, "One", "a.com, b.com"))
    tale.run((2, "Two", "b.com"))
    done = tale.run((1, "One", "a.com"), (2, "Two", "b.com"))
    assert (done.rejected, done.unchanged) == (1, 1)
    assert tale.told(done, 1).startswith("rejected match_held: ")
    assert "record of '2'" in tale.told(done, 1)
    assert tale.there() == {"Two": {"a.com", "b.com"}}


@pytest.mark.parametrize("mode", ["upsert", "update"])
@pytest.mark.parametrize("kept", ["a.com", "b.com"])
def test_a_domain_that_a_row_gave_up_still_leads_to_its_record(mode: str, kept: str, tale: Tale) -> None:
    given_up = {"a.com": "b.com", "b.com": "a.com"}[kept]
    tale.run((1, "One", "a.com, b.com"))
    tale.in_mode(mode)
    done = tale.run((1, "One", kept), (2, "Two", given_up))
    assert (done.accepted, done.rejected) == (1, 1)
    assert "record of '1'" in tale.told(done, 2)
    assert tale.there() == {"One": {"a.com", "b.com"}}


def test_a_former_domain_is_free_once_it_is_removed_in_attio(tale: Tale) -> None:
    tale.run((1, "One", "a.com"))
    tale.run((1, "One", "c.com"))
    assert tale.run((1, "One", "c.com"), (2, "Two", "a.com")).rejected == 1
    tale.by_hand("PUT", f"/{tale.owners()[0]}", domains=["c.com"])
    done = tale.run((1, "One", "c.com"), (2, "Two", "a.com"), trigger="manual")
    assert (done.accepted, tale.there()) == (1, {"One": {"c.com"}, "Two": {"a.com"}})
    assert tale.run((1, "One", "c.com"), (2, "Two", "a.com")).planned == 0


def test_a_row_that_moved_away_leaves_all_its_domains_to_whoever_has_one_of_them(tale: Tale) -> None:
    tale.run((1, "One", "a.com, b.com"))
    done = tale.run((1, "One", "c.com"), (2, "Two", "b.com"))
    assert (done.accepted, tale.there()) == (2, {"One": {"c.com"}, "Two": {"a.com", "b.com"}})
    assert tale.run((1, "One", "c.com"), (2, "Two", "b.com")).planned == 0


def test_two_rows_may_swap_by_their_further_domains(tale: Tale) -> None:
    tale.run((1, "One", "a.com, b.com"), (2, "Two", "c.com, d.com"))
    done = tale.run((1, "One", "d.com"), (2, "Two", "b.com"))
    assert (done.accepted, tale.there()) == (2, {"One": {"c.com", "d.com"}, "Two": {"a.com", "b.com"}})


@pytest.mark.parametrize("mode", ["upsert", "update"])
def test_two_rows_that_are_one_company_in_attio_never_write_to_it_in_turn(mode: str, tale: Tale) -> None:
    tale.by_hand("POST", name="Theirs", domains=["a.com", "b.com"])
    tale.in_mode(mode)
    rows = ((1, "One", "a.com"), (2, "Two", "b.com"))
    done = tale.run(*rows)
    assert (done.accepted, done.rejected) == (1, 1)
    assert len(tale.owners()) == 1
    tale.run(*rows, trigger="manual")
    (name,) = tale.there()
    (mine,) = Record.objects.exclude(accepted_at=None)
    assert name == {str(key): name for key, name, _ in rows}[mine.key], "what the other one overwrote is put right"
    writes(tale.attio)
    last = tale.run(*rows, trigger="manual")
    assert (last.unchanged, last.rejected, writes(tale.attio)) == (1, 1, [])
    assert (list(tale.there()), len(tale.owners())) == ([name], 1)


def test_in_update_mode_the_domain_that_led_to_a_record_counts_and_not_the_first_of_the_row(tale: Tale) -> None:
    tale.by_hand("POST", name="Theirs", domains=["b.com"])
    tale.in_mode("update")
    assert tale.run((1, "One", "a.com, b.com")).accepted == 1
    assert tale.run((2, "Two", "b.com")).accepted == 1
    done = tale.run((1, "One", "c.com"))
    assert (done.accepted, done.skipped, list(tale.there())) == (0, 1, ["Two"])


DOMAINS = st.lists(st.sampled_from("mnop"), min_size=1, max_size=2, unique=True).map(" ".join)
ROWS = st.dictionaries(st.sampled_from("123"), st.tuples(DOMAINS, st.sampled_from("AB")), max_size=3)


def test_no_record_is_two_rows_whatever_domains_come_and_go(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    for name, value in SMALL.items():
        monkeypatch.setattr(f"activations.{name}", value)
    world = World(tmp_path / "rows.sqlite3", Listed, monkeypatch)

    @hypothesis.settings(max_examples=EXAMPLES, derandomize="SEVERAL_EXAMPLES" not in os.environ, database=None)
    @given(
        theirs=st.lists(DOMAINS, max_size=2),
        seen=st.lists(ROWS, min_size=1, max_size=4),
        mode=st.sampled_from(["upsert", "update"]),
    )
    def holds(theirs: list[str], seen: list[dict[str, tuple[str, str]]], mode: str) -> None:
        Activation.objects.all().delete()
        vendor = world.platform.vendor = Keeping()
        for domains in theirs:
            if not any(map(vendor.holder, domains.split())):
                vendor.add("", {})
                vendor.records[f"r{vendor.made}"][MATCH] = domains.split()
        activation = Activation.objects.create(
            name="Things",
            model=world.model,
            destination=world.destination,
            match_column="match",
            match_field=MATCH,
            mode="upsert",
        )
        map_fields(activation, ("x", "a"))
        for rows in seen:
            world.source(
                [{"id": key, "match": match, "x": x, "y": None, "z": None} for key, (match, x) in rows.items()]
            )
            done = run(activation)
            assert done.state in ("succeeded", "completed_with_warnings")
            Activation.objects.update(mode=mode)
            activation.refresh_from_db()
        # What was overwritten is put right by the next run; then nothing moves any more.
        run(activation, "manual")
        before = copy.deepcopy(vendor.records)
        last = run(activation, "manual")
        assert vendor.records == before
        mine = {
            record.key: record.remote_id
            for record in Record.objects.exclude(accepted_at=None).filter(key__in=rows, tried="")
        }
        assert len(set(mine.values())) == len(mine), mine
        assert all(vendor.records[remote_id]["a"] == rows[key][1] for key, remote_id in mine.items())
        assert last.unknown == last.not_sent == 0

    holds()
