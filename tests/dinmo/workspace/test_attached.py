"""The block `attach_contacts` in a workspace file: applied, exported, changed, removed and refused."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from activations.models import AttachContacts
from dinmo.workspace import export, from_database
from tests.dinmo import shop
from tests.dinmo.workspace.test_apply import _files, lines, refusals

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
__all__ = ["_files"]
PEOPLE = "  - {name: People, source: Shop, kind: users, table: people, primary_key: id}\n"
BLOCK = "    attach_contacts: {model: People, company_column: company, external_id: id, email: email, at_most: 3}\n"


@pytest.fixture(autouse=True)
def _people(tmp_path: Path, _files: None) -> None:
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table people (id integer primary key, company integer, email text, since date)")
    database.close()


def workspace(block: str = BLOCK) -> str:
    return shop.WORKSPACE.replace("segments:\n", f"{PEOPLE}segments:\n") + block


def test_block_is_applied_exported_and_applied_again_without_a_change() -> None:
    lines(workspace())
    stored = AttachContacts.objects.get()
    assert (stored.activation.name, stored.model.name) == ("Companies to Intercom", "People")
    assert (stored.company_column, stored.at_most) == ("company", 3)
    assert stored.found_by == {"external_id": "id", "email": "email"}
    assert lines(workspace()) == ["= 11 unchanged", "Nothing changed."]
    written = export.text(from_database.read())
    assert "attach_contacts:\n      model: People\n      company_column: company\n" in written
    assert lines(written) == ["= 11 unchanged", "Nothing changed."]


def test_changed_and_removed_block_is_named() -> None:
    lines(workspace())
    changed = workspace(BLOCK.replace(", at_most: 3", ""))
    assert lines(changed)[0] == "~ activation Companies to Intercom: attach_contacts"
    assert AttachContacts.objects.get().at_most == 1
    assert "at_most" not in export.text(from_database.read())
    assert lines(workspace(""))[0] == "~ activation Companies to Intercom: attach_contacts"
    assert not AttachContacts.objects.exists()


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ("{model: Nobody, company_column: company, email: email}", "There is no model named “Nobody”"),
        ("{company_column: company, email: email}", "`attach_contacts` needs `model`"),
        ("{model: People, email: email}", "needs `company_column`"),
        ("{model: People, company_column: company}", "Choose at least one column that finds a contact"),
        ("{model: People, company_column: firm, email: email}", "has no column “firm”"),
        ("{model: People, company_column: since, email: email}", "it can't hold the primary key"),
        ("{model: People, company_column: company, email: email, at_most: 0}", "Attach 1 to 50 contacts"),
        ("{model: People, company_column: company, email: email, at_most: 51}", "`at_most` must be a whole number"),
        ("{model: People, company_column: company, phone: email}", "has no key `phone`"),
    ],
)
def test_mistakes_are_refused_with_their_line(block: str, sentence: str) -> None:
    text = workspace(f"    attach_contacts: {block}\n")
    line = len(text.splitlines())
    assert any(at == line and sentence in words for at, words in refusals(text)), refusals(text)
    assert not AttachContacts.objects.exists()


def test_destination_that_hides_nothing_refuses_the_block() -> None:
    text = workspace("").replace("    backfill: new\n", f"    backfill: new\n{BLOCK}")
    assert any("has no hidden records to attach anybody to" in words for _, words in refusals(text))
