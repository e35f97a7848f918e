"""Records with several match values: which row owns which, while rows are added, removed and exchange domains."""

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
from tests.activations.environment import SMALL_LIMITS, Environment
from tests.activations.listed import Listed, ListVendor
from tests.activations.vendor import MATCH

if TYPE_CHECKING:
    from pathlib import Path

    from destinations.sandbox.base import Sandbox

EXAMPLES = int(os.environ.get("SEVERAL_EXAMPLES", "8"))
pytestmark = pytest.mark.django_db(transaction=True)

Company = tuple[int, str, str]
"""Key, name, domains."""


class Companies:
    """Companies of the source with their domains, and the records of Attio."""

    def __init__(self, shop: Shop, attio: Sandbox, activation: Activation) -> None:
        self.shop, self.attio, self.activation = shop, attio, activation

    def run(self, *companies: Company, **options: Any) -> Run:
        """A run over exactly these companies of the source."""
        self.shop.run("delete from companies")
        self.shop.add(*((key, name, domains, None, "pro", 1) for key, name, domains in companies))
        return run(Activation.objects.get(), **options)

    def set_mode(self, mode: str) -> None:
        Activation.objects.update(mode=mode)

    def in_attio(self) -> dict[str, set[str]]:
        """The domains of every company in Attio, by name."""
        return {record["values"]["name"]: set(record["values"]["domains"]) for record in self.attio.state()["records"]}

    def edit_in_attio(self, method: str, path: str = "", **values: Any) -> None:
        """A person creates or changes a company in Attio."""
        url = f"{os.environ['ATTIO_API_URL']}/v2/objects/companies/records{path}"
        response = requests.request(
            method, url, json={"data": {"values": values}}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
        )
        assert response.ok, response.text

    def outcome(self, done: Run, key: int) -> str:
        """The outcome of a row, with code and message."""
        change = done.changes.get(key=str(key))
        return f"{change.outcome} {change.code}: {change.message}"

    def owners(self) -> list[str]:
        """Attio's record IDs in the baseline, once for each row that has one."""
        return list(Record.objects.exclude(remote_id="").exclude(accepted_at=None).values_list("remote_id", flat=True))


@pytest.fixture
def synced(shop: Shop, attio: Sandbox, to_attio: Activation) -> Companies:
    return Companies(shop, attio, to_attio)


def test_row_takes_over_the_record_of_a_leaver_which_gets_a_new_one_when_it_returns(
    synced: Companies,
) -> None:
    synced.run((1, "One", "a.com, b.com"))
    assert synced.run((2, "Two", "b.com")).accepted == 1
    assert synced.in_attio() == {"Two": {"a.com", "b.com"}}
    done = synced.run((1, "One", "c.com"), (2, "Two", "b.com"))
    assert (done.accepted, done.unchanged) == (1, 1)
    assert synced.in_attio() == {"One": {"c.com"}, "Two": {"a.com", "b.com"}}


def test_returning_row_never_writes_to_a_record_that_was_taken_over(synced: Companies) -> None:
    synced.run((1, "One", "a.com, b.com"))
    synced.run((2, "Two", "b.com"))
    done = synced.run((1, "One", "a.com"), (2, "Two", "b.com"))
    assert (done.rejected, done.unchanged) == (1, 1)
    assert synced.outcome(done, 1).startswith("rejected match_held: ")
    assert "record of “2”" in synced.outcome(done, 1)
    assert synced.in_attio() == {"Two": {"a.com", "b.com"}}


@pytest.mark.parametrize("mode", ["upsert", "update"])
@pytest.mark.parametrize("kept", ["a.com", "b.com"])
def test_domain_that_a_row_gave_up_still_leads_to_its_record(mode: str, kept: str, synced: Companies) -> None:
    given_up = {"a.com": "b.com", "b.com": "a.com"}[kept]
    synced.run((1, "One", "a.com, b.com"))
    synced.set_mode(mode)
    done = synced.run((1, "One", kept), (2, "Two", given_up))
    assert (done.accepted, done.rejected) == (1, 1)
    assert "record of “1”" in synced.outcome(done, 2)
    assert synced.in_attio() == {"One": {"a.com", "b.com"}}


def test_former_domain_is_free_once_it_is_removed_in_attio(synced: Companies) -> None:
    synced.run((1, "One", "a.com"))
    synced.run((1, "One", "c.com"))
    assert synced.run((1, "One", "c.com"), (2, "Two", "a.com")).rejected == 1
    synced.edit_in_attio("PUT", f"/{synced.owners()[0]}", domains=["c.com"])
    done = synced.run((1, "One", "c.com"), (2, "Two", "a.com"), trigger="manual")
    assert (done.accepted, synced.in_attio()) == (1, {"One": {"c.com"}, "Two": {"a.com"}})
    assert synced.run((1, "One", "c.com"), (2, "Two", "a.com")).planned == 0


def test_row_with_new_domains_leaves_its_record_to_a_row_with_a_former_one(synced: Companies) -> None:
    synced.run((1, "One", "a.com, b.com"))
    done = synced.run((1, "One", "c.com"), (2, "Two", "b.com"))
    assert (done.accepted, synced.in_attio()) == (2, {"One": {"c.com"}, "Two": {"a.com", "b.com"}})
    assert synced.run((1, "One", "c.com"), (2, "Two", "b.com")).planned == 0


def test_two_rows_may_swap_by_their_further_domains(synced: Companies) -> None:
    synced.run((1, "One", "a.com, b.com"), (2, "Two", "c.com, d.com"))
    done = synced.run((1, "One", "d.com"), (2, "Two", "b.com"))
    assert (done.accepted, synced.in_attio()) == (2, {"One": {"c.com", "d.com"}, "Two": {"a.com", "b.com"}})


@pytest.mark.parametrize("mode", ["upsert", "update"])
def test_two_rows_that_are_one_company_in_attio_never_overwrite_each_other(mode: str, synced: Companies) -> None:
    synced.edit_in_attio("POST", name="Theirs", domains=["a.com", "b.com"])
    synced.set_mode(mode)
    rows = ((1, "One", "a.com"), (2, "Two", "b.com"))
    done = synced.run(*rows)
    assert (done.accepted, done.rejected) == (1, 1)
    assert len(synced.owners()) == 1
    synced.run(*rows, trigger="manual")
    (name,) = synced.in_attio()
    (owned,) = Record.objects.exclude(accepted_at=None)
    assert name == {str(key): name for key, name, _ in rows}[owned.key], (
        "the values that the other row overwrote are restored"
    )
    writes(synced.attio)
    last = synced.run(*rows, trigger="manual")
    assert (last.unchanged, last.rejected, writes(synced.attio)) == (1, 1, [])
    assert (list(synced.in_attio()), len(synced.owners())) == ([name], 1)


def test_update_mode_stores_the_domain_that_led_to_a_record(synced: Companies) -> None:
    synced.edit_in_attio("POST", name="Theirs", domains=["b.com"])
    synced.set_mode("update")
    assert synced.run((1, "One", "a.com, b.com")).accepted == 1
    assert synced.run((2, "Two", "b.com")).accepted == 1
    done = synced.run((1, "One", "c.com"))
    assert (done.accepted, done.skipped, list(synced.in_attio())) == (0, 1, ["Two"])


DOMAINS = st.lists(st.sampled_from("mnop"), min_size=1, max_size=2, unique=True).map(" ".join)
ROWS = st.dictionaries(st.sampled_from("123"), st.tuples(DOMAINS, st.sampled_from("AB")), max_size=3)


def test_no_record_ever_belongs_to_two_rows(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    for name, value in SMALL_LIMITS.items():
        monkeypatch.setattr(f"activations.{name}", value)
    environment = Environment(tmp_path / "rows.sqlite3", Listed, monkeypatch)

    @hypothesis.settings(max_examples=EXAMPLES, derandomize="SEVERAL_EXAMPLES" not in os.environ, database=None)
    @given(
        theirs=st.lists(DOMAINS, max_size=2),
        runs=st.lists(ROWS, min_size=1, max_size=4),
        mode=st.sampled_from(["upsert", "update"]),
    )
    def check(theirs: list[str], runs: list[dict[str, tuple[str, str]]], mode: str) -> None:
        Activation.objects.all().delete()
        vendor = environment.platform.vendor = ListVendor()
        for domains in theirs:
            if not any(map(vendor.holder, domains.split())):
                vendor.add("", {})
                vendor.records[f"r{vendor.created}"][MATCH] = domains.split()
        activation = Activation.objects.create(
            name="Things",
            model=environment.model,
            destination=environment.destination,
            match_column="match",
            match_field=MATCH,
            mode="upsert",
            hold_first_creates=False,
            hold_empty=False,
        )
        map_fields(activation, ("x", "a"))
        for rows in runs:
            environment.fill_source(
                [{"id": key, "match": match, "x": x, "y": None, "z": None} for key, (match, x) in rows.items()]
            )
            done = run(activation)
            assert done.state in ("succeeded", "completed_with_warnings")
            Activation.objects.update(mode=mode)
            activation.refresh_from_db()
        # The next run restores what was overwritten. After that, nothing changes.
        run(activation, "manual")
        before = copy.deepcopy(vendor.records)
        last = run(activation, "manual")
        assert vendor.records == before
        owned = {
            record.key: record.remote_id
            for record in Record.objects.exclude(accepted_at=None).filter(key__in=rows, tried="")
        }
        assert len(set(owned.values())) == len(owned), owned
        assert all(vendor.records[remote_id]["a"] == rows[key][1] for key, remote_id in owned.items())
        assert last.unknown == last.not_sent == 0

    check()
