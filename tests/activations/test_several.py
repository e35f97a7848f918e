"""Records with several match values: which row owns each, while rows come, go and swap domains."""

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


class Story:
    """Companies with their domains, and the resulting records in Attio."""

    def __init__(self, shop: Shop, attio: Sandbox, activation: Activation) -> None:
        self.shop, self.attio, self.activation = shop, attio, activation

    def run(self, *companies: Company, **options: Any) -> Run:
        """A run over exactly these companies."""
        self.shop.run("delete from companies")
        self.shop.add(*((key, name, domains, None, "pro", 1) for key, name, domains in companies))
        return run(Activation.objects.get(), **options)

    def in_mode(self, mode: str) -> None:
        Activation.objects.update(mode=mode)

    def in_attio(self) -> dict[str, set[str]]:
        """Name → domains of every company in Attio."""
        return {record["values"]["name"]: set(record["values"]["domains"]) for record in self.attio.state()["records"]}

    def edit_in_attio(self, method: str, path: str = "", **values: Any) -> None:
        """Simulates a person who creates or changes a company in Attio."""
        url = f"{os.environ['ATTIO_API_URL']}/v2/objects/companies/records{path}"
        answer = requests.request(
            method, url, json={"data": {"values": values}}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
        )
        assert answer.ok, answer.text

    def outcome_of(self, done: Run, key: int) -> str:
        """The outcome of a row, with code and message."""
        change = done.changes.get(key=str(key))
        return f"{change.outcome} {change.code}: {change.message}"

    def owners(self) -> list[str]:
        """Attio's IDs in the baseline, one for each row."""
        return list(Record.objects.exclude(remote_id="").exclude(accepted_at=None).values_list("remote_id", flat=True))


@pytest.fixture
def story(shop: Shop, attio: Sandbox, to_attio: Activation) -> Story:
    return Story(shop, attio, to_attio)


def test_row_takes_over_the_record_of_a_row_that_left_which_gets_a_new_one_on_return(
    story: Story,
) -> None:
    story.run((1, "One", "a.com, b.com"))
    assert story.run((2, "Two", "b.com")).accepted == 1
    assert story.in_attio() == {"Two": {"a.com", "b.com"}}
    done = story.run((1, "One", "c.com"), (2, "Two", "b.com"))
    assert (done.accepted, done.unchanged) == (1, 1)
    assert story.in_attio() == {"One": {"c.com"}, "Two": {"a.com", "b.com"}}


def test_returning_row_does_not_write_to_a_record_that_a_different_row_took_over(story: Story) -> None:
    story.run((1, "One", "a.com, b.com"))
    story.run((2, "Two", "b.com"))
    done = story.run((1, "One", "a.com"), (2, "Two", "b.com"))
    assert (done.rejected, done.unchanged) == (1, 1)
    assert story.outcome_of(done, 1).startswith("rejected match_held: ")
    assert "record of '2'" in story.outcome_of(done, 1)
    assert story.in_attio() == {"Two": {"a.com", "b.com"}}


@pytest.mark.parametrize("mode", ["upsert", "update"])
@pytest.mark.parametrize("kept", ["a.com", "b.com"])
def test_domain_removed_from_a_row_still_leads_to_its_record(mode: str, kept: str, story: Story) -> None:
    removed = {"a.com": "b.com", "b.com": "a.com"}[kept]
    story.run((1, "One", "a.com, b.com"))
    story.in_mode(mode)
    done = story.run((1, "One", kept), (2, "Two", removed))
    assert (done.accepted, done.rejected) == (1, 1)
    assert "record of '1'" in story.outcome_of(done, 2)
    assert story.in_attio() == {"One": {"a.com", "b.com"}}


def test_previous_domain_is_free_once_it_is_removed_in_attio(story: Story) -> None:
    story.run((1, "One", "a.com"))
    story.run((1, "One", "c.com"))
    assert story.run((1, "One", "c.com"), (2, "Two", "a.com")).rejected == 1
    story.edit_in_attio("PUT", f"/{story.owners()[0]}", domains=["c.com"])
    done = story.run((1, "One", "c.com"), (2, "Two", "a.com"), trigger="manual")
    assert (done.accepted, story.in_attio()) == (1, {"One": {"c.com"}, "Two": {"a.com"}})
    assert story.run((1, "One", "c.com"), (2, "Two", "a.com")).planned == 0


def test_row_that_moved_away_leaves_its_domains_to_a_row_with_one_of_them(story: Story) -> None:
    story.run((1, "One", "a.com, b.com"))
    done = story.run((1, "One", "c.com"), (2, "Two", "b.com"))
    assert (done.accepted, story.in_attio()) == (2, {"One": {"c.com"}, "Two": {"a.com", "b.com"}})
    assert story.run((1, "One", "c.com"), (2, "Two", "b.com")).planned == 0


def test_two_rows_can_swap_records_by_additional_domains(story: Story) -> None:
    story.run((1, "One", "a.com, b.com"), (2, "Two", "c.com, d.com"))
    done = story.run((1, "One", "d.com"), (2, "Two", "b.com"))
    assert (done.accepted, story.in_attio()) == (2, {"One": {"c.com", "d.com"}, "Two": {"a.com", "b.com"}})


@pytest.mark.parametrize("mode", ["upsert", "update"])
def test_two_rows_of_one_company_in_attio_never_take_turns_writing_to_it(mode: str, story: Story) -> None:
    story.edit_in_attio("POST", name="Theirs", domains=["a.com", "b.com"])
    story.in_mode(mode)
    rows = ((1, "One", "a.com"), (2, "Two", "b.com"))
    done = story.run(*rows)
    assert (done.accepted, done.rejected) == (1, 1)
    assert len(story.owners()) == 1
    story.run(*rows, trigger="manual")
    (name,) = story.in_attio()
    (mine,) = Record.objects.exclude(accepted_at=None)
    assert name == {str(key): name for key, name, _ in rows}[mine.key], "what the other row overwrote is sent again"
    writes(story.attio)
    last = story.run(*rows, trigger="manual")
    assert (last.unchanged, last.rejected, writes(story.attio)) == (1, 1, [])
    assert (list(story.in_attio()), len(story.owners())) == ([name], 1)


def test_update_mode_owns_a_record_by_the_domain_that_led_to_it(story: Story) -> None:
    story.edit_in_attio("POST", name="Theirs", domains=["b.com"])
    story.in_mode("update")
    assert story.run((1, "One", "a.com, b.com")).accepted == 1
    assert story.run((2, "Two", "b.com")).accepted == 1
    done = story.run((1, "One", "c.com"))
    assert (done.accepted, done.skipped, list(story.in_attio())) == (0, 1, ["Two"])


DOMAINS = st.lists(st.sampled_from("mnop"), min_size=1, max_size=2, unique=True).map(" ".join)
ROWS = st.dictionaries(st.sampled_from("123"), st.tuples(DOMAINS, st.sampled_from("AB")), max_size=3)


def test_no_record_belongs_to_two_rows_however_domains_move(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    for name, value in SMALL.items():
        monkeypatch.setattr(f"activations.{name}", value)
    world = World(tmp_path / "rows.sqlite3", Listed, monkeypatch)

    @hypothesis.settings(max_examples=EXAMPLES, derandomize="SEVERAL_EXAMPLES" not in os.environ, database=None)
    @given(
        theirs=st.lists(DOMAINS, max_size=2),
        runs=st.lists(ROWS, min_size=1, max_size=4),
        mode=st.sampled_from(["upsert", "update"]),
    )
    def holds(theirs: list[str], runs: list[dict[str, tuple[str, str]]], mode: str) -> None:
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
        for rows in runs:
            world.source(
                [{"id": key, "match": match, "x": x, "y": None, "z": None} for key, (match, x) in rows.items()]
            )
            done = run(activation)
            assert done.state in ("succeeded", "completed_with_warnings")
            Activation.objects.update(mode=mode)
            activation.refresh_from_db()
        # The next run corrects what was overwritten. After it, nothing changes.
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
